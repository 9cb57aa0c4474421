"""Reasons of differences with their routing, disputes, and the steps by which each amount came to be and went away."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    String,
    Text,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from erpcore.kernel.model import Base, Code, Key, Name, UtcDateTime, append_only, states


class DisputeKind(StrEnum):
    """How it began: the customer paid short (a deduction), or objects to an invoice."""

    DEDUCTION = "deduction"
    OBJECTION = "objection"


class DisputeState(StrEnum):
    """``raised``: a deduction that nobody contests yet; ``waiting``: others decide whether it is written off; ``withdrawn``: the
    payment that made it was taken back.
    """

    RAISED = "raised"
    DISPUTED = "disputed"
    WAITING = "waiting"
    SETTLED = "settled"
    WITHDRAWN = "withdrawn"


class StepKind(StrEnum):
    """What made the amount, or took of it: a credit memo, money, a write-off, a small difference within tolerance, the invoice
    that asks for it again, the payment taken back.
    """

    RAISED = "raised"
    CREDITED = "credited"
    PAID = "paid"
    WRITTEN_OFF = "written_off"
    ROUNDED = "rounded"
    REBILLED = "rebilled"
    WITHDRAWN = "withdrawn"


class DisputeReason(Base):
    """Why customers pay less, and whose it is to find out: a person or else a role, within so many days. ``fault`` is what a
    credit memo says of it.
    """

    __tablename__ = "dispute_reason"
    __table_args__ = (
        states("fault", ("ours", "customer", "undecided")),
        CheckConstraint("due_days BETWEEN 1 AND 365 AND owner_role <> ''", name="sane"),
    )
    code: Mapped[str] = mapped_column(String(32), primary_key=True)
    title: Mapped[str] = mapped_column(Name)
    owner_role: Mapped[str] = mapped_column(String(32))
    owner_id: Mapped[int | None] = mapped_column(BigInteger)
    due_days: Mapped[int] = mapped_column(SmallInteger)
    fault: Mapped[str] = mapped_column(String(12))


class Dispute(Base):
    """So much of an invoice the customer does not pay, for a reason; the receivable stays open and nobody asks for it.

    ``open_minor`` is what nobody has settled yet, ``asked_minor`` what of it waits to be written off. ``application_id`` is the
    payment that was short. Without ``owner_id`` whoever has the role ``owner_role`` owns it.
    """

    __tablename__ = "dispute"
    __table_args__ = (
        states("kind", DisputeKind),
        states("state", DisputeState),
        CheckConstraint("amount_minor > 0 AND open_minor >= 0 AND open_minor <= amount_minor", name="within"),
        CheckConstraint("(kind = 'deduction') = (application_id IS NOT NULL)", name="deducted_by_payment"),
        CheckConstraint("(state IN ('settled', 'withdrawn')) = (open_minor = 0)", name="over_when_nothing_open"),
        CheckConstraint("(state = 'waiting') = (asked_minor IS NOT NULL)", name="waits_for_amount"),
        CheckConstraint("owner_role <> ''", name="owned"),
        Index("ix_dispute_invoice", "invoice_id"),
        Index("ix_dispute_customer", "customer_id"),
        Index("ix_dispute_application", "application_id"),
        Index(
            "ix_dispute_open", "site_id", "due_on",
            sqlite_where=text("open_minor > 0"), postgresql_where=text("open_minor > 0"),
        ),
    )  # fmt: skip
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    number: Mapped[str] = mapped_column(Code)
    kind: Mapped[str] = mapped_column(String(12))
    state: Mapped[str] = mapped_column(String(12))
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    invoice_id: Mapped[int] = mapped_column(ForeignKey("invoice.id"))
    order_line_id: Mapped[int | None] = mapped_column(ForeignKey("order_line.id"))
    application_id: Mapped[int | None] = mapped_column(ForeignKey("receipt_application.id"))
    reason_code: Mapped[str] = mapped_column(ForeignKey("dispute_reason.code"))
    note: Mapped[str | None] = mapped_column(Text)
    evidence: Mapped[str | None] = mapped_column(Text)
    currency: Mapped[str] = mapped_column(String(3))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    open_minor: Mapped[int] = mapped_column(BigInteger)
    asked_minor: Mapped[int | None] = mapped_column(BigInteger)
    owner_role: Mapped[str] = mapped_column(String(32))
    owner_id: Mapped[int | None] = mapped_column(BigInteger)
    due_on: Mapped[date] = mapped_column(Date)
    raised_by: Mapped[int] = mapped_column(BigInteger)
    raised_at: Mapped[datetime] = mapped_column(UtcDateTime)
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column(Integer)


class DisputeStep(Base):
    """What made or took away part of what is open: the first is positive, every other negative. ``document_id`` is the credit memo,
    or the debt given up, that did it.
    """

    __tablename__ = "dispute_step"
    __table_args__ = (
        states("kind", StepKind),
        CheckConstraint("(kind = 'raised') = (amount_minor > 0) AND amount_minor <> 0", name="signed"),
        Index("ix_dispute_step_dispute", "dispute_id"),
        Index("ix_dispute_step_at", "at"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    dispute_id: Mapped[int] = mapped_column(ForeignKey("dispute.id"))
    kind: Mapped[str] = mapped_column(String(12))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    document_id: Mapped[int | None] = mapped_column(BigInteger)
    note: Mapped[str | None] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor: Mapped[int] = mapped_column(BigInteger)


append_only(DisputeStep)

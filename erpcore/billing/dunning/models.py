"""Procedures and their levels, runs with what they propose, the level of each invoice, fees, blocks and promises."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from erpcore.kernel.model import Base, Code, Key, Name, UtcDateTime, append_only, states


class RunState(StrEnum):
    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    DONE = "done"
    CANCELLED = "cancelled"


class NoticeState(StrEnum):
    """``dropped``: taken out before it was issued, by a person or because nothing of it was overdue any more."""

    PROPOSED = "proposed"
    ISSUED = "issued"
    DROPPED = "dropped"


class LetterKind(StrEnum):
    """Which letter a level writes."""

    REMINDER = "reminder"
    DEMAND = "demand"
    FINAL = "final"


class BlockKind(StrEnum):
    """Why nobody is asked for money."""

    DISPUTE = "dispute"
    AGREEMENT = "agreement"
    INSOLVENCY = "insolvency"
    OTHER = "other"


class SettlementKind(StrEnum):
    PAID = "paid"
    WAIVED = "waived"


class DunningProcedure(Base):
    """How a company asks customers of a group, or of all groups, for what is overdue; half-open ``[valid_from, valid_until)``.

    ``interval_days`` lie between two notices about the same invoice; ``min_total_minor`` is the least overdue that is asked for.
    """

    __tablename__ = "dunning_procedure"
    __table_args__ = (
        CheckConstraint("interval_days >= 1 AND min_total_minor >= 0", name="sane"),
        Index("ix_dunning_procedure_entity", "entity_id", "valid_from"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    customer_group_id: Mapped[int | None] = mapped_column(ForeignKey("customer_group.id"))
    name: Mapped[str] = mapped_column(Name)
    valid_from: Mapped[date] = mapped_column(Date)
    valid_until: Mapped[date | None] = mapped_column(Date)
    interval_days: Mapped[int] = mapped_column(SmallInteger)
    min_total_minor: Mapped[int] = mapped_column(BigInteger)
    written_by: Mapped[int] = mapped_column(BigInteger)
    written_at: Mapped[datetime] = mapped_column(UtcDateTime)


class DunningLevel(Base):
    """One step of a procedure. ``respite_days``: how long the letter gives; ``note`` is a paragraph of its own in the letter."""

    __tablename__ = "dunning_level"
    __table_args__ = (
        CheckConstraint("days_overdue >= 1 AND fee_minor >= 0 AND min_minor >= 0 AND respite_days >= 0", name="sane"),
        states("letter", LetterKind),
    )
    procedure_id: Mapped[int] = mapped_column(ForeignKey("dunning_procedure.id"), primary_key=True)
    level: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    days_overdue: Mapped[int] = mapped_column(SmallInteger)
    min_minor: Mapped[int] = mapped_column(BigInteger)
    fee_minor: Mapped[int] = mapped_column(BigInteger)
    letter: Mapped[str] = mapped_column(String(12))
    respite_days: Mapped[int] = mapped_column(SmallInteger)
    note: Mapped[str | None] = mapped_column(Text)


class DunningRun(Base):
    """What a company proposes to ask for on a day: one person proposes, another confirms, then each notice is issued once."""

    __tablename__ = "dunning_run"
    __table_args__ = (
        states("state", RunState),
        Index(
            "uq_dunning_run_day", "entity_id", "run_on", unique=True,
            sqlite_where=text("state <> 'cancelled'"), postgresql_where=text("state <> 'cancelled'"),
        ),
    )  # fmt: skip
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    run_on: Mapped[date] = mapped_column(Date)
    state: Mapped[str] = mapped_column(String(12))
    proposed_by: Mapped[int] = mapped_column(BigInteger)
    proposed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    confirmed_by: Mapped[int | None] = mapped_column(BigInteger)
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column(SmallInteger)


class DunningNotice(Base):
    """What one customer is asked for in a run. ``reason``: why it was dropped. ``pay_until``: the day that the letter gives."""

    __tablename__ = "dunning_notice"
    __table_args__ = (
        UniqueConstraint("run_id", "customer_id"),
        states("state", NoticeState),
        states("letter", LetterKind),
        Index("ix_dunning_notice_customer", "customer_id", "id"),
        Index(
            "ix_dunning_notice_waiting", "run_id",
            sqlite_where=text("state = 'proposed'"), postgresql_where=text("state = 'proposed'"),
        ),
    )  # fmt: skip
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    run_id: Mapped[int] = mapped_column(ForeignKey("dunning_run.id"))
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    procedure_id: Mapped[int] = mapped_column(ForeignKey("dunning_procedure.id"))
    level: Mapped[int] = mapped_column(SmallInteger)
    letter: Mapped[str] = mapped_column(String(12))
    pay_until: Mapped[date] = mapped_column(Date)
    overdue_minor: Mapped[int] = mapped_column(BigInteger)
    fee_minor: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(String(12))
    reason: Mapped[str | None] = mapped_column(Text)
    issued_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class DunningItem(Base):
    """An overdue document of a notice as it was proposed; ``to_level`` is above ``from_level`` where it rises."""

    __tablename__ = "dunning_item"
    __table_args__ = (Index("ix_dunning_item_document", "document_id"),)
    notice_id: Mapped[int] = mapped_column(ForeignKey("dunning_notice.id"), primary_key=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("receivable.document_id"), primary_key=True)
    from_level: Mapped[int] = mapped_column(SmallInteger)
    to_level: Mapped[int] = mapped_column(SmallInteger)
    open_minor: Mapped[int] = mapped_column(BigInteger)
    due_on: Mapped[date] = mapped_column(Date)


class DunningLeftOut(Base):
    """An overdue document that a run does not ask for, and why."""

    __tablename__ = "dunning_left_out"
    run_id: Mapped[int] = mapped_column(ForeignKey("dunning_run.id"), primary_key=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("receivable.document_id"), primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    open_minor: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(Text)


class DunningStep(Base):
    """A document rose to a level with a notice."""

    __tablename__ = "dunning_step"
    __table_args__ = (UniqueConstraint("document_id", "level"),)
    notice_id: Mapped[int] = mapped_column(ForeignKey("dunning_notice.id"), primary_key=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("receivable.document_id"), primary_key=True)
    level: Mapped[int] = mapped_column(SmallInteger)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class DunningStand(Base):
    """The level of each document that was asked for: the figure beside its steps. ``last_on``: the day of the last notice."""

    __tablename__ = "dunning_stand"
    __table_args__ = (Index("ix_dunning_stand_customer", "customer_id"),)
    document_id: Mapped[int] = mapped_column(
        ForeignKey("receivable.document_id"), primary_key=True, autoincrement=False
    )
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    level: Mapped[int] = mapped_column(SmallInteger)
    last_on: Mapped[date] = mapped_column(Date)


class DunningFee(Base):
    """What a notice cost the customer; a document that is owed like an invoice, due at once."""

    __tablename__ = "dunning_fee"
    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="costs_something"),
        Index("ix_dunning_fee_customer", "customer_id", "fee_on"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    notice_id: Mapped[int] = mapped_column(ForeignKey("dunning_notice.id"), unique=True)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    number: Mapped[str] = mapped_column(Code)
    fee_on: Mapped[date] = mapped_column(Date)
    currency: Mapped[str] = mapped_column(String(3))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    posted_at: Mapped[datetime] = mapped_column(UtcDateTime)


class FeeSettlement(Base):
    """Part of a fee that was paid out of a receipt, or waived with a reason."""

    __tablename__ = "dunning_fee_settlement"
    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="settles_something"),
        CheckConstraint("(kind = 'paid') = (receipt_id IS NOT NULL)", name="paid_by_receipt"),
        states("kind", SettlementKind),
        Index("ix_dunning_fee_settlement_fee", "fee_id"),
        Index("ix_dunning_fee_settlement_at", "settled_at"),
        Index("ix_dunning_fee_settlement_receipt", "receipt_id"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    fee_id: Mapped[int] = mapped_column(ForeignKey("dunning_fee.id"))
    kind: Mapped[str] = mapped_column(String(8))
    receipt_id: Mapped[int | None] = mapped_column(ForeignKey("receipt.id"))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str | None] = mapped_column(Text)
    settled_at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor: Mapped[int] = mapped_column(BigInteger)


class FeeReversal(Base):
    """A payment of a fee was taken back because its receipt went back: the fee is open again by all that it had settled."""

    __tablename__ = "dunning_fee_reversal"
    __table_args__ = (
        UniqueConstraint("settlement_id"),
        CheckConstraint("amount_minor > 0", name="reopens_something"),
        Index("ix_dunning_fee_reversal_at", "reversed_at"),
        Index("ix_dunning_fee_reversal_receipt", "receipt_id"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    settlement_id: Mapped[int] = mapped_column(ForeignKey("dunning_fee_settlement.id"))
    fee_id: Mapped[int] = mapped_column(ForeignKey("dunning_fee.id"))
    receipt_id: Mapped[int] = mapped_column(ForeignKey("receipt.id"))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(Text)
    reversed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor: Mapped[int] = mapped_column(BigInteger)


append_only(DunningLevel, DunningItem, DunningLeftOut, DunningStep, DunningFee, FeeSettlement, FeeReversal)


class DunningBlock(Base):
    """Nobody asks this customer, or for this document alone, before ``until``; ``owner_id`` sees to it that it ends."""

    __tablename__ = "dunning_block"
    __table_args__ = (states("kind", BlockKind), Index("ix_dunning_block_customer", "customer_id"))
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    document_id: Mapped[int | None] = mapped_column(ForeignKey("receivable.document_id"))
    kind: Mapped[str] = mapped_column(String(12))
    reason: Mapped[str] = mapped_column(Text)
    until: Mapped[date] = mapped_column(Date)
    owner_id: Mapped[int] = mapped_column(BigInteger)
    set_by: Mapped[int] = mapped_column(BigInteger)
    set_at: Mapped[datetime] = mapped_column(UtcDateTime)
    lifted_by: Mapped[int | None] = mapped_column(BigInteger)
    lifted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lift_reason: Mapped[str | None] = mapped_column(Text)


class PaymentPromise(Base):
    """What a customer said will come until the end of a day, and who said it. Whether it was kept is what receipts say."""

    __tablename__ = "payment_promise"
    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="promises_something"),
        Index("ix_payment_promise_customer", "customer_id", "promised_on"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    document_id: Mapped[int | None] = mapped_column(ForeignKey("receivable.document_id"))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    promised_on: Mapped[date] = mapped_column(Date)
    said_by: Mapped[str] = mapped_column(Name)
    note: Mapped[str | None] = mapped_column(Text)
    taken_by: Mapped[int] = mapped_column(BigInteger)
    taken_at: Mapped[datetime] = mapped_column(UtcDateTime)


append_only(PaymentPromise)

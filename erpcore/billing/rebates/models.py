"""Rebate agreements with their tiers, what counts for each, what it accrued line by line, and how it was settled."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from erpcore.kernel.model import Base, Code, Key, Name, Price, Quantity, Scaled, UtcDateTime, append_only, states


class RebateState(StrEnum):
    """``ended``: nothing new counts, and what it accrued is to be settled."""

    DRAFT = "draft"
    AGREED = "agreed"
    ENDED = "ended"
    SETTLED = "settled"
    WITHDRAWN = "withdrawn"


class Basis(StrEnum):
    """What tiers are measured by: net value, or quantity."""

    NET = "net"
    QUANTITY = "quantity"


class RebateAgreement(Base):
    """What a customer, or all of a group together, get back on what is billed in ``[valid_from, valid_until)``.

    Of an item, of a group of items, or of all goods. ``base``: what was bought in the year before; only what goes beyond it counts.
    It and the tiers are minor units, or thousandths where ``basis`` is quantity. ``adds_up``: it may stand beside others.
    """

    __tablename__ = "rebate_agreement"
    __table_args__ = (
        states("state", RebateState),
        states("basis", Basis),
        CheckConstraint("(customer_id IS NULL) <> (customer_group_id IS NULL)", name="for_somebody"),
        CheckConstraint("item_id IS NULL OR item_group_id IS NULL", name="on_one_thing"),
        CheckConstraint("valid_from < valid_until AND base >= 0", name="sane"),
        CheckConstraint("state IN ('draft', 'withdrawn') OR agreed_by IS NOT NULL", name="agreed_by_somebody"),
        Index("ix_rebate_agreement_entity", "entity_id", "state"),
        Index("ix_rebate_agreement_customer", "customer_id"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    number: Mapped[str] = mapped_column(Code)
    name: Mapped[str] = mapped_column(Name)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customer.id"))
    customer_group_id: Mapped[int | None] = mapped_column(ForeignKey("customer_group.id"))
    item_id: Mapped[int | None] = mapped_column(ForeignKey("item.id"))
    item_group_id: Mapped[int | None] = mapped_column(ForeignKey("item_group.id"))
    valid_from: Mapped[date] = mapped_column(Date)
    valid_until: Mapped[date] = mapped_column(Date)
    currency: Mapped[str] = mapped_column(String(3))
    basis: Mapped[str] = mapped_column(String(8))
    base: Mapped[int] = mapped_column(BigInteger)
    adds_up: Mapped[bool] = mapped_column(Boolean)
    state: Mapped[str] = mapped_column(String(12))
    written_by: Mapped[int] = mapped_column(BigInteger)
    written_at: Mapped[datetime] = mapped_column(UtcDateTime)
    agreed_by: Mapped[int | None] = mapped_column(BigInteger)
    agreed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column(Integer)


class RebateTier(Base):
    """From so much on: a share of the net, or an amount per unit. Retroactive it is for all that counts, else for what goes beyond."""

    __tablename__ = "rebate_tier"
    __table_args__ = (
        CheckConstraint("(percent IS NULL) <> (per_unit IS NULL)", name="gives_one_thing"),
        CheckConstraint(
            "starts_at >= 0 AND (percent IS NULL OR percent BETWEEN 0 AND 1000000) AND (per_unit IS NULL OR per_unit >= 0)",
            name="sane",
        ),
    )
    agreement_id: Mapped[int] = mapped_column(ForeignKey("rebate_agreement.id"), primary_key=True)
    level: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    starts_at: Mapped[int] = mapped_column(BigInteger)
    percent: Mapped[Decimal | None] = mapped_column(Scaled(6))
    per_unit: Mapped[Decimal | None] = mapped_column(Price)
    is_retroactive: Mapped[bool] = mapped_column(Boolean)


class RebateStanding(Base):
    """What counts for an agreement so far and what of it is accrued; the one row that who posts for it has to lock.

    Open is ``accrued_minor`` − ``settled_minor`` + ``difference_minor``, the last being what was settled above what was accrued.
    """

    __tablename__ = "rebate_standing"
    agreement_id: Mapped[int] = mapped_column(ForeignKey("rebate_agreement.id"), primary_key=True, autoincrement=False)
    net_minor: Mapped[int] = mapped_column(BigInteger)
    quantity: Mapped[Decimal] = mapped_column(Quantity)
    level: Mapped[int] = mapped_column(SmallInteger)
    accrued_minor: Mapped[int] = mapped_column(BigInteger)
    settled_minor: Mapped[int] = mapped_column(BigInteger)
    difference_minor: Mapped[int] = mapped_column(BigInteger)


class RebatePosting(Base):
    """What a document accrued for an agreement in the books: an invoice, a credit memo, or the agreement for what was billed before it."""

    __tablename__ = "rebate_posting"
    __table_args__ = (
        states("document_type", ("invoice", "credit_memo", "rebate")),
        UniqueConstraint("agreement_id", "document_type", "document_id"),
        Index("ix_rebate_posting_document", "document_type", "document_id"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    agreement_id: Mapped[int] = mapped_column(ForeignKey("rebate_agreement.id"))
    document_type: Mapped[str] = mapped_column(String(12))
    document_id: Mapped[int] = mapped_column(BigInteger)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    adjusted_minor: Mapped[int] = mapped_column(BigInteger)
    level: Mapped[int] = mapped_column(SmallInteger)
    posted_on: Mapped[date] = mapped_column(Date)
    posted_at: Mapped[datetime] = mapped_column(UtcDateTime)


class RebateAccrual(Base):
    """What a line of an invoice, or of a credit memo, counts and accrues: each once for an agreement.

    ``amount_minor`` is for itself; ``adjusted_minor`` for all before it, where it made the agreement reach another tier.
    """

    __tablename__ = "rebate_accrual"
    __table_args__ = (
        states("document_type", ("invoice", "credit_memo")),
        UniqueConstraint(
            "agreement_id", "document_type", "document_id", "document_line", name="uq_rebate_accrual_line"
        ),
        Index("ix_rebate_accrual_order_line", "order_line_id"),
        Index("ix_rebate_accrual_document", "document_type", "document_id"),
    )
    posting_id: Mapped[int] = mapped_column(ForeignKey("rebate_posting.id"), primary_key=True)
    line_no: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    agreement_id: Mapped[int] = mapped_column(ForeignKey("rebate_agreement.id"))
    document_type: Mapped[str] = mapped_column(String(12))
    document_id: Mapped[int] = mapped_column(BigInteger)
    document_line: Mapped[int] = mapped_column(BigInteger)
    invoice_id: Mapped[int] = mapped_column(ForeignKey("invoice.id"))
    order_line_id: Mapped[int] = mapped_column(ForeignKey("order_line.id"))
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    net_minor: Mapped[int] = mapped_column(BigInteger)
    quantity: Mapped[Decimal] = mapped_column(Quantity)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    adjusted_minor: Mapped[int] = mapped_column(BigInteger)
    level: Mapped[int] = mapped_column(SmallInteger)


class RebateSettlement(Base):
    """So much of an agreement given back. ``accrued_minor`` was open before; a final one closes it, with what is left as difference."""

    __tablename__ = "rebate_settlement"
    __table_args__ = (
        CheckConstraint("paid_minor >= 0 AND (is_final OR difference_minor = 0)", name="sane"),
        Index("ix_rebate_settlement_agreement", "agreement_id"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    agreement_id: Mapped[int] = mapped_column(ForeignKey("rebate_agreement.id"))
    is_final: Mapped[bool] = mapped_column(Boolean)
    claimed_minor: Mapped[int | None] = mapped_column(BigInteger)
    accrued_minor: Mapped[int] = mapped_column(BigInteger)
    paid_minor: Mapped[int] = mapped_column(BigInteger)
    difference_minor: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str | None] = mapped_column(Text)
    settled_at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor: Mapped[int] = mapped_column(BigInteger)


class RebateCredit(Base):
    """The credit memo that gives one customer its part of a settlement."""

    __tablename__ = "rebate_credit"
    credit_memo_id: Mapped[int] = mapped_column(ForeignKey("credit_memo.id"), primary_key=True, autoincrement=False)
    settlement_id: Mapped[int] = mapped_column(ForeignKey("rebate_settlement.id"), index=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    net_minor: Mapped[int] = mapped_column(BigInteger)


append_only(RebatePosting, RebateAccrual, RebateSettlement, RebateCredit)

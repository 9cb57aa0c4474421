"""What was sent back to a supplier, what it owes for it, and by what that was settled."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from erpcore.kernel.model import Base, Code, Key, Price, Quantity, UtcDateTime, append_only, states


class SupplierReturn(Base):
    """Goods that left for their supplier. ``value_minor``: what they were worth in stock; ``expected_minor``: what the supplier owes."""

    __tablename__ = "supplier_return"
    __table_args__ = (
        UniqueConstraint("entity_id", "number"),
        CheckConstraint("value_minor >= 0 AND expected_minor >= 0", name="not_negative"),
        Index("ix_supplier_return_supplier", "supplier_id"), Index("ix_supplier_return_site", "site_id", "sent_at"),
    )  # fmt: skip
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    supplier_id: Mapped[int] = mapped_column(ForeignKey("supplier.id"))
    number: Mapped[str] = mapped_column(Code)
    note: Mapped[str | None] = mapped_column(Text)
    currency: Mapped[str] = mapped_column(String(3))
    value_minor: Mapped[int] = mapped_column(BigInteger)
    expected_minor: Mapped[int] = mapped_column(BigInteger)
    sent_by: Mapped[int] = mapped_column(BigInteger)
    sent_at: Mapped[datetime] = mapped_column(UtcDateTime)


class SupplierReturnLine(Base):
    """A line of a customer's return that went back, once; ``unit_price``: what the supplier asks for the item."""

    __tablename__ = "supplier_return_line"
    __table_args__ = (
        UniqueConstraint("return_line_id"),
        CheckConstraint("quantity > 0", name="quantity_positive"),
    )
    supplier_return_id: Mapped[int] = mapped_column(ForeignKey("supplier_return.id"), primary_key=True)
    line_no: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    return_line_id: Mapped[int] = mapped_column(ForeignKey("return_line.id"))
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"))
    quantity: Mapped[Decimal] = mapped_column(Quantity)
    unit_price: Mapped[Decimal] = mapped_column(Price)
    expected_minor: Mapped[int] = mapped_column(BigInteger)


class ClaimKind(StrEnum):
    """What a claim on a supplier falls by."""

    CREDIT = "credit"
    DIFFERENCE = "difference"


class SupplierClaimEntry(Base):
    """By what a supplier owes less for goods sent back: its credit note (``paper``, net), or a difference that somebody accepted for a
    ``reason``; below zero where it credited more than was expected, and where an entry is taken back (``reverses_id``).
    """

    __tablename__ = "supplier_claim_entry"
    __table_args__ = (
        UniqueConstraint("reverses_id"),
        states("kind", ClaimKind),
        CheckConstraint("amount_minor <> 0", name="some_amount"),
        CheckConstraint("paper IS NOT NULL OR reason IS NOT NULL", name="says_why"),
        Index("ix_supplier_claim_entry_return", "supplier_return_id"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    supplier_return_id: Mapped[int] = mapped_column(ForeignKey("supplier_return.id"))
    kind: Mapped[str] = mapped_column(String(10))
    paper: Mapped[str | None] = mapped_column(String(120))
    paper_on: Mapped[date | None] = mapped_column(Date)
    reason: Mapped[str | None] = mapped_column(Text)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    reverses_id: Mapped[int | None] = mapped_column(ForeignKey("supplier_claim_entry.id"))
    settled_by: Mapped[int] = mapped_column(BigInteger)
    settled_at: Mapped[datetime] = mapped_column(UtcDateTime)


append_only(SupplierReturn, SupplierReturnLine, SupplierClaimEntry)

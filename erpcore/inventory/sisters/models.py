"""The two sides of goods between companies: what one sold, the other bought, under one key."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
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
)
from sqlalchemy.orm import Mapped, mapped_column

from erpcore.kernel.model import Base, Key, Price, Quantity, UtcDateTime, append_only, states


class SisterSide(StrEnum):
    """Whose document it is: the company's that sends, or that gets."""

    SALE = "sale"
    PURCHASE = "purchase"


class SisterKind(StrEnum):
    """What it says: goods were sent, or that was turned back."""

    SENT = "sent"
    TURNED_BACK = "turned_back"


class SisterDocument(Base):
    """One side of goods between two companies. ``key`` stands on both, once for each side and kind.

    ``amount_minor`` is in the company's own currency, ``agreed_minor`` in the sender's: the same on both sides. ``cost_minor``: what
    the goods were worth in the company's stock.
    """

    __tablename__ = "sister_document"
    __table_args__ = (
        UniqueConstraint("transfer_id", "kind", "side"),
        UniqueConstraint("entity_id", "sister_id", "key", "kind", "side", name="uq_sister_document_key"),
        states("side", SisterSide),
        states("kind", SisterKind),
        CheckConstraint("entity_id <> sister_id", name="two_companies"),
        CheckConstraint("amount_minor >= 0 AND agreed_minor >= 0", name="not_negative"),
        CheckConstraint("kind = 'sent' OR reason IS NOT NULL", name="says_why"),
        Index("ix_sister_document_entity", "entity_id", "sister_id", "id"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    transfer_id: Mapped[int] = mapped_column(ForeignKey("stock_transfer.id"))
    key: Mapped[str] = mapped_column(String(100))
    side: Mapped[str] = mapped_column(String(8))
    kind: Mapped[str] = mapped_column(String(12))
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    sister_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    currency: Mapped[str] = mapped_column(String(3))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    agreed_currency: Mapped[str] = mapped_column(String(3))
    agreed_minor: Mapped[int] = mapped_column(BigInteger)
    cost_minor: Mapped[int] = mapped_column(BigInteger)
    rate_id: Mapped[int | None] = mapped_column(ForeignKey("exchange_rate.id"))
    posted_on: Mapped[date] = mapped_column(Date)
    posted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    posted_by: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str | None] = mapped_column(Text)


class SisterLine(Base):
    """So much of an item at a transfer price for each unit, in the company's own item and currency."""

    __tablename__ = "sister_document_line"
    __table_args__ = (CheckConstraint("quantity > 0 AND amount_minor >= 0", name="positive"),)
    document_id: Mapped[int] = mapped_column(ForeignKey("sister_document.id"), primary_key=True)
    line_no: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"))
    quantity: Mapped[Decimal] = mapped_column(Quantity)
    agreed_price: Mapped[Decimal] = mapped_column(Price)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    cost_minor: Mapped[int] = mapped_column(BigInteger)


append_only(SisterDocument, SisterLine)

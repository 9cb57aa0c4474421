"""Transfer orders and their lines."""

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
    Integer,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from erpcore.kernel.model import Base, Code, Key, Quantity, UtcDateTime, states


class TransferOrderState(StrEnum):
    """May it still be shipped? Whether it has arrived is said by its transfers."""

    REQUESTED = "requested"
    APPROVED = "approved"
    SHIPPED = "shipped"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


class TransferOrder(Base):
    """What ``site_id`` asks ``from_site_id`` for. ``promised_on``: the day it should arrive, and what that was made from."""

    __tablename__ = "transfer_order"
    __table_args__ = (
        UniqueConstraint("entity_id", "number"),
        states("state", TransferOrderState),
        CheckConstraint("from_site_id <> site_id", name="two_sites"),
        Index("ix_transfer_order_site", "site_id", "requested_at"),
        Index("ix_transfer_order_from", "from_site_id", "requested_at"),
        Index(
            "ix_transfer_order_open", "from_site_id", "state",
            sqlite_where=text("state IN ('requested', 'approved')"), postgresql_where=text("state IN ('requested', 'approved')"),
        ),
    )  # fmt: skip
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    from_site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    number: Mapped[str] = mapped_column(Code)
    state: Mapped[str] = mapped_column(String(12))
    wanted_on: Mapped[date] = mapped_column(Date)
    promised_on: Mapped[date] = mapped_column(Date)
    promise_reason: Mapped[str] = mapped_column(String(48))
    requested_at: Mapped[datetime] = mapped_column(UtcDateTime)
    requested_by: Mapped[int] = mapped_column(BigInteger)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decided_by: Mapped[int | None] = mapped_column(BigInteger)
    note: Mapped[str | None] = mapped_column(Text)
    version: Mapped[int] = mapped_column(Integer)


class TransferOrderLine(Base):
    """One item of a transfer order. Open is quantity − shipped − cancelled; ``reserved`` of it is kept for it at the sending site."""

    __tablename__ = "transfer_order_line"
    __table_args__ = (
        UniqueConstraint("order_id", "line_no"),
        CheckConstraint("quantity > 0 AND reserved >= 0 AND shipped >= 0 AND cancelled >= 0", name="not_negative"),
        CheckConstraint("shipped + cancelled + reserved <= quantity", name="adds_up"),
        Index("ix_transfer_order_line_item", "item_id"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    order_id: Mapped[int] = mapped_column(ForeignKey("transfer_order.id"))
    line_no: Mapped[int] = mapped_column(SmallInteger)
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"))
    quantity: Mapped[Decimal] = mapped_column(Quantity)
    reserved: Mapped[Decimal] = mapped_column(Quantity)
    shipped: Mapped[Decimal] = mapped_column(Quantity)
    cancelled: Mapped[Decimal] = mapped_column(Quantity)

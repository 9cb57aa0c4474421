"""Purchase orders and their lines."""

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
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from erpcore.kernel.model import Base, Code, Key, Price, Quantity, UtcDateTime, states


class PurchaseState(StrEnum):
    """What may still be expected of it? ``RECEIVED``: all that was to come has; ``CLOSED``: the rest is not waited for."""

    ORDERED = "ordered"
    CONFIRMED = "confirmed"
    RECEIVED = "received"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class PurchaseOrder(Base):
    """What we ordered from one supplier for one site. ``number`` is given at the commit, without gaps.

    ``is_direct``: the supplier sends the goods to the customer of ``order_id``; they never come to the site.
    """

    __tablename__ = "purchase_order"
    __table_args__ = (
        UniqueConstraint("entity_id", "number"),
        states("state", PurchaseState),
        CheckConstraint("is_direct = (order_id IS NOT NULL)", name="direct_has_order"),
        Index("ix_purchase_order_site", "site_id", "ordered_at"),
        Index("ix_purchase_order_supplier", "supplier_id"),
        Index(
            "ix_purchase_order_open", "site_id", "state",
            sqlite_where=text("state IN ('ordered', 'confirmed')"), postgresql_where=text("state IN ('ordered', 'confirmed')"),
        ),
        Index(
            "ix_purchase_order_order", "order_id",
            sqlite_where=text("order_id IS NOT NULL"), postgresql_where=text("order_id IS NOT NULL"),
        ),
    )  # fmt: skip
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    supplier_id: Mapped[int] = mapped_column(ForeignKey("supplier.id"))
    number: Mapped[str | None] = mapped_column(Code)
    state: Mapped[str] = mapped_column(String(12))
    is_direct: Mapped[bool] = mapped_column(Boolean)
    order_id: Mapped[int | None] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    value_minor: Mapped[int] = mapped_column(BigInteger)
    ordered_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ordered_by: Mapped[int] = mapped_column(BigInteger)
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    confirmation: Mapped[str | None] = mapped_column(String(120))
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ruleset: Mapped[str] = mapped_column(ForeignKey("ruleset.hash"))
    note: Mapped[str | None] = mapped_column(Text)
    version: Mapped[int] = mapped_column(Integer)


class PurchaseOrderLine(Base):
    """One item of a purchase order. Open is quantity − received − cancelled, never below nil.

    Three dates: the one we asked for, the first that the supplier confirmed (it is judged by that one) and the one confirmed now.
    ``cancelled`` is what does not come: what the supplier does not confirm, what we gave up. ``order_line_id``: the customer's line
    that it serves.
    """

    __tablename__ = "purchase_order_line"
    __table_args__ = (
        UniqueConstraint("purchase_id", "line_no"),
        CheckConstraint("quantity > 0 AND received >= 0 AND cancelled >= 0 AND cancelled <= quantity", name="adds_up"),
        CheckConstraint("unit_price > 0", name="price_positive"),
        CheckConstraint("(first_confirmed_on IS NULL) = (confirmed_on IS NULL)", name="confirmed_once"),
        Index("ix_purchase_order_line_item", "item_id"),
        Index(
            "ix_purchase_order_line_order_line", "order_line_id",
            sqlite_where=text("order_line_id IS NOT NULL"), postgresql_where=text("order_line_id IS NOT NULL"),
        ),
    )  # fmt: skip
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    purchase_id: Mapped[int] = mapped_column(ForeignKey("purchase_order.id"))
    line_no: Mapped[int] = mapped_column(SmallInteger)
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"))
    quantity: Mapped[Decimal] = mapped_column(Quantity)
    unit_price: Mapped[Decimal] = mapped_column(Price)
    value_minor: Mapped[int] = mapped_column(BigInteger)
    requested_on: Mapped[date] = mapped_column(Date)
    first_confirmed_on: Mapped[date | None] = mapped_column(Date)
    confirmed_on: Mapped[date | None] = mapped_column(Date)
    received: Mapped[Decimal] = mapped_column(Quantity)
    cancelled: Mapped[Decimal] = mapped_column(Quantity)
    order_line_id: Mapped[int | None] = mapped_column(BigInteger)

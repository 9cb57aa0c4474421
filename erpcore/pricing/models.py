"""Tables of prices: rules that give one, and the lists by which many are changed at once."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from erpcore.kernel.model import Base, Key, Price, Quantity, Scaled, UtcDateTime, states
from erpcore.pricing.flow import PriceListState


class PriceKind(StrEnum):
    """What a price rests on, the strongest first: what was signed comes before what is offered, and that before the list."""

    CONTRACT = "contract"
    CUSTOMER = "customer"
    PROMOTION = "promotion"
    GROUP = "group"
    CHANNEL = "channel"
    BREAK = "break"
    LIST = "list"


class PriceRule(Base):
    """A unit price, or a discount on the list price, for a scope and a time. What it says never changes; only its end does.

    ``discount`` is a share of the list price; it may hold for an item group. ``minimum_quantity`` of a line from which it holds.
    ``customer_key`` is the customer or 0, so that the rules of one and those of all are read by one index.
    """

    __tablename__ = "price_rule"
    __table_args__ = (
        states("kind", PriceKind),
        Index("ix_price_rule_item", "item_id", "customer_key"),
        Index("ix_price_rule_group", "item_group_id", "customer_key"),
        Index("ix_price_rule_customer", "customer_id"),
        CheckConstraint("valid_until IS NULL OR valid_until >= valid_from", name="validity"),
        CheckConstraint("unit_price >= 0", name="not_negative"),
        CheckConstraint("discount > 0 AND discount <= 1000000", name="discount_share"),
        CheckConstraint("(unit_price IS NULL) <> (discount IS NULL)", name="price_or_discount"),
        CheckConstraint("(item_id IS NULL) <> (item_group_id IS NULL)", name="item_or_group"),
        CheckConstraint("item_group_id IS NULL OR discount IS NOT NULL", name="groups_by_discount"),
        CheckConstraint("minimum_quantity >= 0", name="some_quantity"),
        CheckConstraint("customer_key = COALESCE(customer_id, 0)", name="customer_key"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    kind: Mapped[str] = mapped_column(String(12))
    item_id: Mapped[int | None] = mapped_column(ForeignKey("item.id"))
    item_group_id: Mapped[int | None] = mapped_column(ForeignKey("item_group.id"))
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customer.id"))
    customer_key: Mapped[int] = mapped_column(BigInteger)
    customer_group_id: Mapped[int | None] = mapped_column(ForeignKey("customer_group.id"))
    channel_id: Mapped[int | None] = mapped_column(ForeignKey("channel.id"))
    minimum_quantity: Mapped[Decimal] = mapped_column(Quantity)
    unit_price: Mapped[Decimal | None] = mapped_column(Price)
    discount: Mapped[Decimal | None] = mapped_column(Scaled(6))
    currency: Mapped[str] = mapped_column(String(3))
    valid_from: Mapped[date] = mapped_column(Date)
    valid_until: Mapped[date | None] = mapped_column(Date)
    reference: Mapped[str | None] = mapped_column(String(120))
    price_list_id: Mapped[int | None] = mapped_column(ForeignKey("price_list.id"))
    saved_by: Mapped[int] = mapped_column(BigInteger)
    saved_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_by: Mapped[int | None] = mapped_column(BigInteger)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class PriceList(Base):
    """A file of prices that was looked at, and, once ``applied_at`` is set, holds. One content is applied once per entity.

    ``facts`` is the JSON of how many rows were new, changed, unchanged, ended and rejected, and of the rejected rows. Whoever
    asked for one that gives away too much never applies it; ``asked_digest`` is of what would change, as they saw it.
    """

    __tablename__ = "price_list"
    __table_args__ = (
        states("state", PriceListState),
        UniqueConstraint("entity_id", "content_hash"),
        CheckConstraint("(applied_at IS NULL) = (state <> 'applied')", name="applied_once"),
        CheckConstraint("asked_by IS NULL OR applied_by IS NULL OR asked_by <> applied_by", name="four_eyes"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    file_name: Mapped[str] = mapped_column(String(300))
    content_hash: Mapped[str] = mapped_column(String(64))
    rows: Mapped[int] = mapped_column(Integer)
    facts: Mapped[str] = mapped_column(Text)
    content: Mapped[str] = mapped_column(Text)
    version: Mapped[int] = mapped_column(Integer)
    uploaded_by: Mapped[int] = mapped_column(BigInteger)
    uploaded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    state: Mapped[str] = mapped_column(String(12))
    asked_by: Mapped[int | None] = mapped_column(BigInteger)
    asked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    asked_digest: Mapped[str | None] = mapped_column(String(64))
    applied_by: Mapped[int | None] = mapped_column(BigInteger)
    applied_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

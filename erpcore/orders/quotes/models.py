"""Quotes and their lines: every revision is a document of its own."""

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
    String,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from erpcore.kernel.model import Base, Code, Key, Price, Quantity, Scaled, UtcDateTime, states


class QuoteState(StrEnum):
    """``waiting``: entered prices wait for another person. Only a sent quote binds us."""

    DRAFT = "draft"
    WAITING = "waiting"
    SENT = "sent"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"


class Quote(Base):
    """One revision of what we offer a customer. Prices hold from ``[valid_from, valid_until)`` in the site's days.

    ``journey_id`` is the id that its order will have, whichever revision is accepted: one journey, and at most one order.
    ``priced_by`` entered the prices last, ``asked_by`` sent it to be approved; neither approves it. ``asked_digest`` is of what it
    offered then. ``permission`` and ``level`` say who decides, as policy routed it.
    """

    __tablename__ = "quote"
    __table_args__ = (
        UniqueConstraint("journey_id", "revision"),
        states("state", QuoteState),
        CheckConstraint("valid_until > valid_from", name="validity"),
        CheckConstraint("revision > 0", name="counted_from_one"),
        Index("ix_quote_site", "site_id", "entered_at"),
        Index("ix_quote_customer", "customer_id", "entered_at"),
        Index(
            "ix_quote_sent", "valid_until",
            sqlite_where=text("state = 'sent'"), postgresql_where=text("state = 'sent'"),
        ),
        Index(
            "uq_quote_binding", "journey_id", unique=True,
            sqlite_where=text("state IN ('sent', 'accepted')"), postgresql_where=text("state IN ('sent', 'accepted')"),
        ),
        Index(
            "uq_quote_written", "journey_id", unique=True,
            sqlite_where=text("state IN ('draft', 'waiting')"), postgresql_where=text("state IN ('draft', 'waiting')"),
        ),
    )  # fmt: skip
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    journey_id: Mapped[int] = mapped_column(BigInteger)
    revision: Mapped[int] = mapped_column(Integer)
    number: Mapped[str] = mapped_column(Code, index=True)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    channel_id: Mapped[int] = mapped_column(ForeignKey("channel.id"))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    customer_reference: Mapped[str | None] = mapped_column(String(120))
    note: Mapped[str | None] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(12))
    currency: Mapped[str] = mapped_column(String(3))
    ship_country: Mapped[str] = mapped_column(String(64))
    requested_on: Mapped[date | None] = mapped_column(Date)
    valid_from: Mapped[date] = mapped_column(Date)
    valid_until: Mapped[date] = mapped_column(Date)
    value_minor: Mapped[int] = mapped_column(BigInteger)
    ruleset: Mapped[str] = mapped_column(ForeignKey("ruleset.hash"))
    variants: Mapped[str] = mapped_column(String(200))
    grant_id: Mapped[int | None] = mapped_column(BigInteger)
    source: Mapped[str] = mapped_column(String(16))
    entered_at: Mapped[datetime] = mapped_column(UtcDateTime)
    priced_by: Mapped[int] = mapped_column(BigInteger)
    asked_by: Mapped[int | None] = mapped_column(BigInteger)
    asked_digest: Mapped[str | None] = mapped_column(String(64))
    permission: Mapped[str | None] = mapped_column(String(64))
    level: Mapped[str | None] = mapped_column(String(16))
    lost_minor: Mapped[int] = mapped_column(BigInteger)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column(Integer)


class QuoteLine(Base):
    """One item of a quote at its price, with all that the price came from, as an order line keeps it.

    ``promised_on`` is the day we could promise when it was priced; only the order promises. ``is_rush``: offered before the lead
    time; ``is_rush_charge``: what that costs, added by the rule.
    """

    __tablename__ = "quote_line"
    __table_args__ = (
        UniqueConstraint("quote_id", "line_no"),
        CheckConstraint("quantity > 0", name="offers_something"),
        CheckConstraint("unit_price >= 0", name="price_not_negative"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    quote_id: Mapped[int] = mapped_column(ForeignKey("quote.id"))
    line_no: Mapped[int] = mapped_column(Integer)
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"))
    kind: Mapped[str] = mapped_column(String(12))
    quantity: Mapped[Decimal] = mapped_column(Quantity)
    unit_price: Mapped[Decimal] = mapped_column(Price)
    price_source: Mapped[str] = mapped_column(String(24))
    amount: Mapped[Decimal] = mapped_column(Price)
    value_minor: Mapped[int] = mapped_column(BigInteger)
    tax_rate: Mapped[Decimal | None] = mapped_column(Scaled(6))
    requested_on: Mapped[date | None] = mapped_column(Date)
    promised_on: Mapped[date] = mapped_column(Date)
    promise_reason: Mapped[str] = mapped_column(String(48))
    ruleset: Mapped[str | None] = mapped_column(String(64))
    price_rule_id: Mapped[int | None] = mapped_column(BigInteger)
    list_price: Mapped[Decimal | None] = mapped_column(Price)
    resolved_price: Mapped[Decimal | None] = mapped_column(Price)
    price_floor: Mapped[Decimal | None] = mapped_column(Price)
    unit_cost: Mapped[Decimal | None] = mapped_column(Price)
    price_losers: Mapped[str | None] = mapped_column(Text)
    price_reason: Mapped[str | None] = mapped_column(Text)
    is_rush: Mapped[bool] = mapped_column(Boolean, server_default=false())
    is_rush_charge: Mapped[bool] = mapped_column(Boolean, server_default=false())

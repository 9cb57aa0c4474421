"""Sales orders, their lines and holds."""

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
    false,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from erpcore.kernel.model import Base, Code, Key, Price, Quantity, Scaled, UtcDateTime, append_only, states


class OrderState(StrEnum):
    """May the order be fulfilled? How far it is, is said by the derived statuses."""

    CAPTURED = "captured"
    HELD = "held"
    RELEASED = "released"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class Progress(StrEnum):
    """How much of something has happened; *exception* waits for a person."""

    NONE = "none"
    PARTIAL = "partial"
    DONE = "done"
    EXCEPTION = "exception"


class LineKind(StrEnum):
    """``free``: goods at price zero. A charge or service has no stock; a drop-ship line leaves from the supplier."""

    STOCK = "stock"
    DROP_SHIP = "drop_ship"
    SERVICE = "service"
    CHARGE = "charge"
    FREE = "free"


class HoldKind(StrEnum):
    """What is doubtful. ``data`` is what master data says of the customer; ``export`` needs a licence or a check first."""

    CREDIT = "credit"
    PRICE = "price"
    DATA = "data"
    ADDRESS = "address"
    EXPORT = "export"
    DUPLICATE = "duplicate"
    SUBSTITUTION = "substitution"
    MANUAL = "manual"


class AmendmentState(StrEnum):
    """Staged changes were checked and wait; applied or withdrawn they are history."""

    STAGED = "staged"
    APPLIED = "applied"
    WITHDRAWN = "withdrawn"


class ChangeKind(StrEnum):
    """``split``: a part of a line becomes one of its own. ``date``: of the customer's wish where the customer asks, of our promise where we do."""

    ADD = "add"
    DROP = "drop"
    QUANTITY = "quantity"
    DATE = "date"
    ADDRESS = "address"
    SPLIT = "split"


class SalesOrder(Base):
    """One order of one customer at one site through one channel, with the rules it was promised under.

    ``value_minor``: of all that the customer ordered, whatever was cancelled or substituted of it since.
    ``ship_to_id``: the customer's address that the goods go to, ``None`` where none was known. ``duplicate_key``: a digest of what makes two orders the same, of those that people and programs enter.
    """

    __tablename__ = "sales_order"
    __table_args__ = (
        UniqueConstraint("entity_id", "number"),
        states("state", OrderState),
        states("delivery_status", Progress),
        states("billing_status", Progress),
        states("payment_status", Progress),
        Index("ix_sales_order_site", "site_id", "captured_at"),
        Index("ix_sales_order_customer", "customer_id", "captured_at"),
        Index("ix_sales_order_captured", "captured_at", "id"),
        Index("ix_sales_order_state", "state"),
        Index(
            "ix_sales_order_open", "site_id", "state",
            sqlite_where=text("state NOT IN ('closed', 'cancelled')"),
            postgresql_where=text("state NOT IN ('closed', 'cancelled')"),
        ),
        Index(
            "ix_sales_order_paper", "site_id", "captured_at",
            sqlite_where=text("source = 'back-entry'"), postgresql_where=text("source = 'back-entry'"),
        ),
        Index(
            "ix_sales_order_reference", "channel_id", "customer_reference",
            sqlite_where=text("customer_reference IS NOT NULL"), postgresql_where=text("customer_reference IS NOT NULL"),
        ),
        Index(
            "ix_sales_order_duplicate", "duplicate_key",
            sqlite_where=text("duplicate_key IS NOT NULL"), postgresql_where=text("duplicate_key IS NOT NULL"),
        ),
    )  # fmt: skip
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    channel_id: Mapped[int] = mapped_column(ForeignKey("channel.id"))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    number: Mapped[str] = mapped_column(Code)
    customer_reference: Mapped[str | None] = mapped_column(String(120))
    state: Mapped[str] = mapped_column(String(12))
    delivery_status: Mapped[str] = mapped_column(String(12))
    billing_status: Mapped[str] = mapped_column(String(12))
    payment_status: Mapped[str] = mapped_column(String(12))
    currency: Mapped[str] = mapped_column(String(3))
    ship_country: Mapped[str] = mapped_column(String(64))
    value_minor: Mapped[int] = mapped_column(BigInteger)
    captured_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ruleset: Mapped[str] = mapped_column(ForeignKey("ruleset.hash"))
    variants: Mapped[str] = mapped_column(String(200))
    grant_id: Mapped[int | None] = mapped_column(BigInteger)
    source: Mapped[str] = mapped_column(String(16))
    version: Mapped[int] = mapped_column(Integer)
    duplicate_key: Mapped[int | None] = mapped_column(BigInteger)
    ship_to_id: Mapped[int | None] = mapped_column(ForeignKey("customer_address.id"))


class OrderLine(Base):
    """One item of an order. ``quantity`` is what the customer ordered; only the customer changes it. ``site_id`` ships it.
    ``ship_to_id``: its own address; ``None``: the order's.

    ``amount`` is quantity × price at six places (or as the source stated it), ``value_minor`` the same rounded once.
    ``ruleset`` ``None``: the order's. The price keeps how it came about: the rule that won and the JSON of those that fitted and
    lost, the list price, what the rules gave, the floor of the margin and the cost at that time, and why it was overridden.
    ``replaces_id``: the line whose item this one is sent instead of.
    ``split_from_id``: the line that it was part of as the customer ordered it.
    ``is_rush``: asked to be served before the lead time of its commitment, which its committed day still says.
    ``extra``: what was picked beyond what was ordered, within the tolerance.
    ``source_reason``: why this site ships it (``None``: it is the one that sells). ``backordered_at``: when it first stayed short.
    """

    __tablename__ = "order_line"
    __table_args__ = (
        UniqueConstraint("order_id", "line_no"),
        states("kind", LineKind),
        states("basis", ("ship", "delivery")),
        CheckConstraint("quantity > 0", name="orders_something"),
        CheckConstraint("shipped + cancelled <= quantity + extra", name="not_over"),
        CheckConstraint(
            "allocated >= 0 AND picked >= 0 AND shipped >= 0 AND cancelled >= 0 AND extra >= 0", name="not_negative"
        ),
        CheckConstraint("invoiced <= shipped", name="invoiced_as_shipped"),
        CheckConstraint("returned <= shipped", name="returned_as_shipped"),
        Index("ix_order_line_item", "item_id", "order_id"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    order_id: Mapped[int] = mapped_column(ForeignKey("sales_order.id"))
    line_no: Mapped[int] = mapped_column(Integer)
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    kind: Mapped[str] = mapped_column(String(12))
    quantity: Mapped[Decimal] = mapped_column(Quantity)
    unit_price: Mapped[Decimal] = mapped_column(Price)
    price_source: Mapped[str] = mapped_column(String(24))
    amount: Mapped[Decimal] = mapped_column(Price)
    value_minor: Mapped[int] = mapped_column(BigInteger)
    tax_rate: Mapped[Decimal | None] = mapped_column(Scaled(6))
    requested_on: Mapped[date] = mapped_column(Date)
    requested_ship_on: Mapped[date] = mapped_column(Date)
    committed_on: Mapped[date] = mapped_column(Date)
    first_promised_on: Mapped[date] = mapped_column(Date)
    promised_on: Mapped[date] = mapped_column(Date)
    promised_due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    promise_reason: Mapped[str] = mapped_column(String(48))
    basis: Mapped[str] = mapped_column(String(8))
    allocated: Mapped[Decimal] = mapped_column(Quantity)
    picked: Mapped[Decimal] = mapped_column(Quantity)
    shipped: Mapped[Decimal] = mapped_column(Quantity)
    delivered: Mapped[Decimal] = mapped_column(Quantity)
    invoiced: Mapped[Decimal] = mapped_column(Quantity)
    cancelled: Mapped[Decimal] = mapped_column(Quantity)
    returned: Mapped[Decimal] = mapped_column(Quantity)
    early_days: Mapped[int] = mapped_column(SmallInteger)
    late_days: Mapped[int] = mapped_column(SmallInteger)
    ruleset: Mapped[str | None] = mapped_column(String(64))
    price_rule_id: Mapped[int | None] = mapped_column(BigInteger)
    list_price: Mapped[Decimal | None] = mapped_column(Price)
    resolved_price: Mapped[Decimal | None] = mapped_column(Price)
    price_floor: Mapped[Decimal | None] = mapped_column(Price)
    unit_cost: Mapped[Decimal | None] = mapped_column(Price)
    price_losers: Mapped[str | None] = mapped_column(Text)
    price_reason: Mapped[str | None] = mapped_column(Text)
    source_reason: Mapped[str | None] = mapped_column(String(48))
    replaces_id: Mapped[int | None] = mapped_column(BigInteger)
    backordered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ship_to_id: Mapped[int | None] = mapped_column(ForeignKey("customer_address.id"))
    extra: Mapped[Decimal] = mapped_column(Quantity, server_default=text("0"))
    is_rush: Mapped[bool] = mapped_column(Boolean, server_default=false())
    split_from_id: Mapped[int | None] = mapped_column(BigInteger)


class OrderHold(Base):
    """Why an order may not go on, since when, until when somebody must have looked, who may end it, and how it ended.

    ``asked_by`` is the person whose wish the hold stops (``None``: a job or an import); they never end it themselves.
    ``permission`` is what ending it takes, ``level`` from where on in the line of authority, as policy routed it. ``covers``:
    JSON of what the order was when it was let go by authority, which is all that was let go; ``None`` while open or cured.
    ``version`` rises with every change of what is held, so that nobody agrees to what they did not see.
    """

    __tablename__ = "order_hold"
    __table_args__ = (
        states("kind", HoldKind),
        Index(
            "uq_order_hold_open", "order_id", "kind", unique=True,
            sqlite_where=text("released_at IS NULL"), postgresql_where=text("released_at IS NULL"),
        ),
        Index(
            "ix_order_hold_due", "due_at",
            sqlite_where=text("released_at IS NULL"), postgresql_where=text("released_at IS NULL"),
        ),
    )  # fmt: skip
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    order_id: Mapped[int] = mapped_column(ForeignKey("sales_order.id"))
    kind: Mapped[str] = mapped_column(String(12))
    reason: Mapped[str] = mapped_column(Text)
    asked_by: Mapped[int | None] = mapped_column(BigInteger)
    permission: Mapped[str] = mapped_column(String(64))
    level: Mapped[str | None] = mapped_column(String(16))
    facts: Mapped[str] = mapped_column(Text)
    version: Mapped[int] = mapped_column(Integer, server_default=text("1"))
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    released_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    released_by: Mapped[int | None] = mapped_column(BigInteger)
    release_reason: Mapped[str | None] = mapped_column(Text)
    is_cured: Mapped[bool] = mapped_column(Boolean, default=False)
    covers: Mapped[str | None] = mapped_column(Text)


class OrderAmendment(Base):
    """Changes to one order that are made together. ``order_version``: the order they were checked against.

    ``foreseen``: JSON of what they would have done to values, promises, stock and credit at that moment.
    """

    __tablename__ = "order_amendment"
    __table_args__ = (
        UniqueConstraint("order_id", "number"),
        states("state", AmendmentState),
        Index(
            "uq_order_amendment_open", "order_id", unique=True,
            sqlite_where=text("state = 'staged'"), postgresql_where=text("state = 'staged'"),
        ),
    )  # fmt: skip
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    order_id: Mapped[int] = mapped_column(ForeignKey("sales_order.id"))
    number: Mapped[int] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(String(12))
    by_customer: Mapped[bool] = mapped_column(Boolean)
    reason: Mapped[str] = mapped_column(Text)
    order_version: Mapped[int] = mapped_column(Integer)
    foreseen: Mapped[str] = mapped_column(Text, server_default="{}")
    staged_at: Mapped[datetime] = mapped_column(UtcDateTime)
    staged_by: Mapped[int] = mapped_column(BigInteger)
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    settled_by: Mapped[int | None] = mapped_column(BigInteger)


class OrderAmendmentChange(Base):
    """One change of an amendment: JSON of what it changes, before and after. ``order_line_id`` ``None``: a line to be added."""

    __tablename__ = "order_amendment_change"
    __table_args__ = (states("kind", ChangeKind),)
    amendment_id: Mapped[int] = mapped_column(ForeignKey("order_amendment.id"), primary_key=True, autoincrement=False)
    no: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(12))
    order_line_id: Mapped[int | None] = mapped_column(ForeignKey("order_line.id"))
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"))
    before: Mapped[str] = mapped_column(Text)
    after: Mapped[str] = mapped_column(Text)


append_only(OrderAmendmentChange)

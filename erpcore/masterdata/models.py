"""Tables of master data. Rows belong to an entity, and the entity to one realm."""

from __future__ import annotations

from datetime import date, datetime, time
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
    Time,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from erpcore.kernel.model import Base, Code, Key, Name, Price, Quantity, UtcDateTime, append_only, states

#: Text that is compared by its bytes, so that a beginning is a range of the index on both databases.
Bytewise = String(40).with_variant(String(40, collation="C"), "postgresql")


class Realm(StrEnum):
    """Live business, practice before go-live, private training, or the events of the replaced system."""

    LIVE = "live"
    REHEARSAL = "rehearsal"
    TRAINING = "training"
    LEGACY = "legacy"


class SiteKind(StrEnum):
    DISTRIBUTION_CENTRE = "distribution_centre"
    BRANCH = "branch"
    STORE = "store"
    THIRD_PARTY = "third_party"
    DROP_SHIP = "drop_ship"


class ItemKind(StrEnum):
    """Stock moves through the warehouse; a charge (postage, fee, manual entry) has no stock."""

    STOCK = "stock"
    SERVICE = "service"
    CHARGE = "charge"


#: How much a customer weighs: key account, usual, small.
TIERS = (1, 2, 3)


class Tracking(StrEnum):
    """How closely the warehouse knows what it has of an item: the number of pieces, the lots, each piece."""

    NONE = "none"
    LOT = "lot"
    SERIAL = "serial"


class Entity(Base):
    """A legal entity. One that is not live names the live entity it stands for."""

    __tablename__ = "entity"
    __table_args__ = (
        UniqueConstraint("code"),
        states("realm", Realm),
        CheckConstraint("realm = 'live' OR twin_id IS NOT NULL", name="twin_named"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    code: Mapped[str] = mapped_column(Code)
    name: Mapped[str] = mapped_column(Name)
    realm: Mapped[str] = mapped_column(String(12))
    twin_id: Mapped[int | None] = mapped_column(ForeignKey("entity.id"))
    country: Mapped[str] = mapped_column(String(64))
    currency: Mapped[str] = mapped_column(String(3))
    time_zone: Mapped[str] = mapped_column(String(48))


class Site(Base):
    """A node that moves goods. The site of a rehearsal entity names the live site it stands for.

    ``opens_at`` and ``closes_at`` are the hours, Monday to Friday, that limits go by until a calendar was told.
    """

    __tablename__ = "site"
    __table_args__ = (UniqueConstraint("entity_id", "code"), states("kind", SiteKind))
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"), index=True)
    twin_id: Mapped[int | None] = mapped_column(ForeignKey("site.id"), index=True)
    code: Mapped[str] = mapped_column(Code)
    name: Mapped[str] = mapped_column(Name)
    kind: Mapped[str] = mapped_column(String(24))
    country: Mapped[str] = mapped_column(String(64))
    region: Mapped[str | None] = mapped_column(String(64))
    time_zone: Mapped[str] = mapped_column(String(48))
    opens_at: Mapped[time] = mapped_column(Time)
    closes_at: Mapped[time] = mapped_column(Time)


class SiteCalendar(Base):
    """When people work at a site from ``valid_from`` on, as it was told: see ``calendars.py``.

    ``week`` is JSON: seven of [opening, closing] in minutes after midnight or null; ``closed`` a JSON list of days.
    """

    __tablename__ = "site_calendar"
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"), primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    valid_from: Mapped[date] = mapped_column(Date)
    week: Mapped[str] = mapped_column(Text)
    closed: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(String(200))
    set_by: Mapped[int] = mapped_column(BigInteger)
    set_at: Mapped[datetime] = mapped_column(UtcDateTime)


append_only(SiteCalendar)


class Channel(Base):
    """A way customers buy; shared by all entities and realms. ``priority`` ranks it for scarce stock: 1 comes first."""

    __tablename__ = "channel"
    __table_args__ = (UniqueConstraint("code"), CheckConstraint("priority BETWEEN 1 AND 9", name="priority_range"))
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    code: Mapped[str] = mapped_column(Code)
    name: Mapped[str] = mapped_column(Name)
    priority: Mapped[int] = mapped_column(SmallInteger, server_default=text("5"))


class CustomerGroup(Base):
    """A segment of customers; shared by all entities and realms. What ranks a customer for scarce stock is its own tier."""

    __tablename__ = "customer_group"
    __table_args__ = (UniqueConstraint("code"),)
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    code: Mapped[str] = mapped_column(Code)
    name: Mapped[str] = mapped_column(Name)


class ItemGroup(Base):
    """A family of items; shared by all entities and realms."""

    __tablename__ = "item_group"
    __table_args__ = (UniqueConstraint("code"),)
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    code: Mapped[str] = mapped_column(Code)
    name: Mapped[str] = mapped_column(Name)


class Customer(Base):
    """Who buys. ``credit_limit_minor`` ``None``: no limit is checked. ``is_unknown``: the declared account for sales whose
    customer the source does not name. ``tier`` 1 is a key account, 2 the usual, 3 a small one.
    """

    __tablename__ = "customer"
    __table_args__ = (UniqueConstraint("entity_id", "code"),)
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"), index=True)
    group_id: Mapped[int | None] = mapped_column(ForeignKey("customer_group.id"))
    code: Mapped[str] = mapped_column(Code)
    name: Mapped[str] = mapped_column(Name)
    country: Mapped[str] = mapped_column(String(64))
    currency: Mapped[str] = mapped_column(String(3))
    tax_class: Mapped[str] = mapped_column(String(24))
    payment_days: Mapped[int] = mapped_column(SmallInteger)
    credit_limit_minor: Mapped[int | None] = mapped_column(BigInteger)
    is_blocked: Mapped[bool] = mapped_column(Boolean, default=False)
    is_unknown: Mapped[bool] = mapped_column(Boolean, default=False)
    tier: Mapped[int] = mapped_column(SmallInteger, server_default="2")


class Item(Base):
    """What is sold. ``standard_cost`` per unit in the entity's currency; ``None``: it moves at unknown cost and says so.

    ``order_multiple``: customers buy whole multiples of it; ``None``: any quantity the unit allows. ``searched_as``: the code and
    name by which it is found, and ``search_words`` how many words of them are kept.
    """

    __tablename__ = "item"
    __table_args__ = (
        UniqueConstraint("entity_id", "code"),
        states("kind", ItemKind),
        states("tracking", Tracking),
        CheckConstraint("order_multiple > 0", name="multiple_positive"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"), index=True)
    group_id: Mapped[int | None] = mapped_column(ForeignKey("item_group.id"))
    code: Mapped[str] = mapped_column(Code)
    name: Mapped[str] = mapped_column(Name)
    kind: Mapped[str] = mapped_column(String(12))
    unit: Mapped[str] = mapped_column(String(12))
    quantity_places: Mapped[int] = mapped_column(SmallInteger, default=0)
    standard_cost: Mapped[Decimal | None] = mapped_column(Price)
    tax_class: Mapped[str] = mapped_column(String(24))
    abc: Mapped[str | None] = mapped_column(String(1))
    replenishment_days: Mapped[int] = mapped_column(SmallInteger, default=7)
    is_blocked: Mapped[bool] = mapped_column(Boolean, default=False)
    tracking: Mapped[str] = mapped_column(String(8), default=Tracking.NONE, server_default=Tracking.NONE)
    order_multiple: Mapped[Decimal | None] = mapped_column(Quantity)
    searched_as: Mapped[str] = mapped_column(Text, default="", server_default="")
    search_words: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")


class ItemCounterpart(Base):
    """The same goods as an item of another company; there is a row for each way."""

    __tablename__ = "item_counterpart"
    __table_args__ = (
        UniqueConstraint("counterpart_id", "item_id"),
        CheckConstraint("item_id <> counterpart_id", name="two_items"),
    )
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"), primary_key=True)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"), primary_key=True)
    counterpart_id: Mapped[int] = mapped_column(ForeignKey("item.id"))


class ItemWord(Base):
    """A word of an item's code or name, or the end of one: what people type begins one of them. In the order of bytes."""

    __tablename__ = "item_word"
    __table_args__ = (Index("ix_item_word_item", "item_id"), {"sqlite_with_rowid": False})
    entity_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    word: Mapped[str] = mapped_column(Bytewise, primary_key=True)
    item_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)


class ItemUnit(Base):
    """A pack of an item: so many of its own units, exactly (``numerator`` ÷ ``denominator``). ``barcode``: on the pack."""

    __tablename__ = "item_unit"
    __table_args__ = (
        UniqueConstraint("item_id", "code"),
        Index("ix_item_unit_barcode", "barcode"),
        CheckConstraint("numerator > 0 AND denominator > 0", name="positive"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"))
    code: Mapped[str] = mapped_column(String(12))
    name: Mapped[str] = mapped_column(Name)
    numerator: Mapped[int] = mapped_column(BigInteger)
    denominator: Mapped[int] = mapped_column(BigInteger)
    barcode: Mapped[str | None] = mapped_column(Code)


class ServiceCommitment(Base):
    """What customers are promised at a site in a channel: lead time in days, cut-off, the window that counts as on time.

    ``basis`` says whether the committed day is a ship or a delivery day. ``weekdays``: the days on which that may be, Monday
    being 1, Tuesday 2, Wednesday 4 and so on, added up; ``None``: any day. ``fill_target_permille``: the share of what was
    ordered that is to be met in time. No row: order day itself, no window.
    """

    __tablename__ = "service_commitment"
    __table_args__ = (
        Index("ix_service_commitment_cell", "site_id", "channel_id", "valid_from"),
        states("basis", ("ship", "delivery")),
        CheckConstraint("weekdays BETWEEN 1 AND 127", name="weekdays_range"),
        CheckConstraint("fill_target_permille BETWEEN 1 AND 1000", name="fill_target_range"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    channel_id: Mapped[int] = mapped_column(ForeignKey("channel.id"))
    customer_group_id: Mapped[int | None] = mapped_column(ForeignKey("customer_group.id"))
    basis: Mapped[str] = mapped_column(String(8))
    lead_days: Mapped[int] = mapped_column(SmallInteger)
    transit_days: Mapped[int] = mapped_column(SmallInteger, default=0)
    cut_off: Mapped[time | None] = mapped_column(Time)
    early_days: Mapped[int] = mapped_column(SmallInteger, default=0)
    late_days: Mapped[int] = mapped_column(SmallInteger, default=0)
    valid_from: Mapped[date] = mapped_column(Date)
    valid_until: Mapped[date | None] = mapped_column(Date)
    weekdays: Mapped[int | None] = mapped_column(SmallInteger)
    fill_target_permille: Mapped[int | None] = mapped_column(SmallInteger)


class SourcingLane(Base):
    """What it takes to serve a country from a site: days on the way and the cost of a line. ``*``: every country.

    Where sourcing looks for the nearest or cheapest site, one without a lane comes after all that have one.
    """

    __tablename__ = "sourcing_lane"
    __table_args__ = (
        UniqueConstraint("site_id", "country"),
        CheckConstraint("transit_days >= 0 AND cost_minor >= 0", name="not_negative"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    country: Mapped[str] = mapped_column(String(64))
    transit_days: Mapped[int] = mapped_column(SmallInteger)
    cost_minor: Mapped[int] = mapped_column(BigInteger)


class ChargeLeaves(StrEnum):
    """When a charge or service of an order leaves, and is invoiced with what leaves: with the first goods, once the last of them
    go, or by itself once somebody says that it is done.
    """

    FIRST_GOODS = "first_goods"
    LAST_GOODS = "last_goods"
    BY_ITSELF = "by_itself"


class ChargeTerms(Base):
    """How an item that is a charge or service leaves; without a row: with the first goods. ``is_rush``: what a rush costs there."""

    __tablename__ = "charge_terms"
    __table_args__ = (
        states("leaves", ChargeLeaves),
        Index(
            "uq_charge_terms_rush", "entity_id", unique=True, sqlite_where=text("is_rush"), postgresql_where=text("is_rush")
        ),
    )  # fmt: skip
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"), primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    leaves: Mapped[str] = mapped_column(String(12))
    is_rush: Mapped[bool] = mapped_column(Boolean)


class ItemSubstitute(Base):
    """An item that may be sent instead of another one that is short, of the same group. Lower ``rank`` is offered first."""

    __tablename__ = "item_substitute"
    __table_args__ = (CheckConstraint("item_id <> substitute_id", name="two_items"),)
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"), primary_key=True, autoincrement=False)
    substitute_id: Mapped[int] = mapped_column(ForeignKey("item.id"), primary_key=True, autoincrement=False)
    rank: Mapped[int] = mapped_column(SmallInteger)


class StoredRuleset(Base):
    """A document's resolved policy values, once per content. ``origins``: the approved value that set a point, by its id."""

    __tablename__ = "ruleset"
    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    catalogue_version: Mapped[int] = mapped_column(Integer)
    content: Mapped[str] = mapped_column(Text)
    variants: Mapped[str] = mapped_column(String(200))
    origins: Mapped[str] = mapped_column(Text, server_default="{}")
    first_used_at: Mapped[datetime] = mapped_column(UtcDateTime)


append_only(StoredRuleset)


class Supplier(Base):
    """Whom we buy from. ``lead_days``: from the order to the goods, where an item says nothing else.

    ``ships_direct``: also straight to our customers. ``site_id``: the drop-ship site that stands for its works, if there is one.
    """

    __tablename__ = "supplier"
    __table_args__ = (
        UniqueConstraint("entity_id", "code"),
        CheckConstraint("lead_days >= 0", name="lead_not_negative"),
        Index("ix_supplier_site", "site_id"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    code: Mapped[str] = mapped_column(Code)
    name: Mapped[str] = mapped_column(Name)
    country: Mapped[str] = mapped_column(String(64))
    lead_days: Mapped[int] = mapped_column(SmallInteger)
    ships_direct: Mapped[bool] = mapped_column(Boolean, default=False)
    site_id: Mapped[int | None] = mapped_column(ForeignKey("site.id"))
    is_blocked: Mapped[bool] = mapped_column(Boolean, default=False)


class SupplierItem(Base):
    """What a supplier sells us of an item and for how much, in the entity's currency. Lower ``rank`` is asked first."""

    __tablename__ = "supplier_item"
    __table_args__ = (
        CheckConstraint("price > 0", name="price_positive"),
        CheckConstraint("lead_days >= 0", name="lead_not_negative"),
        CheckConstraint("rank BETWEEN 1 AND 99", name="rank_range"),
        Index("ix_supplier_item_item", "item_id", "rank"),
    )
    supplier_id: Mapped[int] = mapped_column(ForeignKey("supplier.id"), primary_key=True, autoincrement=False)
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"), primary_key=True, autoincrement=False)
    price: Mapped[Decimal] = mapped_column(Price)
    lead_days: Mapped[int | None] = mapped_column(SmallInteger)
    supplier_code: Mapped[str | None] = mapped_column(Code)
    rank: Mapped[int] = mapped_column(SmallInteger)

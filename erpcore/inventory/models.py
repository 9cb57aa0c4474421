"""Stock: append-only moves, one balance row per site and item, where it lies and of which lot, what is held for whom."""

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

from erpcore.inventory.cost_kinds import CostMethod
from erpcore.kernel.model import Base, Code, Key, Name, Price, Quantity, UtcDateTime, append_only, states


class MoveReason(StrEnum):
    """Why stock came, left or changed. ``PLACEMENT`` and ``STATUS`` are pairs that sum to zero and post nothing."""

    OPENING = "opening"
    RECEIPT = "receipt"
    ISSUE = "issue"
    RETURN = "return"
    ADJUSTMENT = "adjustment"
    REVERSAL = "reversal"
    COUNT = "count"
    TRANSFER = "transfer"
    PLACEMENT = "placement"
    STATUS = "status"


class StockStatus(StrEnum):
    """May it be promised? Only what is available. ``RECEIVED`` waits to be put away."""

    AVAILABLE = "available"
    RECEIVED = "received"
    QUARANTINE = "quarantine"
    DAMAGED = "damaged"
    IN_TRANSIT = "in_transit"


class LocationKind(StrEnum):
    """Storage is picked from; receiving is where goods wait to be put away; quarantine and dispatch are neither."""

    STORAGE = "storage"
    RECEIVING = "receiving"
    QUARANTINE = "quarantine"
    DISPATCH = "dispatch"


class Zone(Base):
    """A part of a site that people work in."""

    __tablename__ = "zone"
    __table_args__ = (UniqueConstraint("site_id", "code"),)
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    code: Mapped[str] = mapped_column(Code)
    name: Mapped[str] = mapped_column(Name)


class Location(Base):
    """A place with a label one can scan. ``walk`` orders a site's locations along the way people go.

    A site needs none: what has no location lies at the site's default place.
    """

    __tablename__ = "location"
    __table_args__ = (UniqueConstraint("site_id", "code"), states("kind", LocationKind))
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    zone_id: Mapped[int | None] = mapped_column(ForeignKey("zone.id"))
    code: Mapped[str] = mapped_column(Code)
    kind: Mapped[str] = mapped_column(String(12))
    walk: Mapped[int] = mapped_column(Integer)
    is_blocked: Mapped[bool] = mapped_column(Boolean, default=False)


class Lot(Base):
    """Goods of one item that were made or came together. A serial number is a lot of one piece (``is_serial``)."""

    __tablename__ = "lot"
    __table_args__ = (UniqueConstraint("item_id", "code"),)
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"))
    code: Mapped[str] = mapped_column(Code)
    is_serial: Mapped[bool] = mapped_column(Boolean)
    expires_on: Mapped[date | None] = mapped_column(Date)
    first_seen_at: Mapped[datetime] = mapped_column(UtcDateTime)


class StockMove(Base):
    """One movement: in when positive, out when negative. No ``unit_cost``: it moved at unknown cost and posted nothing.

    ``location_id`` ``None``: at the site's default place.
    """

    __tablename__ = "stock_move"
    __table_args__ = (
        CheckConstraint("quantity <> 0", name="moves_something"),
        states("reason", MoveReason),
        Index("ix_stock_move_item", "item_id", "site_id", "moved_at"),
        states("status", StockStatus),
        Index("ix_stock_move_document", "document_id"),
        Index(
            "ix_stock_move_lot", "lot_id",
            sqlite_where=text("lot_id IS NOT NULL"), postgresql_where=text("lot_id IS NOT NULL"),
        ),
    )  # fmt: skip
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"))
    quantity: Mapped[Decimal] = mapped_column(Quantity)
    unit_cost: Mapped[Decimal | None] = mapped_column(Price)
    value_minor: Mapped[int | None] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(String(12))
    note: Mapped[str | None] = mapped_column(Text)
    document_type: Mapped[str] = mapped_column(String(24))
    document_id: Mapped[int] = mapped_column(BigInteger)
    moved_at: Mapped[datetime] = mapped_column(UtcDateTime)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    location_id: Mapped[int | None] = mapped_column(ForeignKey("location.id"))
    lot_id: Mapped[int | None] = mapped_column(ForeignKey("lot.id"))
    status: Mapped[str] = mapped_column(String(12), server_default=StockStatus.AVAILABLE)


append_only(StockMove)


class StockBalance(Base):
    """What a site has of an item and how much of it is promised: the scarce figures, locked when they get scarcer.

    ``blocked`` may not be promised (quarantine, damaged, not put away, in transit here). ``placed`` lies in bins of its own
    (blocked included); the rest, available and of no lot, at the default place, which needs no row. ``frozen``: so many counts
    under way that let nothing move meanwhile. ``value_minor`` is the sum of the valued moves; ``unvalued`` the quantity that
    moved at unknown cost. ``method``: how the site values it, here so that whoever locks the row knows it.
    """

    __tablename__ = "stock_balance"
    __table_args__ = (
        states("method", CostMethod),
        CheckConstraint("method = 'standard' OR unvalued = 0", name="cost_known"),
        CheckConstraint("on_hand >= 0", name="not_negative"),
        CheckConstraint("reserved >= 0 AND blocked >= 0 AND reserved + blocked <= on_hand", name="not_oversold"),
        CheckConstraint("placed >= blocked AND placed <= on_hand", name="placed_adds_up"),
        CheckConstraint("frozen >= 0", name="frozen_counted"),
    )
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"), primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"), primary_key=True)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    on_hand: Mapped[Decimal] = mapped_column(Quantity)
    reserved: Mapped[Decimal] = mapped_column(Quantity)
    value_minor: Mapped[int] = mapped_column(BigInteger)
    unvalued: Mapped[Decimal] = mapped_column(Quantity)
    blocked: Mapped[Decimal] = mapped_column(Quantity, server_default=text("0"))
    placed: Mapped[Decimal] = mapped_column(Quantity, server_default=text("0"))
    frozen: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    method: Mapped[str] = mapped_column(String(8), server_default=CostMethod.STANDARD)


class StockBin(Base):
    """What lies at one location, of one lot, in one status: the sum of the moves with the same keys.

    What is available at the default place and of no lot has no bin: it is the balance less what is placed. ``since``: when
    it was last filled from empty. ``slot`` spells location, lot and status, so that each is there once.
    """

    __tablename__ = "stock_bin"
    __table_args__ = (
        CheckConstraint("quantity >= 0", name="not_negative"),
        CheckConstraint("NOT is_serial OR quantity IN (0, 1000)", name="serial_once"),
        CheckConstraint("location_id IS NOT NULL OR lot_id IS NOT NULL OR status <> 'available'", name="explicit"),
        states("status", StockStatus),
        UniqueConstraint("site_id", "item_id", "slot"),
        Index(
            "uq_stock_bin_serial", "lot_id", unique=True,
            sqlite_where=text("is_serial AND quantity > 0"), postgresql_where=text("is_serial AND quantity > 0"),
        ),
        Index("ix_stock_bin_location", "location_id"),
        Index("ix_stock_bin_lot", "lot_id"),
    )  # fmt: skip
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"))
    location_id: Mapped[int | None] = mapped_column(ForeignKey("location.id"))
    lot_id: Mapped[int | None] = mapped_column(ForeignKey("lot.id"))
    is_serial: Mapped[bool] = mapped_column(Boolean)
    status: Mapped[str] = mapped_column(String(12))
    slot: Mapped[str] = mapped_column(String(56))
    quantity: Mapped[Decimal] = mapped_column(Quantity)
    since: Mapped[datetime] = mapped_column(UtcDateTime)


class BinHold(Base):
    """What a pick takes from one place and lot, so that no other takes it. Open is quantity − used − freed.

    ``picked`` has left the place though it has not left the site: a count there will not find it.
    """

    __tablename__ = "bin_hold"
    __table_args__ = (
        CheckConstraint("quantity > 0 AND used >= 0 AND freed >= 0 AND used + freed <= quantity", name="adds_up"),
        CheckConstraint("picked >= used AND picked <= quantity - freed", name="picked_fits"),
        Index("ix_bin_hold_line", "order_line_id"),
        Index(
            "ix_bin_hold_open", "site_id", "item_id",
            sqlite_where=text("quantity > used + freed"), postgresql_where=text("used + freed < quantity"),
        ),
    )  # fmt: skip
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"))
    location_id: Mapped[int | None] = mapped_column(ForeignKey("location.id"))
    lot_id: Mapped[int | None] = mapped_column(ForeignKey("lot.id"))
    order_line_id: Mapped[int] = mapped_column(BigInteger)
    quantity: Mapped[Decimal] = mapped_column(Quantity)
    picked: Mapped[Decimal] = mapped_column(Quantity)
    used: Mapped[Decimal] = mapped_column(Quantity)
    freed: Mapped[Decimal] = mapped_column(Quantity)
    held_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Reservation(Base):
    """Stock promised to one order line. What is open of it is quantity − consumed − freed.

    One row of a line that waits has no quantity: it carries what is not met, since when, and from what it is promised for
    which day (``receipt_id``: the expected receipt). It keeps the line's place among those who wait.
    """

    __tablename__ = "reservation"
    __table_args__ = (
        CheckConstraint("quantity >= 0 AND consumed >= 0 AND freed >= 0 AND consumed + freed <= quantity", name="adds_up"),
        CheckConstraint("unmet >= 0 AND (quantity = 0 OR unmet = 0)", name="holds_or_waits"),
        CheckConstraint("quantity > 0 OR (since IS NOT NULL AND promised_on IS NOT NULL)", name="waits_since"),
        Index(
            "uq_reservation_waiting", "order_line_id", unique=True,
            sqlite_where=text("quantity = 0"), postgresql_where=text("quantity = 0"),
        ),
        Index(
            "ix_reservation_unmet", "site_id", "item_id",
            sqlite_where=text("unmet > 0"), postgresql_where=text("unmet > 0"),
        ),
        Index("ix_reservation_line", "order_line_id"),
        Index(
            "ix_reservation_open", "site_id", "item_id",
            # SQLite turns comparisons so that the column stands first, and knows its index by the very same words.
            sqlite_where=text("quantity > consumed + freed"), postgresql_where=text("consumed + freed < quantity"),
        ),
    )  # fmt: skip
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    order_line_id: Mapped[int] = mapped_column(BigInteger)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"))
    quantity: Mapped[Decimal] = mapped_column(Quantity)
    consumed: Mapped[Decimal] = mapped_column(Quantity)
    freed: Mapped[Decimal] = mapped_column(Quantity)
    reserved_at: Mapped[datetime] = mapped_column(UtcDateTime)
    unmet: Mapped[Decimal] = mapped_column(Quantity, server_default=text("0"))
    since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    promised_on: Mapped[date | None] = mapped_column(Date)
    receipt_id: Mapped[int | None] = mapped_column(BigInteger)

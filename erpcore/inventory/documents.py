"""Papers of the warehouse: what is expected, goods receipts, transfers, adjustments that wait for approval."""

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
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from erpcore.inventory.models import StockStatus
from erpcore.kernel.model import Base, Code, Key, Name, Quantity, UtcDateTime, append_only, states


class ReceiptSource(StrEnum):
    """Why goods are expected."""

    PURCHASE_ORDER = "purchase_order"
    TRANSFER = "transfer"
    TYPED = "typed"


class ExpectedReceipt(Base):
    """Goods that should come. Open is quantity − received − cancelled, never below nil.

    ``document_id``: the purchase order or transfer (its line in ``line_id``). Goods in transit are expected like any others:
    this table is the only dated view of what comes.
    """

    __tablename__ = "expected_receipt"
    __table_args__ = (
        CheckConstraint("quantity > 0 AND received >= 0 AND cancelled >= 0 AND cancelled <= quantity", name="adds_up"),
        states("source", ReceiptSource),
        Index("ix_expected_receipt_document", "document_id"),
        Index(
            "ix_expected_receipt_open", "site_id", "item_id", "expected_on",
            sqlite_where=text("quantity > received + cancelled"), postgresql_where=text("received + cancelled < quantity"),
        ),
    )  # fmt: skip
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"))
    quantity: Mapped[Decimal] = mapped_column(Quantity)
    received: Mapped[Decimal] = mapped_column(Quantity)
    cancelled: Mapped[Decimal] = mapped_column(Quantity)
    expected_on: Mapped[date] = mapped_column(Date)
    source: Mapped[str] = mapped_column(String(16))
    document_id: Mapped[int | None] = mapped_column(BigInteger)
    line_id: Mapped[int | None] = mapped_column(BigInteger)
    number: Mapped[str] = mapped_column(Code)
    supplier: Mapped[str | None] = mapped_column(Name)
    version: Mapped[int] = mapped_column(Integer)
    entered_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Discrepancy(StrEnum):
    """How what came differs from what was expected."""

    NONE = "none"
    SHORT = "short"
    OVER = "over"
    OTHER_ITEM = "other_item"
    DAMAGED = "damaged"


class GoodsReceipt(Base):
    """Goods that came with one paper of the supplier."""

    __tablename__ = "goods_receipt"
    __table_args__ = (Index("ix_goods_receipt_site", "site_id", "received_at"),)
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    number: Mapped[str] = mapped_column(Code)
    paper: Mapped[str] = mapped_column(Name)
    supplier: Mapped[str | None] = mapped_column(Name)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    received_by: Mapped[int] = mapped_column(BigInteger)


class GoodsReceiptLine(Base):
    """One item (and lot) of a goods receipt, and how it differs from what was expected."""

    __tablename__ = "goods_receipt_line"
    __table_args__ = (
        states("discrepancy", Discrepancy),
        Index("ix_goods_receipt_line_expected", "expected_receipt_id"),
    )
    receipt_id: Mapped[int] = mapped_column(ForeignKey("goods_receipt.id"), primary_key=True)
    line_no: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    expected_receipt_id: Mapped[int | None] = mapped_column(ForeignKey("expected_receipt.id"))
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"))
    lot_id: Mapped[int | None] = mapped_column(ForeignKey("lot.id"))
    quantity: Mapped[Decimal] = mapped_column(Quantity)
    damaged: Mapped[Decimal] = mapped_column(Quantity)
    discrepancy: Mapped[str] = mapped_column(String(12))
    difference: Mapped[Decimal] = mapped_column(Quantity)
    reason: Mapped[str | None] = mapped_column(Text)


append_only(GoodsReceipt, GoodsReceiptLine)


class StockArrival(Base):
    """Sound goods that came at one time and wait to be put away, or waited: one row for each item, lot and place of an arrival.

    Waiting is quantity − put_away. ``arrival_id``: the goods receipt, or an id of its own for each time that goods of a
    transfer came; what came together is one document of the control point. ``slot`` is spelled as the bin spells it.
    ``value_minor`` is what all of it was worth when it came; ``None`` at unknown cost.
    """

    __tablename__ = "stock_arrival"
    __table_args__ = (
        CheckConstraint("put_away >= 0 AND put_away <= quantity", name="adds_up"),
        Index("ix_stock_arrival_arrival", "arrival_id"),
        Index(
            "ix_stock_arrival_waiting", "site_id", "item_id", "slot", "arrived_at",
            sqlite_where=text("put_away < quantity"), postgresql_where=text("put_away < quantity"),
        ),
    )  # fmt: skip
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    arrival_id: Mapped[int] = mapped_column(BigInteger)
    document_type: Mapped[str] = mapped_column(String(24))
    document_id: Mapped[int] = mapped_column(BigInteger)
    number: Mapped[str] = mapped_column(Code)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"))
    slot: Mapped[str] = mapped_column(String(56))
    quantity: Mapped[Decimal] = mapped_column(Quantity)
    put_away: Mapped[Decimal] = mapped_column(Quantity)
    value_minor: Mapped[int | None] = mapped_column(BigInteger)
    arrived_at: Mapped[datetime] = mapped_column(UtcDateTime)


class TransferState(StrEnum):
    """Shipped: on its way, or something of it unresolved. Settled: every piece received, lost or found."""

    SHIPPED = "shipped"
    SETTLED = "settled"


class StockTransfer(Base):
    """Goods on their way from one site of an entity to another."""

    __tablename__ = "stock_transfer"
    __table_args__ = (
        states("state", TransferState),
        CheckConstraint("from_site_id <> site_id", name="two_sites"),
        Index("ix_stock_transfer_site", "site_id", "state"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    from_site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    number: Mapped[str] = mapped_column(Code)
    state: Mapped[str] = mapped_column(String(12))
    shipped_at: Mapped[datetime] = mapped_column(UtcDateTime)
    arrives_on: Mapped[date] = mapped_column(Date)
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    order_id: Mapped[int | None] = mapped_column(BigInteger)
    note: Mapped[str | None] = mapped_column(Text)
    version: Mapped[int] = mapped_column(Integer)


class StockTransferLine(Base):
    """One item and lot of a transfer. In transit is quantity − received − lost."""

    __tablename__ = "stock_transfer_line"
    __table_args__ = (
        CheckConstraint("quantity > 0 AND received >= 0 AND lost >= 0 AND received + lost <= quantity", name="adds_up"),
        Index("ix_stock_transfer_line_transfer", "transfer_id"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    transfer_id: Mapped[int] = mapped_column(ForeignKey("stock_transfer.id"))
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"))
    lot_id: Mapped[int | None] = mapped_column(ForeignKey("lot.id"))
    quantity: Mapped[Decimal] = mapped_column(Quantity)
    received: Mapped[Decimal] = mapped_column(Quantity)
    lost: Mapped[Decimal] = mapped_column(Quantity)


class AdjustmentState(StrEnum):
    """Above the limit an adjustment is proposed, and somebody else decides."""

    PROPOSED = "proposed"
    BOOKED = "booked"
    REJECTED = "rejected"


class StockAdjustment(Base):
    """A correction of the book with its reason code; ``value_minor`` ``None``: nobody knows what it is worth.

    ``transfer_line_id``: what of that line of a transfer is given up as lost on its way.
    """

    __tablename__ = "stock_adjustment"
    __table_args__ = (
        states("state", AdjustmentState),
        states("status", StockStatus),
        CheckConstraint("quantity <> 0", name="adjusts_something"),
        Index("ix_stock_adjustment_site", "site_id", "state"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"))
    location_id: Mapped[int | None] = mapped_column(ForeignKey("location.id"))
    lot_id: Mapped[int | None] = mapped_column(ForeignKey("lot.id"))
    status: Mapped[str] = mapped_column(String(12), server_default=StockStatus.AVAILABLE)
    transfer_line_id: Mapped[int | None] = mapped_column(ForeignKey("stock_transfer_line.id"))
    quantity: Mapped[Decimal] = mapped_column(Quantity)
    value_minor: Mapped[int | None] = mapped_column(BigInteger)
    reason_code: Mapped[str] = mapped_column(String(16))
    note: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(12))
    asked_by: Mapped[int] = mapped_column(BigInteger)
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    decided_by: Mapped[int | None] = mapped_column(BigInteger)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decision_note: Mapped[str | None] = mapped_column(Text)
    move_id: Mapped[int | None] = mapped_column(ForeignKey("stock_move.id"))
    version: Mapped[int] = mapped_column(Integer)


class CountState(StrEnum):
    """Who does the next step: a counter, another counter, an approver, nobody."""

    OPEN = "open"
    COUNTING = "counting"
    RECOUNT = "recount"
    RECOUNTING = "recounting"
    PROPOSED = "proposed"
    DONE = "done"
    CANCELLED = "cancelled"


class CountCadence(Base):
    """How often items of a class are counted at a site; class ``-`` is for items without one."""

    __tablename__ = "count_cadence"
    __table_args__ = (CheckConstraint("days > 0", name="some_days"),)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"), primary_key=True)
    abc: Mapped[str] = mapped_column(String(1), primary_key=True)
    days: Mapped[int] = mapped_column(SmallInteger)


class CountTask(Base):
    """One blind count of one item at one place (and lot): first count, recount by somebody else, decision.

    ``book`` and ``recount_book`` are what should have lain there at the instant of each count; ``opening_book`` what did when
    counting began, so that a move in between is noticed.
    """

    __tablename__ = "count_task"
    __table_args__ = (
        states("state", CountState),
        Index("ix_count_task_state", "site_id", "state", "due_on"),
        Index(
            "uq_count_task_open", "site_id", "item_id", "slot", unique=True,
            sqlite_where=text("state NOT IN ('done', 'cancelled')"),
            postgresql_where=text("state NOT IN ('done', 'cancelled')"),
        ),
    )  # fmt: skip
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"))
    location_id: Mapped[int | None] = mapped_column(ForeignKey("location.id"))
    lot_id: Mapped[int | None] = mapped_column(ForeignKey("lot.id"))
    slot: Mapped[str] = mapped_column(String(56))
    state: Mapped[str] = mapped_column(String(12))
    why: Mapped[str] = mapped_column(String(16))
    due_on: Mapped[date] = mapped_column(Date)
    ruleset: Mapped[str | None] = mapped_column(ForeignKey("ruleset.hash"))
    is_frozen: Mapped[bool] = mapped_column(Boolean, default=False)
    opening_book: Mapped[Decimal | None] = mapped_column(Quantity)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    started_by: Mapped[int | None] = mapped_column(BigInteger)
    book: Mapped[Decimal | None] = mapped_column(Quantity)
    counted: Mapped[Decimal | None] = mapped_column(Quantity)
    counted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    counted_by: Mapped[int | None] = mapped_column(BigInteger)
    recount_book: Mapped[Decimal | None] = mapped_column(Quantity)
    recounted: Mapped[Decimal | None] = mapped_column(Quantity)
    recounted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    recounted_by: Mapped[int | None] = mapped_column(BigInteger)
    difference: Mapped[Decimal | None] = mapped_column(Quantity)
    value_minor: Mapped[int | None] = mapped_column(BigInteger)
    decided_by: Mapped[int | None] = mapped_column(BigInteger)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    note: Mapped[str | None] = mapped_column(Text)
    version: Mapped[int] = mapped_column(Integer)

"""Warehouse tasks with their lines, and pick waves."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from erpcore.kernel.model import Base, Code, Key, Quantity, UtcDateTime, states


class TaskKind(StrEnum):
    PICK = "pick"
    PACK = "pack"
    PUT_AWAY = "put_away"
    COUNT = "count"
    MOVE = "move"


class TaskState(StrEnum):
    """Waiting: its pick wave is not released, or is interrupted."""

    WAITING = "waiting"
    OPEN = "open"
    CLAIMED = "claimed"
    STARTED = "started"
    DONE = "done"
    CANCELLED = "cancelled"


class WaveState(StrEnum):
    PLANNED = "planned"
    RELEASED = "released"
    INTERRUPTED = "interrupted"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class PickMethod(StrEnum):
    """One order at a time · several orders on one round, each into its own tote · one round per zone."""

    ORDER = "order"
    BATCH = "batch"
    ZONE = "zone"


_OPEN_TASK = "state NOT IN ('done', 'cancelled')"


class PickWave(Base):
    """Orders picked together for one collection of a carrier. ``capacity`` is the most lines it takes."""

    __tablename__ = "pick_wave"
    __table_args__ = (
        UniqueConstraint("entity_id", "number"),
        states("state", WaveState),
        states("method", PickMethod),
        Index("ix_pick_wave_site", "site_id", "state"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    number: Mapped[str] = mapped_column(Code)
    state: Mapped[str] = mapped_column(String(12))
    method: Mapped[str] = mapped_column(String(8))
    service_id: Mapped[int | None] = mapped_column(ForeignKey("carrier_service.id"))
    zone: Mapped[str | None] = mapped_column(String(24))
    cut_off_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    capacity: Mapped[int] = mapped_column(Integer)
    planned_at: Mapped[datetime] = mapped_column(UtcDateTime)
    released_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    completed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    interrupt_reason: Mapped[str | None] = mapped_column(String(200))
    version: Mapped[int] = mapped_column(Integer)


class WarehouseTask(Base):
    """One round of work for one person. The lower ``priority`` goes first, then the earlier ``due_at``.

    ``claimed_until``: without a sign of life until then, somebody else may take it over with what was done of it.
    ``document_type`` and ``document_id`` say what a task is about that is no pick: the shipment to pack, the count, the receipt.
    """

    __tablename__ = "warehouse_task"
    __table_args__ = (
        states("kind", TaskKind),
        states("state", TaskState),
        CheckConstraint("priority BETWEEN 1 AND 9", name="priority_range"),
        CheckConstraint("(state IN ('claimed', 'started')) = (claimed_until IS NOT NULL)", name="claim_has_an_end"),
        Index("ix_warehouse_task_open", "site_id", "kind", "priority", "due_at",
              sqlite_where=text(_OPEN_TASK), postgresql_where=text(_OPEN_TASK)),
        Index("ix_warehouse_task_owner", "owner_id", sqlite_where=text(_OPEN_TASK), postgresql_where=text(_OPEN_TASK)),
        Index("ix_warehouse_task_wave", "wave_id"),
        Index("ix_warehouse_task_document", "document_type", "document_id"),
    )  # fmt: skip
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    kind: Mapped[str] = mapped_column(String(12))
    state: Mapped[str] = mapped_column(String(12))
    priority: Mapped[int] = mapped_column(SmallInteger)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    wave_id: Mapped[int | None] = mapped_column(ForeignKey("pick_wave.id"))
    zone: Mapped[str | None] = mapped_column(String(24))
    document_type: Mapped[str | None] = mapped_column(String(32))
    document_id: Mapped[int | None] = mapped_column(BigInteger)
    owner_id: Mapped[int | None] = mapped_column(BigInteger)
    device: Mapped[str | None] = mapped_column(String(80))
    claimed_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column(Integer)


class TaskLine(Base):
    """So much of an order line to be fetched, from where, into which tote, and what came of it.

    What was picked counts once the task is finished: then ``shipment_id`` says which shipment it went into. ``hold_id``: what
    of the place is held for it, so that no other pick takes it; without places there is none. ``extra``: taken beyond ``quantity``,
    within the tolerance of the order's rules.
    """

    __tablename__ = "warehouse_task_line"
    __table_args__ = (
        CheckConstraint("quantity >= 0 AND picked >= 0 AND short >= 0 AND damaged >= 0", name="not_negative"),
        CheckConstraint("picked + short + damaged <= quantity", name="not_over"),
        CheckConstraint("extra = 0 OR (extra > 0 AND picked = quantity)", name="extra_beyond_all"),
        Index("ix_warehouse_task_line_order_line", "order_line_id"),
        Index("ix_warehouse_task_line_shipment", "shipment_id"),
    )
    task_id: Mapped[int] = mapped_column(ForeignKey("warehouse_task.id"), primary_key=True, autoincrement=False)
    line_no: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    order_id: Mapped[int] = mapped_column(ForeignKey("sales_order.id"))
    order_line_id: Mapped[int] = mapped_column(ForeignKey("order_line.id"))
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"))
    location_id: Mapped[int | None] = mapped_column(BigInteger)
    lot_id: Mapped[int | None] = mapped_column(BigInteger)
    hold_id: Mapped[int | None] = mapped_column(BigInteger)
    tote: Mapped[int] = mapped_column(SmallInteger)
    quantity: Mapped[Decimal] = mapped_column(Quantity)
    picked: Mapped[Decimal] = mapped_column(Quantity)
    damaged: Mapped[Decimal] = mapped_column(Quantity)
    short: Mapped[Decimal] = mapped_column(Quantity)
    short_reason: Mapped[str | None] = mapped_column(String(120))
    shipment_id: Mapped[int | None] = mapped_column(ForeignKey("shipment.id"))
    extra: Mapped[Decimal] = mapped_column(Quantity, server_default=text("0"))

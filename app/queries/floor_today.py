"""What is to be done on the floors that this person sees: which tasks could they take, and what is in no task yet?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from app.queries.bounded import MOST_COUNTED, OPEN_ORDER, of_realm
from app.queries.floor import LIVE_STATES
from app.security.scopes import within_sites
from erpcore.fulfilment.floor.models import TaskLine, TaskState, WarehouseTask
from erpcore.kernel.actor import Actor
from erpcore.kernel.model import UtcDateTime
from erpcore.orders.models import OrderLine, SalesOrder


@dataclass(frozen=True, kw_only=True)
class FloorWork:
    """Tasks of one kind that this person could take, and those that others hold. ``site``: one where there are free ones, or any."""

    kind: str
    free: int
    held: int
    due_at: datetime | None
    site: int


@dataclass(frozen=True, kw_only=True)
class NotPlanned:
    """Lines that have stock and are in no task, counted up to ``MOST_COUNTED``. ``site``: one where there are any."""

    lines: int
    orders: int
    site: int

    @property
    def is_more(self) -> bool:
        return self.lines > MOST_COUNTED


def floor_work(session: Session, actor: Actor, now: datetime) -> list[FloorWork]:
    """Tasks by kind at the live sites that one sees, those that are due first on top; one query."""
    table = WarehouseTask
    open_ = (table.state == TaskState.OPEN) & or_(table.owner_id.is_(None), table.owner_id == actor.id)
    lapsed = table.state.in_((TaskState.CLAIMED, TaskState.STARTED)) & (table.claimed_until <= now)
    free = or_(open_, lapsed)
    query: Any = select(
        table.kind, func.count().filter(free).label("free"), func.count().filter(~free).label("held"),
        func.min(table.due_at, type_=UtcDateTime()).filter(free).label("due_at"),
        func.coalesce(func.min(table.site_id).filter(free), func.min(table.site_id)).label("site"),
    ).where(table.state.in_((TaskState.OPEN, TaskState.CLAIMED, TaskState.STARTED)), of_realm(table.entity_id, "live"))  # fmt: skip
    rows = session.execute(within_sites(query, actor, table.site_id).group_by(table.kind))
    found = [FloorWork(kind=row.kind, free=row.free, held=row.held, due_at=row.due_at, site=row.site) for row in rows]
    return sorted(found, key=lambda one: (one.due_at is None, one.due_at or now, one.kind))


def not_planned(session: Session, actor: Actor) -> NotPlanned:
    """Allocated lines of released orders at the live sites that one sees and that no task covers; one query."""
    covered = (
        select(TaskLine.order_line_id, func.sum(TaskLine.quantity).label("quantity"))
        .join(WarehouseTask, WarehouseTask.id == TaskLine.task_id)
        .where(WarehouseTask.state.in_(LIVE_STATES))
        .group_by(TaskLine.order_line_id)
        .subquery()
    )
    query: Any = (
        select(OrderLine.order_id, OrderLine.site_id)
        .join(SalesOrder, SalesOrder.id == OrderLine.order_id)
        .join(covered, covered.c.order_line_id == OrderLine.id, isouter=True)
        .where(
            OPEN_ORDER, SalesOrder.state == "released", of_realm(SalesOrder.entity_id, "live"), OrderLine.allocated > 0,
            OrderLine.allocated > func.coalesce(covered.c.quantity, 0),
        )
    )  # fmt: skip
    lines = within_sites(query, actor, OrderLine.site_id).limit(MOST_COUNTED + 1).subquery()
    row = session.execute(
        select(func.count(), func.count(lines.c.order_id.distinct()), func.min(lines.c.site_id)).select_from(lines)
    ).one()
    return NotPlanned(lines=row[0], orders=row[1], site=row[2] or 0)

"""Where do the orders stand now: how many in each step of the work, what are they worth, how old, and how many late?

Every open order is in exactly one column, by the step that it waits for; one that has left goes by what is still owed: its
invoice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.queries.bounded import OPEN_ORDER, of_realm
from app.queries.order_steps import STEPS, step_of_order
from app.queries.orders import overdue
from app.security.scopes import within_sites
from erpcore.kernel.actor import Actor
from erpcore.kernel.model import UtcDateTime
from erpcore.orders.models import SalesOrder


@dataclass(frozen=True, kw_only=True)
class Column:
    """One step: orders that wait for it. ``values`` by currency; ``late``: with a line past its promise."""

    step: str
    count: int
    late: int
    oldest: datetime | None
    values: list[tuple[str, int]]


def order_board(
    session: Session, actor: Actor, now: datetime, *, realm: str, site: int | None, channel: int | None
) -> list[Column]:
    """The columns of the board at the sites that the person sees. One query over open orders."""
    step = step_of_order().label("step")
    query: Any = (
        select(
            step, SalesOrder.currency, func.count().label("number"),
            func.count().filter(overdue(now)).label("late"),
            func.min(SalesOrder.captured_at, type_=UtcDateTime()).label("oldest"),
            func.sum(SalesOrder.value_minor).label("value"),
        )
        .where(OPEN_ORDER, of_realm(SalesOrder.entity_id, realm))
    )  # fmt: skip
    if site is not None:
        query = query.where(SalesOrder.site_id == site)
    if channel is not None:
        query = query.where(SalesOrder.channel_id == channel)
    found: dict[str, list[Any]] = {name: [] for name in STEPS}
    for row in session.execute(within_sites(query, actor, SalesOrder.site_id).group_by(step, SalesOrder.currency)):
        if row.step is not None:
            found[row.step].append(row)
    return [
        Column(
            step=name, count=sum(row.number for row in rows), late=sum(row.late for row in rows),
            oldest=min((row.oldest for row in rows), default=None),
            values=sorted((row.currency, int(row.value or 0)) for row in rows),
        )
        for name, rows in found.items()
    ]  # fmt: skip

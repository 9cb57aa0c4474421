"""Which lines wait, how old are they, who ranks before whom, and for which day is each promised from what?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.queries.listing import SqlList
from app.queries.scarcity import worth
from app.queries.short import is_short
from app.security.scopes import within_sites
from erpcore.inventory.models import Reservation
from erpcore.kernel.actor import Actor
from erpcore.masterdata.models import Channel, Customer, Entity, Item, Site
from erpcore.orders.models import OrderLine, SalesOrder


@dataclass(frozen=True, kw_only=True)
class BackorderRow:
    """One line that waits. ``since``: when it was short first; ``value_minor``: what the unmet part is worth."""

    line_id: int
    line_no: int
    order_id: int
    order: str
    customer: str
    channel: str
    priority: int
    tier: int
    site_id: int
    site: str
    realm: str
    item_id: int
    code: str
    name: str
    unit: str
    unmet: Decimal
    since: datetime
    promised_on: date
    promised_due_at: datetime
    reason: str
    value_minor: int
    currency: str

    def age_days(self, now: datetime) -> int:
        return (now - self.since).days

    def is_late(self, now: datetime) -> bool:
        return self.promised_due_at < now


_COLUMNS = (
    OrderLine.id.label("line_id"), OrderLine.line_no, SalesOrder.id.label("order_id"), SalesOrder.number.label("order"),
    Customer.name.label("customer"), Channel.name.label("channel"), Channel.priority,
    Customer.tier, Reservation.site_id, Site.name.label("site"), Entity.realm,
    Reservation.item_id, Item.code, Item.name, Item.unit, Reservation.unmet, Reservation.since, OrderLine.promised_on,
    OrderLine.promised_due_at, OrderLine.promise_reason.label("reason"), OrderLine.quantity, OrderLine.value_minor,
    SalesOrder.currency,
)  # fmt: skip
_NAMES = tuple(one.name for one in fields(BackorderRow) if one.name != "value_minor")


def _all() -> Any:
    return (
        select(*_COLUMNS)
        .select_from(Reservation)
        .join(OrderLine, OrderLine.id == Reservation.order_line_id)
        .join(SalesOrder, SalesOrder.id == OrderLine.order_id)
        .join(Customer, Customer.id == SalesOrder.customer_id)
        .join(Channel, Channel.id == SalesOrder.channel_id)
        .join(Item, Item.id == Reservation.item_id)
        .join(Site, Site.id == Reservation.site_id)
        .join(Entity, Entity.id == Reservation.entity_id)
        .where(Reservation.unmet > 0, is_short())
    )


def _row(row: Any) -> BackorderRow:
    values = {name: getattr(row, name) for name in _NAMES}
    return BackorderRow(value_minor=worth(row.unmet, row.quantity, row.value_minor), **values)


#: The list of lines that wait, who ranks first on top.
BACKORDERS: SqlList[BackorderRow] = SqlList(
    select=_all, row=_row, tie=(Customer.tier, Reservation.since, OrderLine.id), usual="rank", site=Reservation.site_id,
    realm=Entity.realm, flags=("late",), text=(SalesOrder.number, Customer.name, Item.code, Item.name),
    sorts={
        "rank": Channel.priority, "since": Reservation.since, "promised": OrderLine.promised_on, "item": Item.code,
        "customer": Customer.name, "order": SalesOrder.number, "unmet": Reservation.unmet,
    },
    wanted={
        "late": lambda _value, eyes: OrderLine.promised_due_at < eyes.now,
        "channel": lambda value, _: SalesOrder.channel_id == value,
    },
)  # fmt: skip


def backorders_by_line(session: Session, actor: Actor, lines: Sequence[int]) -> dict[int, BackorderRow]:
    """Those of these lines that wait and that this person sees, of whatever realm."""
    query = within_sites(_all(), actor, Reservation.site_id).where(OrderLine.id.in_(lines))
    return {row.line_id: _row(row) for row in session.execute(query)}


def realm_of_line(session: Session, line: int) -> str | None:
    """The realm that an order line belongs to; ``None`` for a line that there is not."""
    query = (
        select(Entity.realm)
        .join(SalesOrder, SalesOrder.entity_id == Entity.id)
        .join(OrderLine, OrderLine.order_id == SalesOrder.id)
        .where(OrderLine.id == line)
    )
    return session.scalar(query)

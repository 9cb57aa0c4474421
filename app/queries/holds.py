"""Which holds are open, how old are they, who asked and who may end them?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.queries.orders import PAGE
from app.security.scopes import within_sites
from erpcore.kernel.actor import Actor
from erpcore.masterdata.models import Customer, Entity, Site
from erpcore.orders.models import HoldKind, OrderHold, SalesOrder

KINDS = tuple(kind.value for kind in HoldKind)


@dataclass(frozen=True, kw_only=True)
class HoldFilter:
    """``mine``: only what this person may end."""

    kind: str = ""
    site: int | None = None
    realm: str = "live"
    overdue: bool = False
    mine: bool = False
    page: int = 1


@dataclass(frozen=True, kw_only=True)
class HoldRow:
    """One open hold with its order; ``value_minor`` is the order's, in its currency."""

    id: int
    kind: str
    reason: str
    facts: dict[str, Any]
    since: datetime
    due_at: datetime
    asked_by: int | None
    permission: str
    level: str | None
    order_id: int
    order: str
    customer: str
    site_id: int
    site: str
    realm: str
    value_minor: int
    currency: str

    def closed_to(self, actor: Actor) -> str:
        """The code of why this person may not end it; empty when they may."""
        return why_not(self.asked_by, self.permission, actor)


def why_not(asked_by: int | None, permission: str, actor: Actor) -> str:
    """``hold_own_request`` or ``not_allowed``, as the service would refuse; empty when this person may end the hold."""
    if asked_by is not None and asked_by == actor.id:
        return "hold_own_request"
    return "" if actor.may(permission) else "not_allowed"


@dataclass(frozen=True, kw_only=True)
class HoldList:
    rows: list[HoldRow]
    total: int
    by_kind: dict[str, int]
    overdue: int


def _open(query: Any, actor: Actor, realm: str) -> Any:
    joined = (
        query.select_from(OrderHold)
        .join(SalesOrder, SalesOrder.id == OrderHold.order_id)
        .join(Entity, Entity.id == SalesOrder.entity_id)
        .where(OrderHold.released_at.is_(None), SalesOrder.state == "held", Entity.realm == realm)
    )
    return within_sites(joined, actor, SalesOrder.site_id)


def list_holds(session: Session, actor: Actor, asked: HoldFilter, now: datetime) -> HoldList:
    """Open holds, the first due first, with how many there are of each kind and past their time."""
    counted = _open(
        select(OrderHold.kind, func.count(), func.count().filter(OrderHold.due_at < now)), actor, asked.realm
    ).group_by(OrderHold.kind)
    counts = session.execute(counted).all()
    wanted = _wanted(actor, asked, now)
    total = session.scalar(_filtered(_open(select(func.count()), actor, asked.realm), wanted)) or 0
    query = _filtered(_rows(actor, asked.realm), wanted).order_by(OrderHold.due_at, OrderHold.id)
    rows = session.execute(query.limit(PAGE).offset((asked.page - 1) * PAGE))
    return HoldList(
        rows=[_row(row) for row in rows], total=total, by_kind={row[0]: row[1] for row in counts},
        overdue=sum(row[2] for row in counts),
    )  # fmt: skip


def holds_after(
    session: Session, actor: Actor, asked: HoldFilter, now: datetime, after: int, limit: int
) -> list[HoldRow]:
    """Open holds by id, from after that one."""
    query = _filtered(_rows(actor, asked.realm), _wanted(actor, asked, now)).where(OrderHold.id > after)
    return [_row(row) for row in session.execute(query.order_by(OrderHold.id).limit(limit))]


def holds_by_id(session: Session, actor: Actor, ids: list[int]) -> dict[int, str]:
    """The realm of each of these holds whose order this person sees, open or not."""
    query: Any = (
        select(OrderHold.id, Entity.realm)
        .join(SalesOrder, SalesOrder.id == OrderHold.order_id)
        .join(Entity, Entity.id == SalesOrder.entity_id)
        .where(OrderHold.id.in_(ids))
    )
    return {row[0]: row[1] for row in session.execute(within_sites(query, actor, SalesOrder.site_id))}


def _wanted(actor: Actor, asked: HoldFilter, now: datetime) -> list[Any]:
    wanted: list[Any] = []
    if asked.kind in KINDS:
        wanted.append(OrderHold.kind == asked.kind)
    if asked.site is not None:
        wanted.append(SalesOrder.site_id == asked.site)
    if asked.overdue:
        wanted.append(OrderHold.due_at < now)
    if asked.mine and not actor.is_system:
        wanted.append(OrderHold.permission.in_(sorted(actor.permissions)))
        wanted.append(func.coalesce(OrderHold.asked_by, 0) != actor.id)
    return wanted


def _filtered(query: Any, wanted: list[Any]) -> Any:
    return query.where(*wanted)


def _rows(actor: Actor, realm: str) -> Any:
    query = select(
        OrderHold, SalesOrder.number, SalesOrder.site_id, SalesOrder.value_minor, SalesOrder.currency,
        Customer.name.label("customer"), Site.name.label("site"), Entity.realm,
    )  # fmt: skip
    return (
        _open(query, actor, realm)
        .join(Customer, Customer.id == SalesOrder.customer_id)
        .join(Site, Site.id == SalesOrder.site_id)
    )


def _row(row: Any) -> HoldRow:
    hold: OrderHold = row.OrderHold
    return HoldRow(
        id=hold.id, kind=hold.kind, reason=hold.reason, facts=orjson.loads(hold.facts), since=hold.since,
        due_at=hold.due_at, asked_by=hold.asked_by, permission=hold.permission, level=hold.level, order_id=hold.order_id,
        order=row.number, customer=row.customer, site_id=row.site_id, site=row.site, realm=row.realm,
        value_minor=row.value_minor, currency=row.currency,
    )  # fmt: skip

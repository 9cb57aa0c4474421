"""Which holds are open, how old are they, who asked and who may end them?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import ColumnElement, and_, func, or_, select, true
from sqlalchemy.orm import Session

from app.composition.order_approvals import OF_HOLDS, ORDER
from app.queries.bounded import OPEN_ORDER
from app.queries.listing import SqlList
from app.security.scopes import within_sites
from erpcore.kernel.actor import Actor
from erpcore.masterdata.models import Customer, Entity, Site
from erpcore.orders.models import HoldKind, OrderHold, SalesOrder
from governance.approvals.flow import RequestState
from governance.approvals.models import ApprovalRequest

KINDS = tuple(kind.value for kind in HoldKind)


@dataclass(frozen=True, kw_only=True)
class HoldRow:
    """One open hold with its order; ``value_minor`` is the order's, in its currency. ``asked``: as of ``HoldFact``."""

    id: int
    kind: str
    reason: str
    facts: dict[str, Any]
    since: datetime
    due_at: datetime
    asked_by: int | None
    permission: str
    level: str | None
    asked: str | None
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


def asked_about() -> Any:
    """By which rules of approval those are asked who decide about a hold; no row where no request about it waits."""
    kinds = [and_(OrderHold.kind == hold, ApprovalRequest.kind == kind) for hold, kind in OF_HOLDS.items()]
    return (
        select(ApprovalRequest.rule_text)
        .where(
            ApprovalRequest.state == RequestState.WAITING, ApprovalRequest.subject_type == ORDER,
            ApprovalRequest.subject_id == OrderHold.order_id, or_(*kinds),
        )
        .correlate(OrderHold)
    )  # fmt: skip


def mine_to_decide(actor: Actor) -> ColumnElement[bool]:
    """Holds that this person may end: the permission is there, and somebody else asked."""
    if actor.is_system:
        return true()
    return and_(OrderHold.permission.in_(sorted(actor.permissions)), func.coalesce(OrderHold.asked_by, 0) != actor.id)


def holds_by_id(session: Session, actor: Actor, ids: list[int]) -> dict[int, str]:
    """The realm of each of these holds whose order this person sees, open or not."""
    query: Any = (
        select(OrderHold.id, Entity.realm)
        .join(SalesOrder, SalesOrder.id == OrderHold.order_id)
        .join(Entity, Entity.id == SalesOrder.entity_id)
        .where(OrderHold.id.in_(ids))
    )
    return {row[0]: row[1] for row in session.execute(within_sites(query, actor, SalesOrder.site_id))}


def open_holds(session: Session, order: int) -> list[int]:
    """The holds that are open on an order."""
    query = select(OrderHold.id).where(OrderHold.order_id == order, OrderHold.released_at.is_(None))
    return list(session.scalars(query.order_by(OrderHold.id)))


def _holds() -> Any:
    """Holds that are open on orders that are held."""
    return (
        select(
            OrderHold, asked_about().scalar_subquery().label("asked"), SalesOrder.number, SalesOrder.site_id, SalesOrder.value_minor, SalesOrder.currency,
            Customer.name.label("customer"), Site.name.label("site"), Entity.realm,
        )
        .select_from(OrderHold)
        .join(SalesOrder, SalesOrder.id == OrderHold.order_id)
        .join(Entity, Entity.id == SalesOrder.entity_id)
        .join(Customer, Customer.id == SalesOrder.customer_id)
        .join(Site, Site.id == SalesOrder.site_id)
        .where(OrderHold.released_at.is_(None), OPEN_ORDER, SalesOrder.state == "held")
    )  # fmt: skip


def _row(row: Any) -> HoldRow:
    hold: OrderHold = row.OrderHold
    return HoldRow(
        id=hold.id, kind=hold.kind, reason=hold.reason, facts=orjson.loads(hold.facts), since=hold.since,
        due_at=hold.due_at, asked_by=hold.asked_by, permission=hold.permission, level=hold.level, asked=row.asked,
        order_id=hold.order_id, order=row.number, customer=row.customer, site_id=row.site_id, site=row.site, realm=row.realm,
        value_minor=row.value_minor, currency=row.currency,
    )  # fmt: skip


#: The queue of holds, the first due first.
HOLDS: SqlList[HoldRow] = SqlList(
    select=_holds, row=_row, tie=(OrderHold.id,), usual="due", site=SalesOrder.site_id, realm=Entity.realm,
    by=("kind", OrderHold.kind), flags=("overdue", "mine"), text=(SalesOrder.number, Customer.name, OrderHold.reason),
    sums={"Value": SalesOrder.value_minor}, currency=SalesOrder.currency,
    sorts={
        "order": SalesOrder.number, "kind": OrderHold.kind, "site": Site.name, "since": OrderHold.since,
        "due": OrderHold.due_at, "value": SalesOrder.value_minor,
    },
    wanted={
        "kind": lambda value, _: OrderHold.kind == value,
        "overdue": lambda _value, eyes: OrderHold.due_at < eyes.now,
        "mine": lambda _value, eyes: mine_to_decide(eyes.actor),
    },
)  # fmt: skip

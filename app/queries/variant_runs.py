"""What ran under a variant, and which orders could be moved to it?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from erpcore.masterdata.models import Customer, Entity, Item, Realm, Site, StoredRuleset
from erpcore.orders.models import OrderLine, OrderState, SalesOrder
from governance.variants.models import Variant

#: So many orders that ran under a variant are counted; the newest of them are named.
MOST_COUNTED, MOST_NAMED = 1000, 10


@dataclass(frozen=True, kw_only=True)
class RanOrder:
    """An order that ran under a variant."""

    id: int
    number: str
    site: str
    captured_at: datetime
    state: str


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What ran under a variant: how many orders (up to a bound), the newest, and how many other documents' rules name it."""

    orders: int
    is_more: bool
    newest: tuple[RanOrder, ...]
    last_at: datetime | None


def rulesets_of(session: Session, variant_id: int) -> list[str]:
    """The rulesets in which this variant set something, by their hash. One query."""
    rows = session.execute(
        select(StoredRuleset.hash, StoredRuleset.origins).where(StoredRuleset.origins.like(f"%:{variant_id}%"))
    )
    return [row.hash for row in rows if variant_id in orjson.loads(row.origins).values()]


def ran_under(session: Session, record: Variant) -> Ran:
    """The orders whose rules it set, live or not, in three queries."""
    hashes = rulesets_of(session, record.id)
    if not hashes:
        return Ran(orders=0, is_more=False, newest=(), last_at=None)
    stamped: Any = SalesOrder.ruleset.in_(hashes)
    if record.item_group_id is not None:
        line = select(OrderLine.id).where(OrderLine.order_id == SalesOrder.id, OrderLine.ruleset.in_(hashes))
        stamped = or_(stamped, line.exists())
    since = SalesOrder.captured_at >= record.requested_at
    bounded = select(SalesOrder.id).where(stamped, since).limit(MOST_COUNTED + 1).subquery()
    count = session.scalar(select(func.count()).select_from(bounded)) or 0
    newest = session.execute(
        select(SalesOrder.id, SalesOrder.number, Site.name.label("site"), SalesOrder.captured_at, SalesOrder.state)
        .join(Site, Site.id == SalesOrder.site_id)
        .where(stamped, since)
        .order_by(SalesOrder.captured_at.desc(), SalesOrder.id.desc())
        .limit(MOST_NAMED)
    )
    orders = tuple(
        RanOrder(id=one.id, number=one.number, site=one.site, captured_at=one.captured_at, state=one.state)
        for one in newest
    )
    return Ran(
        orders=min(count, MOST_COUNTED), is_more=count > MOST_COUNTED, newest=orders,
        last_at=orders[0].captured_at if orders else None,
    )  # fmt: skip


def movable_orders(session: Session, record: Variant) -> list[RanOrder]:
    """Live orders of its scope that were promised under other rules and of which nothing has left yet, oldest first; at most 200."""
    hashes = rulesets_of(session, record.id)
    query = (
        select(SalesOrder.id, SalesOrder.number, Site.name.label("site"), SalesOrder.captured_at, SalesOrder.state)
        .join(Site, Site.id == SalesOrder.site_id)
        .join(Entity, Entity.id == SalesOrder.entity_id)
        .join(Customer, Customer.id == SalesOrder.customer_id)
        .where(
            SalesOrder.state.in_((OrderState.CAPTURED, OrderState.HELD, OrderState.RELEASED)),
            SalesOrder.delivery_status == "none", Entity.realm == Realm.LIVE,
        )
    )  # fmt: skip
    if record.item_group_id is None:
        query = query.where(SalesOrder.ruleset.not_in(hashes or [""]))
    else:
        of_group = select(OrderLine.id).join(Item, Item.id == OrderLine.item_id).where(
            OrderLine.order_id == SalesOrder.id, Item.group_id == record.item_group_id,
            func.coalesce(OrderLine.ruleset, SalesOrder.ruleset).not_in(hashes or [""]),
        )  # fmt: skip
        query = query.where(of_group.exists())
    for column, value in (
        (SalesOrder.site_id, record.site_id), (SalesOrder.entity_id, record.entity_id),
        (SalesOrder.channel_id, record.channel_id), (Customer.group_id, record.customer_group_id),
    ):  # fmt: skip
        if value is not None:
            query = query.where(column == value)
    rows = session.execute(query.order_by(SalesOrder.captured_at, SalesOrder.id).limit(200))
    return [
        RanOrder(id=one.id, number=one.number, site=one.site, captured_at=one.captured_at, state=one.state)
        for one in rows
    ]

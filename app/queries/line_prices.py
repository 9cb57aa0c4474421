"""Why does an order line have its price, and what would an item cost somebody on a day?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.composition.trading import looking, rules
from app.queries.prices import PriceRow, prices_by_id
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import NotFound
from erpcore.kernel.history import Transition
from erpcore.kernel.model import QUANTITY_PLACES, scaled_int
from erpcore.masterdata.models import Customer, Entity, Item, Site
from erpcore.masterdata.queries import customers, entity_facts, items
from erpcore.orders.models import HoldKind, OrderHold, OrderLine, SalesOrder
from erpcore.pricing.queries import Asked, resolve_prices
from erpcore.pricing.rules import margin_permille, price_floor


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A rule that fitted a line with the price it gave; ``rule`` ``None``: it is no more to be found."""

    id: int
    kind: str
    unit_price: Decimal
    rule: PriceRow | None


@dataclass(frozen=True, kw_only=True)
class PriceHold:
    """What the price of the line was held for, who let it go and why."""

    level: str | None
    why: Sequence[str]
    lost_minor: int
    since: datetime
    released_at: datetime | None
    released_role: str
    released_by: int
    reason: str | None


@dataclass(frozen=True, kw_only=True)
class LinePrice:
    """How a line came to its price, as it was kept at that time. Cost, floor and margin are for who may see them."""

    order_id: int
    order: str
    customer: str
    site: str
    entity_id: int
    realm: str
    currency: str
    captured_at: datetime
    line_id: int
    line_no: int
    item_code: str
    item: str
    unit: str
    quantity: Decimal
    unit_price: Decimal
    source: str
    value_minor: int
    list_price: Decimal | None
    resolved: Decimal | None
    floor: Decimal | None
    cost: Decimal | None
    reason: str | None
    winner: Candidate | None
    losers: Sequence[Candidate]
    holds: Sequence[PriceHold]

    @property
    def margin_permille(self) -> int | None:
        return _margin(self.unit_price, self.cost)


def _margin(price: Decimal, cost: Decimal | None) -> int | None:
    return margin_permille(int(price * 10**6), None if cost is None else int(cost * 10**6))


def line_price(session: Session, actor: Actor, order_id: int, line_id: int) -> LinePrice:
    """One line's price with all that it came from. Four queries; raises ``NotFound`` for another site's order."""
    found = session.execute(
        select(
            OrderLine, SalesOrder, Item.code, Item.name, Item.unit, Customer.name.label("customer"), Site.name.label("site"),
            Entity.realm,
        )
        .join(SalesOrder, SalesOrder.id == OrderLine.order_id)
        .join(Item, Item.id == OrderLine.item_id)
        .join(Customer, Customer.id == SalesOrder.customer_id)
        .join(Site, Site.id == SalesOrder.site_id)
        .join(Entity, Entity.id == SalesOrder.entity_id)
        .where(OrderLine.id == line_id, OrderLine.order_id == order_id)
    ).one_or_none()  # fmt: skip
    if found is None or (actor.sites is not None and found.SalesOrder.site_id not in actor.sites):
        raise NotFound("order_unknown", order=order_id)
    line, order = found.OrderLine, found.SalesOrder
    lost = orjson.loads(line.price_losers) if line.price_losers else []
    rules = prices_by_id(session, {one[0] for one in lost} | ({line.price_rule_id} - {None}))
    winner = None
    if line.price_rule_id is not None and line.resolved_price is not None:
        rule = rules.get(line.price_rule_id)
        winner = Candidate(
            id=line.price_rule_id, kind=rule.kind if rule else line.price_source, unit_price=line.resolved_price,
            rule=rule,
        )  # fmt: skip
    return LinePrice(
        order_id=order.id, order=order.number, customer=found.customer, site=found.site, entity_id=order.entity_id,
        realm=found.realm,
        currency=order.currency, captured_at=order.captured_at, line_id=line.id, line_no=line.line_no, item_code=found.code,
        item=found.name, unit=found.unit, quantity=line.quantity, unit_price=line.unit_price, source=line.price_source,
        value_minor=line.value_minor, list_price=line.list_price, resolved=line.resolved_price, floor=line.price_floor,
        cost=line.unit_cost, reason=line.price_reason, winner=winner,
        losers=[
            Candidate(id=key, kind=kind, unit_price=Decimal(price).scaleb(-6), rule=rules.get(key))
            for key, kind, price in lost
        ],
        holds=_holds(session, order.id, line.line_no),
    )  # fmt: skip


def _holds(session: Session, order_id: int, line_no: int) -> list[PriceHold]:
    rows = session.scalars(
        select(OrderHold).where(OrderHold.order_id == order_id, OrderHold.kind == HoldKind.PRICE).order_by(OrderHold.id)
    ).all()
    held = [(row, orjson.loads(row.facts)) for row in rows]
    held = [(row, facts) for row, facts in held if line_no in facts.get("lines", ())]
    if not held:
        return []
    moves = session.scalars(
        select(Transition).where(
            Transition.document_type == "order", Transition.document_id == order_id, Transition.move == "release_hold"
        )
    ).all()
    out = []
    for row, facts in held:
        move = next((one for one in moves if one.at == row.released_at and one.actor == row.released_by), None)
        out.append(
            PriceHold(
                level=row.level, why=facts.get("why", ()), lost_minor=facts.get("lost", 0), since=row.since,
                released_at=row.released_at, released_role=move.role if move else "", released_by=move.actor if move else 0,
                reason=row.release_reason,
            )
        )  # fmt: skip
    return out


@dataclass(frozen=True, kw_only=True)
class PriceAnswer:
    """What a line would cost now: the rule that wins, those that lose, and how far down a price may be entered.

    ``unit_price`` ``None``: no rule gives one. ``lowest`` is the lowest price that stands without another person;
    ``tolerated`` the same as far as the tolerance alone decides, for who may not see the floor.
    """

    item_code: str
    item: str
    unit: str
    currency: str
    customer: str
    quantity: Decimal
    on: date
    unit_price: Decimal | None
    list_price: Decimal | None
    winner: Candidate | None
    losers: Sequence[Candidate]
    cost: Decimal | None
    floor: Decimal | None
    lowest: Decimal | None
    tolerated: Decimal | None
    tolerance_permille: int

    @property
    def margin_permille(self) -> int | None:
        return None if self.unit_price is None else _margin(self.unit_price, self.cost)


def ask_price(
    session: Session,
    actor: Actor,
    now: datetime,
    *,
    item: int,
    customer: int | None,
    channel: int | None,
    quantity: Decimal,
    on: date | None,
) -> PriceAnswer:
    """By the very rules that capturing applies; the tolerance is that of no particular site. About six queries.

    ``on`` ``None``: today where the item's company is.
    """
    look = looking(session, actor=actor, now=now, realm="live")
    what = items(look, [item])[item]
    who = customers(look, [customer])[customer] if customer is not None else None
    if who is not None and who.entity_id != what.entity_id:
        raise NotFound("customer_unknown", field="customer", id=who.code)
    entity = entity_facts(look, what.entity_id)
    on = on or local_day(now, entity.time_zone)
    asked = Asked(
        item, customer or 0, who.group_id if who else None, channel or 0, scaled_int(quantity, QUANTITY_PLACES), on,
        entity.currency, what.group_id,
    )  # fmt: skip
    (found,) = resolve_prices(look, [asked])
    policy = rules().consult(
        look,
        entity=entity.live_id,
        channel=channel,
        customer_group=who.group_id if who else None,
        item_group=what.group_id,
    )
    tolerance = policy["price_tolerance_permille"]
    floor = price_floor(what.standard_cost, policy["minimum_margin_permille"])
    fitting = [] if found is None else [(found.rule, found.source, found.unit_price), *found.losers]
    known = prices_by_id(session, {one[0] for one in fitting})
    named = [
        Candidate(id=key, kind=kind, unit_price=_money(price) or Decimal(0), rule=known.get(key))
        for key, kind, price in fitting
    ]
    tolerated = None if found is None else -(-found.unit_price * (1000 - tolerance) // 1000)
    lowest = None if tolerated is None else max(tolerated, floor or 0)
    return PriceAnswer(
        item_code=what.code, item=what.name, unit=what.unit, currency=entity.currency,
        customer=who.code if who else "", quantity=quantity, on=on, unit_price=_money(found.unit_price if found else None),
        list_price=_money(found.list_price if found else None), winner=named[0] if named else None, losers=named[1:],
        cost=_money(what.standard_cost), floor=_money(floor), lowest=_money(lowest), tolerated=_money(tolerated),
        tolerance_permille=tolerance,
    )  # fmt: skip


def _money(millionths: int | None) -> Decimal | None:
    return None if millionths is None else Decimal(millionths).scaleb(-6)

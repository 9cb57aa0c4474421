"""Which lines are short, and for one of them: what could be done, at which promise, margin, tier and credit?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Float, cast, func, select, text
from sqlalchemy.orm import Session, aliased

from app.composition.trading import looking
from app.messages.supply import WAY_CLOSED
from app.queries.bounded import OPEN_ORDER
from app.queries.order_detail import exposure_of
from app.queries.short import is_short
from app.security.scopes import within_companies, within_sites
from erpcore.credit.models import CreditExposure
from erpcore.fulfilment.shortage import Option, Way, compare, short_line
from erpcore.inventory.models import Reservation
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotFound
from erpcore.kernel.model import PRICE_PLACES, QUANTITY_PLACES, scaled_int
from erpcore.kernel.money import scaled_amount
from erpcore.masterdata.models import Channel, Customer, CustomerGroup, Entity, Item, ItemSubstitute, Site, Supplier
from erpcore.orders.allocation_models import ShortageChoice
from erpcore.orders.models import HoldKind, OrderHold, OrderLine, SalesOrder
from erpcore.ports import CellStates, ProcessRules

MOST = 200


@dataclass(frozen=True, kw_only=True)
class ShortRow:
    """A line that waits for stock. ``margin_minor``: of what is missing, ``None`` where no cost is known; ``credit_left_minor``:
    ``None`` where no limit is checked.
    """

    line_id: int
    order_id: int
    order: str
    line_no: int
    customer: str
    tier: int
    code: str
    name: str
    unit: str
    site: str
    unmet: Decimal
    since: datetime
    promised_on: date
    requested_on: date
    value_minor: int
    currency: str
    margin_minor: int | None
    credit_left_minor: int | None


@dataclass(frozen=True, kw_only=True)
class WayFact:
    """One way as people read it."""

    key: str
    way: str
    title: str
    covers: Decimal
    promised_on: date
    days_late: int
    margin_minor: int | None
    extra_minor: int
    closed: str
    expected: Decimal


@dataclass(frozen=True, kw_only=True)
class ChoiceFact:
    """What somebody chose before, with what it was chosen from."""

    option: str
    quantity: Decimal
    reason: str
    chosen_at: datetime
    chosen_by: int
    others: int


@dataclass(frozen=True, kw_only=True)
class ShortagePage:
    line_id: int
    line_no: int
    order_id: int
    order: str
    state: str
    version: int
    realm: str
    site: str
    customer: str
    tier: int
    group: str | None
    channel: str
    channel_priority: int
    credit_limit_minor: int | None
    exposure_minor: int
    currency: str
    code: str
    name: str
    unit: str
    quantity: Decimal
    allocated: Decimal
    shipped: Decimal
    short: Decimal
    requested_on: date
    committed_on: date
    promised_on: date
    promise_reason: str
    ways: list[WayFact]
    choices: list[ChoiceFact]

    @property
    def credit_left_minor(self) -> int | None:
        return None if self.credit_limit_minor is None else self.credit_limit_minor - self.exposure_minor


class Rank(StrEnum):
    """What leads the list of short lines; who waits longest comes first among equals."""

    TIER = "tier"
    PROMISE = "promise"
    MARGIN = "margin"
    CREDIT = "credit"


_OWED = CreditExposure.receivable_minor + CreditExposure.shipped_minor + CreditExposure.released_minor


def _margin() -> ColumnElement[float]:
    """The margin of what is missing, to sort by; nothing where no cost is known."""
    return (cast(OrderLine.unit_price, Float) - cast(Item.standard_cost, Float)) * cast(Reservation.unmet, Float)


def _order(rank: Rank) -> list[Any]:
    """The best first: the key account, the promise that breaks first, the most margin, the most credit left (no limit leads)."""
    limit, left = Customer.credit_limit_minor, Customer.credit_limit_minor - func.coalesce(_OWED, 0)
    keys: dict[Rank, list[Any]] = {
        Rank.TIER: [Customer.tier],
        Rank.PROMISE: [OrderLine.promised_on, Customer.tier],
        Rank.MARGIN: [_margin().is_(None), _margin().desc()],
        Rank.CREDIT: [limit.is_not(None), left.desc()],
    }
    return [*keys[rank], Reservation.since, Reservation.id]


def short_lines(session: Session, actor: Actor, *, realm: str, rank: Rank = Rank.TIER) -> list[ShortRow]:
    """Lines of released orders that wait for stock at the sites one sees, in the order of one figure that people decide by."""
    query: Any = (
        select(
            OrderLine, SalesOrder, Customer.name.label("customer"), Customer.tier, Item, Site.name.label("site"),
            Reservation.unmet, Reservation.since, Customer.credit_limit_minor, func.coalesce(_OWED, 0).label("owed"),
        )
        .join(OrderLine, OrderLine.id == Reservation.order_line_id)
        .join(SalesOrder, SalesOrder.id == OrderLine.order_id)
        .join(Customer, Customer.id == SalesOrder.customer_id)
        .join(Item, Item.id == OrderLine.item_id)
        .join(Site, Site.id == OrderLine.site_id)
        .join(Entity, Entity.id == SalesOrder.entity_id)
        .outerjoin(CreditExposure, CreditExposure.customer_id == Customer.id)
        .where(text("reservation.unmet > 0"), OPEN_ORDER, is_short(), Entity.realm == realm)
        .order_by(*_order(rank))
        .limit(MOST)
    )  # fmt: skip
    query = within_sites(query, actor, OrderLine.site_id)
    return [
        ShortRow(
            line_id=row.OrderLine.id, order_id=row.SalesOrder.id, order=row.SalesOrder.number, line_no=row.OrderLine.line_no,
            customer=row.customer, tier=row.tier, code=row.Item.code, name=row.Item.name, unit=row.Item.unit, site=row.site,
            unmet=row.unmet, since=row.since, promised_on=row.OrderLine.promised_on, requested_on=row.OrderLine.requested_on,
            value_minor=row.OrderLine.value_minor, currency=row.SalesOrder.currency, margin_minor=_margin_of(row),
            credit_left_minor=None if row.credit_limit_minor is None else row.credit_limit_minor - row.owed,
        )
        for row in session.execute(query)
    ]  # fmt: skip


def _margin_of(row: Any) -> int | None:
    cost, missing = row.Item.standard_cost, scaled_int(row.unmet, QUANTITY_PLACES)
    if cost is None:
        return None
    sold, paid = (
        scaled_amount(missing, scaled_int(price, PRICE_PLACES), row.SalesOrder.currency)
        for price in (row.OrderLine.unit_price, cost)
    )
    return sold - paid


def shortage_page(
    session: Session, actor: Actor, now: datetime, line_id: int, *, rules: ProcessRules, cells: CellStates
) -> ShortagePage:
    """Everything one decides by; raises ``NotFound`` for an unknown line and another site's."""
    head = session.execute(
        select(
            OrderLine, SalesOrder, Customer, CustomerGroup.name.label("group"), Channel,
            Item, Site.name.label("site"), Entity.realm,
        )
        .join(SalesOrder, SalesOrder.id == OrderLine.order_id)
        .join(Customer, Customer.id == SalesOrder.customer_id)
        .outerjoin(CustomerGroup, CustomerGroup.id == Customer.group_id)
        .join(Channel, Channel.id == SalesOrder.channel_id)
        .join(Item, Item.id == OrderLine.item_id)
        .join(Site, Site.id == OrderLine.site_id)
        .join(Entity, Entity.id == SalesOrder.entity_id)
        .where(OrderLine.id == line_id)
    ).one_or_none()  # fmt: skip
    if head is None:
        raise NotFound("line_unknown", line=line_id)
    work = looking(session, actor=actor, now=now, realm=head.realm)
    order, line = short_line(work, line_id)
    options = compare(work, rules, cells, order, line)
    one: OrderLine = head.OrderLine
    return ShortagePage(
        line_id=line_id, line_no=one.line_no, order_id=order.id, order=order.number, state=order.state,
        version=order.version, realm=head.realm, site=head.site, customer=head.Customer.name, tier=head.Customer.tier,
        group=head.group, channel=head.Channel.name, channel_priority=head.Channel.priority,
        credit_limit_minor=head.Customer.credit_limit_minor, exposure_minor=exposure_of(session, order.customer_id),
        currency=order.currency, code=head.Item.code, name=head.Item.name, unit=head.Item.unit, quantity=one.quantity,
        allocated=one.allocated, shipped=one.shipped, short=Decimal(max(0, line.unallocated)).scaleb(-3),
        requested_on=one.requested_on, committed_on=one.committed_on, promised_on=one.promised_on,
        promise_reason=one.promise_reason, ways=_ways(session, options, line.requested_on), choices=_choices(session, line_id),
    )  # fmt: skip


def _ways(session: Session, options: list[Option], requested: date) -> list[WayFact]:
    names = _names(session, options)
    titles = {
        Way.ALLOCATE: "Allocate what is here", Way.SPLIT: "Split: what is here goes now, the rest waits",
        Way.WAIT: "Wait for what comes",
    }  # fmt: skip
    beginnings = {Way.OTHER_SITE: "Ship from", Way.SUBSTITUTE: "Send instead:", Way.PURCHASE: "Order from"}
    out = []
    for one in options:
        way = Way(one.way)
        title = titles.get(way) or f"{beginnings[way]} {names.get((way, one.target or 0), '')}"
        out.append(
            WayFact(
                key=one.key, way=one.way, title=title, covers=Decimal(one.covers).scaleb(-3), promised_on=one.promised_on,
                days_late=max(0, (one.promised_on - requested).days), margin_minor=one.margin_minor,
                extra_minor=one.extra_minor, closed=WAY_CLOSED[one.closed] if one.closed else "",
                expected=Decimal(one.expected).scaleb(-3),
            )
        )  # fmt: skip
    return out


def _names(session: Session, options: list[Option]) -> dict[tuple[str, int], str]:
    """What the targets of the options are called."""
    found: dict[tuple[str, int], str] = {}
    tables: tuple[tuple[Way, Any, Any], ...] = (
        (Way.OTHER_SITE, Site, Site.name), (Way.SUBSTITUTE, Item, Item.code + " " + Item.name), (Way.PURCHASE, Supplier, Supplier.name),
    )  # fmt: skip
    for way, table, name in tables:
        wanted = [one.target for one in options if one.way == way and one.target is not None]
        if wanted:
            rows = session.execute(select(table.id, name).where(table.id.in_(wanted)))
            found |= {(way, row[0]): row[1] for row in rows}
    return found


def _choices(session: Session, line_id: int) -> list[ChoiceFact]:
    rows = session.scalars(
        select(ShortageChoice).where(ShortageChoice.order_line_id == line_id).order_by(ShortageChoice.id.desc())
    )
    return [
        ChoiceFact(
            option=row.option, quantity=row.quantity, reason=row.reason, chosen_at=row.chosen_at, chosen_by=row.chosen_by,
            others=max(0, len(facts.get("options") or facts.get("sites") or ()) - 1),
        )
        for row in rows
        for facts in [orjson.loads(row.facts)]
    ]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class SubstituteRow:
    item_id: int
    code: str
    name: str
    substitute_id: int
    substitute_code: str
    substitute_name: str
    rank: int
    same_group: bool
    realm: str


def substitute_rows(session: Session, actor: Actor, *, only_item: int | None = None) -> list[SubstituteRow]:
    """What may be sent instead of what, by item and rank, of the companies one sees; all of one item when it is named."""
    other = aliased(Item)
    query: Any = (
        select(ItemSubstitute, Item, other, Entity.realm)
        .join(Item, Item.id == ItemSubstitute.item_id)
        .join(other, other.id == ItemSubstitute.substitute_id)
        .join(Entity, Entity.id == Item.entity_id)
        .order_by(Item.code, ItemSubstitute.rank, other.code)
    )
    query = query.limit(MOST) if only_item is None else query.where(ItemSubstitute.item_id == only_item)
    query = within_companies(query, actor, Item.entity_id)
    return [
        SubstituteRow(
            item_id=row[1].id, code=row[1].code, name=row[1].name, substitute_id=row[2].id, substitute_code=row[2].code,
            substitute_name=row[2].name, rank=row[0].rank, realm=row.realm,
            same_group=row[1].group_id is not None and row[1].group_id == row[2].group_id,
        )
        for row in session.execute(query)
    ]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class AskedSubstitution:
    """A substitution that waits for somebody else's answer."""

    hold_id: int
    order_id: int
    order: str
    realm: str
    asked_by: int | None
    reason: str
    since: datetime
    quantity: Decimal
    unit: str
    item: str
    substitute: str
    is_open: bool


def asked_substitution(session: Session, actor: Actor, hold_id: int) -> AskedSubstitution:
    """One that was asked for; raises ``NotFound`` for another kind of hold, an unknown one and another site's."""
    query: Any = (
        select(OrderHold, SalesOrder, Entity.realm)
        .join(SalesOrder, SalesOrder.id == OrderHold.order_id)
        .join(Entity, Entity.id == SalesOrder.entity_id)
        .where(OrderHold.id == hold_id, OrderHold.kind == HoldKind.SUBSTITUTION)
    )
    row = session.execute(within_sites(query, actor, SalesOrder.site_id)).one_or_none()
    facts = orjson.loads(row.OrderHold.facts) if row is not None else {}
    if row is None or "item" not in facts:
        raise NotFound("hold_unknown", hold=hold_id)
    line = session.get(OrderLine, facts["line"])
    old, new = (session.get(Item, key) for key in (line.item_id if line else 0, facts["item"]))
    if old is None or new is None:
        raise NotFound("hold_unknown", hold=hold_id)
    return AskedSubstitution(
        hold_id=hold_id, order_id=row.SalesOrder.id, order=row.SalesOrder.number, realm=row.realm,
        asked_by=row.OrderHold.asked_by, reason=row.OrderHold.reason, since=row.OrderHold.since,
        quantity=Decimal(facts["quantity"]).scaleb(-3), unit=old.unit, item=f"{old.code} {old.name}",
        substitute=f"{new.code} {new.name}", is_open=row.OrderHold.released_at is None,
    )  # fmt: skip

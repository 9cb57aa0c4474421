"""Which lines are short, and for one of them: what could be done, at which promise, margin, tier and credit?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Float, cast, func, select, text
from sqlalchemy.orm import Session

from app.composition.trading import looking
from app.messages.supply import WAY_CLOSED
from app.queries.bounded import OPEN_ORDER
from app.queries.listing import Asked, SqlList
from app.queries.order_detail import exposure_of
from app.queries.short import is_short
from erpcore.credit.models import CreditExposure
from erpcore.fulfilment.shortage import Option, Way, compare, short_line
from erpcore.inventory.models import Reservation
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotFound
from erpcore.kernel.model import PRICE_PLACES, QUANTITY_PLACES, scaled_int
from erpcore.kernel.money import scaled_amount
from erpcore.masterdata.models import Channel, Customer, CustomerGroup, Entity, Item, Site, Supplier
from erpcore.orders.allocation_models import ShortageChoice
from erpcore.orders.models import OrderLine, SalesOrder
from erpcore.ports import CellStates, ProcessRules

MOST = 200
#: More than any limit leaves.
_NO_LIMIT = 2**62


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
    site_id: int
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


#: The margin of what is missing, to sort by; nothing where no cost is known.
_MARGIN: ColumnElement[float] = (cast(OrderLine.unit_price, Float) - cast(Item.standard_cost, Float)) * cast(
    Reservation.unmet, Float
)
#: What is left of the limit, to sort by; who has none leads.
_LEFT = func.coalesce(Customer.credit_limit_minor - func.coalesce(_OWED, 0), _NO_LIMIT)


def _short() -> Any:
    return (
        select(
            OrderLine, SalesOrder, Customer.name.label("customer"), Customer.tier, Item, Site.name.label("site"), Entity.realm,
            Reservation.unmet, Reservation.since, Customer.credit_limit_minor, func.coalesce(_OWED, 0).label("owed"),
        )
        .select_from(Reservation)
        .join(OrderLine, OrderLine.id == Reservation.order_line_id)
        .join(SalesOrder, SalesOrder.id == OrderLine.order_id)
        .join(Customer, Customer.id == SalesOrder.customer_id)
        .join(Item, Item.id == OrderLine.item_id)
        .join(Site, Site.id == OrderLine.site_id)
        .join(Entity, Entity.id == SalesOrder.entity_id)
        .outerjoin(CreditExposure, CreditExposure.customer_id == Customer.id)
        .where(text("reservation.unmet > 0"), OPEN_ORDER, is_short())
    )  # fmt: skip


def _short_row(row: Any) -> ShortRow:
    line, order, item = row.OrderLine, row.SalesOrder, row.Item
    return ShortRow(
        line_id=line.id, order_id=order.id, order=order.number, line_no=line.line_no, customer=row.customer, tier=row.tier,
        code=item.code, name=item.name, unit=item.unit, site_id=line.site_id, site=row.site, unmet=row.unmet, since=row.since,
        promised_on=line.promised_on, requested_on=line.requested_on, value_minor=line.value_minor, currency=order.currency,
        margin_minor=_margin_of(row),
        credit_left_minor=None if row.credit_limit_minor is None else row.credit_limit_minor - row.owed,
    )  # fmt: skip


#: Lines of released orders that wait for stock at the sites one sees; who waits longest comes first among equals.
SHORT_LINES: SqlList[ShortRow] = SqlList(
    select=_short, row=_short_row, tie=(Reservation.since, Reservation.id), steady=True, usual="tier",
    site=OrderLine.site_id, realm=Entity.realm, text=(SalesOrder.number, Customer.name, Item.code, Item.name),
    flags=("late",), sums={"Worth": OrderLine.value_minor}, currency=SalesOrder.currency,
    sorts={
        "order": SalesOrder.number, "tier": Customer.tier, "item": Item.code, "unmet": Reservation.unmet,
        "since": Reservation.since, "promised": OrderLine.promised_on, "value": OrderLine.value_minor, "margin": _MARGIN,
        "credit": _LEFT,
    },
    wanted={
        "late": lambda _value, _: OrderLine.promised_on > OrderLine.requested_on,
        "tier": lambda value, _: Customer.tier == value, "channel": lambda value, _: SalesOrder.channel_id == value,
        "customer": lambda value, _: SalesOrder.customer_id == value, "item": lambda value, _: OrderLine.item_id == value,
    },
)  # fmt: skip

#: How a list sorted by each of the figures is asked for: the best first.
SORTED_BY: Mapping[Rank, str] = {
    Rank.TIER: "tier", Rank.PROMISE: "promised", Rank.MARGIN: "-margin", Rank.CREDIT: "-credit",
}  # fmt: skip


def short_lines(
    session: Session, actor: Actor, now: datetime, *, realm: str = "live", rank: Rank = Rank.TIER, **values: Any
) -> list[ShortRow]:
    """The first ``MOST`` of the list, led by one figure that people decide by. ``values``: its filters."""
    asked = Asked(values=values, realm=realm, sort=SORTED_BY[rank], size=MOST)
    return list(SHORT_LINES.page(session, actor, asked, now).rows)


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

"""A line is short: what can be done, what does each way promise and leave as margin, and what was chosen?

Every way that is offered is carried out by the service that does it anywhere else; the choice is kept with all ways as they stood.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from erpcore.inventory.services import Demand, reserve
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.kernel.history import record_move
from erpcore.kernel.model import QUANTITY_PLACES
from erpcore.kernel.money import scaled_amount
from erpcore.kernel.rows import read_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.models import SiteKind
from erpcore.masterdata.queries import customers, items, site_facts
from erpcore.masterdata.suppliers import offers
from erpcore.orders.addressing import country_of
from erpcore.orders.allocation import give_stock, publish_promises
from erpcore.orders.availability import Part, PromiseReason, whole
from erpcore.orders.documents import Line, Order
from erpcore.orders.models import OrderLine, OrderState, SalesOrder
from erpcore.orders.moving import admit_order, publish_order
from erpcore.orders.promise import Wanted, promised_parts, set_promise
from erpcore.orders.records import LINE_COLUMNS, ORDER_COLUMNS, lock_orders, save_orders
from erpcore.orders.sourcing import free_for_all, keep_choice, lanes_from, open_sites
from erpcore.orders.substitution import Substitute, offered, substitute_lines
from erpcore.ports import BY_PERMISSION, Authority, CellStates, ProcessRules
from erpcore.published.sourcing import LineSource, OrderSourced
from erpcore.purchasing.records import on_order
from erpcore.purchasing.services import PLACE, PlacePurchase, WantedLine, place_purchases

CHOOSE = "orders:shortage:choose"


class Way(StrEnum):
    """What can be done for a short line."""

    ALLOCATE = "allocate"
    SPLIT = "split"
    OTHER_SITE = "other_site"
    SUBSTITUTE = "substitute"
    PURCHASE = "purchase"
    WAIT = "wait"


#: By way: what one must be allowed to do to take it, and the code that says so. Buyers buy; what the customer gets instead, and
#: from where, is decided by who answers to the customer. Waiting is open to everybody who may choose.
_NEEDS = {
    Way.ALLOCATE: ("orders:order:allocate", "may_not_allocate"),
    Way.SPLIT: ("orders:order:allocate", "may_not_allocate"),
    Way.OTHER_SITE: ("orders:order:allocate", "may_not_allocate"),
    Way.SUBSTITUTE: ("orders:line:substitute", "may_not_substitute"),
    Way.PURCHASE: (PLACE, "may_not_buy"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Option:
    """One way. ``target``: the site, item or supplier; ``covers`` thousandths by ``promised_on``; ``margin_minor`` of what it
    covers, ``None`` where no cost is known. ``closed``: a code that says why it is not open. ``expected``: thousandths that
    need not be bought, since they are there or come anyway.
    """

    way: str
    target: int | None
    covers: int
    promised_on: date
    margin_minor: int | None
    closed: str | None = None
    extra_minor: int = 0
    ready_on: date | None = None
    expected: int = 0

    @property
    def key(self) -> str:
        """The option's name in a form or a request."""
        return self.way if self.target is None else f"{self.way}:{self.target}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Choose:
    """Take one way for a line, with a reason. ``option``: its key."""

    line: int
    option: str
    reason: str
    seen_version: int | None = None


def short_line(work: UnitOfWork, line_id: int) -> tuple[Order, Line]:
    """The line and its order as they are, unlocked; raises ``NotFound`` for an unknown one or another site's."""
    rows = read_rows(work, OrderLine, LINE_COLUMNS, "id", [line_id])
    if not rows:
        raise NotFound("line_unknown", line=line_id)
    line = Line(*rows[0])
    (row,) = read_rows(work, SalesOrder, ORDER_COLUMNS, "id", [line.order_id])
    order = Order(*row, lines=[line])
    order.customer_group = customers(work, {order.customer_id})[order.customer_id].group_id
    sites = work.actor.sites
    if sites is not None and not {order.site_id, line.site_id} & sites:
        raise NotFound("line_unknown", line=line_id)
    site_facts(work, order.site_id)
    return order, line


def compare(work: UnitOfWork, rules: ProcessRules, cells: CellStates, order: Order, line: Line) -> list[Option]:
    """Every way there is for what the line is short of, in the order: what is here, elsewhere, instead, to be bought, waiting."""
    short = line.unallocated
    if short <= 0 or not line.has_stock:
        return []
    closed = None if order.state == OrderState.RELEASED else "not_released"
    options = [
        *_from_here(work, rules, order, line, short, closed),
        *_from_elsewhere(work, cells, order, line, short, closed),
        *_instead(work, rules, order, line, short, closed),
        *_bought(work, order, line, short, closed),
        Option(
            way=Way.WAIT, target=None, covers=short, promised_on=line.promised_on,
            margin_minor=_margin(work, order, line, short, _cost(work, line.item_id)),
        ),
    ]  # fmt: skip
    return [replace(one, closed=one.closed or _beyond(work, one)) for one in options]


def _beyond(work: UnitOfWork, option: Option) -> str | None:
    """Why this way is not this person's to take."""
    permission, why = _NEEDS.get(Way(option.way), ("", ""))
    return None if not permission or work.actor.may(permission) else why


def _cost(work: UnitOfWork, item: int) -> int | None:
    return items(work, {item})[item].standard_cost


def _margin(work: UnitOfWork, order: Order, line: Line, quantity: int, cost: int | None, extra: int = 0) -> int | None:
    """What is left of the price agreed for so much, in minor units."""
    if cost is None:
        return None
    sold, paid = (scaled_amount(quantity, price, order.currency) for price in (line.unit_price, cost))
    return sold - paid - extra


def _today(work: UnitOfWork, site: int) -> date:
    return local_day(work.now, site_facts(work, site).time_zone)


def _on(line: Line, day: date) -> date:
    """The promised day of goods that are ready on a day: a delivery day by the way they take, and never before it is wished."""
    if line.basis == "delivery":
        day += timedelta(days=max(0, (line.requested_on - line.requested_ship_on).days))
    return max(day, line.floor)


def _from_here(
    work: UnitOfWork, rules: ProcessRules, order: Order, line: Line, short: int, closed: str | None
) -> list[Option]:
    free = free_for_all(work, {(line.site_id, line.item_id)}, beyond_waiting=False)[line.site_id, line.item_id]
    covers = min(free, short)
    if covers <= 0:
        return []
    way = Way.ALLOCATE if covers == short else Way.SPLIT
    if way == Way.SPLIT and not rules.stored(work, order.ruleset)["partial_shipment"]:
        closed = closed or "leaves_whole"
    return [
        Option(
            way=way, target=None, covers=covers, promised_on=_on(line, _today(work, line.site_id)), closed=closed,
            margin_minor=_margin(work, order, line, covers, _cost(work, line.item_id)),
        )
    ]  # fmt: skip


def _from_elsewhere(
    work: UnitOfWork, cells: CellStates, order: Order, line: Line, short: int, closed: str | None
) -> list[Option]:
    sites = [site for site in open_sites(work, cells, order) if site != line.site_id]
    free = free_for_all(work, {(site, line.item_id) for site in sites})
    lanes = lanes_from(work, [*sites, line.site_id])
    country = country_of(work, line.ship_to_id, order)
    if line.allocated or line.picked or line.shipped:
        closed = closed or "begun_here"

    def way_of(site: int) -> tuple[int, int]:
        lane = lanes.get((site, country)) or lanes.get((site, "*"))
        return (lane.transit_days, lane.cost_minor) if lane else (0, 0)

    here = way_of(line.site_id)
    out = []
    for site in sites:
        there = free[site, line.item_id]
        if there < short:
            continue
        days, cost = way_of(site)
        extra = cost - here[1]
        ready = _today(work, site) + timedelta(days=max(0, days - here[0]))
        out.append(
            Option(
                way=Way.OTHER_SITE, target=site, covers=short, closed=closed, extra_minor=extra,
                promised_on=_on(line, ready), ready_on=ready,
                margin_minor=_margin(work, order, line, short, _cost(work, line.item_id), extra),
            )
        )  # fmt: skip
    return out


def _instead(
    work: UnitOfWork, rules: ProcessRules, order: Order, line: Line, short: int, closed: str | None
) -> list[Option]:
    return [
        Option(
            way=Way.SUBSTITUTE, target=item, covers=min(free, short), closed=closed,
            promised_on=_on(line, _today(work, line.site_id)),
            margin_minor=_margin(work, order, line, min(free, short), _cost(work, item)),
        )
        for item, free, _ in offered(work, rules, order, line)
        if free > 0
    ]  # fmt: skip


def _bought(work: UnitOfWork, order: Order, line: Line, short: int, closed: str | None) -> list[Option]:
    """What nothing covers that is there or comes, once who waits longer has taken theirs, and what suppliers are not asked for
    yet on behalf of this line; waiting is the way to what they are.
    """
    want = Wanted(line.id, line.site_id, line.item_id, short, line.backordered_at or work.now)
    parts = promised_parts(work, [want])[line.id]
    missing = sum(part.quantity for part in parts if part.reason == PromiseReason.LEAD_TIME)
    left = min(missing, short - on_order(work, [line.id]).get(line.id, 0))
    if left <= 0:
        return []
    today = _today(work, line.site_id)
    return [
        Option(
            way=Way.PURCHASE, target=offer.supplier.id, covers=left, closed=closed,
            promised_on=_on(line, today + timedelta(days=offer.lead_days)),
            margin_minor=_margin(work, order, line, left, offer.price), expected=short - left,
        )
        for offer in offers(work, {line.item_id}).get(line.item_id, ())
    ]  # fmt: skip


def choose(
    work: UnitOfWork,
    command: Choose,
    *,
    rules: ProcessRules,
    cells: CellStates,
    authority: Authority = BY_PERMISSION,
) -> Option:
    """Take one way for a short line: it is carried out at once, and kept with its reason and all the others.

    Raises ``RuleBroken("way_gone")`` when it is not there any more: what it took has been used, or the line is short no longer.
    """
    rows = read_rows(work, OrderLine, ("id", "order_id"), "id", [command.line])
    if not rows:
        raise NotFound("line_unknown", line=command.line)
    key = rows[0].order_id
    seen = None if command.seen_version is None else {key: command.seen_version}
    (order,) = lock_orders(work, [key], seen=seen)
    line = next(one for one in order.lines if one.id == command.line)
    work.actor.require(CHOOSE, site=line.site_id)
    if not command.reason.strip():
        raise RuleBroken("reason_required", field="reason", document="order", move="choose")
    options = compare(work, rules, cells, order, line)
    chosen = next((one for one in options if one.key == command.option), None)
    if chosen is None:
        raise RuleBroken("way_gone", field="option", line=line.line_no, document=order.number)
    if chosen.closed is not None:
        raise RuleBroken("way_closed", field="option", line=line.line_no, document=order.number, why=chosen.closed)
    keep_choice(
        work, order, line, chosen.way, chosen.covers, command.reason.strip(), {"chosen": chosen.key, "options": _facts(options)}
    )  # fmt: skip
    facts = {"line": line.id, "option": chosen.key, "quantity": chosen.covers}
    record_move(
        work, "order", order.id, "shortage", order.state, order.state, reason=command.reason.strip(), facts=facts
    )  # fmt: skip
    _carry_out(work, order, line, chosen, command.reason.strip(), rules, cells, authority)
    return chosen


def _facts(options: Sequence[Option]) -> list[dict[str, Any]]:
    return [{**asdict(one), "promised_on": one.promised_on.isoformat(), "ready_on": None} for one in options]


def _carry_out(
    work: UnitOfWork,
    order: Order,
    line: Line,
    chosen: Option,
    reason: str,
    rules: ProcessRules,
    cells: CellStates,
    authority: Authority,
) -> None:
    if chosen.way == Way.WAIT:
        return
    if chosen.way == Way.SUBSTITUTE:
        command = Substitute(line=line.id, item=chosen.target or 0, quantity=chosen.covers, reason=reason)
        substitute_lines(work, [command], rules=rules, cells=cells, authority=authority)
        return
    if chosen.way == Way.PURCHASE:
        _buy(work, order, line, chosen, rules, cells)
        return
    if chosen.way == Way.OTHER_SITE:
        admit_order(work, cells, order, site=chosen.target)
        line.site_id, line.source_reason = chosen.target or line.site_id, "choice"
        event = OrderSourced(reason="choice", lines=[LineSource(line=line.id, site=line.site_id)])
        publish_order(work, order, event, "promise", work.now)
    else:
        admit_order(work, cells, order, site=line.site_id)
    (got,) = reserve(
        work, [Demand(line.id, order.entity_id, line.site_id, line.item_id, chosen.covers)], at=work.now
    )  # fmt: skip
    if got < chosen.covers:
        raise RuleBroken("way_gone", field="option", line=line.line_no, document=order.number)
    give_stock(work, [(order, line)], {line.id: got})
    if line.unallocated == 0:
        day = _today(work, line.site_id)
        reason = (
            PromiseReason.THIRD_PARTY
            if site_facts(work, line.site_id).kind == SiteKind.THIRD_PARTY
            else PromiseReason.STOCK
        )
        set_promise(work, order, line, Part(max(day, chosen.ready_on or day), got, reason))
        publish_promises(work, order, [line], work.now)
    save_orders(work, [order], [line])


def _buy(work: UnitOfWork, order: Order, line: Line, chosen: Option, rules: ProcessRules, cells: CellStates) -> None:
    """Order it from the supplier for the line's site; the line is promised from what is expected."""
    quantity = Decimal(chosen.covers).scaleb(-QUANTITY_PLACES)
    command = PlacePurchase(
        site=line.site_id, supplier=chosen.target or 0, note=f"for {order.number}, line {line.line_no}",
        lines=[WantedLine(item=line.item_id, quantity=quantity, order_line=line.id)],
    )  # fmt: skip
    place_purchases(work, [command], rules=rules, cells=cells)
    since = line.backordered_at or work.now
    parts = promised_parts(work, [Wanted(line.id, line.site_id, line.item_id, line.unallocated, since)])
    set_promise(work, order, line, whole(parts[line.id]))
    publish_promises(work, order, [line], work.now)
    save_orders(work, [order], [line])

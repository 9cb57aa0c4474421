"""Which site ships each line of a new order? By the rule of its place, once; the choice and what it was made from are kept.

Only sites that have all of a line free now, beyond what others wait for, and whose cell is open take part. Where none has it the
line stays with the site that sells, and waits there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import select

from erpcore.inventory.balances import Place
from erpcore.inventory.supply import free_at, waited_for
from erpcore.kernel.canonical import canonical_json
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.rows import read_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.models import Site, SiteKind, SourcingLane
from erpcore.masterdata.queries import commitment, site_facts
from erpcore.orders.addressing import country_of
from erpcore.orders.allocation_models import ShortageChoice
from erpcore.orders.direct_promise import promise_direct_lines
from erpcore.orders.documents import Line, Order
from erpcore.orders.promise import promise_new_lines
from erpcore.orders.rules import line_dates
from erpcore.orders.source_rules import Candidate, SourcingRule, choose, fewest
from erpcore.ports import Cell, CellStates, Process, ProcessRules, admit
from erpcore.published.sourcing import LineSource, OrderSourced

CHOICE = (
    "id", "order_id", "order_line_id", "option", "quantity", "reason", "facts", "chosen_at", "chosen_by",
)  # fmt: skip
Pairs = Sequence[tuple[Order, Line]]


class Way(NamedTuple):
    """What it takes to serve a country from a site."""

    transit_days: int
    cost_minor: int


def source_and_promise(work: UnitOfWork, rules: ProcessRules, cells: CellStates | None, lines: Pairs) -> None:
    """Choose who ships lines just taken and promise them; without ``cells`` the site that sells ships them all."""
    if cells is not None:
        _source(work, rules, cells, lines)
    promise_new_lines(work, rules, lines)
    promise_direct_lines(work, lines)


def _source(work: UnitOfWork, rules: ProcessRules, cells: CellStates, lines: Pairs) -> None:
    by_rule = {
        line.id: str(rules.stored(work, line.ruleset or order.ruleset)["sourcing_rule"])
        for order, line in lines
        if line.has_stock
    }
    wanted = [(order, line) for order, line in lines if by_rule.get(line.id, "own_site") != SourcingRule.OWN_SITE]
    if not wanted:
        return
    orders = {order.id: order for order, _ in wanted}
    sites = {order.id: open_sites(work, cells, order) for order in orders.values()}
    free = free_for_all(work, {(site, line.item_id) for order, line in wanted for site in sites[order.id]})
    lanes = lanes_from(work, {site for found in sites.values() for site in found})
    for order in orders.values():
        own = [(line, by_rule[line.id]) for other, line in wanted if other is order]
        _choose_for(work, order, own, sites[order.id], free, lanes)


def _choose_for(
    work: UnitOfWork,
    order: Order,
    lines: Sequence[tuple[Line, str]],
    sites: Sequence[int],
    free: dict[Place, int],
    lanes: Mapping[tuple[int, str], Way],
) -> None:
    together: dict[int, tuple[int, list[Candidate]]] = {}
    for line, rule in lines:
        if rule == SourcingRule.FEWEST_SPLITS:
            together[line.id] = (line.quantity, candidates(work, order, line, sites, free, lanes))
    few = fewest(together) if together else {}
    for line, rule in lines:
        there = candidates(work, order, line, sites, free, lanes)
        found = few.get(line.id) if rule == SourcingRule.FEWEST_SPLITS else choose(rule, there, line.quantity)
        if found is not None and free.get((found.site, line.item_id), 0) < line.quantity:
            # Another line of the order takes the same item from there.
            found = choose(rule, there, line.quantity)
        if found is None:
            continue
        free[found.site, line.item_id] -= line.quantity
        if found.site != line.site_id:
            line.site_id, line.source_reason = found.site, rule
        keep_choice(
            work, order, line, "sourced", line.quantity, rule,
            {"sites": [one._asdict() for one in there], "chosen": found.site},
        )  # fmt: skip


def open_sites(work: UnitOfWork, cells: CellStates, order: Order) -> list[int]:
    """The sites of the company with stock, third parties among them, whose cell would take this order; the seller's first."""
    home = site_facts(work, order.site_id)
    query = (
        select(Site.id)
        .where(Site.entity_id == home.entity.id, Site.kind != SiteKind.DROP_SHIP, Site.id != home.id)
        .order_by(Site.id)
    )
    found = [home.id]
    for site in work.session.execute(query).scalars():
        place = site_facts(work, site)
        cell = Cell(place.live_id, order.channel_id, Process.ORDER_TO_CASH, order.customer_group)
        try:
            admit(work, cells, place.entity.realm, cell, begins=True)
        except RuleBroken:
            continue
        found.append(site)
    return found


def free_for_all(work: UnitOfWork, places: Iterable[Place], *, beyond_waiting: bool = True) -> dict[Place, int]:
    """What is free at each place, beyond what others wait for there unless somebody decides past them."""
    asked = set(places)
    waited = waited_for(work, asked) if beyond_waiting else {}
    found = free_at(work, asked)
    return {place: max(0, found.get(place, 0) - waited.get(place, 0)) for place in asked}


def lanes_from(work: UnitOfWork, sites: Iterable[int]) -> dict[tuple[int, str], Way]:
    """The lanes of these sites, by site and country."""
    names = ("site_id", "country", "transit_days", "cost_minor")
    rows = read_rows(work, SourcingLane, names, "site_id", sorted(set(sites)))
    return {(row.site_id, row.country): Way(row.transit_days, row.cost_minor) for row in rows}


def candidates(
    work: UnitOfWork,
    order: Order,
    line: Line,
    sites: Iterable[int],
    free: Mapping[Place, int],
    lanes: Mapping[tuple[int, str], Way],
) -> list[Candidate]:
    """The sites as the rules compare them for one line. A lane to the country it goes to beats one to every country."""
    found = []
    country = country_of(work, line.ship_to_id, order)
    for site in sites:
        way = lanes.get((site, country)) or lanes.get((site, "*"))
        found.append(
            Candidate(
                site, free.get((site, line.item_id), 0), site == order.site_id, way.transit_days if way else None,
                way.cost_minor if way else None, _late_days(work, order, line, site, way),
            )
        )  # fmt: skip
    return found


def _late_days(work: UnitOfWork, order: Order, line: Line, site: int, way: Way | None) -> int:
    """How many days after the day committed to, or a later wish, it would come from there.

    By what that site promises itself: its cut-off, its lead time and its days of serving; on the way for as long as the lane
    says, or the commitment where no lane leads there.
    """
    place = site_facts(work, site)
    day = local_day(order.captured_at, place.time_zone)
    terms = commitment(work, site, order.channel_id, order.customer_group, day)
    if way is not None:
        terms = terms._replace(transit_days=way.transit_days)
    terms = terms._replace(basis=line.basis)
    comes = line_dates(order.captured_at, place.time_zone, terms, None, None).committed
    return max(0, (comes - max(line.committed_on, line.requested_on)).days)


def keep_choice(
    work: UnitOfWork, order: Order, line: Line, option: str, quantity: int, reason: str, facts: dict[str, Any]
) -> None:
    """Keep what was chosen for a line, out of what, and why; written when the unit of work ends."""
    row = (
        None, order.id, line.id, option, quantity, reason, canonical_json(facts).decode(), work.now, work.actor.id,
    )  # fmt: skip
    work.later(ShortageChoice.__table__, CHOICE, row)


def report_sources(work: UnitOfWork, orders: Iterable[Order]) -> None:
    """Tell of lines that another site ships than the one that sells."""
    for order in orders:
        elsewhere = defaultdict(list)
        for line in order.lines:
            if line.site_id != order.site_id and line.source_reason:
                elsewhere[line.source_reason].append(LineSource(line=line.id, site=line.site_id))
        for reason, lines in sorted(elsewhere.items()):
            work.publish(
                OrderSourced(reason=reason, lines=lines), order.place(work), step="order_to_cash.promise",
                subject=("order", order.id, order.version), journey=order.id, at=order.captured_at,
            )  # fmt: skip

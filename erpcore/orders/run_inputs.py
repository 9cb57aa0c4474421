"""What does an allocation run look at, what does each rule make of it, and how is that kept for who asks why?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import select

from erpcore.inventory.balances import Place, lock_balances
from erpcore.inventory.models import Reservation
from erpcore.inventory.supply import free_at
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.rows import chunks, raw_columns, write_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import SiteFacts
from erpcore.orders.allocation_models import AllocationRun, AllocationRunLine, AllocationRunPlace
from erpcore.orders.claims import kept_by_contract, steps_of, waiting_claims, whole_orders_short
from erpcore.orders.models import OrderLine
from erpcore.orders.moving import admit_cell
from erpcore.orders.ranking import AllocationRule, Claim, Share, plan, rule_of
from erpcore.ports import CellStates, ProcessRules

_LINE = (
    "run_id", "order_line_id", "order_id", "item_id", "customer_id", "rank", "moved_to", "wanted", "got", "why", "since",
    "priority", "tier", "by_first_come", "by_priority", "by_contract", "by_fair_share",
)  # fmt: skip
_PLACE = ("run_id", "item_id", "rule", "free", "wanted", "given", "protected")
#: Every rule, in the order of the columns that say what it would have given.
_RULES = (
    AllocationRule.FIRST_COME, AllocationRule.PRIORITY, AllocationRule.CONTRACT_PROTECTION, AllocationRule.FAIR_SHARE,
)  # fmt: skip
Claims = Mapping[Place, Sequence[Claim]]


class Inputs(NamedTuple):
    """What a run works on: claims, free stock, rules and protections by place; ``uncovered`` are orders that leave whole of
    which a line waits where nothing is free.
    """

    claims: Claims
    free: Mapping[Place, int]
    rules: Mapping[Place, str]
    steps: Mapping[Place, int]
    kept: Mapping[Place, Mapping[int, int]]
    uncovered: frozenset[int]


def claims_at(
    work: UnitOfWork, rules: ProcessRules, cells: CellStates, site: int, wanted: Iterable[int] | None = None
) -> dict[Place, list[Claim]]:
    """Who waits at a site for the ``wanted`` items, and for the other items of orders among them that leave whole."""
    claims = admitted_claims(work, rules, cells, site, wanted)
    if wanted is None:
        return claims
    asked = set(wanted)
    whole = {claim.order for there in claims.values() for claim in there if claim.whole}
    more = {item for order_lines in _waiting_lines(work, whole).values() for _, item in order_lines}
    return admitted_claims(work, rules, cells, site, asked | more) if more - asked else claims


def admitted_claims(
    work: UnitOfWork,
    rules: ProcessRules,
    cells: CellStates,
    site: int,
    wanted: Iterable[int] | None,
    *,
    but: Iterable[int] = (),
) -> dict[Place, list[Claim]]:
    """Who waits at a site, without the lines ``but`` and without orders whose cell is closed: they could not use what they got, and hold up nobody."""
    is_open: dict[tuple[int, int, int | None] | None, bool] = {None: True}
    found: dict[Place, list[Claim]] = {}
    for place, there in waiting_claims(work, rules, site, wanted, but=but).items():
        for cell in {claim.cell for claim in there} - is_open.keys():
            is_open[cell] = cell is None or _admits(work, cells, cell, site)
        kept = [claim for claim in there if is_open[claim.cell]]
        if kept:
            found[place] = kept
    return found


def _admits(work: UnitOfWork, cells: CellStates, cell: tuple[int, int, int | None], site: int) -> bool:
    try:
        admit_cell(work, cells, *cell, site=site)
    except RuleBroken:
        return False
    return True


def _waiting_lines(work: UnitOfWork, orders: Iterable[int]) -> dict[int, list[tuple[int, int]]]:
    """Line and item of everything that waits, by order."""
    found: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for part in chunks(sorted(set(orders))):
        query = (
            select(*raw_columns(OrderLine, "order_id", "id", "item_id"))
            .join(Reservation, Reservation.order_line_id == OrderLine.id)
            .where(OrderLine.order_id.in_(part), Reservation.unmet > 0)
        )
        for row in work.session.execute(query):
            found[row.order_id].append((row.id, row.item_id))
    return found


def run_inputs(
    work: UnitOfWork,
    rules: ProcessRules,
    site: SiteFacts,
    claims: Claims,
    *,
    lock: bool = False,
    keep_empty: bool = False,
) -> Inputs:
    """Claims on places where something is free, rules, protections; the rest has nothing to share.

    ``keep_empty``: places without free stock too, to see who would be next there.
    """
    if lock:
        held = lock_balances(work, claims)
        free = {place: held[place][0] - held[place][1] - held[place][2] if place in held else 0 for place in claims}
    else:
        free = free_at(work, claims)
    there = {place: list(waiting) for place, waiting in sorted(claims.items()) if keep_empty or free.get(place, 0) > 0}
    whole = {claim.order for waiting in there.values() for claim in waiting if claim.whole}
    lines = {order: [line for line, _ in waiting] for order, waiting in _waiting_lines(work, whole).items()}
    return Inputs(
        there, {place: max(0, free.get(place, 0)) for place in there}, {place: rule_of(waiting) for place, waiting in there.items()},
        steps_of(work, there), kept_by_contract(work, there, local_day(work.now, site.time_zone)),
        frozenset(whole_orders_short(there, lines)),
    )  # fmt: skip


def planned(inputs: Inputs, rule: str | None = None) -> dict[Place, list[Share]]:
    """Shares by the rule of each place, or all by one rule, as if nobody had moved a line."""
    rules = dict.fromkeys(inputs.claims, rule) if rule else inputs.rules
    claims = inputs.claims
    if rule:
        claims = {place: [claim._replace(moved=None) for claim in there] for place, there in claims.items()}
    return plan(claims, inputs.free, rules=rules, steps=inputs.steps, protected=inputs.kept, uncovered=inputs.uncovered)


def write_run(work: UnitOfWork, run: AllocationRun, inputs: Inputs) -> None:
    """Keep what a run looked at and what it gives, beside what every rule would have given."""
    chosen = planned(inputs)
    others = [{share.line: share.got for there in planned(inputs, rule).values() for share in there} for rule in _RULES]
    places: list[tuple[Any, ...]] = []
    lines: list[tuple[Any, ...]] = []
    for place, there in inputs.claims.items():
        by_line = {claim.line: claim for claim in there}
        places.append(
            (
                run.id, place[1], inputs.rules[place], inputs.free[place], sum(claim.wanted for claim in there),
                sum(share.got for share in chosen[place]), sum(inputs.kept.get(place, {}).values()),
            )
        )  # fmt: skip
        for share in chosen[place]:
            claim = by_line[share.line]
            lines.append(
                (
                    run.id, claim.line, claim.order, place[1], claim.customer, share.rank, claim.moved, claim.wanted,
                    share.got, share.why, claim.since, claim.priority, claim.tier, *(got[claim.line] for got in others),
                )
            )  # fmt: skip
    write_rows(work, AllocationRunPlace.__table__, _PLACE, places)
    write_rows(work, AllocationRunLine.__table__, _LINE, lines)

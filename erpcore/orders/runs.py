"""Allocation runs: who waits at a site, what would each get and why, and what happens once somebody commits it.

A run is simulated first and kept with its explanation. Committing looks at the same places again, locked: where something
has changed since, the run is out of date and nothing happens. A ranking changed by hand needs another person's commitment.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import select

from erpcore.inventory.balances import Place, lock_balances
from erpcore.inventory.models import Reservation, StockBalance
from erpcore.inventory.services import Demand, reserve
from erpcore.inventory.supply import free_at
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import Conflict, NotAllowed, NotFound, RuleBroken
from erpcore.kernel.rows import read_rows, write_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import SiteFacts, site_facts
from erpcore.orders.allocation import give_stock
from erpcore.orders.allocation_models import (
    AllocationRun,
    AllocationRunLine,
    AllocationRunPlace,
    RunState,
    RunTrigger,
)
from erpcore.orders.claims import kept_by_contract, steps_of, waiting_claims
from erpcore.orders.flow import ALLOCATION_RUN
from erpcore.orders.models import OrderLine
from erpcore.orders.moving import admit_order, publish_order
from erpcore.orders.ranking import AllocationRule, Claim, Share, plan, rule_of
from erpcore.orders.records import lock_orders, save_orders
from erpcore.ports import CellStates, ProcessRules
from erpcore.published import LineQuantity, OrderAllocationOverridden

SIMULATE = "orders:allocation:simulate"
COMMIT = "orders:allocation:commit"
OVERRIDE = "orders:allocation:override"

_LINE = (
    "run_id", "order_line_id", "order_id", "item_id", "customer_id", "rank", "moved_to", "wanted", "got", "why", "since",
    "priority", "tier", "by_first_come", "by_priority", "by_contract", "by_fair_share",
)  # fmt: skip
_PLACE = ("run_id", "item_id", "rule", "free", "wanted", "given", "protected")


@dataclass(frozen=True, kw_only=True, slots=True)
class SimulateRun:
    """Look at a site, or one item of it."""

    site: int
    item: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class MoveLine:
    """Give a line another rank in a simulated run, with a reason."""

    run: int
    line: int
    rank: int
    reason: str
    seen_version: int | None = None


class Inputs(NamedTuple):
    """What a run works on: claims, free stock, rules and protections by place."""

    claims: Mapping[Place, Sequence[Claim]]
    free: Mapping[Place, int]
    rules: Mapping[Place, str]
    steps: Mapping[Place, int]
    kept: Mapping[Place, Mapping[int, int]]


def simulate_run(
    work: UnitOfWork, command: SimulateRun, *, rules: ProcessRules, trigger: RunTrigger = RunTrigger.PERSON
) -> AllocationRun:
    """What each waiting line would get now, by the rule of its place and by every other; nothing of the stock changes.

    Raises ``RuleBroken("nothing_waits")`` where no line waits for an item of which something is free.
    """
    work.actor.require(SIMULATE, site=command.site)
    site = site_facts(work, command.site)
    wanted = None if command.item is None else [command.item]
    inputs = _inputs(work, rules, site, waiting_claims(work, rules, site.id, wanted))
    if not inputs.claims:
        raise RuleBroken("nothing_waits", site=site.code)
    run = AllocationRun(
        id=work.ids.one(), entity_id=site.entity.id, site_id=site.id, item_id=command.item, state=RunState.SIMULATED,
        trigger=trigger, simulated_at=work.now, simulated_by=work.actor.id, places=len(inputs.claims),
        lines=sum(len(there) for there in inputs.claims.values()), version=1,
    )  # fmt: skip
    work.session.add(run)
    work.session.flush()
    _write(work, run, inputs)
    return run


def _inputs(
    work: UnitOfWork,
    rules: ProcessRules,
    site: SiteFacts,
    claims: Mapping[Place, Sequence[Claim]],
    *,
    lock: bool = False,
) -> Inputs:
    """Claims on places where something is free; the rest has nothing to share."""
    if lock:
        held = lock_balances(work, claims)
        free = {place: held[place][0] - held[place][1] - held[place][2] if place in held else 0 for place in claims}
    else:
        free = free_at(work, claims)
    there = {place: list(waiting) for place, waiting in sorted(claims.items()) if free.get(place, 0) > 0}
    kept = kept_by_contract(work, there, local_day(work.now, site.time_zone))
    return Inputs(
        there, {place: free[place] for place in there}, {place: rule_of(waiting) for place, waiting in there.items()},
        steps_of(work, there), kept,
    )  # fmt: skip


def _planned(inputs: Inputs, rule: str | None = None) -> dict[Place, list[Share]]:
    """Shares by the rule of each place, or all by one rule, as if nobody had moved a line."""
    rules = dict.fromkeys(inputs.claims, rule) if rule else inputs.rules
    claims = inputs.claims
    if rule:
        claims = {place: [claim._replace(moved=None) for claim in there] for place, there in claims.items()}
    return plan(claims, inputs.free, rules=rules, steps=inputs.steps, protected=inputs.kept)


def _write(work: UnitOfWork, run: AllocationRun, inputs: Inputs) -> None:
    chosen = _planned(inputs)
    others = [
        {share.line: share.got for there in _planned(inputs, rule).values() for share in there}
        for rule in (
            AllocationRule.FIRST_COME, AllocationRule.PRIORITY, AllocationRule.CONTRACT_PROTECTION, AllocationRule.FAIR_SHARE,
        )
    ]  # fmt: skip
    places, lines = [], []
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


def _locked(work: UnitOfWork, run: int, move: str, seen: int | None = None) -> AllocationRun:
    row = work.session.get(AllocationRun, run, with_for_update={"key_share": True})
    if row is None or (work.actor.sites is not None and row.site_id not in work.actor.sites):
        raise NotFound("run_unknown", run=run)
    site_facts(work, row.site_id)
    ALLOCATION_RUN.target(move, row.state, reason="-")
    if seen is not None and seen != row.version:
        raise Conflict("changed_meanwhile", document=f"run {row.id}")
    return row


def move_line(work: UnitOfWork, command: MoveLine, *, rules: ProcessRules) -> AllocationRun:
    """Rank a line by hand in a simulated run. The run is worked out anew, and then needs another person to commit it."""
    run = _locked(work, command.run, "commit", command.seen_version)
    work.actor.require(OVERRIDE, site=run.site_id)
    if not command.reason.strip():
        raise RuleBroken("reason_required", field="reason", document=f"run {run.id}", move="move")
    kept = _kept(work, run)
    line = next((row for row in kept if row.order_line_id == command.line), None)
    if line is None:
        raise NotFound("line_unknown", line=command.line)
    if command.rank < 1:
        raise RuleBroken("rank_absurd", field="rank", rank=command.rank)
    moved = {row.order_line_id: row.moved_to for row in kept if row.moved_to is not None}
    moved[command.line] = command.rank
    inputs = _current(work, run, rules, kept, moved)
    table = AllocationRunLine.__table__
    work.session.execute(AllocationRunPlace.__table__.delete().where(AllocationRunPlace.run_id == run.id))
    work.session.execute(table.delete().where(table.c.run_id == run.id))
    _write(work, run, inputs)
    run.moved_by, run.moved_reason, run.version = work.actor.id, command.reason, run.version + 1
    work.audit(
        "allocation_moved", "allocation_run", run.id, line=command.line, rank=command.rank, was=line.rank,
        reason=command.reason,
    )  # fmt: skip
    return run


def _kept(work: UnitOfWork, run: AllocationRun) -> list[Any]:
    names = ("order_line_id", "order_id", "item_id", "rank", "moved_to", "wanted", "got")
    return read_rows(work, AllocationRunLine, names, "run_id", [run.id])


def _current(
    work: UnitOfWork,
    run: AllocationRun,
    rules: ProcessRules,
    kept: Sequence[Any],
    moved: Mapping[int, int],
    *,
    lock: bool = False,
) -> Inputs:
    """The run's places as they are now. Raises ``Conflict("run_outdated")`` when claims or free stock changed since."""
    site = site_facts(work, run.site_id)
    wanted = {row.item_id for row in kept}
    if lock:
        lock_balances(work, {(site.id, item) for item in wanted})
    claims = {
        place: [claim._replace(moved=moved.get(claim.line)) for claim in there]
        for place, there in waiting_claims(work, rules, site.id, wanted).items()
    }
    inputs = _inputs(work, rules, site, claims, lock=lock)
    then = {(row.order_line_id, row.wanted) for row in kept}
    now = {(claim.line, claim.wanted) for there in inputs.claims.values() for claim in there}
    names = ("item_id", "rule", "free")
    stood = {
        (row.item_id, row.rule, row.free) for row in read_rows(work, AllocationRunPlace, names, "run_id", [run.id])
    }
    stands = {(place[1], inputs.rules[place], inputs.free[place]) for place in inputs.claims}
    if then != now or stood != stands:
        raise Conflict("run_outdated", run=run.id, changed=len({line for line, _ in then ^ now}))
    return inputs


def commit_run(
    work: UnitOfWork, run_id: int, *, rules: ProcessRules, cells: CellStates, seen_version: int | None = None
) -> AllocationRun:
    """Give the lines what the run gave them, all of it or nothing.

    Raises ``Conflict("run_outdated")`` when somebody else took or brought stock meanwhile, ``NotAllowed("own_request")`` for
    who changed its ranking.
    """
    run = _locked(work, run_id, "commit", seen_version)
    work.actor.require(COMMIT, site=run.site_id)
    if run.moved_by is not None and run.moved_by == work.actor.id:
        raise NotAllowed("own_request", document=f"run {run.id}")
    kept = _kept(work, run)
    winners = {row.order_line_id: row.got for row in kept if row.got}
    orders = {order.id: order for order in lock_orders(work, {row.order_id for row in kept if row.got})}
    for order in orders.values():
        for site in {order.site_id, run.site_id}:
            admit_order(work, cells, order, site=site)
    moved = {row.order_line_id: row.moved_to for row in kept if row.moved_to is not None}
    inputs = _current(work, run, rules, kept, moved, lock=True)
    shares = {share.line: share.got for there in _planned(inputs).values() for share in there if share.got}
    if shares != winners:
        raise Conflict("run_outdated", run=run.id, changed=len(shares.items() ^ winners.items()))
    lines = [
        (order, line) for order in orders.values() for line in order.lines if line.id in winners
    ]  # fmt: skip
    demands = [Demand(line.id, order.entity_id, line.site_id, line.item_id, winners[line.id]) for order, line in lines]
    got = dict(zip([line.id for _, line in lines], reserve(work, demands, at=work.now), strict=True))
    if got != winners:
        raise Conflict("run_outdated", run=run.id, changed=len(got.items() ^ winners.items()))
    give_stock(work, lines, got)
    if run.moved_by is not None:
        _tell_overrides(work, run, inputs, lines, got)
    save_orders(work, list(orders.values()), [line for _, line in lines])
    _decide(work, run, "commit", None)
    return run


def _tell_overrides(
    work: UnitOfWork, run: AllocationRun, inputs: Inputs, lines: Sequence[tuple[Any, Any]], got: Mapping[int, int]
) -> None:
    """Lines that got another quantity by hand than the rule would have given them."""
    unmoved = inputs._replace(
        claims={place: [claim._replace(moved=None) for claim in there] for place, there in inputs.claims.items()}
    )
    by_rule = {share.line: share.got for there in _planned(unmoved).values() for share in there}
    changed: dict[int, list[LineQuantity]] = defaultdict(list)
    orders = {}
    for order, line in lines:
        if by_rule.get(line.id, 0) != got[line.id]:
            changed[order.id].append(LineQuantity(line=line.id, quantity=got[line.id]))
            orders[order.id] = order
    for key, quantities in changed.items():
        event = OrderAllocationOverridden(run=run.id, reason=run.moved_reason or "", lines=quantities)
        publish_order(work, orders[key], event, "allocate", work.now)


def reject_run(work: UnitOfWork, run_id: int, reason: str) -> AllocationRun:
    """Put a simulated run aside, with a reason."""
    run = _locked(work, run_id, "reject")
    work.actor.require(COMMIT, site=run.site_id)
    if not reason.strip():
        raise RuleBroken("reason_required", field="reason", document=f"run {run.id}", move="reject")
    _decide(work, run, "reject", reason)
    return run


def _decide(work: UnitOfWork, run: AllocationRun, move: str, reason: str | None) -> None:
    run.state = ALLOCATION_RUN.target(move, run.state, reason=reason)
    run.decided_at, run.decided_by, run.reason, run.version = work.now, work.actor.id, reason, run.version + 1
    work.audit(f"allocation_{run.state}", "allocation_run", run.id, moved_by=run.moved_by, reason=reason)


def run_allocation(
    work: UnitOfWork, site: int, items: Sequence[int] | None = None, *, rules: ProcessRules, cells: CellStates
) -> dict[int, int]:
    """Allocate what is free at a site to who waits there, by rule, at once: what a job does when stock has come.

    Returns what each line got. Lines of orders whose cell is closed are left out, so that they hold up nobody.
    """
    place = site_facts(work, site)
    claims = waiting_claims(work, rules, site, items)
    inputs = _inputs(work, rules, place, claims)
    winners = {share.line: share.got for there in _planned(inputs).values() for share in there if share.got}
    of = {claim.line: claim.order for there in inputs.claims.values() for claim in there}
    orders = {order.id: order for order in lock_orders(work, {of[line] for line in winners})}
    closed = set()
    for order in orders.values():
        try:
            for key in {order.site_id, site}:
                admit_order(work, cells, order, site=key)
        except RuleBroken:
            closed.add(order.id)
    # Between reading and locking somebody may have been faster: what counts is what is free now.
    lock_balances(work, inputs.claims)
    again = {
        there: [claim for claim in waiting if claim.order not in closed]
        for there, waiting in waiting_claims(work, rules, site, {item for _, item in inputs.claims}).items()
    }
    inputs = _inputs(work, rules, place, again, lock=True)
    lines = {line.id: (order, line) for order in orders.values() for line in order.lines}
    got = {
        share.line: share.got
        for there in _planned(inputs).values()
        for share in there
        if share.got and share.line in lines
    }
    pairs = [lines[key] for key in sorted(got)]
    demands = [Demand(line.id, order.entity_id, line.site_id, line.item_id, got[line.id]) for order, line in pairs]
    given = dict(zip(sorted(got), reserve(work, demands, at=work.now), strict=True))
    give_stock(work, pairs, given)
    save_orders(work, list({order.id: order for order, _ in pairs}.values()), [line for _, line in pairs])
    return given


def sites_where_lines_wait(session: Any) -> list[int]:
    """Sites at which a backordered line waits for an item of which something is free."""
    query = (
        select(Reservation.site_id)
        .join(StockBalance, (StockBalance.site_id == Reservation.site_id) & (StockBalance.item_id == Reservation.item_id))
        .join(OrderLine, OrderLine.id == Reservation.order_line_id)
        .where(
            Reservation.unmet > 0, OrderLine.backordered_at.is_not(None),
            StockBalance.on_hand > StockBalance.reserved + StockBalance.blocked,
        )
        .distinct()
    )  # fmt: skip
    return sorted(session.execute(query).scalars())

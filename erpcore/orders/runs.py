"""Allocation runs: who waits at a site, what would each get and why, and what happens once somebody commits it.

A run is simulated first and kept with its explanation. Committing looks at the same places again, locked: where something
has changed since, the run is out of date and nothing happens. A ranking changed by hand needs another person's commitment.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from erpcore.inventory.balances import lock_balances
from erpcore.inventory.services import Demand, reserve
from erpcore.kernel.errors import Conflict, NotAllowed, NotFound, RuleBroken
from erpcore.kernel.rows import read_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import site_facts
from erpcore.orders.allocation import give_stock
from erpcore.orders.allocation_models import (
    AllocationRun,
    AllocationRunLine,
    AllocationRunPlace,
    RunState,
    RunTrigger,
)
from erpcore.orders.documents import Order
from erpcore.orders.flow import ALLOCATION_RUN
from erpcore.orders.moving import admit_order, publish_order
from erpcore.orders.records import lock_orders, save_orders
from erpcore.orders.run_inputs import Inputs, admitted_claims, claims_at, planned, run_inputs, write_run
from erpcore.ports import CellStates, ProcessRules
from erpcore.published import LineQuantity, OrderAllocationOverridden

SIMULATE = "orders:allocation:simulate"
COMMIT = "orders:allocation:commit"
OVERRIDE = "orders:allocation:override"


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


def simulate_run(work: UnitOfWork, command: SimulateRun, *, rules: ProcessRules, cells: CellStates) -> AllocationRun:
    """What each waiting line would get now, by the rule of its place and by every other; nothing of the stock changes.

    Raises ``RuleBroken("nothing_waits")`` where no line waits for an item of which something is free.
    """
    work.actor.require(SIMULATE, site=command.site)
    site = site_facts(work, command.site)
    wanted = None if command.item is None else [command.item]
    inputs = run_inputs(work, rules, site, claims_at(work, rules, cells, site.id, wanted))
    if not inputs.claims:
        raise RuleBroken("nothing_waits", site=site.code)
    run = AllocationRun(
        id=work.ids.one(), entity_id=site.entity.id, site_id=site.id, item_id=command.item, state=RunState.SIMULATED,
        trigger=RunTrigger.PERSON, simulated_at=work.now, simulated_by=work.actor.id, places=len(inputs.claims),
        lines=sum(len(there) for there in inputs.claims.values()), version=1,
    )  # fmt: skip
    work.session.add(run)
    work.session.flush()
    write_run(work, run, inputs)
    return run


def _locked(work: UnitOfWork, run: int, move: str, seen: int | None = None) -> AllocationRun:
    row = work.session.get(AllocationRun, run, with_for_update={"key_share": True})
    if row is None or (work.actor.sites is not None and row.site_id not in work.actor.sites):
        raise NotFound("run_unknown", run=run)
    site_facts(work, row.site_id)
    ALLOCATION_RUN.target(move, row.state, reason="-")
    if seen is not None and seen != row.version:
        raise Conflict("changed_meanwhile", document=f"run {row.id}")
    return row


def move_line(work: UnitOfWork, command: MoveLine, *, rules: ProcessRules, cells: CellStates) -> AllocationRun:
    """Rank a line by hand in a simulated run. The run is worked out anew, and then needs another person to commit it.

    Raises ``NotAllowed("run_moved_by_another")`` where somebody else has ranked by hand already.
    """
    run = _locked(work, command.run, "commit", command.seen_version)
    work.actor.require(OVERRIDE, site=run.site_id)
    if run.moved_by is not None and run.moved_by != work.actor.id:
        # The run remembers one person who ranked it, and that one never commits it.
        raise NotAllowed("run_moved_by_another", run=run.id)
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
    inputs = _current(work, run, rules, cells, kept, moved)
    table = AllocationRunLine.__table__
    work.session.execute(AllocationRunPlace.__table__.delete().where(AllocationRunPlace.run_id == run.id))
    work.session.execute(table.delete().where(table.c.run_id == run.id))
    write_run(work, run, inputs)
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
    cells: CellStates,
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
        for place, there in admitted_claims(work, rules, cells, site.id, wanted).items()
    }
    inputs = run_inputs(work, rules, site, claims, lock=lock)
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
    # Where a person ranked, those who get nothing are told too.
    told = {row.order_id for row in kept if row.got or run.moved_by is not None}
    orders = {order.id: order for order in lock_orders(work, told)}
    for key in {row.order_id for row in kept if row.got}:
        for site in {orders[key].site_id, run.site_id}:
            admit_order(work, cells, orders[key], site=site)
    moved = {row.order_line_id: row.moved_to for row in kept if row.moved_to is not None}
    inputs = _current(work, run, rules, cells, kept, moved, lock=True)
    shares = {share.line: share.got for there in planned(inputs).values() for share in there if share.got}
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
    overridden = _tell_overrides(work, run, inputs, orders, got) if run.moved_by is not None else set()
    changed = overridden | {order.id for order, _ in lines}
    save_orders(work, [orders[key] for key in sorted(changed)], [line for _, line in lines])
    _decide(work, run, "commit", None)
    return run


def _tell_overrides(
    work: UnitOfWork, run: AllocationRun, inputs: Inputs, orders: Mapping[int, Order], got: Mapping[int, int]
) -> set[int]:
    """Tell of lines that got more or less by hand, or nothing, than the rule would have given them; their orders by id."""
    unmoved = inputs._replace(
        claims={place: [claim._replace(moved=None) for claim in there] for place, there in inputs.claims.items()}
    )
    by_rule = {share.line: share.got for there in planned(unmoved).values() for share in there}
    changed: dict[int, list[LineQuantity]] = defaultdict(list)
    for claim in (claim for there in inputs.claims.values() for claim in there):
        if by_rule.get(claim.line, 0) != got.get(claim.line, 0):
            changed[claim.order].append(LineQuantity(line=claim.line, quantity=got.get(claim.line, 0)))
    for key, quantities in changed.items():
        event = OrderAllocationOverridden(run=run.id, reason=run.moved_reason or "", lines=quantities)
        publish_order(work, orders[key], event, "allocate", work.now)
    return set(changed)


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

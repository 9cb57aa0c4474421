"""Stock has come or become free: who waits for it gets it by the rule of the place, at once, with the explanation kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from erpcore.inventory.balances import Place, lock_balances
from erpcore.inventory.models import Reservation, StockBalance
from erpcore.inventory.services import Demand, reserve
from erpcore.kernel.rows import chunks
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.models import Entity
from erpcore.masterdata.queries import site_facts
from erpcore.orders.allocation import give_stock
from erpcore.orders.allocation_models import AllocationRun, RunState, RunTrigger
from erpcore.orders.models import OrderLine, OrderState, SalesOrder
from erpcore.orders.records import lock_orders, save_orders
from erpcore.orders.run_inputs import Inputs, admitted_claims, claims_at, planned, run_inputs, write_run
from erpcore.ports import CellStates, ProcessRules


def run_allocation(
    work: UnitOfWork,
    site: int,
    items: Sequence[int] | None = None,
    *,
    rules: ProcessRules,
    cells: CellStates,
    keep: bool = True,
) -> dict[int, int]:
    """Allocate what is free at a site to who waits there, by rule, at once; kept as a run where it gave anything.

    Returns what each line got. Lines of orders whose cell is closed are left out, so that they hold up nobody. ``keep``: not
    where nobody will ever ask who got what and why.
    """
    place = site_facts(work, site)
    inputs = run_inputs(work, rules, place, claims_at(work, rules, cells, site, items))
    winners = _winners(inputs)
    if not winners:
        return {}
    of = {claim.line: claim.order for there in inputs.claims.values() for claim in there}
    orders = lock_orders(work, {of[line] for line in winners})
    if work.dialect.name != "sqlite":
        # Between reading and locking somebody may have been faster: what counts is what is free now. SQLite's writer is alone.
        lock_balances(work, inputs.claims)
        again = admitted_claims(work, rules, cells, site, {item for _, item in inputs.claims})
        inputs = run_inputs(work, rules, place, again, lock=True)
        winners = _winners(inputs)
    lines = {line.id: (order, line) for order in orders for line in order.lines}
    got = {line: quantity for line, quantity in winners.items() if line in lines}
    if not got:
        return {}
    pairs = [lines[key] for key in sorted(got)]
    demands = [Demand(line.id, order.entity_id, line.site_id, line.item_id, got[line.id]) for order, line in pairs]
    if keep:
        _keep(work, place.entity.id, site, inputs)
    given = dict(zip(sorted(got), reserve(work, demands, at=work.now), strict=True))
    give_stock(work, pairs, given)
    save_orders(work, list({order.id: order for order, _ in pairs}.values()), [line for _, line in pairs])
    return given


def _winners(inputs: Inputs) -> dict[int, int]:
    return {share.line: share.got for there in planned(inputs).values() for share in there if share.got}


def _keep(work: UnitOfWork, entity: int, site: int, inputs: Inputs) -> None:
    """The run as it was, decided by the system when it was made. Said before stock is reserved: these are its inputs."""
    run = AllocationRun(
        id=work.ids.one(), entity_id=entity, site_id=site, item_id=None, state=RunState.COMMITTED,
        trigger=RunTrigger.STOCK, simulated_at=work.now, simulated_by=work.actor.id, decided_at=work.now,
        decided_by=work.actor.id, places=len(inputs.claims),
        lines=sum(len(there) for there in inputs.claims.values()), version=1,
    )  # fmt: skip
    work.session.add(run)
    work.session.flush()
    write_run(work, run, inputs)


def places_to_serve(session: Session, among: Sequence[Place] | None = None) -> dict[tuple[str, int], list[int]]:
    """Items that lines of released orders wait for and of which something is free, by realm and site.

    Derived from the figures themselves, so that nothing which became free can be forgotten, whoever freed it.
    """
    query = (
        select(Entity.realm, Reservation.site_id, Reservation.item_id)
        .join(StockBalance, (StockBalance.site_id == Reservation.site_id) & (StockBalance.item_id == Reservation.item_id))
        .join(OrderLine, OrderLine.id == Reservation.order_line_id)
        .join(SalesOrder, SalesOrder.id == OrderLine.order_id)
        .join(Entity, Entity.id == Reservation.entity_id)
        .where(
            Reservation.unmet > 0, OrderLine.backordered_at.is_not(None), SalesOrder.state == OrderState.RELEASED,
            StockBalance.on_hand > StockBalance.reserved + StockBalance.blocked,
        )
        .distinct()
    )  # fmt: skip
    found: dict[tuple[str, int], list[int]] = defaultdict(list)
    for part in _at(query, among):
        for realm, site, item in session.execute(part):
            found[realm, site].append(item)
    return {key: sorted(items) for key, items in sorted(found.items())}


def lines_by_place(session: Session, among: Sequence[Place]) -> dict[Place, int]:
    """How many lines wait at each of these places."""
    query = (
        select(Reservation.site_id, Reservation.item_id, func.count())
        .where(Reservation.unmet > 0)
        .group_by(Reservation.site_id, Reservation.item_id)
    )
    return {(row[0], row[1]): row[2] for part in _at(query, among) for row in session.execute(part)}


def _at(query: Any, among: Sequence[Place] | None) -> Iterator[Any]:
    """The question, of these places only; in parts where there are many."""
    if among is None:
        yield query
        return
    for site in sorted({site for site, _ in among}):
        for part in chunks(sorted(item for other, item in among if other == site)):
            yield query.where(Reservation.site_id == site, Reservation.item_id.in_(part))

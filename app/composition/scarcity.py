"""Stock became free: does somebody wait for it? Answered after the commit that freed it, so that nothing idles until a job runs.

Whoever freed it (a receipt, a cancellation, a count) has long been answered for and never fails with this: what cannot be done
now, or would take too long here, is done by the job of the next minute, which finds it by the figures themselves.
"""

from __future__ import annotations

import structlog
from sqlalchemy.exc import DBAPIError

from app.composition.cells import RegisteredCells
from app.composition.expiry import set_met_apart
from app.composition.policies import RegisterRules
from app.composition.uow import Database, reading, unit_of_work
from erpcore.inventory.balances import FREED, Place
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import DomainError
from erpcore.kernel.work import UnitOfWork
from erpcore.orders.rerun import lines_by_place, places_to_serve, run_allocation

log = structlog.get_logger(__name__)
ALLOCATION = Actor.system("allocation")
#: So many waiting lines are served within the request that freed their stock.
_MOST_AT_ONCE = 200


def serve_who_waits(database: Database, work: UnitOfWork) -> None:
    """Allocate what this unit of work freed to who waits for it, in a transaction of its own."""
    freed: set[Place] = work.memo.get(FREED, set())
    # A history says itself who got what.
    if not freed or work.is_refused or work.is_stated:
        return
    try:
        here = _waited_for(database, work, freed)
    except DBAPIError as refusal:
        log.warning("freed stock waits for the job", error=type(refusal).__name__)
        return
    rules, cells = RegisterRules(), RegisteredCells()
    for (_, site), items in here.items():
        try:
            with unit_of_work(
                database, actor=ALLOCATION, clock=work.clock, realm=work.realm, source="system"
            ) as next_work:
                run_allocation(next_work, site, items, rules=rules, cells=cells)
        except (DomainError, DBAPIError) as refusal:
            log.warning("freed stock waits for the job", site=site, error=type(refusal).__name__)


def _waited_for(database: Database, work: UnitOfWork, freed: set[Place]) -> dict[tuple[str, int], list[int]]:
    """Items that somebody waits for, by realm and site; none when that would take too long here."""
    with reading(database) as session:
        here = {key: items for key, items in places_to_serve(session, sorted(freed)).items() if key[0] == work.realm}
        lines = lines_by_place(session, [(site, item) for (_, site), items in here.items() for item in items])
    return here if sum(lines.values()) <= _MOST_AT_ONCE else {}


#: What follows every unit of work of the product.
FOLLOWERS = (serve_who_waits, set_met_apart)

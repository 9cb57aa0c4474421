"""Goods past their last day are nobody's to promise: who sees to it, when the clock says so and when a pick meets them.

A pick that met them has long been answered for and never fails with this; the job of the next quarter of an hour finds by the
bins themselves what was not done here.
"""

from __future__ import annotations

import structlog
from sqlalchemy.exc import DBAPIError

from app.composition.cells import RegisteredCells
from app.composition.policies import RegisterRules
from app.composition.uow import Database, unit_of_work
from erpcore.fulfilment.expired import set_expired_apart
from erpcore.inventory.balances import Place
from erpcore.inventory.bins import EXPIRED_MET
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import Clock
from erpcore.kernel.errors import Busy, Conflict, DomainError
from erpcore.kernel.work import UnitOfWork

log = structlog.get_logger(__name__)
EXPIRY = Actor.system("expiry")
#: So often is tried again when somebody reserved or picked there at the same moment.
_TRIES = 3


def set_place_apart(database: Database, place: Place, *, realm: str, clock: Clock) -> int:
    """Block what is past its last day at a place, in a transaction of its own; returns how many bins were blocked.

    What is refused (its place is counted, somebody works on an order of it) is looked at again by the job.
    """
    rules, cells = RegisterRules(), RegisteredCells()
    for _ in range(_TRIES):
        try:
            with unit_of_work(database, actor=EXPIRY, clock=clock, realm=realm) as work:
                return set_expired_apart(work, place, rules=rules, cells=cells).bins
        except (Busy, Conflict) as refusal:
            code = refusal.code
        except DomainError as refusal:
            code = refusal.code
            break
    log.warning("expired lot not blocked", site=place[0], item=place[1], code=code)
    return 0


def set_met_apart(database: Database, work: UnitOfWork) -> None:
    """Block at once the expired goods that this unit of work met where it looked for something to pick."""
    met: set[Place] = work.memo.get(EXPIRED_MET, set())
    # A history says itself who picked what.
    if not met or work.is_stated:
        return
    for place in sorted(met):
        try:
            set_place_apart(database, place, realm=work.realm, clock=work.clock)
        except DBAPIError as refusal:
            log.warning("expired lot waits for the job", site=place[0], item=place[1], error=type(refusal).__name__)

"""Requests for approval whose time is over go on to others, and those about what is over wait no longer; each for itself."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from app.composition.approving import AROUND
from app.composition.dispute_approvals import overtaken
from app.composition.order_approvals import asked_for_nothing
from app.composition.quote_approvals import asked_for_no_quote
from app.composition.uow import Database, reading, unit_of_work
from app.importers.priceapprovals import asked_for_no_list
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import Clock
from erpcore.kernel.work import UnitOfWork
from governance.approvals.queries import past_due
from governance.approvals.services import escalate, outdate_moved_on

log = structlog.get_logger(__name__)


def escalate_due(database: Database, *, clock: Clock) -> int:
    """How many went on: after so many working hours those of another capacity may decide too."""
    with reading(database) as session:
        gone = (
            asked_for_nothing(session) + asked_for_no_quote(session) + asked_for_no_list(session) + overtaken(session)
        )
        due = past_due(session, clock.now())
    _each(database, clock, gone, lambda work, request: outdate_moved_on(work, request, AROUND))
    return _each(database, clock, due, escalate)


def _each(database: Database, clock: Clock, requests: list[int], step: Callable[[UnitOfWork, int], bool]) -> int:
    """Take a step for every request; for how many it was one."""
    made = 0
    for request in requests:
        try:
            with unit_of_work(database, actor=Actor.system("approvals"), clock=clock) as work:
                taken = step(work, request)
        except Exception:
            # The others wait for it too; this one is tried again by the next run.
            log.exception("approval_not_moved", request=request)
        else:
            made += taken
    return made

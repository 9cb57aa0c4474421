"""Requests for approval whose time is over go on to others, and those about what is over wait no longer; each for itself."""

from __future__ import annotations

import structlog

from app.composition.approving import AROUND
from app.composition.order_approvals import asked_for_nothing
from app.composition.uow import Database, reading, unit_of_work
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import Clock
from governance.approvals.queries import past_due
from governance.approvals.services import escalate, outdate_moved_on

log = structlog.get_logger(__name__)


def escalate_due(database: Database, *, clock: Clock) -> int:
    """How many went on: after so many working hours those of another capacity may decide too."""
    with reading(database) as session:
        gone, due = asked_for_nothing(session), past_due(session, clock.now())
    for request in gone:
        with unit_of_work(database, actor=Actor.system("approvals"), clock=clock) as work:
            outdate_moved_on(work, request, AROUND)
    moved = 0
    for request in due:
        try:
            with unit_of_work(database, actor=Actor.system("approvals"), clock=clock) as work:
                went = escalate(work, request)
        except Exception:
            # The others' time is over too; this one is tried again by the next run.
            log.exception("approval_not_escalated", request=request)
        else:
            moved += went
    return moved

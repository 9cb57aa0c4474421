"""Are journeys judged by the rules of today? After a release that changed them, everything is judged anew before figures are read."""

from __future__ import annotations

import structlog

from app.composition.coverage import read_coverage
from app.composition.garbage import no_garbage_collection
from app.composition.uow import Database, reading, unit_of_work
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import Clock
from readiness.conformance.proof import is_outdated, judge_all_anew

log = structlog.get_logger(__name__)


def judge_by_todays_rules(database: Database, clock: Clock | None = None) -> int:
    """Judge all journeys anew where any was judged by other rules; returns how many, 0 where none was."""
    with reading(database) as session:
        if not is_outdated(session):
            return 0
    with no_garbage_collection(), unit_of_work(database, actor=Actor.system("worker"), clock=clock) as work:
        judged = judge_all_anew(work, read_coverage(work.connection))
    log.info("journeys_judged_anew", journeys=judged)
    return judged

"""The checks of closings under way look by themselves, each closing in a transaction of its own."""

from __future__ import annotations

import structlog

from app.composition.uow import Database, reading, unit_of_work
from app.queries.closing_checks import find
from app.queries.closings import open_closings
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import Clock
from erpcore.kernel.errors import DomainError
from erpcore.ledger.closing.services import look

log = structlog.get_logger(__name__)
JOB = "closings"


def check_closings(database: Database, *, clock: Clock | None = None) -> int:
    """Let the checks of every closing that is not locked look once; returns of how many they did."""
    with reading(database) as session:
        waiting = open_closings(session)
    done = 0
    for closing, realm in waiting:
        try:
            with unit_of_work(database, actor=Actor.system(JOB), clock=clock, realm=realm) as work:
                done += look(work, closing, find)
        except DomainError as refusal:
            log.warning("closing not checked", closing=closing, code=refusal.code)
    return done

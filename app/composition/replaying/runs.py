"""The worker's side of replays: take what waits, tell how far it is, keep what came of it."""

from __future__ import annotations

import time

import structlog

from app.composition.garbage import no_garbage_collection
from app.composition.replaying.place import REPLAYS
from app.composition.replaying.replay import replay
from app.composition.uow import Database, unit_of_work
from app.messages import sentence
from erpcore.kernel.clock import Clock
from erpcore.kernel.errors import DomainError
from governance.replays.models import VariantReplay
from governance.replays.services import fail_replay, finish_replay, take_replay, tell_progress

log = structlog.get_logger(__name__)


def run_replays(database: Database, *, clock: Clock) -> int:
    """Do every replay that waits, the oldest first; how many were done. One that was killed begins anew, and its record is kept once."""
    done = 0
    while (asked := _take(database, clock)) is not None:
        _run(database, clock, asked)
        done += 1
    return done


def _take(database: Database, clock: Clock) -> VariantReplay | None:
    with unit_of_work(database, actor=REPLAYS, clock=clock) as work:
        return take_replay(work)


def _run(database: Database, clock: Clock, asked: VariantReplay) -> None:
    last = [0.0]

    def told(done: int, steps: int) -> None:
        # Once a second at most: the page reads it, and it tells a slow worker from a killed one.
        if time.monotonic() - last[0] >= 1:
            last[0] = time.monotonic()
            with unit_of_work(database, actor=REPLAYS, clock=clock) as work:
                tell_progress(work, asked.id, done, steps)

    try:
        with no_garbage_collection():
            outcome = replay(database, asked, told)
    except DomainError as refusal:
        log.warning("not replayed", replay=asked.id, code=refusal.code)
        with unit_of_work(database, actor=REPLAYS, clock=clock) as work:
            fail_replay(work, asked.id, sentence(refusal))
        return
    with unit_of_work(database, actor=REPLAYS, clock=clock) as work:
        finish_replay(work, asked.id, outcome)

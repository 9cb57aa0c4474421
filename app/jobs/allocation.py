"""Nothing idles: what is free at a place where lines wait is allocated by its rule, a bounded part in one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import structlog

from app.composition.cells import RegisteredCells
from app.composition.policies import RegisterRules
from app.composition.scarcity import ALLOCATION
from app.composition.uow import Database, reading, unit_of_work
from erpcore.inventory.balances import Place
from erpcore.kernel.clock import Clock
from erpcore.kernel.errors import DomainError
from erpcore.orders.rerun import lines_by_place, places_to_serve, run_allocation

log = structlog.get_logger(__name__)
#: About so many lines are allocated in one transaction: others come in between.
_LINES_AT_ONCE = 500


def serve_waiting_lines(database: Database, *, clock: Clock) -> int:
    """Allocate at every place where something is free and lines wait; returns how many lines got something.

    A part that is refused (somebody works on an order of it) is looked at again the next time.
    """
    with reading(database) as session:
        places = places_to_serve(session)
        lines = lines_by_place(session, [(site, item) for (_, site), items in places.items() for item in items])
    rules, cells, served = RegisterRules(), RegisteredCells(), 0
    for (realm, site), items in places.items():
        for part in _parts(site, items, lines):
            try:
                with unit_of_work(database, actor=ALLOCATION, clock=clock, realm=realm) as work:
                    served += len(run_allocation(work, site, part, rules=rules, cells=cells))
            except DomainError as refusal:
                log.warning("not allocated", site=site, items=len(part), code=refusal.code)
    return served


def _parts(site: int, items: Sequence[int], lines: dict[Place, int]) -> Iterator[list[int]]:
    part: list[int] = []
    size = 0
    for item in items:
        part.append(item)
        size += lines.get((site, item), 0)
        if size >= _LINES_AT_ONCE:
            yield part
            part, size = [], 0
    if part:
        yield part

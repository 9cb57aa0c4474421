"""How long does one wait for the items that fit what is typed, with 200,000 of them?

Typed as people type: beginnings of codes, one word, two and three words, ends of composed words, and what nothing has. Each is
asked several times on a connection that has read before; the median over all is the figure, and the slowest one beside it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from app.composition.uow import connect, reading, unit_of_work
from benchmarks.registry import Bench, Figure
from erpcore.kernel.actor import Actor
from erpcore.masterdata.search import search_items
from erpcore.masterdata.services import NewItem, add_items
from tests.support.core import a_business

ITEMS = 200_000
_LIMIT_MS = 30
_KINDS = ("Press", "Solder", "Thread", "Flange", "Clamp", "Plug", "Weld", "Compression", "Transition", "Wall")
_THINGS = (
    "coupling", "elbow", "tee", "reducer", "sleeve", "nipple", "cap", "union", "bracket", "valve", "manifold", "gasket",
    "adapter", "pipe", "insulation", "fitting", "strainer", "meter", "pump", "collar",
)  # fmt: skip
_STUFF = ("brass", "copper", "steel", "stainless", "PE", "PVC", "cast iron", "bronze")
TYPED = (
    "612", "6124-1", "199999", "press", "elb", "press elb", "brass valve 22", "ipe", "ress coup 15", "stainless 54 mm flange",
    "manifold", "zzz", "press pump zzz", "22 mm",
)  # fmt: skip


def name_of(number: int) -> str:
    """A name as a catalogue has it."""
    kind, thing = _KINDS[number % 10], _THINGS[number // 10 % 20]
    return f"{kind} {thing} {_STUFF[number // 200 % 8]} {(12, 15, 18, 22, 28, 35, 42, 54)[number // 1600 % 8]} mm series {number % 977}"


def measure(bench: Bench) -> Iterator[Figure]:
    """The median and the slowest search on each database."""
    count = 5_000 if bench.quick else ITEMS
    for kind in bench.databases:
        database = connect(bench.new_database(kind))
        business = a_business(database, items=1, stock=0)
        for start in range(0, count, 10_000):
            with unit_of_work(database, actor=Actor.system("bench")) as work:
                numbers = range(start, min(start + 10_000, count))
                add_items(
                    work,
                    [NewItem(entity=business.entity, code=f"{n:06d}-{n % 97}", name=name_of(n)) for n in numbers],
                )
        figures = []
        with reading(database) as session:
            for typed in TYPED:
                for _ in range(bench.repeat + 1):
                    begun = time.perf_counter()
                    search_items(session, business.entity, typed, limit=8)
                    figures.append((time.perf_counter() - begun) * 1000)
                    session.expunge_all()
                figures.pop(-bench.repeat - 1)
        yield Figure(f"item search over {count:,} items", kind, bench.median(figures), "ms", limit=_LIMIT_MS)
        yield Figure(f"the slowest of {len(TYPED)} things typed", kind, max(figures), "ms")
        database.dispose()

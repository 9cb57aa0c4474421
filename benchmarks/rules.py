"""How long does a document wait for its rules, with 5,000 variants in force at 500 sites, and right after one more was approved?

Documents of three lines in scopes drawn at random, each in a unit of work of its own, as another process than the one that
approves has them: the look at the register's revision, the resolution, and keeping the ruleset where it is used for the first time.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from random import Random
from statistics import quantiles

from app.composition.policies import RegisterRules
from app.composition.uow import Database, connect, unit_of_work
from benchmarks.registry import Bench, Figure
from erpcore.kernel.actor import Actor
from erpcore.ports import Ruleset
from tests.support.core import Business, a_business
from tests.support.policies import approve, many_variants

SITES, LINES = 500, 3
_LIMIT_MS = 1
_READS = Actor.system("bench")


def measure(bench: Bench) -> Iterator[Figure]:
    """Median and 99th percentile, of documents as they come and of each first one after an approval."""
    sites, documents, approvals = (50, 200, 10) if bench.quick else (SITES, 5_000, 200)
    for kind in bench.databases:
        url = bench.new_database(kind)
        database, other = connect(url), connect(url)
        business = a_business(database, items=1)
        count = many_variants(business, sites)
        rules, random = RegisterRules(), Random(7)
        _document(other, business, rules, 0)  # reads the register as a whole, once
        taken = [_document(other, business, rules, random.randrange(sites), random)[0] for _ in range(documents)]
        yield from _figures(f"rules of a document, {count:,} variants", kind, taken)
        after = []
        for site in random.sample(range(sites), min(sites, approvals)):
            wanted = approve(business, "packing_required", value=True, site=site)
            spent, found = _document(other, business, rules, site, random)
            if found.origins.get("packing_required") != wanted:
                raise RuntimeError("what was approved is not in force in the next unit of work")
            after.append(spent)
        yield from _figures("the first one after an approval", kind, after)
        database.dispose()
        other.dispose()


def _figures(what: str, kind: str, taken: Sequence[float]) -> Iterator[Figure]:
    cuts = quantiles(taken, n=100)
    yield Figure(f"{what}: median", kind, cuts[49], "ms", limit=_LIMIT_MS)
    yield Figure(f"{what}: 99th percentile", kind, cuts[98], "ms", limit=_LIMIT_MS)


def _document(
    database: Database, business: Business, rules: RegisterRules, site: int, random: Random | None = None
) -> tuple[float, Ruleset]:
    """Milliseconds for the rules of a document and its lines at a site, and its rules."""
    channel, group = (random.randrange(1, 5), random.randrange(1, 5)) if random else (1, 1)
    scope = {"entity": business.entity, "site": site, "channel": channel, "customer_group": group}
    with unit_of_work(database, actor=_READS, clock=business.clock) as work:
        begun = time.perf_counter()
        found = rules.resolve(work, **scope)
        for line in range(LINES):
            rules.resolve_line(work, **scope, item_group=line)
        return (time.perf_counter() - begun) * 1000, found

"""Every page of the demo opens on PostgreSQL as it does on SQLite, for whoever comes to it, and asks little."""

from __future__ import annotations

from datetime import UTC, datetime

from app.demo.build import build_demo
from app.demo.plan import DemoOptions
from benchmarks.pages import let_in, visit_all
from erpcore.kernel.clock import SetClock
from tests.support.queries import MOST, queries
from tests.support.web import a_site

OPTIONS = DemoOptions(until=datetime(2026, 11, 20, 18, 0, tzinfo=UTC), orders=1000, weeks=6)
#: A list that says why nothing leads to it would be longer than these: they need a state that a demo is not in.
ENOUGH = 150
#: Who sees everything reads on the home page what waits in every register besides the figures.
MOST_AT_HOME = 29


def test_nobody_meets_a_page_that_breaks_or_asks_too_often(fresh_database, tmp_path):
    from app.composition.uow import connect

    database = connect(fresh_database("postgresql"))
    try:
        build_demo(database, OPTIONS, password="harbour-lantern-oak")
        site = a_site(database, tmp_path, SetClock(let_in(database)))
        site.config["PROPAGATE_EXCEPTIONS"] = False
        seen, visitors = visit_all(site, database)
        assert seen.broken == []
        assert len(seen.kinds) > ENOUGH
        often = {}
        for page in (one for one in seen.pages if one.is_page):
            with queries(database) as ran:
                visitors[page.role].get(page.path)
            path = page.path.partition("?")[0]
            most = MOST_AT_HOME if path == "/" else MOST
            if len(ran) > most:
                often[str(page)] = len(ran)
        assert often == {}
    finally:
        database.dispose()

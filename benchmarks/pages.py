"""How long does any page of the demo take, and how often does it ask the database?

The demo is built, or taken from a file (``--demo``). Somebody of every role follows the links from the home page; what no
link reaches is asked for with the ids that were seen. Of every kind of page some are measured, and the one with the most
rows under its document: ids are unique over all tables, so an id tells its table. Nothing here names a page; a new one is
measured because it is in the table of routes.
"""

from __future__ import annotations

import gc
import html
import re
import shutil
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from statistics import median
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, url_for
from flask.testing import FlaskClient
from sqlalchemy import func, select, update
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Rule

from app import create_app
from app.composition.uow import Database, connect, reading, unit_of_work
from app.config import PasswordCost, Settings
from app.demo.build import build_demo
from app.demo.plan import DemoOptions
from app.identity.models import Account, RoleGrant
from app.identity.passwords import hash_password
from benchmarks.registry import Bench, Figure
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import SetClock, SystemClock
from erpcore.kernel.eventlog import newest_seq
from erpcore.kernel.events import EventLog
from erpcore.kernel.model import Base
from tests.support.queries import MOST, queries

P95_MS = 150
_PASSWORD = "six quiet barges wait"  # noqa: S105 - of people who exist in this benchmark's copy alone
_CHEAP = PasswordCost(passes=1, memory_kib=64, lanes=1)
#: Of one kind of page: so many addresses, seen by people of so many roles; the slowest pages are asked for more often.
_ADDRESSES, _ROLES, _FIRST_ROUNDS, _MORE_ROUNDS, _SLOWEST = 2, 2, 3, 20, 10
#: A list leads to itself in hundreds of combinations of filters; so many stand for all.
_COMBINATIONS = 6
_LINK = re.compile(r'href="(/[^"#]*)')


@dataclass
class Page:
    """An address as one role sees it, with what its requests took."""

    path: str
    endpoint: str
    role: str
    is_page: bool
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    statements: int = 0

    @property
    def p95(self) -> float:
        return _p95(self.wall)

    def __str__(self) -> str:
        return f"{self.path} ({self.role})"


def measure(bench: Bench) -> Iterator[Figure]:
    """Milliseconds and statements; and which pages are the worst."""
    for kind in bench.databases:
        database, until = _demo(bench, kind)
        site = create_app(
            Settings(
                instance=bench.new_file().parent, database_url=database.url, secret_key="k" * 40, password_cost=_CHEAP,
                log_level="ERROR",
            ),
            database=database,
            clock=SetClock(until),
        )  # fmt: skip
        # As the server does: what the program is made of stays.
        gc.collect()
        gc.freeze()
        pages = _pages(site, database)
        gc.unfreeze()
        yield from _figures(kind, pages)
        database.dispose()


def _demo(bench: Bench, kind: str) -> tuple[Database, datetime]:
    """The demo and the moment it ends at; everybody in it has the same password."""
    if bench.demo is not None and kind == "sqlite":
        copy = bench.new_file()
        shutil.copy(bench.demo, copy)
        database = connect(f"sqlite:///{copy}")
    else:
        database = connect(bench.new_database(kind))
        options = DemoOptions(until=SystemClock().now().replace(second=0, microsecond=0))
        if bench.quick:
            options = DemoOptions(until=options.until, orders=500, weeks=6)
        build_demo(database, options, password=_PASSWORD)
    return database, let_in(database)


def let_in(database: Database) -> datetime:
    """Everybody in the demo gets the same, cheap password. Returns the moment the demo ends at."""
    with unit_of_work(database, actor=Actor.system("benchmark")) as work:
        values = {"password_hash": hash_password(_PASSWORD, _CHEAP), "must_change": False}
        work.session.execute(update(Account).values(values))
    with reading(database) as session:
        head = newest_seq(session.connection())
        until = session.execute(select(EventLog.recorded_at).where(EventLog.seq == head)).scalar_one()
    return until.astimezone(UTC)


def visit_all(site: Flask, database: Database) -> tuple[_Seen, dict[str, FlaskClient]]:
    """Every kind of page as people of some roles come to it, with what broke on the way, and who looked."""
    visitors = {role: signed_in(site, name) for role, name in people(database)}
    seen = _Seen(site)
    for role, client in visitors.items():
        _follow(seen, role, client)
    _fill_in(seen, visitors, database)
    return seen, visitors


def _pages(site: Flask, database: Database) -> list[Page]:
    seen, visitors = visit_all(site, database)
    if seen.broken:
        raise RuntimeError("\n".join(seen.broken))
    for page in seen.pages:
        _ask(page, visitors[page.role], database, _FIRST_ROUNDS)
    pages = [page for page in seen.pages if page.is_page]
    for page in sorted(pages, key=lambda page: -median(page.cpu))[:_SLOWEST]:
        page.wall.clear()
        _ask(page, visitors[page.role], database, _MORE_ROUNDS)
    missed = seen.missed()
    print(f"  {len(seen.pages)} addresses of {len(seen.kinds)} kinds; nobody came to: {', '.join(missed) or 'none'}")
    return seen.pages


class _Seen:
    """The addresses that are measured, and the values that routes were seen with."""

    def __init__(self, site: Flask) -> None:
        self.site = site
        self.pages: list[Page] = []
        self.kinds: dict[str, dict[str, list[Page]]] = defaultdict(lambda: defaultdict(list))
        self.combinations: dict[str, set[str]] = defaultdict(set)
        self.values: dict[str, set[Any]] = defaultdict(set)
        self.broken: list[str] = []
        self._adapter = site.url_map.bind("localhost")

    def match(self, path: str) -> tuple[str, dict[str, Any]] | None:
        try:
            endpoint, values = self._adapter.match(urlsplit(path).path, method="GET")
        except HTTPException:
            return None
        for name, value in values.items():
            self.values[name].add(value)
        return None if endpoint.rpartition(".")[2] == "static" else (endpoint, dict(values))

    def wants(self, endpoint: str, role: str, path: str) -> bool:
        """Whether another address of this kind is worth asking for; one with a filter counts as a kind of its own."""
        name = _kind(endpoint, path)
        if name not in self.combinations[endpoint] and len(self.combinations[endpoint]) >= _COMBINATIONS:
            return False
        self.combinations[endpoint].add(name)
        kind = self.kinds[name]
        return len(kind[role]) < _ADDRESSES if role in kind else len(kind) < _ROLES

    def add(self, page: Page) -> None:
        self.kinds[_kind(page.endpoint, page.path)][page.role].append(page)
        self.pages.append(page)

    def rules(self) -> list[Rule]:
        rules = [rule for rule in self.site.url_map.iter_rules() if "GET" in (rule.methods or ()) and rule.endpoint]
        return [rule for rule in rules if not rule.rule.startswith(("/static", "/api/v1"))]

    def missed(self) -> list[str]:
        known = {page.endpoint for page in self.pages}
        return sorted({rule.rule for rule in self.rules() if rule.endpoint not in known})


def _kind(endpoint: str, path: str) -> str:
    names = sorted(part.partition("=")[0] for part in urlsplit(path).query.split("&") if part)
    return "?".join([endpoint, *names])


def people(database: Database) -> list[tuple[str, str]]:
    """A role and the sign-in of somebody who has it, for each role there is."""
    with reading(database) as session:
        rows = session.execute(
            select(RoleGrant.role, func.min(Account.sign_in))
            .join(Account, Account.id == RoleGrant.account_id)
            .where(Account.closed_at.is_(None))
            .group_by(RoleGrant.role)
            .order_by(RoleGrant.role)
        )
        return [(row[0], row[1]) for row in rows]


def signed_in(site: Flask, name: str) -> FlaskClient:
    """The browser of somebody whom ``let_in`` gave a password."""
    client = site.test_client()
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get("/sign-in").text)
    fields = {"csrf_token": found[1] if found else "", "sign_in": name, "password": _PASSWORD}
    if (answer := client.post("/sign-in", data=fields)).status_code != 302:
        raise RuntimeError(f"{name} cannot sign in: {answer.status}")
    return client


def _follow(seen: _Seen, role: str, client: FlaskClient) -> None:
    waiting, met = ["/"], {"/"}
    while waiting:
        path = waiting.pop(0)
        found = seen.match(path)
        if found is None or not seen.wants(found[0], role, path):
            continue
        for link in _visit(seen, found[0], role, client, path):
            if link not in met:
                met.add(link)
                waiting.append(link)


def _visit(seen: _Seen, endpoint: str, role: str, client: FlaskClient, path: str) -> Sequence[str]:
    """Ask for an address once; what answers is measured later. Returns the links on it."""
    answer = client.get(path)
    # Read to its end and closed, as a server does: a file is streamed, and holds its connection until then.
    text = answer.get_data(as_text=True) if answer.mimetype == "text/html" else str(len(answer.get_data()))
    answer.close()
    if answer.status_code >= 500:
        seen.broken.append(f"{path} answered {answer.status} to {role}")
    if answer.status_code != 200:
        return []
    is_page = answer.mimetype == "text/html"
    seen.add(Page(path, endpoint, role, is_page))
    return [html.unescape(link) for link in _LINK.findall(text)] if is_page else []


def _fill_in(seen: _Seen, visitors: dict[str, FlaskClient], database: Database) -> None:
    """Pages no link leads to, and of each document the one with the most rows under it."""
    largest = {name: _largest(database, values) for name, values in seen.values.items()}
    for rule in seen.rules():
        wanted: dict[str, Any] = {
            name: largest.get(name) or next(iter(seen.values.get(name, ())), None) for name in sorted(rule.arguments)
        }
        if None in wanted.values():
            continue
        with seen.site.test_request_context():
            path = url_for(rule.endpoint, **wanted)
        roles = list(seen.kinds[_kind(rule.endpoint, path)]) or list(visitors)
        known = {page.path for page in seen.pages if page.endpoint == rule.endpoint}
        for role in roles if path not in known else ():
            before = len(seen.pages)
            _visit(seen, rule.endpoint, role, visitors[role], path)
            if len(seen.pages) > before:
                break


def _largest(database: Database, values: set[Any]) -> int | None:
    """Of the documents these ids are of, the one with the most rows that name it."""
    sample = sorted(value for value in values if type(value) is int)[:5]
    if not sample:
        return None
    with reading(database) as session:
        for table in Base.metadata.sorted_tables:
            key = table.c.get("id")
            if (
                key is None
                or key.type.python_type is not int
                or not session.execute(select(key).where(key == sample[0])).first()
            ):
                continue
            best: tuple[int, int | None] = (0, None)
            for child in Base.metadata.sorted_tables:
                for column in child.c:
                    if any(fk.column is key for fk in column.foreign_keys):
                        row = session.execute(
                            select(func.count().label("n"), column)
                            .where(column.is_not(None))
                            .group_by(column)
                            .order_by(func.count().desc(), column)
                            .limit(1)
                        ).first()
                        best = max(best, (row[0], row[1]) if row else best, key=lambda found: found[0])
            if best[1] is not None:
                return best[1]
    return None


def _ask(page: Page, client: FlaskClient, database: Database, rounds: int) -> None:
    for _ in range(rounds):
        with queries(database) as ran:
            wall, cpu = time.perf_counter(), time.process_time()
            answer = client.get(page.path)
            answer.get_data()
            answer.close()
            page.wall.append((time.perf_counter() - wall) * 1000)
            page.cpu.append((time.process_time() - cpu) * 1000)
        page.statements = max(page.statements, len(ran))


def _p95(figures: Sequence[float]) -> float:
    ordered = sorted(figures)
    return ordered[max(0, -(-95 * len(ordered) // 100) - 1)]


def _figures(kind: str, found: Sequence[Page]) -> Iterator[Figure]:
    pages = [page for page in found if page.is_page]
    exports = [page for page in found if not page.is_page]
    # Of a few requests the 95th of a hundred is the one that was interrupted: only those asked often are compared by it.
    often = [page for page in pages if len(page.wall) >= _MORE_ROUNDS]
    slowest = sorted(often, key=lambda page: -page.p95)
    asking = sorted(pages, key=lambda page: -page.statements)
    print("  " + "\n  ".join(_line(page) for page in slowest[:12]))
    every = [time_taken for page in pages for time_taken in page.wall]
    yield Figure(f"{len(pages)} pages, p50", kind, median(every), "ms")
    yield Figure(f"{len(pages)} pages, p95", kind, _p95(every), "ms", limit=P95_MS)
    yield Figure(f"p95 of the slowest, {slowest[0]}", kind, slowest[0].p95, "ms", limit=P95_MS)
    thrifty = max(pages, key=lambda page: median(page.cpu))
    yield Figure(f"processor time of {thrifty}, median", kind, median(thrifty.cpu), "ms")
    yield Figure(f"statements of {asking[0]}", kind, float(asking[0].statements), "n", limit=MOST)
    if exports:
        longest = max(exports, key=lambda page: page.p95)
        yield Figure(f"longest export, {longest}", kind, longest.p95, "ms")


def _line(page: Page) -> str:
    return (
        f"{page.p95:6.0f} ms p95, {median(page.wall):6.0f} ms median, {median(page.cpu):6.0f} ms processor, "
        f"{page.statements:3d} statements: {page}"
    )

"""Does anything slow down from 10,000 to 1,000,000 order lines behind it, and how long do the steps of a 1,000-line order take?

Two databases are alike but for their past: ten days of trading, and a thousand, closed but for the last nine. Every step of an order and every page there is, of
documents too, is measured on both in turn, so that the machine's mood hits both alike. Processor time, of this process and of
PostgreSQL together, medians. The steps of the long order have their limit on the clock.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from statistics import median
from typing import Any

from flask import Flask, url_for
from flask.testing import FlaskClient
from sqlalchemy import text

from app import create_app
from app.composition.uow import Database, connect, reading, unit_of_work
from app.config import PasswordCost, Settings
from app.security.roles import ROLES
from benchmarks.history import DAY, go_back, trade_a_day
from benchmarks.pages import let_in, people, signed_in
from benchmarks.registry import Bench, Figure
from benchmarks.site import a_live_business
from benchmarks.statements import kept
from erpcore.billing.services import draft_invoices, post_invoices
from erpcore.fulfilment.services import DeliverShipment, PickOrder, confirm_shipments, deliver_shipments, pick_orders
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import SystemClock, local_day
from erpcore.ledger.days import CONSUMER
from erpcore.ledger.periods import ClosePeriod, close_period
from erpcore.masterdata.search import search_items
from erpcore.orders.allocation import allocate_orders
from erpcore.orders.cancelling import CancelLines, cancel_lines
from erpcore.orders.releasing import release_orders
from erpcore.orders.services import CaptureOrder, NewLine, capture_orders
from tests.support.core import OPEN, RULES, Business
from tests.support.web import a_person

_SHORT, _LONG = 10_000, 1_000_000
_ITEMS, _CUSTOMERS, _STOCK = 1_200, 50, 1_000_000
#: How much of the past is not closed yet.
_OPEN_DAYS = timedelta(days=9)
_LIMIT, _LONG_ORDER_S, _LONG_LINES = 1.3, 3, 1_000
_STEP_ROUNDS, _ROUNDS, _MORE_ROUNDS = 31, 3, 15

_CURSOR = (
    "INSERT INTO consumer_cursor (name, seq, moved_at, is_paused, changes) SELECT :name, h.seq, h.recorded_at, FALSE, 1 "
    "FROM (SELECT seq, recorded_at FROM event_log ORDER BY seq DESC LIMIT 1) h WHERE TRUE "
    "ON CONFLICT (name) DO UPDATE SET seq = excluded.seq, moved_at = excluded.moved_at"
)


@dataclass
class _Place:
    """One of the two databases, with the site that stands on it and who looks at it."""

    business: Business
    site: Flask
    visitors: dict[str, FlaskClient]
    #: Milliseconds of processor time by what was done.
    taken: dict[str, list[float]]

    def median(self, name: str) -> float:
        return median(self.taken[name])


class _Meter:
    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    def __call__(self, place: _Place, name: str, act: Callable[[], Any]) -> Any:
        before, begun = self._bench.server_seconds(), time.process_time()
        result = act()
        own = time.process_time() - begun
        place.taken.setdefault(name, []).append((own + self._bench.server_seconds() - before) * 1000)
        return result


def measure(bench: Bench) -> Iterator[Figure]:
    """Each step, the pages that grew most, and the long order with the long past behind it."""
    long = _SHORT * 3 if bench.quick else _LONG
    for kind in bench.databases:
        places = _two(bench, kind, long)
        gc.collect()
        gc.freeze()
        meter = _Meter(bench)
        _steps(meter, places, rounds=3)
        for place in places:
            place.taken.clear()
        keys = _steps(meter, places, rounds=5 if bench.quick else _STEP_ROUNDS)
        _search(meter, places)
        _pages(meter, places, keys)
        gc.unfreeze()
        yield from _figures(kind, *places, f"{_SHORT:,} → {long:,} order lines")
        for name, seconds in _long_order(places[1].business).items():
            yield Figure(f"{name} an order of {_LONG_LINES:,} lines", kind, seconds, "s", limit=_LONG_ORDER_S)
        for place in places:
            place.business.database.dispose()  # type: ignore[attr-defined]  # typed as an object there


def _two(bench: Bench, kind: str, long: int) -> tuple[_Place, _Place]:
    url = bench.new_database(kind)
    database = connect(url)
    if kind == "postgresql":
        _keep_still(database)
    business, customers = a_live_business(database, items=_ITEMS, stock=_STOCK, customers=_CUSTOMERS)
    past = trade_a_day(business, customers)
    for role in ROLES:
        a_person(database, role)
    let_in(database)
    database.dispose()
    places, far = [], bench.copied(url)
    for where, lines in ((url, _SHORT), (far, long)):
        begun = time.perf_counter()
        building = connect(where)
        go_back(building, replace(past), lines // DAY)
        _close_the_books(building, business.entity)
        _keep_days(building)
        building.dispose()
        print(f"  {kind}: {lines:,} lines behind it, built in {time.perf_counter() - begun:.0f} s", flush=True)
        places.append(_place(bench, replace(business, database=connect(where))))
    return places[0], places[1]


def _close_the_books(database: Database, entity: int) -> None:
    """As any company does each month: all but the last days of both pasts are closed."""
    with unit_of_work(database, actor=Actor.system("benchmark")) as work:
        until = local_day(work.now, "Europe/Berlin") - _OPEN_DAYS
        close_period(work, ClosePeriod(entity=entity, until=until, reason="month end"))


def _keep_days(database: Database) -> None:
    """What the consumer of the ledger's days would have kept of the past, which was written without it."""
    with database.write_engine.begin() as connection:
        for statement in ("DELETE FROM ledger_day", "DELETE FROM ledger_month", *kept(is_sqlite=database.is_sqlite)):
            connection.execute(text(statement))
        connection.execute(text(_CURSOR), {"name": CONSUMER})


def _keep_still(database: Database) -> None:
    """The upkeep is done before the measurements, not in them."""
    with database.write_engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ALTER SYSTEM SET autovacuum = off"))
        connection.execute(text("SELECT pg_reload_conf()"))


def _place(bench: Bench, business: Business) -> _Place:
    database: Any = business.database
    site = create_app(
        Settings(
            instance=bench.new_folder(), database_url=database.url, secret_key="k" * 40,
            password_cost=PasswordCost(passes=1, memory_kib=64, lanes=1), log_level="ERROR",
        ),
        database=database, clock=SystemClock(),
    )  # fmt: skip
    return _Place(business, site, {role: signed_in(site, name) for role, name in people(database)}, {})


def _steps(meter: _Meter, places: Sequence[_Place], *, rounds: int) -> list[dict[str, int]]:
    """Orders of five lines on both in turn, from entry to invoice; every second one is cancelled. Returns keys for the pages."""
    keys: list[dict[str, int]] = []
    for number in range(0, rounds * 2, 2):
        keys = [_order(meter, place, number) for place in places]
        for place in places:
            _cancelled(meter, place, number + 1)
    return keys


def _taken(meter: _Meter, place: _Place, number: int) -> tuple[int, int, int]:
    business = place.business
    items = business.items
    lines = [
        NewLine(item=items[(number * 53 + n * 7) % len(items)], quantity=Decimal(1 + (number + n) % 9))
        for n in range(5)
    ]
    command = CaptureOrder(site=business.site, channel=business.channel, customer=business.customer, lines=lines)

    def step(name: str, act: Callable[[Any], Any]) -> Any:
        return meter(place, name, lambda: _in(business, act))

    (order,) = step("capture", lambda work: capture_orders(work, [command], rules=RULES, cells=OPEN))
    step("release", lambda work: release_orders(work, [order.id], rules=RULES, cells=OPEN))
    step("allocate", lambda work: allocate_orders(work, [order.id], rules=RULES, cells=OPEN))
    return order.id, command.customer, lines[0].item


def _cancelled(meter: _Meter, place: _Place, number: int) -> None:
    order, _, _ = _taken(meter, place, number)
    cancel = CancelLines(order=order, reason="not wanted", by_customer=True)
    meter(place, "cancel", lambda: _in(place.business, lambda work: cancel_lines(work, [cancel])))


def _order(meter: _Meter, place: _Place, number: int) -> dict[str, int]:
    order, customer, item = _taken(meter, place, number)

    def step(name: str, act: Callable[[Any], Any]) -> Any:
        return meter(place, name, lambda: _in(place.business, act))

    (shipment,) = step("pick", lambda work: pick_orders(work, [PickOrder(order=order)], cells=OPEN))
    step("ship", lambda work: confirm_shipments(work, [shipment.id], rules=RULES, cells=OPEN))
    step(
        "deliver",
        lambda work: deliver_shipments(work, [DeliverShipment(shipment=shipment.id)], rules=RULES, cells=OPEN),
    )
    invoice = step("invoice", lambda work: _invoice(work, shipment.id))
    return {
        "order_id": order, "shipment_id": shipment.id, "invoice_id": invoice, "customer_id": customer, "item_id": item,
        "site_id": place.business.site, "entity_id": place.business.entity, "channel_id": place.business.channel,
    }  # fmt: skip


def _in(business: Business, act: Callable[[Any], Any]) -> Any:
    with business.work() as work:
        return act(work)


def _invoice(work: Any, shipment: int) -> int:
    (invoice,) = draft_invoices(work, [shipment], cells=OPEN, rules=RULES)
    post_invoices(work, [invoice.id], cells=OPEN)
    return int(invoice.id)


def _search(meter: _Meter, places: Sequence[_Place]) -> None:
    for typed in ("pipe 11", "40-7", "pip") * _ROUNDS:
        for place in places:
            meter(place, "search items", partial(_found, place.business, typed))


def _found(business: Business, typed: str) -> int:
    with reading(business.database) as session:  # type: ignore[arg-type]  # typed as an object there
        return len(search_items(session, business.entity, typed, limit=8))


def _pages(meter: _Meter, places: Sequence[_Place], keys: Sequence[dict[str, int]]) -> None:
    """Every page without arguments and of each of the order's documents, as the first role sees it that may."""
    kinds = _kinds(places[0].site, keys[0])
    for endpoint, name in kinds:
        paths = [_path(place.site, endpoint, known) for place, known in zip(places, keys, strict=True)]
        role = _who_may(places[0], paths[0])
        if role is None or _who_may(places[1], paths[1]) is None:
            continue
        _ask(meter, places, paths, role, name, _ROUNDS)
        # Few requests say little; who seems to have grown is asked again, and oftener.
        if places[1].median(name) > 1.15 * places[0].median(name):
            for place in places:
                del place.taken[name]
            _ask(meter, places, paths, role, name, _MORE_ROUNDS)


def _ask(meter: _Meter, places: Sequence[_Place], paths: Sequence[str], role: str, name: str, rounds: int) -> None:
    for _ in range(rounds):
        for place, path in zip(places, paths, strict=True):
            meter(place, name, partial(_read, place.visitors[role], path))


def _read(client: FlaskClient, path: str) -> int:
    return len(client.get(path).get_data())


def _kinds(site: Flask, keys: dict[str, int]) -> list[tuple[str, str]]:
    skipped = ("/static", "/api", "/htmx", "/sign", "/alive", "/metrics")
    return sorted(
        (rule.endpoint, f"page {rule.rule.replace('int:', '')}")
        for rule in site.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and rule.arguments <= keys.keys() and not rule.rule.startswith(skipped)
    )


def _path(site: Flask, endpoint: str, keys: dict[str, int]) -> str:
    with site.test_request_context():
        wanted = next(rule.arguments for rule in site.url_map.iter_rules(endpoint) if "GET" in (rule.methods or ()))
        values: dict[str, Any] = {name: keys[name] for name in wanted}
        return url_for(endpoint, **values)


def _who_may(place: _Place, path: str) -> str | None:
    for role, client in place.visitors.items():
        answer = client.get(path)
        is_page = answer.status_code == 200 and answer.mimetype == "text/html"
        answer.close()
        if is_page:
            return role
    return None


def _long_order(business: Business) -> dict[str, float]:
    """Seconds on the clock of each step of an order of a thousand lines."""
    lines = [NewLine(item=item, quantity=Decimal(3)) for item in business.items[:_LONG_LINES]]
    command = CaptureOrder(site=business.site, channel=business.channel, customer=business.customer, lines=lines)
    taken: dict[str, float] = {}

    def step(name: str, act: Callable[[Any], Any]) -> Any:
        begun = time.perf_counter()
        result = _in(business, act)
        taken[name] = time.perf_counter() - begun
        return result

    def enter(work: Any) -> Any:
        (order,) = capture_orders(work, [command], rules=RULES, cells=OPEN)
        release_orders(work, [order.id], rules=RULES, cells=OPEN)
        return order

    order = step("enter", enter)
    step("allocate", lambda work: allocate_orders(work, [order.id], rules=RULES, cells=OPEN))
    (shipment,) = step("pick", lambda work: pick_orders(work, [PickOrder(order=order.id)], cells=OPEN))
    step("ship", lambda work: confirm_shipments(work, [shipment.id], rules=RULES, cells=OPEN))
    return taken


def _figures(kind: str, short: _Place, long: _Place, what: str) -> Iterator[Figure]:
    def growth(name: str) -> float:
        return long.median(name) / short.median(name)

    grown = sorted(long.taken, key=growth, reverse=True)
    print(f"  {kind}, {what}: those of {len(grown)} that grew most in processor time")
    for name in grown[:15]:
        print(f"    {growth(name):5.2f} ×  {short.median(name):7.1f} → {long.median(name):7.1f} ms  {name}")
    pages = [name for name in grown if name.startswith("page ")]
    steps = [name for name in long.taken if not name.startswith("page ")]
    for name in (*steps, *pages[:3]):
        yield Figure(f"{name}, {what}", kind, long.median(name), "ms", floor=short.median(name), limit=_LIMIT)
    over = sum(1 for name in pages if growth(name) > _LIMIT)
    yield Figure(f"of {len(pages)} pages grew by more than {_LIMIT} ×", kind, float(over), "n", limit=0)

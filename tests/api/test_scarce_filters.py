"""What waits for stock is narrowed by programs as on its pages, read on by key, and a nonsense filter is refused with a problem."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from erpcore.inventory.stock import ChangeStock, receive_stock
from erpcore.orders.runs import SimulateRun, reject_run, simulate_run
from tests.db.core.test_transfer_orders import asked, decided
from tests.support.core import OPEN, RULES, a_business
from tests.support.operate import open_cells
from tests.support.steps import allocated
from tests.support.warehouse import second_site


@pytest.fixture
def sqlite_database(database):
    """On both databases."""
    return database


@pytest.fixture
def business(database, clock):
    made = a_business(database, at=clock.now(), items=2, stock=20)
    made.clock = clock
    open_cells(made)
    return made


@pytest.fixture
def call(caller, business):
    return caller("warehouse_supervisor")


def found(call, path, *names):
    answer = call("GET", path)
    assert answer.status_code == 200, answer.json
    return [tuple(one[name] for name in names) if len(names) > 1 else one[names[0]] for one in answer.json["items"]]


def came(business, quantity, item=0):
    with business.work() as work:
        change = ChangeStock(site=business.site, item=business.items[item], quantity=Decimal(quantity), note="truck")
        receive_stock(work, [change], rules=RULES, cells=OPEN)


def refused(call, path, *fields):
    answer = call("GET", path)
    assert (answer.status_code, answer.mimetype, answer.json["code"]) == (422, "application/problem+json", "unfit")
    assert sorted(one["pointer"] for one in answer.json["errors"]) == [f"/{name}" for name in sorted(fields)]


def test_backorders_are_narrowed_by_words_site_and_a_missed_promise_and_read_on_by_key(call, business):
    first = allocated(business, [(0, 30), (1, 25)])
    second = allocated(business, [(0, 7)])
    here = [(first.id, "10.000"), (first.id, "5.000"), (second.id, "7.000")]
    assert found(call, "/backorders", "order_id", "unmet") == here
    assert found(call, "/backorders?text=40-0", "unmet") == ["10.000", "7.000"]
    assert found(call, f"/backorders?text={second.number}", "unmet") == ["7.000"]
    assert found(call, f"/backorders?site={business.site}&late=false", "order_id", "unmet") == here
    assert found(call, "/backorders?site=1", "unmet") == []
    assert found(call, "/backorders?late=true", "unmet") == []
    business.clock.advance(timedelta(days=20))
    assert found(call, "/backorders?late=true", "order_id", "unmet") == here
    assert found(call, "/backorders?realm=rehearsal", "unmet") == []
    part = call("GET", "/backorders?limit=2").json
    assert found(call, f"/backorders?limit=2&cursor={part['next']}", "unmet") == ["7.000"]
    refused(call, "/backorders?late=perhaps&site=here", "late", "site")
    refused(call, "/backorders?realm=moon", "realm")
    assert call("GET", "/backorders?cursor=nonsense").json["code"] == "cursor_unknown"


def test_short_items_are_read_on_by_key_while_others_are_served(call, business):
    allocated(business, [(0, 30)])
    allocated(business, [(1, 24)])
    pairs = [(business.items[0], "10.000"), (business.items[1], "4.000")]
    assert found(call, "/short-items", "item_id", "unmet") == pairs
    assert found(call, "/short-items?text=40-1", "item_id", "unmet") == pairs[1:]
    assert found(call, "/short-items?site=1", "unmet") == []
    assert found(call, "/short-items?free=true", "unmet") == []
    came(business, 3)
    assert found(call, "/short-items?free=true", "item_id", "free") == [(business.items[0], "3.000")]
    part = call("GET", "/short-items?limit=1").json
    assert [one["item_id"] for one in part["items"]] == [business.items[0]]
    came(business, 7)
    call("POST", f"/orders/{found(call, '/backorders', 'order_id')[0]}/allocate")
    assert found(call, f"/short-items?limit=1&cursor={part['next']}", "item_id", "unmet") == pairs[1:]
    refused(call, "/short-items?free=perhaps", "free")
    refused(call, "/short-items?limit=0&text=" + "x" * 121, "limit", "text")


def test_stock_and_exceptions_are_read_on_by_key(call, business):
    places = found(call, "/stock", "site_id", "item_id")
    part = call("GET", "/stock?limit=1").json
    assert found(call, f"/stock?cursor={part['next']}", "site_id", "item_id") == places[1:]
    allocated(business, [(0, 30)])
    allocated(business, [(1, 24)])
    troubles = found(call, "/exceptions", "subject", "id")
    assert len(troubles) == 2
    part = call("GET", "/exceptions?limit=1").json
    assert found(call, f"/exceptions?cursor={part['next']}", "subject", "id") == troubles[1:]
    assert call("GET", f"/backorders?cursor={part['next']}").json["code"] == "cursor_unknown", "of another list"


def test_allocation_runs_are_narrowed_by_state_cause_and_hand(call, business):
    allocated(business, [(0, 30)])
    came(business, 3)
    runs = []
    for _ in range(2):
        with business.work() as work:
            command = SimulateRun(site=business.site, item=business.items[0])
            runs.append(simulate_run(work, command, rules=RULES, cells=OPEN).id)
    with business.work() as work:
        reject_run(work, runs[0], reason="too early")
    assert found(call, "/allocation-runs", "id", "state") == [(runs[0], "rejected"), (runs[1], "simulated")]
    assert found(call, "/allocation-runs?state=simulated", "id") == runs[1:]
    assert found(call, f"/allocation-runs?trigger=person&site={business.site}", "id") == runs
    assert found(call, "/allocation-runs?trigger=stock", "id") == []
    assert found(call, "/allocation-runs?moved=true", "id") == []
    assert found(call, "/allocation-runs?text=40-0", "id") == runs
    assert found(call, "/allocation-runs?text=40-1", "id") == []
    refused(call, "/allocation-runs?state=open&trigger=moon", "state", "trigger")


def test_transfer_orders_are_narrowed_by_either_site_state_and_lateness(call, business):
    hamburg = second_site(business)
    open_cells(business, site=hamburg)
    with business.work() as work:
        change = ChangeStock(site=hamburg, item=business.items[0], quantity=Decimal(50), note="truck")
        receive_stock(work, [change], rules=RULES, cells=OPEN)
    first, second = asked(business, hamburg, 5), asked(business, hamburg, 6)
    decided(business, first)
    keys = [first.id, second.id]
    assert found(call, "/transfer-orders", "id", "state") == [(first.id, "approved"), (second.id, "requested")]
    assert found(call, "/transfer-orders?state=requested", "id") == keys[1:]
    assert found(call, f"/transfer-orders?site={hamburg}", "id") == keys
    assert found(call, f"/transfer-orders?site={business.site}", "id") == keys
    assert found(call, "/transfer-orders?site=1", "id") == []
    assert found(call, f"/transfer-orders?text={second.number}", "id") == keys[1:]
    assert found(call, "/transfer-orders?late=true", "id") == keys, "wanted at once, promised for tomorrow"
    in_time = asked(business, hamburg, 2, wanted_on=business.clock.now().date() + timedelta(days=9))
    assert found(call, "/transfer-orders?late=true", "id") == keys
    assert found(call, "/transfer-orders", "id") == [*keys, in_time.id]
    part = call("GET", "/transfer-orders?limit=1").json
    assert found(call, f"/transfer-orders?cursor={part['next']}", "id") == [second.id, in_time.id]
    refused(call, "/transfer-orders?state=lost&late=perhaps", "late", "state")

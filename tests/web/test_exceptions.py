"""The exception queues on screen and over the API: chosen documents move together, refusals keep what was typed."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.composition.uow import reading
from app.queries.troubles import named_troubles
from erpcore.kernel.actor import Actor
from erpcore.orders.holds import HoldOrder, hold_orders
from erpcore.orders.models import HoldKind, OrderLine
from tests.support.operate import a_trading_business
from tests.support.queries import MOST, queries
from tests.support.steps import captured
from tests.support.warehouse import locations, received
from tests.support.web import a_token


@pytest.fixture
def trade(sqlite_database, clock):
    made = a_trading_business(sqlite_database, clock)
    more = captured(made.business)
    with made.business.work() as work:
        hold_orders(work, [HoldOrder(order=more.id, kind=HoldKind.MANUAL, reason="asks for a discount")])
    made.also_held = more.id
    return made


def owners(database, clock, *orders):
    with reading(database) as session:
        found = named_troubles(session, Actor.system("test"), [("order", one) for one in orders], clock.now())
        return {row.id: (row.owner_id, row.owner_role, row.is_by_rule) for row in found}


def bulk(*orders, **fields):
    return {
        "document": [f"order:{one}" for one in orders],
        "role": "",
        "person": "",
        "until": "",
        "reason": "",
        **fields,
    }


def test_two_documents_are_given_away_together(signed_in, sqlite_database, trade, clock):
    browser = signed_in("site_lead")
    with queries(sqlite_database) as ran:
        page = browser.get("/exceptions?queue=blocked")
    assert len(ran) <= MOST, len(ran)
    assert f"SO-{trade.held}" in page.text
    signed_in("customer_service")
    browser.post(
        "/exceptions?queue=blocked", bulk(trade.held, trade.also_held, todo="to_role", role="customer_service")
    )
    assert "2 documents: done." in browser.page.text
    expected = (None, "customer_service", False)
    assert owners(sqlite_database, clock, trade.held, trade.also_held) == {
        trade.held: expected,
        trade.also_held: expected,
    }
    page = browser.get(f"/exceptions/order/{trade.held}")
    assert "Assigned to Customer service" in page.text


def test_goods_that_nobody_put_away_lead_to_where_that_is_done(signed_in, sqlite_database, trade, clock):
    locations(trade.business, "DOCK", kind="receiving")
    receipt = received(trade.business, 10)
    clock.advance(timedelta(days=1, minutes=1))
    browser = signed_in("warehouse_supervisor")
    page = browser.get("/exceptions?queue=stuck&subject=put_away")
    assert "received, not put away" in page.text.lower(), page.text
    assert "Put it away" in page.text
    address = re.search(r'href="(/put-away/\d+)"', page.html)
    assert address
    there = browser.get(address[1])
    assert "DOCK" in there.text
    assert f"{receipt.number}" in there.text
    assert "what came first is put away first" in there.text
    assert browser.get(f"/warehouse/arrivals/{receipt.id}").heading.startswith(receipt.number)
    browser.get(f"/warehouse/arrivals/{receipt.id + 1}", status=404)


def test_holds_end_from_the_queue(signed_in, sqlite_database, trade, clock):
    browser = signed_in("site_lead")
    browser.get("/exceptions")
    browser.post("/exceptions", bulk(trade.held, trade.also_held, todo="release", reason="cleared by phone"))
    assert "2 documents: done." in browser.page.text
    # The older one has been lying for days without being released: another queue, and its owner.
    assert owners(sqlite_database, clock, trade.held, trade.also_held) == {trade.held: (None, "customer_service", True)}


def test_what_a_move_lacks_stands_at_its_field_and_nothing_moves(signed_in, sqlite_database, trade, clock):
    browser = signed_in("site_lead")
    browser.get("/exceptions")
    for fields, words in (
        ({"todo": "to_role"}, "Choose the role."), ({"todo": "snooze", "reason": "x"}, "Enter the day."),
        ({"todo": "note"}, "Say it in a few words."), ({"todo": "to_person", "person": "nobody"}, "Nobody signs in by this name."),
        ({"todo": "nonsense"}, "Choose what to do."),
    ):  # fmt: skip
        page = browser.post("/exceptions", bulk(trade.held, **fields), status=422)
        assert words in page.text
        assert f'value="order:{trade.held}"' in page.html
    assert "Choose at least one" in browser.post("/exceptions", bulk(todo="take"), status=422).text
    assert owners(sqlite_database, clock, trade.held)[trade.held] == (None, "site_lead", True)


def test_a_promise_is_the_day_of_its_site_wherever_the_person_is(signed_in, sqlite_database, trade):
    with reading(sqlite_database) as session:
        (day,) = session.scalars(select(OrderLine.promised_on).where(OrderLine.order_id == trade.also_held).distinct())
    browser = signed_in("site_lead", time_zone="Asia/Tokyo")
    for page in ("/exceptions?queue=blocked", "/orders?state=held"):
        row = next(one for one in browser.get(page).root.find("tr") if f"SO-{trade.also_held}" in one.text)
        assert f"{day:%a} {day.day} {day:%b}" in row.text, page


def test_who_may_only_see_moves_nothing(signed_in, sqlite_database, trade, clock):
    browser = signed_in("auditor")
    page = browser.get("/exceptions")
    assert f"SO-{trade.held}" in page.text
    assert not page.root.find("input", name="document")
    page = browser.post("/exceptions", bulk(trade.held, todo="take"), status=403)
    assert page.heading == "You may not do this"
    assert owners(sqlite_database, clock, trade.held)[trade.held] == (None, "site_lead", True)


def test_a_queue_of_a_site_gets_its_owner(signed_in, sqlite_database, trade, clock):
    browser = signed_in("site_lead")
    signed_in("customer_service")
    browser.get("/exceptions/owners")
    browser.post("/exceptions/owners", {"queue": "blocked", "site": trade.business.site, "role": "customer_service"})
    assert "The owner is set" in browser.page.text
    assert owners(sqlite_database, clock, trade.held)[trade.held] == (None, "customer_service", True)
    assert "Blocked" in browser.get("/exceptions/owners").text


def test_programs_read_the_queues_and_move_all_or_none(site, signed_in, sqlite_database, trade, clock):
    who = signed_in("site_lead").who
    headers = {"Authorization": f"Bearer {a_token(sqlite_database, who, 'site_lead', clock=clock)}"}
    client = site.test_client()
    found = client.get("/api/v1/exceptions?queue=blocked&limit=1", headers=headers).json
    assert [one["id"] for one in found["items"]] == [trade.held]
    rest = client.get(f"/api/v1/exceptions?queue=blocked&cursor={found['next']}", headers=headers).json
    assert [one["id"] for one in rest["items"]] == [trade.also_held]
    body = {
        "documents": [{"subject": "order", "id": trade.held}, {"subject": "order", "id": trade.paid}],
        "move": "take",
    }
    answer = client.post("/api/v1/exceptions/moves", json=body, headers={**headers, "Idempotency-Key": "a" * 20})
    assert (answer.status_code, answer.json["code"]) == (404, "not_in_trouble")
    assert owners(sqlite_database, clock, trade.held)[trade.held][0] is None
    body["documents"].pop()
    answer = client.post("/api/v1/exceptions/moves", json=body, headers={**headers, "Idempotency-Key": "b" * 20})
    assert answer.json == {"moved": 1}
    assert owners(sqlite_database, clock, trade.held)[trade.held] == (who.id, "site_lead", False)
    answer = client.post(
        "/api/v1/exceptions/moves",
        json={**body, "move": "snooze", "text": "x"},
        headers={**headers, "Idempotency-Key": "c" * 20},
    )
    assert (answer.status_code, answer.json["code"]) == (422, "case_snooze_until")


def test_who_reads_only_gets_no_ticks_for_moves_that_are_not_theirs(signed_in, trade):
    for path, box in (("/exceptions", "document"), ("/holds", "hold")):
        reader, worker = signed_in("auditor").get(path), signed_in("site_lead").get(path)
        assert worker.root.find("input", name=box), path
        assert not reader.root.find("input", name=box), path
        assert "Choose" not in reader.text, path


def test_an_owner_set_meanwhile_is_not_overwritten(signed_in, sqlite_database, trade, clock):
    browser = signed_in("site_lead")
    signed_in("customer_service")
    fields = {"queue": "blocked", "site": trade.business.site, "role": "customer_service"}
    seen = [one.attributes["value"] for one in browser.get("/exceptions/owners").root.find("input", name="seen")]
    browser.post("/exceptions/owners", {**fields, "seen": seen})
    page = browser.post("/exceptions/owners", {**fields, "role": "site_lead", "seen": seen}, status=409)
    assert "Somebody changed this owner" in page.text
    assert owners(sqlite_database, clock, trade.held)[trade.held] == (None, "customer_service", True)
    fresh = [one.attributes["value"] for one in browser.get("/exceptions/owners").root.find("input", name="seen")]
    browser.post("/exceptions/owners", {**fields, "role": "site_lead", "seen": fresh})
    assert owners(sqlite_database, clock, trade.held)[trade.held] == (None, "site_lead", True)

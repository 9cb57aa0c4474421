"""Collections on their pages and over the API: the worklist and its files, a contact noted, customers given, the score with its reasons."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.support.core import a_business
from tests.support.dunning import a_procedure
from tests.support.operate import open_cells
from tests.support.queries import MOST, queries
from tests.support.steps import invoiced
from tests.support.web import Browser, a_person, a_site, a_token


@pytest.fixture
def business(database, clock):
    """120.00 that was due ten days ago; today is 11 April."""
    made = a_business(database, at=clock.now())
    made.clock = clock
    open_cells(made)
    a_procedure(made)
    made.invoice = invoiced(made, [(0, 10)])[2]
    clock.advance(timedelta(days=40))
    return made


@pytest.fixture
def site(database, business, tmp_path, clock):
    return a_site(database, tmp_path, clock)


def someone(site, database, role, clock):
    browser = Browser(site)
    browser.sign_in(a_person(database, role, clock=clock))
    return browser


def test_a_collector_takes_a_customer_notes_a_contact_and_sets_the_next_one(site, database, business, clock):
    browser = someone(site, database, "collections", clock)
    with queries(database) as ran:
        page = browser.get("/collections")
    assert len(ran) <= MOST
    for said in ("Bautechnik", "120.00", "Send letter", "Level 1 is due", "Nobody", "not enough history"):
        assert said in page.text, said
    page = browser.post("/collections", {"owner": "0"}, status=422)
    assert "Choose at least one customer" in page.text
    browser.get("/collections?nobody=1")
    here = f"/collections/{business.customer}"
    with queries(database) as ran:
        browser.get(here)
    assert len(ran) <= MOST
    browser.post(f"{here}/take", {})
    assert "looked after by you" in browser.get(here).text
    assert "Bautechnik" in browser.get("/collections?mine=1").text
    assert "Nobody to collect from" in browser.get("/collections?nobody=1").text
    browser.get(here)
    keyed = {"request_key": browser.page.value("request_key"), "kind": "call", "spoke_with": "Ms Kern"}
    page = browser.post(f"{here}/contacts", keyed | {"said": "My words", "follow_up": "2026-04-01"}, status=422)
    assert "My words" in page.html
    browser.get(here)
    keyed["request_key"] = browser.page.value("request_key")
    browser.post(f"{here}/contacts", keyed | {"said": "pays on Friday", "follow_up": "2026-04-17"})
    page = browser.get(here)
    for said in ("pays on Friday", "To be followed up on 17 Apr 2026", "Not enough history"):
        assert said in page.text, said
    browser.get(f"{here}/follow-up")
    browser.post(f"{here}/follow-up", {"day": ""})
    assert "To be followed up" not in browser.get(here).text
    assert "Late-payment score" in browser.get(f"/customers/10482?company={business.entity}").text
    browser.get("/collections.csv")
    assert "Send letter" in browser.response.get_data(as_text=True)
    browser.get("/collections/4711", status=404)


def test_finance_routes_customers_and_gives_several_at_once_and_others_only_look(site, database, business, clock):
    person = a_person(database, "finance", clock=clock)
    finance, reader = Browser(site), someone(site, database, "billing", clock)
    finance.sign_in(person)
    finance.get("/collections/routes")
    finance.post("/collections/routes", {"entity": str(business.entity), "group": "0", "owner": str(person.id)})
    assert "all without a route of their own" in finance.get("/collections/routes").text
    assert "by route" in finance.get("/collections").text
    finance.post("/collections", {"customer": str(business.customer), "owner": str(person.id)})
    assert "by route" not in finance.get("/collections").text
    assert 'name="customer"' not in reader.get("/collections").html
    assert "Route them" not in reader.get("/collections/routes").text


def test_programs_read_the_worklist_and_do_what_collectors_do(site, database, business, clock):
    token = a_token(database, a_person(database, "finance", clock=clock), "finance", clock=clock)

    def call(method, path, body=None):
        answer = site.test_client().open(
            f"/api/v1{path}", method=method, json=body, headers={"Authorization": f"Bearer {token}"}
        )
        return answer.status_code, answer.json

    here = f"/collections/{business.customer}"
    status, found = call("GET", "/collections?nobody=true&action=letter")
    assert (status, [(one["overdue"], one["score"]["points"]) for one in found["items"]]) == (200, [("120.00", None)])
    assert call("GET", "/collections?action=sing")[0] == 422
    assert (
        call("POST", f"{here}/contacts", {"spoke_with": "Ms Kern", "said": "soon", "follow_up": "2026-04-20"})[0] == 201
    )
    status, page = call("GET", here)
    assert (status, page["collection"]["action"], page["contacts"][0]["said"]) == (200, "wait", "soon")
    status, page = call("POST", f"{here}/follow-up", {"day": None})
    assert (status, page["follow_up_on"]) == (200, None)
    give = {"entity": business.entity, "customers": [business.customer]}
    assert call("POST", "/collections/give", give | {"owner": 4711})[0] == 422
    assert call("POST", "/collections/give", give)[0] == 200
    assert call("POST", "/collections/routes", {"entity": business.entity})[0] == 200
    assert call("GET", "/collections/4711")[0] == 404

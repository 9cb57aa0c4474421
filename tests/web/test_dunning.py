"""Dunning on its pages and over the API: a procedure, a run of two people, its notices and letters, blocks, promises, fees."""

from __future__ import annotations

from base64 import b64decode
from datetime import timedelta

import pytest

from app.jobs.dunning import issue_confirmed
from tests.support.core import a_business
from tests.support.operate import open_cells
from tests.support.queries import MOST, queries
from tests.support.steps import invoiced
from tests.support.web import Browser, a_person, a_site, a_token

PROCEDURE = {
    "name": "Usual", "valid_from": "2026-04-11", "interval_days": "7", "min_total": "", "group": "0",
    "level_1_days": "5", "level_1_min": "10.00", "level_1_fee": "2.50", "level_1_respite": "10", "level_1_letter": "reminder",
    "level_1_note": "", "level_2_letter": "demand", "level_3_letter": "final",
}  # fmt: skip


@pytest.fixture
def business(database, clock):
    """120.00 that was due ten days ago; today is 11 April."""
    made = a_business(database, at=clock.now())
    made.clock = clock
    open_cells(made)
    made.invoice = invoiced(made, [(0, 10)])[2]
    clock.advance(timedelta(days=40))
    return made


@pytest.fixture
def site(database, business, tmp_path, clock):
    return a_site(database, tmp_path, clock)


@pytest.fixture
def people(site, database, clock):
    """Two of Finance, signed in."""
    out = []
    for _ in range(2):
        browser = Browser(site)
        browser.sign_in(a_person(database, "finance", clock=clock))
        out.append(browser)
    return out


def sends(browser, path, data, *, status=200, opened=True):
    """Open the form and send it; where the browser ended up."""
    if opened:
        browser.get(path)
    browser.page = browser.post(path, data, status=status)
    return browser.path


def test_a_procedure_is_typed_a_run_proposed_by_one_and_confirmed_by_another(people, database, business):
    first, second = people
    assert "No procedure yet" in first.get("/dunning/procedures").text
    company = {"entity": str(business.entity)}
    sends(first, "/dunning/propose", company, status=422)
    assert "No procedure of dunning is in force" in first.page.text
    sends(first, "/dunning/procedures/new", PROCEDURE | company | {"level_1_days": "", "name": "My words"}, status=422)
    assert "My words" in first.page.html
    assert sends(first, "/dunning/procedures/new", PROCEDURE | company) == "/dunning/procedures"
    assert "2.50" in first.page.text
    run = sends(first, "/dunning/propose", company)
    with queries(database) as ran:
        page = first.get(run)
    assert len(ran) <= MOST
    assert "Bautechnik" in page.text
    assert "you proposed it, so somebody else confirms it" in page.text
    assert sends(first, f"{run}/confirm", {}, status=422, opened=False) == f"{run}/confirm"
    sends(first, "/dunning/propose", company, status=422)
    assert "has a run of" in first.page.text
    second.get(run)
    assert sends(second, f"{run}/confirm", {}, opened=False) == run
    with queries(database) as ran:
        page = second.get("/dunning")
    assert len(ran) <= MOST
    assert "Done" in page.text
    notice = next(one for one in second.get(run).links() if one.startswith("/dunning/notices/"))
    with queries(database) as ran:
        page = second.get(notice)
    assert len(ran) <= MOST
    assert "Zahlungserinnerung" in page.text
    assert "on paper: no address for letters" in page.text
    second.get(f"{notice}/letter.pdf")
    assert second.response.data.startswith(b"%PDF")
    here = f"/dunning/customers/{business.customer}"
    with queries(database) as ran:
        page = second.get(here)
    assert len(ran) <= MOST
    assert "Reminder" in page.text
    fee = next(one for one in page.links() if one.startswith(f"{here}/fees/"))
    sends(second, fee, {"receipt": "0", "amount": "2.50", "reason": ""}, status=422)
    assert sends(second, fee, {"receipt": "0", "amount": "2.50", "reason": "asked"}) == here
    assert "0.00 EUR open" in second.page.text


def test_promises_and_blocks_are_kept_on_the_customers_page_and_refusals_keep_what_was_typed(people, business):
    browser, here = people[0], f"/dunning/customers/{business.customer}"
    promise = {"document": "0", "amount": "120.00", "until": "2026-04-20", "said_by": "Ms Kern", "note": ""}
    sends(browser, f"{here}/promise", promise | {"until": "2026-04-01"}, status=422)
    assert "Ms Kern" in browser.page.html
    assert sends(browser, f"{here}/promise", promise) == here
    assert "120.00 EUR until" in browser.page.text
    block = {"document": str(business.invoice.id), "kind": "dispute", "reason": "wrong size", "until": "2026-05-01"}
    assert sends(browser, f"{here}/block", block) == here
    assert "wrong size" in browser.page.text
    lift = next(one for one in browser.page.links() if one.endswith("/lift"))
    assert sends(browser, lift, {"reason": "agreed"}) == here
    assert "over: agreed" in browser.page.text
    browser.get("/dunning/customers/4711", status=404)
    browser.get("/dunning/4711", status=404)


def test_programs_do_the_same(site, database, business, clock):
    tokens = [a_token(database, a_person(database, "finance", clock=clock), "finance", clock=clock) for _ in range(2)]

    def call(method, path, body=None, who=0):
        answer = site.test_client().open(
            f"/api/v1{path}", method=method, json=body, headers={"Authorization": f"Bearer {tokens[who]}"}
        )
        return answer.status_code, answer.json

    levels = [{"days_overdue": 5, "letter": "reminder", "fee": "2.50"}]
    body = {"entity": business.entity, "name": "Usual", "valid_from": "2026-04-11", "levels": levels}
    assert call("POST", "/dunning-procedures", body)[0] == 201
    status, made = call("POST", "/dunning-runs", {"entity": business.entity})
    assert status == 201
    here = f"/dunning-runs/{made['id']}"
    assert call("POST", f"{here}/moves", {"move": "confirm"})[0] == 422
    status, run = call("POST", f"{here}/moves", {"move": "confirm"}, who=1)
    assert (status, run["state"], run["asked"][0]["overdue"]) == (200, "confirmed", "120.00")
    paper = f"/dunning-notices/{run['asked'][0]['id']}/letter-paper"
    assert call("GET", paper)[0] == 422, "it is not issued yet"
    assert issue_confirmed(database, clock=clock) == 1
    assert b64decode(call("GET", paper)[1]["pdf"]).startswith(b"%PDF")
    assert call("GET", "/dunning-runs")[1]["items"][0]["state"] == "done"
    customer = f"/customers/{business.customer}"
    promise = {"amount": "50.00", "until": "2026-04-20", "said_by": "Ms Kern"}
    assert call("POST", f"{customer}/payment-promises", promise)[0] == 201
    block = {"kind": "dispute", "reason": "wrong size", "until": "2026-05-01", "document": business.invoice.id}
    status, made = call("POST", f"{customer}/dunning-blocks", block)
    assert status == 201
    assert call("POST", f"{customer}/dunning-blocks/{made['id']}/lift", {"reason": "agreed"})[0] == 200
    found = call("GET", f"{customer}/dunning")[1]
    assert [(one["level"], one["open"]) for one in found["invoices"]] == [(1, "120.00")]
    assert [(one["state"], one["came"]) for one in found["promises"]] == [("open", "0.00")]
    assert [one["is_over"] for one in found["blocks"]] == [True]

"""The proof page shows both sides as they were compared last, and has them compared anew without making anybody wait."""

from __future__ import annotations

import pytest

from app.jobs.prove import prove_if_asked
from tests.support.core import a_business
from tests.support.queries import queries
from tests.support.steps import shipped
from tests.support.web import a_token


@pytest.fixture
def business(sqlite_database, clock):
    made = a_business(sqlite_database, at=clock.now())
    made.clock = clock
    shipped(made)
    return made


def test_the_books_are_compared_for_who_asks(signed_in, business, sqlite_database, clock):
    browser = signed_in("auditor")
    page = browser.get("/proof?part=stock")
    assert "Nothing of this was compared" in page.text
    page = browser.post("/proof?part=stock")
    assert "Asked for" in page.text
    assert not page.root.find("form", action="/proof?part=stock")
    prove_if_asked(sqlite_database, clock=clock)
    with queries(sqlite_database) as ran:
        page = browser.get("/proof?part=stock")
    assert "Stock on hand = sum of its moves" in page.text
    assert "290,000" in page.text
    assert len(ran) <= 12


def test_programs_ask_too_and_somebody_without_measures_does_not(site, signed_in, business, sqlite_database, clock):
    browser = signed_in("auditor")
    token = a_token(sqlite_database, browser.who, "auditor", clock=clock)
    headers = {"Authorization": f"Bearer {token}"}
    client = site.test_client()
    assert client.get("/api/v1/proof", headers=headers).json["sides"] == []
    asked = client.post("/api/v1/proof", headers=headers)
    assert (asked.status_code, asked.json) == (202, {"asked_at": "2026-03-02T09:00:00Z"})
    prove_if_asked(sqlite_database, clock=clock)
    found = client.get("/api/v1/proof", headers=headers).json
    assert found["waiting"] is None
    assert {one["difference"] for one in found["sides"]} == {0}
    signed_in("warehouse_operator").get("/proof", status=403)

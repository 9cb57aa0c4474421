"""Who may, enters what the supplier credits, accepts the difference and takes an entry back, on screens and by programs."""

from __future__ import annotations

import pytest

from tests.db.core.test_sending_back import sent, set_apart
from tests.support.controls import assert_books_agree
from tests.support.core import a_business
from tests.support.operate import open_cells
from tests.support.supply import a_supplier
from tests.support.web import a_person, a_token


@pytest.fixture
def business(sqlite_database, clock):
    made = a_business(sqlite_database, at=clock.now())
    made.clock = clock
    open_cells(made)
    return made


@pytest.fixture
def document(business):
    """Goods sent back for which 7.00 are expected."""
    return sent(business, a_supplier(business), set_apart(business)).id


def test_a_credit_note_is_entered_and_somebody_else_accepts_the_difference(
    signed_in, business, document, sqlite_database
):
    here = f"/supplier-returns/{document}"
    clerk, boss = signed_in("billing"), signed_in("finance")
    assert "SR-" in clerk.get("/supplier-returns?open=1").text
    clerk.get(here)
    assert f"{here}/difference" not in clerk.page.links()
    clerk.get(f"{here}/credit")
    page = clerk.post(f"{here}/credit", {"paper": "", "paper_on": "2026-03-02", "amount": "6.00"}, status=422)
    assert "Enter the number of the credit note" in page.errors()[0]
    page = clerk.post(f"{here}/credit", {"paper": "GS-1", "paper_on": "2099-03-02", "amount": "6.00"}, status=422)
    assert "has not come yet" in page.errors()[0]
    today = business.clock.now().date().isoformat()
    page = clerk.post(f"{here}/credit", {"paper": "GS-1", "paper_on": today, "amount": "6.00"})
    for said in ("Credit note GS-1", "the supplier owes it", "1.00"):
        assert said in page.text, said
    clerk.get(f"{here}/difference", status=403)
    page = boss.get(f"{here}/difference")
    page = boss.post(f"{here}/difference", {"reason": "", "seen": "100"}, status=422)
    assert "Say why" in page.errors()[0]
    page = boss.post(f"{here}/difference", {"reason": "They keep a fee.", "seen": "200"}, status=409)
    assert "since you saw it" in page.errors()[0]
    assert page.value("seen") == "100"
    page = boss.post(f"{here}/difference", {"reason": "They keep a fee.", "seen": "100"})
    for said in ("They keep a fee.", "settled", "Difference accepted"):
        assert said in page.text, said
    assert "SR-" not in clerk.get("/supplier-returns?open=1").text.partition("Number or supplier")[2]
    back = next(link for link in clerk.get(here).links() if link.endswith("/take-back"))
    assert "stays to be read" in clerk.get(back).text
    page = clerk.post(back, {"reason": "It credits other goods."})
    assert "Taken back" in page.text
    assert back not in page.links()
    clerk.get(f"{here}/settlements/4711/take-back", status=404)
    assert_books_agree(sqlite_database)


def test_programs_settle_a_claim_and_read_what_is_open(site, business, document, sqlite_database, clock):
    def caller(role):
        token = a_token(sqlite_database, a_person(sqlite_database, role, clock=clock), role, clock=clock)

        def call(method, path, key=None, **said):
            heads = {"Authorization": f"Bearer {token}", **({"Idempotency-Key": key} if key else {})}
            return site.test_client().open(f"/api/v1{path}", method=method, headers=heads, **said)

        return call

    clerk, boss = caller("billing"), caller("finance")
    here, today = f"/supplier-returns/{document}", clock.now().date().isoformat()
    body = {"paper": "GS-1", "paper_on": today, "amount": "7.50"}
    made = clerk("POST", f"{here}/credits", "supplier-credit-01", json=body)
    assert (made.status_code, made.json.get("open"), made.json.get("credited")) == (201, "-0.50", "7.50"), made.json
    assert clerk("POST", f"{here}/credits", "supplier-credit-01", json=body).json == made.json
    again = clerk("POST", f"{here}/credits", "supplier-credit-02", json=body)
    assert (again.status_code, again.json["code"]) == (409, "supplier_credit_twice")
    assert (
        clerk("POST", f"{here}/difference", "supplier-credit-03", json={"reason": "x", "open": "-0.50"}).status_code
        == 403
    )
    late = boss("POST", f"{here}/difference", "supplier-credit-04", json={"reason": "x", "open": "7.00"})
    assert (late.status_code, late.json["code"]) == (409, "claim_changed")
    ended = boss("POST", f"{here}/difference", "supplier-credit-05", json={"reason": "Kept.", "open": "-0.50"}).json
    assert (ended["open"], ended["accepted"], [one["kind"] for one in ended["settled"]]) == (
        "0.00", "-0.50", ["credit", "difference"],
    )  # fmt: skip
    assert clerk("GET", "/supplier-returns?open=true").json["items"] == []
    entry = ended["settled"][0]["id"]
    back = clerk("POST", f"{here}/settlements/{entry}/take-back", "supplier-credit-06", json={"reason": "Of others."})
    assert (back.json["open"], back.json["settled"][0]["is_gone"]) == ("7.50", True)
    assert [one["id"] for one in clerk("GET", "/supplier-returns?open=true").json["items"]] == [document]
    assert_books_agree(sqlite_database)

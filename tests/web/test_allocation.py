"""Scarce stock on screens: what is short, who gets it by which rule, runs, taking back, protections and backorders."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from app.composition.uow import reading
from tests.db.core.test_scarce_stock import allocated_of, receive
from tests.support.controls import assert_books_agree
from tests.support.core import a_business
from tests.support.operate import open_cells
from tests.support.policies import approve
from tests.support.queries import MOST, queries
from tests.support.rows import rows
from tests.support.steps import allocated


@pytest.fixture
def business(sqlite_database, clock):
    """Three orders wait for 6, 6 and 3 of the first item; ten have come since."""
    made = a_business(sqlite_database, at=clock.now(), items=2, stock=0)
    made.clock = clock
    open_cells(made)
    made.waiting = []
    for quantity in (6, 6, 3):
        made.waiting.append(allocated(made, [(0, quantity)]))
        clock.advance(timedelta(minutes=1))
    receive(made, 10)
    return made


def place(business):
    return f"/allocation/{business.site}/{business.items[0]}"


def run_of(business):
    with reading(business.database) as session:
        return session.execute(text("SELECT MAX(id) FROM allocation_run")).scalar_one()


def simulated(browser, business):
    browser.post("/allocation/runs", {"site": business.site, "item": business.items[0], "request_key": "k1"})
    return run_of(business)


def test_the_workbench_shows_what_is_short_and_what_each_rule_would_give(signed_in, business):
    lead = signed_in("site_lead")
    page = lead.get("/allocation")
    assert page.heading == "Allocation"
    assert "40-0" in page.text
    assert "Lines that wait 3" in page.text
    assert "10" in page.text.split("40-0", 1)[1].split("Pipe 0")[1][:160]
    page = lead.get(place(business))
    assert page.heading == "40-0 · Pipe 0"
    assert "First come serves 1 whole" in page.text
    assert "Fair share serves 0 whole" in page.text
    assert "others rank before it" in page.text


def test_a_run_is_simulated_committed_and_stays_with_its_explanation(signed_in, business):
    lead = signed_in("site_lead")
    key = simulated(lead, business)
    assert allocated_of(business.database, *business.waiting) == [0, 0, 0]
    assert simulated(lead, business) == key, "the same form sent twice makes one run"
    page = lead.get(f"/allocation/runs/{key}")
    assert "gets all it wants" in page.text
    page = lead.post(f"/allocation/runs/{key}/commit", {"version": "1"})
    assert "The run is committed" in page.text
    assert allocated_of(business.database, *business.waiting) == [6000, 4000, 0]
    page = lead.post(f"/allocation/runs/{key}/commit", {"version": "2"}, status=422)
    assert "committed" in page.text
    assert "40-0" in lead.get("/allocation/runs?state=committed").text
    assert_books_agree(business.database)


def test_who_ranks_by_hand_does_not_commit_and_a_colleague_does(signed_in, business):
    lead, other = signed_in("site_lead"), signed_in("warehouse_supervisor")
    key = simulated(lead, business)
    last = business.waiting[2].lines[0].id
    page = lead.post(f"/allocation/runs/{key}/ranks", {"line": last, "rank": "x", "reason": "stands still"}, status=422)
    assert "Enter 1 for the first" in page.errors()[0]
    assert page.value("reason") == "stands still"
    lead.post(f"/allocation/runs/{key}/ranks", {"line": last, "rank": "1", "reason": "stands still"})
    page = lead.post(f"/allocation/runs/{key}/commit", {}, status=403)
    assert allocated_of(business.database, *business.waiting) == [0, 0, 0]
    other.post(f"/allocation/runs/{key}/commit", {})
    assert allocated_of(business.database, *business.waiting) == [6000, 1000, 3000]


def test_a_run_is_put_aside_with_a_reason(signed_in, business):
    lead = signed_in("site_lead")
    key = simulated(lead, business)
    lead.post(f"/allocation/runs/{key}/reject", {"why": ""}, status=422)
    lead.post(f"/allocation/runs/{key}/reject", {"why": "miscounted"})
    assert rows(business.database, "SELECT state, reason FROM allocation_run") == [("rejected", "miscounted")]


def test_stock_is_taken_back_by_two_people_where_the_rule_says_so(signed_in, business):
    approve(business, "take_back_rule", "second_person")
    lead, other = signed_in("site_lead"), signed_in("process_owner")
    key = simulated(lead, business)
    lead.post(f"/allocation/runs/{key}/commit", {})
    second, third = business.waiting[1].lines[0].id, business.waiting[2].lines[0].id
    where = place(business) + "/take-back"
    lead.get(where)
    form = {"from_line": second, "to_line": third, "quantity": "1", "reason": "they shout", "request_key": "a"}
    page = lead.post(where, form, status=422)
    assert "ranks before" in page.text
    assert page.value("reason") == "they shout"
    first_less = {"from_line": business.waiting[0].lines[0].id, "to_line": second, "quantity": "2"}
    page = lead.post(where, {**form, **first_less, "request_key": "b"}, status=422)
    assert "ranks before" in page.text
    assert rows(business.database, "SELECT COUNT(*) FROM take_back_wish") == [(0,)]
    assert other.get("/allocation").heading == "Allocation"


def test_a_wish_is_decided_by_somebody_else(signed_in, business, clock):
    approve(business, "take_back_rule", "second_person")
    lead, other = signed_in("site_lead"), signed_in("process_owner")
    key = simulated(lead, business)
    last = business.waiting[2].lines[0].id
    lead.post(f"/allocation/runs/{key}/ranks", {"line": last, "rank": "1", "reason": "stands still"})
    signed_in("warehouse_supervisor").post(f"/allocation/runs/{key}/commit", {})
    second = business.waiting[1].lines[0].id
    form = {"from_line": last, "to_line": second, "quantity": "2", "reason": "promised first", "request_key": "c"}
    lead.post(place(business) + "/take-back", form)
    assert allocated_of(business.database, *business.waiting) == [6000, 1000, 3000]
    ((wish,),) = rows(business.database, "SELECT id FROM take_back_wish")
    page = lead.get("/allocation")
    assert "a second person decides" in page.text
    page = lead.get(f"/allocation/take-backs/{wish}")
    assert "you asked for it" in page.text
    other.post(f"/allocation/take-backs/{wish}", {"press": "reject", "note": ""}, status=422)
    other.post(f"/allocation/take-backs/{wish}", {"press": "agree", "note": "yes"})
    assert allocated_of(business.database, *business.waiting) == [6000, 3000, 1000]
    assert_books_agree(business.database)


def test_stock_is_protected_and_the_protection_ends(signed_in, business):
    lead = signed_in("site_lead")
    form = {
        "site": business.site, "item": "40-0", "customer": "10482", "quantity": "5", "contract": "frame 7",
        "valid_from": "2026-01-01", "request_key": "p",
    }  # fmt: skip
    page = lead.post("/allocation/protections", {**form, "item": "nothing"}, status=422)
    assert "No item has this code" in page.errors()[0]
    assert page.value("contract") == "frame 7"
    lead.post("/allocation/protections", form)
    ((key, quantity),) = rows(business.database, "SELECT id, quantity FROM stock_protection")
    assert quantity == 5000
    assert "frame 7" in lead.get(place(business)).text
    lead.post(f"/allocation/protections/{key}/end", {})
    assert "End today" not in lead.get("/allocation/protections").text


def test_backorders_are_promised_anew_and_cancelled_from_their_list(signed_in, business):
    desk = signed_in("customer_service")
    page = desk.get("/backorders")
    assert page.heading == "Backorders"
    assert "3 lines" in page.text
    first, last = business.waiting[0].lines[0].id, business.waiting[2].lines[0].id
    desk.post("/backorders", {"press": "promise", "reason": "x"}, status=422)
    day = (business.clock.now() + timedelta(days=20)).date()
    page = desk.post(
        "/backorders", {"line": first, "day": day.isoformat(), "reason": "", "press": "promise"}, status=422
    )
    assert page.value("day") == day.isoformat()
    desk.post("/backorders", {"line": first, "day": day.isoformat(), "reason": "they wrote", "press": "promise"})
    (found,) = rows(business.database, "SELECT promised_on FROM order_line WHERE id = :i", i=first)
    assert str(found[0]) == day.isoformat()
    page = desk.post("/backorders", {"line": last, "reason": "not needed", "press": "cancel"})
    assert "1 line is cancelled" in page.text
    assert rows(business.database, "SELECT cancelled FROM order_line WHERE id = :i", i=last) == [(3000,)]
    assert_books_agree(business.database)


@pytest.mark.parametrize("name", ["allocation", "backorders", "allocation/runs", "allocation/protections"])
def test_every_list_is_a_file_too(signed_in, business, name):
    lead = signed_in("site_lead")
    simulated(lead, business)
    for ending in ("csv", "xlsx"):
        answer = lead.client.get(f"/{name}.{ending}")
        assert answer.status_code == 200
        assert len(answer.data) > 40
    assert lead.client.get(f"/allocation/runs/{run_of(business)}.csv").data.count(b"\n") == 4


def test_the_item_page_says_who_waits(signed_in, business):
    lead = signed_in("site_lead")
    assert "Who waits for it" in lead.get("/stock/items/40-0").text
    assert "Who waits for it" in lead.get(f"/stock/{business.site}/{business.items[0]}").text


@pytest.mark.parametrize("path", ["/allocation", "/backorders", "/allocation/runs", "PLACE", "RUN"])
def test_a_page_asks_at_most_25_times(signed_in, business, path):
    lead = signed_in("site_lead")
    key = simulated(lead, business)
    path = {"PLACE": place(business), "RUN": f"/allocation/runs/{key}"}.get(path, path)
    lead.get(path)
    with queries(business.database) as asked:
        lead.get(path)
    assert len(asked) <= MOST, len(asked)


def test_another_sites_run_and_place_do_not_exist(signed_in, business, site):
    key = simulated(signed_in("site_lead"), business)
    from tests.support.operate import a_closed_site

    far = signed_in("site_lead", site=a_closed_site(business))
    far.get(f"/allocation/runs/{key}", status=404)
    far.get(place(business), status=404)
    assert "40-0" not in far.get("/backorders").text

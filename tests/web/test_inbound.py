"""Receiving, putting away, counting and approving on the screens that people walk with."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from app.composition.uow import reading
from tests.support.controls import assert_books_agree
from tests.support.core import a_business
from tests.support.operate import a_closed_site, open_cells
from tests.support.warehouse import balance, bins, day, expected, locations, tracked


@pytest.fixture
def business(sqlite_database, clock):
    made = a_business(sqlite_database, at=clock.now(), items=2, stock=100)
    made.clock = clock
    open_cells(made)
    return made


def task_of(business):
    with reading(business.database) as session:
        return session.execute(text("SELECT id FROM count_task")).scalar_one()


def test_goods_are_found_by_a_scan_received_against_the_paper_and_put_away(signed_in, business):
    key = expected(business, 20)
    locations(business, "DOCK", kind="receiving")
    locations(business, "A-01")
    browser = signed_in("warehouse_operator")
    assert browser.get("/receive?scan=PO-1").heading == "40-0 · Pipe 0"
    page = browser.get(f"/receive/{key}")
    assert page.heading == "40-0 · Pipe 0"
    page = browser.post(f"/receive/{key}", {"quantity": "21", "paper": "DN 9"}, status=422)
    assert "still expects 20 of 40-0 at most" in page.errors()[0]
    assert page.value("paper") == "DN 9"
    browser.post(f"/receive/{key}", {"quantity": "18", "damaged": "2", "paper": "DN 9", "last": "y"})
    assert bins(business) == {("DOCK", None, "received"): 16, ("DOCK", None, "damaged"): 2}
    with reading(business.database) as session:
        waiting = session.execute(text("SELECT id FROM stock_bin WHERE status = 'received'")).scalar_one()
    browser.get(f"/put-away/{waiting}")
    page = browser.post(f"/put-away/{waiting}", {"location": "Z-99", "quantity": "16"}, status=422)
    assert "There is no location Z-99" in page.errors()[0]
    browser.post(f"/put-away/{waiting}", {"location": "A-01", "quantity": "16"})
    assert bins(business) == {("A-01", None, "available"): 16, ("DOCK", None, "damaged"): 2}
    assert balance(business) == (118, 0, 2, 18)
    page = browser.get(f"/stock/{business.site}/{business.items[0]}")
    assert "Available 116" in page.text
    assert "2 pc blocked" in page.text.replace("\u00a0", " ")
    assert "Where it lies" in page.text
    assert_books_agree(business.database)


def test_goods_that_come_past_their_last_day_are_set_apart_and_whoever_took_them_is_told(
    signed_in, sqlite_database, clock
):
    business = a_business(sqlite_database, items=1, stock=0, at=clock.now())
    business.clock = clock
    open_cells(business)
    tracked(business, "lot")
    key = expected(business, 20)
    browser = signed_in("warehouse_operator")
    typed = {"quantity": "5", "paper": "DN 9", "lot": "L-OLD", "expires_on": day(-1).isoformat()}
    browser.get(f"/receive/{key}")
    page = browser.post(f"/receive/{key}", typed)
    assert "Its last day is over: it lies in quarantine and is promised to nobody." in page.text
    assert bins(business) == {(None, "L-OLD", "quarantine"): 5}


def test_a_count_is_blind_begun_recorded_and_counted_again_by_somebody_else(signed_in, business):
    from tests.db.core.test_counting import planned

    task = planned(business)
    anna = signed_in("warehouse_operator")
    page = anna.get(f"/counts/{task}")
    assert "100" not in page.text
    anna.post(f"/counts/{task}/start", {})
    page = anna.post(f"/counts/{task}", {"found": "-1"}, status=422)
    assert "Nothing below zero can be found" in page.errors()[0]
    anna.post(f"/counts/{task}", {"found": "90"})
    page = anna.get(f"/counts/{task}")
    assert "Somebody counted this before" in page.text
    assert "90" not in page.text
    assert balance(business) == (100, 0, 0, 0)


def test_an_adjustment_above_the_limit_waits_for_somebody_else(signed_in, business):
    here = f"/stock/{business.site}/{business.items[0]}"
    supervisor, lead = signed_in("warehouse_supervisor"), signed_in("site_lead")
    supervisor.get(f"{here}/adjust")
    supervisor.post(f"{here}/adjust", {"quantity": "900", "note": "found behind the rack"})
    assert balance(business) == (100, 0, 0, 0)
    with reading(business.database) as session:
        asked = session.execute(text("SELECT id FROM stock_adjustment")).scalar_one()
    supervisor.get(f"/adjustments/{asked}")
    supervisor.post(f"/adjustments/{asked}", {"note": "sure", "approved": "yes"}, status=403)
    lead.get(f"/adjustments/{asked}")
    page = lead.post(f"/adjustments/{asked}", {"note": "", "approved": "yes"}, status=422)
    assert "Reason: Say why" in page.errors()
    lead.post(f"/adjustments/{asked}", {"note": "seen it", "approved": "yes"})
    assert balance(business) == (1000, 0, 0, 0)
    assert_books_agree(business.database)


def test_a_verdict_on_a_count_that_is_refused_keeps_its_reason(signed_in, business):
    from tests.db.core.test_counting import planned

    task = planned(business)
    anna, ben, lead = (signed_in(role) for role in ("warehouse_operator", "warehouse_operator", "site_lead"))
    for counter in (anna, ben):
        counter.get(f"/counts/{task}")
        counter.post(f"/counts/{task}/start", {})
        counter.post(f"/counts/{task}", {"found": "900"})
    lead.get(f"/counts/{task}")
    long = "two people counted the rack " * 8
    page = lead.post(f"/counts/{task}/decide", {"note": long, "approved": "yes"}, status=422)
    assert page.value("note") == long.strip()
    assert "Reason" in page.errors()[0]
    assert balance(business) == (100, 0, 0, 0)
    lead.post(f"/counts/{task}/decide", {"note": "two people counted", "approved": "yes"})
    assert balance(business) == (900, 0, 0, 0)
    assert_books_agree(business.database)


def test_another_site_s_receipts_and_counts_do_not_exist(signed_in, business):
    from tests.db.core.test_counting import planned

    key, task = expected(business, 20), planned(business)
    browser = signed_in("warehouse_supervisor", site=a_closed_site(business))
    for path in (f"/receive/{key}", f"/counts/{task}"):
        assert browser.get(path, status=404).heading == "There is nothing here"
    assert "Nothing is expected here" in browser.get("/receive").text

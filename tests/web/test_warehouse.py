"""The warehouse at the desk: places, status, transfers, counts, lots, goods receipts, closed periods."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
from sqlalchemy import text

from app.composition.uow import reading
from tests.support.controls import assert_books_agree
from tests.support.operate import a_trading_business, another_item, open_cells
from tests.support.queries import MOST, queries
from tests.support.warehouse import balance, bins, everything, locations, received, second_site, tracked


@pytest.fixture
def trade(sqlite_database, clock):
    return a_trading_business(sqlite_database, clock)


def bin_at(business, status="available"):
    with reading(business.database) as session:
        return session.execute(
            text("SELECT id FROM stock_bin WHERE quantity > 0 AND status = :s"), {"s": status}
        ).scalar_one()


PAGES = (
    "/warehouse/locations", "/warehouse/locations/{place}", "/warehouse/transfers", "/warehouse/counts",
    "/warehouse/counts?state=done", "/warehouse/lots", "/warehouse/lots?left=0", "/warehouse/receipts", "/ledger/periods",
    "/warehouse/{site}/locations/new", "/warehouse/{site}/zones/new", "/warehouse/transfers/new?site={site}",
    "/warehouse/{site}/counts/new", "/warehouse/{site}/counts/cadence", "/stock/{site}/{item}/status",
)  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_whole_and_asks_little(signed_in, sqlite_database, trade, path):
    (place,) = locations(trade.business, "A-01")
    business = trade.business
    second_site(business)
    browser = signed_in("finance" if "ledger" in path else "warehouse_supervisor")
    with queries(sqlite_database) as ran:
        browser.get(path.format(place=place, site=business.site, item=business.items[0]))
    assert len(ran) <= MOST, ran.statements


def test_a_location_is_added_filled_blocked_and_opened_again_with_reasons(signed_in, trade):
    business = trade.business
    lead = signed_in("warehouse_supervisor")
    here = f"/warehouse/{business.site}/locations/new"
    lead.get(here)
    lead.post(here, {"code": "B-07", "kind": "storage", "zone": "B", "walk": "7"})
    lead.get(here)
    page = lead.post(here, {"code": "B-07", "kind": "storage", "zone": "", "walk": "8"}, status=409)
    assert page.value("walk") == "8"
    with reading(business.database) as session:
        place = session.execute(text("SELECT id FROM location WHERE code = 'B-07'")).scalar_one()
    page = lead.get(f"/warehouse/locations/{place}/block")
    page = lead.post(f"/warehouse/locations/{place}/block", {"reason": ""}, status=422)
    assert page.errors() == ["Reason: Say why"]
    page = lead.post(f"/warehouse/locations/{place}/block", {"reason": "a beam is bent"})
    assert "nothing is picked from here" in page.text
    lead.get(f"/warehouse/locations/{place}/block")
    page = lead.post(f"/warehouse/locations/{place}/block", {"reason": "again"}, status=422)
    assert "B-07 is blocked already" in page.errors()[0]
    assert "B-07" in lead.get(f"/warehouse/locations?blocked=1&site={business.site}").text
    lead.get(f"/warehouse/locations/{place}/open")
    lead.post(f"/warehouse/locations/{place}/open", {"reason": "mended"})
    assert "No location" in lead.get(f"/warehouse/locations?blocked=1&site={business.site}").text
    rows = list(
        csv.reader(
            io.StringIO(lead.client.get(f"/warehouse/locations.csv?site={business.site}").get_data(as_text=True)[1:])
        )
    )
    assert rows[1][:6] == ["B-07", "Duisburg", "B", "storage", "7", "no"]
    signed_in("warehouse_operator").get(f"/warehouse/locations/{place}/block", status=403)


def test_goods_are_blocked_from_sale_moved_and_released_by_who_may(signed_in, trade, sqlite_database):
    business = trade.business
    locations(business, "A-01", "A-02")
    lead = signed_in("warehouse_supervisor")
    here = f"/stock/{business.site}/{business.items[0]}/status"
    lead.get(here)
    before = everything(business)
    page = lead.post(here, {"quantity": "9999", "target": "damaged", "reason": "wet"}, status=422)
    assert page.errors()
    assert everything(business) == before
    lead.get(here)
    lead.post(here, {"quantity": "5", "target": "quarantine", "reason": "wet"})
    assert bins(business) == {(None, None, "quarantine"): 5}
    bin_id = bin_at(business, "quarantine")
    lead.get(f"/warehouse/bins/{bin_id}/move")
    lead.post(f"/warehouse/bins/{bin_id}/move", {"quantity": "5", "location": "A-02"})
    assert bins(business) == {("A-02", None, "quarantine"): 5}
    bin_id = bin_at(business, "quarantine")
    lead.get(f"/warehouse/bins/{bin_id}/status")
    lead.post(f"/warehouse/bins/{bin_id}/status", {"quantity": "3", "target": "damaged", "reason": "crushed"})
    assert bins(business) == {("A-02", None, "quarantine"): 2, ("A-02", None, "damaged"): 3}
    bin_id = bin_at(business, "damaged")
    lead.get(f"/warehouse/bins/{bin_id}/adjust")
    page = lead.post(
        f"/warehouse/bins/{bin_id}/adjust", {"quantity": "-4", "reason": "damaged", "note": "bin"}, status=422
    )
    assert page.errors()
    lead.get(f"/warehouse/bins/{bin_id}/adjust")
    lead.post(f"/warehouse/bins/{bin_id}/adjust", {"quantity": "-3", "reason": "damaged", "note": "thrown away"})
    assert bins(business) == {("A-02", None, "quarantine"): 2}
    assert_books_agree(sqlite_database)


def test_a_transfer_is_shipped_received_in_part_and_the_rest_given_up(signed_in, trade, sqlite_database):
    business = trade.business
    target = second_site(business)
    open_cells(business, site=target)
    lead = signed_in("warehouse_supervisor")
    here = f"/warehouse/transfers/new?site={business.site}"
    lead.get(here)
    day = (business.clock.now() + timedelta(days=2)).date().isoformat()
    form = {"to_site": str(target), "arrives_on": day, "item_0": "40-0", "quantity_0": "10"}
    before = everything(business)
    page = lead.post(here, {**form, "item_1": "no-such"}, status=422)
    assert page.value("item_1") == "no-such"
    lead.get(here)
    page = lead.post(here, {**form, "item_1": "no-such", "quantity_1": "1"}, status=422)
    assert "No item has the code no-such" in page.errors()[0]
    assert everything(business) == before
    lead.get(here)
    page = lead.post(here, form)
    assert "Duisburg to Hamburg" in page.heading
    path = lead.path
    assert "late" not in lead.get("/warehouse/transfers").text
    page = lead.get(f"{path}/receive")
    (field,) = [one for one in page.root.find("input") if one.attributes.get("name", "").startswith("quantity_")]
    name = field.attributes["name"]
    line, version = name.removeprefix("quantity_"), page.value("version")
    page = lead.post(f"{path}/receive", {name: "11", "version": version}, status=422)
    assert "only 10" in page.errors()[0]
    lead.get(f"{path}/receive")
    lead.post(f"{path}/receive", {name: "8", f"damaged_{line}": "1", "version": version})
    assert balance(business, site=target) == (10, 0, 3, 3)
    lead.get(f"{path}/lines/{line}/lost")
    page = lead.post(f"{path}/lines/{line}/lost", {"quantity": "2", "reason": "fell off the truck"})
    assert "Settled" in page.text
    assert balance(business, site=target) == (8, 0, 1, 1)
    assert_books_agree(sqlite_database)


def test_who_takes_a_transfer_past_its_last_day_or_puts_such_goods_away_is_told(signed_in, trade, clock):
    business = trade.business
    business.items = (*business.items, another_item(business, "L-1", "Sealant", cost="2.00"))
    tracked(business, "lot", item=3)
    received(business, 6, item=3, lot="LOT-9", expires_on=clock.now().date())
    target = second_site(business)
    open_cells(business, site=target)
    locations(business, "DOCK", kind="receiving", site=target)
    lead = signed_in("warehouse_supervisor")
    here = f"/warehouse/transfers/new?site={business.site}"
    lead.get(here)
    arrives = (clock.now() + timedelta(days=1)).date().isoformat()
    lead.post(here, {"to_site": str(target), "arrives_on": arrives, "item_0": "L-1", "quantity_0": "6"})
    path = f"{lead.path}/receive"
    page = lead.get(path)
    (field,) = [one for one in page.root.find("input") if one.attributes.get("name", "").startswith("quantity_")]
    name = field.attributes["name"]
    page = lead.post(path, {name: "2", "version": page.value("version")})
    assert "quarantine" not in page.text
    clock.advance(timedelta(days=1))
    lead = signed_in("warehouse_supervisor")
    page = lead.get(path)
    page = lead.post(path, {name: "3", "version": page.value("version")})
    assert "The last day of some of it is over: that lies in quarantine and is promised to nobody." in page.text
    with reading(business.database) as session:
        (coming,) = session.execute(text("SELECT id FROM expected_receipt WHERE site_id = :s"), {"s": target}).scalars()
    lead.get(f"/receive/{coming}")
    page = lead.post(f"/receive/{coming}", {"quantity": "1"})
    assert "Its last day is over: it lies in quarantine and is promised to nobody." in page.text
    assert bins(business, item=3, site=target) == {("DOCK", "LOT-9", "received"): 2, ("DOCK", "LOT-9", "quarantine"): 4}
    waiting = bin_at(business, "received")
    lead.get(f"/put-away/{waiting}")
    page = lead.post(f"/put-away/{waiting}", {"quantity": "2", "location": ""})
    assert "L-1 is put away. Its last day is over: it lies in quarantine and is promised to nobody." in page.text


def test_counts_are_planned_asked_for_and_cancelled_at_the_desk(signed_in, trade, clock):
    business = trade.business
    lead = signed_in("warehouse_supervisor")
    page = lead.get(f"/warehouse/counts?site={business.site}")
    assert "Due 3" in page.text
    page = lead.post(f"/warehouse/{business.site}/counts/due", {})
    assert "Due 0" in page.text
    assert "On the list 3" in page.text
    here = f"/warehouse/{business.site}/counts/new"
    lead.get(here)
    page = lead.post(here, {"item": "40-0", "location": "Z-1", "lot": ""}, status=422)
    assert "There is no location Z-1" in page.errors()[0]
    with reading(business.database) as session:
        task = session.execute(text("SELECT MIN(id) FROM count_task")).scalar_one()
    lead.get(f"/warehouse/counts/{task}/cancel")
    page = lead.post(f"/warehouse/counts/{task}/cancel", {"reason": "the line waits"})
    assert "On the list 2" in page.text
    here = f"/warehouse/{business.site}/counts/cadence"
    lead.get(here)
    page = lead.post(here, {"days_A": "0", "days_B": "60", "days_C": "90", "days_none": "90"}, status=422)
    assert page.errors()
    lead.get(here)
    page = lead.post(here, {"days_A": "14", "days_B": "60", "days_C": "90", "days_none": "90"})
    assert "14 days" in page.text
    assert "due by its class" in page.text


def test_a_lot_is_traced_back_to_its_paper_and_its_file_says_the_same(signed_in, trade, sqlite_database):
    business = trade.business
    key = another_item(business, "L-1", "Sealant", cost="2.00")
    business.items = (*business.items, key)
    tracked(business, "lot", item=3)
    received(business, 6, item=3, lot="LOT-9", expires_on=(business.clock.now() + timedelta(days=10)).date())
    browser = signed_in("warehouse_operator")
    page = browser.get("/warehouse/lots?expiring=1")
    assert "LOT-9" in page.text
    link = next(one for one in page.links() if one.startswith("/warehouse/lots/"))
    page = browser.get(link)
    assert page.heading == "Lot LOT-9"
    assert "paper DN 771" in page.text
    rows = list(csv.reader(io.StringIO(browser.client.get(f"{link}.csv").get_data(as_text=True)[1:])))
    assert (rows[1][1], rows[1][2], rows[1][5]) == ("receipt", "6.000", "DN 771")
    page = browser.get("/warehouse/receipts")
    assert "DN 771" in page.text
    link = next(one for one in page.links() if one.startswith("/warehouse/receipts/"))
    assert "LOT-9" in browser.get(link).text


def test_the_books_are_closed_and_opened_by_finance_alone(signed_in, trade):
    business = trade.business
    finance, here = signed_in("finance"), f"/ledger/periods/{business.entity}"
    finance.get(here)
    page = finance.post(here, {"until": "2026-04-01", "reason": "month end"}, status=422)
    assert "is not over yet" in page.errors()[0]
    finance.get(here)
    page = finance.post(here, {"until": "2026-03-01", "reason": "month end"}, status=422)
    assert "The books stay open: " in page.errors()[0]
    assert "Shipments without an invoice: 1" in page.errors()[0]
    finance.get(here)
    page = finance.post(here, {"until": "2026-02-01", "reason": "month end"})
    assert "closed before Sun 1 Feb 2026" in page.text
    finance.get(here)
    page = finance.post(here, {"until": "2026-01-01", "reason": "a late invoice"})
    assert "opened again from Thu 1 Jan 2026" in page.text
    signed_in("auditor").get(here, status=403)


def test_another_site_s_places_papers_and_counts_do_not_exist(signed_in, trade):
    business = trade.business
    (place,) = locations(business, "A-01")
    done = received(business, 5)
    browser = signed_in("warehouse_supervisor", site=trade.closed_site)
    for path in (
        f"/warehouse/locations/{place}", f"/warehouse/locations/{place}/block", f"/warehouse/receipts/{done.id}",
        f"/warehouse/{business.site}/locations/new", f"/warehouse/{business.site}/counts/new",
        f"/stock/{business.site}/{business.items[0]}/status",
    ):  # fmt: skip
        browser.get(path, status=404)

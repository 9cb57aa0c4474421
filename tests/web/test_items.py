"""Items: the list and its files, one item with everything there is of it, packs, tracking, and what is expected."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
from sqlalchemy import text

from app.composition.uow import reading
from tests.support.operate import a_trading_business, another_item
from tests.support.queries import MOST, queries
from tests.support.warehouse import everything, expected, locations, lot_id, received, tracked


@pytest.fixture
def trade(sqlite_database, clock):
    return a_trading_business(sqlite_database, clock)


def test_the_list_counts_narrows_and_finds_by_the_pack_s_barcode(signed_in, trade, sqlite_database):
    expected(trade.business, 20, item=2)
    owner = signed_in("data_owner")
    with queries(sqlite_database) as ran:
        page = owner.get("/stock/items")
    assert len(ran) <= MOST
    assert page.heading == "Items"
    assert "40-0" in page.text
    here = f"/stock/item/{trade.business.items[0]}/packs/new"
    owner.get(here)
    owner.post(
        here, {"code": "box", "name": "Box of 12", "numerator": "12", "denominator": "1", "barcode": "4012345678901"}
    )
    page = owner.get("/stock/items?text=4012345678901")
    assert "40-0" in page.text
    assert "40-1" not in page.text
    assert "No item fits" in owner.get("/stock/items?tracking=serial").text
    rows = list(
        csv.reader(
            io.StringIO(owner.client.get("/stock/items.csv?text=40-2").get_data(as_text=True).removeprefix("\ufeff"))
        )
    )
    assert [row[0] for row in rows] == ["Item", "40-2"]
    assert rows[1][9:] == ["100.000", "3.000", "0.000", "97.000", "0", "20.000"]
    assert owner.client.get("/stock/items.xlsx").data[:2] == b"PK"


def test_an_item_shows_its_packs_places_receipts_holders_and_moves(signed_in, trade, sqlite_database):
    business = trade.business
    expected(business, 20)
    locations(business, "DOCK", kind="receiving")
    received(business, 5)
    browser = signed_in("warehouse_supervisor")
    with queries(sqlite_database) as ran:
        page = browser.get("/stock/items/40-0")
    assert len(ran) <= MOST
    assert page.heading == "40-0 · Pipe 0"
    said = page.text.replace("\u00a0", " ")
    for part in ("Duisburg", "DOCK", "received", "PO-1", "20 pc", "Who holds this stock", "Receipt", "DN 771"):
        assert part in said, part
    assert "Standard cost" not in said
    assert "Standard cost 4.00 EUR" in signed_in("finance").get("/stock/items/40-0").text.replace("\u00a0", " ")


def test_a_lot_past_its_last_day_is_called_expired_though_nobody_has_set_it_apart_yet(signed_in, caller, trade, clock):
    business = trade.business
    business.items = (*business.items, another_item(business, "L-1", "Sealant", cost="2.00"))
    tracked(business, "lot", item=3)
    received(business, 6, item=3, lot="LOT-9", expires_on=clock.now().date())
    here = "/stock/items/L-1"
    lead = signed_in("warehouse_supervisor")
    assert "expired" not in lead.get(here).text
    clock.advance(timedelta(days=1))
    lead = signed_in("warehouse_supervisor")
    assert "expired, is not picked" in lead.get(here).text
    lot = f"/warehouse/lots/{lot_id(business, 'LOT-9', 3)}"
    assert "expired, is not picked" in lead.get(lot).text
    found = caller("warehouse_supervisor")("GET", f"/stock-bins?site={business.site}&item={business.items[3]}").json[
        "items"
    ]
    assert [(one["status"], one["expired"]) for one in found] == [("available", True)]


def test_search_leads_to_the_item(signed_in, trade):
    browser = signed_in("super_user")
    browser.get("/search?q=40-1")
    assert browser.path == "/stock/items/40-1"


def test_a_pack_of_nothing_and_one_of_a_code_in_use_are_refused_and_what_was_typed_stays(signed_in, trade):
    owner, here = signed_in("data_owner"), f"/stock/item/{trade.business.items[0]}/packs/new"
    owner.get(here)
    before = everything(trade.business)
    page = owner.post(here, {"code": "set", "name": "Set", "numerator": "0", "denominator": "1"}, status=422)
    assert page.errors() == ["Holds: Enter 1 to 1000000"]
    assert page.value("name") == "Set"
    page = owner.post(here, {"code": "pc", "name": "Piece", "numerator": "1", "denominator": "1"}, status=409)
    assert page.errors()
    assert everything(trade.business) == before
    signed_in("warehouse_operator").get(here, status=403)


def test_tracking_changes_only_while_nothing_is_in_stock(signed_in, trade):
    owner, here = signed_in("data_owner"), f"/stock/item/{trade.business.items[0]}/keeping"
    owner.get(here)
    page = owner.post(here, {"tracking": "lot", "order_multiple": ""}, status=422)
    assert page.errors()
    owner.post(here, {"tracking": "none", "order_multiple": "6"})
    assert "Sold in multiples of 6 pc" in owner.get("/stock/items/40-0").text.replace("\u00a0", " ")


def test_what_is_expected_gets_another_day_or_less_and_an_older_page_is_refused(signed_in, trade):
    key = expected(trade.business, 20)
    here = f"/stock/expected/{key}"
    first, second = signed_in("warehouse_supervisor"), signed_in("warehouse_supervisor")
    version = first.get(here).value("version")
    day = first.page.value("expected_on")
    second.get(here)
    first.post(here, {"version": version, "expected_on": day, "cancelled": "5"})
    assert "15 pc" in first.page.text.replace("\u00a0", " ")
    before = everything(trade.business)
    second.post(here, {"version": version, "expected_on": day, "cancelled": "0"}, status=409)
    first.get(here)
    page = first.post(here, {"version": "2", "expected_on": day, "cancelled": "21"}, status=422)
    assert page.errors()
    assert everything(trade.business) == before


def test_another_company_s_item_and_another_site_s_receipt_do_not_exist(signed_in, trade):
    key = expected(trade.business, 20)
    browser = signed_in("warehouse_supervisor", site=trade.closed_site)
    browser.get(f"/stock/expected/{key}", status=404)
    browser.get("/stock/items/no-such-item", status=404)
    page = browser.get("/stock/items/40-0")
    assert "Never been here" in page.text
    assert "PO-1" not in page.text


def test_an_item_code_with_a_slash_has_its_page(signed_in, trade, sqlite_database):
    with trade.business.work() as work:
        work.session.execute(text("UPDATE item SET code = 'A/1 #2' WHERE id = :i"), {"i": trade.business.items[1]})
    browser = signed_in("super_user")
    browser.get("/stock/items")
    link = next(link for link in browser.page.links() if "A%2F1" in link or "A/1" in link)
    assert browser.get(link).heading == "A/1 #2 · Pipe 1"
    with reading(sqlite_database) as session:
        assert session.execute(text("SELECT COUNT(*) FROM item")).scalar_one() > 0

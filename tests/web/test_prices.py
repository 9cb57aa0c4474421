"""Prices on the screen: rules, lists looked at before they hold, a price asked for, and why a line has its own."""

from __future__ import annotations

import io
from datetime import date
from decimal import Decimal

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import func, select

from app.composition.uow import reading
from app.importers.pricelists import COLUMNS
from erpcore.masterdata.services import NewEntity, NewItem, add_entity, add_items
from erpcore.orders.holds import ReleaseHold, release_holds
from erpcore.orders.models import OrderHold, OrderLine
from erpcore.orders.services import CaptureOrder, capture_orders
from erpcore.pricing.models import PriceList, PriceRule
from tests.support.core import OPEN, RULES, a_business
from tests.support.operate import open_cells
from tests.support.policies import approve
from tests.support.pricing import DESK, LEAD, a_price, an_entered, save


@pytest.fixture
def business(sqlite_database, clock):
    made = a_business(sqlite_database, at=clock.now())
    made.clock = clock
    open_cells(made)
    return made


def typed(business, **changes):
    return {
        "request_key": changes.pop("key", "k1"), "entity": business.entity, "kind": "promotion", "item": "40-0", "item_group": "",
        "customer": "", "customer_group": "", "channel": "", "minimum_quantity": "", "unit_price": "10.50",
        "discount_percent": "", "valid_from": "2026-04-01", "valid_until": "2026-05-01", "reference": "spring", **changes,
    }  # fmt: skip


def a_file(*rows, name="april.csv"):
    lines = [",".join(COLUMNS), *(",".join(row.get(column, "") for column in COLUMNS) for row in rows)]
    return io.BytesIO("\n".join(lines).encode()), name


def row(**cells):
    return {
        "kind": "list",
        "item": "40-0",
        "currency": "EUR",
        "unit_price": "11.00",
        "valid_from": "2026-04-01",
        **cells,
    }


def sheet(browser):
    return CalamineWorkbook.from_filelike(io.BytesIO(browser.response.data)).get_sheet_by_index(0).to_python()


def count(database, table=PriceRule):
    with reading(database) as session:
        return session.scalar(select(func.count()).select_from(table))


def test_the_list_is_filtered_and_exported_in_the_columns_that_are_handed_in(signed_in, business):
    save(business, a_price(business, "9.00", customer=business.customer), a_price(business, "8", kind="promotion"))
    browser = signed_in("data_owner")
    page = browser.get("/prices")
    assert page.heading == "Prices"
    assert "Contract 1" in page.text
    assert "Bautechnik" in page.text
    assert "Bautechnik" not in browser.get("/prices?kind=promotion").text
    assert "Bautechnik" in browser.get("/prices?text=bautech").text
    assert "No price fits" in browser.get("/prices?standing=ended").text
    assert "No price fits" in browser.get(f"/prices?text={'%25'}").text
    browser.get("/prices?page=999&entity=x&kind=y&standing=z")
    browser.get("/prices.csv?kind=contract")
    lines = browser.response.text.lstrip("\ufeff").splitlines()
    assert lines == [",".join(COLUMNS), "contract,40-0,,10482,,,,9.000000,,EUR,2026-03-02,,"]
    browser.get("/prices.csv?kind=contract&col=item&col=price")
    assert browser.response.text.lstrip("\ufeff").splitlines() == [
        "item,item_group,unit_price,discount_percent,currency", "40-0,,9.000000,,EUR",
    ]  # fmt: skip
    browser.get("/prices.xlsx")
    rows = sheet(browser)
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == 6


def test_a_price_is_saved_and_ended_and_a_contradiction_is_refused_naming_the_other(
    signed_in, business, sqlite_database
):
    browser = signed_in("data_owner")
    browser.get("/prices/new")
    page = browser.post("/prices/new", typed(business))
    assert page.heading == "Promotion price of 40-0"
    rule = int(browser.path.rsplit("/", 1)[1])
    assert count(sqlite_database) == 4
    browser.get("/prices/new")
    page = browser.post("/prices/new", typed(business, key="k2", unit_price="10.60"), status=422)
    assert "Another price rule (promotion) holds for the same scope and quantity from" in page.text
    assert page.value("unit_price") == "10.60"
    browser.get("/prices/new")
    browser.post("/prices/new", typed(business))
    assert browser.path.endswith(f"/{rule}"), "a form sent twice saves once"
    browser.get(f"/prices/{rule}/end")
    page = browser.post(f"/prices/{rule}/end", {"on": "2026-03-01"}, status=422)
    assert "is past" in page.text
    page = browser.post(f"/prices/{rule}/end", {"on": "2026-04-15"})
    assert "Wed 15 Apr 2026" in page.text
    assert count(sqlite_database) == 4


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"item": "40-9"}, "no item with the code 40-9"),
        ({"customer": "x"}, "no customer with the code x"),
        ({"unit_price": "ten"}, "is not a number"),
        ({"unit_price": "-1"}, "below zero"),
        ({"discount_percent": "5"}, "Enter one of the two"),
        ({"unit_price": "", "discount_percent": "101"}, "discount"),
        ({"valid_from": "2026-03-01"}, "A new price begins today or later"),
        ({"valid_until": "2026-04-01"}, "Choose a later"),
        ({"kind": "list"}, "holds for the same scope"),
    ],
)
def test_a_price_that_makes_no_sense_stays_in_the_form(signed_in, business, sqlite_database, changes, said):
    browser = signed_in("data_owner")
    browser.get("/prices/new")
    page = browser.post("/prices/new", typed(business, **changes), status=422)
    assert said in page.text
    assert page.value("reference") == "spring"
    assert count(sqlite_database) == 3


def test_a_price_that_gives_away_too_much_waits_for_somebody_else(signed_in, business, sqlite_database):
    browser = signed_in("data_owner")
    browser.get("/prices/new")
    page = browser.post("/prices/new", typed(business, unit_price="8"), status=422)
    assert "It takes the price from 10.00 EUR to 8.00 EUR" in page.text
    more = {"accept": "price_needs_second", "accept_reason": "the spring campaign"}
    page = browser.post("/prices/new", typed(business, unit_price="8") | more)
    assert page.heading == "Typed by hand"
    here = browser.path
    assert count(sqlite_database) == 3
    assert "you asked for it, so somebody else decides" in page.text
    owner = signed_in("process_owner")
    assert "Prices: Typed by hand" in owner.get("/").text
    page = owner.get(here)
    assert "lowers a price by more than the tolerance" in page.text
    seen = page.value("seen")
    page = owner.post(here, {"move": "approve", "reason": "", "seen": seen}, status=422)
    assert "reason" in page.text.lower()
    page = owner.post(here, {"move": "approve", "reason": "agreed with sales", "seen": seen})
    assert "The prices hold once all who are asked agree" in page.text
    assert count(sqlite_database) == 4
    assert "Prices: Typed" not in owner.get("/").text


def test_a_list_is_looked_at_row_by_row_and_applied_once(signed_in, business, sqlite_database):
    browser = signed_in("data_owner")
    browser.get("/prices/lists/new")
    rows = (row(), row(item="40-1", unit_price="10.00", valid_from="2020-01-01"), row(kind="break", minimum_quantity="50", unit_price="10"), row(item="nope"))  # fmt: skip
    page = browser.post("/prices/lists/new", {"entity": business.entity, "file": a_file(*rows)})
    here = browser.path
    assert page.heading == "april.csv"
    assert "Raised 1" in page.text
    assert "New 1" in page.text
    assert "Unchanged 1" in page.text
    assert "Rejected 1" in page.text
    assert "+10 %" in page.text
    assert "There is no item with the code nope." in page.text
    assert count(sqlite_database) == 3, "looking changes nothing"
    assert "nope" not in browser.get(f"{here}?only=raised").text
    browser.get(f"{here}/rows.csv?only=rejected")
    lines = browser.response.text.splitlines()
    assert len(lines) == 2
    assert "There is no item with the code nope." in lines[1]
    page = browser.get(here)
    seen = page.value("seen")
    page = browser.post(here, {"move": "apply", "reason": "", "seen": seen})
    assert "The prices hold; the rules of approval ask nobody about them." in page.text
    assert count(sqlite_database) == 5
    assert "There is no item with the code nope." in page.text
    browser.get(f"{here}/rows.xlsx")
    assert len(sheet(browser)) == 2
    browser.get("/prices/lists/new")
    browser.post("/prices/lists/new", {"entity": business.entity, "file": a_file(*rows, name="again.csv")})
    assert browser.path == here, "the same content is the same list"
    assert count(sqlite_database, PriceList) == 1
    assert "april.csv" in browser.get("/prices/lists").text


def test_a_stale_preview_is_refused_and_the_fresh_one_is_shown(signed_in, business, sqlite_database):
    browser = signed_in("data_owner")
    browser.get("/prices/lists/new")
    page = browser.post("/prices/lists/new", {"entity": business.entity, "file": a_file(row())})
    here, seen = browser.path, page.value("seen")
    with business.work() as work:
        work.session.query(PriceRule).filter_by(item_id=business.items[0]).update({"valid_until": date(2026, 3, 20)})
    save(business, a_price(business, "10.20", valid_from=date(2026, 3, 20)))
    before = count(sqlite_database)
    page = browser.post(here, {"move": "apply", "reason": "", "seen": seen}, status=409)
    assert "Prices have changed since the preview" in page.text
    assert page.value("seen") != seen
    assert count(sqlite_database) == before


def test_files_that_are_none_are_refused(signed_in, business, sqlite_database):
    browser = signed_in("data_owner")
    for content, name, said in (
        (b"a,b\n1,2\n", "x.csv", "columns"), (b"", "x.csv", "empty"), (b"kind", "x.pdf", "none of"),
        (b"PK\x03\x04", "x.xlsx", "cannot be read"),
    ):  # fmt: skip
        browser.get("/prices/lists/new")
        page = browser.post(
            "/prices/lists/new", {"entity": business.entity, "file": (io.BytesIO(content), name)}, status=422
        )
        assert said in page.text
    assert count(sqlite_database, PriceList) == 0


def test_a_price_is_asked_for_as_an_order_would(signed_in, business):
    approve(business, "price_tolerance_permille", 50, entity=business.entity)
    approve(business, "minimum_margin_permille", 200, entity=business.entity)
    save(business, a_price(business, "9.00", customer=business.customer, minimum_quantity=Decimal(20)))
    browser = signed_in("data_owner")
    page = browser.get("/prices/check?item=40-0&customer=10482&quantity=20")
    assert "Price 9.00 EUR Contract price" in page.text
    assert "Lowest without approval 8.55" in page.text
    assert "Margin 55.5 %" in page.text
    assert "cost 4.00, floor 5.00" in page.text
    assert "wins Contract" in page.text
    assert "loses List" in page.text
    assert "Price 10.00 EUR" in browser.get("/prices/check?item=40-0&customer=10482&quantity=19").text
    assert "no rule fits" in browser.get("/prices/check?item=40-0&on=2019-01-01").text
    for query, said in (
        ("item=zzz", "No item of this company"), ("item=40-0&customer=zz", "No customer"), ("item=40-0&quantity=0", "above zero"),
        ("item=40-0&quantity=x", "not a number"), ("item=40-0&on=tomorrow", "Enter a day that there is"),
    ):  # fmt: skip
        assert said in browser.get(f"/prices/check?{query}", status=422).text
    assert "cost" not in signed_in("customer_service").get("/prices/check?item=40-0").text.split("Price check", 2)[2]


def test_the_day_of_a_price_is_that_of_its_company_not_of_the_first_one(signed_in, business, clock):
    with business.work() as work:
        far = NewEntity(
            code="NZ01", name="Southern Rails", country="New Zealand", currency="NZD", time_zone="Pacific/Auckland"
        )
        other = add_entity(work, far).id
        add_items(work, [NewItem(entity=other, code="N-1", name="Rail")])
    browser = signed_in("data_owner")
    browser.get("/prices/new")
    rule = typed(
        business, entity=other, kind="list", item="N-1", unit_price="5", valid_from="2026-03-03", valid_until=""
    )
    browser.post("/prices/new", rule)
    asked = f"/prices/check?entity={other}&item=N-1"
    assert "no rule fits" in browser.get(asked).text
    assert "N-1" not in browser.get("/prices").text
    # 13:00 in Berlin, and already 01:00 of the next day in Auckland.
    clock.set(clock.now().replace(hour=12))
    browser = signed_in("data_owner")
    assert "Price 5.00 NZD" in browser.get(asked).text
    assert "N-1" in browser.get("/prices").text
    assert "N-1" in browser.get(f"/prices?entity={other}&sort=-from").text
    assert "N-1" not in browser.get("/prices?standing=later").text


def test_a_line_says_why_it_has_its_price_and_who_released_it(signed_in, business, sqlite_database):
    save(business, a_price(business, "9.00", customer=business.customer))
    with business.work(DESK) as work:
        (order,) = capture_orders(
            work, [CaptureOrder(site=business.site, channel=business.channel, customer=business.customer, lines=[an_entered(business, "7.00")])], rules=RULES, cells=OPEN
        )  # fmt: skip
    with reading(sqlite_database) as session:
        line = session.scalar(select(OrderLine.id).where(OrderLine.order_id == order.id))
        hold = session.scalar(select(OrderHold.id).where(OrderHold.order_id == order.id))
    lead = signed_in("site_lead", site=business.site)
    assert f"/orders/{order.id}/lines/{line}/price" in lead.get(f"/orders/{order.id}").links()
    page = lead.get(f"/orders/{order.id}/lines/{line}/price")
    assert page.heading == "Why 7.00 EUR?"
    assert "Somebody entered 7.00 instead of the 9.00 that the rules gave: agreed by telephone." in page.text
    assert "Held: beyond what one person may" in page.text
    assert "Cost 4.00" in page.text
    assert "wins Contract" in page.text
    with business.work(LEAD) as work:
        release_holds(work, [ReleaseHold(hold=hold, reason="a good customer")])
    page = lead.get(f"/orders/{order.id}/lines/{line}/price")
    assert "Site lead let it go" in page.text
    assert "a good customer" in page.text
    desk = signed_in("customer_service", site=business.site).get(f"/orders/{order.id}/lines/{line}/price")
    assert "Cost 4.00" not in desk.text
    assert "for those who may see costs" in desk.text
    lead.get(f"/orders/{order.id}/lines/99/price", status=404)


def test_who_may_not_change_prices_reads_them(signed_in, business, sqlite_database):
    lead = signed_in("site_lead", site=business.site)
    assert "/prices/new" not in lead.get("/prices").links()
    lead.get("/prices/new", status=403)
    lead.get("/prices/lists/new", status=403)
    lead.get("/prices/99", status=404)
    lead.get("/prices/lists/99", status=404)
    warehouse = signed_in("warehouse_operator", site=business.site)
    warehouse.get("/prices")

"""Order entry without script: what is typed stays, what is wrong says so at its field, and one form gives one order."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import text, update

from app.composition.uow import reading
from erpcore.inventory.places import KeepItem, keep_item
from erpcore.masterdata.addresses import AddressContent, add_address
from erpcore.masterdata.models import Item, ItemGroup
from erpcore.masterdata.services import NewCustomer, add_customers
from tests.support.core import a_business
from tests.support.operate import a_closed_site, another_item, open_cells
from tests.support.pages import Page
from tests.support.policies import approve
from tests.support.pricing import a_price, save


@pytest.fixture
def business(sqlite_database, clock):
    made = a_business(sqlite_database, at=clock.now())
    made.clock = clock
    open_cells(made)
    return made


@pytest.fixture
def desk(signed_in, business):
    browser = signed_in("customer_service")
    browser.get("/orders/new")
    return browser


def fields(browser, press, *lines, **more):
    """The form as a browser would send it, with these (item, quantity) lines."""
    page = browser.page
    out = {
        "site": _chosen(page, "site"), "channel": _chosen(page, "channel"), "customer": "10482",
        "request_key": page.value("request_key"), "press": press, **more,
    }  # fmt: skip
    for number, (item, quantity) in enumerate(lines):
        out[f"lines-{number}-item"], out[f"lines-{number}-quantity"] = item, quantity
    return out


def _chosen(page, name):
    (field,) = page.root.find("select", name=name)
    return next(one.attributes["value"] for one in field.find("option") if "selected" in one.attributes)


def count(database, table):
    with reading(database) as session:
        return session.scalar(text(f"SELECT COUNT(*) FROM {table}"))


def test_a_customer_and_an_item_are_enough(desk, sqlite_database):
    page = desk.post("/orders/new", fields(desk, "enter", ("40-0", "12")))
    assert page.heading.startswith("Order SO-")
    assert "Bautechnik" in page.heading
    assert "120.00 EUR" in page.text
    assert count(sqlite_database, "sales_order") == 1


def test_the_price_shown_while_typing_is_the_price_that_the_order_gets(desk, business, sqlite_database):
    with business.work() as work:
        family = ItemGroup(id=work.ids.one(), code="PIPE", name="Pipes")
        work.session.add(family)
        work.session.flush()
        work.session.execute(update(Item).where(Item.id == business.items[0]).values(group_id=family.id))
        family_id = family.id
    discount = a_price(
        business, None, item=None, item_group=family_id, customer=business.customer, discount=Decimal("0.10")
    )
    save(business, discount)
    assert "108.00" in desk.post("/orders/new", fields(desk, "check", ("40-0", "12"))).text
    assert "108.00 EUR" in desk.post("/orders/new", fields(desk, "enter", ("40-0", "12"))).text


def test_the_same_form_sent_twice_is_one_order(desk, sqlite_database):
    form = fields(desk, "enter", ("40-0", "12"))
    first = desk.post("/orders/new", form).heading
    desk.get("/orders/new")
    assert desk.post("/orders/new", form).heading == first
    assert count(sqlite_database, "sales_order") == 1


def test_the_same_form_with_other_content_asks_once_more(desk, sqlite_database):
    form = fields(desk, "enter", ("40-0", "12"))
    desk.post("/orders/new", form)
    desk.get("/orders/new")
    page = desk.post("/orders/new", {**form, "lines-0-quantity": "13"}, status=422)
    assert "entered before with other content" in page.errors()[0]
    assert page.value("request_key") != form["request_key"]
    desk.post("/orders/new", {**form, "lines-0-quantity": "13", "request_key": page.value("request_key")})
    assert count(sqlite_database, "sales_order") == 2


def test_another_line_is_a_round_trip_that_loses_nothing(desk):
    page = desk.post("/orders/new", fields(desk, "add", ("40-0", "12"), customer_reference="B-7741"))
    assert [page.value("lines-0-item"), page.value("lines-0-quantity"), page.value("customer_reference")] == [
        "40-0", "12", "B-7741",
    ]  # fmt: skip
    assert page.value("lines-1-item") == ""
    assert "Pipe 0" in page.text
    assert "120.00" in page.text


def test_a_line_is_dropped_and_the_others_stay(desk):
    page = desk.post("/orders/new", fields(desk, "drop:lines-0", ("40-0", "1"), ("40-1", "2")))
    assert "lines-0-item" not in page.html
    assert page.value("lines-1-item") == "40-1"


def test_an_item_is_found_by_a_part_of_its_name_and_taken_by_a_press(desk, business):
    for code, name in (("6120-15", "Press coupling 15 mm"), ("6124-15", "Press elbow 15 mm")):
        another_item(business, code, name)
    page = desk.post("/orders/new", fields(desk, "enter", ("press", "3")), status=422)
    assert "Several items fit; choose one below." in page.errors()[0]
    picks = page.root.find("button", class_="pick")
    assert [one.attributes["value"] for one in picks] == ["take:lines-0-item:6120-15", "take:lines-0-item:6124-15"]
    page = desk.post("/orders/new", fields(desk, "take:lines-0-item:6124-15", ("press", "3")))
    assert page.value("lines-0-item") == "6124-15"
    assert "11.76" in page.text


@pytest.mark.parametrize(
    ("item", "quantity", "said"),
    [
        ("no-such", "1", "No item has this code or name."),
        ("40-0", "", "Enter how many."),
        ("40-0", "0", "is not above zero"),
        ("40-0", "-3", "is not above zero"),
        ("40-0", "2.5", "more decimal places than it is counted in"),
        ("40-0", "1e99", "is not a number"),
        ("40-0", "many", "is not a number"),
        ("40-0", "NaN", "is not a number"),
        ("40-0", "1,5", "is not a number"),
        ("", "3", "Enter an item by code or name."),
        ("%", "3", "No item has this code or name."),
        ("'; DROP TABLE item; --", "3", "No item has this code or name."),
    ],
)
def test_what_cannot_be_is_said_at_its_field_and_stays_as_typed(desk, sqlite_database, item, quantity, said):
    page = desk.post("/orders/new", fields(desk, "enter", (item, quantity)), status=422)
    assert said in page.errors()[0]
    assert [page.value("lines-0-item"), page.value("lines-0-quantity")] == [item, quantity]
    assert count(sqlite_database, "sales_order") == 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"customer": "nobody"}, "No customer has this code or name."),
        ({"customer": ""}, "Enter the customer by code or name"),
        ({"site": "999999"}, "Choose one from the list"),
        ({"site": "x"}, "Choose one from the list"),
        ({"channel": "0"}, "Choose one from the list"),
        ({"requested_on": "2026-02-30"}, "Enter a day that there is"),
        ({"request_key": ""}, "The form lost its key"),
    ],
)
def test_a_head_that_cannot_be_is_refused_with_a_reason(desk, sqlite_database, change, said):
    page = desk.post("/orders/new", fields(desk, "enter", ("40-0", "1"), **change), status=422)
    assert any(said in error for error in page.errors()), page.errors()
    assert page.value("lines-0-item") == "40-0"
    assert count(sqlite_database, "sales_order") == 0


def test_a_closed_cell_names_the_wave_and_what_it_waits_for_and_keeps_what_was_typed(
    signed_in, business, sqlite_database
):
    closed = a_closed_site(business)
    browser = signed_in("customer_service")
    browser.get(f"/orders/new?site={closed}")
    assert "wave W2 waits for the go of its committee" in browser.page.text
    page = browser.post("/orders/new", fields(browser, "enter", ("40-0", "7"), site=str(closed)), status=422)
    assert page.errors() == [
        (
            "This site and channel is closed for order to cash: wave W2 waits for the go of its committee. "
            "Until then orders go where they went before."
        )
    ]
    assert page.value("lines-0-quantity") == "7"
    assert count(sqlite_database, "sales_order") == 0


def test_the_figures_come_back_alone_for_a_browser_with_script(desk):
    desk.client.post("/orders/new/quote", data={})
    answer = desk.client.post(
        "/orders/new/quote",
        data={**fields(desk, "", ("40-0", "120")), "csrf_token": desk.page.value("csrf_token")},
    )
    assert answer.status_code == 200
    assert 'id="lines-0-q-net"' in answer.text
    assert "1,200.00" in answer.text
    # 100 are there, so the rest waits for the replenishment of seven days.
    assert "Mon 9 Mar" in answer.text
    assert "<html" not in answer.text


def test_a_quantity_that_none_can_be_is_told_while_it_is_typed_in_the_words_it_would_be_refused_with(desk, business):
    with business.work() as work:
        keep_item(work, KeepItem(item=business.items[0], tracking="none", order_multiple=Decimal(12)))
    desk.get("/orders/new")
    said = {}
    for typed in ("abc", "9" * 20, "1.2345", "-3", "1.5", "7", "13", "24", ""):
        line = ("40-1" if typed == "1.5" else "40-0", typed)
        form = {**fields(desk, "", line), "csrf_token": desk.page.value("csrf_token")}
        page = Page(desk.client.post("/orders/new/quote", data=form).text)
        (there,) = page.root.find("span", id="lines-0-q-trouble")
        said[typed] = there.text.strip()
        refused = desk.post("/orders/new", fields(desk, "enter", line), status=422) if said[typed] else None
        assert refused is None or said[typed] in refused.text, typed
        if refused is not None:
            assert len(refused.root.find("span", id="lines-0-q-trouble")) == 1
            desk.get("/orders/new")
    assert said["24"] == said[""] == ""
    assert "“abc” is not a number" in said["abc"]
    assert "more than there ever is" in said["9" * 20]
    assert "decimal places" in said["1.2345"]
    assert "not above zero" in said["-3"]
    assert "decimal places" in said["1.5"]
    assert "12" in said["7"]
    assert "12" in said["13"]
    assert len(set(said.values())) == 8
    with business.work() as work:
        assert work.session.scalar(text("SELECT COUNT(*) FROM sales_order")) == 0


def test_another_customer_brings_their_own_addresses_and_what_was_chosen_stays_while_the_customer_does(desk, business):
    with business.work() as work:
        new = NewCustomer(entity=business.entity, code="20001", name="Dachbau Nord", country="Germany", currency="EUR")
        (other,) = add_customers(work, [new])
        place = AddressContent(
            code="main", name="Dachbau Nord", street="Deich 2", postal_code="20095", city="Hamburg", country="Germany"
        )
        key = add_address(work, other.id, place, valid_from=date(2020, 1, 1)).id
    blank = desk.page
    typed = {**fields(desk, "", ("40-0", "1")), "csrf_token": blank.value("csrf_token")}

    def renewed(**more):
        return Page(desk.client.post("/orders/new/quote", data={**typed, **more}).text)

    page = renewed(customer="20001", addresses_of=blank.value("addresses_of"))
    usual, only = page.root.find("select", id="ship_to")[0].find("option")
    assert (usual.text, only.attributes["value"]) == ("The usual: main · Dachbau Nord, Hamburg, Germany", str(key))
    assert page.root.find("select", id="lines-0-ship_to")[0].find("option")[1].attributes["value"] == str(key)
    kept = {"customer": "20001", "addresses_of": page.value("addresses_of"), "ship_to": str(key)}
    assert not renewed(**kept).root.find("select")
    back = renewed(**{**kept, "customer": "10482"}).root.find("select", id="ship_to")[0].find("option")
    assert str(key) not in [one.attributes["value"] for one in back]


def test_somebody_of_another_site_cannot_enter_here(signed_in, business, sqlite_database):
    closed = a_closed_site(business)
    browser = signed_in("customer_service", site=closed)
    browser.get("/orders/new")
    page = browser.post("/orders/new", fields(browser, "enter", ("40-0", "1"), site=str(business.site)), status=422)
    assert "Choose one from the list" in page.errors()[0]
    assert count(sqlite_database, "sales_order") == 0


def test_the_same_order_again_is_entered_with_a_reason_and_nothing_typed_is_lost(desk, sqlite_database):
    desk.post("/orders/new", fields(desk, "enter", ("40-0", "12")))
    desk.get("/orders/new")
    page = desk.post("/orders/new", fields(desk, "enter", ("40-0", "12")), status=422)
    assert "has the same content, entered today" in page.text
    assert page.value("lines-0-quantity") == "12"
    assert count(sqlite_database, "sales_order") == 1
    again = {**fields(desk, "enter", ("40-0", "12")), "accept": page.value("accept")}
    page = desk.post("/orders/new", {**again, "accept_reason": " "}, status=422)
    assert count(sqlite_database, "sales_order") == 1
    page = desk.post("/orders/new", {**again, "accept_reason": "a second van"})
    assert page.heading.startswith("Order SO-")
    assert "a second van" in page.text
    assert count(sqlite_database, "sales_order") == 2


def test_an_entered_price_says_while_typed_that_it_is_below_the_floor_and_who_approves_it(signed_in, business):
    approve(business, "minimum_margin_permille", 600)
    lead, desk = signed_in("site_lead"), signed_in("customer_service")
    for browser in (lead, desk):
        browser.get("/orders/new")
        typed = {"lines-0-unit_price": "5.00", "lines-0-price_reason": "match"}
        page = browser.post("/orders/new", {**fields(browser, "check", ("40-0", "10")), **typed})
        # 4.00 of cost and 60 % of margin make a floor of 10.00.
        assert "below the floor" in page.text
        assert "the process owner level approves them" in page.text
    assert "20.0 % margin" in lead.page.text
    assert "margin" not in desk.page.text.lower()
    # The price of the rules waits for nobody.
    desk.get("/orders/new")
    assert "wait for approval" not in desk.post("/orders/new", fields(desk, "check", ("40-0", "10"))).text


def test_what_to_say_stands_beside_an_order_that_would_be_short_or_wait_while_it_is_typed(
    signed_in, sqlite_database, clock
):
    business = a_business(sqlite_database, at=clock.now(), limit=200_000)
    business.clock = clock
    open_cells(business)
    approve(business, "minimum_margin_permille", 600)
    desk = signed_in("site_lead")
    desk.get("/orders/new")
    body = {**fields(desk, "", ("40-0", "120")), "csrf_token": desk.page.value("csrf_token")}

    def said(**more):
        page = Page(desk.client.post("/orders/new/quote", data={**body, **more}).text)
        return [one.text for one in page.root.find("dt") if one.parent.attributes.get("class") == "words"]

    assert said(**{"lines-0-quantity": "5"}) == []
    assert said() == ["Short"]
    below = {"lines-0-unit_price": "5.00", "lines-0-price_reason": "match"}
    assert said(**below) == ["Held for price", "Short"]
    # Ten each is beyond the 2,000.00 that the customer may owe.
    assert said(**{"lines-0-quantity": "201"}) == ["Held for credit", "Short"]


def test_what_to_say_about_an_order_that_is_there_already_stands_beside_the_question(desk, sqlite_database):
    desk.post("/orders/new", fields(desk, "enter", ("40-0", "12")))
    desk.get("/orders/new")
    page = desk.post("/orders/new", fields(desk, "enter", ("40-0", "12")), status=422)
    assert "Ask whether it is a second order or the same one." in page.text
    assert count(sqlite_database, "sales_order") == 1

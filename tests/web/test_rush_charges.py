"""Charges are declared and ordered, and a rush is asked for, on pages and through the API, on both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from app.composition.uow import reading
from tests.db.core.test_charges import ordered
from tests.support.charges import a_charge
from tests.support.controls import assert_books_agree
from tests.support.core import a_business
from tests.support.operate import open_cells
from tests.support.policies import approve


@pytest.fixture
def business(database, clock):
    made = a_business(database, at=clock.now())
    made.clock = clock
    open_cells(made)
    return made


def lines(database):
    query = "SELECT i.code, l.is_rush, l.shipped FROM order_line l JOIN item i ON i.id = l.item_id ORDER BY l.id"
    with reading(database) as session:
        return [(row[0], bool(row[1]), row[2]) for row in session.execute(text(query))]


def typed(page, business, *rows, **more):
    out = {
        "press": "enter", "site": business.site, "channel": business.channel, "customer": "10482",
        "request_key": page.value("request_key"), **more,
    }  # fmt: skip
    for number, (item, quantity) in enumerate(rows):
        out[f"lines-{number}-item"], out[f"lines-{number}-quantity"] = item, quantity
    return out


def charge_of(database):
    with reading(database) as session:
        return session.scalar(text("SELECT item_id FROM charge_terms"))


def test_the_navigation_shows_where_one_is_also_on_the_pages_below_an_entry(signed_in, business):
    browser = signed_in("data_owner")
    for path, entry in (
        ("/charges/new", "Charges and services"), ("/sourcing-lanes/new", "Sourcing lanes"), ("/service-commitments/new", "Service commitments"),
        ("/charges", "Charges and services"),
    ):  # fmt: skip
        found = browser.get(path).root.find("a", **{"class": "nav-link active"})
        assert {one.text for one in found} == {entry}, path


def test_a_charge_is_declared_on_its_page_and_changed_there(signed_in, business, database):
    owner = signed_in("data_owner")
    assert "No charge fits" in owner.get("/charges").text
    form = {"entity": business.entity, "code": "FREIGHT", "name": "Freight", "kind": "charge", "leaves": "first_goods"}
    owner.get("/charges/new")
    page = owner.post("/charges/new", {**form, "code": "40-0"}, status=422)
    assert "40-0 is the code of goods" in page.errors()[0]
    assert page.value("code") == "40-0"
    page = owner.post("/charges/new", form)
    assert "with the first goods" in page.text
    page = owner.get(f"/charges/new?item={charge_of(database)}")
    assert page.value("name") == "Freight"
    page = owner.post("/charges/new", {**form, "name": "Carriage", "leaves": "last_goods", "is_rush": "y"})
    assert "Carriage" in page.text
    assert "once the last goods leave" in page.text
    assert "a rush costs this" in page.text
    assert "New charge" not in signed_in("customer_service").get("/charges").text


def test_a_rush_is_asked_for_on_the_order_page_and_costs_what_was_declared(signed_in, business, database):
    approve(business, "rush_rule", "allow_with_charge")
    desk = signed_in("customer_service")
    page = desk.get("/orders/new")
    page = desk.post("/orders/new", typed(page, business, ("40-0", "12"), rush="y"), status=422)
    assert "has declared no charge" in page.errors()[0]
    assert lines(database) == []
    a_charge(business, "RUSH", price="25.00", is_rush=True)
    page = desk.post("/orders/new", typed(page, business, ("40-0", "12"), rush="y"))
    assert lines(database) == [("40-0", True, 0), ("RUSH", False, 0)]
    assert "145.00 EUR" in page.text
    assert "rush" in page.text
    assert_books_agree(database)


def test_a_refused_rush_of_a_line_is_said_at_the_line(signed_in, business, database):
    approve(business, "rush_rule", "refuse")
    desk = signed_in("customer_service")
    page = desk.get("/orders/new")
    form = typed(page, business, ("40-0", "12"), ("40-1", "1"), **{"lines-1-rush": "y"})
    page = desk.post("/orders/new", form, status=422)
    assert "40-1 on line 20 is not served before its lead time" in page.errors()[0]
    assert lines(database) == []


def test_the_figures_have_the_charge_and_the_earlier_day_while_one_types(signed_in, business, database):
    approve(business, "rush_rule", "allow_with_charge")
    desk = signed_in("customer_service")
    page = desk.get("/orders/new")
    form = typed(page, business, ("40-0", "12")) | {"press": "check"}
    plain = desk.post("/orders/new", form).text
    assert (plain.count("Wed 4 Mar"), plain.count("Mon 2 Mar"), "Gross EUR 144.00" in plain) == (2, 0, True)
    form["rush"] = "y"
    page = desk.post("/orders/new", form)
    assert "No rush like this" in page.text
    assert "has declared no charge" in page.text
    a_charge(business, "RUSH", price="25.00", is_rush=True)
    page = desk.post("/orders/new", form)
    assert "Rush 25.00 Net EUR 145.00" in page.text
    assert "Gross EUR 174.00" in page.text
    # The promise of the line; the commitment beside it stays what it is.
    assert (page.text.count("Wed 4 Mar"), page.text.count("Mon 2 Mar")) == (1, 1)
    figures = desk.client.post("/orders/new/quote", data=form | {"csrf_token": page.value("csrf_token")}).text
    assert "25.00" in figures
    assert "145.00" in figures
    page = desk.post("/orders/new", form | {"press": "enter"})
    assert "145.00 EUR" in page.text
    with reading(database) as session:
        query = "SELECT promised_on FROM order_line WHERE is_rush"
        assert str(session.execute(text(query)).scalar_one()) == "2026-03-02"


def test_the_wish_of_the_order_is_in_the_figures_of_its_lines(signed_in, business):
    desk = signed_in("customer_service")
    page = desk.get("/orders/new")
    page = desk.post("/orders/new", typed(page, business, ("40-0", "1"), requested_on="2026-03-20", press="check"))
    assert "Fri 20 Mar" in page.text


def test_a_refused_rush_is_said_while_one_types(signed_in, business):
    approve(business, "rush_rule", "refuse")
    desk = signed_in("customer_service")
    page = desk.get("/orders/new")
    form = typed(page, business, ("40-0", "1"), ("40-1", "1"), **{"lines-1-rush": "y", "press": "check"})
    page = desk.post("/orders/new", form)
    assert "40-1 on line 20 is not served before its lead time" in page.text


def test_a_quote_asks_for_a_rush_shows_its_charge_and_its_order_has_it(signed_in, business, database):
    approve(business, "rush_rule", "allow_with_charge")
    a_charge(business, "RUSH", price="25.00", is_rush=True)
    desk = signed_in("customer_service")
    page = desk.get("/quotes/new")
    form = typed(page, business, ("40-0", "12"), rush="y", last_day=page.value("last_day"))
    page = desk.post("/quotes/new", form)
    assert "for the rush" in page.text
    assert "with the goods" in page.text
    assert "145.00 EUR" in page.text
    here = desk.path
    page = desk.get(f"{here}/change")
    assert page.root.find("input", name="lines-0-rush")[0].attributes.get("checked") is not None
    assert "lines-1-item" not in page.html
    assert desk.client.get(f"{here}/quote.pdf").mimetype == "application/pdf"
    page = desk.post(f"{here}/send", {"version": "1"})
    page = desk.get(f"{here}/accept")
    desk.post(f"{here}/accept", {"version": page.value("version"), "request_key": page.value("request_key")})
    assert lines(database) == [("40-0", True, 0), ("RUSH", False, 0)]
    assert_books_agree(database)


def test_a_program_quotes_a_rush(caller, business, database):
    approve(business, "rush_rule", "allow_with_charge")
    a_charge(business, "RUSH", price="25.00", is_rush=True)
    desk = caller("super_user")
    body = {
        "site": business.site, "channel": business.channel, "customer": business.customer, "prices_until": "2026-03-31",
        "lines": [{"item": business.items[0], "quantity": "2"}, {"item": business.items[1], "quantity": "1", "rush": True}],
    }  # fmt: skip
    made = desk("POST", "/quotes", body)
    assert made.status_code == 201, made.json
    told = [(one["item"], one["is_rush"], one["is_rush_charge"], one["could_come_on"]) for one in made.json["lines"]]
    assert told == [
        ("40-0", False, False, "2026-03-04"), ("40-1", True, False, "2026-03-02"), ("RUSH", False, True, "2026-03-02"),
    ]  # fmt: skip
    assert made.json["value"] == "55.00"


def test_what_does_not_go_along_starts_empty_where_goods_are_picked(signed_in, business, database):
    freight, fitting = a_charge(business), a_charge(business, "FITTING", kind="service", leaves="by_itself")
    order = ordered(business, freight, fitting)
    user = signed_in("super_user")
    page = user.get(f"/orders/{order.id}/pick")
    fields = [f"line_{line.id}" for line in order.lines]
    assert [page.value(name) for name in fields] == ["10", "1", ""]
    user.post(f"/orders/{order.id}/pick", {name: page.value(name) for name in fields})
    assert [shipped for _, _, shipped in lines(database)] == [10_000, 1_000, 0]
    page = user.get(f"/orders/{order.id}/pick")
    user.post(f"/orders/{order.id}/pick", {fields[2]: "1"})
    assert [shipped for _, _, shipped in lines(database)] == [10_000, 1_000, 1_000]
    assert_books_agree(database)


def test_a_program_declares_a_charge_and_orders_it_and_a_rush_one_by_one_and_in_bulk(caller, business, database):
    owner, desk = caller("data_owner"), caller("super_user")
    body = {"entity": business.entity, "code": "FREIGHT", "name": "Freight", "leaves": "last_goods"}
    made = owner("POST", "/charges", body)
    assert (made.status_code, made.json["leaves"], made.json["kind"]) == (201, "last_goods", "charge")
    refused = owner("POST", "/charges", {**body, "code": "40-0"})
    assert (refused.status_code, refused.json["code"]) == (422, "charge_is_goods")
    assert [one["code"] for one in owner("GET", "/charges").json["items"]] == ["FREIGHT"]
    item = a_charge(business)
    order = {
        "site": business.site, "channel": business.channel, "customer": business.customer, "rush": True,
        "lines": [{"item": business.items[0], "quantity": "2"}, {"item": item, "quantity": "1"}],
    }  # fmt: skip
    said = desk("POST", "/orders", order)
    assert said.status_code == 201, said.json
    assert [(one["kind"], one["is_rush"]) for one in said.json["lines"]] == [("stock", True), ("charge", False)]
    bulk = {
        "policy": "per_order",
        "orders": [{**order, "lines": [{**order["lines"][0], "quantity": "3"}, order["lines"][1]]}],
    }
    assert desk("POST", "/orders/bulk", bulk).json["captured"] == 1
    approve(business, "rush_rule", "refuse")
    bulk["orders"][0]["lines"][0]["quantity"] = "4"
    (result,) = desk("POST", "/orders/bulk", bulk).json["results"]
    assert (result["code"], len(lines(database))) == ("rush_refused", 4)
    assert_books_agree(database)

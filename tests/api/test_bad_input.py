"""Nonsense sent by programs and forms, on both databases: refused at its place with the way out, never an incident, and nothing is kept."""

from __future__ import annotations

from decimal import Decimal

import pytest
from pydantic import TypeAdapter
from sqlalchemy import text

from app.api.values import Quantity
from app.composition.uow import reading
from tests.support.core import a_business
from tests.support.operate import open_cells
from tests.support.web import a_person, a_site, a_token

TABLES = ("sales_order", "order_line", "stock_move", "receipt", "return_order", "event_log", "journal_entry", "id_head")


@pytest.fixture
def business(database, clock):
    made = a_business(database, at=clock.now())
    made.clock = clock
    open_cells(made)
    return made


@pytest.fixture
def site(database, tmp_path, clock):
    """The application on each of the two databases: they refuse differently what comes through to them."""
    return a_site(database, tmp_path, clock)


@pytest.fixture
def call(site, database, clock, business):
    """``call(role, path, body)`` posts with a token of that role."""
    tokens = {}

    def post(role, path, body):
        if role not in tokens:
            tokens[role] = a_token(database, a_person(database, role, clock=clock), role, clock=clock)
        headers = {"Authorization": f"Bearer {tokens[role]}"}
        return site.test_client().post(f"/api/v1{path}", json=body, headers=headers)

    return post


def kept(database):
    with reading(database) as session:
        return {table: session.scalar(text(f"SELECT count(*) FROM {table}")) for table in TABLES}


def an_order(business, **more):
    return {
        "site": business.site, "channel": business.channel, "customer": business.customer,
        "lines": [{"item": business.items[0], "quantity": "1"}], **more,
    }  # fmt: skip


#: What is sent instead of a quantity, the status, and what the caller reads.
QUANTITIES = {
    "-1": "is not above zero", "0": "is not above zero", "999999999999": "is more than there ever is",
    "1000000000": "is more than there ever is", "99999999999999999999": "the number is too large",
    "1.5": "has more decimal places than it is counted in", "1.2345": "at most 3 decimal places",
    "1e3": "this is not a number", "٣": "this is not a number", "NaN": "this is not a number", "Infinity": "this is not a number",
    "": "this is not a number", "1_0": "this is not a number", "0x1": "this is not a number",
}  # fmt: skip


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_an_impossible_quantity_is_refused_at_its_line(call, business, database, quantity):
    call("super_user", "/orders", {})
    before = kept(database)
    wrong = an_order(business, lines=[{"item": business.items[0], "quantity": quantity}])
    answer = call("super_user", "/orders", wrong)
    assert answer.status_code == 422
    assert QUANTITIES[quantity] in answer.get_data(as_text=True)
    assert "lines/0/quantity" in answer.get_data(as_text=True)
    assert kept(database) == before


@pytest.mark.parametrize("day", ["2026-02-30", "2026-13-01", "tomorrow", "0001-01-01", "9999-12-31", "1989-12-31"])
def test_a_day_that_does_not_exist_or_is_absurd_is_refused(call, business, database, day):
    call("super_user", "/orders", {})
    before = kept(database)
    answer = call("super_user", "/orders", an_order(business, requested_on=day))
    assert answer.status_code == 422
    assert "requested_on" in answer.get_data(as_text=True)
    assert kept(database) == before


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        ({"customer": 99}, 404, "There is no customer 99. Choose one from the list."),
        ({"lines": [{"item": 98, "quantity": "1"}]}, 404, "There is no item 98. Choose one from the list."),
        ({"channel": 97}, 404, "There is no channel 97. Choose one from the list."),
        ({"site": 96}, 404, "There is no site 96. Choose one from the list."),
        ({"customer_reference": "a\0b"}, 422, "this holds a zero byte; leave it out"),
    ],
)
def test_unknown_codes_and_zero_bytes_are_named(call, business, database, change, status, said):
    call("super_user", "/orders", {})
    before = kept(database)
    answer = call("super_user", "/orders", an_order(business, **change))
    assert answer.status_code == status
    assert said in answer.get_data(as_text=True)
    assert kept(database) == before


def test_a_line_worth_more_than_there_ever_is_is_refused(call, business, database):
    call("super_user", "/returns", {})
    before = kept(database)
    line = {"item": business.items[0], "quantity": "999999999", "unit_price": "999999999"}
    wrong = {"site": business.site, "channel": business.channel, "customer": business.customer, "reason": "wrong"}
    answer = call("super_user", "/returns", {**wrong, "lines": [line]})
    assert (answer.status_code, answer.json["code"]) == (422, "value_absurd")
    assert kept(database) == before


@pytest.mark.parametrize(
    ("quantity", "said"),
    [("0.5", "decimal places"), ("9999999999", "more than there ever is"), ("-9999999999", "more than there ever is")],
)
def test_stock_is_not_adjusted_by_what_cannot_be(call, business, database, quantity, said):
    call("warehouse_supervisor", "/stock/adjustments", {})
    before = kept(database)
    change = {"site": business.site, "item": business.items[0], "quantity": quantity, "reason": "found"}
    answer = call("warehouse_supervisor", "/stock/adjustments", change)
    assert answer.status_code == 422
    assert said in answer.json["detail"]
    assert kept(database) == before


def test_more_money_than_ever_comes_in_is_refused(call, business, database):
    call("collections", "/receipts", {})
    before = kept(database)
    receipt = {"entity": business.entity, "customer": business.customer, "amount": "9999999999999"}
    answer = call("collections", "/receipts", receipt)
    assert (answer.status_code, answer.json["code"], answer.json["field"]) == (422, "amount_absurd", "amount")
    assert kept(database) == before


def test_what_a_service_answers_is_shown_however_large_it_is():
    assert TypeAdapter(Quantity).validate_python(Decimal(10) ** 14) == Decimal(10) ** 14

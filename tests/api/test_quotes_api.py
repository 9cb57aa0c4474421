"""Quotes for programs: written, approved by another token, accepted once; costs only for who may see them."""

from __future__ import annotations

import pytest

from tests.support.core import a_business
from tests.support.operate import a_closed_site, open_cells
from tests.support.pricing import a_price, save


@pytest.fixture
def business(sqlite_database, clock):
    made = a_business(sqlite_database, at=clock.now())
    made.clock = clock
    open_cells(made)
    return made


def body(business, **line):
    return {
        "site": business.site, "channel": business.channel, "customer": business.customer, "prices_until": "2026-03-31",
        "lines": [{"item": business.items[0], "quantity": "10", **line}],
    }  # fmt: skip


def test_a_quote_becomes_an_order_at_the_price_it_held(caller, business):
    desk = caller("customer_service")
    made = desk("POST", "/quotes", body(business))
    assert made.status_code == 201
    quote = made.json
    assert (quote["state"], quote["value"], quote["prices_until"], quote["is_over"]) == (
        "draft",
        "100.00",
        "2026-03-31",
        False,
    )
    assert quote["lines"][0]["price_source"] == "list"
    assert (quote["lines"][0]["unit_cost"], quote["lines"][0]["floor"]) == (None, None)
    sent = desk("POST", f"/quotes/{quote['id']}/send", version=quote["version"]).json
    assert sent["state"] == "sent"
    save(business, a_price(business, "7.00", customer=business.customer))
    order = desk("POST", f"/quotes/{quote['id']}/accept", {"customer_reference": "PO-1"}, version=sent["version"])
    assert order.status_code == 201
    assert (order.json["value"], order.json["customer_reference"]) == ("100.00", "PO-1")
    assert order.json["lines"][0]["price_source"] == "quote"
    again = desk("POST", f"/quotes/{quote['id']}/accept", {}, version=sent["version"] + 1)
    assert (again.status_code, again.json["code"]) == (422, "quote_accepted")
    shown = desk("GET", f"/quotes/{quote['id']}").json
    assert (shown["state"], shown["order_id"]) == ("accepted", order.json["id"])


def test_entered_prices_wait_for_another_token_which_sees_cost_and_floor(caller, business):
    desk, lead = caller("customer_service"), caller("site_lead")
    line = {"unit_price": "9.00", "price_reason": "agreed by telephone"}
    quote = desk("POST", "/quotes", body(business, **line)).json
    waiting = desk("POST", f"/quotes/{quote['id']}/send", version=1).json
    assert (waiting["state"], waiting["level"]) == ("waiting", "site_lead")
    assert (waiting["approval_state"], waiting["approval_is_automatic"]) == ("waiting", False)
    assert waiting["approval_rule"].startswith("Of medium materiality or higher, one person who may approve")
    refused = desk("POST", f"/quotes/{quote['id']}/approve", version=2)
    assert refused.status_code == 403
    approved = lead("POST", f"/quotes/{quote['id']}/approve", version=2).json
    assert (approved["state"], approved["lines"][0]["unit_cost"]) == ("sent", "4.000000")
    assert (approved["approval_request"], approved["approval_state"]) == (waiting["approval_request"], "approved")


def test_a_stale_version_and_a_bad_line_are_refused_with_their_place(caller, business):
    desk = caller("customer_service")
    quote = desk("POST", "/quotes", body(business)).json
    assert desk("POST", f"/quotes/{quote['id']}/send", version=9).status_code in (409, 412)
    bad = desk("POST", "/quotes", body(business, quantity="-1"))
    assert bad.status_code == 422
    assert "lines/0/quantity" in bad.text
    assert len(desk("GET", "/quotes").json["items"]) == 1


def test_what_a_quote_cannot_say_is_refused_and_not_left_out_in_silence(caller, business):
    desk = caller("customer_service")
    for more in ({"ship_to": 7}, {"drop_ship": True}):
        said = desk("POST", "/quotes", body(business, **more))
        pointers = [error["pointer"] for error in said.json["errors"]]
        assert (said.status_code, pointers) == (422, [f"/lines/0/{next(iter(more))}"])
    assert desk("GET", "/quotes").json["items"] == []


def test_quotes_of_another_site_are_not_there(caller, business):
    quote = caller("customer_service")("POST", "/quotes", body(business)).json
    other = caller("customer_service", sites=frozenset({a_closed_site(business)}))
    assert other("GET", f"/quotes/{quote['id']}").status_code == 404
    assert other("GET", "/quotes").json["items"] == []


def test_the_paper_comes_as_a_pdf(caller, business):
    desk = caller("customer_service")
    quote = desk("POST", "/quotes", body(business)).json
    paper = desk("GET", f"/quotes/{quote['id']}/paper").json
    assert paper["file_name"] == f"quote-{quote['number']}.pdf"
    assert paper["pdf"].startswith("JVBERi0")

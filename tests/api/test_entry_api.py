"""What a program asks before it captures an order, boxes, and adjustments taken back: the rules of the pages, on both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from app.composition.uow import reading
from erpcore.fulfilment.packing.models import CartonType
from erpcore.inventory.models import StockMove
from erpcore.orders.models import SalesOrder
from tests.support.operate import a_trading_business


@pytest.fixture
def sqlite_database(database):
    """Each of the two."""
    return database


@pytest.fixture
def trade(sqlite_database, clock):
    return a_trading_business(sqlite_database, clock)


def counted(database, table):
    with reading(database) as session:
        return session.scalar(select(func.count()).select_from(table))


def refused(answer, status, code):
    assert (answer.status_code, answer.json["code"]) == (status, code), answer.json
    return answer.json


def test_the_figures_of_an_order_are_those_it_gets_and_nothing_is_kept(caller, trade, sqlite_database):
    desk, made = caller("customer_service"), trade.business
    order = {
        "site": made.site, "channel": made.channel, "customer": made.customer,
        "lines": [{"item": made.items[1], "quantity": "2"}],
    }  # fmt: skip
    before = counted(sqlite_database, SalesOrder)
    figures = desk("POST", "/order-figures", order).json
    (line,) = figures["lines"]
    assert (line["is_short"], line["margin_permille"], figures["words"], figures["closed"]) == (False, None, [], None)
    assert counted(sqlite_database, SalesOrder) == before
    got = desk("POST", "/orders", order).json
    (captured,) = got["lines"]
    assert (figures["value"], line["unit_price"], line["promised_on"]) == (
        got["value"], captured["unit_price"], captured["promised_on"],
    )  # fmt: skip
    much = order | {"lines": [{"item": made.items[1], "quantity": "100000"}]}
    figures = desk("POST", "/order-figures", much).json
    assert figures["lines"][0]["is_short"] is True
    assert [one["situation"] for one in figures["words"]] == ["hold_credit", "short"]
    assert float(figures["over_limit"]) > 0


def test_figures_of_what_is_not_there_are_refused_at_their_field(caller, trade):
    desk, made = caller("customer_service"), trade.business
    order = {
        "site": made.site, "channel": made.channel, "customer": made.customer,
        "lines": [{"item": made.items[1], "quantity": "2"}],
    }  # fmt: skip
    for wrong, code, pointer in (
        ({"site": 4_711_000}, "site_unknown", "/site"), ({"customer": 4_711_000}, "customer_unknown", "/customer"),
        ({"lines": [{"item": 4_711_000, "quantity": "1"}]}, "item_unknown", "/lines/0/item"),
    ):  # fmt: skip
        answer = refused(desk("POST", "/order-figures", order | wrong), 404, code)
        assert answer["pointer"] == pointer, answer
    refused(caller("warehouse_operator")("POST", "/order-figures", order), 403, "not_allowed")


def test_a_kind_of_box_is_added_once_by_who_may_and_listed(caller, trade, sqlite_database):
    lead, desk = caller("warehouse_supervisor"), caller("customer_service")
    body = {
        "entity": trade.business.entity, "code": "XL9", "name": "Long", "length_mm": 1200, "width_mm": 200, "height_mm": 100,
        "tare_kg": "0.4", "most_kg": "20",
    }  # fmt: skip
    before = counted(sqlite_database, CartonType)
    refused(desk("POST", "/carton-types", body), 403, "not_allowed")
    refused(lead("POST", "/carton-types", body | {"most_kg": "0.3"}), 422, "carton_carries_nothing")
    refused(lead("POST", "/carton-types", body | {"entity": 4_711_000}), 404, "entity_unknown")
    assert counted(sqlite_database, CartonType) == before
    made = lead("POST", "/carton-types", body)
    assert made.status_code == 201
    refused(lead("POST", "/carton-types", body), 409, "code_in_use")
    found = {one["id"]: one for one in desk("GET", "/carton-types").json["items"]}
    assert (found[made.json["id"]]["code"], found[made.json["id"]]["tare_kg"]) == ("XL9", "0.400")


def test_an_adjustment_is_found_among_the_moves_and_taken_back_once(caller, trade, sqlite_database):
    lead, desk, made = caller("warehouse_supervisor"), caller("customer_service"), trade.business
    place = f"/sites/{made.site}/stock/{made.items[0]}"
    body = {"site": made.site, "item": made.items[0], "quantity": "-1", "reason": "broken"}
    on_hand = lead("GET", place).json["on_hand"]
    assert lead("POST", "/stock/adjustments", body).status_code == 201
    moves = lead("GET", f"{place}/moves").json
    newest = moves["items"][0]
    assert (newest["quantity"], newest["reason"], newest["is_reversible"]) == ("-1.000", "adjustment", True)
    assert moves["count"] == len(moves["items"])
    here = f"{place}/moves/{newest['id']}/reverse"
    refused(desk("POST", here, {"reason": "wrong bin"}), 403, "not_allowed")
    refused(lead("POST", f"{place}/moves/4711000/reverse", {"reason": "wrong bin"}), 404, "move_unknown")
    before = counted(sqlite_database, StockMove)
    taken = lead("POST", here, {"reason": "wrong bin"})
    assert (taken.status_code, taken.json["is_reversible"]) == (200, False)
    refused(lead("POST", here, {"reason": "wrong bin"}), 422, "not_reversible")
    assert counted(sqlite_database, StockMove) == before + 1
    assert lead("GET", place).json["on_hand"] == on_hand
    assert lead("GET", f"{place}/moves?before={newest['id']}").json["items"][0]["id"] < newest["id"]

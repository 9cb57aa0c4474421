"""Prices for programs: saved, ended, listed, previewed and applied once, with a second person where too much is given away."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from app.composition.uow import reading
from app.importers.pricelists import COLUMNS
from erpcore.orders.models import OrderLine
from erpcore.orders.services import CaptureOrder, capture_orders
from erpcore.pricing.models import PriceRule
from tests.support.core import OPEN, RULES, a_business
from tests.support.pricing import DESK, a_price, an_entered, save
from tests.support.web import a_site, calls_of


@pytest.fixture
def business(database, clock):
    made = a_business(database, at=clock.now())
    made.clock = clock
    return made


@pytest.fixture
def calling(database, tmp_path, clock):
    return calls_of(a_site(database, tmp_path, clock), database, clock)


def a_body(business, **changes):
    return {
        "entity": business.entity, "kind": "promotion", "item": "40-0", "unit_price": "10.50", "valid_from": "2026-04-01",
        "valid_until": "2026-05-01", **changes,
    }  # fmt: skip


def count(database):
    with reading(database) as session:
        return session.scalar(select(func.count()).select_from(PriceRule))


def test_a_price_is_saved_ended_and_listed(calling, business, database):
    owner = calling("data_owner")
    made = owner("POST", "/prices", a_body(business), Idempotency_Key="price-0001")
    assert (made.status_code, made.json["price"]["unit_price"], made.json["waits_as_list"]) == (201, "10.500000", None)
    again = owner("POST", "/prices", a_body(business), Idempotency_Key="price-0001")
    assert again.json == made.json
    rule = made.json["price"]["id"]
    refused = owner("POST", "/prices", a_body(business))
    assert (refused.status_code, refused.json["code"]) == (422, "price_rule_conflict")
    assert "Another price rule (promotion) holds" in refused.json["detail"]
    assert [one["id"] for one in owner("GET", "/prices?kind=promotion&standing=later").json["items"]] == [rule]
    first = owner("GET", "/prices?limit=2").json
    assert (len(first["items"]), len(owner("GET", f"/prices?cursor={first['next']}").json["items"])) == (2, 1)
    ended = owner("POST", f"/prices/{rule}/end", {"on": "2026-04-10"})
    assert ended.json["valid_until"] == "2026-04-10"
    assert owner("POST", f"/prices/{rule}/end", {"on": "2026-04-20"}).json["code"] == "price_ended"
    assert owner("GET", f"/prices/{rule}").json == ended.json
    assert owner("GET", "/prices/99").status_code == 404
    assert calling("site_lead")("POST", "/prices", a_body(business)).status_code == 403
    assert count(database) == 4


def test_a_price_that_gives_away_too_much_is_a_question_and_then_a_list_that_another_approves(
    calling, business, database
):
    owner, judge = calling("data_owner"), calling("process_owner")
    low = a_body(business, unit_price="8")
    asked = owner("POST", "/prices", low)
    assert (asked.status_code, asked.json["code"]) == (409, "price_needs_second")
    accept = [{"code": "price_needs_second", "reason": "the spring campaign"}]
    kept = owner("POST", "/prices", {**low, "accept": accept}).json["waits_as_list"]
    path = f"/price-lists/{kept}"
    preview = judge("GET", f"{path}/preview").json
    assert preview["needs_second_person"] == 1
    assert [(one["before"], one["after"], one["change_permille"]) for one in preview["rows"]] == [
        ("10.000000", "8.000000", -200)
    ]
    here = owner("GET", path)
    assert (here.json["state"], count(database)) == ("asked", 3)
    decision = {"move": "approve", "reason": "agreed", "seen": preview["digest"]}
    assert owner("POST", f"{path}/settle", decision, If_Match=here.headers["ETag"]).status_code == 403
    assert judge("POST", f"{path}/settle", decision).status_code == 428
    stale = judge("POST", f"{path}/settle", {**decision, "seen": "0" * 64}, If_Match=here.headers["ETag"])
    assert (stale.status_code, stale.json["code"], count(database)) == (409, "price_list_moved", 3)
    done = judge("POST", f"{path}/settle", decision, If_Match=here.headers["ETag"])
    assert (done.json["state"], done.json["counts"]["new"], count(database)) == ("applied", 1, 4)


def test_a_file_is_handed_in_looked_at_and_applied_once(calling, business, database):
    owner = calling("data_owner")
    lines = ",".join(COLUMNS) + "\nlist,40-0,,,,,,11,,EUR,2026-04-01,,\nlist,40-9,,,,,,11,,EUR,2026-04-01,,\n"
    address = f"/price-lists?entity={business.entity}&file_name=april.csv"
    made = owner("POST", address, data=lines.encode())
    assert (made.status_code, made.json["rows"], made.json["state"]) == (201, 2, "kept")
    path = f"/price-lists/{made.json['id']}"
    preview = owner("GET", f"{path}/preview").json
    assert preview["counts"] == {"new": 0, "changed": 1, "ended": 0, "unchanged": 0, "rejected": 1}
    assert [one["code"] for one in preview["rows"]] == [None, "price_code_unknown"]
    assert len(owner("GET", f"{path}/preview?outcome=rejected").json["rows"]) == 1
    for narrowed in ("only=rejected", f"after={preview['rows'][0]['row']}"):
        assert owner("GET", f"{path}/preview?{narrowed}").json["rows"] == preview["rows"][1:], narrowed
    assert owner("GET", f"{path}/preview?only=second").json["rows"] == []
    body = {"move": "apply", "seen": preview["digest"]}
    applied = owner("POST", f"{path}/settle", body, If_Match=made.headers["ETag"])
    assert (applied.json["state"], count(database)) == ("applied", 4)
    again = owner("POST", f"{path}/settle", body, If_Match=applied.headers["ETag"])
    assert (again.json, count(database)) == (applied.json, 4)
    assert [one["id"] for one in owner("GET", "/price-lists").json["items"]] == [made.json["id"]]
    assert owner("POST", "/price-lists?entity=99&file_name=a.csv", data=lines.encode()).status_code == 404
    assert (
        owner("POST", f"/price-lists?entity={business.entity}&file_name=a.pdf", data=b"x").json["code"] == "sheet_kind"
    )
    assert owner("GET", "/price-lists/99/preview").status_code == 404


def test_a_price_is_asked_for_and_a_line_says_why_it_has_its_own(calling, business, database):
    save(business, a_price(business, "9.00", customer=business.customer))
    owner, desk = calling("data_owner"), calling("customer_service")
    path = f"/price-check?item={business.items[0]}&customer={business.customer}&quantity=3"
    found = owner("GET", path).json
    assert (found["unit_price"], found["list_price"], found["cost"], found["margin_permille"]) == (
        "9.000000", "10.000000", "4.000000", 555,
    )  # fmt: skip
    assert [one["kind"] for one in (found["winner"], *found["losers"])] == ["contract", "list"]
    assert (desk("GET", path).json["cost"], desk("GET", path).json["unit_price"]) == (None, "9.000000")
    assert owner("GET", f"/price-check?item={business.items[0]}&quantity=0").json["code"] == "unfit"
    assert owner("GET", "/price-check?item=99").status_code == 404
    with business.work(DESK) as work:
        (order,) = capture_orders(
            work, [CaptureOrder(site=business.site, channel=business.channel, customer=business.customer, lines=[an_entered(business, "7.00")])], rules=RULES, cells=OPEN
        )  # fmt: skip
    with reading(database) as session:
        line = session.scalar(select(OrderLine.id).where(OrderLine.order_id == order.id))
    why = owner("GET", f"/orders/{order.id}/lines/{line}/price").json
    assert (why["source"], why["resolved_price"], why["reason"], why["released_at"]) == (
        "override", "9.000000", "agreed by telephone", None,
    )  # fmt: skip
    assert why["held_since"] is not None
    assert desk("GET", f"/orders/{order.id}/lines/{line}/price").json["cost"] is None
    assert owner("GET", f"/orders/{order.id}/lines/99/price").status_code == 404

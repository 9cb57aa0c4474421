"""Deductions and disputes through the interface for programs: named with the payment, handed over, contested, settled in parts."""

from __future__ import annotations

import pytest

from tests.support.controls import assert_books_agree
from tests.support.core import a_business
from tests.support.operate import open_cells
from tests.support.steps import invoiced
from tests.support.web import a_person, a_site, a_token


@pytest.fixture
def business(database, clock):
    made = a_business(database, at=clock.now())
    made.clock = clock
    open_cells(made)
    return made


@pytest.fixture
def calling(database, tmp_path, clock):
    site = a_site(database, tmp_path, clock)
    people = {}

    def call(role, method, path, body=None, version=None):
        who = people.setdefault(role, a_person(database, role, clock=clock))
        headers = {"Authorization": f"Bearer {a_token(database, who, role, clock=clock)}"}
        if version is not None:
            headers["If-Match"] = f'"{version}"'
        return site.test_client().open(f"/api/v1{path}", method=method, json=body, headers=headers)

    call.people = people
    return call


def paid_short(calling, business, invoice, amount, **short):
    body = {"entity": business.entity, "customer": business.customer, "amount": amount}
    receipt = calling("collections", "POST", "/receipts", body).json["id"]
    part = {"invoice": invoice.id, "amount": amount, **short}
    answer = calling("collections", "POST", f"/receipts/{receipt}/apply", {"applications": [part]})
    assert answer.status_code == 200, answer.json
    return receipt


def test_a_short_payment_is_named_contested_credited_and_given_up_by_others(calling, business):
    _, _, invoice = invoiced(business)
    paid_short(calling, business, invoice, "90.00", short="damaged", note="three dented")
    (found,) = calling("billing", "GET", "/disputes?state=open").json["items"]
    assert (found["kind"], found["state"], found["open"], found["owner_role"], found["due_on"]) == (
        "deduction", "raised", "30.00", "customer_service", "2026-03-12",
    )  # fmt: skip
    path, line = f"/disputes/{found['id']}", invoice.lines[0].order_line_id
    said = calling("customer_service", "POST", f"{path}/contest", {"note": "two only", "order_line": line}, version=1)
    assert (said.status_code, said.json["state"]) == (200, "disputed"), said.json
    stale = calling("billing", "POST", f"{path}/settle", {"rebill": "1.00", "reason": "x"}, version=1)
    assert stale.status_code == 412
    body = {"credit": [{"order_line": line, "quantity": "2"}], "write_off": "6.00", "reason": "the note says so"}
    settled = calling("billing", "POST", f"{path}/settle", body, version=2)
    assert (settled.status_code, settled.json["state"], settled.json["asked"]) == (200, "waiting", "6.00"), settled.json
    request = settled.json["request_id"]
    agreed = calling(
        "finance", "POST", f"/approvals/{request}/answer", {"verdict": "approve", "reason": "small"}, version=1
    )
    assert agreed.status_code == 200, agreed.json
    over = calling("billing", "GET", path).json
    assert (over["state"], over["open"]) == ("settled", "0.00")
    assert [(one["kind"], one["amount"]) for one in over["parts"]] == [
        ("raised", "30.00"), ("credited", "-24.00"), ("written_off", "-6.00"),
    ]  # fmt: skip
    assert calling("billing", "GET", f"/invoices/{invoice.id}").json["open"] == "0.00"
    assert_books_agree(business.database)


def test_without_a_reason_it_is_unknown_and_a_part_payment_names_nothing(calling, business):
    _, _, first = invoiced(business)
    _, _, second = invoiced(business, [(1, 5)])
    paid_short(calling, business, first, "100.00", short="")
    receipt = paid_short(calling, business, second, "50.00")
    listed = calling("billing", "GET", "/disputes").json["items"]
    assert [(one["invoice_id"], one["reason_code"], one["owner"]) for one in listed] == [
        (first.id, "unknown", "Collections")
    ]
    (application,) = calling("billing", "GET", f"/receipts/{receipt}").json["applications"]
    path = f"/receipts/{receipt}/applications/{application['id']}/deduct"
    refused = calling("collections", "POST", path, {"reason": "weather"})
    assert (refused.status_code, refused.json["code"]) == (422, "dispute_reason_unknown")
    named = calling("collections", "POST", path, {"reason": "freight", "amount": "4.00"})
    assert (named.status_code, named.json["open"], named.json["receipt_id"]) == (201, "4.00", receipt)


def test_an_objection_is_opened_handed_over_and_commented(calling, business):
    _, _, invoice = invoiced(business)
    body = {"invoice": invoice.id, "amount": "24.00", "reason": "price", "note": "9.00 was agreed", "evidence": "mail"}
    assert calling("auditor", "POST", "/disputes", body).status_code == 403
    too_much = calling("customer_service", "POST", "/disputes", {**body, "amount": "120.01"})
    assert (too_much.status_code, too_much.json["code"]) == (422, "disputed_too_much")
    made = calling("customer_service", "POST", "/disputes", body)
    assert (made.status_code, made.json["state"], made.json["owner"]) == (201, "disputed", "Billing"), made.json
    key = made.json["id"]
    hand = {"disputes": [key], "owner": 99, "reason": "knows them"}
    nobody = calling("billing", "POST", "/disputes/hand-over", hand)
    assert (nobody.status_code, nobody.json["code"]) == (422, "person_unknown")
    who = calling.people["billing"]
    given = calling("billing", "POST", "/disputes/hand-over", {**hand, "owner": who.id, "due_on": "2026-03-05"})
    assert given.json == {"handed": 1}
    assert calling("billing", "POST", f"/disputes/{key}/comments", {"text": "called them"}).status_code == 201
    detail = calling("billing", "GET", f"/disputes/{key}").json
    assert (detail["owner_id"], detail["due_on"]) == (who.id, "2026-03-05")
    assert [one["move"] for one in detail["history"]] == ["comment", "hand_over", "raise"]
    assert [one["id"] for one in calling("billing", "GET", "/disputes?mine=true").json["items"]] == [key]
    assert calling("billing", "GET", "/disputes/7").status_code == 404


def test_reasons_are_listed_and_routed_by_those_who_may(calling, business):
    assert business.entity
    codes = {one["code"] for one in calling("billing", "GET", "/dispute-reasons").json["items"]}
    assert {"short_shipment", "damaged", "price", "freight", "promotion", "tax", "late_discount", "unknown"} == codes
    body = {"code": "pallets", "title": "Pallets", "role": "site_lead", "due_days": 4}
    assert calling("billing", "POST", "/dispute-reasons", body).status_code == 403
    routed = calling("finance", "POST", "/dispute-reasons", body)
    assert {"code": "pallets", "title": "Pallets", "owner_role": "site_lead", "owner_id": None, "due_days": 4,
            "fault": "undecided"} in routed.json["items"]  # fmt: skip

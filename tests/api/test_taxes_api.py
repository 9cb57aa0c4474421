"""Tax rules, numbers and exemptions through the interface for programs; a blocked invoice is checked again and says its rule."""

from __future__ import annotations

import pytest

from erpcore.billing.services import draft_invoices
from tests.support.core import OPEN, a_business
from tests.support.steps import shipped
from tests.support.web import a_person, a_site, a_token


@pytest.fixture
def business(database, clock):
    made = a_business(database, tax=None, at=clock.now())
    made.clock = clock
    return made


@pytest.fixture
def calling(database, tmp_path, clock):
    site = a_site(database, tmp_path, clock)

    def call(role, method, path, body=None, **headers):
        token = a_token(database, a_person(database, role, clock=clock), role, clock=clock)
        return site.test_client().open(
            f"/api/v1{path}", method=method, json=body, headers={"Authorization": f"Bearer {token}", **headers}
        )

    return call


def test_a_rule_is_kept_listed_and_decides_a_blocked_invoice_that_is_checked_again(calling, business):
    _, shipment = shipped(business, [(0, 1)])
    with business.work() as work:
        (invoice,) = draft_invoices(work, [shipment.id], cells=OPEN)
    said = {
        "entity": business.entity, "code": "DE-0", "country": "Germany", "rate": "0", "valid_from": "2020-01-01",
        "category": "AE",
    }  # fmt: skip
    keeper = "data_owner"
    refused = calling(keeper, "POST", "/tax-rules", said)
    assert (refused.status_code, refused.json["code"]) == (422, "tax_sentence_missing")
    made = calling(keeper, "POST", "/tax-rules", {**said, "sentence": "Reverse charge"})
    assert made.status_code == 201, made.json
    listed = calling("billing", "GET", "/tax-rules").json
    assert [(one["code"], one["rate"], one["category"]) for one in listed["items"]] == [("DE-0", "0.000000", "AE")]
    path = f"/invoices/{invoice.id}"
    seen = calling("billing", "GET", path)
    assert (seen.json["state"], seen.json["block_reason"]) == ("blocked", "no tax rate for the country and classes")
    assert [(one["code"], one["sentence"]) for one in seen.json["findings"]] == [
        ("tax", "no tax rate for the country and classes")
    ]
    assert [one["id"] for one in calling("billing", "GET", "/invoices?doubt=tax").json["items"]] == [invoice.id]
    assert calling("billing", "GET", "/invoices?doubt=price").json["items"] == []
    match = {"If-Match": f'"{seen.json["version"]}"'}
    assert calling("billing", "POST", f"{path}/release", {"reason": "so"}, **match).status_code == 403
    again = calling("billing", "POST", f"{path}/recheck", **{"If-Match": f'"{seen.json["version"]}"'})
    assert (again.status_code, again.json["state"]) == (200, "draft"), again.json
    (line,) = again.json["lines"]
    assert (line["tax_code"], line["tax_sentence"]) == ("DE-0", "Reverse charge")


def test_an_invoice_of_unknown_tax_is_released_under_a_rule_that_a_program_names(calling, business):
    _, shipment = shipped(business, [(0, 1)])
    with business.work() as work:
        (invoice,) = draft_invoices(work, [shipment.id], cells=OPEN)
    said = {"entity": business.entity, "code": "AT-20", "country": "Austria", "rate": "0.2", "valid_from": "2020-01-01"}
    rule = calling("data_owner", "POST", "/tax-rules", said).json["id"]
    path = f"/invoices/{invoice.id}"
    match = {"If-Match": f'"{calling("finance", "GET", path).json["version"]}"'}
    refused = calling("finance", "POST", f"{path}/release", {"reason": "so"}, **match)
    assert (refused.status_code, refused.json["code"]) == (422, "invoice_untaxed")
    released = calling("finance", "POST", f"{path}/release", {"reason": "so", "tax_rule": rule}, **match).json
    assert (released["state"], released["tax"], released["is_tax_determined"]) == ("draft", "2.00", False)
    assert released["lines"][0]["tax_code"] == "AT-20"


def test_numbers_and_exemptions_are_kept_for_customers_one_sees_and_rules_end(calling, business):
    number = {"entity": business.entity, "country": "Germany", "number": "DE811907980", "valid_from": "2020-01-01"}
    assert calling("data_owner", "POST", "/tax-numbers", number).status_code == 201
    unknown = calling("data_owner", "POST", "/tax-numbers", {**number, "customer": 1})
    assert (unknown.status_code, unknown.json["code"]) == (404, "customer_unknown")
    paper = {
        "customer": business.customer, "certificate": "FZ-1", "valid_from": "2026-01-01", "valid_until": "2027-01-01",
    }  # fmt: skip
    assert calling("data_owner", "POST", "/tax-exemptions", paper).status_code == 201
    assert calling("billing", "POST", "/tax-exemptions", paper).status_code == 403
    rule = {
        "entity": business.entity,
        "code": "DE-19",
        "country": "Germany",
        "rate": "0.19",
        "valid_from": "2026-01-01",
    }
    key = calling("data_owner", "POST", "/tax-rules", rule).json["id"]
    assert (
        calling("data_owner", "POST", f"/tax-rules/{key}/end", {"until": "2026-01-01"}).json["code"] == "validity_empty"
    )
    assert calling("data_owner", "POST", f"/tax-rules/{key}/end", {"until": "2026-12-01"}).status_code == 200

"""Orders changed by programs: staged with what it would do, applied once, refused as a whole."""

from __future__ import annotations

import pytest

from tests.api.test_operate_api import body, business, count
from tests.support.controls import assert_books_agree
from tests.support.operate import a_closed_site
from tests.support.steps import allocated, captured, released

__all__ = ["business"]


def changes(*changes, by_customer=True, **more):
    return {"by_customer": by_customer, "reason": "called", "changes": list(changes), **more}


def test_changes_are_staged_with_their_effect_and_applied_once(caller, business, sqlite_database):
    desk, order = caller("customer_service"), allocated(business, [(0, 10), (1, 5)])
    here, (first, second) = f"/orders/{order.id}", order.lines
    etag = desk("GET", here).headers["ETag"]
    staged = desk(
        "POST", f"{here}/amendments",
        changes(
            {"kind": "quantity", "line": first.id, "quantity": "4"}, {"kind": "drop", "line": second.id},
            {"kind": "add", "item": business.items[2], "quantity": "3"},
        ),
        If_Match=etag, Idempotency_Key="change-1",
    )  # fmt: skip
    assert staged.status_code == 201
    effect = staged.json["effect"]
    assert (effect["value_before"], effect["value"]) == ("150.00", "120.00")
    assert (effect["exposure_before"], effect["exposure"], effect["holds"]) == ("150.00", "70.00", [])
    assert [(line["line_no"], line["freed"]) for line in effect["lines"]] == [
        (10, "6.000"),
        (20, "5.000"),
        (None, "0.000"),
    ]
    assert desk("GET", here).json["value"] == "150.00"
    path = f"{here}/amendments/{staged.json['id']}"
    assert desk("POST", f"{path}/apply").json["value"] == "120.00"
    again = desk("POST", f"{path}/apply")
    assert (again.status_code, again.json["code"]) == (422, "illegal_move")
    assert desk("GET", f"{here}/amendments").json["items"][0]["state"] == "applied"
    assert_books_agree(sqlite_database)


@pytest.mark.parametrize(
    ("change", "code", "pointer"),
    [
        ({"kind": "quantity", "quantity": "0"}, "quantity_not_positive", "/changes/0/quantity"),
        ({"kind": "quantity", "quantity": "1.5"}, "quantity_too_precise", "/changes/0/quantity"),
        ({"kind": "quantity", "quantity": "10"}, "amend_same", "/changes/0/quantity"),
        ({"kind": "colour"}, "choice_unknown", "/kind"),
        ({"kind": "date", "day": "1900-01-01"}, "day_absurd", "/changes/0/day"),
    ],
)
def test_bad_changes_are_refused_by_name_and_nothing_else_changes(
    caller, business, sqlite_database, change, code, pointer
):
    desk, order = caller("customer_service"), released(business)
    answer = desk(
        "POST",
        f"/orders/{order.id}/amendments",
        changes({"line": order.lines[0].id, **change}),
        If_Match=f'"{order.version}"',
    )
    assert (answer.status_code, answer.json["code"], answer.json["pointer"]) == (422, code, pointer)
    assert [count(sqlite_database, table) for table in ("order_amendment", "order_amendment_change")] == [0, 0]


def test_a_stale_caller_another_site_and_a_role_without_the_right_change_nothing(caller, business, sqlite_database):
    order = captured(business)
    one = changes({"kind": "quantity", "line": order.lines[0].id, "quantity": "4"})
    path = f"/orders/{order.id}/amendments"
    assert caller("customer_service")("POST", path, one, If_Match='"7"').status_code == 412
    assert caller("customer_service")("POST", path, one).status_code == 428
    assert caller("warehouse_operator")("POST", path, one, If_Match='"1"').status_code == 403
    elsewhere = caller("customer_service", sites=[a_closed_site(business)])
    assert elsewhere("POST", path, one, If_Match='"1"').status_code == 404
    assert count(sqlite_database, "order_amendment") == 0


def test_an_order_that_moved_is_not_amended_and_the_staged_change_is_withdrawn(caller, business, sqlite_database):
    desk, order = caller("customer_service"), captured(business)
    one = changes({"kind": "quantity", "line": order.lines[0].id, "quantity": "4"})
    staged = desk("POST", f"/orders/{order.id}/amendments", one, If_Match='"1"').json
    path = f"/orders/{order.id}/amendments/{staged['id']}"
    desk("POST", f"/orders/{order.id}/release", If_Match='"1"')
    answer = desk("POST", f"{path}/apply")
    assert (answer.status_code, answer.json["code"]) == (409, "order_moved")
    assert desk("POST", f"{path}/withdraw").json["state"] == "withdrawn"
    assert desk("GET", f"/orders/{order.id}").json["lines"][0]["quantity"] == "10.000"
    other = desk("POST", "/orders", body(business, (1, "2"))).json["id"]
    assert desk("POST", f"/orders/{other}/amendments/{staged['id']}/apply").status_code == 404

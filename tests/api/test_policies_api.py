"""Policy values for programs: asked for, decided by another, and effective in a second process at its next unit of work."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from app.composition.uow import connect, reading
from erpcore.ports import POLICY_POINTS
from governance.variants.models import Variant
from tests.support.core import a_business
from tests.support.operate import open_cells
from tests.support.policies import approve, ask_for
from tests.support.web import a_person, a_site, a_token


@pytest.fixture
def business(database, clock):
    made = a_business(database, at=clock.now())
    made.clock = clock
    open_cells(made)
    return made


@pytest.fixture
def calling(database, tmp_path, clock):
    """``calling("process_owner")("GET", "/policy-points")``; ``process`` is the application that answers."""
    first = a_site(database, tmp_path, clock)

    def make(role, process=None, **scope):
        token = a_token(database, a_person(database, role, clock=clock), role, clock=clock, **scope)

        def call(method, path, body=None, **headers):
            return (process or first).test_client().open(
                f"/api/v1{path}", method=method, json=body,
                headers={"Authorization": f"Bearer {token}", **{n.replace("_", "-"): v for n, v in headers.items()}},
            )  # fmt: skip

        return call

    return make


def asking(business, **changes):
    return {
        "point": "partial_shipment", "value": False, "scope": {"site": business.site}, "until_on": "2026-12-31",
        "reason": "whole orders only", **changes,
    }  # fmt: skip


def running(call, business, point, **more):
    extra = "".join(f"&{name}={value}" for name, value in more.items())
    found = call("GET", f"/policy-rules?site={business.site}{extra}").json["items"]
    return next(one for one in found if one["point"] == point)


def test_a_value_is_asked_for_decided_by_another_and_runs_in_a_second_process_at_its_next_unit_of_work(
    calling, business, database, tmp_path, clock
):
    other = connect(database.url)
    try:
        second = a_site(other, tmp_path / "second", clock)
        owner, judge, elsewhere = (
            calling("process_owner"), calling("design_authority"), calling("super_user", process=second),
        )  # fmt: skip
        assert running(elsewhere, business, "partial_shipment")["value"] is True
        made = owner("POST", "/policy-values", asking(business))
        assert (made.status_code, made.json["standing"], made.json["where"]) == (201, "submitted", "Duisburg")
        key = made.json["id"]
        assert running(elsewhere, business, "partial_shipment")["value"] is True
        decision = {"move": "approve", "reason": "agreed"}
        answer = judge("POST", f"/policy-values/{key}/decide", decision, If_Match=made.headers["ETag"])
        assert (answer.status_code, answer.json["standing"], answer.json["version"]) == (200, "effective", 3)
        assert running(elsewhere, business, "partial_shipment") == {
            "point": "partial_shipment", "value": False, "is_standard": False, "origin": key, "where": "Duisburg",
        }  # fmt: skip
        order = elsewhere(
            "POST", "/orders",
            {"site": business.site, "channel": business.channel, "customer": business.customer,
             "lines": [{"item": business.items[0], "quantity": "12"}]},
        ).json  # fmt: skip
        rules = elsewhere("GET", f"/orders/{order['id']}/rules").json
        assert next(one for one in rules["items"] if one["point"] == "partial_shipment")["origin"] == key
        assert (rules["ruleset"], rules["lines"]) == (order["ruleset"], [])
        gone = judge(
            "POST",
            f"/policy-values/{key}/decide",
            {"move": "revoke", "reason": "over"},
            If_Match=answer.headers["ETag"],
        )
        assert gone.json["standing"] == "revoked"
        assert running(elsewhere, business, "partial_shipment")["value"] is True
        kept = elsewhere("GET", f"/orders/{order['id']}/rules").json
        assert kept == rules, "what was promised keeps its rules"
    finally:
        other.dispose()


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"value": 0}, 422, "policy_value_outside"),
        ({"value": "false"}, 422, "policy_value_outside"),
        ({"value": True}, 422, "policy_value_is_standard"),
        ({"scope": {}}, 422, "policy_scope_empty"),
        ({"scope": {"site": 99}}, 404, "site_unknown"),
        ({"scope": {"customer_group": 99}}, 404, "customer_group_unknown"),
        ({"scope": {"item_group": 99}}, 404, "item_group_unknown"),
        ({"scope": {"channel": 99}}, 404, "channel_unknown"),
        ({"scope": {"entity": 99}}, 404, "entity_unknown"),
        ({"point": "negative_stock", "value": True}, 422, "policy_point_locked"),
        ({"point": "free_beer"}, 404, "policy_point_unknown"),
        ({"until_on": "2026-03-02"}, 422, "policy_value_over"),
        ({"from_on": "2026-02-28"}, 422, "policy_value_starts_past"),
        ({"reason": " "}, 422, "unfit"),
        ({"more": 1}, 422, "unfit"),
    ],
)
def test_what_cannot_hold_is_refused_and_nothing_is_asked(calling, business, database, changes, status, code):
    answer = calling("process_owner")("POST", "/policy-values", asking(business, **changes))
    assert (answer.status_code, answer.json["code"]) == (status, code)
    with reading(database) as session:
        assert session.scalar(select(func.count()).select_from(Variant)) == 0


def test_who_asked_does_not_decide_and_an_old_version_decides_nothing(calling, business):
    key = ask_for(business, "partial_shipment", False)
    owner, judge = calling("process_owner"), calling("design_authority")
    path, decision = f"/policy-values/{key}/decide", {"move": "approve", "reason": "mine"}
    assert owner("POST", path, decision, If_Match='"2"').status_code == 403
    assert judge("POST", path, decision).status_code == 428
    assert judge("POST", path, decision, If_Match='"7"').status_code in (409, 412)
    assert judge("POST", path, {"move": "bless", "reason": "x"}, If_Match='"2"').json["code"] == "choice_unknown"
    assert judge("GET", f"/policy-values/{key}").json["standing"] == "submitted"
    assert judge("GET", "/policy-values/99").status_code == 404


def test_the_catalogue_and_the_values_are_listed(calling, business):
    held = approve(business, "price_tolerance_permille", 25)
    waits = ask_for(business, "partial_shipment", False)
    call = calling("auditor")
    points = {one["name"]: one for one in call("GET", "/policy-points").json["items"]}
    assert set(points) == set(POLICY_POINTS)
    tolerance = points["price_tolerance_permille"]
    assert (tolerance["standard"], tolerance["maximum"], tolerance["unit"]) == (0, 500, "per mille")
    assert [one["id"] for one in tolerance["holding"]] == [held]
    assert [one["id"] for one in points["partial_shipment"]["waiting"]] == [waits]
    assert points["negative_stock"]["may_differ_by"] == []
    assert [one["id"] for one in call("GET", "/policy-values").json["items"]] == [held, waits]
    assert [one["id"] for one in call("GET", "/policy-values?state=submitted").json["items"]] == [waits]
    first = call("GET", "/policy-values?limit=1").json
    assert [one["id"] for one in call("GET", f"/policy-values?cursor={first['next']}").json["items"]] == [waits]
    assert call("GET", "/policy-rules?site=99").status_code == 404

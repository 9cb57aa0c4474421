"""The register for programs: asked for, decided by those whom the rules name, effective in a second process, expired by the clock."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from app.composition.uow import connect, reading
from governance.programme.kinds import BodyKind
from governance.variants.models import Variant
from tests.support.approvals import a_body, acting
from tests.support.core import a_business
from tests.support.operate import a_neighbour, open_cells
from tests.support.policies import approve, ask_for
from tests.support.registered import figured
from tests.support.web import a_person, a_site, a_token


@pytest.fixture
def business(database, clock):
    made = a_business(database, at=clock.now())
    made.clock = clock
    open_cells(made)
    return made


@pytest.fixture
def calling(database, business, tmp_path, clock):
    """``calling("process_owner")("GET", "/variants")``; ``process`` is the application that answers. The design authority has
    one seat, which is that of the first who is asked to be it.
    """
    first = a_site(database, tmp_path, clock)
    seated = []

    def make(role, process=None, **scope):
        who = a_person(database, role, clock=clock)
        if role == "design_authority" and not seated:
            seated.append(a_body(business, BodyKind.DESIGN_AUTHORITY, [acting(who.id, role)], quorum=(1, 1)))
        token = a_token(database, who, role, clock=clock, **scope)

        def call(method, path, body=None, **headers):
            return (process or first).test_client().open(
                f"/api/v1{path}", method=method, json=body,
                headers={"Authorization": f"Bearer {token}", **{n.replace("_", "-"): v for n, v in headers.items()}},
            )  # fmt: skip

        return call

    return make


def asking(business, **changes):
    return {
        "values": {"partial_shipment": False}, "scope": {"site": business.site}, "until_on": "2026-12-31",
        "reason": "whole orders only", "rationale": "site_limit", "support_who": "branch office",
        "exit_condition": "the hall stands", **changes,
    }  # fmt: skip


def served(call, business, number, site=None):
    """An order of which the second line is short, released and allocated; with what is set aside for each line."""
    lines = [{"item": business.items[0], "quantity": "10"}, {"item": business.items[1], "quantity": str(200 + number)}]
    order = call(
        "POST", "/orders",
        {"site": site or business.site, "channel": business.channel, "customer": business.customer, "lines": lines,
         "customer_reference": f"B-{number}"},
    )  # fmt: skip
    assert order.status_code == 201, order.json
    for step in ("release", "allocate"):
        order = call("POST", f"/orders/{order.json['id']}/{step}", If_Match=order.headers["ETag"])
        assert order.status_code == 200, order.json
    return order.json, [int(Decimal(line["allocated"])) for line in order.json["lines"]]


def rule(call, order):
    found = call("GET", f"/orders/{order['id']}/rules").json["items"]
    return next((one["value"], one["origin"]) for one in found if one["point"] == "partial_shipment")


def test_a_site_ships_whole_orders_as_long_as_it_was_agreed_in_every_process(
    calling, business, database, tmp_path, clock
):
    neighbour = a_neighbour(business)
    other = connect(database.url)
    try:
        second = a_site(other, tmp_path / "second", clock)
        owner, judge, desk = (
            calling("process_owner"),
            calling("design_authority"),
            calling("super_user", process=second),
        )
        made = owner("POST", "/variants", asking(business))
        assert (made.status_code, made.json["standing"], made.json["where"]) == (201, "submitted", "Duisburg")
        key, path = made.json["id"], f"/variants/{made.json['id']}/move"
        before, allocated = served(desk, business, 1)
        assert (rule(desk, before), allocated) == ((True, None), [10, 100])
        refused = owner("POST", path, {"move": "approve", "reason": "mine"}, If_Match=made.headers["ETag"])
        assert (refused.status_code, refused.json["code"]) == (403, "approval_own")
        agreed = judge("POST", path, {"move": "approve", "reason": "agreed"}, If_Match=made.headers["ETag"])
        assert (agreed.status_code, agreed.json["standing"], agreed.json["version"]) == (200, "effective", 3)

        order, allocated = served(desk, business, 2)
        assert (rule(desk, order), allocated) == ((False, key), [0, 0])
        next_door, allocated = served(desk, business, 3, site=neighbour)
        assert (rule(desk, next_door), allocated) == ((True, None), [10, 100])
        there = desk("GET", f"/policy-rules?site={neighbour}").json["items"]
        assert next(one for one in there if one["point"] == "partial_shipment")["is_standard"]
        assert judge("GET", f"/variants/{key}").json["orders"] == 1

        clock.set(clock.now() + timedelta(days=400))
        owner, desk = calling("process_owner"), calling("super_user", process=second)
        assert owner("GET", f"/variants/{key}").json["standing"] == "expired"
        over, allocated = served(desk, business, 4)
        assert (rule(desk, over), allocated[0]) == ((True, None), 10)
        assert rule(desk, order) == (False, key), "what was promised keeps its rules"
    finally:
        other.dispose()


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"values": {"partial_shipment": 0}}, 422, "policy_value_outside"),
        ({"values": {"partial_shipment": True}}, 422, "policy_value_is_standard"),
        ({"values": {}}, 422, "variant_changes_nothing"),
        ({"values": {"negative_stock": True}}, 422, "policy_point_locked"),
        ({"values": {"free_beer": True}}, 404, "policy_point_unknown"),
        ({"scope": {}}, 422, "policy_scope_empty"),
        ({"scope": {"site": 99}}, 404, "site_unknown"),
        ({"scope": {"customer_group": 99}}, 404, "customer_group_unknown"),
        ({"scope": {"entity": 99}}, 404, "entity_unknown"),
        ({"until_on": "2026-03-02"}, 422, "policy_value_over"),
        ({"until_on": None}, 422, "variant_end_missing"),
        ({"from_on": "2026-02-28"}, 422, "policy_value_starts_past"),
        ({"rationale": None}, 422, "variant_unsaid"),
        ({"owner": 99}, 422, "variant_person_unknown"),
        ({"kind": "standard_change"}, 422, "standard_change_shape"),
        ({"deviations": ["No such thing"]}, 422, "variant_deviation_unusable"),
        ({"reason": " "}, 422, "unfit"),
        ({"more": 1}, 422, "unfit"),
    ],
)
def test_what_cannot_hold_is_refused_and_nothing_is_kept(calling, business, database, changes, status, code):
    answer = calling("process_owner")("POST", "/variants", asking(business, **changes))
    assert (answer.status_code, answer.json["code"]) == (status, code)
    with reading(database) as session:
        assert session.scalar(select(func.count()).select_from(Variant)) == 0


def test_variants_are_listed_by_what_they_are(calling, business):
    held = approve(business, "price_tolerance_permille", 25)
    waits = ask_for(business, "partial_shipment", False)
    call = calling("auditor")

    def ids(query=""):
        return [one["id"] for one in call("GET", f"/variants{query}").json["items"]]

    assert ids() == [held, waits]
    assert ids("?state=submitted") == [waits]
    assert ids("?effective=true") == [held]
    assert ids("?point=price_tolerance_permille") == [held]
    first = call("GET", "/variants?limit=1").json
    assert ids(f"?cursor={first['next']}") == [waits]
    assert call("GET", "/variants/99").status_code == 404
    shown = call("GET", f"/variants/{held}").json
    assert shown["values"] == [{"point": "price_tolerance_permille", "value": 25, "standard": 0}]


def test_moves_need_the_version_that_was_seen(calling, business):
    key = approve(business, "partial_shipment", False)
    judge, move = calling("design_authority"), {"move": "revoke", "reason": "over"}
    assert judge("POST", f"/variants/{key}/move", move).status_code == 428
    assert judge("POST", f"/variants/{key}/move", move, If_Match='"1"').status_code in (409, 412)
    assert (
        judge("POST", f"/variants/{key}/move", {**move, "move": "bless"}, If_Match='"3"').json["code"]
        == "choice_unknown"
    )
    assert judge("POST", f"/variants/{key}/move", move, If_Match='"3"').json["standing"] == "revoked"


def test_the_register_as_a_whole_is_read_by_programs(calling, business):
    unused = approve(business, "partial_shipment", False)
    business.clock.advance(timedelta(days=40))
    figured(business)
    auditor = calling("auditor")
    found = auditor("GET", "/register/health").get_json()
    assert (found["unused"], found["idle"], found["expired_in_use"], found["doubt"]) == ([unused], [], 0, "")
    assert found["months"][-1]["controlled_variations"] == 1
    (held,) = found["in_force"]
    assert (held["id"], held["days"], held["lately"], held["ever"], held["is_counted"]) == (unused, 40, 0, 0, True)
    (proposal,) = found["proposals"]
    assert proposal["variant"] == unused
    assert "in force for 40 days, and nothing ran under it" in proposal["reason"]
    found = auditor("GET", "/register/map").get_json()
    assert found["cells"] == [
        {"site": business.site, "process": "order_to_cash", "variants": 1, "documents": 0, "under_a_variant": 0}
    ]

"""Processes for programs: the set taken over, a version drafted, changed, approved by another, compared and printed."""

from __future__ import annotations

import base64

import pytest

from tests.support.web import a_site, calls_of


@pytest.fixture
def calling(database, tmp_path, clock):
    """``calling("pmo")("GET", "/value-streams")``."""
    return calls_of(a_site(database, tmp_path, clock), database, clock)


def test_a_program_takes_the_set_over_changes_a_step_and_another_approves(calling):
    office, judge = calling("pmo"), calling("design_authority")
    assert len(office("POST", "/process-set").json["items"]) == 8
    assert office("POST", "/process-set").status_code == 409
    streams = office("GET", "/value-streams").json["items"]
    assert [len(one["processes"]) for one in streams] == [4, 1, 2, 1]
    orders = next(one for one in streams[0]["processes"] if one["code"] == "order_to_cash")
    steps = office("GET", "/process-steps").json["items"]
    assert (len(steps), steps[0]["code"]) == (61, "quote_to_order.enquire")

    first = office("GET", f"/process-versions/{orders['current']}")
    step = {**first.json["steps"][0], "level": "At once."}
    body = {"step": step, "takes_place_of": "capture"}
    changed = office("POST", f"/process-versions/{orders['current']}/steps", body, If_Match=first.headers["ETag"])
    assert (changed.status_code, changed.json["steps"][0]["level"], changed.json["version"]) == (200, "At once.", 2)
    stale = office("POST", f"/process-versions/{orders['current']}/steps", body, If_Match=first.headers["ETag"])
    assert stale.status_code in (409, 412)

    moves = f"/process-versions/{orders['current']}/moves"
    handed = office("POST", moves, {"move": "submit"}, If_Match=changed.headers["ETag"])
    assert handed.json["content"]["state"] == "in_review"
    own = office("POST", moves, {"move": "approve", "reason": "mine"}, If_Match=handed.headers["ETag"])
    assert own.status_code == 403
    approved = judge("POST", moves, {"move": "approve", "reason": "agreed"}, If_Match=handed.headers["ETag"])
    assert approved.json["content"]["state"] == "approved"
    live = judge("POST", moves, {"move": "go_live", "reason": "from Monday"}, If_Match=approved.headers["ETag"])
    assert live.json["content"]["state"] == "live"
    late = office(
        "POST",
        f"/process-versions/{orders['current']}/steps/remove",
        {"code": "capture"},
        If_Match=live.headers["ETag"],
    )
    assert (late.status_code, late.json["code"]) == (422, "version_not_draft")

    draft = office(
        "POST", f"/processes/{orders['id']}/versions", {"summary": "no applying", "based_on": orders["current"]}
    )
    assert draft.status_code == 201
    office(
        "POST", f"/process-versions/{draft.json['id']}/steps/remove", {"code": "apply"}, If_Match=draft.headers["ETag"]
    )
    found = office("GET", f"/processes/{orders['id']}/comparison?old=1&new=2").json["items"]
    assert [(one["code"], one["what"]) for one in found] == [("apply", "removed")]


def test_a_program_sets_up_a_process_and_prints_its_procedures(calling):
    office = calling("pmo")
    stream = office("POST", "/value-streams", {"code": "service", "name": "Service"}).json["id"]
    made = office("POST", "/processes", {"stream": stream, "code": "repair", "name": "Repair"})
    assert made.status_code == 201
    again = office("POST", "/processes", {"stream": stream, "code": "repair", "name": "Repair"})
    assert (again.status_code, again.json["code"]) == (422, "code_taken")
    draft = office("POST", f"/processes/{made.json['id']}/versions", {"summary": "first"})
    assert office("GET", f"/process-versions/{draft.json['id']}/procedures").status_code == 422
    step = {"code": "take_in", "name": "Take it in", "role": "customer_service", "standard": "With a number."}
    put = office("POST", f"/process-versions/{draft.json['id']}/steps", {"step": step}, If_Match=draft.headers["ETag"])
    assert put.status_code == 200
    paper = office("GET", f"/process-versions/{draft.json['id']}/procedures").json
    assert paper["file_name"] == "repair-procedures-v1.pdf"
    assert base64.b64decode(paper["pdf"]).startswith(b"%PDF")
    unknown = office("PUT", f"/processes/{made.json['id']}/owner", {"owner": 999999, "reason": "x"})
    assert (unknown.status_code, unknown.json["code"]) == (422, "person_unknown")
    assert calling("auditor")("POST", "/process-set").status_code == 403
    assert office("GET", "/processes/1").status_code == 404

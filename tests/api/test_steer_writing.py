"""Planning waves, writing gates and deciding as programs do, with the nonsense they may send."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from app.composition.uow import reading
from tests.support.steering import WEAK, a_programme
from tests.support.web import a_person, a_site, a_token

TABLES = ("wave", "wave_scope", "gate", "gate_criterion", "decision", "decision_condition", "vote", "recusal", "attendance",
          "attestation", "waiver", "cell_grant", "blackout_window", "event_log", "audit_entry")  # fmt: skip


@pytest.fixture
def steered(database, clock):
    return a_programme(database, clock, more_cells=2)


@pytest.fixture
def caller(database, tmp_path, steered, clock):
    client = a_site(database, tmp_path, clock).test_client()
    secrets = {}

    def make(who, role):
        if (who.id, role) not in secrets:
            secrets[who.id, role] = a_token(database, who, role, clock=clock)
        secret = secrets[who.id, role]

        def call(method, path, body=None, **headers):
            given = {name.replace("_", "-"): value for name, value in headers.items()}
            return client.open(
                f"/api/v1{path}", method=method, json=body, headers={"Authorization": f"Bearer {secret}", **given}
            )

        return call

    return make


@pytest.fixture
def office(caller, steered):
    return caller(steered.office, "pmo")


def counts(steered):
    with reading(steered.database) as session:
        known = {row[0] for row in session.execute(text(_TABLES_THERE[session.bind.dialect.name]))}
        return {table: session.scalar(text(f"SELECT count(*) FROM {table}")) for table in TABLES if table in known}


_TABLES_THERE = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table'",
    "postgresql": "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
}


def a_plan(steered, **given):
    cells = [{"site": steered.business.site, "channel": channel} for channel in steered.more_channels]
    return {
        "programme": steered.programme, "code": "W3", "name": "Duisburg shop", "owner": steered.office.id, "cells": cells,
        "processes": ["order_to_cash"], "time_zone": "Europe/Berlin", "go_live_on": "2026-05-04", "hypercare_until": "2026-06-01",
        "depends_on": [{"wave": steered.wave, "why": "one support team"}], **given,
    }  # fmt: skip


def a_criterion(**given):
    return {
        "code": "fill", "title": "Lines filled", "measure": "fill_rate_lines", "evidence": "own_live", "pass_mark": "0.95",
        "warn_mark": "0.90", "min_documents": 50, "weight": "8", **given,
    }  # fmt: skip


def test_a_wave_is_planned_dated_and_planned_anew(office, steered):
    made = office("POST", "/waves", a_plan(steered), Idempotency_Key="plan-w3-once")
    again = office("POST", "/waves", a_plan(steered), Idempotency_Key="plan-w3-once")
    assert (made.status_code, made.json["state"], again.json) == (201, "planned", made.json)
    assert made.json["depends_on"] == [{"wave": steered.wave, "why": "one support team"}]
    wave, etag = made.json["id"], made.headers["ETag"]
    narrower = {key: value for key, value in a_plan(steered).items() if key in {"name", "owner", "processes"}}
    narrower |= {"cells": a_plan(steered)["cells"][:1], "reason": "one by one"}
    assert office("POST", f"/waves/{wave}/plan", narrower).status_code == 428
    changed = office("POST", f"/waves/{wave}/plan", narrower, If_Match=etag)
    assert (changed.json["cells"], changed.json["depends_on"]) == (narrower["cells"], [])
    assert office("POST", f"/waves/{wave}/plan", narrower, If_Match=etag).status_code == 409
    dates = {"go_live_on": "2026-05-11", "hypercare_until": "2026-06-08", "reason": "a holiday"}
    moved = office("POST", f"/waves/{wave}/dates", dates, If_Match=changed.headers["ETag"])
    assert moved.json["go_live_on"] == "2026-05-11"


@pytest.mark.parametrize(
    ("given", "status", "code", "field"),
    [
        ({"cells": []}, 422, "unfit", None),
        ({"cells": [{"site": 1, "channel": 1}]}, 422, "cell_outside_programme", "cells"),
        ({"processes": ["magic"]}, 422, "unfit", None),
        ({"owner": 987654}, 422, "person_unknown", "owner"),
        ({"time_zone": "Mars/Olympus"}, 422, "time_zone_unknown", "time_zone"),
        ({"customer_groups": [77]}, 422, "customer_group_unknown", "customer_groups"),
        ({"customer_groups": []}, 422, "wave_plan_refused", "customer_groups"),
        ({"go_live_on": "2026-01-04"}, 422, "go_live_in_the_past", "go_live_on"),
        ({"go_live_on": "2026-02-30"}, 422, "unfit", None),
        ({"hypercare_until": "2026-05-04"}, 422, "end_before_start", "hypercare_until"),
        ({"hypercare_until": "2999-12-31"}, 422, "day_absurd", "hypercare_until"),
        ({"depends_on": [{"wave": 999999, "why": "x"}]}, 422, "wave_plan_refused", "depends_on"),
        ({"go_live_on": "2026-03-09"}, 422, "wave_plan_refused", "go_live_on"),
        ({"code": "W2"}, 422, "code_taken", "code"),
        ({"name": "a\0b"}, 422, "unfit", None),
        ({"programme": 424242}, 404, "programme_not_found", None),
        ({"surprise": 1}, 422, "unfit", None),
    ],
)  # fmt: skip
def test_a_plan_of_nonsense_is_refused_and_nothing_is_kept(office, steered, given, status, code, field):
    before = counts(steered)
    answer = office("POST", "/waves", a_plan(steered, **given))
    assert (answer.status_code, answer.json["code"], answer.json.get("field")) == (status, code, field), answer.json
    assert counts(steered) == before


def test_days_without_go_live_are_named_and_lifted(office, steered):
    path = f"/programmes/{steered.programme}/blackouts"
    made = office("POST", path, {"name": "May fair", "starts_on": "2026-05-01", "ends_on": "2026-05-10"})
    assert (made.status_code, office("GET", path).json["items"]) == (201, [made.json])
    refused = office("POST", "/waves", a_plan(steered))
    assert (refused.status_code, refused.json["code"], refused.json["field"]) == (
        409,
        "go_live_in_blackout",
        "go_live_on",
    )
    assert office("POST", "/waves", a_plan(steered, blackout_reason="the shop is closed")).json["in_blackout"] == [
        "May fair"
    ]
    lifted = office("POST", f"/blackouts/{made.json['id']}/lift", {"reason": "the fair moved"})
    assert (lifted.status_code, office("GET", path).json["items"]) == (204, [])
    assert office("POST", f"/blackouts/{made.json['id']}/lift", {"reason": "again"}).status_code == 404
    wrong = office("POST", path, {"name": "x", "starts_on": "2026-05-10", "ends_on": "2026-05-01"})
    assert (wrong.status_code, wrong.json["field"]) == (422, "ends_on")


def test_a_gate_is_written_frozen_and_changed_with_a_reason(office, steered):
    body = {"phase": "exit", "decides_on": "2026-03-25", "waiver_body": "pmo", "criteria": [a_criterion()]}
    made = office("POST", f"/waves/{steered.wave}/gates", body)
    assert (made.status_code, made.json["state"], made.json["criteria"][0]["problems"]) == (201, "draft", [])
    gate = made.json["id"]

    def now(path, body):
        etag = f'"{office("GET", f"/gates/{gate}/definition").json["version"]}"'
        return office("POST", f"/gates/{gate}{path}", body, If_Match=etag)

    added = now("/criteria", a_criterion(code="otif", measure="otif_lines", key=True))
    assert [one["criterion"]["code"] for one in added.json["criteria"]] == ["fill", "otif"]
    assert now("/freeze", {"body": "steering"}).json["code"] == "not_of_the_body"
    frozen = now("/freeze", {"body": "pmo"})
    assert (frozen.json["state"], frozen.json["hold_needed"]) == ("frozen", 5)
    assert now("/criteria", a_criterion(pass_mark="0.92")).json["field"] == "reason"
    changed = now("/criteria", a_criterion(pass_mark="0.92", reason="agreed"))
    assert (changed.json["changes"][0]["after_freeze"], changed.json["changes"][0]["reason"]) == (True, "agreed")
    removed = now("/criteria/remove", {"code": "otif", "reason": "not needed"})
    assert [one["criterion"]["code"] for one in removed.json["criteria"]] == ["fill"]
    moved = office("POST", f"/gates/{gate}/day", {"decides_on": "2026-04-15", "reason": "a week later"})
    assert (moved.json["decides_on"], moved.json["hold_needed"]) == ("2026-04-15", 7)
    assert now("/withdraw", {"reason": "too early"}).json["state"] == "closed"
    assert now("/reopen", {"decides_on": "2026-05-04", "reason": "again"}).json["state"] == "draft"
    amend = {"decides_on": "2026-05-05", "pass_mark": "0.85", "warn_mark": "0.70", "waiver_body": "nobody"}
    assert now("/amend", amend).json["code"] == "body_unknown"
    assert now("/amend", {**amend, "waiver_body": "pmo"}).json["pass_mark"] == "0.8500"


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        ({"pass_mark": "1.5"}, "criterion_refused", "pass_mark"),
        ({"warn_mark": "0.99"}, "criterion_refused", "warn_mark"),
        ({"pass_mark": None}, "criterion_invalid", "pass_mark"),
        ({"measure": "nonsense"}, "measure_unknown", "measure"),
        ({"measure": None}, "criterion_invalid", "measure"),
        ({"measure": "order_cycle_time"}, "measure_unknown", "measure"),
        ({"evidence": "own_live"}, "criterion_refused", "evidence"),
        ({"evidence": "reference"}, "criterion_refused", "cells"),
        ({"min_actors": 5}, "criterion_refused", "min_actors"),
        ({"pass_mark": "0.9512345"}, "unfit", None),
        ({"pass_mark": 0.95}, "unfit", None),
        ({"weight": "1.005"}, "mark_too_precise", "weight"),
        ({"weight": "99999"}, "criterion_invalid", "weight"),
        ({"window_days": 4000}, "unfit", None),
        ({"code": "Not A Code"}, "unfit", None),
        ({"owner_id": 987654}, "person_unknown", "owner_id"),
        ({"customer_group": 987654}, "customer_group_unknown", "customer_group"),
    ],
)  # fmt: skip
def test_a_criterion_of_nonsense_is_refused_and_nothing_is_kept(office, steered, given, code, field):
    before = counts(steered)
    body = a_criterion(evidence="own_rehearsal", reason="try", **{k: v for k, v in given.items() if k != "evidence"})
    body["evidence"] = given.get("evidence", "own_rehearsal")
    etag = f'"{office("GET", f"/gates/{steered.gate}/definition").json["version"]}"'
    answer = office("POST", f"/gates/{steered.gate}/criteria", body, If_Match=etag)
    assert (answer.status_code, answer.json["code"], answer.json.get("field")) == (422, code, field), answer.json
    assert counts(steered) == before


def test_a_template_is_kept_and_begins_a_gate(office, steered):
    body = {
        "code": "exit_small",
        "name": "Small exit",
        "phase": "exit",
        "waiver_body": "pmo",
        "criteria": [a_criterion()],
    }
    assert office("POST", "/gate-templates", body).json["version"] == 1
    # The same again is no other version.
    assert office("POST", "/gate-templates", body).json["version"] == 1
    assert office("POST", "/gate-templates", {**body, "name": "A small exit"}).json["version"] == 2
    assert [(one["code"], one["version"]) for one in office("GET", "/gate-templates").json["items"]] == [
        ("exit_small", 2)
    ]
    gate = office(
        "POST", f"/waves/{steered.wave}/gates", {"phase": "exit", "decides_on": "2026-03-25", "template": "exit_small"}
    )
    assert gate.json["template"] == "exit_small 2"
    assert (
        office(
            "POST", f"/waves/{steered.wave}/gates", {"phase": "exit", "decides_on": "2026-03-25", "waiver_body": "pmo"}
        ).json["code"]
        == "gate_exists"
    )


def test_a_decision_goes_from_draft_to_grants_over_the_api(caller, office, steered, clock):
    closes = (clock.now() + timedelta(days=2)).isoformat()
    draft = {
        "body": steered.steering,
        "wave": steered.wave,
        "kind": "go_live",
        "title": "Go-live",
        "question": "May it?",
        "closes_at": closes,
    }
    made = office("POST", "/decisions", draft)
    assert (made.status_code, made.json["state"], made.json["seats"]) == (201, "draft", [])
    here = f"/decisions/{made.json['id']}"
    due = (clock.now() + timedelta(days=5)).isoformat()
    condition = {"text": "Second scanner", "check": "seen on site", "owner": steered.warehouse.id, "due_at": due}
    assert office("POST", f"{here}/conditions", condition).json["conditions"][0]["state"] == "open"
    opened = office("POST", f"{here}/open")
    assert (opened.json["state"], len(opened.json["seats"]), opened.json["bases"][0]["verdict"]) == ("open", 3, "ready")
    seats = {seat["person"]: seat["id"] for seat in opened.json["seats"]}
    assert (
        office("POST", f"{here}/attendance", {"seat": seats[steered.finance.id], "present": False}).status_code == 200
    )
    people = ((steered.chair, "sponsor"), (steered.finance, "finance"), (steered.warehouse, "steering_member"))
    vote = {"choice": "conditional_go", "reason": "as shown", "terms": opened.json["terms"]}
    absent = caller(steered.finance, "finance")("POST", f"{here}/votes", {**vote, "seat": seats[steered.finance.id]})
    assert (absent.status_code, absent.json["code"]) == (403, "seat_absent")
    office("POST", f"{here}/attendance", {"seat": seats[steered.finance.id], "present": True})
    for who, role in people:
        assert caller(who, role)("POST", f"{here}/votes", {**vote, "seat": seats[who.id]}).status_code == 201
    closed = office("POST", f"{here}/close")
    assert (closed.json["outcome"], closed.json["effect"]) == ("conditional_go", "opened")
    (agreed,) = office("GET", here).json["conditions"]
    chair = caller(steered.chair, "sponsor")
    assert (
        chair("POST", f"/conditions/{agreed['id']}/settle", {"evidence": "seen"}).json["code"] == "not_your_condition"
    )
    met = caller(steered.warehouse, "steering_member")(
        "POST", f"/conditions/{agreed['id']}/settle", {"evidence": "photo"}
    )
    assert (met.json["conditions"][0]["state"], met.json["conditions"][0]["evidence"]) == ("met", "photo")
    late = caller(steered.chair, "sponsor")("POST", f"{here}/votes", {**vote, "seat": seats[steered.chair.id]})
    assert (late.status_code, late.json["code"]) == (422, "vote_closed")
    revoked = chair("POST", f"{here}/revoke", {"reason": "two sites cannot ship"})
    assert revoked.json["state"] == "revoked"
    states = {one["state"] for one in office("GET", f"/waves/{steered.wave}/grants").json["items"]}
    assert states == {"draining"}


def test_a_recused_seat_and_changed_terms_have_no_vote(caller, office, steered):
    decision = steered.open()
    here = f"/decisions/{decision}"
    seats = {seat["person"]: seat["id"] for seat in office("GET", here).json["seats"]}
    finance = caller(steered.finance, "finance")
    chair = caller(steered.chair, "sponsor")
    assert (
        chair("POST", f"{here}/recusals", {"seat": seats[steered.finance.id], "reason": "x"}).json["code"]
        == "not_your_seat"
    )
    gone = finance(
        "POST", f"{here}/recusals", {"seat": seats[steered.finance.id], "reason": "my firm sells the scanners"}
    )
    assert (gone.status_code, gone.json["eligible"]) == (201, 2)
    twice = finance("POST", f"{here}/recusals", {"seat": seats[steered.finance.id], "reason": "again"})
    assert twice.json["code"] == "already_recused"
    body = {"seat": seats[steered.finance.id], "choice": "go", "reason": "as shown"}
    assert finance("POST", f"{here}/votes", body).json["code"] == "seat_recused"
    etag = f'"{office("GET", f"/gates/{steered.gate}/definition").json["version"]}"'
    easier = a_criterion(
        code="invoices", title="Invoices", measure="invoice_right_at_posting", evidence="own_rehearsal", pass_mark="0.90",
        warn_mark="0.90", min_documents=1, weight="2", reason="easier",
    )  # fmt: skip
    assert office("POST", f"/gates/{steered.gate}/criteria", easier, If_Match=etag).status_code == 200
    before = counts(steered)
    body = {"seat": seats[steered.chair.id], "choice": "go", "reason": "as shown"}
    assert chair("POST", f"{here}/votes", body).json["code"] == "vote_closed"
    assert office("GET", here).json["state"] == "outdated"
    assert counts(steered) == before


def test_questions_that_cannot_be_put_are_refused(office, steered, clock):
    closes = (clock.now() + timedelta(days=2)).isoformat()
    draft = {
        "body": steered.steering,
        "wave": steered.wave,
        "kind": "go_live",
        "title": "x",
        "question": "May it?",
        "closes_at": closes,
    }
    before = counts(steered)
    for given, code in (
        ({"wave": 999999}, "wave_not_found"), ({"body": 999999}, "body_not_found"), ({"closes_at": "2026-01-01T00:00:00Z"}, "closes_in_the_past"),
        ({"closes_at": "2026-03-04T09:00:00"}, "unfit"), ({"kind": "party"}, "unfit"), ({"question": "  "}, "unfit"),
    ):  # fmt: skip
        assert office("POST", "/decisions", {**draft, **given}).json["code"] == code
    assert counts(steered) == before
    made = office("POST", "/decisions", {**draft, "kind": "exit"}).json["id"]
    assert office("POST", f"/decisions/{made}/open").json["code"] == "wave_not_at_this_question"
    withdrawn = office("POST", f"/decisions/{made}/withdraw", {"reason": "not yet"})
    assert withdrawn.json["state"] == "lapsed"


def test_a_statement_is_attested_by_its_owner_alone(caller, office, steered):
    body = {"criterion": "tax", "holds": False, "statement": "The archive is not signed off.", "document": "TO-3"}
    assert office("POST", f"/gates/{steered.gate}/attestations", body).status_code == 403
    finance = caller(steered.finance, "finance")
    made = finance("POST", f"/gates/{steered.gate}/attestations", body)
    assert (made.status_code, made.json["attested_by"], made.json["until"]) == (201, steered.finance.id, None)
    again = finance("POST", f"/gates/{steered.gate}/attestations", {**body, "until": "2026-01-01T00:00:00Z"})
    assert again.json["code"] == "validity_empty"
    measured = finance("POST", f"/gates/{steered.gate}/attestations", {**body, "criterion": "invoices"})
    assert measured.json["code"] == "criterion_is_measured"


def test_a_waiver_is_taken_back_or_ended_and_late_truth_is_read(caller, office, steered):
    steered.evaluate(WEAK)
    until = "2026-04-30T22:00:00Z"
    asked = {
        "criterion": "invoices",
        "rationale": "supplier",
        "mitigation": "watch",
        "owner": steered.finance.id,
        "until": until,
    }
    first = office("POST", f"/gates/{steered.gate}/waivers", asked).json["id"]
    chair = caller(steered.chair, "sponsor")
    assert chair("POST", f"/waivers/{first}/withdraw", {"reason": "x"}).status_code == 403
    assert office("POST", f"/waivers/{first}/withdraw", {"reason": "not needed"}).json["state"] == "withdrawn"
    second = office("POST", f"/gates/{steered.gate}/waivers", asked).json["id"]
    chair("POST", f"/waivers/{second}/grant", {"body": "steering"})
    ended = chair("POST", f"/waivers/{second}/end", {"body": "steering", "reason": "not done"})
    assert (ended.json["state"], ended.json["is_in_force"]) == ("ended", False)
    assert (
        office("POST", f"/gates/{steered.gate}/waivers", {**asked, "until": "2026-04-30T22:00:00"}).json["code"]
        == "unfit"
    )
    late = office("GET", f"/gates/{steered.gate}/as-now-known?evaluation=1").json
    assert (late["evaluation"], [one["criterion"] for one in late["items"]]) == (1, ["invoices", "tax"])
    assert office("GET", f"/gates/{steered.gate}/as-now-known?evaluation=99").status_code == 404


def test_a_body_is_set_up_and_its_seats_change_hands(caller, office, steered):
    body = {
        "code": "design", "name": "Design authority", "kind": "design_authority", "mandate": "Keeps the standard.",
        "seats": [{"function": "Chair", "person": steered.chair.id, "chair": True}, {"function": "Finance"}],
    }  # fmt: skip
    made = office("POST", f"/programmes/{steered.programme}/bodies", body)
    assert (made.status_code, made.json["quorum"]) == (201, {"part": 2, "whole": 3})
    assert office("POST", f"/programmes/{steered.programme}/bodies", body).json["code"] == "code_taken"
    seat = made.json["seats"][1]["id"]
    before = counts(steered)
    taken = office("POST", f"/seats/{seat}/holder", {"person": steered.chair.id, "reason": "x"})
    assert (taken.json["code"], taken.json["field"]) == ("seat_held_already", "person")
    assert office("POST", f"/seats/{seat}/holder", {"person": 987654, "reason": "x"}).json["code"] == "person_unknown"
    assert office("POST", f"/bodies/{made.json['id']}/rule", {"name": "x", "mandate": "y", "quorum": {"part": 3, "whole": 2},
                  "majority": {"part": 1, "whole": 1}, "reason": "z"}).json["code"] == "share_invalid"  # fmt: skip
    assert counts(steered) == before
    held = office("POST", f"/seats/{seat}/holder", {"person": steered.finance.id, "reason": "joins"})
    assert held.json["seats"][1]["person"] == steered.finance.id
    changed = office(
        "POST", f"/seats/{seat}/change", {"function": "Money", "mandatory": True, "reason": "no go without"}
    )
    assert (changed.json["seats"][1]["function"], changed.json["seats"][1]["is_mandatory"]) == ("Money", True)
    leave = {
        "delegate": steered.warehouse.id,
        "valid_from": "2026-03-01T00:00:00Z",
        "valid_until": "2026-04-01T00:00:00Z",
        "reason": "leave",
    }
    warehouse = caller(steered.warehouse, "steering_member")
    assert warehouse("POST", f"/seats/{seat}/delegations", leave).json["code"] == "not_your_seat"
    named = caller(steered.finance, "finance")("POST", f"/seats/{seat}/delegations", leave)
    assert named.json["seats"][1]["delegate"] == steered.warehouse.id
    ended = office("POST", f"/delegations/{named.json['delegations'][0]['id']}/end", {"reason": "back"})
    assert (ended.json["seats"][1]["delegate"], ended.json["delegations"]) == (None, [])
    more = office("POST", f"/bodies/{made.json['id']}/seats", {"function": "Sales", "reason": "sales too"})
    assert len(more.json["seats"]) == 3
    gone = office("POST", f"/seats/{seat}/end", {"reason": "smaller"})
    assert [one["function"] for one in gone.json["seats"]] == ["Chair", "Sales"]
    meeting = {"title": "Standard", "starts_at": "2026-03-20T09:00:00Z", "ends_at": "2026-03-20T10:00:00Z"}
    called = office("POST", f"/bodies/{made.json['id']}/meetings", meeting)
    assert [one["title"] for one in called.json["meetings"]] == ["Standard"]
    assert len(office("GET", f"/programmes/{steered.programme}/bodies").json["items"]) == 3
    chair = caller(steered.chair, "sponsor")
    assert chair("POST", f"/seats/{gone.json['seats'][1]['id']}/end", {"reason": "x"}).status_code == 403


def test_a_programme_begins_over_live_cells_only(office, steered):
    body = {"code": "TWO", "name": "Second", "purpose": "Another.", "starts_on": "2026-04-01"}
    for cells, code in (([{"site": 987654, "channel": 1}], "site_not_live"),
                        ([{"site": steered.business.site, "channel": 987654}], "channel_unknown")):  # fmt: skip
        assert office("POST", "/programmes", {**body, "cells": cells}).json["code"] == code
    made = office("POST", "/programmes", {**body, "cells": a_plan(steered)["cells"][:1]})
    assert (made.status_code, len(made.json["cells"])) == (201, 1)
    more = office("POST", f"/programmes/{made.json['id']}/cells", {"cells": a_plan(steered)["cells"]})
    assert len(more.json["cells"]) == 2
    assert [one["code"] for one in office("GET", "/programmes").json["items"]] == ["ONE", "TWO"]


def test_fallback_is_declared_at_ones_own_site_and_the_core_says_what_it_takes(caller, office, steered, clock):
    business = steered.business
    live = {
        "cells": [{"site": business.site, "channel": business.channel}],
        "processes": ["order_to_cash", "warehouse"],
        "reason": "ran before",
    }
    recorded = office("POST", f"/programmes/{steered.programme}/already-live", live)
    assert (recorded.status_code, {one["source"] for one in recorded.json["items"]}) == (201, {"already_live"})
    future = {**live, "opens_at": "2027-01-01T00:00:00Z"}
    assert (
        office("POST", f"/programmes/{steered.programme}/already-live", future).json["code"] == "already_live_in_future"
    )
    lead = caller(a_person(steered.database, "site_lead", site=business.site, clock=clock), "site_lead")
    path = f"/sites/{business.site}/fallback"
    paper = lead("POST", path, {"move": "declare", "reason": "no network"})
    assert {one["state"] for one in paper.json["items"]} == {"in_fallback"}
    order = {"site": business.site, "channel": business.channel, "customer": business.customer,
             "lines": [{"item": business.items[0], "quantity": "1"}]}  # fmt: skip
    desk = caller(a_person(steered.database, "customer_service", clock=clock), "customer_service")
    refused = desk("POST", "/orders", order)
    assert (refused.status_code, refused.json["code"]) == (422, "cell_closed")
    assert "works on paper at present" in refused.json["detail"]
    assert lead("POST", path, {"move": "declare", "reason": "again"}).json["code"] == "no_grant_to_move"
    elsewhere = caller(a_person(steered.database, "site_lead", site=steered.another_site(), clock=clock), "site_lead")
    assert elsewhere("POST", path, {"move": "end", "reason": "x"}).status_code == 404
    assert office("POST", path, {"move": "end", "reason": "x"}).status_code == 403
    back = lead("POST", path, {"move": "end", "reason": "line back"})
    assert {one["state"] for one in back.json["items"]} == {"open"}
    assert desk("POST", "/orders", order).status_code == 201
    assert office("GET", f"/sites/{business.site}/grants").json["items"] == back.json["items"]

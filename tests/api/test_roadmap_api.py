"""The roadmap and the business case, as programs see and change them."""

from __future__ import annotations

import pytest

from tests.support.steering import a_programme
from tests.support.web import a_site, a_token


@pytest.fixture
def steered(database, clock):
    return a_programme(database, clock, evaluated=None)


@pytest.fixture
def caller(database, tmp_path, steered, clock):
    client = a_site(database, tmp_path, clock).test_client()

    def make(who, role):
        secret = a_token(database, who, role, clock=clock)

        def call(method, path, body=None, version=None):
            headers = {"Authorization": f"Bearer {secret}"} | ({} if version is None else {"If-Match": f'"{version}"'})
            return client.open(f"/api/v1{path}", method=method, json=body, headers=headers)

        return call

    return make


def test_a_phase_is_closed_by_two_seats_and_its_tranche_released(caller, steered):
    office = caller(steered.office, "pmo")
    days = [{"starts_on": f"2026-{month:02d}-01", "ends_on": f"2026-{month:02d}-28"} for month in range(3, 9)]
    made = office("POST", f"/programmes/{steered.programme}/roadmap", {"phases": days})
    assert (made.status_code, [one["state"] for one in made.json["phases"]]) == (201, ["current", *["ahead"] * 5])
    here = f"/roadmap-phases/{made.json['phases'][0]['id']}"
    tranche = {"code": "T1", "title": "Design", "amount_minor": 40_000_000, "currency": "EUR"}
    assert office("POST", f"{here}/tranches", tranche).status_code == 201
    refused = office("POST", f"{here}/ask", version=office("GET", here).json["version"])
    assert (refused.status_code, refused.json["code"]) == (422, "stage_without_criteria")
    criterion = office(
        "POST", f"{here}/criteria", {"code": "baseline", "title": "Baselines are taken", "owner": steered.chair.id}
    ).json["criteria"][0]
    assert (criterion["word"], criterion["value"]) == ("no evidence", None)
    chair, finance = caller(steered.chair, "sponsor"), caller(steered.finance, "finance")
    said = chair("POST", f"/stage-criteria/{criterion['id']}/state", {"holds": True, "statement": "Signed."})
    assert said.json["criteria"][0]["word"] == "pass"
    stale = office("POST", f"{here}/ask", version=1)
    assert (stale.status_code, stale.json["code"]) == (409, "changed_meanwhile")
    wrong = office("POST", f"{here}/tranches", {**tranche, "code": "T2", "amount_minor": 4}).json["tranches"][1]["id"]
    gone = office("POST", f"/tranches/{wrong}/withdraw", {"reason": "planned twice"})
    assert (gone.status_code, [one["code"] for one in gone.json["tranches"]]) == (200, ["T1"])
    request = office("POST", f"{here}/ask", version=gone.json["version"]).json["request"]
    said = chair("POST", f"/approvals/{request}/answer", {"verdict": "approve"}, version=1)
    assert said.status_code == 200
    assert office("GET", here).json["state"] == "current"
    seen = int(said.headers["ETag"].strip('"'))
    assert finance("POST", f"/approvals/{request}/answer", {"verdict": "approve"}, version=seen).status_code == 200
    closed = office("GET", here)
    assert (closed.json["state"], closed.json["tranches"][0]["released_at"] is not None) == ("closed", True)
    again = office("POST", f"/tranches/{closed.json['tranches'][0]['id']}/withdraw", {"reason": "too late"})
    assert (again.status_code, again.json["code"]) == (422, "phase_closed")
    case = office(
        "POST", f"/programmes/{steered.programme}/money",
        {"kind": "spend", "amount_minor": 100, "currency": "EUR", "on": "2026-03-01", "note": "Partner"},
    )  # fmt: skip
    assert case.json["money"] == [
        {"name": "Programme and optimisation", "currency": "EUR", "budget": 0, "spend": 100, "forecast": None}
    ]
    assert office("GET", "/roadmap-phases/4711").status_code == 404
    assert chair("POST", f"{here}/tranches", tranche).status_code == 403


def test_a_phase_is_given_other_days_and_a_benefit_shows_its_figure_with_what_it_was_counted_from(caller, steered):
    office = caller(steered.office, "pmo")
    days = [{"starts_on": f"2026-{month:02d}-01", "ends_on": f"2026-{month:02d}-28"} for month in range(3, 9)]
    phase = office("POST", f"/programmes/{steered.programme}/roadmap", {"phases": days}).json["phases"][1]
    here = f"/roadmap-phases/{phase['id']}"
    bad = office(
        "POST",
        f"{here}/days",
        {"starts_on": "2026-04-10", "ends_on": "2026-04-01", "reason": "later"},
        phase["version"],
    )
    assert (bad.status_code, bad.json["code"]) == (422, "roadmap_order")
    moved = office(
        "POST",
        f"{here}/days",
        {"starts_on": "2026-04-10", "ends_on": "2026-04-30", "reason": "later"},
        phase["version"],
    )
    assert (moved.json["starts_on"], moved.json["ends_on"]) == ("2026-04-10", "2026-04-30")
    benefit = {
        "code": "fill", "title": "Fewer lines come later", "figure": "fill_rate_lines", "target": "0.95",
        "proof_on": "2027-12-31", "worth_minor": 60000000, "currency": "EUR", "owner": steered.chair.id,
    }  # fmt: skip
    unknown = office("POST", f"/programmes/{steered.programme}/benefits", {**benefit, "figure": "happiness"})
    assert unknown.status_code == 404
    (line,) = office("POST", f"/programmes/{steered.programme}/benefits", benefit).json["benefits"]
    assert (line["word"], line["count"], line["value"], line["before"]) == ("not due", 0, None, None)
    left = office("POST", f"/benefits/{line['id']}/withdraw", {"reason": "the channel is sold"})
    assert (left.status_code, left.json["benefits"]) == (200, [])

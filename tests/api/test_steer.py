"""Waves, gates, decisions and measures as programs read and change them."""

from __future__ import annotations

from hashlib import sha256

import pytest

from app.composition.uow import reading
from erpcore.kernel.canonical import canonical_json
from governance.decisions.models import Vote
from readiness.gates.models import GateSnapshot
from readiness.waves.models import Grant
from tests.support.steering import a_programme
from tests.support.web import a_token


@pytest.fixture
def steered(sqlite_database, clock):
    return a_programme(sqlite_database, clock)


@pytest.fixture
def caller(site, steered, clock):
    client = site.test_client()

    def make(who, role):
        secret = a_token(steered.database, who, role, clock=clock)

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


def test_a_wave_reads_as_it_stands_and_takes_a_step_once_by_its_version(office, steered):
    answer = office("GET", f"/waves/{steered.wave}")
    assert (answer.json["code"], answer.json["state"], answer.json["cells"]) == (
        "W2", "in_rehearsal", [{"site": steered.business.site, "channel": steered.business.channel}],
    )  # fmt: skip
    etag = answer.headers["ETag"]
    body = {"move": "end_rehearsal", "reason": "scanners are missing"}
    assert office("POST", f"/waves/{steered.wave}/steps", body).status_code == 428
    assert office("POST", f"/waves/{steered.wave}/steps", body, If_Match=etag).json["state"] == "preparing"
    assert office("POST", f"/waves/{steered.wave}/steps", body, If_Match=etag).status_code == 409
    refused = office("POST", f"/waves/{steered.wave}/steps", {"move": "go_live"}, If_Match=etag)
    assert (refused.status_code, refused.json["code"]) == (422, "wave_step_needs_decision")
    assert office("GET", "/waves/999").json["code"] == "wave_not_found"


def test_an_evaluation_is_found_by_its_fingerprint_which_is_that_of_its_content(office, steered):
    made = office("POST", f"/gates/{steered.gate}/evaluations", Idempotency_Key="evaluate-1")
    again = office("POST", f"/gates/{steered.gate}/evaluations", Idempotency_Key="evaluate-1")
    assert (made.status_code, made.json["number"], again.json) == (201, 2, made.json)
    found = office("GET", f"/evaluations?sha256={made.json['sha256']}").json
    assert sha256(canonical_json(found["content"])).hexdigest() == found["sha256"]
    assert office("GET", f"/evaluations?sha256={'0' * 64}").status_code == 404
    with reading(steered.database) as session:
        assert session.query(GateSnapshot).count() == 2
    lines = office("GET", f"/gates/{steered.gate}/evaluations").json["items"]
    assert [line["number"] for line in lines] == [2, 1]
    criteria = office("GET", f"/gates/{steered.gate}/criteria").json
    assert [line["code"] for line in criteria["items"]] == ["invoices", "tax"]


def test_a_vote_over_the_api_counts_once_and_the_count_opens_the_cells(caller, office, steered):
    decision = steered.open()
    seats = {seat["person"]: seat["id"] for seat in office("GET", f"/decisions/{decision}").json["seats"]}
    people = ((steered.chair, "sponsor"), (steered.finance, "finance"), (steered.warehouse, "steering_member"))
    for who, role in people:
        call = caller(who, role)
        body = {"seat": seats[who.id], "choice": "go", "reason": "as shown", "terms": 1}
        first = call("POST", f"/decisions/{decision}/votes", body, Idempotency_Key=f"vote-of-{who.id}")
        again = call("POST", f"/decisions/{decision}/votes", body, Idempotency_Key=f"vote-of-{who.id}")
        assert (first.status_code, again.headers["Idempotent-Replayed"]) == (201, "true")
    with reading(steered.database) as session:
        assert session.query(Vote).count() == 3
    closed = office("POST", f"/decisions/{decision}/close")
    assert (closed.json["outcome"], closed.json["effect"], len(closed.json["grants"])) == ("go", "opened", 4)
    with reading(steered.database) as session:
        assert {grant.state for grant in session.query(Grant)} == {"open"}


def test_a_vote_for_another_seat_or_on_other_terms_is_refused_with_the_field(caller, office, steered):
    decision = steered.open()
    seats = {seat["person"]: seat["id"] for seat in office("GET", f"/decisions/{decision}").json["seats"]}
    call = caller(steered.chair, "sponsor")
    body = {"seat": seats[steered.finance.id], "choice": "go", "reason": "as shown"}
    assert call("POST", f"/decisions/{decision}/votes", body).json["code"] == "not_your_seat"
    body = {"seat": seats[steered.chair.id], "choice": "go", "reason": "as shown", "terms": 9}
    assert call("POST", f"/decisions/{decision}/votes", body).json["code"] == "terms_changed"
    assert (
        call("POST", f"/decisions/{decision}/votes", {**body, "choice": "maybe"}).json["errors"][0]["pointer"]
        == "/choice"
    )
    assert office("POST", f"/decisions/{decision}/votes", body).status_code == 403
    assert call("GET", "/decisions?text=duisburg").json["items"][0]["id"] == decision
    assert call("GET", "/decisions?text=leeds").json["items"] == []


def test_nobody_grants_over_the_api_what_they_asked_for(caller, office, steered):
    body = {
        "criterion": "invoices", "rationale": "supplier", "mitigation": "watch", "owner": steered.finance.id,
        "until": "2026-04-30T22:00:00Z",
    }  # fmt: skip
    made = office("POST", f"/gates/{steered.gate}/waivers", body)
    assert (made.status_code, made.json["state"]) == (201, "requested")
    chair = caller(steered.chair, "sponsor")
    assert chair("POST", f"/waivers/{made.json['id']}/grant", {"body": "pmo"}).json["code"] == "not_of_the_body"
    assert chair("POST", f"/waivers/{made.json['id']}/grant", {"body": "steering"}).json["is_in_force"] is True


def test_readings_stay_within_the_sites_of_the_token(office, steered, caller):
    catalogue = office("GET", "/measures").json["items"]
    assert "otif_lines" in {one["key"] for one in catalogue}
    readings = office("GET", "/readings?key=otif_lines").json["items"]
    assert (readings[0]["measure"], readings[0]["count"], readings[0]["value"]) == ("otif_lines", 0, None)
    assert len(office("GET", "/readings").json["items"]) == len(catalogue)
    assert office("GET", "/readings?key=nonsense").json["code"] == "measure_unknown"
    refused = office("GET", "/readings?realm=mars")
    assert (refused.status_code, refused.json["code"], [one["pointer"] for one in refused.json["errors"]]) == (
        422,
        "unfit",
        ["/realm"],
    )
    assert office("GET", "/journeys?key=otif_lines").json["items"] == []

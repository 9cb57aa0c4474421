"""A program sees what a pack would be made from, and makes it, with nobody waiting for the setting."""

from __future__ import annotations

from base64 import b64decode

import pytest

from app.reports.verifying import verify_pack
from tests.support.dossiers import a_board_case, a_vote
from tests.support.web import a_person, a_token


@pytest.fixture
def case(sqlite_database, clock):
    found = a_board_case(sqlite_database)
    clock.set(found.clock.now())
    return found


@pytest.fixture
def call(site, sqlite_database, clock, case):
    client = site.test_client()
    secret = a_token(sqlite_database, a_person(sqlite_database, "auditor", clock=clock), "auditor", clock=clock)

    def send(method, path, body=None, **headers):
        given = {
            "Authorization": f"Bearer {secret}",
            **{name.replace("_", "-"): text for name, text in headers.items()},
        }
        return client.open(f"/api/v1{path}", method=method, json=body, headers=given)

    return send


def test_a_pack_is_made_once_for_one_key_and_holds_and_is_listed(case, call):
    decision = a_vote(case)
    path = f"/gates/{case.gate}/pack"
    before = call("GET", path).json
    assert (before["wave"], before["verdict"], before["score"], before["decision"], before["made"]) == (
        "W2", "conditional", "0.770833", decision, [],
    )  # fmt: skip

    first = call("POST", path, {}, Idempotency_Key="pack-of-today")
    again = call("POST", path, {}, Idempotency_Key="pack-of-today")

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json == again.json
    content = b64decode(first.json["pdf"])
    with case.look() as session:
        assert verify_pack(content, session).holds
    after = call("GET", path).json
    assert [one["digest"] for one in after["made"]] == [first.json["digest"]]
    assert after["fingerprint"] == before["fingerprint"] == first.json["fingerprint"]


def test_what_is_not_there_is_refused(case, call):
    assert call("GET", "/gates/77/pack").status_code == 404
    assert call("POST", "/gates/77/pack", {}).status_code == 404
    assert call("POST", f"/gates/{case.gate}/pack", {"decision": 77}).status_code == 404
    assert call("POST", f"/gates/{case.gate}/pack", {"decison": 7}).status_code == 422

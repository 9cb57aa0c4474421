"""Duties for programs: the matrix, giving one, a second accountable refused, ending one."""

from __future__ import annotations

from tests.support.risks import a_register
from tests.support.web import a_person, a_site, a_token


def test_duties_through_the_api(database, tmp_path, clock):
    register = a_register(database, clock)
    office = a_person(database, "pmo", clock=clock)
    secret = a_token(database, office, "pmo", clock=clock)
    client = a_site(database, tmp_path, clock).test_client()
    headers = {"Authorization": f"Bearer {secret}"}
    body = {
        "kind": "data_domain",
        "subject": "item",
        "duty": "accountable",
        "holder_kind": "person",
        "holder": register.owner.id,
    }
    made = client.post("/api/v1/raci", json=body, headers=headers)
    assert (made.status_code, made.json["gaps"], made.json["duties"][0]["person"]) == (
        201,
        ["nobody_responsible"],
        register.owner.id,
    )
    again = client.post("/api/v1/raci", json={**body, "holder": office.id}, headers=headers)
    assert (again.status_code, again.json["code"]) == (422, "raci_one_accountable")
    assert client.post("/api/v1/raci", json={**body, "subject": "x"}, headers=headers).json["code"] == "raci_subject"
    lacking = client.get("/api/v1/raci?kind=data_domain&gap=nobody_accountable", headers=headers).json["items"]
    assert len(lacking) == 9
    duty = made.json["duties"][0]["id"]
    ended = client.post(f"/api/v1/raci/{duty}/end", json={"reason": "moved"}, headers=headers)
    assert (ended.status_code, ended.json["duties"]) == (200, [])
    assert client.post("/api/v1/raci/99/end", json={"reason": "moved"}, headers=headers).status_code == 404

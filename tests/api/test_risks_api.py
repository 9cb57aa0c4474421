"""The RAID register for programs: raised, changed, judged, turned; nonsense and old versions are refused and change nothing."""

from __future__ import annotations

from sqlalchemy import func, select

from app.composition.uow import reading
from governance.risks.models import RaidEntry
from tests.support.risks import a_register
from tests.support.web import a_person, a_site, a_token


def test_an_entry_lives_through_the_api(database, tmp_path, clock):
    register = a_register(database, clock)
    office = a_person(database, "pmo", clock=clock)
    secret = a_token(database, office, "pmo", clock=clock)
    client = a_site(database, tmp_path, clock).test_client()

    def call(method, path, body=None, **headers):
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return client.open(
            f"/api/v1{path}", method=method, json=body, headers={"Authorization": f"Bearer {secret}", **given}
        )

    said = {
        "title": "No printer", "cause": "One supplier.", "statement": "It comes late.", "effect": "No labels.", "probability": 2,
        "impact": 4, "owner": office.id, "body": register.council, "due_on": "2026-03-20", "site": register.site,
        "watched": {"figure": "otif_lines", "side": "below", "limit": "0.925"},
    }  # fmt: skip
    assert call("POST", "/risks", {"kind": "risk", **said, "impact": 6}).status_code == 422
    refused = call("POST", "/risks", {"kind": "issue", **said})
    assert (refused.status_code, refused.json["code"]) == (422, "risk_probability")
    made = call("POST", "/risks", {"kind": "risk", **said})
    assert made.status_code == 201
    assert (made.json["code"], made.json["score"], made.json["figure_limit"], made.json["is_beyond"]) == (
        "R-1",
        8,
        "0.925000",
        None,
    )
    here = f"/risks/{made.json['id']}"
    judged = call("POST", f"{here}/reviews", {"probability": 3, "impact": 5}, If_Match='"1"')
    assert (judged.status_code, judged.json["score"], len(judged.json["reviews"])) == (200, 15, 2)
    assert call("POST", f"{here}/moves", {"move": "close", "reason": "done"}, If_Match='"1"').status_code in (409, 412)
    changed = call(
        "PUT", here, {"reason": "named better", **said, "title": "Late printer"}, If_Match=f'"{judged.json["version"]}"'
    )
    assert (changed.status_code, changed.json["title"], changed.json["score"]) == (200, "Late printer", 15)
    acted = call("POST", f"{here}/actions", {"title": "Call them", "owner": office.id, "due_on": "2026-03-05"})
    action = acted.json["open_and_settled"][0]["id"]
    done = call("POST", f"{here}/actions/{action}/settle", {"move": "finish"})
    assert (done.json["actions"], done.json["open_and_settled"][0]["state"]) == (0, "done")
    turned = call(
        "POST", f"{here}/turns", {"into": "issue", "reason": "it is late", **said, "probability": None},
        If_Match=f'"{done.json["version"]}"',
    )  # fmt: skip
    assert (turned.status_code, turned.json["code"], turned.json["turned_from"]) == (201, "I-1", made.json["id"])
    assert call("GET", here).json["state"] == "turned"
    assert [one["code"] for one in call("GET", "/risks?state=standing").json["items"]] == ["I-1"]
    assert call("GET", "/risks/99").status_code == 404
    with reading(database) as session:
        assert session.scalar(select(func.count()).select_from(RaidEntry)) == 2

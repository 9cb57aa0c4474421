"""The interim state of a wave, as programs see and change it."""

from __future__ import annotations

from app.composition.process_desk import take_set_over
from tests.support.processes import PMO, work_as
from tests.support.steering import a_programme
from tests.support.web import a_site, a_token


def test_masters_and_interfaces_are_said_read_handed_over_and_ended(database, tmp_path, clock):
    steered = a_programme(database, clock, evaluated=None)
    with work_as(database, clock, PMO) as work:
        take_set_over(work)
    client, here = a_site(database, tmp_path, clock).test_client(), f"/waves/{steered.wave}/interim"

    def caller(who, role):
        secret = a_token(database, who, role, clock=clock)
        return lambda method, path, body=None: client.open(
            f"/api/v1{path}", method=method, json=body, headers={"Authorization": f"Bearer {secret}"}
        )

    office, chair = caller(steered.office, "pmo"), caller(steered.chair, "sponsor")
    before = chair("GET", here).json
    assert (before["open"], before["interfaces"]) == (before["slots"], [])
    stock = {"kind": "datum", "code": "stock", "master": "both"}
    refused = office("POST", here, stock)
    assert (refused.status_code, refused.json["code"]) == (422, "interim_rule_missing")
    said = office("POST", here, {**stock, "rule": "By site."}).json
    assert said["open"] == before["open"] - 1
    link = next(one for one in said["data"] if one["code"] == "stock")
    assert (link["master"], link["rule"], link["version"], link["opens"]) == ("both", "By site.", 1, [])
    assert office("POST", here, {**stock, "rule": "Again."}).status_code == 409
    interface = {
        "name": "Stock each hour", "direction": "to_legacy", "frequency": "each hour", "owner": None,
        "ends_on": "2026-03-31", "when_it_stops": "Planning reads the core.",
    }  # fmt: skip
    made = office("POST", f"/interim-links/{link['link']}/interfaces", interface)
    assert (made.status_code, made.json["interfaces"][0]["opens"]) == (201, ["no_owner"])
    one = made.json["interfaces"][0]["id"]
    changed = office(
        "POST", f"/interim-interfaces/{one}/change",
        {"owner": steered.chair.id, "ends_on": "2026-04-30", "reason": "handed over", "seen_version": 1},
    )  # fmt: skip
    assert changed.json["interfaces"][0]["opens"] == []
    assert office("POST", f"/interim-interfaces/{one}/end", {"reason": "off", "seen_version": 1}).status_code == 409
    assert office("POST", f"/interim-interfaces/{one}/end", {"reason": "off"}).json["interfaces"] == []
    assert office("POST", "/interim-links/4711/interfaces", interface).status_code == 404
    assert chair("POST", here, stock).status_code == 403

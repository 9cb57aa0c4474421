"""Impact for programs: begun by a text, walked as far as asked, bounded, and kept to what the token sees."""

from __future__ import annotations

from tests.support.impact import a_named_world
from tests.support.web import a_person, a_site, a_token


def test_a_walk_through_the_api_is_bounded_and_kept_to_the_tokens_sites(database, tmp_path, clock):
    named = a_named_world(database, clock)
    person = a_person(database, "process_owner", clock=clock)
    client = a_site(database, tmp_path, clock).test_client()

    def get(path, **limits):
        headers = {"Authorization": f"Bearer {a_token(database, person, 'process_owner', clock=clock, **limits)}"}
        return client.get(f"/api/v1{path}", headers=headers)

    begun = get("/impact?text=ship%20whole").json["items"]
    assert [(one["kind"], one["id"], one["label"]) for one in begun] == [
        ("variant", str(named.variant), "V-1 Ship whole")
    ]
    found = get(f"/impact/variant/{named.variant}?depth=1&most=1").json
    assert [one["distance"] for one in found["touches"]] == [1]
    step = found["touches"][0]["groups"][0]
    assert step["edges"] == [
        {
            "source_kind": "variant", "source": str(named.variant), "target_kind": "step", "target": "warehouse.ship",
            "why": "V-1 departs from the standard of Ship",
        }
    ]  # fmt: skip
    then = get(f"/impact/variant/{named.variant}?depth=3").json["if_it_changes"]
    assert [one["label"] for one in then["sites"]] == ["Duisburg"]
    assert then["open_documents"][0] == {
        "what": "open orders",
        "of_kind": "variant",
        "of": str(named.variant),
        "number": 2,
    }
    assert [one["label"] for one in then["owners"]] == ["Selin Yildiz", "Martin Albers"]
    both = get("/impact/policy-point/partial_shipment?most=1").json["touched_by"][0]["groups"]
    variants = next(one for one in both if one["kind"] == "variant")
    assert (len(variants["things"]), variants["left_out"], variants["is_exact"]) == (1, 1, True)
    mine = get("/impact/policy-point/partial_shipment", sites=frozenset({named.duisburg})).json["touched_by"][0][
        "groups"
    ]
    assert [one["id"] for group in mine if group["kind"] == "variant" for one in group["things"]] == [
        str(named.variant)
    ]
    assert get(f"/impact/site/{named.bremen}", sites=frozenset({named.duisburg})).json["code"] == "impact_unknown"
    for path, status, code in (
        ("/impact/unicorn/1", 404, "impact_kind_unknown"), ("/impact/site/x", 404, "impact_unknown"),
        ("/impact/site/1?depth=4", 422, "unfit"), ("/impact?text=a", 422, "unfit"),
    ):  # fmt: skip
        answer = get(path)
        assert (answer.status_code, answer.json["code"]) == (status, code), path
    parameters = client.get("/api/v1/openapi.json").json["paths"]["/impact/{kind}/{key}"]["get"]["parameters"]
    assert [(one["name"], one["schema"]["type"]) for one in parameters] == [
        ("kind", "string"), ("key", "string"), ("depth", "integer"), ("most", "integer"),
    ]  # fmt: skip

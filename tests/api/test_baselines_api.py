"""What figures read before, as programs record and read it."""

from __future__ import annotations

import pytest

from tests.support.steering import a_programme
from tests.support.web import a_site, a_token

BEFORE = {
    "figure": "fill_rate_lines", "value": "0.913", "period_from": "2025-10-01", "period_until": "2026-01-01", "completeness": "0.95", "method": "All lines.",
    "source": "Service report", "is_comparable": True,
}  # fmt: skip


@pytest.fixture
def steered(database, clock):
    return a_programme(database, clock, evaluated=None)


@pytest.fixture
def office(database, tmp_path, steered, clock):
    client = a_site(database, tmp_path, clock).test_client()
    secret = a_token(database, steered.office, "pmo", clock=clock)

    def call(method, path, body=None):
        return client.open(f"/api/v1{path}", method=method, json=body, headers={"Authorization": f"Bearer {secret}"})

    return call


def test_a_baseline_is_kept_read_back_and_refused_where_it_cannot_be(office, steered):
    made = office("POST", "/baselines/type", BEFORE)
    assert made.status_code == 201, made.text
    assert (made.status_code, made.json["value"], made.json["is_comparable"]) == (201, "0.913000", True)
    refused = office(
        "POST", "/baselines/take",
        {"figure": "fill_rate_lines", "realm": "live", "period_from": "2026-02-01", "period_until": "2026-03-01", "method": "Our events."},
    )  # fmt: skip
    assert (refused.status_code, refused.json["code"]) == (422, "baseline_nothing_measured")
    for period, code in (
        ({"period_from": "1900-01-01", "period_until": "2026-03-01"}, "baseline_too_old"),
        ({"period_from": "2026-02-01", "period_until": "2999-12-31"}, "baseline_not_over"),
    ):
        taken = {"figure": "fill_rate_lines", "realm": "live", "method": "Our events.", **period}
        for path, body in (("/baselines/take", taken), ("/baselines/type", {**BEFORE, **period})):
            refused = office("POST", path, body)
            assert (refused.status_code, refused.json["code"]) == (422, code)
    assert office("POST", "/baselines/type", {**BEFORE, "value": 0.9}).status_code == 422
    assert office("POST", "/baselines/type", {**BEFORE, "figure": "happiness"}).status_code == 404
    found = office("GET", "/baselines?figure=fill_rate_lines").json["items"]
    assert [one["id"] for one in found] == [made.json["id"]]
    named = office(
        "POST", "/measure-owners", {"measure": "otif_lines", "person": steered.chair.id, "reason": "owns it"}
    )
    assert [one["measure"] for one in named.json["items"] if not one["is_gap"]] == ["otif_lines"]

"""What would a variant change, for programs: asked for once by a key, followed, and read with its orders."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.composition.replaying.runs import run_replays
from tests.api.test_variants_api import asking
from tests.support.core import a_business
from tests.support.operate import open_cells
from tests.support.replays import taken
from tests.support.web import a_person, a_site, a_token


@pytest.fixture
def call(database, tmp_path, clock):
    """A process owner's calls, where ten of each item were there, an order took six and the next wanted eight."""
    business = a_business(database, stock=10, at=clock.now())
    open_cells(business)
    business.first = taken(business, ((0, 6), (1, 3)), ships=True)
    business.second = taken(business, ((0, 8), (1, 2)), ships=True)
    site = a_site(database, tmp_path, clock)
    token = a_token(database, a_person(database, "process_owner", clock=clock), "process_owner", clock=clock)

    def do(method, path, body=None, **headers):
        return site.test_client().open(
            f"/api/v1{path}", method=method, json=body,
            headers={"Authorization": f"Bearer {token}", **{n.replace("_", "-"): v for n, v in headers.items()}},
        )  # fmt: skip

    do.business = business
    return do


def test_a_replay_is_asked_for_followed_and_read_with_the_orders_that_differ(call, database, clock):
    variant = call("POST", "/variants", asking(call.business), Idempotency_Key="variant-1").get_json()["id"]
    clock.advance(timedelta(days=1))
    path = f"/variants/{variant}/replays"
    asked = call("POST", path, {"days": 7, "most": 100}, Idempotency_Key="replay-1")
    assert (asked.status_code, asked.get_json()["state"]) == (201, "waiting")
    again = call("POST", path, {"days": 7, "most": 100}, Idempotency_Key="replay-1")
    assert again.get_json()["id"] == asked.get_json()["id"]
    assert run_replays(database, clock=clock) == 1
    found = call("GET", f"{path}/{asked.get_json()['id']}").get_json()
    assert (found["state"], found["orders"], found["differing"], found["is_outdated"]) == ("done", 2, 1, False)
    assert found["standard"]["shipments"] == {"part": 2, "whole": 2}
    assert found["proposed"]["shipments"] == {"part": 1, "whole": 1}
    assert found["standard"]["worth"]["EUR"] == {"price_minor": 15000, "margin_minor": 9000}
    (order,) = call("GET", f"{path}/{asked.get_json()['id']}/orders").get_json()["items"]
    assert (order["number"], order["points"]) == (call.business.second, ["partial_shipment"])
    assert [one["what"] for one in order["differs"]][-1] == "left"
    assert [one["id"] for one in call("GET", path).get_json()["items"]] == [found["id"]]
    assert call("GET", f"{path}/1").status_code == 404
    assert call("POST", path, {"days": 0}, Idempotency_Key="replay-2").status_code == 422

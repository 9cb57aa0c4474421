"""Policy values for programs: asked for, decided by another, and effective in a second process at its next unit of work."""

from __future__ import annotations

import pytest

from erpcore.ports import POLICY_POINTS
from tests.support.core import a_business
from tests.support.operate import open_cells
from tests.support.policies import approve, ask_for
from tests.support.web import a_site, calls_of


@pytest.fixture
def business(database, clock):
    made = a_business(database, at=clock.now())
    made.clock = clock
    open_cells(made)
    return made


@pytest.fixture
def calling(database, tmp_path, clock):
    """``calling("process_owner")("GET", "/policy-points")``; ``process`` is the application that answers."""
    return calls_of(a_site(database, tmp_path, clock), database, clock)


def running(call, business, point, **more):
    extra = "".join(f"&{name}={value}" for name, value in more.items())
    found = call("GET", f"/policy-rules?site={business.site}{extra}").json["items"]
    return next(one for one in found if one["point"] == point)


def test_the_catalogue_is_listed_with_what_holds_and_what_waits(calling, business):
    held = approve(business, "price_tolerance_permille", 25)
    waits = ask_for(business, "partial_shipment", False)
    call = calling("auditor")
    points = {one["name"]: one for one in call("GET", "/policy-points").json["items"]}
    assert set(points) == set(POLICY_POINTS)
    tolerance = points["price_tolerance_permille"]
    assert (tolerance["standard"], tolerance["maximum"], tolerance["unit"]) == (0, 500, "per mille")
    assert [one["id"] for one in tolerance["holding"]] == [held]
    assert [one["id"] for one in points["partial_shipment"]["waiting"]] == [waits]
    assert points["negative_stock"]["may_differ_by"] == []
    assert call("GET", "/policy-rules?site=99").status_code == 404

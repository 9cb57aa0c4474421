"""What a page of a list can be narrowed by, a program can ask for too: the same rows, read on by key."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.support.core import a_business
from tests.support.operate import open_cells
from tests.support.warehouse import locations, received, second_site, tracked
from tests.support.web import a_person, a_token


@pytest.fixture
def sqlite_database(database):
    """On both databases."""
    return database


@pytest.fixture
def business(sqlite_database, clock):
    made = a_business(sqlite_database, at=clock.now(), items=2, stock=0)
    made.clock = clock
    open_cells(made)
    return made


@pytest.fixture
def found(site, sqlite_database, clock, business):
    """What a supervisor's token finds under an address, by one of its fields."""
    token = a_token(
        sqlite_database,
        a_person(sqlite_database, "warehouse_supervisor", clock=clock),
        "warehouse_supervisor",
        clock=clock,
    )

    def ask(path, name):
        answer = site.test_client().get(f"/api/v1{path}", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 200, answer.json
        return [one[name] for one in answer.json["items"]]

    return ask


def test_locations_are_narrowed_as_on_their_page(found, business):
    locations(business, "A-02", "A-01")
    locations(business, "DOCK", kind="receiving")
    here = f"/locations?site={business.site}"
    assert sorted(found(here, "code")) == ["A-01", "A-02", "DOCK"]
    assert found(f"{here}&kind=receiving", "code") == ["DOCK"]
    assert found(f"{here}&text=a-0&empty=true", "code") == ["A-02", "A-01"], "along the way people walk"
    assert found(f"{here}&zone=1", "code") == []


def test_lots_and_goods_receipts_are_narrowed_as_on_their_pages(found, business):
    tracked(business, "lot")
    business.items, (other, _) = business.items[::-1], business.items
    received(business, 1)
    business.items = business.items[::-1]
    received(business, 4, lot="L-1", expires_on=(business.clock.now() + timedelta(days=5)).date())
    assert found("/lots", "code") == ["L-1"]
    assert found("/lots?serial=true", "code") == []
    assert found("/lots?text=l-1&expiring=true", "on_hand") == ["4.000"]
    first, second = found("/goods-receipts", "id")
    assert first < second
    assert found("/goods-receipts?limit=1", "id") == [first]
    assert found(f"/goods-receipts?site={business.site}&text=DN", "lines") == [1, 1]
    assert found("/goods-receipts?differs=true", "id") == []
    assert found("/goods-receipts?site=1", "id") == []
    assert other in business.items


def test_transfers_are_narrowed_as_on_their_page(found, business, site, sqlite_database, clock):
    received(business, 50)
    target = second_site(business)
    open_cells(business, site=target)
    token = a_token(
        sqlite_database,
        a_person(sqlite_database, "warehouse_supervisor", clock=clock),
        "warehouse_supervisor",
        clock=clock,
    )
    day = (clock.now() + timedelta(days=2)).date().isoformat()
    body = {"from_site": business.site, "to_site": target, "arrives_on": day,
            "lines": [{"item": business.items[0], "quantity": "30"}]}  # fmt: skip
    made = site.test_client().post(
        "/api/v1/stock-transfers", json=body, headers={"Authorization": f"Bearer {token}"}
    ).json["number"]  # fmt: skip
    for narrowed in ("", f"?site={target}", f"?site={business.site}", "?state=shipped", f"?text={made[-4:]}"):
        assert found(f"/stock-transfers{narrowed}", "number") == [made], narrowed
    for narrowed in ("?site=1", "?state=settled", "?text=none", "?late=true"):
        assert found(f"/stock-transfers{narrowed}", "number") == [], narrowed
    clock.set(clock.now() + timedelta(days=3))
    assert found("/stock-transfers?late=true", "open_lines") == [1]

"""Files of orders for programs: handed in, looked at, entered once; a repeated call changes nothing."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from app.composition.uow import reading
from erpcore.orders.models import SalesOrder
from tests.support.core import a_business
from tests.support.operate import open_cells
from tests.support.web import a_person, a_site, a_token

FILE = b"order,site,channel,customer,item,quantity\nA-1,DUI,wholesale,10482,40-0,5\nA-2,DUI,wholesale,10482,4711,1\n"


@pytest.fixture
def business(database, clock):
    made = a_business(database, at=clock.now())
    made.clock = clock
    open_cells(made)
    return made


@pytest.fixture
def call(database, business, tmp_path, clock):
    client = a_site(database, tmp_path, clock).test_client()
    token = a_token(database, a_person(database, "customer_service", clock=clock), "customer_service", clock=clock)

    def send(method, path, **options):
        headers = {"Authorization": f"Bearer {token}", **options.pop("headers", {})}
        return client.open(f"/api/v1{path}", method=method, headers=headers, **options)

    return send


def test_a_file_is_handed_in_and_its_good_orders_are_entered_once(call, business, database):
    address = f"/order-files?entity={business.entity}&file_name=o.csv"
    made = call("POST", address, data=FILE)
    assert made.status_code == 201
    assert [(one["outcome"], one["value"], one["code"]) for one in made.json["items"]] == [
        ("new", "50.00", None), ("refused", None, "price_code_unknown"),
    ]  # fmt: skip
    assert call("POST", address, data=FILE).json["id"] == made.json["id"]
    here = f"/order-files/{made.json['id']}"
    seen = {"If-Match": made.headers["ETag"]}
    done = call("POST", f"{here}/enter", json={"bad_rows": "good_ones"}, headers=seen)
    assert (done.status_code, done.json["entered"], done.json["refused"]) == (200, 1, 1)
    again = call("POST", f"{here}/enter", json={"bad_rows": "good_ones"}, headers=seen)
    assert again.status_code in (409, 412)
    assert call("POST", f"{here}/look").json["items"][0]["outcome"] == "entered"
    assert [one["id"] for one in call("GET", "/order-files").json["items"]] == [made.json["id"]]
    assert call("GET", here).json["items"][0]["number"].startswith("SO-")
    with reading(database) as session:
        assert session.scalar(select(func.count()).select_from(SalesOrder)) == 1


def test_a_file_of_a_company_that_is_none_is_refused(call, database):
    assert call("POST", "/order-files?entity=9&file_name=o.csv", data=FILE).json["code"] == "entity_unknown"
    assert call("POST", "/order-files?entity=9&file_name=o.txt", data=FILE).json["code"] == "sheet_kind"

"""What a supplier does not send to the customer: the purchase order says so, and a buyer orders it again on a page."""

from __future__ import annotations

from decimal import Decimal

import pytest

from app.composition.uow import reading
from app.queries.purchases import purchase_page
from erpcore.kernel.actor import Actor
from tests.db.core.test_drop_ship import confirmed, released
from tests.support.controls import assert_books_agree
from tests.support.core import a_business
from tests.support.operate import open_cells
from tests.support.supply import a_supplier, column
from tests.support.trader import fingerprint_of


@pytest.fixture
def business(database, clock):
    made = a_business(database, at=clock.now())
    made.clock = clock
    open_cells(made)
    return made


def test_a_buyer_orders_again_what_a_supplier_does_not_send(signed_in, business):
    a_supplier(business, ships_direct=True)
    other = a_supplier(business, "BLECH", ships_direct=True, lead_days=12)
    _, (purchase,) = released(business)
    here = f"/purchase-orders/{purchase.id}"
    buyer = signed_in("buyer")
    assert "Order the rest again" not in buyer.get(here).text
    confirmed(business, purchase, 7, Decimal(4))
    assert "Order the rest again" in buyer.get(here).text
    assert "does not order from suppliers" in signed_in("customer_service").get(here).text
    page = buyer.get(f"{here}/rest")
    assert page.heading == "Order the rest of PO-2026-000001 again"
    assert "6 pc" in page.text
    typed = {name: page.value(name) for name in ("request_key", "version")}
    before = fingerprint_of(business.database)
    page = buyer.post(f"{here}/rest", {**typed, "supplier": "77"}, status=422)
    assert page.errors()
    assert fingerprint_of(business.database) == before
    for _ in range(2):
        page = buyer.post(f"{here}/rest", {**typed, "supplier": str(other)})
    assert page.heading == "PO-2026-000002 · Blechwerk AG"
    assert column(business, "SELECT quantity FROM purchase_order_line ORDER BY id") == [10_000, 6000]
    assert "Order the rest again" not in buyer.get(here).text
    assert "Nothing is left to order" in buyer.get(f"{here}/rest").text
    assert_books_agree(business.database)


def test_a_program_orders_the_rest_with_the_version_it_saw(caller, business):
    a_supplier(business, ships_direct=True)
    _, (purchase,) = released(business)
    confirmed(business, purchase, 7, Decimal(4))
    with reading(business.database) as session:
        page = purchase_page(session, Actor.system("test"), purchase.id)
    assert page.rest == {purchase.lines[0].id: Decimal(6)}
    buyer, here = caller("buyer"), f"/purchase-orders/{purchase.id}/rest"
    assert buyer("POST", here, {}, version=1).status_code == 412
    made = buyer("POST", here, {}, version=page.row.version)
    assert (made.status_code, made.json["lines"][0]["quantity"]) == (201, "6.000")
    again = buyer("POST", here, {}, version=page.row.version)
    assert (again.status_code, again.json["code"]) == (422, "direct_rest_none")

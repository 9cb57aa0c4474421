"""A line may leave from another site than the one that sold it: stock, shipment and cost are the shipping site's."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import text

from app.composition.uow import reading
from erpcore.fulfilment.services import PickOrder, confirm_shipments, pick_orders
from erpcore.inventory.stock import ChangeStock, open_stock
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotFound
from erpcore.masterdata.services import NewSite, add_site
from erpcore.orders.allocation import allocate_orders
from erpcore.orders.records import lock_orders
from tests.support.controls import assert_books_agree
from tests.support.core import OPEN, RULES, a_business
from tests.support.steps import released


def another_site(business, *, stock=0, code="HAM", name="Hamburg", kind="distribution_centre"):
    """One more site of the same entity, with so much of every item."""
    with business.work() as work:
        site = add_site(
            work,
            NewSite(
                entity=business.entity, code=code, name=name, kind=kind, country="Germany", time_zone="Europe/Berlin"
            ),
        )
        if stock:
            opening = [
                ChangeStock(site=site.id, item=item, quantity=Decimal(stock), note="opening") for item in business.items
            ]
            open_stock(work, opening, rules=RULES, cells=OPEN)
    return site.id


@pytest.fixture
def split(database):
    """An order of two lines; the second leaves from Hamburg."""
    business = a_business(database)
    hamburg = another_site(business, stock=40)
    order = released(business, [(0, 10), (1, 4)])
    with business.work() as work:
        work.session.execute(
            text("UPDATE order_line SET site_id = :site WHERE id = :line"),
            {"site": hamburg, "line": order.lines[1].id},
        )
    with business.work() as work:
        allocate_orders(work, [order.id], rules=RULES, cells=OPEN)
    return business, hamburg, order


def test_each_site_reserves_and_ships_its_own_lines(database, split):
    business, hamburg, order = split
    with business.work() as work:
        shipments = pick_orders(work, [PickOrder(order=order.id, number="D-1")], cells=OPEN)
        assert [(s.site_id, s.number, len(s.lines)) for s in shipments] == [
            (business.site, "D-1", 1), (hamburg, "D-1/2", 1)
        ]  # fmt: skip
        confirm_shipments(work, [s.id for s in shipments], rules=RULES, cells=OPEN)
    with reading(database) as session:
        left = session.execute(
            text("SELECT on_hand FROM stock_balance WHERE site_id = :site ORDER BY item_id"), {"site": hamburg}
        ).scalars()
        assert list(left) == [40000, 36000, 40000]
        cost = session.execute(
            text("SELECT site_id FROM journal_entry WHERE rule = 'cost_of_sales' ORDER BY id")
        ).scalars()
        assert list(cost) == [business.site, hamburg]
    assert_books_agree(database)


def test_a_shipping_site_sees_the_order_but_not_what_it_has_no_part_in(split):
    business, hamburg, order = split
    picker = Actor(
        id=7, role="warehouse", permissions=frozenset({"warehouse:shipment:pick"}), sites=frozenset({hamburg})
    )
    other = released(business, [(0, 1)])
    with pytest.raises(NotFound), business.work(picker) as work:
        lock_orders(work, [other.id])
    with business.work(picker) as work:
        (seen,) = lock_orders(work, [order.id])
        assert seen.number == order.number
        (shipment,) = pick_orders(work, [PickOrder(order=order.id, lines={order.lines[1].id: 4000})], cells=OPEN)
        assert shipment.site_id == hamburg
    with pytest.raises(NotFound), business.work(picker) as work:
        pick_orders(work, [PickOrder(order=order.id, lines={order.lines[0].id: 10000})], cells=OPEN)

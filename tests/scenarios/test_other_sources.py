"""Goods that come from elsewhere: a supplier's works and another site, from the order to the last invoice."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from erpcore.inventory.transfers import ArrivedLine, ReceiveTransfer, receive_transfer
from tests.db.core.test_drop_ship import confirmed, released, sent
from tests.db.core.test_transfer_orders import BRANCH, asked, decided, shipped, two_sites
from tests.support.core import a_business
from tests.support.steps import allocated
from tests.support.story import BOTH, allocate, arrive, ending, rows, send, stock, told
from tests.support.supply import a_supplier
from tests.support.warehouse import day, no_names


def test_drop_ship_the_supplier_sends_it_and_our_shelves_stay_as_they_are(database):
    business = a_business(database, items=1, stock=5, limit=100_000)
    a_supplier(business, ships_direct=True)
    order, (purchase,) = released(business, ((0, 10, True),))
    confirmed(business, purchase, 3)
    first, rest = sent(business, purchase, 6), sent(business, purchase)
    arrive(business, [first.id, rest.id], days=3)
    assert told(business, order) == []
    assert ending(business, order) == {}


def test_branch_transfer_the_branch_sells_what_is_still_on_the_road(database):
    business, branch = two_sites(database, stock=50)
    transfer = asked(business, branch, 30)
    decided(business, transfer)
    on_road = shipped(business, transfer, arrives_on=day(2))
    order = allocated(replace(business, site=branch), [(0, 20)])
    assert (order.lines[0].promise_reason, order.lines[0].promised_on) == ("transit", day(2))
    business.clock.advance(timedelta(days=2))
    ((line,),) = rows(business, "SELECT id FROM stock_transfer_line")
    with business.work(BRANCH) as work:
        arrived = ReceiveTransfer(
            transfer=on_road.id, lines=[ArrivedLine(line=line, quantity=Decimal(30), damaged=Decimal(2))]
        )
        receive_transfer(work, arrived, **BOTH, order_names=no_names)
    allocate(business, order)
    arrive(business, send(business, order), days=1)
    assert stock(business, branch) == []
    assert told(business, order) == []
    assert ending(business, order) == {}

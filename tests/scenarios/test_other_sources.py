"""Goods that come from elsewhere: a supplier's works and another site, from the order to the last invoice."""

from __future__ import annotations

from dataclasses import replace
from datetime import time, timedelta
from decimal import Decimal

from erpcore.inventory.transfers import ArrivedLine, ReceiveTransfer, receive_transfer
from erpcore.masterdata.services import add_commitment
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
    assert (
        told(business, order)
        == """
        order.captured order.validated order.promised order.released order.repromised shipment.picked shipment.confirmed
        invoice.triggered ledger.posted shipment.picked shipment.confirmed invoice.triggered ledger.posted
        shipment.delivered shipment.delivered invoice.drafted invoice.drafted invoice.posted invoice.posted
        ledger.posted ledger.posted
    """.split()
    )
    assert ending(business, order) == {
        "state": "released",
        "lines": {10: (10, 0, 0, 10, 0)},
        "days": {10: (2, 2, 5, 3)},
        "stock": [(5, 0, 0)],
        "exposure": (12000, 0, 0),
        "ledger": {
            "cost_of_sales": 3500,
            "inventory": 2000,
            "opening": -2000,
            "receivable": 12000,
            "received_not_invoiced": -3500,
            "revenue": -10000,
            "tax": -2000,
        },
        "figures": {
            "filled": (0, 0),
            "on time in full": (0, 0),
            "promise kept": (0, 0),
            "perfect": (0, 0),
            "touchless": (0, 0),
            "exception": (1, 1),
        },
    }


def test_branch_transfer_the_branch_sells_what_is_still_on_the_road(database):
    business, branch = two_sites(database, stock=50)
    with business.work() as work:
        add_commitment(work, site=branch, channel=business.channel, lead_days=1, valid_from=day(-90), cut_off=time(14))
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
    assert stock(business, business.site) == [(20, 0, 0), (50, 0, 0)]
    assert (
        told(business, order)
        == """
        order.captured order.validated order.promised order.released order.backordered order.repromised order.allocated
        shipment.picked shipment.confirmed invoice.triggered ledger.posted shipment.delivered invoice.drafted
        invoice.posted ledger.posted
    """.split()
    )
    assert ending(business, order) == {
        "state": "released",
        "lines": {10: (20, 0, 0, 20, 0)},
        "days": {10: (1, 1, 2, 2)},
        "stock": [(10, 0, 2)],
        "exposure": (24000, 0, 0),
        "ledger": {
            "cost_of_sales": 8000,
            "inventory": 32000,
            "opening": -40000,
            "receivable": 24000,
            "revenue": -20000,
            "tax": -4000,
        },
        "figures": {
            "filled": (1, 1),
            "on time in full": (0, 1),
            "promise kept": (1, 1),
            "perfect": (0, 1),
            "touchless": (1, 1),
            "exception": (1, 1),
        },
    }

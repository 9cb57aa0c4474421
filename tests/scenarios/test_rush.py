"""A customer cannot wait: from the rushed order to its invoice, with every figure at the end."""

from __future__ import annotations

from dataclasses import replace

from erpcore.orders.releasing import release_orders
from erpcore.orders.services import capture_orders
from tests.support.charges import a_charge
from tests.support.core import a_business
from tests.support.floor import ANNA, a_task, picked_by
from tests.support.policies import approve
from tests.support.steps import allocated
from tests.support.story import BOTH, allocate, arrive, ending, leave, told
from tests.support.warehouse import day


def test_rush_is_promised_today_picked_before_the_others_and_charged_for_once(database):
    business = a_business(database, items=1, stock=20, limit=100_000)
    approve(business, "rush_rule", "allow_with_charge")
    a_charge(business, "RUSH", price="25.00", is_rush=True)
    usual = allocated(business, [(0, 12)])
    with business.work() as work:
        (order,) = capture_orders(work, [replace(business.order([(0, 8)]), rush=True, requested_on=day(0))], **BOTH)
        release_orders(work, [order.id], **BOTH)
    allocate(business, order)
    tasks = {one.lines[0].order_id: one for one in (*a_task(business, usual), *a_task(business, order))}
    assert tasks[order.id].priority < tasks[usual.id].priority
    shipments = picked_by(business, ANNA, tasks[order.id].id).shipments
    leave(business, [one.id for one in shipments])
    arrive(business, [one.id for one in shipments], days=0)
    assert (
        told(business, order)
        == """
        order.captured order.validated order.promised order.released order.allocated task.created task.started
        shipment.picked task.finished shipment.confirmed invoice.triggered ledger.posted shipment.delivered
        invoice.drafted invoice.posted ledger.posted
    """.split()
    )
    assert ending(business, order) == {
        "state": "released",
        "lines": {10: (8, 0, 0, 8, 0), 20: (1, 0, 0, 1, 0)},
        "days": {10: (0, 2, 0, 0), 20: (0, 2, 0, 0)},
        "stock": [(12, 12, 0)],
        "exposure": (12600, 0, 12000),
        "ledger": {
            "charges": -2500,
            "cost_of_sales": 3200,
            "inventory": 4800,
            "opening": -8000,
            "receivable": 12600,
            "revenue": -8000,
            "tax": -2100,
        },
        "figures": {
            "filled": (1, 2),
            "on time in full": (1, 2),
            "promise kept": (1, 2),
            "perfect": (1, 2),
            "touchless": (1, 2),
            "exception": (0, 2),
        },
    }

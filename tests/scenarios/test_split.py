"""A line leaves in two parts: from the order to both invoices, with every figure at the end, whoever wished it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.db.core.test_splits import amend, part
from tests.support.core import a_business
from tests.support.steps import allocated
from tests.support.story import arrive, ending, on_its_day, rows, send, told
from tests.support.warehouse import day

LATER = 9
#: Ours: still one line of the customer's, filled in part and finished late. Theirs: two lines, each on the day they wished.
JUDGED = {
    "ours": {
        "filled": (0, 1), "on time in full": (0, 1), "promise kept": (0, 1), "perfect": (0, 1), "touchless": (1, 1),
        "exception": (1, 1),
    },
    "the customer's": {
        "filled": (2, 2), "on time in full": (2, 2), "promise kept": (2, 2), "perfect": (1, 1), "touchless": (1, 1),
        "exception": (1, 1),
    },
}  # fmt: skip


@pytest.mark.parametrize("whose", list(JUDGED))
def test_split_the_rest_of_a_line_leaves_a_week_later_and_both_are_billed(database, whose):
    business = a_business(database, items=1, stock=20, limit=100_000)
    order = allocated(business, [(0, 10)])
    order = amend(business, order, part(order.lines[0], 4, day=day(LATER)), by_customer=whose != "ours")
    first, second = order.lines
    on_its_day(business)
    arrive(business, send(business, order, lines={first.id: 6000}), days=1)
    business.clock.advance(timedelta(days=LATER - 3))
    arrive(business, send(business, order, lines={second.id: 4000}), days=1)
    changed = "order.split" if whose == "ours" else "order.amended"
    sent = """
        shipment.picked shipment.confirmed invoice.triggered ledger.posted shipment.delivered invoice.drafted
        invoice.posted ledger.posted
    """.split()
    assert told(business, order) == [
        "order.captured", "order.validated", "order.promised", "order.released", "order.allocated", changed, "order.repromised",
        *sent, *sent,
    ]  # fmt: skip
    assert rows(business, "SELECT net_minor, gross_minor FROM invoice ORDER BY id") == [(6000, 7200), (4000, 4800)]
    assert ending(business, order) == {
        "state": "released",
        "lines": {10: (6, 0, 0, 6, 0), 20: (4, 0, 0, 4, 0)},
        "days": {10: (2, 2, 2, 2), 20: (2, 2, 2, 9) if whose == "ours" else (9, 2, 9, 9)},
        "stock": [(10, 0, 0)],
        "exposure": (12000, 0, 0),
        "ledger": {
            "cost_of_sales": 4000,
            "inventory": 4000,
            "opening": -8000,
            "receivable": 12000,
            "revenue": -10000,
            "tax": -2000,
        },
        "figures": JUDGED[whose],
    }

"""Short is short wherever one looks: on the order board, among exceptions, on the lists of short lines and items, on the order."""

from __future__ import annotations

from decimal import Decimal

from app.composition.uow import reading
from app.queries.backorders import BACKORDERS
from app.queries.listing import Asked
from app.queries.orders import ORDERS
from app.queries.scarcity import SHORT_ITEMS
from app.queries.shortages import short_lines
from app.queries.troubles import TROUBLES
from erpcore.fulfilment.services import PickOrder, confirm_shipments, pick_orders
from erpcore.inventory.services import Demand, free_reservations, reserve
from erpcore.kernel.actor import Actor
from erpcore.orders.cancelling import CancelLines, cancel_lines
from erpcore.orders.holds import HoldOrder, hold_orders
from erpcore.orders.models import HoldKind
from tests.db.core.test_scarce_stock import receive
from tests.support.core import OPEN, RULES, a_business
from tests.support.steps import allocated, released
from tests.support.supply import column

ANYBODY = Actor.system("test")


def short_everywhere(business):
    """The ids of the orders that each of five places calls short, and how many lines wait for an item."""
    now = business.clock.now()
    with reading(business.database) as session:
        seen = [
            {row.id for row in ORDERS.page(session, ANYBODY, Asked(values={"step": "short"}), now).rows},
            {row.id for row in TROUBLES.page(session, ANYBODY, Asked(values={"queue": "short"}), now).rows},
            {row.order_id for row in short_lines(session, ANYBODY, now)},
            {row.order_id for row in BACKORDERS.page(session, ANYBODY, Asked(), now).rows},
        ]
        lines = sum(row.lines for row in SHORT_ITEMS.page(session, ANYBODY, Asked(), now).rows)
        assert lines == len(short_lines(session, ANYBODY, now))
    assert all(one == seen[0] for one in seen), seen
    return seen[0]


def test_board_exceptions_and_lists_agree_on_what_is_short(database):
    business = a_business(database)
    # Nobody has tried to allocate this one: it lacks nothing so far, though there is too little of it.
    untried = released(business, [(0, 500)])
    assert short_everywhere(business) == set()
    covered, lacking = allocated(business, [(0, 60)]), allocated(business, [(0, 60), (1, 1)])
    assert short_everywhere(business) == {lacking.id}
    # What is free now would cover it, and it stays short until it is allocated.
    receive(business, 100)
    assert short_everywhere(business) == {lacking.id}
    twice = allocated(business, [(2, 70), (2, 70)])
    with business.work() as work:
        (shipment,) = pick_orders(work, [PickOrder(order=covered.id, short={covered.lines[0].id: 2000})], cells=OPEN)
        confirm_shipments(work, [shipment.id], rules=RULES, cells=OPEN)
    # What was not found on the shelf waits to be allocated anew, as what was never tried does.
    assert short_everywhere(business) == {lacking.id, twice.id}
    with business.work() as work:
        hold_orders(work, [HoldOrder(order=twice.id, kind=HoldKind.MANUAL, reason="call first")])
        gone = {lacking.lines[0].id: 20_000}
        cancel_lines(work, [CancelLines(order=lacking.id, reason="enough", by_customer=True, lines=gone)])
    assert short_everywhere(business) == set()
    assert column(business, "SELECT allocated FROM order_line WHERE order_id = :k", k=untried.id) == [0]


def test_what_a_line_had_before_is_freed_with_what_it_got_since(database):
    business = a_business(database)
    order = allocated(business, [(0, 30)])
    line = order.lines[0]
    with business.work() as work:
        (got,) = reserve(work, [Demand(line.id, order.entity_id, line.site_id, line.item_id, 5_000)], at=work.now)
        assert got == 5_000
        assert free_reservations(work, {line.id: 35_000}) == {line.id: 35_000}
        # Known by then: what comes to it later is freed too, and nothing twice.
        reserve(work, [Demand(line.id, order.entity_id, line.site_id, line.item_id, 7_000)], at=work.now)
        assert free_reservations(work, {line.id: 9_000}) == {line.id: 7_000}
        assert free_reservations(work, {line.id: 9_000}) == {line.id: 0}
        # The line goes on as if it had kept its thirty.
        reserve(work, [Demand(line.id, order.entity_id, line.site_id, line.item_id, 30_000)], at=work.now)
    assert column(business, "SELECT SUM(quantity - consumed - freed) FROM reservation") == [Decimal(30_000)]

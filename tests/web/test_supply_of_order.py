"""The order's page says where its goods come from, and asks no more than a page may."""

from __future__ import annotations

from erpcore.orders.allocation import allocate_orders
from tests.support.core import OPEN, RULES
from tests.support.queries import MOST, queries
from tests.support.steps import allocated, released
from tests.web.test_purchasing import business

__all__ = ["business"]


def test_a_short_order_leads_to_what_can_be_done(signed_in, business, sqlite_database):  # the fixture above
    order = allocated(business, [(0, 130), (1, 5)])
    desk = signed_in("customer_service")
    desk.get(f"/orders/{order.id}")
    with queries(sqlite_database) as ran:
        page = desk.get(f"/orders/{order.id}")
    assert "Line 10 is short" in page.text
    assert f"/shortages/{order.lines[0].id}" in page.links()
    assert len(ran) <= MOST
    with queries(sqlite_database) as ran:
        desk.get(f"/shortages/{order.lines[0].id}")
    assert len(ran) <= MOST


def test_a_line_that_is_only_not_allocated_yet_is_not_called_short(signed_in, business):  # the fixture above
    order = released(business, [(0, 130), (1, 5)])
    desk = signed_in("customer_service")
    assert "Line 10 is short" not in desk.get(f"/orders/{order.id}").text
    assert not [link for link in desk.get("/shortages").links() if link.startswith("/shortages/")]
    with business.work() as work:
        allocate_orders(work, [order.id], rules=RULES, cells=OPEN)
    page = desk.get(f"/orders/{order.id}")
    assert "Line 10 is short" in page.text
    assert "Line 20 is short" not in page.text
    assert [link for link in desk.get("/shortages").links() if link.startswith("/shortages/")] == [
        f"/shortages/{order.lines[0].id}"
    ]

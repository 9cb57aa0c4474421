"""The same order again: noticed on the day, taken with a reason, held where the rules say so, and never asked of an import."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NeedsConfirmation, RuleBroken
from erpcore.orders.cancelling import CancelLines, cancel_lines
from erpcore.orders.services import capture_orders
from tests.support.controls import assert_books_agree
from tests.support.core import OPEN, RULES, a_business
from tests.support.policy import Rules
from tests.support.rows import rows

CLERK = Actor(id=7, role="customer_service", permissions=frozenset({"orders:order:capture"}))


def enter(business, lines=((0, 10), (1, 3)), *, rules=RULES, source="screen", **changes):
    with business.work(CLERK, source=source) as work:
        (order,) = capture_orders(work, [business.order(lines, **changes)], rules=rules, cells=OPEN)
    return order


def everything(database):
    return [
        rows(database, f"SELECT * FROM {table} ORDER BY 1")
        for table in ("sales_order", "order_line", "order_hold", "transition", "event_log")
    ]


def test_the_same_order_again_asks_for_a_reason_and_is_taken_with_one(database):
    business = a_business(database)
    first = enter(business)
    before = everything(database)
    with pytest.raises(NeedsConfirmation, match="order_duplicate") as refused:
        enter(business, ((1, 3), (0, 10)))
    assert refused.value.facts == {"document": first.number, "how": "entered today"}
    assert everything(database) == before
    with pytest.raises(RuleBroken, match="reason_required"):
        enter(business, accepted={"order_duplicate": " "})
    assert everything(database) == before
    second = enter(business, accepted={"order_duplicate": "a second van comes"})
    assert second.state == "captured"
    assert rows(
        database, f"SELECT reason, actor FROM transition WHERE document_id = {second.id} AND move = 'accept'"
    ) == [("a second van comes", 7)]
    assert_books_agree(database)


def test_other_content_another_day_or_a_cancelled_one_are_no_duplicates(database):
    business = a_business(database)
    first = enter(business)
    enter(business, ((0, 10),))
    enter(business, ((0, 10), (1, 4)))
    enter(business, requested_on=date(2026, 3, 20))
    with business.work() as work:
        cancel_lines(work, [CancelLines(order=first.id, reason="typed wrong", by_customer=False)])
    enter(business)
    business.clock.advance(timedelta(days=1))
    enter(business)
    assert rows(database, "SELECT COUNT(*) FROM sales_order") == [(6,)]


def test_two_of_the_same_in_one_call_are_noticed_too(database):
    business = a_business(database)
    with pytest.raises(NeedsConfirmation), business.work(CLERK, source="api") as work:
        capture_orders(work, [business.order(), business.order()], rules=RULES, cells=OPEN)
    assert rows(database, "SELECT COUNT(*) FROM sales_order") == [(0,)]


def test_where_the_rules_hold_duplicates_the_second_is_captured_and_held(database):
    business = a_business(database)
    first = enter(business, rules=Rules(duplicate_rule="hold"))
    second = enter(business, rules=Rules(duplicate_rule="hold"))
    assert (first.state, second.state) == ("captured", "held")
    assert rows(database, "SELECT order_id, kind, reason, asked_by FROM order_hold") == [
        (second.id, "duplicate", f"the same as {first.number}", 7)
    ]
    assert rows(database, f"SELECT state, version FROM sales_order WHERE id = {second.id}") == [("held", 2)]


def test_imports_and_places_that_do_not_look_take_it_like_any_other(database):
    business = a_business(database)
    for _ in range(2):
        enter(business, source="import")
        enter(business, rules=Rules(duplicate_rule="off"))
    assert rows(database, "SELECT COUNT(*), COUNT(duplicate_key) FROM sales_order") == [(4, 0)]

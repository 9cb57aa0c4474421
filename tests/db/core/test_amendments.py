"""Orders change after they were taken: staged, checked together, applied once; what has left stays, stock and credit follow."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import text

from erpcore.fulfilment.services import PickOrder, pick_orders
from erpcore.inventory.stock import ChangeStock, receive_stock
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import Conflict, IllegalMove, NotFound, RuleBroken
from erpcore.orders.amendment_rules import Amend
from erpcore.orders.amendments import StageAmendment, apply_amendments, stage_amendments, withdraw_amendments
from erpcore.orders.cancelling import CancelLines, cancel_lines
from erpcore.orders.models import ChangeKind
from tests.support.controls import assert_books_agree
from tests.support.core import OPEN, RULES, a_business
from tests.support.rows import rows
from tests.support.steps import allocated, captured, paid, released, shipped
from tests.support.threads import at_once

CLERK = Actor(id=7, role="customer_service", permissions=frozenset({"orders:order:amend"}))


def quantity(line, value):
    return Amend(kind=ChangeKind.QUANTITY, line=line.id, quantity=Decimal(value))


def dated(line, day):
    return Amend(kind=ChangeKind.DATE, line=line.id, day=day)


def drop(line):
    return Amend(kind=ChangeKind.DROP, line=line.id)


def add(business, position, value):
    return Amend(kind=ChangeKind.ADD, item=business.items[position], quantity=Decimal(value))


def stage(business, order, *changes, by_customer=True, actor=CLERK, **more):
    with business.work(actor) as work:
        (amendment,) = stage_amendments(
            work,
            [StageAmendment(order=order.id, by_customer=by_customer, reason="called", changes=changes, **more)],
            rules=RULES,
            cells=OPEN,
        )
    return amendment.id


def apply(business, amendment, *, actor=CLERK, rules=RULES):
    with business.work(actor) as work:
        (order,) = apply_amendments(work, [amendment], rules=rules, cells=OPEN)
    return order


def amend(business, order, *changes, **more):
    return apply(business, stage(business, order, *changes, **more))


TABLES = ("sales_order", "order_line", "order_amendment", "order_amendment_change", "reservation", "stock_balance",
          "transition", "event_log", "credit_exposure", "order_hold")  # fmt: skip


def everything(database):
    return [rows(database, f"SELECT * FROM {table} ORDER BY 1, 2") for table in TABLES]


def lines(database):
    return rows(
        database, "SELECT line_no, quantity, cancelled, allocated, value_minor FROM order_line ORDER BY line_no"
    )


def test_several_changes_are_staged_and_change_nothing_until_they_are_applied_together(database):
    business = a_business(database)
    order = allocated(business, [(0, 10), (1, 5)])
    before = lines(database)
    staged = stage(business, order, quantity(order.lines[0], 4), drop(order.lines[1]), add(business, 2, 3))
    assert lines(database) == before
    assert rows(database, "SELECT kind, before, after FROM order_amendment_change ORDER BY no") == [
        ("quantity", '{"quantity":"10"}', '{"quantity":"4"}'),
        ("drop", '{"quantity":"5"}', '{"quantity":"0"}'),
        ("add", "{}", '{"day":null,"quantity":"3"}'),
    ]
    apply(business, staged)
    assert lines(database) == [(10, 4000, 0, 4000, 4000), (20, 5000, 5000, 0, 5000), (30, 3000, 0, 0, 3000)]
    assert rows(database, "SELECT SUM(reserved) FROM stock_balance") == [(4000,)]
    assert rows(database, "SELECT receivable_minor, shipped_minor, released_minor FROM credit_exposure") == [
        (0, 0, 7000)
    ]
    assert rows(database, "SELECT state, settled_by FROM order_amendment") == [("applied", 7)]
    told = [row[0] for row in rows(database, "SELECT type FROM event_log WHERE actor = 7 ORDER BY seq")]
    assert told == ["order.amended", "order.cancelled", "order.repromised"]
    assert_books_agree(database)


def test_they_are_applied_once(database):
    business = a_business(database)
    order = released(business)
    staged = stage(business, order, quantity(order.lines[0], 12))
    done = at_once(lambda: apply(business, staged).value_minor, lambda: apply(business, staged).value_minor)
    assert [one for one in done if isinstance(one, int)] == [12000]
    assert [type(one) for one in done if not isinstance(one, int)] == [IllegalMove]
    assert lines(database) == [(10, 12000, 0, 0, 12000)]
    assert_books_agree(database)


def test_an_order_that_moved_meanwhile_is_not_amended(database):
    business = a_business(database)
    order = allocated(business, [(0, 10)])
    staged = stage(business, order, quantity(order.lines[0], 4))
    with business.work() as work:
        pick_orders(work, [PickOrder(order=order.id)], cells=OPEN)
    before = everything(database)
    with pytest.raises(Conflict, match="order_moved"):
        apply(business, staged)
    assert everything(database) == before
    with business.work(CLERK) as work:
        withdraw_amendments(work, [staged])
    with pytest.raises(RuleBroken, match="amend_below_shipped"):
        stage(business, order, quantity(order.lines[0], 4))


def test_two_clerks_on_one_order_do_not_overwrite_each_other(database):
    business = a_business(database)
    order = released(business)
    before = everything(database)
    with pytest.raises(Conflict, match="changed_meanwhile"):
        stage(business, order, quantity(order.lines[0], 4), seen_version=order.version - 1)
    assert everything(database) == before
    stage(business, order, quantity(order.lines[0], 4))
    before = everything(database)
    with pytest.raises(RuleBroken, match="amendment_open"):
        stage(
            business,
            order,
            quantity(order.lines[0], 5),
            actor=Actor(id=8, role="site_lead", permissions=CLERK.permissions),
        )
    assert everything(database) == before


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda b, o: quantity(o.lines[0], "3.5"), "quantity_too_precise"),
        (lambda b, o: quantity(o.lines[0], -1), "quantity_not_positive"),
        (lambda b, o: quantity(o.lines[0], 0), "quantity_not_positive"),
        (lambda b, o: quantity(o.lines[0], 10**9), "quantity_absurd"),
        (lambda b, o: quantity(o.lines[0], 10), "amend_same"),
        (lambda b, o: quantity(o.lines[0], 3), "amend_below_shipped"),
        (lambda b, o: drop(o.lines[0]), "amend_line_shipped"),
        (lambda b, o: dated(o.lines[1], date(1900, 1, 1)), "day_absurd"),
        (lambda b, o: dated(o.lines[1], o.lines[1].requested_on), "amend_same"),
        (lambda b, o: Amend(kind=ChangeKind.DROP, line=1), "line_unknown"),
        (lambda b, o: add(b, 0, "0.5"), "quantity_too_precise"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_by_name_and_nothing_else_changes(database, change, code):
    business = a_business(database, stock=6)
    order, _ = shipped(business, [(0, 10), (1, 9)])
    before = everything(database)
    with pytest.raises(RuleBroken, match=code):
        stage(business, order, change(business, order))
    assert everything(database) == before


def test_the_changes_must_agree_with_each_other_and_leave_something(database):
    business = a_business(database)
    order = released(business, [(0, 10), (1, 5)])
    first, second = order.lines
    for changes, code in (
        ((), "amend_nothing"),
        ((quantity(first, 4), quantity(first, 5)), "amend_twice"),
        ((quantity(first, 4), drop(first)), "amend_twice"),
        ((drop(first), drop(second)), "amend_everything"),
    ):
        before = everything(database)
        with pytest.raises(RuleBroken, match=code):
            stage(business, order, *changes)
        assert everything(database) == before
    amend(business, order, quantity(first, 4), dated(first, date(2026, 3, 20)))


def test_only_the_customer_orders_more_and_only_the_customer_moves_the_wish(database):
    business = a_business(database)
    order = released(business, [(0, 10)])
    (line,) = order.lines
    first, wish = line.first_promised_on, line.requested_on
    with pytest.raises(RuleBroken, match="amend_needs_customer"):
        stage(business, order, quantity(line, 12), by_customer=False)
    order = amend(business, order, quantity(line, 8), by_customer=False)
    order = amend(business, order, dated(line, date(2026, 3, 12)), by_customer=False)
    query = "SELECT quantity, cancelled, requested_on, committed_on, first_promised_on, promised_on FROM order_line"
    assert rows(database, query) == [
        (10000, 2000, str(wish), str(line.committed_on), str(first), "2026-03-12")
    ] or rows(database, query) == [(10000, 2000, wish, line.committed_on, first, date(2026, 3, 12))]
    order = amend(business, order, dated(line, date(2026, 3, 16)))
    (done,) = order.lines
    assert (done.requested_on, done.first_promised_on, done.promised_on) == (date(2026, 3, 16),) * 3
    assert done.committed_on == line.committed_on
    assert_books_agree(database)


def test_what_the_customer_took_back_before_is_not_ordered_again_by_a_later_change(database):
    business = a_business(database)
    order = released(business, [(0, 10), (1, 1)])
    with business.work() as work:
        cancel_lines(
            work, [CancelLines(order=order.id, reason="less", by_customer=True, lines={order.lines[0].id: 3000})]
        )
    amend(business, order, dated(order.lines[0], date(2026, 3, 16)))
    (told,) = rows(database, "SELECT data FROM event_log WHERE type = 'order.amended'")
    assert '"quantity":7000' in told[0]


def test_more_than_the_customers_credit_bears_is_taken_and_held(database):
    business = a_business(database, limit=15000)
    order = released(business, [(0, 10)])
    order = amend(business, order, quantity(order.lines[0], 20))
    assert order.state == "held"
    assert rows(database, "SELECT kind, asked_by FROM order_hold") == [("credit", 7)]
    assert rows(database, "SELECT released_minor FROM credit_exposure") == [(0,)]
    assert_books_agree(database)


def test_a_deactivated_customer_may_order_less_but_not_more(database):
    business = a_business(database)
    order = released(business, [(0, 10)])
    with business.work() as work:
        work.session.execute(text("UPDATE customer SET is_blocked = :yes"), {"yes": True})
    before = everything(database)
    for change in (quantity(order.lines[0], 11), add(business, 1, 1)):
        with pytest.raises(RuleBroken, match="customer_blocked"):
            stage(business, order, change)
    assert everything(database) == before
    assert amend(business, order, quantity(order.lines[0], 4)).value_minor == 4000


def test_an_ended_order_and_one_of_another_site_are_not_amended(database):
    business = a_business(database)
    order, _ = paid(business)
    with pytest.raises(IllegalMove, match="illegal_move"):
        stage(business, order, quantity(order.lines[0], 12))
    other = captured(business)
    elsewhere = Actor(id=7, role="customer_service", permissions=CLERK.permissions, sites=frozenset({1}))
    with pytest.raises(NotFound):
        stage(business, other, quantity(other.lines[0], 12), actor=elsewhere)
    staged = stage(business, other, quantity(other.lines[0], 12))
    with pytest.raises(NotFound):
        apply(business, staged, actor=elsewhere)
    assert rows(database, "SELECT state FROM order_amendment") == [("staged",)]


def test_a_larger_line_is_promised_from_stock_where_there_is_some_and_else_when_it_can_be_bought(database):
    business = a_business(database, stock=12)
    order = allocated(business, [(0, 10)])
    order = amend(business, order, quantity(order.lines[0], 12))
    assert order.lines[0].promise_reason == "amended"
    order = amend(business, order, quantity(order.lines[0], 20))
    assert (order.lines[0].promise_reason, order.lines[0].promised_on) == ("lead_time", date(2026, 3, 9))
    assert rows(database, "SELECT unmet FROM reservation WHERE unmet > 0") == [(10_000,)]
    assert_books_agree(database)


def test_a_larger_line_is_not_promised_what_somebody_else_waits_for_longer(database):
    business = a_business(database, stock=10)
    order = allocated(business, [(0, 10)])
    allocated(business, [(0, 5)])
    with business.work() as work:
        change = ChangeStock(site=business.site, item=business.items[0], quantity=Decimal(5), note="delivery")
        receive_stock(work, [change], rules=RULES, cells=OPEN)
    order = amend(business, order, quantity(order.lines[0], 12))
    assert (order.lines[0].promise_reason, order.lines[0].promised_on) == ("lead_time", date(2026, 3, 9))
    assert_books_agree(database)


def test_a_changed_quantity_is_a_multiple_of_what_the_item_is_sold_in(database):
    business = a_business(database)
    order = released(business, [(0, 12)])
    with business.work() as work:
        work.session.execute(text("UPDATE item SET order_multiple = 6000"))
    before = everything(database)
    with pytest.raises(RuleBroken, match="quantity_no_multiple"):
        amend(business, order, quantity(order.lines[0], 14))
    assert everything(database) == before
    assert amend(business, order, quantity(order.lines[0], 18)).lines[0].quantity == 18_000

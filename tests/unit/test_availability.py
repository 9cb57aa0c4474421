"""Available to promise: what is there, what comes, the lead time, and nothing twice."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from erpcore.orders.availability import Part, PromiseReason, Supply, Timeline, whole

TODAY = date(2026, 3, 2)
STOCK, TRANSIT, RECEIPT, LEAD = (
    PromiseReason.STOCK, PromiseReason.TRANSIT, PromiseReason.RECEIPT, PromiseReason.LEAD_TIME,
)  # fmt: skip


def day(n):
    return TODAY + timedelta(days=n)


def a_timeline(*supplies, promised=(), lead=7):
    return Timeline(supplies, today=TODAY, lead_days=lead, promised=promised)


def test_what_is_free_now_is_promised_from_stock_today():
    assert a_timeline(Supply(TODAY, 10, STOCK)).take(10) == [Part(TODAY, 10, STOCK, None)]


def test_the_rest_comes_from_transit_then_a_receipt_then_the_supplier():
    line = a_timeline(Supply(day(4), 3, RECEIPT, 81), Supply(TODAY, 5, STOCK), Supply(day(2), 4, TRANSIT, 80))
    parts = line.take(14)
    assert parts == [
        Part(TODAY, 5, STOCK, None), Part(day(2), 4, TRANSIT, 80), Part(day(4), 3, RECEIPT, 81), Part(day(7), 2, LEAD, None)
    ]  # fmt: skip
    assert whole(parts) == Part(day(7), 14, LEAD, None)


def test_the_same_receipt_is_never_promised_twice():
    line = a_timeline(Supply(day(3), 10, RECEIPT, 80))
    assert whole(line.take(7)).receipt == 80
    assert line.take(7) == [Part(day(3), 3, RECEIPT, 80), Part(day(7), 4, LEAD, None)]
    assert line.take(1) == [Part(day(7), 1, LEAD, None)]


def test_what_earlier_lines_wait_for_is_taken_first_in_the_order_of_their_promises():
    line = a_timeline(Supply(TODAY, 2, STOCK), Supply(day(3), 10, RECEIPT, 80), promised=[5, 4])
    assert line.now() == 0
    assert line.look(3) == [Part(day(3), 3, RECEIPT, 80)]
    assert whole(line.look(4)).reason == LEAD


def test_looking_promises_nothing():
    line = a_timeline(Supply(TODAY, 5, STOCK))
    assert line.look(5) == line.look(5) == line.take(5)
    assert line.take(5)[0].reason == LEAD


def test_an_overdue_receipt_counts_from_tomorrow():
    assert whole(a_timeline(Supply(day(-3), 5, RECEIPT, 80)).take(5)) == Part(day(1), 5, RECEIPT, 80)


def test_an_empty_place_promises_by_the_lead_time():
    assert a_timeline(lead=12).take(1) == [Part(day(12), 1, LEAD, None)]


@pytest.mark.parametrize("asked", [1, 17, 40, 99])
def test_whatever_is_asked_the_parts_add_up_and_never_exceed_a_supply(asked):
    supplies = [Supply(TODAY, 7, STOCK), Supply(day(1), 9, TRANSIT, 1), Supply(day(1), 8, RECEIPT, 2)]
    line = a_timeline(*supplies, promised=[3])
    taken = [part for _ in range(5) for part in line.take(asked)]
    assert sum(part.quantity for part in taken) == 5 * asked
    for supply in supplies:
        assert (
            sum(p.quantity for p in taken if p.receipt == supply.receipt and p.reason == supply.reason)
            <= supply.quantity
        )

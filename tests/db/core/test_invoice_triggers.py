"""When an invoice is made: with each shipment, with the whole order, with the delivery, or with the period; each thing once."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text

from app.composition.uow import reading
from app.jobs import billing
from erpcore.billing.cash import ApplyCash, ReceiveCash, apply_cash, receive_cash
from erpcore.billing.services import draft_invoices, post_invoices
from erpcore.fulfilment.billing_due import period_end
from erpcore.fulfilment.services import PickOrder, confirm_shipments, pick_orders
from erpcore.kernel.errors import IllegalMove, RuleBroken
from erpcore.masterdata.services import ensure_channel
from erpcore.orders.cancelling import CancelLines, cancel_lines
from erpcore.ports import CellState
from tests.support.controls import assert_books_agree
from tests.support.core import OPEN, RULES, Cells, a_business
from tests.support.policies import approve
from tests.support.steps import allocated, shipped
from tests.support.threads import at_once
from tests.support.trader import fingerprint_of


def run(business, monkeypatch):
    monkeypatch.setattr(billing, "RegisteredCells", lambda: OPEN)
    return billing.bill_due_shipments(business.database, clock=business.clock)


def rows(business, query):
    with reading(business.database) as session:
        return [tuple(row) for row in session.execute(text(query))]


def part_of(business, order, pieces):
    """So many pieces of the first line leave."""
    with business.work() as work:
        (shipment,) = pick_orders(
            work, [PickOrder(order=order.id, lines={order.lines[0].id: pieces * 1000})], cells=OPEN
        )
        confirm_shipments(work, [shipment.id], rules=RULES, cells=OPEN)
    return shipment


def test_a_period_ends_by_the_calendar():
    wednesday = date(2026, 12, 30)
    assert period_end(wednesday, "day") == date(2026, 12, 31)
    assert period_end(wednesday, "week") == date(2027, 1, 4)
    assert period_end(date(2027, 1, 4), "week") == date(2027, 1, 11)
    assert period_end(wednesday, "month") == date(2027, 1, 1)
    assert period_end(date(2028, 1, 31), "month") == date(2028, 2, 1)


def test_a_whole_order_is_billed_once_with_its_last_shipment(database, monkeypatch):
    business = a_business(database)
    approve(business, "invoice_trigger", "order_complete")
    order = allocated(business, [(0, 10)])
    first = part_of(business, order, 4)
    assert run(business, monkeypatch) == 0
    with pytest.raises(RuleBroken) as refused, business.work() as work:
        draft_invoices(work, [first.id], cells=OPEN)
    assert refused.value.code == "invoice_not_due"
    part_of(business, order, 6)
    assert run(business, monkeypatch) == 2
    assert run(business, monkeypatch) == 0
    # One line of ten at 10.00, 20 % tax.
    assert rows(business, "SELECT number, net_minor, gross_minor FROM invoice") == [("INV-2026-000001", 10_000, 12_000)]
    assert rows(business, "SELECT quantity FROM invoice_line") == [(10_000,)]
    assert rows(business, "SELECT billing_status FROM sales_order") == [("done",)]
    assert_books_agree(database)


def test_what_left_of_an_order_is_billed_when_the_rest_is_cancelled(database, monkeypatch):
    business = a_business(database)
    approve(business, "invoice_trigger", "order_complete")
    order = allocated(business, [(0, 10)])
    part_of(business, order, 4)
    with business.work() as work:
        cancel_lines(work, [CancelLines(order=order.id, reason="not wanted", by_customer=True)])
    assert run(business, monkeypatch) == 1
    assert rows(business, "SELECT state, net_minor FROM invoice") == [("posted", 4_000)]
    assert_books_agree(database)


def test_a_week_is_billed_on_one_invoice_that_pays_both_its_orders(database, monkeypatch):
    business = a_business(database)
    approve(business, "invoice_trigger", "periodic")
    approve(business, "invoice_period", "week")
    shipped(business, [(0, 10)])
    business.clock.advance(timedelta(days=3))
    shipped(business, [(1, 5)])
    business.clock.set(datetime(2026, 3, 8, 22, 59, tzinfo=UTC))
    assert run(business, monkeypatch) == 0
    # Sunday ends at 23:00 UTC in Duisburg; what leaves then is the next week's.
    business.clock.set(datetime(2026, 3, 8, 23, 0, tzinfo=UTC))
    shipped(business, [(2, 1)])
    assert run(business, monkeypatch) == 2
    assert rows(business, "SELECT number, net_minor, tax_minor FROM invoice") == [("INV-2026-000001", 15_000, 3_000)]
    assert_books_agree(database)
    ((invoice, gross),) = rows(business, "SELECT id, gross_minor FROM invoice")
    for part, statuses in ((gross - 1, {"partial", "none"}), (1, {"done", "none"})):
        with business.work() as work:
            command = ReceiveCash(entity=business.entity, customer=business.customer, amount_minor=part)
            (receipt,) = receive_cash(work, [command])
            apply_cash(work, [ApplyCash(receipt=receipt, invoice=invoice, amount_minor=part)])
        states = rows(business, "SELECT payment_status FROM sales_order ORDER BY id")
        assert states[0] == states[1]
        assert {one for (one,) in states} == statuses
    assert [state for (state,) in rows(business, "SELECT state FROM sales_order ORDER BY id")][:2] == [
        "closed",
        "closed",
    ]
    assert_books_agree(database)


def test_each_of_a_customers_periods_place_and_customer_is_an_invoice_of_its_own(database, monkeypatch):
    business = a_business(database)
    approve(business, "invoice_trigger", "periodic")
    approve(business, "invoice_period", "day")
    for _ in range(2):
        for _ in range(2):
            shipped(business, [(0, 1)])
        business.clock.advance(timedelta(days=1))
    assert run(business, monkeypatch) == 4
    assert rows(business, "SELECT number, net_minor FROM invoice ORDER BY id") == [
        ("INV-2026-000001", 2_000),
        ("INV-2026-000002", 2_000),
    ]
    assert_books_agree(database)


class Killed(BaseException):
    pass


def test_a_run_killed_half_way_and_run_again_loses_and_doubles_nothing(database, monkeypatch):
    business = a_business(database)
    for _ in range(4):
        shipped(business, [(0, 2)])
    posts, post = [], post_invoices

    def dies_at_the_third(work, ids, *, cells):
        posts.append(ids)
        done = post(work, ids, cells=cells)
        if len(posts) == 3:
            raise Killed
        return done

    monkeypatch.setattr(billing, "post_invoices", dies_at_the_third)
    monkeypatch.setattr(billing, "AT_ONCE", 1)
    with pytest.raises(Killed):
        run(business, monkeypatch)
    assert rows(business, "SELECT COUNT(*), SUM(net_minor) FROM invoice") == [(2, 4_000)]
    assert run(business, monkeypatch) == 2
    assert rows(business, "SELECT number FROM invoice ORDER BY id") == [
        (f"INV-2026-00000{number}",) for number in (1, 2, 3, 4)
    ]
    assert rows(business, "SELECT COUNT(*) FROM shipment WHERE invoice_id IS NULL") == [(0,)]
    assert_books_agree(database)


class OneClosed(Cells):
    """Every cell is open but those of one channel."""

    def __init__(self, channel):
        super().__init__()
        self.channel = channel

    def admission(self, work, realm, cell):
        self.state = CellState.CLOSED if cell.channel == self.channel else CellState.OPEN
        return super().admission(work, realm, cell)


def test_shipments_that_are_refused_among_many_wait_and_the_others_of_their_transaction_are_billed(
    database, monkeypatch
):
    business = a_business(database)
    with business.work() as work:
        other = ensure_channel(work, "web", "Web shop").id
    of_other = {
        key
        for number in range(7)
        for key in [shipped(business, [(0, 1 + number)], channel=other if number in (2, 3) else business.channel)[1].id]
        if number in (2, 3)
    }
    monkeypatch.setattr(billing, "RegisteredCells", lambda: OneClosed(other))
    assert billing.bill_due_shipments(database, clock=business.clock) == 5
    assert rows(business, "SELECT COUNT(*), COUNT(DISTINCT number) FROM invoice WHERE state = 'posted'") == [(5, 5)]
    assert {key for (key,) in rows(business, "SELECT id FROM shipment WHERE invoice_id IS NULL")} == of_other
    assert run(business, monkeypatch) == 2
    assert rows(business, "SELECT MAX(number) FROM invoice") == [("INV-2026-000007",)]
    assert_books_agree(database)


def test_what_is_billed_twice_in_one_transaction_is_doubtful_as_it_is_one_by_one(database, monkeypatch):
    """Two parts of one order with the same goods: the second looks like the first once more."""
    business = a_business(database)
    order = allocated(business, [(0, 8)])
    for _ in range(2):
        part_of(business, order, 4)
    assert run(business, monkeypatch) == 2
    assert [state for (state,) in rows(business, "SELECT state FROM invoice ORDER BY id")] == ["posted", "blocked"]
    assert_books_agree(database)


def test_a_shipment_confirmed_twice_is_due_once(database, monkeypatch):
    business = a_business(database)
    _, shipment = shipped(business)
    before = fingerprint_of(database)
    with pytest.raises(IllegalMove), business.work() as work:
        confirm_shipments(work, [shipment.id], rules=RULES, cells=OPEN)
    assert fingerprint_of(database) == before
    assert run(business, monkeypatch) == 1
    assert_books_agree(database)


def test_two_runs_at_once_make_one_invoice_of_a_period(database, monkeypatch):
    """Whoever comes second finds, once it has the orders, that what it asks for is billed."""
    business = a_business(database)
    approve(business, "invoice_trigger", "periodic")
    approve(business, "invoice_period", "day")
    mine = [shipped(business, [(0, 1)])[1].id for _ in range(2)]
    business.clock.advance(timedelta(days=1))
    assert billing.end_waits(database, clock=business.clock) == 2

    def bill(shipment):
        def task():
            with business.work() as work:
                (invoice,) = draft_invoices(work, [shipment], cells=OPEN)
                post_invoices(work, [invoice.id], cells=OPEN)

        return task

    results = at_once(*(bill(shipment) for shipment in mine))
    assert sorted(getattr(one, "code", "billed") for one in results) == ["billed", "invoice_exists"]
    assert rows(business, "SELECT number, net_minor FROM invoice") == [("INV-2026-000001", 2_000)]
    assert run(business, monkeypatch) == 0
    assert_books_agree(database)

"""Two writers at once, and a crash in between: stock, money and numbers stay right."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import text

from app.composition.uow import reading
from erpcore.billing.cash import ApplyCash, ReceiveCash, apply_cash, receive_cash
from erpcore.billing.services import draft_invoices, post_invoices
from erpcore.fulfilment.services import confirm_shipments
from erpcore.kernel.errors import Conflict, DomainError
from erpcore.orders.allocation import allocate_orders
from tests.support.controls import assert_books_agree
from tests.support.core import OPEN, RULES, a_business
from tests.support.steps import invoiced, released, shipped
from tests.support.threads import at_once


def test_many_orders_for_the_same_item_never_promise_more_than_there_is(database):
    business = a_business(database, items=1, stock=50)
    orders = [released(business, [(0, 20)]).id for _ in range(6)]

    def allocate(order):
        def task():
            with business.work() as work:
                allocate_orders(work, [order], rules=RULES, cells=OPEN)

        return task

    assert at_once(*(allocate(order) for order in orders)) == [None] * 6
    with reading(database) as session:
        on_hand, reserved = session.execute(text("SELECT on_hand, reserved FROM stock_balance")).one()
    assert (on_hand, reserved) == (50000, 50000)
    assert_books_agree(database)


def test_two_confirming_the_same_shipment_ship_it_once(database):
    business = a_business(database)
    from erpcore.fulfilment.services import PickOrder, pick_orders
    from tests.support.steps import allocated

    order = allocated(business)
    with business.work() as work:
        (shipment,) = pick_orders(work, [PickOrder(order=order.id)], cells=OPEN)

    def confirm():
        with business.work() as work:
            confirm_shipments(work, [shipment.id], rules=RULES, cells=OPEN)

    results = at_once(confirm, confirm)
    assert sorted(type(result).__name__ for result in results) == ["IllegalMove", "NoneType"]
    assert_books_agree(database)


def test_legal_numbers_have_no_gap_when_many_post_at_once_and_one_fails(database):
    business = a_business(database)
    shipments = [shipped(business)[1].id for _ in range(8)]

    def post(shipment, fails):
        def task():
            with business.work() as work:
                (invoice,) = draft_invoices(work, [shipment], cells=OPEN)
                post_invoices(work, [invoice.id], cells=OPEN)
                if fails:
                    raise RuntimeError("the power went")

        return task

    results = at_once(*(post(shipment, number == 3) for number, shipment in enumerate(shipments)))
    assert [type(result).__name__ for result in results if result is not None] == ["RuntimeError"]
    with reading(database) as session:
        numbers = session.execute(text("SELECT number FROM invoice ORDER BY number")).scalars().all()
    assert numbers == [f"INV-2026-{number:06d}" for number in range(1, 8)]
    assert_books_agree(database)


def test_two_receipts_cannot_settle_the_same_invoice_twice(database):
    business = a_business(database)
    _, _, invoice = invoiced(business)
    with business.work() as work:
        receipts = receive_cash(
            work,
            [ReceiveCash(entity=business.entity, customer=business.customer, amount_minor=invoice.gross_minor)] * 2,
        )

    def settle(receipt):
        def task():
            with business.work() as work:
                apply_cash(work, [ApplyCash(receipt=receipt, invoice=invoice.id, amount_minor=invoice.gross_minor)])

        return task

    results = at_once(*(settle(receipt) for receipt in receipts))
    refused = [result for result in results if isinstance(result, DomainError)]
    assert len(refused) == 1
    assert refused[0].code in {"applied_too_much", "changed_meanwhile"}
    assert_books_agree(database)


def test_events_of_many_writers_come_in_commit_order_and_none_is_lost(database):
    business = a_business(database, items=1, stock=1000)
    from tests.support.steps import captured

    at_once(*([lambda: [captured(business, [(0, 1)]) for _ in range(10)]] * 4))
    with reading(database) as session:
        rows = session.execute(text("SELECT seq FROM event_log ORDER BY seq")).scalars().all()
        taken = session.execute(text("SELECT COUNT(*) FROM event_log WHERE type = 'order.captured'")).scalar_one()
    assert rows == list(range(1, len(rows) + 1))
    assert taken == 40


@pytest.mark.parametrize("step", ["before the events", "after the events"])
def test_a_crash_leaves_nothing_behind(database, step, monkeypatch):
    business = a_business(database)
    before = _everything(database)
    from erpcore.kernel.work import UnitOfWork
    from erpcore.orders.services import capture_orders

    finish = UnitOfWork.finish

    def crash(self):
        if step == "after the events":
            finish(self)
        raise KeyboardInterrupt

    monkeypatch.setattr(UnitOfWork, "finish", crash)
    with pytest.raises(KeyboardInterrupt), business.work() as work:
        capture_orders(work, [business.order()], rules=RULES, cells=OPEN)
    monkeypatch.undo()
    assert _everything(database) == before
    with business.work() as work:
        capture_orders(work, [business.order()], rules=RULES, cells=OPEN)
    assert_books_agree(database)


def _everything(database):
    tables = ("sales_order", "order_line", "event_log", "transition", "stock_move", "journal_entry")
    with reading(database) as session:
        return [session.execute(text(f"SELECT COUNT(*) FROM {table}")).scalar_one() for table in tables]


def test_a_write_after_an_older_read_of_the_same_row_is_a_conflict(database):
    """The version that was read is compared when the row is written, whoever was faster."""
    business = a_business(database)
    order = released(business)
    from erpcore.orders.records import SAVE_ORDER

    with pytest.raises(Conflict), business.work() as work:
        SAVE_ORDER.run(
            work,
            [
                {
                    "of": order.id, "was": order.version + 5, "new_state": "closed", "new_delivery_status": "none",
                    "new_billing_status": "none", "new_payment_status": "none", "new_value_minor": 1,
                }
            ],
        )  # fmt: skip


def test_a_decimal_with_lost_digits_is_refused(database):
    business = a_business(database)
    from erpcore.orders.services import NewLine, capture_orders

    line = NewLine(item=business.items[0], quantity=Decimal(1), unit_price=Decimal("1.0000001"), price_reason="x")
    with pytest.raises(ValueError, match="decimal places"), business.work() as work:
        capture_orders(work, [business.order(lines=())].__class__([_with(business, line)]), rules=RULES, cells=OPEN)


def _with(business, line):
    from dataclasses import replace

    return replace(business.order(), lines=[line])

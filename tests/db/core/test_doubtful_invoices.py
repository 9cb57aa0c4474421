"""A doubtful invoice gets no number; it waits with its reason until it is mended or released, and the run goes on past it."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text

from app.composition.uow import reading
from app.jobs import billing
from erpcore.billing.models import InvoiceState
from erpcore.billing.rechecking import recheck_invoices
from erpcore.billing.services import AmendInvoice, amend_invoices, draft_invoices, post_invoices, unblock_invoices
from erpcore.fulfilment.services import PickOrder, confirm_shipments, pick_orders
from erpcore.inventory.stock import ChangeStock, receive_stock
from erpcore.kernel.errors import IllegalMove, RuleBroken
from erpcore.masterdata.tax_keeping import NewTaxRule, end_tax_rule, keep_tax_rule
from erpcore.orders.allocation import allocate_orders
from tests.support.controls import assert_books_agree
from tests.support.core import OPEN, RULES, a_business
from tests.support.policies import approve
from tests.support.steps import invoiced, shipped
from tests.support.trader import PEOPLE, fingerprint_of


def rows(business, query):
    with reading(business.database) as session:
        return [tuple(row) for row in session.execute(text(query))]


def draft(business, *shipments):
    with business.work() as work:
        return draft_invoices(work, [one.id for one in shipments], cells=OPEN, rules=RULES)


def end_address(business, day=None):
    with business.work() as work:
        work.session.execute(text("UPDATE customer_address SET valid_until = :day"), {"day": day or date(2026, 1, 1)})


def run(business, monkeypatch):
    monkeypatch.setattr(billing, "RegisteredCells", lambda: OPEN)
    return billing.bill_due_shipments(business.database, clock=business.clock)


def test_the_run_goes_on_past_a_doubtful_invoice_which_posts_itself_once_it_is_mended(database, monkeypatch):
    business = a_business(database)
    shipped(business, [(0, 1)])
    end_address(business)
    assert run(business, monkeypatch) == 1
    assert rows(business, "SELECT state, number, block_reason FROM invoice") == [
        ("blocked", None, "the customer has no billing address")
    ]
    assert rows(business, "SELECT COUNT(*) FROM shipment WHERE invoice_id IS NULL") == [(0,)]
    assert run(business, monkeypatch) == 0
    assert_books_agree(database)
    with business.work() as work:
        work.session.execute(text("UPDATE customer_address SET valid_until = NULL"))
    shipped(business, [(1, 1)])
    assert run(business, monkeypatch) == 1
    assert rows(business, "SELECT state, number, findings FROM invoice ORDER BY id") == [
        ("posted", "INV-2026-000001", None),
        ("posted", "INV-2026-000002", None),
    ]
    assert_books_agree(database)


def test_what_somebody_released_is_posted_by_the_next_run_and_a_draft_somebody_looks_at_is_not(database, monkeypatch):
    business = a_business(database)
    shipped(business, [(0, 1)])
    end_address(business)
    assert run(business, monkeypatch) == 1
    with business.work() as work:
        work.session.execute(text("UPDATE customer_address SET valid_until = NULL"))
    _, looked_at = shipped(business, [(1, 1)])
    draft(business, looked_at)
    end_address(business)
    doubtful = rows(business, "SELECT id FROM invoice WHERE state = 'blocked'")[0][0]
    with business.work(actor=PEOPLE[1]) as work:
        unblock_invoices(work, [doubtful], "written to the old address as agreed")
    run(business, monkeypatch)
    assert rows(business, "SELECT state, number FROM invoice ORDER BY id") == [
        ("posted", "INV-2026-000001"),
        ("draft", None),
    ]
    moves = "SELECT move FROM transition WHERE document_type = 'invoice' ORDER BY id"
    assert rows(business, moves)[-2:] == [("unblock",), ("post",)]
    assert_books_agree(database)


def test_another_price_waits_for_somebody_else_and_is_cured_when_it_is_put_right(database):
    business = a_business(database)
    order, shipment = shipped(business, [(0, 10)])
    (invoice,) = draft(business, shipment)
    assert invoice.state == InvoiceState.DRAFT
    line = order.lines[0].id

    def charge(price):
        with business.work(actor=PEOPLE[0]) as work:
            amend_invoices(
                work, [AmendInvoice(invoice=invoice.id, order_line=line, unit_price=Decimal(price), reason="as said")]
            )

    charge("9.50")
    before = fingerprint_of(database)
    with pytest.raises(RuleBroken, match="invoice_own_price"), business.work(actor=PEOPLE[0]) as work:
        unblock_invoices(work, [invoice.id], "mine")
    with pytest.raises(RuleBroken, match="invoice_doubtful"), business.work() as work:
        recheck_invoices(work, [invoice.id], rules=RULES)
    with pytest.raises(IllegalMove), business.work() as work:
        post_invoices(work, [invoice.id], cells=OPEN)
    with pytest.raises(RuleBroken, match="reason_required"), business.work(actor=PEOPLE[1]) as work:
        unblock_invoices(work, [invoice.id], " ")
    assert fingerprint_of(database) == before
    charge("10.00")
    assert rows(business, "SELECT state, findings FROM invoice") == [("draft", None)]
    charge("9.50")
    with business.work(actor=PEOPLE[1]) as work:
        unblock_invoices(work, [invoice.id], "agreed")
        post_invoices(work, [invoice.id], cells=OPEN)
    assert rows(business, "SELECT net_minor, is_price_right, block_reason FROM invoice") == [
        (9_500, False, "line 10 charges 9.50, ordered at 10.00")
    ]
    assert rows(business, "SELECT move, reason FROM transition WHERE document_type = 'invoice' ORDER BY id")[-2:] == [
        ("unblock", "agreed"), ("post", None),
    ]  # fmt: skip
    assert_books_agree(database)


def test_an_amount_far_above_the_customers_own_history_waits(database):
    business = a_business(database)
    for _ in range(5):
        invoiced(business, [(0, 1)])
    approve(business, "invoice_unusual_permille", 2_000)
    ok, far = (shipped(business, [(0, quantity)])[1] for quantity in (2, 3))
    (right,), (doubtful,) = draft(business, ok), draft(business, far)
    assert right.state == "draft"
    assert doubtful.block_reason == (
        "30.00 EUR net is more than 200 % of the largest of the customer’s last 5 invoices, 10.00"
    )


def test_the_same_goods_under_the_same_reference_of_the_customer_are_doubtful_once(database):
    business = a_business(database)
    first, second, other = (
        shipped(business, [(0, 1)], customer_reference=reference)[1] for reference in ("PO-1", "PO-1", "PO-2")
    )
    (invoice,) = draft(business, first)
    with business.work() as work:
        post_invoices(work, [invoice.id], cells=OPEN)
    (twice,), (right,) = draft(business, second), draft(business, other)
    assert twice.block_reason == "INV-2026-000001 bills the same customer the same goods and amount"
    assert right.state == "draft"


def test_what_left_before_and_after_a_rate_changed_is_taxed_apart_on_a_collective_invoice(database, monkeypatch):
    business = a_business(database, tax=None)
    with business.work() as work:
        rule = {"entity": business.entity, "country": "Germany"}
        old = keep_tax_rule(work, NewTaxRule(**rule, code="OLD", rate=Decimal("0.19"), valid_from=date(2020, 1, 1)))
        end_tax_rule(work, old.id, date(2026, 3, 3))
        keep_tax_rule(work, NewTaxRule(**rule, code="NEW", rate=Decimal("0.16"), valid_from=date(2026, 3, 3)))
    approve(business, "invoice_trigger", "order_complete")
    order, _ = shipped(business, [(0, 130)])
    business.clock.advance(timedelta(days=1))
    rest(business, order)
    assert run(business, monkeypatch) == 2
    assert rows(business, "SELECT state, net_minor, tax_minor FROM invoice ORDER BY id") == [
        ("posted", 100_000, 19_000),
        ("posted", 30_000, 4_800),
    ]
    assert_books_agree(database)


def rest(business, order):
    """What is still open of the order arrives and leaves."""
    with business.work() as work:
        more = ChangeStock(site=business.site, item=business.items[0], quantity=Decimal(50), note="delivery")
        receive_stock(work, [more], rules=RULES, cells=OPEN)
    with business.work() as work:
        allocate_orders(work, [order.id], rules=RULES, cells=OPEN)
        (shipment,) = pick_orders(work, [PickOrder(order=order.id)], cells=OPEN)
        confirm_shipments(work, [shipment.id], rules=RULES, cells=OPEN)
    return shipment

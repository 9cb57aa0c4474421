"""An order runs from capture to cash, and every step is in the books."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text

from app.composition.uow import reading
from erpcore.billing.cash import ApplyCash, ReceiveCash, apply_cash, receive_cash
from erpcore.billing.credits import CreditInvoice, credit_invoices, credit_returns
from erpcore.billing.services import AmendInvoice, amend_invoices, draft_invoices, post_invoices, unblock_invoices
from erpcore.fulfilment.return_deciding import authorise_returns, decline_returns
from erpcore.fulfilment.returns import RequestReturn, ReturnedLine, request_returns
from erpcore.fulfilment.services import PickOrder, confirm_shipments, pick_orders
from erpcore.inventory.adjusting import CountStock, count_stock
from erpcore.inventory.stock import (
    ChangeStock,
    adjust_stock,
    receive_stock,
    reverse_adjustment,
)
from erpcore.kernel.errors import Conflict, IllegalMove, NeedsConfirmation, NotFound, RuleBroken
from erpcore.masterdata.services import NewEntity, add_entity, add_tax_rate
from erpcore.orders.allocation import allocate_orders
from erpcore.orders.cancelling import CancelLines, cancel_lines
from erpcore.orders.holds import HoldOrder, ReleaseHold, hold_orders, release_holds
from erpcore.orders.models import HoldKind
from erpcore.orders.releasing import release_orders
from erpcore.orders.services import NewLine, capture_orders
from erpcore.ports import CellState
from tests.support.controls import assert_books_agree
from tests.support.core import OPEN, RULES, Cells, a_business
from tests.support.policies import approve
from tests.support.steps import allocated, captured, invoiced, paid, qty, released, shipped, taken_back
from tests.support.trader import PEOPLE


def one(database, query, **values):
    with reading(database) as session:
        return session.execute(text(query), values).one()


def count(database, table):
    return one(database, f"SELECT COUNT(*) FROM {table}")[0]


def test_a_paid_order_is_closed_and_owes_nothing(database):
    business = a_business(database)
    order, _ = paid(business, [(0, 10), (1, 5)])
    row = one(
        database,
        "SELECT state, delivery_status, billing_status, payment_status FROM sales_order WHERE id = :i",
        i=order.id,
    )
    assert tuple(row) == ("closed", "done", "done", "done")
    assert one(database, "SELECT number, net_minor, tax_minor, gross_minor FROM invoice") == (
        "INV-2026-000001", 15000, 3000, 18000,
    )  # fmt: skip
    assert one(database, "SELECT receivable_minor + shipped_minor + released_minor FROM credit_exposure")[0] == 0
    assert_books_agree(database)


def test_events_come_in_causal_order_without_a_gap(database):
    business = a_business(database, items=1)
    order, _ = paid(business)
    with reading(database) as session:
        rows = session.execute(text("SELECT seq, type FROM event_log ORDER BY seq")).all()
    assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
    with reading(database) as session:
        own = session.execute(
            text("SELECT type FROM event_log WHERE journey = :j AND type <> 'ledger.posted' ORDER BY seq"),
            {"j": order.id},
        ).scalars()
        assert list(own) == [
            "order.captured", "order.validated", "order.promised", "order.released", "order.allocated", "shipment.picked",
            "shipment.confirmed", "invoice.triggered", "shipment.delivered", "invoice.drafted", "invoice.posted",
            "invoice.settled", "order.closed",
        ]  # fmt: skip


def test_the_committed_day_counts_working_days_from_the_order_and_after_the_cut_off_from_the_next(database):
    business = a_business(database)
    before = captured(business)
    business.clock.advance(timedelta(hours=6))  # 16:00 in Berlin, the cut-off is 14:00
    after = captured(business)
    assert before.lines[0].committed_on == date(2026, 3, 4)
    assert after.lines[0].committed_on == date(2026, 3, 5)


def test_a_short_line_is_backordered_with_the_day_its_item_can_be_replenished(database):
    business = a_business(database, stock=6)
    order = allocated(business, [(0, 10)])
    line = order.lines[0]
    assert (qty(line.allocated), qty(line.unallocated), line.promise_reason) == (6, 4, "lead_time")
    assert line.promised_on == date(2026, 3, 9)
    with business.work() as work:
        (shipment,) = pick_orders(work, [PickOrder(order=order.id)], cells=OPEN)
        confirm_shipments(work, [shipment.id], rules=RULES, cells=OPEN)
    with business.work() as work:
        receive_stock(
            work,
            [ChangeStock(site=business.site, item=business.items[0], quantity=Decimal(20), note="delivery")],
            rules=RULES,
            cells=OPEN,
        )
        (order,) = allocate_orders(work, [order.id], rules=RULES, cells=OPEN)
    assert qty(order.lines[0].allocated) == 4
    assert one(database, "SELECT delivery_status FROM sales_order")[0] == "partial"
    assert_books_agree(database)


def test_an_order_over_the_limit_is_held_and_goes_on_by_authority(database):
    business = a_business(database, limit=5000)
    order = released(business, [(0, 10)])
    assert order.state == "held"
    with business.work() as work:
        hold = work.session.execute(text("SELECT id FROM order_hold")).scalar_one()
        release_holds(work, [ReleaseHold(hold=hold, reason="covered by the parent company")])
        (order,) = release_orders(work, [order.id], rules=RULES, cells=OPEN)
    assert order.state == "released"
    assert one(database, "SELECT receivable_minor + shipped_minor + released_minor FROM credit_exposure")[0] == 10000
    assert_books_agree(database)


def test_a_hold_needs_a_reason_to_end_and_ends_once(database):
    business = a_business(database)
    order = captured(business)
    with business.work() as work:
        hold_orders(work, [HoldOrder(order=order.id, kind=HoldKind.MANUAL, reason="address in doubt")])
        hold = work.session.execute(text("SELECT id FROM order_hold")).scalar_one()
    with pytest.raises(RuleBroken, match="reason_required"), business.work() as work:
        release_holds(work, [ReleaseHold(hold=hold, reason=" ")])
    with business.work() as work:
        release_holds(work, [ReleaseHold(hold=hold, reason="confirmed by phone")])
    with pytest.raises(RuleBroken, match="hold_ended"), business.work() as work:
        release_holds(work, [ReleaseHold(hold=hold, reason="again")])


def test_cancelling_frees_stock_and_exposure(database):
    business = a_business(database)
    order = allocated(business, [(0, 10), (1, 10)])
    with business.work() as work:
        line = order.lines[0]
        cancel_lines(work, [CancelLines(order=order.id, reason="not needed", by_customer=True, lines={line.id: 4000})])
    assert one(database, "SELECT SUM(reserved) FROM stock_balance")[0] == 16000
    assert one(database, "SELECT receivable_minor + shipped_minor + released_minor FROM credit_exposure")[0] == 16000
    with business.work() as work:
        cancel_lines(work, [CancelLines(order=order.id, reason="shop closed", by_customer=True)])
    assert one(database, "SELECT state FROM sales_order")[0] == "cancelled"
    assert one(database, "SELECT receivable_minor + shipped_minor + released_minor FROM credit_exposure")[0] == 0
    assert_books_agree(database)


def test_cancelling_more_than_is_open_is_refused_and_changes_nothing(database):
    business = a_business(database)
    order, _ = shipped(business, [(0, 10)])
    with pytest.raises(RuleBroken, match="cancel_too_much"), business.work() as work:
        cancel_lines(work, [CancelLines(order=order.id, reason="x", by_customer=True, lines={order.lines[0].id: 1000})])
    assert one(database, "SELECT cancelled, version FROM order_line l JOIN sales_order o ON o.id = l.order_id")[0] == 0


def test_a_shipment_is_confirmed_once(database):
    business = a_business(database)
    _, shipment = shipped(business)
    before = count(database, "stock_move")
    with pytest.raises(IllegalMove), business.work() as work:
        confirm_shipments(work, [shipment.id], rules=RULES, cells=OPEN)
    assert count(database, "stock_move") == before
    assert_books_agree(database)


def test_a_short_pick_goes_back_to_being_open(database):
    business = a_business(database)
    order = allocated(business, [(0, 10)])
    line = order.lines[0].id
    with business.work() as work:
        (shipment,) = pick_orders(work, [PickOrder(order=order.id, lines={line: 7000}, short={line: 3000})], cells=OPEN)
        confirm_shipments(work, [shipment.id], rules=RULES, cells=OPEN)
    assert tuple(one(database, "SELECT allocated, picked, shipped FROM order_line")) == (0, 0, 7000)
    assert_books_agree(database)


def test_picking_more_than_is_allocated_is_refused(database):
    business = a_business(database)
    order = allocated(business, [(0, 10)])
    with pytest.raises(RuleBroken, match="pick_too_much"), business.work() as work:
        pick_orders(work, [PickOrder(order=order.id, lines={order.lines[0].id: 11000})], cells=OPEN)
    assert count(database, "shipment") == 0


def test_a_posted_invoice_refuses_change_in_the_database_itself(database):
    business = a_business(database)
    invoiced(business)
    for statement in (
        "UPDATE invoice SET net_minor = 1",
        "DELETE FROM invoice",
        "UPDATE invoice_line SET net_minor = 1",
        "UPDATE journal_line SET debit_minor = 1 WHERE debit_minor > 0",
        "DELETE FROM event_log",
        "UPDATE stock_move SET quantity = 1",
    ):
        with pytest.raises(Exception, match=r"posted|history"), business.work() as work:
            work.session.execute(text(statement))
    assert_books_agree(database)


def test_an_invoice_without_tax_is_blocked_until_somebody_names_the_rule_it_bears(database):
    business = a_business(database, tax=None)
    with business.work() as work:
        since = date(2020, 1, 1)
        rule = add_tax_rate(work, entity=business.entity, country="Austria", rate=Decimal("0.19"), valid_from=since).id
        other = add_entity(
            work, NewEntity(code="CH01", name="Other", country="Switzerland", currency="CHF", time_zone="Europe/Zurich")
        ).id
        foreign = add_tax_rate(work, entity=other, country="*", rate=Decimal(0), valid_from=since).id
    _, shipment = shipped(business)
    with business.work() as work:
        (invoice,) = draft_invoices(work, [shipment.id], cells=OPEN)
    assert invoice.state == "blocked"
    with pytest.raises(IllegalMove), business.work() as work:
        post_invoices(work, [invoice.id], cells=OPEN)
    for named, refusal in ((None, RuleBroken), (foreign, NotFound), (4711, NotFound)):
        with pytest.raises(refusal) as refused, business.work() as work:
            unblock_invoices(work, [invoice.id], "tax office ruling 12", tax_rule=named)
        assert refused.value.code == ("invoice_untaxed" if named is None else "tax_rule_unknown")
    assert tuple(one(database, "SELECT state, tax_minor, version FROM invoice")) == ("blocked", 0, 1)
    with business.work() as work:
        unblock_invoices(work, [invoice.id], "tax office ruling 12", tax_rule=rule)
    with business.work() as work:
        post_invoices(work, [invoice.id], cells=OPEN)
    row = one(database, "SELECT state, net_minor, tax_minor, gross_minor, is_tax_determined FROM invoice")
    assert (*row[:4], bool(row[4])) == ("posted", 10000, 1900, 11900, False), "named, and not determined by itself"
    assert tuple(one(database, "SELECT tax_rate, tax_rule_id FROM invoice_line")) == (190_000, rule)
    said = one(database, "SELECT facts FROM transition WHERE document_type = 'invoice' AND move = 'unblock'")[0]
    assert f'"tax_rule":{rule}' in said.replace(" ", "")
    assert_books_agree(database)


def test_an_amended_draft_is_no_longer_right_at_posting(database):
    business = a_business(database)
    order, shipment = shipped(business, [(0, 10)])
    with business.work() as work:
        (invoice,) = draft_invoices(work, [shipment.id], cells=OPEN)
        amend = AmendInvoice(
            invoice=invoice.id, order_line=order.lines[0].id, unit_price=Decimal("9.50"), reason="rep promised"
        )
        amend_invoices(work, [amend])
    with pytest.raises(RuleBroken, match="invoice_own_price"), business.work() as work:
        unblock_invoices(work, [invoice.id], "it is right")
    with business.work(actor=PEOPLE[0]) as work:
        unblock_invoices(work, [invoice.id], "the rep confirmed it")
        post_invoices(work, [invoice.id], cells=OPEN)
    row = one(database, "SELECT net_minor, gross_minor, is_price_right FROM invoice")
    assert (row[0], row[1], bool(row[2])) == (9500, 11400, False)
    assert_books_agree(database)


def test_a_shipment_is_billed_once(database):
    business = a_business(database)
    _, shipment, _ = invoiced(business)
    with pytest.raises(RuleBroken, match="invoice_exists"), business.work() as work:
        draft_invoices(work, [shipment.id], cells=OPEN)
    assert count(database, "invoice") == 1


def test_a_credit_above_the_invoice_is_refused(database):
    business = a_business(database)
    order, _, invoice = invoiced(business, [(0, 10)])
    command = {"invoice": invoice.id, "order_line": order.lines[0].id, "reason": "price", "fault": "ours"}
    with business.work() as work:
        credit_invoices(work, [CreditInvoice(quantity=Decimal(10), unit_price=Decimal(6), **command)])
    with pytest.raises(RuleBroken, match="credit_above_invoice"), business.work() as work:
        credit_invoices(work, [CreditInvoice(quantity=Decimal(10), unit_price=Decimal("4.01"), **command)])
    assert count(database, "credit_memo") == 1
    assert_books_agree(database)


def a_return(business, quantity=4, item=0, **changes):
    line = ReturnedLine(item=business.items[item], quantity=Decimal(quantity), unit_price=Decimal(10))
    return RequestReturn(
        site=business.site, channel=business.channel, customer=business.customer, reason="wrong item", fault="ours",
        lines=[line], **changes,
    )  # fmt: skip


def test_a_return_takes_the_latest_sale_and_spreads_over_earlier_ones(database):
    business = a_business(database)
    approve(business, "return_receipt_rule", "not_needed")
    old, _, _ = invoiced(business, [(0, 3)])
    business.clock.advance(timedelta(days=1))
    new, _, _ = invoiced(business, [(0, 3)])
    business.clock.advance(timedelta(days=1))
    with business.work() as work:
        (row,) = request_returns(work, [a_return(business, 7)], rules=RULES, cells=OPEN)
        authorise_returns(work, [row.id])
        taken_back(work, row.id)
        credit_returns(work, [row.id], cells=OPEN)
    assert [(part.order_line_id, qty(part.quantity), part.unlinked) for part in row.lines] == [
        (new.lines[0].id, 3, None), (old.lines[0].id, 3, None), (None, 1, "sales already returned"),
    ]  # fmt: skip
    assert one(database, "SELECT gross_minor FROM credit_memo")[0] == 8400
    assert one(database, "SELECT on_hand FROM stock_balance WHERE item_id = :i", i=business.items[0])[0] == 101000
    assert_books_agree(database)


def test_a_declined_return_can_be_returned_again(database):
    business = a_business(database)
    invoiced(business, [(0, 3)])
    business.clock.advance(timedelta(days=1))
    with business.work() as work:
        asked = a_return(business, 1)
        (row,) = request_returns(
            work, [replace(asked, lines=[*asked.lines, *a_return(business, 2).lines])], rules=RULES, cells=OPEN
        )
    assert {part.order_line_id for part in row.lines} == {row.lines[0].order_line_id}
    with business.work() as work:
        decline_returns(work, [row.id], "past the window")
    assert one(database, "SELECT returned FROM order_line")[0] == 0
    assert_books_agree(database)


def test_a_receipt_settles_no_more_than_it_has_and_the_invoice_owes(database):
    business = a_business(database)
    _, _, invoice = invoiced(business, [(0, 10)])
    with business.work() as work:
        (receipt,) = receive_cash(
            work, [ReceiveCash(entity=business.entity, customer=business.customer, amount_minor=20000)]
        )
    for amount in (12001, 0, -5):
        with pytest.raises(RuleBroken, match="applied_too_much"), business.work() as work:
            apply_cash(work, [ApplyCash(receipt=receipt, invoice=invoice.id, amount_minor=amount)])
    with business.work() as work:
        apply_cash(work, [ApplyCash(receipt=receipt, invoice=invoice.id, amount_minor=5000)])
    assert one(database, "SELECT payment_status FROM sales_order")[0] == "partial"
    assert_books_agree(database)


def test_a_count_within_tolerance_is_accepted_and_adjusts_the_book(database):
    business = a_business(database, stock=1000)
    with business.work() as work:
        differences = count_stock(
            work,
            [
                CountStock(site=business.site, item=business.items[0], counted=Decimal(996)),
                CountStock(site=business.site, item=business.items[1], counted=Decimal(990)),
            ],
            rules=RULES,
            cells=OPEN,
        )
    assert differences == [(-4000, None), (-10000, None)]
    with reading(database) as session:
        rows = session.execute(text("SELECT data FROM event_log WHERE type = 'stock.counted' ORDER BY seq")).scalars()
        assert ['"within_tolerance":true' in row for row in rows] == [True, False]
    assert_books_agree(database)


def test_a_reversed_adjustment_leaves_stock_as_it_was_and_is_reversed_once(database):
    business = a_business(database)
    with business.work() as work:
        (moved,) = adjust_stock(
            work,
            [ChangeStock(site=business.site, item=business.items[0], quantity=Decimal(-5), note="broken")],
            rules=RULES,
            cells=OPEN,
        )
        reverse_adjustment(work, moved.id, "found again", rules=RULES, cells=OPEN)
    assert one(database, "SELECT on_hand FROM stock_balance WHERE item_id = :i", i=business.items[0])[0] == 100000
    with pytest.raises(RuleBroken, match="not_reversible"), business.work() as work:
        reverse_adjustment(work, moved.id, "again", rules=RULES, cells=OPEN)
    assert_books_agree(database)


def test_stock_cannot_be_adjusted_below_what_is_promised(database):
    business = a_business(database)
    allocated(business, [(0, 60)])
    with pytest.raises(RuleBroken, match="stock_short"), business.work() as work:
        adjust_stock(
            work,
            [ChangeStock(site=business.site, item=business.items[0], quantity=Decimal(-41), note="lost")],
            rules=RULES,
            cells=OPEN,
        )
    assert_books_agree(database)


@pytest.mark.parametrize(
    ("state", "admitted"),
    [(CellState.OPEN, True), (CellState.CLOSED, False), (CellState.DRAINING, False), (CellState.IN_FALLBACK, False),
     (CellState.IN_REHEARSAL, False)],
)  # fmt: skip
def test_only_an_open_cell_takes_a_new_live_order(database, state, admitted):
    business = a_business(database)
    if admitted:
        with business.work() as work:
            capture_orders(work, [business.order()], rules=RULES, cells=Cells(state))
    else:
        with pytest.raises(RuleBroken, match="cell_closed") as refusal, business.work() as work:
            capture_orders(work, [business.order()], rules=RULES, cells=Cells(state))
        assert refusal.value.facts["waits_for"] == "its entry gate"
    assert count(database, "sales_order") == int(admitted)


def test_a_draining_cell_finishes_what_is_in_flight(database):
    business = a_business(database)
    order = captured(business)
    with business.work() as work:
        release_orders(work, [order.id], rules=RULES, cells=Cells(CellState.DRAINING))
        allocate_orders(work, [order.id], rules=RULES, cells=Cells(CellState.DRAINING))
    assert one(database, "SELECT state FROM sales_order")[0] == "released"


def test_a_closed_cell_stops_a_captured_order(database):
    business = a_business(database)
    order = captured(business)
    with pytest.raises(RuleBroken, match="cell_closed"), business.work() as work:
        release_orders(work, [order.id], rules=RULES, cells=Cells(CellState.CLOSED))
    assert one(database, "SELECT state FROM sales_order")[0] == "captured"


def test_another_realm_is_refused(database):
    business = a_business(database)
    with pytest.raises(RuleBroken, match="other_realm"), business.work(realm="rehearsal") as work:
        capture_orders(work, [business.order()], rules=RULES, cells=OPEN)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ({"quantity": Decimal(0)}, "quantity_not_positive"),
        ({"quantity": Decimal(-3)}, "quantity_not_positive"),
        ({"quantity": Decimal("1.5")}, "quantity_too_precise"),
        ({"quantity": Decimal(1), "unit_price": Decimal(-1)}, "price_negative"),
        ({"quantity": Decimal(1), "unit_price": Decimal(8)}, "reason_required"),
        ({"quantity": Decimal(1), "item": 999_999_999}, "item_unknown"),
    ],
)
def test_a_bad_line_is_refused_by_name_and_nothing_is_kept(database, line, code):
    business = a_business(database)
    command = business.order(lines=())
    bad = NewLine(**{"item": business.items[0], **line})
    with pytest.raises((RuleBroken, NotFound), match=code), business.work() as work:
        capture_orders(work, [type(command)(**{**_fields(command), "lines": [bad]})], rules=RULES, cells=OPEN)
    assert count(database, "sales_order") == 0
    assert count(database, "event_log") == 6


def _fields(command):
    return {name: getattr(command, name) for name in command.__dataclass_fields__}


def test_an_order_seen_in_an_older_version_is_a_conflict(database):
    business = a_business(database)
    order = captured(business)
    with business.work() as work:
        hold_orders(work, [HoldOrder(order=order.id, kind=HoldKind.MANUAL, reason="wait")])
    with pytest.raises(Conflict, match="changed_meanwhile"), business.work() as work:
        cancel_lines(work, [CancelLines(order=order.id, reason="late", by_customer=True, seen_version=1)])


def test_confirmation_is_a_refusal_that_names_itself():
    assert str(NeedsConfirmation("duplicate", order="SO-1")) == "duplicate {'order': 'SO-1'}"

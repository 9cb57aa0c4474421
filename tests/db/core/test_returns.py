"""Goods that come back: what came is counted, looked at, kept at its old cost and credited at its invoice; never twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from erpcore.billing.credits import CreditInvoice, credit_invoices, credit_returns
from erpcore.billing.models import CreditMemo
from erpcore.billing.services import AmendInvoice, amend_invoices, draft_invoices, post_invoices, unblock_invoices
from erpcore.fulfilment.models import Disposition
from erpcore.fulfilment.return_deciding import authorise_returns, give_up_returns
from erpcore.fulfilment.return_exchange import OrderReplacement, order_replacement
from erpcore.fulfilment.returned_goods import Finding, InspectReturn, ReceiveReturn, inspect_returns, receive_returns
from erpcore.fulfilment.returns import RequestReturn, ReturnedLine, request_returns
from erpcore.kernel.errors import DomainError, IllegalMove, RuleBroken
from tests.support.controls import assert_books_agree
from tests.support.core import OPEN, RULES, a_business
from tests.support.policies import approve
from tests.support.steps import invoiced, shipped, taken_back
from tests.support.story import rows
from tests.support.threads import at_once
from tests.support.trader import PEOPLE, fingerprint_of


def authorised(business, order, quantity=4, item=0, fault="ours", **changes):
    """A return of some of the order's first line, that may come."""
    business.clock.advance(timedelta(days=1))
    line = ReturnedLine(item=business.items[item], quantity=Decimal(quantity), order_line=order.lines[0].id)
    command = RequestReturn(
        site=business.site, channel=business.channel, customer=business.customer, reason="damaged", fault=fault,
        lines=[replace(line, **changes)],
    )  # fmt: skip
    with business.work() as work:
        (row,) = request_returns(work, [command], rules=RULES, cells=OPEN)
        authorise_returns(work, [row.id])
    return row


def received(business, row, came=None, others=()):
    with business.work() as work:
        quantities = {} if came is None else {row.lines[0].id: Decimal(came)}
        receive_returns(work, [ReceiveReturn(id=row.id, came=quantities, others=others)], cells=OPEN)


def inspected(business, row, *found):
    with business.work() as work:
        findings = [Finding(line=row.lines[0].id, quantity=Decimal(q), disposition=goods) for q, goods in found]
        inspect_returns(work, [InspectReturn(id=row.id, findings=findings)], cells=OPEN)


def credited(business, row):
    with business.work() as work:
        credit_returns(work, [row.id], cells=OPEN)


def refused(business, act, code):
    """The act is refused for that reason, and nothing at all changes."""
    before = fingerprint_of(business.database)
    with pytest.raises(DomainError) as refusal, business.work() as work:
        act(work)
    assert refusal.value.code == code
    assert fingerprint_of(business.database) == before


def stock_of(business, item=0):
    sql = f"SELECT on_hand, blocked, value_minor FROM stock_balance WHERE item_id = {business.items[item]}"
    return tuple(rows(business, sql)[0])


def test_nothing_is_in_stock_before_it_was_looked_at_and_then_each_piece_where_it_belongs(database):
    business = a_business(database)
    order, _, _ = invoiced(business)
    on_hand, blocked, worth = stock_of(business)
    cost = -rows(business, "SELECT value_minor FROM stock_move WHERE document_type = 'shipment'")[0][0] // 10
    row = authorised(business, order, 5)
    received(business, row)
    assert stock_of(business) == (on_hand, blocked, worth)
    assert_books_agree(database)
    inspected(
        business, row, (1, Disposition.RESTOCK), (1, Disposition.QUARANTINE), (2, Disposition.SUPPLIER), (1, Disposition.SCRAP)
    )  # fmt: skip
    assert stock_of(business) == (on_hand + 4000, blocked + 3000, worth + 4 * cost)
    assert rows(business, "SELECT sum(asked), sum(quantity), count(*) FROM return_line") == [(5000, 5000, 4)]
    assert_books_agree(database)
    credited(business, row)
    # One line for the sale: the pieces were divided by the inspection, the price was not.
    assert rows(business, "SELECT quantity, net_minor FROM credit_memo_line") == [(5000, 5000)]
    assert_books_agree(database)


def test_less_comes_than_was_asked_for_and_the_rest_may_come_another_time(database):
    business = a_business(database)
    order, _, _ = invoiced(business)
    row = authorised(business, order, 10)
    received(business, row, 6)
    assert rows(business, "SELECT returned FROM order_line") == [(6000,)]
    assert rows(business, "SELECT asked, quantity FROM return_line") == [(10000, 6000)]
    assert_books_agree(database)
    with business.work() as work:
        inspect_returns(work, [InspectReturn(id=row.id)], cells=OPEN)
        credit_returns(work, [row.id], cells=OPEN)
    rest = authorised(business, order, 4)
    with business.work() as work:
        taken_back(work, rest.id)
        credit_returns(work, [rest.id], cells=OPEN)
    invoice = rows(business, "SELECT net_minor, tax_minor FROM invoice")
    assert rows(business, "SELECT sum(net_minor), sum(tax_minor) FROM credit_memo") == invoice
    assert_books_agree(database)


def test_more_comes_than_was_asked_for_but_never_more_than_was_delivered(database):
    business = a_business(database)
    order, _, _ = invoiced(business)
    row = authorised(business, order, 4)
    too_many = ReceiveReturn(id=row.id, came={row.lines[0].id: Decimal(11)})
    refused(business, lambda work: receive_returns(work, [too_many], cells=OPEN), "return_too_much")
    received(business, row, 10)
    assert rows(business, "SELECT returned FROM order_line") == [(10000,)]
    assert_books_agree(database)


def test_another_item_came_and_is_tied_to_its_own_sale_or_worth_nothing(database):
    business = a_business(database)
    order, _, _ = invoiced(business, [(0, 10), (1, 3)])
    row = authorised(business, order, 2)
    others = [
        ReturnedLine(item=business.items[item], quantity=Decimal(1), disposition=Disposition.QUARANTINE)
        for item in (1, 2)
    ]
    received(business, row, 0, others)
    found = rows(business, "SELECT item_id, order_line_id, asked, quantity, unlinked FROM return_line ORDER BY line_no")
    assert [tuple(line) for line in found] == [
        (business.items[0], order.lines[0].id, 2000, 0, None), (business.items[1], order.lines[1].id, 0, 1000, None),
        (business.items[2], None, 0, 1000, "no earlier sale"),
    ]  # fmt: skip
    assert_books_agree(database)
    inspected(business, row)
    credited(business, row)
    assert rows(business, "SELECT item_id, order_line_id FROM credit_memo_line WHERE net_minor > 0") == [
        (business.items[1], order.lines[1].id)
    ]
    assert_books_agree(database)


def test_a_parcel_with_nothing_in_it_is_refused_and_the_return_given_up(database):
    business = a_business(database)
    order, _, _ = invoiced(business)
    row = authorised(business, order, 4)
    nothing = ReceiveReturn(id=row.id, came={row.lines[0].id: Decimal(0)})
    refused(business, lambda work: receive_returns(work, [nothing], cells=OPEN), "return_nothing_came")
    refused(business, lambda work: give_up_returns(work, [row.id], " "), "reason_required")
    with business.work() as work:
        give_up_returns(work, [row.id], "never sent")
    assert rows(business, "SELECT returned FROM order_line") == [(0,)]
    assert rows(business, "SELECT state FROM return_order") == [("declined",)]
    assert_books_agree(database)


@pytest.mark.parametrize(
    ("came", "code"),
    [("-1", "counted_below_zero"), ("1000000000000", "quantity_absurd"), ("0.5", "quantity_too_precise")],
)
def test_nonsense_is_counted_by_nobody(database, came, code):
    business = a_business(database)
    order, _, _ = invoiced(business)
    row = authorised(business, order, 4)
    counted = ReceiveReturn(id=row.id, came={row.lines[0].id: Decimal(came)})
    refused(business, lambda work: receive_returns(work, [counted], cells=OPEN), code)


def test_findings_are_all_of_what_came_and_of_lines_of_the_return(database):
    business = a_business(database)
    order, _, _ = invoiced(business)
    row, other = authorised(business, order, 4), authorised(business, order, 1)
    received(business, row, 3)

    def inspect(line, quantity, goods=Disposition.SCRAP):
        finding = Finding(line=line, quantity=Decimal(quantity), disposition=goods)
        return lambda work: inspect_returns(work, [InspectReturn(id=row.id, findings=[finding])], cells=OPEN)

    refused(business, inspect(row.lines[0].id, 4), "inspected_differs")
    refused(business, inspect(row.lines[0].id, 2), "inspected_differs")
    refused(business, inspect(row.lines[0].id, 3, Disposition.NONE), "disposition_unfit")
    refused(business, inspect(other.lines[0].id, 1), "return_line_unknown")


def test_goods_come_back_at_what_they_cost_when_they_left(database):
    business = a_business(database)
    order, _, _ = invoiced(business)
    value = stock_of(business)[2]
    was = rows(business, "SELECT unit_cost FROM stock_move WHERE document_type = 'shipment'")[0][0]
    with business.work() as work:
        work.session.connection().exec_driver_sql(
            f"UPDATE item SET standard_cost = standard_cost * 3 WHERE id = {business.items[0]}"
        )
    row = authorised(business, order, 2)
    with business.work() as work:
        taken_back(work, row.id)
    back = rows(business, "SELECT unit_cost, value_minor FROM stock_move WHERE reason = 'return'")
    assert back == [(was, stock_of(business)[2] - value)]
    assert_books_agree(database)


def test_a_return_is_credited_at_the_price_of_its_invoice_less_what_was_credited_before(database):
    business = a_business(database)
    order, shipment = shipped(business)
    line = order.lines[0].id
    with business.work() as work:
        (draft,) = draft_invoices(work, [shipment.id], cells=OPEN)
        amend_invoices(work, [AmendInvoice(invoice=draft.id, order_line=line, unit_price=Decimal(9), reason="agreed")])
    with business.work(actor=PEOPLE[0]) as work:
        unblock_invoices(work, [draft.id], "agreed")
        post_invoices(work, [draft.id], cells=OPEN)
    lower = CreditInvoice(
        invoice=draft.id, order_line=line, quantity=Decimal(10), unit_price=Decimal("1.01"), reason="late", fault="ours"
    )
    with business.work() as work:
        credit_invoices(work, [lower])
    first = authorised(business, order, 3)
    with business.work() as work:
        taken_back(work, first.id)
        credit_returns(work, [first.id], cells=OPEN)
    rest = authorised(business, order, 7)
    with business.work() as work:
        taken_back(work, rest.id)
        credit_returns(work, [rest.id], cells=OPEN)
    # 90.00 were invoiced: 10.10 came off the price, then 3 and 7 of 10 of the 79.90 that were left.
    assert rows(business, "SELECT net_minor, invoice_id FROM credit_memo_line ORDER BY credit_memo_id") == [
        (1010, draft.id), (2397, draft.id), (5593, draft.id),
    ]  # fmt: skip
    refused(business, lambda work: credit_invoices(work, [lower]), "credit_above_invoice")
    assert_books_agree(database)


def test_two_take_the_same_goods_in_and_one_of_them_does(database):
    business = a_business(database)
    order, _, _ = invoiced(business)
    row = authorised(business, order, 4)

    def take(came):
        def task():
            received(business, row, came)

        return task

    results = at_once(take(4), take(3))
    assert sorted(type(result).__name__ for result in results) == ["IllegalMove", "NoneType"]
    assert_books_agree(database)
    results = at_once(lambda: inspected(business, row), lambda: inspected(business, row))
    assert sorted(type(result).__name__ for result in results) == ["IllegalMove", "NoneType"]
    assert rows(business, "SELECT count(*) FROM stock_move WHERE reason = 'return'") == [(1,)]
    assert_books_agree(database)


def test_two_returns_and_a_lower_price_at_once_credit_no_more_than_was_invoiced(database):
    business = a_business(database)
    order, _, invoice = invoiced(business)
    one, two = authorised(business, order, 5), authorised(business, order, 5)
    with business.work() as work:
        taken_back(work, one.id, two.id)
    lower = CreditInvoice(
        invoice=invoice.id, order_line=order.lines[0].id, quantity=Decimal(10), unit_price=Decimal(5), reason="late",
        fault="ours",
    )  # fmt: skip

    def reduce():
        with business.work() as work:
            credit_invoices(work, [lower])

    results = at_once(lambda: credited(business, one), lambda: credited(business, two), reduce)
    assert {type(result) for result in results} <= {type(None), RuleBroken}
    net = rows(business, f"SELECT net_minor FROM invoice WHERE id = {invoice.id}")[0][0]
    assert rows(business, "SELECT sum(net_minor) FROM credit_memo")[0][0] <= net
    assert rows(business, "SELECT count(*) FROM credit_memo WHERE return_id IS NOT NULL") == [(2,)]
    assert_books_agree(database)


def test_two_authorised_returns_of_the_same_goods_never_bring_more_than_was_sold(database):
    business = a_business(database)
    order, _, _ = invoiced(business)
    one, two = authorised(business, order, 5), authorised(business, order, 5)
    results = at_once(lambda: received(business, one, 6), lambda: received(business, two, 5))
    assert [type(result).__name__ for result in results] == ["RuleBroken", "NoneType"]
    assert rows(business, "SELECT returned FROM order_line") == [(10000,)]
    assert_books_agree(database)


def halted(business, act):
    """The act is done, and the power goes before it is kept."""
    with business.work() as work:
        act(work)
        raise RuntimeError("the power went")


@pytest.mark.parametrize("step", ["receive", "inspect", "credit"])
def test_the_power_goes_between_the_move_and_its_end_and_the_step_is_made_once_when_it_is_made_again(database, step):
    business = a_business(database)
    order, _, _ = invoiced(business)
    row = authorised(business, order, 4)
    steps = {
        "receive": lambda work: receive_returns(work, [ReceiveReturn(id=row.id)], cells=OPEN),
        "inspect": lambda work: inspect_returns(work, [InspectReturn(id=row.id)], cells=OPEN),
        "credit": lambda work: credit_returns(work, [row.id], cells=OPEN),
    }
    for name, act in steps.items():
        if name == step:
            before = fingerprint_of(database)
            with pytest.raises(RuntimeError):
                halted(business, act)
            assert fingerprint_of(database) == before
        with business.work() as work:
            act(work)
        assert_books_agree(database)
        with pytest.raises(IllegalMove), business.work() as work:
            act(work)
    assert rows(business, "SELECT count(*), max(number) FROM credit_memo") == [(1, "CRN-2026-000001")]


def replaced(business, row, wanted=None):
    with business.work() as work:
        return order_replacement(work, OrderReplacement(id=row.id, wanted=wanted or {}), rules=RULES, cells=OPEN)


def test_a_replacement_is_an_order_tied_to_its_return_and_the_return_is_credited_all_the_same(database):
    business = a_business(database)
    order, _, _ = invoiced(business)
    row = authorised(business, order, 4)
    new = replaced(business, row)
    assert rows(business, "SELECT replacement_id, version FROM return_order") == [(new.id, 3)]
    assert [(line.item_id, line.quantity) for line in new.lines] == [(business.items[0], 4000)]
    assert rows(business, f"SELECT customer_reference FROM sales_order WHERE id = {new.id}") == [(row.number,)]
    refused(
        business,
        lambda work: order_replacement(work, OrderReplacement(id=row.id), rules=RULES, cells=OPEN),
        "return_replaced",
    )
    with business.work() as work:
        taken_back(work, row.id)
    credited(business, row)
    assert rows(business, "SELECT state, replacement_id FROM return_order") == [("credited", new.id)]
    assert rows(business, "SELECT returned FROM order_line ORDER BY id") == [(4000,), (0,)]
    assert_books_agree(database)


def test_another_item_may_come_instead_and_nothing_before_the_return_is_authorised(database):
    business = a_business(database)
    order, _, _ = invoiced(business)
    row = authorised(business, order, 4)
    with business.work() as work:
        give_up_returns(work, [row.id], "nothing came")
    late = OrderReplacement(id=row.id)
    refused(business, lambda work: order_replacement(work, late, rules=RULES, cells=OPEN), "return_not_agreed")
    row = authorised(business, order, 4)
    nothing = OrderReplacement(id=row.id, wanted={business.items[0]: Decimal(0)})
    refused(business, lambda work: order_replacement(work, nothing, rules=RULES, cells=OPEN), "nothing_entered")
    new = replaced(business, row, {business.items[1]: Decimal(2)})
    assert [(line.item_id, line.quantity) for line in new.lines] == [(business.items[1], 2000)]


def test_two_who_order_the_replacement_at_once_order_it_once(database):
    business = a_business(database)
    order, _, _ = invoiced(business)
    row = authorised(business, order, 4)
    results = at_once(lambda: replaced(business, row), lambda: replaced(business, row))
    assert sum(not isinstance(one, Exception) for one in results) == 1
    assert rows(business, "SELECT count(*) FROM sales_order") == [(2,)]
    assert_books_agree(database)


def with_fee(business, permille=100):
    approve(business, "restocking_fee_permille", permille)


def memo_lines(business):
    sql = "SELECT quantity, net_minor, tax_rate, is_fee FROM credit_memo_line ORDER BY credit_memo_id, line_no"
    return [tuple(row) for row in rows(business, sql)]


def booked(business, role):
    sql = (
        "SELECT coalesce(sum(l.credit_minor - l.debit_minor), 0) FROM journal_line l "
        f"JOIN ledger_account a ON a.id = l.account_id WHERE a.role = '{role}'"
    )
    return rows(business, sql)[0][0]


def test_a_fee_is_a_line_of_its_own_with_its_tax_on_an_account_of_its_own(database):
    business = a_business(database)
    with_fee(business)
    order, _, invoice = invoiced(business)
    row = authorised(business, order, 10, fault="customer")
    with business.work() as work:
        taken_back(work, row.id)
    credited(business, row)
    rate = rows(business, "SELECT tax_rate FROM invoice_line")[0][0]
    assert memo_lines(business) == [(10_000, 10_000, rate, False), (-1000, -1000, rate, True)]
    net, tax = rows(business, "SELECT net_minor, tax_minor FROM credit_memo")[0]
    assert (net, tax) == (9_000, invoice.tax_minor * 9 // 10)
    assert (booked(business, "restocking"), booked(business, "revenue")) == (1000, 0)
    assert rows(business, "SELECT code, kind FROM item WHERE code = 'RESTOCKING'") == [("RESTOCKING", "charge")]
    assert_books_agree(database)


def test_what_is_our_fault_costs_no_fee_and_a_later_value_none_for_what_was_asked_before(database):
    business = a_business(database)
    order, _, _ = invoiced(business)
    before = authorised(business, order, 2, fault="customer")
    with_fee(business)
    ours = authorised(business, order, 2)
    with business.work() as work:
        taken_back(work, before.id, ours.id)
        credit_returns(work, [before.id, ours.id], cells=OPEN)
    assert [line[3] for line in memo_lines(business)] == [False, False]
    assert booked(business, "restocking") == 0
    assert_books_agree(database)


def test_a_fee_is_of_what_came_and_rounded_once(database):
    """A third comes back of what was asked for; 12.5 % of 3 × 10.00, and a part of it the next month."""
    business = a_business(database)
    with_fee(business, 125)
    order, _, _ = invoiced(business)
    first = authorised(business, order, 6, fault="customer")
    received(business, first, 3)
    inspected(business, first, (3, Disposition.RESTOCK))
    credited(business, first)
    assert memo_lines(business)[-1][:2] == (-1000, -375)
    business.clock.advance(timedelta(days=28))
    second = authorised(business, order, 1, fault="customer")
    with business.work() as work:
        taken_back(work, second.id)
    credited(business, second)
    assert memo_lines(business)[-1][:2] == (-1000, -125)
    with business.work() as work:
        days = list(work.session.scalars(select(CreditMemo.credit_on).order_by(CreditMemo.id)))
    assert days == [date(2026, 3, 3), date(2026, 4, 1)]
    assert_books_agree(database)


def test_two_companies_first_fees_at_once_make_one_item_each(database):
    business = a_business(database)
    with_fee(business)
    order, _, _ = invoiced(business)
    one, two = (authorised(business, order, 2, fault="customer") for _ in range(2))
    with business.work() as work:
        taken_back(work, one.id, two.id)
    results = at_once(lambda: credited(business, one), lambda: credited(business, two))
    assert results == [None, None]
    assert rows(business, "SELECT count(*) FROM item WHERE code = 'RESTOCKING'") == [(1,)]
    assert booked(business, "restocking") == 400
    assert_books_agree(database)

"""Money that somebody typed before the bank brought it: said, never taken twice in silence, and cleared once."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from app.composition.uow import reading
from app.importers.bankfiles.accepting import accept_chosen, accept_sure
from app.queries.cash_desk import lines_waiting, suggest
from erpcore.billing.bank_lines import AssignLine, assign_lines, recognise_lines
from erpcore.billing.cash import ReceiveCash
from erpcore.billing.cash_known import SameReceipt
from erpcore.billing.cash_reversal import ReturnReceipt, return_receipts
from erpcore.billing.cash_typed import RecordReceipt, record_receipt
from erpcore.billing.models import Invoice
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import DomainError, RuleBroken
from erpcore.masterdata.services import NewCustomer, add_customers
from tests.support.bankdesk import a_desk, hand_in
from tests.support.bankfiles import camt, entry
from tests.support.controls import assert_books_agree
from tests.support.queries import all_statements
from tests.support.rows import rows
from tests.support.steps import invoiced
from tests.support.threads import at_once
from tests.support.trader import fingerprint_of

DESK = Actor.system("test")


@pytest.fixture
def desk(database):
    """An invoice of 120.00 that a receipt was typed for, and the entry of the bank that brings it, with the invoice's number."""
    business = a_desk(database)
    _, _, invoice = invoiced(business)
    business.invoice = invoice
    business.receipt = typed(business, 12_000)
    with reading(database) as session:
        business.number = session.get_one(Invoice, invoice.id).number
    (business.line,) = came(business, entry("120.00", text=business.number))
    return business


def typed(business, minor, again=None, **changes):
    command = ReceiveCash(entity=business.entity, customer=business.customer, amount_minor=minor, **changes)
    with business.work() as work:
        return record_receipt(work, RecordReceipt(receipt=command, again=again))


def came(business, *entries, closing="120.00"):
    """The lines that these entries became."""
    known = {key for (key,) in rows(business.database, "SELECT id FROM bank_line")}
    hand_in(business, camt(*entries, closing=closing), f"{len(known)}.xml")
    return [key for (key,) in rows(business.database, "SELECT id FROM bank_line ORDER BY id") if key not in known]


def refused(business, act, code):
    before = fingerprint_of(business.database)
    with pytest.raises(DomainError) as found, business.work() as work:
        act(work)
    assert found.value.code == code
    assert fingerprint_of(business.database) == before
    return found.value


def sums(business):
    found = rows(
        business.database,
        "SELECT a.role, SUM(l.debit_minor - l.credit_minor) FROM journal_line l JOIN ledger_account a ON a.id = l.account_id "
        "WHERE a.role IN ('bank', 'bank_clearing', 'on_account', 'bank_fees') GROUP BY a.role",
    )
    return {role: minor for role, minor in found if minor}


def is_same(line, receipt):
    return lambda work: recognise_lines(work, [SameReceipt(line=line, receipt=receipt)])


def is_theirs(business, line, again=None):
    return lambda work: assign_lines(work, [AssignLine(line=line, customer=business.customer, again=again)])


def test_the_entry_is_not_assigned_in_silence_and_says_which_receipt_it_may_be(desk):
    found = refused(desk, is_theirs(desk, desk.line), "line_typed_before")
    assert (found.facts["receipt"], found.field) == (desk.receipt, "again")
    refused(desk, is_theirs(desk, desk.line, "  "), "line_typed_before")


def test_it_is_that_receipt_and_its_money_is_in_the_bank_once(desk):
    assert sums(desk) == {"bank": 24_000, "bank_clearing": -12_000, "on_account": -12_000}
    with desk.work() as work:
        is_same(desk.line, desk.receipt)(work)
    assert sums(desk) == {"bank": 12_000, "on_account": -12_000}
    assert rows(desk.database, "SELECT state, outcome, receipt_id FROM bank_line") == [
        ("assigned", "typed", desk.receipt)
    ]
    assert rows(desk.database, "SELECT COUNT(*) FROM receipt") == [(1,)]
    assert_books_agree(desk.database)
    refused(desk, is_same(desk.line, desk.receipt), "line_settled")
    (other,) = came(desk, entry("120.00", ref="B9"), closing="120.00")
    refused(desk, is_same(other, desk.receipt), "receipt_not_typed")
    with desk.work() as work:
        is_theirs(desk, other)(work)
    assert_books_agree(desk.database)


def test_another_payment_is_taken_with_a_reason_that_is_kept(desk):
    with desk.work() as work:
        is_theirs(desk, desk.line, "they pay two orders of the same amount")(work)
    assert sums(desk) == {"bank": 24_000, "on_account": -24_000}
    assert rows(desk.database, "SELECT outcome FROM bank_line") == [("receipt",)]
    ((kept,),) = rows(desk.database, "SELECT content FROM audit_entry WHERE kind = 'bank_line.is_another'")
    assert "they pay two orders of the same amount" in kept
    assert_books_agree(desk.database)


def test_the_automatic_acceptance_leaves_it_and_the_desk_says_so(desk):
    with reading(desk.database) as session:
        (shown,) = suggest(session, DESK, desk.entity, lines_waiting(session, desk.entity, limit=9))
    assert shown.proposal.confidence >= 95
    assert (shown.typed.id, shown.typed.number) == (desk.receipt, f"RC-{desk.receipt}")
    with desk.work() as work:
        assert accept_sure(work, desk.entity, 95) == []
    assert rows(desk.database, "SELECT state FROM bank_line") == [("open",)]
    refused(
        desk, lambda work: accept_chosen(work, desk.entity, {desk.line: shown.token}, {desk.line}), "line_typed_before"
    )
    with desk.work() as work:
        return_receipts(work, [ReturnReceipt(receipt=desk.receipt, reason="a mistake", amount_minor=12_000)])
    with desk.work() as work:
        assert len(accept_sure(work, desk.entity, 95)) == 1, "what went back whole is nobody's money any more"


@pytest.mark.parametrize(("days", "is_known"), [(7, True), (8, False)])
def test_only_what_was_typed_within_seven_days_counts(database, days, is_known):
    business = a_desk(database)
    typed(business, 12_000)
    day = (business.clock.now() + timedelta(days=days)).date()
    business.clock.advance(timedelta(days=days))
    (line,) = came(business, entry("120.00", day=day.isoformat()))
    if is_known:
        refused(business, is_theirs(business, line), "line_typed_before")
    else:
        with business.work() as work:
            is_theirs(business, line)(work)


def test_another_customer_another_amount_and_what_the_bank_brought_are_not_it(desk):
    with desk.work() as work:
        (other,) = add_customers(
            work, [NewCustomer(entity=desk.entity, code="20", name="Dachdecker", country="Germany", currency="EUR")]
        )
    first, second, third = came(
        desk, entry("120.00", ref="B2"), entry("119.99", ref="B3"), entry("50.00", ref="B4"), closing="289.99"
    )
    for line, customer in ((first, other.id), (second, desk.customer), (third, desk.customer)):
        with desk.work() as work:
            assign_lines(work, [AssignLine(line=line, customer=customer)])
    (again,) = came(desk, entry("50.00", ref="B5"), closing="50.00")
    with desk.work() as work:
        is_theirs(desk, again)(work)
    assert_books_agree(desk.database)


def test_a_receipt_that_does_not_fit_is_refused(desk):
    (large,) = came(desk, entry("130.00", ref="B2"), closing="130.00")
    refused(desk, is_same(large, desk.receipt), "receipt_other_amount")
    refused(desk, is_same(large, 4_711), "receipt_unknown")
    with desk.work() as work:
        (banked,) = is_theirs(desk, large)(work)
    (next_one,) = came(desk, entry("130.00", ref="B3"), closing="130.00")
    refused(desk, is_same(next_one, banked), "receipt_not_typed")
    (out,) = came(desk, entry("120.00", debit=True), closing="-120.00")
    refused(desk, is_same(out, desk.receipt), "line_pays_out")


def test_a_fee_that_the_bank_kept_is_booked_where_nobody_knew_of_it(database):
    business = a_desk(database)
    receipt = typed(business, 12_000)
    (line,) = came(business, entry("118.00", fee="2.00"), closing="118.00")
    with business.work() as work:
        is_same(line, receipt)(work)
    assert sums(business) == {"bank": 11_800, "bank_fees": 200, "on_account": -12_000}
    assert_books_agree(database)


def test_two_entries_and_one_receipt_end_as_one_of_each(desk):
    (other,) = came(desk, entry("120.00", ref="B9"), closing="120.00")

    def try_it(line):
        with desk.work() as work:
            is_same(line, desk.receipt)(work)

    results = at_once(lambda: try_it(desk.line), lambda: try_it(other))
    assert sorted(str(getattr(one, "code", None)) for one in results) == ["None", "receipt_not_typed"]
    assert rows(desk.database, "SELECT COUNT(*) FROM bank_line WHERE outcome = 'typed'") == [(1,)]
    assert_books_agree(desk.database)


def test_who_types_and_who_assigns_at_once_do_not_take_the_money_twice(database):
    business = a_desk(database)
    (line,) = came(business, entry("120.00"))

    def assign():
        with business.work() as work:
            is_theirs(business, line)(work)

    results = at_once(assign, lambda: typed(business, 12_000))
    codes = [one.code for one in results if isinstance(one, RuleBroken)]
    assert codes in (["line_typed_before"], ["receipt_recorded"]), results
    assert rows(database, "SELECT COUNT(*) FROM receipt") == [(1,)]
    assert_books_agree(database)


def test_entries_are_held_before_their_payers_whoever_takes_them(desk):
    """Two who hold them in another order would wait for each other."""

    if desk.database.is_sqlite:
        return  # whose writer is alone

    def held(act):
        with desk.work() as work, all_statements(work) as ran:
            act(work)
        tables = [
            re.search(r"FROM (bank_line|customer)\b", one) for one in ran.statements if "FOR NO KEY UPDATE" in one
        ]
        return list(dict.fromkeys(found.group(1) for found in tables if found))

    assert held(lambda work: accept_sure(work, desk.entity, 95)) == ["bank_line", "customer"]
    assert held(is_theirs(desk, desk.line, "another one")) == ["bank_line", "customer"]

"""Deductions and disputes: every minor unit that a customer does not pay has a reason, an owner and an end, and the books agree."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import text

from app.composition.approving import Answer, answer
from app.composition.dispute_approvals import BY_RULES
from app.composition.uow import reading
from erpcore.billing.cash import ApplyCash, ReceiveCash, apply_cash, receive_cash
from erpcore.billing.cash_reversal import ReturnReceipt, Unapply, return_receipts, unapply_cash
from erpcore.billing.dispute_settling import CreditLine, Settle, settle_dispute
from erpcore.billing.disputing import (
    Deduct,
    Hand,
    Object,
    contest,
    hand_over,
    name_deductions,
    open_disputes,
    route_reason,
    say,
)
from erpcore.billing.dunning.records import held_of, in_dispute
from erpcore.kernel.errors import Conflict, DomainError, NotAllowed
from tests.support.approvals import person
from tests.support.controls import assert_books_agree
from tests.support.core import OPEN, RULES, a_business
from tests.support.disputes import objected, paid_short, settled
from tests.support.dunning import a_procedure, later, proposed, somebody
from tests.support.operate import open_cells
from tests.support.policies import approve
from tests.support.steps import invoiced
from tests.support.threads import at_once
from tests.support.trader import fingerprint_of


def asked(business, sql, **values):
    with reading(business.database) as session:
        return [tuple(row) for row in session.execute(text(sql), values)]


def now(business, dispute):
    """State, open amount, reason, role and person of a dispute."""
    (found,) = asked(
        business, "SELECT state, open_minor, reason_code, owner_role, owner_id FROM dispute WHERE id = :id", id=dispute
    )
    return found


def steps(business, dispute):
    return asked(business, "SELECT kind, amount_minor FROM dispute_step WHERE dispute_id = :id ORDER BY id", id=dispute)


def owed(business, invoice):
    return asked(business, "SELECT open_minor FROM receivable WHERE document_id = :id", id=invoice.id)[0][0]


def refused(business, act, code, actor=None):
    """The act is refused for that reason, and nothing at all has changed."""
    before = fingerprint_of(business.database)
    with pytest.raises(DomainError) as found, business.work(actor) as work:
        act(work)
    assert found.value.code == code
    assert fingerprint_of(business.database) == before


def told(business):
    wanted = "SELECT type FROM event_log WHERE type LIKE 'd%' AND (type LIKE 'deduction%' OR type LIKE 'dispute%') ORDER BY seq"
    return [row[0] for row in asked(business, wanted)]


def line_of(invoice):
    return invoice.lines[0].order_line_id


def test_what_a_payment_leaves_open_becomes_a_deduction_with_reason_owner_and_day(database):
    business = a_business(database)
    _, _, invoice = invoiced(business)
    _, dispute = paid_short(business, invoice, 9_600, reason="damaged", note="Two pieces dented")
    assert now(business, dispute) == ("raised", 2_400, "damaged", "customer_service", None)
    assert asked(business, "SELECT number, due_on, note FROM dispute") == [
        (f"DE-{dispute}", "2026-03-12" if database.url.startswith("sqlite") else date(2026, 3, 12), "Two pieces dented")
    ]
    assert owed(business, invoice) == 2_400, "the receivable stays open"
    assert told(business) == ["deduction.raised"]
    assert_books_agree(database)


def test_a_short_payment_of_unknown_reason_is_never_nobodys(database):
    business = a_business(database)
    _, _, invoice = invoiced(business)
    _, dispute = paid_short(business, invoice, 9_600)
    assert now(business, dispute) == ("raised", 2_400, "unknown", "collections", None)
    with business.work() as work:
        hand_over(work, [Hand(dispute=dispute, owner=4711, reason="knows the customer")])
    assert now(business, dispute) == ("raised", 2_400, "unknown", "collections", 4711)
    assert_books_agree(database)


def test_one_payment_is_short_for_several_reasons_and_never_beyond_what_is_open(database):
    business = a_business(database)
    _, _, invoice = invoiced(business)
    application, freight = paid_short(business, invoice, 9_000, reason="freight", amount_minor=1_000)
    with business.work() as work:
        (rest,) = name_deductions(work, [Deduct(application=application, reason="tax")], rules=RULES, cells=OPEN)
    assert [now(business, one)[1:3] for one in (freight, rest)] == [(1_000, "freight"), (2_000, "tax")]
    for command, code in (
        (Deduct(application=application, amount_minor=1), "disputed_too_much"),
        (Deduct(application=application, amount_minor=-1), "disputed_too_much"),
        (Deduct(application=application, reason="weather", amount_minor=1), "disputed_too_much"),
        (Deduct(application=7), "application_unknown"),
    ):
        refused(business, lambda work, c=command: name_deductions(work, [c], rules=RULES, cells=OPEN), code)
    command = Object(invoice=invoice.id, amount_minor=1, reason="price", note="x")
    refused(business, lambda work: open_disputes(work, [command]), "disputed_too_much")
    assert_books_agree(database)


def test_the_customer_is_right_and_gets_a_credit_at_the_invoices_price_and_tax(database):
    business = a_business(database)
    _, _, invoice = invoiced(business)
    _, dispute = paid_short(business, invoice, 9_600, reason="short_shipment")
    with business.work() as work:
        contest(
            work, dispute, reason="damaged", note="Dented on arrival", evidence="photo 1", order_line=line_of(invoice)
        )
    assert now(business, dispute)[:4] == ("disputed", 2_400, "damaged", "customer_service")
    assert settled(business, dispute, credit=[CreditLine(order_line=line_of(invoice), quantity=Decimal(2))]) is False
    assert (now(business, dispute)[:2], owed(business, invoice)) == (("settled", 0), 0)
    assert steps(business, dispute) == [("raised", 2_400), ("credited", -2_400)]
    assert asked(business, "SELECT invoice_id, net_minor, tax_minor, reason, fault FROM credit_memo") == [
        (invoice.id, 2_000, 400, "Damaged goods", "ours")
    ]
    assert told(business) == ["deduction.raised", "dispute.opened", "deduction.judged", "dispute.resolved"]
    assert_books_agree(database)


def test_a_dispute_is_split_between_credit_asking_again_and_a_write_off_that_others_agree_to(database):
    business = a_business(database)
    open_cells(business)
    clerk, boss = person(business, "billing"), person(business, "finance")
    _, _, invoice = invoiced(business)
    dispute = objected(business, invoice, 6_000, order_line=line_of(invoice), evidence="mail of 1 March")
    parts = {
        "credit": [CreditLine(order_line=line_of(invoice), quantity=Decimal(10), unit_price=Decimal("1.00"))],
        "rebill_minor": 2_800, "write_off_minor": 2_000,
    }  # fmt: skip
    assert settled(business, dispute, clerk, **parts) is True
    assert now(business, dispute)[:2] == ("waiting", 2_000)
    assert owed(business, invoice) == 10_800
    ((request, amount),) = asked(business, "SELECT id, facts FROM approval_request WHERE kind = 'write_off'")
    assert "2000" in amount
    refused(business, lambda work: answer(work, Answer(request=request, verdict="approve")), "approval_own", clerk)
    more = Settle(dispute=dispute, rebill_minor=1, reason="x")
    refused(
        business,
        lambda work: settle_dispute(work, more, rules=RULES, cells=OPEN, authority=BY_RULES),
        "illegal_move",
        clerk,
    )
    with business.work(boss) as work:
        answer(work, Answer(request=request, verdict="approve", reason="not worth the trouble"))
    assert (now(business, dispute)[:2], owed(business, invoice)) == (("settled", 0), 8_800)
    assert steps(business, dispute) == [
        ("raised", 6_000),
        ("credited", -1_200),
        ("rebilled", -2_800),
        ("written_off", -2_000),
    ]
    assert_books_agree(database)


def test_a_write_off_that_is_refused_leaves_the_dispute_open_with_its_owner(database):
    business = a_business(database)
    clerk, boss = person(business, "billing"), person(business, "finance")
    _, _, invoice = invoiced(business)
    _, dispute = paid_short(business, invoice, 9_600, reason="freight")
    assert settled(business, dispute, clerk, write_off_minor=2_400) is True
    ((request,),) = asked(business, "SELECT id FROM approval_request WHERE kind = 'write_off'")
    with business.work(boss) as work:
        answer(work, Answer(request=request, verdict="reject", reason="they can pay it"))
    assert now(business, dispute)[:4] == ("disputed", 2_400, "freight", "billing")
    assert owed(business, invoice) == 2_400
    assert_books_agree(database)


def test_money_that_comes_while_others_decide_ends_what_they_were_asked(database):
    business = a_business(database)
    clerk, boss = person(business, "billing"), person(business, "finance")
    _, _, invoice = invoiced(business)
    _, dispute = paid_short(business, invoice, 9_600)
    settled(business, dispute, clerk, write_off_minor=2_400)
    ((request,),) = asked(business, "SELECT id FROM approval_request WHERE kind = 'write_off'")
    with business.work() as work:
        (receipt,) = receive_cash(
            work, [ReceiveCash(entity=business.entity, customer=business.customer, amount_minor=900)]
        )
        apply_cash(work, [ApplyCash(receipt=receipt, invoice=invoice.id, amount_minor=900)])
    assert now(business, dispute)[:2] == ("disputed", 1_500)
    with pytest.raises(Conflict), business.work(boss) as work:
        answer(work, Answer(request=request, verdict="approve"))
    assert owed(business, invoice) == 1_500
    assert_books_agree(database)


def test_a_difference_within_tolerance_is_written_off_at_once_and_says_so(database):
    business = a_business(database)
    cashier = person(business, "collections")
    _, _, invoice = invoiced(business)
    with business.work(cashier) as work:
        (receipt,) = receive_cash(
            work, [ReceiveCash(entity=business.entity, customer=business.customer, amount_minor=11_900)]
        )
        (one,) = apply_cash(work, [ApplyCash(receipt=receipt, invoice=invoice.id, amount_minor=11_900)])
        (dispute,) = name_deductions(work, [Deduct(application=one, reason="late_discount")], rules=RULES, cells=OPEN)
    assert (now(business, dispute)[:2], owed(business, invoice)) == (("settled", 0), 0)
    ((kind, _, note),) = asked(
        business, "SELECT kind, amount_minor, note FROM dispute_step WHERE kind <> 'raised' AND dispute_id = :id", id=dispute
    )  # fmt: skip
    assert (kind, note) == ("rounded", "Within the tolerance of 1.00 EUR for short payments.")
    assert asked(business, "SELECT COUNT(*) FROM approval_request") == [(0,)]
    assert asked(business, "SELECT state, payment_status FROM sales_order") == [("closed", "done")]
    assert_books_agree(database)


def test_an_invoice_has_its_tolerance_once_however_many_parts_are_named_or_given_up(database):
    business = a_business(database)
    open_cells(business)
    clerk = person(business, "billing")
    _, _, invoice = invoiced(business)
    application, first = paid_short(business, invoice, 11_500, amount_minor=60)
    assert now(business, first)[:2] == ("settled", 0)
    with business.work() as work:
        (second,) = name_deductions(work, [Deduct(application=application, amount_minor=60)], rules=RULES, cells=OPEN)
    assert now(business, second)[:2] == ("raised", 60)
    # 40 are left of the tolerance: a part of that is given up by nobody's leave, the next part is asked about.
    assert settled(business, second, clerk, write_off_minor=40) is False
    assert settled(business, second, clerk, write_off_minor=20) is True
    assert now(business, second)[:2] == ("waiting", 20)
    assert owed(business, invoice) == 400
    assert_books_agree(database)


def test_without_tolerance_the_same_difference_stays_open(database):
    business = a_business(database)
    approve(business, "short_pay_tolerance_minor", 0)
    _, _, invoice = invoiced(business)
    _, dispute = paid_short(business, invoice, 11_900, reason="late_discount")
    assert now(business, dispute)[:2] == ("raised", 100)
    assert_books_agree(database)


def test_the_payment_taken_back_takes_its_deductions_with_it_and_leaves_other_disputes(database):
    business = a_business(database)
    _, _, invoice = invoiced(business)
    application, deduction = paid_short(business, invoice, 6_000, reason="price", amount_minor=2_400)
    objection = objected(business, invoice, 1_000)
    with business.work() as work:
        unapply_cash(work, [Unapply(application=application, reason="another customer's money")])
    assert (now(business, deduction)[:2], now(business, objection)[:2]) == (("withdrawn", 0), ("disputed", 1_000))
    assert owed(business, invoice) == 12_000
    command = Deduct(application=application)
    refused(business, lambda work: name_deductions(work, [command], rules=RULES, cells=OPEN), "application_reversed")
    assert_books_agree(database)


def test_a_payment_that_the_bank_takes_back_withdraws_what_was_deducted_from_it(database):
    business = a_business(database)
    _, _, invoice = invoiced(business)
    _, deduction = paid_short(business, invoice, 9_600)
    ((receipt,),) = asked(business, "SELECT id FROM receipt")
    with business.work() as work:
        return_receipts(work, [ReturnReceipt(receipt=receipt, reason="account closed")])
    assert (now(business, deduction)[:2], owed(business, invoice)) == (("withdrawn", 0), 12_000)
    assert_books_agree(database)


def test_a_customer_who_pays_after_all_recovers_the_deduction(database):
    business = a_business(database)
    _, _, invoice = invoiced(business)
    _, dispute = paid_short(business, invoice, 9_600)
    with business.work() as work:
        (receipt,) = receive_cash(
            work, [ReceiveCash(entity=business.entity, customer=business.customer, amount_minor=2_400)]
        )
        apply_cash(work, [ApplyCash(receipt=receipt, invoice=invoice.id, amount_minor=2_400)])
    assert (now(business, dispute)[:2], steps(business, dispute)[1:]) == (("settled", 0), [("paid", -2_400)])
    assert told(business) == ["deduction.raised", "deduction.recovered", "dispute.resolved"]
    assert_books_agree(database)


def test_nobody_asks_for_what_is_disputed_but_for_the_rest(database):
    business = a_business(database)
    a_procedure(business)
    _, _, whole = invoiced(business)
    _, _, part = invoiced(business, [(1, 5)])
    paid_short(business, whole, 9_600)
    objected(business, part, 4_000)
    later(business, 60)
    run = proposed(business).run
    assert asked(business, "SELECT document_id, open_minor FROM dunning_item") == [(part.id, part.gross_minor - 4_000)]
    assert asked(business, "SELECT document_id, reason FROM dunning_left_out WHERE run_id = :id", id=run) == [
        (whole.id, "all that is open of it is deducted or disputed")
    ]
    with reading(database) as session:
        assert in_dispute(session, [whole.id, part.id], date(2026, 5, 1)) == {whole.id, part.id}
        assert held_of(session, [business.entity], date(2026, 5, 1)) == {whole.id, part.id}
    assert_books_agree(database)


def test_more_than_is_disputed_is_neither_credited_nor_asked_again_nor_given_up(database):
    business = a_business(database)
    _, _, invoice = invoiced(business)
    dispute = objected(business, invoice, 1_000)
    for parts, code in (
        ({"credit": [CreditLine(order_line=line_of(invoice), quantity=Decimal(2))]}, "settled_too_much"),
        ({"rebill_minor": 1_001}, "settled_too_much"),
        ({"rebill_minor": 600, "write_off_minor": 401}, "settled_too_much"),
        ({"write_off_minor": -1}, "amount_not_positive"),
        ({"credit": [CreditLine(order_line=7, quantity=Decimal(1))]}, "dispute_line_elsewhere"),
        ({}, "dispute_nothing_said"),
        ({"rebill_minor": 1, "reason": " "}, "reason_required"),
    ):
        command = Settle(dispute=dispute, **{"reason": "x", **parts})
        refused(
            business, lambda work, c=command: settle_dispute(work, c, rules=RULES, cells=OPEN, authority=BY_RULES), code
        )
    refused(business, lambda work: say(work, dispute, " "), "reason_required")
    refused(
        business, lambda work: hand_over(work, [Hand(dispute=dispute, due_on=date(2026, 3, 1))]), "dispute_due_past"
    )
    settled(business, dispute, rebill_minor=1_000)
    refused(business, lambda work: hand_over(work, [Hand(dispute=dispute, owner=5)]), "dispute_over")
    with business.work() as work:
        say(work, dispute, "they called again")
    assert_books_agree(database)


def test_each_move_takes_its_permission(sqlite_database):
    business = a_business(sqlite_database)
    _, _, invoice = invoiced(business)
    dispute = objected(business, invoice, 1_000)
    looker = somebody(9, "auditor")
    acts = (
        lambda work: hand_over(work, [Hand(dispute=dispute, owner=5)]),
        lambda work: say(work, dispute, "x"),
        lambda work: open_disputes(work, [Object(invoice=invoice.id, amount_minor=1, reason="tax", note="x")]),
        lambda work: route_reason(work, "tax", title="Tax", role="finance", owner=None, due_days=3, fault="ours"),
        lambda work: settle_dispute(
            work, Settle(dispute=dispute, rebill_minor=1, reason="x"), rules=RULES, cells=OPEN, authority=BY_RULES
        ),
    )
    for act in acts:
        with pytest.raises(NotAllowed), business.work(looker) as work:
            act(work)


def test_a_reason_is_routed_anew_and_what_is_open_keeps_its_owner(sqlite_database):
    business = a_business(sqlite_database)
    _, _, invoice = invoiced(business)
    before = objected(business, invoice, 1_000, reason="tax")
    with business.work() as work:
        route_reason(work, "tax", title="Tax", role="billing", owner=4711, due_days=2, fault="ours")
        route_reason(work, "pallets", title="Pallets", role="site_lead", owner=None, due_days=4, fault="undecided")
    after, other = (objected(business, invoice, 1_000, reason=one) for one in ("tax", "pallets"))
    assert [now(business, one)[3:] for one in (before, after, other)] == [
        ("finance", None), ("billing", 4711), ("site_lead", None),
    ]  # fmt: skip
    for change, code in (
        ({"code": "Ü"}, "dispute_reason_code"), ({"due_days": 0}, "dispute_due_days"), ({"fault": "x"}, "choice_unknown"),
    ):  # fmt: skip
        values = {
            "code": "tax",
            "title": "x",
            "role": "billing",
            "owner": None,
            "due_days": 2,
            "fault": "ours",
            **change,
        }
        refused(business, lambda work, v=values: route_reason(work, v.pop("code"), **v), code)


def test_two_who_settle_the_same_difference_settle_it_once(database):
    business = a_business(database)
    _, _, invoice = invoiced(business)
    _, dispute = paid_short(business, invoice, 9_600)

    def credit():
        settled(business, dispute, credit=[CreditLine(order_line=line_of(invoice), quantity=Decimal(2))])

    def pay():
        with business.work() as work:
            (receipt,) = receive_cash(
                work, [ReceiveCash(entity=business.entity, customer=business.customer, amount_minor=2_400)]
            )
            apply_cash(work, [ApplyCash(receipt=receipt, invoice=invoice.id, amount_minor=2_400)])

    outcomes = at_once(credit, pay, credit)
    assert sum(not isinstance(one, Exception) for one in outcomes) == 1
    assert all(isinstance(one, DomainError) for one in outcomes if isinstance(one, Exception))
    assert (now(business, dispute)[:2], owed(business, invoice)) == (("settled", 0), 0)
    assert_books_agree(database)


def test_a_crash_between_the_credit_memo_and_its_settlement_leaves_nothing(database, monkeypatch):
    business = a_business(database)
    _, _, invoice = invoiced(business)
    _, dispute = paid_short(business, invoice, 9_600)
    before = fingerprint_of(database)

    def dies(*_args, **_more):
        raise OSError("the machine stopped")

    monkeypatch.setattr("erpcore.billing.dispute_settling.apply_credit", dies)
    with pytest.raises(OSError, match="stopped"):
        settled(business, dispute, credit=[CreditLine(order_line=line_of(invoice), quantity=Decimal(2))])
    assert fingerprint_of(database) == before
    monkeypatch.undo()
    settled(business, dispute, credit=[CreditLine(order_line=line_of(invoice), quantity=Decimal(2))])
    assert owed(business, invoice) == 0
    assert_books_agree(database)


def test_who_saw_an_older_version_is_told_so(sqlite_database):
    business = a_business(sqlite_database)
    _, _, invoice = invoiced(business)
    dispute = objected(business, invoice, 1_000)
    settled(business, dispute, rebill_minor=100, seen_version=1)
    with pytest.raises(Conflict):
        settled(business, dispute, rebill_minor=100, seen_version=1)
    assert now(business, dispute)[:2] == ("disputed", 900)
    assert steps(business, dispute)[1:] == [("rebilled", -100)]

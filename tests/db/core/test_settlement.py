"""Payouts of partners: matched line by line, posted once and whole, taken out again whole; what is owed is the partner's account."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from app.importers.bankfiles.reading import read_bank_file
from erpcore.billing.bank import BankAccountFacts, add_bank_account, take_statements
from erpcore.billing.settling.explaining import accept_difference, offset_differences
from erpcore.billing.settling.matching import choose_document, match_again
from erpcore.billing.settling.posting import post_payout, reverse_payout
from erpcore.billing.settling.taking import PartnerContent, add_partner, change_partner
from erpcore.billing.settling.transfers import PayoutByLine, receive_transfers
from erpcore.kernel.errors import Conflict, DomainError, IllegalMove
from tests.support.bankfiles import IBAN, camt, entry
from tests.support.controls import assert_books_agree
from tests.support.settlement import a_market, credited, found, hand_in, payout_file, rows, sold, sums
from tests.support.threads import at_once
from tests.support.trader import fingerprint_of


def post(business, payout, **more):
    with business.work() as work:
        return post_payout(work, payout, **more)


def reverse(business, payout):
    with business.work() as work:
        return reverse_payout(work, payout, reason="the wrong month")


def refused(business, act, code):
    before = fingerprint_of(business.database)
    with pytest.raises(DomainError) as error, business.work() as work:
        act(work)
    assert error.value.code == code
    assert fingerprint_of(business.database) == before


def open_of(business, invoice):
    return rows(business, f"SELECT open_minor FROM receivable WHERE document_id = {invoice.id}")[0][0]


def test_a_clean_payout_pays_its_invoices_and_the_partner_owes_what_it_sends(database):
    business = a_market(database)
    first, second = sold(business, "B-1"), sold(business, "B-2", 5)
    content = payout_file(
        ("Order", "B-1", "120,00"), ("Order", "B-2", "60,00"), ("Commission", "", "-24,00", "-2,40"), ("Held", "", "-18,00"),
        ("Withholding", "", "-1,80"), ("Transfer", "", "-136,20"),
    )  # fmt: skip
    payout, fault = hand_in(business, content)
    assert (fault, found(business, payout)) == ("", [("matched", 0)] * 6)
    assert sums(business) == {"receivable": 18_000}, "nothing is posted before somebody posts it"
    post(business, payout)
    assert sums(business) == {
        "partner": 13_620, "partner_fees": 2_160, "partner_fee_tax": 240, "partner_reserve": 1_800, "partner_tax": 180,
    }  # fmt: skip
    assert (open_of(business, first), open_of(business, second)) == (0, 0)
    assert rows(business, "SELECT DISTINCT payment_status FROM sales_order") == [("done",)]
    assert rows(business, "SELECT receivable_minor FROM credit_exposure") == [(0,)]
    assert_books_agree(database)
    refused(business, lambda work: post_payout(work, payout), "illegal_move")


def test_lines_that_are_not_as_we_have_them_say_why_and_stand_on_an_account_of_their_own(database):
    business = a_market(database)
    short, over = sold(business, "B-1"), sold(business, "B-2", 5)
    content = payout_file(
        ("Order", "B-1", "110,00"), ("Order", "B-2", "65,00"), ("Order", "B-9", "7,00"), ("Commission", "", "-30,00"),
        ("Refund", "B-1", "-5,00"), ("Released", "", "4,00"), ("Correction", "", "1,00"),
    )  # fmt: skip
    payout, _ = hand_in(business, content, total=15_200)
    # 12 % of 182.00 are 21.84.
    assert found(business, payout) == [
        ("differs", 0), ("differs", 500), ("unknown", 700), ("differs", -816), ("differs", -500), ("differs", 400),
        ("unknown", 100),
    ]  # fmt: skip
    why = [one for (one,) in rows(business, "SELECT explanation FROM settlement_line ORDER BY line_no")]
    assert "10.00 EUR less than is open" in why[0]
    assert "5.00 EUR more than is open" in why[1]
    assert why[2] == "We have no order B-9 of this partner."
    assert why[3] == "8.16 EUR more than the 12 % of what was sold that are agreed."
    assert "no credit" in why[4]
    assert "4.00 EUR more than the partner holds" in why[5]
    post(business, payout)
    assert (open_of(business, short), open_of(business, over)) == (1_000, 0)
    assert sums(business) == {
        "partner": 15_200, "partner_fees": 2_184, "partner_difference": -384, "receivable": 1_000,
    }  # fmt: skip
    assert_books_agree(database)


def test_a_refund_uses_its_credit_memo_and_the_money_goes_out_of_the_receipt_that_brought_it(database):
    business = a_market(database)
    earlier, now = sold(business, "B-1"), sold(business, "B-2", 5)
    first, _ = hand_in(business, payout_file(("Order", "B-1", "120,00")), total=12_000)
    post(business, first)
    memos = [credited(business, earlier), credited(business, now, 1)]
    content = payout_file(("Refund", "B-1", "-24,00"), ("Order", "B-2", "60,00"), ("Refund", "B-2", "-12,00"))
    second, _ = hand_in(business, content, "P-2", total=2_400)
    assert found(business, second) == [("matched", 0)] * 3
    post(business, second)
    assert sums(business) == {"partner": 14_400}
    assert [open_of(business, one) for one in (earlier, now)] == [0, 0]
    for memo in memos:
        assert rows(business, f"SELECT open_minor FROM receivable WHERE document_id = {memo}") == [(0,)]
    assert_books_agree(database)
    reverse(business, second)
    assert sums(business) == {"partner": 12_000, "receivable": 6_000 - 2_400 - 1_200}
    assert [open_of(business, one) for one in (earlier, now)] == [0, 6_000]
    assert_books_agree(database)
    post(business, second)
    assert sums(business) == {"partner": 14_400}
    assert_books_agree(database)


def test_a_payout_that_is_reversed_leaves_the_books_as_they_were_and_may_be_posted_again(database):
    business = a_market(database)
    invoice = sold(business, "B-1")
    payout, _ = hand_in(
        business,
        payout_file(("Order", "B-1", "125,00"), ("Commission", "B-1", "-20,00"), ("Held", "", "-5,00")),
        total=10_000,
    )
    post(business, payout)
    reverse(business, payout)
    assert sums(business) == {"receivable": 12_000}
    assert open_of(business, invoice) == 12_000
    assert rows(business, "SELECT state, posting_id FROM settlement_payout") == [("received", None)]
    assert_books_agree(database)
    post(business, payout)
    assert open_of(business, invoice) == 0
    assert rows(business, "SELECT COUNT(*), COUNT(reverses_id) FROM settlement_posting") == [(3, 1)]
    assert_books_agree(database)


def test_two_who_post_the_same_payout_at_once_post_it_once(database):
    business = a_market(database)
    sold(business, "B-1")
    payout, _ = hand_in(business, payout_file(("Order", "B-1", "120,00")), total=12_000)
    done = at_once(lambda: post(business, payout), lambda: post(business, payout))
    assert sum(isinstance(one, int) for one in done) == 1, done
    assert sum(isinstance(one, IllegalMove | Conflict) for one in done) == 1, done
    assert sums(business) == {"partner": 12_000}
    assert_books_agree(database)


def test_two_who_hand_the_same_file_in_at_once_hand_it_in_once(database):
    business = a_market(database)
    content = payout_file(("Order", "B-1", "120,00"))
    done = at_once(*(lambda: hand_in(business, content, total=12_000),) * 2)
    assert sorted(type(one).__name__ for one in done) == ["RuleBroken", "TakenPayout"], done
    assert rows(business, "SELECT COUNT(*) FROM settlement_payout") == [(1,)]


@pytest.mark.parametrize("where", ["post_entries", "apply_credit", "save_payout"])
def test_a_crash_in_the_middle_of_posting_leaves_nothing(database, monkeypatch, where):
    business = a_market(database)
    invoice = sold(business, "B-1")
    credited(business, invoice)
    payout, _ = hand_in(business, payout_file(("Order", "B-1", "120,00"), ("Refund", "B-1", "-24,00")), total=9_600)
    assert found(business, payout) == [("matched", 0), ("matched", 0)]
    before = fingerprint_of(database)

    def dies(*_args, **_more):
        raise OSError("the machine stopped")

    monkeypatch.setattr(f"erpcore.billing.settling.posting.{where}", dies)
    with pytest.raises(OSError, match="stopped"):
        post(business, payout)
    assert fingerprint_of(database) == before
    monkeypatch.undo()
    post(business, payout)
    assert sums(business) == {"partner": 9_600}
    assert_books_agree(database)


def test_what_changed_since_it_was_matched_is_matched_again_before_it_is_posted(database):
    business = a_market(database)
    first, _ = hand_in(business, payout_file(("Order", "B-1", "120,00")), total=12_000)
    assert found(business, first) == [("unknown", 12_000)]
    sold(business, "B-1")
    refused(business, lambda work: post_payout(work, first), "payout_changed")
    with business.work() as work:
        match_again(work, first)
    assert found(business, first) == [("matched", 0)]
    post(business, first)
    refused(business, lambda work: match_again(work, first), "illegal_move")
    assert_books_agree(database)


def test_a_person_says_which_invoice_a_line_is_about(database):
    business = a_market(database)
    invoice = sold(business, "B-1")
    payout, _ = hand_in(business, payout_file(("Order", "1-B", "120,00"), ("Commission", "", "-1,00")), total=11_900)
    sale, fee = (key for (key,) in rows(business, "SELECT id FROM settlement_line ORDER BY line_no"))
    assert found(business, payout)[0] == ("unknown", 12_000)
    refused(business, lambda work: choose_document(work, fee, invoice.id), "payout_line_kind")
    refused(business, lambda work: choose_document(work, sale, 1), "payout_document_unknown")
    with business.work() as work:
        choose_document(work, sale, invoice.id)
    assert found(business, payout)[0] == ("matched", 0)
    post(business, payout)
    assert open_of(business, invoice) == 0
    assert_books_agree(database)


def test_differences_are_accepted_with_authority_or_set_against_what_makes_them_good(database):
    business = a_market(database)
    content = payout_file(("Refund", "B-9", "-30,00"), ("Correction", "", "25,00"), ("Correction", "", "3,00"))
    payout, _ = hand_in(business, content, total=-200)
    refund, good, more = (key for (key,) in rows(business, "SELECT id FROM settlement_line ORDER BY line_no"))
    refused(business, lambda work: accept_difference(work, refund, reason="so be it"), "payout_not_posted")
    post(business, payout)
    refused(business, lambda work: accept_difference(work, refund, reason=" "), "reason_required")
    refused(business, lambda work: offset_differences(work, good, more, reason="same sign"), "offset_not_opposite")
    with business.work() as work:
        offset_differences(work, refund, good, reason="they gave it back")
    with business.work() as work:
        accept_difference(work, refund, reason="too small to ask")
    refused(business, lambda work: accept_difference(work, refund, reason="again"), "nothing_unexplained")
    refused(business, lambda work: reverse_payout(work, payout, reason="all of it"), "payout_explained")
    assert sums(business) == {"partner": -200, "partner_difference": -300, "partner_fees": 500}
    assert rows(business, "SELECT open_minor, outcome FROM settlement_line ORDER BY line_no") == [
        (0, "accepted"), (0, "offset"), (300, None),
    ]  # fmt: skip
    assert_books_agree(database)


def in_the_bank(business, *amounts):
    """A statement with these amounts; returns the ids of its entries."""
    facts = BankAccountFacts(0, business.entity, IBAN, "House bank", "EUR", None, 1)
    with business.work() as work:
        account = add_bank_account(work, business.entity, number=IBAN, name="House bank")
        closing = sum(Decimal(one) for one in amounts)
        content = camt(
            *(entry(one.lstrip("-"), debit=one.startswith("-"), text="Bazaar") for one in amounts), closing=str(closing)
        )
        take_statements(work, account, read_bank_file(content, facts, None), file_name="day.xml", digest="d")
    return [key for (key,) in rows(business, "SELECT id FROM bank_line ORDER BY line_no")]


def test_the_bank_brings_the_money_of_a_payout_once_and_what_is_missing_stays_owed(database):
    business = a_market(database)
    sold(business, "B-1")
    payout, _ = hand_in(business, payout_file(("Order", "B-1", "120,00")), total=12_000)
    most, rest, more, out = in_the_bank(business, "119.00", "1.00", "2.00", "-1.00")

    def brings(line):
        return lambda work: receive_transfers(work, [PayoutByLine(line=line, payout=payout)])

    refused(business, brings(most), "payout_not_posted")
    post(business, payout)
    refused(business, brings(out), "payout_money_too_much")

    def bring(line):
        with business.work() as work:
            brings(line)(work)
            return line

    done = at_once(lambda: bring(most), lambda: bring(most))
    assert sorted(type(one).__name__ for one in done) == ["RuleBroken", "int"], done
    assert sums(business) == {"partner": 100, "bank": 12_100, "bank_clearing": -200}
    refused(business, brings(more), "payout_money_too_much")
    bring(rest)
    assert rows(business, "SELECT transfer_minor - paid_minor FROM settlement_payout") == [(0,)]
    refused(business, lambda work: reverse_payout(work, payout, reason="all of it"), "payout_paid")
    assert rows(business, f"SELECT state, outcome, payout_id FROM bank_line WHERE id = {rest}") == [
        ("assigned", "payout", payout)
    ]
    assert_books_agree(database)


def test_a_reserve_that_is_released_is_no_longer_owed(database):
    business = a_market(database)
    first, _ = hand_in(business, payout_file(("Held", "", "-20,00"), ("Correction", "", "20,00")), total=0)
    post(business, first)
    second, _ = hand_in(business, payout_file(("Released", "", "15,00")), "P-2", total=1_500)
    third, _ = hand_in(business, payout_file(("Released", "", "16,00")), "P-3", total=1_600)
    assert (found(business, second), found(business, third)) == ([("matched", 0)], [("matched", 0)])
    post(business, second)
    refused(business, lambda work: post_payout(work, third), "payout_changed")
    with business.work() as work:
        match_again(work, third)
    assert found(business, third) == [("differs", 1_100)]
    post(business, third)
    assert sums(business) == {"partner": 3_100, "partner_difference": -3_100}
    assert_books_agree(database)


def test_a_partner_is_named_once_and_changed_by_who_saw_it_last(database):
    business = a_market(database)
    content = PartnerContent(name="Bazaar Europe", fee_rate=Decimal("0.15"))
    for act, code in (
        (lambda work: add_partner(work, business.site, business.channel, code="other", content=content), "partner_taken"),
        (lambda work: add_partner(work, business.site, 1, code="other", content=content), "channel_unknown"),
        (lambda work: change_partner(work, business.partner, replace(content, fee_rate=Decimal("0.6")), seen_version=1), "partner_rate"),
        (lambda work: change_partner(work, business.partner, content, seen_version=2), "changed_meanwhile"),
    ):  # fmt: skip
        refused(business, act, code)
    with business.work() as work:
        change_partner(work, business.partner, content, seen_version=1)
    assert rows(business, "SELECT name, fee_rate, version FROM settlement_partner") == [("Bazaar Europe", 150_000, 2)]

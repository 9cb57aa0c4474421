"""Bills of carriers: set against what was expected, decided on, posted once, taken out again whole; never accrued besides."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from app.importers.carrierbills import BillHead, take_bill_file
from erpcore.billing.accruals.services import RunAccruals, run_accruals
from erpcore.billing.freight.matching import accept_line, choose_shipment, decline_line, match_again
from erpcore.billing.freight.posting import post_bill, reverse_bill
from erpcore.billing.freight.taking import refuse_bill
from erpcore.fulfilment.carriers.troubles import settle_freight
from erpcore.fulfilment.packing.services import void_carton
from erpcore.fulfilment.services import confirm_shipments
from erpcore.fulfilment.taking_back import take_back_shipment
from erpcore.kernel.errors import Conflict, DomainError, IllegalMove, NotAllowed
from tests.support.carrier_bills import (
    CLERK,
    DAY,
    FINANCE,
    OTHER,
    a_sender,
    found,
    line_ids,
    packed,
    post,
    reverse,
    rows,
    sent,
    sums,
    take,
)
from tests.support.closings import FINANCE as CLOSER
from tests.support.controls import assert_books_agree
from tests.support.core import OPEN, RULES
from tests.support.floor import ANNA, SUPERVISOR
from tests.support.policies import approve
from tests.support.steps import shipped
from tests.support.threads import at_once
from tests.support.trader import fingerprint_of

APRIL, MAY = date(2026, 4, 1), date(2026, 5, 1)


@pytest.fixture
def business(database):
    return a_sender(database)


def refused(business, act, code, who=FINANCE):
    before = fingerprint_of(business.database)
    with pytest.raises(DomainError) as error, business.work(who) as work:
        act(work)
    assert error.value.code == code
    assert fingerprint_of(business.database) == before
    return error.value


def accrue(business, until=APRIL):
    with business.work(CLOSER) as work:
        return run_accruals(work, RunAccruals(entity=business.entity, until=until), late=frozenset()).lines


def accrued(business, until):
    return rows(
        business,
        "SELECT n.shipment_id, SUM(n.amount_minor) FROM accrual_line n JOIN accrual_run r ON r.id = n.run_id "
        f"WHERE n.kind = 'freight' AND r.until = '{until}' GROUP BY n.shipment_id HAVING SUM(n.amount_minor) <> 0",
    )


def test_a_bill_as_expected_is_approved_by_somebody_else_and_owed_with_its_tax(business):
    one, other = sent(business, "00340001"), sent(business)
    bill, fault = take(business, ["00340001; 6.96; 1.32", f"{other.number}; 6.50; 1.24; less than usual"])
    assert fault == ""
    assert found(business, bill) == [
        ("matched", "6.96 EUR, as expected."), ("matched", "0.46 EUR less than the 6.96 EUR expected."),
    ]  # fmt: skip
    assert sums(business) == {}, "nothing is posted before somebody approves it"
    assert post(business, bill) == 1_602
    assert sums(business) == {"freight": 1_346, "input_tax": 256, "payable": -1_602}
    assert rows(business, "SELECT shipment_id, freight_actual_minor FROM carriage ORDER BY shipment_id") == [
        (one.id, 696), (other.id, 650),
    ]  # fmt: skip
    assert rows(business, "SELECT COUNT(DISTINCT document_id) FROM journal_entry WHERE rule = 'freight_billed'") == [
        (2,)
    ]
    assert rows(business, "SELECT DISTINCT site_id, channel_id FROM journal_entry WHERE rule = 'freight_billed'") == [
        (business.site, business.channel)
    ]
    refused(business, lambda work: post_bill(work, bill, rules=RULES), "illegal_move")
    refused(business, lambda work: settle_freight(work, one.id, 700), "freight_settled", SUPERVISOR)
    assert_books_agree(business.database)


def test_what_carriers_add_on_lines_of_their_own_counts_to_the_shipment(business):
    parcel = sent(business, "0034")
    bill, _ = take(business, ["0034; 6.00", "0034; 0.96; ; fuel"])
    assert {result for result, _ in found(business, bill)} == {"matched"}
    more, _ = take(business, ["0034; 6.00", "0034; 1.40; ; fuel"], "R-2")
    # 6.96 and 5 % are 7.308.
    assert (
        found(business, more) == [("differs", "0.44 EUR more than the 6.96 EUR expected; 5 % more would be owed.")] * 2
    )
    post(business, bill)
    assert rows(business, "SELECT freight_actual_minor FROM carriage") == [(696,)]
    assert rows(business, f"SELECT COUNT(*) FROM carrier_bill_line WHERE shipment_id = {parcel.id} AND settles") == [
        (2,)
    ]


def test_the_tolerance_is_that_of_the_orders_rules(business):
    sent(business, "A")
    approve(business, "freight_tolerance_permille", 100)
    sent(business, "B")
    bill, _ = take(business, ["A; 7.50", "B; 7.50"])
    assert found(business, bill) == [
        ("differs", "0.54 EUR more than the 6.96 EUR expected; 5 % more would be owed."),
        ("matched", "0.54 EUR more than the 6.96 EUR expected, within 10 %."),
    ]


def test_lines_that_are_not_as_expected_are_kept_with_their_reason_and_wait_for_somebodys_word(business):
    back, here, dear, twice = packed(business), packed(business), sent(business, "D"), sent(business, "E")
    _, plain = shipped(business)
    (carton,) = rows(business, f"SELECT id FROM carton WHERE shipment_id = {back.id}")
    with business.work(ANNA) as work:
        void_carton(work, carton[0], "not wanted")
    with business.work(SUPERVISOR) as work:
        take_back_shipment(work, back.id, "not wanted", cells=OPEN)
    first, _ = take(business, ["E; 6.96"], "R-0")
    post(business, first)
    bill, fault = take(
        business,
        [
            f"{back.number}; 6.96", f"{here.number}; 6.96", "D; 9.00; 1.71", "E; 2.00; ; delivered twice", "X-9; 5.00", "; 1.00",
            f"{plain.number}; 3.00", f"{twice.number}; -1.00",
        ],
    )  # fmt: skip
    assert fault == ""
    assert found(business, bill) == [
        ("not_left", f"{back.number} was taken back and never left."), ("not_left", f"{here.number} has not left."),
        ("differs", "2.04 EUR more than the 6.96 EUR expected; 5 % more would be owed."),
        ("billed", f"{twice.number} was billed before, with R-0."), ("unknown", "We have no shipment X-9."),
        ("unknown", "It names no shipment."), ("other_carrier", f"{plain.number} left without a carrier of ours."),
        ("billed", f"{twice.number} was billed before, with R-0."),
    ]  # fmt: skip
    error = refused(business, lambda work: post_bill(work, bill, rules=RULES), "carrier_bill_undecided")
    assert error.facts["lines"] == ["1", "2", "3", "4", "5", "6"]
    ids = line_ids(business, bill)
    refused(business, lambda work: accept_line(work, ids[2], reason=" "), "reason_required")
    for key in (ids[2], ids[3], ids[7]):
        with business.work(FINANCE) as work:
            accept_line(work, key, reason="as agreed on the telephone")
    for key in (ids[0], ids[1], ids[4], ids[5], ids[6]):
        with business.work(FINANCE) as work:
            decline_line(work, key, reason="not ours to pay")
    post(business, bill)
    # 9.00, 2.00 and 1.00 back, with the tax of the first; and 6.96 of the bill before.
    assert sums(business) == {"freight": 1_696, "input_tax": 171, "payable": -1_867}
    assert rows(business, f"SELECT freight_actual_minor FROM carriage WHERE shipment_id IN ({dear.id}, {twice.id})") == [
        (900,), (796,),
    ]  # fmt: skip
    assert rows(business, f"SELECT owed_minor FROM carrier_bill WHERE id = {bill}") == [(1_171,)]
    assert_books_agree(business.database)


def test_only_who_may_decides_and_nobody_approves_what_he_handed_in(business):
    sent(business, "A")
    bill, _ = take(business, ["A; 9.00"])
    (line,) = line_ids(business, bill)
    for act in (
        lambda work: accept_line(work, line, reason="so be it"), lambda work: post_bill(work, bill, rules=RULES),
        lambda work: refuse_bill(work, bill, reason="no"), lambda work: reverse_bill(work, bill, reason="no"),
    ):  # fmt: skip
        with pytest.raises(NotAllowed), business.work(CLERK) as work:
            act(work)
    with pytest.raises(NotAllowed):
        take(business, ["A; 9.00"], "R-2", who=SUPERVISOR)
    with business.work(FINANCE) as work:
        accept_line(work, line, reason="the tariff of March")
    own, _ = take(business, ["; 1.00"], "R-2", who=FINANCE)
    with business.work(OTHER) as work:
        accept_line(work, line_ids(business, own)[0], reason="a fee")
    refused(business, lambda work: post_bill(work, own, rules=RULES), "carrier_bill_own")
    post(business, own, OTHER)
    post(business, bill)
    assert sums(business) == {"freight": 1_000, "payable": -1_000}
    assert_books_agree(business.database)


def test_the_same_bill_comes_once_whatever_it_is_called_or_holds(business):
    sent(business, "A")
    take(business, ["A; 6.96"])
    for lines, number in ((["A; 6.96"], "R-1"), (["A; 5.00"], " R-1 ")):
        with pytest.raises(DomainError) as error:
            take(business, lines, number)
        assert error.value.code == "carrier_bill_twice"
    content = b"shipment;amount\nA;5,00\n"

    def hand_in(number):
        head = BillHead(carrier=business.carrier, site=business.site, number=number, billed_on=DAY, total_minor=500)
        with business.work(CLERK) as work:
            return take_bill_file(work, head, content, "dhl.csv", rules=RULES)

    assert hand_in("R-5").fault == ""
    with pytest.raises(DomainError) as error:
        hand_in("R-6")
    assert (error.value.code, error.value.facts["number"]) == ("carrier_bill_twice", "R-5")
    assert rows(business, "SELECT COUNT(*) FROM carrier_bill") == [(2,)]


def test_two_who_hand_the_same_bill_in_at_once_hand_it_in_once(business):
    sent(business, "A")
    done = at_once(*(lambda: take(business, ["A; 6.96"]),) * 2)
    assert sorted(type(one).__name__ for one in done) == ["RuleBroken", "TakenBill"], done
    assert rows(business, "SELECT COUNT(*) FROM carrier_bill") == [(1,)]


def test_two_who_post_the_same_bill_at_once_post_it_once(business):
    sent(business, "A")
    bill, _ = take(business, ["A; 6.96"])
    done = at_once(lambda: post(business, bill), lambda: post(business, bill, OTHER))
    assert sum(isinstance(one, int) for one in done) == 1, done
    assert sum(isinstance(one, IllegalMove | Conflict) for one in done) == 1, done
    assert sums(business) == {"freight": 696, "payable": -696}
    assert_books_agree(business.database)


def test_two_bills_of_one_shipment_at_once_are_owed_once(business):
    sent(business, "A")
    first, _ = take(business, ["A; 6.96"])
    second, _ = take(business, ["A; 6.90"], "R-2")
    done = at_once(lambda: post(business, first), lambda: post(business, second))
    assert sum(isinstance(one, int) for one in done) == 1, done
    (lost,) = (one for one in done if not isinstance(one, int))
    assert (type(lost), lost.code) == (Conflict, "carrier_bill_changed")
    left = next(bill for bill, one in zip((first, second), done, strict=True) if one is lost)
    with business.work(CLERK) as work:
        match_again(work, left, rules=RULES)
    assert found(business, left)[0][0] == "billed"
    assert_books_agree(business.database)


@pytest.mark.parametrize("where", ["post_entries", "charge_freight", "save_owed", "save_bill"])
def test_a_crash_in_the_middle_of_posting_leaves_nothing(business, monkeypatch, where):
    sent(business, "A")
    bill, _ = take(business, ["A; 6.96"])
    before = fingerprint_of(business.database)

    def dies(*_args, **_more):
        raise OSError("the machine stopped")

    monkeypatch.setattr(f"erpcore.billing.freight.posting.{where}", dies)
    with pytest.raises(OSError, match="stopped"):
        post(business, bill)
    assert fingerprint_of(business.database) == before
    monkeypatch.undo()
    post(business, bill)
    assert sums(business) == {"freight": 696, "payable": -696}
    assert_books_agree(business.database)


def test_a_bill_that_is_reversed_leaves_books_and_shipments_as_they_were_and_may_come_again(business):
    sent(business, "A")
    bill, _ = take(business, ["A; 6.96; 1.32", "; 2.00"])
    with business.work(FINANCE) as work:
        accept_line(work, line_ids(business, bill)[1], reason="toll")
    post(business, bill)
    refused(business, lambda work: reverse_bill(work, bill, reason=" "), "reason_required")
    reverse(business, bill)
    assert sums(business) == {}
    assert rows(business, "SELECT freight_actual_minor, settled_at FROM carriage") == [(None, None)]
    assert rows(business, "SELECT state, owed_minor FROM carrier_bill") == [("reversed", 1_028)]
    assert_books_agree(business.database)
    refused(business, lambda work: reverse_bill(work, bill, reason="again"), "illegal_move")
    again, _ = take(business, ["A; 6.96; 1.32", "; 2.00"])
    assert [result for result, _ in found(business, again)] == ["matched", "unknown"]
    done = at_once(lambda: decided(business, again), lambda: decided(business, again))
    assert [one for one in done if isinstance(one, Exception)] == []
    post(business, again)
    assert sums(business) == {"freight": 896, "input_tax": 132, "payable": -1_028}
    assert_books_agree(business.database)


def decided(business, bill):
    with business.work(FINANCE) as work:
        accept_line(work, line_ids(business, bill)[1], reason="toll")


def test_two_bills_of_one_shipment_are_taken_out_one_after_the_other(business):
    sent(business, "A")
    first, _ = take(business, ["A; 6.96"])
    post(business, first)
    second, _ = take(business, ["A; -2.00"], "R-2")
    with business.work(FINANCE) as work:
        accept_line(work, line_ids(business, second)[0], reason="came late")
    post(business, second)
    assert sums(business) == {"freight": 496, "payable": -496}
    refused(business, lambda work: reverse_bill(work, first, reason="wrong"), "freight_below_nothing")
    reverse(business, second)
    assert rows(business, "SELECT freight_actual_minor FROM carriage") == [(696,)]
    reverse(business, first)
    assert rows(business, "SELECT freight_actual_minor, settled_at FROM carriage") == [(None, None)]
    assert_books_agree(business.database)


def test_freight_that_a_person_settled_stays_his_and_is_what_the_bill_is_held_against(business):
    parcel = sent(business, "A")
    with business.work(SUPERVISOR) as work:
        settle_freight(work, parcel.id, 742)
    bill, _ = take(business, ["A; 7.42"])
    assert found(business, bill) == [("matched", "7.42 EUR, as expected.")]
    post(business, bill)
    reverse(business, bill)
    assert rows(business, "SELECT freight_actual_minor FROM carriage") == [(742,)]
    assert_books_agree(business.database)


def test_a_shipment_that_its_carrier_billed_is_not_accrued_and_freight_is_never_counted_twice(business):
    business.clock.set(datetime(2026, 3, 30, 9, tzinfo=UTC))
    billed, noted, open_ = sent(business, "A"), sent(business, "B"), sent(business, "C")
    with business.work(SUPERVISOR) as work:
        settle_freight(work, noted.id, 742)
    bill, _ = take(business, ["A; 6.96"])
    post(business, bill)
    business.clock.set(datetime(2026, 4, 2, 9, tzinfo=UTC))
    accrue(business)
    # What somebody noted is known and still not in the books.
    assert accrued(business, APRIL) == [(noted.id, 742), (open_.id, 696)]
    april, _ = take(business, ["B; 7.42", "C; 6.96"], "R-2")
    post(business, april)
    assert accrue(business) == 0, "what an end showed stays, whatever comes later"
    assert sums(business) == {"freight": 2_134, "payable": -2_134}
    reverse(business, bill)
    assert accrue(business) == 0, "in March it was billed"
    business.clock.set(datetime(2026, 5, 4, 9, tzinfo=UTC))
    accrue(business, MAY)
    assert accrued(business, MAY) == [(billed.id, 696)]
    assert_books_agree(business.database)


def test_a_person_says_which_shipment_a_line_is_about_and_a_decision_goes_with_what_it_was_about(business):
    parcel = sent(business, "A")
    bill, _ = take(business, ["A1; 6.96", "; 1.00"])
    line, fee = line_ids(business, bill)
    with business.work(FINANCE) as work:
        decline_line(work, line, reason="we do not know it")
        decline_line(work, fee, reason="nobody agreed to it")
    refused(business, lambda work: choose_shipment(work, line, 1, rules=RULES), "shipment_unknown", CLERK)
    with business.work(CLERK) as work:
        choose_shipment(work, line, parcel.id, rules=RULES)
    assert rows(business, f"SELECT result, decision FROM carrier_bill_line WHERE bill_id = {bill} ORDER BY line_no") == [
        ("matched", None), ("unknown", "declined"),
    ]  # fmt: skip
    refused(business, lambda work: accept_line(work, line, reason="x"), "carrier_line_matched")
    post(business, bill)
    assert sums(business) == {"freight": 696, "payable": -696}
    assert_books_agree(business.database)


def test_what_changed_since_it_was_matched_is_matched_again_before_it_is_posted(business):
    parcel = packed(business)
    bill, _ = take(business, [f"{parcel.number}; 6.96"])
    with business.work(FINANCE) as work:
        accept_line(work, line_ids(business, bill)[0], reason="it leaves today")
    with business.work(SUPERVISOR) as work:
        confirm_shipments(work, [parcel.id], rules=RULES, cells=OPEN)
    refused(business, lambda work: post_bill(work, bill, rules=RULES), "carrier_bill_changed")
    refused(business, lambda work: match_again(work, bill, rules=RULES, seen_version=1), "changed_meanwhile", CLERK)
    with business.work(CLERK) as work:
        match_again(work, bill, rules=RULES)
    assert rows(business, "SELECT decision FROM carrier_bill_line") == [(None,)]


def test_a_bill_goes_back_as_a_whole_with_a_reason_and_comes_again(business):
    sent(business, "A")
    bill, _ = take(business, ["A; 9.00"])
    refused(business, lambda work: refuse_bill(work, bill, reason=""), "reason_required")
    with business.work(FINANCE) as work:
        refuse_bill(work, bill, reason="the old tariff, please")
    assert rows(business, "SELECT state, fault FROM carrier_bill") == [("refused", "the old tariff, please")]
    refused(business, lambda work: post_bill(work, bill, rules=RULES), "illegal_move")
    assert take(business, ["A; 6.96"])[1] == ""
    assert_books_agree(business.database)


def test_a_bill_of_which_every_line_is_declined_is_sent_back_instead(business):
    sent(business, "A")
    bill, _ = take(business, ["A; 6.96"])
    with business.work(FINANCE) as work:
        decline_line(work, line_ids(business, bill)[0], reason="not ordered")
    refused(business, lambda work: post_bill(work, bill, rules=RULES), "carrier_bill_nothing")


def test_bills_that_do_not_add_up_are_kept_refused_with_all_lines(business):
    sent(business, "A")
    for number, (lines, more, why) in enumerate(
        (
            (["A; 6.96"], {"total": 700}, "the total says 7.00, the lines make 6.96"),
            (["A; 6.96"], {"currency": "CHF"}, "it is in CHF, and what this company's carriers ask is in EUR"),
            (["A; 0.00"], {}, "line 1 asks for nothing, or for more money than there is"),
            (["A; 1.00; 2.00"], {}, "line 1 has more tax than amount, or tax of the other sign"),
            ([], {}, "it has no lines"),
        )
    ):
        assert take(business, lines, f"R-{number}", **more).fault == why
    head = BillHead(carrier=business.carrier, site=business.site, number="R-9", billed_on=DAY, total_minor=1)
    with business.work(CLERK) as work:
        content = b"shipment,amount,tax,text\nA,12.345,,\nB,x,,\nC,1,1,1,1\n"
        taken = take_bill_file(work, head, content, "dhl.csv", rules=RULES)
    assert taken.fault == "3 of 3 lines cannot be read; line 1: “12.345” has more decimals than EUR has (2)"
    assert rows(business, "SELECT DISTINCT state FROM carrier_bill") == [("refused",)]
    assert rows(business, f"SELECT reference, fault FROM carrier_bill_line WHERE bill_id = {taken.id} ORDER BY line_no") == [
        ("A", "“12.345” has more decimals than EUR has (2)"), ("B", "“x” is no amount"), (None, "5 cells instead of 4"),
    ]  # fmt: skip
    assert_books_agree(business.database)


def test_what_is_no_bill_is_refused_before_anything_is_kept(business):
    def act(content=b"shipment;amount\nA;1,00\n", **more):
        head = {
            "carrier": business.carrier,
            "site": business.site,
            "number": "R-1",
            "billed_on": DAY,
            "total_minor": 100,
        }
        return lambda work: take_bill_file(work, BillHead(**{**head, **more}), content, "dhl.csv", rules=RULES)

    for more, code in (
        ({"carrier": 1}, "carrier_unknown"), ({"number": "  "}, "carrier_bill_number_missing"),
        ({"billed_on": date(2026, 3, 3)}, "carrier_bill_day"), ({"due_on": date(2026, 3, 1)}, "carrier_bill_due"),
        ({"content": b""}, "import_file_empty"), ({"content": b"a;b\n1;2\n"}, "sheet_columns"),
        ({"content": b"\xff\xfe\x00"}, "import_file_damaged"),
    ):  # fmt: skip
        refused(business, act(**more), code, CLERK)

"""Asking for what is overdue: proposed by one, confirmed by another, issued once; levels, fees, letters, blocks and promises agree."""

from __future__ import annotations

import threading
from datetime import date, timedelta
from email import message_from_bytes

import pytest
from sqlalchemy import func, select

from app.composition.dunning_letters import DunningLetter
from app.composition.letters import keep_contact
from app.composition.uow import reading
from app.jobs import dunning as job
from app.queries.customer_statement import statement
from app.queries.dunning import notice_of, run_page
from app.queries.listing import Asked
from app.queries.receivables import AGEING, account
from app.security.roles import Role
from erpcore.billing.cash import ApplyCash, ReceiveCash, apply_cash, receive_cash
from erpcore.billing.cash_reversal import ReturnReceipt, return_receipts
from erpcore.billing.dunning.fees import SettleFee, settle_fees
from erpcore.billing.dunning.holding import SetBlock, TakePromise, lift_block, set_block, take_promise
from erpcore.billing.dunning.models import DunningFee, DunningNotice, DunningRun, DunningStand, FeeReversal
from erpcore.billing.dunning.records import held_of, in_dispute, promises
from erpcore.billing.dunning.rules import Level, Overdue, PromiseState, next_level, promise_state
from erpcore.billing.dunning.runs import cancel_run, confirm_run, drop_notice
from erpcore.billing.models import Receipt
from erpcore.credit.models import CreditExposure, Receivable
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import IllegalMove, NotAllowed, RuleBroken
from erpcore.ledger.periods import ClosePeriod, close_period
from tests.support.controls import assert_books_agree
from tests.support.core import MONDAY, a_business
from tests.support.dunning import FIRST, LEVELS, SECOND, a_procedure, issued, later, proposed, somebody
from tests.support.steps import invoiced
from tests.support.threads import at_once

SYSTEM = Actor.system("test")


@pytest.fixture
def business(database):
    """120.00 due on 1 April and 240.00 due on 11 April; today is 8 April and the procedure is in force."""
    made = a_business(database)
    a_procedure(made)
    made.first = invoiced(made, [(0, 10)])[2]
    later(made, 10)
    made.second = invoiced(made, [(1, 20)])[2]
    made.clock.set(MONDAY + timedelta(days=37))
    return made


def rows(business, table, *, where=None):
    with reading(business.database) as session:
        query = select(table.__table__)
        return list(session.execute(query if where is None else query.where(where)))


def levels(business):
    return {row.document_id: row.level for row in rows(business, DunningStand)}


def pay(business, minor, *, settle=None):
    with business.work() as work:
        (receipt,) = receive_cash(
            work, [ReceiveCash(entity=business.entity, customer=business.customer, amount_minor=minor)]
        )
        if settle is not None:
            apply_cash(work, [ApplyCash(receipt=receipt, invoice=settle.id, amount_minor=minor)])
    return receipt


def test_a_document_rises_one_step_a_notice_by_its_days_its_amount_and_the_time_since_the_last():
    steps = {one.level: one for one in LEVELS}

    def after(day, **changes):
        one = Overdue(**{"document": 1, "customer": 2, "due_on": date(2026, 1, 31), "open_minor": 5_000, **changes})
        return next_level(steps, one, day, 7)

    assert [after(date(2026, 2, day)) for day in (4, 5)] == [0, 1]
    assert after(date(2026, 6, 1)) == 1, "nobody gets a demand who was never reminded"
    assert after(date(2026, 3, 2), level=2, last_on=date(2026, 2, 20)) == 2, (
        "30 days after the 31st is the 2nd of March"
    )
    assert after(date(2026, 3, 12), level=2, last_on=date(2026, 2, 20)) == 3
    assert after(date(2026, 3, 12), level=2, last_on=date(2026, 3, 6)) == 2, "six days after the last notice"
    assert after(date(2026, 9, 1), level=3, last_on=date(2026, 3, 1)) == 3, "there is no fourth"
    assert after(date(2026, 6, 1), open_minor=999) == 0
    assert promise_state(100, 100, date(2026, 1, 1), date(2026, 2, 1)) is PromiseState.KEPT
    assert promise_state(100, 99, date(2026, 1, 1), date(2026, 1, 1)) is PromiseState.OPEN
    assert promise_state(100, 99, date(2026, 1, 1), date(2026, 1, 2)) is PromiseState.BROKEN


def test_a_run_is_proposed_by_one_confirmed_by_another_and_issued_with_level_fee_letter_and_books(business):
    with business.work() as work:
        keep_contact(work, customer=business.customer, email="pay@bau.example", language=None, wants_none=False, seen=0)
    found = proposed(business)
    assert (found.notices, found.left_out) == (1, 0)
    with reading(business.database) as session:
        page = run_page(session, SYSTEM, found.run)
    (notice,) = page.notices
    assert (notice.level, notice.letter, notice.fee_minor, notice.overdue_minor) == (1, "reminder", 0, 12_000)
    assert notice.pay_until == date(2026, 4, 18)
    assert (notice.to_address, levels(business), rows(business, DunningLetter)) == ("pay@bau.example", {}, [])
    for actor, code in ((somebody(FIRST), "dunning_same_person"), (somebody(SECOND, Role.COLLECTIONS), None)):
        with pytest.raises(RuleBroken if code else NotAllowed) as refused, business.work(actor) as work:
            confirm_run(work, found.run)
        assert code in {None, refused.value.code}
    assert {row.state for row in rows(business, DunningRun)} == {"proposed"}
    with business.work(somebody(SECOND)) as work:
        confirm_run(work, found.run)
    assert job.issue_confirmed(business.database, clock=business.clock) == 1
    assert job.issue_confirmed(business.database, clock=business.clock) == 0
    assert levels(business) == {business.first.id: 1}
    assert {row.state for row in rows(business, DunningRun)} == {"done"}
    (letter,) = rows(business, DunningLetter)
    assert (letter.language, letter.state, letter.to_address) == ("de", "waiting", "pay@bau.example")
    assert "Guten Tag Bautechnik" in letter.body
    assert "120.00 EUR" in letter.body
    assert rows(business, DunningFee) == []
    later(business, 20)
    issued(business)
    assert levels(business) == {business.first.id: 2, business.second.id: 1}
    (fee,) = rows(business, DunningFee)
    assert (fee.amount_minor, fee.fee_on) == (500, date(2026, 4, 28))
    assert {row.receivable_minor for row in rows(business, CreditExposure)} == {36_500}
    with reading(business.database) as session:
        assert account(session, SYSTEM, business.customer, None, business.clock.now()).row.balance_minor == 36_500
        page = notice_of(session, fee.notice_id)
    assert {one.to_level for one in page.items} == {1, 2}
    assert "5.00 EUR" in page.body
    assert_books_agree(business.database)


def test_letters_leave_once_with_the_paper_and_a_customer_without_an_address_gets_it_on_paper_alone(business, tmp_path):
    issued(business)
    assert [row.state for row in rows(business, DunningLetter)] == ["skipped"]
    with business.work() as work:
        keep_contact(work, customer=business.customer, email="pay@bau.example", language="en", wants_none=False, seen=0)
    later(business, 20)
    issued(business)
    url = f"file://{tmp_path}"
    assert job.send_dunning_letters(business.database, clock=business.clock, mail_url=url) == 1
    assert job.send_dunning_letters(business.database, clock=business.clock, mail_url=url) == 0
    (path,) = tmp_path.glob("*.eml")
    message = message_from_bytes(path.read_bytes())
    parts = {part.get_content_type(): part for part in message.walk()}
    assert message["To"] == "pay@bau.example"
    assert message["Subject"].startswith("Demand for payment DN-")
    assert parts["application/pdf"].get_payload(decode=True).startswith(b"%PDF")
    assert [row.state for row in rows(business, DunningLetter)] == ["skipped", "sent"]


def test_the_same_day_is_proposed_once_and_again_only_after_a_cancellation(business):
    run = proposed(business).run
    with pytest.raises(RuleBroken) as refused:
        proposed(business)
    assert refused.value.code == "dunning_run_exists"
    with business.work(somebody(FIRST)) as work:
        cancel_run(work, run, "wrong day")
    assert proposed(business).run != run
    assert len(rows(business, DunningNotice)) == 2
    with pytest.raises(RuleBroken) as refused, business.work(somebody(SECOND)) as work:
        confirm_run(work, run)
    assert refused.value.code == "illegal_move"
    assert job.issue_confirmed(business.database, clock=business.clock) == 0


def test_what_is_paid_blocked_or_promised_after_the_proposal_is_not_asked_for(business):
    later(business, 20)
    run = proposed(business).run
    pay(business, 12_000, settle=business.first)
    with business.work(somebody(SECOND)) as work:
        confirm_run(work, run)
    with business.work(somebody(FIRST)) as work:
        take_promise(
            work,
            TakePromise(customer=business.customer, amount_minor=24_000, until=date(2026, 5, 4), said_by="Ms Kern",
                        document=business.second.id),
        )  # fmt: skip
    job.issue_confirmed(business.database, clock=business.clock)
    (notice,) = rows(business, DunningNotice)
    assert (notice.state, notice.reason) == ("dropped", "Nothing of it is to be asked for any more.")
    assert (levels(business), rows(business, DunningLetter)) == ({}, [])
    assert {row.state for row in rows(business, DunningRun)} == {"done"}
    assert_books_agree(business.database)


def test_a_runner_killed_half_way_leaves_the_rest_to_the_next_and_two_at_once_issue_each_notice_once(
    business, monkeypatch
):
    later(business, 20)
    issued(business)
    later(business, 20)
    run = proposed(business).run
    with business.work(somebody(SECOND)) as work:
        confirm_run(work, run)
    whole = job.issue

    def killed(work, notice):
        whole(work, notice)
        raise KeyboardInterrupt

    monkeypatch.setattr(job, "issue", killed)
    with pytest.raises(KeyboardInterrupt):
        job.issue_confirmed(business.database, clock=business.clock)
    assert (levels(business)[business.first.id], rows(business, DunningFee)) == (1, []), "nothing of it stayed"
    monkeypatch.setattr(job, "issue", whole)
    done, failed, start = [], [], threading.Barrier(2)

    def runner():
        try:
            start.wait()
            done.append(job.issue_confirmed(business.database, clock=business.clock))
        except Exception as error:  # noqa: BLE001  # told below
            failed.append(error)

    threads = [threading.Thread(target=runner) for _ in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert (failed, sum(done)) == ([], 1)
    assert [row.amount_minor for row in rows(business, DunningFee)] == [500]
    assert levels(business) == {business.first.id: 2, business.second.id: 2}
    assert_books_agree(business.database)


def test_books_that_were_closed_meanwhile_refuse_the_run_clearly_and_nothing_changes(business):
    run = proposed(business).run
    later(business, 2)
    with business.work() as work:
        close_period(
            work, ClosePeriod(entity=business.entity, until=local_day(business.clock.now(), "Europe/Berlin"), reason="April")
        )  # fmt: skip
    with pytest.raises(RuleBroken) as refused, business.work(somebody(SECOND)) as work:
        confirm_run(work, run)
    assert (refused.value.code, refused.value.facts["day"]) == ("period_closed", date(2026, 4, 8))
    assert {row.state for row in rows(business, DunningRun)} == {"proposed"}
    with business.work(somebody(FIRST)) as work:
        cancel_run(work, run, "the month is closed")
    assert proposed(business).notices == 1


def test_blocks_disputes_own_money_and_small_sums_leave_out_with_the_reason(business):
    later(business, 20)

    def left():
        found = proposed(business)
        with reading(business.database) as session:
            page = run_page(session, SYSTEM, found.run)
        with business.work(somebody(FIRST)) as work:
            cancel_run(work, found.run, "looked at")
        return {one.document: one.reason for one in page.left_out}, page

    with business.work(somebody(FIRST)) as work:
        block = set_block(
            work,
            SetBlock(customer=business.customer, kind="dispute", reason="wrong size", until=date(2026, 5, 10), owner=FIRST,
                     document=business.first.id),
        )  # fmt: skip
    reasons, page = left()
    assert reasons == {business.first.id: "in dispute until 2026-05-10: wrong size"}
    assert [one.overdue_minor for one in page.notices] == [24_000]
    with reading(business.database) as session:
        both = [business.first.id, business.second.id]
        assert in_dispute(session, both, date(2026, 5, 9)) == {business.first.id}
        assert in_dispute(session, both, date(2026, 5, 10)) == set(), "its last day is over"
        assert held_of(session, [business.entity], date(2026, 5, 9)) == {business.first.id}
        assert held_of(session, [business.entity], date(2026, 5, 10)) == set()
        assert held_of(session, [business.entity + 1], date(2026, 5, 9)) == set()
    with business.work(somebody(FIRST)) as work:
        lift_block(work, block, "agreed")
    with pytest.raises(RuleBroken) as refused, business.work(somebody(FIRST)) as work:
        lift_block(work, block, "again")
    assert refused.value.code == "dunning_block_over"
    assert left()[0] == {}
    pay(business, 36_000)
    with pytest.raises(RuleBroken) as refused:
        proposed(business)
    assert refused.value.code == "dunning_nothing", "it is covered by money on account"
    assert [row.state for row in rows(business, DunningRun)] == ["cancelled", "cancelled"]


def test_a_promise_is_kept_or_broken_by_what_comes_until_its_day_is_over(business):
    def states():
        with reading(business.database) as session:
            today = local_day(business.clock.now(), "Europe/Berlin")
            return [one.state for one in promises(session, {business.customer: "Europe/Berlin"}, today)]

    def promise(minor, until, **more):
        with business.work(somebody(FIRST)) as work:
            return take_promise(
                work, TakePromise(customer=business.customer, amount_minor=minor, until=until, said_by="Ms Kern", **more)
            )  # fmt: skip

    promise(10_000, date(2026, 4, 10))
    with pytest.raises(RuleBroken) as refused:
        promise(500, date(2026, 4, 20))
    assert refused.value.code == "promise_open"
    later(business, 2)
    pay(business, 4_000)
    assert states() == [PromiseState.OPEN]
    business.clock.set(MONDAY + timedelta(days=39, hours=13, minutes=30))
    assert states() == [PromiseState.BROKEN], "half past midnight where the company is"
    pay(business, 6_000)
    assert states() == [PromiseState.BROKEN], "it came too late"
    promise(2_000, date(2026, 4, 20), document=business.first.id)
    pay(business, 9_000)
    assert states()[0] is PromiseState.OPEN, "nothing of it was applied to that invoice"
    pay(business, 2_000, settle=business.first)
    assert states() == [PromiseState.KEPT, PromiseState.BROKEN]
    for wrong, code in (({"until": date(2026, 4, 1)}, "dunning_until"), ({"minor": 0}, "amount_not_positive")):
        with pytest.raises(RuleBroken) as refused:
            promise(**{"minor": 5, "until": date(2026, 4, 30), **wrong})
        assert refused.value.code == code


def test_fees_are_paid_out_of_a_receipt_or_waived_by_authority_and_every_day_agrees_with_the_books(business):
    issued(business)
    later(business, 20)
    issued(business)
    (fee,) = rows(business, DunningFee)
    receipt = pay(business, 1_000)
    for wrong, code in (
        (SettleFee(fee=fee.id, amount_minor=501, receipt=receipt), "applied_too_much"),
        (SettleFee(fee=fee.id, amount_minor=100), "reason_required"),
    ):
        with pytest.raises(RuleBroken) as refused, business.work(somebody(FIRST)) as work:
            settle_fees(work, [wrong])
        assert refused.value.code == code
    with pytest.raises(NotAllowed), business.work(somebody(FIRST, Role.COLLECTIONS)) as work:
        settle_fees(work, [SettleFee(fee=fee.id, amount_minor=100, reason="asked")])
    with business.work(somebody(FIRST)) as work:
        settle_fees(work, [SettleFee(fee=fee.id, amount_minor=300, receipt=receipt)])
    later(business, 3)
    with business.work(somebody(FIRST)) as work:
        settle_fees(work, [SettleFee(fee=fee.id, amount_minor=200, reason="a good customer")])
    assert [row.open_minor for row in rows(business, Receivable, where=Receivable.document_type == "dunning_fee")] == [
        0
    ]
    assert_books_agree(business.database)
    with reading(business.database) as session:
        now = business.clock.now()
        for day, balance in ((27, 36_000), (28, 35_500), (30, 35_500)):
            asked = Asked(values={"as_of": date(2026, 4, day)})
            assert AGEING.page(session, SYSTEM, asked, now).rows[0].balance_minor == balance, day
        paper = statement(session, SYSTEM, business.customer, since=date(2026, 4, 1), until=None, now=now)
    assert [one.minor for one in paper.movements] == [500, -1_000, -200]
    assert paper.closing_minor == paper.account.row.balance_minor == 35_300


def test_a_receipt_that_paid_a_fee_goes_back_whole_and_the_fee_is_open_again(business):
    issued(business)
    later(business, 20)
    issued(business)
    (fee,) = rows(business, DunningFee)
    receipt = pay(business, 1_000)
    with business.work() as work:
        settle_fees(work, [SettleFee(fee=fee.id, amount_minor=300, receipt=receipt)])
        apply_cash(work, [ApplyCash(receipt=receipt, invoice=business.first.id, amount_minor=700)])
    later(business, 3)
    with pytest.raises(RuleBroken), business.work() as work:
        return_receipts(work, [ReturnReceipt(receipt=receipt, reason="bounced", amount_minor=1_001)])
    with business.work() as work:
        return_receipts(work, [ReturnReceipt(receipt=receipt, reason="in part", amount_minor=600)])
    owed = {row.document_id: row.open_minor for row in rows(business, Receivable)}
    assert (owed[fee.id], owed[business.first.id]) == (200, 12_000), "the newest is open again, the fee is still paid"
    with business.work() as work:
        return_receipts(work, [ReturnReceipt(receipt=receipt, reason="bounced")])
    owed = {row.document_id: row.open_minor for row in rows(business, Receivable)}
    assert owed[fee.id] == 500
    (back,) = rows(business, FeeReversal)
    assert (back.amount_minor, back.reason) == (300, "bounced")
    (money,) = rows(business, Receipt)
    assert (money.left_minor, money.returned_minor) == (0, 1_000)
    assert_books_agree(business.database)
    with reading(business.database) as session:
        now = business.clock.now()
        for day, balance in ((28, 35_500), (30, 35_500), (1, 36_500)):
            asked = Asked(values={"as_of": date(2026, 5 if day == 1 else 4, day)})
            assert AGEING.page(session, SYSTEM, asked, now).rows[0].balance_minor == balance, day
    with business.work() as work:
        other = receive_cash(work, [ReceiveCash(entity=business.entity, customer=business.customer, amount_minor=500)])[
            0
        ]
        settle_fees(work, [SettleFee(fee=fee.id, amount_minor=500, receipt=other)])
    assert_books_agree(business.database)


def test_two_who_take_the_same_receipt_back_reopen_its_fee_once(business):
    issued(business)
    later(business, 20)
    issued(business)
    (fee,) = rows(business, DunningFee)
    receipt = pay(business, 500)
    with business.work() as work:
        settle_fees(work, [SettleFee(fee=fee.id, amount_minor=500, receipt=receipt)])

    def back():
        with business.work() as work:
            return return_receipts(work, [ReturnReceipt(receipt=receipt, reason="bounced")])

    found = at_once(back, back)
    assert sum(isinstance(one, list) for one in found) == 1, found
    assert [row.amount_minor for row in rows(business, FeeReversal)] == [500]
    assert_books_agree(business.database)


def test_a_notice_taken_out_is_not_issued_and_a_confirmed_run_keeps_its_notices(business):
    run = proposed(business).run
    (notice,) = rows(business, DunningNotice)
    with pytest.raises(RuleBroken) as refused, business.work(somebody(FIRST)) as work:
        drop_notice(work, notice.id, " ")
    assert refused.value.code == "reason_required"
    with business.work(somebody(FIRST)) as work:
        drop_notice(work, notice.id, "spoken to")
    with business.work(somebody(SECOND)) as work:
        confirm_run(work, run)
    with pytest.raises(RuleBroken) as refused, business.work(somebody(FIRST)) as work:
        drop_notice(work, notice.id, "again")
    assert refused.value.code == "dunning_run_confirmed"
    assert job.issue_confirmed(business.database, clock=business.clock) == 0


def test_a_run_of_which_every_notice_was_taken_out_is_done_when_it_is_confirmed_and_stays_so(business):
    run = proposed(business).run
    (notice,) = rows(business, DunningNotice)
    with business.work(somebody(FIRST)) as work:
        drop_notice(work, notice.id, "spoken to")
    with business.work(somebody(SECOND)) as work:
        confirm_run(work, run)
    (row,) = rows(business, DunningRun)
    assert (row.state, row.confirmed_by) == ("done", SECOND)
    assert [row.state for row in rows(business, DunningNotice)] == ["dropped"]
    assert (levels(business), rows(business, DunningFee), rows(business, DunningLetter)) == ({}, [], [])
    with pytest.raises(IllegalMove), business.work(somebody(SECOND)) as work:
        confirm_run(work, run)
    assert job.issue_confirmed(business.database, clock=business.clock) == 0


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"valid_from": date(2026, 3, 1)}, "dunning_from_past"),
        ({"levels": ()}, "dunning_levels_few"),
        ({"levels": (LEVELS[0], Level(level=2, days_overdue=5, min_minor=0, fee_minor=0, letter="demand", respite_days=1))}, "dunning_days_order"),
        ({"interval_days": 0}, "dunning_number_odd"),
        ({"name": " "}, "dunning_incomplete"),
    ],
)  # fmt: skip
def test_a_procedure_that_makes_no_sense_is_refused_and_nothing_is_kept(sqlite_database, changes, code):
    business = a_business(sqlite_database, stock=0)
    with pytest.raises(RuleBroken) as refused:
        a_procedure(business, **changes)
    assert refused.value.code == code
    with reading(business.database) as session:
        assert session.scalar(select(func.count()).select_from(DunningRun)) == 0

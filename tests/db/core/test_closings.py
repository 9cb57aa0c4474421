"""Closing the books: nothing is locked before its tasks are done and its checks agree, once, and opened again by authority."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from threading import Barrier

import pytest
from sqlalchemy import select, text, update

from app.composition.uow import reading
from app.messages import sentence
from app.queries.closing_checks import ACCEPTABLE, CHECKS, find
from erpcore.billing.accruals.services import RunAccruals, run_accruals
from erpcore.fulfilment.models import Shipment
from erpcore.kernel.errors import Conflict, DomainError, IllegalMove, NotAllowed, RuleBroken
from erpcore.ledger.closing.findings import accept_finding
from erpcore.ledger.closing.flow import CLOSING
from erpcore.ledger.closing.models import Closing, ClosingFinding, ClosingState, ClosingTask
from erpcore.ledger.closing.services import lock_one, look, move_close, reopen, soft_lock, start_closing
from erpcore.ledger.closing.tasks import (
    AddTask,
    DoTask,
    add_task,
    assign_task,
    do_task,
    undo_task,
    working_day,
    working_days,
)
from erpcore.ledger.journals import move_journal
from erpcore.ledger.kinds import JournalKind, Strength
from erpcore.ledger.periods import ClosePeriod, LockJournal, closed_until
from erpcore.masterdata.models import Entity
from tests.support.closings import CLERK, FINANCE, MARCH, OTHER, a_closing, finish_tasks, locked
from tests.support.controls import assert_books_agree
from tests.support.core import a_business
from tests.support.journals import ILSE, a_journal, with_rent
from tests.support.steps import shipped as shipped_one
from tests.support.threads import at_once

LAST_DAY = MARCH - timedelta(days=1)


@pytest.fixture
def business(database):
    """Nothing is in stock, so nothing is dated before the clock."""
    return with_rent(a_business(database, items=1, stock=0))


def _row(business, closing):
    with reading(business.database) as session:
        row = session.get_one(Closing, closing)
        session.expunge_all()
        return row


def _closed(business):
    with business.work() as work:
        return closed_until(work, business.entity)


def _tasks(business, closing):
    with reading(business.database) as session:
        query = select(ClosingTask).where(ClosingTask.closing_id == closing).order_by(ClosingTask.position)
        rows = session.scalars(query).all()
        session.expunge_all()
        return rows


def _refused(code, act, kind=DomainError):
    with pytest.raises(kind) as refused:
        act()
    assert refused.value.code == code
    return refused.value


def _with(business, actor, act, *args, **options):
    with business.work(actor) as work:
        return act(work, *args, **options)


def _posted(business, **changes):
    journal = a_journal(business, actor=FINANCE, **changes)
    for move, actor in (("submit", FINANCE), ("approve", OTHER), ("post", FINANCE)):
        _with(business, actor, move_journal, journal, move)
    return journal


def test_what_is_due_falls_on_working_days_after_the_period():
    assert [working_day(date(2026, 3, 1), number) for number in (1, 2, 5, 6)] == [
        date(2026, 3, 2), date(2026, 3, 3), date(2026, 3, 6), date(2026, 3, 9)
    ]  # fmt: skip
    assert [working_days(date(2026, 3, 1), day) for day in (date(2026, 2, 27), date(2026, 3, 1), date(2026, 3, 9))] == [
        0, 0, 6
    ]  # fmt: skip


def test_a_closing_asks_for_its_tasks_and_the_next_one_for_the_same_of_the_same_people(business):
    closing = a_closing(business, done=False)
    row = _row(business, closing)
    assert (row.begins_on, row.until, row.state) == (date(2026, 2, 1), MARCH, ClosingState.OPEN)
    tasks = _tasks(business, closing)
    assert [task.due_on for task in tasks][:3] == [date(2026, 3, 2), date(2026, 3, 2), date(2026, 3, 3)]
    _with(business, FINANCE, assign_task, tasks[0].id, owner=CLERK.id, due_on=date(2026, 3, 4))
    _with(business, FINANCE, add_task, AddTask(closing=closing, name="Rents agree", due_on=date(2026, 3, 5)))
    following = a_closing(business, date(2026, 4, 1), done=False)
    assert _row(business, following).begins_on == MARCH
    found = _tasks(business, following)
    assert [task.name for task in found] == [*(task.name for task in tasks), "Rents agree"]
    assert (found[0].owner_id, found[0].due_on, found[0].done_at) == (CLERK.id, date(2026, 4, 3), None)


def test_the_books_stay_open_until_every_task_is_done(business):
    closing = a_closing(business, done=False)
    refusal = _refused("closing_tasks_open", lambda: locked(business, closing))
    assert refusal.facts["tasks"].count("; ") == 9
    assert "Not done yet: All goods that came are received; " in sentence(refusal)
    assert (_row(business, closing).state, _closed(business)) == (ClosingState.OPEN, None)


def test_a_task_is_done_by_its_owner_with_evidence_and_may_be_taken_back(business):
    closing = a_closing(business, done=False)
    task, other = _tasks(business, closing)[:2]
    _refused(
        "closing_task_of_other", lambda: _with(business, CLERK, do_task, DoTask(task=task.id, evidence="x")), NotAllowed
    )
    _with(business, FINANCE, assign_task, task.id, owner=CLERK.id, due_on=task.due_on)
    _refused("closing_evidence", lambda: _with(business, CLERK, do_task, DoTask(task=task.id, evidence="  ")))
    _refused("closing_journal_unknown", lambda: _with(business, CLERK, do_task, DoTask(task=task.id, journal=999)))
    journal = a_journal(business)
    _with(business, CLERK, do_task, DoTask(task=task.id, journal=journal))
    found = _tasks(business, closing)
    assert (found[0].done_by, found[0].journal_id, found[1].done_at) == (CLERK.id, journal, None)
    _refused("closing_task_done", lambda: _with(business, CLERK, do_task, DoTask(task=task.id, evidence="again")))
    _refused("closing_task_open", lambda: _with(business, FINANCE, undo_task, other.id, reason="no"))
    _with(business, CLERK, undo_task, task.id, reason="the wrong journal")
    assert _tasks(business, closing)[0].done_at is None


def test_a_journal_without_approval_keeps_the_books_open_until_it_is_mended(business):
    closing = a_closing(business)
    journal = a_journal(business, entry_on=LAST_DAY)
    refusal = _refused("closing_checks_fail", lambda: locked(business, closing))
    assert f"Journals by hand not approved or not posted: 1, 900.00 EUR, MJ-{journal}." in sentence(refusal)
    assert (_row(business, closing).state, _closed(business)) == (ClosingState.OPEN, None)
    for move, actor in (("submit", FINANCE), ("approve", OTHER), ("post", FINANCE)):
        _with(business, actor, move_journal, journal, move)
    locked(business, closing)
    row = _row(business, closing)
    assert (row.state, row.locked_at is not None, _closed(business)) == (ClosingState.LOCKED, True, MARCH)
    _refused("period_closed", lambda: a_journal(business, actor=FINANCE, entry_on=LAST_DAY))
    assert_books_agree(business.database)


def test_a_difference_between_stock_and_ledger_keeps_the_books_open_and_nobody_may_take_it_as_it_is(database):
    business = a_business(database, items=1)
    closing = a_closing(business, date(2026, 3, 2))
    with business.work() as work:
        work.session.execute(text("UPDATE stock_balance SET value_minor = value_minor + 7"))
    refusal = _refused("closing_checks_fail", lambda: locked(business, closing))
    assert "Stock value = inventory account: they differ by 0.07 EUR" in sentence(refusal)
    _with(business, FINANCE, look, closing, find)
    with reading(business.database) as session:
        finding = session.scalar(select(ClosingFinding.id).where(ClosingFinding.name == "stock"))
    _refused(
        "closing_check_must_agree",
        lambda: _with(business, FINANCE, accept_finding, finding, reason="small", acceptable=ACCEPTABLE),
    )
    with business.work() as work:
        work.session.execute(text("UPDATE stock_balance SET value_minor = value_minor - 7"))
    locked(business, closing)


def test_a_finding_is_kept_once_and_again_when_it_changes(business):
    closing = a_closing(business)
    for _ in range(2):
        assert _with(business, FINANCE, look, closing, find)
    with reading(business.database) as session:
        assert session.scalar(text("SELECT COUNT(*) FROM closing_finding")) == len(CHECKS)
    a_journal(business, entry_on=LAST_DAY)
    _with(business, FINANCE, look, closing, find)
    with reading(business.database) as session:
        assert session.scalar(text("SELECT COUNT(*) FROM closing_finding")) == len(CHECKS) + 1
    locked_one = a_closing(business, date(2026, 4, 1), done=False)
    assert _row(business, locked_one).checked_at is None


def test_a_soft_lock_keeps_all_but_finance_out(business):
    closing = a_closing(business)
    _with(business, FINANCE, soft_lock, closing)
    refusal = _refused("journal_locked_soft", lambda: a_journal(business, actor=CLERK, entry_on=LAST_DAY))
    assert "only Finance posts there" in sentence(refusal)
    journal = _posted(business, entry_on=LAST_DAY)
    _refused("journal_locked_soft", lambda: a_journal(business, actor=CLERK, entry_on=date(2026, 2, 1)))
    a_journal(business, actor=CLERK, entry_on=MARCH)
    # Who agrees posts nothing.
    waiting = a_journal(business, actor=FINANCE, entry_on=LAST_DAY)
    _with(business, FINANCE, move_journal, waiting, "submit")
    _with(business, ILSE, move_journal, waiting, "approve")
    _refused("journal_locked_soft", lambda: _with(business, CLERK, move_journal, waiting, "post"))
    with reading(business.database) as session:
        state = session.execute(text("SELECT state FROM manual_journal WHERE id = :id"), {"id": journal}).scalar_one()
    assert state == "posted"


def test_a_kind_of_journal_is_locked_by_itself_once_its_own_checks_agree(business):
    def hard(journal):
        command = LockJournal(
            entity=business.entity, journal=journal, strength=Strength.HARD, until=MARCH, reason="done with it"
        )
        _with(business, FINANCE, lock_one, command, find)

    journal = a_journal(business, entry_on=LAST_DAY)
    hard(JournalKind.SALES)
    a_journal(business, entry_on=LAST_DAY, reason="a second one")
    refusal = _refused("closing_checks_fail", lambda: hard(JournalKind.MANUAL))
    assert f"MJ-{journal}" in sentence(refusal)
    with reading(business.database) as session:
        rows = session.execute(text("SELECT journal, strength FROM journal_lock")).all()
    assert [tuple(row) for row in rows] == [("sales", "hard")]


def test_hard_is_hard_for_finance_too(business):
    command = LockJournal(
        entity=business.entity, journal=JournalKind.MANUAL, strength=Strength.HARD, until=MARCH, reason="done"
    )
    _with(business, FINANCE, lock_one, command, find)
    refusal = _refused("journal_locked_hard", lambda: a_journal(business, actor=FINANCE, entry_on=LAST_DAY))
    assert refusal.facts["journal"] == "manual"


def test_locked_books_are_opened_again_by_authority_with_a_reason(business):
    closing = a_closing(business)
    _with(business, FINANCE, soft_lock, closing)
    locked(business, closing)
    _refused("not_allowed", lambda: _with(business, CLERK, reopen, closing, reason="late invoice"), NotAllowed)
    _refused("reason_required", lambda: _with(business, FINANCE, reopen, closing, reason=" "))
    command = ClosePeriod(entity=business.entity, until=date(2026, 2, 1), reason="late invoice")
    _refused("closing_has_days", lambda: _with(business, FINANCE, move_close, command, find))
    _refused("closing_locked", lambda: finish_tasks(business, closing))
    _with(business, FINANCE, reopen, closing, reason="late invoice")
    assert (_row(business, closing).state, _row(business, closing).locked_at) == (ClosingState.OPEN, None)
    assert _closed(business) == date(2026, 2, 1)
    a_journal(business, actor=CLERK, entry_on=LAST_DAY, reason="late")


def test_earlier_days_are_locked_first_and_later_ones_opened_first(business, clock):
    february = a_closing(business)
    business.clock.set(business.clock.now() + timedelta(days=31))
    march = a_closing(business, date(2026, 4, 1))
    _refused("closing_earlier_open", lambda: locked(business, march))
    locked(business, february)
    locked(business, march)
    refusal = _refused("closing_later_locked", lambda: _with(business, FINANCE, reopen, february, reason="late"))
    assert refusal.facts["until"] == date(2026, 4, 1)


def test_days_are_closed_without_a_closing_only_when_every_check_agrees_and_no_closing_has_them(business):
    command = ClosePeriod(entity=business.entity, until=MARCH, reason="taken over")
    a_journal(business, entry_on=LAST_DAY)
    _refused("closing_checks_fail", lambda: _with(business, FINANCE, move_close, command, find))
    closing = a_closing(business, done=False)
    refusal = _refused("closing_under_way", lambda: _with(business, FINANCE, move_close, command, find))
    assert (refusal.facts["id"], _closed(business)) == (closing, None)


def test_a_closing_is_begun_once_and_neither_too_early_nor_for_closed_days(business):
    def start(until):
        return _with(business, FINANCE, start_closing, business.entity, until)

    a_closing(business)
    _refused("closing_there", lambda: start(MARCH), Conflict)
    _refused("closing_nothing_open", lambda: start(date(2026, 2, 10)))
    _refused("closing_too_early", lambda: start(date(2026, 9, 1)))
    _refused(
        "not_allowed", lambda: _with(business, CLERK, start_closing, business.entity, date(2026, 4, 1)), NotAllowed
    )


def test_a_closing_is_not_locked_before_its_days_are_over(business):
    closing = a_closing(business, date(2026, 4, 1))
    _refused("period_not_over", lambda: locked(business, closing))
    _refused("period_not_over", lambda: _with(business, FINANCE, soft_lock, closing))
    assert _row(business, closing).state == ClosingState.OPEN


def test_two_who_lock_at_once_lock_once(business):
    closing = a_closing(business)
    # Told to try again, as on a busy machine, they do.
    said = at_once(*(lambda: locked(business, closing) for _ in range(2)))
    assert said.count(None) == 1
    assert [type(one) for one in said if one is not None] in ([IllegalMove], [Conflict])
    with reading(business.database) as session:
        assert session.scalar(text("SELECT COUNT(*) FROM period_close")) == 1


def test_who_posts_while_the_books_are_locked_is_in_them_before_or_refused(business):
    closing = a_closing(business)
    journal = a_journal(business, actor=FINANCE, entry_on=LAST_DAY)
    for move, actor in (("submit", FINANCE), ("approve", OTHER)):
        _with(business, actor, move_journal, journal, move)
    both = Barrier(2)

    def run(act):
        both.wait()
        try:
            act()
        except RuleBroken as refusal:
            return refusal.code
        return "done"

    with ThreadPoolExecutor(2) as pool:
        posting = pool.submit(run, lambda: _with(business, FINANCE, move_journal, journal, "post"))
        locking = pool.submit(run, lambda: locked(business, closing))
        said = (posting.result(), locking.result())
    # Whoever came first: the entry is in the books and they are locked, or the books wait for it.
    assert said in {("done", "done"), ("done", "closing_checks_fail")}
    with reading(business.database) as session:
        assert session.scalar(text("SELECT COUNT(*) FROM journal_entry")) == 1
    assert_books_agree(business.database)


def test_the_flow_of_a_closing_reaches_every_state():
    reached = {CLOSING.initial} | {move.target for move in CLOSING.moves.values()}
    assert reached == set(ClosingState)
    assert CLOSING.finals() == set()


def test_goods_whose_cost_stands_in_another_period_keep_the_books_open(database):
    business = a_business(database, items=1)
    shipped_one(business)
    closing = a_closing(business, date(2026, 3, 3))
    business.clock.set(business.clock.now() + timedelta(days=1))
    with business.work(FINANCE) as work:
        found = {
            one.name: one for one in find(work.session, work.session.get_one(Entity, business.entity), date(2026, 3, 3))
        }
    assert (found["cut_off"].agrees, found["unbilled"].agrees) == (True, False)
    with business.work() as work:
        work.session.execute(update(Shipment).values(confirmed_at=work.now))
    refusal = _refused("closing_checks_fail", lambda: locked(business, closing))
    assert "stands in another period than the shipment." in sentence(refusal)


def test_what_may_be_taken_as_it_is_needs_a_reason_and_holds_for_that_finding_alone(database):
    business = a_business(database, items=1)
    shipped_one(business)
    closing = a_closing(business, date(2026, 3, 3))
    business.clock.set(business.clock.now() + timedelta(days=1))
    refusal = _refused("closing_checks_fail", lambda: locked(business, closing))
    assert "Shipments without an invoice: 1" in sentence(refusal)
    _with(business, FINANCE, look, closing, find)
    with reading(business.database) as session:
        finding = session.scalar(select(ClosingFinding.id).where(ClosingFinding.name == "unbilled"))
        well = session.scalar(select(ClosingFinding.id).where(ClosingFinding.name == "unapplied"))
    _refused(
        "reason_required", lambda: _with(business, FINANCE, accept_finding, finding, reason=" ", acceptable=ACCEPTABLE)
    )
    _refused(
        "not_allowed",
        lambda: _with(business, CLERK, accept_finding, finding, reason="billed in March", acceptable=ACCEPTABLE),
        NotAllowed,
    )
    _refused(
        "closing_finding_old",
        lambda: _with(business, FINANCE, accept_finding, well, reason="why not", acceptable=ACCEPTABLE),
        Conflict,
    )
    _with(business, FINANCE, accept_finding, finding, reason="billed in March", acceptable=ACCEPTABLE)
    _refused(
        "closing_finding_accepted",
        lambda: _with(business, FINANCE, accept_finding, finding, reason="again", acceptable=ACCEPTABLE),
        Conflict,
    )
    # Taken as it is by who bills it, it is still revenue of these days.
    refusal = _refused("closing_checks_fail", lambda: locked(business, closing))
    assert "revenue not invoiced 100.00 EUR (1)" in sentence(refusal)
    _with(business, FINANCE, run_accruals, RunAccruals(entity=business.entity, until=date(2026, 3, 3)), late=())
    locked(business, closing)
    assert _row(business, closing).state == ClosingState.LOCKED

"""Journals by hand: four eyes, balanced or refused, posted once, and taken back only by a mirror image."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import text

from app.composition.uow import reading
from app.queries.journals import journal_page
from app.queries.ledger import trial_balance
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import DomainError, IllegalMove, NotAllowed, NotFound
from erpcore.ledger.chart import add_account
from erpcore.ledger.flow import JOURNAL
from erpcore.ledger.journals import (
    JournalLineIn,
    WriteJournal,
    change_journal,
    move_journal,
    reverse_journal,
)
from erpcore.ledger.models import AccountRole, JournalState
from erpcore.ledger.periods import ClosePeriod, close_period
from erpcore.ledger.services import Entry, Side, post_entries
from tests.support.controls import assert_books_agree
from tests.support.core import a_business
from tests.support.journals import HANNE, ILSE, KIM, MAY, TODAY, a_journal, rent_lines, with_rent

WRITER = Actor(id=44, role="clerk", permissions=frozenset({"ledger:entry:post"}))


@pytest.fixture
def business(database):
    """Accounts of rent and of what is owed for it; nothing is in stock."""
    return with_rent(a_business(database, items=1, stock=0))


def _account(business, role):
    with reading(business.database) as session:
        return session.scalar(text("SELECT id FROM ledger_account WHERE role = :role"), {"role": role})


def _step(business, journal, move, actor, **options):
    with business.work(actor) as work:
        move_journal(work, journal, move, **options)


def _posted(business, **changes):
    journal = a_journal(business, **changes)
    for move, actor in (("submit", HANNE), ("approve", ILSE), ("post", HANNE)):
        _step(business, journal, move, actor)
    return journal


def _state(business, journal):
    with reading(business.database) as session:
        return journal_page(session, HANNE, journal).row


def _balance(business):
    with reading(business.database) as session:
        found = trial_balance(session, Actor.system("test"), business.entity)
    return {one.code: one.balance_minor for one in found.accounts if one.balance_minor}


def _nothing_moved(business):
    with reading(business.database) as session:
        assert session.scalar(text("SELECT COUNT(*) FROM journal_entry")) == 0


def _refused(code, act, kind=DomainError):
    with pytest.raises(kind) as refused:
        act()
    assert refused.value.code == code
    return refused.value


def test_one_writes_another_approves_and_it_is_in_the_books(business):
    journal = a_journal(business, evidence="contract 7/2019", site=business.site)
    _nothing_moved(business)
    _step(business, journal, "submit", HANNE)
    _step(business, journal, "approve", ILSE, note="as in February")
    _nothing_moved(business)
    _step(business, journal, "post", HANNE)
    row = _state(business, journal)
    assert (row.state, row.decided_by, row.decision_note) == (JournalState.POSTED, ILSE.id, "as in February")
    assert _balance(business) == {"2400": -90_000, "6100": 90_000}
    with reading(business.database) as session:
        entry = session.execute(text("SELECT rule, document_type, document_id, site_id, text FROM journal_entry")).one()
        told = session.execute(text("SELECT data FROM event_log WHERE type = 'journal.posted'")).scalar_one()
    assert tuple(entry) == ("manual_journal", "journal", journal, business.site, "rent of March")
    assert '"written_by":41,"approved_by":42' in told
    assert_books_agree(business.database)


def test_who_changed_the_draft_of_another_does_not_decide_on_it(business):
    journal = a_journal(business)
    command = WriteJournal(
        entity=business.entity, entry_on=TODAY, reason="more rent", lines=rent_lines(business, 95_000, 95_000)
    )
    with business.work(ILSE) as work:
        change_journal(work, journal, command)
    _step(business, journal, "submit", ILSE)
    for move in ("approve", "reject"):
        _refused("journal_own", lambda move=move: _step(business, journal, move, ILSE, note="fine"), NotAllowed)
    with reading(business.database) as session:
        page = journal_page(session, HANNE, journal)
    assert page.writers == {HANNE.id, ILSE.id}
    assert [step.move for step in page.steps] == ["write", "change", "submit"]
    _step(business, journal, "approve", KIM)


def test_nobody_decides_on_their_own_journal_and_nobody_without_the_right(business):
    journal = a_journal(business)
    _step(business, journal, "submit", HANNE)
    _refused("journal_own", lambda: _step(business, journal, "approve", HANNE), NotAllowed)
    _refused("journal_own", lambda: _step(business, journal, "reject", HANNE, note="no"), NotAllowed)
    _refused("not_allowed", lambda: _step(business, journal, "approve", WRITER), NotAllowed)
    _refused("reason_required", lambda: _step(business, journal, "reject", ILSE))
    assert _state(business, journal).state == JournalState.SUBMITTED
    _step(business, journal, "reject", ILSE, note="wrong month")
    _refused("illegal_move", lambda: _step(business, journal, "post", HANNE), IllegalMove)
    _step(business, journal, "rework", HANNE)
    assert _state(business, journal).state == JournalState.DRAFT
    _nothing_moved(business)


def test_what_does_not_balance_is_refused_naming_the_difference(business):
    facts = _refused(
        "journal_unbalanced", lambda: a_journal(business, lines=rent_lines(business, 90_000, 89_999))
    ).facts
    assert {name: str(facts[name]) for name in ("debits", "credits", "difference")} == {
        "debits": "900.00", "credits": "899.99", "difference": "0.01",
    }  # fmt: skip
    both = [JournalLineIn(business.rent, 5, 5), JournalLineIn(business.owed, 0, 0)]
    _refused("journal_line_side", lambda: a_journal(business, lines=both))
    negative = [JournalLineIn(business.rent, -5, 0), JournalLineIn(business.owed, 0, -5)]
    _refused("journal_line_side", lambda: a_journal(business, lines=negative))
    _refused("journal_lines_few", lambda: a_journal(business, lines=[JournalLineIn(business.rent, 5, 0)]))
    _refused("amount_absurd", lambda: a_journal(business, lines=rent_lines(business, 10**15, 10**15)))
    _refused("reason_required", lambda: a_journal(business, reason=" "))
    _refused("journal_in_future", lambda: a_journal(business, entry_on=TODAY + timedelta(days=1)))
    with reading(business.database) as session:
        assert session.scalar(text("SELECT COUNT(*) FROM manual_journal")) == 0


def test_accounts_that_documents_keep_and_those_of_others_are_refused(business):
    for role in ("receivable", "inventory", "transfer", "received_not_invoiced", "on_account"):
        lines = [JournalLineIn(business.rent, 5, 0), JournalLineIn(_account(business, role), 0, 5)]
        refused = _refused("account_not_by_hand", lambda lines=lines: a_journal(business, lines=lines))
        assert refused.field == "lines-1-account"
    stranger = [JournalLineIn(business.rent, 5, 0), JournalLineIn(10**9, 0, 5)]
    _refused("ledger_account_unknown", lambda: a_journal(business, lines=stranger))
    _refused("account_taken", lambda: _add(business, "6100"))
    _refused("account_incomplete", lambda: _add(business, " "))

    def past_the_service():
        with business.work() as work:
            place = _place(work, business)
            sides = [Side(None, 5, account=business.rent), Side(AccountRole.RECEIVABLE, -5)]
            entry = Entry(
                rule="manual_journal", place=place, document_type="journal", document_id=1, journey=1, entry_on=TODAY,
                posted_at=work.now, currency="EUR", sides=sides,
            )  # fmt: skip
            post_entries(work, [entry])

    _refused("posting_rule_broken", past_the_service)
    _nothing_moved(business)


def _add(business, code):
    with business.work(HANNE) as work:
        add_account(work, business.entity, code=code, name="Rent", kind="expense")


def _place(work, business):
    from erpcore.kernel.events import Place

    return Place(realm="live", entity=business.entity, ruleset="0" * 64, currency="EUR", time_zone="Europe/Berlin")


def test_a_day_that_was_closed_meanwhile_takes_no_journal(business):
    business.clock.set(business.clock.now() + timedelta(days=10))
    journal = a_journal(business)
    _step(business, journal, "submit", HANNE)
    _step(business, journal, "approve", ILSE)
    with business.work() as work:
        close_period(work, ClosePeriod(entity=business.entity, until=TODAY + timedelta(days=1), reason="month end"))
    _refused("period_closed", lambda: _step(business, journal, "post", HANNE))
    _refused("period_closed", lambda: a_journal(business))
    assert _state(business, journal).state == JournalState.APPROVED
    _nothing_moved(business)
    _step(business, journal, "reject", ILSE, note="too late for March")


def test_a_posted_journal_is_only_taken_back_by_its_mirror_image_which_others_approve(business):
    journal = _posted(business)
    command = WriteJournal(entity=business.entity, entry_on=TODAY, reason="other", lines=rent_lines(business, 1, 1))
    with pytest.raises(IllegalMove), business.work(HANNE) as work:
        change_journal(work, journal, command)
    with business.work(HANNE) as work:
        mirror = reverse_journal(work, journal, entry_on=TODAY, reason="booked twice")
    _refused("journal_reversed_already", lambda: _reverse(business, journal))
    _refused("journal_own", lambda: _step(business, mirror, "approve", HANNE), NotAllowed)
    _step(business, mirror, "reject", ILSE, note="not twice")
    _refused("journal_fixed", lambda: _step(business, mirror, "rework", HANNE))
    again = _reverse(business, journal)
    _step(business, again, "approve", ILSE)
    _step(business, again, "post", HANNE)
    assert (_state(business, journal).state, _state(business, again).state) == ("reversed", "posted")
    assert _balance(business) == {}
    with reading(business.database) as session:
        entries = session.execute(text("SELECT id, reverses_id FROM journal_entry ORDER BY id")).all()
    assert entries[1][1] == entries[0][0]
    _refused("illegal_move", lambda: _reverse(business, journal), IllegalMove)
    assert_books_agree(business.database)


def _reverse(business, journal):
    with business.work(HANNE) as work:
        return reverse_journal(work, journal, entry_on=TODAY, reason="booked twice")


def test_of_two_who_approve_or_post_at_once_one_does(business):
    journal = a_journal(business)
    _step(business, journal, "submit", HANNE)

    def tried(move, actor):
        try:
            _step(business, journal, move, actor)
        except DomainError as refusal:
            return refusal.code
        return "done"

    for move, actors in (("approve", (ILSE, KIM)), ("post", (HANNE, ILSE))):
        with ThreadPoolExecutor(2) as pool:
            found = sorted(pool.map(lambda actor, move=move: tried(move, actor), actors))
        assert found[0] == "done"
        assert found[1] in ("illegal_move", "changed_meanwhile")
    assert _balance(business) == {"2400": -90_000, "6100": 90_000}
    assert_books_agree(business.database)


def test_people_of_a_site_see_and_write_only_journals_of_their_site(business):
    here = Actor(id=51, role="finance", permissions=MAY, sites=frozenset({business.site}))
    everywhere = a_journal(business)
    mine = a_journal(business, actor=here, site=business.site)
    _refused("not_found", lambda: a_journal(business, actor=here), NotFound)
    with reading(business.database) as session:
        assert journal_page(session, here, mine).row.id == mine
        _refused("journal_unknown", lambda: journal_page(session, here, everywhere), NotFound)
    _refused("not_found", lambda: _step(business, everywhere, "submit", here), NotFound)


def test_a_change_over_an_older_version_is_refused(business):
    journal = a_journal(business)
    command = WriteJournal(entity=business.entity, entry_on=TODAY, reason="rent", lines=rent_lines(business, 7, 7))
    with business.work(HANNE) as work:
        change_journal(work, journal, command, seen_version=1)
    assert (_state(business, journal).amount_minor, _state(business, journal).version) == (7, 2)
    _refused("changed_meanwhile", lambda: _step(business, journal, "submit", HANNE, seen_version=1))
    assert _state(business, journal).state == JournalState.DRAFT


def test_the_books_find_a_journal_whose_lines_were_changed_behind_them(business):
    _posted(business)
    with business.database.write_engine.begin() as connection:
        connection.execute(text("UPDATE manual_journal_line SET debit_minor = debit_minor + 1 WHERE debit_minor > 0"))
    with pytest.raises(AssertionError, match="manual_journals"):
        assert_books_agree(business.database)


def test_every_state_is_reached_and_left_as_the_table_says():
    reached = {JOURNAL.initial} | {move.target for move in JOURNAL.moves.values()}
    assert reached == set(JournalState)
    assert JOURNAL.finals() == {JournalState.REVERSED}

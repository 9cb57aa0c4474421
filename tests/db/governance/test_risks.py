"""The RAID register: raised, judged, triggered by a score or a figure, passed on in working hours, turned into one another."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import orjson
import pytest
from sqlalchemy import func, select

from app.composition.risk_desk import add_action, move_entry, turn_entry, write_entry
from app.composition.uow import reading
from app.jobs.consumers import ConsumerRunner
from app.jobs.risks import pass_on_due, trigger_crossed, watch_risks
from app.queries.risks import entry_page, risk_map
from erpcore.kernel.actor import Actor
from erpcore.kernel.audit import verify_chain
from erpcore.kernel.errors import Conflict, DomainError, IllegalMove, NotAllowed, NotFound, RuleBroken
from erpcore.kernel.history import Transition
from governance.risks.actions import AddAction, SettleAction, settle_action
from governance.risks.content import Watched
from governance.risks.escalation import trigger_by_figure
from governance.risks.flow import EntryKind, LinkKind, Side
from governance.risks.models import RaidAction, RaidAssessment, RaidEntry
from governance.risks.queries import assessments_of, moves_of, reminders
from governance.risks.services import AssessEntry, ChangeEntry, MoveEntry, TurnEntry, assess_entry
from readiness.measures.consumer import JourneyConsumer
from tests.support.events import AnOrder, publish
from tests.support.processes import acting, the_set, work_as
from tests.support.queries import queries
from tests.support.risks import TODAY, WEEK, a_register
from tests.support.web import a_person

DAY = timedelta(days=1)
LATE = Watched(figure="otif_lines", side=Side.BELOW, limit=Decimal("0.9"))


@pytest.fixture
def register(database, clock):
    return a_register(database, clock)


def assess(register, key, impact, probability=None, *, by=None, note="", seen=None):
    with work_as(register.database, register.clock, by or register.owner) as work:
        assess_entry(
            work,
            AssessEntry(entry=key, impact=impact, probability=probability, today=TODAY, note=note, seen_version=seen),
        )


def move(register, key, name, *, by=None, reason="as agreed", seen=None):
    with work_as(register.database, register.clock, by or register.owner) as work:
        command = MoveEntry(entry=key, move=name, reason=reason, today=register.clock.now().date(), seen_version=seen)
        return move_entry(work, command).state


def how_many(register, table=RaidEntry):
    with reading(register.database) as session:
        return session.scalar(select(func.count()).select_from(table))


def moves(register, key):
    with reading(register.database) as session:
        return [one.move for one in moves_of(session, key)]


def test_each_kind_counts_for_itself_and_keeps_what_was_said(register):
    keys = [register.raised(kind) for kind in (EntryKind.RISK, EntryKind.RISK, EntryKind.ISSUE, EntryKind.DEPENDENCY)]
    assert [register.read(key).code for key in keys] == ["R-1", "R-2", "I-1", "D-1"]
    first = register.read(keys[0])
    assert (first.state, first.probability, first.impact, first.next_review_on) == (
        "open",
        3,
        4,
        TODAY + timedelta(days=14),
    )
    assert register.read(keys[3]).needed_from == "Label printer supplier"
    with reading(register.database) as session:
        assert verify_chain(session).broken_at is None


REFUSED = (
    ("risk", {"cause": " "}, "risk_incomplete"), ("risk", {"probability": None}, "risk_probability"),
    ("risk", {"probability": 6}, "risk_scale"), ("risk", {"impact": 0}, "risk_scale"),
    ("risk", {"score_limit": 26}, "risk_score_limit"), ("issue", {"score_limit": 9}, "risk_score_limit"),
    ("issue", {"probability": 2}, "risk_probability"), ("dependency", {"needed_from": ""}, "risk_incomplete"),
    ("risk", {"due_on": TODAY - DAY}, "due_in_the_past"), ("risk", {"owner": 99}, "person_unknown"),
    ("risk", {"body": 99}, "risk_body"), ("risk", {"wave": 99}, "risk_wave"), ("risk", {"site": 99}, "site_unknown"),
    ("risk", {"process": "nowhere"}, "question_process"), ("risk", {"title": "x" * 201}, "text_too_long"),
    ("risk", {"links": [(LinkKind.STEP, "order_to_cash.nowhere")]}, "question_step"),
    ("risk", {"links": [(LinkKind.POINT, "nothing")]}, "policy_point_unknown"),
    ("risk", {"watched": replace(LATE, figure="no_such")}, "measure_unknown"),
    ("risk", {"review_days": 0}, "risk_review"), ("risk", {"escalation_hours": 201}, "risk_hours"),
)  # fmt: skip


def test_what_is_missing_or_not_there_is_refused_and_nothing_is_kept(register):
    for kind, changes, code in REFUSED:
        with pytest.raises(DomainError) as refusal:
            register.raised(EntryKind(kind), **changes)
        assert refusal.value.code == code, changes
    assert how_many(register) == 0


def test_a_score_at_its_limit_triggers_a_risk_and_one_below_lets_it_stand_down(register):
    key = register.raised(score_limit=15)
    assert register.read(key).state == "open"
    assess(register, key, 5, 3, note="The second depot is gone too.")
    row = register.read(key)
    assert (row.state, row.triggered_at) == ("triggered", register.clock.now())
    with pytest.raises(RuleBroken) as refusal:
        move(register, key, "stand_down")
    assert refusal.value.code == "risk_still_over"
    assess(register, key, 4, 3)
    assert move(register, key, "stand_down") == "open"
    with reading(register.database) as session:
        assert [(one.probability, one.impact) for one in assessments_of(session, key)] == [(3, 4), (3, 5), (3, 4)]
    assert moves(register, key) == ["stand_down", "review", "trigger", "review", "raise"]
    assert register.read(register.raised(score_limit=12)).state == "triggered"


def test_only_its_owner_and_who_manages_the_register_work_on_an_entry(register):
    key = register.raised()
    for act in (
        lambda: assess(register, key, 1, 1, by=register.colleague),
        lambda: move(register, key, "close", by=register.colleague),
    ):
        with pytest.raises(NotAllowed) as refusal:
            act()
        assert refusal.value.code == "risk_of_another"
    assert register.read(key).version == 1
    with pytest.raises(Conflict):
        assess(register, key, 1, 1, seen=7)
    assert move(register, key, "close", by=register.office) == "closed"
    with pytest.raises(RuleBroken) as refusal:
        assess(register, key, 1, 1)
    assert refusal.value.code == "risk_not_standing"
    with pytest.raises(IllegalMove):
        move(register, key, "trigger")
    assert move(register, key, "reopen") == "open"
    assert register.read(key).closed_at is None


def test_another_sites_entry_is_not_there(register):
    key = register.raised(site=register.site)
    stranger = replace(register.office, id=900, sites=frozenset({register.site + 1}))
    with pytest.raises(NotFound):
        move(register, key, "close", by=stranger)
    with reading(register.database) as session, pytest.raises(NotFound):
        entry_page(session, stranger, key, TODAY, register.clock.now())


def test_a_change_keeps_before_and_after_and_needs_a_reason(register):
    the_set(register.database, register.clock)
    key = register.raised(links=[(LinkKind.STEP, "order_to_cash.release")])
    said = register.said(title="Another carrier", due_on=TODAY + 2 * WEEK, watched=LATE, review_days=7)
    command = ChangeEntry(entry=key, said=said, today=TODAY, reason=" ")
    with pytest.raises(RuleBroken) as refusal, work_as(register.database, register.clock, register.owner) as work:
        write_entry(work, command)
    assert refusal.value.code == "reason_required"
    assert register.read(key).title == "The carrier cannot take the volume"
    with work_as(register.database, register.clock, register.owner) as work:
        write_entry(work, replace(command, reason="The contract was signed."))
    row = register.read(key)
    assert (row.title, row.figure, row.figure_limit, row.next_review_on) == (
        "Another carrier", "otif_lines", Decimal("0.900000"), TODAY + WEEK,
    )  # fmt: skip
    with reading(register.database) as session:
        facts = orjson.loads(
            session.scalar(select(Transition.facts).where(Transition.document_id == key, Transition.move == "change"))
        )
        page = entry_page(session, register.office, key, TODAY, register.clock.now())
    assert facts["title"] == ["The carrier cannot take the volume", "Another carrier"]
    assert page.steps == ()
    assert "statement" not in facts


def consumed(register, order):
    publish(register.database, order.said)
    ConsumerRunner(register.database, JourneyConsumer(), clock=register.clock).run_to_head()


def test_a_figure_beyond_its_limit_triggers_an_entry_by_itself(register):
    key = register.raised(EntryKind.ASSUMPTION, watched=LATE)
    other = register.raised(watched=replace(LATE, limit=Decimal(0)))
    consumed(register, AnOrder(id=1000).captured())
    register.clock.set(datetime(2026, 3, 3, 9, 0, tzinfo=UTC))
    assert trigger_crossed(register.database, clock=register.clock) == 1
    assert (register.read(key).state, register.read(other).state) == ("triggered", "open")
    with reading(register.database) as session:
        first = moves_of(session, key)[0]
        why, facts = first.reason, orjson.loads(first.facts)
        page = entry_page(session, register.office, key, TODAY, register.clock.now())
    assert why == "On time in full, lines reads 0 % at all live sites, which is below the limit of 90 %."
    assert facts["limit"] == "0.900000"
    assert page.watch.is_beyond is True
    assert trigger_crossed(register.database, clock=register.clock) == 0
    with pytest.raises(RuleBroken) as refusal:
        move(register, key, "stand_down")
    assert refusal.value.code == "risk_figure_over"


def test_a_figure_that_nobody_measured_triggers_nothing_and_stands_nothing_down(register):
    key = register.raised(watched=LATE)
    assert watch_risks(register.database, clock=register.clock) == 0
    assert register.read(key).state == "open"
    assert move(register, key, "trigger", reason="The depot burns.") == "triggered"
    with pytest.raises(RuleBroken) as refusal:
        move(register, key, "stand_down")
    assert refusal.value.code == "risk_unread"
    with reading(register.database) as session:
        assert entry_page(session, register.office, key, TODAY, register.clock.now()).watch.is_beyond is None


def test_what_is_late_goes_on_to_the_next_body_in_working_hours_and_then_to_the_committee(register):
    key = register.raised(escalation_hours=8)
    late = datetime(2026, 3, 10, 8, 0, tzinfo=UTC)  # a Tuesday, the day after its day
    register.clock.set(late - timedelta(hours=9))
    assert pass_on_due(register.database, clock=register.clock) == 0
    register.clock.set(late)
    assert pass_on_due(register.database, clock=register.clock) == 1
    row = register.read(key)
    assert (row.level, row.concern_since, row.escalates_at) == (0, late, late + timedelta(hours=8))
    register.clock.set(late + timedelta(hours=7))
    assert pass_on_due(register.database, clock=register.clock) == 0
    register.clock.set(late + timedelta(hours=8))
    assert pass_on_due(register.database, clock=register.clock) == 1
    row = register.read(key)
    # Eight working hours from four o'clock in the afternoon: one today, seven tomorrow.
    assert (row.level, row.escalated_to, row.escalates_at) == (
        1,
        register.council,
        datetime(2026, 3, 11, 15, 0, tzinfo=UTC),
    )
    register.clock.set(datetime(2026, 3, 11, 15, 0, tzinfo=UTC))
    assert pass_on_due(register.database, clock=register.clock) == 1
    row = register.read(key)
    assert (row.level, row.escalated_to, row.escalates_at) == (2, register.steering, None)
    assert pass_on_due(register.database, clock=register.clock) == 0
    assert moves(register, key) == ["escalate", "escalate", "raise"]
    with reading(register.database) as session:
        assert [one.why for one in reminders(session, register.colleague.id, date(2026, 3, 11))] == ["escalated"]


def test_another_day_takes_an_entry_back_from_those_who_heard_of_it(register):
    key = register.raised(escalation_hours=1)
    register.clock.set(datetime(2026, 3, 10, 8, 0, tzinfo=UTC))
    pass_on_due(register.database, clock=register.clock)
    register.clock.set(datetime(2026, 3, 10, 9, 0, tzinfo=UTC))
    pass_on_due(register.database, clock=register.clock)
    assert register.read(key).escalated_to == register.council
    today = date(2026, 3, 10)
    with work_as(register.database, register.clock, register.owner) as work:
        said = register.said(due_on=today + WEEK, escalation_hours=1)
        write_entry(work, ChangeEntry(entry=key, said=said, today=today, reason="The supplier has a date."))
    row = register.read(key)
    assert (row.level, row.escalated_to, row.concern_since, row.escalates_at) == (0, None, None, None)
    assert moves(register, key)[:2] == ["calm", "change"]
    assert pass_on_due(register.database, clock=register.clock) == 0


def test_an_assumption_becomes_a_risk_by_one_act_and_both_know_each_other(register):
    key = register.raised(EntryKind.ASSUMPTION)
    command = TurnEntry(entry=key, into=EntryKind.RISK, said=register.said(), reason="The depot is gone.", today=TODAY)
    with work_as(register.database, register.clock, register.owner) as work:
        new = turn_entry(work, command).id
    old, made = register.read(key), register.read(new)
    assert (old.state, old.turned_into, made.code, made.turned_from, made.state) == ("turned", new, "R-1", key, "open")
    with pytest.raises(IllegalMove), work_as(register.database, register.clock, register.owner) as work:
        turn_entry(work, command)
    issue = replace(command, entry=new, into=EntryKind.ASSUMPTION, said=register.said(EntryKind.ASSUMPTION))
    with pytest.raises(RuleBroken) as refusal, work_as(register.database, register.clock, register.owner) as work:
        turn_entry(work, issue)
    assert refusal.value.code == "risk_turns_not"
    assert how_many(register) == 2


def test_an_action_is_done_by_whom_it_was_given_to_and_stands_on_their_list_until_then(register):
    key = register.raised()
    with work_as(register.database, register.clock, register.owner) as work:
        command = AddAction(
            entry=key, title="Ask the other carrier", owner=register.colleague.id, due_on=TODAY, today=TODAY
        )
        action = add_action(work, command).id
    with reading(register.database) as session:
        assert [(one.why, one.title) for one in reminders(session, register.colleague.id, TODAY)] == [
            ("action", "Ask the other carrier")
        ]
        assert reminders(session, register.owner.id, TODAY) == []
        assert [one.why for one in reminders(session, register.owner.id, TODAY + WEEK)] == ["due"]
        assert [one.why for one in reminders(session, register.owner.id, TODAY + timedelta(days=4))] == ["due"]
        assert reminders(session, register.owner.id, TODAY + timedelta(days=3)) == []
    stranger = acting(a_person(register.database, "buyer", clock=register.clock).id, "buyer")
    with pytest.raises(NotAllowed), work_as(register.database, register.clock, stranger) as work:
        settle_action(work, SettleAction(entry=key, action=action, move="finish"))
    with work_as(register.database, register.clock, register.colleague) as work:
        settle_action(work, SettleAction(entry=key, action=action, move="finish", note="They take a third."))
    with pytest.raises(Conflict), work_as(register.database, register.clock, register.colleague) as work:
        settle_action(work, SettleAction(entry=key, action=action, move="drop", note="no"))
    with reading(register.database) as session:
        found = session.get_one(RaidAction, action)
        assert (found.state, found.note) == ("done", "They take a third.")
        assert reminders(session, register.colleague.id, TODAY) == []


def test_two_who_raise_at_once_get_two_numbers(register):
    with ThreadPoolExecutor(4) as pool:
        keys = list(pool.map(lambda _: register.raised(), range(8)))
    assert sorted(register.read(key).code for key in keys) == sorted(f"R-{number}" for number in range(1, 9))


def test_two_jobs_at_once_pass_an_entry_on_once(register):
    key = register.raised(escalation_hours=1)
    for at in (datetime(2026, 3, 10, 8, 0, tzinfo=UTC), datetime(2026, 3, 10, 9, 0, tzinfo=UTC)):
        register.clock.set(at)
        with ThreadPoolExecutor(3) as pool:
            done = list(pool.map(lambda _: pass_on_due(register.database, clock=register.clock), range(3)))
        assert sum(done) == 1
    assert moves(register, key) == ["escalate", "raise"]


def test_the_map_holds_the_risks_that_stand_where_they_were_judged(register):
    register.raised()
    register.raised(EntryKind.ISSUE)
    gone = register.raised(probability=5, impact=5)
    move(register, gone, "close")
    with reading(register.database) as session:
        cells = risk_map(session, register.office)
    held = {
        (cell.probability, cell.impact): [code for _, code in cell.risks]
        for line in cells
        for cell in line
        if cell.risks
    }
    assert held == {(3, 4): ["R-1"]}
    assert (cells[0][0].probability, cells[0][0].impact, cells[0][4].score, cells[0][4].band) == (5, 1, 25, "high")


def test_an_assessment_stays_as_it_was_written(register):
    register.raised()
    with (
        pytest.raises(Exception, match="append a correction instead"),
        work_as(register.database, register.clock, register.office) as work,
    ):
        work.session.execute(RaidAssessment.__table__.update().values(impact=1))


def test_an_entry_is_bound_to_no_site_that_its_owner_does_not_see(register):
    key = register.raised(EntryKind.ASSUMPTION)
    narrow = replace(register.owner, sites=frozenset({-1}))
    command = TurnEntry(
        entry=key, into=EntryKind.RISK, said=register.said(site=register.site), reason="It is wrong.", today=TODAY
    )
    with pytest.raises(NotFound), work_as(register.database, register.clock, narrow) as work:
        turn_entry(work, command)
    assert (how_many(register), register.read(key).state) == (1, "open")


def test_a_figure_that_the_catalogue_lost_keeps_no_other_entry_from_being_triggered(register):
    lost = register.raised(watched=LATE)
    kept = register.raised(watched=LATE)
    with work_as(register.database, register.clock, register.office) as work:
        work.session.get_one(RaidEntry, lost).figure = "weather"
    consumed(register, AnOrder(id=1000).captured())
    register.clock.set(datetime(2026, 3, 3, 9, 0, tzinfo=UTC))
    assert trigger_crossed(register.database, clock=register.clock) == 1
    assert (register.read(lost).state, register.read(kept).state) == ("open", "triggered")
    move(register, lost, "trigger")
    with pytest.raises(RuleBroken) as refusal:
        move(register, lost, "stand_down")
    assert refusal.value.code == "risk_unread"


def test_a_limit_that_was_changed_meanwhile_triggers_nothing(register):
    key = register.raised(watched=LATE)
    with work_as(register.database, register.clock, Actor.system("risks")) as work:
        assert not trigger_by_figure(work, key, "It reads 0 %.", {}, seen_version=register.read(key).version - 1)
    assert register.read(key).state == "open"


def test_what_is_due_today_is_not_looked_at_by_the_job(register):
    register.raised(due_on=TODAY)
    with queries(register.database) as ran:
        assert pass_on_due(register.database, clock=register.clock) == 0
    assert not any("raid_entry.id = " in one for one in ran.statements)


def test_the_map_shows_whom_the_list_shows(register):
    far = register.raised(site=register.site)
    with work_as(register.database, register.clock, register.owner) as work:
        add_action(work, AddAction(entry=far, title="Ask", owner=register.colleague.id, due_on=TODAY, today=TODAY))
    narrow = replace(register.colleague, sites=frozenset({-1}))
    with reading(register.database) as session:
        assert entry_page(session, narrow, far, TODAY, register.clock.now()).row.code == "R-1"
        shown = [risk for line in risk_map(session, narrow) for cell in line for risk in cell.risks]
    assert shown == [(far, "R-1")]

"""A committee votes, and what it says opens, leaves or takes back cells: all in one transaction, or not at all."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.composition import golive
from app.composition.cells import RegisteredCells
from app.composition.due import settle_due
from erpcore.kernel.audit import verify_chain
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.events import EventLog
from erpcore.ports import Cell, CellState, Process, admit
from governance.decisions.kinds import DecisionKind
from governance.decisions.models import Decision
from governance.decisions.rules import Choice, Outcome
from governance.decisions.services import AddCondition, add_condition
from readiness.gates.models import Gate
from readiness.waves.models import Grant, Wave
from tests.support.rollout import (
    BREMEN,
    CHAIR,
    FINANCE,
    HAMBURG,
    IT,
    LINZ,
    SALES,
    WAREHOUSE,
    WEB,
    WHOLESALE,
    a_rollout,
)

CELLS = Cell(HAMBURG, WHOLESALE, Process.ORDER_TO_CASH)


@pytest.fixture
def rollout(database):
    return a_rollout(database)


def admission(rollout, cell=CELLS, realm="live", cells=None):
    with rollout.job() as work:
        return (cells or RegisteredCells()).admission(work, realm, cell)


def grants(rollout, wave=None):
    with rollout.look() as session:
        query = select(Grant.site_id, Grant.state).order_by(Grant.site_id, Grant.id)
        return [tuple(row) for row in session.execute(query if wave is None else query.where(Grant.wave_id == wave))]


def wave_state(rollout, wave=None):
    with rollout.look() as session:
        return session.get_one(Wave, wave or rollout.wave).state


def test_a_go_opens_every_cell_of_the_wave_and_makes_it_live(rollout):
    decision = rollout.open()
    rollout.all_vote(decision)

    closing = rollout.close(decision)

    assert (closing.outcome, closing.effect) == (Outcome.GO, golive.Effect.OPENED)
    assert grants(rollout) == [(HAMBURG, "open"), (BREMEN, "open")]
    assert wave_state(rollout) == "live"
    assert rollout.state(decision) == "decided"
    with rollout.look() as session:
        assert session.get_one(Gate, rollout.gate).state == "closed"
        assert verify_chain(session).broken_at is None
        types = session.scalars(
            select(EventLog.type).where(EventLog.type.like("%made") | EventLog.type.like("grant.%"))
        )
        assert sorted(types) == ["decision.made", "grant.opened", "grant.opened"]


def test_before_the_go_the_core_is_told_which_wave_waits_for_what_and_after_it_the_grant(rollout):
    cells = RegisteredCells()
    with rollout.job() as work, pytest.raises(RuleBroken, match="cell_closed") as refused:
        admit(work, cells, "live", CELLS, begins=True)
    assert refused.value.facts["wave"] == "W2"
    assert refused.value.facts["waits_for"] == "decision"
    decision = rollout.open()
    rollout.all_vote(decision)

    closing = rollout.close(decision)

    with rollout.job() as work:
        assert admit(work, cells, "live", CELLS, begins=True) == closing.grants[0]
        with pytest.raises(RuleBroken, match="cell_closed") as refused:
            admit(work, cells, "live", Cell(LINZ, WEB, Process.ORDER_TO_CASH), begins=True)
    assert (refused.value.facts["wave"], refused.value.facts["waits_for"]) == (None, "wave")


def test_a_crash_between_closing_the_vote_and_opening_the_cells_leaves_neither(rollout, monkeypatch):
    decision = rollout.open()
    rollout.all_vote(decision)

    def crash(*_args, **_kwargs):
        raise RuntimeError("power cut")

    monkeypatch.setattr(golive, "open_grants", crash)
    with pytest.raises(RuntimeError, match="power cut"):
        rollout.close(decision)
    assert (rollout.state(decision), wave_state(rollout), grants(rollout)) == ("open", "in_rehearsal", [])

    monkeypatch.undo()
    assert rollout.close(decision).effect == golive.Effect.OPENED


def test_a_conditional_go_carries_go_votes_too_and_opens(rollout):
    decision = rollout.draft()
    with rollout.work() as work:
        add_condition(
            work,
            AddCondition(
                decision_id=decision, text="Second scanner", check="seen on site", owner=WAREHOUSE,
                due_at=rollout.clock.now() + timedelta(days=5),
            ),
        )  # fmt: skip
    with rollout.work() as work:
        golive.open_vote(work, decision)
    for who, choice in ((CHAIR, Choice.CONDITIONAL_GO), (FINANCE, Choice.CONDITIONAL_GO), (WAREHOUSE, Choice.GO)):
        rollout.vote(decision, who, choice)
    rollout.vote(decision, SALES, Choice.POSTPONE)
    rollout.vote(decision, IT, Choice.GO)

    closing = rollout.close(decision)

    assert (closing.outcome, closing.effect) == (Outcome.CONDITIONAL_GO, golive.Effect.OPENED)


def conditional(rollout, **given):
    decision = rollout.draft(**given)
    with rollout.work() as work:
        add_condition(
            work,
            AddCondition(
                decision_id=decision, text="Second scanner", check="seen on site", owner=WAREHOUSE,
                due_at=rollout.clock.now() + timedelta(days=5),
            ),
        )  # fmt: skip
    with rollout.work() as work:
        golive.open_vote(work, decision)
    rollout.all_vote(decision, Choice.CONDITIONAL_GO)
    return decision, rollout.close(decision)


def test_a_condition_missed_before_going_live_lapses_the_go_and_nothing_opens(rollout):
    decision, closing = conditional(rollout, effective_at=rollout.clock.now() + timedelta(days=14))
    assert closing.effect == golive.Effect.APPROVED
    assert wave_state(rollout) == "approved"
    assert admission(rollout).state == CellState.CLOSED
    rollout.later(days=6)

    settle_due(rollout.database, clock=rollout.clock)

    assert (rollout.state(decision), wave_state(rollout)) == ("lapsed", "preparing")
    assert [state for _, state in grants(rollout)] == ["closed", "closed"]
    rollout.later(days=10)
    settle_due(rollout.database, clock=rollout.clock)
    assert admission(rollout).state == CellState.CLOSED


def test_a_condition_missed_after_going_live_opens_an_urgent_decision_and_shuts_nothing(rollout):
    decision, _ = conditional(rollout)
    rollout.later(days=6)

    settle_due(rollout.database, clock=rollout.clock)

    assert rollout.state(decision) == "decided"
    assert wave_state(rollout) == "live"
    assert admission(rollout).state == CellState.OPEN
    with rollout.look() as session:
        urgent = session.scalars(select(Decision).where(Decision.kind == DecisionKind.URGENT)).one()
        assert (urgent.state, urgent.follows_id) == ("open", decision)
    assert settle_due(rollout.database, clock=rollout.clock) == []


def test_a_go_that_takes_effect_later_opens_on_its_day_and_not_before(rollout):
    decision = rollout.open(effective_at=rollout.clock.now() + timedelta(days=3))
    rollout.all_vote(decision)
    assert rollout.close(decision).effect == golive.Effect.APPROVED
    assert admission(rollout).state == CellState.CLOSED

    for _ in range(3):
        rollout.later(days=1)
        rollout.evaluate()
        settle_due(rollout.database, clock=rollout.clock)

    assert wave_state(rollout) == "live"
    assert admission(rollout).state == CellState.OPEN


def test_a_gate_that_gets_worse_before_the_day_takes_the_go_back(rollout):
    decision = rollout.open(effective_at=rollout.clock.now() + timedelta(days=3))
    rollout.all_vote(decision)
    rollout.close(decision)
    rollout.later(days=1)
    rollout.readings.figures["invoice_right_at_posting"] = (300, 400)

    rollout.evaluate()

    assert (rollout.state(decision), wave_state(rollout)) == ("outdated", "preparing")
    rollout.later(days=3)
    settle_due(rollout.database, clock=rollout.clock)
    assert admission(rollout).state == CellState.CLOSED


def test_a_rollback_drains_the_grants_of_this_wave_alone(rollout):
    other = rollout.plan("W3", ((LINZ, WEB),), rollout.clock.now().date() + timedelta(days=40))
    gate = rollout.freeze(other, (golive_spec(),))
    rollout.evaluate(gate)
    for wave in (rollout.wave, other):
        decision = rollout.open(wave=wave)
        rollout.all_vote(decision)
        assert rollout.close(decision).effect == golive.Effect.OPENED

    with rollout.work() as work:
        golive.roll_back(work, rollout.wave, reason="scanners fail")

    assert grants(rollout, rollout.wave) == [(HAMBURG, "draining"), (BREMEN, "draining")]
    assert grants(rollout, other) == [(LINZ, "open")]
    assert wave_state(rollout) == "preparing"
    cells = RegisteredCells()
    with rollout.job() as work:
        with pytest.raises(RuleBroken, match="cell_closed"):
            admit(work, cells, "live", CELLS, begins=True)
        assert admit(work, cells, "live", CELLS, begins=False) is not None


def golive_spec():
    from tests.support.rollout import a_spec

    return a_spec("touch", measure="invoice_right_at_posting")


def test_a_later_no_go_takes_back_what_the_go_had_opened_and_revokes_it(rollout):
    first = rollout.open(effective_at=rollout.clock.now() + timedelta(days=9))
    rollout.all_vote(first)
    rollout.close(first)
    rollout.later(days=1)
    rollout.evaluate()
    second = rollout.open()
    rollout.all_vote(second, Choice.NO_GO)

    closing = rollout.close(second)

    assert closing.effect == golive.Effect.TAKEN_BACK
    assert rollout.state(first) == "revoked"
    assert [state for _, state in grants(rollout)] == ["closed", "closed"]
    assert wave_state(rollout) == "preparing"


def test_a_second_go_for_an_earlier_day_stands_in_the_place_of_the_first(rollout):
    first = rollout.open(effective_at=rollout.clock.now() + timedelta(days=9))
    rollout.all_vote(first)
    rollout.close(first)
    second = rollout.open()
    rollout.all_vote(second)

    assert rollout.close(second).effect == golive.Effect.OPENED

    assert rollout.state(first) == "superseded"
    assert sorted(state for _, state in grants(rollout)) == ["closed", "closed", "open", "open"]


def test_a_vote_after_a_postponement_stands_in_its_place(rollout):
    first = rollout.open()
    rollout.all_vote(first, Choice.POSTPONE)
    rollout.close(first)
    second = rollout.open()
    rollout.all_vote(second)
    rollout.close(second)
    assert (rollout.state(first), rollout.state(second)) == ("superseded", "decided")


@pytest.mark.parametrize("kind", [DecisionKind.EXIT, DecisionKind.URGENT])
def test_a_question_that_could_have_no_effect_is_not_put_to_the_vote(rollout, kind):
    decision = rollout.draft(kind)
    with pytest.raises(RuleBroken, match="wave_not_at_this_question"), rollout.work() as work:
        golive.open_vote(work, decision)


def test_a_wave_that_is_live_is_not_voted_live_again(rollout):
    decision = rollout.open()
    rollout.all_vote(decision)
    rollout.close(decision)
    with pytest.raises(RuleBroken, match="wave_not_at_this_question"):
        rollout.open()


def test_postponing_opens_nothing_and_keeps_the_day_that_most_votes_name(rollout):
    day = rollout.clock.now().date() + timedelta(days=30)
    decision = rollout.open()
    rollout.all_vote(decision, Choice.POSTPONE, postpone_to=day)

    closing = rollout.close(decision)

    assert (closing.outcome, closing.effect, grants(rollout)) == (Outcome.POSTPONE, golive.Effect.NOTHING, [])
    with rollout.look() as session:
        assert session.get_one(Decision, decision).postponed_to == day


def test_without_quorum_the_vote_lapses_when_its_time_is_over(rollout):
    decision = rollout.open()
    rollout.vote(decision, CHAIR)
    rollout.later(days=2)

    settle_due(rollout.database, clock=rollout.clock)

    assert (rollout.state(decision), grants(rollout)) == ("lapsed", [])


def test_closing_a_finished_wave_leaves_its_cells_open(rollout):
    from readiness.gates.criteria import Evidence, Phase
    from readiness.waves.services import step_wave
    from tests.support.rollout import a_spec

    decision = rollout.open()
    rollout.all_vote(decision)
    rollout.close(decision)
    with rollout.work() as work:
        step_wave(work, rollout.wave, "start_hypercare")
    gate = rollout.freeze(rollout.wave, (a_spec("live", evidence=Evidence.OWN_LIVE),), phase=Phase.EXIT)
    rollout.evaluate(gate)
    leave = rollout.open(DecisionKind.EXIT)
    rollout.all_vote(leave)

    assert rollout.close(leave).effect == golive.Effect.WAVE_CLOSED

    assert wave_state(rollout) == "closed"
    assert grants(rollout) == [(HAMBURG, "open"), (BREMEN, "open")]
    assert admission(rollout).state == CellState.OPEN


def test_only_who_may_close_votes_closes_one(rollout):
    from erpcore.kernel.errors import NotAllowed

    decision = rollout.open()
    rollout.all_vote(decision)
    with rollout.work(CHAIR, frozenset({"governance:decision:vote"})) as work, pytest.raises(NotAllowed):
        golive.close_vote(work, decision)
    assert (rollout.state(decision), grants(rollout)) == ("open", [])

"""Is this cell open? By realm, wave, grant and group; never from a stale answer, never when nobody can tell."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import delete, select

from app.composition import golive
from app.composition.cells import RegisteredCells
from erpcore.kernel.errors import NeedsConfirmation, NotAllowed, NotFound, RuleBroken
from erpcore.ports import Cell, CellState, Process, admit
from readiness.waves import register
from readiness.waves.grants import RecordAlreadyLive, close_drained, declare_fallback, end_fallback, record_already_live
from readiness.waves.models import Grant, Wave, WaveRegister
from readiness.waves.queries import wave_by_code, waves
from readiness.waves.services import BlackOut, DateWave, black_out, date_wave, step_wave
from tests.support.rollout import BREMEN, HAMBURG, LINZ, WEB, WHOLESALE, a_rollout

O2C, STOCK = Process.ORDER_TO_CASH, Process.WAREHOUSE
MAY = date(2026, 5, 4)


@pytest.fixture
def rollout(database):
    return a_rollout(database)


def ask(rollout, realm, *cell, cells=None, source="screen"):
    with rollout.work(source=source) as work:
        return (cells or RegisteredCells()).admission(work, realm, Cell(*cell))


def already_live(rollout, *cells, processes=(O2C,), **given):
    with rollout.work() as work:
        return record_already_live(
            work, RecordAlreadyLive(cells=cells, processes=processes, reason="ran before", **given)
        )


def test_each_realm_has_its_own_rule(rollout):
    here = (HAMBURG, WHOLESALE, O2C)
    assert ask(rollout, "live", *here).state == CellState.CLOSED
    assert ask(rollout, "rehearsal", *here).state == CellState.IN_REHEARSAL
    assert ask(rollout, "training", *here).state == CellState.OPEN
    assert ask(rollout, "legacy", *here).state == CellState.OPEN
    with pytest.raises(RuleBroken, match="realm_unknown"):
        ask(rollout, "holiday", *here)


def test_a_cell_rehearses_only_while_its_wave_does(rollout):
    assert ask(rollout, "rehearsal", LINZ, WEB, O2C).state == CellState.CLOSED
    wave = rollout.plan("W3", ((LINZ, WEB),), MAY, rehearse=False)
    closed = ask(rollout, "rehearsal", LINZ, WEB, O2C)
    assert (closed.state, closed.facts["wave"], closed.facts["waits_for"]) == (CellState.CLOSED, "W3", "rehearsal")
    with rollout.work() as work:
        step_wave(work, wave, "rehearse")
    assert ask(rollout, "rehearsal", LINZ, WEB, O2C).state == CellState.IN_REHEARSAL


def test_what_ran_before_is_open_by_a_person_with_a_reason_and_has_no_decision(rollout):
    granted = already_live(rollout, (LINZ, WEB))
    answer = ask(rollout, "live", LINZ, WEB, O2C)
    assert (answer.state, answer.grant) == (CellState.OPEN, granted[0].id)
    with rollout.look() as session:
        kept = session.scalars(select(Grant)).one()
        assert (kept.source, kept.decision_id, kept.reason, kept.opened_by) == ("already_live", None, "ran before", 201)
    assert already_live(rollout, (LINZ, WEB)) == []


def test_without_a_reason_nothing_is_recorded_as_already_live(rollout):
    with pytest.raises(RuleBroken, match="reason_required"), rollout.work() as work:
        record_already_live(work, RecordAlreadyLive(cells=((LINZ, WEB),), processes=(O2C,), reason=" "))
    with pytest.raises(NotAllowed), rollout.work(permissions=frozenset()) as work:
        record_already_live(work, RecordAlreadyLive(cells=((LINZ, WEB),), processes=(O2C,), reason="ran before"))


def test_a_grant_opens_its_process_and_group_alone(rollout):
    already_live(rollout, (LINZ, WEB), customer_group=31)
    assert ask(rollout, "live", LINZ, WEB, O2C, 31).state == CellState.OPEN
    assert ask(rollout, "live", LINZ, WEB, O2C, 32).state == CellState.CLOSED
    assert ask(rollout, "live", LINZ, WEB, O2C).state == CellState.CLOSED
    assert ask(rollout, "live", LINZ, WEB, STOCK, 31).state == CellState.CLOSED
    assert ask(rollout, "live", LINZ, WHOLESALE, O2C, 31).state == CellState.CLOSED


def test_a_process_without_a_channel_is_open_where_any_channel_of_the_site_is(rollout):
    already_live(rollout, (LINZ, WEB), processes=(STOCK,))
    assert ask(rollout, "live", LINZ, None, STOCK).state == CellState.OPEN
    assert ask(rollout, "live", HAMBURG, None, STOCK).state == CellState.CLOSED


def test_a_change_is_seen_by_the_next_unit_of_work_of_every_process(rollout):
    one, other = RegisteredCells(), RegisteredCells()
    for cells in (one, other):
        assert ask(rollout, "live", LINZ, WEB, O2C, cells=cells).state == CellState.CLOSED
    already_live(rollout, (LINZ, WEB))
    for cells in (one, other):
        assert ask(rollout, "live", LINZ, WEB, O2C, cells=cells).state == CellState.OPEN


def test_what_was_rolled_back_was_never_open(rollout):
    cells = RegisteredCells()

    def open_and_fail():
        with rollout.work() as work:
            record_already_live(work, RecordAlreadyLive(cells=((LINZ, WEB),), processes=(O2C,), reason="ran before"))
            assert cells.admission(work, "live", Cell(LINZ, WEB, O2C)).state == CellState.OPEN
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        open_and_fail()
    assert ask(rollout, "live", LINZ, WEB, O2C, cells=cells).state == CellState.CLOSED


def test_the_register_is_read_once_in_a_unit_of_work(rollout, monkeypatch):
    cells, reads = RegisteredCells(), []
    read_revision = register.read_revision
    monkeypatch.setattr("app.composition.cells.read_revision", lambda s: reads.append(1) or read_revision(s))
    with rollout.work() as work:
        for _ in range(5):
            cells.admission(work, "live", Cell(HAMBURG, WHOLESALE, O2C))
    assert len(reads) == 1


def test_a_register_that_cannot_be_read_opens_nothing(rollout):
    already_live(rollout, (LINZ, WEB))
    cells = RegisteredCells()
    assert ask(rollout, "live", LINZ, WEB, O2C, cells=cells).state == CellState.OPEN
    with rollout.job() as work:
        work.session.execute(delete(WaveRegister))
    with pytest.raises(RuleBroken, match="grants_unreadable"):
        ask(rollout, "live", LINZ, WEB, O2C, cells=cells)


def test_a_site_on_paper_takes_back_entries_alone_until_the_fallback_ends(rollout):
    already_live(rollout, (LINZ, WEB))
    with rollout.work() as work:
        declare_fallback(work, LINZ, reason="line down")
    with rollout.work() as work, pytest.raises(RuleBroken, match="cell_closed"):
        admit(work, RegisteredCells(), "live", Cell(LINZ, WEB, O2C), begins=True)
    with rollout.work(source="back-entry") as work:
        assert admit(work, RegisteredCells(), "live", Cell(LINZ, WEB, O2C), begins=True)
    with rollout.work() as work:
        end_fallback(work, LINZ, reason="line back")
    assert ask(rollout, "live", LINZ, WEB, O2C).state == CellState.OPEN
    with pytest.raises(NotFound, match="no_grant_to_move"), rollout.work() as work:
        end_fallback(work, LINZ, reason="again")


def test_a_drained_cell_closes_once_nothing_is_under_way(rollout):
    decision = rollout.open()
    rollout.all_vote(decision)
    opened = rollout.close(decision).grants
    with rollout.work() as work:
        golive.roll_back(work, rollout.wave, reason="scanners fail")
    under_way = {opened[0]: 2}
    with rollout.work() as work:
        closed = close_drained(work, opened, lambda grant: under_way.get(grant.id, 0))
    assert [grant.id for grant in closed] == [opened[1]]
    assert ask(rollout, "live", HAMBURG, WHOLESALE, O2C).state == CellState.DRAINING
    assert ask(rollout, "live", BREMEN, WHOLESALE, O2C).state == CellState.CLOSED


def test_a_wave_covers_no_cell_of_another_and_says_which(rollout):
    with pytest.raises(RuleBroken, match="wave_plan_refused") as refused:
        rollout.plan("W3", ((HAMBURG, WHOLESALE),), MAY)
    assert refused.value.facts["problems"] == [("scope_of_another_wave", "W2")]
    with rollout.look() as session:
        assert [wave.code for wave in waves(session)] == ["W2"]


def test_a_go_live_in_a_blackout_is_confirmed_with_a_reason(rollout):
    with rollout.work() as work:
        black_out(
            work,
            BlackOut(
                programme_id=rollout.programme,
                name="Peak",
                starts_on=MAY - timedelta(days=3),
                ends_on=MAY + timedelta(days=9),
            ),
        )
    with pytest.raises(NeedsConfirmation, match="go_live_in_blackout"):
        rollout.plan("W3", ((LINZ, WEB),), MAY)
    rollout.plan("W3", ((LINZ, WEB),), MAY, blackout_reason="only returns")
    with rollout.look() as session:
        assert wave_by_code(session, "W3").in_blackout == ("Peak",)


def test_a_wave_that_is_dated_before_the_end_of_what_it_waits_for_shows_it(rollout):
    wave = rollout.plan("W3", ((LINZ, WEB),), MAY, depends_on=((rollout.wave, "six super users"),))
    with rollout.work() as work:
        date_wave(
            work,
            DateWave(wave_id=wave, go_live_on=date(2026, 4, 1), hypercare_until=date(2026, 5, 1), reason="earlier"),
        )
    with rollout.look() as session:
        view = wave_by_code(session, "W3")
    assert (view.late_dependencies, view.depends_on) == ((rollout.wave,), ((rollout.wave, "six super users"),))


def test_a_wave_that_is_live_has_no_other_date(rollout):
    decision = rollout.open()
    rollout.all_vote(decision)
    rollout.close(decision)
    with pytest.raises(RuleBroken, match="wave_no_longer_datable"), rollout.work() as work:
        date_wave(
            work, DateWave(wave_id=rollout.wave, go_live_on=MAY, hypercare_until=date(2026, 6, 1), reason="later")
        )


@pytest.mark.parametrize("move", ["approve", "go_live", "close", "roll_back", "record_live"])
def test_nobody_takes_a_wave_live_or_closes_it_by_hand(rollout, move):
    with pytest.raises(RuleBroken, match="wave_step_needs_decision"), rollout.work() as work:
        step_wave(work, rollout.wave, move, reason="in a hurry")
    with rollout.look() as session:
        assert session.get_one(Wave, rollout.wave).state == "in_rehearsal"

"""A stage gate closes a phase only by a body's yes over proven criteria, and only that releases money, once."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from app.composition import approving, stage_gates
from app.composition.business_case import Booking, plan_benefit, record_money
from app.composition.uow import reading, unit_of_work
from app.queries.controls import compare_controls
from app.queries.roadmap import business_case
from app.queries.waiting import waits_for
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import Busy, Conflict, DomainError, NotAllowed, NotFound, RuleBroken
from governance.approvals.models import ApprovalRequest
from governance.approvals.services import Answer
from governance.roadmap import funding
from governance.roadmap import phases as ways
from governance.roadmap.kinds import MoneyKind
from governance.roadmap.models import MoneyLine, RoadmapPhase, StageEvidence, Tranche, TrancheRelease
from governance.roadmap.queries import phase, roadmap
from tests.support.steering import a_programme

DAYS = tuple((date(2026, month, 1), date(2026, month, 28)) for month in range(3, 9))


@pytest.fixture
def steered(database, clock):
    return a_programme(database, clock, evaluated=None)


@pytest.fixture
def phases(steered):
    """The roadmap; its first phase waits for what the chair states and releases a million."""
    with steered.work() as work:
        ids = [one.id for one in ways.lay_out(work, ways.LayOut(programme_id=steered.programme, days=DAYS))]
        tranche(work, ids[0])
        stage_gates.add_criterion(
            work, ways.AddCriterion(phase_id=ids[0], code="baseline", title="Baselines are taken", owner=steered.chair.id)
        )  # fmt: skip
    return ids


def tranche(work, phase_id, **given):
    return stage_gates.plan_tranche(
        work,
        funding.PlanTranche(
            **{"phase_id": phase_id, "code": "T1", "title": "Design", "amount_minor": 100_000_000, "currency": "EUR", **given}
        ),
    )  # fmt: skip


def seen(steered, phase_id):
    with reading(steered.database) as session:
        return phase(session, phase_id)


def stated(steered, phase_id, holds=True):
    with steered.work(steered.chair) as work:
        criterion = phase(work.session, phase_id).criteria[0].id
        stage_gates.state(work, ways.State(criterion_id=criterion, holds=holds, statement="Signed on Monday."))


def asked(steered, phase_id):
    with steered.work() as work:
        return stage_gates.ask_the_body(work, phase_id).id


def says(steered, who, request, verdict="approve"):
    actor = Actor(id=who.id, role="steering_member", permissions=frozenset({"governance:approval:answer"}))
    with unit_of_work(steered.database, actor=actor, clock=steered.clock) as work:
        return approving.answer(work, Answer(request=request, verdict=verdict, reason="read"))


def counts(steered):
    with reading(steered.database) as session:
        return tuple(
            session.query(one).count() for one in (RoadmapPhase, Tranche, TrancheRelease, StageEvidence, MoneyLine)
        )


def test_six_phases_are_laid_out_once_and_in_order(steered):
    for days, code in ((DAYS[:5], "roadmap_phases"), (DAYS[::-1], "roadmap_order")):
        with pytest.raises(RuleBroken) as refused, steered.work() as work:
            ways.lay_out(work, ways.LayOut(programme_id=steered.programme, days=days))
        assert refused.value.code == code
    with pytest.raises(NotFound), steered.work() as work:
        ways.lay_out(work, ways.LayOut(programme_id=4711, days=DAYS))
    assert counts(steered)[0] == 0
    with steered.work() as work:
        ways.lay_out(work, ways.LayOut(programme_id=steered.programme, days=DAYS))
    with reading(steered.database) as session:
        found = roadmap(session, steered.programme)
    assert [one.state for one in found] == ["current", *["ahead"] * 5]
    with pytest.raises(RuleBroken) as refused, steered.work() as work:
        ways.lay_out(work, ways.LayOut(programme_id=steered.programme, days=DAYS))
    assert refused.value.code == "roadmap_there"


def test_nothing_is_asked_before_every_criterion_is_proven(steered, phases):
    with pytest.raises(RuleBroken) as refused:
        asked(steered, phases[0])
    assert (refused.value.code, refused.value.facts["missing"]) == ("stage_not_ready", ["Baselines are taken"])
    stated(steered, phases[0], holds=False)
    with pytest.raises(RuleBroken):
        asked(steered, phases[0])
    with pytest.raises(RuleBroken) as refused:
        asked(steered, phases[1])
    assert refused.value.code == "phase_not_current"
    assert counts(steered)[2:4] == (0, 0)


def test_a_stage_gate_without_criteria_or_with_a_figure_that_cannot_be_read_is_never_ready(steered):
    with steered.work() as work:
        first = ways.lay_out(work, ways.LayOut(programme_id=steered.programme, days=DAYS))[0].id
    with pytest.raises(RuleBroken) as refused:
        asked(steered, first)
    assert refused.value.code == "stage_without_criteria"
    with steered.work() as work:
        stage_gates.add_criterion(
            work,
            ways.AddCriterion(
                phase_id=first, code="fill", title="Lines filled", owner=steered.chair.id, figure="fill_rate_lines",
                realm="live", pass_mark=Decimal("0.5"),
            ),
        )  # fmt: skip
    with reading(steered.database) as session:
        (line,) = stage_gates.judge(session, phase(session, first), steered.clock.now())
    assert line.word == "no evidence"
    with pytest.raises(RuleBroken) as refused:
        asked(steered, first)
    assert refused.value.code == "stage_not_ready"


def test_the_quorum_of_the_committee_closes_the_phase_and_releases_its_money_once(steered, phases):
    stated(steered, phases[0])
    request = asked(steered, phases[0])
    says(steered, steered.chair, request)
    assert seen(steered, phases[0]).state == "current"
    assert counts(steered)[2] == 0
    says(steered, steered.finance, request)
    closed, following = seen(steered, phases[0]), seen(steered, phases[1])
    assert (closed.state, closed.request_id, following.state) == ("closed", request, "current")
    assert [(one.code, one.request_id) for one in closed.tranches] == [("T1", request)]
    assert counts(steered)[2:4] == (1, 1)
    with pytest.raises(DomainError):
        says(steered, steered.warehouse, request)
    with pytest.raises(RuleBroken) as refused, steered.work() as work:
        tranche(work, phases[0], code="T2")
    assert refused.value.code == "phase_closed"
    assert counts(steered)[1:3] == (1, 1)


def test_a_no_closes_nothing_and_releases_nothing(steered, phases):
    stated(steered, phases[0])
    says(steered, steered.chair, asked(steered, phases[0]), "reject")
    assert (seen(steered, phases[0]).state, counts(steered)[2]) == ("current", 0)


def test_what_changes_after_the_body_was_asked_is_not_closed_by_its_yes(steered, phases):
    stated(steered, phases[0])
    request = asked(steered, phases[0])
    says(steered, steered.chair, request)
    with steered.work() as work:
        tranche(work, phases[0], code="T2", amount_minor=900_000_000)
    with pytest.raises(DomainError):
        says(steered, steered.finance, request)
    assert (seen(steered, phases[0]).state, counts(steered)[2]) == ("current", 0)


def test_who_asked_does_not_decide_and_only_the_owner_states(steered, phases):
    with pytest.raises(NotAllowed), steered.work(steered.finance) as work:
        stage_gates.state(
            work,
            ways.State(criterion_id=phase(work.session, phases[0]).criteria[0].id, holds=True, statement="mine"),
        )
    stated(steered, phases[0])
    request = asked(steered, phases[0])
    with pytest.raises(DomainError):
        says(steered, steered.office, request)
    assert counts(steered)[2] == 0


def test_a_phase_is_not_closed_past_its_version_nor_twice(steered, phases):
    version = seen(steered, phases[0]).version
    with pytest.raises(Conflict), steered.work() as work:
        ways.close_phase(work, phases[0], request_id=1, version=version - 1)
    with steered.work() as work:
        ways.close_phase(work, phases[0], request_id=1, version=version)
    for attempt in (version, seen(steered, phases[0]).version):
        with pytest.raises(DomainError), steered.work() as work:
            ways.close_phase(work, phases[0], request_id=2, version=attempt)
    assert counts(steered)[2] == 1


def test_two_last_answers_at_once_release_once(steered, phases):
    stated(steered, phases[0])
    request = asked(steered, phases[0])
    says(steered, steered.chair, request)
    start, refused = threading.Barrier(2), []

    def answer(who):
        start.wait()
        try:
            says(steered, who, request)
        except (DomainError, Busy) as error:
            refused.append(error)

    threads = [threading.Thread(target=answer, args=(who,)) for who in (steered.finance, steered.warehouse)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
    assert (seen(steered, phases[0]).state, counts(steered)[2]) == ("closed", 1)


def test_what_was_released_spent_or_shown_is_never_changed(steered, phases):
    stated(steered, phases[0])
    request = asked(steered, phases[0])
    for who in (steered.chair, steered.finance):
        says(steered, who, request)
    for statement in (
        "DELETE FROM tranche_release",
        "UPDATE tranche SET amount_minor = 1",
        "UPDATE stage_evidence SET sha256 = 'x'",
        "UPDATE stage_statement SET statement = 'x'",
    ):
        with pytest.raises(DatabaseError), steered.work() as work:
            work.session.execute(text(statement))
    assert counts(steered)[2:4] == (1, 1)


def money(steered, **given):
    return Booking(
        **{
            "programme_id": steered.programme, "wave_id": steered.wave, "kind": MoneyKind.BUDGET, "amount_minor": 50_000_00,
            "currency": "EUR", "on": date(2026, 3, 1), "note": "as decided", **given,
        }
    )  # fmt: skip


def test_budget_and_spend_add_up_the_newest_forecast_counts_and_spend_beyond_release_is_said(steered, phases):
    with steered.work() as work:
        record_money(
            work,
            [
                money(steered), money(steered, amount_minor=-10_000_00, note="less"),
                money(steered, kind=MoneyKind.SPEND, amount_minor=30_000_00),
                money(steered, kind=MoneyKind.FORECAST, amount_minor=60_000_00),
                money(steered, kind=MoneyKind.FORECAST, amount_minor=45_000_00),
                money(steered, wave_id=None, amount_minor=1_00),
            ],
        )  # fmt: skip
    with reading(steered.database) as session:
        page = business_case(session, steered.programme, steered.clock.now())
    rows = {row.name: row for row in page.rows}
    wave = next(row for name, row in rows.items() if name != "Programme and optimisation")
    assert (wave.sums.budget, wave.sums.spend, wave.sums.forecast, wave.left) == (
        40_000_00,
        30_000_00,
        45_000_00,
        -5_000_00,
    )
    assert rows["Programme and optimisation"].sums.budget == 1_00
    (total,) = page.totals
    assert (total.currency, total.budget, total.spent, total.released, total.planned) == (
        "EUR",
        40_001_00,
        30_000_00,
        0,
        100_000_000,
    )
    assert total.beyond == 30_000_00


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"amount_minor": 0}, "business_amount"),
        ({"amount_minor": 10**16}, "business_amount"),
        ({"currency": "eur"}, "business_currency"),
        ({"note": " "}, "note_missing"),
        ({"kind": MoneyKind.SPEND, "on": date(2026, 3, 3)}, "spend_ahead"),
    ],
)
def test_money_that_says_nothing_is_refused(steered, given, code):
    with pytest.raises(RuleBroken) as refused, steered.work() as work:
        record_money(work, [money(steered), money(steered, **given)])
    assert refused.value.code == code
    assert counts(steered)[4] == 0


def test_a_benefit_is_proven_by_its_figure_from_its_day_on(steered, clock):
    with steered.work() as work:
        plan_benefit(
            work,
            funding.PlanBenefit(
                programme_id=steered.programme, code="fill", title="Fewer lines come later", figure="fill_rate_lines",
                target=Decimal("0.95"), proof_on=date(2026, 3, 10), worth_minor=600_000_00, currency="EUR", owner=steered.chair.id,
            ),
        )  # fmt: skip
    with reading(steered.database) as session:
        (line,) = business_case(session, steered.programme, clock.now()).benefits
    assert (line.word, line.before) == ("not due", None)
    clock.advance(timedelta(days=8))
    with reading(steered.database) as session:
        (line,) = business_case(session, steered.programme, clock.now()).benefits
    assert line.word == "no evidence"
    with pytest.raises(NotFound), steered.work() as work:
        plan_benefit(work, replace(_benefit(steered), figure="happiness"))


def _benefit(steered):
    return funding.PlanBenefit(
        programme_id=steered.programme, code="x", title="X", figure="fill_rate_lines", target=Decimal(1),
        proof_on=date(2026, 3, 10), worth_minor=1, currency="EUR", owner=steered.chair.id,
    )  # fmt: skip


def test_what_the_body_was_asked_ends_when_the_phase_moves_on_and_is_asked_anew(steered, phases):
    stated(steered, phases[0])
    first = asked(steered, phases[0])
    says(steered, steered.chair, first)
    stated(steered, phases[0])
    with reading(steered.database) as session:
        assert session.get(ApprovalRequest, first).state == "outdated"
    second = asked(steered, phases[0])
    for who in (steered.finance, steered.warehouse):
        says(steered, who, second)
    closed = seen(steered, phases[0])
    assert (closed.state, closed.request_id, counts(steered)[2:4]) == ("closed", second, (1, 2))


def test_a_crash_at_the_last_answer_closes_and_releases_nothing_and_the_retry_does_once(steered, phases):
    stated(steered, phases[0])
    request = asked(steered, phases[0])
    says(steered, steered.chair, request)
    actor = Actor(id=steered.finance.id, role="finance", permissions=frozenset({"governance:approval:answer"}))
    command = Answer(request=request, verdict="approve", reason="read", key="once")

    def crash():
        with unit_of_work(steered.database, actor=actor, clock=steered.clock) as work:
            approving.answer(work, command)
            raise RuntimeError("the process ends here")

    with pytest.raises(RuntimeError):
        crash()
    assert (seen(steered, phases[0]).state, counts(steered)[2]) == ("current", 0)
    for _ in range(2):
        with unit_of_work(steered.database, actor=actor, clock=steered.clock) as work:
            approving.answer(work, command)
        assert (seen(steered, phases[0]).state, counts(steered)[2]) == ("closed", 1)


def test_money_of_a_criterion_that_no_longer_holds_is_not_released_by_the_last_yes(steered, phases):
    stated(steered, phases[0])
    request = asked(steered, phases[0])
    says(steered, steered.chair, request)
    with steered.work() as work:  # past every service, as a figure falls that nobody touches
        work.session.execute(
            text("UPDATE stage_criterion SET figure = 'fill_rate_lines', realm = 'live', pass_mark = 900000")
        )
    with pytest.raises(RuleBroken) as refused:
        says(steered, steered.finance, request)
    assert refused.value.code == "stage_not_ready"
    assert (seen(steered, phases[0]).state, counts(steered)[2]) == ("current", 0)


def test_a_withdrawn_tranche_is_not_released_and_a_released_one_not_withdrawn(steered, phases):
    with steered.work() as work:
        wrong = tranche(work, phases[0], code="T2", amount_minor=900_000_000).id
    for who, given, code in (
        (steered.office, {"reason": " "}, "reason_required"),
        (steered.office, {"reason": "a digit too many"}, None),
        (steered.office, {"reason": "again"}, "tranche_withdrawn"),
    ):
        if code is None:
            with steered.work(who) as work:
                stage_gates.withdraw_tranche(work, wrong, **given)
        else:
            with pytest.raises(DomainError) as refused, steered.work(who) as work:
                stage_gates.withdraw_tranche(work, wrong, **given)
            assert refused.value.code == code
    stated(steered, phases[0])
    request = asked(steered, phases[0])
    for who in (steered.chair, steered.finance):
        says(steered, who, request)
    (released,) = seen(steered, phases[0]).tranches
    assert (released.code, released.amount_minor, counts(steered)[2]) == ("T1", 100_000_000, 1)
    with pytest.raises(RuleBroken) as refused, steered.work() as work:
        stage_gates.withdraw_tranche(work, released.id, reason="too late")
    assert refused.value.code == "phase_closed"


def test_the_proof_finds_a_release_without_a_decided_gate_and_a_gate_that_released_too_little(steered, phases):
    def found():
        with reading(steered.database, snapshot=True) as session:
            (one,) = compare_controls(session, ["tranches_released"])
        return one.left, one.right, one.difference

    stated(steered, phases[0])
    request = asked(steered, phases[0])
    for who in (steered.chair, steered.finance):
        says(steered, who, request)
    assert found() == (1, 1, 0)
    with steered.work() as work:
        other = tranche(work, phases[1], code="T9").id
        work.session.flush()
        work.session.add(TrancheRelease(tranche_id=other, request_id=request, released_at=work.now))
    assert found() == (2, 1, 1)


def test_a_phase_is_given_other_days_in_its_order_and_with_a_reason(steered, phases):
    def move(**given):
        days = {"starts_on": date(2026, 4, 10), "ends_on": date(2026, 4, 30), "reason": "a month more", **given}
        with steered.work() as work:
            return stage_gates.reschedule(work, ways.Reschedule(phase_id=phases[1], **days))

    for given, code in (
        ({"reason": ""}, "reason_required"),
        ({"ends_on": date(2026, 4, 10)}, "roadmap_order"),
        ({"starts_on": date(2026, 2, 1)}, "roadmap_order"),
        ({"seen_version": 9}, "changed_meanwhile"),
    ):
        with pytest.raises(DomainError) as refused:
            move(**given)
        assert refused.value.code == code
    assert seen(steered, phases[1]).starts_on == date(2026, 4, 1)
    move()
    assert (seen(steered, phases[1]).starts_on, seen(steered, phases[1]).ends_on) == (
        date(2026, 4, 10),
        date(2026, 4, 30),
    )


def test_a_benefit_that_is_withdrawn_is_no_longer_expected_and_goes_once(steered):
    with steered.work() as work:
        planned = plan_benefit(work, _benefit(steered)).id
    with pytest.raises(RuleBroken), steered.work() as work:
        plan_benefit(work, _benefit(steered))
    with steered.work() as work:
        funding.withdraw_benefit(work, planned, reason="the channel is sold")
    with pytest.raises(Conflict), steered.work() as work:
        funding.withdraw_benefit(work, planned, reason="again")
    with reading(steered.database) as session:
        assert business_case(session, steered.programme, steered.clock.now()).benefits == ()


def test_what_only_informs_proves_neither_a_criterion_nor_a_benefit(steered, phases):
    criterion = ways.AddCriterion(
        phase_id=phases[0], code="sub", title="Substitutes", owner=steered.chair.id, figure="substitute_share",
        realm="live", pass_mark=Decimal("0.1"),
    )  # fmt: skip
    for attempt in (
        lambda work: stage_gates.add_criterion(work, criterion),
        lambda work: plan_benefit(work, replace(_benefit(steered), figure="substitute_share")),
    ):
        with pytest.raises(RuleBroken) as refused, steered.work() as work:
            attempt(work)
        assert refused.value.code == "figure_proves_nothing"


def test_money_is_of_a_wave_of_the_programme_and_spent_until_today_where_it_is_recorded(steered, clock):
    with pytest.raises(RuleBroken) as refused, steered.work() as work:
        record_money(work, [money(steered, wave_id=4711)])
    assert refused.value.code == "business_wave"
    clock.set(datetime(2026, 3, 2, 23, 30, tzinfo=UTC))  # the third has begun in Berlin
    ahead = {"kind": MoneyKind.SPEND, "on": date(2026, 3, 3)}
    with pytest.raises(RuleBroken) as refused, steered.work() as work:
        record_money(work, [money(steered, **ahead)])
    assert (refused.value.code, counts(steered)[4]) == ("spend_ahead", 0)
    with steered.work() as work:
        record_money(work, [money(steered, **ahead, time_zone="Europe/Berlin")])
    assert counts(steered)[4] == 1


def test_a_criterion_of_the_current_phase_waits_for_its_owner_until_it_is_stated(steered, phases):
    def waiting(who):
        with reading(steered.database) as session:
            return [
                (one.kind.value, one.id, one.wave_code, one.title)
                for one in waits_for(session, who.id, steered.clock.now())
            ]

    with steered.work() as work:
        stage_gates.add_criterion(
            work, ways.AddCriterion(phase_id=phases[1], code="later", title="Design is signed", owner=steered.chair.id)
        )  # fmt: skip
    assert waiting(steered.chair) == [("stage", phases[0], "Mobilise and baseline", "Baselines are taken")]
    assert waiting(steered.warehouse) == []
    stated(steered, phases[0], holds=False)
    assert waiting(steered.chair) == [], "what was stated waits for nobody, whatever was said"

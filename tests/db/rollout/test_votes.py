"""Who votes what: seats, delegates, recusals, absence, changes, terms, and what is refused with nothing changed."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from app.composition import gate_changes, golive
from erpcore.kernel.errors import Busy, Conflict, IllegalMove, NotAllowed, RuleBroken
from governance.decisions import voting
from governance.decisions.models import Decision, Vote
from governance.decisions.queries import decision_log, decision_view, waiting_votes
from governance.decisions.rules import Choice, Outcome
from governance.decisions.services import AddCondition, add_condition
from governance.programme.seats import DelegateSeat, assign_seat, delegate_seat
from readiness.gates.waiving import RequestWaiver, grant_waiver, request_waiver
from readiness.waves.models import Grant
from tests.support.rollout import (
    CHAIR,
    DELEGATE,
    FINANCE,
    IT,
    OUTSIDER,
    SALES,
    WAREHOUSE,
    a_rollout,
    a_spec,
)
from tests.support.threads import at_once


@pytest.fixture
def rollout(database):
    return a_rollout(database)


@pytest.fixture
def decision(rollout):
    return rollout.open()


def cast(rollout, decision):
    """How often each seat has voted, whether it counts or not."""
    with rollout.look() as session:
        return session.scalar(select(func.count()).select_from(Vote).where(Vote.decision_id == decision))


def seat_id(rollout, decision, who):
    return rollout.seats(decision)[who]


def refused(rollout, decision, who, code, kind=RuleBroken, **given):
    before = cast(rollout, decision)
    with pytest.raises(kind, match=code) as refusal:
        rollout.vote(decision, who, **given)
    assert cast(rollout, decision) == before
    return refusal.value


def test_a_vote_can_be_changed_and_the_last_one_counts_while_both_are_kept(rollout, decision):
    rollout.vote(decision, CHAIR, Choice.GO)
    result = rollout.vote(decision, CHAIR, Choice.NO_GO)

    assert result.tally.counts[Choice.GO] == 0
    assert result.tally.counts[Choice.NO_GO] == 1
    assert cast(rollout, decision) == 2
    with rollout.look() as session:
        view = decision_view(session, decision, now=rollout.clock.now())
    assert [vote.choice for vote in view.earlier_votes] == [Choice.GO]


def test_the_same_request_twice_is_one_vote(rollout, decision):
    first = rollout.vote(decision, CHAIR, request_key="form-1")
    second = rollout.vote(decision, CHAIR, request_key="form-1")

    assert (first.vote_id, cast(rollout, decision)) == (second.vote_id, 1)


def test_a_request_key_that_comes_with_another_vote_is_a_conflict(rollout, decision):
    rollout.vote(decision, CHAIR, request_key="form-1")
    refused(rollout, decision, CHAIR, "request_key_reused", Conflict, choice=Choice.NO_GO, request_key="form-1")


def test_a_vote_after_closing_is_refused(rollout, decision):
    rollout.all_vote(decision)
    rollout.close(decision)
    refused(rollout, decision, CHAIR, "vote_closed")


def test_a_vote_after_the_closing_time_is_refused_before_anybody_has_counted(rollout, decision):
    rollout.later(days=2)
    refused(rollout, decision, CHAIR, "vote_closed")


def test_a_vote_on_a_draft_is_refused(rollout):
    decision = rollout.draft()
    with pytest.raises(RuleBroken, match="vote_not_open"), rollout.work(CHAIR) as work:
        voting.cast_vote(
            work, voting.CastVote(decision_id=decision, decision_seat_id=1, choice=Choice.GO, reason="soon")
        )


def test_a_recused_seat_has_no_vote_and_loses_the_one_it_cast(rollout, decision):
    rollout.vote(decision, SALES, Choice.NO_GO)
    with rollout.work(SALES) as work:
        voting.recuse_seat(work, decision, seat_id(rollout, decision, SALES), reason="carrier contract")

    refused(rollout, decision, SALES, "seat_recused", NotAllowed)
    with rollout.look() as session:
        view = decision_view(session, decision, now=rollout.clock.now())
    assert (view.tally.eligible, view.tally.cast) == (4, 0)


def test_nobody_recuses_the_seat_of_somebody_else(rollout, decision):
    with rollout.work(SALES, frozenset()) as work, pytest.raises(NotAllowed, match="not_your_seat"):
        voting.recuse_seat(work, decision, seat_id(rollout, decision, IT), reason="rival")


def test_an_absent_seat_has_no_vote_until_it_is_recorded_as_present(rollout, decision):
    seat = seat_id(rollout, decision, IT)
    with rollout.work() as work:
        voting.record_attendance(work, decision, seat, present=False)
    refused(rollout, decision, IT, "seat_absent", NotAllowed)
    with rollout.work() as work:
        voting.record_attendance(work, decision, seat, present=True)
    rollout.vote(decision, IT)


def test_a_person_without_a_seat_has_no_vote(rollout, decision):
    refused(rollout, decision, OUTSIDER, "not_your_seat", NotAllowed, seat=seat_id(rollout, decision, CHAIR))


def test_the_product_itself_never_votes(rollout, decision):
    with rollout.job() as work, pytest.raises(NotAllowed, match="not_your_seat"):
        golive.cast_vote(
            work,
            voting.CastVote(
                decision_id=decision, decision_seat_id=seat_id(rollout, decision, CHAIR), choice=Choice.GO, reason="auto"
            ),
        )  # fmt: skip


@pytest.mark.parametrize("reason", ["", "  "])
def test_a_vote_without_reason_is_refused(rollout, decision, reason):
    assert refused(rollout, decision, CHAIR, "reason_required", reason=reason).field == "reason"


def test_a_person_put_on_a_seat_after_the_opening_has_no_vote(rollout, decision):
    from governance.programme.queries import bodies

    with rollout.look() as session:
        steering = bodies(session, rollout.clock.now(), body_id=rollout.steering)[0]
    with rollout.work() as work:
        assign_seat(work, steering.seats[0].id, OUTSIDER, reason="new chair")
    refused(rollout, decision, OUTSIDER, "not_your_seat", NotAllowed, seat=seat_id(rollout, decision, CHAIR))
    rollout.vote(decision, CHAIR)


@pytest.fixture
def with_delegate(rollout):
    from governance.programme.queries import bodies

    with rollout.look() as session:
        steering = bodies(session, rollout.clock.now(), body_id=rollout.steering)[0]
    seats = {seat.person: seat.id for seat in steering.seats}
    for who in (FINANCE, SALES):
        with rollout.work(who) as work:
            delegate_seat(
                work,
                DelegateSeat(
                    seat_id=seats[who], delegate=DELEGATE, valid_from=rollout.clock.now(),
                    valid_until=rollout.clock.now() + timedelta(days=7), reason="on leave",
                ),
            )  # fmt: skip
    return rollout


def test_a_delegate_casts_the_vote_of_one_seat_and_no_second(with_delegate):
    rollout = with_delegate
    decision = rollout.open()
    rollout.vote(decision, DELEGATE, seat=seat_id(rollout, decision, FINANCE))
    refused(rollout, decision, DELEGATE, "one_delegation_only", NotAllowed, seat=seat_id(rollout, decision, SALES))


def test_a_delegate_does_not_change_what_the_holder_has_cast_but_the_holder_may(with_delegate):
    rollout = with_delegate
    decision = rollout.open()
    seat = seat_id(rollout, decision, FINANCE)
    rollout.vote(decision, DELEGATE, Choice.GO, seat=seat)
    result = rollout.vote(decision, FINANCE, Choice.NO_GO)
    assert result.tally.counts[Choice.NO_GO] == 1
    refused(rollout, decision, DELEGATE, "holder_has_voted", NotAllowed, seat=seat)


def test_a_delegate_votes_for_an_absent_holder(with_delegate):
    rollout = with_delegate
    decision = rollout.open()
    seat = seat_id(rollout, decision, FINANCE)
    with rollout.work() as work:
        voting.record_attendance(work, decision, seat, present=False)
    assert rollout.vote(decision, DELEGATE, seat=seat).tally.present == 1


def test_a_delegation_that_is_over_gives_no_vote(with_delegate):
    rollout = with_delegate
    rollout.later(days=8)
    rollout.evaluate()
    decision = rollout.open()
    refused(rollout, decision, DELEGATE, "not_your_seat", NotAllowed, seat=seat_id(rollout, decision, FINANCE))


def test_what_a_gate_does_not_allow_cannot_be_cast(rollout):
    rollout.readings.figures["invoice_right_at_posting"] = (368, 400)
    rollout.later(hours=1)
    rollout.evaluate()
    decision = rollout.open()

    facts = refused(rollout, decision, CHAIR, "choice_not_allowed", choice=Choice.GO).facts

    assert facts["gates"] == ["not_ready"]
    rollout.vote(decision, CHAIR, Choice.POSTPONE)


def test_a_conditional_go_needs_a_condition_on_the_table(rollout, decision):
    refused(rollout, decision, CHAIR, "conditional_go_without_conditions", choice=Choice.CONDITIONAL_GO)


def test_a_new_condition_is_new_terms_and_asks_everybody_again(rollout, decision):
    rollout.vote(decision, CHAIR, Choice.GO)
    with rollout.work() as work:
        add_condition(
            work,
            AddCondition(
                decision_id=decision,
                text="Scanner",
                check="seen",
                owner=IT,
                due_at=rollout.clock.now() + timedelta(days=1),
            ),
        )
    with rollout.look() as session:
        view = decision_view(session, decision, now=rollout.clock.now())
    assert (view.terms, view.tally.cast, len(view.earlier_votes)) == (2, 0, 1)
    refused(rollout, decision, CHAIR, "terms_changed", terms=1)
    rollout.vote(decision, CHAIR, Choice.CONDITIONAL_GO, terms=2)


def test_a_threshold_changed_while_the_vote_is_open_outdates_the_decision(rollout, decision):
    rollout.vote(decision, CHAIR)
    with rollout.work(CHAIR) as work:
        gate_changes.put_criterion(work, rollout.gate, a_spec(pass_mark=a_spec().warn_mark), reason="easier")

    assert rollout.state(decision) == "outdated"
    refused(rollout, decision, FINANCE, "vote_closed")
    with pytest.raises(RuleBroken, match="vote_closed"):
        rollout.close(decision)
    with rollout.look() as session:
        assert session.scalar(select(func.count()).select_from(Grant)) == 0


def test_a_gate_that_gets_worse_while_the_vote_is_open_outdates_the_decision(rollout, decision):
    rollout.all_vote(decision)
    rollout.readings.figures["invoice_right_at_posting"] = (300, 400)
    rollout.later(hours=1)
    rollout.evaluate()
    assert rollout.state(decision) == "outdated"


def test_a_vote_closes_early_only_when_nobody_can_change_what_it_says(rollout, decision):
    for who in (CHAIR, FINANCE, WAREHOUSE):
        rollout.vote(decision, who)
    with pytest.raises(RuleBroken, match="vote_running"):
        rollout.close(decision)
    assert rollout.state(decision) == "open"
    rollout.vote(decision, SALES)
    rollout.vote(decision, IT)
    assert rollout.close(decision).outcome == Outcome.GO


def test_a_veto_stops_a_go(rollout, decision):
    rollout.all_vote(decision)
    rollout.vote(decision, WAREHOUSE, Choice.NO_GO)
    closing = rollout.close(decision)
    assert (closing.outcome, rollout.state(decision)) == (Outcome.NOT_PASSED, "lapsed")
    assert closing.tally.vetoed_by == ("Warehouse",)


def test_a_vote_without_a_mandatory_function_has_no_quorum(rollout, decision):
    for who in (CHAIR, WAREHOUSE, SALES, IT):
        rollout.vote(decision, who)
    rollout.later(days=2)
    closing = rollout.close(decision)
    assert (closing.outcome, closing.tally.roles_missing) == (Outcome.NO_QUORUM, ("Finance",))


def test_a_closed_vote_is_not_closed_again(rollout, decision):
    rollout.all_vote(decision)
    rollout.close(decision)
    with pytest.raises(RuleBroken, match="vote_closed"):
        rollout.close(decision)


def test_a_second_vote_on_the_same_question_is_not_opened(rollout, decision):
    second = rollout.draft()
    with pytest.raises(RuleBroken, match="vote_already_open"), rollout.work() as work:
        golive.open_vote(work, second)
    assert rollout.state(second) == "draft"


def test_evidence_older_than_a_day_opens_no_vote(rollout):
    second = rollout.draft()
    rollout.later(hours=25)
    with pytest.raises(RuleBroken, match="evidence_too_old"), rollout.work() as work:
        golive.open_vote(work, second)
    assert rollout.state(second) == "draft"


def test_a_go_names_every_waiver_that_the_evidence_needs(database):
    rollout = a_rollout(
        database, specs=(a_spec(weight=Decimal(8)), a_spec("fills", measure="fill_rate_lines", weight=Decimal(1)))
    )
    rollout.readings.figures["fill_rate_lines"] = (100, 400)
    with rollout.work(IT) as work:
        waiver = request_waiver(
            work,
            RequestWaiver(
                gate_id=rollout.gate, criterion="fills", rationale="stock arrives", mitigation="daily call", owner=IT,
                until=rollout.clock.now() + timedelta(days=9),
            ),
        )  # fmt: skip
    with rollout.work(CHAIR) as work:
        grant_waiver(work, waiver.id, body="steering", authority=golive.Seats())
    rollout.later(hours=1)
    assert rollout.evaluate().word == "ready"
    decision = rollout.open()

    facts = refused(rollout, decision, CHAIR, "waiver_not_named", choice=Choice.GO).facts

    assert facts["waivers"] == [waiver.id]
    refused(rollout, decision, CHAIR, "waiver_not_relied_on", choice=Choice.NO_GO, waivers=(1,))
    rollout.vote(decision, CHAIR, Choice.GO, waivers=(waiver.id,))


def test_a_decision_is_superseded_only_when_it_was_decided(rollout, decision):
    from governance.decisions.services import supersede_decision

    with rollout.work() as work, pytest.raises(IllegalMove):
        supersede_decision(work, decision, by=1)


def test_what_waits_for_a_person_is_gone_once_they_have_voted(rollout, decision):
    def waiting(who):
        with rollout.look() as session:
            return [each.decision_id for each in waiting_votes(session, who, rollout.clock.now())]

    assert waiting(CHAIR) == [decision]
    assert waiting(OUTSIDER) == []
    rollout.vote(decision, CHAIR)
    assert waiting(CHAIR) == []


def test_the_log_is_searched_in_questions_reasons_and_conditions(rollout, decision):
    rollout.vote(decision, CHAIR, Choice.POSTPONE, reason="100 % of the scanners_first")

    def found(text):
        with rollout.look() as session:
            return [each.id for each in decision_log(session, text=text)]

    assert found("may WAVE 2") == [decision]
    assert found("100 %") == [decision]
    assert found("scanners_f") == [decision]
    assert found("scannersXf") == []
    assert found("nothing like it") == []


def test_two_votes_at_once_for_one_seat_are_both_kept_and_one_counts(rollout, decision):
    seat = seat_id(rollout, decision, CHAIR)
    found = at_once(*(lambda c=c: rollout.vote(decision, CHAIR, c, seat=seat) for c in (Choice.GO, Choice.NO_GO)))

    assert not [each for each in found if isinstance(each, Exception)]
    assert cast(rollout, decision) == 2
    with rollout.look() as session:
        assert decision_view(session, decision, now=rollout.clock.now()).tally.cast == 1
        assert sorted(session.scalars(select(Vote.ordinal))) == [1, 2]


def test_two_closings_at_once_open_the_cells_once(rollout, decision):
    rollout.all_vote(decision)

    found = at_once(*(lambda: rollout.close(decision) for _ in range(2)))

    closed = [each for each in found if isinstance(each, golive.Closing)]
    refusals = [each for each in found if isinstance(each, RuleBroken | Busy)]
    assert (len(closed), len(refusals)) == (1, 1)
    with rollout.look() as session:
        assert session.scalar(select(func.count()).select_from(Grant)) == 2
        assert session.get_one(Decision, decision).state == "decided"

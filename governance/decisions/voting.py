"""How a body votes: who casts what, who takes no part, who is there, and what the vote says when it closes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from erpcore.kernel import requests
from erpcore.kernel.canonical import canonical_json
from erpcore.kernel.errors import NotAllowed, NotFound, RuleBroken
from erpcore.kernel.work import UnitOfWork
from governance.decisions.flow import ConditionState, DecisionState, move_condition, move_decision
from governance.decisions.models import Attendance, Condition, Decision, DecisionSeat, Recusal, Vote
from governance.decisions.permissions import DecisionPermission
from governance.decisions.records import Standing, lock_decision, next_ordinal, publish, standing_of
from governance.decisions.rules import Choice, Outcome, Tally, cast_refusal, is_settled, tally
from governance.decisions.rules import Vote as RuleVote
from governance.published import DecisionLapsed, DecisionMade, DecisionVoted

#: Refusals that say who may not, as against what may not.
_NOT_YOURS = {
    "not_your_seat",
    "seat_recused",
    "seat_absent",
    "delegate_recused",
    "one_delegation_only",
    "holder_has_voted",
}
_GOES = {Choice.GO, Choice.CONDITIONAL_GO}


@dataclass(frozen=True, kw_only=True)
class CastVote:
    """A vote for a seat. ``waivers`` names those that the evidence needs: a go over them says so. ``terms`` is what the
    person saw: newer evidence or a new condition since then is a conflict.
    """

    decision_id: int
    decision_seat_id: int
    choice: Choice
    reason: str
    waivers: tuple[int, ...] = ()
    postpone_to: date | None = None
    terms: int | None = None
    request_key: str | None = None


@dataclass(frozen=True, kw_only=True)
class VoteResult:
    """The vote's id, and the state of the whole vote after it."""

    vote_id: int
    tally: Tally


@dataclass(frozen=True, kw_only=True)
class CloseResult:
    """What a closed vote says; ``decision`` stands as decided, or lapsed where it says nothing."""

    decision: Decision
    outcome: Outcome
    tally: Tally
    postponed_to: date | None


def cast_vote(work: UnitOfWork, command: CastVote) -> VoteResult:
    """Cast or change the vote of a seat. The same ``request_key`` again returns the first result.

    Raises ``NotAllowed`` for a seat that is not the person's, is recused or absent; ``RuleBroken`` before or after the
    vote, for what the gates do not allow, without reason, without the waivers named, or for a conditional go without
    conditions; ``Conflict`` for a reused key or terms that have changed.
    """
    work.actor.require(DecisionPermission.VOTE)
    if command.request_key is not None:
        known = requests.claim(work, command.request_key, _content(command))
        if known is not None:
            standing = standing_of(work.session, lock_decision(work, command.decision_id))
            return VoteResult(vote_id=known["vote"], tally=_tally(standing))
    decision = lock_decision(work, command.decision_id)
    if decision.state != DecisionState.OPEN:
        raise RuleBroken(
            "vote_closed" if decision.opened_at else "vote_not_open", decision=decision.id, state=decision.state
        )
    standing = standing_of(work.session, decision)
    _check(work, standing, command)
    vote = Vote(
        id=work.ids.one(), decision_id=decision.id, decision_seat_id=command.decision_seat_id,
        ordinal=next_ordinal(work.session, Vote, decision.id), terms=decision.terms, cast_by=work.actor.id,
        choice=command.choice, reason=command.reason.strip(), waivers=canonical_json(sorted(command.waivers)).decode(),
        postpone_to=command.postpone_to, cast_at=work.now,
    )  # fmt: skip
    work.session.add(vote)
    work.session.flush()  # the tally below reads it
    publish(work, decision, DecisionVoted(wave=decision.wave_id, seat=command.decision_seat_id))
    work.audit(
        "decision.voted", "decision", decision.id, vote=vote.id, seat=command.decision_seat_id, choice=command.choice,
        reason=vote.reason, waivers=sorted(command.waivers), terms=decision.terms,
        snapshots=[basis.sha256 for basis in standing.bases],
    )  # fmt: skip
    if command.request_key is not None:
        requests.settle(work, command.request_key, {"vote": vote.id})
    return VoteResult(vote_id=vote.id, tally=_tally(standing_of(work.session, decision)))


def _content(command: CastVote) -> list[object]:
    return [
        command.decision_id, command.decision_seat_id, command.choice, command.reason, sorted(command.waivers),
        command.postpone_to,
    ]  # fmt: skip


def _check(work: UnitOfWork, standing: Standing, command: CastVote) -> None:
    decision = standing.decision
    vote = RuleVote(
        str(command.decision_seat_id),
        "" if work.actor.is_system else str(work.actor.id),
        command.choice,
        command.reason,
        work.now,
    )
    refusal = cast_refusal(standing.ballot(), standing.cast(), vote)
    if refusal in _NOT_YOURS:
        raise NotAllowed(refusal, decision=decision.id, seat=command.decision_seat_id)
    if refusal is not None:
        field = {"reason_required": "reason", "choice_not_allowed": "choice"}.get(refusal)
        words = sorted({basis.word for basis in standing.bases})
        raise RuleBroken(
            refusal, field=field, decision=decision.id, choice=command.choice, gates=words, closes_at=decision.closes_at
        )
    if command.terms is not None and command.terms != decision.terms:
        raise RuleBroken("terms_changed", decision=decision.id, seen=command.terms, now=decision.terms)
    if command.choice in _GOES:
        missing = sorted(set(standing.waivers) - set(command.waivers))
        if missing:
            raise RuleBroken("waiver_not_named", field="waivers", decision=decision.id, waivers=missing)
    unknown = sorted(set(command.waivers) - set(standing.waivers))
    if unknown:
        raise RuleBroken("waiver_not_relied_on", field="waivers", decision=decision.id, waivers=unknown)
    if command.choice is Choice.CONDITIONAL_GO and not open_conditions(work, decision.id):
        raise RuleBroken("conditional_go_without_conditions", field="choice", decision=decision.id)
    if command.postpone_to is not None and (
        command.choice is not Choice.POSTPONE or command.postpone_to <= work.now.date()
    ):
        raise RuleBroken("postpone_to_invalid", field="postpone_to", day=command.postpone_to)


def open_conditions(work: UnitOfWork, decision_id: int) -> list[Condition]:
    """The conditions on the table, in order."""
    return list(
        work.session.scalars(
            select(Condition)
            .where(Condition.decision_id == decision_id, Condition.state == ConditionState.OPEN)
            .order_by(Condition.position)
        )
    )


def _tally(standing: Standing) -> Tally:
    return tally(standing.ballot(), standing.cast(), standing.attending())


def _seat(work: UnitOfWork, decision: Decision, decision_seat_id: int) -> DecisionSeat:
    seat = work.session.get(DecisionSeat, decision_seat_id)
    if seat is None or seat.decision_id != decision.id:
        raise NotFound("seat_not_found", seat=decision_seat_id, decision=decision.id)
    return seat


def recuse_seat(work: UnitOfWork, decision_id: int, decision_seat_id: int, *, reason: str) -> Recusal:
    """Take a seat out of the vote, with whatever it had cast. Its holder does it, or who keeps the attendance."""
    decision = lock_decision(work, decision_id)
    if decision.state != DecisionState.OPEN or work.now >= decision.closes_at:
        raise RuleBroken("vote_closed", decision=decision.id, state=decision.state)
    seat = _seat(work, decision, decision_seat_id)
    if seat.person_id != work.actor.id and not work.actor.may(DecisionPermission.ATTENDANCE):
        raise NotAllowed("not_your_seat", decision=decision.id, seat=decision_seat_id)
    if not reason.strip():
        raise RuleBroken("reason_required", field="reason", document="seat", move="recuse")
    if work.session.scalar(select(Recusal.id).where(Recusal.decision_seat_id == seat.id)) is not None:
        raise RuleBroken("already_recused", decision=decision.id, seat=seat.id)
    recusal = Recusal(
        id=work.ids.one(), decision_id=decision.id, decision_seat_id=seat.id, reason=reason.strip(),
        recorded_by=work.actor.id, at=work.now,
    )  # fmt: skip
    work.session.add(recusal)
    work.audit("decision.recused", "decision", decision.id, seat=seat.id, function=seat.function, reason=recusal.reason)
    return recusal


def record_attendance(work: UnitOfWork, decision_id: int, decision_seat_id: int, *, present: bool) -> None:
    """Note that a seat is present (it counts for the quorum without voting) or absent (its holder cannot vote)."""
    work.actor.require(DecisionPermission.ATTENDANCE)
    decision = lock_decision(work, decision_id)
    if decision.state != DecisionState.OPEN or work.now >= decision.closes_at:
        raise RuleBroken("vote_closed", decision=decision.id, state=decision.state)
    seat = _seat(work, decision, decision_seat_id)
    if seat.person_id is None:
        raise RuleBroken("seat_vacant", decision=decision.id, seat=seat.id)
    work.session.add(
        Attendance(
            id=work.ids.one(), decision_id=decision.id, decision_seat_id=seat.id, is_present=present,
            ordinal=next_ordinal(work.session, Attendance, decision.id), recorded_by=work.actor.id, at=work.now,
        )
    )  # fmt: skip
    work.audit("decision.attendance", "decision", decision.id, seat=seat.id, present=present)


def close_vote(work: UnitOfWork, decision_id: int) -> CloseResult:
    """Count, and let the decision stand as decided or, without quorum or majority, lapse.

    Before its closing time only a vote that nobody can change any more is closed. What the decision leads to is done by
    the caller in the same unit of work.
    """
    work.actor.require(DecisionPermission.CLOSE)
    decision = lock_decision(work, decision_id)
    if decision.state != DecisionState.OPEN:
        raise RuleBroken("vote_closed", decision=decision.id, state=decision.state)
    standing = standing_of(work.session, decision)
    state = _tally(standing)
    if work.now < decision.closes_at and not is_settled(standing.ballot(), standing.cast()):
        raise RuleBroken(
            "vote_running", decision=decision.id, closes_at=decision.closes_at, cast=state.cast, eligible=state.eligible,
            quorum=state.quorum_needed, missing=list(state.roles_missing),
        )  # fmt: skip
    decision.closed_at = work.now
    if state.outcome in {Outcome.NOT_PASSED, Outcome.NO_QUORUM}:
        move_decision(work, decision, "lapse", reason=state.outcome)
        publish(work, decision, DecisionLapsed(wave=decision.wave_id, reason=state.outcome))
    else:
        decision.outcome = state.outcome
        _decide(work, standing, state)
    work.audit(
        "decision.made", "decision", decision.id, outcome=state.outcome, counts={str(k): v for k, v in state.counts.items()},
        eligible=state.eligible, present=state.present, quorum=state.quorum_needed, needed=state.needed,
        votes=[vote.id for vote in standing.votes], snapshots=[basis.sha256 for basis in standing.bases],
    )  # fmt: skip
    return CloseResult(decision=decision, outcome=state.outcome, tally=state, postponed_to=decision.postponed_to)


def _decide(work: UnitOfWork, standing: Standing, state: Tally) -> None:
    decision = standing.decision
    conditions = open_conditions(work, decision.id)
    if state.outcome is Outcome.POSTPONE:
        decision.postponed_to = _day_of(standing)
    if state.outcome is not Outcome.CONDITIONAL_GO:
        for condition in conditions:
            move_condition(work, condition, "withdraw", reason=f"decided: {state.outcome}")
        conditions = []
    move_decision(
        work,
        decision,
        "decide",
        facts={"outcome": state.outcome, "counts": {str(k): v for k, v in state.counts.items()}},
    )
    publish(
        work, decision,
        DecisionMade(
            wave=decision.wave_id, kind=decision.kind, outcome=state.outcome,
            snapshots=[basis.sha256 for basis in standing.bases], conditions=[each.id for each in conditions],
            postponed_to=decision.postponed_to,
        ),
    )  # fmt: skip


def _day_of(standing: Standing) -> date | None:
    """The day that most votes to postpone name; of equals the latest."""
    days = [vote.postpone_to for vote in standing.votes if vote.choice == Choice.POSTPONE and vote.postpone_to]
    return max(set(days), key=lambda day: (days.count(day), day), default=None)

"""What a decision stands on, read from its rows into the forms that the rules take."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

import orjson
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from erpcore.kernel.errors import Conflict, NotFound
from erpcore.kernel.events import Event, Place
from erpcore.kernel.work import UnitOfWork
from governance.decisions.models import Attendance, Decision, DecisionBasis, DecisionSeat, Recusal, Vote
from governance.decisions.rules import Ballot, Choice, Rule, Seat
from governance.decisions.rules import Vote as CastVote

#: Governance happens in no legal entity and at no site.
NOWHERE = Place("live", 0)


@dataclass(frozen=True, kw_only=True)
class GateBasis:
    """One gate as the vote takes it: its snapshot, what the gate allows, and the waivers that its word needs."""

    gate_id: int
    snapshot_id: int
    sha256: str
    criteria_version: int
    word: str
    allowed: frozenset[str]
    waivers: tuple[tuple[int, str, datetime], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A decision with everything its vote needs: bases and seats of the present terms, votes that count, who is out."""

    decision: Decision
    bases: tuple[GateBasis, ...]
    seats: tuple[DecisionSeat, ...]
    votes: tuple[Vote, ...]
    earlier_votes: tuple[Vote, ...]
    recusals: dict[int, Recusal]
    absent: frozenset[int]
    present: frozenset[int]

    @property
    def waivers(self) -> tuple[int, ...]:
        """The waivers without which a gate would not read as it does."""
        return tuple(sorted({waiver for basis in self.bases for waiver, _, _ in basis.waivers}))

    def ballot(self) -> Ballot:
        """The vote as the rules take it; without any gate only what needs none is allowed."""
        decision = self.decision
        allowed = frozenset(Choice)
        for basis in self.bases:
            allowed &= {Choice(word) for word in basis.allowed}
        if not self.bases:
            allowed = frozenset({Choice.NO_GO, Choice.POSTPONE})
        return Ballot(
            seats=tuple(
                Seat(str(seat.id), _person(seat.person_id), seat.function, _person(seat.delegate_id) or None)
                for seat in self.seats
            ),
            rule=read_rule(decision.rule),
            allowed=allowed,
            opens=decision.opened_at or decision.drafted_at,
            closes=decision.closes_at,
            recused=frozenset(str(seat) for seat in self.recusals),
            absent=frozenset(str(seat) for seat in self.absent),
        )

    def cast(self) -> list[CastVote]:
        """The votes that count, as the rules take them."""
        return [
            CastVote(str(vote.decision_seat_id), _person(vote.cast_by), Choice(vote.choice), vote.reason, vote.cast_at)
            for vote in self.votes
        ]

    def attending(self) -> frozenset[str]:
        """Seats recorded as present, whether they voted or not."""
        return frozenset(str(seat) for seat in self.present)


def _person(person: int | None) -> str:
    return "" if person is None else str(person)


def rule_text(
    quorum: tuple[int, int], majority: tuple[int, int], seats: Sequence[tuple[str, bool, bool]]
) -> dict[str, Any]:
    """The body's rule as it is copied: shares, and the functions that must be there or may veto."""
    return {
        "quorum": list(quorum),
        "majority": list(majority),
        "mandatory": sorted({function for function, mandatory, _ in seats if mandatory}),
        "veto": sorted({function for function, _, veto in seats if veto}),
    }


def read_rule(text: str | None) -> Rule:
    """The copied rule; a decision without one has not been opened."""
    if text is None:
        raise Conflict("decision_not_open")
    facts = orjson.loads(text)
    return Rule(
        quorum=Fraction(*facts["quorum"]),
        majority=Fraction(*facts["majority"]),
        mandatory_roles=frozenset(facts["mandatory"]),
        veto_roles=frozenset(facts["veto"]),
    )


def lock_decision(work: UnitOfWork, decision_id: int, seen_version: int | None = None) -> Decision:
    """The decision, locked for change. Raises ``NotFound``, and ``Conflict`` when it is not the version that was seen."""
    decision = work.session.get(Decision, decision_id, with_for_update={"key_share": True}, populate_existing=True)
    if decision is None:
        raise NotFound("decision_not_found", decision=decision_id)
    if seen_version is not None and decision.version != seen_version:
        raise Conflict("changed_meanwhile", decision=decision_id, seen=seen_version, now=decision.version)
    return decision


def bases_of(session: Session, decisions: Collection[int]) -> dict[int, tuple[GateBasis, ...]]:
    """The bases of the present binding, by decision. One query."""
    rows = session.scalars(
        select(DecisionBasis)
        .join(Decision, (Decision.id == DecisionBasis.decision_id) & (Decision.binding == DecisionBasis.binding))
        .where(DecisionBasis.decision_id.in_(decisions))
        .order_by(DecisionBasis.decision_id, DecisionBasis.gate_id)
    )
    found: dict[int, tuple[GateBasis, ...]] = {}
    for row in rows:
        basis = GateBasis(
            gate_id=row.gate_id,
            snapshot_id=row.snapshot_id,
            sha256=row.sha256,
            criteria_version=row.criteria_version,
            word=row.word,
            allowed=frozenset(orjson.loads(row.allowed)),
            waivers=tuple(
                (waiver, criterion, datetime.fromisoformat(until))
                for waiver, criterion, until in orjson.loads(row.waivers)
            ),
        )
        found[row.decision_id] = (*found.get(row.decision_id, ()), basis)
    return found


def standing_of(session: Session, decision: Decision) -> Standing:
    """Everything a vote needs, in five queries."""
    here = decision.id
    seats = session.scalars(
        select(DecisionSeat).where(DecisionSeat.decision_id == here).order_by(DecisionSeat.position)
    ).all()
    latest: dict[int, Vote] = {}
    earlier: list[Vote] = []
    for vote in session.scalars(select(Vote).where(Vote.decision_id == here).order_by(Vote.ordinal)):
        if vote.terms != decision.terms:
            earlier.append(vote)
            continue
        if vote.decision_seat_id in latest:
            earlier.append(latest[vote.decision_seat_id])
        latest[vote.decision_seat_id] = vote
    recusals = {
        recusal.decision_seat_id: recusal
        for recusal in session.scalars(select(Recusal).where(Recusal.decision_id == here))
    }
    present: dict[int, bool] = {}
    for record in session.scalars(
        select(Attendance).where(Attendance.decision_id == here).order_by(Attendance.ordinal)
    ):
        present[record.decision_seat_id] = record.is_present
    return Standing(
        decision=decision,
        bases=bases_of(session, [here]).get(here, ()),
        seats=tuple(seats),
        votes=tuple(vote for seat, vote in sorted(latest.items()) if seat not in recusals),
        earlier_votes=tuple(earlier),
        recusals=recusals,
        absent=frozenset(seat for seat, here_now in present.items() if not here_now),
        present=frozenset(seat for seat, here_now in present.items() if here_now),
    )


def next_ordinal(session: Session, model: type[Vote | Attendance], decision_id: int) -> int:
    """The place of the next record in the decision's history; the decision is locked, so nobody takes the same."""
    last = session.scalar(select(func.max(model.ordinal)).where(model.decision_id == decision_id))
    return (last or 0) + 1


def publish(work: UnitOfWork, decision: Decision, event: Event) -> None:
    """Report what happened to a decision; its root document is the wave."""
    work.publish(
        event, NOWHERE, step=f"governance.{event.type.partition('.')[0]}",
        subject=("decision", decision.id, decision.version), journey=decision.wave_id,
    )  # fmt: skip

"""What did the committee decide: who may cast what, is the quorum there, and what do the votes say.

Seats are frozen when the vote opens. A recused seat leaves numerator and denominator. A share of the votes cast
decides, always more than half of them, so a tie never passes. Nothing here knows how votes are stored.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from math import ceil
from typing import Final


class Choice(StrEnum):
    """What a seat may cast."""

    GO = "go"
    CONDITIONAL_GO = "conditional_go"
    NO_GO = "no_go"
    POSTPONE = "postpone"


@dataclass(frozen=True, slots=True)
class Seat:
    """One vote, as frozen at opening: who holds it, in which role, and who may stand in."""

    id: str
    person: str
    role: str
    delegate: str | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """How the body decides: quorum as a share of eligible seats, roles that must be there, roles that can veto.

    ``majority`` is the share of votes cast that a choice needs, two thirds unless the body's mandate says otherwise.
    """

    quorum: Fraction
    mandatory_roles: frozenset[str] = frozenset()
    veto_roles: frozenset[str] = frozenset()
    majority: Fraction = Fraction(2, 3)

    def __post_init__(self) -> None:
        if not 0 < self.quorum <= 1 or not 0 < self.majority <= 1:
            raise ValueError("quorum and majority are shares above 0 and at most 1")


@dataclass(frozen=True, slots=True)
class Vote:
    """A vote as cast: for which seat, by whom (its holder or the delegate), and why."""

    seat: str
    cast_by: str
    choice: Choice
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Ballot:
    """An open vote: frozen seats and rule, when it opens and closes, what the gates allow, and who is recused."""

    seats: tuple[Seat, ...]
    rule: Rule
    allowed: frozenset[Choice]
    opens: datetime
    closes: datetime
    recused: frozenset[str] = frozenset()
    """Seat ids; the seat's delegate is out with it."""
    absent: frozenset[str] = frozenset()
    """Seat ids recorded as absent: the holder casts nothing, a delegate may."""

    @property
    def eligible(self) -> tuple[Seat, ...]:
        """The seats that count."""
        return tuple(seat for seat in self.seats if seat.id not in self.recused)


class Outcome(StrEnum):
    """What a closed vote says. Not passed and no quorum decide nothing: everything stays as it was."""

    GO = "go"
    CONDITIONAL_GO = "conditional_go"
    NO_GO = "no_go"
    POSTPONE = "postpone"
    NOT_PASSED = "not_passed"
    NO_QUORUM = "no_quorum"


def cast_refusal(ballot: Ballot, votes: Sequence[Vote], vote: Vote) -> str | None:
    """Why this vote may not be cast, as a code; None where it may.

    One vote per seat, which may be changed until the vote closes: the last one counts. A delegate casts the seat's vote
    where its holder has not, and stands in for one seat at most. Every vote has its reason.
    """
    seats = {seat.id: seat for seat in ballot.seats}
    seat = seats.get(vote.seat)
    if seat is None or not vote.cast_by or vote.cast_by not in {seat.person, seat.delegate}:
        return "not_your_seat"
    if vote.at < ballot.opens:
        return "vote_not_open"
    if vote.at >= ballot.closes:
        return "vote_closed"
    if seat.id in ballot.recused:
        return "seat_recused"
    as_delegate = vote.cast_by != seat.person
    if not as_delegate and seat.id in ballot.absent:
        return "seat_absent"
    if as_delegate and _is_recused(ballot, vote.cast_by):
        return "delegate_recused"
    if as_delegate and any(cast.seat == seat.id and cast.cast_by == seat.person for cast in votes):
        return "holder_has_voted"
    if as_delegate and any(
        _by_delegate(seats, cast) and cast.cast_by == vote.cast_by and cast.seat != seat.id for cast in votes
    ):
        return "one_delegation_only"
    if vote.choice not in ballot.allowed:
        return "choice_not_allowed"
    if not vote.reason.strip():
        return "reason_required"
    return None


def _is_recused(ballot: Ballot, person: str) -> bool:
    return any(seat.person == person and seat.id in ballot.recused for seat in ballot.seats)


def _by_delegate(seats: Mapping[str, Seat], vote: Vote) -> bool:
    return vote.seat in seats and seats[vote.seat].person != vote.cast_by


@dataclass(frozen=True, slots=True)
class Tally:
    """The state of a vote, open or closed, with what it lacks."""

    outcome: Outcome
    """What it would be if it closed now."""
    counts: Mapping[Choice, int]
    cast: int
    eligible: int
    present: int
    quorum_needed: int
    roles_missing: tuple[str, ...]
    needed: int
    """Votes that a choice needs among those cast."""
    vetoed_by: tuple[str, ...]
    """Roles whose no-go stopped a go."""

    @property
    def quorate(self) -> bool:
        """Enough seats and every mandatory role present, and at least one seat at all."""
        return self.eligible > 0 and self.present >= self.quorum_needed and not self.roles_missing


def quorum_needed(rule: Rule, eligible: int) -> int:
    """⌈q · eligible⌉, and never nobody."""
    return max(1, ceil(rule.quorum * eligible))


def votes_needed(rule: Rule, cast: int) -> int:
    """At least the majority's share of the votes cast, and always more than half of them."""
    return max(ceil(rule.majority * cast), cast // 2 + 1)


def tally(ballot: Ballot, votes: Sequence[Vote], present: Collection[str] = ()) -> Tally:
    """Count the votes of eligible seats; ``present`` are further seats that attend without having voted.

    A go needs its share of go votes. A conditional go is also carried by go votes: who would go without conditions
    goes with them. No-go and postpone need their own share. A veto role's no-go stops both kinds of go. A mandatory
    role that is recused, or has no seat, is missing: another seat of the role must be there. Where a gate has got
    worse since a vote was cast, that vote stays among those cast but cannot carry what is no longer allowed.
    ValueError for a vote of a seat that is unknown, recused or counted twice.
    """
    seats = {seat.id: seat for seat in ballot.eligible}
    if len({vote.seat for vote in votes}) != len(votes):
        raise ValueError("two votes of one seat")
    for vote in votes:
        if vote.seat not in seats:
            raise ValueError(f"seat {vote.seat} has no vote here")
    here = ({vote.seat for vote in votes} | set(present)) & seats.keys()
    counts = {choice: sum(1 for vote in votes if vote.choice is choice) for choice in Choice}
    roles = {seats[seat].role for seat in here}
    against = {seats[vote.seat].role for vote in votes if vote.choice is Choice.NO_GO}
    result = Tally(
        outcome=Outcome.NO_QUORUM,
        counts=counts,
        cast=len(votes),
        eligible=len(seats),
        present=len(here),
        quorum_needed=quorum_needed(ballot.rule, len(seats)),
        roles_missing=tuple(sorted(ballot.rule.mandatory_roles - roles)),
        needed=votes_needed(ballot.rule, len(votes)),
        vetoed_by=tuple(sorted(ballot.rule.veto_roles & against)),
    )
    return replace(result, outcome=_outcome(result, ballot.allowed)) if result.quorate else result


def _outcome(state: Tally, allowed: frozenset[Choice]) -> Outcome:
    for choice in _ASKED_IN_ORDER:
        stopped = choice not in allowed or (bool(state.vetoed_by) and choice in _GOES)
        if not stopped and _support(state.counts, choice) >= state.needed:
            return Outcome(choice.value)
    return Outcome.NOT_PASSED


_GOES: Final = frozenset({Choice.GO, Choice.CONDITIONAL_GO})
_ASKED_IN_ORDER: Final = (Choice.GO, Choice.CONDITIONAL_GO, Choice.NO_GO, Choice.POSTPONE)


def _support(counts: Mapping[Choice, int], choice: Choice) -> int:
    return counts[choice] + (counts[Choice.GO] if choice is Choice.CONDITIONAL_GO else 0)


def more_needed(ballot: Ballot, votes: Sequence[Vote], choice: Choice) -> int | None:
    """The fewest further votes, all for ``choice``, with which it passes; 0 where it passes now, None where it cannot.

    Seats of missing mandatory roles vote first, so "2 more needed" can be kept.
    """
    if choice not in ballot.allowed:
        return None
    voted = {vote.seat for vote in votes}
    missing = set(tally(ballot, votes).roles_missing)
    waiting: list[Seat] = []
    for seat in ballot.eligible:
        if seat.id not in voted:
            waiting.insert(0 if seat.role in missing else len(waiting), seat)
            missing.discard(seat.role)
    cast = list(votes)
    for further in range(len(waiting) + 1):
        if tally(ballot, cast).outcome.value == choice.value:
            return further
        if further < len(waiting):
            seat = waiting[further]
            cast.append(Vote(seat.id, seat.person, choice, "", ballot.opens))
    return None


def is_settled(ballot: Ballot, votes: Sequence[Vote]) -> bool:
    """Whether the seats that have not voted can no longer change what a quorate vote says, however they vote."""
    now = tally(ballot, votes)
    if not now.quorate:
        return False
    voted = {vote.seat for vote in votes}
    waiting = [seat for seat in ballot.eligible if seat.id not in voted and seat.person]
    return all(
        tally(ballot, [*votes, *(Vote(seat.id, seat.person, choice, "-", ballot.opens) for seat in waiting)]).outcome
        is now.outcome
        for choice in ballot.allowed
    )

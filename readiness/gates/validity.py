"""Does a go still stand? Derived from facts each time it is asked, never stored, so that no clock can be forgotten."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from readiness.gates.rules import GateWord, is_worse
from readiness.gates.voting import Outcome


class Standing(StrEnum):
    """What a decision is worth now."""

    VALID = "valid"
    OUTDATED = "outdated"
    LAPSED = "lapsed"
    REVOKED = "revoked"
    NOT_A_GO = "not_a_go"


@dataclass(frozen=True, kw_only=True, slots=True)
class Condition:
    """What a conditional go asks of someone, to be met by ``due``, the last instant of the due day at the site."""

    id: str
    owner: str
    due: datetime
    met_at: datetime | None = None

    def missed(self, now: datetime) -> bool:
        """Not met by its due time, also where it was met later."""
        return now > self.due if self.met_at is None else self.met_at > self.due


@dataclass(frozen=True, kw_only=True, slots=True)
class ReliedWaiver:
    """A waiver without which the gate would have read otherwise, and when it ends or was taken back."""

    id: str
    until: datetime
    ended_at: datetime | None = None

    def ended(self, now: datetime) -> bool:
        """Whether its time is over or it was taken back."""
        return now >= self.until or (self.ended_at is not None and now >= self.ended_at)


@dataclass(frozen=True, kw_only=True, slots=True)
class DecisionFacts:
    """What the standing of a decision depends on.

    ``gates_then`` and ``gates_now`` are the words by gate id; ``criteria_then`` and ``criteria_now`` the fingerprints
    of the frozen criteria. ``went_live_at`` is when the wave's first grant opened.
    """

    outcome: Outcome
    decided_at: datetime
    gates_then: Mapping[str, GateWord]
    gates_now: Mapping[str, GateWord]
    criteria_then: str
    criteria_now: str
    waivers: tuple[ReliedWaiver, ...] = ()
    conditions: tuple[Condition, ...] = ()
    went_live_at: datetime | None = None
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Validity:
    """The standing with its reasons (code, what it concerns).

    ``may_open``: grants may be opened under it now. ``urgent``: conditions missed after going live; they ask for an
    urgent decision and shut nothing, for a clock never shuts a running warehouse.
    """

    standing: Standing
    reasons: tuple[tuple[str, str], ...] = ()
    urgent: tuple[str, ...] = ()

    @property
    def may_open(self) -> bool:
        """Only a valid go opens anything."""
        return self.standing is Standing.VALID


def is_valid(facts: DecisionFacts, now: datetime) -> Validity:
    """What the decision is worth at ``now``: revoked before lapsed before outdated before valid.

    A go is outdated where a gate it stands on is worse or gone, a waiver it relied on has ended, or criteria changed.
    A conditional go lapses where a condition was missed before going live; missed afterwards it stays as it is and
    opens an urgent decision.
    """
    if facts.outcome not in {Outcome.GO, Outcome.CONDITIONAL_GO}:
        return Validity(Standing.NOT_A_GO)
    if facts.revoked_at is not None and now >= facts.revoked_at:
        return Validity(Standing.REVOKED, (("revoked", ""),))
    missed = [condition for condition in facts.conditions if condition.missed(now)]
    before = [c for c in missed if facts.went_live_at is None or c.due < facts.went_live_at]
    urgent = tuple(condition.id for condition in missed if condition not in before)
    outdated = _outdated(facts, now)
    if before:
        lapsed = tuple(("condition_missed", condition.id) for condition in before)
        return Validity(Standing.LAPSED, lapsed + outdated, urgent)
    if outdated:
        return Validity(Standing.OUTDATED, outdated, urgent)
    return Validity(Standing.VALID, (), urgent)


def _outdated(facts: DecisionFacts, now: datetime) -> tuple[tuple[str, str], ...]:
    reasons = []
    if not facts.gates_then:
        reasons.append(("no_gate", ""))
    for gate, then in sorted(facts.gates_then.items()):
        current = facts.gates_now.get(gate)
        if current is None:
            reasons.append(("gate_gone", gate))
        elif is_worse(current, then):
            reasons.append(("gate_worse", gate))
    reasons += [("waiver_lapsed", waiver.id) for waiver in facts.waivers if waiver.ended(now)]
    if facts.criteria_now != facts.criteria_then:
        reasons.append(("criteria_changed", ""))
    return tuple(reasons)

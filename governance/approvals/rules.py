"""Pure decisions about approvals: which rules hold for these facts, whose agreement they ask for, and is it there yet?

A rule is a condition and what it asks. Of two rules that hold, the narrower replaces the wider one ("from 5,000" replaces "from
500"); of rules neither of which is narrower, all are to be met. A fact that nobody knows is taken at its worst: it meets the
condition of a rule that asks for people, never of one that asks for nobody.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Materiality(StrEnum):
    """How much hangs on it, from the lowest. Trivial is what one person may do alone; no rule begins there, since it would
    hold in every case.
    """

    TRIVIAL = "trivial"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


#: From which weight on a rule may be.
WEIGHTS_OF_RULES = tuple(each for each in Materiality if each is not Materiality.TRIVIAL)
_WEIGHTS = {each: weight for weight, each in enumerate(Materiality)}


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """What a rule may look at: an amount in minor units, the margin left, the customer's tier, how material it is."""

    amount_minor: int | None = None
    currency: str | None = None
    margin_permille: int | None = None
    tier: int | None = None
    materiality: Materiality | None = None


NO_FACTS = Facts()


@dataclass(frozen=True, kw_only=True, slots=True)
class Condition:
    """What of the facts a rule is for; ``None``: it does not look at that. An amount from, a margin below, from a weight on."""

    amount_from_minor: int | None = None
    currency: str | None = None
    margin_below_permille: int | None = None
    tier: int | None = None
    materiality: Materiality | None = None


IN_EVERY_CASE = Condition()


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """One rule in force. ``people`` ``None`` with a body: its quorum. ``capacity``: ``role:…``, ``may:…``, ``body:…`` or
    ``person:…``.
    """

    id: int
    code: str
    condition: Condition
    is_automatic: bool = False
    capacity: str = ""
    people: int | None = None
    timeout_hours: int | None = None
    escalate_to: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Need:
    """So many different people in this capacity; after so many business hours those of ``escalate_to`` may too."""

    capacity: str
    people: int | None = 1
    timeout_hours: int | None = None
    escalate_to: str | None = None


def remind_after(timeout_hours: int) -> int:
    """After how many working hours people are told again: when a quarter of the time is left, at the least one hour.

    0 where the time is too short to be told twice in.
    """
    return timeout_hours - max(1, timeout_hours // 4)


class _Met(StrEnum):
    NO = "no"
    ASSUMED = "assumed"
    YES = "yes"


def _met(condition: Condition, facts: Facts) -> _Met:
    """Whether the facts meet the condition; ``ASSUMED`` where one that it looks at is not known."""
    parts: list[bool | None] = []
    if condition.amount_from_minor is not None:
        is_known = facts.amount_minor is not None and facts.currency == condition.currency
        parts.append(abs(facts.amount_minor or 0) >= condition.amount_from_minor if is_known else None)
    if condition.margin_below_permille is not None:
        margin = facts.margin_permille
        parts.append(None if margin is None else margin < condition.margin_below_permille)
    if condition.tier is not None:
        parts.append(None if facts.tier is None else facts.tier == condition.tier)
    if condition.materiality is not None:
        weight = facts.materiality
        parts.append(None if weight is None else _WEIGHTS[weight] >= _WEIGHTS[condition.materiality])
    if False in parts:
        return _Met.NO
    return _Met.ASSUMED if None in parts else _Met.YES


def implies(narrow: Condition, wide: Condition) -> bool:
    """Whether whatever meets ``narrow`` also meets ``wide``."""
    if wide.amount_from_minor is not None and (
        narrow.amount_from_minor is None
        or narrow.currency != wide.currency
        or narrow.amount_from_minor < wide.amount_from_minor
    ):
        return False
    if wide.margin_below_permille is not None and (
        narrow.margin_below_permille is None or narrow.margin_below_permille > wide.margin_below_permille
    ):
        return False
    if wide.tier is not None and narrow.tier != wide.tier:
        return False
    return wide.materiality is None or (
        narrow.materiality is not None and _WEIGHTS[narrow.materiality] >= _WEIGHTS[wide.materiality]
    )


def rules_for(rules: Iterable[Rule], facts: Facts) -> tuple[Rule, ...]:
    """The rules that hold for these facts, in the order given; empty: nobody may decide.

    Automatic ones are left out where another rule asks for people, so a request is automatic when all of these are.
    """
    met = [(rule, _met(rule.condition, facts)) for rule in rules]
    sure = [rule for rule, how in met if how is _Met.YES]
    held = [rule for rule in sure if not any(_replaces(other, rule) for other in sure)]
    held += [rule for rule, how in met if how is _Met.ASSUMED and not rule.is_automatic]
    asking = [rule for rule in held if not rule.is_automatic]
    kept = {rule.id for rule in asking or held}
    return tuple(rule for rule, _ in met if rule.id in kept)


def _replaces(other: Rule, rule: Rule) -> bool:
    return implies(other.condition, rule.condition) and not implies(rule.condition, other.condition)


def needs_of(rules: Sequence[Rule], route: Sequence[Need] = ()) -> tuple[Need, ...]:
    """Whose agreement the rules and the asker's own route ask for; one capacity once, with the stricter of its numbers."""
    asked = [
        Need(capacity=r.capacity, people=r.people, timeout_hours=r.timeout_hours, escalate_to=r.escalate_to)
        for r in rules
        if not r.is_automatic
    ]
    merged: dict[str, Need] = {}
    for need in (*asked, *route):
        known = merged.get(need.capacity)
        merged[need.capacity] = need if known is None else _stricter(known, need)
    return tuple(merged.values())


def _stricter(one: Need, other: Need) -> Need:
    hours = [hours for hours in (one.timeout_hours, other.timeout_hours) if hours is not None]
    # A quorum is no number yet; it is at least one person, and is counted when it is asked.
    people = None if None in (one.people, other.people) else max(one.people or 1, other.people or 1)
    return Need(
        capacity=one.capacity, people=people, timeout_hours=min(hours, default=None),
        escalate_to=one.escalate_to or other.escalate_to,
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """A need as frozen when asked: how many, and which capacities count for it by now."""

    position: int
    people: int
    capacities: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Given:
    """An answer that counts: who gave it, for whom (oneself), for which need."""

    person: int
    on_behalf_of: int
    need: int
    approves: bool


class Outcome(StrEnum):
    """What the answers so far say."""

    OPEN = "open"
    APPROVED = "approved"
    REJECTED = "rejected"
    NOBODY = "nobody"


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """The outcome, and how many different people each need still lacks, by position."""

    outcome: Outcome
    lacks: tuple[tuple[int, int], ...] = ()

    @property
    def lacking(self) -> int:
        return sum(left for _, left in self.lacks)


def standing(needs: Sequence[Asked], given: Sequence[Given]) -> Standing:
    """What is agreed: one rejection settles it, all needs met approve it, and without a need nobody may decide at all.

    Nobody counts twice, neither by acting twice nor by acting for oneself and having somebody act for one.
    """
    if any(not answer.approves for answer in given):
        return Standing(outcome=Outcome.REJECTED)
    seen: set[int] = set()
    met: dict[int, int] = {}
    for answer in given:
        people = {answer.person, answer.on_behalf_of}
        if not people & seen:
            met[answer.need] = met.get(answer.need, 0) + 1
        seen |= people
    lacks = tuple(
        (need.position, need.people - met.get(need.position, 0))
        for need in needs
        if need.people > met.get(need.position, 0)
    )
    if not needs:
        return Standing(outcome=Outcome.NOBODY)
    return Standing(outcome=Outcome.OPEN if lacks else Outcome.APPROVED, lacks=lacks)


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """Somebody who may act for somebody else, from before until before."""

    giver: int
    taker: int
    since: datetime
    until: datetime


def kept_out(excluded: Collection[int], links: Iterable[Link], *, asked_at: datetime, now: datetime) -> frozenset[int]:
    """Who may not decide: those excluded, whoever acts for them, and for whom they act.

    A link counts when it held at any time since the request was made, so that ending it a minute before helps nobody.
    """
    out = set(excluded)
    for link in links:
        if link.since <= now and link.until > asked_at:
            if link.giver in excluded:
                out.add(link.taker)
            if link.taker in excluded:
                out.add(link.giver)
    return frozenset(out)

"""How grave is an entry, is its threshold crossed, and why does somebody else have to hear of it?"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from governance.risks.flow import STANDING, EntryState, Side

#: Probability and impact, one to five, as people say them.
PROBABILITIES = {1: "rare", 2: "unlikely", 3: "possible", 4: "likely", 5: "almost certain"}
IMPACTS = {1: "hardly noticed", 2: "minor", 3: "noticeable", 4: "severe", 5: "stops the roll-out"}
#: From these scores on a risk is medium or high, as the map of risks draws it.
MEDIUM, HIGH = 6, 12


class Band(StrEnum):
    """How grave a score is."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Concern(StrEnum):
    """Why somebody beyond the owner has to hear of an entry."""

    TRIGGERED = "triggered"
    OVERDUE = "overdue"


def score(probability: int, impact: int) -> int:
    """Probability times impact, 1 to 25."""
    return probability * impact


def band(points: int) -> Band:
    """Low, medium or high."""
    return Band.HIGH if points >= HIGH else Band.MEDIUM if points >= MEDIUM else Band.LOW


def reaches(points: int | None, limit: int | None) -> bool:
    """Whether a score is at its limit or beyond; false where there is no score or no limit."""
    return points is not None and limit is not None and points >= limit


def is_beyond(value: Fraction, side: Side, limit: Decimal) -> bool:
    """Whether a figure is on the wrong side of its limit; exactly at it is not."""
    return value < Fraction(limit) if side is Side.BELOW else value > Fraction(limit)


def concern(state: EntryState, due_on: date, today: date) -> Concern | None:
    """What keeps an entry from being the owner's alone: triggered before overdue; ``None``: nothing does."""
    if state not in STANDING:
        return None
    if state is EntryState.TRIGGERED:
        return Concern.TRIGGERED
    return Concern.OVERDUE if due_on < today else None


def next_review(judged_on: date, review_days: int) -> date:
    """When an entry is looked at again."""
    return judged_on + timedelta(days=review_days)

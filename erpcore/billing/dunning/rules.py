"""To which level does an overdue document rise, and was a promise kept? Pure decisions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


@dataclass(frozen=True, kw_only=True, slots=True)
class Level:
    """A step of a procedure, as models say it; amounts in minor units."""

    level: int
    days_overdue: int
    min_minor: int
    fee_minor: int
    letter: str
    respite_days: int
    note: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Overdue:
    """A document past its day. ``level`` 0: never asked for; ``last_on``: the day of its last notice."""

    document: int
    customer: int
    due_on: date
    open_minor: int
    level: int = 0
    last_on: date | None = None


def next_level(levels: Mapping[int, Level], one: Overdue, today: date, interval_days: int) -> int:
    """The level of the document after today: one above its own where that step's days and amount are reached, else its own.

    One step a notice: nobody gets a final demand who was never reminded, however long the document lay. Days are those of the
    calendar, counted from the day after it was due.
    """
    step = levels.get(one.level + 1)
    if step is None or (today - one.due_on).days < step.days_overdue or one.open_minor < step.min_minor:
        return one.level
    if one.last_on is not None and (today - one.last_on).days < interval_days:
        return one.level
    return step.level


class PromiseState(StrEnum):
    """What became of a promise: derived from receipts, never entered."""

    OPEN = "open"
    KEPT = "kept"
    BROKEN = "broken"


def promise_state(amount_minor: int, came_minor: int, promised_on: date, today: date) -> PromiseState:
    """Kept as soon as so much has come; broken when its day is over and it has not."""
    if came_minor >= amount_minor:
        return PromiseState.KEPT
    return PromiseState.OPEN if today <= promised_on else PromiseState.BROKEN

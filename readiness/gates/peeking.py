"""How often must a pass be seen before it counts: looking every day until it is green once would prove nothing.

A cell exactly at its mark crosses it by luck now and then: with one look a day over four weeks, one in seven does.
Five site days in a row over four weeks, or seven over eight, keep that to a few in a hundred (simulated in the tests
with independent documents and windows of two weeks: 2 to 4 and 2 to 5 %, by mark and volume). A gate that is open
longer names m dates at its freeze and asks each for a level of 1 − 5 %/m (Bonferroni).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from readiness.measures.intervals import LEVEL

ERROR: Final = 0.05


@dataclass(frozen=True, slots=True)
class HoldRule:
    """``needed`` counted evaluations in a row, each at ``level``; on ``dates`` alone where these were fixed."""

    needed: int
    level: float
    opened: date
    dates: tuple[date, ...] = ()


@dataclass(frozen=True, slots=True)
class Counted:
    """The counted evaluation of a site day, the first of that day: did it meet the pass mark?"""

    day: date
    met: bool


def hold_rule(opened: date, decides: date, dates: Collection[date] = ()) -> HoldRule:
    """The rule of a gate opened (frozen) and to be decided on these site days.

    Fixed ``dates`` always make their own rule. Without, k = 5 up to 28 days and 7 up to 56. ValueError for a longer
    gate without dates, dates outside the gate's time, or a decision before the opening.
    """
    if decides < opened:
        raise ValueError("a gate cannot be decided before it opens")
    if dates:
        fixed = tuple(sorted(set(dates)))
        if fixed[0] < opened or fixed[-1] > decides:
            raise ValueError("a fixed date lies outside the time the gate is open")
        return HoldRule(1, 1.0 - ERROR / len(fixed), opened, fixed)
    days = (decides - opened).days
    if days <= 28:
        return HoldRule(5, LEVEL, opened)
    if days <= 56:
        return HoldRule(7, LEVEL, opened)
    raise ValueError("a gate open for more than eight weeks needs dates fixed at its freeze")


def held(
    history: Sequence[Counted], rule: HoldRule, today: date, met_now: bool, closed_days: Collection[date] = ()
) -> int:
    """How many counted evaluations in a row met the mark, up to today.

    One evaluation counts per site day, the first; today's counts now if it was not counted yet. A day without an
    evaluation ends the row, so that nobody gains by not looking on a bad day; days on which the site is closed are
    passed over unless one was counted. With fixed dates only these count. ValueError for two evaluations of a day.
    """
    by_day = {entry.day: entry.met for entry in history}
    if len(by_day) != len(history):
        raise ValueError("one counted evaluation per site day")
    by_day.setdefault(today, met_now)
    row, day = 0, today
    while day >= rule.opened:
        expected = day in rule.dates if rule.dates else day in by_day or day not in closed_days
        if expected:
            if not by_day.get(day, False):
                return row
            row += 1
        day -= timedelta(days=1)
    return row

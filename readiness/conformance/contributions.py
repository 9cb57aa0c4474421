"""What a journey adds to the buckets of conformance: a pure function of the journey, its steps and its departures.

The consumer adds f(after) − f(before), so that a late event, a correction and a rebuild leave the same buckets. A journey that
has not ended counts as not conforming on the day it is overdue, which is known from its first step: no clock is asked.
"""

from __future__ import annotations

from collections import Counter, defaultdict

from readiness.conformance.journeys import Course, Standing
from readiness.measures import catalogue as c
from readiness.measures.deltas import Deltas

#: The class of a journey that did not end in time, beside those of ``Standing``.
OVERDUE = "overdue"


def contribute(out: Deltas, sign: int, course: Course, slice_id: int) -> None:
    """Add the journey to ``out`` (sign +1) or take it away (−1)."""
    one = course.journey
    if not course.steps or one.due_on is None:
        return
    day = (one.ended_on or one.due_on).toordinal()
    standing = one.standing if one.ended_on is not None else OVERDUE
    on_path = int(standing in (Standing.CONFORMING, Standing.COVERED))
    out.add((c.CONFORMANCE, slice_id, day, "", 0), sign, on_path, 1)
    out.add((c.CONFORMANCE, slice_id, day, standing, 0), sign, 1, 1)
    _steps(out, sign, course, slice_id)
    if one.stamped_on is not None:
        day = one.stamped_on.toordinal()
        out.add((c.OFF_STANDARD_SHARE, slice_id, day, "", 0), sign, 1 if one.variants else 0, 1)
        out.add((c.VARIANT_EXPIRED_IN_USE, slice_id, day, "", 0), sign, int(one.is_expired), 1)
        for point in one.points.split(",") if one.points else ():
            out.add((c.OFF_STANDARD_SHARE, slice_id, day, point[:64], 0), sign, 1, 1)


def _steps(out: Deltas, sign: int, course: Course, slice_id: int) -> None:
    """The steps of each day, and which of them depart with nothing that covers it; one step may depart from several rules."""
    executed = Counter(step.day for step in course.steps)
    bare: dict[int, set[int]] = {}
    by_code: dict[tuple[int, str], set[int]] = {}
    if course.journey.off:
        bare, by_code = defaultdict(set), defaultdict(set)
        for one in course.deviations:
            if one.is_step and one.covered_by is None:
                day = one.occurred_on.toordinal()
                bare[day].add(one.seq)
                by_code[day, one.code].add(one.seq)
    for day, count in executed.items():
        off = len(bare[day]) if bare and day in bare else 0
        out.add((c.UNREGISTERED_DEVIATION_SHARE, slice_id, day, "", 0), sign, off, count)
    for (day, code), steps in by_code.items():
        out.add((c.UNREGISTERED_DEVIATION_SHARE, slice_id, day, code, 0), sign, len(steps), len(steps))

"""Courses of journeys in and out of the database, a batch at a time; buckets and slices go the way of all measures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from msgspec.structs import astuple

from readiness.conformance.journeys import Course, Deviation, Journey
from readiness.conformance.models import ConformanceRow, DeviationRow
from readiness.measures.store import Store, know


def _columns(model: Any) -> tuple[str, ...]:
    return tuple(column.name for column in model.__table__.columns)


JOURNEY, DEVIATION = _columns(ConformanceRow), _columns(DeviationRow)
if Journey.__struct_fields__ != JOURNEY or Deviation.__struct_fields__ != DEVIATION:
    raise ValueError("journeys and deviations do not stand in the order of their columns")
know(ConformanceRow, DeviationRow)


class CourseRows(NamedTuple):
    """Rows ready to be written; ``old``: roots that had a row, ``gone``: roots that had departures."""

    journeys: Sequence[Sequence[Any]]
    deviations: Sequence[Sequence[Any]]
    old: Sequence[tuple[int]]
    gone: Sequence[tuple[int]]


class ConformanceStore(Store):
    """One batch's access to the projection."""

    def courses(self, roots: Iterable[int]) -> dict[int, Course]:
        """What is known of these journeys; one nobody has seen is absent."""
        wanted = sorted(set(roots))
        journeys = [Journey(*row) for row in self._by_root(ConformanceRow, JOURNEY, "root_id", wanted)]
        known = [one.root_id for one in journeys]
        deviations: dict[int, list[Deviation]] = defaultdict(list)
        for row in self._by_root(DeviationRow, DEVIATION, "root_id", known):
            deviations[row[0]].append(_deviation(row))
        return {one.root_id: Course(_journey(one), deviations.get(one.root_id, ())) for one in journeys}

    def roots_after(self, last: int, count: int) -> list[int]:
        """The next journeys by their id."""
        sql = f"SELECT root_id FROM conformance_journey WHERE root_id > {self.mark} ORDER BY root_id LIMIT {count:d}"
        return [row[0] for row in self._rows(sql, (last,))]

    def course_rows(self, courses: Iterable[Course], known: Mapping[int, bool]) -> CourseRows:
        """The courses as they are stored. ``known``: the roots that had a row before, and whether they had departures."""
        journeys, deviations = [], []
        for course in courses:
            journeys.append(astuple(course.journey))
            deviations += [astuple(one) for one in course.deviations]
        return CourseRows(
            self._stored(journeys, ConformanceRow), self._stored(deviations, DeviationRow),
            [(row[0],) for row in journeys if row[0] in known], [(root,) for root, had in known.items() if had],
        )  # fmt: skip

    def save_courses(self, rows: CourseRows) -> None:
        """Write what ``course_rows`` made."""
        self._delete("conformance_deviation", ("root_id",), rows.gone)
        self._replace("conformance_journey", JOURNEY, rows.journeys, ("root_id",), rows.old)
        self._insert("conformance_deviation", DEVIATION, rows.deviations)


def _journey(one: Journey) -> Journey:
    # SQLite keeps truth as a number.
    one.is_expired = bool(one.is_expired)
    return one


def _deviation(row: Sequence[Any]) -> Deviation:
    one = Deviation(*row)
    one.is_step, one.is_due = bool(one.is_step), bool(one.is_due)
    return one

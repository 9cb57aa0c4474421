"""Sums of buckets for many figures at once: one statement per table, however many figures are asked for."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, text

from erpcore.kernel.model import UtcDateTime
from readiness.measures.intervals import Sums
from readiness.measures.models import WaitRow


class Dimensions(StrEnum):
    """Which values of a measure's own dimension are read: each apart, the whole alone, or all of the main figure as one."""

    APART = ""
    WHOLE = " AND dimension = ''"
    MAIN = " AND REPLACE(dimension, '/', '') = dimension"


@dataclass(frozen=True)
class Span:
    """Bucket rows of one measure: these slices, periods in [start, end), one group or all.

    Without ``by_slice`` the slices are added up, and the first of them stands for all.
    """

    tag: int
    measure_id: int
    slices: tuple[int, ...]
    start: int
    end: int
    group: int | None = None
    by_slice: bool = False
    dimensions: Dimensions = Dimensions.APART

    def where(self) -> str:
        """The condition; only integers of our own are written into it."""
        group = "" if self.group is None else f" AND customer_group = {self.group:d}"
        ids = ", ".join(f"{one:d}" for one in self.slices)
        return (
            f"measure_id = {self.measure_id:d} AND slice_id IN ({ids}) AND period >= {self.start:d} "
            f"AND period < {self.end:d}{group}{self.dimensions}"
        )


class Row(NamedTuple):
    """Sums of one period, dimension and, where asked, slice."""

    period: int
    dimension: str
    slice_id: int
    sums: Sums
    samples: int


#: Statements of SQLite have at most 500 parts.
_PARTS = 400


def _run(connection: Connection, selects: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """The driver's own rows: a page reads thousands of them, and wrapping each would cost more than reading it."""
    for start in range(0, len(selects), _PARTS):
        statement = " UNION ALL ".join(selects[start : start + _PARTS])
        # Rows that are streamed are partly taken from the driver already.
        with connection.exec_driver_sql(statement, execution_options={"stream_results": False}) as result:
            yield from result.cursor.fetchall()


def bucket_rows(connection: Connection, spans: Sequence[Span]) -> dict[int, list[Row]]:
    """Rows by tag. PostgreSQL sums 64-bit columns to decimals; here they are integers again.

    Windows of one question that overlap, as those of a trend do, are read as one stretch and shared out by their periods.
    """
    found: dict[int, list[Row]] = defaultdict(list)
    stretches = _stretches([span for span in spans if span.slices])
    selects = []
    for number, (whole, _) in enumerate(stretches):
        apart = whole.dimensions is Dimensions.APART
        one = "slice_id" if whole.by_slice else f"{whole.slices[0]:d} AS slice_id"
        named = "dimension" if apart else "'' AS dimension"
        grouped = ", ".join(["period", *["dimension"] * apart, *["slice_id"] * whole.by_slice])
        selects.append(
            f"SELECT {number:d} AS tag, period, {named}, {one}, SUM(documents), SUM(x), SUM(y), "
            f"SUM(xx), SUM(xy), SUM(yy), SUM(samples) FROM measure_bucket WHERE {whole.where()} GROUP BY {grouped}"
        )
    read: dict[int, list[Row]] = defaultdict(list)
    exact = connection.dialect.name == "sqlite"
    for row in _run(connection, selects):
        sums = Sums._make(row[4:10] if exact else map(int, row[4:10]))
        read[row[0]].append(Row(row[1], row[2], row[3], sums, int(row[10])))
    for number, rows in read.items():
        rows.sort()
        periods = [row.period for row in rows]
        for span in stretches[number][1]:
            part = rows[bisect_left(periods, span.start) : bisect_left(periods, span.end)]
            if part:
                found[span.tag] += part
    return found


def _stretches(spans: Sequence[Span]) -> list[tuple[Span, list[Span]]]:
    """Spans that ask the same of overlapping periods, each group with one span that covers them."""
    alike: dict[tuple[Any, ...], list[Span]] = defaultdict(list)
    for span in spans:
        alike[span.measure_id, span.slices, span.group, span.by_slice, span.dimensions].append(span)
    out: list[tuple[Span, list[Span]]] = []
    for same in alike.values():
        same.sort(key=lambda span: (span.start, span.end))
        covering, members = same[0], [same[0]]
        for span in same[1:]:
            if span.start <= covering.end:
                covering = replace(covering, end=max(covering.end, span.end))
                members.append(span)
            else:
                out.append((covering, members))
                covering, members = span, [span]
        out.append((covering, members))
    return out


def sketch_bins(connection: Connection, spans: Sequence[Span]) -> dict[int, dict[str, list[tuple[int, int]]]]:
    """(bin, count) by tag and dimension."""
    found: dict[int, dict[str, list[tuple[int, int]]]] = defaultdict(lambda: defaultdict(list))
    tags = _alike(spans)
    selects = [
        f"SELECT {same[0]:d} AS tag, dimension, bin, SUM(count) FROM measure_sketch WHERE {where} GROUP BY dimension, bin"
        for where, same in tags.items()
    ]
    for tag, dimension, number, count in _run(connection, selects):
        if count:
            found[tag][dimension].append((number, int(count)))
    for first, *others in tags.values():
        for tag in others:
            for dimension, bins in found[first].items():
                found[tag][dimension] += bins
    return found


def _alike(spans: Sequence[Span]) -> dict[str, list[int]]:
    """The tags that ask for the same rows, as the statistics of one measure do: these are read once."""
    tags: dict[str, list[int]] = {}
    for span in spans:
        if span.slices:
            tags.setdefault(span.where(), []).append(span.tag)
    return tags


def actor_counts(connection: Connection, spans: Sequence[Span]) -> dict[int, int]:
    """How many distinct people, by tag."""
    selects = [
        f"SELECT {span.tag:d} AS tag, COUNT(*) FROM (SELECT actor FROM measure_actor WHERE {span.where()} "
        "GROUP BY actor HAVING SUM(count) > 0) AS people"
        for span in spans
        if span.slices
    ]
    return {tag: int(count) for tag, count in _run(connection, selects)}


def has_earlier(connection: Connection, spans: Sequence[Span]) -> set[int]:
    """Tags that have any bucket in their periods."""
    selects = [
        f"SELECT {span.tag:d} AS tag WHERE EXISTS (SELECT 1 FROM measure_bucket WHERE {span.where()})"
        for span in spans
        if span.slices
    ]
    return {row[0] for row in _run(connection, selects)}


@dataclass(frozen=True)
class Open:
    """Documents still open at a point whose cohort day lies in [first, last)."""

    tag: int
    point: str
    slices: tuple[int, ...]
    first: date
    last: date
    group: int | None = None


class Since(NamedTuple):
    """A document still open, and when its clock began."""

    dimension: str
    slice_id: int
    start: datetime


def open_since(connection: Connection, asked: Sequence[Open]) -> dict[int, list[Since]]:
    """Documents still open, by tag. What several ask of one point is read once."""
    alike: dict[tuple[str, tuple[int, ...], int | None], list[Open]] = defaultdict(list)
    for one in asked:
        if one.slices:
            alike[one.point, one.slices, one.group].append(one)
    found: dict[int, list[Since]] = defaultdict(list)
    groups = list(alike.values())
    for start in range(0, len(groups), _PARTS):
        part = groups[start : start + _PARTS]
        selects: list[str] = []
        values: dict[str, Any] = {}
        types = []
        for number, same in enumerate(part):
            ids = ", ".join(f"{one:d}" for one in same[0].slices)
            condition = "" if same[0].group is None else f" AND customer_group = {same[0].group:d}"
            selects.append(
                f"SELECT {number:d} AS number, dimension, slice_id, cohort_at, cohort_on FROM journey_wait WHERE point = :point{number} "
                f"AND slice_id IN ({ids}) AND cohort_on >= :first{number} AND cohort_on < :last{number}{condition}"
            )
            values |= {
                f"point{number}": same[0].point, f"first{number}": min(one.first for one in same),
                f"last{number}": max(one.last for one in same),
            }  # fmt: skip
            types += [bindparam(f"{name}{number}", type_=_DAY) for name in ("first", "last")]
        query = text(" UNION ALL ".join(selects)).bindparams(*types)
        for row in connection.execute(query.columns(cohort_at=UtcDateTime(), cohort_on=_DAY), values):
            for one in part[row.number]:
                if one.first <= row.cohort_on < one.last:
                    found[one.tag].append(Since(row.dimension, row.slice_id, row.cohort_at))
    return found


_DAY = WaitRow.__table__.c.cohort_on.type

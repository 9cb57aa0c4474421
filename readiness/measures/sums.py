"""Sums of buckets for many figures at once: one statement per table, however many figures are asked for."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, bindparam, text

from erpcore.kernel.model import UtcDateTime
from readiness.measures.intervals import Sums
from readiness.measures.models import WaitRow


@dataclass(frozen=True)
class Span:
    """Bucket rows of one measure: these slices, periods in [start, end), one group or all."""

    tag: int
    measure_id: int
    slices: tuple[int, ...]
    start: int
    end: int
    group: int | None = None
    by_slice: bool = False

    def where(self) -> str:
        """The condition; only integers of our own are written into it."""
        group = "" if self.group is None else f" AND customer_group = {self.group:d}"
        ids = ", ".join(f"{one:d}" for one in self.slices)
        return (
            f"measure_id = {self.measure_id:d} AND slice_id IN ({ids}) AND period >= {self.start:d} "
            f"AND period < {self.end:d}{group}"
        )


@dataclass(frozen=True)
class Row:
    """Sums of one period, dimension and, where asked, slice."""

    period: int
    dimension: str
    slice_id: int
    sums: Sums
    samples: int


@dataclass
class Found:
    """What was found for one tag."""

    rows: list[Row] = field(default_factory=list)
    bins: dict[str, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))
    actors: int = 0


#: Statements of SQLite have at most 500 parts.
_PARTS = 400


def _run(connection: Connection, selects: Sequence[str]) -> Iterable[Sequence[int]]:
    for start in range(0, len(selects), _PARTS):
        yield from connection.exec_driver_sql(" UNION ALL ".join(selects[start : start + _PARTS])).fetchall()


def bucket_rows(connection: Connection, spans: Sequence[Span]) -> dict[int, list[Row]]:
    """Rows by tag. PostgreSQL sums 64-bit columns to decimals; here they are integers again.

    Windows of one question that overlap, as those of a trend do, are read as one stretch and shared out by their periods.
    """
    found: dict[int, list[Row]] = defaultdict(list)
    stretches = _stretches([span for span in spans if span.slices])
    selects = []
    for number, (whole, _) in enumerate(stretches):
        one = "slice_id" if whole.by_slice else "0"
        grouped = "period, dimension" + (", slice_id" if whole.by_slice else "")
        selects.append(
            f"SELECT {number:d} AS tag, period, dimension, {one} AS slice_id, SUM(documents), SUM(x), SUM(y), SUM(xx), "
            f"SUM(xy), SUM(yy), SUM(samples) FROM measure_bucket WHERE {whole.where()} GROUP BY {grouped}"
        )
    read: dict[int, list[Row]] = defaultdict(list)
    for number, period, dimension, slice_id, n, x, y, xx, xy, yy, samples in _run(connection, selects):
        sums = Sums(int(n), int(x), int(y), int(xx), int(xy), int(yy))
        read[number].append(Row(period, str(dimension), slice_id, sums, int(samples)))
    for number, rows in read.items():
        rows.sort(key=lambda row: (row.period, row.dimension, row.slice_id))
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
        alike[span.measure_id, span.slices, span.group, span.by_slice].append(span)
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
    selects = [
        f"SELECT {span.tag:d} AS tag, dimension, bin, SUM(count) FROM measure_sketch WHERE {span.where()} GROUP BY dimension, bin"
        for span in spans
        if span.slices
    ]
    for tag, dimension, number, count in _run(connection, selects):
        if count:
            found[tag][str(dimension)].append((number, int(count)))
    return found


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


def open_since(
    connection: Connection, asked: Sequence[tuple[int, str, Sequence[int], date, date, int | None]]
) -> dict[int, list[tuple[str, datetime]]]:
    """(dimension, start of its clock) of documents still open, by tag; asked for as tag, point, slices, days, group."""
    found: dict[int, list[tuple[str, datetime]]] = defaultdict(list)
    wanted = [one for one in asked if one[2]]
    for start in range(0, len(wanted), _PARTS):
        part = wanted[start : start + _PARTS]
        selects: list[str] = []
        values: dict[str, Any] = {}
        types = []
        for number, (tag, point, slices, first, last, group) in enumerate(part):
            ids = ", ".join(f"{one:d}" for one in slices)
            condition = "" if group is None else f" AND customer_group = {group:d}"
            selects.append(
                f"SELECT {tag:d} AS tag, dimension, cohort_at FROM journey_wait WHERE point = :point{number} "
                f"AND slice_id IN ({ids}) AND cohort_on >= :first{number} AND cohort_on < :last{number}{condition}"
            )
            values |= {f"point{number}": point, f"first{number}": first, f"last{number}": last}
            types += [bindparam(f"{name}{number}", type_=_DAY) for name in ("first", "last")]
        query = text(" UNION ALL ".join(selects)).bindparams(*types)
        for row in connection.execute(query.columns(cohort_at=UtcDateTime()), values):
            found[row.tag].append((row.dimension, row.cohort_at))
    return found


_DAY = WaitRow.__table__.c.cohort_on.type

"""Journeys and buckets in and out of the database, a batch at a time, by the driver's own statements.

Works on the product's database and on the scratch file of a rebuild alike: it needs a driver connection and where new ids
come from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from msgspec.structs import astuple
from sqlalchemy import Table

from readiness.measures.catalogue import INTERNAL, MEASURES
from readiness.measures.deltas import Deltas, SliceKey
from readiness.measures.journeys import (
    Family,
    Journey,
    Line,
    moves_from_text,
    moves_to_text,
    substitutes_from_text,
)
from readiness.measures.models import (
    ActorRow,
    BucketRow,
    CalendarRow,
    ControlResultRow,
    JourneyLineRow,
    JourneyRow,
    MeasureRow,
    SketchRow,
    SliceRow,
    WaitRow,
)
from readiness.measures.ports import Told
from readiness.measures.sqlite_texts import DayTexts, day_of, day_text, instant_of, text_of, typed_row
from readiness.measures.waits import Wait
from readiness.measures.worked import told_calendar

_CHUNK = 5_000


def _columns(model: Any) -> tuple[str, ...]:
    return tuple(column.name for column in model.__table__.columns)


JOURNEY, LINE, WAIT = _columns(JourneyRow), _columns(JourneyLineRow), _columns(WaitRow)
SLICE, BUCKET, SKETCH = _columns(SliceRow), _columns(BucketRow), _columns(SketchRow)
ACTOR, CONTROL, MEASURE = _columns(ActorRow), _columns(ControlResultRow), _columns(MeasureRow)
CALENDAR = _columns(CalendarRow)

if Journey.__struct_fields__ != JOURNEY or Line.__struct_fields__ != LINE:
    raise ValueError("journeys and lines do not stand in the order of their columns")
_LINE_SHIPMENTS, _LINE_DELIVERIES = LINE.index("shipments"), LINE.index("deliveries")
_LINE_SUBSTITUTES, _LINE_BACKORDERED = LINE.index("substitutes"), LINE.index("backordered_at")
_SLICE_ID = WAIT.index("slice_id")


def _typed(model: Any, kind: str) -> tuple[int, ...]:
    columns: Table = model.__table__
    return tuple(i for i, column in enumerate(columns.columns) if type(column.type).__name__ == kind)


_DATED = (JourneyRow, JourneyLineRow, WaitRow, ControlResultRow, CalendarRow)
_INSTANTS: dict[Any, tuple[int, ...]] = {}
_DAYS: dict[Any, tuple[int, ...]] = {}


def know(*models: Any) -> None:
    """Note where rows of these models have instants and days, so that a store can write and read them."""
    for model in models:
        _INSTANTS[model], _DAYS[model] = _typed(model, "UtcDateTime"), _typed(model, "Date")


know(*_DATED)


class FamilyRows(NamedTuple):
    """Rows of journeys and lines ready to be written, the keys that go, and the keys that are written anew."""

    journeys: Sequence[Sequence[Any]]
    lines: Sequence[Sequence[Any]]
    gone: Sequence[tuple[int, int]]
    old: Sequence[tuple[int, int]]
    old_lines: Sequence[tuple[int, int]]


class Store:
    """One batch's access to the projection. ``new_ids`` gives ids for slices that did not exist; reading needs none."""

    def __init__(self, driver: Any, *, is_sqlite: bool, new_ids: Callable[[int], Iterator[int]] | None = None) -> None:
        self.driver = driver
        self.is_sqlite = is_sqlite
        self._new_ids = new_ids
        self.mark = "?" if is_sqlite else "%s"
        self._slices: dict[SliceKey, int] | None = None
        self._unsaved: list[SliceKey] = []
        self._day_texts = DayTexts()

    # -- reading ------------------------------------------------------------------------------------------------

    def families(self, roots: Iterable[int]) -> dict[int, Family]:
        """What is known of these root documents; one nobody has seen is absent."""
        wanted = sorted(set(roots))
        found: dict[int, Family] = {}
        invoices: list[Journey] = []
        for row in self._by_root(JourneyRow, JOURNEY, "root_id", wanted):
            journey = Journey(*row)
            if journey.id == journey.root_id:
                found[journey.id] = Family(journey)
            else:
                invoices.append(journey)
        for invoice in invoices:
            found[invoice.root_id].invoices[invoice.id] = invoice
        for row in self._by_root(JourneyLineRow, LINE, "journey_id", list(found)):
            line = Line(*row)
            found[line.journey_id].lines[line.line] = line
        return found

    def _by_root(self, model: Any, columns: tuple[str, ...], key: str, roots: Sequence[int]) -> Iterator[Sequence[Any]]:
        names = ", ".join(columns)
        instants, days = _INSTANTS[model], _DAYS[model]
        for start in range(0, len(roots), _CHUNK):
            part = roots[start : start + _CHUNK]
            cursor = self.driver.cursor()
            if self.is_sqlite:
                marks = ", ".join("?" * len(part))
                cursor.execute(f"SELECT {names} FROM {model.__tablename__} WHERE {key} IN ({marks})", part)
            else:
                cursor.execute(f"SELECT {names} FROM {model.__tablename__} WHERE {key} = ANY(%s)", (list(part),))
            rows = cursor.fetchall()
            cursor.close()
            for row in rows:
                yield self._loaded(row, instants, days, model)

    def _loaded(
        self, row: Sequence[Any], instants: tuple[int, ...], days: tuple[int, ...], model: Any
    ) -> Sequence[Any]:
        values = list(row)
        if self.is_sqlite:
            for i in instants:
                if values[i] is not None:
                    values[i] = instant_of(values[i])
            for i in days:
                if values[i] is not None:
                    values[i] = day_of(values[i])
        if model is JourneyLineRow:
            for i in (_LINE_SHIPMENTS, _LINE_DELIVERIES):
                if values[i] is not None:
                    values[i] = moves_from_text(values[i])
            if values[_LINE_SUBSTITUTES] is not None:
                values[_LINE_SUBSTITUTES] = substitutes_from_text(values[_LINE_SUBSTITUTES])
        return values

    def waits(self, roots: Sequence[int]) -> dict[int, list[tuple[Any, ...]]]:
        """The wait rows of these roots, by root."""
        found: dict[int, list[tuple[Any, ...]]] = {}
        for row in self._by_root(WaitRow, WAIT, "root_id", roots):
            found.setdefault(row[0], []).append(tuple(row))
        return found

    def calendars(self) -> list[tuple[int, Told]]:
        """Every calendar that was told, as (site, calendar)."""
        rows = self._rows(f"SELECT {', '.join(CALENDAR)} FROM measure_calendar")
        days = _DAYS[CalendarRow]
        return [told_calendar(tuple(self._loaded(row, (), days, CalendarRow))) for row in rows]

    def shipped_after(self, site: int, seq: int) -> list[int]:
        """The site's orders whose last shipment was told after this place in the log."""
        sql = f"SELECT root_id FROM journey WHERE site = {self.mark} AND kind = 'order' AND calendar_seq > {self.mark}"
        return [row[0] for row in self._rows(sql, (site, seq))]

    def _rows(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        cursor = self.driver.cursor()
        cursor.execute(sql, values)
        rows: list[Any] = cursor.fetchall()
        cursor.close()
        return rows

    def slice_number(self, key: SliceKey) -> int:
        """The id of a combination of dimensions; a negative number for one that is not written yet."""
        if self._slices is None:
            self._slices = self._known_slices()
        found = self._slices.get(key)
        if found is None:
            self._unsaved.append(key)
            found = self._slices[key] = -len(self._unsaved)
        return found

    def new_slices(self) -> list[SliceKey]:
        """The combinations that were asked for and are not written yet: the first is number −1, the next −2."""
        return list(self._unsaved)

    def _known_slices(self) -> dict[SliceKey, int]:
        return {SliceKey(*row[1:]): row[0] for row in self._rows(f"SELECT {', '.join(SLICE)} FROM measure_slice")}

    # -- writing ------------------------------------------------------------------------------------------------

    def slice_id(self, key: SliceKey) -> int:
        """The id of a combination of dimensions; a new one is kept."""
        found = self.slice_number(key)
        return found if found > 0 else self.save_slices([key])[-1]

    def save_slices(self, keys: Sequence[SliceKey]) -> dict[int, int]:
        """Keep new combinations; returns their ids by the numbers −1, −2 … in the order given.

        What somebody else has kept since it was looked up (a sampler does) is not kept twice.
        """
        known = self._known_slices()
        missing = [key for key in keys if key not in known]
        if missing and self._new_ids is None:
            raise ValueError("a store that only reads cannot keep a slice")
        if missing and self._new_ids is not None:
            known |= dict(zip(missing, self._new_ids(len(missing)), strict=True))
            self._insert("measure_slice", SLICE, [(known[key], *key) for key in missing])
        self._slices, self._unsaved = known, []
        return {-number: known[key] for number, key in enumerate(keys, 1)}

    def family_rows(self, families: Sequence[Family], known: set[int]) -> FamilyRows:
        """Roots, invoices and the changed lines as they are stored. ``known``: the roots that had rows before."""
        journeys, lines = [], []
        for family in families:
            journeys.append(astuple(family.root))
            journeys += [astuple(invoice) for invoice in family.invoices.values()]
            lines += [self._line_row(family.lines[number]) for number in family.changed_lines]
        return FamilyRows(
            self._stored(journeys, JourneyRow), lines,
            [(family.root.id, old) for family in families for old in family.gone],
            [(row[0], row[1]) for row in journeys if row[0] in known],
            [(row[0], row[1]) for row in lines if row[0] in known],
        )  # fmt: skip

    def _line_row(self, line: Line) -> list[Any]:
        """A line as it is stored: one pass, since a batch has tens of thousands."""
        row = list(astuple(line))
        if line.shipments is not None:
            row[_LINE_SHIPMENTS] = moves_to_text(line.shipments).decode()
        if line.deliveries is not None:
            row[_LINE_DELIVERIES] = moves_to_text(line.deliveries).decode()
        if line.substitutes is not None:
            row[_LINE_SUBSTITUTES] = moves_to_text(line.substitutes).decode()
        if self.is_sqlite:
            if line.backordered_at is not None:
                row[_LINE_BACKORDERED] = text_of(line.backordered_at)
            days = self._day_texts
            for i in _LINE_DAYS:
                row[i] = days[row[i]]
        return row

    def save_families(self, rows: FamilyRows) -> None:
        """Write what ``family_rows`` made."""
        self._delete("journey", ("root_id", "id"), rows.gone)
        self._replace("journey", JOURNEY, rows.journeys, ("root_id", "id"), rows.old)
        self._replace("journey_line", LINE, rows.lines, ("journey_id", "line"), rows.old_lines)

    def save_waits(self, gone: Sequence[int], rows: Sequence[Wait], slices: Mapping[int, int]) -> None:
        """Replace the wait rows of the roots in ``gone`` by ``rows``; ``slices`` by root."""
        self._delete("journey_wait", ("root_id",), [(root,) for root in gone])
        values = [(*row[:3], slices[row[0]], *row[3:]) for row in rows]
        self._insert("journey_wait", WAIT, self._stored(values, WaitRow))

    def add(self, deltas: Deltas) -> None:
        """Add signed changes to buckets, sketches and actor counts."""
        buckets = [(*key, *row, 0) for key, row in deltas.buckets.items() if any(row)]
        self.add_buckets(buckets)
        self.add_sketches(deltas.sketches)
        self._upsert("measure_actor", ACTOR, 4, [(*key, n) for key, n in deltas.actors.items() if n])

    def add_buckets(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """Add rows in the order of ``BUCKET``; equal keys add up in the database."""
        self._upsert("measure_bucket", BUCKET, 5, rows)

    def add_sketches(self, counts: Mapping[tuple[int, int, int, str, int, int], int]) -> None:
        """Add times to bins; the key is that of ``SKETCH`` without its count."""
        self._upsert("measure_sketch", SKETCH, 6, [(*key, n) for key, n in counts.items() if n])

    def save_control_results(self, rows: Iterable[tuple[Any, ...]]) -> None:
        """Keep the last comparison of each control; an older one that arrives late is passed over."""
        keys, rest = CONTROL[:4], CONTROL[4:]
        changes = ", ".join(f"{name} = excluded.{name}" for name in rest)
        sql = (
            f"INSERT INTO control_result ({', '.join(CONTROL)}) VALUES ({', '.join([self.mark] * len(CONTROL))}) "
            f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {changes} WHERE excluded.seq > control_result.seq"
        )
        self._many(sql, self._stored(list(rows), ControlResultRow))

    def save_calendars(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """Keep sites' calendars in the order of ``CALENDAR``."""
        self._insert("measure_calendar", CALENDAR, self._stored(rows, CalendarRow))

    def ensure_catalogue(self) -> None:
        """The numbers of all measures stand in the database, so that it explains itself."""
        rows = [(m.id, m.key, m.version) for m in MEASURES.values()] + [(i, key, 1) for i, key in INTERNAL.items()]
        sql = f"INSERT INTO measure (id, key, version) VALUES ({self.mark}, {self.mark}, {self.mark}) ON CONFLICT (id) DO NOTHING"
        self._many(sql, rows)

    def put(self, table: str, columns: tuple[str, ...], rows: Sequence[Sequence[Any]], model: Any) -> None:
        """Insert rows that come from a scratch file, where instants, days and booleans are as SQLite keeps them."""
        if not self.is_sqlite:
            booleans = _typed(model, "Boolean")
            instants, days = _INSTANTS.get(model, ()), _DAYS.get(model, ())
            rows = [typed_row(row, instants, days, booleans) for row in rows]
        self._insert(table, columns, rows)

    def _stored(self, rows: Sequence[Sequence[Any]], model: Any) -> Sequence[Sequence[Any]]:
        if not self.is_sqlite:
            return rows
        instants, days = _INSTANTS[model], _DAYS[model]
        out = []
        for row in rows:
            values = list(row)
            for i in instants:
                if values[i] is not None:
                    values[i] = text_of(values[i])
            for i in days:
                if values[i] is not None:
                    values[i] = day_text(values[i])
            out.append(values)
        return out

    def _replace(
        self,
        table: str,
        columns: tuple[str, ...],
        rows: Sequence[Sequence[Any]],
        key: tuple[str, ...],
        old: Sequence[Any],
    ) -> None:
        if self.is_sqlite:
            marks = ", ".join("?" * len(columns))
            self._many(f"INSERT OR REPLACE INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)
            return
        self._delete(table, key, old)
        self._insert(table, columns, rows)

    def _delete(self, table: str, key: tuple[str, ...], values: Sequence[tuple[int, ...]]) -> None:
        if not values:
            return
        if self.is_sqlite:
            where = " AND ".join(f"{name} = ?" for name in key)
            self._many(f"DELETE FROM {table} WHERE {where}", values)
            return
        arrays = ", ".join(["%s::bigint[]"] * len(key))
        match = " AND ".join(f"t.{name} = k.{name}" for name in key)
        with self.driver.cursor() as cursor:
            cursor.execute(
                f"DELETE FROM {table} t USING unnest({arrays}) AS k({', '.join(key)}) WHERE {match}",
                [list(column) for column in zip(*values, strict=True)],
            )

    def _insert(self, table: str, columns: tuple[str, ...], rows: Sequence[Sequence[Any]]) -> None:
        if not rows:
            return
        if self.is_sqlite:
            marks = ", ".join("?" * len(columns))
            self._many(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)
            return
        with self.driver.cursor() as cursor, cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)

    def _upsert(self, table: str, columns: tuple[str, ...], keys: int, rows: Sequence[tuple[Any, ...]]) -> None:
        """INSERT … ON CONFLICT … col = col + excluded.col, in the order of the key so that two writers cannot deadlock."""
        if not rows:
            return
        key, sums = columns[:keys], columns[keys:]
        changes = ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in sums)
        tail = f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET {changes}"
        head = f"INSERT INTO {table} ({', '.join(columns)})"
        ordered = sorted(rows)
        if self.is_sqlite:
            self._many(f"{head} VALUES ({', '.join('?' * len(columns))}) {tail}", ordered)
            return
        arrays = ", ".join("%s::text[]" if name == "dimension" else "%s::bigint[]" for name in columns)
        with self.driver.cursor() as cursor:
            sql = f"{head} SELECT * FROM unnest({arrays}) {tail}"
            cursor.execute(sql, [list(column) for column in zip(*ordered, strict=True)])

    def _many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        if not rows:
            return
        cursor = self.driver.cursor()
        cursor.executemany(sql, rows)
        cursor.close()


_LINE_DAYS = _DAYS[JourneyLineRow]

"""Are journeys and buckets what the events say? A second build beside the first, from nothing but the log, compared row by row.

The second build is a scratch SQLite file, whatever database the product runs on, so proving writes nothing there.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Self

from sqlalchemy import Connection, select, text, update
from sqlalchemy.dialects import sqlite
from sqlalchemy.orm import Session
from sqlalchemy.schema import CreateIndex, CreateTable

from erpcore.kernel.eventlog import LoggedEvent, newest_seq, read_events
from erpcore.kernel.events import ConsumerCursor, ParkedEvent
from erpcore.kernel.work import UnitOfWork
from readiness.measures.catalogue import INVOICE_ACCURACY, OF_CONFORMANCE, ORDER_EXCEPTION_RATE, SAMPLED
from readiness.measures.consumer import NAME, TYPES, take_events
from readiness.measures.models import (
    ActorRow,
    BucketRow,
    CalendarRow,
    ControlResultRow,
    JourneyLineRow,
    JourneyRow,
    SketchRow,
    SliceRow,
    WaitRow,
)
from readiness.measures.sqlite_texts import text_of
from readiness.measures.store import (
    ACTOR,
    BUCKET,
    CALENDAR,
    CONTROL,
    JOURNEY,
    LINE,
    SKETCH,
    SLICE,
    WAIT,
    Store,
)

#: Events per batch of a rebuild.
BATCH = 20_000
_SAMPLED = ", ".join(str(one) for one in sorted(SAMPLED | OF_CONFORMANCE))
_FLOWS = f"measure_id NOT IN ({_SAMPLED})"
#: Table, columns, key, and which rows a rebuild can know: samples of states are not in the events, zeros mean nothing.
_TABLES: tuple[tuple[Any, tuple[str, ...], int, str], ...] = (
    (JourneyRow, JOURNEY, 2, "1 = 1"),
    (JourneyLineRow, LINE, 2, "1 = 1"),
    (WaitRow, WAIT, 3, "1 = 1"),
    (BucketRow, BUCKET, 5, f"{_FLOWS} AND (documents <> 0 OR x <> 0 OR y <> 0 OR xx <> 0 OR xy <> 0 OR yy <> 0)"),
    (SketchRow, SKETCH, 6, f"{_FLOWS} AND count <> 0"),
    (ActorRow, ACTOR, 4, "count <> 0"),
    (ControlResultRow, CONTROL, 4, "1 = 1"),
    (CalendarRow, CALENDAR, 1, "1 = 1"),
)


@dataclass(frozen=True)
class Difference:
    """A table that is not what the events say; ``example`` is one key of it with both rows."""

    table: str
    rows: int
    rebuilt: int
    differing: int
    example: str | None


@dataclass(frozen=True)
class Comparison:
    """What a rebuild found. ``read_to`` is the cursor that both builds stand at."""

    read_to: int
    newest: int
    parked: int
    tables: tuple[Difference, ...]

    @property
    def agrees(self) -> bool:
        """No row differs and no event is parked: then the figures are what the events say."""
        return not self.parked and not any(table.differing for table in self.tables)


def compare_with_rebuild(session: Session, *, progress: Callable[[int, int], None] | None = None) -> Comparison:
    """Rebuild everything up to the cursor beside the database and compare each row; reads in one snapshot, writes nothing.

    ``progress`` is told how far the log has been read, as (seq, of).
    """
    connection = session.connection()
    with Scratch(connection) as scratch:
        read_to = cursor_of(connection)
        scratch.build(connection, read_to, parked_of(connection), progress)
        tables = tuple(scratch.compare(connection, *table) for table in _TABLES)
    return Comparison(read_to, newest_seq(connection), len(parked_of(connection)), tables)


@dataclass(frozen=True)
class Total:
    """One total of the projection beside the same counted in the log, up to the cursor."""

    name: str
    projected: int
    counted: int

    @property
    def difference(self) -> int:
        return self.projected - self.counted


#: Events of which each opens or moves exactly one counted thing, and how the projection counts it.
_TOTALS = (
    ("orders captured", "order.captured", "SELECT COUNT(*) FROM journey WHERE kind = 'order' AND opened_at IS NOT NULL"),
    ("returns requested", "return.requested", "SELECT COUNT(*) FROM journey WHERE kind = 'return' AND opened_at IS NOT NULL"),
    ("receipts", "cash.received", "SELECT COUNT(*) FROM journey WHERE kind = 'receipt' AND opened_at IS NOT NULL"),
    ("transfers shipped", "stock.transfer_shipped", "SELECT COUNT(*) FROM journey WHERE kind = 'transfer' AND opened_at IS NOT NULL"),
    ("goods arrived", "stock.arrived", "SELECT COUNT(*) FROM journey WHERE kind = 'arrival' AND opened_at IS NOT NULL"),
    ("invoices posted", "invoice.posted", "SELECT COUNT(*) FROM journey WHERE kind = 'invoice' AND invoiced_at IS NOT NULL"),
    ("shipments confirmed", "shipment.confirmed", "SELECT COALESCE(SUM(shipments), 0) FROM journey WHERE kind = 'order'"),
    (
        "stock adjustments", "stock.adjusted",
        "SELECT COUNT(*) FROM journey WHERE kind = 'adjustment' AND opened_at IS NOT NULL",
    ),
    (
        "orders in order_exception_rate", "order.captured",
        f"SELECT COALESCE(SUM(y), 0) FROM measure_bucket WHERE measure_id = {ORDER_EXCEPTION_RATE} AND dimension = ''",
    ),
    (
        "invoices in invoice_accuracy", "invoice.posted",
        f"SELECT COALESCE(SUM(y), 0) FROM measure_bucket WHERE measure_id = {INVOICE_ACCURACY}",
    ),
)  # fmt: skip


def compare_up_to_cursor(session: Session) -> list[Total]:
    """The projection's totals beside plain counts of the log up to the cursor, parked events left out of both. Quick."""
    connection = session.connection()
    read_to = cursor_of(connection)
    out = []
    for name, event, projected in _TOTALS:
        counted = connection.execute(
            text(
                "SELECT COUNT(*) FROM event_log WHERE type = :type AND seq <= :seq AND NOT EXISTS "
                "(SELECT 1 FROM parked_event WHERE consumer = :consumer AND parked_event.seq = event_log.seq)"
            ),
            {"type": event, "seq": read_to, "consumer": NAME},
        ).scalar_one()
        out.append(Total(name, int(connection.execute(text(projected)).scalar_one()), int(counted)))
    return out


def rebuild(work: UnitOfWork, *, progress: Callable[[int, int], None] | None = None) -> int:
    """Build journeys and flow buckets anew from the events up to the cursor and put them in place of the old ones.

    Built beside and swapped in this one transaction, which on SQLite keeps other writers out for as long; samples of states
    stay. Parked events stay parked. Returns the sequence number it was built up to.
    """
    connection = work.connection
    cursor = select(ConsumerCursor.seq).where(ConsumerCursor.name == NAME)
    work.session.execute(cursor.with_for_update(key_share=True)).one_or_none()
    with Scratch(connection) as scratch:
        read_to = cursor_of(connection)
        scratch.build(connection, read_to, parked_of(connection), progress)
        store = Store(work.driver, is_sqlite=connection.dialect.name == "sqlite", new_ids=work.ids.reserve)
        store.put("measure_slice", SLICE, scratch.new_slices(), SliceRow)
        for model, columns, _, condition in _TABLES:
            known = _FLOWS if model in {BucketRow, SketchRow} else "1 = 1"
            work.session.execute(text(f"DELETE FROM {model.__tablename__} WHERE {known}"))
            for rows in scratch.rows(model, columns, condition):
                store.put(model.__tablename__, columns, rows, model)
    changed = update(ConsumerCursor).where(ConsumerCursor.name == NAME).values(changes=ConsumerCursor.changes + 1)
    work.session.execute(changed)
    return read_to


def cursor_of(connection: Connection, consumer: str = NAME) -> int:
    """How far a consumer has read."""
    return int(connection.execute(select(ConsumerCursor.seq).where(ConsumerCursor.name == consumer)).scalar() or 0)


def parked_of(connection: Connection, consumer: str = NAME) -> set[int]:
    """The events that a consumer has not taken."""
    return set(connection.execute(select(ParkedEvent.seq).where(ParkedEvent.consumer == consumer)).scalars())


class Scratch:
    """A projection in a file of its own, with the slice numbers of the database it is compared with."""

    tables = _TABLES
    types = TYPES

    def __init__(self, connection: Connection) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="wavegate-rebuild-")
        self.driver = sqlite3.connect(Path(self._folder.name) / "rebuild.sqlite3", isolation_level=None)
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "temp_store = MEMORY", "cache_size = -65536"):
            self.driver.execute(f"PRAGMA {pragma}")
        models = [model for model, *_ in self.tables] + [SliceRow]
        for model in models:
            made_of: list[Any] = [CreateTable(model.__table__), *(CreateIndex(one) for one in model.__table__.indexes)]
            for made in made_of:
                self.driver.execute(str(made.compile(dialect=sqlite.dialect())))
        slices = [tuple(row) for row in connection.execute(select(SliceRow.__table__))]
        self._known = {row[0] for row in slices}
        self._next = max(self._known, default=0) + 1
        self.store = self.new_store()
        self.store.put("measure_slice", SLICE, slices, SliceRow)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.driver.close()
        self._folder.cleanup()

    def new_store(self) -> Store:
        """Access to the file."""
        return Store(self.driver, is_sqlite=True, new_ids=self.ids)

    def take(self, events: Sequence[LoggedEvent]) -> None:
        """Apply some events, in order."""
        take_events(self.store, events)

    def ids(self, count: int) -> Iterator[int]:
        """Numbers for slices that the database has none for."""
        first, self._next = self._next, self._next + count
        return iter(range(first, self._next))

    def build(
        self, connection: Connection, read_to: int, parked: set[int], progress: Callable[[int, int], None] | None
    ) -> None:
        """Apply the log up to ``read_to`` but for parked events, which the first build has not taken either."""
        for after in range(0, read_to, BATCH):
            up_to = min(read_to, after + BATCH)
            events = read_events(connection, self.types, after, up_to)
            self.driver.execute("BEGIN")
            self.take([event for event in events if event.seq not in parked] if parked else events)
            self.driver.execute("COMMIT")
            if progress is not None:
                progress(up_to, read_to)

    def new_slices(self) -> list[tuple[Any, ...]]:
        """Slices that the database had no number for."""
        rows = self.driver.execute(f"SELECT {', '.join(SLICE)} FROM measure_slice").fetchall()
        return [row for row in rows if row[0] not in self._known]

    def rows(self, model: Any, columns: Sequence[str], condition: str) -> Iterator[list[tuple[Any, ...]]]:
        """The rebuilt rows in portions, as SQLite keeps them."""
        cursor = self.driver.execute(f"SELECT {', '.join(columns)} FROM {model.__tablename__} WHERE {condition}")
        while rows := cursor.fetchmany(BATCH):
            yield rows

    def compare(
        self, connection: Connection, model: Any, columns: Sequence[str], key: int, condition: str
    ) -> Difference:
        """Both builds' rows by key. Both sides are read into memory a table at a time."""
        names = ", ".join(columns)
        query = f"SELECT {names} FROM {model.__tablename__} WHERE {condition}"
        mine = {row[:key]: row[key:] for row in self.driver.execute(query)}
        count = differing = 0
        example = None
        seen = 0
        for raw in connection.exec_driver_sql(query, execution_options={"stream_results": True}):
            row = tuple(_plain(value) for value in raw)
            count += 1
            other = mine.get(row[:key])
            seen += other is not None
            if other != row[key:]:
                differing += 1
                example = example or f"{row[:key]}: {row[key:]} in the database, {other} from the events"
        missing = len(mine) - seen
        if missing and example is None:
            known = {tuple(_plain(v) for v in raw[:key]) for raw in connection.exec_driver_sql(query)}
            lost = next(one for one in mine if one not in known)
            example = f"{lost}: absent in the database, {mine[lost]} from the events"
        return Difference(model.__tablename__, count, len(mine), differing + missing, example)


def _plain(value: Any) -> Any:
    """A value as the scratch file would give it back."""
    if isinstance(value, datetime):
        return text_of(value)
    if isinstance(value, date):
        return value.isoformat()
    return int(value) if isinstance(value, bool) else value

"""Is what was judged what the events say? A second build beside the first, compared row by row, or put in its place.

Also judges anew what was judged by other rules: from the steps that are kept, without reading the log again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, select, text, update
from sqlalchemy.orm import Session

from erpcore.kernel.eventlog import LoggedEvent, newest_seq
from erpcore.kernel.events import ConsumerCursor
from erpcore.kernel.work import UnitOfWork
from readiness.conformance.activities import TYPES
from readiness.conformance.catalogue import VERSION
from readiness.conformance.consumer import NAME, lock_slices, slice_key, take_events
from readiness.conformance.contributions import contribute
from readiness.conformance.journeys import Course
from readiness.conformance.models import ConformanceRow, DeviationRow
from readiness.conformance.ports import Coverage
from readiness.conformance.store import DEVIATION, JOURNEY, ConformanceStore
from readiness.measures.catalogue import CONFORMANCE, OF_CONFORMANCE, UNREGISTERED_DEVIATION_SHARE
from readiness.measures.deltas import Deltas
from readiness.measures.health import is_judged_otherwise
from readiness.measures.models import BucketRow, SliceRow
from readiness.measures.proof import Comparison, Scratch, Total, cursor_of, parked_of
from readiness.measures.store import BUCKET, SLICE, Store

#: Journeys that are judged anew at a time. Between two of its statements a server waits half a second for them.
BATCH = 5_000
#: So long a server waits for the next statement of what works through everything, however busy the machine is; when this process ends,
#: its transaction ends with it all the same.
_PATIENCE = "SET LOCAL idle_in_transaction_session_timeout = '10min'"
_OURS = f"measure_id IN ({', '.join(str(one) for one in sorted(OF_CONFORMANCE))})"
_TABLES: tuple[tuple[Any, tuple[str, ...], int, str], ...] = (
    (ConformanceRow, JOURNEY, 1, "1 = 1"),
    (DeviationRow, DEVIATION, 3, "1 = 1"),
    (BucketRow, BUCKET, 5, f"{_OURS} AND (documents <> 0 OR x <> 0 OR y <> 0 OR xx <> 0 OR xy <> 0 OR yy <> 0)"),
)


class _Scratch(Scratch):
    """Conformance in a file of its own."""

    tables = _TABLES
    types = TYPES

    def __init__(self, connection: Connection, register: Coverage) -> None:
        self._register = register
        super().__init__(connection)

    def new_store(self) -> Store:
        self._courses = ConformanceStore(self.driver, is_sqlite=True, new_ids=self.ids)
        return self._courses

    def take(self, events: Sequence[LoggedEvent]) -> None:
        take_events(self._courses, events, self._register)


def compare_with_rebuild(
    session: Session, register: Coverage, *, progress: Callable[[int, int], None] | None = None
) -> Comparison:
    """Judge everything up to the cursor beside the database and compare each row; reads in one snapshot, writes nothing."""
    connection = session.connection()
    parked = parked_of(connection, NAME)
    with _Scratch(connection, register) as scratch:
        read_to = cursor_of(connection, NAME)
        scratch.build(connection, read_to, parked, progress)
        tables = tuple(scratch.compare(connection, *table) for table in _TABLES)
    return Comparison(read_to, newest_seq(connection), len(parked), tables)


#: What the rows of journeys come to, and the same in the buckets.
_SUMS = (
    ("journeys in conformance", "SELECT COUNT(*) FROM conformance_journey WHERE executed > 0", CONFORMANCE, "y"),
    (
        "journeys on the path",
        "SELECT COUNT(*) FROM conformance_journey WHERE ended_on IS NOT NULL AND standing <> 'uncovered'", CONFORMANCE, "x",
    ),
    (
        "steps executed", "SELECT COALESCE(SUM(executed), 0) FROM conformance_journey", UNREGISTERED_DEVIATION_SHARE, "y",
    ),
    ("steps off the path", "SELECT COALESCE(SUM(off), 0) FROM conformance_journey", UNREGISTERED_DEVIATION_SHARE, "x"),
)  # fmt: skip


def compare_sums(session: Session) -> list[Total]:
    """What the figures of conformance come to beside the journeys that they are made of. Quick."""
    out = []
    for name, journeys, measure, side in _SUMS:
        kept = session.execute(text(journeys)).scalar_one()
        sums = text(
            f"SELECT COALESCE(SUM({side}), 0) FROM measure_bucket WHERE measure_id = :measure AND dimension = ''"
        )
        out.append(Total(name, int(session.execute(sums, {"measure": measure}).scalar_one()), int(kept)))
    return out


def rebuild(work: UnitOfWork, register: Coverage, *, progress: Callable[[int, int], None] | None = None) -> int:
    """Judge everything anew from the events up to the cursor and put it in place of the old, in this one transaction.

    Parked events stay parked. Returns the sequence number it was built up to.
    """
    connection = work.connection
    _lock(work)
    # At once, in the order of everybody: whoever makes slices while this reads the log would wait for what waits for it.
    lock_slices(work)
    with _Scratch(connection, register) as scratch:
        read_to = cursor_of(connection, NAME)
        scratch.build(connection, read_to, parked_of(connection, NAME), progress)
        store = ConformanceStore(work.driver, is_sqlite=connection.dialect.name == "sqlite", new_ids=work.ids.reserve)
        store.put("measure_slice", SLICE, scratch.new_slices(), SliceRow)
        for model, columns, _, condition in _TABLES:
            known = _OURS if model is BucketRow else "1 = 1"
            work.session.execute(text(f"DELETE FROM {model.__tablename__} WHERE {known}"))
            for rows in scratch.rows(model, columns, condition):
                store.put(model.__tablename__, columns, rows, model)
    _changed(work)
    return read_to


def is_outdated(session: Session) -> bool:
    """Whether anything was judged by other rules than today's."""
    return bool(session.execute(select(is_judged_otherwise(VERSION))).scalar())


def judge_all_anew(work: UnitOfWork, register: Coverage, *, progress: Callable[[int], None] | None = None) -> int:
    """Judge every journey by the rules of today, from its steps, in this one transaction; returns how many there are.

    Variants are asked again at the time of each step. What nobody has changed in the rules comes out as it was.
    """
    _lock(work)
    lock_slices(work)
    store = ConformanceStore(work.driver, is_sqlite=work.dialect.name == "sqlite", new_ids=work.ids.reserve)
    done, last = 0, -(2**63)
    while roots := store.roots_after(last, BATCH):
        courses, deltas = store.courses(roots), Deltas()
        had = {root: bool(course.deviations) for root, course in courses.items()}
        changed = [course for course in courses.values() if _is_changed(course, store, deltas, register)]
        store.save_courses(
            store.course_rows(changed, {one.journey.root_id: had[one.journey.root_id] for one in changed})
        )
        store.add(deltas)
        done, last = done + len(roots), roots[-1]
        if progress is not None:
            progress(done)
    table = ConformanceRow.__table__
    work.session.execute(update(table).where(table.c.version != VERSION).values(version=VERSION))
    _changed(work)
    return done


def _is_changed(course: Course, store: ConformanceStore, deltas: Deltas, register: Coverage) -> bool:
    """Judge a journey anew; whether it stands otherwise than before, which then counts instead of that."""
    one, old = course.journey, course.deviations
    was = {name: getattr(one, name) for name in _VERDICT}
    course.judge_anew(register)
    if course.deviations == old and all(getattr(one, name) == value for name, value in was.items()):
        return False
    slice_id = store.slice_id(slice_key(one))
    before = Course(msgspec.structs.replace(one, **was), old)
    contribute(deltas, -1, before, slice_id)
    contribute(deltas, 1, course, slice_id)
    return True


#: What a judgement says of a journey besides its departures.
_VERDICT = ("ended_at", "ended_on", "due_on", "opened_at", "opened_on", "standing", "executed", "off")


def _lock(work: UnitOfWork) -> None:
    if work.dialect.name == "postgresql":
        work.session.execute(text(_PATIENCE))
    cursor = select(ConsumerCursor.seq).where(ConsumerCursor.name == NAME)
    work.session.execute(cursor.with_for_update(key_share=True)).one_or_none()


def _changed(work: UnitOfWork) -> None:
    changed = update(ConsumerCursor).where(ConsumerCursor.name == NAME).values(changes=ConsumerCursor.changes + 1)
    work.session.execute(changed)

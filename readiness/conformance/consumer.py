"""From events to judged journeys: one batch at a time, each journey loaded once and counted once before and after."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from erpcore.kernel.eventlog import LoggedEvent
from erpcore.kernel.events import ConsumerCursor
from erpcore.kernel.work import UnitOfWork
from readiness.conformance.activities import TYPES, Done, done_by
from readiness.conformance.contributions import contribute
from readiness.conformance.journeys import Course, Journey
from readiness.conformance.ports import Coverage, ReadsCoverage
from readiness.conformance.store import ConformanceStore, CourseRows
from readiness.measures.consumer import NAME as JOURNEYS
from readiness.measures.deltas import Deltas, SliceKey
from readiness.measures.measure import Source
from readiness.measures.store import Store

#: The consumer's name: its cursor, and what a reading asks whether it is up to date.
NAME = Source.CONFORMANCE.value


@dataclass(slots=True)
class Changes:
    """What a batch of events changes."""

    rows: CourseRows
    deltas: Deltas
    new_slices: list[SliceKey]


class ConformanceConsumer:
    """The consumer behind conformance. ``register`` answers which variant covers what, as a connection sees it."""

    name = NAME
    types = TYPES

    def __init__(self, register: ReadsCoverage) -> None:
        self._register = register

    def prepare(self, connection: Connection, events: Sequence[LoggedEvent]) -> Changes:
        """What the events change, worked out from what a reading connection sees; nothing is written."""
        driver = connection.connection.driver_connection
        store = ConformanceStore(driver, is_sqlite=connection.dialect.name == "sqlite")
        return work_out(store, events, self._register(connection))

    def rows(self, prepared: Changes) -> int:
        """How many rows these changes write."""
        return len(prepared.rows.journeys) + len(prepared.rows.deviations)

    def take(self, work: UnitOfWork, events: Sequence[LoggedEvent], prepared: Changes | None = None) -> None:
        """Apply the events, in order, in the caller's transaction. Any exception leaves nothing of them."""
        store = ConformanceStore(work.driver, is_sqlite=work.dialect.name == "sqlite", new_ids=work.ids.reserve)
        changes = work_out(store, events, self._register(work.connection)) if prepared is None else prepared
        if changes.new_slices:
            lock_slices(work)
        write_down(store, changes)


def lock_slices(work: UnitOfWork) -> None:
    """The journeys consumer and the sampler make slices too; one at a time."""
    cursor = select(ConsumerCursor.seq).where(ConsumerCursor.name == JOURNEYS)
    work.session.execute(cursor.with_for_update(key_share=True)).one_or_none()


def slice_key(one: Journey) -> SliceKey:
    """The slice that a journey counts in."""
    return SliceKey(one.realm, one.entity, one.site, one.channel, one.process, one.variants, one.grant_id, one.currency)


def take_events(store: ConformanceStore, events: Iterable[LoggedEvent], register: Coverage) -> None:
    """Change journeys, departures and buckets by these events."""
    write_down(store, work_out(store, events, register))


def work_out(store: ConformanceStore, events: Iterable[LoggedEvent], register: Coverage) -> Changes:
    """What the events change; only reads. It stays true until somebody writes what it was worked out from."""
    told: list[tuple[LoggedEvent, Done]] = []
    for event in events:
        done = done_by(event)
        if done is not None:
            told.append((event, done))
    courses = store.courses(event.journey for event, _ in told)
    deltas = Deltas()
    known = {root: bool(course.deviations) for root, course in courses.items()}
    for course in courses.values():
        contribute(deltas, -1, course, store.slice_number(slice_key(course.journey)))
    for event, done in told:
        course = courses.get(event.journey) or courses.setdefault(event.journey, Course(Journey(event.journey)))
        course.apply(event, done, register)
    judge(store, deltas, courses.values(), register)
    return Changes(store.course_rows(courses.values(), known), deltas, store.new_slices())


def judge(store: Store, deltas: Deltas, courses: Iterable[Course], register: Coverage) -> None:
    """Judge the journeys and count what they add now."""
    for course in courses:
        course.judge(register)
        contribute(deltas, 1, course, store.slice_number(slice_key(course.journey)))


def write_down(store: ConformanceStore, changes: Changes) -> None:
    """Write what was worked out; on SQLite nobody else can write meanwhile, so nothing is worked out here."""
    if changes.new_slices:
        changes.deltas.renumber(store.save_slices(changes.new_slices))
    store.save_courses(changes.rows)
    store.add(changes.deltas)

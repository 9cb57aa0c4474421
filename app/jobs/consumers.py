"""Runs consumers over the event log: exactly once, and past an event that one of them cannot take.

A batch is read and worked out outside the transaction, then written in the unit of work that also moves the cursor; if
somebody else wrote for the consumer in between, it is worked out again. If it fails it is repeated event by event under
savepoints: what fails is parked with its error, and with it the later events of the same journey for that consumer, in
their order. ``consumer_cursor.moved_at`` means: everything recorded until then is in.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol

import structlog
from sqlalchemy import Connection, bindparam, delete, insert, select, text, update

from app.composition.garbage import no_garbage_collection
from app.composition.uow import Database, unit_of_work
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import Clock
from erpcore.kernel.errors import Busy
from erpcore.kernel.eventlog import LoggedEvent, newest_seq, read_events, read_numbers
from erpcore.kernel.events import ConsumerCursor, ParkedEvent
from erpcore.kernel.work import UnitOfWork

log = structlog.get_logger(__name__)

#: Events per batch while catching up alone; a live batch grows up to it as long as its writing is short enough.
BULK = 10_000
#: Events per batch where nobody else writes: the longer it is, the fewer documents are read and written twice.
ALONE = 20_000
#: A live batch aims at writing for so long, and to have SQLite's only writer no longer than this: well below the tenth of
#: a second it may have it at most, since how long a commit waits for the disk is not known before.
_WRITE_SECONDS, _HOLD_SECONDS = 0.03, 0.06
#: What every batch writes besides its rows, in rows.
_FIXED_ROWS = 500
#: Below this the commit is what a batch costs, and smaller ones would only be more of them.
_SMALLEST = 100
_ERROR_LENGTH = 2_000


class Consumer(Protocol):
    """Reads events of some types, in order, and writes what it makes of them in the given unit of work.

    ``prepare`` may work out before the transaction whatever it can; ``take`` is handed what it returned, or ``None`` where
    the events come alone or what was worked out does not fit any more. ``rows`` is how many rows that will write.
    """

    name: str
    types: frozenset[str]

    def prepare(self, connection: Connection, events: Sequence[LoggedEvent]) -> Any: ...

    def rows(self, prepared: Any) -> int: ...

    def take(self, work: UnitOfWork, events: Sequence[LoggedEvent], prepared: Any = None) -> None: ...


class Pass(NamedTuple):
    """What one batch did. ``is_at_head``: nothing more was there; ``held`` seconds the transaction was open."""

    events: int
    parked: int
    seq: int
    is_at_head: bool
    held: float


class _Cursor(NamedTuple):
    """Where a consumer stands, and how often was written for it."""

    seq: int
    changes: int


@dataclass(frozen=True)
class _Batch:
    """Events read ahead, and what was worked out of ``free``: those that wait behind no parked event of their journey.

    ``has_failed``: an event among them cannot be worked out; which one, only trying each will tell.
    """

    cursor: _Cursor
    up_to: int
    is_at_head: bool
    events: Sequence[LoggedEvent]
    free: Sequence[LoggedEvent]
    prepared: Any = None
    has_failed: bool = False


@dataclass
class ConsumerRunner:
    """One consumer on one database. ``bulk``: nobody else writes, so batches may be long."""

    database: Database
    consumer: Consumer
    clock: Clock | None = None
    bulk: bool = False
    batch: int = _SMALLEST
    _entered: float = 0.0
    _written: float = 0.0
    #: Seconds that a row took to write lately.
    _pace: float = 0.0

    def run_once(self) -> Pass | None:
        """Take the next batch; ``None`` when another process holds the cursor or was faster, or it is paused."""
        with no_garbage_collection():
            return self._pass()

    def _pass(self) -> Pass | None:
        name = self.consumer.name
        batch = self._read_ahead()
        if batch.up_to == batch.cursor.seq:
            return Pass(0, 0, batch.up_to, is_at_head=True, held=0.0)
        try:
            parked = self._take(batch, one_by_one=batch.has_failed)
        except Busy:
            return None
        except Exception as error:  # noqa: BLE001 - whatever a consumer raises, the others' events go on
            log.warning(
                "consumer_batch_failed", consumer=name, after=batch.cursor.seq, up_to=batch.up_to, error=str(error)
            )
            parked = self._take(batch, one_by_one=True)
        if parked is None:
            return None
        held = time.monotonic() - self._entered
        if not self.bulk:
            rows = self._rows(batch)
            self._pace = max((self._written - self._entered) / rows, self._pace * 0.7) if rows else self._pace
            self.batch = next_size(self.batch, len(batch.events), writing=self._written - self._entered, held=held)
        return Pass(len(batch.events), parked, batch.up_to, is_at_head=batch.is_at_head, held=held)

    def run_to_head(self) -> int:
        """Take batches until nothing more is there; returns how many events. Stops at once when the cursor is taken."""
        taken = 0
        while (done := self.run_once()) is not None:
            taken += done.events
            if done.is_at_head:
                break
        return taken

    def _read_ahead(self) -> _Batch:
        """The next events and what they change; fewer of them where writing that would keep others waiting for too long:
        an event writes one row or hundreds, and the batches before may have been of another kind.
        """
        batch = self._worked_out(ALONE if self.bulk else self.batch)
        expected = 0.0 if self.bulk else self._rows(batch) * self._pace
        if expected <= _HOLD_SECONDS or len(batch.events) <= _SMALLEST:
            return batch
        self.batch = max(_SMALLEST, int(len(batch.events) * _WRITE_SECONDS / expected))
        return self._worked_out(self.batch)

    def _rows(self, batch: _Batch) -> int:
        return 0 if batch.prepared is None else _FIXED_ROWS + self.consumer.rows(batch.prepared)

    def _worked_out(self, size: int) -> _Batch:
        name = self.consumer.name
        with self.database.read_engine.connect() as connection:
            # First of all: what is written from here on shows in its number of changes.
            row = connection.execute(_STANDS, {"name": name}).one_or_none()
            cursor = _Cursor(*row) if row is not None else _Cursor(0, 0)
            head = newest_seq(connection)
            up_to = min(head, cursor.seq + size)
            events = read_events(connection, self.consumer.types, cursor.seq, up_to) if up_to > cursor.seq else []
            blocked = _parked_journeys(connection, name) if events else {}
            free = [event for event in events if event.journey not in blocked] if blocked else events
            batch = _Batch(cursor, up_to, up_to == head, events, free)
            if not free:
                return batch
            try:
                return replace(batch, prepared=self.consumer.prepare(connection, free))
            except Exception as error:  # noqa: BLE001 - whatever a consumer raises, the others' events go on
                log.warning("consumer_batch_failed", consumer=name, after=cursor.seq, up_to=up_to, error=str(error))
                return replace(batch, has_failed=True)

    def _take(self, batch: _Batch, *, one_by_one: bool) -> int | None:
        """Apply and move the cursor in one transaction. Returns how many were parked, ``None`` where the cursor is not ours."""
        name = self.consumer.name
        with unit_of_work(self.database, actor=Actor.system(f"consumer-{name}"), clock=self.clock) as work:
            # The transaction is open from here on; waiting for another writer is not holding one up.
            self._entered = time.monotonic()
            if _locked_cursor(work, name) != batch.cursor:
                return None
            blocked = _parked_journeys(work.connection, name)
            if one_by_one:
                parked = self._take_one_by_one(work, batch.events, blocked)
            else:
                self.consumer.take(work, batch.free, batch.prepared)
                waiting = [event for event in batch.events if event.journey in blocked] if blocked else []
                for event in waiting:
                    _park(work, name, event, _WAITS, behind=blocked[event.journey])
                parked = len(waiting)
            values: dict[str, Any] = {"seq": batch.up_to, "changes": ConsumerCursor.changes + 1}
            # What was recorded up to here is in; at the head, everything is.
            if batch.is_at_head or batch.events:
                values["moved_at"] = work.now if batch.is_at_head else batch.events[-1].recorded_at
            work.session.execute(update(ConsumerCursor).where(ConsumerCursor.name == name).values(values))
            self._written = time.monotonic()
        return parked

    def _take_one_by_one(self, work: UnitOfWork, events: Sequence[LoggedEvent], blocked: dict[int, int]) -> int:
        parked = 0
        for event in events:
            if event.journey in blocked:
                _park(work, self.consumer.name, event, _WAITS, behind=blocked[event.journey])
                parked += 1
                continue
            error = _tried(work, self.consumer, event)
            if error is not None:
                _park(work, self.consumer.name, event, error, behind=None)
                blocked[event.journey] = event.seq
                parked += 1
        return parked


def next_size(size: int, events: int, *, writing: float, held: float) -> int:
    """How many events the next live batch takes after one of ``events`` that wrote for ``writing`` seconds.

    Grows at most twofold, and only after a batch that was filled: a few events say little about many. Where the whole
    transaction, waiting for the disk included, was ``held`` too long, it shrinks with that.
    """
    if not events:
        return size
    aim = events * min(2.0, _WRITE_SECONDS / max(writing, 0.001))
    if held > _HOLD_SECONDS:
        aim = min(aim, events * _HOLD_SECONDS / held)
    elif 2 * events < size:
        aim = max(aim, size) if writing <= _WRITE_SECONDS else aim
        aim = min(aim, size)
    return max(_SMALLEST, min(BULK, int(aim)))


_STANDS = text("SELECT seq, changes FROM consumer_cursor WHERE name = :name")
_NEW_CURSOR = text(
    "INSERT INTO consumer_cursor (name, seq, moved_at, is_paused, changes) VALUES (:name, 0, :moved_at, :paused, 0) "
    "ON CONFLICT (name) DO NOTHING"
).bindparams(bindparam("moved_at", type_=ConsumerCursor.__table__.c.moved_at.type))
_WAITS = "waits behind an earlier event of its journey"


def _tried(work: UnitOfWork, consumer: Consumer, event: LoggedEvent) -> str | None:
    """Let the consumer take one event under a savepoint; what it said when it could not, ``None`` when it could."""
    # Of the connection: a session would say SAVEPOINT at its own next statement, and consumers speak to the driver.
    savepoint = work.connection.begin_nested()
    try:
        consumer.take(work, [event])
    except Exception as error:  # noqa: BLE001 - parked with its error, which is the point
        savepoint.rollback()
        log.warning("event_parked", consumer=consumer.name, seq=event.seq, type=event.type, error=str(error))
        return f"{type(error).__name__}: {error}"[:_ERROR_LENGTH]
    savepoint.commit()
    return None


def _locked_cursor(work: UnitOfWork, name: str) -> _Cursor | None:
    """Where the cursor stands, locked for this transaction; ``None`` when another process has it, or it is paused."""
    query = select(ConsumerCursor.seq, ConsumerCursor.changes, ConsumerCursor.is_paused).where(
        ConsumerCursor.name == name
    )
    row = work.session.execute(query.with_for_update(skip_locked=True, key_share=True)).one_or_none()
    if row is None:
        if work.session.execute(select(ConsumerCursor.name).where(ConsumerCursor.name == name)).first() is not None:
            return None
        # Two processes may start at once: the second waits for the first, adds nothing and finds the cursor taken.
        added: Any = work.session.execute(_NEW_CURSOR, {"name": name, "moved_at": work.now, "paused": False})
        return _Cursor(0, 0) if added.rowcount else None
    return None if row.is_paused else _Cursor(row.seq, row.changes)


def _parked_journeys(connection: Connection, consumer: str) -> dict[int, int]:
    """Journeys of which an event is parked, with the first such event."""
    rows = connection.execute(
        select(ParkedEvent.journey, ParkedEvent.seq)
        .where(ParkedEvent.consumer == consumer)
        .order_by(ParkedEvent.seq.desc())
    )
    return {row.journey: row.seq for row in rows}


def _park(work: UnitOfWork, consumer: str, event: LoggedEvent, error: str, *, behind: int | None) -> None:
    work.session.execute(
        insert(ParkedEvent).values(
            consumer=consumer, seq=event.seq, journey=event.journey, site=event.site, waits_behind=behind, error=error,
            parked_at=work.now, tries=1,
        )
    )  # fmt: skip


def replay_parked(
    database: Database, consumer: Consumer, *, journey: int | None = None, clock: Clock | None = None
) -> tuple[int, int]:
    """Try parked events again, in order, one journey per transaction; returns how many were taken and how many stay.

    The first failure of a journey leaves it and what waits behind it parked, with the new error.
    """
    with database.read_engine.connect() as connection:
        query = select(ParkedEvent.journey).where(ParkedEvent.consumer == consumer.name).distinct()
        if journey is not None:
            query = query.where(ParkedEvent.journey == journey)
        journeys = sorted(connection.execute(query).scalars())
    taken = left = 0
    for one in journeys:
        with unit_of_work(database, actor=Actor.system(f"consumer-{consumer.name}"), clock=clock) as work:
            # Nobody parks more of this journey meanwhile: whoever takes events holds the cursor. Moving its number of changes
            # also tells who has worked out a batch that this one is not in it.
            mine = update(ConsumerCursor).where(ConsumerCursor.name == consumer.name)
            work.session.execute(mine.values(changes=ConsumerCursor.changes + 1))
            done, rest = _replay_journey(work, consumer, one)
        taken += done
        left += rest
    return taken, left


def _replay_journey(work: UnitOfWork, consumer: Consumer, journey: int) -> tuple[int, int]:
    mine = (ParkedEvent.consumer == consumer.name, ParkedEvent.journey == journey)
    numbers = list(work.session.execute(select(ParkedEvent.seq).where(*mine).order_by(ParkedEvent.seq)).scalars())
    done = 0
    for event in read_numbers(work.connection, numbers):
        error = _tried(work, consumer, event)
        if error is not None:
            work.session.execute(
                update(ParkedEvent)
                .where(*mine, ParkedEvent.seq == event.seq)
                .values(error=error, waits_behind=None, tries=ParkedEvent.tries + 1)
            )
            break
        work.session.execute(delete(ParkedEvent).where(*mine, ParkedEvent.seq == event.seq))
        done += 1
    return done, len(numbers) - done

"""One unit of work: the transaction, who acts, when, in which realm, and what is published when it ends.

Only the composition root commits; what a service publishes or appends is kept here and written in one short section at the
end, under one lock, in this order: events, legal numbers, the audit link.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import msgspec
import orjson
from sqlalchemy import Connection, Dialect, Table
from sqlalchemy.orm import Session

from erpcore.kernel.actor import Actor
from erpcore.kernel.audit import Act, write_link
from erpcore.kernel.clock import Clock, local_day
from erpcore.kernel.events import EVENT_COLUMNS, Event, EventLog, Place
from erpcore.kernel.ids import IdPool, Ids, PassingIds, uuid7s
from erpcore.kernel.numbering import PendingNumber, give_numbers
from erpcore.kernel.rows import first_row, write_rows

#: The lock that puts commits that publish into one order. Always the last one taken.
PUBLISH_LOCK = 7_331_001

_LOCK = "SELECT set_config('synchronous_commit', 'off', true), pg_advisory_xact_lock(?)"
_NEXT_SEQ = "UPDATE event_head SET seq = seq + ? WHERE id = 1 RETURNING seq"
#: Both in one round trip, as others wait meanwhile; whoever waited for the lock takes the head as the one before left it.
_LOCK_AND_NEXT_SEQ = (
    "WITH held AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true), pg_advisory_xact_lock(?)) "
    "UPDATE event_head SET seq = seq + ? FROM held WHERE id = 1 RETURNING seq"
)

#: Where the type of what a fact is about stands in an event's row; its id follows.
_SUBJECT = EVENT_COLUMNS.index("subject_type") - 2
_encode = msgspec.json.Encoder().encode

#: Doors through which prices, dates and amounts are stated by somebody else's document.
STATED = ("import", "edi", "back-entry")


class UnitOfWork:
    """What a service needs besides its commands. Created by the composition root, one per POST, job item or batch.

    ``now`` is read once, so that all that one unit of work does has one instant. ``source`` says through which door the
    request came (screen, api, edi, import, back-entry, system); only imports and back-entries state their own times.
    """

    def __init__(
        self,
        session: Session,
        *,
        actor: Actor,
        clock: Clock,
        realm: str,
        source: str,
        request_id: str | None,
        pool: IdPool,
    ) -> None:
        self.session = session
        self.connection: Connection = session.connection()
        self.dialect: Dialect = self.connection.dialect
        #: The driver's own connection, for statements that are compiled once.
        self.driver: Any = self.connection.connection.driver_connection
        self.actor = actor
        self.clock = clock
        self.now: datetime = clock.now()
        self.realm = realm
        self.source = source
        self.request_id = request_id
        self.pool = pool
        self.ids = Ids(self.connection, pool)
        #: Facts read once per unit of work (policy revision, grants), by the name of who keeps them.
        self.memo: dict[str, Any] = {}
        self._events: list[tuple[Any, ...]] = []
        self._later: dict[tuple[Table, tuple[str, ...]], list[tuple[Any, ...]]] = defaultdict(list)
        self._numbers: list[PendingNumber] = []
        self._acts: list[Act] = []
        self._before_end: dict[str, Callable[[UnitOfWork], None]] = {}
        self.last_seq: int | None = None
        #: Refused, and nothing of it is kept.
        self.is_refused = False

    @property
    def is_stated(self) -> bool:
        """Whether what comes was decided elsewhere: it is recorded as it is told, not decided anew."""
        return self.source in STATED

    @contextmanager
    def trial(self) -> Iterator[UnitOfWork]:
        """A unit of work inside this one that is taken back whole: what would come of it? Nothing of it is told or kept.

        It reads what this one has written so far, so nothing may wait to be written at the end. Locks that it takes are given
        back with it on PostgreSQL.
        """
        self.session.flush()
        point = self.session.begin_nested()
        attempt = UnitOfWork(
            self.session, actor=self.actor, clock=self.clock, realm=self.realm, source=self.source,
            request_id=self.request_id, pool=IdPool(),
        )  # fmt: skip
        attempt.now, attempt.ids = self.now, PassingIds(self.connection, IdPool())
        try:
            yield attempt
        finally:
            point.rollback()

    def publish(
        self,
        event: Event,
        place: Place,
        *,
        step: str,
        subject: tuple[str, int, int],
        journey: int,
        at: datetime | None = None,
        refs: Sequence[tuple[str, int, int]] = (),
    ) -> None:
        """Report a fact. ``subject`` is type, id and version; ``journey`` the root document; ``refs`` are other documents
        it belongs to, as type, id and share in millionths. Written when the unit of work ends, in the order of the calls.
        """
        occurred = at or self.now
        self._events.append(
            (
                event.type, event.version, occurred, local_day(occurred, place.time_zone), self.now, place.realm, place.entity,
                place.site, place.channel, place.customer_group, step, place.grant, place.ruleset, place.variants,
                place.currency, subject[0], subject[1], subject[2], journey,
                orjson.dumps(refs).decode() if refs else None,
                self.request_id, self.actor.id, self.actor.role, self.source, _encode(event).decode(),
            )
        )  # fmt: skip

    def reported(self, subject: str) -> list[int]:
        """The ids of the documents of this type that facts were reported of so far, in that order, each once."""
        return list(dict.fromkeys(row[_SUBJECT + 1] for row in self._events if row[_SUBJECT] == subject))

    def later(self, table: Table, columns: tuple[str, ...], row: tuple[Any, ...]) -> None:
        """Append a history row at the end, in one batch per table; a first value of ``None`` is replaced by a new id."""
        self._later[table, columns].append(row)

    def number_later(
        self,
        table: Table,
        document_id: int,
        *,
        entity: int,
        journal: str,
        year: int,
        prefix: str,
        copies: Sequence[tuple[Table, int]] = (),
    ) -> None:
        """Give the document the next legal number of its series at the commit, and the same to ``copies``, by table and id."""
        self._numbers.append(PendingNumber(table, document_id, entity, journal, year, prefix, copies))

    def audit(self, kind: str, subject_type: str, subject_id: int | None, **facts: Any) -> None:
        """Keep an act of power (decision, waiver, criterion, permission) in the hash chain."""
        self._acts.append(Act(kind, subject_type, subject_id, facts))

    def before_end(self, name: str, write: Callable[[UnitOfWork], None]) -> None:
        """Write rows that may change several times in this unit of work once, at its end. Registered once per ``name``."""
        self._before_end.setdefault(name, write)

    def finish(self) -> None:
        """Write what was kept. Called once by the composition root, immediately before the commit."""
        for write in self._before_end.values():
            write(self)
        # Rows added as objects must be there before history that refers to them.
        self.session.flush()
        for (table, columns), rows in self._later.items():
            ids = self.ids.reserve(len(rows))
            write_rows(self, table, columns, [(next(ids), *row[1:]) if row[0] is None else row for row in rows])
        self._later.clear()
        if not (self._events or self._numbers or self._acts):
            return
        if self.dialect.name == "postgresql" and not self._events:
            # The lock is released by the commit, which therefore must not wait for the disk.
            first_row(self, _LOCK, PUBLISH_LOCK)
        if self._events:
            self._write_events()
        if self._numbers:
            give_numbers(self, self._numbers)
        if self._acts:
            write_link(self, self._acts)

    def _write_events(self) -> None:
        count = len(self._events)
        if self.dialect.name == "postgresql":
            (last,) = first_row(self, _LOCK_AND_NEXT_SEQ, PUBLISH_LOCK, count) or (0,)
        else:
            (last,) = first_row(self, _NEXT_SEQ, count) or (0,)
        first = last - count + 1
        ids = uuid7s(self.now, count)
        write_rows(
            self,
            EventLog.__table__,
            EVENT_COLUMNS,
            [(first + i, ids[i], *row) for i, row in enumerate(self._events)],
        )
        self.last_seq = last

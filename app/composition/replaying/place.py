"""Where does a replay happen? In a database of its own in this process's memory, which is gone with it.

Nothing there can reach the real one: it has no connection to it, its companies are of the rehearsal realm, and what its units of
work would tell (events, history, the audit chain) is dropped, so that no letter, figure or consumer ever sees it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, insert, select
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool

from app.composition.models import Base
from app.composition.uow import Database, unit_of_work
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import SetClock
from erpcore.kernel.ids import IdHead
from erpcore.kernel.rows import chunks, raw_columns, write_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.models import Realm

REPLAYS = Actor.system("replays")
#: What units of work read of master data, and of cells as of one instant: nothing here changes any of it, so all of a replay
#: read it once. By the names (or their beginnings) under which those who ask keep it.
_STANDS = (
    "entities", "sites", "customers", "items", "channels", "channel priorities", "prices", "usual ship_to", "ship_to",
    "admissions",
)  # fmt: skip
_STANDS_BY_SITE = ("tax:", "tax_found:", "('commitments'")
#: Ids made in the throw-away place begin here, above all that are copied into it.
_FIRST_ID = 10**15


class ThrowAway(UnitOfWork):
    """A unit of work of which nobody is ever told."""

    def publish(self, *_said: Any, **_about: Any) -> None:
        """Tell nobody."""

    def later(self, *_row: Any) -> None:
        """Keep no history: nothing decides by it, and it goes with the place."""

    def audit(self, *_subject: Any, **_facts: Any) -> None:
        """Keep no act: none was done."""


class Place:
    """A throw-away database with a clock that the replay sets."""

    def __init__(self, at: datetime) -> None:
        engine = _engine()
        self.database = Database("sqlite://", engine, engine)
        self.clock = SetClock(at)
        self._stands: dict[str, Any] = {}

    @classmethod
    def empty(cls, at: datetime) -> Place:
        """A place with all tables and nothing in them."""
        place = cls(at)
        Base.metadata.create_all(place.database.write_engine)
        with place.work() as work:
            work.session.execute(insert(IdHead).values(id=1, next_id=_FIRST_ID))
        return place

    def copied(self) -> Place:
        """Another place that begins as this one is now."""
        other = Place(self.clock.now())
        _driver(self.database.write_engine).backup(_driver(other.database.write_engine))
        other._stands = self._stands
        return other

    @contextmanager
    def work(self, source: str = "system") -> Iterator[UnitOfWork]:
        """A unit of work here, at the instant that the clock stands at."""
        with unit_of_work(
            self.database, actor=REPLAYS, clock=self.clock, realm=Realm.REHEARSAL, source=source, kind=ThrowAway
        ) as work:
            work.memo.update(self._stands)
            yield work
            self._stands.update({name: found for name, found in work.memo.items() if _stands(name)})

    def close(self) -> None:
        """Throw it away."""
        self.database.dispose()


def _stands(name: str) -> bool:
    return name in _STANDS or name.startswith(_STANDS_BY_SITE)


def copy_rows(
    source: Session,
    work: UnitOfWork,
    model: type[Base],
    column: str | None = None,
    keys: Iterable[Any] = (),
    *,
    changed: Mapping[str, Any] | None = None,
) -> None:
    """Copy rows of the real database whose ``column`` is among ``keys`` (all without a column); ``changed`` replaces columns."""
    table = model.__table__
    names = tuple(one.name for one in table.columns)
    query = select(*raw_columns(model))
    places = [(names.index(name), value) for name, value in (changed or {}).items()]
    parts: Iterable[Sequence[Any] | None] = [None] if column is None else chunks(sorted(set(keys)))
    for part in parts:
        asked = query if part is None or column is None else query.where(table.c[column].in_(part))
        rows: list[Any] = [tuple(row) for row in source.execute(asked)]
        if places:
            rows = [_with(row, places) for row in rows]
        write_rows(work, table, names, rows)


def _with(row: tuple[Any, ...], places: Sequence[tuple[int, Any]]) -> tuple[Any, ...]:
    out = list(row)
    for place, value in places:
        out[place] = value
    return tuple(out)


def _engine() -> Engine:
    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})

    def on_connect(connection: sqlite3.Connection, _record: Any) -> None:
        # The driver's own transaction handling breaks savepoints; BEGIN is said below. Rows refer to others that were not copied.
        connection.isolation_level = None
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA temp_store = MEMORY")

    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    event.listen(engine, "connect", on_connect)
    event.listen(engine, "begin", on_begin)
    return engine


def _driver(engine: Engine) -> sqlite3.Connection:
    connection = engine.raw_connection()
    try:
        found: Any = connection.driver_connection
        # The one connection that the pool keeps.
        return found
    finally:
        connection.close()

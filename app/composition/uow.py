"""The only place that commits.

``with unit_of_work(database, actor=…) as work:`` is one transaction: any exception rolls back, a refusal is an exception.
On SQLite two engines stand on one file, since a connection that has read can not always become a writer; on PostgreSQL the
commit does not wait for the disk while it holds the publish lock, and one barrier commit follows before anything is answered.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import TupleRow
from psycopg.types.numeric import Int8Dumper
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from app.composition.turns import begin_writing
from app.read_only import only_read, prepare
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import Clock, SystemClock
from erpcore.kernel.errors import Busy, DomainError
from erpcore.kernel.ids import IdPool
from erpcore.kernel.work import UnitOfWork

#: PostgreSQL codes that mean "others were faster": lock not available, deadlock, serialization failure.
_BUSY = {"55P03", "40P01", "40001"}
_PG_SETTINGS = "-c lock_timeout=3000 -c idle_in_transaction_session_timeout=30000 -c timezone=UTC"


class _KeepsStatements(psycopg.Connection[TupleRow]):
    """A connection whose prepared statements outlive what only read.

    Reading ends with a rollback, and with a rollback the driver lets go of all that the server has planned, since tables might
    have been made in it. Where nothing could be written there is nothing to take back: a commit ends it as well.
    """

    def rollback(self) -> None:
        if self.read_only and self.pgconn.transaction_status == TransactionStatus.INTRANS:
            self.commit()
        else:
            super().rollback()


@dataclass(frozen=True)
class Database:
    """The engines of one database, and the ids this process has reserved in it."""

    url: str
    read_engine: Engine
    write_engine: Engine
    pool: IdPool = field(default_factory=IdPool)
    #: What follows each unit of work once it is on disk, or refused, in transactions of its own; it answers for its own failures.
    followers: tuple[Callable[[Database, UnitOfWork], None], ...] = ()

    @property
    def is_sqlite(self) -> bool:
        return self.write_engine.dialect.name == "sqlite"

    def dispose(self) -> None:
        self.read_engine.dispose()
        self.write_engine.dispose()


def connect(url: str, *, followers: tuple[Callable[[Database, UnitOfWork], None], ...] = ()) -> Database:
    """Engines for ``url``: ``sqlite:///FILE`` or ``postgresql+psycopg://…``."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        if parsed.database in (None, "", ":memory:"):
            raise ValueError("SQLite needs a file: two engines cannot share a database in memory")
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        return Database(url, _sqlite(url, read_only=True), _sqlite(url, read_only=False), followers=followers)
    engine = create_engine(parsed, connect_args={"options": _PG_SETTINGS}, pool_size=10, max_overflow=10)
    event.listen(
        engine, "do_connect", lambda _dialect, _record, given, named: _KeepsStatements.connect(*given, **named)
    )
    event.listen(engine, "connect", _on_postgres)
    prepare(engine)
    return Database(url, engine, engine, followers=followers)


def _on_postgres(connection: Any, _record: Any) -> None:
    # The product has some hundred statements; a server that forgets the plan of one for the next plans all day.
    connection.prepared_max = 500
    # The driver sends a whole number as wide as its value is, and the server plans a statement anew for each mix of widths.
    connection.adapters.register_dumper(int, Int8Dumper)


def _sqlite(url: str, *, read_only: bool) -> Engine:
    engine = create_engine(url, connect_args={"timeout": 3.0, "check_same_thread": False})

    def on_connect(connection: Any, _record: Any) -> None:
        # The driver's own transaction handling breaks savepoints; BEGIN is said below.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA cache_size = -65536")
        cursor.execute("PRAGMA temp_store = MEMORY")
        if read_only:
            cursor.execute("PRAGMA query_only = ON")
        else:
            # Who begins to write waits for the turn itself; once begun there is nobody to wait for.
            cursor.execute("PRAGMA busy_timeout = 0")
        cursor.close()

    def on_begin(connection: Any) -> None:
        if read_only:
            connection.exec_driver_sql("BEGIN")
        else:
            begin_writing(connection.connection.driver_connection)

    event.listen(engine, "connect", on_connect)
    event.listen(engine, "begin", on_begin)
    return engine


@contextmanager
def unit_of_work(
    database: Database,
    *,
    actor: Actor,
    clock: Clock | None = None,
    realm: str = "live",
    source: str = "system",
    request_id: str | None = None,
    after_commit: list[Callable[[], None]] | None = None,
    kind: type[UnitOfWork] = UnitOfWork,
) -> Iterator[UnitOfWork]:
    """One transaction for one POST, job item, CLI command or consumer batch.

    Raises ``Busy`` when others held what it needed for longer than three seconds; nothing has changed then. What stands in
    ``after_commit`` runs once the transaction is on disk (mail, files). ``kind``: another that tells nobody, for replays.
    """
    session = Session(database.write_engine, expire_on_commit=False)
    work: UnitOfWork | None = None
    committed = False
    try:
        work = kind(
            session,
            actor=actor,
            clock=clock or SystemClock(),
            realm=realm,
            source=source,
            request_id=request_id,
            pool=database.pool,
        )
        yield work
        work.finish()
        session.commit()
        committed = True
    except Exception as error:
        session.rollback()
        if work is not None:
            work.is_refused = isinstance(error, DomainError)
        # Compiled statements speak to the driver, so its errors arrive bare as well as wrapped.
        if _is_busy(getattr(error, "orig", error)):
            raise Busy("busy") from error
        raise
    except BaseException:
        session.rollback()
        raise
    finally:
        if work is not None:
            work.ids.close(committed=committed)
        session.close()
        if work is not None and work.is_refused:
            _follow(database, work)
    if work.last_seq is not None:
        on_disk(database)
    for effect in after_commit or ():
        effect()
    _follow(database, work)


def _follow(database: Database, work: UnitOfWork) -> None:
    for follow in database.followers:
        follow(database, work)


_BARRIER = "SELECT pg_logical_emit_message(true, 'wavegate', '')"


@contextmanager
def alone(database: Database) -> Iterator[Connection]:
    """A connection for single statements that only look; on PostgreSQL outside of any transaction, which would take two more."""
    with database.read_engine.connect() as connection:
        yield connection if database.is_sqlite else connection.execution_options(isolation_level="AUTOCOMMIT")


def on_disk(database: Database) -> None:
    """Wait until every commit so far is on disk: a transaction that says nothing but is itself durable."""
    if database.is_sqlite:
        return
    with alone(database) as connection:
        connection.exec_driver_sql(_BARRIER)


def _is_busy(error: object) -> bool:
    return getattr(error, "sqlstate", None) in _BUSY or (
        isinstance(error, sqlite3.OperationalError) and "database is locked" in str(error)
    )


@contextmanager
def reading(database: Database, *, snapshot: bool = False) -> Iterator[Session]:
    """A session that cannot write. ``snapshot`` makes all its reads see one moment (gates, packs, ``prove``)."""
    with Session(database.read_engine, expire_on_commit=False) as session:
        only_read(session.connection())
        if snapshot and not database.is_sqlite:
            session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        yield session
        session.rollback()

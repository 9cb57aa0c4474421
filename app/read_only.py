"""How does a transaction that only reads refuse to write, on an engine that others write with, and how does it end?"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import TupleRow
from sqlalchemy import Connection, Engine, event


class KeepsStatements(psycopg.Connection[TupleRow]):
    """A connection whose prepared statements outlive what only read.

    Reading ends with a rollback, and with a rollback the driver lets go of all that the server has planned, since tables might
    have been made in it. Where nothing could be written there is nothing to take back: a commit ends it as well.
    """

    def rollback(self) -> None:
        if self.read_only and self.pgconn.transaction_status == TransactionStatus.INTRANS:
            self.commit()
        else:
            super().rollback()


def only_read(connection: Connection) -> None:
    """Let a transaction that has not said anything yet refuse to write; where the engine itself refuses nothing is needed.

    PostgreSQL is told with its BEGIN, not in a statement of its own. The engine must have been prepared.
    """
    driver = connection.connection.driver_connection
    if connection.dialect.name == "postgresql" and driver is not None:
        driver.read_only = True


def prepare(engine: Engine) -> None:
    """Connections that have only read may write again when they are handed out the next time, and keep their statements."""
    event.listen(engine, "do_connect", _connected)
    event.listen(engine, "checkin", _may_write_again)


def _connected(_dialect: Any, _record: Any, given: Any, named: Any) -> KeepsStatements:
    return KeepsStatements.connect(*given, **named)


def _may_write_again(connection: Any, _record: Any) -> None:
    if connection is not None and connection.read_only:
        connection.read_only = None

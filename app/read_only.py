"""How does a transaction that only reads refuse to write, on an engine that others write with?"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Engine, event


def only_read(connection: Connection) -> None:
    """Let a transaction that has not said anything yet refuse to write; where the engine itself refuses nothing is needed.

    PostgreSQL is told with its BEGIN, not in a statement of its own. The engine must have been prepared.
    """
    driver = connection.connection.driver_connection
    if connection.dialect.name == "postgresql" and driver is not None:
        driver.read_only = True


def prepare(engine: Engine) -> None:
    """Connections that have only read may write again when they are handed out the next time."""
    event.listen(engine, "checkin", _may_write_again)


def _may_write_again(connection: Any, _record: Any) -> None:
    if connection is not None and connection.read_only:
        connection.read_only = None

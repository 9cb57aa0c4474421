"""How many statements did this take?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event

from app.composition.uow import Database

#: What one page may ask the database.
MOST = 25


class Counted:
    """The statements that ran, in their order."""

    def __init__(self) -> None:
        self.statements: list[str] = []

    def __len__(self) -> int:
        return len(self.statements)


@contextmanager
def queries(database: Database) -> Iterator[Counted]:
    """``with queries(database) as ran: …; assert len(ran) <= MOST``."""
    ran = Counted()

    def note(_connection, _cursor, statement, _parameters, _context, _many):
        ran.statements.append(statement)

    engines = {database.read_engine, database.write_engine}
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    try:
        yield ran
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", note)

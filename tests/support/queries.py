"""How many statements did this take?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event

from app.composition.uow import Database
from erpcore.kernel.work import UnitOfWork

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


@contextmanager
def all_statements(work: UnitOfWork) -> Iterator[Counted]:
    """As ``queries``, of one unit of work, those among them that are handed to the driver past the toolkit."""
    ran = Counted()
    driver = work.driver

    class Counting:
        """The driver's connection, noting what its cursors are given."""

        def __getattr__(self, name):
            return getattr(driver, name)

        def cursor(self):
            return _Noting(driver.cursor(), ran)

    def note(_connection, _cursor, statement, _parameters, _context, _many):
        ran.statements.append(statement)

    engine = work.session.get_bind()
    event.listen(engine, "before_cursor_execute", note)
    work.driver = Counting()
    try:
        yield ran
    finally:
        work.driver = driver
        event.remove(engine, "before_cursor_execute", note)


class _Noting:
    """A cursor of the driver that notes its statements."""

    def __init__(self, cursor, ran: Counted) -> None:
        self._cursor, self._ran = cursor, ran

    def __getattr__(self, name):
        return getattr(self._cursor, name)

    def __enter__(self):
        self._cursor.__enter__()
        return self

    def __exit__(self, *error):
        return self._cursor.__exit__(*error)

    def execute(self, statement, *given):
        self._ran.statements.append(statement)
        return self._cursor.execute(statement, *given)

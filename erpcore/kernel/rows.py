"""Writing many rows at the speed of the database: statements compiled once, tuples, executemany and COPY.

Rows speak the database's own values for scaled columns: integers of the column's smallest unit, both written and read. (A
``Decimal`` is taken too.) Tables written here are never written through ORM attributes, so that nobody has to know which of
the two has the truth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import BigInteger, Dialect, Table, Update, bindparam, select, type_coerce
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Row
from sqlalchemy.sql import ColumnElement

from erpcore.kernel.errors import Busy, Conflict
from erpcore.kernel.model import Base, Scaled, scaled_int

if TYPE_CHECKING:
    from erpcore.kernel.work import UnitOfWork

#: From this many rows on COPY is faster than INSERT on PostgreSQL.
COPY_FROM = 20
#: Keys per IN list: below every limit of both databases.
CHUNK = 1000

Processor = Callable[[Any], Any]
T = TypeVar("T")


def _processor(column_type: Any, dialect: Dialect) -> Processor | None:
    if isinstance(column_type, Scaled):
        places = column_type.places
        return lambda value: value if type(value) is int or value is None else scaled_int(value, places)
    return column_type.dialect_impl(dialect).bind_processor(dialect)  # type: ignore[no-any-return]


def raw(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """The column as rows speak it: a scaled one as its integer."""
    if isinstance(column.type, Scaled):
        return type_coerce(column, BigInteger).label(column.key)
    return column


def raw_columns(table: type[Base], *names: str) -> list[ColumnElement[Any]]:
    """The named columns of ``table`` (all without names), as rows speak them."""
    columns = table.__table__.c
    return [raw(columns[name]) for name in names] if names else [raw(column) for column in columns]


class _Writer:
    """INSERT of one set of columns, compiled once for one database."""

    def __init__(self, table: Table, columns: tuple[str, ...], dialect: Dialect) -> None:
        quote = dialect.identifier_preparer.quote
        self.names = ", ".join(quote(name) for name in columns)
        self.table = quote(table.name)
        self.sqlite = dialect.name == "sqlite"
        mark = "?" if self.sqlite else "%s"
        self.marks = "(" + ", ".join([mark] * len(columns)) + ")"
        self.insert = f"INSERT INTO {self.table} ({self.names}) VALUES "
        self.processors = [
            (i, p) for i, name in enumerate(columns) if (p := _processor(table.c[name].type, dialect)) is not None
        ]

    def prepared(self, rows: Sequence[tuple[Any, ...]]) -> Sequence[tuple[Any, ...]]:
        if not self.processors:
            return rows
        out = []
        for row in rows:
            changed = list(row)
            for i, process in self.processors:
                changed[i] = process(changed[i])
            out.append(tuple(changed))
        return out


_writers: dict[tuple[str, tuple[str, ...], str], _Writer] = {}


def write_rows(work: UnitOfWork, table: Table, columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert ``rows``, each a tuple in the order of ``columns``, in one statement or one COPY."""
    if not rows:
        return
    key = (table.name, columns, work.dialect.name)
    writer = _writers.get(key)
    if writer is None:
        writer = _writers[key] = _Writer(table, columns, work.dialect)
    values = writer.prepared(rows)
    raw = work.driver
    if writer.sqlite:
        raw.executemany(writer.insert + writer.marks, values)
    elif len(values) >= COPY_FROM:
        with raw.cursor() as cursor, cursor.copy(f"COPY {writer.table} ({writer.names}) FROM STDIN") as copy:
            for row in values:
                copy.write_row(row)
    else:
        with raw.cursor() as cursor:
            cursor.execute(
                writer.insert + ", ".join([writer.marks] * len(values)), [value for row in values for value in row]
            )


_POSITIONAL_PG = postgresql.psycopg.dialect(paramstyle="format")


class Change:
    """A conditional UPDATE with named parameters, compiled once per database and run for many rows.

    ``build`` returns a Core ``update()`` whose parameters are ``bindparam``s.
    """

    def __init__(self, build: Callable[[], Update]) -> None:
        self._build = build
        self._compiled: dict[str, tuple[str, list[str], list[tuple[int, Processor]]]] = {}

    def _for(self, dialect: Dialect) -> tuple[str, list[str], list[tuple[int, Processor]]]:
        found = self._compiled.get(dialect.name)
        if found is None:
            target = dialect if dialect.name == "sqlite" else _POSITIONAL_PG
            compiled = self._build().compile(dialect=target)
            names = list(compiled.positiontup or ())
            fixed = compiled.params
            processors: list[tuple[int, Processor]] = []
            for i, name in enumerate(names):
                process = _processor(compiled.binds[name].type, target)
                if process is not None:
                    processors.append((i, process))
            self._fixed = {name: value for name, value in fixed.items() if value is not None}
            found = self._compiled[dialect.name] = (str(compiled), names, processors)
        return found

    def run(self, work: UnitOfWork, rows: Iterable[dict[str, Any]], *, expect_all: bool = True) -> int:
        """Apply to each row's parameters, in order; returns how many rows of the table changed.

        Raises ``Conflict`` when ``expect_all`` and a condition did not hold: somebody else was faster.
        """
        sql, names, processors = self._for(work.dialect)
        values = []
        for row in rows:
            value = [row[name] if name in row else self._fixed[name] for name in names]
            for i, process in processors:
                value[i] = process(value[i])
            values.append(tuple(value))
        if not values:
            return 0
        cursor = work.driver.cursor()
        try:
            cursor.executemany(sql, values)
            changed = int(cursor.rowcount)
        finally:
            cursor.close()
        if expect_all and changed != len(values):
            raise Conflict("changed_meanwhile", expected=len(values), changed=changed)
        return changed


def chunks(items: Sequence[T], size: int = CHUNK) -> Iterable[Sequence[T]]:
    """``items`` in runs of at most ``size``."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def rows_by(work: UnitOfWork, columns: Sequence[ColumnElement[Any]], key: ColumnElement[Any], keys: Iterable[Any]) -> list[Row[Any]]:
    """Rows whose ``key`` is one of ``keys``, read in chunks; order is the database's."""
    out: list[Row[Any]] = []
    for part in chunks(sorted(set(keys))):
        out += work.session.execute(select(*columns).where(key.in_(part))).all()
    return out


def lock_rows(work: UnitOfWork, columns: Sequence[ColumnElement[Any]], key: ColumnElement[Any], keys: Iterable[Any]) -> list[Row[Any]]:
    """Like ``rows_by``, ordered and locked for change (FOR NO KEY UPDATE) on PostgreSQL; SQLite's writer is alone anyway.

    Raises ``Busy`` when others hold a row for longer than the lock time-out.
    """
    from sqlalchemy.exc import OperationalError

    out: list[Row[Any]] = []
    try:
        for part in chunks(sorted(set(keys))):
            query = select(*columns).where(key.in_(part)).order_by(key)
            out += work.session.execute(query.with_for_update(key_share=True)).all()
    except OperationalError as error:
        raise Busy("busy") from error
    return out


def param(name: str, like: ColumnElement[Any]) -> Any:
    """A named parameter of the same type as the column ``like``."""
    return bindparam(name, type_=like.type)

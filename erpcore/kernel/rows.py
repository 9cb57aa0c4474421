"""Writing many rows at the speed of the database: statements compiled once, tuples, executemany and COPY.

Rows speak the database's own values for scaled columns: integers of the column's smallest unit, both written and read. (A
``Decimal`` is taken too.) Tables written here are never written through ORM attributes, so that nobody has to know which of
the two has the truth.
"""

from __future__ import annotations

import operator
from collections import namedtuple
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import BigInteger, Date, Dialect, String, Table, Update, bindparam, column, func, type_coerce
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql import ColumnElement
from sqlalchemy.sql.elements import BindParameter
from sqlalchemy.sql.visitors import replacement_traverse

from erpcore.kernel.errors import Conflict
from erpcore.kernel.model import Base, Scaled, UtcDateTime, scaled_int

if TYPE_CHECKING:
    from erpcore.kernel.work import UnitOfWork

#: From this many rows on COPY is faster than INSERT on PostgreSQL, and from two on where they have more values than the driver
#: keeps statements of: it would take a longer one apart anew each time.
COPY_FROM = 20
MOST_VALUES = 50
#: From this many rows on one UPDATE from arrays is faster on PostgreSQL than a statement a row.
ARRAYS_FROM = 20
#: Keys per IN list: below every limit of both databases.
CHUNK = 1000

Processor = Callable[[Any], Any]
T = TypeVar("T")


def _processor(column_type: Any, dialect: Dialect) -> Processor | None:
    if isinstance(column_type, Scaled):
        places = column_type.places
        return lambda value: value if type(value) is int or value is None else scaled_int(value, places)
    process: Processor | None = column_type.dialect_impl(dialect).bind_processor(dialect)
    if process is not None and isinstance(column_type, UtcDateTime | Date):
        # The lines of a document share their instants and days.
        return lru_cache(maxsize=4096)(process)
    return process


_WHOLE = {int, type(None)}


def _converted(
    rows: Sequence[Sequence[Any]], processors: Sequence[tuple[int, Processor, bool]]
) -> Sequence[Sequence[Any]]:
    """``rows`` in the driver's values, column by column; scaled columns that hold integers already are not touched."""
    if not processors or not rows:
        return rows
    columns: list[Any] = list(zip(*rows, strict=True))
    changed = False
    for i, process, is_scaled in processors:
        if not is_scaled or not set(map(type, columns[i])) <= _WHOLE:
            columns[i] = map(process, columns[i])
            changed = True
    return list(zip(*columns, strict=True)) if changed else rows


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
            (i, p, isinstance(table.c[name].type, Scaled))
            for i, name in enumerate(columns)
            if (p := _processor(table.c[name].type, dialect)) is not None
        ]


_writers: dict[tuple[str, tuple[str, ...], str], _Writer] = {}


def write_rows(work: UnitOfWork, table: Table, columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert ``rows``, each a tuple in the order of ``columns``, in one statement or one COPY."""
    if not rows:
        return
    key = (table.name, columns, work.dialect.name)
    writer = _writers.get(key)
    if writer is None:
        writer = _writers[key] = _Writer(table, columns, work.dialect)
    values = _converted(rows, writer.processors)
    raw = work.driver
    if writer.sqlite:
        raw.executemany(writer.insert + writer.marks, values)
    elif len(values) >= COPY_FROM or (len(values) > 1 and len(values) * len(columns) > MOST_VALUES):
        with raw.cursor() as cursor, cursor.copy(f"COPY {writer.table} ({writer.names}) FROM STDIN") as copy:
            for row in values:
                copy.write_row(row)
    else:
        with raw.cursor() as cursor:
            cursor.execute(
                writer.insert + ", ".join([writer.marks] * len(values)), [value for row in values for value in row]
            )


_POSITIONAL_PG = postgresql.psycopg.dialect(paramstyle="format")  # type: ignore[no-untyped-call]  # left untyped there


class _Update:
    """An UPDATE compiled for one database: its text, its parameters in order, how their values become the driver's."""

    def __init__(self, statement: Update, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        self.sql = str(compiled)
        self.names = list(compiled.positiontup or ())
        self.fixed = {name: value for name, value in compiled.params.items() if value is not None}
        self.processors: list[tuple[int, Processor, bool]] = []
        for i, name in enumerate(self.names):
            process = _processor(compiled.binds[name].type, dialect)
            if process is not None:
                self.processors.append((i, process, isinstance(compiled.binds[name].type, Scaled)))
        self.keys = [i for i, name in enumerate(self.names) if name in _keys(statement)]
        self.many = None if dialect.name == "sqlite" else self._from_arrays(statement, compiled.binds, dialect)

    def _from_arrays(self, statement: Update, binds: dict[str, BindParameter[Any]], dialect: Dialect) -> str:
        """The same for all rows at once: every parameter that rows give is a column of arrays."""
        given = {name: binds[name].type for name in self.names if name not in self.fixed}
        # An array of texts of a length would cut what is too long, where the column refuses it.
        arrays = [ARRAY(String()) if isinstance(type_, String) else ARRAY(type_) for type_ in given.values()]
        source = func.unnest(*[bindparam(name, type_=type_) for name, type_ in zip(given, arrays, strict=True)])
        columns = source.table_valued(*[column(name, type_) for name, type_ in given.items()]).render_derived()

        def in_arrays(element: Any, **_: Any) -> Any:
            return columns.c[element.key] if isinstance(element, BindParameter) and element.key in given else None

        many: Any = replacement_traverse(statement, {}, in_arrays)
        compiled = many.compile(dialect=dialect)
        self.order = [self.names.index(name) for name in compiled.positiontup or ()]
        return str(compiled)

    def run(self, cursor: Any, values: Sequence[Sequence[Any]]) -> int:
        """Rows of the table that changed."""
        if self.many is None or len(values) < ARRAYS_FROM or not self._apart(values):
            cursor.executemany(self.sql, values)
        else:
            listed = list(zip(*values, strict=True))
            cursor.execute(
                self.many, [listed[i][0] if self.names[i] in self.fixed else list(listed[i]) for i in self.order]
            )
        return int(cursor.rowcount)

    def _apart(self, values: Sequence[Sequence[Any]]) -> bool:
        """No two rows mean the same row of the table: from arrays it would take one of them alone."""
        return bool(self.keys) and len({tuple([row[i] for i in self.keys]) for row in values}) == len(values)


def _keys(statement: Update) -> set[str]:
    """The parameters that a column must equal."""
    return {
        side.key
        for condition in statement._where_criteria  # noqa: SLF001 - the toolkit shows it nowhere else
        if getattr(condition, "operator", None) is operator.eq
        for side in (condition.left, condition.right)
        if isinstance(side, BindParameter)
    }


class Change:
    """A conditional UPDATE with named parameters, compiled once per database and run for many rows.

    ``build`` returns a Core ``update()`` whose parameters are ``bindparam``s. On PostgreSQL many rows go as one statement,
    which locks them in no order: lock them first where others could do the same.
    """

    def __init__(self, build: Callable[[], Update]) -> None:
        self._build = build
        self._compiled: dict[str, _Update] = {}

    def _for(self, dialect: Dialect) -> _Update:
        found = self._compiled.get(dialect.name)
        if found is None:
            found = _Update(self._build(), dialect if dialect.name == "sqlite" else _POSITIONAL_PG)
            self._compiled[dialect.name] = found
        return found

    def run(self, work: UnitOfWork, rows: Iterable[dict[str, Any]], *, expect_all: bool = True) -> int:
        """Apply to each row's parameters, in order; returns how many rows of the table changed.

        Raises ``Conflict`` when ``expect_all`` and a condition did not hold: somebody else was faster.
        """
        update = self._for(work.dialect)
        fixed = update.fixed
        values = [tuple([row[name] if name in row else fixed[name] for name in update.names]) for row in rows]
        return self._execute(work, update, values, expect_all=expect_all)

    def run_rows(self, work: UnitOfWork, params: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> int:
        """As ``run``, with all parameters as tuples in the order of ``params``."""
        update = self._for(work.dialect)
        order = [params.index(name) for name in update.names]
        values = rows if order == list(range(len(params))) else list(map(itemgetter(*order), rows))
        return self._execute(work, update, values, expect_all=True)

    @staticmethod
    def _execute(work: UnitOfWork, update: _Update, given: Sequence[Sequence[Any]], *, expect_all: bool) -> int:
        values = _converted(given, update.processors)
        if not values:
            return 0
        cursor = work.driver.cursor()
        try:
            changed = update.run(cursor, values)
        finally:
            cursor.close()
        if expect_all and changed != len(values):
            raise Conflict("changed_meanwhile", expected=len(values), changed=changed)
        return changed


def chunks(items: Sequence[T], size: int = CHUNK) -> Iterable[Sequence[T]]:
    """``items`` in runs of at most ``size``."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


class _Reader:
    """SELECT of some columns of one table by a key, compiled once for one database."""

    def __init__(
        self,
        table: Table,
        names: tuple[str, ...],
        key: str,
        also: str | None,
        lock: bool,
        dialect: Dialect,
        *,
        among: bool = False,
    ) -> None:
        quote = dialect.identifier_preparer.quote
        columns = [table.c[name] for name in names]
        self.sqlite = dialect.name == "sqlite"
        self.key_processor = _processor(table.c[key].type, dialect)
        listed = ", ".join(quote(column.name) for column in columns)
        self.head = f"SELECT {listed} FROM {quote(table.name)} WHERE "
        self.also, self.among = quote(also) if also else "", among
        if also and not among:
            self.head += f"{quote(also)} = {'?' if self.sqlite else '%s'} AND "
        self.head += quote(table.c[key].name)
        self.tail = f" ORDER BY {quote(table.c[key].name)} FOR NO KEY UPDATE" if lock and not self.sqlite else ""
        self.row: Any = namedtuple("Row", names)  # type: ignore[misc]  # noqa: PYI024  # the names are known at run time only
        self.processors = [
            (i, p)
            for i, column in enumerate(columns)
            if not isinstance(column.type, Scaled)
            and (p := column.type.dialect_impl(dialect).result_processor(dialect, None)) is not None
        ]

    def read(self, work: UnitOfWork, keys: Sequence[Any], also: Any) -> list[Any]:
        if self.key_processor is not None:
            keys = [self.key_processor(key) for key in keys]
        out: list[Any] = []
        cursor = work.driver.cursor()
        try:
            for part in chunks(keys):
                fixed = () if also is None or self.among else (also,)
                if self.sqlite:
                    marks, values = _padded(part)
                    more, others = _padded(also) if self.among else ("", ())
                    narrower = f" AND {self.also} IN ({more})" if self.among else ""
                    cursor.execute(f"{self.head} IN ({marks}){narrower}", (*fixed, *values, *others))
                elif self.among:
                    cursor.execute(f"{self.head} = ANY(%s) AND {self.also} = ANY(%s)", (list(part), list(also)))
                else:
                    cursor.execute(f"{self.head} = ANY(%s){self.tail}", (*fixed, list(part)))
                out += cursor.fetchall()
        finally:
            cursor.close()
        if not self.processors:
            return [self.row._make(row) for row in out]
        done = []
        for row in out:
            changed = list(row)
            for i, process in self.processors:
                changed[i] = process(changed[i])
            done.append(self.row._make(changed))
        return done


def _padded(values: Sequence[Any]) -> tuple[str, tuple[Any, ...]]:
    """Marks and values of an IN list, padded to a power of two, so that the driver keeps few statements."""
    width = 1 << (len(values) - 1).bit_length()
    return ", ".join("?" * width), (*values, *([values[-1]] * (width - len(values))))


_readers: dict[tuple[Any, ...], _Reader] = {}


def read_rows(
    work: UnitOfWork,
    table: type[Base],
    names: tuple[str, ...],
    key: str,
    keys: Iterable[Any],
    *,
    lock: bool = False,
    also: tuple[str, Any] | None = None,
) -> list[Any]:
    """The named columns of rows whose ``key`` is one of ``keys`` (and whose ``also`` column has that value).

    With ``lock`` they come in key order and stay locked for change until the unit of work ends (FOR NO KEY UPDATE); SQLite's
    writer is alone anyway. Rows have the columns' names as attributes. A lock that others hold for too long ends the unit
    of work with ``Busy``. A tuple as the value of ``also`` means one of them; it cannot be combined with ``lock``.
    """
    among = also is not None and isinstance(also[1], tuple)
    wanted = sorted(set(keys))
    if not wanted:
        return []
    known = (table.__tablename__, names, key, also and also[0], lock, among, work.dialect.name)
    reader = _readers.get(known)
    if reader is None:
        reader = _Reader(table.__table__, names, key, also[0] if also else None, lock, work.dialect, among=among)
        _readers[known] = reader
    return reader.read(work, wanted, also[1] if also else None)


def first_row(work: UnitOfWork, statement: str, *values: Any) -> tuple[Any, ...] | None:
    """Run a statement of our own, written with ``?`` marks, by the driver; its first row, ``None`` where it gives none.

    For the few that every commit says: through the toolkit they cost a quarter of a millisecond each.
    """
    cursor = work.driver.cursor()
    try:
        cursor.execute(statement if work.dialect.name == "sqlite" else statement.replace("?", "%s"), values)
        found: tuple[Any, ...] | None = cursor.fetchone()
    finally:
        cursor.close()
    return found


def all_rows(work: UnitOfWork, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    """As ``first_row``, all of them. For numbers only: what the driver gives is not converted."""
    cursor = work.driver.cursor()
    try:
        cursor.execute(statement if work.dialect.name == "sqlite" else statement.replace("?", "%s"), values)
        return list(cursor.fetchall())
    finally:
        cursor.close()


def param(name: str, like: ColumnElement[Any]) -> Any:
    """A named parameter of the same type as the column ``like``."""
    return bindparam(name, type_=like.type)

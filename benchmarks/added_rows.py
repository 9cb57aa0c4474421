"""What does it cost to bring an earlier copy of a database to what it became, by plain SQL? The floor of a run over what is there.

Rows that came are written (executemany on SQLite, COPY on PostgreSQL), rows that changed are updated by their key in the columns that
did, table by table, each once, in as many commits as named; keys, checks and indexes are on, every commit is on disk. Only
the writing is timed. What the run wrote twice, or read to know what to write, is not repeated.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import Any

import psycopg
from sqlalchemy import Table, make_url

from app.composition import schema

Row = tuple[Any, ...]
#: Writes some rows of a table, or changes the named columns of some; the values of the key come last.
Write = Callable[[Table, Sequence[Row]], None]
Change = Callable[[Table, Sequence[str], Sequence[Row]], None]


def seconds_to_become(source_url: str, target_url: str, *, commits: int) -> tuple[float, int]:
    """Seconds and number of rows written or changed, to make of the target, an earlier copy, what the source is."""
    if make_url(source_url).get_backend_name() == "sqlite":
        return _sqlite(source_url, target_url, commits)
    return _postgresql(source_url, target_url, commits)


def _sqlite(source_url: str, target_url: str, commits: int) -> tuple[float, int]:
    with (
        closing(sqlite3.connect(make_url(source_url).database or "")) as source,
        closing(sqlite3.connect(make_url(target_url).database or "", isolation_level=None)) as target,
    ):
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "cache_size = -65536"):
            target.execute(f"PRAGMA {pragma}")

        def run(statement: str, rows: Sequence[Row]) -> None:
            target.execute("BEGIN IMMEDIATE")
            target.executemany(statement, rows)
            target.execute("COMMIT")

        def write(table: Table, rows: Sequence[Row]) -> None:
            places = ", ".join("?" * len(rows[0]))
            run(f'INSERT INTO "{table.name}" VALUES ({places})', rows)  # noqa: S608 - a table of our own

        def change(table: Table, columns: Sequence[str], rows: Sequence[Row]) -> None:
            run(_update(table, columns, "?"), rows)

        return _become(source.execute, target.execute, write, change, commits)


def _postgresql(source_url: str, target_url: str, commits: int) -> tuple[float, int]:
    with (
        psycopg.connect(source_url.replace("+psycopg", "")) as source,
        psycopg.connect(target_url.replace("+psycopg", "")) as target,
    ):

        def write(table: Table, rows: Sequence[Row]) -> None:
            with target.cursor() as cursor, cursor.copy(f'COPY "{table.name}" FROM STDIN'.encode()) as copy:
                for row in rows:
                    copy.write_row(row)
            target.commit()

        def change(table: Table, columns: Sequence[str], rows: Sequence[Row]) -> None:
            with target.cursor() as cursor:
                cursor.executemany(_update(table, columns, "%s").encode(), rows)
            target.commit()

        return _become(
            lambda query: source.execute(query.encode()), lambda query: target.execute(query.encode()), write, change, commits
        )  # fmt: skip


def _become(
    of_source: Callable[[str], Any], of_target: Callable[[str], Any], write: Write, change: Change, commits: int
) -> tuple[float, int]:
    found = []
    for table in schema.metadata().sorted_tables:
        query = f'SELECT * FROM "{table.name}" ORDER BY 1'  # noqa: S608 - a table of our own
        reading = of_source(query)
        names = [column[0] for column in reading.description]
        places = [names.index(column.name) for column in table.primary_key]
        before = {tuple(row[place] for place in places): row for row in of_target(query)}
        came: list[Row] = []
        changed: list[tuple[Row, Row]] = []
        for row in reading:
            known = before.get(tuple(row[place] for place in places))
            if known is None:
                came.append(row)
            elif known != row:
                changed.append((known, row))
        columns = [n for n, _ in enumerate(names) if any(old[n] != new[n] for old, new in changed)]
        updates = [(*(new[n] for n in columns), *(new[place] for place in places)) for _, new in changed]
        found.append((table, came, [names[n] for n in columns], updates))
    total = sum(len(came) + len(updates) for _, came, _, updates in found)
    size, seconds = max(1, -(-total // commits)), 0.0
    for table, came, changed_names, updates in found:
        begin = time.perf_counter()
        for part in _parts(came, size):
            write(table, part)
        for part in _parts(updates, size):
            change(table, changed_names, part)
        seconds += time.perf_counter() - begin
    return seconds, total


def _parts(rows: Sequence[Row], size: int) -> Iterator[Sequence[Row]]:
    return (rows[start : start + size] for start in range(0, len(rows), size))


def _update(table: Table, columns: Sequence[str], mark: str) -> str:
    changes = ", ".join(f'"{name}" = {mark}' for name in columns)
    keys = " AND ".join(f'"{column.name}" = {mark}' for column in table.primary_key)
    return f'UPDATE "{table.name}" SET {changes} WHERE {keys}'  # noqa: S608 - names of our own

"""What does it cost to write the rows of a filled database again, by plain SQL? The floor of an import.

The rows are read from the database that our own services filled, table by table, and written into a fresh one of the same
schema (keys, checks and indexes on, every commit on disk): executemany on SQLite, COPY on PostgreSQL, in as many commits as
the work made. Only the writing is timed. Updates are not repeated, which makes the floor lower, never higher.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Collection, Iterable, Iterator
from itertools import islice
from typing import Any

import psycopg
from sqlalchemy import Table, make_url

from app.composition import schema
from benchmarks.registry import Bench

Row = tuple[Any, ...]


def seconds_to_write_again(
    bench: Bench, source_url: str, *, commits: int, without: Collection[str] = ()
) -> tuple[float, int]:
    """Seconds and number of rows; ``without`` names tables that are not part of the work (projections, for instance).

    Tables that a fresh database already has rows in (heads of sequences) are left out.
    """
    kind = make_url(source_url).get_backend_name()
    target_url = bench.new_database(kind)
    tables = [table for table in schema.metadata().sorted_tables if table.name not in without]
    write = _sqlite if kind == "sqlite" else _postgresql
    return write(source_url, target_url, tables, commits, added=False)


def seconds_to_write_added(source_url: str, target_url: str, *, commits: int) -> tuple[float, int]:
    """Seconds and number of the rows that the source has and the target, an earlier copy of it, lacks; they are written into the copy."""
    write = _sqlite if make_url(source_url).get_backend_name() == "sqlite" else _postgresql
    return write(source_url, target_url, schema.metadata().sorted_tables, commits, added=True)


def _sizes(counts: dict[str, int], commits: int) -> int:
    """Rows per commit, so that all tables together need about ``commits`` of them."""
    return max(1, -(-sum(counts.values()) // max(1, commits)))


def _sqlite(
    source_url: str, target_url: str, tables: list[Table], commits: int, *, added: bool
) -> tuple[float, int]:  # fmt: skip
    source = sqlite3.connect(make_url(source_url).database or "")
    target = sqlite3.connect(make_url(target_url).database or "", isolation_level=None)
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "cache_size = -65536"):
        target.execute(f"PRAGMA {pragma}")
    try:
        counts = {
            table.name: source.execute(f"SELECT count(*) FROM {table.name}").fetchone()[0]
            - target.execute(f"SELECT count(*) FROM {table.name}").fetchone()[0]
            for table in tables
            if added or not target.execute(f"SELECT count(*) FROM {table.name}").fetchone()[0]
        }
        size, seconds, written = _sizes(counts, commits), 0.0, 0
        for table in tables:
            if not counts.get(table.name):
                continue
            known = set(target.execute(_keys(table))) if added else set()
            reading = source.execute(f"SELECT * FROM {table.name} ORDER BY 1")
            for rows in _slices(_without(reading, table, known), size):
                places = ", ".join("?" * len(rows[0]))
                start = time.perf_counter()
                target.execute("BEGIN IMMEDIATE")
                target.executemany(f"INSERT INTO {table.name} VALUES ({places})", rows)
                target.execute("COMMIT")
                seconds, written = seconds + time.perf_counter() - start, written + len(rows)
        return seconds, written
    finally:
        source.close()
        target.close()


def _postgresql(
    source_url: str, target_url: str, tables: list[Table], commits: int, *, added: bool
) -> tuple[float, int]:  # fmt: skip
    with (
        psycopg.connect(source_url.replace("+psycopg", "")) as source,
        psycopg.connect(target_url.replace("+psycopg", "")) as target,
    ):
        counts = {
            table.name: _count(source, table.name) - _count(target, table.name)
            for table in tables
            if added or not _count(target, table.name)
        }
        target.commit()
        size, seconds, written = _sizes(counts, commits), 0.0, 0
        for table in tables:
            if not counts.get(table.name):
                continue
            known = set(target.execute(_keys(table).encode()).fetchall()) if added else set()
            with source.cursor(name=f"read_{table.name}") as reading:
                reading.itersize = size
                reading.execute(f'SELECT * FROM "{table.name}" ORDER BY 1'.encode())
                for rows in _slices(_without(reading, table, known), size):
                    start = time.perf_counter()
                    with target.cursor() as cursor, cursor.copy(f'COPY "{table.name}" FROM STDIN'.encode()) as copy:
                        for row in rows:
                            copy.write_row(row)
                    target.commit()
                    seconds, written = seconds + time.perf_counter() - start, written + len(rows)
        return seconds, written


def _keys(table: Table) -> str:
    return f'SELECT {", ".join(column.name for column in table.primary_key)} FROM "{table.name}"'


def _without(rows: Any, table: Table, known: Collection[Row]) -> Iterator[Row]:
    """The rows of a cursor whose key is not known."""
    names = [column[0] for column in rows.description]
    places = [names.index(column.name) for column in table.primary_key]
    return (row for row in rows if not known or tuple(row[place] for place in places) not in known)


def _count(connection: psycopg.Connection[Row], name: str) -> int:
    found = connection.execute(f'SELECT count(*) FROM "{name}"'.encode()).fetchone()
    return int(found[0]) if found else 0


def _slices(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    left = iter(rows)
    while part := list(islice(left, size)):
        yield part

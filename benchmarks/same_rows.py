"""What does it cost to write the rows of a filled database again, by plain SQL? The floor of an import.

The rows are read from the database that our own services filled, table by table, and written into a fresh one of the same
schema (keys, checks and indexes on, every commit on disk): executemany on SQLite, COPY on PostgreSQL, in as many commits as
the import made. Only the writing is timed. Updates are not repeated, which makes the floor lower, never higher.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Collection, Iterator
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
    if kind == "sqlite":
        return _sqlite(source_url, target_url, tables, commits)
    return _postgresql(source_url, target_url, tables, commits)


def _sizes(counts: dict[str, int], commits: int) -> int:
    """Rows per commit, so that all tables together need about ``commits`` of them."""
    return max(1, -(-sum(counts.values()) // max(1, commits)))


def _sqlite(source_url: str, target_url: str, tables: list[Table], commits: int) -> tuple[float, int]:
    source = sqlite3.connect(make_url(source_url).database or "")
    target = sqlite3.connect(make_url(target_url).database or "", isolation_level=None)
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "cache_size = -65536"):
        target.execute(f"PRAGMA {pragma}")
    try:
        counts = {
            table.name: source.execute(f"SELECT count(*) FROM {table.name}").fetchone()[0]
            for table in tables
            if not target.execute(f"SELECT count(*) FROM {table.name}").fetchone()[0]
        }
        size, seconds = _sizes(counts, commits), 0.0
        for name in counts:
            for rows in _slices(source.execute(f"SELECT * FROM {name} ORDER BY 1"), size):
                places = ", ".join("?" * len(rows[0]))
                start = time.perf_counter()
                target.execute("BEGIN IMMEDIATE")
                target.executemany(f"INSERT INTO {name} VALUES ({places})", rows)
                target.execute("COMMIT")
                seconds += time.perf_counter() - start
        return seconds, sum(counts.values())
    finally:
        source.close()
        target.close()


def _postgresql(source_url: str, target_url: str, tables: list[Table], commits: int) -> tuple[float, int]:
    with (
        psycopg.connect(source_url.replace("+psycopg", "")) as source,
        psycopg.connect(target_url.replace("+psycopg", "")) as target,
    ):
        counts = {table.name: _count(source, table.name) for table in tables if not _count(target, table.name)}
        target.commit()
        size, seconds = _sizes(counts, commits), 0.0
        for name in counts:
            with source.cursor(name=f"read_{name}") as reading:
                reading.itersize = size
                reading.execute(f'SELECT * FROM "{name}" ORDER BY 1'.encode())
                for rows in _slices(reading, size):
                    start = time.perf_counter()
                    with target.cursor() as cursor, cursor.copy(f'COPY "{name}" FROM STDIN'.encode()) as copy:
                        for row in rows:
                            copy.write_row(row)
                    target.commit()
                    seconds += time.perf_counter() - start
        return seconds, sum(counts.values())


def _count(connection: psycopg.Connection[Row], name: str) -> int:
    found = connection.execute(f'SELECT count(*) FROM "{name}"'.encode()).fetchone()
    return int(found[0]) if found else 0


def _slices(cursor: Any, size: int) -> Iterator[list[Row]]:
    while rows := cursor.fetchmany(size):
        yield rows

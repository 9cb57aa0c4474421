"""Several writers of one SQLite file: everybody's turn comes, and who really cannot write is told so."""

from __future__ import annotations

import sqlite3
import threading
import time

import pytest
from sqlalchemy import text

from app.composition.turns import begin_writing
from app.composition.uow import unit_of_work
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import Busy


def _connection(path):
    connection = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    return connection


def test_who_waits_gets_a_turn_although_another_writes_without_a_pause(tmp_path):
    path = tmp_path / "turns.sqlite3"
    first, second = _connection(path), _connection(path)
    first.execute("CREATE TABLE turn (who TEXT)")
    stop, written = threading.Event(), []

    def write_all_the_time():
        while not stop.is_set():
            begin_writing(first)
            time.sleep(0.003)
            first.execute("INSERT INTO turn VALUES ('greedy')")
            first.execute("COMMIT")
            written.append(1)

    greedy = threading.Thread(target=write_all_the_time)
    greedy.start()
    taken = []
    try:
        while not written:
            time.sleep(0.001)
        for _ in range(5):
            before = len(written)
            begin_writing(second, patience=20)
            second.execute("COMMIT")
            taken.append(len(written) - before)
    finally:
        stop.set()
        greedy.join(20)
        first.close()
        second.close()
    # By SQLite's own waiting a turn came after hundreds of the other's, or not at all.
    assert sorted(taken)[2] <= 60


def test_who_cannot_write_for_too_long_is_told_that_it_is_busy_and_may_write_afterwards(sqlite_database, monkeypatch):
    monkeypatch.setitem(begin_writing.__kwdefaults__, "patience", 0.05)
    with sqlite_database.write_engine.begin() as other:
        other.execute(text("CREATE TABLE held (id INTEGER)"))
        with pytest.raises(Busy), unit_of_work(sqlite_database, actor=Actor.system("test")):
            pass
    with unit_of_work(sqlite_database, actor=Actor.system("test")) as work:
        work.session.execute(text("INSERT INTO held VALUES (1)"))


def test_another_error_than_a_busy_file_is_raised_at_once(tmp_path):
    connection = _connection(tmp_path / "once.sqlite3")
    begin_writing(connection)
    with pytest.raises(sqlite3.OperationalError, match="within a transaction"):
        begin_writing(connection)
    connection.close()

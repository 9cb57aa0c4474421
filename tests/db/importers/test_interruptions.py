"""An import that is killed, or that meets another, ends with the same books as one that ran alone."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest
from sqlalchemy import select

from app.composition.imports import ImportRun
from app.composition.uow import connect
from tests.support.orderfiles import content, counts, importer, looking, many_orders, moved, on_hand, written

#: Ends the process without any cleaning up: in the third batch before its commit, right after a commit, or while it opens stock.
KILL = {
    "in the middle of a batch": """
from app.importers.posting import Batch
once = Batch._returns
def dying(self, documents, seen=[]):
    seen.append(1)
    once(self, documents)
    if len(seen) == 5: os._exit(9)
Batch._returns = dying
""",
    "between two batches": """
def on_progress(done, of, seen=[]):
    seen.append(1)
    if len(seen) == 2: os._exit(9)
""",
    "before the first batch": """
from app.importers.runs import Importer
Importer._post = lambda *anything: os._exit(9)
""",
}
PROGRAM = """
import os, sys
from pathlib import Path
from app.composition.uow import connect
from tests.support.orderfiles import importer
on_progress = None
{kill}
importer(connect(sys.argv[1]), batch=10, on_progress=on_progress).run(Path(sys.argv[2]))
"""


@pytest.mark.parametrize("where", KILL)
def test_killed_and_run_again_it_ends_with_the_same_rows(database, fresh_database, tmp_path, where):
    path = written(tmp_path, many_orders(40))
    alone = connect(fresh_database("sqlite"))
    importer(alone, batch=10).run(path)
    expected, rows = content(alone), counts(alone)
    alone.dispose()

    url = database.write_engine.url.render_as_string(hide_password=False)
    killed = subprocess.run([sys.executable, "-c", PROGRAM.format(kill=KILL[where]), url, str(path)], check=False)
    assert killed.returncode == 9
    assert content(database) != expected

    importer(database, batch=10).run(path)

    assert content(database) == expected
    assert counts(database) == rows
    assert moved(database) == on_hand(database)


def test_two_at_once_double_nothing(database, fresh_database, tmp_path):
    path = written(tmp_path, many_orders(40))
    alone = connect(fresh_database("sqlite"))
    importer(alone, batch=10).run(path)
    expected = content(alone)
    alone.dispose()
    url = database.write_engine.url.render_as_string(hide_password=False)
    reports, failures = [], []
    together = threading.Barrier(2)

    def run():
        mine = connect(url)
        try:
            together.wait()
            reports.append(importer(mine, batch=3).run(path))
        except Exception as error:  # noqa: BLE001 - whatever it is, the test shows it
            failures.append(error)
        finally:
            mine.dispose()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert sum(report.lines_posted for report in reports) == 93
    assert sum(report.lines_known for report in reports) == 93
    assert content(database) == expected
    with looking(database) as session:
        assert sorted(session.execute(select(ImportRun.state)).scalars()) == ["done", "done"]


def test_a_run_that_fell_silent_is_named_stopped_by_the_next(database, tmp_path):
    path = written(tmp_path, many_orders(3))
    importer(database).run(path)
    with database.write_engine.begin() as connection:
        connection.exec_driver_sql("UPDATE import_run SET state = 'running', beat_at = '2020-01-01 00:00:00.000000'")
    importer(database).run(path)
    with looking(database) as session:
        assert session.execute(select(ImportRun.state).order_by(ImportRun.started_at)).scalars().all() == [
            "stopped",
            "done",
        ]

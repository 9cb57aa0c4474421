"""Sequence is commit order: nothing is lost behind an open transaction, nor by a dump restored elsewhere."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from app.composition.uow import connect, reading, unit_of_work
from erpcore.kernel.actor import Actor
from erpcore.kernel.events import Place
from erpcore.published import OrderClosed
from tests.support import postgres

ACTOR = Actor.system("test")
PLACE = Place("live", 1, site=2)


def publish(work, journey):
    work.publish(OrderClosed(), PLACE, step="order_to_cash.cash", subject=("order", journey, 1), journey=journey)


def journeys(database, after=0):
    with reading(database) as session:
        rows = session.execute(
            text("SELECT seq, journey FROM event_log WHERE seq > :a ORDER BY seq"), {"a": after}
        ).all()
    return [tuple(row) for row in rows]


def test_a_transaction_left_open_gets_its_place_when_it_commits(fresh_database, clock):
    """On PostgreSQL others commit meanwhile; a reader that stands behind them still gets the late one."""
    database = connect(fresh_database("postgresql"))
    with unit_of_work(database, actor=ACTOR, clock=clock) as slow:
        publish(slow, 1)
        slow.session.execute(text("INSERT INTO channel (id, code, name) VALUES (1, 'slow', 'Slow')"))
        for journey in (2, 3):
            with unit_of_work(database, actor=ACTOR, clock=clock) as quick:
                publish(quick, journey)
        assert journeys(database) == [(1, 2), (2, 3)]
        cursor = 2
    assert journeys(database, after=cursor) == [(3, 1)]
    database.dispose()


def test_a_transaction_that_is_rolled_back_leaves_no_gap(database, clock):
    with pytest.raises(RuntimeError), unit_of_work(database, actor=ACTOR, clock=clock) as work:
        _fail_at_the_end(work)
    with unit_of_work(database, actor=ACTOR, clock=clock) as work:
        publish(work, 2)
    assert journeys(database) == [(1, 2)]


def _fail_at_the_end(work):
    publish(work, 1)
    work.finish()
    raise RuntimeError


def test_a_dump_restored_into_a_new_cluster_goes_on_where_it_stood(postgres_server, fresh_database, clock, tmp_path):
    url = fresh_database("postgresql")
    database = connect(url)
    for journey in range(5):
        with unit_of_work(database, actor=ACTOR, clock=clock) as work:
            publish(work, journey)
            used = work.ids.one()
    database.dispose()
    dump = tmp_path / "dump.sql"
    programs = Path(postgres._find_programs())
    if not (programs / "pg_dump").exists():
        pytest.skip("this PostgreSQL comes without pg_dump")
    _run(programs / "pg_dump", url, "--file", str(dump))
    with postgres.start() as other:
        name = other.create()
        _run(programs / "psql", other.url(name), "--quiet", "--set", "ON_ERROR_STOP=1", "--file", str(dump))
        restored = connect(other.url(name))
        assert [seq for seq, _ in journeys(restored)] == [1, 2, 3, 4, 5]
        with unit_of_work(restored, actor=ACTOR, clock=clock) as work:
            publish(work, 77)
            assert work.ids.one() > used
        assert journeys(restored, after=5) == [(6, 77)]
        restored.dispose()


def _run(program, url, *arguments):
    parts = make_url(url)
    target = ["--username", parts.username or "postgres", "--dbname", parts.database]
    host = parts.host or parts.query.get("host")
    target += ["--host", host, "--port", str(parts.port or parts.query.get("port") or 5432)]
    subprocess.run([str(program), *target, *arguments], check=True, capture_output=True)

"""A file handed in by browser or API: kept, tried, imported once, whoever is killed meanwhile."""

from __future__ import annotations

import gzip
import io
import subprocess
import sys
import zipfile
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app.composition.imports import ImportRun, ImportUpload, ImportUploadPart
from app.composition.uow import connect, unit_of_work
from app.importers import uploads
from app.importers.uploads import HandIn, accept, forget_files, import_again, receive, run_waiting
from app.queries.imports import run_page
from app.queries.uploads import list_uploads, upload_page
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import Conflict, NotAllowed, RuleBroken
from tests.support.orderfiles import HEAD, SALE, content, counts, importer, looking, many_orders, written

WHO = Actor(id=7, role="data_owner", permissions=frozenset({"app:import:run"}))


def hand_in(database, clock, data, *, purpose="import", name="orders.csv", profile="online-retail", actor=WHO):
    wanted = HandIn(profile=profile, purpose=purpose, file_name=name)
    received = receive(database, io.BytesIO(data), wanted, actor=actor, clock=clock)
    with unit_of_work(database, actor=actor, clock=clock) as work:
        return accept(work, received).id


def file_of(lines):
    return (HEAD + lines).encode()


def state_of(database, upload):
    with looking(database) as session:
        row = session.get_one(ImportUpload, upload)
        return row.state, row.note


def kept(database):
    with looking(database) as session:
        return tuple(
            session.scalar(select(func.count()).select_from(table))
            for table in (ImportUpload, ImportUploadPart, ImportRun)
        )


@pytest.mark.parametrize("packed", [False, True])
def test_a_file_handed_in_becomes_the_rows_that_the_command_line_makes(
    database, fresh_database, clock, tmp_path, packed
):
    alone = connect(fresh_database("sqlite"))
    name = "orders.csv.gz" if packed else "orders.csv"
    importer(alone).run(written(tmp_path, many_orders(20), name=name))
    expected, rows = content(alone), counts(alone)
    alone.dispose()
    data = file_of(many_orders(20))
    upload = hand_in(database, clock, gzip.compress(data) if packed else data, name=name)
    assert state_of(database, upload) == ("waiting", None)
    assert run_waiting(database, clock=clock) == 1
    assert content(database) == expected
    assert counts(database) == rows
    with looking(database) as session:
        page = upload_page(session, WHO, upload)
        run = session.get_one(ImportRun, page.row.run_id)
    assert (page.row.state, page.row.lines_done, page.is_kept) == ("done", 46, False)
    assert (run.state, run.actor, run.lines_done) == ("done", WHO.id, 46)


def test_a_dry_run_writes_nothing_and_can_then_be_imported(database, clock):
    bad = "101,A1,RED PIPE,6,2011-13-01 10:00:00,2.55,17850.0,France\n"
    upload = hand_in(database, clock, file_of(SALE + bad), purpose="dry_run")
    before = counts(database)
    run_waiting(database, clock=clock)
    assert counts(database) == before
    with looking(database) as session:
        page = upload_page(session, WHO, upload)
    assert (page.row.state, page.row.run_id, page.is_kept) == ("done", None, True)
    assert (page.found.lines, page.found.lines_posted, page.found.lines_rejected) == (2, 1, 1)
    assert [(one["line"], one["document"]) for one in page.found.rejected] == [(3, "101")]
    with unit_of_work(database, actor=WHO, clock=clock) as work:
        import_again(work, upload)
    run_waiting(database, clock=clock)
    with looking(database) as session:
        page = upload_page(session, WHO, upload)
        run = session.get_one(ImportRun, page.row.run_id)
        row = run_page(session, WHO, run.id, 1).row
    assert (page.row.state, page.row.purpose, page.is_kept) == ("done", "import", False)
    assert (run.lines_done, run.lines_rejected) == (1, 1)
    assert (row.lines, row.lines_posted, row.lines_rejected, row.lines_known, row.lines_seen) == (2, 1, 1, 0, 2)
    with pytest.raises(RuleBroken, match="upload_gone"), unit_of_work(database, actor=WHO, clock=clock) as work:
        import_again(work, upload)


KILLED = """
import os, sys
from app.composition.uow import connect
from app.importers import runs, uploads
from erpcore.kernel.clock import SetClock
from datetime import datetime
from app.importers.posting import Batch
{kill}
runs.Importer.batch = 10
once = runs.Importer.__init__
def small(self, *args, **more):
    once(self, *args, batch=10, **more)
runs.Importer.__init__ = small
uploads.run_waiting(connect(sys.argv[1]), clock=SetClock(datetime.fromisoformat(sys.argv[2])))
"""
KILL = {
    "in the middle of a batch": "once_more = Batch._returns\ndef dying(self, documents, seen=[]):\n"
    "    seen.append(1)\n    once_more(self, documents)\n    if len(seen) == 3: os._exit(9)\nBatch._returns = dying",
    "before the first batch": "runs.Importer._post = lambda *anything: os._exit(9)",
    "after the last batch": "runs.Importer._end = lambda *anything: os._exit(9)",
    "after the run, before the file": "uploads._Run._end = lambda *anything, **more: os._exit(9)",
}


@pytest.mark.parametrize("where", KILL)
def test_a_killed_worker_is_replaced_and_the_rows_are_the_same(database, fresh_database, clock, tmp_path, where):
    alone = connect(fresh_database("sqlite"))
    importer(alone, batch=10).run(written(tmp_path, many_orders(40)))
    expected, rows = content(alone), counts(alone)
    alone.dispose()
    upload = hand_in(database, clock, file_of(many_orders(40)))
    url = database.write_engine.url.render_as_string(hide_password=False)
    program = KILLED.format(kill=KILL[where])
    killed = subprocess.run([sys.executable, "-c", program, url, clock.now().isoformat()], check=False)
    assert killed.returncode == 9
    assert state_of(database, upload)[0] == "running"
    # Nobody takes it from a worker that may still be at it.
    assert run_waiting(database, clock=clock) == 0
    clock.advance(uploads.SILENT + timedelta(seconds=1))
    assert run_waiting(database, clock=clock) == 1
    assert state_of(database, upload) == ("done", None)
    assert content(database) == expected
    assert counts(database) == rows
    with looking(database) as session:
        states = session.scalars(select(ImportRun.state).order_by(ImportRun.state)).all()
    assert states == (["done", "done"] if where == "after the run, before the file" else ["done", "stopped"])


def test_a_file_that_breaks_every_worker_is_given_up(database, clock, monkeypatch):
    upload = hand_in(database, clock, file_of(SALE))

    def broken(*_anything, **_more):
        raise ZeroDivisionError

    monkeypatch.setattr(uploads, "Importer", broken)
    for _ in range(uploads.MOST_TRIES):
        with pytest.raises(ZeroDivisionError):
            run_waiting(database, clock=clock)
        clock.advance(uploads.SILENT + timedelta(seconds=1))
    assert run_waiting(database, clock=clock) == 0
    state, note = state_of(database, upload)
    assert state == "failed"
    assert note.startswith("orders.csv broke the worker 3 times.")


def a_bomb():
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"\0" * 30_000_000)
    return held.getvalue()


REFUSED = {
    "another kind": (file_of(SALE), {"name": "orders.exe"}, "upload_kind"),
    "no name": (file_of(SALE), {"name": ""}, "upload_kind"),
    "an ending alone": (file_of(SALE), {"name": ".csv"}, "upload_kind"),
    "nothing": (b"", {}, "import_file_empty"),
    "another file": (b"a,b\n1,2\n", {}, "import_columns_missing"),
    "no such profile": (file_of(SALE), {"profile": "nix"}, "profile_unknown"),
    "a path for a profile": (file_of(SALE), {"profile": "/etc/passwd"}, "profile_unknown"),
    "a workbook called CSV": (a_bomb(), {}, "import_file_damaged"),
    "text called a workbook": (file_of(SALE), {"name": "orders.xlsx"}, "import_file_damaged"),
    "a packed bomb": (a_bomb(), {"name": "orders.xlsx"}, "import_file_too_large"),
    "half a packed file": (gzip.compress(file_of(SALE))[:40], {"name": "orders.csv.gz"}, "import_file_damaged"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_file_of_the_profile_is_refused_at_the_door(database, clock, case):
    data, more, code = REFUSED[case]
    before = kept(database), counts(database)
    with pytest.raises(RuleBroken, match=code):
        hand_in(database, clock, data, **more)
    assert (kept(database), counts(database)) == before


def test_a_file_beyond_the_limit_is_refused_without_being_read_to_its_end(database, clock, monkeypatch):
    monkeypatch.setattr(uploads, "MOST_BYTES", 3 * uploads.PIECE)
    read = []

    class Endless(io.RawIOBase):
        def read(self, size=-1):
            read.append(size)
            return b"x" * size

    with pytest.raises(RuleBroken, match="upload_too_large"):
        receive(
            database,
            Endless(),
            HandIn(profile="online-retail", purpose="import", file_name="a.csv"),
            actor=WHO,
            clock=clock,
        )
    assert len(read) == 4
    assert kept(database) == (0, 0, 0)


def test_a_name_with_folders_and_odd_signs_becomes_plain(database, clock):
    upload = hand_in(database, clock, file_of(SALE), name="..\\..\\etc/pass\0wd <b>.csv")
    with looking(database) as session:
        assert session.get_one(ImportUpload, upload).file_name == "pass_wd _b_.csv"


def test_a_large_file_stands_in_pieces_and_comes_out_whole(database, clock, monkeypatch):
    monkeypatch.setattr(uploads, "PIECE", 100)
    data = file_of(many_orders(12))
    upload = hand_in(database, clock, data)
    with looking(database) as session:
        pieces = session.scalars(select(ImportUploadPart).order_by(ImportUploadPart.number)).all()
        assert len(pieces) == -(-len(data) // 100)
        assert b"".join(piece.content for piece in pieces) == data
    run_waiting(database, clock=clock)
    assert state_of(database, upload) == ("done", None)


def test_the_same_file_twice_waits_once(database, clock):
    first = hand_in(database, clock, file_of(SALE))
    assert hand_in(database, clock, file_of(SALE)) == first
    assert kept(database) == (1, 1, 0)
    assert hand_in(database, clock, file_of(SALE), purpose="dry_run") != first


def test_one_person_fills_the_queue_up_to_its_end_only(database, clock, monkeypatch):
    monkeypatch.setattr(uploads, "MOST_WAITING", 2)
    for number in range(2):
        hand_in(database, clock, file_of(SALE.replace("100,", f"10{number},", 1)))
    with pytest.raises(Conflict, match="upload_queue_full"):
        hand_in(database, clock, file_of(SALE.replace("100,", "109,", 1)))
    assert kept(database) == (2, 2, 0)


def test_only_who_sees_all_sites_hands_in_the_first_file_and_others_see_theirs(database, clock):
    here = Actor(id=8, role="data_owner", permissions=WHO.permissions, sites=frozenset({1}))
    with pytest.raises(NotAllowed, match="import_first_file"):
        hand_in(database, clock, file_of(SALE), actor=here)
    assert kept(database) == (0, 0, 0)
    hand_in(database, clock, file_of(SALE), purpose="dry_run")
    with looking(database) as session:
        assert list_uploads(session, here) == []
        assert len(list_uploads(session, WHO)) == 1
    nobody = Actor(id=9, role="super_user")
    with pytest.raises(NotAllowed):
        hand_in(database, clock, file_of(SALE), actor=nobody)


def test_what_was_tried_is_forgotten_after_a_week_and_what_came_half_after_an_hour(database, clock):
    upload = hand_in(database, clock, file_of(SALE), purpose="dry_run")
    run_waiting(database, clock=clock)
    wanted = HandIn(profile="online-retail", purpose="import", file_name="half.csv")
    receive(database, io.BytesIO(file_of(SALE)), wanted, actor=WHO, clock=clock)
    assert kept(database) == (2, 2, 0)
    clock.advance(timedelta(minutes=61))
    with unit_of_work(database, actor=Actor.system("forgetter"), clock=clock) as work:
        assert forget_files(work) == 1
    assert kept(database) == (1, 1, 0)
    clock.advance(timedelta(days=7))
    with unit_of_work(database, actor=Actor.system("forgetter"), clock=clock) as work:
        forget_files(work)
    assert kept(database) == (1, 0, 0)
    with looking(database) as session:
        assert upload_page(session, WHO, upload).found.lines == 1

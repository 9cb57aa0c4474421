"""One worker leads, each slot of a job runs once, and a job that fails ends nothing but itself."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from unittest.mock import MagicMock

from sqlalchemy import select, text

from app.composition.jobruns import JobRun
from app.composition.uow import reading
from app.jobs.lease import LEASE, Lease, slot_of
from app.jobs.registry import JOBS, Job
from app.jobs.scheduler import Worker
from erpcore.kernel.clock import SetClock
from erpcore.kernel.errors import Busy
from readiness.measures.catalogue import INTERNAL, MEASURES
from tests.support.events import MONDAY, a_smooth_order, publish


def runs(database):
    with reading(database) as session:
        rows = session.execute(select(JobRun).order_by(JobRun.id)).scalars()
        return [(row.job, row.state, row.items, row.note) for row in rows]


def a_job(name, run):
    hour = timedelta(hours=1)
    return Job(name=name, run=run, every=hour, longest_silence=hour, sentence="A test.")


def test_one_leads_until_its_lease_runs_out(database):
    clock = SetClock(MONDAY)
    first, second = Lease(database, "a", clock), Lease(database, "b", clock)
    assert (first.take(), second.take(), first.take()) == (True, False, True)
    clock.advance(LEASE)
    assert second.take() is False
    clock.advance(timedelta(seconds=1))
    assert (second.take(), first.take()) == (True, False)
    second.give_back()
    assert first.take() is True


def test_a_slot_runs_once_whoever_leads_and_the_next_slot_again(database):
    clock, ran = SetClock(MONDAY), []
    job = a_job("count", lambda context: len(ran.append(1) or ran))
    workers = [Worker(database, clock=clock, jobs=[job], consumers=(), owner=owner) for owner in "ab"]
    for worker in workers:
        worker.run_job(job)
    assert runs(database) == [("count", "done", 1, None)]
    clock.advance(timedelta(hours=1))
    workers[1].run_job(job)
    assert len(ran) == 2


def test_a_failed_job_is_recorded_with_its_error(database):
    def fail(context):
        raise ValueError("no such site")

    job = a_job("fails", fail)
    Worker(database, clock=SetClock(MONDAY), jobs=[job], consumers=()).run_job(job)
    assert runs(database) == [("fails", "failed", None, "ValueError: no such site")]


def a_leader(monkeypatch, database, clock, judging, owner):
    """A worker whose schedule is only noted, and what it judges by today's rules with."""
    monkeypatch.setattr("app.jobs.scheduler.judge_by_todays_rules", judging)
    worker, scheduler = Worker(database, clock=clock, jobs=[], consumers=(), owner=owner), MagicMock(running=False)
    return worker, scheduler


def test_who_finds_the_database_taken_while_it_judges_does_not_lead_yet_and_asks_again(database, monkeypatch):
    clock, tried = SetClock(MONDAY), []

    def judging(*_):
        tried.append(1)
        if len(tried) == 1:
            raise Busy("busy")

    worker, scheduler = a_leader(monkeypatch, database, clock, judging, "a")
    worker._lead(scheduler)
    assert (worker.leads, scheduler.start.called) == (False, False)
    worker._lead(scheduler)
    assert (worker.leads, scheduler.start.called, len(tried)) == (True, True, 2)


def test_who_judged_for_longer_than_its_lease_runs_and_lost_it_does_not_lead(database, monkeypatch):
    clock = SetClock(MONDAY)
    other = Lease(database, "b", clock)

    def judging(*_):
        clock.advance(LEASE + timedelta(seconds=1))
        assert other.take()

    worker, scheduler = a_leader(monkeypatch, database, clock, judging, "a")
    worker._lead(scheduler)
    assert (worker.leads, scheduler.start.called) == (False, False)


def test_slots_begin_anew_after_their_length():
    hour = timedelta(hours=1)
    assert slot_of(MONDAY, hour) == slot_of(MONDAY + timedelta(minutes=59), hour) != slot_of(MONDAY + hour, hour)


def test_a_running_worker_reads_events_runs_its_jobs_and_gives_the_lease_back(database):
    publish(database, a_smooth_order(1000))
    job = a_job("once", lambda context: 3)
    worker = Worker(database, jobs=[job], owner="here")
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and not (
            runs(database) and runs(database)[0][1] == "done" and _read_to(database) == 13
        ):
            time.sleep(0.05)
    finally:
        worker.stop()
        thread.join(30)
    assert _read_to(database) == 13
    assert runs(database) == [("once", "done", 3, None)]
    assert Lease(database, "there", SetClock(worker.clock.now())).take() is True
    with reading(database) as session:
        assert session.execute(text("SELECT COUNT(*) FROM measure")).scalar_one() == len(MEASURES) + len(INTERNAL)


def _read_to(database):
    with reading(database) as session:
        return session.execute(text("SELECT seq FROM consumer_cursor")).scalar()


def test_every_job_says_what_it_does_and_how_long_it_may_be_silent():
    assert len({job.name for job in JOBS}) == len(JOBS)
    for job in JOBS:
        assert job.longest_silence >= job.every
        assert job.sentence.endswith(".")

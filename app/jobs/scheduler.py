"""The worker: leads or waits to lead, runs the consumers all the time and the jobs when their slot comes."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Sequence
from datetime import UTC, timedelta
from pathlib import Path

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from app.composition.subscriptions import CONSUMERS
from app.composition.uow import Database, unit_of_work
from app.jobs.consumers import Consumer, ConsumerRunner
from app.jobs.digests import Waiting
from app.jobs.judging import judge_by_todays_rules
from app.jobs.lease import LEASE, Lease, slot_of
from app.jobs.registry import JOBS, Context, Job
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import Clock, SystemClock
from erpcore.kernel.errors import Busy
from readiness.measures.store import Store

log = structlog.get_logger(__name__)
# It would report every schedule and every run; ours are rows of job_run.
logging.getLogger("apscheduler").setLevel(logging.WARNING)

#: How long a consumer rests when there was nothing to read; a reading is as old as this at least.
_REST = 0.5


class Worker:
    """One process that may lead. ``run`` returns when ``stop`` was called."""

    def __init__(
        self,
        database: Database,
        *,
        clock: Clock | None = None,
        jobs: Sequence[Job] = JOBS,
        consumers: Sequence[Consumer] = CONSUMERS,
        owner: str | None = None,
        mail_url: str | None = None,
        waiting: Waiting | None = None,
        instance: Path | None = None,
        address: str | None = None,
    ) -> None:
        self.clock = clock or SystemClock()
        self.owner = owner or f"{socket.gethostname()}:{os.getpid()}"
        self._context = Context(database, self.clock, mail_url, waiting, instance, address)
        self._lease = Lease(database, self.owner, self.clock)
        self._jobs = jobs
        self._runners = [ConsumerRunner(database, consumer, clock=clock) for consumer in consumers]
        self._stopping = threading.Event()
        self.leads = False

    def stop(self) -> None:
        self._stopping.set()

    def run(self) -> None:
        """Lead whenever nobody else does, until stopped; then give the lease back."""
        scheduler = self._scheduler()
        renew_at = 0.0
        try:
            while not self._stopping.is_set():
                if time.monotonic() >= renew_at:
                    self._lead(scheduler)
                    renew_at = time.monotonic() + LEASE.total_seconds() / 3
                if not self.leads or not self._consume():
                    self._stopping.wait(_REST)
        finally:
            if scheduler.running:
                scheduler.shutdown(wait=True)
            if self.leads:
                self._lease.give_back()

    def _lead(self, scheduler: BackgroundScheduler) -> None:
        try:
            leads = self._lease.take()
            if leads and not self.leads:
                ensure_catalogue(self._context.database, self.clock)
                judge_by_todays_rules(self._context.database, self.clock)
                # Judging all journeys may have taken longer than the lease runs.
                leads = self._lease.take()
        except Busy:
            # Who leads goes on: the lease outlives two missed renewals. Who does not yet asks again later.
            return
        if leads and not self.leads:
            log.info("worker_leads", owner=self.owner)
            if scheduler.running:
                scheduler.resume()
            else:
                scheduler.start()
        elif self.leads and not leads:
            log.warning("worker_lost_lease", owner=self.owner)
            scheduler.pause()
        self.leads = leads

    def _consume(self) -> bool:
        """One batch of each consumer; whether any of them has more to read."""
        more = False
        for runner in self._runners:
            done = runner.run_once()
            more |= done is not None and not done.is_at_head
        return more

    def _scheduler(self) -> BackgroundScheduler:
        # Schedules stand in code, so they live in memory; the lease and the run rows keep two processes apart.
        scheduler = BackgroundScheduler(timezone=UTC, executors={"default": ThreadPoolExecutor(3)})
        for job in self._jobs:
            scheduler.add_job(
                self.run_job, "interval", args=[job], id=job.name, seconds=job.every.total_seconds(), coalesce=True,
                max_instances=1, misfire_grace_time=60, next_run_time=SystemClock().now() + timedelta(seconds=1),
            )  # fmt: skip
        return scheduler

    def run_job(self, job: Job) -> None:
        """Run a job for the present slot, unless the slot has been taken; its failure is recorded, not raised."""
        run = self._lease.claim(job.name, slot_of(self.clock.now(), job.every))
        if run is None:
            return
        try:
            items = job.run(self._context)
        except Exception as error:
            log.exception("job_failed", job=job.name)
            self._lease.finish(run, items=None, error=f"{type(error).__name__}: {error}"[:2000])
        else:
            self._lease.finish(run, items=items, error=None)


def ensure_catalogue(database: Database, clock: Clock | None = None) -> None:
    """Write the numbers of all measures into the database, so that its buckets explain themselves."""
    with unit_of_work(database, actor=Actor.system("worker"), clock=clock) as work:
        Store(work.driver, is_sqlite=work.dialect.name == "sqlite", new_ids=work.ids.reserve).ensure_catalogue()

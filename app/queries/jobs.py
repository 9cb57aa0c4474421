"""Which jobs ran when, which failed, and which have been silent for too long?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.composition.jobruns import JobLease, JobRun


@dataclass(frozen=True, kw_only=True)
class JobStatus:
    """A job with its last run. ``verdict``: fail when that failed or the job is silent for too long."""

    name: str
    sentence: str
    every: timedelta
    last_started_at: datetime | None
    last_state: str | None
    last_items: int | None
    last_note: str | None
    last_done_at: datetime | None
    is_silent: bool

    @property
    def verdict(self) -> str:
        if self.last_state is None:
            return "no evidence"
        if self.last_state == "failed" or self.is_silent:
            return "fail"
        return "pass"


def leader(session: Session, now: datetime) -> str | None:
    """The process that leads at this moment; ``None``: no worker runs."""
    return session.scalar(select(JobLease.owner).where(JobLease.expires_at > now).limit(1))


def job_status(
    session: Session, jobs: Iterable[tuple[str, str, timedelta, timedelta]], now: datetime
) -> list[JobStatus]:
    """Where each job stands; ``jobs`` are name, sentence, how often, and the longest silence allowed."""
    newest = select(JobRun.job, func.max(JobRun.started_at).label("at")).group_by(JobRun.job).subquery()
    runs = {
        run.job: run
        for run in session.scalars(
            select(JobRun).join(newest, (newest.c.job == JobRun.job) & (newest.c.at == JobRun.started_at))
        )
    }
    done = session.execute(
        select(JobRun.job, func.max(JobRun.finished_at)).where(JobRun.state == "done").group_by(JobRun.job)
    )
    finished = {row[0]: row[1] for row in done}
    out = []
    for name, sentence, every, silence in jobs:
        run = runs.get(name)
        last = finished.get(name)
        out.append(
            JobStatus(
                name=name,
                sentence=sentence,
                every=every,
                last_started_at=run.started_at if run else None,
                last_state=run.state if run else None,
                last_items=run.items if run else None,
                last_note=run.note if run else None,
                last_done_at=last,
                is_silent=run is not None and (last or run.started_at) < now - silence,
            )
        )
    return out

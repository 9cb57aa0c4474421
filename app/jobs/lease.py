"""Who leads? One worker at a time, by a row that has to be renewed; and each slot of a schedule runs once, whoever leads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, delete, func, select, text, update

from app.composition.jobruns import JobLease, JobRun
from app.composition.uow import Database, unit_of_work
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import Clock
from erpcore.kernel.work import UnitOfWork

#: A leader that stops without a word is replaced after this long.
LEASE = timedelta(seconds=15)
#: Runs that ended well say nothing new after this long.
_RUNS_KEPT = timedelta(days=7)
_WORKER = Actor.system("worker")

_AT = JobLease.__table__.c.expires_at.type
_TAKE = text(
    "INSERT INTO job_lease (name, owner, expires_at) VALUES (:name, :owner, :until) ON CONFLICT (name) DO UPDATE "
    "SET owner = excluded.owner, expires_at = excluded.expires_at "
    "WHERE job_lease.owner = excluded.owner OR job_lease.expires_at < :now"
).bindparams(bindparam("until", type_=_AT), bindparam("now", type_=_AT))
_CLAIM = text(
    "INSERT INTO job_run (id, job, slot, state, owner, started_at) VALUES (:id, :job, :slot, 'running', :owner, :now) "
    "ON CONFLICT (job, slot) DO NOTHING"
).bindparams(bindparam("now", type_=_AT))


@dataclass(frozen=True)
class Lease:
    """The right to lead, for one process called ``owner``."""

    database: Database
    owner: str
    clock: Clock
    name: str = "worker"

    def take(self) -> bool:
        """Take or renew the lease; false while another process holds it."""
        with unit_of_work(self.database, actor=_WORKER, clock=self.clock) as work:
            values = {"name": self.name, "owner": self.owner, "until": work.now + LEASE, "now": work.now}
            done: Any = work.session.execute(_TAKE, values)
            return bool(done.rowcount)

    def give_back(self) -> None:
        """Let the next process lead at once."""
        with unit_of_work(self.database, actor=_WORKER, clock=self.clock) as work:
            mine = update(JobLease).where(JobLease.name == self.name, JobLease.owner == self.owner)
            work.session.execute(mine.values(expires_at=work.now - timedelta(seconds=1)))

    def claim(self, job: str, slot: str) -> int | None:
        """The id of the run that now is ours; ``None`` when this slot has been taken before."""
        with unit_of_work(self.database, actor=_WORKER, clock=self.clock) as work:
            run = work.ids.one()
            values = {"id": run, "job": job, "slot": slot, "owner": self.owner, "now": work.now}
            done: Any = work.session.execute(_CLAIM, values)
            return run if done.rowcount else None

    def finish(self, run: int, *, items: int | None, error: str | None) -> None:
        """Record how a run ended."""
        with unit_of_work(self.database, actor=_WORKER, clock=self.clock) as work:
            state = "failed" if error is not None else "done"
            ended = {"state": state, "finished_at": work.now, "items": items, "note": error}
            work.session.execute(update(JobRun).where(JobRun.id == run).values(**ended))


def forget_runs(work: UnitOfWork) -> int:
    """Delete runs that ended well long ago, but for the last of each job. Returns how many."""
    last = select(func.max(JobRun.id)).where(JobRun.state == "done").group_by(JobRun.job)
    old = delete(JobRun).where(
        JobRun.state == "done", JobRun.started_at < work.now - _RUNS_KEPT, JobRun.id.not_in(last)
    )
    done: Any = work.session.execute(old)
    return int(done.rowcount)


def slot_of(at: datetime, every: timedelta) -> str:
    """The name of the slot that an instant falls into: equal for all processes, new after ``every``."""
    number = int(at.timestamp() // every.total_seconds())
    return f"{int(every.total_seconds())}s:{number}"

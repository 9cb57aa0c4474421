"""Tables of the worker: who leads, and what ran when."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from erpcore.kernel.model import Base, Key, UtcDateTime, states


class JobLease(Base):
    """Which process leads, until when. Whoever finds the lease expired may take it."""

    __tablename__ = "job_lease"
    name: Mapped[str] = mapped_column(String(48), primary_key=True)
    owner: Mapped[str] = mapped_column(String(64))
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)


class JobRun(Base):
    """One run of a job for one slot of its schedule. A slot runs once, whoever leads."""

    __tablename__ = "job_run"
    __table_args__ = (
        Index("uq_job_run_slot", "job", "slot", unique=True),
        Index("ix_job_run_started", "job", "started_at"),
        states("state", ("running", "done", "failed")),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    job: Mapped[str] = mapped_column(String(48))
    slot: Mapped[str] = mapped_column(String(32))
    state: Mapped[str] = mapped_column(String(8))
    owner: Mapped[str] = mapped_column(String(64))
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    items: Mapped[int | None] = mapped_column(Integer)
    note: Mapped[str | None] = mapped_column(Text)

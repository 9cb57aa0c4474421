"""Tables of processes: value streams, processes, their versions, and the steps of each version.

Steps are written while their version is a draft; triggers keep those of every other version as they are.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from erpcore.kernel.model import Base, Code, Key, Name, UtcDateTime, frozen_when, states
from governance.processes.flow import VersionKind, VersionState


class ValueStream(Base):
    """What customers, suppliers or the books get in the end; processes belong to one."""

    __tablename__ = "value_stream"
    __table_args__ = (UniqueConstraint("code"),)
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    code: Mapped[str] = mapped_column(Code)
    name: Mapped[str] = mapped_column(Name)
    purpose: Mapped[str] = mapped_column(Text)
    position: Mapped[int] = mapped_column(Integer)


class BusinessProcess(Base):
    """A process and who answers for it; ``owner_id`` ``None``: nobody yet."""

    __tablename__ = "business_process"
    __table_args__ = (UniqueConstraint("code"),)
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    stream_id: Mapped[int] = mapped_column(ForeignKey("value_stream.id"), index=True)
    code: Mapped[str] = mapped_column(Code)
    name: Mapped[str] = mapped_column(Name)
    purpose: Mapped[str] = mapped_column(Text)
    position: Mapped[int] = mapped_column(Integer)
    owner_id: Mapped[int | None] = mapped_column(BigInteger)
    version: Mapped[int] = mapped_column(Integer)


class ProcessVersion(Base):
    """One version of a process. ``fingerprint`` is the SHA-256 of its steps as they were handed in."""

    __tablename__ = "process_version"
    __table_args__ = (
        UniqueConstraint("process_id", "number"),
        states("kind", VersionKind),
        states("state", VersionState),
        CheckConstraint("approved_by IS NULL OR approved_by <> author_id", name="four_eyes"),
        CheckConstraint("approved_by IS NULL OR approved_by <> submitted_by", name="six_eyes"),
        CheckConstraint("state IN ('draft', 'withdrawn') OR fingerprint IS NOT NULL", name="handed_in"),
        CheckConstraint("state NOT IN ('approved', 'live') OR approved_by IS NOT NULL", name="approved_by_somebody"),
        CheckConstraint("state <> 'live' OR kind = 'to_be'", name="live_was_designed"),
        Index("ix_process_version_live", "process_id", unique=True, sqlite_where=text("state = 'live'"),
              postgresql_where=text("state = 'live'")),
    )  # fmt: skip
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    process_id: Mapped[int] = mapped_column(ForeignKey("business_process.id"))
    number: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str] = mapped_column(String(8))
    state: Mapped[str] = mapped_column(String(12))
    version: Mapped[int] = mapped_column(Integer)
    summary: Mapped[str] = mapped_column(Text)
    based_on: Mapped[int | None] = mapped_column(ForeignKey("process_version.id"))
    author_id: Mapped[int] = mapped_column(BigInteger)
    drafted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    submitted_by: Mapped[int | None] = mapped_column(BigInteger)
    submitted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    fingerprint: Mapped[str | None] = mapped_column(String(64))
    approved_by: Mapped[int | None] = mapped_column(BigInteger)
    approved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    live_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    retired_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ProcessStep(Base):
    """A step of a version. ``inputs``, ``decisions``, ``measures`` and ``points`` are JSON lists of texts."""

    __tablename__ = "process_step"
    __table_args__ = (UniqueConstraint("version_id", "code"), Index("ix_process_step_code", "code"))
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    version_id: Mapped[int] = mapped_column(ForeignKey("process_version.id"))
    position: Mapped[int] = mapped_column(Integer)
    code: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(120))
    role: Mapped[str] = mapped_column(String(64))
    owner: Mapped[str] = mapped_column(String(64))
    system: Mapped[str] = mapped_column(String(120))
    trigger: Mapped[str] = mapped_column(Text)
    standard: Mapped[str] = mapped_column(Text)
    level: Mapped[str] = mapped_column(Text)
    otherwise: Mapped[str] = mapped_column(Text)
    inputs: Mapped[str] = mapped_column(Text)
    decisions: Mapped[str] = mapped_column(Text)
    approval: Mapped[str] = mapped_column(Text)
    measures: Mapped[str] = mapped_column(Text)
    automation: Mapped[str] = mapped_column(Text)
    points: Mapped[str] = mapped_column(Text)
    reference: Mapped[str] = mapped_column(String(24))


class StepException(Base):
    """A documented exception path of a step. ``actions`` is a JSON list: what is done, in order."""

    __tablename__ = "step_exception"
    __table_args__ = (UniqueConstraint("step_id", "code"),)
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    step_id: Mapped[int] = mapped_column(ForeignKey("process_step.id"))
    position: Mapped[int] = mapped_column(Integer)
    code: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(Text)
    occasion: Mapped[str] = mapped_column(Text)
    actions: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(String(64))
    approval: Mapped[str] = mapped_column(Text)
    otherwise: Mapped[str] = mapped_column(Text)


class StepHandOff(Base):
    """What a step passes on, and to which step by its full code, which may be of another process."""

    __tablename__ = "step_hand_off"
    __table_args__ = (UniqueConstraint("step_id", "to_step"), Index("ix_step_hand_off_to", "to_step"))
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    step_id: Mapped[int] = mapped_column(ForeignKey("process_step.id"))
    position: Mapped[int] = mapped_column(Integer)
    to_step: Mapped[str] = mapped_column(String(81))
    what: Mapped[str] = mapped_column(Text)


_OF_STEP = (
    "EXISTS (SELECT 1 FROM process_step s JOIN process_version v ON v.id = s.version_id "
    "WHERE s.id = OLD.step_id AND v.state <> 'draft')"
)
frozen_when(ProcessStep, "EXISTS (SELECT 1 FROM process_version v WHERE v.id = OLD.version_id AND v.state <> 'draft')")
frozen_when(StepException, _OF_STEP)
frozen_when(StepHandOff, _OF_STEP)

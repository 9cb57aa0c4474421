"""Tables of waves: what goes live together and when, and the grants under which the core transacts.

Sites and channels are the live ones, by id.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from erpcore.kernel.model import Base, Code, Key, Name, UtcDateTime, states
from erpcore.ports import Process
from readiness.waves.flow import GrantState, WaveState


class GrantSource(StrEnum):
    """Opened by a go, or recorded for what ran before the programme."""

    DECISION = "decision"
    ALREADY_LIVE = "already_live"


class Wave(Base):
    """Cells and processes that go live together. Days are those of ``time_zone``, the zone of its leading site."""

    __tablename__ = "wave"
    __table_args__ = (
        UniqueConstraint("code"),
        states("state", WaveState),
        CheckConstraint("hypercare_until > go_live_on", name="dates"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    programme_id: Mapped[int] = mapped_column(BigInteger, index=True)
    code: Mapped[str] = mapped_column(Code)
    name: Mapped[str] = mapped_column(Name)
    state: Mapped[str] = mapped_column(String(16))
    version: Mapped[int] = mapped_column(Integer)
    owner_id: Mapped[int] = mapped_column(BigInteger)
    time_zone: Mapped[str] = mapped_column(String(48))
    go_live_on: Mapped[date] = mapped_column(Date)
    hypercare_until: Mapped[date] = mapped_column(Date)
    live_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class WaveDependency(Base):
    """A wave that another one waits for, and why."""

    __tablename__ = "wave_dependency"
    wave_id: Mapped[int] = mapped_column(ForeignKey("wave.id"), primary_key=True, autoincrement=False)
    depends_on_id: Mapped[int] = mapped_column(ForeignKey("wave.id"), primary_key=True, autoincrement=False)
    why: Mapped[str] = mapped_column(Text)


class BlackoutWindow(Base):
    """Days on which nothing of the programme, or of one wave, goes live: from ``starts_on`` until before ``ends_on``."""

    __tablename__ = "blackout_window"
    __table_args__ = (CheckConstraint("ends_on > starts_on", name="dates"),)
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    programme_id: Mapped[int] = mapped_column(BigInteger, index=True)
    wave_id: Mapped[int | None] = mapped_column(ForeignKey("wave.id"))
    name: Mapped[str] = mapped_column(Name)
    starts_on: Mapped[date] = mapped_column(Date)
    ends_on: Mapped[date] = mapped_column(Date)


class WaveScope(Base):
    """One cell, process and customer group (``None``: all) that the wave brings live."""

    __tablename__ = "wave_scope"
    __table_args__ = (
        states("process", Process),
        Index("ix_wave_scope_wave", "wave_id"),
        Index("ix_wave_scope_cell", "site_id", "channel_id"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    wave_id: Mapped[int] = mapped_column(ForeignKey("wave.id"))
    site_id: Mapped[int] = mapped_column(BigInteger)
    channel_id: Mapped[int] = mapped_column(BigInteger)
    process: Mapped[str] = mapped_column(String(24))
    customer_group_id: Mapped[int | None] = mapped_column(BigInteger)


class Grant(Base):
    """The core may transact live in a cell for a process and customer group (``None``: all) from ``opens_at`` on."""

    __tablename__ = "cell_grant"
    __table_args__ = (
        states("state", GrantState),
        states("source", GrantSource),
        states("process", Process),
        CheckConstraint(
            "(source = 'decision' AND decision_id IS NOT NULL AND wave_id IS NOT NULL)"
            " OR (source = 'already_live' AND decision_id IS NULL AND reason IS NOT NULL)",
            name="source_named",
        ),
        Index("ix_cell_grant_wave", "wave_id"),
        Index("ix_cell_grant_cell", "site_id", "channel_id", "process"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    wave_id: Mapped[int | None] = mapped_column(ForeignKey("wave.id"))
    decision_id: Mapped[int | None] = mapped_column(BigInteger)
    site_id: Mapped[int] = mapped_column(BigInteger)
    channel_id: Mapped[int] = mapped_column(BigInteger)
    process: Mapped[str] = mapped_column(String(24))
    customer_group_id: Mapped[int | None] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(String(12))
    version: Mapped[int] = mapped_column(Integer)
    source: Mapped[str] = mapped_column(String(12))
    reason: Mapped[str | None] = mapped_column(Text)
    opened_by: Mapped[int] = mapped_column(BigInteger)
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    opens_at: Mapped[datetime] = mapped_column(UtcDateTime)
    drain_started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class WaveRegister(Base):
    """A word that changes with every change to waves, scopes or grants. Always one row."""

    __tablename__ = "wave_register"
    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    revision: Mapped[str] = mapped_column(String(32))

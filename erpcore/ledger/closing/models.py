"""Closing the books of a period: what has to be done, what was found, and what was taken as it is."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from erpcore.kernel.model import Base, Key, Name, UtcDateTime, append_only, states


class ClosingState(StrEnum):
    """``soft``: only Finance posts on its days; ``locked``: nobody does."""

    OPEN = "open"
    SOFT = "soft"
    LOCKED = "locked"


class Closing(Base):
    """The closing of a company's days from ``begins_on`` on, before ``until``."""

    __tablename__ = "closing"
    __table_args__ = (
        UniqueConstraint("entity_id", "until"),
        states("state", ClosingState),
        CheckConstraint("begins_on < until", name="has_days"),
        CheckConstraint("(state = 'locked') = (locked_at IS NOT NULL)", name="locked_dated"),
        Index("ix_closing_state", "state", "id"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.id"))
    begins_on: Mapped[date] = mapped_column(Date)
    until: Mapped[date] = mapped_column(Date)
    state: Mapped[str] = mapped_column(String(8))
    started_by: Mapped[int] = mapped_column(BigInteger)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    checked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    locked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column(Integer)


class ClosingTask(Base):
    """One thing that somebody does before the books are locked. Done, it says what it rests on: a note, a journal by hand, or both."""

    __tablename__ = "closing_task"
    __table_args__ = (
        UniqueConstraint("closing_id", "position"),
        CheckConstraint("(done_at IS NULL) = (done_by IS NULL)", name="done_by_somebody"),
        CheckConstraint("done_at IS NULL OR evidence IS NOT NULL OR journal_id IS NOT NULL", name="rests_on_something"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    closing_id: Mapped[int] = mapped_column(ForeignKey("closing.id"))
    position: Mapped[int] = mapped_column(SmallInteger)
    name: Mapped[str] = mapped_column(Name)
    owner_id: Mapped[int | None] = mapped_column(BigInteger)
    due_on: Mapped[date] = mapped_column(Date)
    evidence: Mapped[str | None] = mapped_column(Text)
    journal_id: Mapped[int | None] = mapped_column(ForeignKey("manual_journal.id"))
    done_by: Mapped[int | None] = mapped_column(BigInteger)
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ClosingFinding(Base):
    """What a check found: written when it differs from what the same check found before. The newest of a name counts."""

    __tablename__ = "closing_finding"
    __table_args__ = (Index("ix_closing_finding_closing", "closing_id", "name", "id"),)
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    closing_id: Mapped[int] = mapped_column(ForeignKey("closing.id"))
    name: Mapped[str] = mapped_column(String(32))
    agrees: Mapped[bool] = mapped_column(Boolean)
    found: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class ClosingAcceptance(Base):
    """Somebody with authority takes a finding as it is, with a reason; of another finding of the same check it says nothing."""

    __tablename__ = "closing_acceptance"
    finding_id: Mapped[int] = mapped_column(ForeignKey("closing_finding.id"), primary_key=True, autoincrement=False)
    reason: Mapped[str] = mapped_column(Text)
    accepted_by: Mapped[int] = mapped_column(BigInteger)
    accepted_at: Mapped[datetime] = mapped_column(UtcDateTime)


append_only(ClosingFinding, ClosingAcceptance)

"""Tables of the programme: its cells by ids, its governance bodies and who sits on them.

Sites, channels and people are known by id alone; names are learnt where they are shown.
"""

from __future__ import annotations

from datetime import date, datetime, time

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
    Time,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from erpcore.kernel.model import Base, Code, Key, Name, UtcDateTime, states
from governance.programme.kinds import BodyKind, Rhythm


class Programme(Base):
    """A rollout: what it is for, and from when to when."""

    __tablename__ = "programme"
    __table_args__ = (
        UniqueConstraint("code"),
        CheckConstraint("ends_on IS NULL OR ends_on > starts_on", name="dates"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    code: Mapped[str] = mapped_column(Code)
    name: Mapped[str] = mapped_column(Name)
    purpose: Mapped[str] = mapped_column(Text)
    starts_on: Mapped[date] = mapped_column(Date)
    ends_on: Mapped[date | None] = mapped_column(Date)


class ProgrammeCell(Base):
    """A live site and a channel that the programme rolls out."""

    __tablename__ = "programme_cell"
    __table_args__ = (UniqueConstraint("programme_id", "site_id", "channel_id"),)
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    programme_id: Mapped[int] = mapped_column(ForeignKey("programme.id"))
    site_id: Mapped[int] = mapped_column(BigInteger)
    channel_id: Mapped[int] = mapped_column(BigInteger)


class Body(Base):
    """Who decides together: mandate, and the rule of its votes as shares of seats and of votes cast.

    ``quorum`` and ``majority`` are numerator and denominator, since two thirds have no decimal.
    """

    __tablename__ = "governance_body"
    __table_args__ = (
        UniqueConstraint("programme_id", "code"),
        states("kind", BodyKind),
        CheckConstraint("quorum_of > 0 AND quorum_seats > 0 AND quorum_seats <= quorum_of", name="quorum"),
        CheckConstraint("majority_of > 0 AND majority_votes > 0 AND majority_votes <= majority_of", name="majority"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    programme_id: Mapped[int] = mapped_column(ForeignKey("programme.id"))
    code: Mapped[str] = mapped_column(Code)
    name: Mapped[str] = mapped_column(Name)
    kind: Mapped[str] = mapped_column(String(24))
    mandate: Mapped[str] = mapped_column(Text)
    quorum_seats: Mapped[int] = mapped_column(Integer)
    quorum_of: Mapped[int] = mapped_column(Integer)
    majority_votes: Mapped[int] = mapped_column(Integer)
    majority_of: Mapped[int] = mapped_column(Integer)


class Seat(Base):
    """One vote of a body, for a function ("Finance"). ``person_id`` ``None``: vacant. ``ended_at``: abolished."""

    __tablename__ = "seat"
    __table_args__ = (Index("ix_seat_person", "person_id"),)
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    body_id: Mapped[int] = mapped_column(ForeignKey("governance_body.id"), index=True)
    position: Mapped[int] = mapped_column(Integer)
    function: Mapped[str] = mapped_column(String(80))
    person_id: Mapped[int | None] = mapped_column(BigInteger)
    is_chair: Mapped[bool] = mapped_column(Boolean)
    is_mandatory: Mapped[bool] = mapped_column(Boolean)
    has_veto: Mapped[bool] = mapped_column(Boolean)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Delegation(Base):
    """Who stands in for a seat from ``valid_from`` until before ``valid_until``."""

    __tablename__ = "delegation"
    __table_args__ = (
        Index("ix_delegation_delegate", "delegate_id"),
        CheckConstraint("valid_until > valid_from", name="validity"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    seat_id: Mapped[int] = mapped_column(ForeignKey("seat.id"), index=True)
    delegate_id: Mapped[int] = mapped_column(BigInteger)
    valid_from: Mapped[datetime] = mapped_column(UtcDateTime)
    valid_until: Mapped[datetime] = mapped_column(UtcDateTime)
    reason: Mapped[str] = mapped_column(Text)
    recorded_by: Mapped[int] = mapped_column(BigInteger)


class MeetingSeries(Base):
    """When a body meets again and again: local times of one zone, so that ten o'clock stays ten o'clock.

    ``weekday`` 0 is Monday; ``week`` 1 to 4 or 5, the last, of the month where it meets monthly. ``ended_on``: it meets no more
    after that day, and what was in calendars beyond is called off. ``sequence`` grows with each change that calendars must learn.
    """

    __tablename__ = "meeting_series"
    __table_args__ = (
        UniqueConstraint("uid"),
        states("rhythm", Rhythm),
        CheckConstraint("weekday BETWEEN 0 AND 6", name="weekday"),
        CheckConstraint("week IS NULL OR week BETWEEN 1 AND 5", name="week"),
        CheckConstraint("(rhythm = 'monthly') = (week IS NOT NULL)", name="week_of_month"),
        CheckConstraint("minutes > 0", name="minutes"),
        CheckConstraint("until_on IS NULL OR until_on >= first_on", name="days"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    body_id: Mapped[int] = mapped_column(ForeignKey("governance_body.id"), index=True)
    uid: Mapped[str] = mapped_column(String(36))
    title: Mapped[str] = mapped_column(Name)
    agenda: Mapped[str] = mapped_column(Text)
    place: Mapped[str] = mapped_column(Name)
    rhythm: Mapped[str] = mapped_column(String(12))
    weekday: Mapped[int] = mapped_column(SmallInteger)
    week: Mapped[int | None] = mapped_column(SmallInteger)
    begins_at: Mapped[time] = mapped_column(Time)
    minutes: Mapped[int] = mapped_column(Integer)
    time_zone: Mapped[str] = mapped_column(String(48))
    first_on: Mapped[date] = mapped_column(Date)
    until_on: Mapped[date | None] = mapped_column(Date)
    ended_on: Mapped[date | None] = mapped_column(Date)
    sequence: Mapped[int] = mapped_column(Integer)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Meeting(Base):
    """When a body meets, and what for: once, or in place of the day ``series_on`` of a series.

    ``uid`` is what calendar programs know it by, ``sequence`` grows with each change, and ``cancelled_at`` keeps it as called off.
    """

    __tablename__ = "meeting"
    __table_args__ = (
        CheckConstraint("ends_at > starts_at", name="times"),
        CheckConstraint("(series_id IS NULL) = (series_on IS NULL)", name="series_day"),
        UniqueConstraint("uid"),
        UniqueConstraint("series_id", "series_on"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    body_id: Mapped[int] = mapped_column(ForeignKey("governance_body.id"), index=True)
    title: Mapped[str] = mapped_column(Name)
    starts_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime)
    agenda: Mapped[str] = mapped_column(Text)
    place: Mapped[str] = mapped_column(Name)
    uid: Mapped[str] = mapped_column(String(48))
    sequence: Mapped[int] = mapped_column(Integer)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    series_id: Mapped[int | None] = mapped_column(ForeignKey("meeting_series.id"))
    series_on: Mapped[date | None] = mapped_column(Date)
    cancelled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reason: Mapped[str] = mapped_column(Text)

"""Tables of the interim state: who masters what in a wave, and the interfaces that live only until the old systems are off."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from erpcore.kernel.model import Base, Key, Name, UtcDateTime, states
from governance.interim.kinds import Direction, LinkKind, Master


class InterimLink(Base):
    """Who masters a process, a step of it (``process.step``) or a data domain in a wave while the old systems still run."""

    __tablename__ = "interim_link"
    __table_args__ = (
        UniqueConstraint("wave_id", "kind", "code"),
        states("kind", LinkKind),
        states("master", Master),
        CheckConstraint("master <> 'both' OR rule <> ''", name="both_by_rule"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    wave_id: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(String(8))
    code: Mapped[str] = mapped_column(String(100))
    master: Mapped[str] = mapped_column(String(8))
    rule: Mapped[str] = mapped_column(Text)
    evidence: Mapped[str] = mapped_column(Text)
    version: Mapped[int] = mapped_column(Integer)
    mapped_by: Mapped[int] = mapped_column(BigInteger)
    mapped_at: Mapped[datetime] = mapped_column(UtcDateTime)


class InterimInterface(Base):
    """A temporary interface of a link: what it carries which way, who looks after it, until when, and what follows when it stops."""

    __tablename__ = "interim_interface"
    __table_args__ = (
        UniqueConstraint("link_id", "name"),
        states("direction", Direction),
        CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="ended_by_somebody"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    link_id: Mapped[int] = mapped_column(ForeignKey("interim_link.id"))
    name: Mapped[str] = mapped_column(Name)
    direction: Mapped[str] = mapped_column(String(12))
    frequency: Mapped[str] = mapped_column(String(120))
    owner_id: Mapped[int | None] = mapped_column(BigInteger)
    ends_on: Mapped[date] = mapped_column(Date)
    when_it_stops: Mapped[str] = mapped_column(Text)
    version: Mapped[int] = mapped_column(Integer)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_by: Mapped[int | None] = mapped_column(BigInteger)

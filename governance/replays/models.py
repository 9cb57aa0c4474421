"""Tables of replays: what was asked for with its progress, and the record of what came of it, which never changes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, SmallInteger, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from erpcore.kernel.model import Base, Code, Key, UtcDateTime, append_only, states
from governance.replays.flow import ReplayState

_OPEN = text("state IN ('waiting', 'running')")


class VariantReplay(Base):
    """Orders captured from ``period_from`` until before ``period_until``, the newest ``most`` of them, to be replayed.

    ``proposal`` hashes what the variant would change, so that a record says by itself when the variant asks for something
    else. ``steps`` are parts of the work, of both sides; ``beat_at`` tells a slow worker from a killed one.
    """

    __tablename__ = "variant_replay"
    __table_args__ = (
        states("state", ReplayState),
        CheckConstraint("period_until > period_from", name="period"),
        CheckConstraint("most > 0", name="most_positive"),
        Index("ix_variant_replay_variant", "variant_id", "id"),
        Index("uq_variant_replay_open", "variant_id", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    variant_id: Mapped[int] = mapped_column(ForeignKey("variant.id"))
    variant_version: Mapped[int] = mapped_column(Integer)
    proposal: Mapped[str] = mapped_column(String(64))
    period_from: Mapped[datetime] = mapped_column(UtcDateTime)
    period_until: Mapped[datetime] = mapped_column(UtcDateTime)
    most: Mapped[int] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(String(8))
    asked_by: Mapped[int] = mapped_column(BigInteger)
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    begun_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    beat_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    tries: Mapped[int] = mapped_column(SmallInteger)
    steps: Mapped[int] = mapped_column(Integer)
    steps_done: Mapped[int] = mapped_column(Integer)
    note: Mapped[str | None] = mapped_column(Text)


class ReplayRecord(Base):
    """What came of a replay. ``inputs`` hashes all that both sides started from; ``figures`` is JSON of both sides;
    ``revision`` is the register's as it was, so that a standard that changed since is seen.
    """

    __tablename__ = "variant_replay_record"
    replay_id: Mapped[int] = mapped_column(
        ForeignKey("variant_replay.id"), primary_key=True, autoincrement=False
    )  # fmt: skip
    inputs: Mapped[str] = mapped_column(String(64))
    revision: Mapped[str] = mapped_column(String(32))
    orders: Mapped[int] = mapped_column(Integer)
    lines: Mapped[int] = mapped_column(Integer)
    differing: Mapped[int] = mapped_column(Integer)
    figures: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ReplayOrder(Base):
    """An order that went another way: JSON of what differs and why. ``order_id`` is the real order that was replayed."""

    __tablename__ = "variant_replay_order"
    replay_id: Mapped[int] = mapped_column(ForeignKey("variant_replay.id"), primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    order_id: Mapped[int] = mapped_column(BigInteger)
    number: Mapped[str] = mapped_column(Code)
    differs: Mapped[str] = mapped_column(Text)


append_only(ReplayRecord, ReplayOrder)

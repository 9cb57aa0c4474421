"""Tables of the RAID register: the entries, how they were judged each time, what they touch, and what is done about them.

Sites, waves, processes and people are known by id or code alone; names are learnt where they are shown.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import (
    BigInteger,
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

from erpcore.kernel.model import Base, Key, Name, Scaled, UtcDateTime, append_only, states
from governance.risks.flow import ActionState, EntryKind, EntryState, Layer, LinkKind, Response, Side


class RaidNumber(Base):
    """The last number of each kind of entry."""

    __tablename__ = "raid_number"
    __table_args__ = (states("kind", EntryKind),)
    kind: Mapped[str] = mapped_column(String(12), primary_key=True)
    last: Mapped[int] = mapped_column(Integer)


class RaidEntry(Base):
    """A risk, an assumption, an issue or a dependency.

    ``site_id``, ``wave_id``, ``process`` ``None``: it is bound to none. ``score_limit``: a risk whose probability × impact reaches it is
    triggered. ``figure``, ``side``, ``figure_limit``: a figure of the catalogue that triggers the entry beyond the limit, in base units.
    ``body_id``: who hears of it when the owner does not get on. ``concern_since``: since when it is late or triggered, as the register
    noticed; ``escalates_at``: when the next body hears of it; ``level``: how many have; ``escalated_to``: the last of them.
    """

    __tablename__ = "raid_entry"
    __table_args__ = (
        UniqueConstraint("code"),
        states("kind", EntryKind),
        states("state", EntryState),
        states("layer", Layer),
        states("response", Response),
        states("side", Side),
        CheckConstraint("probability BETWEEN 1 AND 5", name="probability"),
        CheckConstraint("impact BETWEEN 1 AND 5", name="impact"),
        CheckConstraint("(kind = 'risk') = (probability IS NOT NULL)", name="risk_is_likely"),
        CheckConstraint("score_limit IS NULL OR kind = 'risk'", name="score_of_risk"),
        CheckConstraint(
            "(figure IS NULL) = (figure_limit IS NULL) AND (figure IS NULL) = (side IS NULL)", name="figure_has_limit"
        ),
        CheckConstraint("(level = 0) = (escalated_to IS NULL)", name="escalated_to_somebody"),
        CheckConstraint("(state = 'turned') = (turned_into IS NOT NULL)", name="turned_into_something"),
        Index("ix_raid_entry_state", "state", "due_on"),
        Index("ix_raid_entry_owner", "owner_id", "state"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(12))
    code: Mapped[str] = mapped_column(String(16))
    title: Mapped[str] = mapped_column(Name)
    cause: Mapped[str] = mapped_column(Text)
    statement: Mapped[str] = mapped_column(Text)
    effect: Mapped[str] = mapped_column(Text)
    needed_by: Mapped[str] = mapped_column(Name)
    needed_from: Mapped[str] = mapped_column(Name)
    layer: Mapped[str] = mapped_column(String(12))
    probability: Mapped[int | None] = mapped_column(SmallInteger)
    impact: Mapped[int] = mapped_column(SmallInteger)
    response: Mapped[str | None] = mapped_column(String(12))
    plan: Mapped[str] = mapped_column(Text)
    score_limit: Mapped[int | None] = mapped_column(SmallInteger)
    figure: Mapped[str | None] = mapped_column(String(80))
    side: Mapped[str | None] = mapped_column(String(8))
    figure_limit: Mapped[Decimal | None] = mapped_column(Scaled(6))
    owner_id: Mapped[int] = mapped_column(BigInteger)
    body_id: Mapped[int] = mapped_column(BigInteger)
    due_on: Mapped[date] = mapped_column(Date)
    review_days: Mapped[int] = mapped_column(Integer)
    next_review_on: Mapped[date] = mapped_column(Date)
    escalation_hours: Mapped[int] = mapped_column(Integer)
    wave_id: Mapped[int | None] = mapped_column(BigInteger, index=True)
    site_id: Mapped[int | None] = mapped_column(BigInteger)
    process: Mapped[str | None] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(12))
    version: Mapped[int] = mapped_column(Integer)
    raised_by: Mapped[int] = mapped_column(BigInteger)
    raised_at: Mapped[datetime] = mapped_column(UtcDateTime)
    triggered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    concern_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    escalates_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    level: Mapped[int] = mapped_column(SmallInteger)
    escalated_to: Mapped[int | None] = mapped_column(BigInteger)
    turned_from: Mapped[int | None] = mapped_column(ForeignKey("raid_entry.id"))
    turned_into: Mapped[int | None] = mapped_column(ForeignKey("raid_entry.id"))


class RaidAssessment(Base):
    """How somebody judged an entry at one time; the entry shows the last."""

    __tablename__ = "raid_assessment"
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entry_id: Mapped[int] = mapped_column(ForeignKey("raid_entry.id"), index=True)
    probability: Mapped[int | None] = mapped_column(SmallInteger)
    impact: Mapped[int] = mapped_column(SmallInteger)
    note: Mapped[str] = mapped_column(Text)
    by: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


append_only(RaidAssessment)


class RaidLink(Base):
    """What an entry touches: a step of a process or a policy point, by its code."""

    __tablename__ = "raid_link"
    __table_args__ = (
        states("kind", LinkKind),
        UniqueConstraint("entry_id", "kind", "target"),
        Index("ix_raid_link_target", "kind", "target"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entry_id: Mapped[int] = mapped_column(ForeignKey("raid_entry.id"))
    kind: Mapped[str] = mapped_column(String(16))
    target: Mapped[str] = mapped_column(String(81))


class RaidAction(Base):
    """Something that somebody does about an entry until a day."""

    __tablename__ = "raid_action"
    __table_args__ = (states("state", ActionState), Index("ix_raid_action_owner", "owner_id", "state"))
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    entry_id: Mapped[int] = mapped_column(ForeignKey("raid_entry.id"), index=True)
    title: Mapped[str] = mapped_column(Name)
    owner_id: Mapped[int] = mapped_column(BigInteger)
    due_on: Mapped[date] = mapped_column(Date)
    state: Mapped[str] = mapped_column(String(8))
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    note: Mapped[str] = mapped_column(Text)

"""Tables of decisions: what was asked, on which evidence, by which rule and seats, who voted what and why.

Once a vote is open, everything it stands on is a copy: rule, seats, snapshots. Votes are appended; the last of a seat counts.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from erpcore.kernel.model import Base, Key, Name, UtcDateTime, append_only, states
from governance.decisions.flow import ConditionState, DecisionState
from governance.decisions.kinds import DecisionKind
from governance.decisions.rules import Choice, Outcome
from governance.programme import models as _programme  # noqa: F401 - the body it names is a row of the programme


class Decision(Base):
    """A question put to a body about a wave.

    ``terms`` counts what the vote is about: new evidence or a new condition is a new count, and only votes cast on the
    latest terms count. ``effective_at``: when a go takes effect; ``None`` at once.
    """

    __tablename__ = "decision"
    __table_args__ = (
        states("kind", DecisionKind),
        states("state", DecisionState),
        CheckConstraint(
            f"outcome IS NULL OR outcome IN ({', '.join(repr(str(o)) for o in Outcome)})", name="outcome_known"
        ),
        CheckConstraint("state = 'draft' OR opened_at IS NOT NULL OR state = 'lapsed'", name="opened"),
        CheckConstraint("state <> 'decided' OR outcome IS NOT NULL", name="decided_has_outcome"),
        Index("ix_decision_wave", "wave_id", "state"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    programme_id: Mapped[int] = mapped_column(ForeignKey("programme.id"))
    body_id: Mapped[int] = mapped_column(ForeignKey("governance_body.id"))
    wave_id: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(String(12))
    title: Mapped[str] = mapped_column(Name)
    question: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(12), index=True)
    version: Mapped[int] = mapped_column(Integer)
    terms: Mapped[int] = mapped_column(Integer)
    binding: Mapped[int] = mapped_column(Integer)
    rule: Mapped[str | None] = mapped_column(Text)
    closes_at: Mapped[datetime] = mapped_column(UtcDateTime)
    effective_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    drafted_by: Mapped[int] = mapped_column(BigInteger)
    drafted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    opened_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    outcome: Mapped[str | None] = mapped_column(String(16))
    postponed_to: Mapped[date | None] = mapped_column(Date)
    follows_id: Mapped[int | None] = mapped_column(ForeignKey("decision.id"))


class DecisionBasis(Base):
    """One gate's evidence that a decision stands on. ``allowed`` and ``waivers`` (id, criterion, until) are JSON lists."""

    __tablename__ = "decision_basis"
    __table_args__ = (UniqueConstraint("decision_id", "binding", "gate_id"), Index("ix_decision_basis_gate", "gate_id"))
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    decision_id: Mapped[int] = mapped_column(ForeignKey("decision.id"))
    binding: Mapped[int] = mapped_column(Integer)
    gate_id: Mapped[int] = mapped_column(BigInteger)
    snapshot_id: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
    criteria_version: Mapped[int] = mapped_column(Integer)
    word: Mapped[str] = mapped_column(String(24))
    allowed: Mapped[str] = mapped_column(Text)
    waivers: Mapped[str] = mapped_column(Text)


class DecisionSeat(Base):
    """A seat as it was when the vote opened. ``person_id`` ``None``: vacant, counted and silent."""

    __tablename__ = "decision_seat"
    __table_args__ = (UniqueConstraint("decision_id", "seat_id"),)
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    decision_id: Mapped[int] = mapped_column(ForeignKey("decision.id"))
    seat_id: Mapped[int] = mapped_column(ForeignKey("seat.id"))
    position: Mapped[int] = mapped_column(Integer)
    function: Mapped[str] = mapped_column(String(80))
    person_id: Mapped[int | None] = mapped_column(BigInteger, index=True)
    delegate_id: Mapped[int | None] = mapped_column(BigInteger, index=True)
    is_chair: Mapped[bool] = mapped_column(Boolean)
    is_mandatory: Mapped[bool] = mapped_column(Boolean)
    has_veto: Mapped[bool] = mapped_column(Boolean)


class Vote(Base):
    """A vote as cast. ``waivers`` are the ids it names (JSON), ``postpone_to`` the day it wants."""

    __tablename__ = "vote"
    __table_args__ = (states("choice", Choice), Index("ix_vote_seat", "decision_seat_id", "id"))
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    decision_id: Mapped[int] = mapped_column(ForeignKey("decision.id"), index=True)
    decision_seat_id: Mapped[int] = mapped_column(ForeignKey("decision_seat.id"))
    ordinal: Mapped[int] = mapped_column(Integer)
    terms: Mapped[int] = mapped_column(Integer)
    cast_by: Mapped[int] = mapped_column(BigInteger)
    choice: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(Text)
    waivers: Mapped[str] = mapped_column(Text)
    postpone_to: Mapped[date | None] = mapped_column(Date)
    cast_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Recusal(Base):
    """A seat that takes no part, with its reason; final for this decision."""

    __tablename__ = "recusal"
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    decision_id: Mapped[int] = mapped_column(ForeignKey("decision.id"), index=True)
    decision_seat_id: Mapped[int] = mapped_column(ForeignKey("decision_seat.id"), unique=True)
    reason: Mapped[str] = mapped_column(Text)
    recorded_by: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class Attendance(Base):
    """A seat was recorded as present or absent; the last record counts."""

    __tablename__ = "attendance"
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    decision_id: Mapped[int] = mapped_column(ForeignKey("decision.id"), index=True)
    decision_seat_id: Mapped[int] = mapped_column(ForeignKey("decision_seat.id"))
    ordinal: Mapped[int] = mapped_column(Integer)
    is_present: Mapped[bool] = mapped_column(Boolean)
    recorded_by: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class Condition(Base):
    """What a conditional go asks of somebody by a time, and how one sees that it is met."""

    __tablename__ = "decision_condition"
    __table_args__ = (states("state", ConditionState), Index("ix_decision_condition_owner", "owner_id", "state"))
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    decision_id: Mapped[int] = mapped_column(ForeignKey("decision.id"), index=True)
    position: Mapped[int] = mapped_column(Integer)
    text: Mapped[str] = mapped_column(Text)
    check_by: Mapped[str] = mapped_column(Text)
    owner_id: Mapped[int] = mapped_column(BigInteger)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    state: Mapped[str] = mapped_column(String(12))
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    settled_by: Mapped[int | None] = mapped_column(BigInteger)
    evidence: Mapped[str | None] = mapped_column(Text)


append_only(DecisionBasis, DecisionSeat, Vote, Recusal, Attendance)

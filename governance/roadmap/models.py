"""Tables of the roadmap: its phases, what closes them, and the money that this releases.

What people state, what a body saw, what was released and what was spent is history: it is added to and never changed.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

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
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from erpcore.kernel.model import Base, Code, Key, Name, Scaled, UtcDateTime, append_only, states
from governance.programme import models as _programme  # noqa: F401 - phases and tranches name their programme
from governance.roadmap.kinds import MoneyKind, PhaseCode, PhaseState

_CURRENT = text("state = 'current'")


class RoadmapPhase(Base):
    """A phase of a programme. ``version`` rises with what its stage gate asks and with every statement; ``request_id`` closed it."""

    __tablename__ = "roadmap_phase"
    __table_args__ = (
        UniqueConstraint("programme_id", "position"),
        UniqueConstraint("programme_id", "code"),
        states("code", PhaseCode),
        states("state", PhaseState),
        CheckConstraint("ends_on > starts_on", name="dates"),
        CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name="closed_known"),
        CheckConstraint("(state = 'closed') = (request_id IS NOT NULL)", name="closed_by_decision"),
        Index(
            "uq_roadmap_phase_current", "programme_id", unique=True, sqlite_where=_CURRENT, postgresql_where=_CURRENT
        ),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    programme_id: Mapped[int] = mapped_column(ForeignKey("programme.id"))
    position: Mapped[int] = mapped_column(SmallInteger)
    code: Mapped[str] = mapped_column(String(12))
    starts_on: Mapped[date] = mapped_column(Date)
    ends_on: Mapped[date] = mapped_column(Date)
    state: Mapped[str] = mapped_column(String(8))
    version: Mapped[int] = mapped_column(Integer)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    request_id: Mapped[int | None] = mapped_column(BigInteger)


class StageCriterion(Base):
    """What must hold before a phase closes: a figure against a mark, or, without a figure, what its owner states."""

    __tablename__ = "stage_criterion"
    __table_args__ = (
        UniqueConstraint("phase_id", "code"),
        CheckConstraint("(figure IS NULL) = (pass_mark IS NULL)", name="mark_known"),
        CheckConstraint("(figure IS NULL) = (realm IS NULL)", name="realm_known"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    phase_id: Mapped[int] = mapped_column(ForeignKey("roadmap_phase.id"))
    code: Mapped[str] = mapped_column(Code)
    title: Mapped[str] = mapped_column(Name)
    figure: Mapped[str | None] = mapped_column(String(80))
    realm: Mapped[str | None] = mapped_column(String(12))
    pass_mark: Mapped[Decimal | None] = mapped_column(Scaled(6))
    owner_id: Mapped[int] = mapped_column(BigInteger)
    removed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class StageStatement(Base):
    """What the owner of a criterion states; the last one counts."""

    __tablename__ = "stage_statement"
    __table_args__ = (Index("ix_stage_statement_criterion", "criterion_id"),)
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    criterion_id: Mapped[int] = mapped_column(ForeignKey("stage_criterion.id"))
    holds: Mapped[bool] = mapped_column(Boolean)
    statement: Mapped[str] = mapped_column(Text)
    stated_by: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class StageEvidence(Base):
    """What the body was shown when it was asked: canonical JSON with its fingerprint."""

    __tablename__ = "stage_evidence"
    __table_args__ = (Index("ix_stage_evidence_phase", "phase_id"),)
    request_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    phase_id: Mapped[int] = mapped_column(ForeignKey("roadmap_phase.id"))
    sha256: Mapped[str] = mapped_column(String(64))
    content: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class Tranche(Base):
    """Money that the stage gate of a phase releases, in minor units."""

    __tablename__ = "tranche"
    __table_args__ = (UniqueConstraint("phase_id", "code"), CheckConstraint("amount_minor > 0", name="amount"))
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    phase_id: Mapped[int] = mapped_column(ForeignKey("roadmap_phase.id"))
    code: Mapped[str] = mapped_column(Code)
    title: Mapped[str] = mapped_column(Name)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    planned_by: Mapped[int] = mapped_column(BigInteger)
    planned_at: Mapped[datetime] = mapped_column(UtcDateTime)


class TrancheWithdrawal(Base):
    """That a tranche was planned in error, or is no longer wanted: no stage gate releases it."""

    __tablename__ = "tranche_withdrawal"
    tranche_id: Mapped[int] = mapped_column(ForeignKey("tranche.id"), primary_key=True, autoincrement=False)
    reason: Mapped[str] = mapped_column(Text)
    withdrawn_by: Mapped[int] = mapped_column(BigInteger)
    withdrawn_at: Mapped[datetime] = mapped_column(UtcDateTime)


class TrancheRelease(Base):
    """That a tranche is released, once, by the decision that closed its phase."""

    __tablename__ = "tranche_release"
    tranche_id: Mapped[int] = mapped_column(ForeignKey("tranche.id"), primary_key=True, autoincrement=False)
    request_id: Mapped[int] = mapped_column(BigInteger)
    released_at: Mapped[datetime] = mapped_column(UtcDateTime)


class MoneyLine(Base):
    """A line of the business case, of a wave or (``None``) of the programme; a correction is another line."""

    __tablename__ = "business_money"
    __table_args__ = (Index("ix_business_money_programme", "programme_id"), states("kind", MoneyKind))
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    programme_id: Mapped[int] = mapped_column(ForeignKey("programme.id"))
    wave_id: Mapped[int | None] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(String(8))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    on: Mapped[date] = mapped_column("on_day", Date)
    note: Mapped[str] = mapped_column(Text)
    recorded_by: Mapped[int] = mapped_column(BigInteger)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Benefit(Base):
    """What the programme is to bring: a figure from its baseline to a target by a day, what that is worth a year, and who answers."""

    __tablename__ = "benefit"
    __table_args__ = (UniqueConstraint("programme_id", "code"),)
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    programme_id: Mapped[int] = mapped_column(ForeignKey("programme.id"))
    code: Mapped[str] = mapped_column(Code)
    title: Mapped[str] = mapped_column(Name)
    figure: Mapped[str] = mapped_column(String(80))
    target: Mapped[Decimal] = mapped_column(Scaled(6))
    proof_on: Mapped[date] = mapped_column(Date)
    worth_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    owner_id: Mapped[int] = mapped_column(BigInteger)
    planned_by: Mapped[int] = mapped_column(BigInteger)
    planned_at: Mapped[datetime] = mapped_column(UtcDateTime)


class BenefitWithdrawal(Base):
    """That a benefit is no longer expected, and why."""

    __tablename__ = "benefit_withdrawal"
    benefit_id: Mapped[int] = mapped_column(ForeignKey("benefit.id"), primary_key=True, autoincrement=False)
    reason: Mapped[str] = mapped_column(Text)
    withdrawn_by: Mapped[int] = mapped_column(BigInteger)
    withdrawn_at: Mapped[datetime] = mapped_column(UtcDateTime)


append_only(
    StageStatement, StageEvidence, Tranche, TrancheWithdrawal, TrancheRelease, MoneyLine, Benefit, BenefitWithdrawal
)

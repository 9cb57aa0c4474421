"""Tables of gates: templates, criteria with their changes, attestations, waivers, and what every evaluation found.

Snapshots are history: what the committee knew can be shown later, byte by byte.
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
from readiness.gates.criteria import Basis, Evidence, Layer, Phase
from readiness.gates.flow import GateState, WaiverState
from readiness.gates.rules import GateWord
from readiness.gates.verdicts import Word
from readiness.waves import models as _waves  # noqa: F401 - a gate names its wave

#: Marks and figures in base units, as measures give them.
Mark = Scaled(6)
#: Marks of the score.
Share = Scaled(4)
Weight = Scaled(2)


class GateTemplate(Base):
    """Criteria to start a gate from; ``criteria`` is JSON, a list of specifications. A new version is a new row."""

    __tablename__ = "gate_template"
    __table_args__ = (UniqueConstraint("code", "version"), states("phase", Phase))
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    code: Mapped[str] = mapped_column(Code)
    version: Mapped[int] = mapped_column(Integer)
    name: Mapped[str] = mapped_column(Name)
    phase: Mapped[str] = mapped_column(String(12))
    pass_mark: Mapped[Decimal] = mapped_column(Share)
    warn_mark: Mapped[Decimal] = mapped_column(Share)
    waiver_body: Mapped[str] = mapped_column(Code)
    criteria: Mapped[str] = mapped_column(Text)
    saved_by: Mapped[int] = mapped_column(BigInteger)
    saved_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Gate(Base):
    """What must hold for one phase of a wave. Days are those of the wave's time zone.

    ``hold_needed`` and ``hold_level`` follow from the days at the freeze; ``fixed_dates`` is a JSON list of days.
    ``waiver_body`` grants ordinary waivers and, with ``frozen_by_body``, says who may change criteria after the freeze.
    """

    __tablename__ = "gate"
    __table_args__ = (
        UniqueConstraint("wave_id", "phase"),
        states("phase", Phase),
        states("state", GateState),
        CheckConstraint("warn_mark > 0 AND warn_mark <= pass_mark AND pass_mark <= 10000", name="marks"),
        CheckConstraint("state <> 'frozen' OR frozen_at IS NOT NULL", name="frozen_known"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    wave_id: Mapped[int] = mapped_column(ForeignKey("wave.id"))
    phase: Mapped[str] = mapped_column(String(12))
    state: Mapped[str] = mapped_column(String(12), index=True)
    version: Mapped[int] = mapped_column(Integer)
    template: Mapped[str | None] = mapped_column(String(80))
    time_zone: Mapped[str] = mapped_column(String(48))
    pass_mark: Mapped[Decimal] = mapped_column(Share)
    warn_mark: Mapped[Decimal] = mapped_column(Share)
    waiver_body: Mapped[str] = mapped_column(Code)
    criteria_version: Mapped[int] = mapped_column(Integer)
    decides_on: Mapped[date] = mapped_column(Date)
    opened_on: Mapped[date | None] = mapped_column(Date)
    fixed_dates: Mapped[str] = mapped_column(Text)
    hold_needed: Mapped[int | None] = mapped_column(SmallInteger)
    hold_level: Mapped[Decimal | None] = mapped_column(Mark)
    frozen_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    frozen_by: Mapped[int | None] = mapped_column(BigInteger)
    frozen_by_body: Mapped[str | None] = mapped_column(Code)


class GateCriterion(Base):
    """One line of a gate, as it stands. ``cells`` is a JSON list of [live site, channel], empty for the wave's own;
    ``grain`` says whether these are read one by one, by site, or together. ``removed_in``: the version without it.
    """

    __tablename__ = "gate_criterion"
    __table_args__ = (
        UniqueConstraint("gate_id", "code"),
        states("evidence", Evidence),
        states("basis", Basis),
        states("layer", Layer),
        states("grain", ("cell", "site", "all")),
        CheckConstraint("weight >= 0", name="weight_not_negative"),
        CheckConstraint("min_documents >= 1 AND min_actors >= 1 AND min_days >= 1", name="minimums"),
        CheckConstraint("(evidence = 'attestation') = (measure IS NULL)", name="measure_or_attestation"),
        CheckConstraint("measure IS NULL OR pass_mark IS NOT NULL", name="mark_known"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    gate_id: Mapped[int] = mapped_column(ForeignKey("gate.id"))
    code: Mapped[str] = mapped_column(Code)
    position: Mapped[int] = mapped_column(SmallInteger)
    title: Mapped[str] = mapped_column(Name)
    measure: Mapped[str | None] = mapped_column(String(64))
    statistic: Mapped[str | None] = mapped_column(String(24))
    measure_version: Mapped[int] = mapped_column(Integer)
    dimension: Mapped[str | None] = mapped_column(String(64))
    customer_group_id: Mapped[int | None] = mapped_column(BigInteger)
    evidence: Mapped[str] = mapped_column(String(16))
    cells: Mapped[str] = mapped_column(Text)
    grain: Mapped[str] = mapped_column(String(8))
    basis: Mapped[str] = mapped_column(String(8))
    pass_mark: Mapped[Decimal | None] = mapped_column(Mark)
    warn_mark: Mapped[Decimal | None] = mapped_column(Mark)
    baseline: Mapped[str | None] = mapped_column(Text)
    window_days: Mapped[int | None] = mapped_column(SmallInteger)
    min_documents: Mapped[int] = mapped_column(Integer)
    min_actors: Mapped[int] = mapped_column(Integer)
    min_days: Mapped[int] = mapped_column(Integer)
    weight: Mapped[Decimal] = mapped_column(Weight)
    is_key: Mapped[bool] = mapped_column(Boolean)
    is_statutory: Mapped[bool] = mapped_column(Boolean)
    must_hold: Mapped[bool] = mapped_column(Boolean)
    owner: Mapped[str] = mapped_column(String(120))
    owner_id: Mapped[int | None] = mapped_column(BigInteger)
    layer: Mapped[str] = mapped_column(String(12))
    removed_in: Mapped[int | None] = mapped_column(Integer)


class CriterionChange(Base):
    """A change of a gate's criteria: what it was and became (JSON), and whether the gate was frozen by then."""

    __tablename__ = "criterion_change"
    __table_args__ = (
        states("change", ("added", "changed", "removed", "dated")),
        Index("ix_criterion_change_gate", "gate_id"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    gate_id: Mapped[int] = mapped_column(ForeignKey("gate.id"))
    criteria_version: Mapped[int] = mapped_column(Integer)
    criterion: Mapped[str | None] = mapped_column(Code)
    change: Mapped[str] = mapped_column(String(8))
    before: Mapped[str | None] = mapped_column(Text)
    after: Mapped[str | None] = mapped_column(Text)
    is_after_freeze: Mapped[bool] = mapped_column(Boolean)
    body: Mapped[str | None] = mapped_column(Code)
    reason: Mapped[str | None] = mapped_column(Text)
    changed_by: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class AttestationRecord(Base):
    """A person's statement in place of a figure, from ``at`` until before ``until``; the last one counts."""

    __tablename__ = "attestation"
    __table_args__ = (Index("ix_attestation_gate", "gate_id", "criterion"),)
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    gate_id: Mapped[int] = mapped_column(ForeignKey("gate.id"))
    criterion: Mapped[str] = mapped_column(Code)
    ordinal: Mapped[int] = mapped_column(Integer)
    holds: Mapped[bool] = mapped_column(Boolean)
    statement: Mapped[str] = mapped_column(Text)
    document: Mapped[str | None] = mapped_column(Name)
    attested_by: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    until: Mapped[datetime | None] = mapped_column(UtcDateTime)


class WaiverRecord(Base):
    """A request to pass over a criterion until ``until``, with what is done meanwhile and by whom, and what became of it."""

    __tablename__ = "waiver"
    __table_args__ = (
        states("state", WaiverState),
        Index("ix_waiver_gate", "gate_id", "state"),
        CheckConstraint("granted_by IS NULL OR granted_by <> requested_by", name="granted_by_another"),
        CheckConstraint("state NOT IN ('granted', 'ended') OR granted_by IS NOT NULL", name="granter_known"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    gate_id: Mapped[int] = mapped_column(ForeignKey("gate.id"))
    criterion: Mapped[str] = mapped_column(Code)
    state: Mapped[str] = mapped_column(String(12))
    version: Mapped[int] = mapped_column(Integer)
    rationale: Mapped[str] = mapped_column(Text)
    mitigation: Mapped[str] = mapped_column(Text)
    owner_id: Mapped[int] = mapped_column(BigInteger)
    until: Mapped[datetime] = mapped_column(UtcDateTime)
    requested_by: Mapped[int] = mapped_column(BigInteger)
    requested_at: Mapped[datetime] = mapped_column(UtcDateTime)
    granted_by: Mapped[int | None] = mapped_column(BigInteger)
    granted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    body: Mapped[str | None] = mapped_column(Code)
    by_steering: Mapped[bool | None] = mapped_column(Boolean)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    outcome_reason: Mapped[str | None] = mapped_column(Text)
    lapse_told_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class GateSnapshot(Base):
    """An evaluation as it was: ``content`` is canonical JSON, ``sha256`` its fingerprint, ``read_to`` the event sequence.

    ``is_counted``: the first of its site day, the one that counts where a pass must hold.
    """

    __tablename__ = "gate_snapshot"
    __table_args__ = (
        UniqueConstraint("gate_id", "number"),
        states("word", GateWord),
        Index(
            "uq_gate_snapshot_counted", "gate_id", "day", unique=True,
            sqlite_where=text("is_counted"), postgresql_where=text("is_counted"),
        ),
    )  # fmt: skip
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    gate_id: Mapped[int] = mapped_column(ForeignKey("gate.id"))
    number: Mapped[int] = mapped_column(Integer)
    evaluated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    day: Mapped[date] = mapped_column(Date)
    is_counted: Mapped[bool] = mapped_column(Boolean)
    criteria_version: Mapped[int] = mapped_column(Integer)
    word: Mapped[str] = mapped_column(String(24))
    score: Mapped[Decimal] = mapped_column(Mark)
    read_to: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
    content: Mapped[str] = mapped_column(Text)


class SnapshotLine(Base):
    """One criterion of a snapshot, for trends and for counting how long a pass has held. ``terms`` is a short fingerprint of what
    was asked: after a change the count begins again.
    """

    __tablename__ = "gate_snapshot_line"
    __table_args__ = (
        states("word", Word),
        states("counts_as", Word),
        Index("ix_gate_snapshot_line_trend", "gate_id", "criterion", "day"),
    )
    snapshot_id: Mapped[int] = mapped_column(ForeignKey("gate_snapshot.id"), primary_key=True, autoincrement=False)
    criterion: Mapped[str] = mapped_column(Code, primary_key=True)
    gate_id: Mapped[int] = mapped_column(BigInteger)
    day: Mapped[date] = mapped_column(Date)
    is_counted: Mapped[bool] = mapped_column(Boolean)
    terms: Mapped[str] = mapped_column(String(16))
    word: Mapped[str] = mapped_column(String(12))
    counts_as: Mapped[str] = mapped_column(String(12))
    is_met: Mapped[bool] = mapped_column(Boolean)
    value: Mapped[Decimal | None] = mapped_column(Mark)
    low: Mapped[Decimal | None] = mapped_column(Mark)
    high: Mapped[Decimal | None] = mapped_column(Mark)
    count: Mapped[int | None] = mapped_column(BigInteger)


append_only(CriterionChange, AttestationRecord, GateSnapshot, SnapshotLine)

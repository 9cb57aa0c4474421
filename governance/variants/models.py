"""Tables of the register. Scopes are named by the ids of live rows, people by theirs; names are learnt where they are shown."""

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

from erpcore.kernel.model import Base, Key, Name, UtcDateTime, states
from governance.variants.flow import VariantState
from governance.variants.kinds import Kind, Rationale


class Variant(Base):
    """A decided departure from the standard for a scope, from ``valid_from`` until before ``valid_until``.

    A dimension that is ``None`` holds for all of them; a standard change names none and has no end. Days were chosen in ``zone``.
    ``extend_until`` is the later end that a review is asked for. ``owner_left_at``: when whoever answers for it left. Who asked
    and who decided are different people. ``cost_minor`` is per month.
    """

    __tablename__ = "variant"
    __table_args__ = (
        UniqueConstraint("code"),
        states("kind", Kind),
        states("state", VariantState),
        states("rationale_category", Rationale),
        CheckConstraint("valid_until > valid_from", name="validity"),
        CheckConstraint("valid_until IS NOT NULL OR kind = 'standard_change'", name="end_named"),
        CheckConstraint("decided_by IS NULL OR decided_by <> requested_by", name="four_eyes"),
        CheckConstraint("consented_by IS NULL OR consented_by <> requested_by", name="consent_of_another"),
        CheckConstraint("deputy_id IS NULL OR deputy_id <> owner_id", name="deputy_another"),
        CheckConstraint("cost_minor IS NULL OR (cost_minor >= 0 AND cost_currency IS NOT NULL)", name="cost"),
        CheckConstraint("review_months IS NULL OR review_months BETWEEN 1 AND 36", name="review_range"),
        CheckConstraint(
            "(kind = 'standard_change') = (entity_id IS NULL AND site_id IS NULL AND channel_id IS NULL"
            " AND customer_group_id IS NULL AND item_group_id IS NULL)",
            name="scope_named",
        ),
        Index("ix_variant_state", "state", "valid_until"),
        Index("ix_variant_owner", "owner_id"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    code: Mapped[str] = mapped_column(String(24))
    title: Mapped[str] = mapped_column(Name)
    kind: Mapped[str] = mapped_column(String(24))
    step: Mapped[str | None] = mapped_column(String(80))
    entity_id: Mapped[int | None] = mapped_column(BigInteger)
    site_id: Mapped[int | None] = mapped_column(BigInteger)
    channel_id: Mapped[int | None] = mapped_column(BigInteger)
    customer_group_id: Mapped[int | None] = mapped_column(BigInteger)
    item_group_id: Mapped[int | None] = mapped_column(BigInteger)
    zone: Mapped[str] = mapped_column(String(48))
    valid_from: Mapped[datetime] = mapped_column(UtcDateTime)
    valid_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    extend_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    state: Mapped[str] = mapped_column(String(16))
    version: Mapped[int] = mapped_column(Integer)
    owner_id: Mapped[int] = mapped_column(BigInteger)
    deputy_id: Mapped[int | None] = mapped_column(BigInteger)
    owner_left_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    rationale_category: Mapped[str | None] = mapped_column(String(24))
    reason: Mapped[str] = mapped_column(Text)
    evidence: Mapped[str] = mapped_column(Text, default="")
    benefit: Mapped[str] = mapped_column(Text, default="")
    cost_minor: Mapped[int | None] = mapped_column(BigInteger)
    cost_currency: Mapped[str | None] = mapped_column(String(3))
    support_who: Mapped[str] = mapped_column(String(200), default="")
    support_hours: Mapped[str] = mapped_column(String(200), default="")
    support_vendor: Mapped[str] = mapped_column(String(200), default="")
    controls: Mapped[str] = mapped_column(Text, default="")
    trainings: Mapped[str] = mapped_column(Text, default="")
    tests: Mapped[str] = mapped_column(Text, default="")
    review_months: Mapped[int | None] = mapped_column(Integer)
    next_review_on: Mapped[date | None] = mapped_column(Date)
    exit_condition: Mapped[str] = mapped_column(Text, default="")
    supersedes_id: Mapped[int | None] = mapped_column(ForeignKey("variant.id"))
    requested_by: Mapped[int] = mapped_column(BigInteger)
    requested_at: Mapped[datetime] = mapped_column(UtcDateTime)
    needs_consent: Mapped[bool] = mapped_column(Boolean, default=False)
    consented_by: Mapped[int | None] = mapped_column(BigInteger)
    consented_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    approval_id: Mapped[int | None] = mapped_column(BigInteger)
    decided_by: Mapped[int | None] = mapped_column(BigInteger)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decision_reason: Mapped[str | None] = mapped_column(Text)
    review_by: Mapped[int | None] = mapped_column(BigInteger)
    ended_by: Mapped[int | None] = mapped_column(BigInteger)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    end_reason: Mapped[str | None] = mapped_column(Text)


class VariantValue(Base):
    """The value of one policy point under a variant; ``value`` is JSON."""

    __tablename__ = "variant_value"
    __table_args__ = (Index("ix_variant_value_point", "point"),)
    variant_id: Mapped[int] = mapped_column(ForeignKey("variant.id"), primary_key=True, autoincrement=False)
    point: Mapped[str] = mapped_column(String(48), primary_key=True)
    value: Mapped[str] = mapped_column(Text)


class VariantDeviation(Base):
    """A departure that people make by hand and that a variant covers, where the core has no policy point for it."""

    __tablename__ = "variant_deviation"
    __table_args__ = (Index("ix_variant_deviation_deviation", "deviation"),)
    variant_id: Mapped[int] = mapped_column(ForeignKey("variant.id"), primary_key=True, autoincrement=False)
    deviation: Mapped[str] = mapped_column(String(64), primary_key=True)


class VariantRegister(Base):
    """A word that changes whenever a variant begins or ceases to be agreed, and the number last given. Always one row, which
    also puts approvals in order.
    """

    __tablename__ = "variant_register"
    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    revision: Mapped[str] = mapped_column(String(32))
    last_number: Mapped[int] = mapped_column(Integer)


class VariantChange(Base):
    """Which variants made the register's word from ``before`` into ``revision``; ``variants`` is a JSON list of their ids.

    A process that knows the register as of an earlier word reads only these anew.
    """

    __tablename__ = "variant_change"
    revision: Mapped[str] = mapped_column(String(32), primary_key=True)
    before: Mapped[str] = mapped_column(String(32))
    variants: Mapped[str] = mapped_column(Text)

"""Tables of approvals: the rules with their versions, requests with what they ask for, answers, and who acts for whom.

People, sites and subjects are known by id alone. Which rules a request stands under is frozen with it, in rows and as a sentence.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
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

from erpcore.kernel.model import Base, Key, UtcDateTime, append_only, states
from governance.approvals.flow import RequestState, RuleState
from governance.approvals.rules import WEIGHTS_OF_RULES

_WAITING = text("state = 'waiting'")
_IN_FORCE = text("state = 'in_force'")
_PROPOSED = text("state = 'proposed'")


class ApprovalRule(Base):
    """One version of one rule of a kind of request. Rules that came with the product were proposed by nobody (0)."""

    __tablename__ = "approval_rule"
    __table_args__ = (
        UniqueConstraint("kind", "code", "version"),
        states("state", RuleState),
        CheckConstraint("decided_by IS NULL OR decided_by <> proposed_by", name="four_eyes"),
        CheckConstraint("(amount_from_minor IS NULL) = (currency IS NULL)", name="amount_has_currency"),
        CheckConstraint("is_automatic = (capacity IS NULL)", name="people_or_automatic"),
        CheckConstraint("people IS NULL OR people > 0", name="people"),
        CheckConstraint("timeout_hours IS NULL OR timeout_hours > 0", name="timeout"),
        CheckConstraint("escalate_to IS NULL OR timeout_hours IS NOT NULL", name="escalates_after"),
        CheckConstraint(
            f"materiality IS NULL OR materiality IN ({', '.join(repr(each.value) for each in WEIGHTS_OF_RULES)})",
            name="materiality_known",
        ),
        Index("uq_approval_rule_in_force", "kind", "code", unique=True, sqlite_where=_IN_FORCE, postgresql_where=_IN_FORCE),
        Index("uq_approval_rule_proposed", "kind", "code", unique=True, sqlite_where=_PROPOSED, postgresql_where=_PROPOSED),
    )  # fmt: skip
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(48))
    code: Mapped[str] = mapped_column(String(32))
    version: Mapped[int] = mapped_column(Integer)
    amount_from_minor: Mapped[int | None] = mapped_column(BigInteger)
    currency: Mapped[str | None] = mapped_column(String(3))
    margin_below_permille: Mapped[int | None] = mapped_column(Integer)
    tier: Mapped[int | None] = mapped_column(SmallInteger)
    materiality: Mapped[str | None] = mapped_column(String(8))
    is_automatic: Mapped[bool] = mapped_column(Boolean)
    capacity: Mapped[str | None] = mapped_column(String(64))
    people: Mapped[int | None] = mapped_column(SmallInteger)
    timeout_hours: Mapped[int | None] = mapped_column(Integer)
    escalate_to: Mapped[str | None] = mapped_column(String(64))
    ends_rule: Mapped[bool] = mapped_column(Boolean)
    state: Mapped[str] = mapped_column(String(12))
    reason: Mapped[str] = mapped_column(Text)
    proposed_by: Mapped[int] = mapped_column(BigInteger)
    proposed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    decided_by: Mapped[int | None] = mapped_column(BigInteger)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decision_reason: Mapped[str | None] = mapped_column(Text)


class ApprovalRequest(Base):
    """What somebody asks others to agree to: a subject in one version, its facts, and the rules as they were when asked.

    ``version`` rises whenever what is asked of people changes; ``due_at`` is when the first need runs out of time. One request
    of a kind waits for a subject at a time.
    """

    __tablename__ = "approval_request"
    __table_args__ = (
        states("state", RequestState),
        CheckConstraint("(state = 'waiting') = (settled_at IS NULL)", name="settled"),
        Index("ix_approval_request_subject", "subject_type", "subject_id"),
        Index("ix_approval_request_asked", "asked_by", "asked_at"),
        Index("ix_approval_request_due", "due_at", sqlite_where=_WAITING, postgresql_where=_WAITING),
        Index("uq_approval_request_waiting", "kind", "subject_type", "subject_id", unique=True, sqlite_where=_WAITING, postgresql_where=_WAITING),
    )  # fmt: skip
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(48))
    subject_type: Mapped[str] = mapped_column(String(32))
    subject_id: Mapped[int] = mapped_column(BigInteger)
    subject_version: Mapped[int] = mapped_column(Integer)
    summary: Mapped[str] = mapped_column(Text)
    facts: Mapped[str] = mapped_column(Text)
    rule_text: Mapped[str] = mapped_column(Text)
    realm: Mapped[str] = mapped_column(String(12))
    site_id: Mapped[int | None] = mapped_column(BigInteger)
    entity_id: Mapped[int | None] = mapped_column(BigInteger)
    asked_by: Mapped[int] = mapped_column(BigInteger)
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    is_automatic: Mapped[bool] = mapped_column(Boolean)
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    escalated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    state: Mapped[str] = mapped_column(String(12))
    version: Mapped[int] = mapped_column(Integer)
    settled_by: Mapped[int | None] = mapped_column(BigInteger)
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    settle_reason: Mapped[str | None] = mapped_column(Text)


class ApprovalNeed(Base):
    """So many different people in a capacity; once it is escalated, those of the other capacity count too.

    ``remind_at``: when people are told of it again, if it still lacks somebody; without a time they are not.
    """

    __tablename__ = "approval_need"
    __table_args__ = (CheckConstraint("people > 0", name="people"), Index("ix_approval_need_capacity", "capacity"))
    request_id: Mapped[int] = mapped_column(ForeignKey("approval_request.id"), primary_key=True)
    position: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    capacity: Mapped[str] = mapped_column(String(64))
    people: Mapped[int] = mapped_column(SmallInteger)
    timeout_hours: Mapped[int | None] = mapped_column(Integer)
    escalate_to: Mapped[str | None] = mapped_column(String(64))
    remind_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reminded_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    escalated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ApprovalExcluded(Base):
    """Somebody who may not decide on a request: who asked, who wrote the standard, who owns what is asked for."""

    __tablename__ = "approval_excluded"
    request_id: Mapped[int] = mapped_column(ForeignKey("approval_request.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)


class ApprovalGround(Base):
    """A version of a rule that held for a request when it was asked, or routed anew: what it is, or was, decided under."""

    __tablename__ = "approval_ground"
    __table_args__ = (Index("ix_approval_ground_rule", "rule_id"),)
    request_id: Mapped[int] = mapped_column(ForeignKey("approval_request.id"), primary_key=True)
    rule_id: Mapped[int] = mapped_column(ForeignKey("approval_rule.id"), primary_key=True)


class ApprovalAnswer(Base):
    """What somebody answered, in which capacity and for whom: oneself, or the person that one acts for.

    Nobody answers a request twice, and nobody has it answered twice for them.
    """

    __tablename__ = "approval_answer"
    __table_args__ = (
        UniqueConstraint("request_id", "person_id"),
        UniqueConstraint("request_id", "on_behalf_of"),
        states("verdict", ("approve", "reject")),
        Index("ix_approval_answer_person", "person_id"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    request_id: Mapped[int] = mapped_column(ForeignKey("approval_request.id"))
    person_id: Mapped[int] = mapped_column(BigInteger)
    on_behalf_of: Mapped[int] = mapped_column(BigInteger)
    capacity: Mapped[str] = mapped_column(String(64))
    need: Mapped[int] = mapped_column(SmallInteger)
    verdict: Mapped[str] = mapped_column(String(8))
    reason: Mapped[str] = mapped_column(Text)
    seen_version: Mapped[int] = mapped_column(Integer)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class ApprovalDelegation(Base):
    """Who answers for somebody from ``valid_from`` until before ``valid_until``. It is not passed on: a delegate has no delegate."""

    __tablename__ = "approval_delegation"
    __table_args__ = (
        CheckConstraint("valid_until > valid_from", name="validity"),
        CheckConstraint("giver_id <> delegate_id", name="somebody_else"),
        Index("ix_approval_delegation_giver", "giver_id"),
        Index("ix_approval_delegation_delegate", "delegate_id"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    giver_id: Mapped[int] = mapped_column(BigInteger)
    delegate_id: Mapped[int] = mapped_column(BigInteger)
    valid_from: Mapped[datetime] = mapped_column(UtcDateTime)
    valid_until: Mapped[datetime] = mapped_column(UtcDateTime)
    reason: Mapped[str] = mapped_column(Text)
    recorded_by: Mapped[int] = mapped_column(BigInteger)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)


append_only(ApprovalAnswer, ApprovalExcluded, ApprovalGround)

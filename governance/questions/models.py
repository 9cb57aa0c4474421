"""Tables of design questions: the question with its scope, its options with their consequences, and what it bears on."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from erpcore.kernel.model import Base, Key, Name, UtcDateTime, states
from governance.questions.flow import LinkKind, QuestionState


class DesignQuestion(Base):
    """A question about how a process shall be. ``site_id`` and ``channel_id`` ``None``: everywhere. ``option_id`` is what was chosen."""

    __tablename__ = "design_question"
    __table_args__ = (
        states("state", QuestionState),
        CheckConstraint("decided_by IS NULL OR decided_by <> asked_by", name="four_eyes"),
        CheckConstraint("(state = 'decided') = (option_id IS NOT NULL)", name="decided_has_option"),
        Index("ix_design_question_state", "state", "process"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    title: Mapped[str] = mapped_column(Name)
    question: Mapped[str] = mapped_column(Text)
    process: Mapped[str] = mapped_column(String(40))
    site_id: Mapped[int | None] = mapped_column(BigInteger)
    channel_id: Mapped[int | None] = mapped_column(BigInteger)
    impact: Mapped[str] = mapped_column(Text)
    decider_id: Mapped[int] = mapped_column(BigInteger, index=True)
    due_on: Mapped[date] = mapped_column(Date)
    state: Mapped[str] = mapped_column(String(12))
    version: Mapped[int] = mapped_column(Integer)
    asked_by: Mapped[int] = mapped_column(BigInteger)
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    option_id: Mapped[int | None] = mapped_column(BigInteger)
    decision: Mapped[str | None] = mapped_column(Text)
    decided_by: Mapped[int | None] = mapped_column(BigInteger)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class QuestionOption(Base):
    """One way to go, and what would follow from it."""

    __tablename__ = "question_option"
    __table_args__ = (UniqueConstraint("question_id", "position"),)
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    question_id: Mapped[int] = mapped_column(ForeignKey("design_question.id"))
    position: Mapped[int] = mapped_column(Integer)
    title: Mapped[str] = mapped_column(Name)
    consequences: Mapped[str] = mapped_column(Text)


class QuestionLink(Base):
    """What a question bears on: a step or policy point by its code, a variant by its number."""

    __tablename__ = "question_link"
    __table_args__ = (
        states("kind", LinkKind),
        UniqueConstraint("question_id", "kind", "target"),
        Index("ix_question_link_target", "kind", "target"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    question_id: Mapped[int] = mapped_column(ForeignKey("design_question.id"))
    kind: Mapped[str] = mapped_column(String(16))
    target: Mapped[str] = mapped_column(String(81))

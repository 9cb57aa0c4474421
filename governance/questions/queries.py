"""Which design questions are there, how many are open in a wave's scope, and what bears on something?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from erpcore.kernel.errors import NotFound
from erpcore.kernel.history import Transition
from governance.questions.flow import LinkKind, QuestionState
from governance.questions.models import DesignQuestion, QuestionLink, QuestionOption


@dataclass(frozen=True, kw_only=True)
class OptionView:
    """An option of a question."""

    id: int
    title: str
    consequences: str


@dataclass(frozen=True, kw_only=True)
class QuestionView:
    """A question with its options and what it bears on."""

    id: int
    title: str
    question: str
    process: str
    site: int | None
    channel: int | None
    impact: str
    decider: int
    due_on: date
    state: QuestionState
    version: int
    asked_by: int
    asked_at: datetime
    option: int | None
    decision: str | None
    decided_by: int | None
    decided_at: datetime | None
    options: tuple[OptionView, ...]
    links: tuple[tuple[LinkKind, str], ...]

    def is_late(self, today: date) -> bool:
        """Open beyond its day."""
        return self.state is QuestionState.OPEN and self.due_on < today


def questions(session: Session, *, ids: Collection[int] | None = None) -> list[QuestionView]:
    """All questions by their day, or these. Three queries."""
    query = select(DesignQuestion).order_by(DesignQuestion.due_on, DesignQuestion.id)
    if ids is not None:
        query = query.where(DesignQuestion.id.in_(sorted(ids)))
    rows = session.scalars(query).all()
    keys = [row.id for row in rows]
    options: dict[int, list[OptionView]] = defaultdict(list)
    for one in session.scalars(
        select(QuestionOption)
        .where(QuestionOption.question_id.in_(keys))
        .order_by(QuestionOption.question_id, QuestionOption.position)
    ):
        options[one.question_id].append(OptionView(id=one.id, title=one.title, consequences=one.consequences))
    links: dict[int, list[tuple[LinkKind, str]]] = defaultdict(list)
    for link in session.scalars(
        select(QuestionLink).where(QuestionLink.question_id.in_(keys)).order_by(QuestionLink.id)
    ):
        links[link.question_id].append((LinkKind(link.kind), link.target))
    return [
        QuestionView(
            id=row.id, title=row.title, question=row.question, process=row.process, site=row.site_id, channel=row.channel_id,
            impact=row.impact, decider=row.decider_id, due_on=row.due_on, state=QuestionState(row.state), version=row.version,
            asked_by=row.asked_by, asked_at=row.asked_at, option=row.option_id, decision=row.decision,
            decided_by=row.decided_by, decided_at=row.decided_at, options=tuple(options[row.id]), links=tuple(links[row.id]),
        )
        for row in rows
    ]  # fmt: skip


def question(session: Session, question_id: int) -> QuestionView:
    """One question. Raises ``NotFound``."""
    found = questions(session, ids=[question_id])
    if not found:
        raise NotFound("question_not_found", question=question_id)
    return found[0]


def open_in_scope(
    session: Session, *, processes: Collection[str], sites: Collection[int], channels: Collection[int]
) -> dict[str, int]:
    """How many questions about each of these processes are open that hold at one of the sites and in one of the channels; those
    that name neither hold everywhere. A process without any is left out. One query.
    """
    query = (
        select(DesignQuestion.process, func.count().label("open"))
        .where(
            DesignQuestion.state == QuestionState.OPEN, DesignQuestion.process.in_(sorted(processes)),
            or_(DesignQuestion.site_id.is_(None), DesignQuestion.site_id.in_(sorted(sites))),
            or_(DesignQuestion.channel_id.is_(None), DesignQuestion.channel_id.in_(sorted(channels))),
        )
        .group_by(DesignQuestion.process)
        .order_by(DesignQuestion.process)
    )  # fmt: skip
    return {row.process: row.open for row in session.execute(query)}


def waiting_for(session: Session, person: int) -> list[DesignQuestion]:
    """Open questions that this person decides, the one that is due first at the top. One query."""
    query = select(DesignQuestion).where(
        DesignQuestion.state == QuestionState.OPEN, DesignQuestion.decider_id == person
    )
    return list(session.scalars(query.order_by(DesignQuestion.due_on, DesignQuestion.id)))


def moves_of(session: Session, question_id: int) -> list[Transition]:
    """Who moved a question, newest first. One query."""
    return list(
        session.scalars(
            select(Transition)
            .where(Transition.document_type == "design_question", Transition.document_id == question_id)
            .order_by(Transition.id.desc())
        )
    )

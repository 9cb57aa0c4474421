"""Design questions for programs: asked, decided by somebody else, withdrawn and opened again."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from app.api.framework import operation
from app.api.lists import asked_of, only, part_of, which
from app.api.v1.numbers import Key
from app.api.values import Answer, Body
from app.composition.question_desk import Asking, put_question
from app.composition.request import now, reader
from app.queries.questions import QUESTIONS, QuestionRow, question_page
from app.security.permissions import Permission
from app.security.require import actor
from erpcore.kernel.work import UnitOfWork
from governance.questions.flow import QuestionState
from governance.questions.services import (
    LONGEST_TEXT,
    LONGEST_TITLE,
    MOST_OPTIONS,
    DecideQuestion,
    MoveQuestion,
    Option,
    decide_question,
    move_question,
)

TAG = "Design questions"


class OptionAnswer(Answer):
    """An option; `chosen` once it was decided."""

    id: int
    title: str
    consequences: str
    chosen: bool


class QuestionAnswer(Answer):
    """A question. `standing` is `open`, `late`, `decided` or `withdrawn`."""

    id: int
    version: int
    title: str
    question: str
    process: str
    site: int | None
    channel: int | None
    impact: str
    decider: int
    due_on: date
    state: QuestionState
    standing: str
    age_days: int | None
    asked_by: int
    asked_at: datetime
    decision: str | None
    decided_by: int | None
    decided_at: datetime | None
    options: list[OptionAnswer]
    links: list[tuple[str, str]]


class QuestionsAnswer(Answer):
    """All questions by their day."""

    items: list[QuestionAnswer]


class QuestionQuery(Body):
    """Which questions."""

    state: QuestionState | None = None
    standing: Literal["late", "open", "decided", "withdrawn"] | None = which(
        "As `state`; late ones are open, past their day."
    )
    mine: bool = only("open ones that the caller decides")
    text: str = part_of("the question, its impact or its decision")
    process: str | None = Field(None, max_length=40, description="Only those of the process with this code.")


class OptionBody(Body):
    """A way to go with its consequences."""

    title: str = Field(min_length=1, max_length=LONGEST_TITLE)
    consequences: str = Field(min_length=1, max_length=LONGEST_TEXT)


class AskBody(Body):
    """A question to somebody else."""

    title: str = Field(min_length=1, max_length=LONGEST_TITLE)
    question: str = Field(min_length=1, max_length=LONGEST_TEXT)
    process: str = Field(max_length=40)
    options: list[OptionBody] = Field(max_length=MOST_OPTIONS)
    decider: Key
    due_on: date
    impact: str = Field("", max_length=LONGEST_TEXT)
    site: Key | None = None
    channel: Key | None = None
    points: list[str] = Field([], max_length=40)
    steps: list[str] = Field([], max_length=20)
    variants: list[Key] = Field([], max_length=20)


class DecideBody(Body):
    """The option that is chosen, and why."""

    option: Key
    reason: str = Field(min_length=1, max_length=LONGEST_TEXT)


class MoveBody(Body):
    """`withdraw` or `reopen`, and why."""

    move: str = Field(max_length=20)
    reason: str = Field(min_length=1, max_length=LONGEST_TEXT)


def _answer(row: QuestionRow) -> QuestionAnswer:
    view = row.view
    options = [
        OptionAnswer(id=one.id, title=one.title, consequences=one.consequences, chosen=one.id == view.option)
        for one in view.options
    ]
    own = {"options", "links", "standing", "age_days"}
    return QuestionAnswer(
        **{name: getattr(view, name) for name in QuestionAnswer.model_fields if name not in own}, options=options,
        links=[(kind.value, target) for kind, target in view.links], standing=row.standing, age_days=row.age_days,
    )  # fmt: skip


def _again(work: UnitOfWork, question_id: int) -> QuestionAnswer:
    work.session.flush()
    work.session.expire_all()
    return _answer(question_page(work.session, work.actor, question_id, work.now).row)


@operation("GET", "/design-questions", permission=Permission.QUESTION_VIEW, summary="Design questions", tag=TAG, query=QuestionQuery, answer=QuestionsAnswer)  # fmt: skip
def list_design_questions(query: QuestionQuery) -> QuestionsAnswer:
    rows = QUESTIONS.every(reader(), actor(), asked_of(query), now())
    return QuestionsAnswer(items=[_answer(row) for row in rows])


@operation("GET", "/design-questions/{question_id}", permission=Permission.QUESTION_VIEW, summary="A design question", tag=TAG, answer=QuestionAnswer)  # fmt: skip
def show_design_question(question_id: int) -> QuestionAnswer:
    return _answer(question_page(reader(), actor(), question_id, now()).row)


@operation(
    "POST", "/design-questions", permission=Permission.QUESTION_ASK, summary="Ask a design question", tag=TAG, body=AskBody,
    answer=QuestionAnswer, status=201,
    example={
        "title": "Who may override a price?", "question": "Does the desk decide up to a limit?", "process": "order_to_cash",
        "options": [{"title": "Desk", "consequences": "faster"}, {"title": "Site lead", "consequences": "safer"}],
        "decider": 12, "due_on": "2027-01-15",
    },
)  # fmt: skip
def ask_design_question(work: UnitOfWork, body: AskBody) -> QuestionAnswer:
    plain = {
        name: getattr(body, name)
        for name in ("title", "question", "process", "decider", "due_on", "impact", "site", "channel")
    }
    asking = Asking(
        **plain, options=tuple(Option(title=one.title, consequences=one.consequences) for one in body.options),
        points=tuple(body.points), steps=tuple(body.steps), variants=tuple(body.variants),
    )  # fmt: skip
    return _again(work, put_question(work, asking).id)


@operation(
    "POST", "/design-questions/{question_id}/decide", permission=Permission.QUESTION_DECIDE, summary="Decide a design question",
    tag=TAG, body=DecideBody, answer=QuestionAnswer, versioned=True, example={"option": 4711, "reason": "safer for the first wave"},
)  # fmt: skip
def decide_design_question(work: UnitOfWork, question_id: int, version: int, body: DecideBody) -> QuestionAnswer:
    question_page(work.session, work.actor, question_id, work.now)
    decide_question(
        work, DecideQuestion(question=question_id, option=body.option, reason=body.reason, seen_version=version)
    )
    return _again(work, question_id)


@operation(
    "POST", "/design-questions/{question_id}/moves", permission=Permission.QUESTION_VIEW,
    summary="Withdraw a design question, or open it again", tag=TAG, body=MoveBody, answer=QuestionAnswer, versioned=True,
    example={"move": "withdraw", "reason": "answered by the standard"},
)  # fmt: skip
def move_design_question(work: UnitOfWork, question_id: int, version: int, body: MoveBody) -> QuestionAnswer:
    question_page(work.session, work.actor, question_id, work.now)
    move_question(work, MoveQuestion(question=question_id, move=body.move, reason=body.reason, seen_version=version))
    return _again(work, question_id)

"""How is a design question asked, decided by somebody else, put off, withdrawn and opened again?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy import select

from erpcore.kernel.errors import Conflict, NotAllowed, NotFound, RuleBroken
from erpcore.kernel.history import record_move
from erpcore.kernel.work import UnitOfWork
from governance.questions.flow import QUESTION_FLOW, LinkKind, QuestionState
from governance.questions.models import DesignQuestion, QuestionLink, QuestionOption
from governance.questions.permissions import QuestionPermission

LONGEST_TITLE, LONGEST_TEXT, FEWEST_OPTIONS, MOST_OPTIONS, MOST_LINKS = 200, 4000, 2, 8, 60


@dataclass(frozen=True, kw_only=True)
class Option:
    """A way to go with its consequences."""

    title: str
    consequences: str


@dataclass(frozen=True, kw_only=True)
class AskQuestion:
    """A question about a process: its options, who decides it until when, where it holds, and what it bears on.

    ``today`` is the day of whoever asks; ``links`` are kinds with targets, whose existence the caller has looked up.
    """

    title: str
    question: str
    process: str
    options: Sequence[Option]
    decider: int
    due_on: date
    today: date
    impact: str = ""
    site: int | None = None
    channel: int | None = None
    links: Sequence[tuple[LinkKind, str]] = ()


@dataclass(frozen=True, kw_only=True)
class DecideQuestion:
    """The option that somebody chooses, and why."""

    question: int
    option: int
    reason: str
    seen_version: int | None = None


@dataclass(frozen=True, kw_only=True)
class MoveQuestion:
    """Withdraw or open again."""

    question: int
    move: str
    reason: str
    seen_version: int | None = None


def ask_question(work: UnitOfWork, command: AskQuestion) -> DesignQuestion:
    """An open question. Raises ``RuleBroken`` without words, with fewer than two options, for a day that is past or a decider who asks."""
    work.actor.require(QuestionPermission.ASK)
    _check(work, command)
    row = DesignQuestion(
        id=work.ids.one(), title=command.title.strip(), question=command.question.strip(), process=command.process,
        site_id=command.site, channel_id=command.channel, impact=command.impact.strip(), decider_id=command.decider,
        due_on=command.due_on, state=QUESTION_FLOW.initial, version=1, asked_by=work.actor.id, asked_at=work.now,
    )  # fmt: skip
    work.session.add(row)
    work.session.flush()  # options and links name it
    for position, one in enumerate(command.options, start=1):
        work.session.add(
            QuestionOption(
                id=work.ids.one(), question_id=row.id, position=position, title=one.title.strip(),
                consequences=one.consequences.strip(),
            )
        )  # fmt: skip
    for kind, target in sorted(set(command.links)):
        work.session.add(QuestionLink(id=work.ids.one(), question_id=row.id, kind=kind, target=target))
    work.audit(
        "design_question.asked", "design_question", row.id, title=row.title, process=row.process, decider=row.decider_id
    )
    return row


def _check(work: UnitOfWork, command: AskQuestion) -> None:
    for name, text, longest in (
        ("title", command.title, LONGEST_TITLE), ("question", command.question, LONGEST_TEXT),
    ):  # fmt: skip
        if not text.strip():
            raise RuleBroken("question_incomplete", field=name)
        if len(text) > longest:
            raise RuleBroken("text_too_long", field=name, longest=longest)
    if not FEWEST_OPTIONS <= len(command.options) <= MOST_OPTIONS:
        raise RuleBroken("question_options", field="options", fewest=FEWEST_OPTIONS, most=MOST_OPTIONS)
    if any(not (one.title.strip() and one.consequences.strip()) for one in command.options):
        raise RuleBroken("option_incomplete", field="options")
    if len(command.links) > MOST_LINKS:
        raise RuleBroken("too_many_lines", field="steps", most=MOST_LINKS)
    if command.due_on < command.today:
        raise RuleBroken("due_in_the_past", field="due_on", due_at=command.due_on)
    if command.decider == work.actor.id:
        raise RuleBroken("decider_asks", field="decider")


def decide_question(work: UnitOfWork, command: DecideQuestion) -> DesignQuestion:
    """Choose an option. Raises ``NotAllowed`` for whoever asked and for everybody but the named decider, ``NotFound`` for an
    option of another question, ``Conflict`` when the question changed since it was seen.
    """
    work.actor.require(QuestionPermission.DECIDE)
    row = _locked(work, command.question, command.seen_version)
    if work.actor.id == row.asked_by:
        raise NotAllowed("own_request", document=row.title)
    if work.actor.id != row.decider_id:
        raise NotAllowed("question_of_another", question=row.title)
    option = work.session.scalar(
        select(QuestionOption).where(QuestionOption.id == command.option, QuestionOption.question_id == row.id)
    )
    if option is None:
        raise RuleBroken("option_unknown", field="option")
    target = QUESTION_FLOW.target("decide", row.state, reason=command.reason)
    row.option_id, row.decision = option.id, command.reason.strip()
    row.decided_by, row.decided_at = work.actor.id, work.now
    _moved(work, row, "decide", target, command.reason, option=option.title)
    return row


def move_question(work: UnitOfWork, command: MoveQuestion) -> DesignQuestion:
    """Withdraw a question or open a decided one again; what was decided stays in the history."""
    if command.move not in ("withdraw", "reopen"):
        raise RuleBroken("choice_unknown", field="move", value=command.move)
    work.actor.require(QUESTION_FLOW.moves[command.move].permission)
    row = _locked(work, command.question, command.seen_version)
    target = QUESTION_FLOW.target(command.move, row.state, reason=command.reason)
    if target is QuestionState.OPEN:
        row.option_id = row.decision = row.decided_by = row.decided_at = None
    _moved(work, row, command.move, target, command.reason)
    return row


def put_off(work: UnitOfWork, question: int, due_on: date, *, today: date, reason: str) -> DesignQuestion:
    """Give an open question another day, with a reason."""
    work.actor.require(QuestionPermission.ASK)
    row = _locked(work, question, None)
    if row.state != QuestionState.OPEN:
        raise RuleBroken("question_not_open", question=row.title)
    if due_on < today:
        raise RuleBroken("due_in_the_past", field="due_on", due_at=due_on)
    if not reason.strip():
        raise RuleBroken("reason_required", field="reason", document="design question", move="put off")
    work.audit(
        "design_question.put_off", "design_question", row.id, before=row.due_on, after=due_on, reason=reason.strip()
    )
    row.due_on, row.version = due_on, row.version + 1
    return row


def _locked(work: UnitOfWork, question: int, seen_version: int | None) -> DesignQuestion:
    row = work.session.get(DesignQuestion, question, with_for_update={"key_share": True}, populate_existing=True)
    if row is None:
        raise NotFound("question_not_found", question=question)
    if seen_version is not None and seen_version != row.version:
        raise Conflict("changed_meanwhile", document=row.title)
    return row


def _moved(work: UnitOfWork, row: DesignQuestion, move: str, target: StrEnum, reason: str, **facts: str) -> None:
    record_move(work, "design_question", row.id, move, row.state, target, reason=reason.strip(), facts=facts or None)
    row.state, row.version = target, row.version + 1
    work.session.flush()
    work.audit(f"design_question.{row.state}", "design_question", row.id, move=move, reason=reason.strip(), **facts)

"""The close room for programs: closings with tasks and checks, soft lock, lock, opening again, and locks of journals."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import Field
from sqlalchemy.orm import Session

from app.api.companies import in_company, of_company
from app.api.framework import operation
from app.api.v1.numbers import Key, fresh, pointing
from app.api.v1.warehouse_models import Made
from app.api.values import Answer, Body
from app.composition.request import now, reader
from app.queries.closing_checks import ACCEPTABLE, find
from app.queries.closings import (
    ClosingPage,
    ClosingRow,
    closing_of_finding,
    closing_of_task,
    closing_page,
    closings_of,
    locks_of,
)
from app.security.permissions import Permission
from app.security.require import actor
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.work import UnitOfWork
from erpcore.ledger.closing import findings, services
from erpcore.ledger.closing.tasks import AddTask, DoTask, add_task, assign_task, do_task, undo_task
from erpcore.ledger.kinds import JournalKind, Strength
from erpcore.ledger.periods import LockJournal

TAG = "Ledger"


class CompanyQuery(Body):
    """Whose books."""

    entity: Key


class StartBody(Body):
    """The days of the company before `until` that are not closed yet."""

    entity: Key
    until: date


class MoveBody(Body):
    """What to do. `lock` and `reopen` need a `reason`; with `version` it is refused if somebody changed the closing since."""

    move: Literal["look", "soft_lock", "lock", "reopen"]
    reason: str = Field("", max_length=300)
    version: int | None = Field(None, ge=1)


class TaskBody(Body):
    """One more task."""

    name: str = Field(min_length=1, max_length=200)
    due_on: date
    owner: Key | None = None


class TaskStepBody(Body):
    """`assign` takes `owner` (null: nobody) and `due_on`; `done` its `evidence`, a `journal` by hand, or both; `undo` a `reason`."""

    move: Literal["assign", "done", "undo"]
    owner: Key | None = None
    due_on: date | None = None
    evidence: str = Field("", max_length=2000)
    journal: Key | None = None
    reason: str = Field("", max_length=300)


class AcceptBody(Body):
    """Why the finding is taken as it is."""

    reason: str = Field(min_length=1, max_length=300)


class LockBody(Body):
    """Lock the days before `until` for a kind of journal: `soft` for all but Finance, `hard` for everybody."""

    entity: Key
    journal: Literal["sales", "cash", "stock", "manual"]
    strength: Literal["soft", "hard"]
    until: date
    reason: str = Field(min_length=1, max_length=300)


class ClosingAnswer(Answer):
    """A closing. `days`: working days from the end of its days until it was locked, or until today."""

    id: int
    entity_id: int
    begins_on: date
    until: date
    state: str
    done: int
    tasks: int
    days: int
    checked_at: datetime | None
    locked_at: datetime | None
    version: int


class TaskAnswer(Answer):
    """A task of a closing."""

    id: int
    name: str
    owner_id: int | None
    due_on: date
    evidence: str | None
    journal_id: int | None
    done_at: datetime | None
    is_late: bool


class CheckAnswer(Answer):
    """A check and what it found last. `passes`: it does not keep the books open."""

    name: str
    title: str
    finding_id: int | None
    agrees: bool | None
    found: str
    at: datetime | None
    may_accept: bool
    accepted: str | None
    passes: bool
    journals: list[str]


class ClosingDetail(Answer):
    """A closing with its tasks and checks."""

    closing: ClosingAnswer
    tasks: list[TaskAnswer]
    checks: list[CheckAnswer]


class ClosingList(Answer):
    """Closings of a company, the newest days first."""

    count: int
    items: list[ClosingAnswer]


class LockAnswer(Answer):
    """The first open day of a kind of journal: for all but Finance, and for everybody; null: not locked by itself."""

    journal: str
    soft: date | None
    hard: date | None


class LockList(Answer):
    """The locks of a company's journals."""

    count: int
    items: list[LockAnswer]


def _row(row: ClosingRow) -> ClosingAnswer:
    return ClosingAnswer(**{name: getattr(row, name) for name in ClosingAnswer.model_fields})


def _detail(page: ClosingPage) -> ClosingDetail:
    return ClosingDetail(
        closing=_row(page.row),
        tasks=[TaskAnswer(**{name: getattr(one, name) for name in TaskAnswer.model_fields}) for one in page.tasks],
        checks=[
            CheckAnswer(
                name=one.name, title=one.title, finding_id=one.finding_id, agrees=one.agrees, found=one.found, at=one.at,
                may_accept=one.may_accept, accepted=one.accepted, passes=one.passes, journals=list(one.journals),
            )
            for one in page.checks
        ],
    )  # fmt: skip


def _locks(session: Session, entity: int) -> LockList:
    items = [LockAnswer(journal=row.journal, soft=row.soft, hard=row.hard) for row in locks_of(session, entity)]
    return LockList(count=len(items), items=items)


def _entered(work: UnitOfWork, closing: int) -> None:
    """The change is of the realm of this closing, which the caller has to see."""
    work.realm = closing_page(work.session, work.actor, closing, work.now).entity.realm


def _after(work: UnitOfWork, closing: int) -> ClosingDetail:
    return _detail(closing_page(fresh(work), work.actor, closing, work.now))


@operation("GET", "/closings", permission=Permission.LEDGER_READ, summary="Closings of a company", tag=TAG, query=CompanyQuery, answer=ClosingList)  # fmt: skip
def list_closings(query: CompanyQuery) -> ClosingList:
    items = [_row(row) for row in closings_of(reader(), of_company(query.entity), now())]
    return ClosingList(count=len(items), items=items)


@operation("GET", "/closings/{closing_id}", permission=Permission.LEDGER_READ, summary="A closing with its tasks and checks", tag=TAG, answer=ClosingDetail)  # fmt: skip
def show_closing(closing_id: int) -> ClosingDetail:
    return _detail(closing_page(reader(), actor(), closing_id, now()))


@operation(
    "POST", "/closings", permission=Permission.PERIOD_CLOSE, summary="Begin to close a period", tag=TAG, body=StartBody, answer=Made,
    status=201, example={"entity": 1000, "until": "2026-11-01"},
)  # fmt: skip
def create_closing(work: UnitOfWork, body: StartBody) -> Made:
    in_company(work, body.entity)
    with pointing():
        return Made(id=services.start_closing(work, body.entity, body.until))


@operation(
    "POST", "/closings/{closing_id}/moves", permission=Permission.PERIOD_CLOSE,
    summary="Let the checks look, lock softly, lock, or open again", tag=TAG, body=MoveBody, answer=ClosingDetail,
    example={"move": "lock", "reason": "October is final"},
)  # fmt: skip
def step_closing(work: UnitOfWork, closing_id: int, body: MoveBody) -> ClosingDetail:
    _entered(work, closing_id)
    with pointing():
        if body.move == "look":
            services.look(work, closing_id, find)
        elif body.move == "soft_lock":
            services.soft_lock(work, closing_id, seen_version=body.version)
        elif body.move == "lock":
            services.lock_books(work, closing_id, find, reason=body.reason, seen_version=body.version)
        else:
            services.reopen(work, closing_id, reason=body.reason, seen_version=body.version)
    return _after(work, closing_id)


@operation(
    "POST", "/closings/{closing_id}/tasks", permission=Permission.PERIOD_CLOSE, summary="Add a task to a closing", tag=TAG,
    body=TaskBody, answer=Made, status=201, example={"name": "Rents agree with the leases", "due_on": "2026-11-04"},
)  # fmt: skip
def create_closing_task(work: UnitOfWork, closing_id: int, body: TaskBody) -> Made:
    _entered(work, closing_id)
    with pointing():
        command = AddTask(closing=closing_id, name=body.name, due_on=body.due_on, owner=body.owner)
        return Made(id=add_task(work, command))


@operation(
    "POST", "/closing-tasks/{task_id}/moves", permission=Permission.LEDGER_READ, summary="Hand a task over, do it, or take it back",
    tag=TAG, body=TaskStepBody, answer=ClosingDetail, example={"move": "done", "evidence": "the list of 3 November"},
)  # fmt: skip
def step_closing_task(work: UnitOfWork, task_id: int, body: TaskStepBody) -> ClosingDetail:
    """Its owner, or who closes periods; the service refuses others."""
    closing = closing_of_task(work.session, task_id)
    _entered(work, closing)
    with pointing():
        if body.move == "assign":
            if body.due_on is None:
                raise RuleBroken("closing_due_missing", field="due_on")
            assign_task(work, task_id, owner=body.owner, due_on=body.due_on)
        elif body.move == "done":
            do_task(work, DoTask(task=task_id, evidence=body.evidence, journal=body.journal))
        else:
            undo_task(work, task_id, reason=body.reason)
    return _after(work, closing)


@operation(
    "POST", "/closing-findings/{finding_id}/acceptance", permission=Permission.PERIOD_CLOSE,
    summary="Take what a check found as it is", tag=TAG, body=AcceptBody, answer=ClosingDetail,
    example={"reason": "billed with the collective invoice of the month"},
)  # fmt: skip
def accept_closing_finding(work: UnitOfWork, finding_id: int, body: AcceptBody) -> ClosingDetail:
    closing = closing_of_finding(work.session, finding_id)
    _entered(work, closing)
    with pointing():
        findings.accept_finding(work, finding_id, reason=body.reason, acceptable=ACCEPTABLE)
    return _after(work, closing)


@operation("GET", "/journal-locks", permission=Permission.LEDGER_READ, summary="Locks of a company's journals", tag=TAG, query=CompanyQuery, answer=LockList)  # fmt: skip
def list_journal_locks(query: CompanyQuery) -> LockList:
    return _locks(reader(), of_company(query.entity).id)


@operation(
    "POST", "/journal-locks", permission=Permission.PERIOD_CLOSE, summary="Lock a kind of journal, or give days free", tag=TAG,
    body=LockBody, answer=LockList, status=201,
    example={"entity": 1000, "journal": "stock", "strength": "hard", "until": "2026-11-01", "reason": "counted"},
)  # fmt: skip
def lock_journal(work: UnitOfWork, body: LockBody) -> LockList:
    company = in_company(work, body.entity)
    command = LockJournal(
        entity=company.id, journal=JournalKind(body.journal), strength=Strength(body.strength), until=body.until, reason=body.reason
    )  # fmt: skip
    with pointing():
        services.lock_one(work, command, find)
    return _locks(fresh(work), company.id)

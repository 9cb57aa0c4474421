"""The tasks of a closing: what has to be done, by whom, until when, and on what it rests that it is done."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import func, select

from erpcore.kernel.errors import Conflict, NotAllowed, NotFound, RuleBroken
from erpcore.kernel.history import record_move
from erpcore.kernel.work import UnitOfWork
from erpcore.ledger.closing.models import Closing, ClosingState, ClosingTask
from erpcore.ledger.models import ManualJournal
from erpcore.ledger.periods import AUTHORITY, own_entity
from erpcore.masterdata.calendars import company_rest

_SATURDAY = 5
#: Tasks that one closing may have.
MOST_TASKS = 60
#: Done by itself when the accruals of the period's end are run.
ACCRUALS_TASK = "Revenue, freight and returns are accrued"
#: What a company's first closing asks for, and by which working day after its last day; later ones ask for what the one before did.
STANDARD_TASKS: tuple[tuple[str, int], ...] = (
    ("All goods that came are received", 1),
    ("Counts and adjustments of stock are decided", 1),
    ("Bank statements up to the last day are in", 2),
    ("What left is billed, or known to wait for its invoice", 2),
    (ACCRUALS_TASK, 2),
    ("The cut-off test is read", 3),
    ("Disputes and doubtful debts are judged", 3),
    ("Accruals are written and approved", 3),
    ("Tax is read against the return", 4),
    ("The result is read against the month before", 5),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class AddTask:
    """A further task of a closing."""

    closing: int
    name: str
    due_on: date
    owner: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class DoTask:
    """A task is done; ``evidence`` is what it rests on in words, ``journal`` a journal by hand."""

    task: int
    evidence: str = ""
    journal: int | None = None


def working_day(until: date, number: int, rest: Collection[date] = ()) -> date:
    """The ``number``-th day from Monday to Friday after a period, but for those of ``rest``; ``until`` is the first day after it."""
    day = until - timedelta(days=1)
    while number > 0:
        day += timedelta(days=1)
        number -= day.weekday() < _SATURDAY and day not in rest
    return day


def working_days(until: date, day: date, rest: Collection[date] = ()) -> int:
    """Days from Monday to Friday from the first after a period to ``day``, both included and ``rest`` not: how long a close took."""
    span = (until + timedelta(days=n) for n in range((day - until).days + 1))
    return sum(one.weekday() < _SATURDAY and one not in rest for one in span)


def first_tasks(work: UnitOfWork, closing: Closing, before: Closing | None) -> list[ClosingTask]:
    """Those of the closing before, with their owners, as many working days after the period as there; else the standard ones."""
    rest = company_rest(work.session, closing.entity_id)
    asked: list[tuple[str, int, int | None]] = [(name, number, None) for name, number in STANDARD_TASKS]
    if before is not None:
        rows = work.session.scalars(
            select(ClosingTask).where(ClosingTask.closing_id == before.id).order_by(ClosingTask.position)
        )
        asked = [(row.name, working_days(before.until, row.due_on, rest), row.owner_id) for row in rows]
    ids = work.ids.reserve(len(asked))
    return [
        ClosingTask(
            id=next(ids), closing_id=closing.id, position=position, name=name, owner_id=owner,
            due_on=working_day(closing.until, number, rest),
        )
        for position, (name, number, owner) in enumerate(asked, 1)
    ]  # fmt: skip


def locked_closing(work: UnitOfWork, key: int, *, seen_version: int | None = None) -> Closing:
    """The closing, locked; refuses an unknown one, another realm's, and who saw an older version."""
    row = work.session.scalars(
        select(Closing)
        .where(Closing.id == key)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        raise NotFound("closing_unknown", id=key)
    own_entity(work, row.entity_id)
    if seen_version not in (None, row.version):
        raise Conflict("changed_meanwhile")
    return row


def changeable_closing(work: UnitOfWork, key: int) -> Closing:
    """The closing, locked against others; raises ``RuleBroken("closing_locked")`` once its days are."""
    row = locked_closing(work, key)
    if row.state == ClosingState.LOCKED:
        raise RuleBroken("closing_locked", until=row.until)
    return row


def add_task(work: UnitOfWork, command: AddTask) -> int:
    """Ask for one more thing in this closing, and in those after it; returns the task's id."""
    work.actor.require(AUTHORITY)
    closing = changeable_closing(work, command.closing)
    if not command.name.strip():
        raise RuleBroken("closing_task_nameless", field="name")
    last = work.session.scalar(select(func.max(ClosingTask.position)).where(ClosingTask.closing_id == closing.id)) or 0
    if last >= MOST_TASKS:
        raise RuleBroken("closing_tasks_many", field="name", most=MOST_TASKS)
    if command.due_on < closing.begins_on:
        raise RuleBroken("closing_task_due", field="due_on", begins_on=closing.begins_on)
    key = work.ids.one()
    work.session.add(
        ClosingTask(
            id=key,
            closing_id=closing.id,
            position=last + 1,
            name=command.name.strip(),
            owner_id=command.owner,
            due_on=command.due_on,
        )
    )
    record_move(
        work, "closing", closing.id, "add_task", closing.state, closing.state, facts={"task": command.name.strip()}
    )
    return key


def _task(work: UnitOfWork, key: int) -> tuple[Closing, ClosingTask]:
    found = work.session.scalar(select(ClosingTask.closing_id).where(ClosingTask.id == key))
    if found is None:
        raise NotFound("closing_task_unknown", id=key)
    # The closing's lock keeps two from changing its tasks at once.
    closing = changeable_closing(work, found)
    task = work.session.get_one(ClosingTask, key, populate_existing=True)
    return closing, task


def assign_task(work: UnitOfWork, key: int, *, owner: int | None, due_on: date) -> None:
    """Give a task to somebody (nobody: ``None``), until a day."""
    work.actor.require(AUTHORITY)
    closing, task = _task(work, key)
    if due_on < closing.begins_on:
        raise RuleBroken("closing_task_due", field="due_on", begins_on=closing.begins_on)
    task.owner_id, task.due_on = owner, due_on
    record_move(
        work, "closing", closing.id, "assign_task", closing.state, closing.state,
        facts={"task": task.name, "owner": owner, "due_on": due_on.isoformat()},
    )  # fmt: skip


def do_task(work: UnitOfWork, command: DoTask) -> None:
    """Say that a task is done, and on what that rests.

    Raises ``NotAllowed("closing_task_of_other")`` for who neither owns it nor closes periods, and ``RuleBroken`` without evidence,
    for a journal of another company, and for one that is done.
    """
    closing, task = _task(work, command.task)
    if task.owner_id != work.actor.id and not work.actor.may(AUTHORITY):
        raise NotAllowed("closing_task_of_other")
    if task.done_at is not None:
        raise RuleBroken("closing_task_done", task=task.name)
    said = command.evidence.strip()
    if not said and command.journal is None:
        raise RuleBroken("closing_evidence", field="evidence")
    if command.journal is not None:
        entity = work.session.scalar(select(ManualJournal.entity_id).where(ManualJournal.id == command.journal))
        if entity != closing.entity_id:
            raise RuleBroken("closing_journal_unknown", field="journal", id=command.journal)
    task.evidence, task.journal_id, task.done_by, task.done_at = said or None, command.journal, work.actor.id, work.now
    record_move(
        work,
        "closing",
        closing.id,
        "do_task",
        closing.state,
        closing.state,
        reason=said or None,
        facts={"task": task.name},
    )


def done_by_itself(work: UnitOfWork, entity: int, until: date, name: str, evidence: str) -> None:
    """The closing of these days, if there is one that is not locked, need not be told that its task of this name is done."""
    query = (
        select(ClosingTask.id)
        .join(Closing, Closing.id == ClosingTask.closing_id)
        .where(
            Closing.entity_id == entity, Closing.until == until, Closing.state != ClosingState.LOCKED,
            ClosingTask.name == name, ClosingTask.done_at.is_(None),
        )
        .order_by(ClosingTask.id)
    )  # fmt: skip
    for key in work.session.scalars(query).all():
        do_task(work, DoTask(task=key, evidence=evidence))


def undo_task(work: UnitOfWork, key: int, *, reason: str) -> None:
    """A task that was said to be done is open again; its evidence stays in the history."""
    closing, task = _task(work, key)
    if task.owner_id != work.actor.id and not work.actor.may(AUTHORITY):
        raise NotAllowed("closing_task_of_other")
    if task.done_at is None:
        raise RuleBroken("closing_task_open", task=task.name)
    if not reason.strip():
        raise RuleBroken("reason_required", field="reason", document="closing", move="undo_task")
    facts = {"task": task.name, "evidence": task.evidence, "journal": task.journal_id}
    task.evidence = task.journal_id = task.done_by = task.done_at = None
    record_move(
        work, "closing", closing.id, "undo_task", closing.state, closing.state, reason=reason.strip(), facts=facts
    )

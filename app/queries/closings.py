"""Closings of a company's books: which there are, how long each took, and one with its tasks, checks, locks and history."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from app.queries.closing_checks import CHECKS
from app.queries.periods import closes_of
from app.queries.places import EntityPick, entities_seen
from app.queries.processes import people
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import NotFound
from erpcore.kernel.history import Transition
from erpcore.ledger.closing.models import (
    Closing,
    ClosingAcceptance,
    ClosingFinding,
    ClosingState,
    ClosingTask,
)
from erpcore.ledger.closing.tasks import working_days
from erpcore.ledger.kinds import JournalKind, Strength
from erpcore.ledger.models import JournalLock
from erpcore.masterdata.calendars import company_rest
from erpcore.masterdata.models import Entity

#: The newest that are shown.
MOST = 60


@dataclass(frozen=True, kw_only=True)
class ClosingRow:
    """One closing. ``days``: working days from the end of the period until it was locked, or until today while it is not."""

    id: int
    entity_id: int
    begins_on: date
    until: date
    last_on: date
    state: str
    done: int
    tasks: int
    days: int
    checked_at: datetime | None
    locked_at: datetime | None
    version: int


@dataclass(frozen=True, kw_only=True)
class TaskRow:
    """One task. ``is_late``: not done, and its day is over. ``mine``: the person who looks may say that it is done."""

    id: int
    name: str
    owner_id: int | None
    owner: str
    due_on: date
    evidence: str | None
    journal_id: int | None
    done_at: datetime | None
    done_by: str
    is_late: bool
    mine: bool


@dataclass(frozen=True, kw_only=True)
class CheckRow:
    """One check and what it found last; ``finding_id`` is null before it looked. ``accepted`` is the reason why it is taken as it is."""

    name: str
    title: str
    finding_id: int | None
    agrees: bool | None
    found: str
    at: datetime | None
    may_accept: bool
    accepted: str | None
    journals: tuple[str, ...]

    @property
    def passes(self) -> bool:
        return bool(self.agrees) or (self.may_accept and self.accepted is not None)


@dataclass(frozen=True, kw_only=True)
class StepRow:
    """One step of its history; ``what`` is the task or the check that it was about."""

    move: str
    at: datetime
    actor: int
    role: str
    what: str
    reason: str | None


@dataclass(frozen=True, kw_only=True)
class ClosingPage:
    """A closing as its room shows it."""

    row: ClosingRow
    entity: EntityPick
    tasks: list[TaskRow]
    checks: list[CheckRow]
    steps: list[StepRow]

    @property
    def failing(self) -> list[CheckRow]:
        return [one for one in self.checks if not one.passes]

    @property
    def open_tasks(self) -> list[TaskRow]:
        return [one for one in self.tasks if one.done_at is None]


def _rows(session: Session, entity: EntityPick, now: datetime, *where: object) -> list[ClosingRow]:
    done = func.coalesce(func.sum(case((ClosingTask.done_at.is_not(None), 1), else_=0)), 0)
    counts = (
        select(ClosingTask.closing_id, func.count().label("tasks"), done.label("done"))
        .group_by(ClosingTask.closing_id)
        .subquery()
    )
    query = (
        select(Closing, counts.c.tasks, counts.c.done)
        .join(counts, counts.c.closing_id == Closing.id, isouter=True)
        .where(Closing.entity_id == entity.id, *where)  # type: ignore[arg-type]  # conditions of one query
        .order_by(Closing.until.desc())
        .limit(MOST)
    )
    out, rest = [], company_rest(session, entity.id)
    for one, tasks, finished in session.execute(query):
        ended = local_day(one.locked_at or now, entity.time_zone)
        out.append(
            ClosingRow(
                id=one.id, entity_id=one.entity_id, begins_on=one.begins_on, until=one.until,
                last_on=date.fromordinal(one.until.toordinal() - 1), state=one.state, done=int(finished or 0),
                tasks=int(tasks or 0), days=working_days(one.until, ended, rest), checked_at=one.checked_at,
                locked_at=one.locked_at, version=one.version,
            )
        )  # fmt: skip
    return out


def closings_of(session: Session, entity: EntityPick, now: datetime) -> list[ClosingRow]:
    """The closings of a company, the newest days first. Two queries."""
    return _rows(session, entity, now)


def _company(session: Session, actor: Actor, entity: int | None) -> EntityPick | None:
    return next((one for one in entities_seen(session, actor) if one.id == entity), None)


def closing_page(session: Session, actor: Actor, key: int, now: datetime) -> ClosingPage:
    """One closing; raises ``NotFound`` for an unknown one and for a company that the person does not see. Nine queries."""
    entity = _company(session, actor, session.scalar(select(Closing.entity_id).where(Closing.id == key)))
    if entity is None:
        raise NotFound("closing_unknown", id=key)
    (row,) = _rows(session, entity, now, Closing.id == key)
    steps = session.scalars(
        select(Transition)
        .where(Transition.document_type == "closing", Transition.document_id == key)
        .order_by(Transition.id.desc())
        .limit(MOST)
    ).all()
    return ClosingPage(
        row=row, entity=entity, tasks=_tasks(session, actor, key, local_day(now, entity.time_zone)),
        checks=_checks(session, key), steps=[_step(one) for one in steps],
    )  # fmt: skip


def _step(one: Transition) -> StepRow:
    facts = json.loads(one.facts) if one.facts else {}
    titles = {check.name: check.title for check in CHECKS}
    what = facts.get("task") or titles.get(facts.get("check", ""), "")
    return StepRow(move=one.move, at=one.at, actor=one.actor, role=one.role, what=what, reason=one.reason)


def closing_of_task(session: Session, task: int) -> int:
    """The closing that a task belongs to; raises ``NotFound``."""
    found = session.scalar(select(ClosingTask.closing_id).where(ClosingTask.id == task))
    if found is None:
        raise NotFound("closing_task_unknown", id=task)
    return found


def closing_of_finding(session: Session, finding: int) -> int:
    """The closing that a finding belongs to; raises ``NotFound``."""
    found = session.scalar(select(ClosingFinding.closing_id).where(ClosingFinding.id == finding))
    if found is None:
        raise NotFound("closing_finding_unknown", id=finding)
    return found


def _tasks(session: Session, actor: Actor, closing: int, today: date) -> list[TaskRow]:
    rows = session.scalars(
        select(ClosingTask).where(ClosingTask.closing_id == closing).order_by(ClosingTask.position)
    ).all()
    names = people(session, [key for row in rows for key in (row.owner_id, row.done_by)])

    def name(key: int | None) -> str:
        return names[key].name if key in names else ""

    may = actor.may("ledger:period:close")
    return [
        TaskRow(
            id=row.id, name=row.name, owner_id=row.owner_id, owner=name(row.owner_id), due_on=row.due_on, evidence=row.evidence,
            journal_id=row.journal_id, done_at=row.done_at, done_by=name(row.done_by),
            is_late=row.done_at is None and row.due_on < today, mine=may or row.owner_id == actor.id,
        )
        for row in rows
    ]  # fmt: skip


def _checks(session: Session, closing: int) -> list[CheckRow]:
    newest = (
        select(func.max(ClosingFinding.id)).where(ClosingFinding.closing_id == closing).group_by(ClosingFinding.name)
    )
    query = (
        select(ClosingFinding, ClosingAcceptance.reason)
        .join(ClosingAcceptance, ClosingAcceptance.finding_id == ClosingFinding.id, isouter=True)
        .where(ClosingFinding.id.in_(newest))
    )
    found = {one.name: (one, reason) for one, reason in session.execute(query)}
    out = []
    for check in CHECKS:
        one, reason = found.get(check.name, (None, None))
        out.append(
            CheckRow(
                name=check.name, title=check.title, finding_id=one.id if one else None, agrees=one.agrees if one else None,
                found=one.found if one else "Has not looked yet.", at=one.at if one else None, may_accept=check.may_accept,
                accepted=reason, journals=tuple(sorted(check.journals)),
            )
        )  # fmt: skip
    return out


@dataclass(frozen=True, kw_only=True)
class LockRow:
    """The first open day of a kind of journal: for all but Finance, and for everybody; ``None``: nothing is locked."""

    journal: str
    soft: date | None
    hard: date | None
    reason: str


def locks_of(session: Session, entity: int) -> list[LockRow]:
    """How far each kind of journal of a company is locked, by itself or with the books. Two queries."""
    closes = closes_of(session, entity)
    closed = closes[0].until if closes else None
    newest = (
        select(func.max(JournalLock.id))
        .where(JournalLock.entity_id == entity)
        .group_by(JournalLock.journal, JournalLock.strength)
    )
    rows = session.scalars(select(JournalLock).where(JournalLock.id.in_(newest)).order_by(JournalLock.id)).all()
    found = {(row.journal, row.strength): row.until for row in rows}
    last = {row.journal: row.reason for row in rows}
    hard = {kind: [day for day in (closed, found.get((kind, Strength.HARD))) if day] for kind in JournalKind}
    return [
        LockRow(
            journal=kind, soft=found.get((kind, Strength.SOFT)), hard=max(hard[kind], default=None), reason=last.get(kind, "")
        )
        for kind in JournalKind
    ]  # fmt: skip


def open_closings(session: Session) -> list[tuple[int, str]]:
    """The closings that are not locked, with the realm of their company."""
    rows = session.execute(
        select(Closing.id, Entity.realm)
        .join(Entity, Entity.id == Closing.entity_id)
        .where(Closing.state != ClosingState.LOCKED)
        .order_by(Closing.id)
    )
    return [(row.id, row.realm) for row in rows]

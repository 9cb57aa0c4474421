"""Closing a period: begun, softly locked, locked once every task is done and every check agrees, opened again with a reason.

What the checks look at belongs to other areas, so whoever locks hands them in; nothing is locked that does not agree.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import Conflict, RuleBroken
from erpcore.kernel.first import add_first
from erpcore.kernel.history import record_move
from erpcore.kernel.work import UnitOfWork
from erpcore.ledger.closing.findings import Finding, failing, keep_findings
from erpcore.ledger.closing.flow import CLOSING
from erpcore.ledger.closing.models import Closing, ClosingState, ClosingTask
from erpcore.ledger.closing.tasks import first_tasks, locked_closing
from erpcore.ledger.kinds import JournalKind, Strength
from erpcore.ledger.periods import (
    AUTHORITY,
    ClosePeriod,
    LockJournal,
    close_period,
    closed_until,
    hold_books,
    lock_journals,
    own_entity,
    require_over,
    standing,
)
from erpcore.masterdata.models import Entity

#: A closing is prepared at most so long before its days are over.
_AHEAD = timedelta(days=92)
Checks = Callable[[Session, Entity, date, frozenset[JournalKind]], Sequence[Finding]]
"""What do the checks of these kinds of journal find for a company's days before this one?"""
_ALL = frozenset(JournalKind)


def start_closing(work: UnitOfWork, entity: int, until: date) -> int:
    """Begin to close a company's days before ``until``; returns the closing's id.

    Raises ``RuleBroken("closing_nothing_open")`` where those days are closed or another closing has them, and
    ``"closing_too_early"`` long before they are over; ``Conflict("closing_there")`` where somebody was faster.
    """
    work.actor.require(AUTHORITY)
    row = own_entity(work, entity)
    today = local_day(work.now, row.time_zone)
    if until > today + _AHEAD:
        raise RuleBroken("closing_too_early", field="until", until=until)
    before = work.session.scalars(
        select(Closing).where(Closing.entity_id == entity).order_by(Closing.until.desc()).limit(1)
    ).first()
    if before is not None and before.until == until:
        raise Conflict("closing_there", until=until)
    begins = max(
        (day for day in (closed_until(work, entity), before.until if before else None) if day),
        default=(until - timedelta(days=1)).replace(day=1),
    )
    if until <= begins:
        raise RuleBroken("closing_nothing_open", field="until", until=begins)
    key = work.ids.one()
    closing = Closing(
        id=key, entity_id=entity, begins_on=begins, until=until, state=CLOSING.initial, started_by=work.actor.id,
        started_at=work.now, version=1,
    )  # fmt: skip
    add_first(work, closing, "closing_there", until=until)
    work.session.add_all(first_tasks(work, closing, before))
    record_move(work, "closing", key, "start", None, CLOSING.initial)
    return key


def soft_lock(work: UnitOfWork, key: int, *, seen_version: int | None = None) -> None:
    """Let only Finance post on the days of the closing, in every journal."""
    work.actor.require(AUTHORITY)
    row = locked_closing(work, key, seen_version=seen_version)
    state = CLOSING.target("soft_lock", row.state)
    lock_journals(work, _locks(row, Strength.SOFT, row.until, f"Closing CL-{row.id}"))
    _moved(work, row, "soft_lock", state)


def _locks(row: Closing, strength: Strength, until: date, reason: str) -> list[LockJournal]:
    return [
        LockJournal(entity=row.entity_id, journal=journal, strength=strength, until=until, reason=reason)
        for journal in JournalKind
    ]


def _moved(work: UnitOfWork, row: Closing, move: str, state: StrEnum, reason: str | None = None) -> None:
    record_move(work, "closing", row.id, move, row.state, state, reason=reason)
    row.state, row.version = state, row.version + 1
    row.locked_at = work.now if state == ClosingState.LOCKED else None
    work.session.flush()


def lock_books(
    work: UnitOfWork, key: int, checks: Checks, *, reason: str, seen_version: int | None = None
) -> None:  # fmt: skip
    """Lock the days of a closing for everybody.

    The checks look once nobody can post to those days any more, and what they find is kept. Raises ``RuleBroken`` with what keeps
    the books open: ``closing_checks_fail``, ``closing_tasks_open``, ``closing_earlier_open``; nothing is locked then.
    """
    work.actor.require(AUTHORITY)
    row = locked_closing(work, key, seen_version=seen_version)
    state = CLOSING.target("lock", row.state)
    if not reason.strip():
        raise RuleBroken("reason_required", field="reason", document="closing", move="lock")
    earlier = select(func.min(Closing.until)).where(
        Closing.entity_id == row.entity_id, Closing.until < row.until, Closing.state != ClosingState.LOCKED
    )
    if before := work.session.scalar(earlier):
        raise RuleBroken("closing_earlier_open", until=before)
    require_over(work, own_entity(work, row.entity_id), row.until)
    waiting = work.session.scalars(
        select(ClosingTask.name)
        .where(ClosingTask.closing_id == row.id, ClosingTask.done_at.is_(None))
        .order_by(ClosingTask.position)
    ).all()
    if waiting:
        raise RuleBroken("closing_tasks_open", tasks="; ".join(waiting))
    hold_books(work, row.entity_id)
    findings = checks(work.session, own_entity(work, row.entity_id), row.until, _ALL)
    if wrong := failing(work, keep_findings(work, row, findings), findings):
        raise RuleBroken("closing_checks_fail", found=" ".join(one.found for one in wrong))
    close_period(work, ClosePeriod(entity=row.entity_id, until=row.until, reason=reason))
    _moved(work, row, "lock", state, reason.strip())


def reopen(work: UnitOfWork, key: int, *, reason: str, seen_version: int | None = None) -> None:
    """Open the days of a closing again, locks and all. Raises ``RuleBroken("closing_later_locked")`` while later days are closed."""
    work.actor.require(AUTHORITY)
    row = locked_closing(work, key, seen_version=seen_version)
    state = CLOSING.target("reopen", row.state, reason=reason)
    hold_books(work, row.entity_id)
    stands = standing(work, row.entity_id)
    if stands.closed is not None and stands.closed > row.until:
        raise RuleBroken("closing_later_locked", until=stands.closed)
    back = [
        LockJournal(
            entity=row.entity_id, journal=JournalKind(journal), strength=Strength(strength), until=row.begins_on, reason=reason
        )
        for (journal, strength), until in sorted(stands.locks.items())
        if until > row.begins_on
    ]  # fmt: skip
    lock_journals(work, back)
    if row.state == ClosingState.LOCKED:
        close_period(work, ClosePeriod(entity=row.entity_id, until=row.begins_on, reason=reason))
    work.audit("closing_reopened", "closing", row.id, until=row.until.isoformat(), reason=reason.strip())
    _moved(work, row, "reopen", state, reason.strip())


def move_close(work: UnitOfWork, command: ClosePeriod, checks: Checks) -> int:
    """Close days without a closing, or open them again; the checks have to agree there as well, and nothing is taken as it is.

    Raises ``RuleBroken("closing_under_way")`` where a closing has those days, ``"closing_checks_fail"``, and ``"closing_has_days"``
    for opening what a closing locked: that is done there.
    """
    work.actor.require(AUTHORITY)
    entity = own_entity(work, command.entity)
    before = closed_until(work, entity.id)
    if before is not None and command.until <= before:
        locked = select(func.max(Closing.id)).where(
            Closing.entity_id == entity.id, Closing.state == ClosingState.LOCKED, Closing.until > command.until
        )
        if key := work.session.scalar(locked):
            raise RuleBroken("closing_has_days", field="until", id=key)
        return close_period(work, command)
    under_way = select(func.min(Closing.id)).where(
        Closing.entity_id == entity.id, Closing.state != ClosingState.LOCKED, Closing.begins_on < command.until
    )
    if key := work.session.scalar(under_way):
        raise RuleBroken("closing_under_way", field="until", id=key)
    require_over(work, entity, command.until)
    hold_books(work, entity.id)
    found = checks(work.session, entity, command.until, _ALL)
    if wrong := [one for one in found if not one.agrees]:
        raise RuleBroken("closing_checks_fail", field="until", found=" ".join(one.found for one in wrong))
    return close_period(work, command)


def look(work: UnitOfWork, key: int, checks: Checks) -> bool:
    """Let the checks of a closing look now and keep what they find; says whether they did: of a locked one nothing is asked."""
    row = locked_closing(work, key)
    if row.state == ClosingState.LOCKED:
        return False
    keep_findings(work, row, checks(work.session, own_entity(work, row.entity_id), row.until, _ALL))
    return True


def lock_one(work: UnitOfWork, command: LockJournal, checks: Checks) -> None:
    """Lock one kind of journal; for nobody to post to it, its checks have to agree, but for those that may be taken as they are.

    Raises ``RuleBroken("closing_checks_fail")``.
    """
    work.actor.require(AUTHORITY)
    entity = own_entity(work, command.entity)
    if command.strength is Strength.HARD:
        require_over(work, entity, command.until)
        hold_books(work, entity.id)
        found = checks(work.session, entity, command.until, frozenset({command.journal}))
        if wrong := [one for one in found if not one.agrees and not one.may_accept]:
            raise RuleBroken("closing_checks_fail", field="until", found=" ".join(one.found for one in wrong))
    lock_journals(work, [command])

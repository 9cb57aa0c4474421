"""Up to which day are an entity's books closed? What is closed takes no more postings and no more stock moves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import Date, func, insert, literal, select

from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.kernel.work import UnitOfWork
from erpcore.ledger.models import ClosedCount, ClosedTotal, JournalEntry, JournalLine, PeriodClose
from erpcore.masterdata.models import Entity

#: A unit of work that began on the last day of a period may still end after its close.
_LAST_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class ClosePeriod:
    """Close the days before ``until``, or open some again with an earlier day; always with a reason."""

    entity: int
    until: date
    reason: str


def closed_until(work: UnitOfWork, entity: int) -> date | None:
    """The first day that is still open; ``None`` when nothing was ever closed."""
    memo: dict[int, date | None] = work.memo.setdefault("closed_until", {})
    if entity not in memo:
        memo[entity] = work.session.execute(
            select(PeriodClose.closed_until)
            .where(PeriodClose.entity_id == entity)
            .order_by(PeriodClose.id.desc())
            .limit(1)
        ).scalar_one_or_none()
    return memo[entity]


def _hold(work: UnitOfWork, entity: int, *, shared: bool) -> None:
    """Until the unit of work ends: many may post into the past of an entity, or one closes it. SQLite has one writer anyway."""
    if work.dialect.name == "postgresql":
        lock = func.pg_advisory_xact_lock_shared if shared else func.pg_advisory_xact_lock
        # Ids are positive: no other advisory lock has a negative key.
        work.session.execute(select(lock(-entity)))


def require_open_period(work: UnitOfWork, entity: int, day: date) -> None:
    """Raise ``RuleBroken("period_closed")`` for a day in a closed period; who posts into the past holds off who closes it."""
    until = first_open_day(work, entity, day)
    if day < until:
        raise RuleBroken("period_closed", field="at", day=day, until=until)


def first_open_day(work: UnitOfWork, entity: int, day: date) -> date:
    """The day itself, or the first open one after it; who posts into the past holds off who closes it."""
    if entity not in work.memo.setdefault("closed_until", {}):
        _hold(work, entity, shared=True)
    until = closed_until(work, entity)
    return day if until is None else max(day, until)


def _keep_totals(work: UnitOfWork, close: int, entity: int, until: date) -> None:
    """Add up what was posted before this day, which nobody can post to any more, so that nobody has to do it again."""
    # The rows of the totals refer to the row of the close.
    work.session.flush()
    e, line = JournalEntry.__table__.c, JournalLine.__table__.c
    site = func.coalesce(e.site_id, 0)
    counted = (
        select(
            literal(close), site, literal(until, Date), func.count(), func.coalesce(func.sum(e.rounding), 0)
        )
        .where(e.entity_id == entity, e.entry_on < until)
        .group_by(site)
    )  # fmt: skip
    summed = (
        select(literal(close), site, line.account_id, func.sum(line.debit_minor), func.sum(line.credit_minor))
        .join_from(JournalEntry.__table__, JournalLine.__table__, line.entry_id == e.id)
        .where(e.entity_id == entity, e.entry_on < until)
        .group_by(site, line.account_id)
    )
    for table, rows in ((ClosedCount.__table__, counted), (ClosedTotal.__table__, summed)):
        work.connection.execute(insert(table).from_select([column.name for column in table.c], rows))


def close_period(work: UnitOfWork, command: ClosePeriod) -> int:
    """Move the day up to which the books are closed; the history of such moves stays.

    Raises ``RuleBroken`` for a day that is not over yet: nobody can post tomorrow what happens today.
    """
    work.actor.require("ledger:period:close")
    row = work.session.execute(select(Entity).where(Entity.id == command.entity).with_for_update(key_share=True))
    entity = row.scalar_one_or_none()
    if entity is None:
        raise NotFound("not_found")
    if entity.realm != work.realm:
        raise RuleBroken("other_realm", site=entity.code, realm=entity.realm, asked=work.realm)
    if not command.reason.strip():
        raise RuleBroken("reason_required", field="reason", document="period", move="close")
    if command.until > local_day(work.now, entity.time_zone):
        raise RuleBroken("period_not_over", field="until", until=command.until)
    _hold(work, entity.id, shared=False)
    key = work.ids.one()
    work.session.add(
        PeriodClose(
            id=key, entity_id=entity.id, closed_until=command.until, reason=command.reason.strip(), closed_by=work.actor.id,
            closed_at=work.now,
        )
    )  # fmt: skip
    _keep_totals(work, key, entity.id, min(command.until, local_day(work.now, entity.time_zone) - _LAST_DAY))
    work.audit("period_closed", "entity", entity.id, until=command.until.isoformat(), reason=command.reason.strip())
    work.memo.pop("closed_until", None)
    return key

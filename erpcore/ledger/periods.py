"""Up to which day are an entity's books closed, and each journal locked? What is closed takes no more postings and no more stock moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from sqlalchemy import Date, func, insert, literal, select, union_all

from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.kernel.work import UnitOfWork
from erpcore.ledger.kinds import JournalKind, Strength
from erpcore.ledger.models import ClosedCount, ClosedTotal, JournalEntry, JournalLine, JournalLock, PeriodClose
from erpcore.masterdata.models import Entity

#: A unit of work that began on the last day of a period may still end after its close.
_LAST_DAY = timedelta(days=1)
#: Who closes periods also posts where a soft lock keeps others out.
AUTHORITY = "ledger:period:close"


@dataclass(frozen=True, kw_only=True, slots=True)
class ClosePeriod:
    """Close the days before ``until``, or open some again with an earlier day; always with a reason."""

    entity: int
    until: date
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class LockJournal:
    """Lock the days before ``until`` for one kind of journal, or give some free again with an earlier day; always with a reason."""

    entity: int
    journal: JournalKind
    strength: Strength
    until: date
    reason: str


@dataclass(slots=True)
class Standing:
    """The first open day of an entity's books, and of each of its locks."""

    closed: date | None = None
    locks: dict[tuple[str, str], date] = field(default_factory=dict)

    def first_open(self, journal: JournalKind, *, authority: bool) -> tuple[date, str]:
        """From which day on this journal takes postings, and what keeps the days before: ``closed``, ``hard`` or ``soft``."""
        found = [(self.closed, "closed"), (self.locks.get((journal, Strength.HARD)), "hard")]
        if not authority:
            found.append((self.locks.get((journal, Strength.SOFT)), "soft"))
        return max(((day, why) for day, why in found if day), key=lambda one: one[0], default=(date.min, ""))


def closed_until(work: UnitOfWork, entity: int) -> date | None:
    """The first day that is still open; ``None`` when nothing was ever closed."""
    return standing(work, entity).closed


def standing(work: UnitOfWork, entity: int) -> Standing:
    """What is closed and locked of an entity, read once per unit of work, in one statement."""
    memo: dict[int, Standing] = work.memo.setdefault("books_closed", {})
    if entity not in memo:
        newest = select(func.max(PeriodClose.id)).where(PeriodClose.entity_id == entity).scalar_subquery()
        locks = (
            select(func.max(JournalLock.id))
            .where(JournalLock.entity_id == entity)
            .group_by(JournalLock.journal, JournalLock.strength)
        )
        both = union_all(
            select(literal("").label("journal"), literal("").label("strength"), PeriodClose.closed_until.label("until")).where(
                PeriodClose.id == newest
            ),
            select(JournalLock.journal, JournalLock.strength, JournalLock.until).where(JournalLock.id.in_(locks)),
        )  # fmt: skip
        found = Standing()
        for journal, strength, until in work.session.execute(both):
            if journal:
                found.locks[journal, strength] = until
            else:
                found.closed = until
        memo[entity] = found
    return memo[entity]


def hold_books(work: UnitOfWork, entity: int, *, shared: bool = False) -> None:
    """Until the unit of work ends: many may post into the past of an entity, or one closes it. SQLite has one writer anyway."""
    if work.dialect.name == "postgresql":
        lock = func.pg_advisory_xact_lock_shared if shared else func.pg_advisory_xact_lock
        # Ids are positive: no other advisory lock has a negative key.
        work.session.execute(select(lock(-entity)))


def require_open_period(work: UnitOfWork, entity: int, day: date, journal: JournalKind, *, posts: bool = True) -> None:
    """Raise ``RuleBroken`` for a day that is closed, or locked for this journal and person; who posts into the past holds off
    who closes it. Without ``posts`` a soft lock lets everybody pass.
    """
    until, why = _first_open(work, entity, journal, posts=posts)
    if day >= until:
        return
    if why == "closed":
        raise RuleBroken("period_closed", field="at", day=day, until=until)
    code = "journal_locked_soft" if why == Strength.SOFT else "journal_locked_hard"
    raise RuleBroken(code, field="at", day=day, until=until, journal=journal)


def _first_open(work: UnitOfWork, entity: int, journal: JournalKind, *, posts: bool = True) -> tuple[date, str]:
    if entity not in work.memo.setdefault("books_closed", {}):
        hold_books(work, entity, shared=True)
    # A job is not Finance, though it may do what its code does.
    return standing(work, entity).first_open(journal, authority=not posts or AUTHORITY in work.actor.permissions)


def first_open_day(work: UnitOfWork, entity: int, day: date, journal: JournalKind) -> date:
    """The day itself, or the first open one after it; who posts into the past holds off who closes it."""
    return max(day, _first_open(work, entity, journal)[0])


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


def own_entity(work: UnitOfWork, key: int, *, lock: bool = False) -> Entity:
    """The company whose books are meant, of this unit of work's realm; raises ``NotFound`` and ``RuleBroken("other_realm")``."""
    query = select(Entity).where(Entity.id == key)
    entity = work.session.execute(query.with_for_update(key_share=True) if lock else query).scalar_one_or_none()
    if entity is None:
        raise NotFound("not_found")
    if entity.realm != work.realm:
        raise RuleBroken("other_realm", site=entity.code, realm=entity.realm, asked=work.realm)
    return entity


def close_period(work: UnitOfWork, command: ClosePeriod) -> int:
    """Move the day up to which the books are closed; the history of such moves stays.

    Raises ``RuleBroken`` for a day that is not over yet: nobody can post tomorrow what happens today.
    """
    work.actor.require(AUTHORITY)
    entity = own_entity(work, command.entity, lock=True)
    if not command.reason.strip():
        raise RuleBroken("reason_required", field="reason", document="period", move="close")
    require_over(work, entity, command.until)
    hold_books(work, entity.id)
    key = work.ids.one()
    work.session.add(
        PeriodClose(
            id=key, entity_id=entity.id, closed_until=command.until, reason=command.reason.strip(), closed_by=work.actor.id,
            closed_at=work.now,
        )
    )  # fmt: skip
    _keep_totals(work, key, entity.id, min(command.until, local_day(work.now, entity.time_zone) - _LAST_DAY))
    work.audit("period_closed", "entity", entity.id, until=command.until.isoformat(), reason=command.reason.strip())
    work.memo.pop("books_closed", None)
    return key


def require_over(work: UnitOfWork, entity: Entity, until: date) -> None:
    """Raise ``RuleBroken("period_not_over")`` while some day before this one is not over."""
    if until > local_day(work.now, entity.time_zone):
        raise RuleBroken("period_not_over", field="until", until=until)


def lock_journals(work: UnitOfWork, commands: Sequence[LockJournal]) -> None:
    """Move the day up to which kinds of journal are locked; the history of such moves stays.

    Raises ``RuleBroken("period_not_over")`` for a day that is not over yet, and ``"reason_required"``.
    """
    work.actor.require(AUTHORITY)
    for command in commands:
        entity = own_entity(work, command.entity, lock=True)
        if not command.reason.strip():
            raise RuleBroken("reason_required", field="reason", document="journal", move="lock")
        require_over(work, entity, command.until)
        hold_books(work, entity.id)
        work.session.add(
            JournalLock(
                id=work.ids.one(), entity_id=entity.id, journal=command.journal, strength=command.strength, until=command.until,
                reason=command.reason.strip(), locked_by=work.actor.id, locked_at=work.now,
            )
        )  # fmt: skip
        work.audit(
            "journal_locked", "entity", entity.id, journal=command.journal, strength=command.strength,
            until=command.until.isoformat(), reason=command.reason.strip(),
        )  # fmt: skip
    work.session.flush()
    work.memo.pop("books_closed", None)

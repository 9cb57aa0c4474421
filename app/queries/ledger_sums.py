"""What do the lines of a company's books add up to in given days, by account, and apart by site or channel?

Figures are read from the months and days that are kept beside the entries, and from the entries behind the cursor of who keeps
them, so that they hold all that is posted at this moment and need not add up every entry, nor every day, there ever was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, and_, case, func, literal, select, union_all
from sqlalchemy.orm import Session

from erpcore.kernel.actor import Actor
from erpcore.kernel.events import ConsumerCursor, EventLog, ParkedEvent
from erpcore.ledger.days import CONSUMER
from erpcore.ledger.models import JournalEntry, JournalLine, LedgerDay, LedgerMonth
from erpcore.ledger.statements import Period

_DAY = timedelta(days=1)
#: What an entry belongs to by each way of setting it apart; 0 where it says none, nothing where nothing is set apart.
Part = tuple[int, ...]
#: The ways of setting lines apart, and the columns that do it.
SEGMENTS = {"site": ("site_id",), "channel": ("channel_id",), "cell": ("site_id", "channel_id")}


@dataclass(frozen=True, kw_only=True)
class Extract:
    """Which lines: of a company, and where one is named of a site and a channel; 0: of none."""

    entity: int
    site: int | None = None
    channel: int | None = None


@dataclass(frozen=True)
class Span:
    """Days [since, until); ``since`` ``None``: from the beginning."""

    since: date | None
    until: date

    @property
    def broken(self) -> set[date]:
        """The months, by their first day, of which it holds a part."""
        ends = (self.until,) if self.since is None else (self.since, self.until)
        return {day.replace(day=1) for day in ends if day.day > 1}

    def holds(self, day: Any) -> ColumnElement[bool]:
        return day < self.until if self.since is None else and_(day >= self.since, day < self.until)


def next_month(first: date) -> date:
    """The first day of the month after the one that begins on ``first``."""
    return (first + timedelta(days=31)).replace(day=1)


def whole(period: Period) -> Span:
    """The days of a period."""
    return Span(period.since, period.until + _DAY)


def up_to(day: date) -> Span:
    """Everything up to the end of this day."""
    return Span(None, day + _DAY)


def _conditions(extract: Extract, actor: Actor, table: Any, day: Any, spans: Sequence[Span]) -> list[Any]:
    """The rows that a report may read: of the company, the person's sites, the site and channel asked for, the days at all."""
    found: list[Any] = [table.entity_id == extract.entity, day < max(span.until for span in spans)]
    if all(span.since is not None for span in spans):
        found.append(day >= min(span.since for span in spans if span.since is not None))
    if actor.sites is not None:
        found.append(table.site_id.in_(sorted(actor.sites)))
    if extract.site is not None:
        found.append(table.site_id == extract.site)
    if extract.channel is not None:
        found.append(table.channel_id == extract.channel)
    return found


def late_lines(session: Session) -> Any:
    """The lines that are not in the days yet: posted since the cursor moved, or of a parked event.

    The cursor is read in the statement itself, which sees it and the days at one moment; that it was at ``seen`` just before, and
    only ever moves on, tells the database how few events are behind it.
    """
    seen = session.scalar(select(ConsumerCursor.seq).where(ConsumerCursor.name == CONSUMER)) or 0
    cursor = select(ConsumerCursor.seq).where(ConsumerCursor.name == CONSUMER).scalar_subquery()
    parked = select(ParkedEvent.seq).where(ParkedEvent.consumer == CONSUMER)
    posted = select(EventLog.subject_id).where(EventLog.type == "ledger.posted")
    entries = union_all(
        posted.where(EventLog.seq > literal(seen, BigInteger), EventLog.seq > func.coalesce(cursor, 0)),
        posted.where(EventLog.seq <= func.coalesce(cursor, 0), EventLog.seq.in_(parked)),
    ).subquery()
    entry, line = JournalEntry, JournalLine
    lines = (
        select(
            entry.entity_id, entry.entry_on, line.account_id, func.coalesce(entry.site_id, 0).label("site_id"),
            func.coalesce(entry.channel_id, 0).label("channel_id"), line.debit_minor, line.credit_minor,
        )
        .select_from(entries)
        .join(entry, entry.id == entries.c.subject_id)
        .join(line, line.entry_id == entry.id)
    )  # fmt: skip
    # Worked out by itself: by the company first it would be read from all entries that there ever were.
    return lines.cte("late").prefix_with("MATERIALIZED")


def sums_of(
    session: Session, actor: Actor, extract: Extract, spans: Sequence[Span], by: str = ""
) -> dict[tuple[int, Part], list[tuple[int, int]]]:
    """Debits and credits in each span, by account and part."""

    def lines_of(table: Any, day: Any, *only: Any) -> Any:
        columns = (
            day.label("day"), table.account_id, table.site_id, table.channel_id, table.debit_minor, table.credit_minor,
        )  # fmt: skip
        return select(*columns).where(*_conditions(extract, actor, table, day, spans), *only)

    broken = sorted(set().union(*(span.broken for span in spans)))
    late = late_lines(session).c
    parts = [
        lines_of(late, late.entry_on),
        lines_of(LedgerMonth, LedgerMonth.month_on, LedgerMonth.month_on.not_in(broken)),
    ]
    parts += [
        lines_of(LedgerDay, LedgerDay.entry_on, LedgerDay.entry_on >= first, LedgerDay.entry_on < next_month(first))
        for first in broken
    ]
    each = union_all(*parts).subquery()
    groups = [each.c.account_id, *(each.c[name] for name in SEGMENTS.get(by, ()))]
    figures = [
        func.sum(case((span.holds(each.c.day), side), else_=0))
        for span in spans
        for side in (each.c.debit_minor, each.c.credit_minor)
    ]
    found: dict[tuple[int, Part], list[tuple[int, int]]] = {}
    for row in session.execute(select(*groups, *figures).group_by(*groups)):
        account, *part = row[: len(groups)]
        values = [int(value) for value in row[len(groups) :]]
        found[account, tuple(part)] = list(zip(values[::2], values[1::2], strict=True))
    return found

"""Trial balance, profit and loss and balance sheet of a company, for any days, site and channel.

Figures are read from the months and days that are kept beside the entries, and from the entries behind the cursor of who keeps
them, so that they hold all that is posted at this moment and need not add up every entry, nor every day, there ever was.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, and_, case, func, literal, select, union_all
from sqlalchemy.orm import Session

from erpcore.kernel.actor import Actor
from erpcore.kernel.events import ConsumerCursor, EventLog, ParkedEvent
from erpcore.ledger.days import CONSUMER
from erpcore.ledger.models import Account, JournalEntry, JournalLine, LedgerDay, LedgerMonth
from erpcore.ledger.statements import (
    AccountFact,
    Period,
    Report,
    Statement,
    balance_sheet,
    profit_and_loss,
    trial_balance,
)
from erpcore.masterdata.models import Channel, Site

_DAY = timedelta(days=1)
#: The most sites or channels that stand beside each other; the figures of the others are one column.
MOST_PARTS = 40


@dataclass(frozen=True, kw_only=True)
class AskedReport:
    """Which report of which company. ``by``: "site" or "channel" beside each other instead of the period before."""

    report: Report
    entity: int
    period: Period
    site: int | None = None
    channel: int | None = None
    by: str = ""


class Adds(StrEnum):
    """What a column of figures is about."""

    OPENING = "opening"
    DEBIT = "debit"
    CREDIT = "credit"
    CLOSING = "closing"
    PERIOD = "period"
    PART = "part"
    #: All parts that have no column of their own.
    OTHERS = "others"
    ALL = "all"
    CHANGE = "change"


@dataclass(frozen=True, kw_only=True)
class ReportColumn:
    """A column of figures: what it is called, and the part and days, both included, whose lines it adds up.

    ``since`` ``None``: from the beginning. A change adds up nothing; it compares the two before it.
    """

    label: str
    adds: Adds
    since: date | None = None
    until: date | None = None
    part: int | None = None

    @property
    def is_change(self) -> bool:
        return self.adds is Adds.CHANGE


@dataclass(frozen=True, kw_only=True)
class ReportPage:
    """The report, what its columns are, and the period it is compared with."""

    asked: AskedReport
    statement: Statement
    columns: Sequence[ReportColumn]


@dataclass(frozen=True)
class _Span:
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


def _next_month(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1)


def _whole(period: Period) -> _Span:
    return _Span(period.since, period.until + _DAY)


def _until(day: date) -> _Span:
    """Everything up to the end of this day."""
    return _Span(None, day + _DAY)


def _conditions(asked: AskedReport, actor: Actor, table: Any, day: Any, spans: Sequence[_Span]) -> list[Any]:
    """The rows that a report may read: of the company, the person's sites, the site and channel asked for, the days at all."""
    found: list[Any] = [table.entity_id == asked.entity, day < max(span.until for span in spans)]
    if all(span.since is not None for span in spans):
        found.append(day >= min(span.since for span in spans if span.since is not None))
    if actor.sites is not None:
        found.append(table.site_id.in_(sorted(actor.sites)))
    if asked.site is not None:
        found.append(table.site_id == asked.site)
    if asked.channel is not None:
        found.append(table.channel_id == asked.channel)
    return found


def _late(session: Session) -> Any:
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


def _sums(
    session: Session, actor: Actor, asked: AskedReport, spans: Sequence[_Span]
) -> dict[tuple[int, int], list[tuple[int, int]]]:
    """Debits and credits of each account in each span, by account and part (0 where nothing is set apart)."""

    def lines_of(table: Any, day: Any, *only: Any) -> Any:
        columns = (
            day.label("day"), table.account_id, table.site_id, table.channel_id, table.debit_minor, table.credit_minor,
        )  # fmt: skip
        return select(*columns).where(*_conditions(asked, actor, table, day, spans), *only)

    broken = sorted(set().union(*(span.broken for span in spans)))
    late = _late(session).c
    parts = [
        lines_of(late, late.entry_on),
        lines_of(LedgerMonth, LedgerMonth.month_on, LedgerMonth.month_on.not_in(broken)),
    ]
    parts += [
        lines_of(LedgerDay, LedgerDay.entry_on, LedgerDay.entry_on >= first, LedgerDay.entry_on < _next_month(first))
        for first in broken
    ]
    each = union_all(*parts).subquery()
    part = {"site": each.c.site_id, "channel": each.c.channel_id}.get(asked.by)
    groups = [each.c.account_id, *([part] if part is not None else [])]
    figures = [
        func.sum(case((span.holds(each.c.day), side), else_=0))
        for span in spans
        for side in (each.c.debit_minor, each.c.credit_minor)
    ]
    found: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for row in session.execute(select(*groups, *figures).group_by(*groups)):
        values = [int(value) for value in row[len(groups) :]]
        key = (row[0], row[1] if part is not None else 0)
        found[key] = list(zip(values[::2], values[1::2], strict=True))
    return found


def _accounts(session: Session, entity: int) -> list[AccountFact]:
    rows = session.execute(
        select(Account.id, Account.code, Account.name, Account.kind, Account.role)
        .where(Account.entity_id == entity)
        .order_by(Account.code)
    )
    return [AccountFact(id=row.id, code=row.code, name=row.name, kind=row.kind, role=row.role) for row in rows]


def _parts(session: Session, by: str, keys: set[int]) -> list[tuple[int, str]]:
    """The sites or channels that have figures, by name; what belongs to none stands last."""
    table = Site if by == "site" else Channel
    named = [
        (row.id, row.name)
        for row in session.execute(select(table.id, table.name).where(table.id.in_(sorted(keys))).order_by(table.name))
    ]
    return [*named, *([(0, f"no {by}")] if 0 in keys else [])]


def report_page(session: Session, actor: Actor, asked: AskedReport) -> ReportPage:
    """The report with what it is compared with: the period before, or sites or channels beside each other."""
    accounts = _accounts(session, asked.entity)
    if asked.report is Report.TRIAL_BALANCE:
        return _trial_balance(session, actor, asked, accounts)
    return _by_part(session, actor, asked, accounts) if asked.by else _compared(session, actor, asked, accounts)


def _trial_balance(session: Session, actor: Actor, asked: AskedReport, accounts: list[AccountFact]) -> ReportPage:
    spans = (_until(asked.period.since - _DAY), _whole(asked.period))
    found = _sums(session, actor, replace(asked, by=""), spans)
    sums = {key: (before[0] - before[1], *now) for (key, _), (before, now) in found.items()}
    since, until = asked.period.since, asked.period.until
    columns = [
        ReportColumn(label="Opening", adds=Adds.OPENING, until=since - _DAY),
        ReportColumn(label="Debit", adds=Adds.DEBIT, since=since, until=until),
        ReportColumn(label="Credit", adds=Adds.CREDIT, since=since, until=until),
        ReportColumn(label="Closing", adds=Adds.CLOSING, until=until),
    ]
    return ReportPage(asked=asked, statement=trial_balance(accounts, sums), columns=columns)


def _spans(report: Report, period: Period) -> tuple[_Span, _Span]:
    """What a column adds up, and, for a balance sheet, what of it lies in earlier years."""
    if report is Report.PROFIT_AND_LOSS:
        return _whole(period), _whole(period)
    return _until(period.until), _until(period.year_begins - _DAY)


def _compared(session: Session, actor: Actor, asked: AskedReport, accounts: list[AccountFact]) -> ReportPage:
    periods = (asked.period, asked.period.before)
    spans = [span for period in periods for span in _spans(asked.report, period)]
    now, earlier = {}, {}
    for (account, _), sides in _sums(session, actor, asked, spans).items():
        nets = [debit - credit for debit, credit in sides]
        now[account] = (nets[0], nets[2], nets[0] - nets[2])
        earlier[account] = (nets[1], nets[3], nets[1] - nets[3])
    columns = [_column(asked.report, period, _label(asked.report, period), Adds.PERIOD) for period in periods]
    return ReportPage(
        asked=asked, columns=[*columns, ReportColumn(label="Change", adds=Adds.CHANGE)],
        statement=_statement(asked.report, accounts, now, earlier, 3),
    )  # fmt: skip


def _by_part(session: Session, actor: Actor, asked: AskedReport, accounts: list[AccountFact]) -> ReportPage:
    found = _sums(session, actor, asked, _spans(asked.report, asked.period))
    parts = _parts(session, asked.by, {part for _, part in found})
    columns = [_column(asked.report, asked.period, name, Adds.PART, part) for part, name in parts[:MOST_PARTS]]
    others = len(parts) - len(columns)
    if others:
        columns.append(_column(asked.report, asked.period, f"{others} other{'s' if others > 1 else ''}", Adds.OTHERS))
    columns.append(_column(asked.report, asked.period, "All", Adds.ALL))
    at = {part: min(place, MOST_PARTS) for place, (part, _) in enumerate(parts)}
    width = len(columns)
    now: dict[int, list[int]] = defaultdict(lambda: [0] * width)
    earlier: dict[int, list[int]] = defaultdict(lambda: [0] * width)
    for (account, part), sides in found.items():
        nets = [debit - credit for debit, credit in sides]
        for sums, net in ((now, nets[0]), (earlier, nets[1])):
            sums[account][width - 1] += net
            sums[account][at[part]] += net
    return ReportPage(
        asked=asked, columns=columns, statement=_statement(asked.report, accounts, now, earlier, width),
    )  # fmt: skip


def _column(report: Report, period: Period, label: str, adds: Adds, part: int | None = None) -> ReportColumn:
    since = None if report is Report.BALANCE_SHEET else period.since
    return ReportColumn(label=label, adds=adds, since=since, until=period.until, part=part)


def _statement(report: Report, accounts: list[AccountFact], now: Any, earlier: Any, width: int) -> Statement:
    if report is Report.PROFIT_AND_LOSS:
        return profit_and_loss(accounts, now, width)
    return balance_sheet(accounts, now, earlier, width)


def _label(report: Report, period: Period) -> str:
    if report is Report.BALANCE_SHEET:
        return period.until.isoformat()
    return f"{period.since.isoformat()} – {period.until.isoformat()}"

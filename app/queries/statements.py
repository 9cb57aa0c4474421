"""Trial balance, profit and loss and balance sheet of a company, for any days, whole or by segment: site, channel or cell.

A segment is what an entry carries. Entries that carry none have a column of their own, so that the columns of a report always add
up to the whole of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.queries.ledger_sums import Extract, Part, Span, sums_of, up_to, whole
from erpcore.kernel.actor import Actor
from erpcore.ledger.models import Account, AccountKind
from erpcore.ledger.statements import (
    AccountFact,
    Period,
    Report,
    Statement,
    balance_sheet,
    profit_and_loss,
    trial_balance,
    trial_balance_by_part,
)
from erpcore.masterdata.models import Channel, Site

_DAY = timedelta(days=1)
#: The most segments that stand beside each other; the figures of the others are one column, which leads on to them.
MOST_PARTS = 40


class By(StrEnum):
    """What stands beside each other instead of the period before."""

    NOTHING = ""
    SITE = "site"
    CHANNEL = "channel"
    CELL = "cell"


class Figure(StrEnum):
    """Which figure of a trial balance its segments show."""

    CLOSING = "closing"
    OPENING = "opening"
    DEBIT = "debit"
    CREDIT = "credit"


@dataclass(frozen=True, kw_only=True)
class AskedReport:
    """Which report of which company, kept to a site or channel where one is named (0: to entries of none).

    ``start``: so many segments are left of those that are shown, where there are more than stand beside each other.
    """

    report: Report
    entity: int
    period: Period
    site: int | None = None
    channel: int | None = None
    by: By = By.NOTHING
    figure: Figure = Figure.CLOSING
    start: int = 0

    @property
    def extract(self) -> Extract:
        return Extract(entity=self.entity, site=self.site, channel=self.channel)


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
    """A column of figures: what it is called, and the segment and days, both included, whose lines it adds up.

    ``since`` ``None``: from the beginning. ``site`` and ``channel``: 0 for entries of none, ``None`` where all are in it. A change
    adds up nothing; it compares the two before it.
    """

    label: str
    adds: Adds
    since: date | None = None
    until: date | None = None
    site: int | None = None
    channel: int | None = None

    @property
    def is_change(self) -> bool:
        return self.adds is Adds.CHANGE


@dataclass(frozen=True, kw_only=True)
class ReportPage:
    """The report, and what its columns are. ``others``: so many segments have no column of their own; ``beyond``: from which of
    them on they are shown next.
    """

    asked: AskedReport
    statement: Statement
    columns: Sequence[ReportColumn]
    others: int = 0
    beyond: int = 0


def _accounts(session: Session, entity: int) -> list[AccountFact]:
    rows = session.execute(
        select(Account.id, Account.code, Account.name, Account.kind, Account.role)
        .where(Account.entity_id == entity)
        .order_by(Account.code)
    )
    return [AccountFact(id=row.id, code=row.code, name=row.name, kind=row.kind, role=row.role) for row in rows]


def _names(session: Session, table: type[Site | Channel], keys: set[int]) -> dict[int, str]:
    found = session.execute(select(table.id, table.name).where(table.id.in_(sorted(keys)))) if keys else ()
    return {row.id: row.name for row in found}


def _parts(session: Session, by: By, keys: set[Part]) -> list[tuple[Part, str]]:
    """The segments that have figures, by name; what belongs to none stands last."""
    tables: dict[By, Sequence[tuple[type[Site | Channel], str]]] = {
        By.SITE: ((Site, "no site"),), By.CHANNEL: ((Channel, "no channel"),),
        By.CELL: ((Site, "no site"), (Channel, "no channel")),
    }  # fmt: skip
    named = [
        {**_names(session, table, {key[at] for key in keys if key[at]}), 0: none}
        for at, (table, none) in enumerate(tables[by])
    ]

    def label(key: Part) -> list[str]:
        return [names.get(one, "unknown") for one, names in zip(key, named, strict=True)]

    ordered = sorted(keys, key=lambda key: [(not one, word, one) for one, word in zip(key, label(key), strict=True)])
    return [(key, " · ".join(label(key))) for key in ordered]


def report_page(session: Session, actor: Actor, asked: AskedReport) -> ReportPage:
    """The report with what it is compared with: the period before, or segments beside each other."""
    accounts = _accounts(session, asked.entity)
    if asked.by:
        return _by_part(session, actor, asked, accounts)
    if asked.report is Report.TRIAL_BALANCE:
        return _trial_balance(session, actor, asked, accounts)
    return _compared(session, actor, asked, accounts)


def _spans(asked: AskedReport, period: Period) -> tuple[Span, Span]:
    """What a column adds up, and beside it what the report needs: of a balance sheet what lies in earlier years, of a trial balance
    what was there before (which comes first).
    """
    if asked.report is Report.TRIAL_BALANCE:
        return up_to(period.since - _DAY), whole(period)
    if asked.report is Report.PROFIT_AND_LOSS:
        return whole(period), whole(period)
    return up_to(period.until), up_to(period.year_begins - _DAY)


def _trial_balance(session: Session, actor: Actor, asked: AskedReport, accounts: list[AccountFact]) -> ReportPage:
    found = sums_of(session, actor, asked.extract, _spans(asked, asked.period))
    sums = {key: (before[0] - before[1], *now) for (key, _), (before, now) in found.items()}
    since, until = asked.period.since, asked.period.until
    columns = [
        ReportColumn(label="Opening", adds=Adds.OPENING, until=since - _DAY),
        ReportColumn(label="Debit", adds=Adds.DEBIT, since=since, until=until),
        ReportColumn(label="Credit", adds=Adds.CREDIT, since=since, until=until),
        ReportColumn(label="Closing", adds=Adds.CLOSING, until=until),
    ]
    return ReportPage(asked=asked, statement=trial_balance(accounts, sums), columns=columns)


def _compared(session: Session, actor: Actor, asked: AskedReport, accounts: list[AccountFact]) -> ReportPage:
    periods = (asked.period, asked.period.before)
    spans = [span for period in periods for span in _spans(asked, period)]
    now, earlier = {}, {}
    for (account, _), sides in sums_of(session, actor, asked.extract, spans).items():
        nets = [debit - credit for debit, credit in sides]
        now[account] = (nets[0], nets[2], nets[0] - nets[2])
        earlier[account] = (nets[1], nets[3], nets[1] - nets[3])
    columns = [_column(asked, period, _label(asked.report, period), Adds.PERIOD) for period in periods]
    statement = _statement(asked.report, accounts, now, earlier, 3)
    return ReportPage(
        asked=asked, columns=[*columns, ReportColumn(label="Change", adds=Adds.CHANGE)], statement=statement
    )


def _by_part(session: Session, actor: Actor, asked: AskedReport, accounts: list[AccountFact]) -> ReportPage:
    found = sums_of(session, actor, asked.extract, _spans(asked, asked.period), asked.by)
    if asked.report is Report.PROFIT_AND_LOSS:
        # A segment that has only moved goods or money has no column here.
        results = {one.id for one in accounts if one.kind in (AccountKind.INCOME, AccountKind.EXPENSE)}
        found = {key: sides for key, sides in found.items() if key[0] in results}
    parts = _parts(session, asked.by, {part for _, part in found})
    start = asked.start if asked.start < len(parts) else 0
    shown = parts[start : start + MOST_PARTS]
    columns = [_column(asked, asked.period, name, Adds.PART, part) for part, name in shown]
    others = len(parts) - len(shown)
    if others:
        columns.append(_column(asked, asked.period, f"{others} other{'s' if others > 1 else ''}", Adds.OTHERS))
    columns.append(_column(asked, asked.period, "All", Adds.ALL))
    at = {part: place for place, (part, _) in enumerate(shown)}
    width = len(columns)
    now: dict[int, list[int]] = defaultdict(lambda: [0] * width)
    beside: dict[int, list[int]] = defaultdict(lambda: [0] * width)
    figures = _figures_of(asked)
    for (account, part), sides in found.items():
        for sums, figure in zip((now, beside), figures(sides), strict=True):
            sums[account][width - 1] += figure
            sums[account][at.get(part, width - 2)] += figure
    return ReportPage(
        asked=asked, columns=columns, statement=_statement(asked.report, accounts, now, beside, width), others=others,
        beyond=start + MOST_PARTS if start + MOST_PARTS < len(parts) else 0,
    )  # fmt: skip


def _figures_of(asked: AskedReport) -> Callable[[Sequence[tuple[int, int]]], tuple[int, int]]:
    """What a column shows of debits and credits in the spans, and what its report checks or sets apart beside it."""

    def nets(sides: Sequence[tuple[int, int]]) -> tuple[int, int]:
        (first, second) = sides
        return first[0] - first[1], second[0] - second[1]

    def of_balance(sides: Sequence[tuple[int, int]]) -> tuple[int, int]:
        (before, (debit, credit)) = sides
        opening = before[0] - before[1]
        shown = {
            Figure.OPENING: opening, Figure.DEBIT: debit, Figure.CREDIT: credit,
            Figure.CLOSING: opening + debit - credit,
        }  # fmt: skip
        # What an account holds comes to nothing over all of them; its debits come to their credits.
        is_side = asked.figure in (Figure.DEBIT, Figure.CREDIT)
        return shown[asked.figure], debit - credit if is_side else shown[asked.figure]

    return of_balance if asked.report is Report.TRIAL_BALANCE else nets


def _column(asked: AskedReport, period: Period, label: str, adds: Adds, part: Part = ()) -> ReportColumn:
    since: date | None = period.since
    until = period.until
    if asked.report is Report.BALANCE_SHEET:
        since = None
    elif asked.report is Report.TRIAL_BALANCE and asked.figure in (Figure.OPENING, Figure.CLOSING):
        since, until = None, until if asked.figure is Figure.CLOSING else period.since - _DAY
    names = {By.SITE: ("site",), By.CHANNEL: ("channel",), By.CELL: ("site", "channel")}.get(asked.by, ())
    return ReportColumn(
        label=label, adds=adds, since=since, until=until, **dict(zip(names, part, strict=True) if part else ())
    )


def _statement(report: Report, accounts: list[AccountFact], now: Any, beside: Any, width: int) -> Statement:
    if report is Report.TRIAL_BALANCE:
        return trial_balance_by_part(accounts, now, beside, width)
    if report is Report.PROFIT_AND_LOSS:
        return profit_and_loss(accounts, now, width)
    return balance_sheet(accounts, now, beside, width)


def _label(report: Report, period: Period) -> str:
    if report is Report.BALANCE_SHEET:
        return period.until.isoformat()
    return f"{period.since.isoformat()} – {period.until.isoformat()}"

"""How do sums of accounts become a trial balance, a profit and loss and a balance sheet?

Pure arithmetic over debits less credits. A balance sheet balances because every entry does: what accounts of income and expense
come to up to its day is the result, which is derived here and posted nowhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from erpcore.ledger.models import AccountKind, AccountRole

_DAY = timedelta(days=1)


class Report(StrEnum):
    """The reports there are, by the name in their address."""

    TRIAL_BALANCE = "trial-balance"
    PROFIT_AND_LOSS = "profit-and-loss"
    BALANCE_SHEET = "balance-sheet"


@dataclass(frozen=True, kw_only=True, slots=True)
class Period:
    """The days from ``since`` to ``until``, both included."""

    since: date
    until: date

    @property
    def before(self) -> Period:
        """The one before it: so many months where it is whole months, so many days otherwise."""
        last = self.since - _DAY
        if self.since.day == 1 and (self.until + _DAY).day == 1:
            months = (self.until.year - self.since.year) * 12 + self.until.month - self.since.month + 1
            first = self.since.year * 12 + self.since.month - 1 - months
            # The first year of the calendar has nothing before it.
            return Period(since=date(max(first // 12, 1), first % 12 + 1, 1), until=last)
        return Period(since=max(self.since - (self.until - last), date.min + _DAY), until=last)

    @property
    def year_begins(self) -> date:
        """The first day of the year in which it ends: results of earlier years are kept."""
        return date(self.until.year, 1, 1)


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountFact:
    """An account of the chart as reports name it."""

    id: int
    code: str
    name: str
    kind: str
    role: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One line of a report: a figure in minor units for each column. ``account`` is ``None`` for what is derived."""

    label: str
    figures: tuple[int, ...]
    account: AccountFact | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """Rows under a head, and what they come to, which the sum is named after."""

    title: str
    rows: tuple[Row, ...]
    total: Row


@dataclass(frozen=True, kw_only=True, slots=True)
class Statement:
    """A report. ``results``: what stands after a section, by its title. ``check``: what must be nil in every column."""

    report: Report
    sections: tuple[Section, ...]
    results: Mapping[str, Row]
    check: tuple[int, ...]


#: Debits less credits of an account, one figure for each column.
Sums = Mapping[int, Sequence[int]]
_INCOME, _EXPENSE = AccountKind.INCOME, AccountKind.EXPENSE
#: What goods cost, apart from what the business does: between them stands the gross result.
_GOODS = frozenset({AccountRole.COST_OF_SALES, AccountRole.SISTER_COST, AccountRole.ADJUSTMENT})
#: What a balance sheet calls the profit and loss of its year so far.
RESULT_OF_YEAR = "Result of this year"
#: What remains where books are read in another currency.
TRANSLATION = "Translation difference"


def _rows(accounts: Iterable[AccountFact], sums: Sums, width: int, sign: int) -> tuple[Row, ...]:
    none = (0,) * width
    return tuple(
        Row(label=f"{a.code} {a.name}", account=a, figures=tuple(sign * one for one in sums.get(a.id, none)))
        for a in accounts
    )


def _added(rows: Iterable[Row], width: int) -> tuple[int, ...]:
    columns = [row.figures for row in rows]
    return tuple(sum(column[at] for column in columns) for at in range(width))


def _section(title: str, total: str, rows: tuple[Row, ...], width: int) -> Section:
    return Section(title=title, rows=rows, total=Row(label=total, figures=_added(rows, width)))


def profit_and_loss(accounts: Sequence[AccountFact], sums: Sums, width: int) -> Statement:
    """Income, cost of goods, gross result, other expenses, result; income is shown positive."""

    def having(chosen: Callable[[AccountFact], bool], sign: int) -> tuple[Row, ...]:
        return _rows((a for a in accounts if chosen(a)), sums, width, sign)

    income = _section("Income", "All income", having(lambda a: a.kind == _INCOME, -1), width)
    goods = _section(
        "Cost of goods", "All cost of goods", having(lambda a: a.kind == _EXPENSE and a.role in _GOODS, 1), width
    )
    other = _section(
        "Other expenses", "All other expenses", having(lambda a: a.kind == _EXPENSE and a.role not in _GOODS, 1), width
    )
    gross = tuple(a - b for a, b in zip(income.total.figures, goods.total.figures, strict=True))
    net = tuple(a - b for a, b in zip(gross, other.total.figures, strict=True))
    return Statement(
        report=Report.PROFIT_AND_LOSS, sections=(income, goods, other), check=(0,) * width,
        results={
            goods.title: Row(label="Gross result", figures=gross), other.title: Row(label="Result", figures=net),
        },
    )  # fmt: skip


def balance_sheet(
    accounts: Sequence[AccountFact], sums: Sums, earlier: Sums, width: int, *, translation: Sequence[int] | None = None
) -> Statement:
    """What the company has and owes at the end of a day. ``sums``: all up to that day; ``earlier``: up to the year's first;
    ``translation``: what remains of the sums of each column where they were translated.
    """
    results = [a.id for a in accounts if a.kind in (_INCOME, _EXPENSE)]
    none = (0,) * width
    whole = tuple(-sum(sums.get(key, none)[at] for key in results) for at in range(width))
    kept = tuple(-sum(earlier.get(key, none)[at] for key in results) for at in range(width))
    of_year = tuple(a - b for a, b in zip(whole, kept, strict=True))

    def rows(kind: AccountKind, sign: int) -> tuple[Row, ...]:
        return _rows((a for a in accounts if a.kind == kind), sums, width, sign)

    assets = _section("Assets", "All assets", rows(AccountKind.ASSET, 1), width)
    owed = _section("Liabilities", "All liabilities", rows(AccountKind.LIABILITY, -1), width)
    derived: tuple[Row, ...] = (
        Row(label="Result of earlier years", figures=kept),
        Row(label=RESULT_OF_YEAR, figures=of_year),
    )
    if translation is not None:
        derived += (Row(label=TRANSLATION, figures=tuple(translation)),)
    equity = _section("Equity", "All equity", rows(AccountKind.EQUITY, -1) + derived, width)
    both = tuple(a + b for a, b in zip(owed.total.figures, equity.total.figures, strict=True))
    return Statement(
        report=Report.BALANCE_SHEET, sections=(assets, owed, equity),
        results={equity.title: Row(label="Liabilities and equity", figures=both)},
        check=tuple(a - b for a, b in zip(assets.total.figures, both, strict=True)),
    )  # fmt: skip


def trial_balance(accounts: Sequence[AccountFact], sums: Mapping[int, tuple[int, int, int]]) -> Statement:
    """Of each account: what it held before the period, what the period debits and credits, what it holds after.

    ``sums``: debits less credits before the period, debits and credits in it.
    """
    rows = tuple(
        Row(label=f"{a.code} {a.name}", account=a, figures=(opening, debit, credit, opening + debit - credit))
        for a in accounts
        for opening, debit, credit in (sums.get(a.id, (0, 0, 0)),)
    )
    section = _section("Accounts", "All accounts", rows, 4)
    opening, debit, credit, closing = section.total.figures
    return Statement(
        report=Report.TRIAL_BALANCE, sections=(section,), results={}, check=(opening, debit - credit, closing)
    )  # fmt: skip


def trial_balance_by_part(accounts: Sequence[AccountFact], sums: Sums, check: Sums, width: int) -> Statement:
    """One figure of the trial balance, with a column for each segment. ``check``: what comes to nothing over all accounts."""
    section = _section("Accounts", "All accounts", _rows(accounts, sums, width, 1), width)
    none = (0,) * width
    nil = tuple(sum(check.get(one.id, none)[at] for one in accounts) for at in range(width))
    return Statement(report=Report.TRIAL_BALANCE, sections=(section,), results={}, check=nil)


def consolidated(
    report: Report,
    accounts: Sequence[AccountFact],
    whole: Sums,
    earlier: Sums,
    result: Sums,
    differences: Sequence[int],
) -> Statement:
    """A report of several companies in one currency, a column for each and one for all. ``differences``: by how much the translated
    accounts of each do not balance, which stands as a row of its own. A trial balance shows what accounts hold at the end.
    """
    width = len(differences) + 1
    if report is Report.PROFIT_AND_LOSS:
        return profit_and_loss(accounts, result, width)
    remaining = (*differences, sum(differences))
    if report is Report.BALANCE_SHEET:
        return balance_sheet(accounts, whole, earlier, width, translation=remaining)
    nothing = Row(label=TRANSLATION, figures=tuple(-one for one in remaining))
    section = _section("Accounts", "All accounts", (*_rows(accounts, whole, width, 1), nothing), width)
    return Statement(report=report, sections=(section,), results={}, check=(0,) * width)

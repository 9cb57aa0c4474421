"""The books of several companies as those of one, in one currency: each translated, side by side, and what they come to together.

Accounts of different charts meet where they have the same role; others where kind and code agree. A rate that is missing refuses
the report by company, pair and day.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.queries.ledger_buckets import buckets_of
from app.queries.places import EntityPick
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import RuleBroken
from erpcore.ledger.models import Account, AccountKind
from erpcore.ledger.statements import AccountFact, Period, Report, Statement, consolidated
from erpcore.ledger.translation import Translated, translate
from erpcore.masterdata.rate_days import DayRates, day_rates
from erpcore.masterdata.rates import HeldRate


@dataclass(frozen=True, kw_only=True)
class AskedGroup:
    """Which report of which companies, in which currency."""

    report: Report
    companies: Sequence[EntityPick]
    currency: str
    period: Period


@dataclass(frozen=True, kw_only=True)
class UsedRates:
    """How a company was translated: by what rate on the last day (``None``: it is its own currency, or needs none), and by the average
    of which months.
    """

    company: EntityPick
    closing: HeldRate | None
    averages: Sequence[tuple[date, Decimal]]
    difference: int


@dataclass(frozen=True, kw_only=True)
class GroupPage:
    """The report, with a column for each company and one for all. ``places``: the account of a company behind row and column."""

    asked: AskedGroup
    statement: Statement
    rates: Sequence[UsedRates]
    places: Mapping[tuple[int, int], int]


class _Noting:
    """Rates of a company that remember which days and months were asked for."""

    def __init__(self, rates: DayRates) -> None:
        self.rates = rates
        self.averages: dict[date, Fraction] = {}
        self.days: dict[date, HeldRate | None] = {}

    def factor(self, day: date) -> Fraction:
        self.days[day] = self.rates.on(day)
        return self.rates.factor(day)

    def average(self, since: date, until: date) -> Fraction:
        found = self.averages[since] = self.rates.average(since, until)
        return found


def group_page(session: Session, actor: Actor, asked: AskedGroup) -> GroupPage:
    """The report; raises ``RuleBroken("company_rate_missing")`` or ``company_rate_too_old`` where a company cannot be translated."""
    keys = [one.id for one in asked.companies]
    accounts = _accounts(session, keys)
    of_equity = [one.id for facts in accounts.values() for one in facts if one.kind == AccountKind.EQUITY]
    buckets = buckets_of(session, actor, keys, of_equity, asked.period)
    first = min((day for part in buckets.values() for _, day in part), default=asked.period.until)
    realm = asked.companies[0].realm if asked.companies else "live"
    told = day_rates(
        session, realm, {one.currency for one in asked.companies}, asked.currency, first, asked.period.until
    )
    books, used = [], []
    for one in asked.companies:
        noting = _Noting(told[one.currency])
        try:
            made = translate(asked.report, accounts.get(one.id, ()), buckets.get(one.id, {}), noting, asked.period)
        except RuleBroken as missing:
            code = "company_rate_missing" if missing.code == "rate_missing" else "company_rate_too_old"
            raise RuleBroken(code, company=one.name, **missing.facts) from missing
        books.append(made)
        used.append(_used(one, noting, made, asked.period))
    rows, sums, places = _merged(asked, accounts, books)
    statement = consolidated(asked.report, rows, *sums, [one.difference for one in books])
    # The difference makes every column balance; what has to be nil is what the books themselves come to.
    unbalanced = [one.unbalanced for one in books]
    return GroupPage(
        asked=asked, rates=used, places=places,
        statement=replace(statement, check=(*unbalanced, sum(unbalanced))),
    )  # fmt: skip


def _used(company: EntityPick, noting: _Noting, made: Translated, period: Period) -> UsedRates:
    return UsedRates(
        company=company, closing=noting.days.get(period.until), difference=made.difference,
        averages=[] if company.currency == noting.rates.against else [
            (month, noting.rates.shown(factor)) for month, factor in sorted(noting.averages.items())
        ],
    )  # fmt: skip


def _accounts(session: Session, entities: Sequence[int]) -> dict[int, list[AccountFact]]:
    found: dict[int, list[AccountFact]] = defaultdict(list)
    rows = session.execute(
        select(Account.entity_id, Account.id, Account.code, Account.name, Account.kind, Account.role)
        .where(Account.entity_id.in_(sorted(entities)))
        .order_by(Account.code, Account.id)
    )
    for row in rows:
        found[row.entity_id].append(AccountFact(id=row.id, code=row.code, name=row.name, kind=row.kind, role=row.role))
    return dict(found)


_Sums = dict[int, list[int]]


def _merged(
    asked: AskedGroup, accounts: Mapping[int, Sequence[AccountFact]], books: Sequence[Translated]
) -> tuple[list[AccountFact], tuple[_Sums, _Sums, _Sums], dict[tuple[int, int], int]]:
    """The rows of all charts, what each company and all of them come to in each, and the account behind each place."""
    width = len(books) + 1
    rows: dict[tuple[str, str], AccountFact] = {}
    places: dict[tuple[int, int], int] = {}
    whole: _Sums = defaultdict(lambda: [0] * width)
    earlier: _Sums = defaultdict(lambda: [0] * width)
    result: _Sums = defaultdict(lambda: [0] * width)
    for place, (company, book) in enumerate(zip(asked.companies, books, strict=True)):
        for one in accounts.get(company.id, ()):
            row = rows.setdefault((one.kind, one.role or f"code {one.code}"), one)
            # Two accounts of a chart may meet in a row of another's; both are in its figure, and its way leads to the first.
            places.setdefault((row.id, place), one.id)
            for sums, figures in ((whole, book.whole), (earlier, book.earlier), (result, book.result)):
                sums[row.id][place] += figures.get(one.id, 0)
                sums[row.id][-1] += figures.get(one.id, 0)
    ordered = sorted(rows.values(), key=lambda one: (one.code, one.id))
    return ordered, (whole, earlier, result), places

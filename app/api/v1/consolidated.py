"""The books of all companies in one currency, for programs: the report, and the rates that each company was translated by."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal

from pydantic import Field, model_validator

from app.api.framework import operation
from app.api.v1.ledger import ReportRowAnswer, ReportSectionAnswer
from app.api.v1.numbers import as_amount
from app.api.values import Amount, Answer, Body
from app.composition.request import now, reader
from app.queries.consolidation import AskedGroup, UsedRates, group_page
from app.queries.places import entities_seen
from app.security.permissions import Permission
from app.security.require import actor
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import NotFound
from erpcore.ledger.statements import Period, Report, Row

TAG = "Ledger"


class ConsolidatedQuery(Body):
    """Which report of all companies of the realm that the caller sees, in the currency of one of them; from the first of the month
    until today unless `since` and `until` say otherwise.
    """

    report: Report
    currency: str = Field(min_length=3, max_length=3)
    since: date | None = None
    until: date | None = None
    realm: Literal["live", "rehearsal", "training", "legacy"] = "live"

    @model_validator(mode="after")
    def _begins_first(self) -> ConsolidatedQuery:
        if self.since and self.until and self.since > self.until:
            raise ValueError("the period ends before it begins")
        return self


class MonthAverage(Answer):
    """The mean of what held on each day of a month, which goes by its first day; up to the report's last day."""

    month: date
    rate: Decimal


class TranslatedCompany(Answer):
    """How a company was translated. `closing`: what one unit of its currency is worth on the last day, as told on `told_on`; null
    where it is its own currency, or it has no figures. `difference` is a row of the report.
    """

    entity: int
    name: str
    currency: str
    closing: Decimal | None
    told_on: date | None
    source: str | None
    averages: list[MonthAverage]
    difference: Amount


class ConsolidatedAnswer(Answer):
    """Figures of each company in the order of `companies`, then of all. `check`: what the books of each come to untranslated, which
    is nil when they balance; of all, the sum.
    """

    report: str
    currency: str
    companies: list[TranslatedCompany]
    sections: list[ReportSectionAnswer]
    check: list[Amount]


def _company(used: UsedRates, currency: str) -> TranslatedCompany:
    held = used.closing
    return TranslatedCompany(
        entity=used.company.id, name=used.company.name, currency=used.company.currency,
        closing=held.factor if held else None, told_on=held.told_on if held else None, source=held.source if held else None,
        averages=[MonthAverage(month=month, rate=rate) for month, rate in used.averages],
        difference=as_amount(used.difference, currency),
    )  # fmt: skip


@operation("GET", "/ledger/consolidated", permission=Permission.LEDGER_READ, summary="A report of all companies in one currency", tag=TAG, query=ConsolidatedQuery, answer=ConsolidatedAnswer)  # fmt: skip
def show_consolidated(query: ConsolidatedQuery) -> ConsolidatedAnswer:
    companies = [one for one in entities_seen(reader(), actor()) if one.realm == query.realm]
    code = query.currency.upper()
    if code not in {one.currency for one in companies}:
        raise NotFound("currency_of_none", field="currency", currency=code)
    today = min(local_day(now(), one.time_zone) for one in companies)
    until = query.until or max(today, query.since or date.min)
    period = Period(since=query.since or until.replace(day=1), until=until)
    page = group_page(
        reader(), actor(), AskedGroup(report=query.report, companies=companies, currency=code, period=period)
    )

    def row(one: Row) -> ReportRowAnswer:
        return ReportRowAnswer(
            label=one.label, account=one.account.id if one.account else None,
            figures=[as_amount(minor, code) for minor in one.figures],
        )  # fmt: skip

    results = page.statement.results
    return ConsolidatedAnswer(
        report=query.report, currency=code, companies=[_company(used, code) for used in page.rates],
        check=[as_amount(minor, code) for minor in page.statement.check],
        sections=[
            ReportSectionAnswer(
                title=one.title, rows=[row(each) for each in one.rows], total=row(one.total),
                result=row(results[one.title]) if one.title in results else None,
            )
            for one in page.statement.sections
        ],
    )  # fmt: skip

"""What margin was left, for programs: the rows of the report, and the entries behind one."""

from __future__ import annotations

from datetime import date

from pydantic import model_validator

from app.api.companies import of_company
from app.api.framework import operation
from app.api.v1.numbers import Key, as_amount
from app.api.values import Amount, Answer, Body
from app.composition.request import now, reader
from app.queries.margins import AskedMargin, By, MarginRow, margin_entries, margin_page
from app.queries.places import EntityPick, sites_seen
from app.security.permissions import Permission
from app.security.require import actor
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import NotFound
from erpcore.ledger.statements import Period

TAG = "Ledger"


class MarginQuery(Body):
    """Whose margin, from the first of the month until today unless `since` and `until` say otherwise, both included."""

    entity: Key
    by: By = By.CHANNEL
    since: date | None = None
    until: date | None = None
    site: Key | None = None
    channel: Key | None = None

    @model_validator(mode="after")
    def _begins_first(self) -> MarginQuery:
        if self.since and self.until and self.since > self.until:
            raise ValueError("the period ends before it begins")
        return self


class MarginEntriesQuery(MarginQuery):
    """Which row: the channel, customer or item."""

    key: Key


class MarginRowAnswer(Answer):
    """`key` 0: of none that can be named, or all. `permille`: the margin of the revenue; null without any."""

    key: int
    label: str
    name: str
    revenue: Amount
    cost: Amount
    margin: Amount
    permille: int | None


class MarginAnswer(Answer):
    """`rows`, what no row could be named for (`rest`), and what both come to (`total`), as profit and loss has it."""

    by: By
    currency: str
    since: date
    until: date
    rows: list[MarginRowAnswer]
    rest: MarginRowAnswer
    total: MarginRowAnswer


class MarginEntryAnswer(Answer):
    """What one entry put on revenue and cost of sales for one item; `item` null: several of one shipment."""

    entry: int
    entry_on: date
    rule: str
    document_type: str
    document_id: int
    document: str
    customer: str | None
    item: str | None
    revenue: Amount
    cost: Amount


class MarginEntriesAnswer(Answer):
    """The newest entries behind a row. `is_more`: there are others; ask for fewer days."""

    row: MarginRowAnswer
    currency: str
    entries: list[MarginEntryAnswer]
    is_more: bool


def _asked(query: MarginQuery) -> tuple[EntityPick, AskedMargin]:
    company = of_company(query.entity)
    if query.site is not None and query.site not in {
        one.id for one in sites_seen(reader(), actor()) if one.entity_id == company.id
    }:
        raise NotFound("site_unknown", site=query.site)
    until = query.until or local_day(now(), company.time_zone)
    since = query.since or until.replace(day=1)
    period = Period(since=min(since, until), until=until)
    return company, AskedMargin(entity=company.id, period=period, by=query.by, site=query.site, channel=query.channel)


def _row(row: MarginRow, currency: str) -> MarginRowAnswer:
    return MarginRowAnswer(
        key=row.key, label=row.label, name=row.name, revenue=as_amount(row.revenue, currency), cost=as_amount(row.cost, currency),
        margin=as_amount(row.margin, currency), permille=row.permille,
    )  # fmt: skip


@operation(
    "GET", "/margin-report", permission=Permission.LEDGER_READ, summary="Margin by channel, customer or item", tag=TAG,
    query=MarginQuery, answer=MarginAnswer,
)  # fmt: skip
def show_margin(query: MarginQuery) -> MarginAnswer:
    company, asked = _asked(query)
    page = margin_page(reader(), actor(), asked, most=None)
    return MarginAnswer(
        by=asked.by, currency=company.currency, since=asked.period.since, until=asked.period.until,
        rows=[_row(row, company.currency) for row in page.rows], rest=_row(page.rest, company.currency),
        total=_row(page.total, company.currency),
    )  # fmt: skip


@operation(
    "GET", "/margin-report/entries", permission=Permission.LEDGER_READ, summary="The entries behind a margin", tag=TAG,
    query=MarginEntriesQuery, answer=MarginEntriesAnswer,
)  # fmt: skip
def show_margin_entries(query: MarginEntriesQuery) -> MarginEntriesAnswer:
    company, asked = _asked(query)
    page = margin_entries(reader(), actor(), asked, query.key)
    if not page.row.label:
        raise NotFound("not_found")
    entries = [
        MarginEntryAnswer(
            entry=one.entry, entry_on=one.on, rule=one.rule, document_type=one.document_type, document_id=one.document_id,
            document=one.document, customer=one.customer, item=one.item, revenue=as_amount(one.revenue, company.currency),
            cost=as_amount(one.cost, company.currency),
        )
        for one in page.entries
    ]  # fmt: skip
    return MarginEntriesAnswer(
        row=_row(page.row, company.currency), currency=company.currency, entries=entries, is_more=page.is_more
    )

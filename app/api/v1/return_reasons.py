"""Why goods come back, for programs: the rows of the report, and the returns behind one."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import Field, model_validator

from app.api.companies import of_company
from app.api.framework import operation
from app.api.v1.numbers import Key, as_amount
from app.api.values import Amount, Answer, Body, Mark, Quantity
from app.composition.request import now, reader
from app.queries.places import sites_seen
from app.queries.return_reasons import AskedReasons, By, ReasonRow, reason_returns, reasons_page
from app.security.permissions import Permission
from app.security.require import actor
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import NotFound
from erpcore.ledger.statements import Period

TAG = "Returns"


class ReasonsQuery(Body):
    """Whose returns, from the first of the month until today unless `since` and `until` say otherwise, both included."""

    entity: Key
    by: By = By.ITEM
    since: date | None = None
    until: date | None = None
    site: Key | None = None

    @model_validator(mode="after")
    def _begins_first(self) -> ReasonsQuery:
        if self.since and self.until and self.since > self.until:
            raise ValueError("the period ends before it begins")
        return self


class ReasonReturnsQuery(ReasonsQuery):
    """Which row: its reason, and its item, customer or site; without one of them of all."""

    reason: str | None = Field(default=None, max_length=48)
    key: Key | None = None


class ReasonRowAnswer(Answer):
    """`key` 0: of all. `quantity` null: items of several units. `half_days` and `most_days`: from the request to the credit memo, of half
    and of nine of ten; null where as many are not credited yet. `lines` came back of `delivered` in the same days, in `permille`.
    """

    reason: str
    key: int
    label: str
    name: str
    returns: int
    waiting: int
    quantity: Quantity | None
    unit: str
    value: Amount
    half_days: Mark | None
    most_days: Mark | None
    lines: int
    delivered: int
    permille: int | None


class ReasonsAnswer(Answer):
    """Rows by value, and all returns of these days: one of several items counts in several rows, and in `total` once."""

    by: By
    currency: str
    since: date
    until: date
    rows: list[ReasonRowAnswer]
    total: ReasonRowAnswer


class ReasonReturnAnswer(Answer):
    """What one return adds to the row. `took_days`: from its request to its credit memo; null while there is none."""

    id: int
    number: str
    state: str
    customer: str
    site: str
    requested_at: datetime
    items: list[str]
    value: Amount
    took_days: Mark | None


class ReasonReturnsAnswer(Answer):
    """The newest returns behind a row. `is_more`: there are others; ask for fewer days."""

    row: ReasonRowAnswer
    currency: str
    returns: list[ReasonReturnAnswer]
    is_more: bool


def _asked(query: ReasonsQuery) -> AskedReasons:
    company = of_company(query.entity)
    if query.site is not None and query.site not in {
        one.id for one in sites_seen(reader(), actor()) if one.entity_id == company.id
    }:
        raise NotFound("site_unknown", site=query.site)
    until = query.until or local_day(now(), company.time_zone)
    since = query.since or until.replace(day=1)
    return AskedReasons(
        entity=company.id, currency=company.currency, time_zone=company.time_zone, by=query.by, site=query.site,
        period=Period(since=min(since, until), until=until),
    )  # fmt: skip


def _row(row: ReasonRow, currency: str) -> ReasonRowAnswer:
    return ReasonRowAnswer(
        reason=row.reason, key=row.key, label=row.label, name=row.name, returns=row.returns, waiting=row.waiting, quantity=row.quantity,
        unit=row.unit, value=as_amount(row.value_minor, currency), half_days=row.half, most_days=row.most, lines=row.lines,
        delivered=row.delivered, permille=row.permille,
    )  # fmt: skip


@operation(
    "GET", "/return-reasons", permission=Permission.RETURN_READ, summary="Why goods come back, by item, customer or site", tag=TAG,
    query=ReasonsQuery, answer=ReasonsAnswer,
)  # fmt: skip
def show_return_reasons(query: ReasonsQuery) -> ReasonsAnswer:
    asked = _asked(query)
    page = reasons_page(reader(), actor(), asked, now(), most=None)
    return ReasonsAnswer(
        by=asked.by, currency=asked.currency, since=asked.period.since, until=asked.period.until,
        rows=[_row(row, asked.currency) for row in page.rows], total=_row(page.total, asked.currency),
    )  # fmt: skip


@operation(
    "GET", "/return-reasons/returns", permission=Permission.RETURN_READ, summary="The returns behind a reason", tag=TAG,
    query=ReasonReturnsQuery, answer=ReasonReturnsAnswer,
)  # fmt: skip
def show_reason_returns(query: ReasonReturnsQuery) -> ReasonReturnsAnswer:
    asked = _asked(query)
    page = reason_returns(reader(), actor(), asked, now(), reason=query.reason or None, key=query.key or 0)
    if not page.returns and (query.reason or query.key):
        raise NotFound("not_found")
    returns = [
        ReasonReturnAnswer(
            id=one.id, number=one.number, state=one.state, customer=one.customer, site=one.site, requested_at=one.requested_at,
            items=list(one.items), value=as_amount(one.value_minor, asked.currency), took_days=one.took,
        )
        for one in page.returns
    ]  # fmt: skip
    return ReasonReturnsAnswer(
        row=_row(page.row, asked.currency), currency=asked.currency, returns=returns, is_more=page.is_more
    )

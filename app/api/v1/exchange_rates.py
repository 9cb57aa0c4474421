"""Exchange rates for programs: told one by one or by file, listed, and the one that holds for a day."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import IO

from pydantic import Field

from app.api.framework import operation
from app.api.lists import listed, only, part_of, which
from app.api.values import Answer, Body, Page, PageQuery, Realm
from app.composition.request import reader
from app.importers.ratefiles import keep_file, read_rates
from app.importers.sheets import ReadSheet
from app.queries.exchange_rates import EXCHANGE_RATES, RateRow, held_rate, told_rate
from app.security.permissions import Permission
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.rate_models import RATE_PLACES
from erpcore.masterdata.rates import MOST_DAYS, MOST_RATE, USUAL_DAYS, NewRate, keep_rates

TAG = "Exchange rates"


class RateQuery(PageQuery):
    """Which rates."""

    text: str = part_of("a currency, the source or the reason")
    currency: str | None = which("Of this currency, on either side of the pair.")
    last: bool = only("the last of each pair")
    corrected: bool = only("those that a later revision took the place of")
    realm: str | None = which("Only of this realm; without it, of all of them.")


class RateAnswer(Answer):
    """One unit of `currency` was `rate` of `against` on `day`; it may be used until `until`."""

    id: int
    realm: str
    currency: str
    against: str
    day: date
    revision: int
    rate: Decimal
    holds_days: int
    until: date
    source: str
    reason: str | None
    is_corrected: bool
    kept_by: int
    kept_at: datetime


class RateBody(Body):
    """A rate. `reason` is needed for another rate of a day that has one, and far from the rate before."""

    currency: str = Field(min_length=3, max_length=3)
    against: str = Field(min_length=3, max_length=3)
    day: date
    rate: Decimal = Field(gt=0, le=MOST_RATE, decimal_places=RATE_PLACES)
    source: str = Field(min_length=1, max_length=60)
    holds_days: int = Field(USUAL_DAYS, ge=1, le=MOST_DAYS)
    reason: str | None = Field(None, max_length=200)
    realm: Realm = "live"


class FileQuery(Body):
    """What the file is, and for which realm."""

    file_name: str = Field(max_length=200, description="Its ending says how it is read: .csv or .xlsx.")
    realm: Realm = "live"


class TakenAnswer(Answer):
    """How many rates of the file are kept now, those that were kept before as well."""

    count: int


class HeldQuery(Body):
    """Of which pair, and for which day."""

    currency: str = Field(min_length=3, max_length=3)
    against: str = Field(min_length=3, max_length=3)
    day: date
    realm: Realm = "live"


class HeldAnswer(Answer):
    """The rate that holds: told on `told_on`, the other way round where `turned`; `factor` is what one unit is worth."""

    rate_id: int
    currency: str
    against: str
    told_on: date
    until: date
    factor: Decimal
    source: str
    turned: bool


def _rate(row: RateRow) -> RateAnswer:
    return RateAnswer(**{name: getattr(row, name) for name in RateAnswer.model_fields})


@operation(
    "GET", "/exchange-rates", permission=Permission.MASTERDATA_READ, summary="List exchange rates", tag=TAG, query=RateQuery,
    answer=Page[RateAnswer],
)  # fmt: skip
def list_exchange_rates(query: RateQuery) -> Page[RateAnswer]:
    return listed(EXCHANGE_RATES, query, _rate)


@operation(
    "GET", "/exchange-rates/held", permission=Permission.MASTERDATA_READ, summary="The rate that holds for a day", tag=TAG,
    query=HeldQuery, answer=HeldAnswer,
)  # fmt: skip
def show_held_rate(query: HeldQuery) -> HeldAnswer:
    """The last one at or before the day, where it may still be used; otherwise it says what is missing."""
    held = held_rate(reader(), query.realm, query.currency, query.against, query.day)
    return HeldAnswer(
        rate_id=held.id, currency=held.currency, against=held.against, told_on=held.told_on, until=held.until, factor=held.factor,
        source=held.source, turned=held.turned,
    )  # fmt: skip


@operation(
    "POST", "/exchange-rates", permission=Permission.RATE_KEEP, summary="Tell an exchange rate", tag=TAG, body=RateBody,
    answer=RateAnswer, status=201,
    example={"currency": "EUR", "against": "CHF", "day": "2026-03-02", "rate": "0.9412", "source": "ECB"},
)  # fmt: skip
def tell_exchange_rate(work: UnitOfWork, body: RateBody) -> RateAnswer:
    """A rate that is told already as it is stays the one it is."""
    work.realm = body.realm
    (row,) = keep_rates(work, [NewRate(**body.model_dump(exclude={"realm"}))])
    return _rate(told_rate(work.session, row.id))


def _read(query: FileQuery, file: IO[bytes]) -> ReadSheet:
    return read_rates(query.file_name, file)


@operation(
    "POST", "/exchange-rates/file", permission=Permission.RATE_KEEP, summary="Tell the exchange rates of a file", tag=TAG,
    query=FileQuery, answer=TakenAnswer, status=201, takes_file=True, prepare=_read,
)  # fmt: skip
def tell_rates_of_file(work: UnitOfWork, query: FileQuery, prepared: ReadSheet) -> TakenAnswer:
    """All of them or none; the refusal names the row."""
    work.realm = query.realm
    return TakenAnswer(count=len(keep_file(work, prepared)))

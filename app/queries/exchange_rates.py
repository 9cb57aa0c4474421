"""Which exchange rates were told, and what holds for a day?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import and_, exists, or_, select
from sqlalchemy.orm import Session, aliased

from app.queries.listing import SqlList
from erpcore.masterdata.rate_models import ExchangeRate
from erpcore.masterdata.rates import HeldRate, rate_for


@dataclass(frozen=True, kw_only=True)
class RateRow:
    """A rate as told. ``until``: the last day on which it may be used; ``is_corrected``: a later revision counts instead."""

    id: int
    realm: str
    currency: str
    against: str
    day: date
    revision: int
    rate: Decimal
    holds_days: int
    source: str
    reason: str | None
    kept_by: int
    kept_at: datetime
    is_corrected: bool

    @property
    def pair(self) -> str:
        return f"{self.currency}/{self.against}"

    @property
    def until(self) -> date:
        return self.day + timedelta(days=self.holds_days - 1)


_OTHER = aliased(ExchangeRate)
_SAME_PAIR = and_(
    _OTHER.realm == ExchangeRate.realm, _OTHER.currency == ExchangeRate.currency, _OTHER.against == ExchangeRate.against
)
_CORRECTED = exists().where(_SAME_PAIR, _OTHER.day_on == ExchangeRate.day_on, _OTHER.revision > ExchangeRate.revision)
#: A later day, or a later revision of the same one.
_FOLLOWED = exists().where(
    _SAME_PAIR,
    or_(
        _OTHER.day_on > ExchangeRate.day_on,
        and_(_OTHER.day_on == ExchangeRate.day_on, _OTHER.revision > ExchangeRate.revision),
    ),
)


def _all() -> Any:
    return select(ExchangeRate, _CORRECTED.label("is_corrected")).select_from(ExchangeRate)


def _row(row: Any) -> RateRow:
    one: ExchangeRate = row.ExchangeRate
    return RateRow(
        id=one.id, realm=one.realm, currency=one.currency, against=one.against, day=one.day_on, revision=one.revision, rate=one.rate,
        holds_days=one.holds_days, source=one.source, reason=one.reason, kept_by=one.kept_by, kept_at=one.kept_at,
        is_corrected=bool(row.is_corrected),
    )  # fmt: skip


#: The rates as told, the newest day first.
EXCHANGE_RATES: SqlList[RateRow] = SqlList(
    select=_all, row=_row, tie=(ExchangeRate.id,), usual="-day", realm=ExchangeRate.realm,
    # Rates are the same for everybody: what a currency is worth shows nothing of a site or a company.
    scope=lambda query, _: query,
    text=(ExchangeRate.currency, ExchangeRate.against, ExchangeRate.source, ExchangeRate.reason),
    flags=("last", "corrected"),
    sorts={
        "day": ExchangeRate.day_on, "pair": ExchangeRate.currency + ExchangeRate.against, "source": ExchangeRate.source,
        "told": ExchangeRate.kept_at,
    },
    wanted={
        "last": lambda _on, _eyes: ~_FOLLOWED, "corrected": lambda _on, _eyes: _CORRECTED,
        "currency": lambda value, _: or_(ExchangeRate.currency == value.upper(), ExchangeRate.against == value.upper()),
    },
)  # fmt: skip


def told_rate(session: Session, key: int) -> RateRow:
    """One rate that was just told."""
    # As it is stored: the row in hand has the places that were typed.
    query = _all().where(ExchangeRate.id == key).execution_options(populate_existing=True)
    return _row(session.execute(query).one())


def held_rate(session: Session, realm: str, currency: str, against: str, day: date) -> HeldRate:
    """The rate that holds for a day; raises ``RuleBroken`` naming pair and day where none does."""
    return rate_for(session, realm, currency.strip().upper(), against.strip().upper(), day)

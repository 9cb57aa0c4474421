"""What was a currency worth on each of many days, and on average? The rates of a whole report, read at once."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.model import scaled_int
from erpcore.kernel.money import places
from erpcore.masterdata.rate_models import RATE_PLACES, ExchangeRate
from erpcore.masterdata.rates import MOST_DAYS, HeldRate

_DAY = timedelta(days=1)
#: Averages are read with so many places; they translate exactly.
_SHOWN = 6


@dataclass(frozen=True, kw_only=True)
class DayRates:
    """The rates of one pair, by the day they were told for, in the order of their days."""

    currency: str
    against: str
    told: Sequence[HeldRate]

    @property
    def _units(self) -> Fraction:
        """How many smallest units of the one there are to one of the other, where a rate is one."""
        return Fraction(int(10 ** places(self.against)), int(10 ** places(self.currency)))

    def shown(self, factor: Fraction) -> Decimal:
        """A factor as people read it: what one unit is worth."""
        exact = factor / self._units
        return (Decimal(exact.numerator) / exact.denominator).quantize(Decimal(1).scaleb(-_SHOWN))

    def on(self, day: date) -> HeldRate | None:
        """The rate that holds for a day; raises as ``rate_for`` does, ``None`` where both are the same currency."""
        if self.currency == self.against:
            return None
        place = bisect_right(self.told, day, key=lambda one: one.told_on)
        pair = f"{self.currency}/{self.against}"
        if not place:
            raise RuleBroken("rate_missing", field="day", pair=pair, day=day)
        found = self.told[place - 1]
        if found.until < day:
            raise RuleBroken("rate_too_old", field="day", pair=pair, day=day, told=found.told_on, until=found.until)
        return found

    def factor(self, day: date) -> Fraction:
        """By what minor units are multiplied on a day, exactly."""
        held = self.on(day)
        if held is None:
            return Fraction(1)
        told = Fraction(scaled_int(held.rate, RATE_PLACES), 10**RATE_PLACES)
        return (1 / told if held.turned else told) * self._units

    def average(self, since: date, until: date) -> Fraction:
        """The mean of what holds on each of these days, both included; every one of them needs a rate."""
        if self.currency == self.against:
            return Fraction(1)
        days = (until - since).days + 1
        return sum((self.factor(since + place * _DAY) for place in range(days)), Fraction(0)) / days


def day_rates(
    session: Session, realm: str, currencies: Iterable[str], against: str, since: date, until: date
) -> dict[str, DayRates]:
    """Of each currency what it was worth in another from ``since`` to ``until``, by one look at the rates."""
    wanted = sorted(set(currencies))
    foreign = [one for one in wanted if one != against]
    direct = and_(ExchangeRate.currency.in_(foreign), ExchangeRate.against == against)
    turned = and_(ExchangeRate.currency == against, ExchangeRate.against.in_(foreign))
    # The last rate before the first day may be as old as any rate may be used.
    first = max(since, date.min + MOST_DAYS * _DAY) - MOST_DAYS * _DAY
    rows = session.execute(
        select(
            ExchangeRate.id, ExchangeRate.currency, ExchangeRate.against, ExchangeRate.day_on, ExchangeRate.holds_days,
            ExchangeRate.rate, ExchangeRate.source, ExchangeRate.revision,
        ).where(ExchangeRate.realm == realm, or_(direct, turned), ExchangeRate.day_on.between(first, until))
    )  # fmt: skip
    best: dict[str, dict[date, tuple[tuple[bool, int], HeldRate]]] = defaultdict(dict)
    for row in rows:
        is_turned = row.currency == against
        currency = row.against if is_turned else row.currency
        rank = (not is_turned, row.revision)
        known = best[currency].get(row.day_on)
        if known is None or known[0] < rank:
            last = row.day_on + (row.holds_days - 1) * _DAY
            held = HeldRate(row.id, currency, against, row.day_on, last, row.rate, row.source, is_turned)
            best[currency][row.day_on] = (rank, held)
    return {
        one: DayRates(currency=one, against=against, told=[held for _, (_, held) in sorted(best[one].items())])
        for one in wanted
    }

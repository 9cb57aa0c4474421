"""What is an amount of one currency worth in another on a day? Rates as finance keeps them, and the one that holds.

Told by day and never edited: a correction is the next revision. A rate that is missing or too old stops what needs it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.first import add_first
from erpcore.kernel.model import scaled_int
from erpcore.kernel.money import places
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.rate_models import RATE_PLACES, ExchangeRate

KEEP = "masterdata:rate:keep"
#: A rate may be used for so many days unless its source says otherwise, and no longer than a quarter.
USUAL_DAYS, MOST_DAYS = 7, 92
#: Nobody trades in currencies of before; an earlier year is a slipped digit.
FIRST_DAY = date(1999, 1, 1)
#: The largest rate that can be told: beyond it somebody has turned the pair round.
MOST_RATE = Decimal(1_000_000)
#: Rates of one act or file.
MOST_RATES = 2_000
_MOST_SOURCE = 60
#: A change beyond a quarter from the rate before is told with a reason.
_JUMP = Decimal("0.25")


@dataclass(frozen=True, kw_only=True, slots=True)
class NewRate:
    """One unit of ``currency`` is ``rate`` of ``against`` from ``day`` on, for ``holds_days``.

    ``reason``: why the rate told before for that day is another now, or why it jumped.
    """

    currency: str
    against: str
    day: date
    rate: Decimal
    source: str
    holds_days: int = USUAL_DAYS
    reason: str | None = None


class HeldRate(NamedTuple):
    """The rate that holds for a day. ``turned``: the row tells the pair the other way round; ``until``: its last day."""

    id: int
    currency: str
    against: str
    told_on: date
    until: date
    rate: Decimal
    source: str
    turned: bool

    def exchanged(self, minor: int) -> int:
        """So many minor units of ``currency`` in those of ``against``, rounded once, half away from zero."""
        told = scaled_int(self.rate, RATE_PLACES)
        above, below = (10**RATE_PLACES, told) if self.turned else (told, 10**RATE_PLACES)
        above *= int(10 ** places(self.against))
        below *= int(10 ** places(self.currency))
        rounded: int = (2 * abs(minor) * above + below) // (2 * below)
        return rounded if minor >= 0 else -rounded

    @property
    def factor(self) -> Decimal:
        """What one unit is worth, as people read it; amounts are exchanged by the rate as it was told."""
        exact = 1 / self.rate if self.turned else self.rate
        return exact.quantize(Decimal(1).scaleb(-RATE_PLACES))


def keep_rates(work: UnitOfWork, commands: Sequence[NewRate]) -> list[ExchangeRate]:
    """Write rates down, all or none, and return the row of each; one that is told already as it is stays the row it is.

    Raises ``RuleBroken("rate_told")`` for another rate of a day that has one and ``rate_jumps`` far from the one before, both unless
    a reason is given, and ``Conflict("rate_told_meanwhile")`` when somebody else was faster.
    """
    work.actor.require(KEEP)
    if not 0 < len(commands) <= MOST_RATES:
        raise RuleBroken("rates_number", field="file", most=MOST_RATES)
    kept = {at: _keep(work, commands[at]) for at in in_turn(commands)}
    return [kept[at] for at in range(len(commands))]


def in_turn(commands: Sequence[NewRate]) -> list[int]:
    """The places of rates in the order in which they are written: pair by pair and day by day.

    Everybody's is the same, so that two who tell many at once wait for each other and never block each other.
    """
    return sorted(range(len(commands)), key=lambda at: (*_pair(commands[at]), commands[at].day, at))


def _pair(c: NewRate) -> tuple[str, str]:
    return c.currency.strip().upper(), c.against.strip().upper()


def _keep(work: UnitOfWork, c: NewRate) -> ExchangeRate:
    (currency, against), source = _pair(c), c.source.strip()
    reason = (c.reason or "").strip() or None
    _check(work, c, currency, against, source)
    told = _told(work.session, work.realm, currency, against, c.day)
    if told is not None and (told.rate, told.source, told.holds_days) == (c.rate, source, c.holds_days):
        return told
    facts: dict[str, Any] = {"pair": f"{currency}/{against}", "day": c.day}
    if reason is None and told is not None:
        raise RuleBroken("rate_told", field="rate", rate=f"{told.rate.normalize():f}", source=told.source, **facts)
    before = _last(work.session, work.realm, currency, against, c.day - timedelta(days=1))
    if reason is None and before is not None and abs(c.rate / before.factor - 1) > _JUMP:
        raise RuleBroken(
            "rate_jumps", field="rate", before=f"{before.factor.normalize():f}", told=before.told_on, **facts
        )
    row = ExchangeRate(
        id=work.ids.one(), realm=work.realm, currency=currency, against=against, day_on=c.day,
        revision=told.revision + 1 if told is not None else 1, rate=c.rate, holds_days=c.holds_days, source=source, reason=reason,
        kept_by=work.actor.id, kept_at=work.now,
    )  # fmt: skip
    add_first(work, row, "rate_told_meanwhile", **facts)
    work.audit(
        "exchange_rate.told", "exchange_rate", row.id, pair=facts["pair"], day=c.day.isoformat(), rate=f"{c.rate.normalize():f}",
        was=None if told is None else f"{told.rate.normalize():f}", source=source, reason=reason,
    )  # fmt: skip
    return row


def _check(work: UnitOfWork, c: NewRate, currency: str, against: str, source: str) -> None:
    for field, code in (("currency", currency), ("against", against)):
        if not (len(code) == 3 and code.isascii() and code.isalpha()):
            raise RuleBroken("currency_code", field=field, value=code)
    if currency == against:
        raise RuleBroken("rate_same_currency", field="against", currency=currency)
    if not c.rate.is_finite() or not 0 < c.rate <= MOST_RATE or c.rate != round(c.rate, RATE_PLACES):
        raise RuleBroken("rate_outside", field="rate", most=MOST_RATE, places=RATE_PLACES)
    if c.day < FIRST_DAY:
        raise RuleBroken("rate_of_earlier_day", field="day", first=FIRST_DAY)
    # It may be tomorrow already where somebody sits; nobody knows a rate of the day after.
    if c.day > local_day(work.now, "UTC") + timedelta(days=1):
        raise RuleBroken("rate_of_later_day", field="day", day=c.day)
    if not 0 < c.holds_days <= MOST_DAYS:
        raise RuleBroken("rate_days", field="holds_days", most=MOST_DAYS)
    if not 0 < len(source) <= _MOST_SOURCE:
        raise RuleBroken("rate_source", field="source", most=_MOST_SOURCE)


def _told(session: Session, realm: str, currency: str, against: str, day: date) -> ExchangeRate | None:
    query = select(ExchangeRate).where(
        ExchangeRate.realm == realm, ExchangeRate.currency == currency, ExchangeRate.against == against,
        ExchangeRate.day_on == day,
    )  # fmt: skip
    return session.scalars(query.order_by(ExchangeRate.revision.desc()).limit(1)).first()


def _last(session: Session, realm: str, currency: str, against: str, day: date) -> HeldRate | None:
    """The last rate of a pair at or before a day, whatever its age."""
    direct = and_(ExchangeRate.currency == currency, ExchangeRate.against == against)
    turned = and_(ExchangeRate.currency == against, ExchangeRate.against == currency)
    query = select(ExchangeRate).where(ExchangeRate.realm == realm, or_(direct, turned), ExchangeRate.day_on <= day)
    # Of the same day the direct one is better: it was told, the other follows from what was told.
    order = (ExchangeRate.day_on.desc(), (ExchangeRate.currency == currency).desc(), ExchangeRate.revision.desc())
    row = session.scalars(query.order_by(*order).limit(1)).first()
    if row is None:
        return None
    return HeldRate(
        row.id, currency, against, row.day_on, row.day_on + timedelta(days=row.holds_days - 1), row.rate, row.source,
        row.currency != currency,
    )  # fmt: skip


def rate_for(session: Session, realm: str, currency: str, against: str, day: date) -> HeldRate:
    """The rate that holds for a day: the last one at or before it.

    Raises ``RuleBroken("rate_missing")`` where there is none, ``rate_too_old`` where it may be used no more on that day.
    """
    found = _last(session, realm, currency, against, day)
    pair = f"{currency}/{against}"
    if found is None:
        raise RuleBroken("rate_missing", field="day", pair=pair, day=day)
    if found.until < day:
        raise RuleBroken("rate_too_old", field="day", pair=pair, day=day, told=found.told_on, until=found.until)
    return found

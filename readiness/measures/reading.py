"""What a figure is: its value, how sure it is, what it was counted from, and whether it may be believed.

Values, marks and limits stand in base units everywhere in the code: a share between 0 and 1, a time in seconds, money
in its currency. Only ``shown`` turns them into per cent, hours or days, and ``from_shown`` back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Any, Final

from readiness.measures.intervals import LEVEL, Interval, Sample


class Unit(StrEnum):
    """The unit a figure is shown in."""

    PERCENT = "%"
    PERMILLE = "‰"
    HOURS = "h"
    DAYS = "d"
    MILLISECONDS = "ms"
    POINTS = "points"
    COUNT = "n"
    RATIO = "ratio"
    MONEY = "money"


_PER_BASE: Final[dict[Unit, Fraction]] = {
    Unit.PERCENT: Fraction(100),
    Unit.PERMILLE: Fraction(1000),
    Unit.HOURS: Fraction(1, 3600),
    Unit.DAYS: Fraction(1, 86400),
    Unit.MILLISECONDS: Fraction(1000),
    Unit.POINTS: Fraction(100),
}


_ONE: Final = Fraction(1)


class Direction(StrEnum):
    """Which way is better."""

    UP = "up"
    DOWN = "down"
    ZERO = "zero"
    INFO = "info"


class Form(StrEnum):
    """How a figure is made, which decides its interval."""

    YES_NO = "yes_no"
    SHARE = "share"
    MEAN = "mean"
    RATE = "rate"
    PERCENTILE = "percentile"
    STATE = "state"
    COMPOSITE = "composite"

    @property
    def has_interval(self) -> bool:
        """False for a census and for what is composed of several figures: they are judged on the value."""
        return self not in {Form.STATE, Form.COMPOSITE}


class Stale(StrEnum):
    """Why a source cannot be believed now."""

    SOURCE_MISSING = "source_missing"
    SOURCE_UNREADABLE = "source_unreadable"
    CONSUMER_BEHIND = "consumer_behind"
    PARKED_EVENT = "parked_event"
    EARLIER_RULES = "earlier_rules"
    SAMPLE_MISSING = "sample_missing"


class WindowUnit(StrEnum):
    """Whole days of the site, whole UTC hours, the present moment, or the last run of something."""

    DAY = "day"
    HOUR = "hour"
    NOW = "now"
    LAST = "last"


@dataclass(frozen=True, slots=True)
class Window:
    """What was read, half open [start, end)."""

    unit: WindowUnit
    start: date | datetime | None = None
    end: date | datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One figure of one cell at one moment. ``value`` is None where there is nothing to divide by."""

    measure: str
    statistic: str | None = None
    version: int = 1
    unit: Unit
    direction: Direction
    form: Form
    realm: str
    scope: str
    slice: tuple[tuple[str, str], ...] = ()
    window: Window
    as_of: datetime
    value: Decimal | None
    numerator: Decimal | int | None = None
    denominator: Decimal | int | None = None
    scale: Fraction = Fraction(1)
    """value = numerator ÷ denominator · scale."""
    count: int
    """Documents (orders, invoices, returns, counts), never lines or units; samples of a state where it has none."""
    documents: str = "order"
    days: int
    """Distinct days with documents."""
    actors: int | None = None
    """Distinct people behind the documents, None where the measure does not count them."""
    reached: bool = True
    """False for a percentile that lies beyond ``value``, the oldest age seen."""
    sample: Sample | None = field(default=None, repr=False)
    provisional: bool = False
    stale: Stale | None = None
    stale_detail: str | None = None

    @property
    def interval(self) -> Interval | None:
        """The two-sided 95 % interval, None where the form has none or the sample is too small."""
        return self.interval_at(LEVEL)

    def interval_at(self, level: float) -> Interval | None:
        """The interval at another level, for gates with several fixed dates."""
        return self.sample.interval(level) if self.sample is not None and self.form.has_interval else None

    @property
    def nothing_measured(self) -> bool:
        """No value, or a ratio over nothing: a figure that must never count as good."""
        return self.value is None or (self.denominator is not None and self.denominator == 0)

    def exact(self) -> Fraction:
        """The value without rounding, so that a figure exactly at its mark meets it. ValueError without a value."""
        if self.value is None or self.nothing_measured:
            raise ValueError(f"{self.measure} has no value to compare")
        if self.numerator is not None and self.denominator is not None:
            return Fraction(self.numerator) / Fraction(self.denominator) * self.scale
        return Fraction(self.value)

    def facts(self) -> dict[str, Any]:
        """The reading as plain data for a snapshot; canonical JSON takes it as it is."""
        interval = self.interval
        return {
            "measure": self.measure,
            "statistic": self.statistic,
            "version": self.version,
            "unit": self.unit.value,
            "direction": self.direction.value,
            "form": self.form.value,
            "realm": self.realm,
            "scope": self.scope,
            "slice": dict(self.slice),
            "window": {"unit": self.window.unit.value, "start": self.window.start, "end": self.window.end},
            "as_of": self.as_of,
            "value": self.value,
            "numerator": self.numerator,
            "denominator": self.denominator,
            "count": self.count,
            "documents": self.documents,
            "days": self.days,
            "actors": self.actors,
            "reached": self.reached,
            "interval": None if interval is None else {"low": interval.low, "high": interval.high},
            "provisional": self.provisional,
            "stale": None if self.stale is None else self.stale.value,
            "stale_detail": self.stale_detail,
        }


def ratio(numerator: Decimal | int, denominator: Decimal | int, scale: Fraction = Fraction(1)) -> Decimal | None:
    """The quotient numerator ÷ denominator · scale at six places, half to even; None over zero."""
    if denominator == 0:
        return None
    if type(numerator) is int and type(denominator) is int and scale == 1:
        return _quotient(numerator, denominator, 6)
    return rounded(Fraction(numerator) / Fraction(denominator) * scale)


def rounded(value: Fraction, places: int = 6) -> Decimal:
    """A fraction as a decimal of so many places, half to even."""
    return _quotient(value.numerator, value.denominator, places)


def _quotient(numerator: int, denominator: int, places: int) -> Decimal:
    """The quotient at so many places, half to even; in whole numbers, since a page shows hundreds and fractions are slow."""
    if denominator < 0:
        numerator, denominator = -numerator, -denominator
    steps, rest = divmod(numerator * 10**places, denominator)
    if 2 * rest > denominator or (2 * rest == denominator and steps % 2):
        steps += 1
    return Decimal(steps).scaleb(-places)


def shown(value: Decimal | Fraction, unit: Unit, places: int = 2) -> Decimal:
    """A figure in the unit people read: 0.9497 as 94.97 of per cent, 86,400 s as 24.00 of hours."""
    per, (numerator, denominator) = _PER_BASE.get(unit, _ONE), value.as_integer_ratio()
    return _quotient(numerator * per.numerator, denominator * per.denominator, places)


def from_shown(value: Decimal, unit: Unit) -> Decimal:
    """What a person typed in the shown unit, in base units at six places: 95 of per cent is 0.95, 24 hours 86,400 s."""
    return rounded(Fraction(value) / _PER_BASE.get(unit, _ONE))

"""Where on the picture does a value stand, and which round values deserve a tick?"""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from babel.dates import format_date

from app.charts.picture import Number

STEPS = (Decimal(1), Decimal(2), Decimal("2.5"), Decimal(5), Decimal(10))


@dataclass(frozen=True)
class Scale:
    """A straight line from values to coordinates. `start` may exceed `end`: y grows downwards."""

    low: Decimal
    high: Decimal
    start: Decimal
    end: Decimal

    def at(self, value: Number) -> Decimal:
        """The coordinate of a value, which may lie outside the axis."""
        return self.start + (Decimal(value) - self.low) / (self.high - self.low) * (self.end - self.start)

    def held(self, value: Number) -> Decimal:
        """The coordinate of a value, kept on the axis."""
        return self.at(min(max(Decimal(value), self.low), self.high))


def scale(low: Number, high: Number, start: Number, end: Number) -> Scale:
    """A scale over [low, high]. Raises ValueError when it would have no length."""
    if Decimal(low) >= Decimal(high):
        raise ValueError(f"an axis needs a length, got {low} to {high}")
    return Scale(Decimal(low), Decimal(high), Decimal(start), Decimal(end))


def round_step(span: Number, ticks: int) -> Decimal:
    """The smallest of 1, 2, 2.5, 5 × 10ⁿ that cuts `span` into at most `ticks` pieces."""
    raw = Decimal(span) / ticks
    power = Decimal(10) ** (raw.adjusted())
    return next(step * power for step in STEPS if step * power >= raw)


def ticks(low: Number, high: Number, count: int = 5) -> tuple[Decimal, ...]:
    """Round values inside [low, high], at most `count` + 1 of them."""
    step = round_step(Decimal(high) - Decimal(low), count)
    first = (Decimal(low) / step).to_integral_value(ROUND_CEILING)
    last = (Decimal(high) / step).to_integral_value(ROUND_FLOOR)
    return tuple(step * n for n in range(int(first), int(last) + 1))


def around(low: Number, high: Number, count: int = 5) -> tuple[Decimal, Decimal]:
    """The round values that enclose [low, high], for an axis that ends on its ticks."""
    step = round_step((Decimal(high) - Decimal(low)) or Decimal(1), count)
    return (
        (Decimal(low) / step).to_integral_value(ROUND_FLOOR) * step,
        (Decimal(high) / step).to_integral_value(ROUND_CEILING) * step,
    )


def plain(value: Number, places: int | None = None) -> str:
    """A number for a label: thousands separated, a true minus; its own places unless `places` says otherwise."""
    number = Decimal(value)
    shown = (number.normalize() if number else Decimal(0)) if places is None else round(number, places)
    text = format(shown, ",f")
    return text.replace("-", "−")


def on_day(scale_: Scale, day: date) -> Decimal:
    """The coordinate at which a day begins."""
    return scale_.at(day.toordinal())


def day_scale(first: date, last: date, start: Number, end: Number) -> Scale:
    """A scale over days, at least one day long."""
    return scale(first.toordinal(), max(last, first + timedelta(days=1)).toordinal(), start, end)


def month_starts(first: date, last: date) -> tuple[date, ...]:
    """The first days of the months that begin in [first, last]."""
    starts: list[date] = []
    year, month = first.year, first.month
    while (day := date(year, month, 1)) <= last:
        if day >= first:
            starts.append(day)
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    return tuple(starts)


def mondays(first: date, last: date, every: int = 1) -> tuple[date, ...]:
    """Every n-th Monday in [first, last]."""
    day = first + timedelta(days=-first.weekday() % 7)
    found: list[date] = []
    while day <= last:
        found.append(day)
        day += timedelta(weeks=every)
    return tuple(found)


def day_ticks(first: date, last: date, locale: str) -> tuple[tuple[date, str], ...]:
    """Days worth a tick with their labels: every few days up to three weeks, Mondays up to 14 weeks, months beyond."""
    span = (last - first).days
    if span <= 21:
        days = (first + timedelta(days=n) for n in range(0, span + 1, -(-span // 5) or 1))
        return tuple((day, short_day(day, locale)) for day in days)
    if span <= 98:
        every = 1 if span <= 42 else 2
        return tuple((day, short_day(day, locale)) for day in mondays(first, last, every))
    labelled: list[tuple[date, str]] = []
    for day in month_starts(first, last):
        name = format_date(day, "LLL", locale=locale)
        labelled.append((day, f"{name} ’{day:%y}" if day.month == 1 or not labelled else name))
    return tuple(labelled)


def short_day(day: date, locale: str) -> str:
    """A day as people write it in a label: 1 Feb."""
    return format_date(day, "d MMM", locale=locale)

"""Does the reading stand on the passing side, and how sure is that? One criterion's interval against its marks."""

from dataclasses import dataclass
from decimal import Decimal

from app.charts.glyphs import Kind
from app.charts.picture import Chart, ChartTable, Direction, Number, drawing, el, line
from app.charts.scale import Scale, plain, scale

WIDTH, HEIGHT, EDGE = 148, 24, 4
PASSING_SHARE = Decimal("0.3")
"""The least part of the axis that lies on the passing side, so that its ground can be seen."""


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A reading and its marks, all in the measure's own unit. `value` is None where there is no evidence at all;
    `low` and `high` are None for a census. `floor` and `ceiling` are the ends no value can pass, 0 and 100 for a rate.
    """

    value: Number | None
    pass_mark: Number
    direction: Direction
    verdict: Kind
    warn_mark: Number | None = None
    low: Number | None = None
    high: Number | None = None
    floor: Number | None = None
    ceiling: Number | None = None
    unit: str = ""


def axis(reading: Interval) -> Scale:
    """The reading's own axis: all its figures with air around them, and room on the passing side."""
    given = (reading.value, reading.pass_mark, reading.warn_mark, reading.low, reading.high)
    shown = [Decimal(n) for n in given if n is not None]
    low, high = min(shown), max(shown)
    span = (high - low) or abs(high) / 10 or Decimal(1)
    low, high = low - span * Decimal("0.12"), high + span * Decimal("0.12")
    mark = Decimal(reading.pass_mark)
    share = PASSING_SHARE / (1 - PASSING_SHARE)
    if reading.direction == "up":
        high = max(high, mark + (mark - low) * share)
    else:
        low = min(low, mark - (high - mark) * share)
    if reading.floor is not None and low < reading.floor < high:
        low = Decimal(reading.floor)
    if reading.ceiling is not None and low < reading.ceiling < high:
        high = Decimal(reading.ceiling)
    return scale(low, high, EDGE, WIDTH - EDGE)


def interval_bar(reading: Interval) -> Chart:
    """Ground on the passing side, solid pass mark, dashed warn mark, soft bar for the interval, dot for the value."""
    x = axis(reading)
    mark = x.at(reading.pass_mark)
    zone = (mark, x.end) if reading.direction == "up" else (x.start, mark)
    parts = [
        el("rect", class_="c-zone", x=zone[0], y=3, width=zone[1] - zone[0], height=18),
        line(EDGE, 12, WIDTH - EDGE, 12, "c-ax"),
    ]
    judged: list[str] = []
    if reading.low is not None and reading.high is not None:
        left, right = x.held(reading.low), x.held(reading.high)
        judged.append(el("rect", class_="c-bar", x=left, y=8, width=max(right - left, Decimal(1)), height=8, rx=1))
    if reading.warn_mark is not None:
        judged.append(line(x.at(reading.warn_mark), 3, x.at(reading.warn_mark), 21, "c-warnmark"))
    judged.append(line(mark, 2, mark, 22, "c-mark"))
    if reading.value is not None:
        judged.append(el("circle", class_="c-dot", cx=x.held(reading.value), cy=12, r=Decimal("4.2")))
    parts.append(el("g", *judged, class_=reading.verdict))
    title, description = _wording(reading)
    svg = drawing(WIDTH, HEIGHT, parts, class_="c-interval", title=title, description=description)
    return Chart(svg, title, description, _numbers(reading))


def _with_unit(value: Number, unit: str) -> str:
    return f"{plain(value)} {unit}".rstrip()


def _wording(reading: Interval) -> tuple[str, str]:
    title = "no value" if reading.value is None else _with_unit(reading.value, reading.unit)
    said = []
    if reading.low is not None and reading.high is not None:
        said.append(f"95 % interval {plain(reading.low)} – {plain(reading.high)}")
    sign = "≥" if reading.direction == "up" else "≤"
    said.append(f"pass mark {sign} {_with_unit(reading.pass_mark, reading.unit)}")
    if reading.warn_mark is not None:
        said.append(f"warn mark {sign} {_with_unit(reading.warn_mark, reading.unit)}")
    return title, ", ".join(said)


def _numbers(reading: Interval) -> ChartTable:
    named = (
        ("Value", reading.value),
        ("Lower end of the 95 % interval", reading.low),
        ("Upper end of the 95 % interval", reading.high),
        ("Pass mark", reading.pass_mark),
        ("Warn mark", reading.warn_mark),
    )
    return ChartTable(
        ("Figure", reading.unit or "Value"),
        tuple((name, "—" if value is None else plain(value)) for name, value in named),
    )

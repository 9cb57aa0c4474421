"""Is this ordinary variation, or did something change? Points against their centre line and control limits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from app.charts.frame import labels_beside, time_frame
from app.charts.picture import Chart, ChartTable, Number, drawing, el, line, polyline
from app.charts.scale import plain, short_day

WIDTH, HEIGHT = 640, 210


@dataclass(frozen=True)
class ControlPoint:
    """A reading; `signal` says which rule it broke ("beyond the upper limit", "eight on one side"), or None."""

    day: date
    value: Number
    signal: str | None = None


def control_chart(
    title: str,
    points: Sequence[ControlPoint],
    *,
    key: str,
    unit: str,
    centre: Number,
    lower: Number,
    upper: Number,
    locale: str = "en",
) -> Chart:
    """Draws what the caller computed: limits and signals come from the measure, never from the picture."""
    if not points:
        raise ValueError(f"the control chart of {title!r} has no value to draw")
    limits = ((upper, "c-warnmark", "upper"), (centre, "c-ax", "centre"), (lower, "c-warnmark", "lower"))
    beside = [(value, f"{label} {plain(value)}", "c-soft") for value, _, label in limits]
    frame = time_frame(
        points[0].day,
        points[-1].day,
        [*(p.value for p in points), centre, lower, upper],
        width=WIDTH,
        height=HEIGHT,
        top=24,
        locale=locale,
        unit=unit,
        beside=[text for _, text, _ in beside],
    )
    top, bottom = frame.y.at(upper), frame.y.at(lower)
    parts = [
        el("rect", class_="c-rail", x=frame.left, y=top, width=frame.right - frame.left, height=bottom - top),
        *frame.grid,
        *(line(frame.left, frame.y.at(value), frame.right, frame.y.at(value), class_) for value, class_, _ in limits),
        *labels_beside(frame, beside),
    ]
    parts.append(polyline([(frame.day(p.day), frame.y.at(p.value)) for p in points], "c-spark"))
    for point in points:
        x, y = frame.day(point.day), frame.y.at(point.value)
        parts.append(el("circle", class_="c-last", cx=x, cy=y, r=Decimal("2.2")))
        if point.signal:
            ring = el("circle", class_="c-gate", cx=x, cy=y, r=6)
            parts.append(el("g", ring, el("circle", class_="c-dot", cx=x, cy=y, r=3), class_="fail"))
    signals = [p for p in points if p.signal]
    description = (
        f"{len(points)} readings, centre {plain(centre)}, limits {plain(lower)} – {plain(upper)} {unit}".rstrip()
    )
    description += "; " + (
        ", ".join(f"{short_day(p.day, locale)}: {p.signal}" for p in signals) if signals else "no signal"
    )
    table = ChartTable(
        ("Day", "Signal", unit or "Value"),
        tuple((short_day(p.day, locale), p.signal or "", plain(p.value)) for p in points),
        words=2,
    )
    svg = drawing(WIDTH, HEIGHT, parts, class_="c-trend", title=title, description=description, key=key)
    return Chart(svg, title, description, table)

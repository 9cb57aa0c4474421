"""How has the figure moved, and what happened meanwhile? A line against its target, with the events that explain it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from app.charts.frame import Frame, labels_beside, time_frame
from app.charts.picture import Chart, ChartTable, Direction, Number, drawing, el, line, polyline, text_width, words
from app.charts.scale import plain, short_day

WIDTH, HEIGHT = 640, 250
LANE = 14
ROOM = WIDTH - 130
"""About the width of the plot itself, to keep the labels of events apart."""


@dataclass(frozen=True)
class TrendPoint:
    """A reading of one period. `value` None is a period without evidence: the line has a gap there."""

    day: date
    value: Number | None
    low: Number | None = None
    high: Number | None = None
    count: int | None = None


@dataclass(frozen=True)
class TrendEvent:
    """Something that may explain a turn: a go-live, a variant taking effect, a release."""

    day: date
    label: str


def trend(
    title: str,
    points: Sequence[TrendPoint],
    *,
    key: str,
    unit: str,
    direction: Direction,
    target: Number | None = None,
    warn: Number | None = None,
    baseline: Number | None = None,
    events: Sequence[TrendEvent] = (),
    floor: Number | None = None,
    ceiling: Number | None = None,
    locale: str = "en",
) -> Chart:
    """The readings in order of their days. Raises ValueError when there is none: say so on the page instead."""
    shown = [p for p in points if p.value is not None]
    if not shown:
        raise ValueError(f"the trend of {title!r} has no value to draw")
    end = shown[-1]
    beside = [(end.value or 0, f"{plain(end.value or 0)} {unit}".rstrip(), "c-strong")]
    sign = "≥" if direction == "up" else "≤"
    for value, label in ((target, f"target {sign}"), (warn, f"warn {sign}"), (baseline, "baseline")):
        if value is not None:
            beside.append((value, f"{label} {plain(value)}", "c-soft"))
    first, last = points[0].day, points[-1].day
    inside = sorted((e for e in events if first <= e.day <= last), key=lambda e: (e.day, e.label))
    lanes = event_lanes(inside, first, last)
    depth = max(lanes, default=-1) + 1
    frame = time_frame(
        first,
        last,
        [n for p in shown for n in (p.value, p.low, p.high) if n is not None]
        + [n for n in (target, warn, baseline) if n is not None],
        width=WIDTH,
        height=HEIGHT,
        top=24 + LANE * depth,
        locale=locale,
        unit=unit,
        beside=[text for _, text, _ in beside],
        floor=floor,
        ceiling=ceiling,
    )
    parts = [
        *_ground(frame, target, direction),
        *frame.grid,
        *_marks(frame, target, warn, baseline),
        *(text for event, lane in zip(inside, lanes, strict=True) for text in _annotated(frame, event, lane)),
        *_ribbon(frame, points),
        *(
            polyline([(frame.day(p.day), frame.y.at(p.value or 0)) for p in run], "c-line")
            for run in _stretches(points)
        ),
        *(el("circle", class_="c-point", cx=frame.day(p.day), cy=frame.y.at(p.value or 0), r=2) for p in shown),
    ]
    at = (frame.day(end.day), frame.y.at(end.value or 0))
    parts.append(el("circle", class_="c-last", cx=at[0], cy=at[1], r=Decimal("3.4")))
    parts.extend(labels_beside(frame, beside))
    description = _worded(shown, unit, target, baseline, direction, inside, locale)
    svg = drawing(WIDTH, HEIGHT, parts, class_="c-trend", title=title, description=description, key=key)
    return Chart(svg, title, description, _numbers(points, inside, unit, locale))


def event_lanes(events: Sequence[TrendEvent], first: date, last: date) -> list[int]:
    """The row above the plot in which each event's label stands, so that none touches another."""
    per_day = Decimal(ROOM) / max((last - first).days, 1)
    taken: list[Decimal] = []
    lanes: list[int] = []
    for event in events:
        begin = (event.day - first).days * per_day
        width = text_width(event.label) + 12
        begin = min(begin, Decimal(ROOM) - width)
        lane = next((n for n, end in enumerate(taken) if end <= begin), len(taken))
        if lane == len(taken):
            taken.append(Decimal())
        taken[lane] = begin + width
        lanes.append(lane)
    return lanes


def _ground(frame: Frame, target: Number | None, direction: Direction) -> list[str]:
    if target is None:
        return []
    at = frame.y.held(target)
    top, bottom = (frame.top, at) if direction == "up" else (at, frame.bottom)
    if bottom <= top:
        return []
    return [el("rect", class_="c-zone", x=frame.left, y=top, width=frame.right - frame.left, height=bottom - top)]


def _marks(frame: Frame, target: Number | None, warn: Number | None, baseline: Number | None) -> list[str]:
    placed = ((target, "c-target"), (warn, "c-warnmark"), (baseline, "c-base"))
    return [
        line(frame.left, frame.y.at(value), frame.right, frame.y.at(value), class_)
        for value, class_ in placed
        if value is not None
    ]


def _annotated(frame: Frame, event: TrendEvent, lane: int) -> list[str]:
    at = frame.day(event.day)
    y = Decimal(10 + LANE * lane)
    width = text_width(event.label)
    fits = at + 5 + width <= frame.right
    return [
        line(at, y - 8, at, frame.bottom, "c-event"),
        words(event.label, at + 5 if fits else at - 5, y, "c-soft", "start" if fits else "end"),
    ]


def _stretches(points: Sequence[TrendPoint]) -> list[list[TrendPoint]]:
    """The stretches without a gap that have a line to draw."""
    found: list[list[TrendPoint]] = [[]]
    for point in points:
        if point.value is None:
            found.append([])
        else:
            found[-1].append(point)
    return [run for run in found if len(run) > 1]


def _ribbon(frame: Frame, points: Sequence[TrendPoint]) -> list[str]:
    drawn: list[str] = []
    for run in _stretches(points):
        banded = [p for p in run if p.low is not None and p.high is not None]
        if len(banded) < 2:
            continue
        upper = [(frame.day(p.day), frame.y.held(p.high or 0)) for p in banded]
        lower = [(frame.day(p.day), frame.y.held(p.low or 0)) for p in reversed(banded)]
        drawn.append(polyline(upper + lower, "c-ribbon", closed=True))
    return drawn


def _worded(
    shown: Sequence[TrendPoint],
    unit: str,
    target: Number | None,
    baseline: Number | None,
    direction: Direction,
    events: Sequence[TrendEvent],
    locale: str,
) -> str:
    start, end = shown[0], shown[-1]
    text = (
        f"From {plain(start.value or 0)} {unit} on {short_day(start.day, locale)}"
        f" to {plain(end.value or 0)} {unit} on {short_day(end.day, locale)}"
    )
    if target is not None:
        text += f"; target {'≥' if direction == 'up' else '≤'} {plain(target)} {unit}"
    if baseline is not None:
        text += f"; baseline {plain(baseline)} {unit}"
    for event in events:
        text += f"; {short_day(event.day, locale)}: {event.label}"
    return text + "."


def _numbers(points: Sequence[TrendPoint], events: Sequence[TrendEvent], unit: str, locale: str) -> ChartTable:
    happened: dict[date, list[str]] = {}
    days = [p.day for p in points]
    for event in events:
        period = max((d for d in days if d <= event.day), default=days[0])
        happened.setdefault(period, []).append(event.label)
    rows = []
    for p in points:
        band = "—" if p.low is None or p.high is None else f"{plain(p.low)} – {plain(p.high)}"
        rows.append(
            (
                short_day(p.day, locale),
                ", ".join(happened.get(p.day, [])),
                "—" if p.value is None else plain(p.value),
                band,
                "—" if p.count is None else plain(p.count),
            )
        )
    return ChartTable(("Day", "Event", unit or "Value", "95 % interval", "Count"), tuple(rows), words=2)

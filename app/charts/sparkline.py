"""Which way has it been going? A line without axes, against the passing side, its last point marked."""

from collections.abc import Sequence
from decimal import Decimal

from app.charts.picture import Chart, ChartTable, Direction, Number, drawing, el, line, polyline
from app.charts.scale import plain, scale

WIDTH, HEIGHT = 76, 24
TOP, BOTTOM = 3, 21


def _runs(values: Sequence[Number | None]) -> list[list[tuple[int, Decimal]]]:
    """The stretches without a gap, as (position, value)."""
    found: list[list[tuple[int, Decimal]]] = [[]]
    for position, value in enumerate(values):
        if value is None:
            found.append([])
        else:
            found[-1].append((position, Decimal(value)))
    return [run for run in found if run]


def sparkline(values: Sequence[Number | None], *, target: Number | None, direction: Direction, unit: str = "") -> Chart:
    """Values from oldest to newest; None leaves a gap, for a period without evidence."""
    known = [Decimal(v) for v in values if v is not None]
    table = ChartTable(
        ("Period", unit or "Value"), tuple((str(n), "—" if v is None else plain(v)) for n, v in enumerate(values, 1))
    )
    title = "Trend"
    if not known:
        return Chart(
            drawing(WIDTH, HEIGHT, [], class_="c-sparkline", title=title, description="no values yet"),
            title,
            "no values yet",
            table,
        )
    shown = known + ([] if target is None else [Decimal(target)])
    low, high = min(shown), max(shown)
    air = ((high - low) or abs(high) / 10 or Decimal(1)) * Decimal("0.15")
    y = scale(low - air, high + air, BOTTOM, TOP)
    x = scale(0, max(len(values) - 1, 1), 2, WIDTH - 4)
    parts: list[str] = []
    if target is not None:
        at = y.at(target)
        zone = (Decimal(2), at) if direction == "up" else (at, Decimal(HEIGHT - 2))
        parts.append(el("rect", class_="c-zone", x=0, y=zone[0], width=WIDTH, height=zone[1] - zone[0]))
        parts.append(line(0, at, WIDTH, at, "c-target"))
    for run in _runs(values):
        if len(run) == 1 and run[0][0] != len(values) - 1:
            parts.append(el("circle", class_="c-last", cx=x.at(run[0][0]), cy=y.at(run[0][1]), r=1))
        elif len(run) > 1:
            parts.append(polyline([(x.at(n), y.at(v)) for n, v in run], "c-spark"))
    last = max(n for n, v in enumerate(values) if v is not None)
    parts.append(el("circle", class_="c-last", cx=x.at(last), cy=y.at(Decimal(values[last] or 0)), r=Decimal("2.2")))
    description = f"{plain(known[0])} to {plain(known[-1])} {unit}".rstrip()
    if target is not None:
        description += f", target {'≥' if direction == 'up' else '≤'} {plain(target)}"
    return Chart(
        drawing(WIDTH, HEIGHT, parts, class_="c-sparkline", title=title, description=description),
        title,
        description,
        table,
    )

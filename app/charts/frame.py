"""What do all charts over time share? The plot area with its two axes, its grid and its labelled days."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from app.charts.picture import Number, line, text_width, words
from app.charts.scale import Scale, around, day_scale, day_ticks, on_day, plain, scale, ticks


@dataclass(frozen=True)
class Frame:
    """The plot area: where values and days stand, and the SVG of axes and grid behind them."""

    x: Scale
    y: Scale
    left: Decimal
    right: Decimal
    top: Decimal
    bottom: Decimal
    grid: tuple[str, ...]

    def day(self, day: date) -> Decimal:
        return on_day(self.x, day)


def time_frame(
    first: date,
    last: date,
    values: Iterable[Number],
    *,
    width: int,
    height: int,
    top: int,
    locale: str,
    unit: str = "",
    beside: Iterable[str] = (),
    floor: Number | None = None,
    ceiling: Number | None = None,
) -> Frame:
    """A frame whose y axis encloses all `values` on round ticks, without passing the ends no value can pass.

    `beside` are the labels that will stand right of the plot; they get the room the longest of them needs.
    """
    known = [Decimal(v) for v in values]
    low, high = min(known), max(known)
    if low == high:
        low, high = low - (abs(low) / 10 or 1), high + (abs(high) / 10 or 1)
    low, high = around(low, high)
    if floor is not None:
        low = max(low, Decimal(floor))
    if ceiling is not None:
        high = min(high, Decimal(ceiling))
    marks = ticks(low, high)
    places = max(0, *(-int(m.normalize().as_tuple().exponent) for m in marks))
    labels = [plain(m, places) for m in marks]
    left = max(text_width(label) for label in labels) + 10
    margin = max((text_width(label) + 10 for label in beside), default=Decimal(8))
    right, bottom = width - margin, Decimal(height - 22)
    y = scale(low, high, bottom, top)
    x = day_scale(first, last, left, right)
    grid: list[str] = []
    for mark, label in zip(marks, labels, strict=True):
        grid.append(line(left, y.at(mark), right, y.at(mark), "c-grid"))
        grid.append(words(label, left - 6, y.at(mark) + 4, anchor="end"))
    if unit:
        grid.append(words(unit, 0, top - 10))
    free = left
    for day, label in day_ticks(first, last, locale):
        at = on_day(x, day)
        half = text_width(label) / 2
        if at - half < free - 8 or at + half > right + 8:
            continue
        grid.append(line(at, bottom, at, bottom + 4, "c-ax"))
        grid.append(words(label, at, bottom + 17, anchor="middle"))
        free = at + half + 12
    grid.append(line(left, bottom, right, bottom, "c-ax"))
    return Frame(x, y, left, right, Decimal(top), bottom, tuple(grid))


def labels_beside(frame: Frame, marks: Iterable[tuple[Number, str, str]]) -> list[str]:
    """Words right of the plot at the height of their values (value, text, class), moved apart where they would touch."""
    placed = sorted(((frame.y.at(value) + 4, text, class_) for value, text, class_ in marks), key=lambda m: m[0])
    drawn: list[str] = []
    free = frame.top
    for at, text, class_ in placed:
        y = max(at, free)
        drawn.append(words(text, frame.right + 6, y, class_))
        free = y + 13
    return drawn

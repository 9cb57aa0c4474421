"""How many of each kind were there, period after period? Stacked columns on one axis of whole numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from app.charts.picture import Chart, ChartTable, drawing, el, line, text_width, words
from app.charts.scale import around, plain, scale, ticks

WIDTH, HEIGHT = 640, 230
_TOP, _FOOT = 30, 24
#: Tones of the parts, from the foot of a column up.
_TONES = ("c-s3", "c-s1", "c-s2")


@dataclass(frozen=True)
class Column:
    """A period by its name, with how many there were of each part."""

    name: str
    parts: Mapping[str, int]

    @property
    def total(self) -> int:
        return sum(self.parts.values())


def columns(title: str, found: Sequence[Column], parts: Sequence[str], *, key: str, unit: str) -> Chart:
    """The columns in their order, each with its sum above. ``parts`` are drawn from the foot up, three at most.

    Raises ValueError without a column: say so on the page instead.
    """
    if not found or len(parts) > len(_TONES):
        raise ValueError(f"{title!r} needs a column and at most {len(_TONES)} parts")
    _, high = around(0, max([4, *(one.total for one in found)]))
    marks = [mark for mark in ticks(0, high) if mark == mark.to_integral_value()]
    left = max(text_width(plain(mark)) for mark in marks) + 10
    bottom = Decimal(HEIGHT - _FOOT)
    y = scale(0, high, bottom, _TOP)
    drawn = [words(unit, 0, 10), *_legend(parts)]
    for mark in marks:
        drawn.append(line(left, y.at(mark), WIDTH, y.at(mark), "c-grid"))
        drawn.append(words(plain(mark), left - 6, y.at(mark) + 4, anchor="end"))
    room = (WIDTH - left) / len(found)
    width = min(room * Decimal("0.62"), Decimal(44))
    for number, one in enumerate(found):
        middle = left + room * number + room / 2
        reached = 0
        for part, tone in zip(parts, _TONES, strict=False):
            if many := one.parts.get(part, 0):
                drawn.append(
                    el(
                        "rect", class_=tone, x=middle - width / 2, y=y.at(reached + many), width=width,
                        height=y.at(reached) - y.at(reached + many),
                    )
                )  # fmt: skip
                reached += many
        drawn.append(words(plain(one.total), middle, y.at(one.total) - 4, "c-strong", "middle"))
        drawn.append(words(one.name, middle, bottom + 16, anchor="middle"))
    drawn.append(line(left, bottom, WIDTH, bottom, "c-ax"))
    first, last = found[0], found[-1]
    said = f"from {first.total:,} in {first.name} to {last.total:,} in {last.name}"
    rows = tuple((one.name, *(plain(one.parts.get(part, 0)) for part in parts), plain(one.total)) for one in found)
    svg = drawing(WIDTH, HEIGHT, drawn, class_="c-trend", title=title, description=said, key=key)
    return Chart(svg, title, said, ChartTable(("Period", *parts, "In all"), rows))


def _legend(parts: Sequence[str]) -> list[str]:
    at, out = Decimal(WIDTH), []
    for part, tone in reversed(list(zip(parts, _TONES, strict=False))):
        at -= text_width(part)
        out.append(words(part, at, 10))
        at -= 14
        out.append(el("rect", class_=tone, x=at, y=1, width=9, height=9))
        at -= 14
    return out[::-1]

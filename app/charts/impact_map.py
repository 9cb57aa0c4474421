"""What touches a thing, and what does it touch? Two columns on each side of it, from left to right, with links to walk on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from app.charts.picture import Chart, ChartTable, drawing, el, fixed, polyline, text_width, words

WIDE, TALL, GAP, BETWEEN, TOP = 166, 46, 14, 46, 30
#: The columns in order: two steps before, one step before, the thing itself, one step after, two steps after.
COLUMNS = ("Two steps before", "What touches it", "This", "What it touches", "Two steps on")


@dataclass(frozen=True, kw_only=True)
class ImpactBox:
    """A thing, or all things of a kind, in a column from -2 to 2. Without ``href`` it leads nowhere."""

    key: str
    column: Literal[-2, -1, 0, 1, 2]
    title: str
    kind: str
    href: str = ""


@dataclass(frozen=True, kw_only=True)
class ImpactThread:
    """That one box touches another, and why in words."""

    source: str
    target: str
    why: str


def impact_map(title: str, boxes: Sequence[ImpactBox], threads: Sequence[ImpactThread], *, key: str) -> Chart:
    """Boxes with an arrow for each thread; the table has a row for each."""
    columns = [[one for one in boxes if one.column == at] for at in (-2, -1, 0, 1, 2)]
    shown = [at for at, column in enumerate(columns) if column]
    most = max(len(column) for column in columns)
    height = TOP + most * (TALL + GAP)
    places: dict[str, tuple[Decimal, Decimal]] = {}
    parts: list[str] = []
    for number, at in enumerate(shown):
        x = Decimal(number * (WIDE + BETWEEN) + 1)
        parts.append(words(COLUMNS[at], x + WIDE // 2, 14, "c-soft", "middle"))
        first = TOP + Decimal(most - len(columns[at])) * (TALL + GAP) / 2
        for row, box in enumerate(columns[at]):
            places[box.key] = (x, first + row * (TALL + GAP))
    lines = [part for one in threads for part in _arrow(places[one.source], places[one.target])]
    drawn = [part for box in boxes for part in (_linked(box, *places[box.key]),)]
    titles = {box.key: f"{box.title} ({box.kind})" if box.kind else box.title for box in boxes}
    rows = tuple((titles[one.source], one.why, titles[one.target]) for one in threads)
    before = sum(1 for box in boxes if box.column == -1)
    said = f"{before} before it, {sum(1 for box in boxes if box.column == 1)} after it, {len(rows)} arrows"
    svg = drawing(
        len(shown) * (WIDE + BETWEEN) - BETWEEN + 2, height, [*parts, *lines, *drawn], class_="c-map", title=title, description=said,
        key=key, role="group",
    )  # fmt: skip
    return Chart(svg, title, said, ChartTable(("From", "Why", "To"), rows, words=3))


def _linked(box: ImpactBox, x: Decimal, y: Decimal) -> str:
    parts = _box(box, x, y)
    if not box.href:
        return el("g", *parts)
    return el(
        "a", *parts, href=box.href, class_="c-link", aria_label=f"{box.title}, {box.kind}" if box.kind else box.title
    )


def _box(box: ImpactBox, x: Decimal, y: Decimal) -> list[str]:
    look = "c-hyper" if box.column == 0 else "c-prep"
    parts = [el("rect", class_=look, x=x, y=y, width=WIDE, height=TALL, rx=4)]
    if box.kind:
        parts.append(words(_clipped(box.kind, WIDE - 14), x + 7, y + 13, "c-soft"))
    lines = _broken(box.title, WIDE - 14)
    first = y + (28 if box.kind else 20)
    if len(lines) == 1:
        first += 4
    parts += [words(text, x + 7, first + 12 * at, "c-ink") for at, text in enumerate(lines)]
    return parts


def _arrow(start: tuple[Decimal, Decimal], end: tuple[Decimal, Decimal]) -> list[str]:
    """A curve from the right side of one box to the left side of another."""
    x1, y1 = start[0] + WIDE, start[1] + TALL // 2
    x2, y2 = end[0], end[1] + TALL // 2
    bend = Decimal(BETWEEN) / 2
    d = f"M{fixed(x1)} {fixed(y1)}C{fixed(x1 + bend)} {fixed(y1)} {fixed(x2 - bend)} {fixed(y2)} {fixed(x2 - 4)} {fixed(y2)}"
    head = [(x2, y2), (x2 - 6, y2 - 3), (x2 - 6, y2 + 3)]
    return [el("path", class_="c-thread", d=d), polyline(head, "c-point", closed=True)]


def _broken(text: str, width: int) -> list[str]:
    """The text on at most two lines of this width; what is too long ends in dots."""
    out: list[str] = []
    for word in text.split():
        if out and text_width(f"{out[-1]} {word}") <= width:
            out[-1] = f"{out[-1]} {word}"
        else:
            out.append(word)
    return [_clipped(one, width) for one in ([out[0], " ".join(out[1:])] if len(out) > 1 else out)]


def _clipped(text: str, width: int) -> str:
    if text_width(text) <= width:
        return text
    while text and text_width(f"{text}…") > width:
        text = text[:-1]
    return f"{text.rstrip()}…"

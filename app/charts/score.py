"""How much of the whole is reached, and made of what? The gate's score against its marks; parts against a limit."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from app.charts.picture import Chart, ChartTable, Number, drawing, el, fixed, line, text_width, words
from app.charts.scale import plain, scale


@dataclass(frozen=True)
class ScoreGroup:
    """A dimension's points: what it earned of what it could."""

    name: str
    points: Number
    possible: Number


@dataclass(frozen=True)
class Segment:
    """A part of a stacked bar. Tones: 1 dark, 2 light, 3 accent (the own share), 4 beyond the limit."""

    name: str
    value: Number
    tone: Literal[1, 2, 3, 4]


def score_bar(
    score: Number, groups: Sequence[ScoreGroup] = (), *, conditional_from: Number = 70, ready_from: Number = 85
) -> Chart:
    """0 to 100, filled up to the score, both marks named above. The groups stand in the table and in the words.

    Places are percentages of the width at hand, so that the labels keep their size from phone to wall.
    """
    held = min(max(Decimal(score), Decimal(0)), Decimal(100))
    parts = [
        el("rect", class_="c-rail", x=0, y=16, width="100%", height=10),
        el("rect", class_="c-zone", x=_percent(ready_from), y=16, width=_percent(100 - Decimal(ready_from)), height=10),
        el("rect", class_="c-s1", x=0, y=16, width=_percent(held), height=10),
    ]
    for value, label, anchor in (
        (conditional_from, f"conditional {plain(conditional_from)}", "end"),
        (ready_from, f"ready {plain(ready_from)}", "start"),
    ):
        at = _percent(value)
        parts.append(el("line", class_="c-mark", x1=at, x2=at, y1=12, y2=30))
        parts.append(el("text", label, class_="c-soft", x=at, y=9, text_anchor=anchor))
    said = " · ".join(f"{g.name} {plain(g.points, 1)} of {plain(g.possible)}" for g in groups)
    title = f"Score {plain(score, 1)} of 100"
    description = f"conditional from {plain(conditional_from)}, ready from {plain(ready_from)}"
    if said:
        description += f"; {said}"
    table = ChartTable(
        ("Dimension", "Points", "Possible"),
        (*((g.name, plain(g.points, 1), plain(g.possible)) for g in groups), ("Score", plain(score, 1), "100")),
    )
    svg = el("svg", *parts, class_="c-score", width="100%", height=30, role="img", aria_label=f"{title}: {description}")
    return Chart(svg, title, description, table)


def _percent(value: Number) -> str:
    """A place on a rail of any width."""
    return f"{fixed(value)}%"


def stacked_bar(
    title: str, segments: Sequence[Segment], *, limit: Number | None = None, unit: str = "", key: str | None = None
) -> Chart:
    """Parts side by side from 0, with a limit they may pass. What lies beyond the limit wears the warning colour."""
    width, height = 284, 50
    total = sum((Decimal(s.value) for s in segments), Decimal())
    top = max(total, Decimal(limit or 0)) * Decimal("1.05") or Decimal(1)
    x = scale(0, top, 0, width)
    parts = [el("rect", class_="c-rail", x=0, y=16, width=width, height=14)]
    reached = Decimal()
    for segment in segments:
        until = reached + Decimal(segment.value)
        stop = until if limit is None else min(until, Decimal(limit))
        if stop > reached:
            parts.append(
                el(
                    "rect",
                    class_=f"c-s{segment.tone}",
                    x=x.at(reached),
                    y=16,
                    width=x.at(stop) - x.at(reached),
                    height=14,
                )
            )
        reached = until
    parts.append(words("0", 0, 46))
    said = [f"{s.name} {plain(s.value)}" for s in segments]
    if limit is not None:
        if total > limit:
            over = total - Decimal(limit)
            parts.append(el("rect", class_="c-s4", x=x.at(limit), y=16, width=x.at(total) - x.at(limit), height=14))
            parts.append(words(f"over by {plain(over)}", x.at(total), 46, "c-over", "end"))
            said.append(f"over the limit by {plain(over)}")
        label = f"limit {plain(limit)}"
        parts.append(line(x.at(limit), 11, x.at(limit), 34, "c-mark"))
        near = text_width(label) > x.at(limit)
        parts.append(words(label, x.at(limit), 9, "c-ink", "start" if near else "end"))
        said.append(f"limit {plain(limit)}")
    description = f"{plain(total)} {unit}".rstrip() + " in all: " + ", ".join(said)
    table = ChartTable(
        ("Part", unit or "Value"), (*((s.name, plain(s.value)) for s in segments), ("Total", plain(total)))
    )
    svg = drawing(width, height, parts, class_="c-stack", title=title, description=description, key=key)
    return Chart(svg, title, description, table)

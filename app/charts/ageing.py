"""How old is what is still open, and where? One bar per place, from fresh to beyond its limit."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from app.charts.picture import Chart, ChartTable, drawing, el, text_width, words
from app.charts.scale import plain, scale

WIDTH, ROW, BAR = 560, 34, 12


@dataclass(frozen=True)
class AgeingRow:
    """A place and its open count per age bucket, youngest first."""

    name: str
    counts: tuple[int, ...]


def _tones(buckets: int) -> tuple[str, ...]:
    """A class per bucket, youngest first; the oldest always wears the colour of failure."""
    classes = ("c-a1", "c-a2", "c-a3", "c-a4", "c-a5")
    if not 2 <= buckets <= len(classes):
        raise ValueError(f"an ageing chart takes 2 to 5 buckets, got {buckets}")
    return (*classes[: buckets - 1], classes[-1]) if buckets < 5 else classes


def ageing_bars(title: str, buckets: Sequence[str], rows: Sequence[AgeingRow], *, key: str, unit: str) -> Chart:
    """All bars share one scale, so that their lengths compare. Raises ValueError for a row of another number of buckets."""
    for row in rows:
        if len(row.counts) != len(buckets):
            raise ValueError(f"{row.name} has {len(row.counts)} counts for {len(buckets)} buckets")
    classes = _tones(len(buckets))
    names = max((text_width(r.name) for r in rows), default=Decimal())
    left = names + 62
    most = max((sum(r.counts) for r in rows), default=0) or 1
    x = scale(0, most, left, WIDTH - 4)
    parts: list[str] = []
    at = Decimal()
    for name, class_ in zip(buckets, classes, strict=True):
        parts.append(el("rect", class_=class_, x=at, y=2, width=10, height=10, rx=1))
        parts.append(words(name, at + 14, 11, "c-soft"))
        at += text_width(name) + 30
    for n, row in enumerate(rows):
        y = Decimal(28 + ROW * n)
        parts.append(words(row.name, 0, y + 10, "c-ink"))
        parts.append(el("rect", class_="c-rail", x=left, y=y, width=x.end - left, height=BAR))
        reached = 0
        for count, class_ in zip(row.counts, classes, strict=True):
            if count:
                parts.append(
                    el(
                        "rect",
                        class_=class_,
                        x=x.at(reached),
                        y=y,
                        width=x.at(reached + count) - x.at(reached),
                        height=BAR,
                    )
                )
            reached += count
        parts.append(words(plain(reached), names + 50, y + 10, "c-strong", "end"))
    description = "; ".join(
        f"{r.name}: {plain(sum(r.counts))} {unit}, {plain(r.counts[-1])} of them {buckets[-1]}" for r in rows
    )
    table = ChartTable(
        ("Place", *buckets, "Total"),
        tuple((r.name, *(plain(c) for c in r.counts), plain(sum(r.counts))) for r in rows),
    )
    height = 28 + ROW * max(len(rows), 1) - ROW + BAR + 8
    svg = drawing(
        WIDTH, height, parts, class_="c-wide", title=title, description=description or "nothing open", key=key
    )
    return Chart(svg, title, description or "nothing open", table)

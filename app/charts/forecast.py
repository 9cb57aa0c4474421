"""When will each criterion pass, if it goes on like this? Spans of verdicts over the coming days, against the decision."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from app.charts.glyphs import Kind, glyph
from app.charts.picture import Chart, ChartTable, drawing, el, line, text_width, words
from app.charts.scale import day_scale, day_ticks, on_day, short_day

WIDTH, ROW, TOP = 352, 28, 22

SAID: dict[Kind, str] = {
    "pass": "pass",
    "warn": "warn",
    "fail": "fail",
    "none": "no evidence",
    "waived": "waived",
    "wait": "not judged",
}


@dataclass(frozen=True)
class ForecastSpan:
    """From this day on the criterion is expected to have this verdict."""

    since: date
    verdict: Kind


@dataclass(frozen=True)
class ForecastRow:
    """A criterion and its verdicts to come, in order of their days; the first begins at the forecast's first day."""

    name: str
    spans: tuple[ForecastSpan, ...]


def forecast_bars(
    title: str,
    rows: Sequence[ForecastRow],
    *,
    key: str,
    first: date,
    last: date,
    decides: date | None = None,
    locale: str = "en",
) -> Chart:
    """One bar per criterion from `first` to `last`, a red line where the vote closes."""
    left = min(max((text_width(r.name) for r in rows), default=Decimal(80)) + 12, Decimal(150))
    x = day_scale(first, last, left, WIDTH - 4)
    bottom = Decimal(TOP + ROW * len(rows))
    parts: list[str] = []
    free = Decimal()
    for day, label in day_ticks(first, last, locale):
        at = on_day(x, day)
        parts.append(line(at, TOP - 4, at, bottom, "c-grid"))
        half = text_width(label) / 2
        if at - half >= free and at + half <= WIDTH + 2:
            parts.append(words(label, at, TOP - 9, "c-text", "middle"))
            free = at + half + 8
    for n, row in enumerate(rows):
        y = Decimal(TOP + 4 + ROW * n)
        parts.append(words(row.name, 0, y + 10, "c-ink"))
        for span, until in zip(row.spans, [*(s.since for s in row.spans[1:]), last], strict=True):
            begin, end = on_day(x, max(span.since, first)), on_day(x, min(until, last))
            if end <= begin:
                continue
            bar = el("rect", class_="c-bar", x=begin + 1, y=y, width=max(end - begin - 2, Decimal(1)), height=13, rx=1)
            shown = (bar, glyph(span.verdict, begin + 4, y + Decimal("1.5"))) if end - begin > 18 else (bar,)
            parts.append(el("g", *shown, class_=span.verdict))
    if decides is not None and first <= decides <= last:
        at = on_day(x, decides)
        parts.append(line(at, TOP - 4, at, bottom + 2, "c-now"))
    said = [
        f"{r.name}: " + ", ".join(f"{SAID[s.verdict]} from {short_day(s.since, locale)}" for s in r.spans) for r in rows
    ]
    if decides is not None:
        said.append(f"decision closes {short_day(decides, locale)}")
    description = "; ".join(said)
    table = ChartTable(
        ("Criterion", "Verdict", "From"),
        tuple((r.name, SAID[s.verdict], short_day(s.since, locale)) for r in rows for s in r.spans),
        words=3,
    )
    svg = drawing(WIDTH, bottom + 6, parts, class_="c-days", title=title, description=description, key=key)
    return Chart(svg, title, description, table)

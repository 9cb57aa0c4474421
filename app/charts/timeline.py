"""When does each wave prepare, go live and let go, and what stands in its way? Waves over the calendar."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from app.charts.glyphs import Kind, glyph
from app.charts.picture import Chart, ChartTable, drawing, el, line, text_width, words
from app.charts.scale import Scale, day_scale, day_ticks, on_day, short_day

WIDTH, LEFT, TOP, ROW = 640, 136, 24, 46
LEFT_TEXT = LEFT - 12


@dataclass(frozen=True)
class GateMark:
    """A gate on its day with the verdict it shows now."""

    day: date
    name: str
    verdict: Kind


@dataclass(frozen=True, kw_only=True)
class WaveRow:
    """A wave's stretch of calendar. `live` is the day it really went live; `planned` stays visible beside it."""

    name: str
    cells: str
    prepares_from: date
    planned: date
    hypercare_until: date
    live: date | None = None
    gates: tuple[GateMark, ...] = ()


@dataclass(frozen=True)
class Blackout:
    """Days on which nothing may go live, first and last inclusive."""

    first: date
    last: date
    name: str


def waves_timeline(
    title: str,
    waves: Sequence[WaveRow],
    *,
    key: str,
    today: date,
    first: date,
    last: date,
    blackouts: Sequence[Blackout] = (),
    locale: str = "en",
) -> Chart:
    """One row per wave from `first` to `last`. Empty bar: preparation; tinted: go-live support; block: the cut itself."""
    bottom = Decimal(TOP + ROW * len(waves) + 6)
    height = bottom + 18
    x = day_scale(first, last, LEFT, WIDTH - 4)
    parts = [*_calendar(x, first, last, bottom, locale), *_closed_days(x, blackouts, first, last, bottom)]
    for n, wave in enumerate(waves):
        parts.extend(_wave_row(x, wave, Decimal(TOP + 6 + ROW * n), first, last, locale))
    if first <= today <= last:
        at = on_day(x, today)
        parts.append(line(at, TOP - 4, at, bottom + 4, "c-now"))
        near_end = at > WIDTH - 60
        parts.append(
            words("today", at - 4 if near_end else at + 4, bottom + 14, "c-over", "end" if near_end else "start")
        )
    description = "; ".join(_sentence(w, locale) for w in waves) or "no waves"
    svg = drawing(WIDTH, height, parts, class_="c-gantt", title=title, description=description, key=key)
    return Chart(svg, title, description, _numbers(waves, locale))


def _calendar(x: Scale, first: date, last: date, bottom: Decimal, locale: str) -> list[str]:
    drawn: list[str] = []
    free = Decimal(0)
    for day, label in day_ticks(first, last, locale):
        at = on_day(x, day)
        drawn.append(line(at, TOP - 6, at, bottom, "c-grid"))
        if at >= free and at + text_width(label) < WIDTH:
            drawn.append(words(label, at + 4, TOP - 10))
            free = at + text_width(label) + 8
    return drawn


def _closed_days(x: Scale, blackouts: Sequence[Blackout], first: date, last: date, bottom: Decimal) -> list[str]:
    drawn: list[str] = []
    free = Decimal(0)
    for blackout in sorted(blackouts, key=lambda b: b.first):
        begin, end = max(blackout.first, first), min(blackout.last, last)
        if begin > end:
            continue
        left, right = on_day(x, begin), min(on_day(x, end) + (x.end - x.start) / (x.high - x.low), x.end)
        drawn.append(el("rect", class_="c-black", x=left, y=TOP - 4, width=right - left, height=bottom - TOP + 4))
        at = max(left + 3, free)
        width = text_width(blackout.name)
        if at + width <= WIDTH:
            drawn.append(words(blackout.name, at, bottom - 4))
            free = at + width + 6
    return drawn


def _wave_row(x: Scale, wave: WaveRow, y: Decimal, first: date, last: date, locale: str) -> list[str]:
    cut = wave.live or wave.planned
    drawn = [words(wave.name, 0, y + 10, "c-strong"), words(_clipped(wave.cells), 0, y + 24)]

    def span(begin: date, end: date, class_: str) -> None:
        begin, end = max(begin, first), min(end, last)
        if begin < end:
            at = on_day(x, begin)
            drawn.append(el("rect", class_=class_, x=at, y=y, width=on_day(x, end) - at, height=13, rx=1))

    span(wave.prepares_from, cut, "c-prep")
    span(cut, wave.hypercare_until, "c-hyper")
    if wave.live and wave.live != wave.planned and first <= wave.planned <= last:
        at = on_day(x, wave.planned)
        drawn.append(el("rect", class_="c-planned", x=at - 2, y=y - 3, width=4, height=19))
    if first <= cut <= last:
        at = on_day(x, cut)
        drawn.append(el("rect", class_="c-cut", x=at - 2, y=y - 3, width=4, height=19))
        label = f"{'live' if wave.live else 'go-live'} {short_day(cut, locale)}"
        fits = at + 4 + text_width(label) <= WIDTH
        drawn.append(words(label, at + 4 if fits else WIDTH, y + 27, "c-soft", "start" if fits else "end"))
    for gate in wave.gates:
        if first <= gate.day <= last:
            at = on_day(x, gate.day)
            ring = el("circle", class_="c-gate", cx=at, cy=y + Decimal("6.5"), r=8)
            drawn.append(el("g", ring, glyph(gate.verdict, at - 5, y + Decimal("1.5")), class_=gate.verdict))
    return drawn


def _clipped(text: str) -> str:
    """As much of the text as stands left of the calendar."""
    if text_width(text) <= LEFT_TEXT:
        return text
    while text and text_width(text + "…") > LEFT_TEXT:
        text = text[:-1]
    return text.rstrip(" ,") + "…"


def _sentence(wave: WaveRow, locale: str) -> str:
    when = (
        f"live since {short_day(wave.live, locale)}"
        if wave.live
        else f"go-live planned {short_day(wave.planned, locale)}"
    )
    gates = "".join(f", {g.name} on {short_day(g.day, locale)}: {VERDICT_WORDS[g.verdict]}" for g in wave.gates)
    return f"{wave.name} ({wave.cells}): {when}{gates}"


VERDICT_WORDS: dict[Kind, str] = {
    "pass": "ready",
    "warn": "conditional",
    "fail": "not ready",
    "none": "no evidence",
    "waived": "waived",
    "wait": "not yet evaluated",
}


def _numbers(waves: Sequence[WaveRow], locale: str) -> ChartTable:
    def day(value: date | None) -> str:
        return "—" if value is None else f"{short_day(value, locale)} {value.year}"

    return ChartTable(
        ("Wave", "Cells", "Gates", "Prepares from", "Planned go-live", "Went live", "Support until"),
        tuple(
            (
                w.name,
                w.cells,
                ", ".join(f"{g.name} {VERDICT_WORDS[g.verdict]}" for g in w.gates) or "—",
                day(w.prepares_from),
                day(w.planned),
                day(w.live),
                day(w.hypercare_until),
            )
            for w in waves
        ),
        words=3,
    )

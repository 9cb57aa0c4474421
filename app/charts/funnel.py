"""Where do journeys stop? How many reached each step, and how many of those before it did not go on."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from app.charts.picture import Chart, ChartTable, drawing, el, text_width, words
from app.charts.scale import plain, scale

WIDTH, ROW, BAR = 560, 32, 18


@dataclass(frozen=True)
class FunnelStep:
    """A step of the journey and the number of journeys that reached it; `note` says what else is known, a median time."""

    name: str
    reached: int
    note: str = ""


def _share(part: int, whole: int) -> str:
    return "—" if whole == 0 else f"{plain(Decimal(part * 100) / Decimal(whole), 1)} %"


def funnel(title: str, steps: Sequence[FunnelStep], *, key: str, unit: str) -> Chart:
    """Bars from a common left edge; before each its count, its share of the first step, and the change to the step before."""
    if not steps:
        raise ValueError(f"the funnel of {title!r} has no step")
    names = max(text_width(s.name) for s in steps)
    left = names + 156
    whole = steps[0].reached
    most = max(s.reached for s in steps) or 1
    x = scale(0, most, left, WIDTH - 4)
    parts: list[str] = []
    for n, step in enumerate(steps):
        y = Decimal(4 + ROW * n)
        parts.append(words(step.name, 0, y + 13, "c-ink"))
        if n and steps[n - 1].reached > step.reached:
            lost = el(
                "rect",
                class_="c-bar",
                x=x.at(step.reached),
                y=y,
                width=x.at(steps[n - 1].reached) - x.at(step.reached),
                height=BAR,
            )
            parts.append(el("g", lost, class_="fail"))
        parts.append(el("rect", class_="c-s3", x=left, y=y, width=x.at(step.reached) - left, height=BAR, rx=1))
        parts.append(words(plain(step.reached), names + 50, y + 13, "c-strong", "end"))
        parts.append(words(_share(step.reached, whole), names + 104, y + 13, "c-soft", "end"))
        if n:
            lost_count = step.reached - steps[n - 1].reached
            parts.append(words(plain(lost_count) if lost_count else "0", names + 146, y + 13, "c-text", "end"))
    description = "; ".join(f"{s.name}: {plain(s.reached)} ({_share(s.reached, whole)})" for s in steps)
    rows = []
    for n, step in enumerate(steps):
        before = steps[n - 1].reached if n else step.reached
        rows.append(
            (step.name, step.note, plain(step.reached), _share(step.reached, whole), plain(step.reached - before))
        )
    table = ChartTable(("Step", "Note", unit, "Of the first", "Against the step before"), tuple(rows), words=2)
    svg = drawing(WIDTH, ROW * len(steps), parts, class_="c-wide", title=title, description=description, key=key)
    return Chart(svg, title, description, table)

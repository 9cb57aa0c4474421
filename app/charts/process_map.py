"""How does the work flow, from whom to whom? The lanes of one process, and all processes with what they hand over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from app.charts.picture import Chart, ChartTable, drawing, el, fixed, line, polyline, text_width, words

BOX, GAP, TALL, LANE, LEFT, TOP = 104, 26, 40, 62, 118, 22
_ROW, _SMALL, _SMALL_GAP, _SMALL_TALL, _SIDE = 74, 88, 16, 32, 128


@dataclass(frozen=True, kw_only=True)
class MapStep:
    """A step on a map. ``lane``: who does it; ``to``: full codes of the steps it hands over to; ``asks``: needs an approval."""

    code: str
    name: str
    lane: str
    to: tuple[tuple[str, str], ...] = ()
    asks: bool = False
    exceptions: int = 0


@dataclass(frozen=True, kw_only=True)
class MapProcess:
    """A process on the map of all, with its steps in order."""

    code: str
    name: str
    stream: str
    steps: tuple[MapStep, ...]


def swimlanes(title: str, steps: Sequence[MapStep], names: Mapping[str, str], *, key: str) -> Chart:
    """One lane for each role in the order of its first step; ``names`` are processes by code, for what leaves the process."""
    lanes = list(dict.fromkeys(step.lane for step in steps))
    width = LEFT + len(steps) * (BOX + GAP)
    bottom = TOP + LANE * len(lanes)
    parts: list[str] = []
    for n, lane in enumerate(lanes):
        y = TOP + LANE * n
        parts.append(el("rect", class_="c-rail" if n % 2 == 0 else "c-lane", x=0, y=y, width=width, height=LANE))
        parts += [words(text, 8, y + 28 + 13 * at, "c-strong") for at, text in enumerate(_broken(lane, LEFT - 16))]
    places = {
        step.code: (Decimal(LEFT + n * (BOX + GAP)), Decimal(TOP + LANE * lanes.index(step.lane) + (LANE - TALL) // 2))
        for n, step in enumerate(steps)
    }
    for before, after in pairwise(steps):
        parts += _arrow(places[before.code], places[after.code])
    most = 0
    for n, step in enumerate(steps, start=1):
        parts += _box(step, n, *places[step.code])
        leaving = _leaving(step, names)
        most = max(most, len(leaving))
        x = places[step.code][0]
        for at, text in enumerate(leaving):
            parts.append(words(text, x + BOX // 2, bottom + 16 + 13 * at, "c-soft", "middle"))
        if leaving:
            down = places[step.code][1] + TALL
            parts.append(line(x + BOX // 2, down, x + BOX // 2, bottom + 4, "c-event"))
    height = bottom + (20 + 13 * most if most else 6)
    parts.append(words("in the usual order →", LEFT, 13))
    rows = tuple(
        (
            f"{n}. {step.name}", step.lane, "yes" if step.asks else "–", str(step.exceptions),
            ", ".join(f"{code} ({what})" for code, what in step.to) or "–",
        )
        for n, step in enumerate(steps, start=1)
    )  # fmt: skip
    table = ChartTable(("Step", "Who", "Approval", "Exception paths", "Hands over to"), rows, words=5)
    said = "; ".join(f"{n}. {step.name} by {step.lane}" for n, step in enumerate(steps, start=1)) or "no steps"
    svg = drawing(width, height, parts, class_="c-map", title=title, description=said, key=key)
    return Chart(svg, title, said, table)


def _leaving(step: MapStep, names: Mapping[str, str]) -> list[str]:
    """The other processes that a step hands over to, each once; ``names`` does not hold the process itself."""
    found = dict.fromkeys(names[code.partition(".")[0]] for code, _ in step.to if code.partition(".")[0] in names)
    return [f"→ {_clipped(name, BOX + GAP - 14)}" for name in found]


def _box(step: MapStep, number: int, x: Decimal, y: Decimal) -> list[str]:
    parts = [el("rect", class_="c-prep", x=x, y=y, width=BOX, height=TALL, rx=4)]
    texts = _broken(step.name, BOX - 12)
    first = y + (24 if len(texts) == 1 else 18)
    parts += [words(text, x + BOX // 2, first + 13 * at, "c-ink", "middle") for at, text in enumerate(texts)]
    parts += [el("circle", class_="c-head", cx=x, cy=y, r=8), words(str(number), x, y + 4, "c-onhead", "middle")]
    if step.exceptions:
        cx = x + BOX - 4
        parts += [
            el("circle", class_="c-a4", cx=cx, cy=y, r=8),
            words(str(step.exceptions), cx, y + 4, "c-onhead", "middle"),
        ]
    if step.asks:
        cx, cy = x + BOX - 8, y + TALL
        diamond = [(cx, cy - 7), (cx + 7, cy), (cx, cy + 7), (cx - 7, cy)]
        parts.append(polyline(diamond, "c-gate", closed=True))
    return parts


def _arrow(start: tuple[Decimal, Decimal], end: tuple[Decimal, Decimal]) -> list[str]:
    x1, y1, x2, y2 = start[0] + BOX, start[1] + TALL // 2, end[0], end[1] + TALL // 2
    middle = x1 + GAP // 2
    points = [(x1, y1), (x2, y2)] if y1 == y2 else [(x1, y1), (middle, y1), (middle, y2), (x2, y2)]
    head = [(x2, y2), (x2 - 6, y2 - 3), (x2 - 6, y2 + 3)]
    return [polyline(points, "c-depends"), polyline(head, "c-head", closed=True)]


def process_map(title: str, processes: Sequence[MapProcess], *, key: str) -> Chart:
    """Every process as a row of steps, value stream by value stream, with a thread for what one hands over to another."""
    most = max((len(one.steps) for one in processes), default=1)
    width = _SIDE + most * (_SMALL + _SMALL_GAP)
    parts: list[str] = []
    places: dict[str, tuple[Decimal, Decimal]] = {}
    boxes: list[str] = []
    y, stream = Decimal(4), ""
    for one in processes:
        if one.stream != stream:
            stream = one.stream
            parts += [
                el("rect", class_="c-rail", x=0, y=y, width=width, height=20),
                words(stream, 8, y + 14, "c-strong"),
            ]
            y += 44
        boxes += [words(text, 8, y + 14 + 13 * at, "c-strong") for at, text in enumerate(_broken(one.name, _SIDE - 18))]
        for n, step in enumerate(one.steps):
            x = Decimal(_SIDE + n * (_SMALL + _SMALL_GAP))
            places[f"{one.code}.{step.code}"] = (x, y)
            boxes.append(el("rect", class_="c-prep", x=x, y=y, width=_SMALL, height=_SMALL_TALL, rx=3))
            texts = _broken(step.name, _SMALL - 8)
            first = y + (20 if len(texts) == 1 else 14)
            boxes += [words(text, x + _SMALL // 2, first + 12 * at, "c-ink", "middle") for at, text in enumerate(texts)]
            if n:
                boxes.append(line(x - _SMALL_GAP, y + _SMALL_TALL // 2, x, y + _SMALL_TALL // 2, "c-depends"))
        y += _ROW
    rows: list[tuple[str, ...]] = []
    names = {f"{one.code}.{step.code}": f"{one.name}: {step.name}" for one in processes for step in one.steps}
    for one in processes:
        for step in one.steps:
            source = f"{one.code}.{step.code}"
            for target, what in step.to:
                if target in places and target.partition(".")[0] != one.code:
                    parts += _thread(places[source], places[target])
                    rows.append((names[source], names[target], what))
    description = f"{len(processes)} processes, {len(names)} steps, {len(rows)} hand-offs between processes"
    table = ChartTable(("From", "To", "What is handed over"), tuple(rows), words=3)
    svg = drawing(
        width,
        y - _ROW + _SMALL_TALL + 10,
        [*parts, *boxes],
        class_="c-map",
        title=title,
        description=description,
        key=key,
    )
    return Chart(svg, title, description, table)


def _thread(start: tuple[Decimal, Decimal], end: tuple[Decimal, Decimal]) -> list[str]:
    """A curve from one box to another, leaving and arriving on the sides that face each other."""
    down = end[1] > start[1]
    x1, y1 = start[0] + _SMALL // 2, start[1] + (_SMALL_TALL if down else 0)
    x2, y2 = end[0] + _SMALL // 2, end[1] + (0 if down else _SMALL_TALL)
    bend = min(abs(y2 - y1) / 2, Decimal(60)) * (1 if down else -1)
    d = f"M{fixed(x1)} {fixed(y1)}C{fixed(x1)} {fixed(y1 + bend)} {fixed(x2)} {fixed(y2 - bend)} {fixed(x2)} {fixed(y2)}"
    return [el("path", class_="c-thread", d=d), el("circle", class_="c-point", cx=x2, cy=y2, r=Decimal("2.5"))]


def _broken(text: str, width: int, most: int = 2) -> list[str]:
    """The text on at most two lines of this width; what is too long ends in dots."""
    out: list[str] = []
    for word in text.split():
        if out and text_width(f"{out[-1]} {word}") <= width:
            out[-1] = f"{out[-1]} {word}"
        else:
            out.append(word)
    if len(out) > most:
        out = [*out[: most - 1], " ".join(out[most - 1 :])]
    return [_clipped(one, width) for one in out]


def _clipped(text: str, width: int) -> str:
    if text_width(text) <= width:
        return text
    while text and text_width(f"{text}…") > width:
        text = text[:-1]
    return f"{text.rstrip()}…"

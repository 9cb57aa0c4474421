"""The criteria of an evaluation as rows: what was asked, what was read, how sure that is, and what holds the gate back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from app import charts
from app.charts.glyphs import Kind
from app.reports.pack import CellReading, CriterionGroup, CriterionRow, Fact, Holdback, Mark
from app.reports.wording import (
    EVIDENCE,
    LAYERS,
    SIGNS,
    WORD_MARKS,
    Speech,
    amount,
    day,
    direction_of,
    points,
    unit_of,
)
from readiness.gates.wording import counted
from readiness.measures.reading import Unit, shown

#: So many criteria are drawn large, those that hold the gate back most first.
DRAWN = 3
_BLOCKS: Final = {
    "statutory_not_passed": "blocks: statutory",
    "key_failed": "blocks: key criterion fails",
    "key_without_evidence": "blocks: key criterion without evidence",
    "key_warns": "keeps the gate from ready: key criterion at warn",
}


def mark_of(line: Mapping[str, Any]) -> Mark:
    """The verdict that counts; under a waiver its own beneath."""
    kind, word = WORD_MARKS[line["word"]]
    if line["waiver"] is not None:
        return Mark("waived", "Waived", f"own verdict: {word.lower()}")
    return Mark(kind, word, _held(line))


def _held(line: Mapping[str, Any]) -> str:
    return f"held {line['held']} of {line['needed']}" if line["held"] is not None and line["needed"] > 1 else ""


def groups(content: Mapping[str, Any], rest: Mapping[str, Any], speech: Speech) -> tuple[CriterionGroup, ...]:
    """All criteria by layer, in their order."""
    whole = sum((Decimal(line["weight"]) for line in content["criteria"]), Decimal(0))
    blocking = {each["criterion"] for each in content["holds_back"] if each["blocks"] not in {None, "key_warns"}}
    found = []
    for layer, name in LAYERS.items():
        lines = [line for line in content["criteria"] if line["layer"] == layer]
        if not lines:
            continue
        possible, earned = layer_points(lines, whole)
        number = counted(len(lines), "criterion").replace("criterions", "criteria")
        found.append(
            CriterionGroup(
                name=name,
                note=f"{number} · {earned:.1f} of {possible:.1f} points",
                criteria=tuple(_row(line, rest, speech, blocks=line["code"] in blocking) for line in lines),
            )
        )
    return tuple(found)


def layer_points(lines: Sequence[Mapping[str, Any]], whole: Decimal) -> tuple[Decimal, Decimal]:
    """Points that these criteria could give and gave, of a hundred for the gate; ``whole`` is the weight of all."""
    if not whole:
        return Decimal(0), Decimal(0)
    possible = sum((Decimal(line["weight"]) for line in lines), Decimal(0)) * 100 / whole
    earned = sum((Decimal(line["weight"]) * Decimal(line["points"]) for line in lines), Decimal(0)) * 100 / whole
    return possible, earned


def _row(line: Mapping[str, Any], rest: Mapping[str, Any], speech: Speech, *, blocks: bool) -> CriterionRow:
    reading = _worst(line)
    threshold, notes = _threshold(line)
    badges = [word for word, on in (("key", line["key"]), ("statutory", line["statutory"])) if on]
    count, count_note = _count(line, reading, speech)
    return CriterionRow(
        title=line["title"], code=line["code"], badges=tuple(badges), weight=f"{Decimal(line['weight']).normalize():f}",
        mark=mark_of(line), sentence=speech.verdict(line), threshold=threshold, threshold_notes=notes,
        reading=_value(line, reading), interval=_interval(line, reading), bar=_bar(line, reading),
        trend=_sparkline(line, rest), count=count, count_note=count_note, source=EVIDENCE[line["evidence"]],
        window=_window(line, reading), owner=_owner(line, speech),
        cells=tuple(_cell(line, each, reading, speech) for each in line["readings"]) if len(line["readings"]) > 1 else (),
        blocks=blocks,
    )  # fmt: skip


def _worst(line: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The reading that the verdict was given on."""
    cell = line["verdict_facts"].get("cell")
    readings: Sequence[Mapping[str, Any]] = line["readings"]
    return next((each for each in readings if each["scope"] == cell), readings[0] if readings else None)


def _threshold(line: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    if line["pass_mark"] is None:
        return "attested", ("by its owner",)
    unit, direction = unit_of(line), direction_of(line)
    sign = SIGNS.get(direction, "")
    facts = line["verdict_facts"]
    notes = []
    if line["baseline"] is not None:
        factor = f"{Decimal(line['pass_mark']).normalize():f} × baseline"
        mark = facts.get("pass_mark")
        passing = f"{sign} {factor}" if mark is None else f"{sign} {amount(mark, unit)}"
        notes.append(f"{factor} {amount(line['baseline']['value'], unit)}")
    else:
        passing = f"{sign} {amount(line['pass_mark'], unit)}"
        if line["warn_mark"] is not None and line["warn_mark"] != line["pass_mark"]:
            notes.append(f"warn {sign} {amount(line['warn_mark'], unit)}")
    before = line.get("before")
    if before is not None:
        place = "" if before["site"] is not None else ", all sites"
        notes.append(
            f"before {amount(before['value'], unit)}{place}{'' if before['comparable'] else ', not comparable'}"
        )
    notes.append(f"on the {'bound' if line['judged_on'] == 'bound' else 'value'}")
    return passing.strip(), tuple(notes)


def _value(line: Mapping[str, Any], reading: Mapping[str, Any] | None) -> str:
    if line["evidence"] == "attestation":
        return "no statement" if line["attestation"] is None else "stated"
    if reading is None or reading["value"] is None:
        return "no figure"
    return f"{'' if reading['reached'] else '> '}{amount(reading['value'], reading['unit'])}"


def _interval(line: Mapping[str, Any], reading: Mapping[str, Any] | None) -> str:
    if line["evidence"] == "attestation" or reading is None or reading["value"] is None:
        return ""
    if reading["interval"] is None:
        return "no interval: all were counted" if reading["form"] in {"state", "composite"} else "no interval"
    low, high = (_shown(reading["interval"][end], reading["unit"]) for end in ("low", "high"))
    ends = ["…" if end is None else f"{end:f}" for end in (low, high)]
    return f"{ends[0]} – {ends[1]}"


def _shown(value: str | None, unit: str) -> Decimal | None:
    if value is None:
        return None
    found = shown(Decimal(value), Unit(unit))
    return found.normalize() if found % 1 else found.quantize(Decimal(1))


def _bar(line: Mapping[str, Any], reading: Mapping[str, Any] | None) -> charts.Chart | None:
    facts = line["verdict_facts"]
    if line["pass_mark"] is None or (line["baseline"] is not None and "pass_mark" not in facts):
        return None
    unit = unit_of(line)
    passing = _shown(facts.get("pass_mark") or line["pass_mark"], unit)
    warn = _shown(facts.get("warn_mark") or line["warn_mark"], unit)
    value, low, high = _limits(reading, unit)
    rate = unit == Unit.PERCENT and reading is not None and reading["form"] in {"yes_no", "share"}
    kind: Kind = mark_of(line).kind
    return charts.interval_bar(
        charts.Interval(
            value=value, pass_mark=passing or Decimal(0), direction="up" if direction_of(line) == "up" else "down",
            verdict=kind, warn_mark=None if warn == passing else warn, low=low, high=high,
            floor=0 if rate else None, ceiling=100 if rate else None, unit=_sign(unit),
        )
    )  # fmt: skip


def _limits(reading: Mapping[str, Any] | None, unit: str) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
    if reading is None:
        return None, None, None
    interval = reading["interval"] or {"low": None, "high": None}
    return _shown(reading["value"], unit), _shown(interval["low"], unit), _shown(interval["high"], unit)


def _sign(unit: str) -> str:
    return "" if unit in {Unit.COUNT, Unit.RATIO, Unit.MONEY} else unit


def _points_in_time(line: Mapping[str, Any], rest: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = rest["trends"].get(line["code"], [])
    return found


def _sparkline(line: Mapping[str, Any], rest: Mapping[str, Any]) -> charts.Chart | None:
    days = _points_in_time(line, rest)[-30:]
    if line["pass_mark"] is None or sum(1 for each in days if each["value"] is not None) < 2:
        return None
    unit = unit_of(line)
    mark = line["verdict_facts"].get("pass_mark") or (None if line["baseline"] else line["pass_mark"])
    return charts.sparkline(
        [_shown(each["value"], unit) for each in days], target=_shown(mark, unit),
        direction="up" if direction_of(line) == "up" else "down", unit=_sign(unit),
    )  # fmt: skip


def _count(line: Mapping[str, Any], reading: Mapping[str, Any] | None, speech: Speech) -> tuple[str, str]:
    if line["evidence"] == "attestation":
        found = line["attestation"]
        if found is None:
            return "–", ""
        return speech.person(found["by"]), found["document"] or f"until {speech.moment(found['until'])}"
    if reading is None:
        return "–", ""
    parts = []
    if reading["denominator"] is not None and reading["form"] in {"yes_no", "share"}:
        parts.append(f"{_plain(reading['numerator'])} of {_plain(reading['denominator'])}")
    needed = line["min_documents"]
    if needed > 1:
        parts.append(f"at least {needed:,}")
    return counted(reading["count"], reading["documents"]), " · ".join(parts)


def _plain(value: Any) -> str:
    number = Decimal(value)
    return f"{number.normalize():,f}" if number else "0"


def _window(line: Mapping[str, Any], reading: Mapping[str, Any] | None) -> str:
    if line["evidence"] == "attestation":
        found = line["attestation"]
        return "" if found is None else day(found["at"][:10])
    if reading is None:
        return counted(line["window_days"], "day") if line["window_days"] else ""
    window = reading["window"]
    if window["start"] is None:
        return {"now": "at the evaluation", "last": "last run"}.get(window["unit"], "")
    start, end = date.fromisoformat(window["start"][:10]), date.fromisoformat(window["end"][:10])
    last = end - timedelta(days=1) if window["unit"] == "day" else end
    return f"{start.day} {start:%b} – {last.day} {last:%b}"


def _owner(line: Mapping[str, Any], speech: Speech) -> str:
    if line["owner_id"] is None:
        return line["owner"] or "nobody named"
    person = speech.person(line["owner_id"])
    return f"{person}, {line['owner']}" if line["owner"] else person


def _cell(
    line: Mapping[str, Any], one: Mapping[str, Any], worst: Mapping[str, Any] | None, speech: Speech
) -> CellReading:
    return CellReading(
        name=speech.cell(one["scope"]), value=_value(line, one), interval=_interval(line, one),
        count=counted(one["count"], one["documents"]), worst=one is worst,
    )  # fmt: skip


def holdbacks(content: Mapping[str, Any], rest: Mapping[str, Any], speech: Speech) -> tuple[Holdback, ...]:
    """What holds the gate back, most first; the first few with their trend drawn large."""
    lines = {line["code"]: line for line in content["criteria"]}
    forecasts = {each["criterion"]: each for each in rest["forecasts"]}
    found = []
    drawn = 0
    for place, each in enumerate(content["holds_back"], start=1):
        line = lines[each["criterion"]]
        picture = _trend(line, rest) if drawn < DRAWN else None
        drawn += picture is not None
        found.append(
            Holdback(
                place=place, title=line["title"], mark=mark_of(line), points=f"−{points(each['lost'])}",
                blocks=_BLOCKS.get(each["blocks"] or "", ""), sentence=speech.verdict(line),
                forecast=_forecast(forecasts.get(line["code"])), owner=_owner(line, speech), trend=picture,
            )
        )  # fmt: skip
    return tuple(found)


def _forecast(found: Mapping[str, Any] | None) -> str:
    if found is None or found["passes_on"] is None:
        return ""
    return f"At its present trend it passes on {day(found['passes_on'])}"


def _trend(line: Mapping[str, Any], rest: Mapping[str, Any]) -> charts.Chart | None:
    days = _points_in_time(line, rest)
    if line["pass_mark"] is None or sum(1 for each in days if each["value"] is not None) < 2:
        return None
    unit = unit_of(line)
    facts = line["verdict_facts"]
    mark = facts.get("pass_mark") or (None if line["baseline"] else line["pass_mark"])
    warn = facts.get("warn_mark") or (None if line["baseline"] else line["warn_mark"])
    rate = unit == Unit.PERCENT
    return charts.trend(
        line["title"],
        [
            charts.TrendPoint(
                day=date.fromisoformat(each["day"]), value=_shown(each["value"], unit), low=_shown(each["low"], unit),
                high=_shown(each["high"], unit), count=each["count"],
            )
            for each in days
        ],
        key=f"trend-{line['code']}", unit=_sign(unit), direction="up" if direction_of(line) == "up" else "down",
        target=_shown(mark, unit), warn=None if warn == mark else _shown(warn, unit),
        floor=0 if rate else None, ceiling=100 if rate else None,
    )  # fmt: skip


def attested(content: Mapping[str, Any], speech: Speech) -> tuple[Fact, ...]:
    """What people have stated in place of a figure, in their words."""
    return tuple(
        Fact(
            line["title"],
            line["attestation"]["statement"],
            f"{speech.person(line['attestation']['by'])}, {speech.moment(line['attestation']['at'])}"
            + (f", {line['attestation']['document']}" if line["attestation"]["document"] else ""),
        )
        for line in content["criteria"]
        if line["attestation"] is not None
    )

"""How do readings look: value, interval, count and window in words, the mark beside them, and the trend behind them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from flask import url_for

from app.charts import Chart, Interval, TrendEvent, TrendPoint, interval_bar, sparkline, trend
from app.charts.picture import Direction as ChartDirection
from app.queries.measures_pages import Filter, Line, Mark, MeasurePage, against
from app.reports.wording import SIGNS
from app.web.chosen import said_realm
from app.web.icons import verdict_look
from app.web.steering_words import PHASES
from readiness.gates.wording import counted, figure
from readiness.measures.baselines import BaselineView
from readiness.measures.catalogue import Figure, figures
from readiness.measures.measure import Kind
from readiness.measures.reading import Direction, Form, Reading, Stale, Unit, WindowUnit, shown

STALE: Final = {
    "source_missing": "no source", "source_unreadable": "cannot be added up", "consumer_behind": "figures are late",
    "parked_event": "an event is parked", "earlier_rules": "judged by earlier rules", "sample_missing": "no sample",
}  # fmt: skip
_COUNTED_IN: Final = {Unit.COUNT, Unit.RATIO, Unit.MONEY}


def number(value: Decimal | None, unit: Unit) -> Decimal | None:
    """A figure in the unit people read, without idle zeros."""
    if value is None:
        return None
    found = shown(value, unit)
    return found.normalize() if found % 1 else found.quantize(Decimal(1))


def value_text(reading: Reading) -> str:
    """The value with its unit; a dash where there is none."""
    if reading.value is None or (reading.stale is not None and reading.value is None):
        return "—"
    text = figure(reading.value, reading.unit)
    return text if reading.reached else f"> {text}"


def interval_text(reading: Reading) -> str:
    """The 95 % interval; "census" for a form that has none."""
    if reading.form in {Form.STATE, Form.COMPOSITE}:
        return "census"
    interval = reading.interval
    if reading.value is None or interval is None:
        return "no interval yet"
    ends = [number(end, reading.unit) for end in (interval.low, interval.high)]
    return " – ".join("…" if end is None else f"{end:f}" for end in ends)


def count_text(reading: Reading) -> str:
    return counted(reading.count, reading.documents)


def count_sub(reading: Reading) -> str:
    """Numerator of denominator, where they are counts or lines; the days otherwise."""
    of, is_share = reading.denominator, reading.form in {Form.YES_NO, Form.SHARE}
    if of and reading.numerator is not None and is_share and Decimal(of) == Decimal(of).to_integral_value():
        return f"{Decimal(reading.numerator):,.0f} of {Decimal(of):,.0f}"
    return f"on {counted(reading.days, 'day')}" if reading.days else ""


def window_text(reading: Reading) -> str:
    """What was read: ``2 – 15 Nov``, ``now``."""
    window = reading.window
    if window.unit is WindowUnit.NOW or window.start is None or window.end is None:
        return "now"
    start, end = window.start, window.end - timedelta(days=1)
    return f"{start.day} {start:%b} – {end.day} {end:%b}" if start != end else f"{end.day} {end:%b}"


def doubts(reading: Reading) -> str:
    """Why the figure may not be believed yet, in words."""
    said = []
    if reading.stale is not None:
        said.append(reading.stale_detail or STALE[reading.stale])
    if reading.provisional:
        said.append("provisional: younger than its maturity")
    if not reading.reached:
        said.append("not reached yet: too many are still open")
    return "; ".join(said)


def mark_text(line: Line) -> str:
    """``≥ 95 %``; a dash where no gate in force holds a mark."""
    if line.mark is None:
        return "–"
    return f"{SIGNS[line.reading.direction.value]} {figure(line.mark.pass_mark, line.reading.unit)}"


def mark_sub(mark: Mark | None) -> str:
    return "" if mark is None else f"{mark.wave}, {PHASES[mark.phase].lower()}"


def _direction(reading: Reading) -> ChartDirection:
    return "up" if reading.direction is Direction.UP else "down"


def spark(line: Line) -> Chart | None:
    """The last weeks in small; ``None`` without two values."""
    values = [number(reading.value, reading.unit) for _, reading in line.weeks]
    if sum(1 for value in values if value is not None) < 2:
        return None
    while values and values[0] is None:
        values.pop(0)
    target = number(line.mark.pass_mark, line.reading.unit) if line.mark else None
    unit = "" if line.reading.unit in _COUNTED_IN else line.reading.unit.value
    return sparkline(values, target=target, direction=_direction(line.reading), unit=unit)


def bar(reading: Reading, mark: Mark | None) -> Chart | None:
    """The interval against the gate's marks; ``None`` where no gate holds one."""
    if mark is None:
        return None
    passing, warn = number(mark.pass_mark, reading.unit), number(mark.warn_mark, reading.unit)
    interval = reading.interval
    rate = reading.unit is Unit.PERCENT and reading.form in {Form.YES_NO, Form.SHARE}
    return interval_bar(
        Interval(
            value=number(reading.value, reading.unit), pass_mark=passing or Decimal(0), direction=_direction(reading),
            verdict=verdict_look(against(reading, mark)).kind, warn_mark=None if warn == passing else warn,
            low=number(interval.low, reading.unit) if interval else None, high=number(interval.high, reading.unit) if interval else None,
            floor=0 if rate else None, ceiling=100 if rate else None,
            unit="" if reading.unit in _COUNTED_IN else reading.unit.value,
        )
    )  # fmt: skip


def figure_title(one: Figure) -> str:
    """A figure as people call it: ``Order cycle time, nine of ten``."""
    statistic = {"p50": ", median", "p90": ", nine of ten"}.get(one.percentile or "", "")
    return f"{one.measure.title}{statistic}" + (" in working hours" if one.is_worked else "")


def figure_choices() -> list[tuple[str, str]]:
    """Every figure that can prove something, since it has a better side, with its unit; for a form."""
    found = [one for one in figures() if one.measure.direction is not Direction.INFO]
    named = [(one.key, f"{figure_title(one)} ({_unit(one.measure.unit.value)})") for one in found]
    return sorted(named, key=lambda one: one[1])


def _unit(unit: str) -> str:
    return {"n": "number", "d": "days", "h": "hours"}.get(unit, unit)


def baseline_sub(before: BaselineView) -> str:
    """Of what the baseline speaks, and whether a reading may be held against it."""
    place = "this site" if before.site is not None else "all sites"
    return place if before.is_comparable else f"{place}, not comparable"


def row(line: Line, wanted: Filter) -> dict[str, Any]:
    """A figure's row in the catalogue."""
    reading, measure = line.reading, line.figure.measure
    before = line.baseline
    return {
        "key": line.figure.key, "title": figure_title(line.figure), "href": address(line.figure.key, wanted),
        "verdict": line.verdict, "has_mark": line.mark is not None, "value": value_text(reading),
        "interval": interval_text(reading), "bar": bar(reading, line.mark), "count": count_text(reading),
        "count_sub": count_sub(reading), "mark": mark_text(line), "mark_sub": mark_sub(line.mark), "window": window_text(reading),
        "maturity": f"matures {measure.maturity_days} d" if measure.maturity_days else "", "trend": spark(line),
        "doubts": doubts(reading), "of_several": reading.stale is Stale.SOURCE_UNREADABLE, "owner": measure.owner, "layer": measure.layer.value, "kind": measure.kind,
        "baseline": "" if before is None else figure(before.value, reading.unit),
        "baseline_sub": "" if before is None else baseline_sub(before),
        "baseline_href": url_for("measures.show_baseline", key=line.figure.key),
        "mark_href": url_for("gates.criterion", gate_id=line.mark.gate_id, code=line.mark.criterion) if line.mark else "",
    }  # fmt: skip


def address(key: str | None, wanted: Filter, **changed: Any) -> str:
    """The address of the list or of a figure with this filter, some of it changed."""
    values: dict[str, Any] = {
        "realm": wanted.realm, "site": wanted.site, "channel": wanted.channel,
        "window": wanted.window, **changed,
    }  # fmt: skip
    values |= {"realm": None, **said_realm(values["realm"] or "live")}
    return url_for("measures.show", key=key, **values) if key else url_for("measures.show_all", **values)


def trend_chart(page: MeasurePage) -> Chart | None:
    """The figure by week with its 95 % band, the gate's mark and the go-lives; ``None`` without a value."""
    line = page.line
    reading = line.reading
    points = [
        TrendPoint(
            end, number(one.value, one.unit), number(one.interval.low, one.unit) if one.interval else None,
            number(one.interval.high, one.unit) if one.interval else None, one.count,
        )
        for end, one in line.weeks
    ]  # fmt: skip
    while points and points[0].value is None:
        points.pop(0)
    if not any(point.value is not None for point in points):
        return None
    rate = reading.unit is Unit.PERCENT and reading.form in {Form.YES_NO, Form.SHARE}
    mark = line.mark
    return trend(
        f"{line.figure.measure.title} by week", points, key="trend",
        unit="" if reading.unit in _COUNTED_IN else reading.unit.value, direction=_direction(reading),
        target=number(mark.pass_mark, reading.unit) if mark else None,
        warn=number(mark.warn_mark, reading.unit) if mark and mark.warn_mark != mark.pass_mark else None,
        baseline=number(line.baseline.value, reading.unit) if line.baseline and line.baseline.is_comparable else None,
        events=[TrendEvent(day, label) for day, label in page.events], floor=0 if rate else None, ceiling=100 if rate else None,
    )  # fmt: skip


def facts(line: Line) -> list[tuple[str, str]]:
    """What the figure is: kind, cohort, window, owner."""
    measure = line.figure.measure
    window = "now" if not measure.window_days else counted(measure.window_days, "day")
    return [
        ("Counted by", measure.cohort), ("Level", measure.level),
        ("Kind", "a state, sampled" if measure.kind is Kind.STATE else "a flow of documents"),
        ("Window", window + (f", then {measure.maturity_days} d to mature" if measure.maturity_days else "")),
        ("Better", {"up": "higher", "down": "lower", "zero": "nil", "info": "informs"}[measure.direction.value]),
        ("Owner", measure.owner), ("Layer", measure.layer.value), ("Version", str(measure.version)),
    ]  # fmt: skip

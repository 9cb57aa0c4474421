"""How does conformance look: shares with how sure they are, departures with what can be done, and sites beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from flask import url_for

from app.charts import Chart, FunnelStep, Segment, TrendPoint, funnel, sparkline, stacked_bar, trend
from app.queries.conformance import CLASSES, Departure, Flow, Line, Overview
from app.queries.measures_pages import Filter
from app.security.permissions import Permission
from app.security.require import actor
from app.web.chosen import said_realm
from app.web.context import lasting
from app.web.measures.presenters import count_text, doubts, interval_text, number, value_text, window_text
from readiness.conformance.catalogue import PROCESSES, Process
from readiness.measures.reading import Reading, Unit

#: From so many uncovered departures in 100 steps on, a cell of the map is drawn as one that fails; below, as a warning.
_HOT = Fraction(2, 100)
_POINTS = Decimal("0.05")


def address(process: str | None, wanted: Filter, **changed: Any) -> str:
    """The address of the overview or of a process with this filter, some of it changed."""
    values: dict[str, Any] = {
        "realm": wanted.realm, "site": wanted.site, "channel": wanted.channel, "window": wanted.window, **changed,
    }  # fmt: skip
    values |= {"realm": None, **said_realm(values["realm"] or "live")}
    return (
        url_for("conformance.show", process=process, **values) if process else url_for("conformance.show_all", **values)
    )


def list_address(page: Overview, wanted: Filter, **more: Any) -> str:
    """The list of departures of the same scope and window."""
    values: dict[str, Any] = {
        "site": wanted.site, "channel": wanted.channel, "since": page.start.isoformat(),
        "until": (page.end - timedelta(days=1)).isoformat(), **said_realm(wanted.realm), **more,
    }  # fmt: skip
    return url_for("conformance.departures", **values)


def variant_address(code: str, site: int | None, channel: int | None) -> str:
    """Where a variant is asked for that would cover this deviation; empty for who may not ask."""
    if not actor().may(Permission.VARIANT_REQUEST):
        return ""
    return url_for("variants.ask", deviation=code, site=site, channel=channel)


def row(line: Line, wanted: Filter) -> dict[str, Any]:
    """A process in the overview."""
    reading = line.reading
    return {
        "title": line.process.title, "href": address(line.process.key, wanted), "value": value_text(reading),
        "interval": interval_text(reading), "count": count_text(reading), "count_sub": _of(reading),
        "doubts": doubts(reading), "window": window_text(reading), "trend": _spark(line), "classes": line.classes,
        "drift": drift(line), "worst": next((one for one in line.departures if one.open), None),
        "open": sum(one.open for one in line.departures), "documents": line.process.documents,
    }  # fmt: skip


def _of(reading: Reading) -> str:
    if not reading.denominator:
        return "none ended or is overdue"
    return f"{reading.numerator:,} of {reading.denominator:,}"


def _spark(line: Line) -> Chart | None:
    values = [number(reading.value, reading.unit) for _, reading in line.weeks]
    if sum(1 for value in values if value is not None) < 2:
        return None
    while values and values[0] is None:
        values.pop(0)
    return sparkline(values, target=None, direction="up", unit="%")


def drift(line: Line) -> dict[str, str]:
    """This window against the one before, in points; ``word`` says which way it went."""
    x, y = line.before
    if not y or line.reading.value is None:
        return {"text": "–", "word": "", "sub": "nothing ended in the window before"}
    was = Decimal(x) / Decimal(y)
    change = (line.reading.value - was) * 100
    sub = f"{was * 100:.1f} % before, of {y:,}"
    if abs(change) < _POINTS:
        return {"text": "unchanged", "word": "", "sub": sub}
    return {"text": f"{change:+.1f} points", "word": "pass" if change > 0 else "fail", "sub": sub}


def departures(found: Sequence[Departure], page: Overview, wanted: Filter) -> list[dict[str, Any]]:
    """Departures for a table, the most frequent without a variant first."""
    ordered = sorted(found, key=lambda one: (-one.open, -one.covered, -one.before, one.rule.code))
    return [_departure(one, page, wanted) for one in ordered]


def _departure(one: Departure, page: Overview, wanted: Filter) -> dict[str, Any]:
    change = one.open - one.before
    return {
        "code": one.rule.code, "title": one.rule.title, "standard": one.rule.standard, "sentence": one.rule.sentence,
        "step": step_words(one.rule.step), "process": PROCESSES[one.process].title, "uncovered": one.uncovered,
        "covered": one.covered, "waiting": one.waiting, "journeys": one.journeys, "before": one.before,
        "change": "as before" if not change else f"{change:+,}",
        "change_word": "" if not change else "fail" if change > 0 else "pass",
        "href": list_address(page, wanted, process=one.process, code=one.rule.code),
        "variant": variant_address(one.rule.code, wanted.site, wanted.channel) if one.open else "",
        "examples": [
            {
                "label": f"{example.kind.capitalize()} {example.number}" if example.number else f"{example.kind.capitalize()}, no number",
                "href": url_for("conformance.journey", journey_id=example.root), "at": example.at,
            }
            for example in one.examples
        ],
    }  # fmt: skip


def step_words(step: str) -> str:
    """``order_to_cash.release`` as people read it."""
    process, _, name = step.partition(".")
    return f"{process.replace('_', ' ').capitalize()}: {name.replace('_', ' ')}"


def heat(page: Overview, wanted: Filter) -> dict[str, Any]:
    """Sites × processes: uncovered departures, and how many they are of a hundred steps."""
    processes = [line.process for line in page.lines]
    rows = []
    for site in page.sites:
        cells: list[dict[str, Any] | None] = []
        for process in processes:
            cell = page.heat.get((site.id, process.key))
            if cell is None:
                cells.append(None)
                continue
            share = Fraction(cell.uncovered, cell.steps)
            word = "pass" if not cell.uncovered else "fail" if share >= _HOT else "warn"
            cells.append(
                {
                    "word": word, "count": cell.uncovered, "share": f"{float(share) * 100:.1f} %", "steps": cell.steps,
                    "href": list_address(page, wanted, process=process.key, site=site.id, word="uncovered"),
                }
            )  # fmt: skip
        if any(cells):
            rows.append({"label": site.name, "cells": cells})
    return {"columns": [process.title for process in processes], "rows": rows}


_TONES: dict[str, Any] = {"conforming": 1, "covered": 2, "uncovered": 4, "overdue": 3}


def class_bar(line: Line) -> Chart | None:
    """Journeys of the window by class; ``None`` without any."""
    if not sum(line.classes.values()):
        return None
    parts = [Segment(word, line.classes[word], _TONES[word]) for word in CLASSES]
    return stacked_bar(f"{line.process.title}: journeys by class", parts, unit=line.process.documents, key="classes")


def flow_chart(process: Process, flow: Flow) -> Chart | None:
    """How far the journeys of the window have come; ``None`` without any."""
    if not flow.journeys:
        return None
    steps = [FunnelStep(one.name, one.reached, _after(one.median)) for one in flow.stages]
    return funnel(f"{process.title}: from step to step", steps, key="flow", unit=process.documents.capitalize())


def _after(median: timedelta | None) -> str:
    return "" if median is None else f"{lasting(median)} after the step before, in the middle"


def trend_chart(line: Line) -> Chart | None:
    """The share by week with its 95 % band; ``None`` without a value."""
    points = [
        TrendPoint(
            end, number(one.value, Unit.PERCENT), number(one.interval.low, Unit.PERCENT) if one.interval else None,
            number(one.interval.high, Unit.PERCENT) if one.interval else None, one.count,
        )
        for end, one in line.weeks
    ]  # fmt: skip
    while points and points[0].value is None:
        points.pop(0)
    if not any(point.value is not None for point in points):
        return None
    return trend(
        f"{line.process.title}: conformance by week",
        points,
        key="trend",
        unit="%",
        direction="up",
        floor=0,
        ceiling=100,
    )


def rules(line: Line) -> list[dict[str, str]]:
    """Everything that the standard demands of the process."""
    found = {one.rule.code: one for one in line.departures}
    return [
        {
            "title": rule.title, "code": rule.code, "standard": rule.standard, "step": step_words(rule.step),
            "open": f"{found[rule.code].open:,}" if rule.code in found else "0",
        }
        for rule in line.process.rules
    ]  # fmt: skip

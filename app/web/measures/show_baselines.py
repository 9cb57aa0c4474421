"""How do baselines and trade-offs look: a value with its unit, its period, and the charts beside each other."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from flask import url_for

from app.charts import Chart, TrendPoint, trend
from app.queries.baselines import TradeOffPage
from app.queries.measures_pages import Filter
from app.web.measures.presenters import figure_title, number, value_text, window_text
from app.web.steering_words import short_day
from readiness.gates.wording import figure as figure_text
from readiness.measures.baselines import BaselineView
from readiness.measures.reading import Direction, Unit

__all__ = ["baseline_period", "baseline_value", "completeness", "figure_title", "trade_charts"]


def baseline_value(one: BaselineView) -> str:
    """The value with its unit."""
    return figure_text(one.value, one.figure.measure.unit)


def baseline_period(one: BaselineView) -> str:
    """``Mon 3 Aug – Sun 30 Aug``."""
    return f"{short_day(one.period_from)} – {short_day(one.period_until - timedelta(days=1))}"


def completeness(one: BaselineView) -> str:
    """How much of the period the figure covers."""
    return f"{one.completeness * 100:.0f} % {'of its days' if one.kind == 'taken' else 'complete'}"


def trade_charts(page: TradeOffPage, wanted: Filter) -> dict[str, Any]:
    """Chips of sites, the figures now, and their weeks as charts of the same width."""
    pictures = []
    kpis = []
    for line in page.lines:
        reading, title = line.reading, figure_title(line.figure)
        points = [TrendPoint(end, number(one.value, one.unit), None, None, one.count) for end, one in line.weeks]
        unit = "" if reading.unit in {Unit.COUNT, Unit.RATIO, Unit.MONEY} else reading.unit.value
        up = reading.direction is Direction.UP
        pictures.append(
            _picture(title, f"trade-{line.figure.measure.id}", points, unit, up=up, why="No week has a value yet.")
        )
        kpis.append({
            "label": title, "value": value_text(reading), "sub": window_text(reading),
            "href": url_for("measures.show", key=line.figure.key),
        })  # fmt: skip
    points = [TrendPoint(end, _percent(value), None, None, 0) for end, value in page.margin]
    pictures.append(
        _picture("Margin of the books by week", "trade-margin", points, "%", up=True, why=page.why_no_margin or "Nothing is booked yet.")
    )  # fmt: skip
    chips = [
        {
            "label": site.name.partition(",")[0], "on": site.id == wanted.site,
            "href": url_for("measures.trade_offs", site=None if site.id == wanted.site else site.id),
        }
        for site in page.sites
    ]  # fmt: skip
    return {"pictures": pictures, "kpis": kpis, "chips": chips}


def _picture(title: str, key: str, points: list[TrendPoint], unit: str, *, up: bool, why: str) -> dict[str, Any]:
    while points and points[0].value is None:
        points = points[1:]
    if not any(point.value is not None for point in points):
        return {"title": title, "picture": None, "why": why}
    chart: Chart = trend(title, points, key=key, unit=unit, direction="up" if up else "down")
    return {"title": title, "picture": chart, "why": ""}


def _percent(value: Decimal | None) -> Decimal | None:
    return None if value is None else number(value, Unit.PERCENT)

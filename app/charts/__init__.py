"""Which picture tells this figure? Pure functions from frozen inputs to SVG, the same bytes every time.

A chart carries its title, its text alternative and the table of its numbers. It is styled by classes alone, so the
strict content policy holds on screen; `for_paper(chart)` puts the literal colours inside for a PDF.
"""

from app.charts.ageing import AgeingRow, ageing_bars
from app.charts.columns import Column, columns
from app.charts.control import ControlPoint, control_chart
from app.charts.forecast import ForecastRow, ForecastSpan, forecast_bars
from app.charts.funnel import FunnelStep, funnel
from app.charts.impact_map import ImpactBox, ImpactThread, impact_map
from app.charts.interval import Interval, interval_bar
from app.charts.picture import Chart, ChartTable
from app.charts.process_map import MapProcess, MapStep, process_map, swimlanes
from app.charts.score import ScoreGroup, Segment, score_bar, stacked_bar
from app.charts.sparkline import sparkline
from app.charts.style import chart_css, for_paper
from app.charts.timeline import Blackout, GateMark, WaveRow, waves_timeline
from app.charts.trend import TrendEvent, TrendPoint, trend

__all__ = [
    "AgeingRow",
    "Blackout",
    "Chart",
    "ChartTable",
    "Column",
    "ControlPoint",
    "ForecastRow",
    "ForecastSpan",
    "FunnelStep",
    "GateMark",
    "ImpactBox",
    "ImpactThread",
    "Interval",
    "MapProcess",
    "MapStep",
    "ScoreGroup",
    "Segment",
    "TrendEvent",
    "TrendPoint",
    "WaveRow",
    "ageing_bars",
    "chart_css",
    "columns",
    "control_chart",
    "for_paper",
    "forecast_bars",
    "funnel",
    "impact_map",
    "interval_bar",
    "process_map",
    "score_bar",
    "sparkline",
    "stacked_bar",
    "swimlanes",
    "trend",
    "waves_timeline",
]

"""Every chart puts its numbers where they belong, says them in words, lists them in a table, and is the same each time."""

import re
import subprocess
import sys
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from app import charts
from app.charts.interval import axis
from app.charts.picture import fixed
from app.charts.style import PALETTE, chart_css, for_paper, variable
from app.charts.trend import event_lanes
from tests.unit.web.gallery import pictures

STYLE_SHEET = Path(__file__).parents[3] / "app/web/static/css/wavegate.css"
READING = charts.Interval(
    value=Decimal("98.9"), pass_mark=97, warn_mark=95, low=Decimal("96.8"), high=Decimal("99.6"),
    direction="up", verdict="none", unit="%",
)  # fmt: skip


def elements(chart, class_):
    root = ET.fromstring(chart.svg)
    return [node for node in root.iter() if class_ in node.get("class", "").split()]


def number(node, name):
    return Decimal(node.get(name))


def all_pictures():
    return {**pictures(), "interval": charts.interval_bar(READING), "score": charts.score_bar(Decimal("67.5"))}


def test_the_interval_stands_on_its_own_axis_with_its_marks():
    chart = charts.interval_bar(READING)
    x = axis(READING)
    (dot,) = elements(chart, "c-dot")
    (bar,) = elements(chart, "c-bar")
    (zone,) = elements(chart, "c-zone")
    assert number(dot, "cx") == round(x.at(Decimal("98.9")), 1)
    assert number(bar, "x") == round(x.at(Decimal("96.8")), 1)
    assert abs(number(bar, "x") + number(bar, "width") - x.at(Decimal("99.6"))) <= Decimal("0.1")
    assert number(zone, "x") == round(x.at(97), 1)
    assert number(zone, "x") + number(zone, "width") == 144


def test_where_less_is_better_the_ground_lies_on_the_left():
    down = replace(
        READING, value=Decimal("0.21"), pass_mark=Decimal("0.5"), warn_mark=1, low=None, high=None, direction="down"
    )
    (zone,) = elements(charts.interval_bar(down), "c-zone")
    assert number(zone, "x") == 4
    assert number(zone, "width") == round(axis(down).at(Decimal("0.5")), 1) - 4


def test_a_reading_without_evidence_has_marks_and_no_dot():
    chart = charts.interval_bar(replace(READING, value=None, low=None, high=None))
    assert elements(chart, "c-dot") == []
    assert elements(chart, "c-bar") == []
    assert len(elements(chart, "c-mark")) == 1
    assert chart.title == "no value"


def test_the_passing_side_always_shows_and_never_beyond_what_a_rate_can_be():
    hopeless = replace(READING, value=20, low=None, high=None, floor=0, ceiling=100)
    x = axis(hopeless)
    assert x.high == 100
    (zone,) = elements(charts.interval_bar(hopeless), "c-zone")
    assert number(zone, "width") > 4
    open_ended = axis(replace(hopeless, ceiling=None))
    assert (open_ended.end - open_ended.at(97)) / (open_ended.end - open_ended.start) >= Decimal("0.3")


def test_an_interval_in_words_names_value_interval_and_marks():
    chart = charts.interval_bar(READING)
    assert chart.description == "95 % interval 96.8 – 99.6, pass mark ≥ 97 %, warn mark ≥ 95 %"
    assert chart.table.rows[0] == ("Value", "98.9")


def test_a_sparkline_leaves_a_gap_where_a_period_has_no_evidence():
    chart = charts.sparkline([9, 10, None, 12, 14], target=10, direction="down", unit="%")
    assert len(elements(chart, "c-spark")) == 2
    assert chart.table.rows[2] == ("3", "—")
    assert chart.description == "9 to 14 %, target ≤ 10"


def test_a_sparkline_of_nothing_says_so():
    chart = charts.sparkline([None, None], target=10, direction="up")
    assert chart.description == "no values yet"
    assert elements(chart, "c-last") == []


def test_the_last_of_a_sparkline_may_be_zero():
    (last,) = elements(charts.sparkline([4, 0], target=None, direction="down"), "c-last")
    assert number(last, "cy") > 12


def weekly(*values):
    return [
        charts.TrendPoint(date(2027, 1, 4) + timedelta(weeks=n), None if v is None else Decimal(v), count=10)
        for n, v in enumerate(values)
    ]


def test_a_trend_stands_on_round_ticks_with_its_ground_on_the_passing_side():
    chart = charts.trend("Fill rate", weekly("91", "93", "96"), key="fill", unit="%", direction="up", target=95)
    labels = [node.text for node in elements(chart, "c-text")]
    assert labels[:7] == ["91", "92", "93", "94", "95", "96", "%"]
    (zone,) = elements(chart, "c-zone")
    top, bottom = Decimal(24), Decimal(228)
    assert number(zone, "y") == top
    assert number(zone, "height") == round((bottom - top) / 5, 1)


def test_a_trend_is_broken_where_there_was_no_evidence():
    chart = charts.trend("Fill rate", weekly("91", "93", None, "94", "96"), key="f", unit="%", direction="up")
    assert len(elements(chart, "c-line")) == 2
    assert chart.table.rows[2][2] == "—"


def test_a_trend_of_nothing_is_refused():
    with pytest.raises(ValueError, match="'Fill rate' has no value to draw"):
        charts.trend("Fill rate", weekly(None, None), key="f", unit="%", direction="up")


def test_events_close_together_stand_in_rows_of_their_own():
    events = [charts.TrendEvent(date(2027, 1, 10 + n), "A long name for what happened") for n in range(3)]
    assert event_lanes(events, date(2027, 1, 4), date(2027, 3, 4)) == [0, 1, 2]
    apart = [charts.TrendEvent(date(2027, 1, 5), "One"), charts.TrendEvent(date(2027, 2, 20), "Two")]
    assert event_lanes(apart, date(2027, 1, 4), date(2027, 3, 4)) == [0, 0]


def test_events_stand_in_the_words_and_at_their_period_in_the_table():
    event = charts.TrendEvent(date(2027, 1, 13), "Release 1.8")
    chart = charts.trend("Fill", weekly("91", "93", "96"), key="f", unit="%", direction="up", target=95, events=[event])
    assert chart.description == "From 91 % on 4 Jan to 96 % on 18 Jan; target ≥ 95 %; 13 Jan: Release 1.8."
    assert [row[1] for row in chart.table.rows] == ["", "Release 1.8", ""]


def test_the_score_fills_the_rail_in_percent_and_keeps_its_marks():
    chart = charts.score_bar(Decimal("67.5"), [charts.ScoreGroup("Process", Decimal("20.5"), 33)])
    assert [node.get("width") for node in elements(chart, "c-s1")] == ["67.5%"]
    assert [node.get("x1") for node in elements(chart, "c-mark")] == ["70%", "85%"]
    assert chart.table.rows == (("Process", "20.5", "33"), ("Score", "67.5", "100"))


def test_what_lies_beyond_a_limit_is_measured_and_named():
    parts = [charts.Segment("Open", 50, 1), charts.Segment("This order", 30, 3)]
    chart = charts.stacked_bar("Credit", parts, limit=60, unit="€")
    over, limit, own = elements(chart, "c-s4")[0], elements(chart, "c-mark")[0], elements(chart, "c-s3")[0]
    per_unit = Decimal(284) / 84
    assert number(over, "width") == round(20 * per_unit, 1)
    assert number(own, "width") == round(10 * per_unit, 1)
    assert limit.get("d").startswith(f"M{round(60 * per_unit, 1)} ")
    assert chart.description == "80 € in all: Open 50, This order 30, over the limit by 20, limit 60"


def a_wave(**more):
    given = {
        "name": "Wave 2", "cells": "Hamburg DC", "prepares_from": date(2026, 11, 1), "planned": date(2027, 2, 1),
        "hypercare_until": date(2027, 4, 1), "gates": (charts.GateMark(date(2027, 1, 19), "entry", "none"),),
    }  # fmt: skip
    return charts.WaveRow(**(given | more))


def timeline(*waves, **more):
    return charts.waves_timeline(
        "Waves", waves, key="w", today=date(2027, 1, 14), first=date(2026, 10, 1), last=date(2027, 6, 1), **more
    )


def day_at(day):
    first, last = date(2026, 10, 1).toordinal(), date(2027, 6, 1).toordinal()
    return round(Decimal(136) + Decimal(day.toordinal() - first) / (last - first) * 500, 1)


def test_a_wave_prepares_until_its_cut_and_is_supported_after_it():
    chart = timeline(a_wave())
    (prep,), (hyper,), (cut,) = (elements(chart, name) for name in ("c-prep", "c-hyper", "c-cut"))
    assert number(prep, "x") == day_at(date(2026, 11, 1))
    assert number(hyper, "x") == day_at(date(2027, 2, 1)) == number(cut, "x") + 2
    assert abs(number(hyper, "x") + number(hyper, "width") - day_at(date(2027, 4, 1))) <= Decimal("0.1")
    assert elements(chart, "c-planned") == []


def test_a_wave_that_went_live_on_another_day_shows_both():
    chart = timeline(a_wave(live=date(2027, 2, 8)))
    (planned,), (cut,) = elements(chart, "c-planned"), elements(chart, "c-cut")
    assert number(planned, "x") + 2 == day_at(date(2027, 2, 1))
    assert number(cut, "x") + 2 == day_at(date(2027, 2, 8))


def test_today_and_blackouts_stand_on_their_days():
    chart = timeline(a_wave(), blackouts=[charts.Blackout(date(2026, 12, 24), date(2027, 1, 6), "year end")])
    (black,), (now,) = elements(chart, "c-black"), elements(chart, "c-now")
    assert number(black, "x") == day_at(date(2026, 12, 24))
    assert abs(number(black, "x") + number(black, "width") - day_at(date(2027, 1, 7))) <= Decimal("0.1")
    assert now.get("d").startswith(f"M{fixed(day_at(date(2027, 1, 14)))} ")


def test_a_timeline_in_words_names_each_gate_with_its_verdict():
    assert timeline(a_wave()).description == (
        "Wave 2 (Hamburg DC): go-live planned 1 Feb, entry on 19 Jan: no evidence"
    )


def test_ageing_bars_share_one_scale_and_end_in_the_colour_of_failure():
    rows = [charts.AgeingRow("A", (3, 1)), charts.AgeingRow("B", (1, 1))]
    chart = charts.ageing_bars("Age", ("under 8 h", "over 8 h"), rows, key="a", unit="orders")
    (legend, late_a, late_b) = elements(chart, "c-a5")
    assert legend.get("width") == "10"
    assert number(late_a, "width") == number(late_b, "width")
    assert chart.table.rows == (("A", "3", "1", "4"), ("B", "1", "1", "2"))
    assert chart.description == "A: 4 orders, 1 of them over 8 h; B: 2 orders, 1 of them over 8 h"


def test_an_ageing_row_with_a_bucket_too_few_is_refused():
    with pytest.raises(ValueError, match="A has 1 counts for 2 buckets"):
        charts.ageing_bars("Age", ("new", "old"), [charts.AgeingRow("A", (3,))], key="a", unit="orders")


def test_a_funnel_says_what_each_step_lost():
    chart = charts.funnel(
        "Orders", [charts.FunnelStep("In", 200), charts.FunnelStep("Out", 150)], key="f", unit="Orders"
    )
    whole, part = elements(chart, "c-s3")
    assert number(part, "width") / number(whole, "width") == pytest.approx(Decimal("0.75"), abs=Decimal("0.001"))
    assert chart.table.rows[1] == ("Out", "", "150", "75.0 %", "−50")


def test_a_funnel_nobody_entered_divides_by_nothing():
    chart = charts.funnel("Orders", [charts.FunnelStep("In", 0), charts.FunnelStep("Out", 0)], key="f", unit="Orders")
    assert chart.table.rows[1][3] == "—"


def test_a_forecast_follows_each_criterion_to_the_end():
    first, last = date(2027, 1, 14), date(2027, 1, 24)
    spans = (charts.ForecastSpan(first, "warn"), charts.ForecastSpan(date(2027, 1, 19), "pass"))
    chart = charts.forecast_bars(
        "F", [charts.ForecastRow("C", spans)], key="f", first=first, last=last, decides=date(2027, 1, 19)
    )
    warn, passing = elements(chart, "c-bar")
    (now,) = elements(chart, "c-now")
    assert number(warn, "width") == number(passing, "width")
    assert now.get("d").startswith(f"M{number(passing, 'x') - 1} ")
    assert chart.description == "C: warn from 14 Jan, pass from 19 Jan; decision closes 19 Jan"


def test_a_control_chart_marks_the_signals_it_was_given():
    points = [charts.ControlPoint(date(2027, 1, n), Decimal(n)) for n in range(1, 5)]
    points.append(charts.ControlPoint(date(2027, 1, 5), Decimal(9), "beyond the upper limit"))
    chart = charts.control_chart("C", points, key="c", unit="h", centre=3, lower=1, upper=6)
    assert len(elements(chart, "c-gate")) == 1
    assert chart.description == "5 readings, centre 3, limits 1 – 6 h; 5 Jan: beyond the upper limit"


@pytest.mark.parametrize("name", sorted(all_pictures()))
def test_every_chart_is_well_formed_and_styled_by_classes_alone(name):
    chart = all_pictures()[name]
    root = ET.fromstring(chart.svg)
    assert root.get("role") == "img"
    spoken = root.get("aria-label") or " ".join(
        node.text for ref in root.get("aria-labelledby").split() for node in root.iter() if node.get("id") == ref
    )
    assert chart.title in spoken
    assert chart.description in spoken
    for node in root.iter():
        assert {"style", "fill", "stroke", "onclick"}.isdisjoint(node.attrib)
        assert node.tag not in {"script", "style", "foreignObject"}
    assert all(len(row) == len(chart.table.head) for row in chart.table.rows)


def used_classes():
    return {
        name for chart in all_pictures().values() for found in re.findall(r'class="([^"]*)"', chart.svg) for name in found.split()
    }  # fmt: skip


def test_every_class_a_chart_uses_has_a_rule_on_screen_and_on_paper():
    frames = {"c-interval", "c-sparkline", "c-trend", "c-gantt", "c-wide", "c-days", "c-stack", "c-score", "c-text"}
    screen, paper = STYLE_SHEET.read_text(), chart_css()
    for name in used_classes() - frames:
        assert f".{name}" in paper, name
        assert f".{name}" in screen, name


def test_the_style_sheet_carries_the_same_chart_rules_as_the_paper():
    assert chart_css(variable) in STYLE_SHEET.read_text()


def test_paper_wears_the_colours_of_the_light_theme():
    light = STYLE_SHEET.read_text().split("@media (prefers-color-scheme:dark)")[0]
    tokens = dict(re.findall(r"--([a-z0-9-]+):(#[0-9a-f]{6})", light))
    assert {name: tokens[name] for name in PALETTE if name != "font"} == {
        k: v for k, v in PALETTE.items() if k != "font"
    }


def test_on_paper_a_chart_brings_its_colours_along():
    svg = for_paper(charts.interval_bar(READING))
    assert svg.startswith('<svg class="c-interval"')
    assert "><style>text{font-family:Inter" in svg
    assert "var(" not in svg
    ET.fromstring(svg)


def test_words_from_people_are_escaped():
    chart = charts.funnel("<b>&", [charts.FunnelStep("</text><script>", 1)], key="f", unit="x")
    assert "<script" not in chart.svg
    assert ET.fromstring(chart.svg).get("class") == "c-wide"


def test_the_same_figures_give_the_same_bytes_in_another_process():
    program = "from tests.unit.web.gallery import pictures; print(''.join(c.svg for c in pictures().values()))"
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=STYLE_SHEET.parents[4],
        env={"PYTHONHASHSEED": "7", "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert ran.stdout == "".join(c.svg for c in pictures().values()) + "\n"


def test_columns_stand_on_each_other_with_their_sum_above_and_in_the_table():
    found = [charts.Column("Jan", {"own": 2, "wanted": 1}), charts.Column("Feb", {"own": 5})]
    chart = charts.columns("In force", found, ["own", "wanted"], key="k", unit="variants")
    own = [node for node in elements(chart, "c-s3") if number(node, "width") > 9]
    (wanted,) = [node for node in elements(chart, "c-s1") if number(node, "width") > 9]
    assert number(own[0], "y") == number(wanted, "y") + number(wanted, "height")
    assert number(own[1], "height") * 2 == number(own[0], "height") * 5
    assert number(own[0], "height") == 2 * number(wanted, "height")
    assert chart.description == "from 3 in Jan to 5 in Feb"
    assert chart.table.rows == (("Jan", "2", "1", "3"), ("Feb", "5", "0", "5"))


def test_columns_need_something_to_draw_and_no_more_parts_than_there_are_tones():
    with pytest.raises(ValueError, match="needs a column"):
        charts.columns("In force", [], ["own"], key="k", unit="variants")
    with pytest.raises(ValueError, match="at most 3 parts"):
        charts.columns("In force", [charts.Column("Jan", {})], ["a", "b", "c", "d"], key="k", unit="variants")

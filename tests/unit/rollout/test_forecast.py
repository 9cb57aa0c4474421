"""When a criterion passes at its present trend, and when nobody can say."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from readiness.gates.comparison import changes_between
from readiness.gates.forecast import Forecast, Point, Question, forecast
from readiness.measures.reading import Direction

TODAY = date(2026, 3, 20)


def points(*values, count=10):
    first = TODAY - timedelta(days=len(values) - 1)
    return [Point(first + timedelta(days=i), Decimal(str(value)), count * (i + 1)) for i, value in enumerate(values)]


def asked(**given):
    return forecast(
        Question(
            **{
                "criterion": "c", "today": TODAY, "word": "fail", "is_met": False, "direction": Direction.UP,
                "pass_mark": Decimal("0.95"), "points": points(0.90, 0.91, 0.92, 0.93, 0.94), **given,
            }
        )
    )  # fmt: skip


def says(code, days=None):
    return Forecast(criterion="c", passes_on=None if days is None else TODAY + timedelta(days=days), code=code)


def test_a_figure_that_gains_a_point_a_day_and_lacks_one_passes_tomorrow():
    assert asked() == says("trend", 1)


def test_a_pass_that_must_hold_five_days_comes_four_days_later():
    assert asked(needed=5) == says("trend", 5)


def test_a_falling_figure_passes_where_less_is_better():
    assert asked(direction=Direction.DOWN, pass_mark=Decimal(2), points=points(10, 9, 8, 7, 6)) == says("trend", 4)


def test_a_figure_that_moves_away_from_its_mark_has_no_forecast():
    assert asked(points=points(0.94, 0.93, 0.92, 0.91, 0.90)) == says("no_trend_to_mark")


def test_noise_is_no_trend():
    assert asked(points=points(0.90, 0.94, 0.89, 0.93, 0.90, 0.94)) == says("no_trend_to_mark")


def test_a_flat_figure_has_no_forecast():
    assert asked(points=points(0.9, 0.9, 0.9, 0.9, 0.9)) == says("no_trend_to_mark")


@pytest.mark.parametrize("days", [0, 1, 4])
def test_fewer_than_five_days_have_no_trend(days):
    assert asked(points=points(*[0.9] * days)) == says("too_few_days")


def test_a_crossing_far_away_is_not_promised():
    assert asked(points=points(0.5000, 0.5001, 0.5002, 0.5003, 0.5004)) == says("beyond_horizon")


def test_documents_that_are_missing_come_at_the_pace_of_those_that_came():
    assert asked(word="no_evidence", more=25, points=points(0.98, 0.98, 0.98, count=10)) == says("more_documents", 3)


def test_without_new_documents_their_number_never_comes():
    assert asked(word="no_evidence", more=25, points=points(0.98, 0.98, 0.98, count=0)) == says("no_new_documents")


def test_a_pass_that_has_held_three_of_five_days_needs_two_more():
    assert asked(word="warn", is_met=True, held=3, needed=5) == says("holding", 2)


def test_what_passes_passes_today():
    assert asked(word="pass") == says("passes", 0)


def line(code, word="pass", weight="1.00", points="1.000000", waiver=None, held=None):
    return {
        "code": code, "title": code.upper(), "word": word, "counts_as": word, "weight": weight, "points": points,
        "waiver": waiver, "held": held, "sentence": f"{code} says {word}",
    }  # fmt: skip


def test_changes_name_what_reads_differently_and_what_that_did_to_the_score():
    before = {"criteria": [line("a", "fail", points="0.000000"), line("b"), line("gone"), line("d", held=2)]}
    after = {"criteria": [line("a"), line("b"), line("new", "warn", points="0.500000"), line("d", held=3)]}

    found = changes_between(before, after)

    assert [(each.criterion, each.before, each.after, each.points) for each in found] == [
        ("a", "fail", "pass", Decimal("0.250000")),
        ("gone", "pass", None, Decimal("-0.250000")),
        ("new", None, "warn", Decimal("0.125000")),
        ("d", "pass", "pass", Decimal("0.000000")),
    ]
    assert (found[3].held_before, found[3].held_after) == (2, 3)


def test_nothing_changed_is_nothing():
    assert changes_between({"criteria": [line("a")]}, {"criteria": [line("a")]}) == ()

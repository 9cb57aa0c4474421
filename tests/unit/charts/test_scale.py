"""Axes end on round values, and every value stands where the scale says."""

from datetime import date
from decimal import Decimal

import pytest

from app.charts.picture import fixed
from app.charts.scale import around, day_ticks, mondays, month_starts, plain, scale, ticks


def d(text):
    return Decimal(text)


def test_ticks_are_round_and_inside_the_axis():
    assert ticks(88, 98) == (d("88"), d("90"), d("92"), d("94"), d("96"), d("98"))
    assert ticks(d("0.13"), d("0.97")) == (d("0.2"), d("0.4"), d("0.6"), d("0.8"))
    assert ticks(0, 1226) == (0, 250, 500, 750, 1000)


def test_an_axis_encloses_its_values_on_round_ends():
    assert around(d("89.2"), d("97.9")) == (88, 98)
    assert around(-3, 41) == (-10, 50)
    assert around(5, 5) == (5, 5)


def test_a_value_stands_in_proportion_and_may_be_held_on_the_axis():
    y = scale(0, 50, 200, 100)
    assert (y.at(0), y.at(25), y.at(50), y.at(60)) == (200, 150, 100, 80)
    assert (y.held(60), y.held(-5)) == (100, 200)


def test_an_axis_without_length_is_refused():
    with pytest.raises(ValueError, match="needs a length, got 5 to 5"):
        scale(5, 5, 0, 100)


def test_labels_use_a_true_minus_thousands_and_the_asked_places():
    assert plain(-1226) == "−1,226"
    assert plain(d("96.80")) == "96.8"
    assert plain(d("0.000")) == "0"
    assert plain(100) == "100"
    assert plain(d("67.25"), 1) == "67.2"
    assert plain(d("8"), 1) == "8.0"


def test_coordinates_have_one_decimal_and_never_a_negative_zero():
    assert [fixed(n) for n in (d("12.04"), d("12.05"), d("12.15"), d("-0.04"), 7)] == ["12", "12", "12.2", "0", "7"]


def test_days_get_ticks_by_the_length_of_the_span():
    few = day_ticks(date(2027, 1, 14), date(2027, 1, 25), "en")
    assert [label for _, label in few] == ["14 Jan", "17 Jan", "20 Jan", "23 Jan"]
    weeks = day_ticks(date(2026, 10, 26), date(2026, 11, 30), "en")
    assert [label for _, label in weeks] == ["26 Oct", "2 Nov", "9 Nov", "16 Nov", "23 Nov", "30 Nov"]
    months = day_ticks(date(2026, 10, 1), date(2027, 2, 20), "en")
    assert [label for _, label in months] == ["Oct ’26", "Nov", "Dec", "Jan ’27", "Feb"]
    assert [label for _, label in day_ticks(date(2026, 10, 1), date(2027, 2, 20), "de")][2] == "Dez"


def test_months_and_mondays_begin_inside_their_span():
    assert month_starts(date(2026, 11, 2), date(2027, 2, 1)) == (date(2026, 12, 1), date(2027, 1, 1), date(2027, 2, 1))
    assert mondays(date(2027, 1, 1), date(2027, 1, 31), every=2) == (date(2027, 1, 4), date(2027, 1, 18))

"""Sketches and percentiles against sorted lists, and against the published Kaplan–Meier example."""

from __future__ import annotations

from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness.measures.distributions import quantile_ranks
from readiness.measures.percentiles import P50, P90, Estimate, percentile_sample
from readiness.measures.sketch import RELATIVE_ERROR, ZERO_BIN, Sketch, bin_of, value_of

seconds = st.one_of(st.integers(0, 10**9), st.floats(0.001, 1e9))
times = st.lists(st.integers(0, 10**7), min_size=1, max_size=60)

# Remission in weeks under 6-mercaptopurine (Freireich et al. 1963), as printed in every textbook of survival analysis.
DONE = [6, 6, 6, 7, 10, 13, 16, 22, 23]
STILL = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]


def within_one_percent(value):
    return pytest.approx(value, rel=RELATIVE_ERROR * 1.0000001)


@given(seconds)
def test_a_bin_stands_for_its_times_within_one_percent(time):
    assert value_of(bin_of(time)) == within_one_percent(time)


@given(st.floats(1e-9, 1e12))
def test_bins_fit_sixteen_bits(time):
    assert -32768 < bin_of(time) < 32768


def test_bins_are_fixed_for_ever():
    assert [bin_of(t) for t in (-5, 0, 1, 60, 3600, 86400, 604800)] == [ZERO_BIN, ZERO_BIN, 0, 205, 410, 569, 666]
    assert value_of(ZERO_BIN) == 0.0


@given(times, times)
def test_what_is_added_and_taken_back_leaves_no_trace(one, other):
    both = Sketch.of(one).merge(Sketch.of(other))
    assert both == Sketch.of(one + other)
    assert both.subtract(Sketch.of(other)) == Sketch.of(one)
    assert Sketch.of(one).subtract(Sketch.of(one)).bins() == ()
    assert both.count == len(one) + len(other)


def test_a_correction_moves_a_time_by_two_signed_counts():
    sketch = Sketch.of([100, 200])
    sketch.add(200, -1)
    sketch.add(50)
    assert sketch == Sketch.of([50, 100])


@given(times, st.sampled_from([P50, P90, Fraction(1, 100), Fraction(99, 100)]))
def test_a_quantile_is_the_ranked_time_within_one_percent(values, share):
    assert Sketch.of(values).quantile(share) == within_one_percent(sorted(values)[ceil(share * len(values)) - 1])


def test_nothing_has_no_quantile_and_a_negative_count_is_never_read_over():
    assert Sketch().quantile(P90) is None
    torn = Sketch({5: 2, 7: -1})
    with pytest.raises(ValueError, match="bin 7 holds -1"):
        torn.quantile(P90)
    with pytest.raises(ValueError, match="bin 7 holds -1"):
        percentile_sample(torn, [], P90)


@given(times, st.sampled_from([P50, P90]))
def test_without_open_documents_the_estimate_is_the_quantile_of_the_sketch(values, share):
    sketch = Sketch.of(values)
    estimate = percentile_sample(sketch, [], share).estimate()
    assert estimate == Estimate(sketch.quantile(share), reached=True)


@given(times, st.sampled_from([P50, P90]))
def test_without_open_documents_the_limits_are_the_ranked_times_widened_by_one_percent(values, share):
    interval = percentile_sample(Sketch.of(values), [], share).interval()
    lower, upper = quantile_ranks(len(values), float(share), 0.95)
    ranked = [value_of(bin_of(value)) for value in sorted(values)]
    assert float(interval.low) == pytest.approx(ranked[lower - 1] * 0.99 if lower else 0.0, abs=2e-6, rel=1e-12)
    if upper > len(values):
        assert interval.high is None
    else:
        assert float(interval.high) == pytest.approx(ranked[upper - 1] * 1.01, abs=2e-6, rel=1e-12)


def test_the_published_median_of_23_weeks_has_its_published_limits_13_and_none():
    sample = percentile_sample(Sketch.of(DONE), STILL, P50)
    assert sample.estimate() == Estimate(within_one_percent(23), reached=True)
    interval = sample.interval()
    assert float(interval.low) == pytest.approx(13, rel=0.021)
    assert interval.high is None


def test_the_published_survival_curve_is_followed_step_by_step():
    curve = percentile_sample(Sketch.of(DONE), STILL, P50)._curve
    survival = [step.survival for step in curve]
    assert survival == pytest.approx([0.8571, 0.8067, 0.7529, 0.6902, 0.6275, 0.5378, 0.4482], abs=5e-5)
    error = [step.survival * step.greenwood**0.5 for step in curve]
    assert error == pytest.approx([0.0764, 0.0869, 0.0963, 0.1068, 0.1141, 0.1282, 0.1346], abs=5e-5)


def test_a_percentile_held_up_by_open_documents_lies_beyond_the_oldest():
    sample = percentile_sample(Sketch.of(DONE), STILL, P90)
    assert sample.estimate() == Estimate(35, reached=False)
    assert sample.interval().high is None


def test_open_documents_move_a_percentile_before_the_first_of_them_closes():
    done = [3600] * 90 + [7200] * 10
    assert percentile_sample(Sketch.of(done), [], P90).estimate().seconds == within_one_percent(3600)
    assert percentile_sample(Sketch.of(done), [90000] * 20, P90).estimate() == Estimate(90000, reached=False)


def test_open_documents_alone_are_not_reached_and_prove_nothing():
    sample = percentile_sample(Sketch(), [600, 60], P50)
    assert sample.estimate() == Estimate(600, reached=False)
    assert sample.interval() is None


def test_nothing_at_all_has_no_estimate():
    assert percentile_sample(Sketch(), [], P50).estimate() is None


def test_many_open_ages_may_come_as_a_sketch():
    by_age = percentile_sample(Sketch.of(DONE), STILL, P50)
    by_sketch = percentile_sample(Sketch.of(DONE), Sketch.of(STILL), P50)
    assert by_sketch.bins == by_age.bins
    assert by_sketch.estimate() == by_age.estimate()
    assert by_sketch.oldest_open == within_one_percent(35)


def test_the_end_of_the_curve_proves_no_upper_limit():
    assert percentile_sample(Sketch.of([1, 2, 3, 4, 5]), [0.5], P90).interval().high is None


def test_more_documents_of_the_same_narrow_the_limits():
    sample = percentile_sample(Sketch.of([60 * minute for minute in range(1, 31)]), [], P90)
    assert sample.interval().high is None
    more = sample.grown(10.0).interval()
    assert float(sample.interval().low) < float(more.low) < 1620 < float(more.high) < 1830
    open_too = percentile_sample(Sketch.of([60 * minute for minute in range(1, 31)]), [30, 90], P50)
    assert open_too.grown(10.0).interval().high < open_too.interval().high


def test_a_share_of_none_or_all_is_no_percentile():
    with pytest.raises(ValueError, match="between 0 and 1"):
        percentile_sample(Sketch.of([1]), [], Fraction(1))

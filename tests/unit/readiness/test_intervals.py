"""Intervals against published values and a plain recomputation from single documents."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from readiness.measures.distributions import t_quantile
from readiness.measures.intervals import (
    NOTHING,
    Interval,
    MeanSample,
    RateSample,
    ShareSample,
    Sums,
    mean_sample,
    outward,
    poisson_limits,
    rate_sample,
    share_sample,
    total,
    variance_by_day,
    variance_by_document,
    wilson,
    yes_no_sample,
)


def sums_of(documents):
    """Daily sums of single documents (x, y)."""
    return Sums(
        len(documents),
        sum(x for x, _ in documents),
        sum(y for _, y in documents),
        sum(x * x for x, _ in documents),
        sum(x * y for x, y in documents),
        sum(y * y for _, y in documents),
    )


def plain_variance(clusters):
    """Cochran's linearised variance from the residuals themselves, not from sums of squares."""
    n, x, y = len(clusters), sum(x for x, _ in clusters), sum(y for _, y in clusters)
    share = Fraction(x, y)
    return Fraction(n, n - 1) * sum((cx - share * cy) ** 2 for cx, cy in clusters) / y**2


def yes_no(good, of):
    return Sums(of, good, of, good, good, of)


def test_wilson_of_196_in_200_proves_949_thousandths_and_not_95_percent():
    low, high = wilson(0.98, 200)
    assert low == pytest.approx(0.94971291, abs=1e-8)
    assert high == pytest.approx(0.99219557, abs=1e-8)
    assert ShareSample(Fraction(196, 200), 200.0).interval() == Interval(Decimal("0.949712"), Decimal("0.992196"))


@pytest.mark.parametrize(
    ("target", "level", "needed"),
    [
        ("0.95", 0.95, 73),
        ("0.98", 0.95, 189),
        ("0.99", 0.95, 381),
        ("0.999", 0.95, 3838),
        ("0.95", 0.90, 52),
        ("0.98", 0.90, 133),
        ("0.99", 0.90, 268),
        ("0.95", 0.80, 32),
        ("0.99", 0.80, 163),
        ("0.999", 0.80, 1641),
    ],
)
def test_without_a_failure_the_smallest_number_that_proves_a_target_is_that_of_the_table(target, level, needed):
    def low(n):
        return ShareSample(Fraction(1), float(n)).interval(level).low

    assert low(needed) >= Decimal(target)
    assert low(needed - 1) < Decimal(target)


def test_wilson_at_the_ends_stays_between_nothing_and_all():
    assert wilson(0.0, 10) == (0.0, pytest.approx(0.27753279, abs=1e-8))
    assert wilson(1.0, 10) == (pytest.approx(0.72246721, abs=1e-8), 1.0)
    with pytest.raises(ValueError, match="Wilson"):
        wilson(1.01, 10)
    with pytest.raises(ValueError, match="Wilson"):
        wilson(0.5, 0)


@given(st.integers(0, 50), st.integers(1, 50), st.floats(0.5, 0.999))
def test_a_higher_level_never_narrows_and_more_documents_never_widen(good, bad, level):
    share = Fraction(good, good + bad)
    sample = ShareSample(share, float(good + bad))
    here, wider, narrower = sample.interval(level), sample.interval(0.9995), sample.grown(2.0).interval(level)
    assert wider.low <= here.low <= narrower.low <= rounded_up(share)
    assert wider.high >= here.high >= narrower.high >= rounded_down(share)


def rounded_up(share):
    return Decimal(float(share)) + Decimal("0.000001")


def rounded_down(share):
    return Decimal(float(share)) - Decimal("0.000001")


documents = st.lists(
    st.lists(st.integers(0, 40).flatmap(lambda y: st.tuples(st.integers(0, y), st.just(y))), min_size=1, max_size=6),
    min_size=1,
    max_size=14,
).filter(lambda days: any(y for day in days for _, y in day))


@given(documents)
@settings(max_examples=50)
def test_the_variance_from_sums_is_exactly_that_of_the_single_documents_and_days(days):
    sums = [sums_of(day) for day in days]
    flat = [document for day in days for document in day]
    assert variance_by_document(sums) == (plain_variance(flat) if len(flat) > 1 else None)
    used = [day for day, s in zip(days, sums, strict=True) if s != NOTHING]
    by_day = [(sum(x for x, _ in day), sum(y for _, y in day)) for day in used]
    assert variance_by_day(sums) == (plain_variance(by_day) if len(by_day) >= 10 else None)


@given(documents)
@settings(max_examples=50)
def test_a_ratio_of_sums_is_worth_the_cases_of_the_rule_and_never_more_than_kish_allows(days):
    flat = [document for day in days for document in day]
    x, y, yy = sum(d[0] for d in flat), sum(d[1] for d in flat), sum(d[1] ** 2 for d in flat)
    share, kish = Fraction(x, y), Fraction(y * y, yy)
    scatters = [plain_variance(flat)] if len(flat) > 1 else []
    if len(days) >= 10:
        scatters.append(plain_variance([(sum(a for a, _ in day), sum(b for _, b in day)) for day in days]))
    scatter = max(scatters, default=Fraction(0))
    wanted = min(kish, share * (1 - share) / scatter) if scatter else kish
    sample = share_sample([sums_of(day) for day in days])
    assert sample.share == share
    assert sample.cases == float(wanted)


def test_where_nothing_scatters_a_ratio_is_worth_kish_cases():
    orders = [(10, 10), (30, 30), (60, 60)]
    assert share_sample([sums_of(orders)]).cases == 10000 / 4600
    same_share = [(1, 2), (2, 4), (5, 10)]
    assert share_sample([sums_of(same_share)]).cases == 256 / 120
    assert share_sample([sums_of([(3, 4)])]).cases == 1.0


def test_one_large_order_is_worth_less_than_its_lines():
    sample = share_sample([sums_of([(900, 1000), *[(1, 1)] * 20])])
    assert sample.cases < 2.0


def test_yes_no_documents_count_as_they_are_below_ten_days():
    days = [yes_no(20, 20)] * 8 + [yes_no(0, 20)]
    assert yes_no_sample(days) == ShareSample(Fraction(160, 180), 180.0)


def test_from_ten_days_on_bad_days_make_yes_no_documents_worth_less():
    days = [yes_no(20, 20)] * 9 + [yes_no(0, 20)]
    # R = 0.9; V by day = 10/9 · (9·2² + 18²) ÷ 200² = 0.01
    assert yes_no_sample(days) == ShareSample(Fraction(9, 10), 9.0)


def test_evenly_spread_failures_never_make_documents_worth_more_than_their_count():
    days = [yes_no(19, 20)] * 9 + [yes_no(18, 20)]
    assert yes_no_sample(days).cases == 200.0
    assert yes_no_sample([yes_no(18, 20)] * 12).cases == 240.0


def test_days_without_documents_are_no_days():
    busy = [yes_no(20, 20)] * 8 + [yes_no(0, 20)]
    assert yes_no_sample([*busy, NOTHING, NOTHING]).cases == 180.0


def test_a_share_of_nothing_or_beyond_all_has_no_sample():
    assert yes_no_sample([]) is None
    assert yes_no_sample([NOTHING]) is None
    assert share_sample([NOTHING]) is None
    assert share_sample([sums_of([(3, 2), (1, 5), (9, 1)])]) is None
    assert yes_no_sample([Sums(1, -1, 1, 1, -1, 1)]) is None


def test_other_ratios_take_t_of_their_documents():
    costs = [(500, 1), (700, 1), (900, 1)]
    sample = mean_sample([sums_of(costs)], Fraction(1, 100))
    assert sample == MeanSample(7.0, float(Fraction(3, 2) * 80000 / 9 / 10000), 3.0)
    half = 4.302652729911275 * (4 / 3) ** 0.5
    interval = sample.interval()
    assert float(interval.low) == pytest.approx(7 - half, abs=2e-6)
    assert float(interval.high) == pytest.approx(7 + half, abs=2e-6)


def test_other_ratios_take_t_of_their_days_where_days_scatter_more():
    days = [sums_of([(value, 1)] * 5) for value in (10, 20) * 5]
    sample = mean_sample(days)
    # by document 50/49 · 25·50/50² = 0.5102; by day 10/9 · 10·25²/50² = 2.7778
    assert sample.variance == pytest.approx(25 / 9, abs=1e-12)
    assert sample.clusters == 10.0
    half = t_quantile(0.975, 9) * (25 / 9) ** 0.5
    assert float(sample.interval().high) == pytest.approx(15 + half, abs=2e-6)


def test_a_single_document_has_no_interval_of_a_mean():
    assert mean_sample([sums_of([(7, 1)])]) is None
    assert MeanSample(1.0, 0.1, 1.0).interval() is None


@pytest.mark.parametrize(
    ("cases", "low", "high"),
    [
        (0, 0.0, 3.6889),
        (1, 0.0253, 5.5716),
        (2, 0.2422, 7.2247),
        (3, 0.6187, 8.7673),
        (10, 4.7954, 18.3904),
        (20, 12.2165, 30.8884),
        (100, 81.3640, 121.6268),
    ],
)
def test_poisson_limits_are_those_of_the_published_table(cases, low, high):
    assert poisson_limits(cases) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


def test_weighted_cases_count_as_fewer_heavier_ones():
    # two tickets of weight 10 and ten of weight 1: Σw = 30, Σw² = 210
    sample = rate_sample(30, 210, 600, scale=Fraction(100))
    assert sample == RateSample(30 * 30 / 210, 700.0, 600.0)
    low, high = poisson_limits(900 / 210)
    interval = sample.interval()
    assert float(interval.low) == pytest.approx(low * 7 / 6, abs=2e-6)
    assert float(interval.high) == pytest.approx(high * 7 / 6, abs=2e-6)


def test_no_ticket_at_all_still_has_an_upper_limit_of_the_heaviest():
    assert float(rate_sample(0, 0, 100).interval().high) == pytest.approx(0.036889, abs=2e-6)
    assert float(rate_sample(0, 0, 100, heaviest=10).interval().high) == pytest.approx(0.368888, abs=2e-6)


def test_a_rate_over_nothing_has_no_sample():
    assert rate_sample(5, 5, 0) is None
    assert rate_sample(5, 0, 10) is None
    assert RateSample(1.0, 1.0, 0.0).interval() is None
    with pytest.raises(ValueError, match="fewer than no cases"):
        poisson_limits(-0.5)


def test_limits_are_rounded_to_the_outside():
    assert outward(0.1234561, 0.1234561) == Interval(Decimal("0.123456"), Decimal("0.123457"))
    assert outward(-0.1234561, None) == Interval(Decimal("-0.123457"), None)


def test_sums_of_days_add_up():
    assert total([Sums(1, 2, 3, 4, 5, 6), Sums(10, 20, 30, 40, 50, 60)]) == Sums(11, 22, 33, 44, 55, 66)

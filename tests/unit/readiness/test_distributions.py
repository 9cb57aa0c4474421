"""Quantiles against printed tables and against exact arithmetic."""

from __future__ import annotations

from fractions import Fraction
from math import comb

import pytest

from readiness.measures.distributions import (
    binomial_cdf,
    gamma_quantile,
    incomplete_beta,
    incomplete_gamma,
    normal_quantile,
    quantile_ranks,
    t_quantile,
    two_sided_z,
)


def exact_binomial_cdf(k, n, p):
    return sum((comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k + 1)), Fraction(0))


@pytest.mark.parametrize(
    ("probability", "z"), [(0.975, 1.959963985), (0.95, 1.644853627), (0.995, 2.575829304), (0.5, 0.0)]
)
def test_normal_quantiles_are_those_of_the_tables(probability, z):
    assert normal_quantile(probability) == pytest.approx(z, abs=1e-9)


def test_a_two_sided_level_of_95_percent_takes_975_thousandths():
    assert two_sided_z(0.95) == pytest.approx(1.959963985, abs=1e-9)


@pytest.mark.parametrize("level", [0.0, 1.0, -0.1, 1.5])
def test_a_level_outside_0_and_1_is_refused(level):
    with pytest.raises(ValueError, match="level of confidence"):
        two_sided_z(level)


@pytest.mark.parametrize(
    ("probability", "freedom", "t"),
    [
        (0.975, 1, 12.7062047364),
        (0.975, 2, 4.3026527297),
        (0.975, 5, 2.5705818356),
        (0.975, 10, 2.2281388520),
        (0.975, 30, 2.0422724563),
        (0.975, 100, 1.9839715185),
        (0.95, 9, 1.8331129327),
        (0.995, 20, 2.8453397098),
        (0.025, 10, -2.2281388520),
        (0.5, 7, 0.0),
    ],
)
def test_t_quantiles_are_those_of_the_tables(probability, freedom, t):
    assert t_quantile(probability, freedom) == pytest.approx(t, abs=1e-9)


def test_t_of_one_degree_is_the_cauchy_distribution_and_of_two_has_a_closed_form():
    assert t_quantile(0.75, 1) == pytest.approx(1.0, abs=1e-11)
    assert t_quantile(0.9, 2) == pytest.approx(0.8 * (2 / (1 - 0.8**2)) ** 0.5, abs=1e-11)


def test_the_t_expansion_for_many_degrees_joins_the_exact_one():
    assert t_quantile(0.975, 99_999.9) == pytest.approx(t_quantile(0.975, 100_000.1), abs=1e-9)


@pytest.mark.parametrize(("probability", "freedom"), [(0.0, 5), (1.0, 5), (0.5, 0), (0.9, -1)])
def test_a_t_quantile_outside_its_range_is_refused(probability, freedom):
    with pytest.raises(ValueError, match="t quantile"):
        t_quantile(probability, freedom)


@pytest.mark.parametrize(
    ("probability", "degrees", "chi_square"),
    [(0.95, 1, 3.841458821), (0.975, 10, 20.483177351), (0.025, 10, 3.246972780), (0.95, 100, 124.342113404)],
)
def test_gamma_quantiles_are_half_the_chi_squares_of_the_tables(probability, degrees, chi_square):
    assert 2 * gamma_quantile(probability, degrees / 2) == pytest.approx(chi_square, abs=1e-8)


def test_a_gamma_quantile_gives_its_probability_back_in_both_branches():
    for shape in (0.3, 1.0, 7.5, 400.0, 30_000.0):
        for probability in (0.001, 0.025, 0.5, 0.975, 0.999):
            assert incomplete_gamma(shape, gamma_quantile(probability, shape)) == pytest.approx(probability, abs=1e-9)


@pytest.mark.parametrize("n", [1, 7, 40])
@pytest.mark.parametrize("p", [Fraction(1, 10), Fraction(1, 2), Fraction(9, 10)])
def test_the_binomial_is_that_of_exact_fractions(n, p):
    for k in range(n):
        assert binomial_cdf(k, n, float(p)) == pytest.approx(float(exact_binomial_cdf(k, n, p)), abs=1e-12)
    assert binomial_cdf(-1, n, float(p)) == 0.0
    assert binomial_cdf(n, n, float(p)) == 1.0


@pytest.mark.parametrize(
    ("n", "ranks"), [(5, (0, 6)), (6, (1, 6)), (10, (2, 9)), (15, (4, 12)), (20, (6, 15)), (25, (8, 18))]
)
def test_the_ranks_around_a_median_are_those_of_the_tables(n, ranks):
    assert quantile_ranks(n, 0.5, 0.95) == ranks


@pytest.mark.parametrize("n", [1, 2, 28, 29, 35, 36, 60, 150])
@pytest.mark.parametrize("share", [Fraction(1, 2), Fraction(9, 10), Fraction(19, 20)])
def test_ranks_of_a_percentile_are_the_tightest_that_leave_a_fortieth_on_each_side(n, share):
    lower, upper = quantile_ranks(n, float(share), 0.95)
    alpha = Fraction(1, 40)
    assert lower == 0 or exact_binomial_cdf(lower - 1, n, share) <= alpha
    assert exact_binomial_cdf(lower, n, share) > alpha
    assert exact_binomial_cdf(upper - 1, n, share) >= 1 - alpha
    assert upper == 1 or exact_binomial_cdf(upper - 2, n, share) < 1 - alpha


def test_a_p90_has_no_upper_limit_below_36_documents():
    assert quantile_ranks(35, 0.9, 0.95)[1] == 36
    assert quantile_ranks(36, 0.9, 0.95)[1] == 36


def test_nonsense_parameters_are_refused():
    for call in (
        lambda: incomplete_beta(0, 1, 0.5),
        lambda: incomplete_gamma(0, 1),
        lambda: gamma_quantile(1.0, 2),
        lambda: quantile_ranks(0, 0.5, 0.95),
        lambda: quantile_ranks(10, 1.0, 0.95),
    ):
        with pytest.raises(ValueError, match=r"positive|probability|at least one|share"):
            call()

"""Which quantile belongs to a probability: normal, Student t, gamma and binomial, without a numerical library.

Floats are right here: these are statistics of measured figures, never money, stock or anything that is posted.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import ceil, exp, inf, isclose, lgamma, log, log1p, pi, sqrt
from statistics import NormalDist

_TINY = 1e-300
_EPS = 1e-15
_STEPS = 10_000


@lru_cache(maxsize=64)
def normal_quantile(probability: float) -> float:
    """The z with P(Z ≤ z) = ``probability`` (Wichura's AS 241, from the standard library); ValueError outside ]0, 1[."""
    return NormalDist().inv_cdf(probability)


def two_sided_z(level: float) -> float:
    """The z of a two-sided interval: 1.959964 at ``level`` 0.95; ValueError outside ]0, 1[."""
    if not 0.0 < level < 1.0:
        raise ValueError(f"a level of confidence lies between 0 and 1, not at {level}")
    return normal_quantile(0.5 + level / 2.0)


def incomplete_beta(a: float, b: float, x: float) -> float:
    """Regularised I_x(a, b) for a, b > 0, by Lentz's continued fraction (Numerical Recipes §6.4, DLMF 8.17.22)."""
    if a <= 0.0 or b <= 0.0:
        raise ValueError("the beta distribution needs positive parameters")
    if x <= 0.0:
        return 0.0
    if x >= 1.0:
        return 1.0
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x))
    if x < (a + 1.0) / (a + b + 2.0):
        return min(1.0, front * _beta_fraction(a, b, x) / a)
    return max(0.0, 1.0 - front * _beta_fraction(b, a, 1.0 - x) / b)


def _beta_fraction(a: float, b: float, x: float) -> float:
    c, d = 1.0, _away_from_zero(1.0 - (a + b) * x / (a + 1.0))
    d = 1.0 / d
    h = d
    for m in range(1, _STEPS):
        for numerator in (
            m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0)),
        ):
            d = 1.0 / _away_from_zero(1.0 + numerator * d)
            c = _away_from_zero(1.0 + numerator / c)
            h *= c * d
        if abs(c * d - 1.0) < _EPS:
            return h
    raise ArithmeticError(f"incomplete beta did not converge at a={a}, b={b}, x={x}")


def _away_from_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


def binomial_cdf(k: int, n: int, p: float) -> float:
    """P(X ≤ k) of n independent yes/no cases with share p (DLMF 8.17.5)."""
    if k < 0:
        return 0.0
    if k >= n:
        return 1.0
    return incomplete_beta(n - k, k + 1.0, 1.0 - p)


@lru_cache(maxsize=4096)
def t_quantile(probability: float, freedom: float) -> float:
    """The t with P(T ≤ t) = ``probability`` for ``freedom`` degrees of freedom, to 1e-8.

    Inverts P(T > t) = ½ · I_{ν/(ν+t²)}(ν/2, ½) (Abramowitz & Stegun 26.7.1) by Newton; from 100,000 degrees on
    t = z + (z³ + z) ÷ 4ν (ibid. 26.7.5), whose error is below 1e-9.
    """
    if not 0.0 < probability < 1.0 or freedom <= 0.0:
        raise ValueError("a t quantile needs a probability in ]0, 1[ and positive degrees of freedom")
    if isclose(probability, 0.5, abs_tol=1e-16):
        return 0.0
    if probability < 0.5:
        return -t_quantile(1.0 - probability, freedom)
    if freedom >= 100_000.0:
        z = normal_quantile(probability)
        return z + (z**3 + z) / (4.0 * freedom)
    tail = 1.0 - probability
    height = exp(lgamma((freedom + 1.0) / 2.0) - lgamma(freedom / 2.0)) / sqrt(freedom * pi)

    def excess(t: float) -> tuple[float, float]:
        below = 0.5 * incomplete_beta(freedom / 2.0, 0.5, freedom / (freedom + t * t))
        return tail - below, height * (1.0 + t * t / freedom) ** (-(freedom + 1.0) / 2.0)

    return _root(excess, max(1e-9, normal_quantile(probability)))


def incomplete_gamma(a: float, x: float) -> float:
    """Regularised lower P(a, x) for a > 0: series below a + 1, continued fraction above (Numerical Recipes §6.2)."""
    if a <= 0.0:
        raise ValueError("the gamma distribution needs a positive shape")
    if x <= 0.0:
        return 0.0
    front = exp(a * log(x) - x - lgamma(a))
    if x < a + 1.0:
        term = total = 1.0 / a
        for step in range(1, _STEPS * 10):
            term *= x / (a + step)
            total += term
            if term < total * _EPS:
                return min(1.0, total * front)
        raise ArithmeticError(f"incomplete gamma did not converge at a={a}, x={x}")
    b = x + 1.0 - a
    c, d = 1.0 / _TINY, 1.0 / _away_from_zero(b)
    h = d
    for step in range(1, _STEPS * 10):
        numerator = -step * (step - a)
        b += 2.0
        d = 1.0 / _away_from_zero(numerator * d + b)
        c = _away_from_zero(b + numerator / c)
        h *= c * d
        if abs(c * d - 1.0) < _EPS:
            return max(0.0, 1.0 - front * h)
    raise ArithmeticError(f"incomplete gamma did not converge at a={a}, x={x}")


@lru_cache(maxsize=4096)
def gamma_quantile(probability: float, shape: float) -> float:
    """The x with P(shape, x) = ``probability``, to 1e-10 of itself; half a chi-square quantile of 2·shape degrees."""
    if not 0.0 < probability < 1.0:
        raise ValueError("a gamma quantile needs a probability in ]0, 1[")
    height = lgamma(shape)

    def excess(x: float) -> tuple[float, float]:
        return incomplete_gamma(shape, x) - probability, exp((shape - 1.0) * log(x) - x - height)

    # Wilson & Hilferty's cube root is close from shape 1 on; below, any positive start will do.
    cube = 1.0 - 1.0 / (9.0 * shape) + normal_quantile(probability) / (3.0 * sqrt(shape))
    return _root(excess, shape * max(cube, 0.01) ** 3)


def _root(excess: Callable[[float], tuple[float, float]], start: float) -> float:
    """Where a rising function of x > 0 is zero, to 1e-13 of itself: Newton's steps, halved where they leave the bracket.

    ``excess`` gives the function and its slope.
    """
    low, high, x = 0.0, inf, start
    for _ in range(_STEPS):
        value, slope = excess(x)
        if value < 0.0:
            low = x
        else:
            high = x
        following = x - value / slope if slope > 0.0 else inf
        if not low < following < high:
            following = x * 2.0 if high == inf else (low + high) / 2.0
        if abs(following - x) <= 1e-13 * x or following == high == low:
            return following
        x = following
    raise ArithmeticError(f"no quantile found from {start}")


@lru_cache(maxsize=4096)
def quantile_ranks(n: int, share: float, level: float) -> tuple[int, int]:
    """Ranks l < u of n ordered values whose values enclose the ``share`` quantile with confidence ``level``.

    By binomial rank (Conover, Practical Nonparametric Statistics, §3.2): the largest l with P(X < l) ≤ α/2 and the
    smallest u with P(X < u) ≥ 1 − α/2. Rank 0 means no lower limit, rank n + 1 no upper limit: n is too small for one.
    """
    if n < 1 or not 0.0 < share < 1.0:
        raise ValueError("ranks need at least one value and a share in ]0, 1[")
    alpha = (1.0 - level) / 2.0
    z, spread = two_sided_z(level), sqrt(n * share * (1.0 - share))
    lower = _first_rank(n, int(n * share - z * spread), lambda rank: binomial_cdf(rank - 1, n, share) > alpha) - 1
    upper = _first_rank(n, int(n * share + z * spread), lambda rank: binomial_cdf(rank - 1, n, share) >= 1.0 - alpha)
    return lower, upper


def _first_rank(n: int, guess: int, holds: Callable[[int], bool]) -> int:
    """The first rank from 1 to n + 1 at which a monotone ``holds`` is true, searched around ``guess``."""
    low, high, step = 1, n + 1, 2
    at = min(max(guess, low), high)
    if holds(at):
        high = at
        while at > 1 and holds(at := max(1, at - step)):
            high, step = at, step * 2
        low = 1 if high == 1 else at + 1
    else:
        low = at + 1
        while at < n + 1 and not holds(at := min(n + 1, at + step)):
            low, step = at + 1, step * 2
        high = at
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low


def whole_up(value: float) -> int:
    """The next whole number, forgiving the last bits of a product of floats (30.000000000001 is 30)."""
    return ceil(value - 1e-9 * max(1.0, abs(value)))

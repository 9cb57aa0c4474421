"""How far may the true figure lie from the measured one: the interval that belongs to each form of measure.

Floats are right here and nowhere near money: sums come in as exact integers, limits leave as decimals of six places,
rounded outward, so that a stored snapshot and its verdict can never disagree about a limit. ``level`` is two-sided,
0.95 unless a gate with several fixed dates asks for more.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from fractions import Fraction
from math import sqrt
from typing import Final, NamedTuple, Protocol

from readiness.measures.distributions import gamma_quantile, t_quantile, two_sided_z

LEVEL: Final = 0.95
CLUSTER_DAYS: Final = 10
"""From so many days with documents on, the scatter between days is compared with that between documents."""

_PLACES: Final = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Interval:
    """Limits in the unit of the measure; None is open: the figure may be arbitrarily small or large."""

    low: Decimal | None
    high: Decimal | None


def outward(low: float | None, high: float | None) -> Interval:
    """The interval at six places, never narrower than the floats it comes from."""
    return Interval(
        None if low is None else Decimal(repr(low)).quantize(_PLACES, ROUND_FLOOR),
        None if high is None else Decimal(repr(high)).quantize(_PLACES, ROUND_CEILING),
    )


class Sample(Protocol):
    """What an interval is computed from, kept so that another level, or more documents, can be asked for."""

    def interval(self, level: float = LEVEL) -> Interval | None:
        """The two-sided interval, None where the sample is too small to have one."""

    def grown(self, factor: float) -> Sample:
        """The same figure from ``factor`` times as many documents."""


class Sums(NamedTuple):
    """Additive content of a bucket, in the integer units of its measure.

    ``n`` documents, Σx, Σy and per document Σx², Σxy, Σy²; for a yes/no measure y is 1 and x is 0 or 1.
    """

    n: int
    x: int
    y: int
    xx: int
    xy: int
    yy: int

    def __add__(self, other: Sums) -> Sums:  # type: ignore[override]  # sums add up, they are not strung together
        return Sums(
            self.n + other.n,
            self.x + other.x,
            self.y + other.y,
            self.xx + other.xx,
            self.xy + other.xy,
            self.yy + other.yy,
        )


NOTHING: Final = Sums(0, 0, 0, 0, 0, 0)


def total(days: Iterable[Sums]) -> Sums:
    """The sums of a window."""
    columns = list(zip(*days, strict=True))
    return Sums._make(map(sum, columns)) if columns else NOTHING


def _scatter(clusters: int, x: int, y: int, xx: int, xy: int, yy: int) -> Fraction | None:
    """V = n/(n−1) · (Σx² − 2R·Σxy + R²·Σy²) ÷ (Σy)² with R = Σx ÷ Σy, exactly; None below two clusters.

    The variance of a ratio of sums by linearisation (Cochran, Sampling Techniques, 3rd ed., §2.11 and §6.3).
    """
    if clusters < 2 or y == 0:
        return None
    squares = Fraction(xx * y * y - 2 * x * y * xy + x * x * yy, y * y)
    return Fraction(clusters, clusters - 1) * squares / (y * y)


def variance_by_document(days: Sequence[Sums]) -> Fraction | None:
    """V clustered by document, None below two documents."""
    s = total(days)
    return _scatter(s.n, s.x, s.y, s.xx, s.xy, s.yy)


def variance_by_day(days: Sequence[Sums]) -> Fraction | None:
    """V clustered by day, from daily sums; None where fewer than ten days have documents."""
    used = [day for day in days if day != NOTHING]
    if len(used) < CLUSTER_DAYS:
        return None
    s = total(used)
    xx, xy, yy = (sum(values) for values in zip(*((d.x * d.x, d.x * d.y, d.y * d.y) for d in used), strict=True))
    return _scatter(len(used), s.x, s.y, xx, xy, yy)


def wilson(share: float, cases: float, level: float = LEVEL) -> tuple[float, float]:
    """Wilson's score limits of a share from ``cases`` independent cases, which need not be whole (Wilson 1927).

    (p + z²/2n ± z·√(p(1−p)/n + z²/4n²)) ÷ (1 + z²/n). ValueError for a share outside [0, 1] or no cases.
    """
    if not 0.0 <= share <= 1.0 or cases <= 0.0:
        raise ValueError("Wilson's limits need a share in [0, 1] and at least some cases")
    z = two_sided_z(level)
    room = z * z / cases
    middle = share + room / 2.0
    half = z * sqrt(share * (1.0 - share) / cases + room / (4.0 * cases))
    low = 0.0 if share == 0.0 else max(0.0, (middle - half) / (1.0 + room))
    high = 1.0 if share == 1.0 else min(1.0, (middle + half) / (1.0 + room))
    return low, high


@dataclass(frozen=True, slots=True)
class ShareSample:
    """A share R between 0 and 1 that is worth ``cases`` independent yes/no cases."""

    share: Fraction
    cases: float

    def interval(self, level: float = LEVEL) -> Interval:
        """Wilson's limits."""
        return outward(*wilson(float(self.share), self.cases, level))

    def grown(self, factor: float) -> ShareSample:
        """The same share from more documents."""
        return replace(self, cases=self.cases * factor)


def yes_no_sample(days: Sequence[Sums]) -> ShareSample | None:
    """One yes/no per document: Wilson on the count, or on n_eff = R(1−R) ÷ V by day where that is smaller.

    Errors come in bad days; ten documents of one bad day prove less than ten of ten days. None without documents or
    where x does not lie between 0 and y.
    """
    s = total(days)
    if not 0 <= s.x <= s.y or s.y == 0:
        return None
    share = Fraction(s.x, s.y)
    cases = Fraction(s.y)
    scatter = variance_by_day(days)
    if scatter:
        cases = min(cases, share * (1 - share) / scatter)
    return ShareSample(share, float(cases))


def share_sample(days: Sequence[Sums]) -> ShareSample | None:
    """Ratio of sums with 0 ≤ x ≤ y: Wilson on n_eff = R(1−R) ÷ V, V the larger of by document and by day.

    At most (Σy)² ÷ Σy² cases (Kish's effective size), and exactly this where V is 0 or a single document has none.
    None without documents or where x does not lie between 0 and y.
    """
    s = total(days)
    if not 0 <= s.x <= s.y or s.y == 0 or s.yy <= 0:
        return None
    share = Fraction(s.x, s.y)
    cases = Fraction(s.y * s.y, s.yy)
    scatter = max(variance_by_document(days) or Fraction(0), variance_by_day(days) or Fraction(0))
    if scatter:
        cases = min(cases, share * (1 - share) / scatter)
    return ShareSample(share, float(cases))


@dataclass(frozen=True, slots=True)
class MeanSample:
    """A ratio of sums or a mean without natural limits: R, its variance V, and the clusters V was taken from."""

    mean: float
    variance: float
    clusters: float

    def interval(self, level: float = LEVEL) -> Interval | None:
        """R ± t·√V with Student's t of clusters − 1 degrees of freedom."""
        if self.clusters < 2.0:
            return None
        two_sided_z(level)
        half = t_quantile(0.5 + level / 2.0, self.clusters - 1.0) * sqrt(self.variance)
        return outward(self.mean - half, self.mean + half)

    def grown(self, factor: float) -> MeanSample:
        """The same mean from more documents."""
        return replace(self, variance=self.variance / factor, clusters=self.clusters * factor)


def mean_sample(days: Sequence[Sums], scale: Fraction = Fraction(1)) -> MeanSample | None:
    """Other ratios of sums and means; ``scale`` turns x ÷ y into the unit of the value (1/100: cents to euros).

    None below two documents: one document has no scatter.
    """
    s = total(days)
    by_document = variance_by_document(days)
    if by_document is None:
        return None
    by_day = variance_by_day(days)
    scatter, clusters = by_document, s.n
    if by_day is not None and by_day > by_document:
        scatter, clusters = by_day, sum(1 for day in days if day != NOTHING)
    return MeanSample(float(scale * Fraction(s.x, s.y)), float(scale * scale * scatter), float(clusters))


def poisson_limits(cases: float, level: float = LEVEL) -> tuple[float, float]:
    """Exact limits of a Poisson mean after ``cases`` cases (Garwood 1936), which need not be whole.

    ½χ²(α/2; 2k) and ½χ²(1 − α/2; 2k + 2), as quantiles of the gamma distribution. ValueError below no cases.
    """
    if cases < 0.0:
        raise ValueError("fewer than no cases")
    two_sided_z(level)
    alpha = (1.0 - level) / 2.0
    return gamma_quantile(alpha, cases) if cases > 0.0 else 0.0, gamma_quantile(1.0 - alpha, cases + 1.0)


@dataclass(frozen=True, slots=True)
class RateSample:
    """``cases`` equal cases of ``weight`` each, over an ``exposure`` (documents handled) that is known exactly."""

    cases: float
    weight: float
    exposure: float

    def interval(self, level: float = LEVEL) -> Interval | None:
        """Exact Poisson limits of the cases, scaled to weight per exposure."""
        if self.exposure <= 0.0:
            return None
        low, high = poisson_limits(self.cases, level)
        return outward(low * self.weight / self.exposure, high * self.weight / self.exposure)

    def grown(self, factor: float) -> RateSample:
        """The same rate from a larger exposure."""
        return replace(self, cases=self.cases * factor, exposure=self.exposure * factor)


def rate_sample(
    weights: int, squares: int, exposure: int, *, heaviest: int = 1, scale: Fraction = Fraction(1)
) -> RateSample | None:
    """Rates that may exceed one per document: Σw ÷ exposure, for k = (Σw)² ÷ Σw² equal cases of weight Σw² ÷ Σw.

    Unweighted cases have weight 1. Where nothing happened, the next case could be the ``heaviest``. ``scale`` turns
    the quotient into the unit of the value (100: per 100 documents). None without exposure.
    """
    if exposure <= 0 or weights < 0 or (weights > 0 and squares <= 0):
        return None
    if weights == 0:
        return RateSample(0.0, float(heaviest * scale), float(exposure))
    cases = Fraction(weights * weights, squares)
    return RateSample(float(cases), float(Fraction(squares, weights) * scale), float(exposure))

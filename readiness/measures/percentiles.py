"""How long do nine of ten take, open ones included: percentiles of times with their limits, read from sketches.

Finished times alone flatter: the slow ones are still open. Open documents count as censored at their present age
(Kaplan & Meier 1958), so a backlog moves the percentile before its first document closes. Floats are right here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from math import exp, floor, log, sqrt
from typing import Final

from readiness.measures.distributions import quantile_ranks, two_sided_z, whole_up
from readiness.measures.intervals import LEVEL, Interval, outward
from readiness.measures.sketch import RELATIVE_ERROR, Sketch, value_of

P50: Final = Fraction(1, 2)
P90: Final = Fraction(9, 10)
P95: Final = Fraction(19, 20)

_SLACK: Final = 1e-12
"""Survival is a product of up to some hundred floats; equality is meant to within their last bits."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A percentile in seconds; where not ``reached``, it lies beyond ``seconds``, the oldest age seen."""

    seconds: float
    reached: bool


@dataclass(frozen=True, slots=True)
class _Step:
    """Survival just after a time: share still open, and Greenwood's sum Σ d ÷ (r·(r − d))."""

    seconds: float
    survival: float
    greenwood: float


@lru_cache(maxsize=256)
def _survival(bins: tuple[tuple[int, int, int], ...]) -> tuple[_Step, ...]:
    """The Kaplan–Meier curve, a step per bin with finished documents; those open in it are still at risk."""
    at_risk = sum(finished + waiting for _, finished, waiting in bins)
    survival, greenwood, steps = 1.0, 0.0, []
    for number, finished, waiting in bins:
        if finished:
            left = at_risk - finished
            survival *= left / at_risk
            greenwood += finished / (at_risk * left) if left else 0.0
            steps.append(_Step(value_of(number), survival, greenwood))
        at_risk -= finished + waiting
    return tuple(steps)


@dataclass(frozen=True, slots=True)
class PercentileSample:
    """Finished and open documents by bin, and the percentile asked for; ``growth`` imagines more of the same."""

    bins: tuple[tuple[int, int, int], ...]
    """(bin, finished, open) from the shortest to the longest."""
    share: Fraction
    oldest_open: float | None = None
    growth: float = 1.0

    def estimate(self) -> Estimate | None:
        """The smallest time by which at least ``share`` of the documents is done; None without any document.

        Without open documents this is the ⌈share·n⌉-th shortest time. With them it is where the Kaplan–Meier curve
        falls to 1 − share, and not reached where the open ones keep it above.
        """
        target = float(1 - self.share) + _SLACK
        for step in self._curve:
            if step.survival <= target:
                return Estimate(step.seconds, reached=True)
        if self.oldest_open is None:
            return None
        return Estimate(self.oldest_open, reached=False)

    def interval(self, level: float = LEVEL) -> Interval | None:
        """Limits in seconds, widened by the 1 % of the sketch; None on a side that too few documents can prove.

        Order statistics by binomial rank; with open documents the times at which the log(−log) limits of the survival
        cross 1 − share, from Greenwood's variance (Brookmeyer & Crowley 1982; Kalbfleisch & Prentice §1.4).
        """
        if not any(finished for _, finished, _ in self.bins):
            return None
        low, high = self._greenwood_limits(level) if self._has_open else self._rank_limits(level)
        return outward(
            None if low is None else low * (1.0 - RELATIVE_ERROR),
            None if high is None else high * (1.0 + RELATIVE_ERROR),
        )

    def grown(self, factor: float) -> PercentileSample:
        """The same distribution from more documents."""
        return replace(self, growth=self.growth * factor)

    @property
    def _has_open(self) -> bool:
        return any(waiting for _, _, waiting in self.bins)

    @property
    def _curve(self) -> tuple[_Step, ...]:
        return _survival(self.bins)

    def _rank_limits(self, level: float) -> tuple[float | None, float | None]:
        n = max(1, floor(sum(finished for _, finished, _ in self.bins) * self.growth + 1e-9))
        lower, upper = quantile_ranks(n, float(self.share), level)
        return self._ranked(lower) if lower else 0.0, self._ranked(upper) if upper <= n else None

    def _ranked(self, rank: int) -> float:
        wanted, seen = whole_up(rank / self.growth), 0
        for number, finished, _ in self.bins:
            seen += finished
            if seen >= wanted:
                return value_of(number)
        return value_of(self.bins[-1][0])

    def _greenwood_limits(self, level: float) -> tuple[float, float | None]:
        z, target = two_sided_z(level), float(1 - self.share)
        low = high = None
        for step in self._curve:
            if step.survival <= 0.0:
                # The last document ended the curve; Greenwood has no variance there, so nothing above is proven.
                low = step.seconds if low is None else low
                break
            spread = z * sqrt(step.greenwood / self.growth) / abs(log(step.survival))
            hazard = -log(step.survival)
            if low is None and exp(-hazard * exp(spread)) <= target + _SLACK:
                low = step.seconds
            if high is None and exp(-hazard * exp(-spread)) <= target + _SLACK:
                high = step.seconds
        return low if low is not None else 0.0, high


def percentile_sample(finished: Sketch, open_ages: Iterable[float] | Sketch, share: Fraction) -> PercentileSample:
    """A percentile of finished times and present ages of open documents, both in seconds.

    Open ages may come as a sketch where there are many. ValueError for a share outside ]0, 1[ or a bin counted below
    zero.
    """
    if not 0 < share < 1:
        raise ValueError("a percentile lies between 0 and 1")
    if isinstance(open_ages, Sketch):
        waiting = open_ages
        oldest = value_of(waiting.bins()[-1][0]) if waiting.count else None
    else:
        ages = list(open_ages)
        waiting, oldest = Sketch.of(ages), max(ages, default=None)
    done, still = dict(finished.checked_bins()), dict(waiting.checked_bins())
    bins = tuple((number, done.get(number, 0), still.get(number, 0)) for number in sorted({*done, *still}))
    return PercentileSample(bins, share, oldest)

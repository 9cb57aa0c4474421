"""How long did it take: counts of times in fixed logarithmic bins that can be added and taken back.

The bins never move, so sketches of days, cells and corrections add up exactly, and a rebuild gives the same counts
(Masson, Rim & Lee, DDSketch, VLDB 2019, without collapsing). Times are seconds. Floats are right here: a sketch is a
statistic with a stated error, never money or stock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from math import ceil, log
from typing import Final

RELATIVE_ERROR: Final = 0.01
GAMMA: Final = (1.0 + RELATIVE_ERROR) / (1.0 - RELATIVE_ERROR)
ZERO_BIN: Final = -32768
"""The bin of a time of nothing or less; it fits a 16-bit column like every other bin."""

_PER_LOG: Final = 1.0 / log(GAMMA)
_CENTRE: Final = 2.0 / (GAMMA + 1.0)


def bin_of(seconds: float) -> int:
    """The bin of a time: k for γ^(k−1) < seconds ≤ γ^k, ZERO_BIN for a time of nothing or less."""
    if seconds <= 0:
        return ZERO_BIN
    return ceil(log(seconds) * _PER_LOG)


def value_of(number: int) -> float:
    """The time a bin stands for, at most 1 % off every time in it: 2γ^k ÷ (γ + 1)."""
    if number == ZERO_BIN:
        return 0.0
    return float(_CENTRE * GAMMA**number)


class Sketch:
    """Signed counts per bin. Deltas may be negative; a sum of all deltas of a period never is."""

    __slots__ = ("_counts",)

    def __init__(self, counts: Mapping[int, int] | Iterable[tuple[int, int]] = ()) -> None:
        self._counts: dict[int, int] = {}
        for number, count in counts.items() if isinstance(counts, Mapping) else counts:
            self.add_bin(number, count)

    @classmethod
    def of(cls, times: Iterable[float]) -> Sketch:
        """The sketch of these times in seconds."""
        sketch = cls()
        for seconds in times:
            sketch.add(seconds)
        return sketch

    def add(self, seconds: float, count: int = 1) -> None:
        """Count a time; a negative ``count`` takes one back."""
        self.add_bin(bin_of(seconds), count)

    def add_bin(self, number: int, count: int) -> None:
        """Count into a bin; a bin that comes to nothing leaves the sketch."""
        total = self._counts.get(number, 0) + count
        if total:
            self._counts[number] = total
        else:
            self._counts.pop(number, None)

    def merge(self, other: Sketch) -> Sketch:
        """A new sketch of both."""
        merged = Sketch(self._counts)
        for number, count in other._counts.items():
            merged.add_bin(number, count)
        return merged

    def subtract(self, other: Sketch) -> Sketch:
        """A new sketch of this one without the other: the delta of a correction."""
        rest = Sketch(self._counts)
        for number, count in other._counts.items():
            rest.add_bin(number, -count)
        return rest

    @property
    def count(self) -> int:
        """How many times are in it."""
        return sum(self._counts.values())

    def bins(self) -> tuple[tuple[int, int], ...]:
        """(bin, count) from the shortest time to the longest; what is stored and what is hashed."""
        return tuple(sorted(self._counts.items()))

    def checked_bins(self) -> tuple[tuple[int, int], ...]:
        """``bins()`` of a whole period; ValueError where a count is negative: a delta is missing or came twice."""
        bins = self.bins()
        for number, count in bins:
            if count < 0:
                raise ValueError(f"bin {number} holds {count} times: a delta is missing or was taken twice")
        return bins

    def quantile(self, share: Fraction) -> float | None:
        """The ⌈share·n⌉-th shortest time to within 1 %, None of nothing; never an interpolation between two times."""
        bins = self.checked_bins()
        rank = max(1, ceil(share * sum(count for _, count in bins)))
        seen = 0
        for number, count in bins:
            seen += count
            if seen >= rank:
                return value_of(number)
        return None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sketch) and self._counts == other._counts

    __hash__ = None  # type: ignore[assignment]  # it changes while it is being filled

    def __repr__(self) -> str:
        return f"Sketch({self.bins()!r})"

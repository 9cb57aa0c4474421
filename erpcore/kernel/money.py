"""Amounts in minor units of a currency, and the one place where they are rounded.

Amounts are integers of the smallest unit; unit prices and rates have six places. Rounding happens once, at the line, half
away from zero ("commercial"), as invoices in the trade are rounded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from erpcore.kernel.model import PRICE_PLACES, QUANTITY_PLACES

#: Places of currencies that do not have two (ISO 4217).
_PLACES = {"JPY": 0, "KRW": 0, "CLP": 0, "ISK": 0, "VND": 0, "BHD": 3, "KWD": 3, "JOD": 3, "OMR": 3, "TND": 3}
_ONE = Decimal(1)


def places(currency: str) -> int:
    """Decimal places of the currency's smallest unit."""
    return _PLACES.get(currency, 2)


def to_minor(amount: Decimal, currency: str) -> int:
    """``amount`` rounded once to minor units, half away from zero."""
    return int(amount.scaleb(places(currency)).quantize(_ONE, ROUND_HALF_UP))


def line_amount(quantity: Decimal, unit_price: Decimal, currency: str) -> int:
    """Quantity × unit price in minor units, rounded here and nowhere else."""
    return to_minor(quantity * unit_price, currency)


def scaled_amount(quantity: int, price: int, currency: str) -> int:
    """``line_amount`` for rows: thousandths of the unit × millionths of the currency, in minor units, rounded the same way."""
    divisor: int = 10 ** (QUANTITY_PLACES + PRICE_PLACES - places(currency))
    product = abs(quantity * price)
    rounded = (2 * product + divisor) // (2 * divisor)
    return rounded if quantity * price >= 0 else -rounded


def exact_amount(quantity: int, price: int) -> int:
    """Thousandths × millionths as millionths of the currency; digits beyond six places are rounded half away from zero."""
    product = abs(quantity * price)
    rounded = (2 * product + 1000) // 2000
    return rounded if quantity * price >= 0 else -rounded


def share_of(amount: int, rate: int) -> int:
    """``amount`` in minor units × ``rate`` in millionths, rounded half away from zero: a tax on a net sum."""
    product = abs(amount * rate)
    rounded = (2 * product + 1_000_000) // 2_000_000
    return rounded if amount * rate >= 0 else -rounded


def from_minor(minor: int, currency: str) -> Decimal:
    """Minor units as a decimal amount of the currency."""
    return Decimal(minor).scaleb(-places(currency))


@dataclass(frozen=True, slots=True)
class Money:
    """An amount of one currency. Adding two currencies raises ``ValueError``."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.minor) is not int:
            raise TypeError("money is an integer count of minor units")

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.minor - other.minor, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def _same(self, other: Money) -> None:
        if self.currency != other.currency:
            raise ValueError(f"{self.currency} and {other.currency} cannot be added without a rate")

    @property
    def decimal(self) -> Decimal:
        return from_minor(self.minor, self.currency)

    def split(self, weights: Sequence[int]) -> list[Money]:
        """Share by weight so that the parts add back up exactly; odd units go where rounding took most, earliest first."""
        whole = sum(weights)
        if whole <= 0 or min(weights) < 0:
            raise ValueError("weights must not be negative, and must not all be zero")
        sign, size = (-1 if self.minor < 0 else 1), abs(self.minor)
        parts = [size * weight // whole for weight in weights]
        lost = sorted(range(len(weights)), key=lambda i: -(size * weights[i] % whole))
        for i in lost[: size - sum(parts)]:
            parts[i] += 1
        return [Money(sign * part, self.currency) for part in parts]

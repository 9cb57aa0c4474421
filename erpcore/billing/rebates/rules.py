"""How much rebate does so much bought earn? Integers in, minor units out, rounded once for the whole agreement.

What an agreement accrued is always what its tiers give for all that counts so far, so a tier that is crossed, up or down, trues
up what came before.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from erpcore.billing.rebates.models import Basis
from erpcore.kernel.money import places

_MILLION = 1_000_000


class Tier(NamedTuple):
    """From ``starts_at`` on ``percent`` of the net, or ``per_unit`` of the currency for each unit; both in millionths."""

    level: int
    starts_at: int
    percent: int | None
    per_unit: int | None
    is_retroactive: bool


class Terms(NamedTuple):
    """What decides how much is earned. ``tiers`` in the order of where they start."""

    basis: str
    base: int
    currency: str
    tiers: Sequence[Tier]


class Step(NamedTuple):
    """What one line does: for itself, for all before it, and the tier (0: none) reached after it."""

    amount: int
    adjusted: int
    level: int


class _Slice(NamedTuple):
    """Of what goes beyond the base the part from ``starts_at`` to ``ends_at`` (``None``: all), at the rate of ``tier``."""

    starts_at: int
    ends_at: int | None
    tier: Tier | None


def measured(terms: Terms, net: int, quantity: int) -> int:
    """What goes beyond the base: minor units, or thousandths. Never below nil."""
    return max(0, (net if terms.basis == Basis.NET else quantity) - terms.base)


def reached(terms: Terms, net: int, quantity: int) -> int:
    """The level of the tier reached, 0 for none."""
    value = measured(terms, net, quantity)
    return max((tier.level for tier in terms.tiers if value and tier.starts_at <= value), default=0)


def earned(terms: Terms, net: int, quantity: int) -> int:
    """What so much bought earns, in minor units, half up."""
    return _worth(terms, _slices(terms, reached(terms, net, quantity)), net, quantity)


def step(terms: Terms, before: tuple[int, int], accrued: int, after: tuple[int, int]) -> Step:
    """What it accrues that net and quantity go from ``before`` to ``after``, ``accrued`` being what stood for ``before``."""
    level = reached(terms, *after)
    rates = _slices(terms, level)
    former = _worth(terms, rates, *before)
    return Step(_worth(terms, rates, *after) - former, former - accrued, level)


def _slices(terms: Terms, level: int) -> list[_Slice]:
    """The rates at this tier: a retroactive one is for all below it too, and the last reached goes on without end."""
    tiers = [tier for tier in terms.tiers if tier.level <= level]
    if not tiers:
        return []
    starts = [0, *(tier.starts_at for tier in tiers)]
    ends: list[int | None] = [*starts[1:], None]
    rates: list[Tier | None] = [None, *tiers]
    back = max((at for at, tier in enumerate(tiers, 1) if tier.is_retroactive), default=0)
    for at in range(back):
        rates[at] = rates[back]
    return [_Slice(*parts) for parts in zip(starts, ends, rates, strict=True)]


def _worth(terms: Terms, slices: Sequence[_Slice], net: int, quantity: int) -> int:
    whole = net if terms.basis == Basis.NET else quantity
    value = measured(terms, net, quantity)
    if not value:
        return 0
    total = Fraction(0)
    for starts_at, ends_at, tier in slices:
        part = max(0, (value if ends_at is None else min(value, ends_at)) - starts_at)
        if tier is None or not part:
            continue
        # So much of net and quantity as the slice is of what is measured.
        share = Fraction(part, whole)
        if tier.percent is not None:
            total += share * net * tier.percent / _MILLION
        else:
            total += share * quantity * (tier.per_unit or 0) * 10 ** places(terms.currency) / (1000 * _MILLION)
    return int(total + Fraction(1, 2)) if total > 0 else 0

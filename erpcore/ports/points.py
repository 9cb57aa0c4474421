"""What is a policy point, who may depart from it, and which values may stand there?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from erpcore.kernel.errors import RuleBroken


class Freedom(StrEnum):
    """Who may depart from a policy point: nobody, a site in how it works, or a commitment to customers."""

    LOCKED = "locked"
    EXECUTION = "variable by execution"
    COMMITMENT = "variable by commitment"


#: The dimensions that a scope may name; the first is the most specific.
DIMENSIONS = ("item_group", "customer_group", "channel", "site", "entity")
_ALLOWED = {
    Freedom.LOCKED: frozenset[str](),
    Freedom.EXECUTION: frozenset({"entity", "site"}),
    Freedom.COMMITMENT: frozenset(DIMENSIONS),
}


class Unit(StrEnum):
    """What a number at a policy point counts."""

    DAYS = "days"
    PERMILLE = "per mille"
    MINOR = "minor units of the currency"


@dataclass(frozen=True, kw_only=True)
class PolicyPoint:
    """One place where the core's behaviour is data: a choice of words, a yes or no, or a whole number in a range.

    ``choices`` and the range hold what the core does, never more. ``before_introduction`` is how it behaved before the point
    was there: what a ruleset of an older catalogue means by it. ``means`` says each choice in words.
    """

    name: str
    title: str
    area: str
    freedom: Freedom
    standard: Any
    before_introduction: Any
    sentence: str
    choices: tuple[Any, ...] = ()
    minimum: int = 0
    maximum: int = 0
    unit: Unit | None = None
    means: Mapping[Any, str] | None = None

    @property
    def dimensions(self) -> tuple[str, ...]:
        """What a departure may be limited to, in the order of precedence."""
        return tuple(name for name in DIMENSIONS if name in _ALLOWED[self.freedom])

    @property
    def has_alternative(self) -> bool:
        """Whether any other value than one may stand here."""
        return len(self.choices) > 1 if self.choices else self.minimum < self.maximum

    def admits(self, value: Any) -> bool:
        """Whether the value is of the point's type and in its range. A yes is no number, and a number no yes."""
        if self.choices:
            return any(type(value) is type(choice) and value == choice for choice in self.choices)
        return type(value) is int and self.minimum <= value <= self.maximum

    def check(self, value: Any) -> None:
        """Raise ``RuleBroken`` for a value that may not stand here, naming what may."""
        if self.admits(value):
            return
        may = [self.shown(choice) for choice in self.choices] or [self.range]
        raise RuleBroken("policy_value_outside", field="value", point=self.name, value=self.shown(value), may=may)

    @property
    def range(self) -> str:
        """The lowest and highest number that may stand here, as people read them."""
        return f"{self.shown(self.minimum)} to {self.shown(self.maximum)}"

    def shown(self, value: Any) -> str:
        """The value as people read it: a share as a percentage, an amount with two places."""
        if isinstance(value, bool):
            return "yes" if value else "no"
        if isinstance(value, str):
            return value.replace("_", " ")
        if not isinstance(value, int) or self.unit is None:
            return str(value)
        if self.unit is Unit.PERMILLE:
            return f"{Decimal(value) / 10:f} %"
        if self.unit is Unit.MINOR:
            return f"{Decimal(value) / 100:,.2f}"
        return f"{value} {'day' if value == 1 and self.unit is Unit.DAYS else self.unit}"

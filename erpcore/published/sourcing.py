"""What orders tell of where their goods come from: another site ships a line, another item replaces one."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from erpcore.kernel.events import Event


class LineSource(msgspec.Struct, frozen=True, kw_only=True):
    line: int
    site: int


class OrderSourced(Event, frozen=True, kw_only=True):
    """These lines are shipped by another site than the one that sells; ``reason``: the rule that chose it, or ``choice``."""

    type: ClassVar[str] = "order.sourced"
    reason: str
    lines: list[LineSource]


class OrderSubstituted(Event, frozen=True, kw_only=True):
    """Another item is sent instead of so much of a line; it is a line of its own and fills nothing. Values in minor units."""

    type: ClassVar[str] = "order.substituted"
    line: int
    item: int
    quantity: int
    value: int
    substitute_line: int
    substitute: int
    substitute_value: int
    reason: str


class SplitPart(msgspec.Struct, frozen=True, kw_only=True):
    """So much of ``line`` is line ``part`` from now on; ``value`` in minor units."""

    line: int
    part: int
    quantity: int
    value: int


class OrderSplit(Event, frozen=True, kw_only=True):
    """Parts of lines became lines of their own, for another day of ours or another address. They stay what the customer ordered
    in one, and are judged as that.
    """

    type: ClassVar[str] = "order.split"
    by_customer: bool
    reason: str
    parts: list[SplitPart]

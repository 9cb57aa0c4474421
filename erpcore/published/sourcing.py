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

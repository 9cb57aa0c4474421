"""What margin do prices leave while they are typed, are they below the floor, and who would have to approve them?

The same floors, tolerances and routing as when the order is taken, asked of the rules in force; nothing is stored for a look.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.composition.trading import rules
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import SiteFacts
from erpcore.pricing.rules import EnteredPrice, margin_permille, price_floor, route
from governance.variants.register import Scope


@dataclass(frozen=True, kw_only=True)
class Typed:
    """A line as typed, in thousandths and millionths. ``resolved``: what the rules give; ``entered``: somebody typed another."""

    line: int
    quantity: int
    price: int
    resolved: int | None
    cost: int | None
    item_group: int | None
    entered: bool


@dataclass(frozen=True, kw_only=True)
class Margin:
    """What the price leaves, in per mille, and the floor in millionths; ``None`` where cost or rule says nothing."""

    permille: int | None
    floor: int | None
    is_below: bool


def margins_of(
    look: UnitOfWork,
    lines: Sequence[Typed],
    *,
    site: SiteFacts,
    channel: int,
    group: int | None,
    tier: int,
    currency: str,
) -> tuple[list[Margin], str]:
    """The margin of each line, and the level that would have to approve the entered prices; empty when nobody has to."""
    usual = Scope(None, group, channel, site.live_id, site.entity.live_id)
    out, entered = [], []
    for line in lines:
        policy = rules().in_force(look, usual._replace(item_group=line.item_group))
        floor = price_floor(line.cost, policy["minimum_margin_permille"])
        below = floor is not None and line.price < floor
        out.append(Margin(permille=margin_permille(line.price, line.cost), floor=floor, is_below=below))
        if line.entered:
            tolerance = policy["price_tolerance_permille"]
            entered.append(EnteredPrice(line.line, line.quantity, line.resolved, line.price, floor, tolerance))
    if not entered:
        return out, ""
    policy = rules().in_force(look, usual)
    routing = route(
        entered, authority=policy["override_authority"], limit_minor=policy["override_limit_minor"], tier=tier,
        currency=currency,
    )  # fmt: skip
    return out, "" if routing is None else str(routing.level)

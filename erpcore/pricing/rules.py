"""Pure decisions about prices: the floor that a margin sets, what an overridden price loses, who may approve it."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from erpcore.kernel.money import scaled_amount

_PERMILLE = 1000


class Authority(StrEnum):
    """Who approves a price, from the lowest."""

    DESK = "desk"
    SITE_LEAD = "site_lead"
    PROCESS_OWNER = "process_owner"


#: What approving a price takes, by level.
PERMISSIONS: dict[Authority, str] = {
    Authority.DESK: "orders:price:approve_desk",
    Authority.SITE_LEAD: "orders:price:approve_site",
    Authority.PROCESS_OWNER: "orders:price:approve_process",
}
_LEVELS = tuple(Authority)
#: Customers of this tier are key accounts: what one of them is given others ask for.
KEY_TIER = 1


class EnteredPrice(NamedTuple):
    """A price that somebody entered instead of the one of the rules (``None``: there is none), in millionths, with the line's
    rules. ``quantity`` in thousandths.
    """

    line: int
    quantity: int
    resolved: int | None
    given: int
    floor: int | None
    tolerance_permille: int


class Routing(NamedTuple):
    """Who must approve, what the order loses in minor units, the lines concerned, and why it went to this level."""

    level: Authority
    lost_minor: int
    lines: tuple[int, ...]
    why: tuple[str, ...]


def price_floor(cost: int | None, margin_permille: int) -> int | None:
    """The lowest price, in millionths, of which ``margin_permille`` is left after the cost: cost ÷ (1 − margin), rounded up.

    ``None`` where no margin is asked for or the cost is unknown.
    """
    if cost is None or margin_permille == 0:
        return None
    return -(-cost * _PERMILLE // (_PERMILLE - margin_permille))


def margin_permille(price: int, cost: int | None) -> int | None:
    """(price − cost) ÷ price, rounded down to whole per mille; ``None`` for an unknown cost or a price of zero."""
    return None if cost is None or price == 0 else (price - cost) * _PERMILLE // price


def lost_margin(entered: EnteredPrice, currency: str) -> int:
    """What the line would have brought more at the price of the rules, in minor units; a higher price loses nothing."""
    if entered.resolved is None or entered.given >= entered.resolved:
        return 0
    at_rule = scaled_amount(entered.quantity, entered.resolved, currency)
    return at_rule - scaled_amount(entered.quantity, entered.given, currency)


def is_within(entered: EnteredPrice) -> bool:
    """Whether the price may stand without another person: not below the floor, and within tolerance of the rules' price.

    Where the rules give no price there is nothing to be within of.
    """
    if entered.resolved is None or (entered.floor is not None and entered.given < entered.floor):
        return False
    return entered.given * _PERMILLE >= entered.resolved * (_PERMILLE - entered.tolerance_permille)


def route(
    entered: Sequence[EnteredPrice], *, authority: str, limit_minor: int, tier: int, currency: str
) -> Routing | None:
    """Who must approve the order's entered prices; ``None`` when all stand by themselves.

    The policy's level; one higher when the margin lost is above the limit, one higher for a price below the floor, one higher
    for a key account; never above the highest.
    """
    beyond = [one for one in entered if not is_within(one)]
    if not beyond:
        return None
    lost = sum(lost_margin(one, currency) for one in beyond)
    why = []
    if lost > limit_minor:
        why.append("lost_margin_above_limit")
    if any(one.floor is not None and one.given < one.floor for one in beyond):
        why.append("below_minimum_margin")
    if tier == KEY_TIER:
        why.append("key_account")
    place = min(_LEVELS.index(Authority(authority)) + len(why), len(_LEVELS) - 1)
    return Routing(_LEVELS[place], lost, tuple(one.line for one in beyond), tuple(why))

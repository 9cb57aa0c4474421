"""Does a change of prices give away more than one person may? Looked at while it is saved, by the tolerance that orders have.

A rule is held against the price that it takes the place of, else against what its customers pay without it on its first day.
A second person decides where it is lower by more than the tolerance, or below the floor of the minimum margin.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from erpcore.kernel.model import PRICE_PLACES, QUANTITY_PLACES, scaled_int
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import entity_facts
from erpcore.ports import ProcessRules
from erpcore.pricing.newprice import NewPrice
from erpcore.pricing.precedence import Slot
from erpcore.pricing.queries import Asked, Price, discounted, resolve_prices
from erpcore.pricing.rules import price_floor
from erpcore.pricing.services import PriceFacts

_PERMILLE = 1000
#: A share of one, in millionths; also what a single unit of quantity is in thousandths.
_ONE, _ONE_UNIT = 1_000_000, 1_000


class Lowering(NamedTuple):
    """What a rule does to a price, in millionths. ``before`` and ``after`` ``None``: there is or will be none; of a whole item
    group they are shares of the list price, and there is no one floor.
    """

    before: int | None
    after: int | None
    floor: int | None
    cost: int | None
    tolerance_permille: int

    @property
    def change_permille(self) -> int | None:
        """How much higher (or, below zero, lower) the price becomes, rounded towards zero."""
        if self.before is None or self.after is None or self.before == 0:
            return None
        return int((self.after - self.before) * _PERMILLE / self.before)

    @property
    def is_below_floor(self) -> bool:
        return self.after is not None and self.floor is not None and self.after < self.floor

    @property
    def is_beyond(self) -> bool:
        """Whether a second person decides."""
        if self.is_below_floor:
            return True
        if self.before is None or self.after is None:
            return False
        return self.after * _PERMILLE < self.before * (_PERMILLE - self.tolerance_permille)


def lowerings(
    work: UnitOfWork,
    prices: Sequence[NewPrice],
    *,
    rules: ProcessRules,
    facts: PriceFacts,
    held: Mapping[Slot, Sequence[Any]],
) -> list[Lowering]:
    """What each of these rules would do; two queries for prices at most, whatever their number."""
    of_items = [price for price in prices if price.item is not None]
    found = iter(resolve_prices(work, [_asked(price, facts) for price in of_items]) if of_items else [])
    return [
        _lowering(work, price, next(found) if price.item is not None else None, rules, facts, held) for price in prices
    ]


def _group_of(price: NewPrice, facts: PriceFacts) -> int | None:
    if price.customer_group is not None or price.customer is None:
        return price.customer_group
    return facts.customers[price.customer].group_id


def _item_group_of(price: NewPrice, facts: PriceFacts) -> int | None:
    return price.item_group if price.item is None else facts.items[price.item].group_id


def _asked(price: NewPrice, facts: PriceFacts) -> Asked:
    quantity = scaled_int(price.minimum_quantity, QUANTITY_PLACES) or _ONE_UNIT
    return Asked(
        price.item or 0, price.customer or 0, _group_of(price, facts), price.channel or 0, quantity, price.valid_from,
        price.currency, _item_group_of(price, facts),
    )  # fmt: skip


def _lowering(
    work: UnitOfWork,
    price: NewPrice,
    now: Price | None,
    rules: ProcessRules,
    facts: PriceFacts,
    held: Mapping[Slot, Sequence[Any]],
) -> Lowering:
    policy = rules.consult(
        work, entity=entity_facts(work, price.entity).live_id, channel=price.channel,
        customer_group=_group_of(price, facts), item_group=_item_group_of(price, facts),
    )  # fmt: skip
    tolerance = policy["price_tolerance_permille"]
    taken = next((rule for rule in held.get(price.slot, ()) if _holds(rule, price)), None)
    discount = None if price.discount is None else scaled_int(price.discount, PRICE_PLACES)
    if price.item is None:
        old = 0 if taken is None else taken.discount or 0
        return Lowering(_ONE - old, _ONE - (discount or 0), None, None, tolerance)
    cost = facts.items[price.item].standard_cost
    floor = price_floor(cost, policy["minimum_margin_permille"])
    listed = None if now is None else now.list_price
    before = None if now is None else now.unit_price
    if taken is not None:
        before = _gives(taken.unit_price, taken.discount, listed)
    unit_price = None if price.unit_price is None else scaled_int(price.unit_price, PRICE_PLACES)
    return Lowering(before, _gives(unit_price, discount, listed), floor, cost, tolerance)


def _holds(rule: Any, price: NewPrice) -> bool:
    return bool(
        rule.valid_from <= price.valid_from and (rule.valid_until is None or price.valid_from < rule.valid_until)
    )


def _gives(unit_price: int | None, discount: int | None, listed: int | None) -> int | None:
    if unit_price is not None:
        return unit_price
    return None if listed is None or discount is None else discounted(listed, discount)

"""Saving one price that somebody types: it holds at once, or somebody else decides first."""

from __future__ import annotations

from decimal import Decimal

from erpcore.kernel.errors import NeedsConfirmation, RuleBroken
from erpcore.kernel.model import PRICE_PLACES
from erpcore.kernel.work import UnitOfWork
from erpcore.ports import ProcessRules
from erpcore.pricing.flow import CHANGE
from erpcore.pricing.lowering import Lowering, lowerings
from erpcore.pricing.newprice import NewPrice
from erpcore.pricing.services import (
    check_price,
    held_slots,
    insert_prices,
    price_facts,
    refuse_conflicts,
    today_of,
)

NEEDS_SECOND = "price_needs_second"


def weigh_price(work: UnitOfWork, price: NewPrice, *, rules: ProcessRules) -> Lowering:
    """What the rule would do to the price; nobody saves another for the same item until the unit of work ends.

    Raises ``RuleBroken`` for one that cannot be a rule, begins in the past, or contradicts another, naming it.
    """
    work.actor.require(CHANGE)
    facts = price_facts(work, [price])
    check_price(price, facts)
    if price.valid_from < today_of(work, price.entity):
        raise RuleBroken("price_starts_past", field="valid_from", day=price.valid_from)
    held = held_slots(work, [price])
    refuse_conflicts([price], held)
    (found,) = lowerings(work, [price], rules=rules, facts=facts, held=held)
    return found


def insert_price(work: UnitOfWork, price: NewPrice) -> int:
    """The id of the rule of a price that was weighed and may hold from its first day."""
    (rule,) = insert_prices(work, [price])
    return rule


def needs_second(price: NewPrice, found: Lowering, *, touches: str) -> NeedsConfirmation:
    """Why others decide first: from which price to which, and what that touches."""
    before, after = _shown(price, found.before), _shown(price, found.after)
    return NeedsConfirmation(NEEDS_SECOND, before=before, after=after, touches=touches)


def _shown(price: NewPrice, millionths: int | None) -> str:
    if millionths is None:
        return "none"
    value = Decimal(millionths).scaleb(-PRICE_PLACES)
    if price.item is None:
        return f"{(value * 100).normalize():f} % of the list price"
    return f"{value.quantize(Decimal('0.01')) if value == value.quantize(Decimal('0.01')) else value.normalize():f} {price.currency}"

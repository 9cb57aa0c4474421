"""May this be ordered like that? What can be said of an order by itself, before prices and stock are looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from sqlalchemy import select

from erpcore.kernel.errors import Conflict, RuleBroken
from erpcore.kernel.quantity import ABSURD
from erpcore.kernel.rows import chunks
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import CustomerFacts, ItemFacts, SiteFacts, site_facts
from erpcore.masterdata.units import Pack, in_own_unit, pack_named, packs_of, require_multiple
from erpcore.orders.commands import CaptureOrder, NewLine
from erpcore.orders.models import SalesOrder

_MOST_LINES = 2000
#: Years that an order can be about.
_YEARS = range(1990, 2101)


Packs = Mapping[int, Sequence[Pack]]


def packs_asked(work: UnitOfWork, commands: Sequence[CaptureOrder]) -> Packs:
    """The packs of all items that something is ordered of in one; nothing is asked where nothing is."""
    in_packs = [line.item for c in commands for line in c.lines if line.unit]
    return packs_of(work.session, in_packs) if in_packs else {}


def in_own_units(
    work: UnitOfWork, commands: Sequence[CaptureOrder], known: dict[int, ItemFacts], packs: Packs | None = None
) -> Sequence[CaptureOrder]:
    """The commands with packs as quantities of the items' own units, and in the multiples they are sold in.

    What is taken over from elsewhere was sold as it was. ``packs``: those asked for, where they are read already.
    """
    packs = packs_asked(work, commands) if packs is None else packs
    if packs:
        commands = [
            replace(
                c,
                lines=[
                    replace(
                        line,
                        quantity=in_own_unit(
                            line.quantity, pack_named(packs, known[line.item], line.unit), known[line.item].quantity_places,
                            field=f"lines-{n}-quantity",
                        ),
                    )
                    for n, line in enumerate(c.lines)
                ],
            )
            for c in commands
        ]  # fmt: skip
    if not work.is_stated:
        for command in commands:
            for number, line in enumerate(command.lines, 1):
                item = known[line.item]
                if item.order_multiple and 0 < line.quantity < ABSURD:
                    require_multiple(item, line.quantity, number, field=f"lines-{number - 1}-quantity")
    return commands


def numbers_free(work: UnitOfWork, commands: Sequence[CaptureOrder]) -> None:
    """Raise ``Conflict`` for a stated number that an order of the entity bears already."""
    numbers = {c.number: c.site for c in commands if c.number}
    if len(numbers) < sum(1 for c in commands if c.number):
        raise Conflict("number_in_use", field="number")
    for part in chunks(sorted(numbers)):
        entity = site_facts(work, numbers[part[0]]).entity.id
        taken = work.session.execute(
            select(SalesOrder.number).where(SalesOrder.entity_id == entity, SalesOrder.number.in_(part)).limit(1)
        ).scalar_one_or_none()
        if taken:
            raise Conflict("number_in_use", field="number", number=taken)


def check_order(command: CaptureOrder, site: SiteFacts, customer: CustomerFacts, known: dict[int, ItemFacts]) -> None:
    """Raise ``RuleBroken``, naming field and line, unless customer and items can be bought and quantities can be."""
    if customer.entity_id != site.entity.id:
        raise RuleBroken("other_entity", field="customer", customer=customer.code, site=site.code)
    if customer.is_blocked:
        raise RuleBroken("customer_blocked", field="customer", customer=customer.code)
    currency = command.currency or site.entity.currency
    if currency != site.entity.currency:
        raise RuleBroken("currency_foreign", field="currency", currency=currency, books=site.entity.currency)
    if not command.lines:
        raise RuleBroken("order_empty", field="lines")
    if len(command.lines) > _MOST_LINES:
        raise RuleBroken("order_too_long", field="lines", lines=len(command.lines), most=_MOST_LINES)
    for number, line in enumerate(command.lines, 1):
        _check_line(command, number, line, site, known[line.item])


def _require_quantity(item: ItemFacts, quantity: Decimal, number: int, field: str) -> None:
    if quantity <= 0:
        raise RuleBroken("quantity_not_positive", field=field, line=number, item=item.code)
    if quantity >= ABSURD:
        raise RuleBroken("quantity_absurd", field=field, value=str(quantity))
    exponent = quantity.normalize().as_tuple().exponent
    if isinstance(exponent, int) and -exponent > item.quantity_places:
        raise RuleBroken("quantity_too_precise", field=field, value=str(quantity), places=item.quantity_places)


def quantity_trouble(item: ItemFacts, quantity: Decimal, number: int) -> RuleBroken | None:
    """Why a line of so much of an item would be refused for its quantity; ``None`` where it would not."""
    try:
        if 0 < quantity < ABSURD:
            require_multiple(item, quantity, number)
        _require_quantity(item, quantity, number, "quantity")
    except RuleBroken as refusal:
        return refusal
    return None


def _check_line(command: CaptureOrder, number: int, line: NewLine, site: SiteFacts, item: ItemFacts) -> None:
    field = f"lines-{number - 1}-quantity"
    if item.entity_id != site.entity.id:
        raise RuleBroken("other_entity", field=f"lines-{number - 1}-item", customer=item.code, site=site.code)
    if item.is_blocked:
        raise RuleBroken("item_blocked", field=f"lines-{number - 1}-item", item=item.code)
    _require_quantity(item, line.quantity, number, field)
    if line.unit_price is not None and line.unit_price < 0:
        raise RuleBroken("price_negative", field=f"lines-{number - 1}-unit_price", line=number)
    for day in (command.requested_on, line.requested_on, line.promised_on):
        if day is not None and day.year not in _YEARS:
            raise RuleBroken("day_absurd", field="requested_on", day=day.isoformat())

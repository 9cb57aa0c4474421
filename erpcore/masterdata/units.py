"""In which packs is an item bought, sold and counted, and how many of its own units is a pack, exactly?

Stock, orders and prices are kept in the item's own unit. A pack is a fraction of whole numbers (a pack of three to the metre
of twelve is 12 ÷ 3), so that nothing is ever rounded: what does not come out whole is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from erpcore.kernel.audit import audit_all
from erpcore.kernel.errors import Conflict, RuleBroken
from erpcore.kernel.model import QUANTITY_PLACES
from erpcore.kernel.quantity import ABSURD
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.models import Item, ItemUnit
from erpcore.masterdata.queries import ItemFacts, items

#: A pack of more than this many units, or parts of a unit, is a slip of the finger.
MOST_PER_PACK = 1_000_000


class Pack(NamedTuple):
    """``numerator`` ÷ ``denominator`` of the item's own units."""

    code: str
    name: str
    numerator: int
    denominator: int
    barcode: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class AddPack:
    """A pack of an item: so many of its own units."""

    item: int
    code: str
    name: str
    numerator: int
    denominator: int = 1
    barcode: str | None = None


def in_own_unit(quantity: Decimal, pack: Pack | None, places: int, *, field: str = "quantity") -> Decimal:
    """``quantity`` packs as a quantity of the item's own unit; without a pack it is that already.

    Raises ``RuleBroken("pack_not_whole")`` when it does not come out in the places that the unit has.
    """
    if abs(quantity) >= ABSURD:
        raise RuleBroken("quantity_absurd", field=field, value=str(quantity))
    exact = Fraction(quantity)
    if pack is not None:
        exact = exact * pack.numerator / pack.denominator
    shifted = exact * 10**places
    if shifted.denominator != 1:
        code = "quantity_too_precise" if pack is None else "pack_not_whole"
        facts = {"value": str(quantity), "places": places} | ({} if pack is None else {"pack": pack.name})
        raise RuleBroken(code, field=field, **facts)
    return Decimal(int(shifted)).scaleb(-places)


def step_of(places: int) -> int:
    """The smallest quantity that can be counted in so many places, in thousandths."""
    step: int = 10 ** max(0, QUANTITY_PLACES - places)
    return step


def require_countable(work: UnitOfWork, quantities: Iterable[tuple[int, int]], *, field: str = "quantity") -> None:
    """Raise ``RuleBroken("quantity_too_precise")`` for thousandths of an item (its id first) that nobody can count.

    Asks for items only where a quantity is not whole.
    """
    parts = [(item, quantity) for item, quantity in quantities if quantity % step_of(0)]
    known = items(work, {item for item, _ in parts}) if parts else {}
    for item, quantity in parts:
        places = known[item].quantity_places
        if quantity % step_of(places):
            value = f"{Decimal(quantity).scaleb(-QUANTITY_PLACES).normalize():f}"
            raise RuleBroken("quantity_too_precise", field=field, value=value, places=places)


def in_packs(quantity: Decimal, packs: Sequence[Pack]) -> tuple[Decimal, Pack | None]:
    """A quantity in the largest pack that it fills exactly; the item's own unit where none does."""
    fitting = [pack for pack in packs if (Fraction(quantity) * pack.denominator / pack.numerator).denominator == 1]
    best = max(fitting, key=lambda pack: Fraction(pack.numerator, pack.denominator), default=None)
    if best is None or Fraction(best.numerator, best.denominator) <= 1:
        return quantity, None
    whole = Fraction(quantity) * best.denominator / best.numerator
    return Decimal(whole.numerator), best


def require_multiple(item: ItemFacts, quantity: Decimal, line_no: int, *, field: str = "quantity") -> None:
    """Raise ``RuleBroken`` for less than the smallest quantity one may order, or for what is no multiple of it."""
    if not item.order_multiple:
        return
    multiple = Decimal(item.order_multiple).scaleb(-QUANTITY_PLACES)
    if quantity % multiple:
        code = "quantity_below_pack" if quantity < multiple else "quantity_no_multiple"
        raise RuleBroken(code, field=field, item=item.code, line=line_no, multiple=f"{multiple.normalize():f}")


def packs_of(session: Session, item_ids: Sequence[int]) -> dict[int, list[Pack]]:
    """The packs of each item, the smallest first."""
    found: dict[int, list[Pack]] = {item: [] for item in item_ids}
    rows = session.execute(
        select(
            ItemUnit.item_id, ItemUnit.code, ItemUnit.name, ItemUnit.numerator, ItemUnit.denominator, ItemUnit.barcode
        )
        .where(ItemUnit.item_id.in_(list(found)))
        .order_by(ItemUnit.id)
    )
    for row in rows:
        found[row.item_id].append(Pack(*row[1:]))
    return {item: sorted(packs, key=lambda p: Fraction(p.numerator, p.denominator)) for item, packs in found.items()}


def pack_named(packs: Mapping[int, Sequence[Pack]], item: ItemFacts, code: str | None) -> Pack | None:
    """The item's pack of that code; ``None`` for its own unit (no code, or the unit's own)."""
    if not code or code == item.unit:
        return None
    found = next((pack for pack in packs.get(item.id, ()) if pack.code == code), None)
    if found is None:
        raise RuleBroken("pack_unknown", field="unit", item=item.code, pack=code)
    return found


def add_packs(work: UnitOfWork, commands: Sequence[AddPack]) -> None:
    """New packs of items.

    Raises ``Conflict`` for a code or barcode in use; ``RuleBroken`` for a pack of which not even a whole number comes out in
    the item's unit.
    """
    work.actor.require("masterdata:record:change")
    known = items(work, {c.item for c in commands})
    packs: dict[int, list[list[Any]]] = {}
    for command in commands:
        item = known[command.item]
        _check_pack(work, command, item)
        taken = select(ItemUnit.id).where(ItemUnit.item_id == item.id, ItemUnit.code == command.code)
        if command.code == item.unit or work.session.execute(taken).first():
            raise Conflict("code_in_use", field="code", code=command.code)
        if command.barcode:
            same = select(ItemUnit.id).join(Item, Item.id == ItemUnit.item_id)
            if work.session.execute(
                same.where(ItemUnit.barcode == command.barcode, Item.entity_id == item.entity_id)
            ).first():
                raise Conflict("code_in_use", field="barcode", code=command.barcode)
        part = Fraction(command.numerator, command.denominator)
        work.session.add(
            ItemUnit(
                id=work.ids.one(), item_id=item.id, code=command.code, name=command.name, numerator=part.numerator,
                denominator=part.denominator, barcode=command.barcode or None,
            )
        )  # fmt: skip
        work.session.flush()
        packs.setdefault(item.id, []).append([command.code, part.numerator, part.denominator, command.barcode or None])
    audit_all(work, "item.packs_added", "item", {key: {"packs": added} for key, added in packs.items()})


def _check_pack(work: UnitOfWork, command: AddPack, item: ItemFacts) -> None:
    if not (0 < command.numerator <= MOST_PER_PACK and 0 < command.denominator <= MOST_PER_PACK):
        raise RuleBroken("pack_size", field="numerator", most=MOST_PER_PACK)
    in_own_unit(
        Decimal(command.denominator), Pack(command.code, command.name, command.numerator, command.denominator, None),
        item.quantity_places, field="numerator",
    )  # fmt: skip

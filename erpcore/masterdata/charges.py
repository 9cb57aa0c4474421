"""What is sold besides goods: charges and services, when each leaves with its order, and which of them a rush costs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.kernel.rows import read_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.models import ChargeLeaves, ChargeTerms, Entity, Item, ItemKind
from erpcore.masterdata.services import NewItem, add_items

CHANGE = "masterdata:record:change"
KINDS = (ItemKind.CHARGE, ItemKind.SERVICE)
_MOST_CODE, _MOST_NAME = 40, 200


@dataclass(frozen=True, kw_only=True, slots=True)
class DeclareCharge:
    """A charge (freight, handling) or service (installation) of a company. Given again it replaces name and terms."""

    entity: int
    code: str
    name: str
    kind: str = ItemKind.CHARGE
    leaves: str = ChargeLeaves.FIRST_GOODS
    is_rush: bool = False


def declare_charges(work: UnitOfWork, commands: Sequence[DeclareCharge]) -> list[int]:
    """Keep charges and services; their prices are rules like those of goods. Returns the ids of their items.

    One charge of a company is what a rush costs: declaring another as such takes it from the first. Raises
    ``RuleBroken("charge_is_goods")`` for the code of something that has stock.
    """
    work.actor.require(CHANGE)
    # Whoever declares for a company at once waits here: the second finds the item and the rush charge of the first.
    companies = sorted({c.entity for c in commands})
    query = select(Entity.id).where(Entity.id.in_(companies)).order_by(Entity.id).with_for_update(key_share=True)
    work.session.execute(query).all()
    kept = []
    for c in commands:
        entity = work.session.get(Entity, c.entity)
        if entity is None or entity.realm != work.realm:
            raise NotFound("entity_unknown", entity=c.entity)
        item = _item(work, c)
        if c.is_rush:
            former = select(ChargeTerms).where(ChargeTerms.entity_id == c.entity, ChargeTerms.is_rush)
            for row in work.session.execute(former).scalars():
                row.is_rush = False
            work.session.flush()
        terms = work.session.get(ChargeTerms, item.id)
        if terms is None:
            terms = ChargeTerms(item_id=item.id, entity_id=c.entity)
            work.session.add(terms)
        terms.leaves, terms.is_rush = c.leaves, c.is_rush
        work.session.flush()
        work.memo.pop("charge leaves", None)
        work.memo.pop("rush charges", None)
        work.audit("charge.declared", "item", item.id, code=item.code, leaves=c.leaves, is_rush=c.is_rush)
        kept.append(item.id)
    return kept


def _item(work: UnitOfWork, c: DeclareCharge) -> Item:
    code, name = c.code.strip(), c.name.strip()
    if not 0 < len(code) <= _MOST_CODE:
        raise RuleBroken("charge_code", field="code")
    if not 0 < len(name) <= _MOST_NAME:
        raise RuleBroken("charge_name", field="name")
    if c.kind not in KINDS:
        raise RuleBroken("choice_unknown", field="kind", value=c.kind)
    if c.leaves not in set(ChargeLeaves):
        raise RuleBroken("choice_unknown", field="leaves", value=c.leaves)
    query = select(Item).where(Item.entity_id == c.entity, Item.code == code)
    item = work.session.execute(query).scalar_one_or_none()
    if item is None:
        (item,) = add_items(work, [NewItem(entity=c.entity, code=code, name=name, kind=c.kind)])
        return item
    if item.kind not in KINDS:
        raise RuleBroken("charge_is_goods", field="code", item=code)
    if item.kind != c.kind:
        raise RuleBroken("charge_kind_stays", field="kind", item=code)
    item.name = name
    return item


#: The item that a restocking fee is, made when a company first keeps one.
RESTOCKING = "RESTOCKING"


def restocking_charge(work: UnitOfWork, entity: int) -> int:
    """The item that a restocking fee is in a company. Raises ``RuleBroken("charge_is_goods")`` where the code is something else."""
    known: dict[int, int] = work.memo.setdefault("restocking charges", {})
    if entity not in known:
        query = select(Item).where(Item.entity_id == entity, Item.code == RESTOCKING)
        item = work.session.execute(query).scalar_one_or_none()
        if item is None:
            # Who keeps the first fees of a company at once waits here: the second finds the item of the first.
            work.session.execute(select(Entity.id).where(Entity.id == entity).with_for_update(key_share=True)).all()
            item = work.session.execute(query).scalar_one_or_none()
        if item is None:
            (item,) = add_items(
                work, [NewItem(entity=entity, code=RESTOCKING, name="Restocking fee", kind=ItemKind.CHARGE)]
            )
        if item.kind != ItemKind.CHARGE:
            raise RuleBroken("charge_is_goods", field="code", item=item.code)
        known[entity] = item.id
    return known[entity]


def charge_leaves(work: UnitOfWork, items: Iterable[int]) -> dict[int, str]:
    """When each of these charges and services leaves, by item; what nobody declared leaves with the first goods."""
    known: dict[int, str] = work.memo.setdefault("charge leaves", {})
    wanted = set(items)
    if unread := wanted - known.keys():
        known.update(dict.fromkeys(unread, str(ChargeLeaves.FIRST_GOODS)))
        known.update(read_rows(work, ChargeTerms, ("item_id", "leaves"), "item_id", unread))
    return {item: known[item] for item in wanted}


def rush_charge(work: UnitOfWork, entity: int) -> int | None:
    """The item that a rush costs in a company; ``None`` where none is declared."""
    known: dict[int, int | None] = work.memo.setdefault("rush charges", {})
    if entity not in known:
        query = select(ChargeTerms.item_id).where(ChargeTerms.entity_id == entity, ChargeTerms.is_rush)
        known[entity] = work.session.execute(query).scalar_one_or_none()
    return known[entity]

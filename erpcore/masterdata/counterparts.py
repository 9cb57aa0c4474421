"""Which item of one company is which of another? Kept in pairs, so that goods can go between companies.

Items belong to a company: code, cost and tax class are its own. What names the counterpart is a row for each way, written by one act.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select

from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.kernel.first import add_first
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.models import Item, ItemCounterpart, ItemKind
from erpcore.masterdata.queries import entity_facts

CHANGE = "masterdata:record:change"


@dataclass(frozen=True, kw_only=True, slots=True)
class KeepCounterpart:
    """The two items are the same goods at two companies."""

    item: int
    counterpart: int


def keep_counterparts(work: UnitOfWork, commands: Sequence[KeepCounterpart]) -> None:
    """Write pairs down; one that is kept already changes nothing.

    Raises ``RuleBroken("counterpart_other")`` for items that are counted otherwise, ``counterpart_taken`` where one of them has another
    counterpart at that company.
    """
    work.actor.require(CHANGE)
    for c in commands:
        first, second = _item(work, c.item), _item(work, c.counterpart)
        if first.entity_id == second.entity_id:
            raise RuleBroken("counterpart_same_company", field="counterpart", item=first.code, other=second.code)
        alike = ("kind", "unit", "quantity_places", "tracking")
        if first.kind != ItemKind.STOCK or any(getattr(first, name) != getattr(second, name) for name in alike):
            raise RuleBroken("counterpart_other", field="counterpart", item=first.code, other=second.code)
        for one, other in ((first, second), (second, first)):
            known = counterparts(work, [one.id], other.entity_id).get(one.id)
            if known == other.id:
                continue
            if known is not None:
                raise RuleBroken("counterpart_taken", field="counterpart", item=one.code, other=_item(work, known).code)
            row = ItemCounterpart(item_id=one.id, entity_id=other.entity_id, counterpart_id=other.id)
            add_first(work, row, "counterpart_taken_meanwhile", item=one.code)
            work.audit("item.paired", "item", one.id, counterpart=other.id)


def part_counterparts(work: UnitOfWork, item: int, counterpart: int) -> None:
    """The two are no longer the same goods; what went between the companies stays as it was posted."""
    work.actor.require(CHANGE)
    first, second = _item(work, item), _item(work, counterpart)
    if counterparts(work, [item], second.entity_id).get(item) != counterpart:
        raise NotFound("counterpart_unknown", item=first.code, other=second.code)
    for one, other in ((first, second), (second, first)):
        table = ItemCounterpart.__table__
        gone = delete(table).where(table.c.item_id == one.id, table.c.entity_id == other.entity_id)
        work.session.execute(gone)
        work.audit("item.parted", "item", one.id, counterpart=other.id)


def counterparts(work: UnitOfWork, items: Iterable[int], entity: int) -> dict[int, int]:
    """The counterparts of these items at a company, by item; one without any is left out."""
    query = select(ItemCounterpart.item_id, ItemCounterpart.counterpart_id)
    rows = work.session.execute(
        query.where(ItemCounterpart.item_id.in_(sorted(set(items))), ItemCounterpart.entity_id == entity)
    )
    return {row.item_id: row.counterpart_id for row in rows}


def _item(work: UnitOfWork, key: int) -> Item:
    row = work.session.get(Item, key)
    if row is None or entity_facts(work, row.entity_id).realm != work.realm:
        raise NotFound("item_unknown", id=key)
    return row

"""Which items may be sent instead of another one? Kept as data, the one offered first leading."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.kernel.rows import read_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.models import ItemSubstitute
from erpcore.masterdata.queries import entity_facts, items

CHANGE = "masterdata:record:change"


@dataclass(frozen=True, kw_only=True, slots=True)
class KeepSubstitute:
    """``substitute`` may be sent instead of ``item``; given again it gets the new rank, 1 being offered first."""

    item: int
    substitute: int
    rank: int = 1


def keep_substitutes(work: UnitOfWork, commands: Sequence[KeepSubstitute]) -> None:
    """Keep substitutes; raises ``RuleBroken`` for an item instead of itself, of another company, or without stock."""
    work.actor.require(CHANGE)
    known = items(work, {c.item for c in commands} | {c.substitute for c in commands})
    for c in commands:
        item, other = known[c.item], known[c.substitute]
        if item.id == other.id:
            raise RuleBroken("substitute_itself", field="substitute", item=item.code)
        if item.entity_id != other.entity_id:
            raise RuleBroken("other_entity", field="substitute", customer=other.code, site=item.code)
        entity_facts(work, item.entity_id)
        for one in (item, other):
            if one.kind != "stock":
                raise RuleBroken("item_without_stock", field="substitute", item=one.code)
        if item.unit != other.unit:
            raise RuleBroken("substitute_unit", field="substitute", item=other.code, unit=item.unit)
        if not 1 <= c.rank <= 99:
            raise RuleBroken("offer_rank_absurd", field="rank")
        row = work.session.get(ItemSubstitute, (c.item, c.substitute))
        if row is None:
            row = ItemSubstitute(item_id=c.item, substitute_id=c.substitute)
            work.session.add(row)
        row.rank = c.rank
        work.session.flush()
        work.audit("substitute.kept", "item", c.item, substitute=c.substitute, rank=c.rank)


def drop_substitute(work: UnitOfWork, item: int, substitute: int) -> None:
    """Offer it no more; what was sent instead stays as it is."""
    work.actor.require(CHANGE)
    row = work.session.get(ItemSubstitute, (item, substitute))
    if row is None:
        raise NotFound("substitute_unknown", item=items(work, {item})[item].code)
    work.session.delete(row)
    work.session.flush()
    work.audit("substitute.dropped", "item", item, substitute=substitute)


def substitutes(work: UnitOfWork, wanted: Iterable[int]) -> dict[int, list[int]]:
    """What may be sent instead of each item, the one offered first leading; blocked items are left out."""
    rows = read_rows(work, ItemSubstitute, ("item_id", "rank", "substitute_id"), "item_id", set(wanted))
    known = items(work, {row.substitute_id for row in rows})
    found: dict[int, list[int]] = {}
    for row in sorted(rows):
        if not known[row.substitute_id].is_blocked:
            found.setdefault(row.item_id, []).append(row.substitute_id)
    return found

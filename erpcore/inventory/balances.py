"""How much of an item does a site have, how much of it is promised or blocked? One row each, locked before it is counted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from erpcore.inventory.cost_kinds import CostMethod
from erpcore.inventory.cost_models import SiteCosting
from erpcore.inventory.models import StockBalance
from erpcore.kernel.errors import Busy
from erpcore.kernel.rows import Change, chunks, param, read_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import items

Place = tuple[int, int]
"""Site and item."""


@dataclass(slots=True)
class Worth:
    """What a locked place holds and is worth by its method, as this unit of work changes it."""

    method: str
    on_hand: int
    value: int


#: Places where a unit of work made something free.
FREED = "freed places"


def _change_balance(*columns: str) -> Any:
    table = StockBalance.__table__
    return (
        update(table)
        .where(
            table.c.site_id == param("site", table.c.site_id),
            table.c.item_id == param("item", table.c.item_id),
        )
        .values({name: table.c[name] + param(f"d_{name}", table.c[name]) for name in columns})
    )


_PLAIN = ("on_hand", "reserved", "value_minor", "unvalued")
_FULL = (*_PLAIN, "blocked", "placed")
_CHANGE_PLAIN = Change(lambda: _change_balance(*_PLAIN))
_CHANGE_FULL = Change(lambda: _change_balance(*_FULL))


def lock_balances(work: UnitOfWork, places: Iterable[Place]) -> dict[Place, list[int]]:
    """[on hand, reserved, blocked] of each place, locked until the unit of work ends. A place without a row counts as empty.

    Free is on hand − reserved − blocked.
    """
    held: dict[Place, list[int]] = work.memo.setdefault("balances", {})
    placed: dict[Place, int] = work.memo.setdefault("placed", {})
    frozen: set[Place] = work.memo.setdefault("frozen", set())
    worth: dict[Place, Worth] = work.memo.setdefault("worth", {})
    by_site: dict[int, set[int]] = defaultdict(set)
    for place in places:
        if place not in held:
            by_site[place[0]].add(place[1])
    for site, wanted in sorted(by_site.items()):
        names = ("item_id", "on_hand", "reserved", "blocked", "placed", "frozen", "method", "value_minor")
        for row in read_rows(work, StockBalance, names, "item_id", wanted, lock=True, also=("site_id", site)):
            held[site, row.item_id] = [row.on_hand, row.reserved, row.blocked]
            placed[site, row.item_id] = row.placed
            if row.frozen:
                frozen.add((site, row.item_id))
            if row.method != CostMethod.STANDARD:
                worth[site, row.item_id] = Worth(row.method, row.on_hand, row.value_minor)
    return held


def worth_of(work: UnitOfWork) -> dict[Place, Worth]:
    """What the locked places that are not valued at standard cost are worth."""
    found: dict[Place, Worth] = work.memo.setdefault("worth", {})
    return found


def placed_of(work: UnitOfWork) -> dict[Place, int]:
    """How much of each locked place lies in bins of its own; the rest is at the default place."""
    found: dict[Place, int] = work.memo.setdefault("placed", {})
    return found


def frozen_places(work: UnitOfWork) -> set[Place]:
    """Locked places where a count lets nothing move meanwhile."""
    found: set[Place] = work.memo.setdefault("frozen", set())
    return found


def make_places(work: UnitOfWork, held: dict[Place, list[int]], needed: Mapping[Place, int]) -> None:
    """Empty balance rows for places that receive stock for the first time; ``needed`` names the entity of each."""
    missing = sorted(place for place in needed if place not in held)
    if not missing:
        return
    methods = _methods(work, missing)
    insert = sqlite_insert if work.dialect.name == "sqlite" else pg_insert
    for part in chunks(missing, 500):
        rows = [
            {
                "site_id": site, "item_id": item, "entity_id": needed[site, item],
                "on_hand": 0, "reserved": 0, "value_minor": 0, "unvalued": 0,
                "method": methods[site, item],
            }
            for site, item in part
        ]  # fmt: skip
        work.session.execute(insert(StockBalance).values(rows).on_conflict_do_nothing())
    lock_balances(work, missing)
    if any(place not in held for place in missing):
        raise Busy("busy")


def _methods(work: UnitOfWork, places: Sequence[Place]) -> dict[Place, str]:
    """How each site values the item it gets for the first time; what has no cost stays at standard cost, that is at an unknown one.

    Who chooses a method holds the whole table meanwhile, so nobody who has locked a balance reads an old one here.
    """
    chosen: dict[int, str] = {}
    for row in sorted(
        read_rows(work, SiteCosting, ("id", "site_id", "method"), "site_id", {site for site, _ in places})
    ):
        chosen[row.site_id] = row.method
    known = items(work, {item for site, item in places if site in chosen})
    return {
        (site, item): chosen[site] if site in chosen and known[item].standard_cost is not None else CostMethod.STANDARD
        for site, item in places
    }


def change_balances(
    work: UnitOfWork, deltas: Mapping[Place, Sequence[int]], placing: Mapping[Place, Sequence[int]] | None = None
) -> None:
    """Write changes of locked balances: [on hand, reserved, value, unvalued], and [blocked, placed] of places with bins.

    One statement per row, since its checks compare these figures with each other. Places of which more is free than before
    are remembered for who waits there.
    """
    placing = placing or {}
    freed: set[Place] = work.memo.setdefault(FREED, set())
    plain: list[dict[str, int]] = []
    full: list[dict[str, int]] = []
    for place in sorted(deltas.keys() | placing.keys()):
        delta, more = deltas.get(place, (0, 0, 0, 0)), placing.get(place, (0, 0))
        if delta[0] - delta[1] - more[0] > 0:
            freed.add(place)
        row = {
            "site": place[0], "item": place[1], "d_on_hand": delta[0], "d_reserved": delta[1], "d_value_minor": delta[2],
            "d_unvalued": delta[3],
        }  # fmt: skip
        if any(more):
            full.append({**row, "d_blocked": more[0], "d_placed": more[1]})
        elif any(delta):
            plain.append(row)
    _CHANGE_PLAIN.run(work, plain)
    _CHANGE_FULL.run(work, full)

"""From which place and lot does a pick take what its order line is promised? Held, so that two picks never take the same.

``choose_bins`` when a pick task is made, ``pick_bins`` when the goods have left the place, ``free_bins`` when the task ends
without them. Shipping uses the line's holds up (``move_stock`` with ``reserved_line``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import select, update

from erpcore.inventory.balances import Place, frozen_places, lock_balances
from erpcore.inventory.bins import EXPIRED_MET, Bin, Slot, is_placed, last_day_over, lock_bins, take_parts
from erpcore.inventory.models import BinHold
from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.kernel.rows import Change, param, raw_columns, read_rows, write_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import site_facts
from erpcore.ports import ProcessRules

_HOLD = (
    "id", "entity_id", "site_id", "item_id", "location_id", "lot_id", "order_line_id", "quantity", "picked", "used", "freed",
    "held_at",
)  # fmt: skip


class PickDemand(NamedTuple):
    """So much that a pick for one order line takes at a site, in thousandths."""

    order_line: int
    site: int
    item: int
    quantity: int


class Chosen(NamedTuple):
    """Where a pick takes part of a demand. ``hold`` 0: the item lies only at the site's default place, nothing is held.

    ``location`` ``None``: the default place.
    """

    hold: int
    location: int | None
    lot: int | None
    quantity: int


def _change_hold() -> Any:
    table = BinHold.__table__
    return (
        update(table)
        .where(table.c.id == param("of", table.c.id))
        .values({name: table.c[name] + param(f"d_{name}", table.c[name]) for name in ("picked", "used", "freed")})
    )


_CHANGE_HOLD = Change(_change_hold)


def lot_rule(work: UnitOfWork, rules: ProcessRules, site: int) -> str:
    """What the site takes first: ``first_expiry`` or ``first_in``."""
    facts = site_facts(work, site)
    ruleset = rules.resolve(work, entity=facts.entity.live_id, site=facts.live_id, channel=None, customer_group=None)
    return str(ruleset["lot_rule"])


def choose_bins(work: UnitOfWork, demands: Sequence[PickDemand], rules: ProcessRules) -> list[list[Chosen]]:
    """Where each demand is taken from, by the site's lot rule, and held for it; less than asked where less may be picked.

    Never an expired lot, a blocked location, a bin held by another pick, or one that is being counted frozen.
    """
    held = lock_balances(work, {(d.site, d.item) for d in demands})
    placed = is_placed(work, [(d.site, d.item) for d in demands])
    answer: list[list[Chosen]] = []
    rows: list[tuple[Any, ...]] = []
    open_ = _known(work)
    for demand in demands:
        place = (demand.site, demand.item)
        if place not in placed:
            there = 0 if place in frozen_places(work) else min(demand.quantity, held.get(place, [0])[0])
            answer.append([Chosen(0, None, None, there)] if there > 0 else [])
            continue
        rule = lot_rule(work, rules, demand.site)
        chosen = []
        entity = site_facts(work, demand.site).entity.id
        for slot, quantity in take_parts(work, place, demand.quantity, rule=rule):
            key = work.ids.one()
            row = (
                key, entity, demand.site, demand.item, slot.location, slot.lot, demand.order_line, quantity, 0, 0, 0, work.now,
            )  # fmt: skip
            rows.append(row)
            lock_bins(work, {place})[place].setdefault(slot, Bin(slot, 0, 0, work.now)).held += quantity
            open_.setdefault(demand.order_line, _read(work, demand.order_line)).append([key, slot, quantity, 0])
            chosen.append(Chosen(key, slot.location, slot.lot, quantity))
        answer.append(chosen)
    write_rows(work, BinHold.__table__, _HOLD, rows)
    return answer


def _known(work: UnitOfWork) -> dict[int, list[list[Any]]]:
    """[hold, slot, open, picked of what is open] per order line, oldest first."""
    found: dict[int, list[list[Any]]] = work.memo.setdefault("bin_holds", {})
    return found


def _read(work: UnitOfWork, line: int) -> list[list[Any]]:
    rows = work.session.execute(
        select(*raw_columns(BinHold))
        .where(BinHold.order_line_id == line, BinHold.used + BinHold.freed < BinHold.quantity)
        .order_by(BinHold.id)
    )
    return [
        [row.id, Slot(row.site_id, row.item_id, row.location_id, row.lot_id), row.quantity - row.used - row.freed, row.picked - row.used]
        for row in rows
    ]  # fmt: skip


def holds_of(work: UnitOfWork, line: int) -> list[list[Any]]:
    """[hold, slot, open, picked of what is open] of an order line, read once per unit of work after its bins are locked."""
    known = _known(work)
    if line not in known:
        known[line] = _read(work, line)
    return known[line]


def use_holds(
    work: UnitOfWork, line: int, place: Place, quantity: int, own: Collection[int] = ()
) -> list[tuple[Slot, int]]:
    """Use up what the line holds at this place, at most ``quantity``: its ``own`` holds, then what is picked; returns what was used."""
    taken: list[tuple[Slot, int]] = []
    changes = []
    bins = lock_bins(work, {place})[place]
    for hold in sorted(holds_of(work, line), key=lambda hold: (hold[0] not in own, -hold[3], hold[0])):
        slot: Slot = hold[1]
        take = min(hold[2], quantity)
        if take <= 0 or (slot.site, slot.item) != place:
            continue
        changes.append({"of": hold[0], "d_picked": max(0, take - hold[3]), "d_used": take, "d_freed": 0})
        hold[2] -= take
        hold[3] = max(0, hold[3] - take)
        bins[slot].held -= take
        quantity -= take
        taken.append((slot, take))
    _CHANGE_HOLD.run(work, changes)
    return taken


def give_back(work: UnitOfWork, parts: Iterable[tuple[int, Place, int]], own: Collection[int]) -> None:
    """Goods picked for order lines lie at their places again and are held no longer: (line, place, thousandths) each.

    ``own``: the holds that they were picked under, where a task says so; another shipment of the line keeps its lots.
    A place where one of them is past its last day is noted, so that it is set apart.
    """
    changes = []
    for line, place, quantity in parts:
        left = quantity
        for hold in sorted(holds_of(work, line), key=lambda hold: (hold[0] not in own, -hold[0])):
            back = min(hold[3], left)
            if back <= 0 or hold[1][:2] != place:
                continue
            changes.append({"of": hold[0], "d_picked": -back, "d_used": 0, "d_freed": back})
            left -= back
            if last_day_over(work, hold[1], work.now):
                work.memo.setdefault(EXPIRED_MET, set()).add(place)
    _CHANGE_HOLD.run(work, changes)
    for name in ("bin_holds", "bins"):
        work.memo.pop(name, None)


def pick_bins(work: UnitOfWork, picked: Mapping[int, int]) -> None:
    """The goods of these holds have left their place: so much of each, in thousandths.

    Raises ``RuleBroken("held_too_little")`` beyond what is held.
    """
    rows = {row.id: row for row in _locked(work, picked)}
    changes = []
    for key, quantity in picked.items():
        row = rows[key]
        if quantity < 0 or row.picked + quantity > row.quantity - row.freed:
            raise RuleBroken("held_too_little", field="quantity")
        changes.append({"of": key, "d_picked": quantity, "d_used": 0, "d_freed": 0})
    _CHANGE_HOLD.run(work, changes)
    work.memo.pop("bin_holds", None)


def _grow_hold() -> Any:
    table = BinHold.__table__
    names = ("quantity", "picked")
    return (
        update(table)
        .where(table.c.id == param("of", table.c.id))
        .values({name: table.c[name] + param(f"d_{name}", table.c[name]) for name in names})
    )


_GROW_HOLD = Change(_grow_hold)


def grow_hold(work: UnitOfWork, hold: int, more: int) -> None:
    """So much more than was held has left the place for the same pick, in thousandths.

    Raises ``RuleBroken("held_elsewhere")`` where less lies there that no other pick is to take.
    """
    (row,) = _locked(work, [hold])
    slot = Slot(row.site_id, row.item_id, row.location_id, row.lot_id)
    if slot.location is not None:
        bins = lock_bins(work, {(row.site_id, row.item_id)})[row.site_id, row.item_id]
        if bins[slot].quantity - bins[slot].held < more:
            raise RuleBroken("held_elsewhere", field="quantity")
        bins[slot].held += more
    _GROW_HOLD.run(work, [{"of": hold, "d_quantity": more, "d_picked": more}])
    work.memo.pop("bin_holds", None)


def shrink_hold(work: UnitOfWork, hold: int, less: int) -> None:
    """What was taken beyond a hold lies at its place again, and is held no longer."""
    (row,) = _locked(work, [hold])
    if less > row.picked - row.used:
        raise RuleBroken("held_too_little", field="quantity")
    _GROW_HOLD.run(work, [{"of": hold, "d_quantity": -less, "d_picked": -less}])
    for name in ("bin_holds", "bins"):
        work.memo.pop(name, None)


def unpick_bins(work: UnitOfWork, put_back: Mapping[int, int]) -> None:
    """Goods of these holds lie at their place again: so much of each, in thousandths; they stay held."""
    rows = {row.id: row for row in _locked(work, put_back)}
    changes = []
    for key, quantity in put_back.items():
        if quantity < 0 or quantity > rows[key].picked - rows[key].used:
            raise RuleBroken("held_too_little", field="quantity")
        changes.append({"of": key, "d_picked": -quantity, "d_used": 0, "d_freed": 0})
    _CHANGE_HOLD.run(work, changes)
    work.memo.pop("bin_holds", None)


def free_rest(work: UnitOfWork, holds: Iterable[int]) -> None:
    """Give back what nobody picked of these holds; what was picked stays held until it is shipped."""
    changes = [
        {"of": row.id, "d_picked": 0, "d_used": 0, "d_freed": row.quantity - row.freed - row.picked}
        for row in _locked(work, holds)
        if row.quantity - row.freed > row.picked
    ]
    _CHANGE_HOLD.run(work, changes)
    for name in ("bin_holds", "bins"):
        work.memo.pop(name, None)


def free_bins(work: UnitOfWork, holds: Iterable[int]) -> None:
    """Give back what these holds have not used: the task ended, or the goods went back to their place."""
    rows = _locked(work, holds)
    changes = []
    for row in rows:
        left = row.quantity - row.used - row.freed
        if left:
            changes.append({"of": row.id, "d_picked": -(row.picked - row.used), "d_used": 0, "d_freed": left})
    _CHANGE_HOLD.run(work, changes)
    for name in ("bin_holds", "bins"):
        work.memo.pop(name, None)


def _locked(work: UnitOfWork, holds: Iterable[int]) -> list[Any]:
    wanted = set(holds)
    first = read_rows(work, BinHold, ("id", "site_id", "item_id"), "id", wanted)
    if absent := wanted - {row.id for row in first}:
        raise NotFound("not_found", id=min(absent))
    lock_bins(work, {(row.site_id, row.item_id) for row in first})
    return read_rows(work, BinHold, _HOLD, "id", wanted, lock=True)

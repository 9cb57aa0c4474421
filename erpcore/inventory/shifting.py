"""Stock that stays where it is in the books and changes its place, lot or status: pairs of moves that post nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import select

from erpcore.inventory.arrivals import take_arrivals
from erpcore.inventory.balances import change_balances, lock_balances
from erpcore.inventory.bins import Slot, change_bin, location_at, sound_status, write_bins
from erpcore.inventory.models import LocationKind, MoveReason, Reservation, StockMove, StockStatus
from erpcore.inventory.placing import check_slot
from erpcore.inventory.posting import warehouse_place
from erpcore.inventory.services import PLACED_MOVE
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.model import QUANTITY_PLACES, scaled_int
from erpcore.kernel.rows import raw_columns, write_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import items, site_facts
from erpcore.masterdata.units import in_own_unit
from erpcore.ports import CellStates, ProcessRules

OrderNames = Callable[[UnitOfWork, Sequence[int]], Sequence[str]]
"""How people call the orders of these order lines; asked only to say who is promised what."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Shift:
    """So many thousandths from one slot to another of the same item and site."""

    source: Slot
    target: Slot
    quantity: int
    reason: MoveReason
    document_type: str
    document_id: int
    note: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class PutAway:
    """Goods from where they were received to where they are picked. ``location`` ``None``: the site's default place."""

    site: int
    item: int
    quantity: Decimal
    source: int | None
    location: int | None
    lot: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class MoveBin:
    """Goods from one place to another; their lot and status stay."""

    site: int
    item: int
    quantity: Decimal
    source: int | None
    location: int | None
    lot: int | None = None
    status: str = StockStatus.AVAILABLE


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangeStatus:
    """Goods that may (not) be sold from now on, and why. ``found_lot``: which lot it turned out to be."""

    site: int
    item: int
    quantity: Decimal
    source: str
    target: str
    note: str
    location: int | None = None
    lot: int | None = None
    found_lot: int | None = None


def shift_stock(work: UnitOfWork, shifts: Sequence[Shift], *, order_names: OrderNames) -> list[int]:
    """Append both moves of each shift; the balance stays, what of it may be promised changes with the status.

    Raises ``RuleBroken("stock_promised")`` naming the orders when more would be blocked than is free.
    """
    places = {(s.source.site, s.source.item) for s in shifts}
    held = lock_balances(work, places)
    known = items(work, {s.source.item for s in shifts})
    rows, first = [], []
    for s in shifts:
        place = (s.source.site, s.source.item)
        if s.quantity <= 0:
            raise RuleBroken("quantity_not_positive_here", field="quantity", item=known[place[1]].code)
        if s.source == s.target:
            raise RuleBroken("nothing_changes", field="location", item=known[place[1]].code)
        if place not in held:
            raise RuleBroken("stock_short", site=site_facts(work, place[0]).code, item=known[place[1]].code)
        for slot in (s.source, s.target):
            check_slot(work, slot, known[slot.item], s.reason)
        change_bin(work, s.source, -s.quantity)
        change_bin(work, s.target, s.quantity)
        for slot, sign in ((s.source, -1), (s.target, 1)):
            key = work.ids.one()
            if sign < 0:
                first.append(key)
            rows.append(
                (
                    key, site_facts(work, slot.site).entity.id, slot.site, slot.item, sign * s.quantity, None, None, s.reason,
                    s.note, s.document_type, s.document_id, work.now, work.now, slot.location, slot.lot, slot.status,
                )
            )  # fmt: skip
    for place in sorted(places):
        on_hand, reserved, blocked = held[place]
        if reserved + blocked > on_hand:
            raise _promised(work, place, order_names)
    write_rows(work, StockMove.__table__, PLACED_MOVE, rows)
    entities = {place: site_facts(work, place[0]).entity.id for place in places}
    change_balances(work, {}, write_bins(work, entities))
    return first


def _promised(work: UnitOfWork, place: tuple[int, int], order_names: OrderNames) -> RuleBroken:
    rows = work.session.execute(
        select(Reservation.order_line_id, *raw_columns(Reservation, "quantity"))
        .where(
            Reservation.site_id == place[0], Reservation.item_id == place[1],
            Reservation.consumed + Reservation.freed < Reservation.quantity,
        )
        .order_by(Reservation.reserved_at.desc(), Reservation.id.desc())
        .limit(20)
    ).all()  # fmt: skip
    names = list(dict.fromkeys(order_names(work, [row.order_line_id for row in rows])))
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    orders = (", ".join(names[:5]) + more) or "orders under way"
    return RuleBroken("stock_promised", field="quantity", item=items(work, {place[1]})[place[1]].code, orders=orders)


def _thousandths(work: UnitOfWork, item: int, quantity: Decimal) -> int:
    facts = items(work, {item})[item]
    return scaled_int(in_own_unit(quantity, None, facts.quantity_places), QUANTITY_PLACES)


def put_away(
    work: UnitOfWork, commands: Sequence[PutAway], *, rules: ProcessRules, cells: CellStates, order_names: OrderNames
) -> bool:
    """Goods that were received lie where they are picked from, and may be promised from now on; what came first goes first.

    Returns whether some of them lie in quarantine instead, since their last day is over.
    """
    shifts, waited = [], []
    for c in commands:
        work.actor.require("warehouse:stock:put_away", site=c.site)
        site = site_facts(work, c.site)
        place = warehouse_place(work, site, rules, cells, begins=False)
        if c.location is not None and location_at(work, c.site, c.location).kind != LocationKind.STORAGE:
            raise RuleBroken("not_for_storage", field="location", location=location_at(work, c.site, c.location).code)
        source = Slot(c.site, c.item, c.source, c.lot, StockStatus.RECEIVED)
        quantity = _thousandths(work, c.item, c.quantity)
        key = work.ids.one()
        shifts.append(
            Shift(
                source=source, quantity=quantity, reason=MoveReason.PLACEMENT, document_type="put_away", document_id=key,
                target=Slot(c.site, c.item, c.location, c.lot, sound_status(work, site, c.lot, StockStatus.AVAILABLE)),
            )
        )  # fmt: skip
        waited.append((place, key, source, quantity))
    shift_stock(work, shifts, order_names=order_names)
    for place, key, source, quantity in waited:
        take_arrivals(work, place, key, source, quantity)
    return any(shift.target.status == StockStatus.QUARANTINE for shift in shifts)


def move_bins(
    work: UnitOfWork, commands: Sequence[MoveBin], *, rules: ProcessRules, cells: CellStates, order_names: OrderNames
) -> None:
    """Goods from one place of a site to another."""
    shifts = []
    for c in commands:
        work.actor.require("warehouse:stock:put_away", site=c.site)
        warehouse_place(work, site_facts(work, c.site), rules, cells, begins=False)
        for location in (c.source, c.location):
            if location is not None:
                location_at(work, c.site, location)
        if c.status in (StockStatus.IN_TRANSIT, StockStatus.RECEIVED):
            raise RuleBroken("status_not_by_hand", field="status")
        shifts.append(
            Shift(
                source=Slot(c.site, c.item, c.source, c.lot, c.status), target=Slot(c.site, c.item, c.location, c.lot, c.status),
                quantity=_thousandths(work, c.item, c.quantity), reason=MoveReason.PLACEMENT, document_type="bin_move",
                document_id=work.ids.one(),
            )
        )  # fmt: skip
    shift_stock(work, shifts, order_names=order_names)


def change_status(
    work: UnitOfWork,
    commands: Sequence[ChangeStatus],
    *,
    rules: ProcessRules,
    cells: CellStates,
    order_names: OrderNames,
) -> None:
    """Block goods from sale, or release them; nothing is blocked under a promise: take that back first.

    Raises ``RuleBroken("stock_promised")`` naming the orders.
    """
    by_hand = (StockStatus.AVAILABLE, StockStatus.QUARANTINE, StockStatus.DAMAGED)
    shifts = []
    for c in commands:
        work.actor.require("warehouse:stock:change_status", site=c.site)
        warehouse_place(work, site_facts(work, c.site), rules, cells, begins=False)
        if c.location is not None:
            location_at(work, c.site, c.location)
        if not c.note.strip():
            raise RuleBroken("reason_required", field="note", document="stock", move="change_status")
        if c.source not in by_hand or c.target not in by_hand:
            raise RuleBroken("status_not_by_hand", field="target")
        lot = c.lot if c.found_lot is None else c.found_lot
        shifts.append(
            Shift(
                source=Slot(c.site, c.item, c.location, c.lot, c.source), target=Slot(c.site, c.item, c.location, lot, c.target),
                quantity=_thousandths(work, c.item, c.quantity), reason=MoveReason.STATUS, document_type="status",
                document_id=work.ids.one(), note=c.note.strip(),
            )
        )  # fmt: skip
    shift_stock(work, shifts, order_names=order_names)

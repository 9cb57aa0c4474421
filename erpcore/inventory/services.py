"""Moving and promising stock: never more than there is, whatever the concurrency.

Balance rows are locked in key order just before they are counted, only where stock gets scarcer or changes; what a unit of
work has locked it keeps in mind until it ends. Quantities are thousandths of the unit, costs millionths.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import update

from erpcore.inventory.balances import Place, change_balances, lock_balances, make_places
from erpcore.inventory.bins import Slot, change_bin, write_bins
from erpcore.inventory.costing.layers import Valuing, valuing_of, write_valued
from erpcore.inventory.models import Reservation, StockMove, StockStatus
from erpcore.inventory.movement import Movement
from erpcore.inventory.placing import slots_of
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.money import scaled_amount
from erpcore.kernel.rows import Change, param, read_rows, write_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.ledger.kinds import JournalKind
from erpcore.ledger.periods import require_open_period
from erpcore.masterdata.queries import items, site_facts

_MOVE = (
    "id", "entity_id", "site_id", "item_id", "quantity", "unit_cost", "value_minor", "reason", "note", "document_type",
    "document_id", "moved_at", "recorded_at",
)  # fmt: skip
PLACED_MOVE = (*_MOVE, "location_id", "lot_id", "status")
_RESERVATION = (
    "id",
    "entity_id",
    "order_line_id",
    "site_id",
    "item_id",
    "quantity",
    "consumed",
    "freed",
    "reserved_at",
)


#: What order lines that were looked up have reserved, in this unit of work.
_RESERVED = "reservations"


class Demand(NamedTuple):
    """What one order line still needs at a site; ``whole``: all of it or nothing."""

    order_line: int
    entity: int
    site: int
    item: int
    quantity: int
    whole: bool = False


class Moved(NamedTuple):
    """The (first) move's id, and its value in minor units (``None`` at unknown cost), signed like the quantity."""

    id: int
    value: int | None


def _use_reservation() -> Any:
    table = Reservation.__table__
    return (
        update(table)
        .where(table.c.id == param("of", table.c.id))
        .values(
            consumed=table.c.consumed + param("d_consumed", table.c.consumed),
            freed=table.c.freed + param("d_freed", table.c.freed),
        )
    )


USE_RESERVATION = Change(_use_reservation)


def reserve(work: UnitOfWork, demands: Sequence[Demand], *, at: datetime) -> list[int]:
    """Promise stock to order lines, first come first served in the order given; returns what each one got."""
    held = lock_balances(work, {(d.site, d.item) for d in demands})
    got: list[int] = []
    rows: list[tuple[Any, ...]] = []
    ids = work.ids.reserve(len(demands))
    delta: dict[Place, int] = defaultdict(int)
    # Only of a line that was looked up is all known that it has; of another what is reserved here is read with the rest.
    looked_up: dict[int, list[list[int]]] = work.memo.get(_RESERVED, {})
    for demand in demands:
        place = (demand.site, demand.item)
        on_hand, reserved, blocked = held.get(place, (0, 0, 0))
        free = on_hand - reserved - blocked
        take = min(free, demand.quantity) if not demand.whole or free >= demand.quantity else 0
        take = max(take, 0)
        got.append(take)
        if take:
            held[place][1] += take
            delta[place] += take
            key = next(ids)
            rows.append((key, demand.entity, demand.order_line, demand.site, demand.item, take, 0, 0, at))
            if demand.order_line in looked_up:
                looked_up[demand.order_line].append([key, take, demand.site, demand.item])
    write_rows(work, Reservation.__table__, _RESERVATION, rows)
    change_balances(work, {place: [0, take, 0, 0] for place, take in delta.items()})
    return got


def open_reservations(work: UnitOfWork, lines: Iterable[int]) -> dict[int, list[list[int]]]:
    """[id, open quantity, site, item] per order line, oldest first."""
    known: dict[int, list[list[int]]] = work.memo.setdefault(_RESERVED, {})
    unread = [line for line in lines if line not in known]
    if unread:
        for line in unread:
            known[line] = []
        names = ("id", "order_line_id", "site_id", "item_id", "quantity", "consumed", "freed")
        for row in sorted(read_rows(work, Reservation, names, "order_line_id", unread)):
            left = row.quantity - row.consumed - row.freed
            if left:
                known[row.order_line_id].append([row.id, left, row.site_id, row.item_id])
    return known


def free_reservations(work: UnitOfWork, lines: dict[int, int]) -> dict[int, int]:
    """Take back up to so much of what is reserved for each order line; returns what was freed."""
    open_ = open_reservations(work, lines)
    places = {(part[2], part[3]) for line in lines for part in open_[line]}
    held = lock_balances(work, places)
    used: list[dict[str, int]] = []
    deltas: dict[Place, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    freed: dict[int, int] = {}
    for line, wanted in lines.items():
        left = wanted
        for part in open_[line]:
            take = min(part[1], left)
            if take:
                used.append({"of": part[0], "d_consumed": 0, "d_freed": take})
                deltas[part[2], part[3]][1] -= take
                held[part[2], part[3]][1] -= take
                part[1] -= take
                left -= take
        freed[line] = wanted - left
    USE_RESERVATION.run(work, used)
    change_balances(work, deltas)
    return freed


def move_stock(work: UnitOfWork, movements: Sequence[Movement]) -> list[Moved]:
    """Append the moves and change the balances (and bins, where there are any) with them.

    Raises ``RuleBroken("stock_short")`` naming the first place that would go below what is there, promised or blocked; a
    movement with ``reserved_line`` uses that line's reservation first. Refuses to move stock in a closed period.
    """
    open_ = open_reservations(work, [m.reserved_line for m in movements if m.reserved_line is not None])
    held = lock_balances(work, {(m.site, m.item) for m in movements})
    entities = {(m.site, m.item): m.entity for m in movements}
    make_places(work, held, {(m.site, m.item): m.entity for m in movements if m.quantity > 0})
    known = items(work, {m.item for m in movements})
    ids = work.ids.reserve(len(movements))
    rows, placed_rows = list[tuple[Any, ...]](), list[tuple[Any, ...]]()
    moved: list[Moved] = []
    used: list[dict[str, int]] = []
    deltas: dict[Place, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    valuing = valuing_of(work, ((m.site, m.item) for m in movements if m.quantity < 0))
    for m in movements:
        place = (m.site, m.item)
        if m.moved_at < work.now:
            day = local_day(m.moved_at, site_facts(work, m.site).time_zone)
            require_open_period(work, m.entity, day, JournalKind.STOCK)
        delta = deltas[place]
        if m.reserved_line is not None:
            left = -m.quantity
            for part in open_[m.reserved_line]:
                take = min(part[1], left)
                if take and (part[2], part[3]) == place:
                    used.append({"of": part[0], "d_consumed": take, "d_freed": 0})
                    part[1] -= take
                    left -= take
                    delta[1] -= take
                    held[place][1] -= take
        balance = held.get(place)
        blocked = m.quantity if m.slot is not None and m.slot.status != StockStatus.AVAILABLE else 0
        if balance is None or balance[0] + m.quantity < balance[1] + balance[2] + blocked:
            site, item = site_facts(work, m.site).code, known[m.item].code
            raise RuleBroken("stock_short", site=site, item=item, document=m.document_id)
        parts = slots_of(work, m, known[m.item])
        key = next(ids)
        if parts is None:
            balance[0] += m.quantity
            cost, value = _worth(valuing, key, m, m.quantity)
            rows.append(_row(work, key, m, m.quantity, cost, value))
        else:
            value = _move_parts(work, valuing, key, m, parts, balance, placed_rows)
        delta[0] += m.quantity
        if value is None:
            delta[3] += m.quantity
        else:
            delta[2] += value
        moved.append(Moved(key, value))
    write_rows(work, StockMove.__table__, _MOVE, rows)
    write_rows(work, StockMove.__table__, PLACED_MOVE, placed_rows)
    write_valued(valuing)
    USE_RESERVATION.run(work, used)
    change_balances(work, deltas, write_bins(work, entities))
    return moved


def _worth(valuing: Valuing | None, key: int, m: Movement, quantity: int) -> tuple[int | None, int | None]:
    """Unit cost and value of a move: at standard cost, or by what the place holds."""
    if valuing is not None and (m.site, m.item) in valuing.worth:
        return valuing.move(key, m, quantity)
    return m.unit_cost, None if m.unit_cost is None else scaled_amount(quantity, m.unit_cost, m.currency)


def _row(
    work: UnitOfWork, key: int, m: Movement, quantity: int, cost: int | None, value: int | None
) -> tuple[Any, ...]:
    return (
        key, m.entity, m.site, m.item, quantity, cost, value, m.reason, m.note, m.document_type, m.document_id, m.moved_at,
        work.now,
    )  # fmt: skip


def _move_parts(
    work: UnitOfWork,
    valuing: Valuing | None,
    key: int,
    m: Movement,
    parts: list[tuple[Slot, int]],
    balance: list[int],
    rows: list[tuple[Any, ...]],
) -> int | None:
    """One move for each slot, the first under ``key``; returns what they are worth together."""
    total: int | None = None
    # What goes must lie there before the balance says it has left; what comes is in the balance first.
    for slot, quantity in parts:
        if quantity < 0:
            change_bin(work, slot, quantity)
    balance[0] += m.quantity
    for number, (slot, quantity) in enumerate(parts):
        if quantity > 0:
            change_bin(work, slot, quantity)
        at = work.ids.one() if number else key
        cost, value = _worth(valuing, at, m, quantity)
        row = _row(work, at, m, quantity, cost, value)
        rows.append((*row, slot.location, slot.lot, slot.status))
        total = value if total is None or value is None else total + value
    return total

"""Moving and promising stock: never more than there is, whatever the concurrency.

Balance rows are locked in key order just before they are counted, only where stock gets scarcer or changes; what a unit of
work has locked it keeps in mind until it ends. Quantities are thousandths of the unit, costs millionths.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from erpcore.inventory.models import MoveReason, Reservation, StockBalance, StockMove
from erpcore.kernel.errors import Busy, RuleBroken
from erpcore.kernel.money import scaled_amount
from erpcore.kernel.rows import Change, chunks, param, read_rows, write_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import items, site_facts

_MOVE = (
    "id", "entity_id", "site_id", "item_id", "quantity", "unit_cost", "value_minor", "reason", "note", "document_type",
    "document_id", "moved_at", "recorded_at",
)  # fmt: skip
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

Place = tuple[int, int]
"""Site and item."""


class Demand(NamedTuple):
    """What one order line still needs at a site; ``whole``: all of it or nothing."""

    order_line: int
    entity: int
    site: int
    item: int
    quantity: int
    whole: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Movement:
    """Stock that comes (positive) or goes. ``unit_cost`` ``None``: unknown, nothing is posted.

    ``reserved_line``: the order line whose reservation it uses up.
    """

    entity: int
    site: int
    item: int
    quantity: int
    unit_cost: int | None
    currency: str
    reason: MoveReason
    document_type: str
    document_id: int
    moved_at: datetime
    note: str | None = None
    reserved_line: int | None = None


class Moved(NamedTuple):
    """The move's id, and its value in minor units (``None`` at unknown cost), signed like the quantity."""

    id: int
    value: int | None


def _change_balance() -> Any:
    table = StockBalance.__table__
    return (
        update(table)
        .where(
            table.c.site_id == param("site", table.c.site_id),
            table.c.item_id == param("item", table.c.item_id),
        )
        .values(
            on_hand=table.c.on_hand + param("d_on_hand", table.c.on_hand),
            reserved=table.c.reserved + param("d_reserved", table.c.reserved),
            value_minor=table.c.value_minor + param("d_value", table.c.value_minor),
            unvalued=table.c.unvalued + param("d_unvalued", table.c.unvalued),
        )
    )


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


CHANGE_BALANCE = Change(_change_balance)
USE_RESERVATION = Change(_use_reservation)


def lock_balances(work: UnitOfWork, places: Iterable[Place]) -> dict[Place, list[int]]:
    """[on hand, reserved] of each place, locked until the unit of work ends. A place without a row counts as empty."""
    held: dict[Place, list[int]] = work.memo.setdefault("balances", {})
    by_site: dict[int, set[int]] = defaultdict(set)
    for place in places:
        if place not in held:
            by_site[place[0]].add(place[1])
    for site, wanted in sorted(by_site.items()):
        names = ("item_id", "on_hand", "reserved")
        for row in read_rows(work, StockBalance, names, "item_id", wanted, lock=True, also=("site_id", site)):
            held[site, row.item_id] = [row.on_hand, row.reserved]
    return held


def _make_places(work: UnitOfWork, held: dict[Place, list[int]], needed: dict[Place, int]) -> None:
    """Empty balance rows for places that receive stock for the first time."""
    missing = sorted(place for place in needed if place not in held)
    if not missing:
        return
    insert = sqlite_insert if work.dialect.name == "sqlite" else pg_insert
    for part in chunks(missing, 500):
        rows = [
            {
                "site_id": site, "item_id": item, "entity_id": needed[site, item],
                "on_hand": 0, "reserved": 0, "value_minor": 0, "unvalued": 0,
            }
            for site, item in part
        ]  # fmt: skip
        work.session.execute(insert(StockBalance).values(rows).on_conflict_do_nothing())
    lock_balances(work, missing)
    if any(place not in held for place in missing):
        raise Busy("busy")


def reserve(work: UnitOfWork, demands: Sequence[Demand], *, at: datetime) -> list[int]:
    """Promise stock to order lines, first come first served in the order given; returns what each one got."""
    held = lock_balances(work, {(d.site, d.item) for d in demands})
    got: list[int] = []
    rows: list[tuple[Any, ...]] = []
    ids = work.ids.reserve(len(demands))
    delta: dict[Place, int] = defaultdict(int)
    open_: dict[int, list[list[int]]] = work.memo.setdefault("reservations", {})
    for demand in demands:
        place = (demand.site, demand.item)
        on_hand, reserved = held.get(place, (0, 0))
        free = on_hand - reserved
        take = min(free, demand.quantity) if not demand.whole or free >= demand.quantity else 0
        take = max(take, 0)
        got.append(take)
        if take:
            held[place][1] += take
            delta[place] += take
            key = next(ids)
            rows.append((key, demand.entity, demand.order_line, demand.site, demand.item, take, 0, 0, at))
            open_.setdefault(demand.order_line, []).append([key, take, demand.site, demand.item])
    write_rows(work, Reservation.__table__, _RESERVATION, rows)
    _apply(work, {place: [0, take, 0, 0] for place, take in delta.items()})
    return got


def _apply(work: UnitOfWork, deltas: dict[Place, list[int]]) -> None:
    CHANGE_BALANCE.run(
        work,
        (
            {"site": p[0], "item": p[1], "d_on_hand": d[0], "d_reserved": d[1], "d_value": d[2], "d_unvalued": d[3]}
            for p, d in sorted(deltas.items())
            if any(d)
        ),
    )


def _open_reservations(work: UnitOfWork, lines: Iterable[int]) -> dict[int, list[list[int]]]:
    """[id, open quantity, site, item] per order line, oldest first."""
    known: dict[int, list[list[int]]] = work.memo.setdefault("reservations", {})
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
    open_ = _open_reservations(work, lines)
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
    _apply(work, deltas)
    return freed


def move_stock(work: UnitOfWork, movements: Sequence[Movement]) -> list[Moved]:
    """Append the moves and change the balances with them.

    Raises ``RuleBroken("stock_short")`` naming the first place that would go below what is there or promised; a movement with
    ``reserved_line`` uses that line's reservation first.
    """
    open_ = _open_reservations(work, [m.reserved_line for m in movements if m.reserved_line is not None])
    held = lock_balances(work, {(m.site, m.item) for m in movements})
    _make_places(work, held, {(m.site, m.item): m.entity for m in movements if m.quantity > 0})
    ids = work.ids.reserve(len(movements))
    rows: list[tuple[Any, ...]] = []
    moved: list[Moved] = []
    used: list[dict[str, int]] = []
    deltas: dict[Place, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for m in movements:
        place = (m.site, m.item)
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
        if balance is None or balance[0] + m.quantity < balance[1]:
            site, item = site_facts(work, m.site).code, items(work, {m.item})[m.item].code
            raise RuleBroken("stock_short", site=site, item=item, document=m.document_id)
        balance[0] += m.quantity
        value = None if m.unit_cost is None else scaled_amount(m.quantity, m.unit_cost, m.currency)
        delta[0] += m.quantity
        if value is None:
            delta[3] += m.quantity
        else:
            delta[2] += value
        key = next(ids)
        moved.append(Moved(key, value))
        rows.append(
            (
                key, m.entity, m.site, m.item, m.quantity, m.unit_cost, value, m.reason, m.note, m.document_type,
                m.document_id, m.moved_at, work.now,
            )
        )  # fmt: skip
    write_rows(work, StockMove.__table__, _MOVE, rows)
    USE_RESERVATION.run(work, used)
    _apply(work, deltas)
    return moved

"""Cycle counts: who counts what and when, blind; what a difference leads to; who counts again and who decides.

A count speaks of the instant at which it is recorded. Goods that were picked and have not left the site are not expected at
their place. When something moved at the place while it was counted, a difference is never booked but counted again.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import func, select, update

from erpcore.inventory.balances import lock_balances, placed_of
from erpcore.inventory.bins import Slot, lock_bins, lots
from erpcore.inventory.documents import CountState, CountTask
from erpcore.inventory.flow import COUNT
from erpcore.inventory.models import BinHold, MoveReason, StockBalance
from erpcore.inventory.movement import Movement
from erpcore.inventory.posting import stock_entry, warehouse_place
from erpcore.inventory.services import move_stock
from erpcore.kernel.errors import Conflict, NotAllowed, NotFound, RuleBroken
from erpcore.kernel.events import Place
from erpcore.kernel.history import record_move
from erpcore.kernel.model import QUANTITY_PLACES, scaled_int
from erpcore.kernel.money import scaled_amount
from erpcore.kernel.rows import Change, param, raw_columns, read_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.ledger.services import post_entries
from erpcore.masterdata.queries import items, site_facts
from erpcore.masterdata.units import in_own_unit
from erpcore.ports import CellStates, ProcessRules, Ruleset
from erpcore.published import StockAdjusted, StockCounted
from erpcore.published.stock import StockRecounted

_COLUMNS = tuple(column.name for column in CountTask.__table__.columns)


class Counted(NamedTuple):
    """What a count led to: the task's state from now on. Never what the book says: the next count is blind too."""

    state: CountState


class _Task:
    """A locked count task, and the slot that it counts."""

    def __init__(self, row: Any) -> None:
        self.row = row

    def __getattr__(self, name: str) -> Any:
        return getattr(self.row, name)

    @property
    def slot(self) -> Slot:
        return Slot(self.row.site_id, self.row.item_id, self.row.location_id, self.row.lot_id)


_CHANGED = tuple(
    name
    for name in _COLUMNS
    if name
    not in {"id", "entity_id", "site_id", "item_id", "location_id", "lot_id", "slot", "why", "due_on", "version"}
)


def _change_task() -> Any:
    table = CountTask.__table__
    return (
        update(table)
        .where(table.c.id == param("of", table.c.id), table.c.version == param("seen", table.c.version))
        .values({name: param(f"now_{name}", table.c[name]) for name in _CHANGED} | {"version": table.c.version + 1})
    )


def _change_frozen() -> Any:
    table = StockBalance.__table__
    return (
        update(table)
        .where(table.c.site_id == param("site", table.c.site_id), table.c.item_id == param("item", table.c.item_id))
        .values(frozen=table.c.frozen + param("d_frozen", table.c.frozen))
    )


_CHANGE, _FREEZE = Change(_change_task), Change(_change_frozen)


def _locked(work: UnitOfWork, task: int, move: str, seen_version: int | None) -> _Task:
    first = read_rows(work, CountTask, _COLUMNS, "id", [task], lock=True)
    if not first:
        raise NotFound("count_unknown", id=task)
    work.actor.require(COUNT.moves[move].permission, site=first[0].site_id)
    if seen_version not in (None, first[0].version):
        raise Conflict("changed_meanwhile")
    return _Task(first[0])


def _physical(work: UnitOfWork, slot: Slot) -> int:
    """What should lie there now: the book less what has been picked and not left the site."""
    place = (slot.site, slot.item)
    held = lock_balances(work, {place}).get(place, [0, 0, 0])
    bins = lock_bins(work, {place})[place]
    there = bins.get(slot)
    book = held[0] - placed_of(work).get(place, 0) if slot.is_default else there.quantity if there else 0
    picked = work.session.execute(
        select(func.coalesce(func.sum(raw_columns(BinHold, "picked")[0] - raw_columns(BinHold, "used")[0]), 0)).where(
            BinHold.site_id == slot.site, BinHold.item_id == slot.item,
            BinHold.location_id.is_(None) if slot.location is None else BinHold.location_id == slot.location,
            BinHold.lot_id.is_(None) if slot.lot is None else BinHold.lot_id == slot.lot,
        )
    ).scalar_one()  # fmt: skip
    return book - int(picked)


def start_count(
    work: UnitOfWork, task: int, *, rules: ProcessRules, cells: CellStates, seen_version: int | None = None
) -> None:
    """Somebody begins to count: the task is theirs, and by the site's rule nothing moves there meanwhile.

    Raises ``RuleBroken("recount_by_other")`` for who counted first.
    """
    one = _locked(work, task, "start", seen_version)
    move = "start_again" if one.state == CountState.RECOUNT else "start"
    COUNT.target(move, one.state)
    before = {one.counted_by, one.recounted_by} if one.decided_by is not None else {one.counted_by}
    if move == "start_again" and work.actor.id in before:
        raise NotAllowed("recount_by_other")
    place, ruleset = _rules_of(work, one, rules, cells)
    frozen = bool(ruleset["count_freeze"])
    physical = _physical(work, one.slot)
    if frozen:
        _freeze(work, one.slot, 1)
    _save(
        work, one, move, opening_book=physical, started_at=work.now, started_by=work.actor.id, is_frozen=frozen,
        ruleset=place.ruleset,
    )  # fmt: skip


def _freeze(work: UnitOfWork, slot: Slot, by: int) -> None:
    place = (slot.site, slot.item)
    if place not in lock_balances(work, {place}):
        return
    _FREEZE.run(work, [{"site": slot.site, "item": slot.item, "d_frozen": by}])


def _rules_of(work: UnitOfWork, task: _Task, rules: ProcessRules, cells: CellStates) -> tuple[Place, Ruleset]:
    """Where the count happens, and the rules it runs under: those of its first count."""
    place = warehouse_place(work, site_facts(work, task.site_id), rules, cells, begins=False)
    ruleset = rules.stored(work, task.ruleset or place.ruleset or "")
    return place._replace(ruleset=ruleset.hash, variants=ruleset.variants), ruleset


def record_count(
    work: UnitOfWork,
    task: int,
    found: Decimal,
    *,
    rules: ProcessRules,
    cells: CellStates,
    seen_version: int | None = None,
) -> Counted:
    """What was found. Within tolerance and limit the book follows at once; else somebody else counts again, or decides.

    Raises ``NotAllowed("count_of_other")`` for who did not begin it, ``RuleBroken("found_negative")`` below nothing.
    """
    one = _locked(work, task, "accept", seen_version)
    COUNT.target("accept", one.state)
    if one.started_by != work.actor.id:
        raise NotAllowed("count_of_other")
    item = items(work, {one.item_id})[one.item_id]
    counted = scaled_int(in_own_unit(found, None, item.quantity_places, field="found"), QUANTITY_PLACES)
    if counted < 0:
        raise RuleBroken("found_negative", field="found")
    if one.slot.lot is not None and counted > 1000 and lots(work, {one.slot.lot})[one.slot.lot].is_serial:
        raise RuleBroken("serial_counted_twice", field="found", serial=lots(work, {one.slot.lot})[one.slot.lot].code)
    place, ruleset = _rules_of(work, one, rules, cells)
    book = _physical(work, one.slot)
    moved = book != one.opening_book
    difference = counted - book
    within = abs(difference) * 1000 <= int(ruleset["count_tolerance_permille"]) * book
    value = None if item.standard_cost is None else scaled_amount(difference, item.standard_cost, place.currency or "")
    if one.is_frozen:
        _freeze(work, one.slot, -1)
    is_recount = one.state == CountState.RECOUNTING
    _report(work, one, place, book, counted, within, is_recount=is_recount)
    move = _next(ruleset, is_recount, within, difference, value, moved)
    if move == "accept" and not _is_bookable(work, one.slot, difference):
        # Less was found than is promised or meant for picks: somebody takes that back, then approves.
        move = "propose"
    told: dict[str, Any] = {"is_frozen": False, "difference": difference, "value_minor": value}
    if is_recount:
        told |= {"recount_book": book, "recounted": counted, "recounted_at": work.now, "recounted_by": work.actor.id}
    else:
        told |= {"book": book, "counted": counted, "counted_at": work.now, "counted_by": work.actor.id}
    if move == "accept" and difference:
        _book(work, one, place, difference)
    return Counted(_save(work, one, move, **told))


def _is_bookable(work: UnitOfWork, slot: Slot, difference: int) -> bool:
    place = (slot.site, slot.item)
    on_hand, reserved, blocked = lock_balances(work, {place}).get(place, [0, 0, 0])
    if difference >= 0:
        return True
    if on_hand + difference < reserved + blocked:
        return False
    found = lock_bins(work, {place})[place].get(slot)
    there = on_hand - placed_of(work)[place] if slot.is_default else found.quantity if found else 0
    return there + difference >= (found.held if found else 0)


def _next(ruleset: Ruleset, is_recount: bool, within: bool, difference: int, value: int | None, moved: bool) -> str:
    """The move that follows from a count."""
    if moved and difference:
        return "ask_recount"
    rule = ruleset["recount_rule"]
    if not is_recount and (rule == "always" or (rule == "beyond_tolerance" and not within)):
        return "ask_recount"
    if not difference:
        return "accept"
    known_small = value is not None and abs(value) <= int(ruleset["adjustment_limit_minor"])
    return "accept" if known_small else "propose"


def _report(
    work: UnitOfWork, task: _Task, place: Place, book: int, counted: int, within: bool, *, is_recount: bool
) -> None:
    item = items(work, {task.item_id})[task.item_id]
    subject = ("count", task.id, task.version)
    if is_recount:
        event = StockRecounted(item=item.id, book=book, counted=counted, within_tolerance=within)
        work.publish(event, place, step="warehouse.count", subject=subject, journey=task.id)
        return
    cost, currency = item.standard_cost, place.currency or ""
    first = StockCounted(
        item=item.id, book=book, counted=counted, within_tolerance=within, planned=task.why == "cadence", abc=item.abc,
        book_value=None if cost is None else scaled_amount(book, cost, currency),
        difference_value=None if cost is None else scaled_amount(counted - book, cost, currency),
    )  # fmt: skip
    work.publish(first, place, step="warehouse.count", subject=subject, journey=task.id)


def _book(work: UnitOfWork, task: _Task, place: Place, difference: int) -> None:
    item = items(work, {task.item_id})[task.item_id]
    slot = task.slot
    movement = Movement(
        entity=task.entity_id, site=slot.site, item=slot.item, quantity=difference, unit_cost=item.standard_cost,
        currency=place.currency or "", reason=MoveReason.COUNT, document_type="count", document_id=task.id, moved_at=work.now,
        note="count", slot=None if slot.is_default and item.tracking == "none" else slot,
    )  # fmt: skip
    (moved,) = move_stock(work, [movement])
    if moved.value:
        post_entries(work, [stock_entry(place, movement, moved)])
    event = StockAdjusted(item=item.id, quantity=difference, value=moved.value, reason="count")
    work.publish(event, place, step="warehouse.adjust", subject=("stock_move", moved.id, 1), journey=moved.id)


def decide_count(
    work: UnitOfWork,
    task: int,
    *,
    approved: bool,
    note: str,
    rules: ProcessRules,
    cells: CellStates,
    seen_version: int | None = None,
) -> None:
    """Book the difference that was found, or have it counted once more: by neither of those who counted.

    Raises ``NotAllowed("counted_it_oneself")`` for a counter, ``RuleBroken`` when the difference can no longer be booked.
    """
    move = "approve" if approved else "count_again"
    one = _locked(work, task, move, seen_version)
    COUNT.target(move, one.state, reason=note)
    if work.actor.id in (one.counted_by, one.recounted_by) and not work.actor.is_system:
        raise NotAllowed("counted_it_oneself")
    place, _ = _rules_of(work, one, rules, cells)
    if approved:
        _physical(work, one.slot)
        _book(work, one, place, one.difference)
    work.audit("count_decided", "count", one.id, approved=approved, difference=one.difference)
    _save(
        work, one, move, decided_by=work.actor.id, decided_at=work.now, note=note.strip(),
    )  # fmt: skip


def cancel_count(work: UnitOfWork, task: int, note: str, *, seen_version: int | None = None) -> None:
    """Nobody counts this; what was frozen for it moves again."""
    one = _locked(work, task, "cancel", seen_version)
    COUNT.target("cancel", one.state, reason=note)
    if one.is_frozen:
        _freeze(work, one.slot, -1)
    _save(work, one, "cancel", is_frozen=False, note=note.strip())


def _save(work: UnitOfWork, task: _Task, move: str, **changes: Any) -> CountState:
    row = task.row
    state = CountState(COUNT.moves[move].target)
    values = {name: getattr(row, name) for name in _CHANGED} | {"state": state} | changes
    _CHANGE.run(
        work, [{"of": row.id, "seen": row.version} | {f"now_{name}": value for name, value in values.items()}]
    )  # fmt: skip
    record_move(work, "count", row.id, move, row.state, state, reason=changes.get("note"))
    return state

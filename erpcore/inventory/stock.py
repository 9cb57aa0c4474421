"""Stock that comes or changes for no order: openings, receipts, adjustments, counts. Each posts what it is worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from erpcore.inventory.bins import Slot
from erpcore.inventory.models import MoveReason, StockBalance, StockMove
from erpcore.inventory.movement import Movement
from erpcore.inventory.posting import stock_entry, warehouse_place
from erpcore.inventory.services import Moved, move_stock
from erpcore.kernel.errors import NotAllowed, NotFound, RuleBroken
from erpcore.kernel.model import QUANTITY_PLACES, scaled_int
from erpcore.kernel.quantity import ABSURD
from erpcore.kernel.rows import raw_columns
from erpcore.kernel.work import UnitOfWork
from erpcore.ledger.services import post_entries, read_charts
from erpcore.masterdata.queries import ItemFacts, SiteFacts, items, site_facts
from erpcore.ports import CellStates, ProcessRules
from erpcore.published import StockAdjusted, StockAdjustmentReversed, StockMoved


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangeStock:
    """So much more (or less) of an item at a site, and why. ``slot``: where, of which lot, when that matters.

    ``is_agreed``: those with authority have agreed to it, so whoever was the last of them needs no permission of the warehouse.
    """

    site: int
    item: int
    quantity: Decimal
    note: str
    at: datetime | None = None
    slot: Slot | None = None
    is_agreed: bool = False


def open_stock(
    work: UnitOfWork, commands: Sequence[ChangeStock], *, rules: ProcessRules, cells: CellStates
) -> list[Moved]:
    """Take stock into the books for the first time."""
    return _change(work, commands, MoveReason.OPENING, "warehouse:stock:open", rules, cells)


def receive_stock(
    work: UnitOfWork, commands: Sequence[ChangeStock], *, rules: ProcessRules, cells: CellStates
) -> list[Moved]:
    """Goods put away from a supplier, not invoiced yet."""
    _require_whole_units(work, commands)
    return _change(work, commands, MoveReason.RECEIPT, "warehouse:stock:receive", rules, cells)


def adjust_stock(
    work: UnitOfWork, commands: Sequence[ChangeStock], *, rules: ProcessRules, cells: CellStates
) -> list[Moved]:
    """Correct the book by a reason; raises ``RuleBroken("stock_short")`` below what is there or promised."""
    for command in commands:
        if not command.note.strip():
            raise RuleBroken("reason_required", field="note", document="stock", move="adjust")
    _require_whole_units(work, commands)
    return _change(work, commands, MoveReason.ADJUSTMENT, "warehouse:stock:adjust", rules, cells)


def _change(
    work: UnitOfWork,
    commands: Sequence[ChangeStock],
    reason: MoveReason,
    permission: str,
    rules: ProcessRules,
    cells: CellStates,
    documents: Sequence[int] | None = None,
) -> list[Moved]:
    known = items(work, {c.item for c in commands})
    movements, places = [], []
    keys = documents or list(work.ids.reserve(len(commands)))
    for command, key in zip(commands, keys, strict=True):
        if not command.is_agreed:
            work.actor.require(permission, site=command.site)
        site, item = site_facts(work, command.site), known[command.item]
        _check(command, site, item)
        if command.quantity < 0 and reason in (MoveReason.OPENING, MoveReason.RECEIPT):
            # What goes out is corrected, with another permission, a reason and a limit.
            raise RuleBroken("quantity_not_positive_here", field="quantity", item=item.code)
        if command.at is not None and not work.is_stated:
            raise NotAllowed("time_not_stated", source=work.source)
        places.append(warehouse_place(work, site, rules, cells))
        movements.append(
            Movement(
                entity=site.entity.id, site=site.id, item=item.id, quantity=scaled_int(command.quantity, QUANTITY_PLACES),
                unit_cost=item.standard_cost, currency=site.entity.currency, reason=reason, document_type="stock_change",
                document_id=key, moved_at=command.at or work.now, note=command.note, slot=command.slot,
            )
        )  # fmt: skip
    read_charts(work, (movement.entity for movement in movements))
    moved = move_stock(work, movements)
    entries = []
    for place, movement, done in zip(places, movements, moved, strict=True):
        if done.value:
            entries.append(stock_entry(place, movement, done))
        event_type: Any = StockAdjusted if reason in (MoveReason.ADJUSTMENT, MoveReason.COUNT) else StockMoved
        event = event_type(
            item=movement.item, quantity=movement.quantity, value=done.value,
            reason=(movement.note or reason) if event_type is StockAdjusted else reason,
        )  # fmt: skip
        work.publish(
            event, place, step="warehouse.adjust" if event_type is StockAdjusted else "warehouse.receive",
            subject=("stock_move", done.id, 1), journey=done.id, at=movement.moved_at,
        )  # fmt: skip
    post_entries(work, entries)
    return moved


def _check(command: ChangeStock, site: SiteFacts, item: ItemFacts) -> None:
    if item.entity_id != site.entity.id:
        raise RuleBroken("other_entity", field="item", customer=item.code, site=site.code)
    if item.kind != "stock":
        raise RuleBroken("item_without_stock", field="item", item=item.code)
    if command.quantity == 0:
        raise RuleBroken("quantity_zero", field="quantity", item=item.code)
    if abs(command.quantity) >= ABSURD:
        raise RuleBroken("quantity_absurd", field="quantity", value=str(command.quantity))


def reverse_adjustment(work: UnitOfWork, move: int, reason: str, *, rules: ProcessRules, cells: CellStates) -> Moved:
    """Take a mistaken adjustment back by its counter-move; both leave the adjustment measures."""
    row = work.session.execute(select(*raw_columns(StockMove)).where(StockMove.id == move)).one_or_none()
    if row is None:
        raise NotFound("move_unknown", id=move)
    done = work.session.execute(
        select(StockMove.id).where(StockMove.reason == MoveReason.REVERSAL, StockMove.document_id == move)
    ).first()
    if row.reason not in (MoveReason.ADJUSTMENT, MoveReason.COUNT) or done:
        raise RuleBroken("not_reversible", id=move)
    work.actor.require("warehouse:stock:adjust", site=row.site_id)
    site = site_facts(work, row.site_id)
    place = warehouse_place(work, site, rules, cells)
    slot = Slot(row.site_id, row.item_id, row.location_id, row.lot_id, row.status)
    movement = Movement(
        slot=slot if not slot.is_default else None, entity=row.entity_id, site=row.site_id, item=row.item_id, quantity=-row.quantity, unit_cost=row.unit_cost,
        currency=site.entity.currency, reason=MoveReason.REVERSAL, document_type="stock_move", document_id=move,
        moved_at=work.now, note=reason,
    )  # fmt: skip
    (moved,) = move_stock(work, [movement])
    if moved.value:
        post_entries(work, [stock_entry(place, movement, moved)])
    event = StockAdjustmentReversed(of=move, item=row.item_id, quantity=-row.quantity, reason=reason, value=moved.value)
    work.publish(event, place, step="warehouse.adjust", subject=("stock_move", moved.id, 1), journey=move)
    return moved


def _require_whole_units(work: UnitOfWork, commands: Sequence[ChangeStock]) -> None:
    """No more decimal places than the item is counted in."""
    known = items(work, {c.item for c in commands})
    for command in commands:
        exponent, places = command.quantity.normalize().as_tuple().exponent, known[command.item].quantity_places
        if isinstance(exponent, int) and -exponent > places:
            raise RuleBroken("quantity_too_precise", field="quantity", value=str(command.quantity), places=places)


def book_counts(
    work: UnitOfWork, commands: Sequence[ChangeStock], *, rules: ProcessRules, cells: CellStates
) -> list[Moved]:
    """Correct the book to what was counted; raises ``RuleBroken("stock_short")`` below what is promised."""
    return _change(work, commands, MoveReason.COUNT, "warehouse:stock:count", rules, cells)


def stock_value(session: Any, site: int) -> tuple[int | None, int]:
    """Value of a site's stock in minor units (``None`` when nothing there has a cost), and how many items have none."""
    rows = session.execute(
        select(*raw_columns(StockBalance, "on_hand", "value_minor", "unvalued")).where(StockBalance.site_id == site)
    ).all()
    valued = [row for row in rows if row.on_hand != row.unvalued]
    unknown = sum(1 for row in rows if row.unvalued and row.on_hand)
    return (sum(row.value_minor for row in valued) if valued else None), unknown

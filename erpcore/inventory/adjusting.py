"""Correcting the book: by a reason code, at once up to the site's limit, above it when somebody else approves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import update

from erpcore.inventory.balances import lock_balances
from erpcore.inventory.bins import Slot, location_at
from erpcore.inventory.documents import AdjustmentState, StockAdjustment
from erpcore.inventory.flow import ADJUSTMENT
from erpcore.inventory.posting import warehouse_place, warehouse_rules
from erpcore.inventory.stock import ChangeStock, adjust_stock
from erpcore.kernel.errors import Conflict, NotAllowed, NotFound, RuleBroken
from erpcore.kernel.history import record_move
from erpcore.kernel.model import QUANTITY_PLACES, scaled_int
from erpcore.kernel.money import scaled_amount
from erpcore.kernel.rows import Change, param, read_rows, write_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import items, site_facts
from erpcore.masterdata.units import in_own_unit
from erpcore.ports import CellStates, ProcessRules


class AdjustmentReason(StrEnum):
    """Why the book is wrong."""

    DAMAGED = "damaged"
    EXPIRED = "expired"
    LOST = "lost"
    FOUND = "found"
    STOLEN = "stolen"
    OWN_USE = "own_use"
    WRONG_ITEM = "wrong_item"
    TYPING = "typing"
    OTHER = "other"


@dataclass(frozen=True, kw_only=True, slots=True)
class Adjust:
    """So much more (or less) than the book says, why, and where it lies."""

    site: int
    item: int
    quantity: Decimal
    reason: str
    note: str
    location: int | None = None
    lot: int | None = None


class Adjusted(NamedTuple):
    """The adjustment, and whether it waits for somebody to approve it."""

    id: int
    waits: bool


_COLUMNS = (
    "id", "entity_id", "site_id", "item_id", "location_id", "lot_id", "quantity", "value_minor", "reason_code", "note", "state",
    "asked_by", "asked_at", "decided_by", "decided_at", "decision_note", "move_id", "version",
)  # fmt: skip


def _decide() -> Any:
    table = StockAdjustment.__table__
    names = ("state", "decided_by", "decided_at", "decision_note", "move_id")
    return (
        update(table)
        .where(table.c.id == param("of", table.c.id), table.c.version == param("seen", table.c.version))
        .values({name: param(f"now_{name}", table.c[name]) for name in names} | {"version": table.c.version + 1})
    )


_DECIDE = Change(_decide)


def adjust(work: UnitOfWork, commands: Sequence[Adjust], *, rules: ProcessRules, cells: CellStates) -> list[Adjusted]:
    """Correct the book, or ask for it where it is worth more than the site's limit or nobody knows what it is worth.

    Raises ``RuleBroken("bin_short")`` below what lies there, ``stock_short`` below what is promised.
    """
    answers, rows = [], []
    for c in commands:
        work.actor.require("warehouse:stock:adjust", site=c.site)
        site, item = site_facts(work, c.site), items(work, {c.item})[c.item]
        warehouse_place(work, site, rules, cells)
        if c.reason not in set(AdjustmentReason):
            raise RuleBroken("choice_unknown", field="reason", value=c.reason)
        if not c.note.strip():
            raise RuleBroken("reason_required", field="note", document="stock", move="adjust")
        if c.location is not None:
            location_at(work, c.site, c.location)
        quantity = scaled_int(in_own_unit(c.quantity, None, item.quantity_places), QUANTITY_PLACES)
        on_hand, reserved, blocked = lock_balances(work, {(c.site, c.item)}).get((c.site, c.item), [0, 0, 0])
        if on_hand - reserved - blocked + quantity < 0 and quantity < 0:
            raise RuleBroken("stock_short", field="quantity", site=site.code, item=item.code)
        cost = item.standard_cost
        value = None if cost is None else scaled_amount(quantity, cost, site.entity.currency)
        limit = int(warehouse_rules(work, site, rules)["adjustment_limit_minor"])
        waits = value is None or abs(value) > limit
        key = work.ids.one()
        answers.append(Adjusted(key, waits))
        move = None if waits else _book(work, c, rules, cells)
        state = AdjustmentState.PROPOSED if waits else AdjustmentState.BOOKED
        if quantity == 0:
            raise RuleBroken("quantity_zero", field="quantity", item=item.code)
        rows.append(
            (
                key, site.entity.id, site.id, item.id, c.location, c.lot, quantity, value, c.reason, c.note.strip(), state,
                work.actor.id, work.now, None, None, None, move, 1,
            )
        )  # fmt: skip
        record_move(work, "adjustment", key, "propose" if waits else "book", None, state, reason=c.note.strip())
    write_rows(work, StockAdjustment.__table__, _COLUMNS, rows)
    return answers


def _book(work: UnitOfWork, c: Adjust, rules: ProcessRules, cells: CellStates) -> int:
    slot = Slot(c.site, c.item, c.location, c.lot)
    change = ChangeStock(
        site=c.site, item=c.item, quantity=c.quantity, note=f"{c.reason.replace('_', ' ')}: {c.note.strip()}",
        slot=None if slot.is_default else slot,
    )  # fmt: skip
    (moved,) = adjust_stock(work, [change], rules=rules, cells=cells)
    return moved.id


def decide_adjustment(
    work: UnitOfWork,
    adjustment: int,
    *,
    approved: bool,
    note: str,
    rules: ProcessRules,
    cells: CellStates,
    seen_version: int | None = None,
) -> None:
    """Book what somebody else asked for, or reject it.

    Raises ``NotAllowed("own_request", document=f"Adjustment {row.id}")`` for who asked for it, ``RuleBroken`` when there is no longer so much to take away.
    """
    rows = read_rows(work, StockAdjustment, _COLUMNS, "id", [adjustment], lock=True)
    if not rows:
        raise NotFound("adjustment_unknown", id=adjustment)
    row = rows[0]
    work.actor.require("warehouse:stock:approve_adjustment", site=row.site_id)
    if seen_version not in (None, row.version):
        raise Conflict("changed_meanwhile")
    move_name = "approve" if approved else "reject"
    state = ADJUSTMENT.target(move_name, row.state, reason=note)
    if work.actor.id == row.asked_by and not work.actor.is_system:
        raise NotAllowed("own_request", document=f"Adjustment {row.id}")
    move = None
    if approved:
        move = _book(
            work,
            Adjust(
                site=row.site_id, item=row.item_id, quantity=Decimal(row.quantity).scaleb(-QUANTITY_PLACES),
                reason=row.reason_code, note=row.note, location=row.location_id, lot=row.lot_id,
            ),
            rules,
            cells,
        )  # fmt: skip
    _DECIDE.run(
        work,
        [
            {
                "of": row.id, "seen": row.version, "now_state": state, "now_decided_by": work.actor.id,
                "now_decided_at": work.now, "now_decision_note": note.strip() or None, "now_move_id": move,
            }
        ],
    )  # fmt: skip
    record_move(work, "adjustment", row.id, move_name, row.state, state, reason=note.strip() or None)
    work.audit("adjustment_decided", "adjustment", row.id, approved=approved, asked_by=row.asked_by)

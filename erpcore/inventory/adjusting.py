"""Correcting the book: by a reason code, at once up to the site's limit, above it when somebody else approves.

Counts recorded at once and goods lost on their way keep to the same limit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import update

from erpcore.inventory.balances import lock_balances
from erpcore.inventory.bins import Slot, bin_short, location_at, lock_bins
from erpcore.inventory.documents import AdjustmentState, StockAdjustment
from erpcore.inventory.flow import ADJUSTMENT
from erpcore.inventory.models import StockStatus
from erpcore.inventory.posting import warehouse_place, warehouse_rules
from erpcore.inventory.stock import ChangeStock, adjust_stock, book_counts
from erpcore.inventory.transfers import lose_in_transit
from erpcore.kernel.errors import Conflict, NotAllowed, NotFound, RuleBroken
from erpcore.kernel.history import record_move
from erpcore.kernel.model import QUANTITY_PLACES, scaled_int
from erpcore.kernel.money import scaled_amount
from erpcore.kernel.rows import Change, param, read_rows, write_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import ItemFacts, SiteFacts, items, site_facts
from erpcore.masterdata.units import in_own_unit
from erpcore.ports import BY_PERMISSION, Authority, CellStates, Matter, ProcessRules
from erpcore.published import StockCounted


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
    COUNTED = "counted"


#: What people may give as a reason; a count gives its own.
BY_HAND = tuple(reason for reason in AdjustmentReason if reason is not AdjustmentReason.COUNTED)


@dataclass(frozen=True, kw_only=True, slots=True)
class Adjust:
    """So much more (or less) than the book says, why, and where it lies, in which status."""

    site: int
    item: int
    quantity: Decimal
    reason: str
    note: str
    location: int | None = None
    lot: int | None = None
    status: str = StockStatus.AVAILABLE


@dataclass(frozen=True, kw_only=True, slots=True)
class CountStock:
    """What was found at a blind count."""

    site: int
    item: int
    counted: Decimal
    planned: bool = True


class Difference(NamedTuple):
    """How far the book was off, in thousandths; ``adjustment``: somebody else decides on it before it is corrected."""

    quantity: int
    adjustment: int | None = None


class Adjusted(NamedTuple):
    """The adjustment, and whether it waits for somebody to approve it."""

    id: int
    waits: bool


_COLUMNS = (
    "id", "entity_id", "site_id", "item_id", "location_id", "lot_id", "status", "transfer_line_id", "quantity", "value_minor", "reason_code", "note", "state",
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


def adjust(
    work: UnitOfWork,
    commands: Sequence[Adjust],
    *,
    rules: ProcessRules,
    cells: CellStates,
    authority: Authority = BY_PERMISSION,
) -> list[Adjusted]:
    """Correct the book, or ask for it where it is worth more than the site's limit or nobody knows what it is worth.

    Raises ``RuleBroken("bin_short")`` below what lies there, ``stock_short`` below what is promised.
    """
    answers, rows = [], []
    for c in commands:
        work.actor.require("warehouse:stock:adjust", site=c.site)
        site, item = site_facts(work, c.site), items(work, {c.item})[c.item]
        warehouse_place(work, site, rules, cells)
        quantity = _check(work, c, site, item)
        value = (
            None if item.standard_cost is None else scaled_amount(quantity, item.standard_cost, site.entity.currency)
        )
        waits = waits_for_approval(work, site, rules, value)
        key = work.ids.one()
        answers.append(Adjusted(key, waits))
        move = None if waits else _book(work, c, rules, cells)
        rows.append(_row(work, key, site, c, quantity, value, move))
    settled = write_adjustments(work, rows, authority)
    return [Adjusted(one.id, one.waits and one.id not in settled) for one in answers]


def _check(work: UnitOfWork, c: Adjust, site: SiteFacts, item: ItemFacts) -> int:
    """The quantity in thousandths; refuses what no adjustment may be."""
    if c.reason not in set(BY_HAND):
        raise RuleBroken("choice_unknown", field="reason", value=c.reason)
    if c.status in (StockStatus.IN_TRANSIT, StockStatus.RECEIVED) or c.status not in set(StockStatus):
        raise RuleBroken("status_not_by_hand", field="status")
    if not c.note.strip():
        raise RuleBroken("reason_required", field="note", document="stock", move="adjust")
    if c.location is not None:
        location_at(work, c.site, c.location)
    quantity = scaled_int(in_own_unit(c.quantity, None, item.quantity_places), QUANTITY_PLACES)
    if quantity == 0:
        raise RuleBroken("quantity_zero", field="quantity", item=item.code)
    place = (c.site, c.item)
    on_hand, reserved, blocked = lock_balances(work, {place}).get(place, [0, 0, 0])
    if quantity < 0 and c.status == StockStatus.AVAILABLE and on_hand - reserved - blocked + quantity < 0:
        raise RuleBroken("stock_short", field="quantity", site=site.code, item=item.code)
    slot = Slot(c.site, c.item, c.location, c.lot, c.status)
    if quantity < 0 and c.status != StockStatus.AVAILABLE:
        there = lock_bins(work, {place})[place].get(slot)
        if there is None or there.quantity + quantity < 0:
            raise bin_short(work, slot)
    return quantity


def waits_for_approval(work: UnitOfWork, site: SiteFacts, rules: ProcessRules, value: int | None) -> bool:
    """Whether a correction worth so much is somebody else's to decide; of unknown worth it always is."""
    return value is None or abs(value) > int(warehouse_rules(work, site, rules)["adjustment_limit_minor"])


def _row(
    work: UnitOfWork, key: int, site: SiteFacts, c: Adjust, quantity: int, value: int | None, move: int | None,
    transfer_line: int | None = None,
) -> tuple[Any, ...]:  # fmt: skip
    state = AdjustmentState.PROPOSED if move is None else AdjustmentState.BOOKED
    return (
        key, site.entity.id, site.id, c.item, c.location, c.lot, c.status, transfer_line, quantity, value, c.reason,
        c.note.strip(), state, work.actor.id, work.now, None, None, None, move, 1,
    )  # fmt: skip


def write_adjustments(
    work: UnitOfWork, rows: Sequence[tuple[Any, ...]], authority: Authority = BY_PERMISSION
) -> set[int]:
    """Keep adjustments, booked or proposed, with the step that made them. For those proposed the authority is asked; returns
    which of them were settled at once.
    """
    write_rows(work, StockAdjustment.__table__, _COLUMNS, rows)
    settled = set()
    for row in rows:
        one = dict(zip(_COLUMNS, row, strict=True))
        is_proposed = one["state"] == AdjustmentState.PROPOSED
        name = "propose" if is_proposed else "book"
        record_move(work, "adjustment", one["id"], name, None, one["state"], reason=one["note"])
        if is_proposed and not authority.ask(work, _matter(work, one)).waits:
            settled.add(one["id"])
    return settled


def _matter(work: UnitOfWork, row: dict[str, Any]) -> Matter:
    site, item = site_facts(work, row["site_id"]), items(work, {row["item_id"]})[row["item_id"]]
    quantity = Decimal(row["quantity"]).scaleb(-QUANTITY_PLACES).normalize()
    known = row["value_minor"] is not None
    return Matter(
        kind="stock_adjustment", document_type="adjustment", document=row["id"], version=1,
        summary=f"Stock of {item.code} at {site.name} {quantity:+f}: {row['reason_code'].replace('_', ' ')}", site=site.id,
        entity=site.entity.id, amount_minor=abs(row["value_minor"]) if known else None,
        currency=site.entity.currency if known else None,
    )  # fmt: skip


def propose_loss(
    work: UnitOfWork,
    site: SiteFacts,
    item: int,
    lot: int | None,
    line: int,
    quantity: int,
    value: int | None,
    reason: str,
    authority: Authority = BY_PERMISSION,
) -> bool:
    """Ask somebody else to agree that goods on their way are lost. False where nobody had to be asked, and they are."""
    key = work.ids.one()
    c = Adjust(
        site=site.id, item=item, quantity=Decimal(-quantity).scaleb(-QUANTITY_PLACES), reason=AdjustmentReason.LOST,
        note=reason, lot=lot, status=StockStatus.IN_TRANSIT,
    )  # fmt: skip
    return key not in write_adjustments(work, [_row(work, key, site, c, -quantity, value, None, line)], authority)


def _book(work: UnitOfWork, c: Adjust, rules: ProcessRules, cells: CellStates, *, is_agreed: bool = False) -> int:
    slot = Slot(c.site, c.item, c.location, c.lot, c.status)
    is_count = c.reason == AdjustmentReason.COUNTED
    change = ChangeStock(
        site=c.site, item=c.item, quantity=c.quantity,
        note="count" if is_count else f"{c.reason.replace('_', ' ')}: {c.note.strip()}",
        slot=None if slot.is_default else slot, is_agreed=is_agreed,
    )  # fmt: skip
    if is_count:
        (moved,) = book_counts(work, [change], rules=rules, cells=cells)
    else:
        (moved,) = adjust_stock(work, [change], rules=rules, cells=cells)
    return moved.id


def count_stock(
    work: UnitOfWork,
    commands: Sequence[CountStock],
    *,
    rules: ProcessRules,
    cells: CellStates,
    authority: Authority = BY_PERMISSION,
) -> list[Difference]:
    """Record blind counts against the book: a difference is booked at once up to the site's limit, above it proposed.

    Tolerance is the site's policy (per mille of the book). Raises ``RuleBroken("stock_short")`` when less was found than is
    promised and the difference is small enough to be booked at once: take back a promise first; ``count_waits`` while an
    earlier count of the same goods waits, whose difference would be corrected a second time.
    """
    known = items(work, {c.item for c in commands})
    held = lock_balances(work, {(c.site, c.item) for c in commands})
    waiting = _counts_that_wait(work, known)
    differences, changes, rows = [], [], []
    for command in commands:
        work.actor.require("warehouse:stock:count", site=command.site)
        site, item = site_facts(work, command.site), known[command.item]
        book = held.get((command.site, command.item), [0, 0])[0]
        difference, value = _report_count(work, command, site, item, book, rules, cells)
        waits = bool(difference) and waits_for_approval(work, site, rules, value)
        if difference and (site.id, item.id) in waiting:
            raise RuleBroken("count_waits", field="quantity", site=site.code, item=item.code)
        asked = work.ids.one() if waits else None
        differences.append(Difference(difference, asked))
        quantity = Decimal(difference).scaleb(-QUANTITY_PLACES)
        if asked is not None:
            c = Adjust(
                site=site.id, item=item.id, quantity=quantity, reason=AdjustmentReason.COUNTED, note="found at a count"
            )  # fmt: skip
            rows.append(_row(work, asked, site, c, difference, value, None))
            waiting.add((site.id, item.id))
        elif difference:
            changes.append(ChangeStock(site=site.id, item=item.id, quantity=quantity, note="count"))
    if changes:
        book_counts(work, changes, rules=rules, cells=cells)
    settled = write_adjustments(work, rows, authority)
    return [Difference(one.quantity, None if one.adjustment in settled else one.adjustment) for one in differences]


def _counts_that_wait(work: UnitOfWork, wanted: Iterable[int]) -> set[tuple[int, int]]:
    """Sites and items of which a counted difference waits for somebody's decision."""
    names = ("site_id", "item_id", "reason_code")
    rows = read_rows(work, StockAdjustment, names, "item_id", wanted, also=("state", AdjustmentState.PROPOSED))
    return {(row.site_id, row.item_id) for row in rows if row.reason_code == AdjustmentReason.COUNTED}


def _report_count(
    work: UnitOfWork,
    command: CountStock,
    site: SiteFacts,
    item: ItemFacts,
    book: int,
    rules: ProcessRules,
    cells: CellStates,
) -> tuple[int, int | None]:
    """Say what was found; returns the difference and what it is worth."""
    place = warehouse_place(work, site, rules, cells)
    tolerance = rules.stored(work, place.ruleset or "")["count_tolerance_permille"]
    counted = scaled_int(in_own_unit(command.counted, None, item.quantity_places, field="found"), QUANTITY_PLACES)
    difference, cost = counted - book, item.standard_cost
    value = None if cost is None else scaled_amount(difference, cost, site.entity.currency)
    event = StockCounted(
        item=item.id, book=book, counted=counted, within_tolerance=abs(difference) * 1000 <= tolerance * book,
        planned=command.planned, abc=item.abc,
        book_value=None if cost is None else scaled_amount(book, cost, site.entity.currency), difference_value=value,
    )  # fmt: skip
    key = work.ids.one()
    work.publish(event, place, step="warehouse.count", subject=("count", key, 1), journey=key)
    return difference, value


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
    """Book what somebody else asked for, or reject it, by the permission that one has.

    Raises ``NotAllowed("own_request")`` for who asked for it, ``RuleBroken`` when there is no longer so much to take away.
    """
    row = _locked(work, adjustment)
    work.actor.require("warehouse:stock:approve_adjustment", site=row.site_id)
    if seen_version not in (None, row.version):
        raise Conflict("changed_meanwhile")
    ADJUSTMENT.target("approve" if approved else "reject", row.state, reason=note)
    if work.actor.id == row.asked_by and not work.actor.is_system:
        raise NotAllowed("own_request", document=f"Adjustment {row.id}")
    settle_adjustment(work, adjustment, approved=approved, note=note, rules=rules, cells=cells)


def _locked(work: UnitOfWork, adjustment: int) -> Any:
    rows = read_rows(work, StockAdjustment, _COLUMNS, "id", [adjustment], lock=True)
    if not rows:
        raise NotFound("adjustment_unknown", id=adjustment)
    return rows[0]


def settle_adjustment(
    work: UnitOfWork, adjustment: int, *, approved: bool, note: str, rules: ProcessRules, cells: CellStates
) -> None:
    """Book or reject what the authority, or somebody with the permission, has decided on.

    Raises ``RuleBroken`` when there is no longer so much to take away.
    """
    row = _locked(work, adjustment)
    move_name = "approve" if approved else "reject"
    state = ADJUSTMENT.target(move_name, row.state, reason=note)
    move = None
    if approved and row.transfer_line_id is not None:
        move = lose_in_transit(work, row.transfer_line_id, -row.quantity, row.note, rules=rules, cells=cells).move
    elif approved:
        agreed = Adjust(
            site=row.site_id, item=row.item_id, quantity=Decimal(row.quantity).scaleb(-QUANTITY_PLACES),
            reason=row.reason_code, note=row.note, location=row.location_id, lot=row.lot_id, status=row.status,
        )  # fmt: skip
        move = _book(work, agreed, rules, cells, is_agreed=True)
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

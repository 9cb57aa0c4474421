"""Goods from one site of an entity to another: shipped, in transit, received, and what became of what did not arrive.

From the moment they are shipped they belong to the receiving site's stock, in transit and not free to be promised from; what
is expected there says when they come. Two steps in two units of work: whatever happens between them, the goods are in transit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import select

from erpcore.inventory.arrivals import Paper, keep_arrival
from erpcore.inventory.balances import lock_balances, worth_of
from erpcore.inventory.bins import Slot, receiving_location, sound_status, take_parts
from erpcore.inventory.documents import ReceiptSource, StockTransfer, StockTransferLine, TransferState
from erpcore.inventory.holds import lot_rule
from erpcore.inventory.models import MoveReason, StockStatus
from erpcore.inventory.movement import Movement
from erpcore.inventory.placing import check_slot
from erpcore.inventory.posting import report_moves, stock_entry, warehouse_place
from erpcore.inventory.receiving import Expect, expect_receipts
from erpcore.inventory.services import Moved, move_stock
from erpcore.inventory.shifting import OrderNames, Shift, shift_stock
from erpcore.inventory.transfer_records import LINE_COLUMNS, TRANSFER_COLUMNS, lock_transfer, settle_transfer
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import Conflict, RuleBroken
from erpcore.kernel.events import Place
from erpcore.kernel.history import record_move
from erpcore.kernel.model import QUANTITY_PLACES, scaled_int
from erpcore.kernel.rows import write_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.ledger.models import AccountRole
from erpcore.ledger.services import Entry, Side, ensure_account, post_entries
from erpcore.masterdata.queries import ItemFacts, SiteFacts, items, site_facts
from erpcore.masterdata.units import in_own_unit, pack_named, packs_of, require_countable
from erpcore.ports import CellStates, ProcessRules
from erpcore.published import StockAdjusted
from erpcore.published.stock import StockTransferReceived, StockTransferShipped


@dataclass(frozen=True, kw_only=True, slots=True)
class TransferLine:
    """So much of an item. ``lot``: just this one; ``location``: from there; without them by the lot rule."""

    item: int
    quantity: Decimal
    unit: str | None = None
    lot: int | None = None
    location: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ShipTransfer:
    """Goods that leave one site for another. ``order``: the transfer order that asked for it."""

    from_site: int
    to_site: int
    arrives_on: date
    lines: Sequence[TransferLine]
    order: int | None = None
    note: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ArrivedLine:
    """What came of a line of a transfer; ``damaged`` is part of it."""

    line: int
    quantity: Decimal
    damaged: Decimal = Decimal(0)


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceiveTransfer:
    """What came of a transfer; what did not stays in transit until it comes or is given up."""

    transfer: int
    lines: Sequence[ArrivedLine]
    seen_version: int | None = None


class TransferReceived(NamedTuple):
    """Whether nothing of the transfer is on its way any more, and whether some of what came was set apart because its last day
    is over.
    """

    settled: bool
    set_apart: bool


class Lost(NamedTuple):
    """The move that took lost goods off the book, and whether nothing of the transfer is on its way any more."""

    move: int
    settled: bool


class Transfer(NamedTuple):
    """A transfer as shipped."""

    id: int
    number: str


def ship_transfers(
    work: UnitOfWork, commands: Sequence[ShipTransfer], *, rules: ProcessRules, cells: CellStates
) -> list[Transfer]:
    """Goods leave: less at the one site, in transit at the other, the same worth.

    Raises ``RuleBroken("stock_short")`` for more than is free, ``other_entity`` between companies.
    """
    return [_ship(work, command, rules, cells) for command in commands]


def _ship(work: UnitOfWork, command: ShipTransfer, rules: ProcessRules, cells: CellStates) -> Transfer:
    work.actor.require("warehouse:transfer:ship", site=command.from_site)
    source, target = site_facts(work, command.from_site), site_facts(work, command.to_site)
    _check_sites(work, command, source, target)
    here = warehouse_place(work, source, rules, cells)
    there = warehouse_place(work, target, rules, cells)
    known = items(work, {line.item for line in command.lines})
    lock_balances(work, {(site, line.item) for line in command.lines for site in (source.id, target.id)})
    parts = taken_parts(work, command, known, rules)
    key = work.ids.one()
    number = f"TR-{key}"
    rows, out, into = [], [], []
    for slot, quantity in parts:
        line = work.ids.one()
        rows.append((line, key, slot.item, slot.lot, quantity, 0, 0))
        out.append(transfer_movement(work, source, known[slot.item], -quantity, key, number, slot))
        into.append(
            transfer_movement(
                work, target, known[slot.item], quantity, key, number,
                Slot(target.id, slot.item, None, slot.lot, StockStatus.IN_TRANSIT),
            )
        )  # fmt: skip
    ensure_account(work, source.entity.id, AccountRole.TRANSFER)
    moved = _move(work, there, out, into)
    report_moves(work, [here] * len(out) + [there] * len(into), [*out, *into], moved, step="warehouse.transfer")
    write_rows(
        work, StockTransfer.__table__, TRANSFER_COLUMNS,
        [
            (key, source.entity.id, source.id, target.id, number, TransferState.SHIPPED, work.now, command.arrives_on, None,
             command.order, command.note, 1)
        ],
    )  # fmt: skip
    write_rows(work, StockTransferLine.__table__, LINE_COLUMNS, rows)
    _expect(work, command, rows, target, number, rules, cells)
    record_move(work, "transfer", key, "ship", None, TransferState.SHIPPED, reason=command.note)
    worth = [done.value for done in moved[len(out) :]]
    value = None if None in worth else sum(value or 0 for value in worth)
    event = StockTransferShipped(to_site=target.id, arrives_on=command.arrives_on, lines=len(rows), value=value)
    work.publish(event, here, step="warehouse.transfer", subject=("transfer", key, 1), journey=key)
    return Transfer(key, number)


def _move(work: UnitOfWork, there: Place, out: Sequence[Movement], into: Sequence[Movement]) -> list[Moved]:
    """Out of the one site and into the other, at the worth that left. Where the other values at standard cost, the goods come at
    that, and the difference is a stock adjustment there.
    """
    if not any((one.site, one.item) in worth_of(work) for one in out):
        return move_stock(work, [*out, *into])
    gone = move_stock(work, out)
    told = [
        one if left.value is None else replace(one, worth=-left.value) for one, left in zip(into, gone, strict=True)
    ]
    came = move_stock(work, told)
    lost = -sum(left.value or 0 for left in gone) - sum(done.value or 0 for done in came)
    if lost:
        first = into[0]
        entry = Entry(
            rule="transfer_difference", place=there, document_type="transfer", document_id=first.document_id,
            journey=first.document_id, entry_on=local_day(first.moved_at, there.time_zone), posted_at=first.moved_at,
            currency=first.currency, text=first.note,
            sides=(Side(AccountRole.ADJUSTMENT, lost), Side(AccountRole.TRANSFER, -lost)),
        )  # fmt: skip
        post_entries(work, [entry])
    return [*gone, *came]


def _check_sites(work: UnitOfWork, command: ShipTransfer, source: SiteFacts, target: SiteFacts) -> None:
    if source.id == target.id:
        raise RuleBroken("transfer_same_site", field="to_site")
    if source.entity.id != target.entity.id:
        raise RuleBroken("transfer_other_entity", field="to_site", site=target.code)
    if not command.lines:
        raise RuleBroken("transfer_empty", field="lines")
    if command.arrives_on < local_day(work.now, target.time_zone):
        raise RuleBroken("arrives_in_past", field="arrives_on", day=command.arrives_on)


def taken_parts(
    work: UnitOfWork, command: ShipTransfer, known: dict[int, ItemFacts], rules: ProcessRules
) -> list[tuple[Slot, int]]:
    """From which slots the goods are taken, one part for each lot and place."""
    packs = packs_of(work.session, [line.item for line in command.lines if line.unit])
    site = command.from_site
    taken: dict[Slot, int] = defaultdict(int)
    for index, line in enumerate(command.lines):
        item = known[line.item]
        own = in_own_unit(
            line.quantity, pack_named(packs, item, line.unit), item.quantity_places, field=f"lines-{index}-quantity"
        )
        quantity = scaled_int(own, QUANTITY_PLACES)
        if quantity <= 0:
            raise RuleBroken("quantity_not_positive_here", field=f"lines-{index}-quantity", item=item.code)
        if line.lot is not None or line.location is not None:
            slot = Slot(site, line.item, line.location, line.lot)
            check_slot(work, slot, item, MoveReason.TRANSFER)
            taken[slot] += quantity
            continue
        left = quantity
        for part, there in take_parts(
            work, (site, line.item), quantity, rule=lot_rule(work, rules, site), less=dict(taken)
        ):
            taken[part] += there
            left -= there
        if left:
            raise RuleBroken(
                "stock_short", field=f"lines-{index}-quantity", site=site_facts(work, site).code, item=item.code
            )
    return list(taken.items())


def transfer_movement(
    work: UnitOfWork, site: SiteFacts, item: ItemFacts, quantity: int, key: int, number: str, slot: Slot, note: str | None = None,
    reason: MoveReason = MoveReason.TRANSFER,
) -> Movement:  # fmt: skip
    """Goods of a transfer at one of its sites, at standard cost there."""
    return Movement(
        entity=site.entity.id, site=site.id, item=item.id, quantity=quantity, unit_cost=item.standard_cost,
        currency=site.entity.currency, reason=reason, document_type="transfer", document_id=key, moved_at=work.now,
        note=note or number, slot=slot,
    )  # fmt: skip


def _expect(
    work: UnitOfWork, command: ShipTransfer, rows: list[tuple[Any, ...]], target: SiteFacts, number: str, rules: ProcessRules,
    cells: CellStates,
) -> None:  # fmt: skip
    expected = [
        Expect(
            site=target.id, item=row[2], quantity=Decimal(row[4]).scaleb(-3), expected_on=command.arrives_on, number=number,
            source=ReceiptSource.TRANSFER, supplier=site_facts(work, command.from_site).name, document=row[1], line=row[0],
        )
        for row in rows
    ]  # fmt: skip
    expect_receipts(work, expected, rules=rules, cells=cells, permission=None)


def receive_transfer(
    work: UnitOfWork, command: ReceiveTransfer, *, rules: ProcessRules, cells: CellStates, order_names: OrderNames
) -> TransferReceived:
    """Goods arrive: they wait to be put away, or are available where the site has no receiving location; past their last day
    they lie in quarantine.

    Raises ``RuleBroken("transfer_too_much")`` beyond what is on its way, ``Conflict``
    when another receiver was faster.
    """
    head, lines = lock_transfer(work, command.transfer)
    work.actor.require("warehouse:stock:receive", site=head.site_id)
    if command.seen_version not in (None, head.version):
        raise Conflict("changed_meanwhile")
    site = site_facts(work, head.site_id)
    place = warehouse_place(work, site, rules, cells, begins=False)
    where = receiving_location(work, site.id)
    shifts, changes = [], []
    for arrived in command.lines:
        line = lines.get(arrived.line)
        if line is None:
            raise RuleBroken("line_unknown", line=arrived.line)
        item = items(work, {line.item_id})[line.item_id]
        quantity = scaled_int(in_own_unit(arrived.quantity, None, item.quantity_places), QUANTITY_PLACES)
        damaged = scaled_int(in_own_unit(arrived.damaged, None, item.quantity_places, field="damaged"), QUANTITY_PLACES)
        if quantity < 0 or not 0 <= damaged <= quantity:
            raise RuleBroken("quantity_not_positive_here", field="quantity", item=item.code)
        open_ = line.quantity - line.received - line.lost
        if quantity > open_:
            most = Decimal(open_).scaleb(-3).normalize()
            raise RuleBroken(
                "transfer_too_much", field="quantity", item=item.code, number=head.number, most=f"{most:f}"
            )
        if not quantity:
            continue
        changes.append({"of": line.id, "d_received": quantity, "d_lost": 0})
        lines[line.id] = line._replace(received=line.received + quantity)
        status = sound_status(work, site, line.lot_id, StockStatus.RECEIVED if where else StockStatus.AVAILABLE)
        sound = Slot(site.id, item.id, where, line.lot_id, status)
        broken = Slot(site.id, item.id, where, line.lot_id, StockStatus.DAMAGED)
        shifts += [
            Shift(
                source=Slot(site.id, item.id, None, line.lot_id, StockStatus.IN_TRANSIT), target=slot, quantity=part,
                reason=MoveReason.STATUS, document_type="transfer", document_id=head.id, note=head.number,
            )
            for slot, part in ((sound, quantity - damaged), (broken, damaged))
            if part
        ]  # fmt: skip
    if not shifts:
        raise RuleBroken("nothing_received", field="quantity", number=head.number)
    shift_stock(work, shifts, order_names=order_names)
    paper = Paper(work.ids.one(), "transfer", head.id, head.number)
    keep_arrival(work, place, paper, [(shift.target, shift.quantity) for shift in shifts])
    settled = settle_transfer(work, head, lines, changes, "receive", None)
    event = StockTransferReceived(from_site=head.from_site_id, settled=settled)
    work.publish(
        event, place, step="warehouse.transfer", subject=("transfer", head.id, head.version + 1), journey=head.id
    )  # fmt: skip
    return TransferReceived(settled, any(shift.target.status == StockStatus.QUARANTINE for shift in shifts))


def lose_in_transit(
    work: UnitOfWork, line_id: int, quantity: int, reason: str, *, rules: ProcessRules, cells: CellStates
) -> Lost:
    """What is on its way leaves the stock of the receiving site as an adjustment. ``quantity`` in thousandths.

    Raises ``RuleBroken("transfer_too_much")`` beyond what is on its way now.
    """
    transfer = work.session.execute(
        select(StockTransferLine.transfer_id).where(StockTransferLine.id == line_id)
    ).scalar_one_or_none()
    if transfer is None:
        raise RuleBroken("line_unknown", line=line_id)
    head, lines = lock_transfer(work, transfer)
    line = lines[line_id]
    site, item = site_facts(work, head.site_id), items(work, {line.item_id})[line.item_id]
    place = warehouse_place(work, site, rules, cells, begins=False)
    require_in_transit(head, line, quantity, item)
    require_countable(work, [(item.id, quantity)])
    slot = Slot(site.id, item.id, None, line.lot_id, StockStatus.IN_TRANSIT)
    movement = transfer_movement(work, site, item, -quantity, head.id, head.number, slot, reason, MoveReason.ADJUSTMENT)
    (moved,) = move_stock(work, [movement])
    if moved.value:
        post_entries(work, [stock_entry(place, movement, moved)])
    lost = StockAdjusted(item=item.id, quantity=-quantity, value=moved.value, reason=reason)
    work.publish(lost, place, step="warehouse.adjust", subject=("stock_move", moved.id, 1), journey=moved.id)
    lines[line.id] = line._replace(lost=line.lost + quantity)
    settled = settle_transfer(
        work, head, lines, [{"of": line.id, "d_received": 0, "d_lost": quantity}], "give_up", reason
    )
    event = StockTransferReceived(from_site=head.from_site_id, settled=settled, lost=quantity)
    work.publish(
        event, place, step="warehouse.transfer", subject=("transfer", head.id, head.version + 1), journey=head.id
    )  # fmt: skip
    return Lost(moved.id, settled)


def require_in_transit(head: Any, line: Any, quantity: int, item: ItemFacts) -> None:
    """Raise ``RuleBroken("transfer_too_much")`` unless so much of the line is still on its way."""
    most = line.quantity - line.received - line.lost
    if not 0 < quantity <= most:
        raise RuleBroken(
            "transfer_too_much", field="quantity", item=item.code, number=head.number,
            most=f"{Decimal(most).scaleb(-3).normalize():f}",
        )  # fmt: skip

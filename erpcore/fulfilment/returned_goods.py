"""What of a return came, and what becomes of it? Taken in as counted, then inspected; only then stock and books change."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from sqlalchemy import select

from erpcore.fulfilment.flow import RETURN
from erpcore.fulfilment.models import Disposition, ShipmentLine
from erpcore.fulfilment.return_records import ReturnLineRow, ReturnRow, lock_returns, save_return_lines, save_returns
from erpcore.fulfilment.return_sales import count_returned, sales_of
from erpcore.fulfilment.returns import ReturnedLine, spread
from erpcore.inventory.bins import Slot
from erpcore.inventory.models import MoveReason, StockMove, StockStatus
from erpcore.inventory.movement import Movement
from erpcore.inventory.services import move_stock
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.history import record_move
from erpcore.kernel.model import QUANTITY_PLACES, scaled_int
from erpcore.kernel.money import scaled_amount
from erpcore.kernel.quantity import ABSURD, as_units
from erpcore.kernel.rows import chunks, raw
from erpcore.kernel.work import UnitOfWork
from erpcore.ledger.models import AccountRole
from erpcore.ledger.services import Entry, Side, post_entries
from erpcore.masterdata.models import ItemKind
from erpcore.masterdata.queries import customers, items, site_facts
from erpcore.masterdata.units import in_own_unit
from erpcore.orders.models import OrderLine
from erpcore.ports import Cell, CellStates, Process, admit
from erpcore.published import ReturnInspected, ReturnReceived

#: Where inspected goods lie; scrap and charges come into no stock.
STATUS = {
    Disposition.RESTOCK: StockStatus.AVAILABLE,
    Disposition.QUARANTINE: StockStatus.QUARANTINE,
    Disposition.SUPPLIER: StockStatus.QUARANTINE,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceiveReturn:
    """The goods of a return are here. ``came``: how much of a line, by its id, where it differs; ``others``: what nobody asked for."""

    id: int
    came: Mapping[int, Decimal] = field(default_factory=dict)
    others: Sequence[ReturnedLine] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """So much of a line is to become this."""

    line: int
    quantity: Decimal
    disposition: Disposition


@dataclass(frozen=True, kw_only=True, slots=True)
class InspectReturn:
    """What was found, piece by piece. A line that nothing is said of becomes what its request said."""

    id: int
    findings: Sequence[Finding] = ()
    note: str | None = None


def receive_returns(
    work: UnitOfWork, commands: Sequence[ReceiveReturn], *, cells: CellStates, at: Mapping[int, datetime] | None = None
) -> list[ReturnRow]:
    """Take goods in as they came: all, less, more, or other ones. They enter no stock before somebody looked at them.

    What did not come may be given back later. Raises ``RuleBroken`` where nothing came, or more than was ever delivered.
    """
    by_id = {c.id: c for c in commands}
    rows = lock_returns(work, by_id)
    changes: dict[int, int] = defaultdict(int)
    counted = []
    for row in rows:
        command = by_id[row.id]
        was, when = _enter(work, row, "receive", cells, at)
        if command.came or command.others:
            counted.append(row)
            _count(work, row, command.came, changes)
        record_move(work, "return", row.id, "receive", was, row.state, at=when)
    count_returned(work, changes)
    for row in counted:
        _add_others(work, row, by_id[row.id].others)
        if not any(line.quantity for line in row.lines):
            raise RuleBroken("return_nothing_came", document=row.number)
    save_return_lines(work, counted)
    for row in rows:
        work.publish(
            ReturnReceived(value=row.value), row.place(work), step="returns_to_credit.receive",
            subject=("return", row.id, row.version + 1), journey=row.id, at=(at or {}).get(row.id, work.now),
        )  # fmt: skip
    save_returns(work, rows)
    return rows


def _enter(
    work: UnitOfWork, row: ReturnRow, move: str, cells: CellStates, at: Mapping[int, datetime] | None
) -> tuple[str, datetime]:
    """Make the move where this person may and the site is open; the state it had, and when it happens."""
    work.actor.require(RETURN.moves[move].permission, site=row.site_id)
    site = site_facts(work, row.site_id)
    cell = Cell(site.live_id, row.channel_id, Process.RETURNS_TO_CREDIT, row.customer_group)
    admit(work, cells, site.entity.realm, cell, begins=False)
    was = row.state
    row.state = RETURN.target(move, was)
    return was, (at or {}).get(row.id, work.now)


def _thousandths(work: UnitOfWork, quantity: Decimal, item: int, where: str) -> int:
    facts = items(work, {item})[item]
    if quantity < 0:
        raise RuleBroken("counted_below_zero", field=where, item=facts.code)
    if quantity >= ABSURD:
        raise RuleBroken("quantity_absurd", field=where, value=str(quantity))
    return scaled_int(in_own_unit(quantity, None, facts.quantity_places), QUANTITY_PLACES)


def _lines_of(row: ReturnRow, named: Iterable[int]) -> dict[int, ReturnLineRow]:
    """The return's lines by id; raises ``RuleBroken`` when one is named that is not its."""
    lines = {line.id: line for line in row.lines}
    for key in named:
        if key not in lines:
            raise RuleBroken("return_line_unknown", field="line", id=key, document=row.number)
    return lines


def _count(work: UnitOfWork, row: ReturnRow, came: Mapping[int, Decimal], changes: dict[int, int]) -> None:
    lines = _lines_of(row, came)
    for key, quantity in came.items():
        line = lines[key]
        now = _thousandths(work, quantity, line.item_id, f"line_{key}")
        if line.order_line_id:
            changes[line.order_line_id] += now - line.quantity
        line.count(now)


def _add_others(work: UnitOfWork, row: ReturnRow, others: Sequence[ReturnedLine]) -> None:
    """Lines for what came without being asked for, tied to its sale where there is one; of no known sale it is worth nothing."""
    if not others:
        return
    known = items(work, {other.item for other in others})
    taken: dict[int, int] = {}
    buyer = customers(work, {row.customer_id})[row.customer_id]
    pairs = set() if buyer.is_unknown else {(row.customer_id, other.item) for other in others}
    sales = sales_of(work, pairs) if pairs else {}
    before = len(row.lines)
    for other in others:
        item = known[other.item]
        if item.entity_id != row.entity_id:
            raise RuleBroken("other_entity", field="item", customer=item.code, site=row.number)
        if item.kind != ItemKind.STOCK:
            raise RuleBroken("item_without_stock", field="item", item=item.code)
        spread(work, row, other, item.kind, sales.get((row.customer_id, other.item)), taken, unsold_price=0)
    for line in row.lines[before:]:
        line.asked = 0
    count_returned(work, taken)


def inspect_returns(
    work: UnitOfWork, commands: Sequence[InspectReturn], *, cells: CellStates, at: Mapping[int, datetime] | None = None
) -> list[ReturnRow]:
    """Decide what becomes of each piece. What is kept comes into stock, and its cost back, at what it cost when it left.

    Raises ``RuleBroken`` where the findings of a line are not all of what came.
    """
    by_id = {c.id: c for c in commands}
    rows = lock_returns(work, by_id)
    for row in rows:
        was, when = _enter(work, row, "inspect", cells, at)
        _divide(work, row, by_id[row.id].findings)
        record_move(work, "return", row.id, "inspect", was, row.state, at=when, reason=by_id[row.id].note or None)
        event = ReturnInspected(value=row.value, restocked=_restocked(row))
        work.publish(
            event, row.place(work), step="returns_to_credit.inspect", subject=("return", row.id, row.version + 1),
            journey=row.id, at=when,
        )  # fmt: skip
    save_return_lines(work, [row for row in rows if by_id[row.id].findings])
    _keep(work, rows, at or {})
    save_returns(work, rows)
    return rows


def _restocked(row: ReturnRow) -> int:
    kept = [line.amount for line in row.lines if line.disposition == Disposition.RESTOCK]
    return sum(scaled_amount(1000, amount, row.currency) for amount in kept)


def _divide(work: UnitOfWork, row: ReturnRow, findings: Sequence[Finding]) -> None:
    """Give each line what was found; one of which several things become is divided."""
    found: dict[int, dict[Disposition, int]] = defaultdict(lambda: defaultdict(int))
    lines = _lines_of(row, [one.line for one in findings])
    for one in findings:
        quantity = _thousandths(work, one.quantity, lines[one.line].item_id, f"line_{one.line}")
        if quantity:
            found[one.line][one.disposition] += quantity
    for key in sorted({one.line for one in findings}):
        line, parts = lines[key], found[key]
        item = items(work, {line.item_id})[line.item_id]
        if (item.kind != ItemKind.STOCK) != (set(parts) <= {Disposition.NONE}) and parts:
            raise RuleBroken("disposition_unfit", field=f"line_{key}", item=item.code)
        if sum(parts.values()) != line.quantity:
            raise RuleBroken(
                "inspected_differs", field=f"line_{key}", item=item.code, came=as_units(line.quantity),
                found=as_units(sum(parts.values())),
            )  # fmt: skip
        for number, (disposition, quantity) in enumerate(sorted(parts.items())):
            part = line if number == 0 else replace(line, id=0, line_no=0, asked=min(quantity, line.asked))
            part.count(quantity)
            part.disposition = disposition
            if number:
                line.asked -= part.asked
                row.lines.append(part)


def _keep(work: UnitOfWork, rows: Sequence[ReturnRow], at: Mapping[int, datetime]) -> None:
    """Take what is not scrapped into stock, and give its cost back."""
    known = items(work, {line.item_id for row in rows for line in row.lines})
    kept = [(row, line) for row in rows for line in row.lines if line.quantity and line.disposition in STATUS]
    costs = _costs_when_left(work, {line.order_line_id for _, line in kept if line.order_line_id})
    movements = []
    for row, line in kept:
        standard = known[line.item_id].standard_cost
        status = STATUS[Disposition(line.disposition)]
        apart = Slot(row.site_id, line.item_id, status=status) if status is not StockStatus.AVAILABLE else None
        movements.append(
            Movement(
                entity=row.entity_id, site=row.site_id, item=line.item_id, quantity=line.quantity,
                unit_cost=costs.get(line.order_line_id or 0, standard), currency=row.currency, reason=MoveReason.RETURN,
                document_type="return", document_id=row.id, moved_at=at.get(row.id, work.now), slot=apart,
            )
        )  # fmt: skip
    values: dict[int, int] = defaultdict(int)
    for (row, _), moved in zip(kept, move_stock(work, movements), strict=True):
        values[row.id] += moved.value or 0
    entries = []
    for row in rows:
        if values[row.id]:
            when, place = at.get(row.id, work.now), row.place(work)
            entries.append(
                Entry(
                    rule="returned_to_stock", place=place, document_type="return", document_id=row.id, journey=row.id,
                    entry_on=local_day(when, place.time_zone), posted_at=when, currency=row.currency,
                    sides=(
                        Side(AccountRole.INVENTORY, values[row.id]), Side(AccountRole.COST_OF_SALES, -values[row.id]),
                    ),
                )
            )  # fmt: skip
    post_entries(work, entries)


def _costs_when_left(work: UnitOfWork, order_lines: Iterable[int]) -> dict[int, int | None]:
    """What a unit of each order line cost when it left, on average over its shipments; ``None`` where nobody knew it.

    Lines that left no stock (a supplier delivered them) are not in it.
    """
    left: dict[int, list[tuple[int, int | None]]] = defaultdict(list)
    lines, moves = ShipmentLine.__table__.c, StockMove.__table__.c
    for part in chunks(sorted(order_lines), 500):
        query = (
            select(lines.order_line_id, raw(moves.quantity), raw(moves.unit_cost))
            .select_from(ShipmentLine)
            .join(OrderLine, OrderLine.id == lines.order_line_id)
            .join(
                StockMove,
                (moves.document_id == lines.shipment_id)
                & (moves.document_type == "shipment")
                & (moves.item_id == OrderLine.item_id)
                & (moves.quantity < 0),
            )
            .where(lines.order_line_id.in_(part))
        )
        for line, quantity, cost in work.session.execute(query):
            left[line].append((-quantity, cost))
    out: dict[int, int | None] = {}
    for line, parts in left.items():
        prices = [(quantity, cost) for quantity, cost in parts if cost is not None]
        if len(prices) < len(parts):
            out[line] = None
            continue
        whole, worth = sum(q for q, _ in prices), sum(q * cost for q, cost in prices)
        # Rounded half up: costs are never below zero.
        out[line] = (2 * worth + whole) // (2 * whole)
    return out

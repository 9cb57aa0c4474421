"""Goods that come: what is expected, what really came, and how the two differ.

An expected receipt comes from a purchase order, a transfer or somebody who typed it. Goods are received against it or without
one. At a site with a receiving location they wait there, not free to be promised, until they are put away; at one without
they are available at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import update

from erpcore.inventory.arrivals import Paper, keep_arrival
from erpcore.inventory.bins import receiving_location
from erpcore.inventory.documents import Discrepancy, ExpectedReceipt, GoodsReceipt, GoodsReceiptLine, ReceiptSource
from erpcore.inventory.models import StockStatus
from erpcore.inventory.places import LotWanted, ensure_lots
from erpcore.inventory.posting import report_moves, warehouse_place, warehouse_rules
from erpcore.inventory.services import move_stock
from erpcore.inventory.sheet import PurchasedPart, Sheet, is_bought
from erpcore.kernel.errors import Conflict, NotFound, RuleBroken
from erpcore.kernel.model import QUANTITY_PLACES, scaled_int
from erpcore.kernel.rows import Change, param, read_rows, write_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.models import Tracking
from erpcore.masterdata.queries import ItemFacts, SiteFacts, items, site_facts
from erpcore.masterdata.units import in_own_unit, pack_named, packs_of
from erpcore.ports import CellStates, ProcessRules

_EXPECTED = (
    "id", "entity_id", "site_id", "item_id", "quantity", "received", "cancelled", "expected_on", "source", "document_id", "line_id",
    "number", "supplier", "version", "entered_at",
)  # fmt: skip
_RECEIPT = ("id", "entity_id", "site_id", "number", "paper", "supplier", "received_at", "received_by")
_RECEIPT_LINE = (
    "receipt_id", "line_no", "expected_receipt_id", "item_id", "lot_id", "quantity", "damaged", "discrepancy", "difference",
    "reason",
)  # fmt: skip
#: Lines of one goods receipt; a longer paper is received in parts.
MOST_LINES = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class Expect:
    """Goods that should come to a site. ``unit``: the code of a pack, when the quantity is in packs.

    ``document`` and ``line`` are the purchase order or transfer and its line, ``number`` what people call it.
    """

    site: int
    item: int
    quantity: Decimal
    expected_on: date
    number: str
    source: str = ReceiptSource.TYPED
    supplier: str | None = None
    document: int | None = None
    line: int | None = None
    unit: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangeExpected:
    """Another day, or so much less to come; ``cancelled`` is what will not come (again less for a correction)."""

    expected: int
    expected_on: date | None = None
    cancelled: Decimal | None = None
    seen_version: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceivedLine:
    """What came of one item. ``damaged`` is part of the quantity. ``expected``: against what; ``None``: nothing foretold it.

    ``last``: no more comes of what was expected. ``lot``, ``expires_on``: as on the goods; ``serials``: one for each piece.
    """

    item: int
    quantity: Decimal
    expected: int | None = None
    damaged: Decimal = Decimal(0)
    unit: str | None = None
    lot: str | None = None
    expires_on: date | None = None
    serials: Sequence[str] = ()
    last: bool = False
    other_item: bool = False
    reason: str | None = None
    seen_version: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceiveGoods:
    """One paper of a supplier and what came with it."""

    site: int
    paper: str
    lines: Sequence[ReceivedLine]
    supplier: str | None = None


class Received(NamedTuple):
    """The goods receipt, what was expected of it and differs, whether the goods wait to be put away, and whether some were set
    apart because their last day is over.
    """

    id: int
    number: str
    discrepancies: list[str]
    waits: bool
    set_apart: bool


#: Who keeps purchase orders is told what came of them, in the same unit of work.
Purchased = Callable[[UnitOfWork, Sequence[PurchasedPart]], None]


def _change_expected() -> Any:
    table = ExpectedReceipt.__table__
    return (
        update(table)
        .where(table.c.id == param("of", table.c.id), table.c.version == param("seen", table.c.version))
        .values(
            received=table.c.received + param("d_received", table.c.received),
            cancelled=param("now_cancelled", table.c.cancelled), expected_on=param("on", table.c.expected_on),
            version=table.c.version + 1,
        )
    )  # fmt: skip


_CHANGE = Change(_change_expected)


def expect_receipts(
    work: UnitOfWork,
    commands: Sequence[Expect],
    *,
    rules: ProcessRules,
    cells: CellStates,
    permission: str | None = "warehouse:receipt:expect",
) -> list[int]:
    """Write down what should come, so that orders can be promised from it; returns the ids.

    ``permission`` ``None``: it follows from a document whose own permission was asked.
    """
    known = items(work, {c.item for c in commands})
    packs = packs_of(work.session, [c.item for c in commands if c.unit])
    rows, ids = [], []
    for c in commands:
        if permission is not None:
            work.actor.require(permission, site=c.site)
        site, item = site_facts(work, c.site), known[c.item]
        warehouse_place(work, site, rules, cells)
        _check_item(site, item)
        quantity = _units(c.quantity, item, packs, c.unit)
        if quantity <= 0:
            raise RuleBroken("quantity_not_positive_here", field="quantity", item=item.code)
        if not c.number.strip():
            raise RuleBroken("paper_missing", field="number")
        if c.source not in set(ReceiptSource):
            raise RuleBroken("choice_unknown", field="source", value=c.source)
        ids.append(work.ids.one())
        rows.append(
            (
                ids[-1], site.entity.id, site.id, item.id, quantity, 0, 0, c.expected_on, c.source, c.document, c.line,
                c.number.strip(), (c.supplier or "").strip() or None, 1, work.now,
            )
        )  # fmt: skip
    write_rows(work, ExpectedReceipt.__table__, _EXPECTED, rows)
    return ids


def _check_item(site: SiteFacts, item: ItemFacts) -> None:
    if item.entity_id != site.entity.id:
        raise RuleBroken("other_entity", field="item", customer=item.code, site=site.code)
    if item.kind != "stock":
        raise RuleBroken("item_without_stock", field="item", item=item.code)


def _units(
    quantity: Decimal, item: ItemFacts, packs: Mapping[int, Any], unit: str | None, field: str = "quantity"
) -> int:
    own = in_own_unit(quantity, pack_named(packs, item, unit), item.quantity_places, field=field)
    return scaled_int(own, QUANTITY_PLACES)


def lock_expected(work: UnitOfWork, ids: Sequence[int]) -> dict[int, Any]:
    """Expected receipts by id, locked; raises ``NotFound`` for an unknown one."""
    rows = {row.id: row for row in read_rows(work, ExpectedReceipt, _EXPECTED, "id", ids, lock=True)}
    if absent := set(ids) - rows.keys():
        raise NotFound("expected_unknown", id=min(absent))
    return rows


def change_expected(
    work: UnitOfWork, commands: Sequence[ChangeExpected], *, rules: ProcessRules, cells: CellStates
) -> None:
    """Another day, or less to come; raises ``Conflict`` when somebody changed it since it was seen."""
    rows = lock_expected(work, [c.expected for c in commands])
    changes = []
    for c in commands:
        row = rows[c.expected]
        work.actor.require("warehouse:receipt:expect", site=row.site_id)
        warehouse_place(work, site_facts(work, row.site_id), rules, cells, begins=False)
        if c.seen_version not in (None, row.version):
            raise Conflict("changed_meanwhile")
        if row.document_id is not None and row.source != ReceiptSource.TYPED:
            raise RuleBroken("expected_of_document", number=row.number)
        cancelled = row.cancelled
        if c.cancelled is not None:
            cancelled = _units(c.cancelled, items(work, {row.item_id})[row.item_id], {}, None, field="cancelled")
        if not 0 <= cancelled <= max(row.quantity - row.received, 0):
            raise RuleBroken("cancel_above_open", field="cancelled", number=row.number)
        changes.append(
            {"of": row.id, "seen": row.version, "d_received": 0, "now_cancelled": cancelled, "on": c.expected_on or row.expected_on}
        )  # fmt: skip
    _CHANGE.run(work, changes)


def receive_goods(
    work: UnitOfWork,
    command: ReceiveGoods,
    *,
    rules: ProcessRules,
    cells: CellStates,
    purchased: Purchased | None = None,
    prices: Mapping[int, int] | None = None,
) -> Received:
    """Take goods in by the supplier's paper; what is damaged lies in its own status, the rest where goods are received.

    ``purchased`` is told what came of purchase orders; without it their goods are refused, so that none comes past them. ``prices``:
    what a unit was bought at, in millionths of the entity's currency, by what is expected; layers and averages go by it.
    Raises ``RuleBroken("received_too_much")`` beyond what is expected and the site's tolerance, ``Conflict`` when another
    receiver was faster, ``serial_in_stock`` for a serial number that is there already. Nothing is received then.
    """
    work.actor.require("warehouse:stock:receive", site=command.site)
    site = site_facts(work, command.site)
    place = warehouse_place(work, site, rules, cells)
    if not command.paper.strip():
        raise RuleBroken("paper_missing", field="paper")
    if not 0 < len(command.lines) <= MOST_LINES:
        raise RuleBroken("receipt_lines", field="lines", most=MOST_LINES)
    known = items(work, {line.item for line in command.lines})
    packs = packs_of(work.session, [line.item for line in command.lines if line.unit])
    expected = lock_expected(work, [line.expected for line in command.lines if line.expected is not None])
    tolerance = int(warehouse_rules(work, site, rules)["over_receipt_tolerance_permille"])
    key = work.ids.one()
    number = f"GR-{key}"
    where = receiving_location(work, site.id)
    sheet = Sheet(site, key, where, command.paper.strip(), prices)
    for index, line in enumerate(command.lines):
        item = known[line.item]
        _check_item(site, item)
        quantity = _units(line.quantity, item, packs, line.unit)
        damaged = _units(line.damaged, item, packs, line.unit, field="damaged")
        if quantity <= 0 or not 0 <= damaged <= quantity:
            raise RuleBroken("quantity_not_positive_here", field=f"lines-{index}-quantity", item=item.code)
        row = expected.get(line.expected) if line.expected is not None else None
        if row is not None and is_bought(row) and purchased is None:
            raise RuleBroken("receive_as_purchase", field="expected", number=row.number)
        kind, difference = _compare(site, item, line, row, quantity, damaged, sheet, tolerance)
        for lot, part, broken in _lots(work, item, line, quantity, damaged, known):
            sheet.add(work, item, lot, part, broken, kind, difference, expected=line.expected, reason=line.reason)
    movements = sheet.movements
    moved = move_stock(work, movements)
    report_moves(work, [place] * len(movements), movements, moved, step="warehouse.receive")
    keep_arrival(work, place, Paper(key, "goods_receipt", key, number), sheet.came)
    supplier = command.supplier or next((row.supplier for row in expected.values() if row.supplier), None)
    write_rows(
        work, GoodsReceipt.__table__, _RECEIPT,
        [(key, site.entity.id, site.id, number, command.paper.strip(), supplier, work.now, work.actor.id)],
    )  # fmt: skip
    write_rows(work, GoodsReceiptLine.__table__, _RECEIPT_LINE, sheet.rows)
    _CHANGE.run(work, sheet.changes(expected))
    if purchased is not None and (parts := sheet.purchased(expected)):
        purchased(work, parts)
    differs = sorted({kind for kind in sheet.kinds if kind != Discrepancy.NONE})
    set_apart = any(slot.status == StockStatus.QUARANTINE for slot, _ in sheet.came)
    return Received(key, number, differs, where is not None, set_apart)


def _compare(
    site: SiteFacts,
    item: ItemFacts,
    line: ReceivedLine,
    row: Any,
    quantity: int,
    damaged: int,
    sheet: Sheet,
    tolerance: int,
) -> tuple[str, int]:
    """How a line differs from what was expected, and by how much."""
    if row is None:
        return (Discrepancy.OTHER_ITEM if line.other_item else Discrepancy.DAMAGED if damaged else Discrepancy.NONE), 0
    if row.site_id != site.id:
        raise RuleBroken("expected_elsewhere", field="expected", number=row.number)
    if line.seen_version not in (None, row.version):
        raise Conflict("changed_meanwhile")
    if row.source == ReceiptSource.TRANSFER:
        raise RuleBroken("receive_as_transfer", field="expected", number=row.number)
    if row.item_id != item.id:
        raise RuleBroken("expected_other_item", field="item", item=item.code, number=row.number)
    before = row.received + sheet.received.get(row.id, 0)
    left = row.quantity - row.cancelled - before
    most = row.quantity * (1000 + tolerance) // 1000 - row.cancelled - before
    if quantity > most:
        most_ = Decimal(max(most, 0)).scaleb(-3).normalize()
        raise RuleBroken("received_too_much", field="quantity", item=item.code, number=row.number, most=f"{most_:f}")
    sheet.received[row.id] = sheet.received.get(row.id, 0) + quantity
    if line.last and quantity < left:
        sheet.closed[row.id] = left - quantity
        return Discrepancy.SHORT, quantity - left
    if quantity > left:
        return Discrepancy.OVER, quantity - left
    return (Discrepancy.DAMAGED if damaged else Discrepancy.NONE), 0


def _lots(
    work: UnitOfWork, item: ItemFacts, line: ReceivedLine, quantity: int, damaged: int, known: Mapping[int, ItemFacts]
) -> list[tuple[int | None, int, int]]:
    """(lot, sound, damaged) of what came: one part, or one for each serial number, the last ones being the damaged."""
    if item.tracking == Tracking.SERIAL:
        codes = [code.strip() for code in line.serials if code.strip()]
        if len(codes) * 1000 != quantity:
            raise RuleBroken(
                "serials_missing", field="serials", item=item.code, given=len(codes), needed=quantity // 1000
            )
        if len(set(codes)) != len(codes):
            raise RuleBroken("serial_in_stock", field="serials", serial=next(c for c in codes if codes.count(c) > 1))
        made = ensure_lots(work, [LotWanted(item=item.id, code=c, expires_on=line.expires_on) for c in codes], known)
        sound = len(made) - damaged // 1000
        return [(lot, 1000 if n < sound else 0, 0 if n < sound else 1000) for n, lot in enumerate(made)]
    if item.tracking == Tracking.LOT or line.lot:
        (lot,) = ensure_lots(
            work, [LotWanted(item=item.id, code=(line.lot or "").strip(), expires_on=line.expires_on)], known
        )
        return [(lot, quantity - damaged, damaged)]
    return [(None, quantity - damaged, damaged)]

"""Which goods go back to their supplier, what does that do to stock and books, and what does the supplier owe for them?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import select

from erpcore.fulfilment.models import Disposition, ReturnLine, ReturnState
from erpcore.fulfilment.return_records import ReturnLineRow, ReturnRow, lock_returns
from erpcore.fulfilment.sending_back.models import SupplierReturn, SupplierReturnLine
from erpcore.inventory.bins import Slot, lock_bins
from erpcore.inventory.models import MoveReason, StockStatus
from erpcore.inventory.movement import Movement
from erpcore.inventory.posting import warehouse_place
from erpcore.inventory.services import move_stock
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.kernel.events import Place
from erpcore.kernel.money import scaled_amount
from erpcore.kernel.quantity import as_units
from erpcore.kernel.rows import raw, write_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.ledger.models import AccountRole
from erpcore.ledger.services import Entry, Side, ensure_account, post_entries
from erpcore.masterdata.models import SupplierItem
from erpcore.masterdata.queries import items, site_facts
from erpcore.masterdata.suppliers import suppliers
from erpcore.ports import CellStates, ProcessRules
from erpcore.published.stock import GoodsSentBack

SEND_BACK = "purchasing:return:send"
_LOOKED_AT = (ReturnState.INSPECTED, ReturnState.CREDITED)
_HEAD = (
    "id", "entity_id", "site_id", "supplier_id", "number", "note", "currency", "value_minor", "expected_minor", "sent_by", "sent_at",
)  # fmt: skip
_LINE = ("supplier_return_id", "line_no", "return_line_id", "item_id", "quantity", "unit_price", "expected_minor")


@dataclass(frozen=True, kw_only=True, slots=True)
class SendBack:
    """These lines of returns, which were set apart for a supplier, leave the site for this one."""

    site: int
    supplier: int
    lines: Sequence[int]
    note: str | None = None


class SentBack(NamedTuple):
    """What left: worth ``value`` in stock, ``expected`` from the supplier, in minor units."""

    id: int
    number: str
    value: int
    expected: int


def send_back(work: UnitOfWork, command: SendBack, *, rules: ProcessRules, cells: CellStates) -> SentBack:
    """Let the goods leave: they are no stock any more, and the supplier owes what it asks for them. What that is more or less than they
    were worth is an adjustment of stock.

    Raises ``RuleBroken`` for a line that was not set apart for a supplier, one that has left or lies in quarantine no more, and an item
    that this supplier does not sell.
    """
    site = site_facts(work, command.site)
    work.actor.require(SEND_BACK, site=site.id)
    place = warehouse_place(work, site, rules, cells)
    supplier = suppliers(work, {command.supplier})[command.supplier]
    if supplier.entity_id != site.entity.id:
        raise NotFound("supplier_unknown", id=supplier.id)
    if not command.lines:
        raise RuleBroken("send_back_nothing", field="lines")
    picked = _picked(work, command)
    prices = _prices(work, command.supplier, picked, supplier.code)
    ensure_account(work, site.entity.id, AccountRole.SUPPLIER_CLAIMS)
    key, currency = work.ids.one(), site.entity.currency
    known = items(work, {line.item_id for line in picked})
    moved = move_stock(
        work,
        [
            Movement(
                entity=site.entity.id, site=site.id, item=slot.item, quantity=-quantity,
                unit_cost=known[slot.item].standard_cost, currency=currency, reason=MoveReason.RETURN,
                document_type="supplier_return", document_id=key, moved_at=work.now, note=command.note, slot=slot,
            )
            for slot, quantity in _set_apart(work, site.id, picked)
        ],
    )  # fmt: skip
    value = -sum(one.value or 0 for one in moved)
    owed = [scaled_amount(line.quantity, prices[line.item_id], currency) for line in picked]
    made = SentBack(key, f"SR-{key}", value, sum(owed))
    head = (
        key, site.entity.id, site.id, supplier.id, made.number, (command.note or "").strip() or None, currency, value, made.expected,
        work.actor.id, work.now,
    )  # fmt: skip
    write_rows(work, SupplierReturn.__table__, _HEAD, [head])
    write_rows(
        work, SupplierReturnLine.__table__, _LINE,
        [
            (key, number * 10, line.id, line.item_id, line.quantity, prices[line.item_id], minor)
            for number, (line, minor) in enumerate(zip(picked, owed, strict=True), 1)
        ],
    )  # fmt: skip
    _report(work, place, made, supplier.id, currency)
    work.audit("supplier_return.sent", "supplier_return", key, supplier=supplier.code, lines=len(picked))
    return made


def _picked(work: UnitOfWork, command: SendBack) -> list[ReturnLineRow]:
    """The lines, their returns locked: who sends the same ones back meanwhile waits, and is told that they have left."""
    wanted = sorted(set(command.lines))
    returns = work.session.scalars(select(ReturnLine.return_id).where(ReturnLine.id.in_(wanted)).distinct())
    found: dict[int, tuple[ReturnRow, ReturnLineRow]] = {
        line.id: (row, line) for row in lock_returns(work, sorted(returns)) for line in row.lines if line.id in wanted
    }
    if absent := set(wanted) - found.keys():
        raise NotFound("line_unknown", line=min(absent))
    known = items(work, {line.item_id for _, line in found.values()})
    for row, line in found.values():
        code = known[line.item_id].code
        if row.site_id != command.site:
            raise NotFound("line_unknown", line=line.id)
        if row.state not in _LOOKED_AT or line.disposition != Disposition.SUPPLIER or not line.quantity:
            raise RuleBroken("send_back_unfit", field="lines", item=code, document=row.number)
    gone = select(SupplierReturn.number, SupplierReturnLine.item_id).join(
        SupplierReturnLine, SupplierReturnLine.supplier_return_id == SupplierReturn.id
    )
    sent = work.session.execute(gone.where(SupplierReturnLine.return_line_id.in_(wanted)).limit(1)).first()
    if sent is not None:
        raise RuleBroken("sent_back_already", field="lines", item=known[sent.item_id].code, document=sent.number)
    return [found[key][1] for key in wanted]


def _set_apart(work: UnitOfWork, site: int, picked: Sequence[ReturnLineRow]) -> list[tuple[Slot, int]]:
    """From where the goods are taken: in quarantine at the default place, and where they were put from there; last what somebody has
    found to be of a lot. Raises ``RuleBroken`` where less lies in quarantine.
    """
    left: dict[int, int] = defaultdict(int)
    for line in picked:
        left[line.item_id] += line.quantity
    bins = lock_bins(work, {(site, item) for item in left})
    taken: list[tuple[Slot, int]] = []
    for item in sorted(left):
        apart = [one for one in bins[site, item].values() if one.slot.status == StockStatus.QUARANTINE]
        for one in sorted(apart, key=lambda one: (one.slot.lot or 0, one.slot.location or 0)):
            quantity = min(left[item], one.quantity - one.held)
            if quantity > 0:
                taken.append((one.slot, quantity))
                left[item] -= quantity
        if left[item]:
            code = items(work, {item})[item].code
            raise RuleBroken("send_back_gone", field="lines", item=code, missing=as_units(left[item]))
    return taken


def _prices(work: UnitOfWork, supplier: int, picked: Sequence[ReturnLineRow], code: str) -> Mapping[int, int]:
    """What the supplier asks for a unit of each item, in millionths."""
    wanted = {line.item_id for line in picked}
    query = select(SupplierItem.item_id, raw(SupplierItem.__table__.c.price)).where(
        SupplierItem.supplier_id == supplier, SupplierItem.item_id.in_(sorted(wanted))
    )
    prices: dict[int, int] = {row.item_id: row[1] for row in work.session.execute(query)}
    if absent := wanted - prices.keys():
        item = items(work, absent)[min(absent)].code
        raise RuleBroken("send_back_not_sold", field="supplier", item=item, supplier=code)
    return prices


def _report(work: UnitOfWork, place: Place, made: SentBack, supplier: int, currency: str) -> None:
    """Say that the goods have left, and post it."""
    work.publish(
        GoodsSentBack(supplier=supplier, value=made.value, expected=made.expected), place, step="warehouse.adjust",
        subject=("supplier_return", made.id, 1), journey=made.id,
    )  # fmt: skip
    amounts = (
        (AccountRole.SUPPLIER_CLAIMS, made.expected), (AccountRole.INVENTORY, -made.value),
        (AccountRole.ADJUSTMENT, made.value - made.expected),
    )  # fmt: skip
    entry = Entry(
        rule="returned_to_supplier", place=place, document_type="supplier_return", document_id=made.id, journey=made.id,
        entry_on=local_day(work.now, place.time_zone), posted_at=work.now, currency=currency,
        sides=tuple(Side(role, amount) for role, amount in amounts if amount),
    )  # fmt: skip
    post_entries(work, [entry])

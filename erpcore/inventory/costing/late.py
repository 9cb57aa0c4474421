"""Costs that come after the goods: freight, duty, a dearer invoice. What is still here is worth more, the rest was cost of sales.

Nothing that was posted changes: a late cost is an entry of the day on which it is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import select

from erpcore.inventory.balances import Worth, change_balances, lock_balances
from erpcore.inventory.cost_kinds import CostMethod, LateCostKind, ShareBasis
from erpcore.inventory.cost_models import LateCost, LateCostLine, LayerReason
from erpcore.inventory.costing.choosing import books_of, costing_of
from erpcore.inventory.costing.layers import Layer, Valuing, half_up
from erpcore.inventory.documents import GoodsReceipt
from erpcore.inventory.models import MoveReason, StockMove
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.kernel.first import add_first
from erpcore.kernel.money import from_minor, to_minor
from erpcore.kernel.rows import raw, write_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.ledger.models import AccountRole
from erpcore.ledger.services import Entry, Side, post_entries, read_charts
from erpcore.masterdata.queries import items, site_facts
from erpcore.published.stock import LateCostAdded as LateCostTold

_LINE = ("late_cost_id", "line_no", "item_id", "quantity", "quantity_here", "stock_minor", "sold_minor")
#: Above this an amount is a slip of the finger.
_MOST = Decimal(10**10)


@dataclass(frozen=True, kw_only=True, slots=True)
class AddLateCost:
    """What the goods of a receipt cost more (less: negative), in the company's currency, by a paper that came later."""

    receipt: int
    paper: str
    amount: Decimal
    kind: str = LateCostKind.FREIGHT
    basis: str = ShareBasis.VALUE
    note: str | None = None


class LateCostAdded(NamedTuple):
    """The late cost, and how much of it is on goods still here and on those that have left, in minor units."""

    id: int
    stock: int
    sold: int


class _Goods(NamedTuple):
    item: int
    quantity: int
    value: int


def add_late_costs(work: UnitOfWork, commands: Sequence[AddLateCost]) -> list[LateCostAdded]:
    """Share each cost among the goods of its receipt: what is still here raises its layer (or the average), the rest is cost of sales
    of today. At standard cost all of it is.

    Raises ``Conflict("late_cost_twice")`` for a paper that this receipt has already, ``RuleBroken("late_cost_below_zero")`` where
    goods would be worth less than nothing.
    """
    return [_add(work, command) for command in commands]


def _add(work: UnitOfWork, command: AddLateCost) -> LateCostAdded:
    receipt = work.session.get(GoodsReceipt, command.receipt)
    if receipt is None:
        raise NotFound("receipt_of_goods_unknown", id=command.receipt)
    work.actor.require("ledger:late_cost:add", site=receipt.site_id)
    site = site_facts(work, receipt.site_id)
    place = books_of(work, site)
    amount = _checked(command, site.entity.currency)
    goods = _goods(work, receipt.id)
    if not goods:
        raise RuleBroken("late_cost_no_goods", field="amount", number=receipt.number)
    read_charts(work, [site.entity.id])
    where = [(site.id, one.item) for one in goods]
    lock_balances(work, where)
    held = costing_of(work, site.id)
    from_before = held is not None and receipt.received_at < held.since
    valuing = Valuing(work, where)
    key = work.ids.one()
    lines, deltas = [], {}
    for number, (one, share) in enumerate(zip(goods, _shares(amount, goods, command.basis), strict=True), 1):
        at = (site.id, one.item)
        here, stock = 0, 0
        if (worth := valuing.worth.get(at)) is not None:
            layers = None
            if worth.method == CostMethod.FIFO:
                layers = [layer for layer in valuing.layers[at] if _is_of(layer, receipt.id, carried=from_before)]
            here = min(one.quantity, worth.on_hand if layers is None else sum(layer.left for layer in layers))
            stock = half_up(share, here, one.quantity)
            if not _raise_worth(valuing, worth, layers, key, stock):
                raise RuleBroken("late_cost_below_zero", field="amount", item=items(work, {one.item})[one.item].code)
            deltas[at] = (0, 0, stock, 0)
        lines.append((key, number, one.item, one.quantity, here, stock, share - stock))
    stock = sum(line[5] for line in lines)
    add_first(
        work,
        LateCost(
            id=key, entity_id=site.entity.id, site_id=site.id, receipt_id=receipt.id, kind=command.kind, basis=command.basis,
            paper=command.paper.strip(), note=(command.note or "").strip() or None, amount_minor=amount, stock_minor=stock,
            entry_on=local_day(work.now, site.time_zone), added_at=work.now, added_by=work.actor.id,
        ),
        "late_cost_twice", number=receipt.number, paper=command.paper.strip(),
    )  # fmt: skip
    write_rows(work, LateCostLine.__table__, _LINE, lines)
    valuing.write()
    change_balances(work, deltas)
    _post(work, place, key, command, amount, stock, site.entity.currency)
    added = LateCostTold(receipt=receipt.id, amount=amount, stock=stock)
    work.publish(added, place, step="record_to_report.post", subject=("late_cost", key, 1), journey=key)
    work.audit("late_cost_added", "late_cost", key, entity=site.entity.id, receipt=receipt.number, amount=amount)
    return LateCostAdded(key, stock, amount - stock)


def _checked(command: AddLateCost, currency: str) -> int:
    for field, value, known in (
        ("kind", command.kind, set(LateCostKind)),
        ("basis", command.basis, set(ShareBasis)),
    ):
        if value not in known:
            raise RuleBroken("choice_unknown", field=field, value=value)
    if not command.paper.strip():
        raise RuleBroken("paper_missing", field="paper")
    if command.amount.is_nan() or abs(command.amount) >= _MOST:
        raise RuleBroken("late_cost_absurd", field="amount")
    amount = to_minor(command.amount, currency)
    if from_minor(amount, currency) != command.amount or not amount:
        raise RuleBroken("late_cost_amount", field="amount", currency=currency)
    return amount


def _goods(work: UnitOfWork, receipt: int) -> list[_Goods]:
    """What came with the receipt at a known cost, item by item."""
    moves = StockMove.__table__.c
    rows = work.session.execute(
        select(moves.item_id, raw(moves.quantity), moves.value_minor).where(
            moves.document_id == receipt, moves.document_type == "goods_receipt", moves.reason == MoveReason.RECEIPT,
            moves.value_minor.is_not(None),
        )
    )  # fmt: skip
    sums: dict[int, list[int]] = {}
    for row in rows:
        one = sums.setdefault(row.item_id, [0, 0])
        one[0] += row.quantity
        one[1] += row.value_minor
    return [_Goods(item, *sums[item]) for item in sorted(sums)]


def _shares(amount: int, goods: Sequence[_Goods], basis: str) -> list[int]:
    """The cost of each, adding up to all of it: what is rounded goes to the next one."""
    weights = [one.value if basis == ShareBasis.VALUE else one.quantity for one in goods]
    if not sum(weights):
        weights = [one.quantity for one in goods]
    return _spread(amount, weights)


def _spread(amount: int, weights: Sequence[int]) -> list[int]:
    whole, before, given, out = sum(weights), 0, 0, []
    for weight in weights:
        before += weight
        part = half_up(amount, before, whole) - given
        given += part
        out.append(part)
    return out


def _is_of(layer: Layer, receipt: int, *, carried: bool) -> bool:
    """Whether the goods of the receipt lie in this layer: its own, or what was there when layers began."""
    if carried:
        return layer.document_type == "costing"
    return layer.document_type == "goods_receipt" and layer.document_id == receipt


def _raise_worth(valuing: Valuing, worth: Worth, layers: Sequence[Layer] | None, key: int, stock: int) -> bool:
    """Whether the goods could take so much; layers by what is left of each."""
    if worth.value + stock < 0:
        return False
    left = [layer for layer in layers or () if layer.left]
    for layer, part in zip(left, _spread(stock, [layer.left for layer in left]), strict=True):
        if layer.value + part < 0:
            return False
        if part:
            valuing.step(layer, LayerReason.LATE, key, 0, part)
    worth.value += stock
    return True


def _post(work: UnitOfWork, place: Any, key: int, command: AddLateCost, amount: int, stock: int, currency: str) -> None:
    entry = Entry(
        rule="late_cost", place=place, document_type="late_cost", document_id=key, journey=key, posted_at=work.now,
        entry_on=local_day(work.now, place.time_zone), currency=currency, text=command.paper.strip(),
        sides=(
            Side(AccountRole.INVENTORY, stock), Side(AccountRole.COST_OF_SALES, amount - stock),
            Side(AccountRole.RECEIVED_NOT_INVOICED, -amount),
        ),
    )  # fmt: skip
    post_entries(work, [entry])

"""Taking stock back from a line for one that ranks better: by authority, with a reason, and with a new promise for who loses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from erpcore.inventory.services import Demand, free_reservations, reserve
from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.kernel.history import record_move
from erpcore.kernel.rows import read_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.orders.allocation import backorder, give_stock
from erpcore.orders.claims import claim_of
from erpcore.orders.documents import Line, Order
from erpcore.orders.models import OrderLine, OrderState
from erpcore.orders.moving import admit_order, publish_order
from erpcore.orders.ranking import outranks
from erpcore.orders.records import lock_orders, save_orders
from erpcore.ports import CellStates, ProcessRules
from erpcore.published import LineQuantity, OrderDeallocated

TAKE_BACK = "orders:allocation:take_back"


@dataclass(frozen=True, kw_only=True, slots=True)
class TakeBack:
    """So much (thousandths) of what is allocated to ``line`` goes to ``to`` instead, which waits for the same item there."""

    line: int
    to: int
    quantity: int
    reason: str


def take_back(
    work: UnitOfWork, commands: Sequence[TakeBack], *, rules: ProcessRules, cells: CellStates
) -> list[tuple[Order, Line]]:
    """Move allocated stock from one line to another; returns the lines that lost it, backordered and promised anew.

    Raises ``RuleBroken("not_lower_ranked")`` unless the other line ranks better by channel, tier or waiting time, and
    ``take_back_too_much`` beyond what is allocated and not picked, or beyond what the other line still wants.
    """
    names = ("id", "order_id")
    asked = {c.line for c in commands} | {c.to for c in commands}
    order_of = {row.id: row.order_id for row in read_rows(work, OrderLine, names, "id", asked)}
    if unknown := asked - order_of.keys():
        raise NotFound("line_unknown", line=min(unknown))
    orders = {order.id: order for order in lock_orders(work, order_of.values())}
    lines = {line.id: (order, line) for order in orders.values() for line in order.lines}
    lost: list[tuple[Order, Line]] = []
    for command in commands:
        (loser, from_line), (winner, to_line) = lines[command.line], lines[command.to]
        _check(work, rules, cells, command, lines[command.line], lines[command.to])
        free_reservations(work, {from_line.id: command.quantity})
        from_line.allocated -= command.quantity
        quantities = [LineQuantity(line=from_line.id, quantity=command.quantity)]
        event = OrderDeallocated(reason=command.reason, lines=quantities)
        publish_order(work, loser, event, "allocate", work.now)
        facts = {"line": from_line.id, "quantity": command.quantity, "to": to_line.id, "to_order": winner.id}
        record_move(work, "order", loser.id, "take_back", loser.state, loser.state, reason=command.reason, facts=facts)
        demand = Demand(to_line.id, winner.entity_id, to_line.site_id, to_line.item_id, command.quantity)
        (got,) = reserve(work, [demand], at=work.now)
        give_stock(work, [(winner, to_line)], {to_line.id: got})
        work.audit("allocation_taken_back", "order", loser.id, **facts, reason=command.reason)
        lost.append((loser, from_line))
    backorder(work, [each for each in lost if each[1].backordered_at is None])
    save_orders(work, list(orders.values()), [lines[key][1] for key in sorted(asked)])
    return lost


def _check(
    work: UnitOfWork,
    rules: ProcessRules,
    cells: CellStates,
    command: TakeBack,
    losing: tuple[Order, Line],
    winning: tuple[Order, Line],
) -> None:
    (loser, from_line), (winner, to_line) = losing, winning
    for order in (loser, winner):
        work.actor.require(TAKE_BACK, site=from_line.site_id)
        admit_order(work, cells, order, site=from_line.site_id)
    if not command.reason.strip():
        raise RuleBroken("reason_required", field="reason", document=loser.number, move="take back")
    if winner.state != OrderState.RELEASED:
        raise RuleBroken("not_released", document=winner.number, state=winner.state)
    if (from_line.site_id, from_line.item_id) != (to_line.site_id, to_line.item_id):
        raise RuleBroken("other_place", field="to", document=winner.number, line=to_line.line_no)
    if command.quantity <= 0 or command.quantity > min(from_line.allocated, to_line.unallocated):
        raise RuleBroken("take_back_too_much", field="quantity", document=loser.number, line=from_line.line_no)
    mine = claim_of(work, rules, winner, to_line, since=to_line.backordered_at or winner.captured_at)
    theirs = claim_of(work, rules, loser, from_line, since=from_line.backordered_at or loser.captured_at)
    if not outranks(mine, theirs):
        raise RuleBroken("not_lower_ranked", field="to", document=loser.number, other=winner.number)

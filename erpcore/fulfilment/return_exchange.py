"""What does the customer get instead? The order of a return's replacement: tied to the return, and an order like any other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from erpcore.fulfilment.models import ReturnState
from erpcore.fulfilment.return_records import lock_returns, save_returns
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.history import record_move
from erpcore.kernel.model import QUANTITY_PLACES
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.models import ItemKind
from erpcore.masterdata.queries import items
from erpcore.orders.commands import CaptureOrder, NewLine
from erpcore.orders.documents import Order
from erpcore.orders.services import capture_orders
from erpcore.ports import CellStates, ProcessRules

#: A return of which nothing is decided, or that was declined, replaces nothing.
_NOT_AGREED = (ReturnState.REQUESTED, ReturnState.WAITING, ReturnState.DECLINED)


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderReplacement:
    """Order what the customer gets instead: so much of each item; without any, what he asked to give back.

    ``accepted`` are warnings of orders, with why; that it is like another order is expected.
    """

    id: int
    wanted: Mapping[int, Decimal] = field(default_factory=dict)
    accepted: Mapping[str, str] = field(default_factory=dict)


def order_replacement(work: UnitOfWork, command: OrderReplacement, *, rules: ProcessRules, cells: CellStates) -> Order:
    """The order of the replacement, at the prices of today; the return is credited at those of its sale. It names the return as
    its reference, and goes its own way from then on.

    Raises ``RuleBroken("return_not_agreed")`` before the return is authorised, ``return_replaced`` where it has its order.
    """
    (row,) = rows = lock_returns(work, [command.id])
    if row.state in _NOT_AGREED:
        raise RuleBroken("return_not_agreed", document=row.number, state=row.state)
    if row.replacement_id is not None:
        raise RuleBroken("return_replaced", document=row.number)
    known = items(work, {line.item_id for line in row.lines})
    asked: dict[int, Decimal] = defaultdict(Decimal)
    for line in row.lines:
        if known[line.item_id].kind == ItemKind.STOCK:
            asked[line.item_id] += Decimal(line.asked).scaleb(-QUANTITY_PLACES)
    wanted = command.wanted or asked
    lines = [NewLine(item=item, quantity=quantity) for item, quantity in wanted.items() if quantity]
    if not lines:
        raise RuleBroken("nothing_entered")
    replacement = CaptureOrder(
        site=row.site_id, channel=row.channel_id, customer=row.customer_id, lines=lines, customer_reference=row.number,
        ship_country=row.ship_country, accepted={"order_duplicate": f"replaces what comes back with {row.number}", **command.accepted},
    )  # fmt: skip
    (order,) = capture_orders(work, [replacement], rules=rules, cells=cells)
    row.replacement_id = order.id
    record_move(work, "return", row.id, "exchange", row.state, row.state, facts={"order": order.id})
    save_returns(work, rows)
    return order

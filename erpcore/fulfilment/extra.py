"""More of a line leaves than was ordered: within the tolerance of its rules, from stock that nobody else waits for.

The line says how much that is, so that what was ordered stays what the customer said, and all that is reserved, shipped,
invoiced and owed adds up with it.
"""

from __future__ import annotations

from collections.abc import Mapping

from erpcore.fulfilment.rules import picked_of, spare
from erpcore.inventory.balances import lock_balances
from erpcore.inventory.services import Demand, reserve
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.history import record_move
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.charges import charge_leaves
from erpcore.orders.documents import Order
from erpcore.orders.policy import line_rules
from erpcore.orders.sourcing import free_for_all
from erpcore.ports import ProcessRules


def taken_of(
    work: UnitOfWork, order: Order, asked: Mapping[int, int] | None, sent: Mapping[int, int], rules: ProcessRules | None
) -> dict[int, int]:
    """Thousandths per line that a pick takes of an order: what was asked, or all there is with what goes along.

    ``sent`` is what others send; without ``rules`` nothing is tolerated beyond what was ordered.
    """
    spares = {} if rules is None or asked is None else _spares(work, order, asked, rules)
    waiting = {line.item_id for line in order.lines if not line.is_goods and line.open}
    return picked_of(order, asked, sent, spares, charge_leaves(work, waiting))


def _spares(work: UnitOfWork, order: Order, asked: Mapping[int, int], rules: ProcessRules) -> dict[int, int]:
    more = [line for line in order.lines if asked.get(line.id, 0) > line.allocated and line.has_stock]
    return {line.id: spare(line, line_rules(work, rules, order, line)["over_ship_tolerance_permille"]) for line in more}


def take_extra(work: UnitOfWork, order: Order, taken: Mapping[int, int]) -> None:
    """Reserve what is taken beyond what is allocated, so that it counts as allocated before it is picked.

    Raises ``RuleBroken("pick_over_no_stock")`` where less is free, or somebody else waits for it.
    """
    lines = [line for line in order.lines if line.has_stock and taken.get(line.id, 0) > line.allocated]
    more = {line.id: taken[line.id] - line.allocated for line in lines}
    if not more:
        return
    lock_balances(work, {(line.site_id, line.item_id) for line in lines})
    free = free_for_all(work, {(line.site_id, line.item_id) for line in lines})
    for line in lines:
        place = (line.site_id, line.item_id)
        if free[place] < more[line.id]:
            raise RuleBroken("pick_over_no_stock", field="lines", line=line.line_no, document=order.number)
        free[place] -= more[line.id]
    demands = [Demand(line.id, order.entity_id, line.site_id, line.item_id, more[line.id]) for line in lines]
    reserve(work, demands, at=work.now)
    for line in lines:
        line.extra += more[line.id]
        line.allocated += more[line.id]
    facts = {"lines": {str(key): quantity for key, quantity in more.items()}}
    record_move(work, "order", order.id, "pick_extra", order.state, order.state, facts=facts)

"""May a picker take a little more of a line than its order wants, and what becomes of it?

It is kept with the task like all that is picked, and held at its place. It counts for the order when the task is finished, by the
service that lets the desk ship more than was ordered: reserved then, if it is still free.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import func, select

from erpcore.fulfilment.floor.models import TaskLine, TaskState, WarehouseTask
from erpcore.fulfilment.floor.records import TaskLineRow, TaskRow
from erpcore.fulfilment.rules import spare
from erpcore.inventory.holds import grow_hold, shrink_hold
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.quantity import as_units
from erpcore.kernel.rows import raw
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import items
from erpcore.masterdata.units import step_of
from erpcore.orders.documents import Order
from erpcore.orders.policy import line_rules
from erpcore.orders.sourcing import free_for_all
from erpcore.ports import ProcessRules

_ENDED = (TaskState.DONE, TaskState.CANCELLED)
POINT = "over_ship_tolerance_permille"


def take_more(
    work: UnitOfWork, task: TaskRow, line: TaskLineRow, order: Order, more: int, *, rules: ProcessRules
) -> None:
    """Keep that so much more than a line of a task asks for lies in the tote. The order and the task are locked.

    Raises ``RuleBroken("pick_over_line")`` beyond the tolerance, ``"pick_over_not_yet"`` while more of the order line is to be
    picked elsewhere or came short, ``"pick_over_no_stock"`` where that much is not free.
    """
    own = next(one for one in order.lines if one.id == line.order_line_id)
    item = items(work, {line.item_id})[line.item_id]
    code = item.code
    others = [one for one in task.lines if one.order_line_id == own.id and one is not line]
    if any(one.left or one.short or one.damaged for one in others) or line.short or _elsewhere(work, task, own.id):
        raise RuleBroken("pick_over_not_yet", field="quantity", item=code)
    said = line.extra + sum(one.extra for one in others)
    most = spare(own, line_rules(work, rules, order, own)[POINT]) - said
    most -= most % step_of(item.quantity_places)
    if more > most:
        raise RuleBroken("pick_over_line", field="quantity", most=as_units(max(0, line.left + most)), item=code)
    place = (own.site_id, own.item_id)
    if free_for_all(work, {place})[place] < said + more:
        raise RuleBroken("pick_over_no_stock", field="quantity", line=own.line_no, document=order.number)
    if line.hold_id is not None:
        grow_hold(work, line.hold_id, more)
    line.extra += more


def give_up(work: UnitOfWork, line: TaskLineRow, quantity: int) -> int:
    """Put back of a line what is beyond its order first; returns how much of ``quantity`` is left to be put back."""
    back = min(quantity, line.extra)
    if back and line.hold_id is not None:
        shrink_hold(work, line.hold_id, back)
    line.extra -= back
    return quantity - back


def check_extra(work: UnitOfWork, task: TaskRow, orders: Mapping[int, Order], rules: ProcessRules) -> None:
    """Raise ``RuleBroken("pick_no_longer_wanted")`` where an order was cut meanwhile and bears less beyond it."""
    for line in task.lines:
        if not line.extra:
            continue
        order = orders[line.order_id]
        own = next(one for one in order.lines if one.id == line.order_line_id)
        most = spare(own, line_rules(work, rules, order, own)[POINT])
        if line.extra > most:
            raise RuleBroken(
                "pick_no_longer_wanted", document=order.number, item=items(work, {line.item_id})[line.item_id].code,
                quantity=as_units(line.extra - most), line=line.line_no,
            )  # fmt: skip


def _elsewhere(work: UnitOfWork, task: TaskRow, order_line: int) -> bool:
    """Whether other tasks under way have to do with this order line: only the last of them may take more."""
    line, table = TaskLine.__table__.c, WarehouseTask.__table__.c
    query = (
        select(func.count(), func.sum(raw(line.quantity)))
        .join(WarehouseTask, table.id == line.task_id)
        .where(line.order_line_id == order_line, table.id != task.id, table.state.not_in(_ENDED), line.quantity > 0)
    )
    return bool(work.session.execute(query).one()[0])

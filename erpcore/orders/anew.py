"""How does an order that is under way come under the rules of today? By an act of its own, logged, while nothing of it has left."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import update

from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.history import record_move
from erpcore.kernel.rows import Change, param
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import items, site_facts
from erpcore.orders.documents import Order
from erpcore.orders.models import OrderLine, OrderState, SalesOrder
from erpcore.orders.policy import stamp_lines
from erpcore.orders.records import lock_orders
from erpcore.ports import ProcessRules

PUT_ANEW = "orders:order:put-under-rules"
_OPEN = (OrderState.CAPTURED, OrderState.HELD, OrderState.RELEASED)

_orders, _lines = SalesOrder.__table__, OrderLine.__table__
_ORDER = Change(
    lambda: (
        update(_orders)
        .where(_orders.c.id == param("of", _orders.c.id), _orders.c.version == param("was", _orders.c.version))
        .values(
            version=_orders.c.version + 1, ruleset=param("hash", _orders.c.ruleset), variants=param("by", _orders.c.variants)
        )
    )
)  # fmt: skip
_LINE = Change(
    lambda: (
        update(_lines).where(_lines.c.id == param("of", _lines.c.id)).values(ruleset=param("hash", _lines.c.ruleset))
    )
)


def put_under_rules_of_now(
    work: UnitOfWork, order_ids: Sequence[int], *, rules: ProcessRules, reason: str
) -> list[Order]:
    """Stamp these orders, and their lines, with the rules that a new order of the same place would get now. What was promised,
    priced and allocated stays; what is done from now on is done by the new rules. Returns those whose rules changed.

    Raises ``RuleBroken`` without a reason, and for an order of which something was picked, shipped or invoiced, or that is over.
    """
    work.actor.require(PUT_ANEW)
    if not reason.strip():
        raise RuleBroken("reason_required", field="reason", document="order", move="put_under_rules")
    orders = lock_orders(work, order_ids)
    for order in orders:
        if order.state not in _OPEN:
            raise RuleBroken("order_over", document=order.number, state=order.state)
        if any(line.picked or line.shipped or line.invoiced for line in order.lines):
            raise RuleBroken("order_begun", document=order.number)
    known = items(work, {line.item_id for order in orders for line in order.lines})
    changed, lines = [], []
    for order in orders:
        site = site_facts(work, order.site_id)
        found = rules.resolve(
            work, entity=site.entity.live_id, site=site.live_id, channel=order.channel_id,
            customer_group=order.customer_group,
        )  # fmt: skip
        before = (order.ruleset, [line.ruleset for line in order.lines])
        order.ruleset, order.variants = found.hash, found.variants
        for line in order.lines:
            line.ruleset = None
        stamp_lines(work, rules, order, known)
        if before == (order.ruleset, [line.ruleset for line in order.lines]):
            continue
        changed.append(order)
        lines += [{"of": line.id, "hash": line.ruleset} for line in order.lines]
        facts = {"before": before[0], "after": order.ruleset, "variants": order.variants}
        record_move(
            work, "order", order.id, "put_under_rules", order.state, order.state, reason=reason.strip(), facts=facts
        )
        work.audit("order.rules_changed", "order", order.id, number=order.number, **facts, reason=reason.strip())
    _ORDER.run(work, [{"of": one.id, "was": one.version, "hash": one.ruleset, "by": one.variants} for one in changed])
    _LINE.run(work, lines)
    for order in changed:
        order.version += 1
    return changed

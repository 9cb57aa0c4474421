"""Another item is sent instead of one that is short: where the rule lets it, of the same group, or once somebody has approved.

The substitute is a line of its own at the price agreed for the original; so much of the original is cancelled as our miss. It
fills nothing: measures keep it apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson
from sqlalchemy import select

from erpcore.inventory.services import Demand, reserve
from erpcore.inventory.supply import free_at
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import Conflict, NotAllowed, NotFound, RuleBroken
from erpcore.kernel.history import record_move
from erpcore.kernel.money import exact_amount, scaled_amount
from erpcore.kernel.rows import read_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import customers, items, site_facts, tax_rate
from erpcore.masterdata.substitutes import substitutes
from erpcore.masterdata.units import require_countable
from erpcore.orders.addressing import country_of
from erpcore.orders.allocation import give_stock
from erpcore.orders.availability import PromiseReason
from erpcore.orders.cancelling import CancelLines, cancel_lines
from erpcore.orders.documents import Line, Order
from erpcore.orders.holds import end_cured, open_hold, place_hold
from erpcore.orders.models import HoldKind, OrderHold, OrderLine, OrderState
from erpcore.orders.moving import admit_order, publish_order
from erpcore.orders.policy import line_rules
from erpcore.orders.promise import promise_new_lines
from erpcore.orders.records import insert_lines, lock_orders, save_orders
from erpcore.ports import BY_PERMISSION, Authority, CellStates, Matter, ProcessRules
from erpcore.published.sourcing import OrderSubstituted

SUBSTITUTE = "orders:line:substitute"
APPROVE = "orders:substitution:approve"
NEVER, SAME_GROUP = "never", "same_group"


@dataclass(frozen=True, kw_only=True, slots=True)
class Substitute:
    """Send ``item`` instead of so much (thousandths) of a line; ``None``: of all that is not allocated."""

    line: int
    item: int
    reason: str
    quantity: int | None = None
    seen_version: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class DecideSubstitution:
    """The answer to a substitution that waits. Declined, the order goes on as it was ordered."""

    hold: int
    approve: bool
    reason: str


def substitute_lines(
    work: UnitOfWork,
    commands: Sequence[Substitute],
    *,
    rules: ProcessRules,
    cells: CellStates,
    authority: Authority = BY_PERMISSION,
) -> list[Order]:
    """Send other items, or hold the orders until somebody else has approved that, as the rule of each line says.

    Raises ``RuleBroken("substitution_never")`` where the customer gets what was ordered, ``substitute_unknown`` for an item
    that is not kept as a substitute, ``substitute_group`` for one of another group where the rule asks for the same.
    """
    rows = read_rows(work, OrderLine, ("id", "order_id"), "id", {c.line for c in commands})
    order_of = {row.id: row.order_id for row in rows}
    if unknown := {c.line for c in commands} - order_of.keys():
        raise NotFound("line_unknown", line=min(unknown))
    seen = {order_of[c.line]: c.seen_version for c in commands if c.seen_version is not None}
    orders = {order.id: order for order in lock_orders(work, order_of.values(), seen=seen)}
    for c in commands:
        order = orders[order_of[c.line]]
        line = next(one for one in order.lines if one.id == c.line)
        work.actor.require(SUBSTITUTE, site=order.site_id)
        admit_order(work, cells, order, site=line.site_id)
        quantity = _check(work, rules, order, line, c)
        rule = line_rules(work, rules, order, line)["substitution_rule"]
        if rule == SAME_GROUP:
            _replace(work, order, line, c.item, quantity, c.reason.strip(), rules)
            continue
        facts = {"line": line.id, "item": c.item, "quantity": quantity, "version": order.version}
        hold = place_hold(
            work, order, HoldKind.SUBSTITUTION, reason=c.reason.strip(), facts=facts, permission=APPROVE
        )  # fmt: skip
        authority.ask(work, _matter(work, order, line, c.item, quantity, hold))
    return list(orders.values())


def _matter(work: UnitOfWork, order: Order, line: Line, item_id: int, quantity: int, hold: OrderHold) -> Matter:
    known = items(work, {line.item_id, item_id})
    return Matter(
        kind="substitution", document_type="order", document=order.id, version=hold.version,
        summary=f"{known[item_id].code} instead of {known[line.item_id].code} for {order.number}", site=order.site_id,
        entity=order.entity_id, amount_minor=scaled_amount(quantity, line.unit_price, order.currency),
        currency=order.currency, tier=customers(work, {order.customer_id})[order.customer_id].tier,
        excluded=() if hold.asked_by is None else (hold.asked_by,),
    )  # fmt: skip


def _check(work: UnitOfWork, rules: ProcessRules, order: Order, line: Line, c: Substitute) -> int:
    """Thousandths that are to be replaced."""
    known = items(work, {line.item_id, c.item})
    item, other = known[line.item_id], known[c.item]
    if not c.reason.strip():
        raise RuleBroken("reason_required", field="reason", document="order", move="substitute")
    if order.state not in (OrderState.CAPTURED, OrderState.RELEASED):
        raise RuleBroken("not_released", document=order.number, state=order.state)
    rule = line_rules(work, rules, order, line)["substitution_rule"]
    if rule == NEVER:
        raise RuleBroken("substitution_never", field="item", document=order.number)
    if c.item not in substitutes(work, {line.item_id}).get(line.item_id, ()):
        raise RuleBroken("substitute_unknown", field="item", item=item.code)
    if rule == SAME_GROUP and (item.group_id is None or item.group_id != other.group_id):
        raise RuleBroken("substitute_group", field="item", item=other.code, other=item.code)
    quantity = line.unallocated if c.quantity is None else c.quantity
    if not line.has_stock or not 0 < quantity <= line.unallocated:
        raise RuleBroken("substitute_quantity", field="quantity", line=line.line_no, document=order.number)
    require_countable(work, [(line.item_id, quantity), (other.id, quantity)])
    return quantity


def _replace(
    work: UnitOfWork, order: Order, line: Line, item_id: int, quantity: int, reason: str, rules: ProcessRules
) -> Line:  # fmt: skip
    item = items(work, {item_id})[item_id]
    customer = customers(work, {order.customer_id})[order.customer_id]
    day = local_day(work.now, site_facts(work, order.site_id).time_zone)
    country = country_of(work, line.ship_to_id, order)
    new = replace(
        line, id=work.ids.one(), line_no=max(one.line_no for one in order.lines) + 10, item_id=item.id, quantity=quantity,
        price_source="substitute", amount=exact_amount(quantity, line.unit_price),
        value_minor=scaled_amount(quantity, line.unit_price, order.currency), allocated=0, picked=0, shipped=0, delivered=0,
        invoiced=0, cancelled=0, returned=0, extra=0, split_from_id=None, price_rule_id=None, list_price=None, price_floor=None, price_losers=None,
        unit_cost=item.standard_cost, price_reason=reason[:200], backordered_at=None, replaces_id=line.id,
        promise_reason=PromiseReason.COMMITMENT,
        tax_rate=tax_rate(work, order.entity_id, country, customer.tax_class, item.tax_class, day, ship_from=site_facts(work, line.site_id).country,
                          customer=customer.id),
    )  # fmt: skip
    promise_new_lines(work, rules, [(order, new)])
    insert_lines(work, order, [new])
    # The order is worth what the customer ordered: the substitute comes in the place of that, and adds nothing.
    event = OrderSubstituted(
        line=line.id, item=line.item_id, quantity=quantity, value=scaled_amount(quantity, line.unit_price, order.currency),
        substitute_line=new.id, substitute=item.id, substitute_value=new.value_minor, reason=reason,
    )  # fmt: skip
    publish_order(work, order, event, "allocate", work.now)
    facts = {"line": line.id, "substitute_line": new.id, "item": item.id, "quantity": quantity}
    record_move(work, "order", order.id, "substitute", order.state, order.state, reason=reason, facts=facts)
    cancel = CancelLines(order=order.id, reason=f"substituted: {reason}", by_customer=False, lines={line.id: quantity})
    cancel_lines(work, [cancel], by_rule=True)
    if order.state == OrderState.RELEASED:
        (got,) = reserve(work, [Demand(new.id, order.entity_id, new.site_id, item.id, quantity)], at=work.now)
        give_stock(work, [(order, new)], {new.id: got})
    save_orders(work, [order], [new])
    return new


def decide_substitution(
    work: UnitOfWork, command: DecideSubstitution, *, rules: ProcessRules, cells: CellStates
) -> Order:
    """Approve a substitution that waits, or decline it; the hold ends either way. Who asked for it never decides."""
    hold, order = _asked(work, command.hold)
    work.actor.require(APPROVE, site=order.site_id)
    return _settle(work, order, hold, command, rules, cells)


def settle_substitution(
    work: UnitOfWork, order_id: int, *, approved: bool, note: str, rules: ProcessRules, cells: CellStates
) -> Order:
    """Carry out what was answered: whether the person at work may decide was looked at by whoever took the answer."""
    (order,) = lock_orders(work, [order_id])
    hold = open_hold(work, order, HoldKind.SUBSTITUTION)
    if hold is None:
        raise NotFound("hold_unknown", hold=order_id)
    return _settle(work, order, hold, DecideSubstitution(hold=hold.id, approve=approved, reason=note), rules, cells)


def _asked(work: UnitOfWork, hold_id: int) -> tuple[OrderHold, Order]:
    query = select(OrderHold).where(OrderHold.id == hold_id, OrderHold.kind == HoldKind.SUBSTITUTION)
    hold = work.session.execute(query).scalar_one_or_none()
    if hold is None:
        raise NotFound("hold_unknown", hold=hold_id)
    (order,) = lock_orders(work, [hold.order_id])
    work.session.refresh(hold)
    return hold, order


def _settle(
    work: UnitOfWork, order: Order, hold: OrderHold, command: DecideSubstitution, rules: ProcessRules, cells: CellStates
) -> Order:  # fmt: skip
    if command.approve:
        # Declined, the order stays as it was, which nobody needs an open cell for, as when any hold is ended.
        admit_order(work, cells, order)
    if hold.released_at is not None:
        raise Conflict("hold_ended", hold=hold.id)
    if hold.asked_by is not None and hold.asked_by == work.actor.id:
        raise NotAllowed("hold_own_request", kind=hold.kind, document=order.number)
    if not command.reason.strip():
        raise RuleBroken("reason_required", field="reason", document="order", move="decide")
    facts: dict[str, Any] = orjson.loads(hold.facts)
    # A person has decided, so the hold counts as ended by authority.
    end_cured(work, order, {HoldKind.SUBSTITUTION: command.reason.strip()}, cured=False)
    save_orders(work, [order])
    if command.approve:
        line = next((one for one in order.lines if one.id == facts["line"]), None)
        quantity = int(facts["quantity"])
        if line is None or quantity > line.unallocated:
            raise RuleBroken(
                "substitute_quantity", field="reason", line=line.line_no if line else 0, document=order.number
            )
        _replace(work, order, line, int(facts["item"]), quantity, str(facts["note"]), rules)
    return order


def offered(work: UnitOfWork, rules: ProcessRules, order: Order, line: Line) -> list[tuple[int, int, str]]:
    """Items that could be sent instead of a line: (item, free at its site, rule); empty where the rule is never."""
    rule = str(line_rules(work, rules, order, line)["substitution_rule"])
    if rule == NEVER:
        return []
    found = substitutes(work, {line.item_id}).get(line.item_id, [])
    known = items(work, {line.item_id, *found})
    if rule == SAME_GROUP:
        group = known[line.item_id].group_id
        found = [item for item in found if group is not None and known[item].group_id == group]
    free = free_at(work, {(line.site_id, item) for item in found})
    return [(item, max(0, free.get((line.site_id, item), 0)), rule) for item in found]

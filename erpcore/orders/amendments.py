"""Changing an order after it was taken: changes are staged, checked together, shown before and after, and applied once.

Only the customer's own wish changes what was ordered and the wished day; what we take back is a cancellation, and a day that
we move is a promise. What has left or lies picked is not touched. The price of a line stays as it was agreed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from erpcore.kernel.canonical import canonical_json
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import Conflict, IllegalMove, NotFound, RuleBroken
from erpcore.kernel.history import record_move
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.addresses import addresses_by_id
from erpcore.masterdata.queries import customers, items, site_facts
from erpcore.orders.addressing import require_address
from erpcore.orders.amendment_effects import Effects, carry_out
from erpcore.orders.amendment_foresight import Foresight
from erpcore.orders.amendment_rules import Amend, Planned, plan, split_direct
from erpcore.orders.cancelling import close_if_done
from erpcore.orders.documents import Order
from erpcore.orders.flow import AMENDMENT
from erpcore.orders.models import AmendmentState, ChangeKind, OrderAmendment, OrderAmendmentChange, OrderState
from erpcore.orders.moving import admit_order
from erpcore.orders.records import lock_orders
from erpcore.orders.releasing import recheck_orders
from erpcore.orders.splitting import NOBODY, Senders
from erpcore.ports import BY_PERMISSION, Authority, CellStates, ProcessRules

AMEND = "orders:order:amend"
_OPEN = (OrderState.CAPTURED, OrderState.HELD, OrderState.RELEASED)


@dataclass(frozen=True, kw_only=True)
class StageAmendment:
    """Changes to one order that are made together; ``by_customer``: they are the customer's own wish.

    ``replaces``: the staged amendment of the same order that these take the place of; it is withdrawn.
    """

    order: int
    by_customer: bool
    reason: str
    changes: Sequence[Amend]
    seen_version: int | None = None
    replaces: int | None = None


def stage_amendments(
    work: UnitOfWork,
    commands: Sequence[StageAmendment],
    *,
    rules: ProcessRules,
    cells: CellStates,
    senders: Senders = NOBODY,
) -> list[OrderAmendment]:
    """Keep changes to be applied, once all of each have passed the check and a trial; the orders stay as they are.

    ``senders``: who sends drop-ship lines; without them such lines are not split.
    Raises ``RuleBroken`` naming the changes that cannot be, ``Conflict`` when the order is not what the person saw, and
    ``RuleBroken("amendment_open")`` while another amendment of the order waits.
    """
    seen = {c.order: c.seen_version for c in commands if c.seen_version is not None}
    orders = {order.id: order for order in lock_orders(work, [c.order for c in commands], seen=seen)}
    out = []
    for command in commands:
        order = orders[command.order]
        work.actor.require(AMEND, site=order.site_id)
        admit_order(work, cells, order)
        if not command.reason.strip():
            raise RuleBroken("reason_required", field="reason", document="order", move="amend")
        if command.replaces is not None:
            _replace(work, order, command.replaces)
        planned = _planned(work, order, command.changes, senders, by_customer=command.by_customer)
        taken = select(OrderAmendment.id).where(
            OrderAmendment.order_id == order.id, OrderAmendment.state == AmendmentState.STAGED
        )
        if work.session.execute(taken).first() is not None:
            raise RuleBroken("amendment_open", document=order.number)
        number = select(func.count()).select_from(OrderAmendment).where(OrderAmendment.order_id == order.id)
        amendment = OrderAmendment(
            id=work.ids.one(), order_id=order.id, number=work.session.execute(number).scalar_one() + 1,
            state=AmendmentState.STAGED, by_customer=command.by_customer, reason=command.reason.strip(),
            order_version=order.version, staged_at=work.now, staged_by=work.actor.id,
        )  # fmt: skip
        amendment.foreseen = _foreseen(work, amendment, command.changes, rules, senders)
        work.session.add(amendment)
        work.session.flush()  # the changes refer to it
        work.session.add_all(_row(amendment.id, no, one) for no, one in enumerate(planned, 1))
        record_move(work, "amendment", amendment.id, "stage", None, AmendmentState.STAGED, reason=command.reason)
        out.append(amendment)
    return out


def _replace(work: UnitOfWork, order: Order, staged: int) -> None:
    (before,) = _locked(work, [staged])
    if before.order_id != order.id:
        raise NotFound("amendment_unknown", amendment=staged)
    _withdraw(work, before)


def _foreseen(
    work: UnitOfWork, amendment: OrderAmendment, changes: Sequence[Amend], rules: ProcessRules, senders: Senders
) -> str:
    """What the changes would do, found out by making them and taking them back."""
    with work.trial() as attempt:
        (order,) = lock_orders(attempt, [amendment.order_id])
        foresight = Foresight(attempt, order, rules)
        planned = _planned(attempt, order, changes, senders, by_customer=amendment.by_customer)
        effects = carry_out(attempt, order, planned, amendment, rules=rules, senders=senders)
        grown, moved = ({order.id} if so else set() for so in (effects.grew, effects.moved))
        recheck_orders(attempt, [order], grown, moved, rules=rules)
        foresight.take_down(effects.freed, effects.taken_back)
    return foresight.content


def _row(amendment: int, no: int, one: Planned) -> OrderAmendmentChange:
    return OrderAmendmentChange(
        amendment_id=amendment, no=no, kind=one.change.kind, order_line_id=one.line.id if one.line else None,
        item_id=one.item, before=canonical_json(one.before).decode(), after=canonical_json(one.after).decode(),
    )  # fmt: skip


def _planned(
    work: UnitOfWork, order: Order, changes: Sequence[Amend], senders: Senders, *, by_customer: bool
) -> list[Planned]:
    if order.state not in _OPEN:
        raise IllegalMove("order", "amend", order.state)
    known = items(work, {line.item_id for line in order.lines} | {c.item for c in changes if c.item is not None})
    planned = plan(order, changes, known, by_customer=by_customer)
    _check_addresses(work, order, changes)
    direct = split_direct(planned)
    if direct:
        senders.may_split(work, direct)
    customer = customers(work, {order.customer_id})[order.customer_id]
    if customer.is_blocked and any(one.grows for one in planned):
        raise RuleBroken("customer_blocked", field="changes", customer=customer.code)
    return planned


def _check_addresses(work: UnitOfWork, order: Order, changes: Sequence[Amend]) -> None:
    asked = {change.ship_to for change in changes if change.ship_to is not None}
    known = addresses_by_id(work, asked) if asked else {}
    today = local_day(work.now, site_facts(work, order.site_id).time_zone)
    for place, change in enumerate(changes):
        if change.ship_to is not None:
            field = f"changes-{place}-ship_to"
            require_address(known.get(change.ship_to), order.customer_id, today, field=field)


def apply_amendments(
    work: UnitOfWork,
    amendment_ids: Sequence[int],
    *,
    rules: ProcessRules,
    cells: CellStates,
    senders: Senders = NOBODY,
    authority: Authority = BY_PERMISSION,
) -> list[Order]:
    """Make staged changes true, all of each at once; stock, exposure and promises follow.

    Raises ``Conflict("order_moved")`` when the order changed since the changes were staged: they were checked against
    another order. A released order that its customer's credit no longer bears is held.
    """
    amendments = _locked(work, amendment_ids)
    orders = {order.id: order for order in lock_orders(work, [one.order_id for one in amendments])}
    grown: set[int] = set()
    moved: set[int] = set()
    for amendment in amendments:
        order = orders[amendment.order_id]
        work.actor.require(AMEND, site=order.site_id)
        admit_order(work, cells, order)
        was = amendment.state
        target = AMENDMENT.target("apply", was)
        if order.version != amendment.order_version:
            raise Conflict("order_moved", document=order.number)
        changes = [_change(row) for row in _changes(work, amendment.id)]
        planned = _planned(work, order, changes, senders, by_customer=amendment.by_customer)
        effects = carry_out(work, order, planned, amendment, rules=rules, senders=senders)
        if effects.grew:
            grown.add(order.id)
        if effects.moved:
            moved.add(order.id)
        amendment.state, amendment.settled_at, amendment.settled_by = target, work.now, work.actor.id
        _remember(work, order, amendment, planned, effects)
    recheck_orders(work, list(orders.values()), grown, moved, rules=rules, authority=authority)
    for order in orders.values():
        close_if_done(work, order)
    return list(orders.values())


def _remember(
    work: UnitOfWork, order: Order, amendment: OrderAmendment, planned: Sequence[Planned], effects: Effects
) -> None:
    record_move(work, "amendment", amendment.id, "apply", AmendmentState.STAGED, AmendmentState.APPLIED)
    facts = {
        "amendment": amendment.number,
        "by_customer": amendment.by_customer,
        "changes": [
            {"kind": one.change.kind, "line": one.line.line_no if one.line else None, "before": one.before, "after": one.after}
            for one in planned
        ],
        "freed": effects.freed,
    }  # fmt: skip
    record_move(work, "order", order.id, "amend", order.state, order.state, reason=amendment.reason, facts=facts)


def withdraw_amendments(work: UnitOfWork, amendment_ids: Sequence[int]) -> list[OrderAmendment]:
    """Let staged changes go; the orders were never touched."""
    amendments = _locked(work, amendment_ids)
    orders = {order.id: order for order in lock_orders(work, [one.order_id for one in amendments])}
    for amendment in amendments:
        work.actor.require(AMEND, site=orders[amendment.order_id].site_id)
        _withdraw(work, amendment)
    return amendments


def _withdraw(work: UnitOfWork, amendment: OrderAmendment) -> None:
    was = amendment.state
    amendment.state = AMENDMENT.target("withdraw", was)
    amendment.settled_at, amendment.settled_by = work.now, work.actor.id
    record_move(work, "amendment", amendment.id, "withdraw", was, amendment.state)
    work.session.flush()  # another of the same order may be staged in its place


def _locked(work: UnitOfWork, ids: Sequence[int]) -> list[OrderAmendment]:
    """The amendments, locked after their orders, as they are now."""
    keys = sorted(set(ids))
    query = select(OrderAmendment).where(OrderAmendment.id.in_(keys)).order_by(OrderAmendment.id)
    found = list(work.session.execute(query).scalars())
    if len(found) != len(keys):
        raise NotFound("amendment_unknown", amendment=next(key for key in keys if key not in {one.id for one in found}))
    lock_orders(work, [one.order_id for one in found])
    again: Any = query.with_for_update(key_share=True)
    return list(work.session.execute(again, execution_options={"populate_existing": True}).scalars())


def _changes(work: UnitOfWork, amendment: int) -> list[OrderAmendmentChange]:
    query = select(OrderAmendmentChange).where(OrderAmendmentChange.amendment_id == amendment)
    return list(work.session.execute(query.order_by(OrderAmendmentChange.no)).scalars())


def _change(row: OrderAmendmentChange) -> Amend:
    return Amend.of(ChangeKind(row.kind), row.order_line_id, row.item_id, row.after)

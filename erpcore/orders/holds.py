"""Why may this order not go on, who may let it go on, and when does a hold end by itself?

Several holds of different kinds may be open at once; the order is captured again when the last one ends. Who asked for the
thing that is held never ends the hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import select

from erpcore.kernel.canonical import canonical_json
from erpcore.kernel.errors import NotAllowed, NotFound, RuleBroken
from erpcore.kernel.history import record_move
from erpcore.kernel.rows import chunks
from erpcore.kernel.work import UnitOfWork
from erpcore.orders.acceptance import Facts
from erpcore.orders.documents import Order
from erpcore.orders.flow import ORDER
from erpcore.orders.models import HoldKind, OrderHold
from erpcore.orders.moving import publish_order
from erpcore.orders.records import lock_orders, save_orders
from erpcore.published import OrderHeld, OrderHoldReleased

#: A hold that nobody has looked at by then counts as stuck.
HOLD_DUE = timedelta(hours=8)
RELEASE = "orders:hold:release"
#: Whoever may end what a person doubts, or what the customer's record, address or country calls in question.
SETTLE = "orders:hold:settle"
#: What ending a hold of a kind takes beyond the right to end holds at all; a price takes what its routing says.
RELEASED_BY: dict[HoldKind, str] = {HoldKind.CREDIT: "credit:hold:release"}


@dataclass(frozen=True, kw_only=True)
class HoldOrder:
    """Stop an order, with a reason."""

    order: int
    kind: HoldKind
    reason: str
    seen_version: int | None = None


@dataclass(frozen=True, kw_only=True)
class ReleaseHold:
    """End a hold by authority; the order goes on from where it was once none is left."""

    hold: int
    reason: str


def place_hold(
    work: UnitOfWork,
    order: Order,
    kind: HoldKind,
    *,
    reason: str,
    facts: Mapping[str, Any] | None = None,
    permission: str | None = None,
    level: str | None = None,
    due: datetime | None = None,
    at: datetime | None = None,
) -> OrderHold:
    """Hold an order that is locked or just captured, for whoever's rule found something; the order is saved.

    A kind that is open already is not opened twice: the open hold takes the new facts, in another version, and keeps its age.
    ``permission`` and ``level`` say who may end it where the routing of a rule decides that; otherwise the kind does. The
    person at work is the one who asked.
    """
    hold = hold_without_saving(
        work, order, kind, reason=reason, facts=facts, permission=permission, level=level, due=due, at=at
    )
    save_orders(work, [order])
    return hold


def hold_without_saving(
    work: UnitOfWork,
    order: Order,
    kind: HoldKind,
    *,
    reason: str,
    facts: Mapping[str, Any] | None = None,
    permission: str | None = None,
    level: str | None = None,
    due: datetime | None = None,
    at: datetime | None = None,
) -> OrderHold:
    """As ``place_hold``, for callers that save the order themselves."""
    was, when = order.state, at or work.now
    known = {"note": reason, **(facts or {})}
    target = ORDER.target("hold", was, reason=reason)
    hold = _open_holds(work, [order]).get((order.id, kind)) if was == target else None
    order.state = target
    record_move(work, "order", order.id, "hold", was, order.state, at=when, reason=reason, facts=known)
    facts_kept = canonical_json(known).decode()
    if hold is not None:
        if facts_kept != hold.facts:
            # Of what is held as before its reason stays too, which may be that those who decide said no.
            hold.version, hold.facts, hold.reason = hold.version + 1, facts_kept, reason
        hold.permission, hold.level = permission or hold.permission, level or hold.level
        return hold
    hold = OrderHold(
        id=work.ids.one(), order_id=order.id, kind=kind, reason=reason, asked_by=work.actor.id or None,
        permission=permission or RELEASED_BY.get(kind, SETTLE), level=level, facts=facts_kept, version=1,
        since=when, due_at=due or when + HOLD_DUE, is_cured=False,
    )  # fmt: skip
    work.session.add(hold)
    work.memo.setdefault("new_holds", {})[order.id, kind] = hold
    publish_order(work, order, OrderHeld(hold=hold.id, kind=kind, due=hold.due_at), "release", when)
    return hold


def open_hold(work: UnitOfWork, order: Order, kind: HoldKind) -> OrderHold | None:
    """The open hold of a kind of a locked order."""
    return _open_holds(work, [order]).get((order.id, kind))


def refuse_hold(work: UnitOfWork, order: Order, kind: HoldKind, *, reason: str) -> None:
    """Say that those who decide did not let a locked order go: it stays held until what is held changes, or it is cancelled."""
    hold = open_hold(work, order, kind)
    if hold is None:
        return
    hold.reason = f"rejected: {reason}"
    facts = {"hold": hold.id, "kind": kind}
    record_move(work, "order", order.id, "refuse_hold", order.state, order.state, reason=reason, facts=facts)


def _open_holds(work: UnitOfWork, orders: Sequence[Order]) -> dict[tuple[int, str], OrderHold]:
    """The open holds of locked orders by order and kind, those of this unit of work too."""
    found: dict[tuple[int, str], OrderHold] = {}
    for part in chunks([order.id for order in orders]):
        query = (
            select(OrderHold)
            .where(OrderHold.order_id.in_(part), OrderHold.released_at.is_(None))
            .order_by(OrderHold.id)
        )
        found.update({(hold.order_id, hold.kind): hold for hold in work.session.execute(query).scalars()})
    return {
        **found,
        **{key: hold for key, hold in work.memo.get("new_holds", {}).items() if hold.released_at is None},
    }


def hold_orders(work: UnitOfWork, commands: Sequence[HoldOrder]) -> list[Order]:
    """Stop orders by hand. What a released order had reserved stays reserved; its exposure goes until it is released again.

    Raises ``RuleBroken("hold_exists")`` for a kind that holds the order already.
    """
    seen = {c.order: c.seen_version for c in commands if c.seen_version is not None}
    orders = {order.id: order for order in lock_orders(work, [c.order for c in commands], seen=seen)}
    held = _open_holds(work, list(orders.values()))
    for command in commands:
        order = orders[command.order]
        work.actor.require("orders:hold:place", site=order.site_id)
        if (order.id, command.kind) in held:
            raise RuleBroken("hold_exists", field="kind", kind=command.kind, document=order.number)
        hold_without_saving(work, order, command.kind, reason=command.reason)
    save_orders(work, list(orders.values()))
    return list(orders.values())


def release_holds(work: UnitOfWork, commands: Sequence[ReleaseHold]) -> list[Order]:
    """End holds by authority; an order without any left is captured again and may be released.

    Raises ``NotAllowed("hold_own_request")`` for the person whose wish is held, ``RuleBroken("hold_ended")`` for one that
    somebody else was faster with.
    """
    wanted = {command.hold: command for command in commands}
    orders, holds = _locked(work, wanted)
    open_ = _open_holds(work, list(orders.values()))
    for key in sorted(wanted):
        hold, command = holds[key], wanted[key]
        order = orders[hold.order_id]
        if hold.released_at is not None:
            raise RuleBroken("hold_ended", hold=hold.id)
        work.actor.require(RELEASE, site=order.site_id)
        work.actor.require(hold.permission, site=order.site_id)
        if hold.asked_by is not None and hold.asked_by == work.actor.id:
            raise NotAllowed("hold_own_request", kind=hold.kind, document=order.number)
        _end(work, order, hold, open_, reason=command.reason, cured=False)
    save_orders(work, list(orders.values()))
    return list(orders.values())


def end_cured(work: UnitOfWork, order: Order, kinds: Mapping[HoldKind, str], *, cured: bool = True) -> bool:
    """End the order's open holds of these kinds, whose cause is gone; ``kinds`` maps each to what cured it.

    Not ``cured``: a person has decided what the hold asked, which is its reason then.
    True when none is left and the order is captured again. The order must be locked; the caller saves it.
    """
    open_ = _open_holds(work, [order])
    for kind, reason in kinds.items():
        hold = open_.get((order.id, kind))
        if hold is not None:
            _end(work, order, hold, open_, reason=reason, cured=cured)
    return not open_


def seen_hold_kinds(work: UnitOfWork, orders: Sequence[Order]) -> dict[int, set[str]]:
    """The kinds of open holds of each locked order that a rule found and can see cured; what a person doubts, a person settles."""
    out: dict[int, set[str]] = {order.id: set() for order in orders}
    for (order, kind), hold in _open_holds(work, orders).items():
        if set(orjson.loads(hold.facts)) - {"note"}:
            out[order].add(kind)
    return out


def _locked(work: UnitOfWork, wanted: Iterable[int]) -> tuple[dict[int, Order], dict[int, OrderHold]]:
    """The orders of the holds, locked first, then the holds, as they are now."""
    keys = sorted(wanted)
    query = select(OrderHold).where(OrderHold.id.in_(keys)).order_by(OrderHold.id)
    before = {hold.id: hold.order_id for hold in work.session.execute(query).scalars()}
    for key in keys:
        if key not in before:
            raise NotFound("hold_unknown", hold=key)
    orders = {order.id: order for order in lock_orders(work, before.values())}
    locked = work.session.execute(query.with_for_update(key_share=True), execution_options={"populate_existing": True})
    return orders, {hold.id: hold for hold in locked.scalars()}


def _end(
    work: UnitOfWork,
    order: Order,
    hold: OrderHold,
    open_: dict[tuple[int, str], OrderHold],
    *,
    reason: str,
    cured: bool,
) -> None:
    """End one open hold; the order is captured again when it was the last."""
    was = order.state
    target = ORDER.target("release_hold", was, reason=reason)
    del open_[order.id, hold.kind]
    if not any(key == order.id for key, _ in open_):
        order.state = target
    hold.released_at, hold.release_reason, hold.is_cured = work.now, reason, cured
    hold.released_by = work.actor.id
    hold.covers = None if cured else Facts.of(order).kept()
    facts = {"hold": hold.id, "kind": hold.kind, "cured": cured}
    record_move(work, "order", order.id, "release_hold", was, order.state, reason=reason, facts=facts)
    publish_order(work, order, OrderHoldReleased(hold=hold.id, kind=hold.kind, cured=cured), "release", work.now)

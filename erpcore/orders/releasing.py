"""May a captured order go to the warehouse? What stands in its way becomes a hold, never a refusal; what is cured lets it go."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from erpcore.credit.rules import Standing, looks_at_overdue, refusal
from erpcore.credit.services import lock_exposures, oldest_due
from erpcore.kernel.clock import local_day
from erpcore.kernel.history import record_move
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import CustomerFacts, customers, site_facts
from erpcore.orders.acceptance import accepted_kinds, held_for
from erpcore.orders.addressing import Finding, address_findings
from erpcore.orders.documents import Order
from erpcore.orders.exposure import count_exposure, releasable_value
from erpcore.orders.flow import ORDER
from erpcore.orders.holds import end_cured, hold_without_saving, seen_hold_kinds
from erpcore.orders.models import HoldKind, OrderState
from erpcore.orders.moving import admit_order, publish_order
from erpcore.orders.pricing import hold_for_price
from erpcore.orders.records import lock_orders, save_orders
from erpcore.ports import BY_PERMISSION, Authority, CellStates, ProcessRules
from erpcore.published import OrderReleased

#: Holds whose cause the system can see, so it also sees when it is gone.
CURABLE = (HoldKind.CREDIT, HoldKind.DATA, HoldKind.ADDRESS)


def release_orders(
    work: UnitOfWork,
    order_ids: Iterable[int],
    *,
    rules: ProcessRules,
    cells: CellStates,
    seen: dict[int, int] | None = None,
    at: Mapping[int, datetime] | None = None,
) -> list[Order]:
    """Release captured orders to the warehouse; one that its customer's credit or record does not bear is held instead.

    Exposure grows by the order's value. Returns the orders, released or held.
    """
    orders = lock_orders(work, order_ids, seen=seen)
    for order in orders:
        work.actor.require("orders:order:release", site=order.site_id)
        admit_order(work, cells, order)
        ORDER.target("release", order.state)
    look = _Look(work, orders, rules)
    accepted = accepted_kinds(work, orders)
    for order in orders:
        was, when = order.state, (at or {}).get(order.id, work.now)
        found = [finding for finding in look.findings(order) if finding[0] not in accepted[order.id]]
        for kind, reason, facts in found:
            hold_without_saving(work, order, kind, reason=reason, facts=facts, at=when)
        if found:
            continue
        order.state = ORDER.target("release", was)
        look.grant(order)
        record_move(work, "order", order.id, "release", was, order.state, at=when)
        publish_order(work, order, OrderReleased(), "release", when)
    save_orders(work, orders)
    return orders


def recheck_orders(
    work: UnitOfWork,
    orders: Sequence[Order],
    grown: Collection[int],
    moved: Collection[int] = (),
    *,
    rules: ProcessRules,
    authority: Authority = BY_PERMISSION,
) -> list[Order]:
    """Hold those of these changed, locked orders whose credit, addresses or entered prices nobody has let go as they stand now.

    Of released orders, by id, those that have ``grown`` are asked for all, those that were ``moved`` to another address for
    that alone; one that is not released yet is asked when it is.
    """
    accepted = accepted_kinds(work, orders)
    ask = [order for order in orders if order.state == OrderState.RELEASED and order.id in {*grown, *moved}]
    look = _Look(work, ask, rules) if ask else None
    priced = held_for(work, orders, HoldKind.PRICE)
    held = []
    for order in orders:
        if look is not None and order in ask:
            asked = look.findings(order) if order.id in grown else look.places(order)
            found = [finding for finding in asked if finding[0] not in accepted[order.id]]
            for kind, reason, facts in found:
                hold_without_saving(work, order, kind, reason=reason, facts=facts)
            held += [order] if found else []
        # Prices that came with an approved offer were never held, and stand while nothing is added to what was offered.
        if HoldKind.PRICE not in accepted[order.id] and order.id in {*grown, *priced}:
            hold_for_price(work, rules, order, order.lines, at=work.now, authority=authority)
    save_orders(work, held)
    return [order for order in orders if order.state == OrderState.HELD]


def release_findings(work: UnitOfWork, order: Order, *, rules: ProcessRules) -> list[Finding]:
    """What would hold this locked order if it were released now, and nobody has let go."""
    (kinds,) = accepted_kinds(work, [order]).values()
    return [finding for finding in _Look(work, [order], rules).findings(order) if finding[0] not in kinds]


def cure_orders(work: UnitOfWork, order_ids: Iterable[int], *, rules: ProcessRules, cells: CellStates) -> list[Order]:
    """End the holds whose cause is gone and release the orders that nothing holds any more.

    Returns the orders that nothing holds any more. Raises for one whose cell is closed, which could not go on.
    """
    orders = [order for order in lock_orders(work, order_ids) if order.state == OrderState.HELD]
    kinds = seen_hold_kinds(work, orders)
    orders = [order for order in orders if kinds[order.id] & set(CURABLE)]
    for order in orders:
        admit_order(work, cells, order)
    look = _Look(work, orders, rules)
    free, changed = [], []
    for order in orders:
        still = {finding[0] for finding in look.findings(order)}
        cured = {kind: _CURED[kind] for kind in CURABLE if kind in kinds[order.id] and kind not in still}
        if not cured:
            continue
        changed.append(order)
        if end_cured(work, order, cured):
            free.append(order)
            look.grant(order)
    save_orders(work, changed)
    # What a person released from hold by hand waits for that person; what cured itself was on its way already.
    return release_orders(work, [order.id for order in free], rules=rules, cells=cells) if free else []


_CURED = {
    HoldKind.CREDIT: "the customer's credit bears it again",
    HoldKind.DATA: "the customer's record is in order again",
    HoldKind.ADDRESS: "the goods have an address again",
}


class _Look:
    """What credit and master data say of the customers of some locked orders, as of one moment, under lock."""

    def __init__(self, work: UnitOfWork, orders: Sequence[Order], rules: ProcessRules) -> None:
        self._work = work
        self._rules = {order.id: rules.stored(work, order.ruleset) for order in orders}
        self._known: dict[int, CustomerFacts] = customers(work, {order.customer_id for order in orders})
        overdue = {order.customer_id for order in orders if looks_at_overdue(self._rules[order.id])}
        count_exposure(work)
        self._owed = lock_exposures(work, {order.customer_id: order.entity_id for order in orders})
        self._oldest = oldest_due(work, overdue) if overdue else {}
        self._places = address_findings(work, orders)

    def findings(self, order: Order) -> list[Finding]:
        """What stands in the way of this order's release."""
        customer = self._known[order.customer_id]
        out: list[Finding] = []
        if customer.is_blocked and self._work.source != "import":
            out.append((HoldKind.DATA, "the customer is blocked", {"customer": customer.id}))
        out += self.places(order)
        owed = self._owed[customer.id]
        if order.state == OrderState.RELEASED:
            owed -= releasable_value(order)
        standing = Standing(limit=customer.credit_limit_minor, owed=owed, oldest=self._oldest.get(customer.id))
        today = local_day(self._work.now, site_facts(self._work, order.site_id).time_zone)
        said = refusal(self._rules[order.id], standing, releasable_value(order), today)
        if said is not None:
            out.append((HoldKind.CREDIT, *said))
        return out

    def places(self, order: Order) -> list[Finding]:
        """What of its addresses stands in the way of this order's release."""
        return self._places.get(order.id, [])

    def grant(self, order: Order) -> None:
        """Count the order in for those that follow."""
        self._owed[order.customer_id] += releasable_value(order)

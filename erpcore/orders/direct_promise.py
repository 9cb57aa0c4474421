"""For which day is a line promised that a supplier sends straight? By its lead time first, by its own word later."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from erpcore.kernel.clock import day_end, local_day
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import site_facts
from erpcore.masterdata.suppliers import Offer, offers
from erpcore.orders.availability import PromiseReason
from erpcore.orders.documents import Line, Order
from erpcore.orders.models import LineKind


def direct_offer(found: Sequence[Offer], line: Line) -> Offer | None:
    """Whom to ask: the supplier whose works the line leaves from, else the first that sends straight."""
    direct = [offer for offer in found if offer.supplier.ships_direct]
    own = [offer for offer in direct if offer.supplier.site_id == line.site_id]
    return next(iter(own or direct), None)


def promise_direct(work: UnitOfWork, order: Order, line: Line, ships_on: date) -> bool:
    """Promise a line the day on which its supplier sends it, a delivery day by the way it takes; says whether that is new."""
    day = ships_on
    if line.basis == "delivery":
        day += timedelta(days=max(0, (line.requested_on - line.requested_ship_on).days))
    if (line.promised_on, line.promise_reason) == (day, PromiseReason.DROP_SHIP):
        return False
    line.promised_on, line.promise_reason = day, PromiseReason.DROP_SHIP
    line.promised_due_at = day_end(day, site_facts(work, order.site_id).time_zone)
    return True


def promise_direct_lines(work: UnitOfWork, lines: Sequence[tuple[Order, Line]]) -> None:
    """First promise of drop-ship lines: what the supplier's lead time allows, never before the committed or wished day.

    A line whose item no supplier sends straight keeps the committed day.
    """
    direct = [(order, line) for order, line in lines if line.kind == LineKind.DROP_SHIP]
    if not direct:
        return
    known = offers(work, {line.item_id for _, line in direct})
    for order, line in direct:
        offer = direct_offer(known.get(line.item_id, ()), line)
        if offer is None:
            continue
        today = local_day(work.now, site_facts(work, line.site_id).time_zone)
        promise_direct(work, order, line, today + timedelta(days=offer.lead_days))
        line.promised_on = max(line.promised_on, line.floor)
        line.promised_due_at = day_end(line.promised_on, site_facts(work, order.site_id).time_zone)
        line.first_promised_on = line.promised_on

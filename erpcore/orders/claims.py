"""Who wants scarce stock at a place, and what ranks them? The claims that allocation and its runs share stock among."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import or_, select

from erpcore.inventory.balances import Place
from erpcore.inventory.models import Reservation
from erpcore.kernel.rows import chunks, raw, raw_columns
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.models import Customer
from erpcore.masterdata.queries import channel_priorities, customers, items
from erpcore.masterdata.units import step_of
from erpcore.orders.allocation_models import StockProtection
from erpcore.orders.documents import Line, Order
from erpcore.orders.models import OrderLine, OrderState, SalesOrder
from erpcore.orders.ranking import AllocationRule, Claim
from erpcore.ports import ProcessRules

#: Priority of a channel that is not known.
MIDDLE = 5


def claim_of(
    work: UnitOfWork, rules: ProcessRules, order: Order, line: Line, *, since: datetime, moved: int | None = None
) -> Claim:
    """What an order line still wants, ranked by its order's channel and its customer's tier."""
    ruleset = rules.stored(work, line.ruleset or order.ruleset)
    return Claim(
        line=line.id, order=order.id, customer=order.customer_id, wanted=line.unallocated, since=since,
        priority=channel_priorities(work).get(order.channel_id, MIDDLE),
        tier=customers(work, [order.customer_id])[order.customer_id].tier,
        whole=not rules.stored(work, order.ruleset)["partial_shipment"], promised=line.promised_on, moved=moved,
        rule=ruleset["allocation_rule"],
    )  # fmt: skip


def waiting_claims(
    work: UnitOfWork, rules: ProcessRules, site: int, wanted: Iterable[int] | None = None, *, but: Iterable[int] = ()
) -> dict[Place, list[Claim]]:
    """Backordered lines of released orders that wait at a site, by place; ``wanted`` items only, without the lines ``but``.

    An order that is held, or whose stock was never asked for, has no claim: it would keep others from stock it cannot use.
    """
    base = (
        select(
            *raw_columns(Reservation, "order_line_id", "item_id", "unmet", "since"),
            *raw_columns(OrderLine, "order_id", "promised_on"), OrderLine.ruleset.label("line_rules"),
            *raw_columns(SalesOrder, "customer_id", "channel_id", "ruleset"), SalesOrder.site_id.label("seller"), raw(Customer.__table__.c.group_id),
            raw(Customer.__table__.c.tier),
        )
        .join(OrderLine, OrderLine.id == Reservation.order_line_id)
        .join(SalesOrder, SalesOrder.id == OrderLine.order_id)
        .join(Customer, Customer.id == SalesOrder.customer_id)
        .where(
            Reservation.site_id == site, Reservation.unmet > 0, SalesOrder.state == OrderState.RELEASED,
            OrderLine.backordered_at.is_not(None),
        )
    )  # fmt: skip
    if wanted is None:
        rows: list[Any] = list(work.session.execute(base))
    else:
        rows = [
            row
            for part in chunks(sorted(set(wanted)))
            for row in work.session.execute(base.where(Reservation.item_id.in_(part)))
        ]
    left_out = set(but)
    priorities = channel_priorities(work)
    found: dict[Place, list[Claim]] = defaultdict(list)
    for row in rows:
        if row.order_line_id in left_out:
            continue
        found[site, row.item_id].append(
            Claim(
                line=row.order_line_id, order=row.order_id, customer=row.customer_id, wanted=row.unmet, since=row.since,
                priority=priorities.get(row.channel_id, MIDDLE), tier=row.tier,
                whole=not rules.stored(work, row.ruleset)["partial_shipment"], promised=row.promised_on,
                rule=rules.stored(work, row.line_rules or row.ruleset)["allocation_rule"],
                cell=(row.seller, row.channel_id, row.group_id),
            )
        )  # fmt: skip
    return dict(found)


def kept_by_contract(work: UnitOfWork, places: Iterable[Place], on: date) -> dict[Place, dict[int, int]]:
    """What is still to be kept for each customer at places with protections: the protected quantity less what it holds."""
    found = protected_by_contract(work, places, on)
    if found:
        _less_what_they_hold(work, found)
    return found


def protected_by_contract(work: UnitOfWork, places: Iterable[Place], on: date) -> dict[Place, dict[int, int]]:
    """What each customer is promised to be kept on a day, at places with protections."""
    by_site: dict[int, list[int]] = defaultdict(list)
    for site, item in sorted(places):
        by_site[site].append(item)
    found: dict[Place, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for site, wanted in by_site.items():
        for part in chunks(wanted):
            query = select(*raw_columns(StockProtection, "item_id", "customer_id", "quantity")).where(
                StockProtection.site_id == site, StockProtection.item_id.in_(part), StockProtection.valid_from <= on,
                or_(StockProtection.valid_until.is_(None), StockProtection.valid_until > on),
            )  # fmt: skip
            for row in work.session.execute(query):
                found[site, row.item_id][row.customer_id] += row.quantity
    return {place: dict(kept) for place, kept in found.items()}


def _less_what_they_hold(work: UnitOfWork, found: Mapping[Place, dict[int, int]]) -> None:
    held = Reservation.quantity - Reservation.consumed - Reservation.freed
    for site in {place[0] for place in found}:
        wanted = [item for other, item in found if other == site]
        for part in chunks(sorted(wanted)):
            query = (
                select(
                    *raw_columns(Reservation, "item_id", "quantity", "consumed", "freed"),
                    *raw_columns(SalesOrder, "customer_id"),
                )
                .join(OrderLine, OrderLine.id == Reservation.order_line_id)
                .join(SalesOrder, SalesOrder.id == OrderLine.order_id)
                .where(Reservation.site_id == site, Reservation.item_id.in_(part), held > 0)
            )
            for row in work.session.execute(query):
                kept = found[site, row.item_id]
                if row.customer_id in kept:
                    kept[row.customer_id] = max(0, kept[row.customer_id] - (row.quantity - row.consumed - row.freed))


def steps_of(work: UnitOfWork, places: Iterable[Place]) -> dict[Place, int]:
    """The smallest quantity in which each place's item is counted, in thousandths."""
    wanted = list(places)
    known = items(work, {item for _, item in wanted})
    return {place: step_of(known[place[1]].quantity_places) for place in wanted}


def protects(rules: Mapping[Place, str]) -> list[Place]:
    """The places whose rule protects contracts."""
    return [place for place, rule in rules.items() if rule == AllocationRule.CONTRACT_PROTECTION]


def whole_orders_short(claims: Mapping[Place, Sequence[Claim]], open_lines: Mapping[int, Iterable[int]]) -> set[int]:
    """Orders that leave whole of which a line still open is not among these claims: they cannot be covered here."""
    there: dict[int, set[int]] = defaultdict(set)
    whole: set[int] = set()
    for group in claims.values():
        for claim in group:
            there[claim.order].add(claim.line)
            if claim.whole:
                whole.add(claim.order)
    return {order for order in whole if not set(open_lines.get(order, ())) <= there[order]}

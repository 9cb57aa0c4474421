"""What is replayed, and what did both sides start from? Recent orders of a scope, and stock, receipts and debts as they were then."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from erpcore.kernel.model import PRICE_PLACES, QUANTITY_PLACES
from erpcore.kernel.rows import chunks, raw_columns
from erpcore.masterdata.models import ChargeTerms, Customer, Entity, Item, Realm, Site
from erpcore.orders.acceptance import ENTERED
from erpcore.orders.commands import CaptureOrder, NewLine
from erpcore.orders.documents import Line, Order
from erpcore.orders.duplicates import DUPLICATE
from erpcore.orders.exposure import parts_of
from erpcore.orders.models import LineKind, OrderLine, OrderState, SalesOrder
from erpcore.orders.pricing import LinePrice
from erpcore.orders.records import LINE_COLUMNS, ORDER_COLUMNS
from governance.variants.register import Scope

#: Why a warning is accepted that somebody accepted when the order was really taken, or would have.
_ACCEPTED = "it was taken"


@dataclass(frozen=True)
class Replayed:
    """An order as it came in: when, by which number, and what was asked for."""

    at: datetime
    number: str
    command: CaptureOrder


@dataclass
class Inputs:
    """The orders, the earliest first, and all that they touch."""

    orders: list[Replayed]
    entities: frozenset[int]
    sites: frozenset[int]
    sellers: frozenset[int]
    customers: frozenset[int]
    items: frozenset[int]
    lines: frozenset[int]
    #: What of the real customers' exposure these orders are today, [shipped, released] by customer.
    counted: dict[int, list[int]] = field(default_factory=dict)

    @property
    def ids(self) -> list[int]:
        return [one.command.id or 0 for one in self.orders]


def in_scope(scope: Scope, since: datetime, until: datetime) -> Select[Any]:
    """The ids of the live orders of a scope that were captured in the period, whatever became of them; cancelled ones are left out."""
    query = (
        select(SalesOrder.id)
        .join(Entity, Entity.id == SalesOrder.entity_id)
        .join(Customer, Customer.id == SalesOrder.customer_id)
        .where(
            Entity.realm == Realm.LIVE, SalesOrder.captured_at >= since, SalesOrder.captured_at < until,
            SalesOrder.state != OrderState.CANCELLED,
        )
    )  # fmt: skip
    for column, part in (
        (SalesOrder.entity_id, scope.entity), (SalesOrder.site_id, scope.site), (SalesOrder.channel_id, scope.channel),
        (Customer.group_id, scope.customer_group),
    ):  # fmt: skip
        if part is not None:
            query = query.where(column == part)
    if scope.item_group is not None:
        of_group = (
            select(OrderLine.id)
            .join(Item, Item.id == OrderLine.item_id)
            .where(OrderLine.order_id == SalesOrder.id, Item.group_id == scope.item_group)
        )
        query = query.where(of_group.exists())
    return query


def read_inputs(session: Session, scope: Scope, since: datetime, until: datetime, most: int) -> Inputs:
    """The newest orders of the scope, at most so many, with everything that is known of them."""
    newest = in_scope(scope, since, until).order_by(SalesOrder.captured_at.desc(), SalesOrder.id.desc()).limit(most)
    wanted = list(session.scalars(newest))
    orders: list[Replayed] = []
    found = Inputs(orders, frozenset(), frozenset(), frozenset(), frozenset(), frozenset(), frozenset())
    lines, items, counted = set(), set(), found.counted
    entities, sellers, buyers, shippers = set(), set(), set(), set()
    charges = {row.entity_id: row.item_id for row in session.execute(_RUSH_CHARGES)}
    for order in _orders(session, wanted):
        entities.add(order.entity_id)
        sellers.add(order.site_id)
        buyers.add(order.customer_id)
        shippers |= {line.site_id for line in order.lines}
        lines |= {line.id for line in order.lines}
        items |= {line.item_id for line in order.lines}
        _count(counted, order)
        orders.append(Replayed(order.captured_at, order.number, command_of(order, charges.get(order.entity_id))))
    orders.sort(key=lambda one: (one.at, one.command.id))
    own = session.scalars(select(Site.id).where(Site.entity_id.in_(sorted(entities))))
    found.entities, found.sellers, found.customers = frozenset(entities), frozenset(sellers), frozenset(buyers)
    found.sites, found.lines = frozenset({*own, *shippers}), frozenset(lines)
    found.items = frozenset(items | {charges[key] for key in entities if key in charges})
    return found


_RUSH_CHARGES = select(ChargeTerms.entity_id, ChargeTerms.item_id).where(ChargeTerms.is_rush)


def _orders(session: Session, wanted: Sequence[int]) -> Iterator[Order]:
    for part in chunks(sorted(wanted)):
        held: dict[int, Order] = {}
        query = select(*raw_columns(SalesOrder, *ORDER_COLUMNS)).where(SalesOrder.id.in_(part))
        for row in session.execute(query):
            held[row.id] = Order(*row, lines=[])
        query = select(*raw_columns(OrderLine, *LINE_COLUMNS)).where(OrderLine.order_id.in_(part))
        for row in session.execute(query.order_by(OrderLine.order_id, OrderLine.line_no)):
            held[row.order_id].lines.append(Line(*row))
        yield from held.values()


def _count(counted: dict[int, list[int]], order: Order) -> None:
    shipped, released = parts_of(order)
    if shipped or released:
        both = counted.setdefault(order.customer_id, [0, 0])
        both[0] += shipped
        both[1] += released


def command_of(order: Order, rush_charge: int | None) -> CaptureOrder:
    """The order as it was asked for, before anything was made of it: no substitutes, and no charge that a rule added."""
    is_rush = any(line.is_rush for line in order.lines)
    return CaptureOrder(
        site=order.site_id, channel=order.channel_id, customer=order.customer_id, id=order.id,
        lines=[
            _asked(line)
            for line in order.lines
            if line.replaces_id is None and not (is_rush and line.item_id == rush_charge)
        ],
        customer_reference=order.customer_reference, currency=order.currency, ship_country=order.ship_country,
        ship_to=order.ship_to_id, accepted={DUPLICATE: _ACCEPTED},
    )  # fmt: skip


def _asked(line: Line) -> NewLine:
    """What was asked for with this line. A price that somebody entered is entered again, one that a rule gave is asked of the
    rules again, and one that a document stated stands.
    """
    entered = line.price_source == ENTERED
    stated = not entered and line.price_rule_id is None
    wish = line.requested_on != line.committed_on
    return NewLine(
        item=line.item_id, quantity=Decimal(line.quantity).scaleb(-QUANTITY_PLACES),
        unit_price=Decimal(line.unit_price).scaleb(-PRICE_PLACES) if entered else None,
        price_reason=(line.price_reason or _ACCEPTED) if entered else None,
        amount=Decimal(line.amount).scaleb(-PRICE_PLACES) if stated else None,
        requested_on=line.requested_on if wish else None, basis=line.basis if wish else None,
        drop_ship=line.kind == LineKind.DROP_SHIP, ship_to=line.ship_to_id, rush=line.is_rush,
        quoted=LinePrice(line.unit_price, line.price_source, line.unit_cost) if stated else None,
    )  # fmt: skip


def said_of(orders: Iterable[Replayed]) -> Iterator[Any]:
    """What of the orders goes into the hash of the inputs."""
    for one in orders:
        c = one.command
        yield [
            c.id, one.at, c.site, c.channel, c.customer, c.ship_to,
            [[n.item, n.quantity, n.unit_price, n.requested_on, n.rush, n.quoted and n.quoted.unit_price] for n in c.lines],
        ]  # fmt: skip

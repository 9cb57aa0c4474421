"""What margin do the orders of a scope leave at their prices, and how sure is that? Of the newest orders of each side, never of all."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from erpcore.kernel.clock import day_start
from erpcore.kernel.money import places
from erpcore.masterdata.models import Customer
from erpcore.orders.models import OrderLine, SalesOrder
from readiness.measures.intervals import Sums, mean_sample, total
from readiness.measures.reading import Direction, Form, Reading, Unit, Window, WindowUnit, ratio
from readiness.measures.scopes import Scope

#: So the figure is called, which no measure of the catalogue is.
MARGIN = "order_margin"
#: The newest so many orders of a scope are looked through for those of a side, and so many of these are weighed.
MOST_LOOKED, MOST_WEIGHED = 20_000, 500


def newest_orders(scope: Scope, start: date, end: date, zone: str, *, most: int) -> Select[Any]:
    """The newest orders of a scope that were captured on these days: bounded in what is looked through and in what is found."""
    query = (
        select(
            SalesOrder.id, SalesOrder.number, SalesOrder.site_id, SalesOrder.currency, SalesOrder.captured_at, SalesOrder.state,
            SalesOrder.value_minor, SalesOrder.variants,
        )
        .where(SalesOrder.captured_at >= day_start(start, zone), SalesOrder.captured_at < day_start(end, zone))
        .order_by(SalesOrder.captured_at.desc(), SalesOrder.id.desc())
        .limit(MOST_LOOKED)
    )  # fmt: skip
    for column, wanted in ((SalesOrder.site_id, scope.sites), (SalesOrder.channel_id, scope.channels)):
        if wanted:
            query = query.where(column.in_(sorted(wanted)))
    if scope.customer_group is not None:
        group = select(Customer.id).where(Customer.group_id == scope.customer_group)
        query = query.where(SalesOrder.customer_id.in_(group))
    looked = query.subquery()
    return (
        select(looked)
        .where(looked.c.variants.in_(sorted(scope.classes or ())))
        .order_by(looked.c.captured_at.desc(), looked.c.id.desc())
        .limit(most)
    )


def newest_by_side(
    session: Session, scopes: Sequence[Scope], spans: Sequence[tuple[date, date]], zone: str
) -> list[Sequence[Any]]:
    """The newest orders of each side, as many as are weighed. A query each."""
    return [
        session.execute(newest_orders(scope, start, end, zone, most=MOST_WEIGHED)).all()
        for scope, (start, end) in zip(scopes, spans, strict=True)
    ]


def margins(
    session: Session, found: Sequence[Sequence[Any]], spans: Sequence[tuple[date, date]], now: datetime
) -> list[Reading]:
    """(Price − cost) ÷ price of lines of these orders whose cost was known when they were priced, by side. One query.

    Sides are held against each other in one currency, that of most orders of the first. An order has its margin as it was
    priced: what is credited or returned later does not change it.
    """
    currencies = Counter(row.currency for row in found[0]) or Counter(row.currency for side in found for row in side)
    currency = min(currencies, key=lambda one: (-currencies[one], one), default="EUR")
    orders = [[row for row in rows if row.currency == currency] for rows in found]
    worth = _worth(session, {row.id for rows in orders for row in rows}, currency)
    return [_reading(rows, worth, currency, span, now) for rows, span in zip(orders, spans, strict=True)]


def _worth(session: Session, orders: Collection[int], currency: str) -> dict[int, tuple[int, int]]:
    """By order what its lines leave over their cost, and what they come to, in minor units; a line is rounded once."""
    worth: dict[int, tuple[int, int]] = {}
    query = select(OrderLine.order_id, OrderLine.quantity, OrderLine.value_minor, OrderLine.unit_cost).where(
        OrderLine.order_id.in_(sorted(orders)), OrderLine.unit_cost.is_not(None), OrderLine.replaces_id.is_(None)
    )
    for row in session.execute(query):
        cost = (row.quantity * row.unit_cost).scaleb(places(currency)).to_integral_value(ROUND_HALF_EVEN)
        x, y = worth.get(row.order_id, (0, 0))
        worth[row.order_id] = x + row.value_minor - int(cost), y + row.value_minor
    return worth


def _reading(
    orders: Sequence[Any],
    worth: Mapping[int, tuple[int, int]],
    currency: str,
    span: tuple[date, date],
    now: datetime,
) -> Reading:
    days = {row.id: row.captured_at.date() for row in orders}
    by_day: dict[date, list[Sums]] = defaultdict(list)
    for order, day in days.items():
        x, y = worth.get(order, (0, 0))
        if y > 0:
            by_day[day].append(Sums(1, x, y, x * x, x * y, y * y))
    sums = [total(by_day[day]) for day in sorted(by_day)]
    whole = total(sums)
    return Reading(
        measure=MARGIN, unit=Unit.PERCENT, direction=Direction.UP, form=Form.MEAN, realm="live", scope=currency,
        window=Window(WindowUnit.DAY, *span), as_of=now, value=ratio(whole.x, whole.y), numerator=whole.x,
        denominator=whole.y, count=whole.n, days=len(sums), sample=mean_sample(sums) if whole.y else None,
    )  # fmt: skip

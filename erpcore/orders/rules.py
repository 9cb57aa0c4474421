"""Pure decisions about orders: dates, line kinds, what a line is worth."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import NamedTuple

from erpcore.kernel.clock import day_start, zone
from erpcore.kernel.money import scaled_amount
from erpcore.masterdata.models import ItemKind
from erpcore.masterdata.queries import Commitment
from erpcore.orders.documents import Line, Order
from erpcore.orders.models import LineKind

_SATURDAY = 5


class LineDates(NamedTuple):
    """The four dates of a line at capture, and where its clock starts."""

    requested: date
    requested_ship: date
    committed: date
    basis: str
    start: datetime


def add_working_days(day: date, count: int) -> date:
    """``day`` plus so many days from Monday to Friday; 0 gives the day itself."""
    while count > 0:
        day += timedelta(days=1)
        if day.weekday() < _SATURDAY:
            count -= 1
    return day


def next_served(day: date, weekdays: int | None) -> date:
    """``day``, or the next after it that falls on one of the weekdays (as bits, Monday 1)."""
    while weekdays and not weekdays & 1 << day.weekday():
        day += timedelta(days=1)
    return day


def line_dates(
    captured: datetime, time_zone: str, terms: Commitment, requested: date | None, basis: str | None
) -> LineDates:
    """Requested, committed and start of a line captured now under these terms.

    The committed day counts from the order's day, or the next after the cut-off; a delivery day adds the transit; it falls on
    a day on which the commitment ships or delivers. Without a wish the committed day is the requested one. Start =
    max(captured, requested ship − committed lead time).
    """
    local = captured.astimezone(zone(time_zone))
    day = local.date()
    after_cut_off = terms.cut_off is not None and local.time().replace(tzinfo=None) > terms.cut_off
    ship = add_working_days(day, terms.lead_days + (1 if after_cut_off else 0))
    committed = ship if terms.basis == "ship" else ship + timedelta(days=terms.transit_days)
    committed = next_served(committed, terms.weekdays)
    asked_basis = basis or terms.basis
    if requested is None:
        requested, asked_basis = committed, terms.basis
    requested_ship = requested if asked_basis == "ship" else requested - timedelta(days=terms.transit_days)
    begins = requested_ship - timedelta(days=terms.lead_days)
    start = captured if begins <= day else max(captured, day_start(begins, time_zone))
    return LineDates(requested, requested_ship, committed, asked_basis, start)


def rush_day(dates: LineDates, today: date) -> date:
    """The day for which a rush line is promised where nothing stands in its way: the wish, or the first on which it can be there."""
    first = today + (dates.requested - dates.requested_ship)
    return first if dates.requested == dates.committed else max(first, dates.requested)


def line_kind(item_kind: str, unit_price: int, amount: int, *, drop_ship: bool) -> LineKind:
    """What kind of line this is; goods at price zero are free lines."""
    if item_kind == ItemKind.CHARGE:
        return LineKind.CHARGE
    if item_kind == ItemKind.SERVICE:
        return LineKind.SERVICE
    if drop_ship:
        return LineKind.DROP_SHIP
    return LineKind.FREE if unit_price == 0 and amount == 0 else LineKind.STOCK


def value_of(line: Line, quantity: int, currency: str) -> int:
    """What so much of the line is worth at its price, in minor units; the whole line gives its whole value."""
    if quantity == line.quantity:
        return line.value_minor
    return scaled_amount(quantity, line.unit_price, currency)


def uninvoiced_value(line: Line, currency: str) -> int:
    """The part of a line that credit still counts as order, in minor units."""
    return value_of(line, line.quantity + line.extra - line.cancelled - line.invoiced, currency)


def is_sent(line: Line) -> bool:
    """Whether goods of the line have still to go to an address."""
    return line.open > 0 and (line.has_stock or line.kind == "drop_ship")


def destinations(order: Order) -> set[int | None]:
    """The addresses by id to which goods of the order have still to go; ``None`` for a line without one."""
    return {line.ship_to_id or order.ship_to_id for line in order.lines if is_sent(line)}

"""What is asked for when an order is taken: its head and its lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from erpcore.orders.pricing import LinePrice


@dataclass(frozen=True, kw_only=True, slots=True)
class NewLine:
    """One line as asked for. Without ``unit_price`` the price rules decide; another one than theirs needs ``price_reason``.

    ``amount`` is the line's total where the source states one; ``promised_on`` the promised day where it does. ``unit``: the
    code of a pack that the quantity is in (the price stays one of the item's own unit). ``quoted``: the price that a quote
    holds, whatever the rules say today. ``ship_to``: an address of the customer's; ``None``: the order's. ``rush``: asked to be
    served before the lead time. ``is_rush_charge``: added by the rule for what a rush costs, so that nobody typed it.
    """

    item: int
    quantity: Decimal
    unit_price: Decimal | None = None
    amount: Decimal | None = None
    price_reason: str | None = None
    requested_on: date | None = None
    basis: str | None = None
    promised_on: date | None = None
    drop_ship: bool = False
    unit: str | None = None
    ship_to: int | None = None
    quoted: LinePrice | None = None
    rush: bool = False
    is_rush_charge: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class CaptureOrder:
    """An order as it arrived. ``at`` is when, for imports and back-entries only; ``number`` the source's own.

    ``accepted`` are warnings that the person has seen, by code, each with the reason for going on. ``id``: the key that a quote
    has reserved for its order. ``ship_to``: an address of the customer's; ``None``: the usual one.
    ``rush``: all of its goods are asked as such.
    """

    site: int
    channel: int
    customer: int
    lines: Sequence[NewLine]
    number: str | None = None
    customer_reference: str | None = None
    ship_country: str | None = None
    currency: str | None = None
    requested_on: date | None = None
    ship_to: int | None = None
    at: datetime | None = None
    accepted: Mapping[str, str] = field(default_factory=dict)
    id: int | None = None
    rush: bool = False

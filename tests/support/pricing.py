"""Builders: price rules, and people who enter and approve prices."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from erpcore.kernel.actor import Actor
from erpcore.orders.services import NewLine
from erpcore.pricing.newprice import NewPrice
from erpcore.pricing.rules import PERMISSIONS, Authority
from erpcore.pricing.services import add_prices

CHANGES = Actor(id=81, role="data_owner", permissions=frozenset({"pricing:rule:change"}))
DESK = Actor(
    id=82, role="customer_service",
    permissions=frozenset({"orders:order:capture", "orders:price:override", "orders:order:release"}),
)  # fmt: skip
LEAD = Actor(
    id=83, role="site_lead",
    permissions=frozenset({
        *DESK.permissions, "orders:hold:release", PERMISSIONS[Authority.DESK], PERMISSIONS[Authority.SITE_LEAD],
    }),
)  # fmt: skip
OWNER = Actor(
    id=84, role="process_owner", permissions=frozenset({"orders:hold:release", *PERMISSIONS.values()})
)  # fmt: skip


def a_price(business, price="9.00", **changes):
    """A rule for the first item from the day of the business on; a contract of its customer unless the scope is changed."""
    return NewPrice(
        **{
            "entity": business.entity, "item": business.items[0], "currency": "EUR", "valid_from": date(2026, 3, 2),
            "unit_price": None if price is None else Decimal(price), **changes,
        }
    )  # fmt: skip


def save(business, *prices, by=CHANGES):
    """The ids of the rules, saved in one unit of work."""
    with business.work(by) as work:
        return add_prices(work, prices)


def an_entered(business, price, quantity=10, *, item=0, reason="agreed by telephone"):
    """A line at a price that somebody types."""
    return NewLine(
        item=business.items[item], quantity=Decimal(quantity), unit_price=Decimal(price), price_reason=reason
    )

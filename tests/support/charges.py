"""Charges and services of a business: declared, priced, ordered."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from erpcore.masterdata.charges import DeclareCharge, declare_charges
from erpcore.orders.services import NewLine
from erpcore.pricing.newprice import NewPrice
from erpcore.pricing.services import add_prices


def a_charge(business, code="FREIGHT", *, price="7.50", **terms):
    """A charge with a list price (without one where ``price`` is ``None``); its item."""
    with business.work() as work:
        command = DeclareCharge(**{"entity": business.entity, "code": code, "name": code.capitalize(), **terms})
        (item,) = declare_charges(work, [command])
        if price is not None:
            new = NewPrice(
                entity=business.entity,
                item=item,
                unit_price=Decimal(price),
                currency="EUR",
                valid_from=date(2020, 1, 1),
            )
            add_prices(work, [new])
    return item


def with_charges(business, *charges, goods=((0, 10),)):
    """Lines of goods, then one of each charge."""
    lines = [NewLine(item=business.items[item], quantity=Decimal(quantity)) for item, quantity in goods]
    return {"lines": [*lines, *(NewLine(item=item, quantity=Decimal(1)) for item in charges)]}

"""Builders: suppliers with what they ask, purchase orders, and what the books say of them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from sqlalchemy import text

from app.composition.uow import reading
from erpcore.inventory.receiving import ReceivedLine, ReceiveGoods
from erpcore.kernel.actor import Actor
from erpcore.masterdata.suppliers import NewSupplier, OfferItem, add_suppliers, offer_items
from erpcore.purchasing.receiving import receive_purchased
from erpcore.purchasing.services import (
    ConfirmedLine,
    ConfirmPurchase,
    PlacePurchase,
    WantedLine,
    confirm_purchases,
    place_purchases,
)
from tests.support.core import OPEN, RULES
from tests.support.warehouse import TODAY

BUYING = frozenset(
    {"purchasing:order:place", "purchasing:order:confirm", "purchasing:order:end", "warehouse:stock:receive"}
)
BUYER = Actor(id=201, role="buyer", permissions=BUYING, sites=None)


def a_supplier(business, code="ROHR", *, prices=(("3.50", 0),), **changes):
    """A supplier with a price for items by their position; returns its id."""
    with business.work() as work:
        (key,) = add_suppliers(
            work,
            [
                NewSupplier(
                    **{
                        "entity": business.entity, "code": code, "name": f"{code.title()}werk AG", "country": "Germany",
                        "lead_days": 5, **changes,
                    }
                )
            ],
        )  # fmt: skip
        offer_items(
            work,
            [OfferItem(supplier=key, item=business.items[item], price=Decimal(price)) for price, item in prices],
        )
    return key


def ordered(business, supplier, lines=((0, 20),), *, actor=BUYER, site=None, **changes):
    """A purchase order of (item position, quantity) lines."""
    wanted = [WantedLine(item=business.items[item], quantity=Decimal(quantity), **changes) for item, quantity in lines]
    with business.work(actor) as work:
        command = PlacePurchase(site=site or business.site, supplier=supplier, lines=wanted)
        (purchase,) = place_purchases(work, [command], rules=RULES, cells=OPEN)
    return purchase


def confirmed(business, purchase, days, quantity=None, *, line=0, reference="AB 9", **changes):
    """The supplier's word on one line: so many days from today."""
    said = ConfirmedLine(
        line=purchase.lines[line].id, on=TODAY + timedelta(days=days),
        quantity=None if quantity is None else Decimal(quantity),
    )  # fmt: skip
    with business.work(BUYER) as work:
        command = ConfirmPurchase(purchase=purchase.id, lines=[said], reference=reference, **changes)
        (row,) = confirm_purchases(work, [command])
    return row


def took_in(business, purchase, quantity, *, line=0, item=0, actor=BUYER, **changes):
    """Goods that came against one line of a purchase order."""
    came = ReceivedLine(
        item=business.items[item],
        quantity=Decimal(quantity),
        expected=expected_of(business, purchase, line).id,
        **changes,
    )
    with business.work(actor) as work:
        goods = ReceiveGoods(site=purchase.site_id, paper="DN 771", lines=[came])
        return receive_purchased(work, goods, rules=RULES, cells=OPEN)


def expected_of(business, purchase, line=0):
    """What is expected of a line."""
    return row(business, "SELECT * FROM expected_receipt WHERE line_id = :key", key=purchase.lines[line].id)


def row(business, sql, **params):
    """One row."""
    with reading(business.database) as session:
        return session.execute(text(sql), params).one()


def column(business, sql, **params):
    """The first column of all rows."""
    with reading(business.database) as session:
        return list(session.execute(text(sql), params).scalars())


def head(business, purchase):
    """The purchase order as stored."""
    return row(business, "SELECT * FROM purchase_order WHERE id = :key", key=purchase.id)


def lines_of(business, purchase):
    """(quantity, received, cancelled) of the lines, in whole units."""
    with reading(business.database) as session:
        rows = session.execute(
            text(
                "SELECT quantity, received, cancelled FROM purchase_order_line WHERE purchase_id = :key ORDER BY line_no"
            ),
            {"key": purchase.id},
        ).all()
    return [tuple(int(value) // 1000 for value in one) for one in rows]

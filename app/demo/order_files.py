"""A file of orders in the demo: a counter hands in what came by mail, two orders are entered, one names an item that nobody knows."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

from sqlalchemy import select

from app.composition.orderfiles import BadRows, Outcome
from app.composition.uow import reading
from app.demo.desk import Desk
from app.importers.orderfiles import EnterOrders, enter_orders, hand_in, plan_of
from app.importers.ordersheets import COLUMNS, read_orders
from erpcore.inventory.models import StockBalance
from erpcore.kernel.model import QUANTITY_PLACES
from erpcore.masterdata.models import Channel, Customer, Item, Realm

_SITE = "KOL"
#: Ten pieces: differences of quantities are thousandths.
_TEN = 10 * 10**QUANTITY_PLACES


def hand_orders_in(desk: Desk) -> None:
    """Hand in three orders of a customer, one a rush, and enter the good ones; the other stays with its reason."""
    node, who = desk.world.nodes[Realm.LIVE.value, _SITE], desk.staff.at(_SITE, "desk")
    with reading(desk.database) as session:
        goods = session.scalars(
            select(Item.code)
            .join(StockBalance, StockBalance.item_id == Item.id)
            .where(
                StockBalance.site_id == node.id,
                StockBalance.on_hand - StockBalance.reserved - StockBalance.blocked > _TEN,
            )
            .order_by(Item.id)
            .limit(2)
        ).all()
        buyer = session.scalar(
            select(Customer.code)
            .where(Customer.entity_id == node.entity, Customer.is_unknown.is_(False), Customer.is_blocked.is_(False))
            .order_by(Customer.id)
            .limit(1)
        )
        channel = session.scalar(select(Channel.code).where(Channel.id == desk.world.channels["branch"]))
    if len(goods) < 2 or buyer is None or channel is None:
        return
    head = {"site": _SITE, "channel": channel, "customer": buyer}
    later = desk.clock.now().date() + timedelta(days=10)
    rows = (
        {"order": "M-1", **head, "customer_reference": "mail of Monday", "item": goods[0], "quantity": "3"},
        {"order": "M-1", "item": goods[1], "quantity": "2", "line_wanted_on": later.isoformat()},
        {"order": "M-1", "item": "FREIGHT", "quantity": "1"},
        {"order": "M-2", **head, "ship_to": "main", "rush": "yes", "item": goods[1], "quantity": "5"},
        {"order": "M-3", **head, "item": "unknown", "quantity": "1"},
    )
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, restval="")
    writer.writeheader()
    writer.writerows(rows)
    read = read_orders("orders-by-mail.csv", io.BytesIO(text.getvalue().encode()))
    with desk.work(who, Realm.LIVE, "screen") as work:
        file = hand_in(work, node.entity, read, rules=desk.rules, cells=desk.cells)
        key, seen, new = file.id, file.version, [one for one in plan_of(file) if one.outcome == Outcome.NEW]
    if not new:
        return
    with desk.work(who, Realm.LIVE, "screen") as work:
        enter_orders(
            work, EnterOrders(file=key, bad_rows=BadRows.GOOD_ONES, version=seen), rules=desk.rules, cells=desk.cells
        )

"""Builders: recent orders that were really taken and shipped, and a replay of them under what is proposed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from hashlib import sha256

import orjson
from sqlalchemy import select

from app.composition.models import Base
from app.composition.replaying.asking import ask_replay
from app.composition.replaying.runs import run_replays
from app.composition.uow import reading
from erpcore.billing.cash import ApplyCash, ReceiveCash, apply_cash, receive_cash
from erpcore.billing.services import draft_invoices, post_invoices
from erpcore.fulfilment.models import Shipment
from erpcore.fulfilment.services import PickOrder, confirm_shipments, pick_orders
from erpcore.inventory.stock import ChangeStock, open_stock
from erpcore.orders.allocation import allocate_orders
from erpcore.orders.releasing import release_orders
from erpcore.orders.services import capture_orders
from governance.replays.models import ReplayOrder, ReplayRecord, VariantReplay
from governance.replays.services import AskReplay
from tests.support.core import OPEN, RULES
from tests.support.policies import ASKS


def taken(business, wanted, *, ships=False, **changes):
    """An order that is taken now, on its way as far as its rules let it; ``ships``: what is there leaves at once."""
    with business.work(source="api") as work:
        command = business.order(wanted)
        (order,) = capture_orders(work, [replace(command, **changes)], rules=RULES, cells=OPEN)
        if order.state == "captured":
            release_orders(work, [order.id], rules=RULES, cells=OPEN)
        if order.state == "released":
            allocate_orders(work, [order.id], rules=RULES, cells=OPEN)
        if ships:
            shipments = pick_orders(work, [PickOrder(order=order.id)], cells=OPEN)
            confirm_shipments(work, [one.id for one in shipments], rules=RULES, cells=OPEN)
    return order.number


def comes(business, item, quantity):
    """So much of an item comes to the business's site now."""
    with business.work() as work:
        stock = ChangeStock(site=business.site, item=business.items[item], quantity=Decimal(quantity), note="came")
        open_stock(work, [stock], rules=RULES, cells=OPEN)


def later(business, **by):
    business.clock.set(business.clock.now() + timedelta(**by))


def asked(business, variant, *, by=ASKS, **changes):
    """The id of a replay that waits for the worker."""
    with business.work(by) as work:
        return ask_replay(work, AskReplay(variant=variant, **changes)).id


def done(business):
    """Everything that waits is replayed; how many were done."""
    return run_replays(business.database, clock=business.clock)


def kept(business, replay):
    """State, record with its figures (``None`` without one), and what differs, by order number."""
    with reading(business.database) as session:
        row = session.get_one(VariantReplay, replay)
        record = session.get(ReplayRecord, replay)
        named = session.scalars(
            select(ReplayOrder).where(ReplayOrder.replay_id == replay).order_by(ReplayOrder.position)
        ).all()
        session.expunge_all()
    figures = None if record is None else orjson.loads(record.figures)
    return row, record, figures, {one.number: orjson.loads(one.differs) for one in named}


def all_rows(database):
    """A digest of every table's rows, by table."""
    out = {}
    with reading(database) as session:
        for table in Base.metadata.sorted_tables:
            rows = sorted(repr(tuple(row)) for row in session.execute(select(table)))
            out[table.name] = sha256("\n".join(rows).encode()).hexdigest()
    return out


def bill_and_pay(business):
    """Every shipment that is not billed yet is, and the customer pays at once."""
    with business.work() as work:
        wanted = select(Shipment.id).where(Shipment.invoice_id.is_(None)).order_by(Shipment.id)
        invoices = draft_invoices(work, work.session.scalars(wanted).all(), cells=OPEN)
        post_invoices(work, [one.id for one in invoices], cells=OPEN)
    with business.work() as work:
        for one in invoices:
            receipt = ReceiveCash(entity=business.entity, customer=business.customer, amount_minor=one.gross_minor)
            (came,) = receive_cash(work, [receipt])
            apply_cash(work, [ApplyCash(receipt=came, invoice=one.id, amount_minor=one.gross_minor)])

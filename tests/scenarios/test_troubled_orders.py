"""What goes wrong between shelf and customer: from the order to the last invoice, with every figure at the end."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from erpcore.billing.cash import ApplyCash, ReceiveCash, apply_cash, receive_cash
from erpcore.fulfilment.carriers.models import TroubleKind
from erpcore.fulfilment.carriers.troubles import Report, report_trouble, resolve_trouble
from erpcore.fulfilment.floor.picking import ConfirmPick, confirm_pick, finish_pick, start_task
from erpcore.fulfilment.floor.waves import (
    PlanPickWave,
    interrupt_pick_wave,
    plan_pick_wave,
    release_pick_wave,
    resume_pick_wave,
)
from erpcore.kernel.actor import Actor
from erpcore.orders.cancelling import CancelLines, cancel_lines
from erpcore.orders.holds import ReleaseHold, release_holds
from erpcore.orders.releasing import cure_orders, release_orders
from erpcore.orders.services import NewLine, capture_orders
from tests.db.core.test_counting import counted, planned
from tests.support.core import OPEN, RULES, a_business
from tests.support.floor import ANNA, BEN, SUPERVISOR
from tests.support.steps import allocated, invoiced, released
from tests.support.story import BOTH, allocate, arrive, bill, came, ending, leave, pick, rows, send, told

CLERK = Actor(id=501, role="customer_service", permissions=frozenset({"orders:order:capture", "orders:price:override"}))
LEAD = Actor(id=502, role="site_lead", permissions=frozenset({"orders:price:approve_site", "orders:hold:release"}))


def test_damaged_goods_are_noted_at_delivery_and_the_customer_gets_them_anew(database):
    business = a_business(database, items=1, stock=20, limit=100_000)
    order = allocated(business, [(0, 10)])
    line = order.lines[0].id
    arrive(business, send(business, order), days=1, damaged={line: 2000})
    assert told(business, order) == []
    assert ending(business, order) == {}


def test_short_pick_the_rest_is_promised_anew_and_follows(database):
    business = a_business(database, items=1, stock=10, limit=100_000)
    order = allocated(business, [(0, 10)])
    first = send(business, order, short={order.lines[0].id: 3000})
    arrive(business, first, days=1)
    allocate(business, order)
    arrive(business, send(business, order), days=1)
    assert told(business, order) == []
    assert ending(business, order) == {}


def test_carrier_delay_is_reported_looked_after_and_misses_the_wished_day(database):
    business = a_business(database, items=1, stock=10, limit=100_000)
    order = allocated(business, [(0, 10)])
    shipments = send(business, order)
    business.clock.advance(timedelta(days=1))
    with business.work(SUPERVISOR) as work:
        report = Report(shipment=shipments[0], kind=TroubleKind.DELAYED, reason="truck broke down")
        (trouble,) = report_trouble(work, [report])
    arrive(business, shipments, days=4)
    with business.work(SUPERVISOR) as work:
        resolve_trouble(work, trouble.id, "delivered on Saturday")
    assert told(business, order) == []
    assert ending(business, order) == {}


def test_credit_hold_ends_by_itself_when_the_customer_has_paid(database):
    business = a_business(database, items=1, stock=100, limit=20_000)
    first, _, invoice = invoiced(business, [(0, 15)])
    order = released(business, [(0, 10)])
    assert order.state == "held"
    with business.work() as work:
        paid = ReceiveCash(entity=business.entity, customer=business.customer, amount_minor=invoice.gross_minor)
        (receipt,) = receive_cash(work, [paid])
        apply_cash(work, [ApplyCash(receipt=receipt, invoice=invoice.id, amount_minor=invoice.gross_minor)])
    with business.work() as work:
        (order,) = cure_orders(work, [order.id], **BOTH)
    allocate(business, order)
    arrive(business, send(business, order), days=1)
    assert told(business, order) == []
    assert ending(business, order) == {}


def test_price_override_waits_for_somebody_else_and_is_billed_at_the_agreed_price(database):
    business = a_business(database, items=1, stock=100, limit=100_000)
    wanted = NewLine(
        item=business.items[0], quantity=Decimal(10), unit_price=Decimal("8.00"), price_reason="matches an offer"
    )
    with business.work(CLERK) as work:
        (order,) = capture_orders(work, [replace(business.order(), lines=[wanted])], **BOTH)
    with business.work() as work:
        (order,) = release_orders(work, [order.id], **BOTH)
    assert order.state == "held"
    ((hold,),) = rows(business, "SELECT id FROM order_hold WHERE kind = 'price'")
    with business.work(LEAD) as work:
        release_holds(work, [ReleaseHold(hold=hold, reason="a good customer")])
    with business.work() as work:
        release_orders(work, [order.id], **BOTH)
    allocate(business, order)
    arrive(business, send(business, order), days=1)
    assert told(business, order) == []
    assert ending(business, order) == {}


def test_pick_wave_is_interrupted_for_a_rush_and_goes_on_where_its_picker_was(database):
    business = a_business(database, items=2, stock=20, limit=100_000)
    order = allocated(business, [(0, 10), (1, 5)])
    with business.work(SUPERVISOR) as work:
        wave, (task,) = plan_pick_wave(work, PlanPickWave(site=business.site), **BOTH)
    with business.work(SUPERVISOR) as work:
        release_pick_wave(work, wave.id)
    with business.work(ANNA) as work:
        start_task(work, task.id)
        confirm_pick(work, ConfirmPick(task=task.id, line=1, quantity=10_000))
    with business.work(SUPERVISOR) as work:
        interrupt_pick_wave(work, wave.id, "the truck for Bremen goes first")
    stopped = rows(business, "SELECT on_hand, reserved FROM stock_balance ORDER BY item_id")
    business.clock.advance(timedelta(hours=1))
    with business.work(SUPERVISOR) as work:
        resume_pick_wave(work, wave.id)
    with business.work(BEN) as work:
        start_task(work, task.id)
        confirm_pick(work, ConfirmPick(task=task.id, line=2, quantity=5_000))
        done = finish_pick(work, task.id, **BOTH)
    assert stopped == [(20_000, 10_000), (20_000, 5_000)]
    leave(business, [one.id for one in done.shipments])
    arrive(business, [one.id for one in done.shipments], days=1)
    assert told(business, order) == []
    assert ending(business, order) == {}


def test_recount_the_shelf_holds_less_than_the_book_and_the_order_gets_what_is_really_there(database):
    business = a_business(database, items=1, stock=100, limit=200_000)
    task = planned(business)
    counted(business, task, 90)
    counted(business, task, 92, BEN)
    order = allocated(business, [(0, 95)])
    with business.work() as work:
        cancel_lines(work, [CancelLines(order=order.id, reason="there are no more", lines={order.lines[0].id: 3000})])
    arrive(business, send(business, order), days=1)
    assert told(business, order) == []
    assert ending(business, order) == {}

"""What goes wrong between shelf and customer: from the order to the last invoice, with every figure at the end."""

from __future__ import annotations

from dataclasses import replace
from datetime import time, timedelta
from decimal import Decimal

from app.composition.curing import cure_held_orders
from erpcore.billing.cash import ApplyCash, ReceiveCash, apply_cash, receive_cash
from erpcore.billing.credits import credit_returns
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
from erpcore.fulfilment.models import Disposition
from erpcore.fulfilment.return_deciding import authorise_returns
from erpcore.fulfilment.returns import RequestReturn, ReturnedLine, request_returns
from erpcore.kernel.actor import Actor
from erpcore.masterdata.services import add_commitment
from erpcore.orders.cancelling import CancelLines, cancel_lines
from erpcore.orders.holds import ReleaseHold, release_holds
from erpcore.orders.releasing import release_orders
from erpcore.orders.services import NewLine, capture_orders
from tests.db.core.test_counting import counted, planned
from tests.support.core import OPEN, a_business
from tests.support.floor import ANNA, BEN, SUPERVISOR
from tests.support.operate import open_cells
from tests.support.steps import allocated, invoiced, released, taken_back
from tests.support.story import BOTH, allocate, arrive, ending, leave, on_its_day, rows, send, told
from tests.support.warehouse import day

CLERK = Actor(id=501, role="customer_service", permissions=frozenset({"orders:order:capture", "orders:price:override"}))
LEAD = Actor(id=502, role="site_lead", permissions=frozenset({"orders:price:approve_site", "orders:hold:release"}))


def test_damaged_goods_are_noted_at_delivery_come_back_as_scrap_and_are_credited(database):
    business = a_business(database, items=1, stock=20, limit=100_000)
    order = allocated(business, [(0, 10)])
    line = order.lines[0].id
    on_its_day(business)
    arrive(business, send(business, order), damaged={line: 2000})
    with business.work() as work:
        back = ReturnedLine(item=business.items[0], quantity=Decimal(2), order_line=line, disposition=Disposition.SCRAP)
        asked = RequestReturn(
            site=business.site, channel=business.channel, customer=business.customer, reason="damaged in transit", fault="ours",
            lines=[back],
        )  # fmt: skip
        (returned,) = request_returns(work, [asked], **BOTH)
        authorise_returns(work, [returned.id])
        taken_back(work, returned.id)
        credit_returns(work, [returned.id], cells=OPEN)
    assert (
        told(business, order)
        == """
        order.captured order.validated order.promised order.released order.allocated shipment.picked shipment.confirmed
        invoice.triggered ledger.posted shipment.delivered shipment.damaged invoice.drafted invoice.posted ledger.posted
        invoice.corrected
    """.split()
    )
    assert ending(business, order) == {
        "state": "released",
        "lines": {10: (10, 0, 0, 10, 0)},
        "days": {10: (2, 2, 2, 2)},
        "stock": [(10, 0, 0)],
        "exposure": (9600, 0, 0),
        "ledger": {
            "cost_of_sales": 4000,
            "inventory": 4000,
            "opening": -8000,
            "receivable": 9600,
            "revenue": -8000,
            "tax": -1600,
        },
        "figures": {
            "filled": (1, 1),
            "on time in full": (1, 1),
            "promise kept": (1, 1),
            "perfect": (0, 1),
            "touchless": (1, 1),
            "exception": (1, 1),
        },
    }


def test_short_pick_the_rest_goes_back_to_being_open_and_follows(database):
    business = a_business(database, items=1, stock=10, limit=100_000)
    order = allocated(business, [(0, 10)])
    on_its_day(business)
    first = send(business, order, short={order.lines[0].id: 3000})
    arrive(business, first, days=1)
    allocate(business, order)
    arrive(business, send(business, order), days=1)
    assert (
        told(business, order)
        == """
        order.captured order.validated order.promised order.released order.allocated shipment.short_picked
        shipment.picked shipment.confirmed invoice.triggered ledger.posted shipment.delivered invoice.drafted
        invoice.posted ledger.posted order.allocated shipment.picked shipment.confirmed invoice.triggered ledger.posted
        shipment.delivered invoice.drafted invoice.posted ledger.posted
    """.split()
    )
    assert ending(business, order) == {
        "state": "released",
        "lines": {10: (10, 0, 0, 10, 0)},
        "days": {10: (2, 2, 2, 2)},
        "stock": [(0, 0, 0)],
        "exposure": (12000, 0, 0),
        "ledger": {"cost_of_sales": 4000, "opening": -4000, "receivable": 12000, "revenue": -10000, "tax": -2000},
        "figures": {
            "filled": (0, 1),
            "on time in full": (0, 1),
            "promise kept": (0, 1),
            "perfect": (0, 1),
            "touchless": (1, 1),
            "exception": (1, 1),
        },
    }


def test_carrier_delay_is_reported_looked_after_and_misses_the_wished_day(database):
    business = a_business(database, items=1, stock=10, limit=100_000)
    with business.work() as work:
        add_commitment(
            work, site=business.site, channel=business.channel, lead_days=2, transit_days=1, basis="delivery",
            valid_from=day(0), cut_off=time(14),
        )  # fmt: skip
    order = allocated(business, [(0, 10)])
    on_its_day(business)
    shipments = send(business, order)
    business.clock.advance(timedelta(hours=20))
    with business.work(SUPERVISOR) as work:
        report = Report(shipment=shipments[0], kind=TroubleKind.DELAYED, reason="truck broke down")
        (trouble,) = report_trouble(work, [report])
    arrive(business, shipments, days=4)
    with business.work(SUPERVISOR) as work:
        resolve_trouble(work, trouble.id, "delivered on Saturday")
    assert (
        told(business, order)
        == """
        order.captured order.validated order.promised order.released order.allocated shipment.picked shipment.confirmed
        invoice.triggered ledger.posted shipment.delayed shipment.delivered invoice.drafted invoice.posted ledger.posted
    """.split()
    )
    assert ending(business, order) == {
        "state": "released",
        "lines": {10: (10, 0, 0, 10, 0)},
        "days": {10: (3, 3, 3, 3)},
        "stock": [(0, 0, 0)],
        "exposure": (12000, 0, 0),
        "ledger": {"cost_of_sales": 4000, "opening": -4000, "receivable": 12000, "revenue": -10000, "tax": -2000},
        "figures": {
            "filled": (1, 1),
            "on time in full": (0, 1),
            "promise kept": (0, 1),
            "perfect": (0, 1),
            "touchless": (1, 1),
            "exception": (1, 1),
        },
    }


def test_credit_hold_ends_by_itself_when_the_customer_has_paid(database):
    business = a_business(database, items=1, stock=100, limit=20_000)
    open_cells(business)
    _, _, invoice = invoiced(business, [(0, 15)])
    order = released(business, [(0, 10)])
    assert order.state == "held"
    with business.work() as work:
        paid = ReceiveCash(entity=business.entity, customer=business.customer, amount_minor=invoice.gross_minor)
        (receipt,) = receive_cash(work, [paid])
        apply_cash(work, [ApplyCash(receipt=receipt, invoice=invoice.id, amount_minor=invoice.gross_minor)])
    assert cure_held_orders(database, clock=business.clock, customers=[business.customer]) == 1
    allocate(business, order)
    on_its_day(business)
    arrive(business, send(business, order), days=1)
    assert (
        told(business, order)
        == """
        order.captured order.validated order.promised order.held order.hold_released order.released order.allocated
        shipment.picked shipment.confirmed invoice.triggered ledger.posted shipment.delivered invoice.drafted
        invoice.posted ledger.posted
    """.split()
    )
    assert ending(business, order) == {
        "state": "released",
        "lines": {10: (10, 0, 0, 10, 0)},
        "days": {10: (2, 2, 2, 2)},
        "stock": [(75, 0, 0)],
        "exposure": (12000, 0, 0),
        "ledger": {
            "bank": 18000,
            "cost_of_sales": 10000,
            "inventory": 30000,
            "opening": -40000,
            "receivable": 12000,
            "revenue": -25000,
            "tax": -5000,
        },
        "figures": {
            "filled": (2, 2),
            "on time in full": (1, 2),
            "promise kept": (2, 2),
            "perfect": (1, 2),
            "touchless": (1, 2),
            "exception": (1, 2),
        },
    }


def test_price_override_waits_for_somebody_else_and_is_billed_at_the_agreed_price(database):
    business = a_business(database, items=1, stock=100, limit=100_000)
    wanted = NewLine(
        item=business.items[0], quantity=Decimal(10), unit_price=Decimal("8.00"), price_reason="matches an offer"
    )
    with business.work(CLERK) as work:
        (order,) = capture_orders(work, [replace(business.order(), lines=[wanted])], **BOTH)
    assert order.state == "held"
    ((hold,),) = rows(business, "SELECT id FROM order_hold WHERE kind = 'price'")
    with business.work(LEAD) as work:
        release_holds(work, [ReleaseHold(hold=hold, reason="a good customer")])
    with business.work() as work:
        release_orders(work, [order.id], **BOTH)
    allocate(business, order)
    on_its_day(business)
    arrive(business, send(business, order), days=1)
    assert (
        told(business, order)
        == """
        order.captured order.validated order.price_overridden order.promised order.held order.hold_released
        order.released order.allocated shipment.picked shipment.confirmed invoice.triggered ledger.posted
        shipment.delivered invoice.drafted invoice.posted ledger.posted
    """.split()
    )
    assert ending(business, order) == {
        "state": "released",
        "lines": {10: (10, 0, 0, 10, 0)},
        "days": {10: (2, 2, 2, 2)},
        "stock": [(90, 0, 0)],
        "exposure": (9600, 0, 0),
        "ledger": {
            "cost_of_sales": 4000,
            "inventory": 36000,
            "opening": -40000,
            "receivable": 9600,
            "revenue": -8000,
            "tax": -1600,
        },
        "figures": {
            "filled": (1, 1),
            "on time in full": (1, 1),
            "promise kept": (1, 1),
            "perfect": (1, 1),
            "touchless": (0, 1),
            "exception": (1, 1),
        },
    }


def test_pick_wave_is_interrupted_for_a_rush_and_goes_on_where_its_picker_was(database):
    business = a_business(database, items=2, stock=20, limit=100_000)
    order = allocated(business, [(0, 10), (1, 5)])
    on_its_day(business)
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
    assert (
        told(business, order)
        == """
        order.captured order.validated order.promised order.released order.allocated task.created task.started
        shipment.picked task.finished shipment.confirmed invoice.triggered ledger.posted shipment.delivered
        invoice.drafted invoice.posted ledger.posted
    """.split()
    )
    assert ending(business, order) == {
        "state": "released",
        "lines": {10: (10, 0, 0, 10, 0), 20: (5, 0, 0, 5, 0)},
        "days": {10: (2, 2, 2, 2), 20: (2, 2, 2, 2)},
        "stock": [(10, 0, 0), (15, 0, 0)],
        "exposure": (18000, 0, 0),
        "ledger": {
            "cost_of_sales": 6000,
            "inventory": 10000,
            "opening": -16000,
            "receivable": 18000,
            "revenue": -15000,
            "tax": -3000,
        },
        "figures": {
            "filled": (2, 2),
            "on time in full": (2, 2),
            "promise kept": (2, 2),
            "perfect": (1, 1),
            "touchless": (1, 1),
            "exception": (0, 1),
        },
    }


def test_recount_the_shelf_holds_less_than_the_book_and_the_order_gets_what_is_really_there(database):
    business = a_business(database, items=1, stock=100, limit=200_000)
    task = planned(business)
    counted(business, task, 90)
    counted(business, task, 92, BEN)
    order = allocated(business, [(0, 95)])
    with business.work() as work:
        cancel_lines(
            work,
            [
                CancelLines(
                    order=order.id, reason="there are no more", by_customer=False, lines={order.lines[0].id: 3000}
                )
            ],
        )
    arrive(business, send(business, order), days=1)
    assert (
        told(business, order)
        == """
        order.captured order.validated order.promised order.released order.allocated order.backordered order.repromised
        order.cancelled shipment.picked shipment.confirmed invoice.triggered ledger.posted shipment.delivered
        invoice.drafted invoice.posted ledger.posted
    """.split()
    )
    assert ending(business, order) == {
        "state": "released",
        "lines": {10: (95, 0, 0, 92, 3)},
        "days": {10: (2, 2, 7, 7)},
        "stock": [(0, 0, 0)],
        "exposure": (110400, 0, 0),
        "ledger": {
            "adjustment": 3200,
            "cost_of_sales": 36800,
            "opening": -40000,
            "receivable": 110400,
            "revenue": -92000,
            "tax": -18400,
        },
        "figures": {
            "filled": (0, 1),
            "on time in full": (0, 1),
            "promise kept": (0, 1),
            "perfect": (0, 1),
            "touchless": (0, 1),
            "exception": (1, 1),
        },
    }

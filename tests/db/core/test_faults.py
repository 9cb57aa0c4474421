"""What people and machines do wrong, wherever it is done: nonsense as a quantity, a process that dies, an answer that is lost.

Faults that belong to one area stand with it; these go through every door.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from app.composition.uow import reading
from erpcore.billing.services import draft_invoices, post_invoices
from erpcore.fulfilment.branch.services import AskLine, AskTransfer, ask_transfers
from erpcore.fulfilment.floor.picking import ConfirmPick, confirm_pick, put_back, start_task
from erpcore.fulfilment.packing.services import PackCarton, open_carton, pack_cartons, put_in_carton
from erpcore.fulfilment.returns import RequestReturn, ReturnedLine, request_returns
from erpcore.fulfilment.services import DeliverShipment, PickOrder, confirm_shipments, deliver_shipments, pick_orders
from erpcore.inventory.adjusting import Adjust, CountStock, adjust, count_stock
from erpcore.inventory.losing import GiveUp, give_up
from erpcore.inventory.receiving import ReceivedLine, ReceiveGoods, receive_goods
from erpcore.inventory.shifting import ChangeStatus, MoveBin, change_status, move_bins
from erpcore.inventory.stock import ChangeStock, receive_stock
from erpcore.inventory.transfers import (
    ArrivedLine,
    ReceiveTransfer,
    ShipTransfer,
    TransferLine,
    lose_in_transit,
    receive_transfer,
    ship_transfers,
)
from erpcore.kernel import requests
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import Conflict, DomainError, RuleBroken
from erpcore.masterdata.customers import ChangeStanding, Standing, change_standings
from erpcore.orders.allocation import allocate_orders
from erpcore.orders.amendment_rules import Amend
from erpcore.orders.amendments import StageAmendment, stage_amendments
from erpcore.orders.cancelling import CancelLines, cancel_lines
from erpcore.orders.models import ChangeKind
from erpcore.orders.protections import ProtectStock, protect_stock
from erpcore.orders.quotes.services import NewQuote, Terms, enter_quotes
from erpcore.orders.releasing import release_orders
from erpcore.orders.services import NewLine, capture_orders
from erpcore.orders.takeback import TakeBack, take_back
from erpcore.purchasing.services import PlacePurchase, WantedLine, place_purchases
from tests.support.controls import assert_books_agree
from tests.support.core import OPEN, RULES, a_business
from tests.support.floor import ANNA, a_floor, a_task, picked_by
from tests.support.steps import allocated, captured, released, shipped
from tests.support.story import rows
from tests.support.supply import a_supplier
from tests.support.threads import at_once
from tests.support.trader import fingerprint_of
from tests.support.warehouse import balance, day, locations, no_names, second_site

BOTH = {"rules": RULES, "cells": OPEN}
CLERK = Actor(id=61, role="customer_service", permissions=frozenset({"orders:order:capture"}))
#: Quantities that are none, of an item counted in whole pieces. What is no number at all is refused where it is typed.
NONSENSE = [Decimal(word) for word in ("0", "-1", "0.5", "0.0001", "1000000000000")]


def doors(business, supplier, branch, order):
    """Every way by which somebody states a quantity; each gives what the unit of work is to do."""
    site, item = business.site, business.items[0]
    line = order.lines[0].id

    def offered(quantity):
        terms = Terms(lines=[NewLine(item=item, quantity=quantity)], valid_until=day(9))
        command = NewQuote(site=site, channel=business.channel, customer=business.customer, terms=terms)
        return lambda work: enter_quotes(work, [command], **BOTH)

    def amended(quantity):
        change = Amend(kind=ChangeKind.QUANTITY, line=line, quantity=quantity)
        command = StageAmendment(order=order.id, by_customer=True, reason="he called", changes=[change])
        return lambda work: stage_amendments(work, [command], **BOTH)

    def bought(quantity):
        command = PlacePurchase(site=site, supplier=supplier, lines=[WantedLine(item=item, quantity=quantity)])
        return lambda work: place_purchases(work, [command], **BOTH)

    def came(quantity):
        command = ReceiveGoods(site=site, paper="DN 1", lines=[ReceivedLine(item=item, quantity=quantity)])
        return lambda work: receive_goods(work, command, **BOTH)

    def asked(quantity):
        command = AskTransfer(from_site=site, to_site=branch, lines=[AskLine(item=item, quantity=quantity)])
        return lambda work: ask_transfers(work, [command], **BOTH)

    def moved(quantity):
        command = ShipTransfer(
            from_site=site, to_site=branch, arrives_on=day(2), lines=[TransferLine(item=item, quantity=quantity)]
        )
        return lambda work: ship_transfers(work, [command], **BOTH)

    def ordered(quantity):
        command = replace(business.order(), lines=[NewLine(item=item, quantity=quantity)])
        return lambda work: capture_orders(work, [command], **BOTH)

    def stocked(quantity):
        change = ChangeStock(site=site, item=item, quantity=quantity, note="delivery")
        return lambda work: receive_stock(work, [change], **BOTH)

    def corrected(quantity):
        command = Adjust(site=site, item=item, quantity=quantity, reason="other", note="seen")
        return lambda work: adjust(work, [command], **BOTH)

    def counted(quantity):
        return lambda work: count_stock(work, [CountStock(site=site, item=item, counted=quantity)], **BOTH)

    return {
        "order": ordered, "quote": offered, "amendment": amended, "purchase order": bought, "goods receipt": came,
        "transfer order": asked, "transfer": moved, "receipt": stocked, "adjustment": corrected, "count": counted,
    }  # fmt: skip


#: A correction may well be downward, and a count may well find nothing.
SENSIBLE = {("adjustment", "-1"), ("count", "0")}


def test_a_quantity_that_is_none_is_refused_at_every_door_and_nothing_changes(database):
    business = a_business(database, items=1)
    order = released(business)
    there = doors(business, a_supplier(business), second_site(business), order)
    before = fingerprint_of(database)
    for name, door in there.items():
        for quantity in NONSENSE:
            if (name, str(quantity)) in SENSIBLE:
                continue
            try:
                with business.work() as work:
                    door(quantity)(work)
            except DomainError:
                pass
            except Exception as error:  # noqa: BLE001  # said with where it was
                pytest.fail(f"{name} of {quantity}: {type(error).__name__}: {error}")
            else:
                pytest.fail(f"{name} takes {quantity}")
            assert fingerprint_of(database) == before, f"{name} of {quantity} left something behind"
    # It was the quantity alone that was refused.
    for door in there.values():
        with pytest.raises(KeyboardInterrupt), business.work() as work:
            _dies(work, door(Decimal(1)))


def test_half_a_piece_is_neither_picked_packed_delivered_cancelled_nor_given_back(database):
    business = a_business(database, items=1)
    floor = a_floor(business)
    whole, on_task, packed, unpacked = (allocated(business) for _ in range(4))
    gone, sent = shipped(business)
    (task,) = a_task(business, on_task)
    packing, other = (
        picked_by(business, ANNA, a_task(business, order)[0].id).shipments[0] for order in (packed, unpacked)
    )
    with business.work(ANNA) as work:
        start_task(work, task.id)
        confirm_pick(work, ConfirmPick(task=task.id, line=1, quantity=4_000), rules=RULES)
    with business.work() as work:
        open_carton(work, packing.id, floor.box)
    line, box = whole.lines[0].id, {"carton_type": floor.box, "weight_kg": Decimal(2)}
    back = RequestReturn(
        site=business.site, channel=business.channel, customer=business.customer, reason="wrong item", fault="ours",
        lines=[ReturnedLine(item=business.items[0], quantity=Decimal("1.5"))],
    )  # fmt: skip
    at_the_desk = [
        lambda work: pick_orders(work, [PickOrder(order=whole.id, lines={line: 1_500})], cells=OPEN, rules=RULES),
        lambda work: pick_orders(work, [PickOrder(order=whole.id, lines={line: 1_000}, short={line: 500})], cells=OPEN),
        lambda work: cancel_lines(work, [CancelLines(order=whole.id, reason="late", by_customer=True, lines={line: 1_500})]),
        lambda work: put_in_carton(work, packing.id, "40-0", 1_500),
        lambda work: pack_cartons(work, [PackCarton(shipment=other.id, contents={unpacked.lines[0].id: 1_500}, **box)]),
        lambda work: deliver_shipments(work, [DeliverShipment(shipment=sent.id, damaged={gone.lines[0].id: 1_500})], **BOTH),
        lambda work: request_returns(work, [back], **BOTH),
    ]  # fmt: skip
    on_the_floor = [
        lambda work: confirm_pick(work, ConfirmPick(task=task.id, line=1, quantity=1_500), rules=RULES),
        lambda work: confirm_pick(work, ConfirmPick(task=task.id, line=1, quantity=0, damaged=1_500), rules=RULES),
        lambda work: put_back(work, task.id, 1, quantity=1_500),
    ]
    before = fingerprint_of(database)
    for who, act in [(None, act) for act in at_the_desk] + [(ANNA, act) for act in on_the_floor]:
        with pytest.raises(RuleBroken, match="quantity_too_precise"), business.work(who) as work:
            act(work)
        assert fingerprint_of(database) == before


def test_half_a_piece_is_neither_lost_received_moved_blocked_protected_nor_taken_back(database):
    business = a_business(database, items=1, stock=20)
    (shelf,) = locations(business, "A-01")
    branch = second_site(business)
    site, item, names = business.site, business.items[0], {"order_names": no_names}
    with business.work() as work:
        goods = [TransferLine(item=item, quantity=Decimal(4))]
        way = ShipTransfer(from_site=site, to_site=branch, arrives_on=day(2), lines=goods)
        (transfer,) = ship_transfers(work, [way], **BOTH)
    ((on_way,),) = rows(business, "SELECT id FROM stock_transfer_line WHERE transfer_id = :t", t=transfer.id)
    first = released(business, [(0, 20)])
    loser = allocated(business, [(0, 16)])
    with business.work() as work:
        allocate_orders(work, [first.id], **BOTH)
    half = {"site": site, "item": item, "quantity": Decimal("1.5")}
    wish = TakeBack(line=loser.lines[0].id, to=first.lines[0].id, quantity=1_500, reason="promised first")
    lost = GiveUp(transfer=transfer.id, line=on_way, quantity=Decimal("1.5"), reason="fell off")
    came = ReceiveTransfer(transfer=transfer.id, lines=[ArrivedLine(line=on_way, quantity=Decimal("1.5"))])
    kept = ProtectStock(**half, customer=business.customer, contract="F-1", valid_from=day(0))
    blocked = ChangeStatus(**half, source="available", target="damaged", note="wet")
    doors = [
        lambda work: take_back(work, [wish], **BOTH),
        lambda work: give_up(work, lost, **BOTH),
        lambda work: lose_in_transit(work, on_way, 1_500, "fell off", **BOTH),
        lambda work: receive_transfer(work, came, **BOTH, **names),
        lambda work: move_bins(work, [MoveBin(**half, source=None, location=shelf)], **BOTH, **names),
        lambda work: change_status(work, [blocked], **BOTH, **names),
        lambda work: protect_stock(work, [kept]),
    ]
    before = fingerprint_of(database)
    for act in doors:
        with pytest.raises(RuleBroken, match="quantity_too_precise"), business.work() as work:
            act(work)
        assert fingerprint_of(database) == before


STEPS = ("capture", "release", "allocate", "pick", "confirm", "deliver", "draft", "post")


def walked(business, upto):
    """An order taken through all steps before this one, and what this step does."""
    order = shipment = invoice = 0
    for step in STEPS:
        acts = {
            "capture": lambda work: capture_orders(work, [business.order()], **BOTH)[0].id,
            "release": lambda work: release_orders(work, [order], **BOTH),  # noqa: B023  # run before it moves on
            "allocate": lambda work: allocate_orders(work, [order], **BOTH),  # noqa: B023  # as above
            "pick": lambda work: pick_orders(work, [PickOrder(order=order)], cells=OPEN)[0].id,  # noqa: B023  # as above
            "confirm": lambda work: confirm_shipments(work, [shipment], **BOTH),  # noqa: B023  # as above
            "deliver": lambda work: deliver_shipments(work, [DeliverShipment(shipment=shipment)], **BOTH),  # noqa: B023  # as above
            "draft": lambda work: draft_invoices(work, [shipment], cells=OPEN)[0].id,  # noqa: B023  # as above
            "post": lambda work: post_invoices(work, [invoice], cells=OPEN),  # noqa: B023  # as above
        }
        if step == upto:
            return acts[step]
        with business.work() as work:
            made = acts[step](work)
        order, shipment, invoice = (
            made if step == "capture" else order, made if step == "pick" else shipment, made if step == "draft" else invoice,
        )  # fmt: skip
    raise AssertionError(upto)


@pytest.mark.parametrize("step", STEPS)
def test_a_step_that_breaks_off_before_its_commit_leaves_nothing_and_the_next_one_does_it_once(database, step):
    business = a_business(database, items=1)
    act = walked(business, step)
    before = fingerprint_of(database)
    with pytest.raises(KeyboardInterrupt), business.work() as work:
        _dies(work, act)
    assert fingerprint_of(database) == before
    with business.work() as work:
        act(work)
    assert fingerprint_of(database) != before
    assert_books_agree(database)


def _dies(work, act):
    act(work)
    for write in work._before_end.values():
        write(work)
    work.session.flush()
    raise KeyboardInterrupt


def test_an_answer_lost_after_the_commit_is_asked_for_again_and_the_order_is_there_once(database):
    business = a_business(database, items=1)
    what = {"order": "B-1", "quantity": "10"}

    def take(content):
        with business.work(CLERK) as work:
            known = requests.claim(work, "k-77", content)
            if known is not None:
                return known["order"]
            (order,) = capture_orders(work, [business.order()], **BOTH)
            requests.settle(work, "k-77", {"order": order.id})
            return order.id

    def take_and_lose_the_answer():
        take(what)
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        take_and_lose_the_answer()
    before = fingerprint_of(database)
    ((order,),) = rows(business, "SELECT id FROM sales_order")
    assert take(what) == order
    assert fingerprint_of(database) == before
    with pytest.raises(Conflict, match="request_key_reused"):
        take({**what, "quantity": "11"})
    assert fingerprint_of(database) == before


def test_two_warehouses_that_want_the_last_piece_get_it_once(database):
    business = a_business(database, items=1, stock=1)
    branch = second_site(business)
    here, there = captured(business, [(0, 1)]), captured(business, [(0, 1)])
    with business.work() as work:
        release_orders(work, [here.id, there.id], **BOTH)
    moved = ShipTransfer(
        from_site=business.site, to_site=branch, arrives_on=day(2),
        lines=[TransferLine(item=business.items[0], quantity=Decimal(1))],
    )  # fmt: skip

    def doing(act):
        def task():
            with business.work() as work:
                act(work)
            return "done"

        return task

    results = at_once(
        doing(lambda work: allocate_orders(work, [here.id], **BOTH)),
        doing(lambda work: allocate_orders(work, [there.id], **BOTH)),
        doing(lambda work: ship_transfers(work, [moved], **BOTH)),
    )
    assert results[:2] == ["done", "done"], results
    promised = [row[0] for row in rows(business, "SELECT allocated FROM order_line ORDER BY id")]
    on_road = balance(business, site=branch)[0]
    assert sum(promised) // 1000 + on_road == 1, (promised, on_road, results)
    assert balance(business)[1] == sum(promised) // 1000
    assert rows(business, "SELECT SUM(unmet) FROM reservation")[0][0] == 2000 - sum(promised)
    if not on_road:
        assert isinstance(results[2], DomainError)
    assert_books_agree(database)


def test_a_deactivated_customer_orders_nothing_and_what_is_open_stays_untouched(database):
    business = a_business(database, items=1)
    released(business)
    with business.work() as work:
        blocked = Standing(limit_minor=None, tier=2, is_blocked=True)
        change_standings(work, [ChangeStanding(customer=business.customer, standing=blocked, reason="gave up")])
    before = fingerprint_of(database)
    with pytest.raises(DomainError) as refused, business.work() as work:
        capture_orders(work, [business.order()], **BOTH)
    assert refused.value.code == "customer_blocked"
    assert fingerprint_of(database) == before
    with reading(database) as session:
        assert session.connection().exec_driver_sql("SELECT state FROM sales_order").all() == [("released",)]

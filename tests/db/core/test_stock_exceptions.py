"""What a warehouse day brings: damage and holes found at the shelf, losses on the way, differences above the limit, closed books."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text

from app.composition.uow import reading
from erpcore.fulfilment.floor.picking import ConfirmPick, confirm_pick, finish_pick, start_task
from erpcore.inventory.adjusting import Adjust, CountStock, adjust, count_stock, decide_adjustment
from erpcore.inventory.count_plan import PlanCount, plan_counts
from erpcore.inventory.counting import record_count, start_count
from erpcore.inventory.losing import GiveUp, give_up
from erpcore.inventory.places import add_zone, block_location
from erpcore.inventory.receiving import ReceivedLine, ReceiveGoods, receive_goods
from erpcore.inventory.shifting import ChangeStatus, PutAway, change_status, put_away
from erpcore.inventory.stock import ChangeStock, receive_stock
from erpcore.inventory.transfers import (
    ArrivedLine,
    ReceiveTransfer,
    ShipTransfer,
    TransferLine,
    receive_transfer,
    ship_transfers,
)
from erpcore.kernel.errors import Conflict, DomainError, NotAllowed, RuleBroken
from erpcore.kernel.events import Place
from erpcore.ledger.models import AccountRole
from erpcore.ledger.periods import ClosePeriod, close_period
from erpcore.ledger.services import Entry, Side, post_entries
from tests.support.controls import assert_books_agree
from tests.support.core import OPEN, RULES, a_business
from tests.support.floor import a_task, killed, person
from tests.support.steps import allocated
from tests.support.threads import at_once
from tests.support.trader import fingerprint_of
from tests.support.warehouse import (
    ANNA,
    BEN,
    YESTERDAY,
    balance,
    bins,
    day,
    everything,
    expected,
    locations,
    no_names,
    received,
    second_site,
    tracked,
)  # fmt: skip

SAME = {"rules": RULES, "cells": OPEN}
PICKER = person(101)


def task_picked(business, order, *, damaged=0, short=None, taken=0):
    """A task of one line: so much taken, so much damaged, the rest short."""
    (task,) = a_task(business, order)
    with business.work(PICKER) as work:
        start_task(work, task.id)
        confirm_pick(
            work, ConfirmPick(task=task.id, line=1, quantity=taken * 1000, damaged=damaged * 1000, short_reason=short)
        )
    with business.work(PICKER) as work:
        finish_pick(work, task.id, **SAME)


def counts(business):
    with reading(business.database) as session:
        return [
            tuple(row) for row in session.execute(text("SELECT why, state, location_id FROM count_task ORDER BY id"))
        ]


def proposed(business):
    with reading(business.database) as session:
        return session.execute(text("SELECT id FROM stock_adjustment WHERE state = 'proposed'")).scalars().all()


def decided(business, adjustment, who=BEN, *, approved=True):
    with business.work(who) as work:
        decide_adjustment(work, adjustment, approved=approved, note="seen it", **SAME)


def refused(business, act, code, who=ANNA):
    before = everything(business)
    with pytest.raises(DomainError) as error, business.work(who) as work:
        act(work)
    assert error.value.code == code
    assert everything(business) == before


def test_goods_found_damaged_at_the_pick_are_not_to_be_sold_from_then_on(database):
    business = a_business(database, items=1, stock=0)
    locations(business, "DOCK", kind="receiving")
    received(business, 10)
    (shelf,) = locations(business, "A-01")
    with business.work(ANNA) as work:
        dock = work.session.execute(text("SELECT id FROM location WHERE code = 'DOCK'")).scalar_one()
        command = PutAway(site=business.site, item=business.items[0], quantity=Decimal(10), source=dock, location=shelf)
        put_away(work, [command], order_names=no_names, **SAME)
    task_picked(business, allocated(business, [(0, 6)]), taken=4, damaged=2)
    assert bins(business) == {("A-01", None, "available"): 8, ("A-01", None, "damaged"): 2}
    on_hand, reserved, blocked, _ = balance(business)
    assert (on_hand, blocked) == (10, 2)
    assert reserved <= 8
    assert counts(business) == []
    assert_books_agree(database)


def test_damaged_goods_at_the_default_place_get_a_bin_of_their_own(database):
    business = a_business(database, items=1, stock=10)
    task_picked(business, allocated(business, [(0, 10)]), taken=7, damaged=3)
    assert bins(business) == {(None, None, "damaged"): 3}
    assert balance(business)[2] == 3
    assert_books_agree(database)


def test_a_short_pick_asks_for_a_count_of_that_place_once(database):
    business = a_business(database, items=1, stock=20)
    task_picked(business, allocated(business, [(0, 6)]), taken=4, short="not found")
    assert counts(business) == [("short_pick", "open", None)]
    with business.work(ANNA) as work:
        (task,) = plan_counts(work, [PlanCount(site=business.site, item=business.items[0])], **SAME)
    assert len(counts(business)) == 1
    with business.work(ANNA) as work:
        start_count(work, task, **SAME)
    assert counts(business) == [("short_pick", "counting", None)]
    assert_books_agree(database)


def test_a_count_worth_more_than_the_limit_is_proposed_and_booked_by_somebody_else(database):
    business = a_business(database, items=2, stock=1000)
    with business.work(ANNA) as work:
        big, small = count_stock(
            work,
            [
                CountStock(site=business.site, item=business.items[0], counted=Decimal(800)),
                CountStock(site=business.site, item=business.items[1], counted=Decimal(998)),
            ],
            **SAME,
        )
    assert (big.quantity, big.adjustment is None) == (-200_000, False)
    assert small == (-2000, None)
    assert (balance(business)[0], balance(business, item=1)[0]) == (1000, 998)
    with pytest.raises(NotAllowed, match="own_request"):
        decided(business, big.adjustment, ANNA)
    decided(business, big.adjustment)
    assert balance(business)[0] == 800
    with reading(database) as session:
        reasons = session.execute(text("SELECT reason FROM stock_move WHERE reason = 'count'")).all()
        told = session.execute(text("SELECT COUNT(*) FROM event_log WHERE type = 'stock.adjusted'")).scalar_one()
    assert (len(reasons), told) == (2, 2)
    with pytest.raises(DomainError):
        decided(business, big.adjustment)
    assert_books_agree(database)


def test_while_a_count_waits_another_of_the_same_goods_is_refused(database):
    business = a_business(database, items=2, stock=1000)

    def counted(*found, item=0):
        commands = [CountStock(site=business.site, item=business.items[item], counted=Decimal(one)) for one in found]
        with business.work(ANNA) as work:
            return count_stock(work, commands, **SAME)

    (first,) = counted(800)
    before = fingerprint_of(database)
    for found in (800, 790, 998):
        with pytest.raises(RuleBroken, match="count_waits"):
            counted(found)
    with pytest.raises(RuleBroken, match="count_waits"):
        counted(800, 800, item=1)
    assert fingerprint_of(database) == before
    decided(business, first.adjustment)
    assert (balance(business)[0], counted(800)) == (800, [(0, None)])
    (second,) = counted(600)
    decided(business, second.adjustment, approved=False)
    assert counted(799) == [(-1000, None)]
    assert balance(business)[0] == 799
    assert_books_agree(database)


def test_a_count_at_unknown_cost_waits_too_and_rejected_changes_nothing(database):
    business = a_business(database, items=1, stock=10, cost=None)
    with business.work(ANNA) as work:
        (found,) = count_stock(
            work, [CountStock(site=business.site, item=business.items[0], counted=Decimal(9))], **SAME
        )
    decided(business, found.adjustment, approved=False)
    assert balance(business) == (10, 0, 0, 0)
    assert_books_agree(database)


def a_transfer(business, quantity, site):
    with business.work(ANNA) as work:
        (made,) = ship_transfers(
            work,
            [
                ShipTransfer(
                    from_site=business.site, to_site=site, arrives_on=day(2),
                    lines=[TransferLine(item=business.items[0], quantity=Decimal(quantity))],
                )
            ],
            **SAME,
        )  # fmt: skip
        line = work.session.execute(text("SELECT MAX(id) FROM stock_transfer_line")).scalar_one()
    return made.id, line


def test_a_loss_above_the_limit_stays_on_its_way_until_somebody_else_agrees(database):
    business = a_business(database, items=1, stock=1000)
    site = second_site(business)
    transfer, line = a_transfer(business, 300, site)
    lost = GiveUp(transfer=transfer, line=line, quantity=Decimal(200), reason="the truck burnt")
    with business.work(ANNA) as work:
        assert give_up(work, lost, **SAME) == (False, True)
    assert balance(business, site=site) == (300, 0, 300, 300)
    (asked,) = proposed(business)
    with pytest.raises(NotAllowed, match="own_request"):
        decided(business, asked, ANNA)
    decided(business, asked)
    assert balance(business, site=site) == (100, 0, 100, 100)
    with reading(database) as session:
        assert session.execute(text("SELECT lost FROM stock_transfer_line")).scalar_one() == 200_000
        assert session.execute(text("SELECT move_id IS NOT NULL FROM stock_adjustment")).scalar_one()
    assert_books_agree(database)


def test_what_turned_up_after_all_cannot_be_agreed_to_as_lost(database):
    business = a_business(database, items=1, stock=1000)
    site = second_site(business)
    transfer, line = a_transfer(business, 300, site)
    with business.work(ANNA) as work:
        give_up(work, GiveUp(transfer=transfer, line=line, quantity=Decimal(200), reason="the truck burnt"), **SAME)
    with business.work(ANNA) as work:
        receive_transfer(
            work, ReceiveTransfer(transfer=transfer, lines=[ArrivedLine(line=line, quantity=Decimal(300))]),
            order_names=no_names, **SAME,
        )  # fmt: skip
    (asked,) = proposed(business)
    before = everything(business)
    with pytest.raises(RuleBroken, match="transfer_too_much"):
        decided(business, asked)
    assert everything(business) == before
    decided(business, asked, approved=False)
    assert balance(business, site=site)[0] == 300
    assert_books_agree(database)


def test_two_people_agree_to_one_loss_and_it_is_booked_once(database):
    business = a_business(database, items=1, stock=1000)
    site = second_site(business)
    transfer, line = a_transfer(business, 300, site)
    with business.work(ANNA) as work:
        give_up(work, GiveUp(transfer=transfer, line=line, quantity=Decimal(200), reason="the truck burnt"), **SAME)
    (asked,) = proposed(business)

    def agree():
        decided(business, asked)

    results = at_once(agree, agree)
    assert sum(not isinstance(one, Exception) for one in results) == 1
    assert balance(business, site=site)[0] == 100
    assert_books_agree(database)


def test_damaged_goods_are_thrown_away_from_their_own_status_and_never_more_than_lie_there(database):
    business = a_business(database, items=1, stock=10)
    place = {"site": business.site, "item": business.items[0]}
    with business.work(ANNA) as work:
        command = ChangeStatus(**place, quantity=Decimal(4), source="available", target="damaged", note="wet")
        change_status(work, [command], order_names=no_names, **SAME)

    def thrown(work, quantity, status="damaged"):
        return adjust(
            work, [Adjust(**place, quantity=Decimal(quantity), reason="damaged", note="bin", status=status)], **SAME
        )

    refused(business, lambda work: thrown(work, -5), "bin_short")
    refused(business, lambda work: thrown(work, -1, "in_transit"), "status_not_by_hand")
    refused(business, lambda work: thrown(work, 0), "quantity_zero")
    with business.work(ANNA) as work:
        thrown(work, -3)
    assert bins(business) == {(None, None, "damaged"): 1}
    assert balance(business) == (7, 0, 1, 1)
    assert_books_agree(database)


def test_a_location_is_blocked_with_a_reason_once_and_a_zone_has_one_code(database):
    business = a_business(database, items=1, stock=0)
    (shelf,) = locations(business, "A-01")
    refused(business, lambda work: block_location(work, shelf, blocked=True, reason=" "), "reason_required")
    with business.work(ANNA) as work:
        block_location(work, shelf, blocked=True, reason="a beam is bent")
        add_zone(work, business.site, "COLD", "Cold store")
    refused(business, lambda work: block_location(work, shelf, blocked=True, reason="again"), "location_is_so")
    with pytest.raises(Conflict, match="code_in_use"), business.work(ANNA) as work:
        add_zone(work, business.site, "COLD", "Another")
    with reading(database) as session:
        assert (
            session.execute(text("SELECT COUNT(*) FROM audit_entry WHERE kind = 'location_blocked'")).scalar_one() == 1
        )


def test_the_ledger_refuses_an_entry_in_a_closed_period_whoever_posts_it(database):
    business = a_business(database, items=1, stock=0)
    with business.work() as work:
        close_period(work, ClosePeriod(entity=business.entity, until=day(0), reason="month end"))

    def posted(work, on, document=1):
        place = Place(
            realm="live", entity=business.entity, site=business.site, currency="EUR", time_zone="Europe/Berlin"
        )
        entry = Entry(
            rule="adjustment", place=place, document_type="stock_move", document_id=document, journey=1, entry_on=on,
            posted_at=work.now, currency="EUR",
            sides=(Side(AccountRole.INVENTORY, 100), Side(AccountRole.ADJUSTMENT, -100)),
        )  # fmt: skip
        return post_entries(work, [entry])

    before = everything(business)
    with pytest.raises(RuleBroken, match="period_closed") as refusal, business.work() as work:
        posted(work, YESTERDAY, 2)
    assert (refusal.value.facts["day"], refusal.value.facts["until"]) == (YESTERDAY, day(0))
    assert everything(business) == before
    with business.work() as work:
        assert posted(work, day(0))[0] > 0
    with business.work() as work:
        close_period(work, ClosePeriod(entity=business.entity, until=YESTERDAY, reason="a late invoice"))
    with business.work() as work:
        posted(work, YESTERDAY, 2)


def test_a_back_dated_receipt_into_a_closed_period_changes_nothing(database):
    business = a_business(database, items=1, stock=10)
    business.clock.set(business.clock.now() + timedelta(days=3))
    with business.work() as work:
        close_period(work, ClosePeriod(entity=business.entity, until=day(2), reason="month end"))
    late = ChangeStock(
        site=business.site, item=business.items[0], quantity=Decimal(1), note="DN 9", at=business.clock.now() - timedelta(days=2)
    )  # fmt: skip
    before = everything(business)
    with pytest.raises(RuleBroken, match="period_closed"), business.work(source="import") as work:
        receive_stock(work, [late], **SAME)
    assert everything(business) == before


@pytest.mark.parametrize(
    "step", ["receive", "put away", "count", "ship transfer", "receive transfer", "give up", "status"]
)
def test_a_worker_killed_at_any_step_of_the_warehouse_leaves_nothing_and_can_do_it_again(database, step):
    business = a_business(database, items=1, stock=50)
    dock, shelf = (*locations(business, "DOCK", kind="receiving"), *locations(business, "A-01"))
    site = second_site(business)
    item, key = business.items[0], expected(business, 20)
    received(business, 5)
    transfer, line = a_transfer(business, 4, site)
    with business.work(ANNA) as work:
        (task,) = plan_counts(work, [PlanCount(site=business.site, item=item)], **SAME)
        start_count(work, task, **SAME)
    acts = {
        "receive": lambda work: receive_goods(
            work,
            ReceiveGoods(site=business.site, paper="DN 9", lines=[ReceivedLine(item=item, quantity=Decimal(20), expected=key)]),
            **SAME,
        ),
        "put away": lambda work: put_away(
            work, [PutAway(site=business.site, item=item, quantity=Decimal(5), source=dock, location=shelf)],
            order_names=no_names, **SAME,
        ),
        "count": lambda work: record_count(work, task, Decimal(46), **SAME),
        "ship transfer": lambda work: ship_transfers(
            work,
            [
                ShipTransfer(
                    from_site=business.site, to_site=site, arrives_on=day(2),
                    lines=[TransferLine(item=item, quantity=Decimal(3))],
                )
            ],
            **SAME,
        ),
        "receive transfer": lambda work: receive_transfer(
            work, ReceiveTransfer(transfer=transfer, lines=[ArrivedLine(line=line, quantity=Decimal(4))]),
            order_names=no_names, **SAME,
        ),
        "give up": lambda work: give_up(
            work, GiveUp(transfer=transfer, line=line, quantity=Decimal(4), reason="gone"), **SAME
        ),
        "status": lambda work: change_status(
            work,
            [ChangeStatus(site=business.site, item=item, quantity=Decimal(2), source="available", target="damaged", note="wet")],
            order_names=no_names, **SAME,
        ),
    }  # fmt: skip
    before = everything(business)
    killed(business, ANNA, acts[step])
    assert everything(business) == before
    with business.work(ANNA) as work:
        acts[step](work)
    assert everything(business) != before
    assert_books_agree(database)


def test_two_sites_ship_the_last_unit_and_one_of_them_gets_it(database):
    business = a_business(database, items=1, stock=1)
    site = second_site(business)

    def ship():
        a_transfer(business, 1, site)

    results = at_once(ship, ship)
    lost = [one for one in results if isinstance(one, Exception)]
    assert len(lost) == 1
    assert lost[0].code in ("stock_short", "bin_short", "busy")
    assert (balance(business)[0], balance(business, site=site)[0]) == (0, 1)
    assert_books_agree(database)


def test_a_serial_number_received_twice_on_one_paper_or_two_changes_nothing(database):
    business = a_business(database, items=1, stock=0)
    tracked(business, "serial")
    received(business, 1, serials=("S-1",))
    item = business.items[0]
    for serials in (("S-2", "S-2"), ("S-1", "S-3")):
        line = ReceivedLine(item=item, quantity=Decimal(2), serials=serials)
        refused(
            business,
            lambda work, line=line: receive_goods(
                work, ReceiveGoods(site=business.site, paper="DN 9", lines=[line]), **SAME
            ),
            "serial_in_stock",
        )

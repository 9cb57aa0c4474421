"""Goods that come: against what was expected, with discrepancies, in packs; and from other sites, in transit meanwhile."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text

from app.composition.uow import reading
from erpcore.inventory.losing import GiveUp, give_up
from erpcore.inventory.places import KeepItem, keep_item
from erpcore.inventory.receiving import ChangeExpected, change_expected
from erpcore.inventory.transfers import (
    ArrivedLine,
    ReceiveTransfer,
    ShipTransfer,
    TransferLine,
    receive_transfer,
    ship_transfers,
)
from erpcore.kernel.errors import Conflict, DomainError, NotFound, RuleBroken
from erpcore.ledger.periods import ClosePeriod, close_period
from erpcore.masterdata.units import AddPack, add_packs
from erpcore.orders.services import NewLine, capture_orders
from tests.support.controls import assert_books_agree
from tests.support.core import MONDAY, OPEN, RULES, a_business
from tests.support.steps import allocated
from tests.support.threads import at_once
from tests.support.warehouse import (
    ANNA,
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
)

SAME = {"rules": RULES, "cells": OPEN}


class Tolerant:
    """Rules of a site that takes 10 % more than was expected."""

    def __getattr__(self, name):
        return getattr(RULES, name)

    def resolve(self, work, **scope):
        found = RULES.resolve(work, **scope)
        return type(found)(found.hash, {**found.values, "over_receipt_tolerance_permille": 100}, found.variants)


def open_of(business, key):
    with reading(business.database) as session:
        row = session.execute(
            text("SELECT quantity, received, cancelled FROM expected_receipt WHERE id = :k"), {"k": key}
        ).one()
    return tuple(int(value) // 1000 for value in row)


def lines_of(business, receipt):
    with reading(business.database) as session:
        return [
            tuple(row)
            for row in session.execute(
                text(
                    "SELECT discrepancy, difference, quantity, damaged FROM goods_receipt_line WHERE receipt_id = :r "
                    "ORDER BY line_no"
                ),
                {"r": receipt},
            )
        ]


def test_what_is_expected_is_received_in_parts_and_the_rest_stays_open(database):
    business = a_business(database, items=1, stock=0)
    key = expected(business, 20)
    received(business, 12, expected=key)
    assert open_of(business, key) == (20, 12, 0)
    received(business, 8, expected=key)
    assert open_of(business, key) == (20, 20, 0)
    assert balance(business) == (20, 0, 0, 0)
    assert_books_agree(database)


def test_a_short_delivery_that_is_the_last_closes_what_does_not_come(database):
    business = a_business(database, items=1, stock=0)
    key = expected(business, 20)
    done = received(business, 17, expected=key, last=True)
    assert done.discrepancies == ["short"]
    assert open_of(business, key) == (20, 17, 3)
    assert lines_of(business, done.id) == [("short", -3000, 17000, 0)]


def test_receiving_more_than_expected_is_refused_beyond_the_tolerance_and_changes_nothing(database):
    business = a_business(database, items=1, stock=0)
    key = expected(business, 20)
    before = everything(business)
    with pytest.raises(RuleBroken) as refusal:
        received(business, 21, expected=key)
    assert (refusal.value.code, refusal.value.facts["most"]) == ("received_too_much", "20")
    assert everything(business) == before


def test_a_site_that_tolerates_ten_percent_takes_two_more_of_twenty_and_not_three(database, monkeypatch):
    import tests.support.warehouse as support

    business = a_business(database, items=1, stock=0)
    key = expected(business, 20)
    monkeypatch.setattr(support, "RULES", Tolerant())
    with pytest.raises(RuleBroken, match="received_too_much"):
        received(business, 23, expected=key)
    done = received(business, 22, expected=key)
    assert lines_of(business, done.id) == [("over", 2000, 22000, 0)]
    assert open_of(business, key) == (20, 22, 0)
    assert_books_agree(database)


def test_damaged_goods_come_in_as_damaged_and_another_item_is_written_down_as_such(database):
    business = a_business(database, items=2, stock=0)
    key = expected(business, 10)
    done = received(business, 10, expected=key, damaged=Decimal(2), reason="crushed carton")
    assert lines_of(business, done.id) == [("damaged", 0, 10000, 2000)]
    assert balance(business) == (10, 0, 2, 2)
    assert bins(business) == {(None, None, "damaged"): 2}
    other = received(business, 4, item=1, other_item=True)
    assert (other.discrepancies, balance(business, item=1)) == (["other_item"], (4, 0, 0, 0))
    assert_books_agree(database)


def test_what_one_paper_expects_is_not_received_as_another_item_or_at_another_site(database):
    business = a_business(database, items=2, stock=0)
    key = expected(business, 10)
    site = second_site(business)
    before = everything(business)
    with pytest.raises(RuleBroken, match="expected_other_item"):
        received(business, 1, item=1, expected=key)
    with pytest.raises(RuleBroken, match="expected_elsewhere"):
        received(business, 1, expected=key, site=site)
    with pytest.raises(NotFound, match="expected_unknown"):
        received(business, 1, expected=77)
    assert everything(business) == before


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"quantity": "0"}, "quantity_not_positive_here"),
        ({"quantity": "-4"}, "quantity_not_positive_here"),
        ({"quantity": "1.5"}, "quantity_too_precise"),
        ({"quantity": "1e10"}, "quantity_absurd"),
        ({"quantity": "4", "damaged": Decimal(5)}, "quantity_not_positive_here"),
    ],
)
def test_a_receipt_of_a_quantity_that_cannot_be_changes_nothing(database, changes, code):
    business = a_business(database, items=1, stock=0)
    before = everything(business)
    with pytest.raises(RuleBroken) as refusal:
        received(business, **changes)
    assert refusal.value.code == code
    assert everything(business) == before


def test_two_receivers_of_the_same_expectation_receive_it_once(database):
    business = a_business(database, items=1, stock=0)
    key = expected(business, 20)

    def receive():
        received(business, 15, expected=key)

    results = at_once(receive, receive)
    assert sorted(str(getattr(one, "code", one)) for one in results) == ["None", "received_too_much"]
    assert open_of(business, key) == (20, 15, 0)
    assert balance(business) == (15, 0, 0, 0)
    assert_books_agree(database)


def test_a_receiver_who_saw_an_older_state_is_told(database):
    business = a_business(database, items=1, stock=0)
    key = expected(business, 20)
    received(business, 5, expected=key, seen_version=1)
    before = everything(business)
    with pytest.raises(Conflict):
        received(business, 5, expected=key, seen_version=1)
    assert everything(business) == before


def test_what_is_expected_moves_to_another_day_or_is_given_up_but_never_more_than_is_open(database):
    business = a_business(database, items=1, stock=0)
    key = expected(business, 20)
    received(business, 15, expected=key)
    with business.work() as work:
        change_expected(work, [ChangeExpected(expected=key, expected_on=day(9), cancelled=Decimal(5))], **SAME)
    assert open_of(business, key) == (20, 15, 5)
    with business.work() as work, pytest.raises(RuleBroken, match="cancel_above_open"):
        change_expected(work, [ChangeExpected(expected=key, cancelled=Decimal(6))], **SAME)


def test_goods_are_received_in_packs_exactly_and_what_does_not_come_out_whole_is_refused(database):
    business = a_business(database, items=1, stock=0)
    with business.work() as work:
        add_packs(
            work,
            [
                AddPack(item=business.items[0], code="box", name="box of 12", numerator=12),
                AddPack(item=business.items[0], code="third", name="third of a box of 12", numerator=12, denominator=3),
            ],
        )
    received(business, 3, unit="box")
    received(business, 2, unit="third")
    assert balance(business) == (44, 0, 0, 0)
    before = everything(business)
    for quantity, unit, code in (("0.1", "box", "pack_not_whole"), ("1", "pallet", "pack_unknown")):
        with pytest.raises(RuleBroken) as refusal:
            received(business, quantity, unit=unit)
        assert refusal.value.code == code
    assert everything(business) == before


def test_a_pack_that_no_whole_number_of_units_fills_or_whose_code_is_taken_is_refused(database):
    business = a_business(database, items=1, stock=0)
    pack = {"item": business.items[0], "name": "pack", "numerator": 12}
    with business.work() as work:
        add_packs(work, [AddPack(code="box", barcode="4006381333931", **pack)])
    before = everything(business)
    for code, changes in (
        ("code_in_use", {"code": "box"}),
        ("code_in_use", {"code": "pc"}),
        ("code_in_use", {"code": "case", "barcode": "4006381333931"}),
        ("pack_size", {"code": "none", "numerator": 0}),
        ("pack_size", {"code": "huge", "numerator": 10**7}),
    ):
        with business.work() as work, pytest.raises(DomainError, match=code):
            add_packs(work, [AddPack(**{**pack, **changes})])
    assert everything(business) == before


def shipped_transfer(business, site, quantity=6, *, actor=None, **line):
    with business.work(actor) as work:
        (made,) = ship_transfers(
            work,
            [
                ShipTransfer(
                    from_site=business.site, to_site=site, arrives_on=day(2),
                    lines=[TransferLine(item=business.items[0], quantity=Decimal(quantity), **line)],
                )
            ],
            **SAME,
        )  # fmt: skip
    return made


def arrived(business, transfer, quantity, *, actor=None, damaged=0, **changes):
    with business.work(actor) as work:
        command = ReceiveTransfer(
            transfer=transfer.id,
            lines=[ArrivedLine(line=line_of(business, transfer), quantity=Decimal(quantity), damaged=Decimal(damaged))],
            **changes,
        )  # fmt: skip
        return receive_transfer(work, command, order_names=no_names, **SAME)


def line_of(business, transfer):
    with reading(business.database) as session:
        return session.execute(
            text("SELECT id FROM stock_transfer_line WHERE transfer_id = :t"), {"t": transfer.id}
        ).scalar_one()


def test_goods_on_their_way_belong_to_the_receiving_site_and_are_not_free(database):
    business = a_business(database, items=1, stock=10)
    site = second_site(business)
    shipped_transfer(business, site)
    assert balance(business) == (4, 0, 0, 0)
    assert balance(business, site=site) == (6, 0, 6, 6)
    assert bins(business, site=site) == {(None, None, "in_transit"): 6}
    assert_books_agree(database)


def test_a_transfer_keeps_the_lots_and_waits_to_be_put_away_where_the_site_has_a_dock(database):
    business = a_business(database, items=1, stock=0)
    tracked(business, "lot")
    received(business, 5, lot="L-1", expires_on=day(90))
    site = second_site(business)
    locations(business, "DOCK", kind="receiving", site=site)
    transfer = shipped_transfer(business, site, 5)
    assert arrived(business, transfer, 5, damaged=1) == (True, False)
    assert bins(business, site=site) == {("DOCK", "L-1", "received"): 4, ("DOCK", "L-1", "damaged"): 1}
    assert_books_agree(database)


@pytest.mark.parametrize("dock", ["a dock", ""])
def test_what_comes_by_transfer_past_its_last_day_lies_in_quarantine_at_once(database, dock):
    business = a_business(database, items=1, stock=0)
    tracked(business, "lot")
    received(business, 5, lot="L-1", expires_on=day(1))
    site = second_site(business)
    if dock:
        locations(business, "DOCK", kind="receiving", site=site)
    transfer = shipped_transfer(business, site, 5)
    assert arrived(business, transfer, 1) == (False, False)
    business.clock.advance(timedelta(days=2))
    assert arrived(business, transfer, 4, damaged=1) == (True, True)
    where = "DOCK" if dock else None
    early = (where, "L-1", "received" if dock else "available")
    assert bins(business, site=site) == {early: 1, (where, "L-1", "quarantine"): 3, (where, "L-1", "damaged"): 1}
    assert balance(business, site=site)[:3] == (5, 0, 5 if dock else 4)
    assert_books_agree(database)


def test_what_did_not_arrive_stays_in_transit_until_it_comes_or_is_given_up_with_a_reason(database):
    business = a_business(database, items=1, stock=10)
    site = second_site(business)
    transfer = shipped_transfer(business, site)
    assert not arrived(business, transfer, 3).settled
    assert balance(business, site=site) == (6, 0, 3, 3)
    assert not arrived(business, transfer, 1).settled
    line = line_of(business, transfer)
    with business.work() as work, pytest.raises(RuleBroken, match="reason_required"):
        give_up(work, GiveUp(transfer=transfer.id, line=line, quantity=Decimal(2), reason=" "), **SAME)
    with business.work() as work:
        assert give_up(
            work, GiveUp(transfer=transfer.id, line=line, quantity=Decimal(2), reason="fell off"), **SAME
        ).settled
    assert balance(business, site=site) == (4, 0, 0, 0)
    assert_books_agree(database)


def test_more_than_is_on_its_way_is_never_received(database):
    business = a_business(database, items=1, stock=10)
    site = second_site(business)
    transfer = shipped_transfer(business, site)
    before = everything(business)
    for quantity, code in ((7, "transfer_too_much"), (0, "nothing_received"), ("-1", "quantity_not_positive_here")):
        with pytest.raises(RuleBroken) as refusal:
            arrived(business, transfer, quantity)
        assert refusal.value.code == code
    assert everything(business) == before


def test_a_transfer_takes_only_what_is_free(database):
    business = a_business(database, items=1, stock=10)
    site = second_site(business)
    allocated(business, [(0, 8)])
    before = everything(business)
    for quantity in (3, 11):
        with pytest.raises(RuleBroken, match="stock_short"):
            shipped_transfer(business, site, quantity)
    assert everything(business) == before
    shipped_transfer(business, site, 2)
    assert balance(business) == (8, 8, 0, 0)


def test_a_crash_between_shipping_and_receiving_leaves_the_goods_in_transit_and_nothing_twice(database):
    business = a_business(database, items=1, stock=10)
    site = second_site(business)

    class Killed(BaseException):
        pass

    transfer = shipped_transfer(business, site)
    lines = [ArrivedLine(line=line_of(business, transfer), quantity=Decimal(6))]

    def receive_and_die():
        with business.work() as work:
            receive_transfer(work, ReceiveTransfer(transfer=transfer.id, lines=lines), order_names=no_names, **SAME)
            raise Killed

    with pytest.raises(Killed):
        receive_and_die()
    assert balance(business, site=site) == (6, 0, 6, 6)
    assert_books_agree(database)
    assert arrived(business, transfer, 6, seen_version=1).settled
    with pytest.raises(DomainError):
        arrived(business, transfer, 6)
    assert balance(business, site=site) == (6, 0, 0, 0)
    assert_books_agree(database)


def test_two_receivers_of_one_transfer_receive_it_once(database):
    business = a_business(database, items=1, stock=10)
    site = second_site(business)
    transfer = shipped_transfer(business, site)

    def receive():
        arrived(business, transfer, 4)

    results = at_once(receive, receive)
    assert sorted(str(getattr(one, "code", one)) for one in results) == ["None", "transfer_too_much"]
    assert balance(business, site=site) == (6, 0, 2, 2)
    assert_books_agree(database)


def test_a_transfer_is_received_as_such_and_never_as_a_supplier_s_goods(database):
    business = a_business(database, items=1, stock=10)
    site = second_site(business)
    shipped_transfer(business, site)
    with reading(business.database) as session:
        key = session.execute(text("SELECT id FROM expected_receipt")).scalar_one()
    before = everything(business)
    with pytest.raises(RuleBroken, match="receive_as_transfer"):
        received(business, 6, expected=key, site=site)
    assert everything(business) == before


def test_a_serial_number_travels_and_is_still_there_once(database):
    business = a_business(database, items=1, stock=0)
    tracked(business, "serial")
    received(business, 1, serials=["S-1"])
    site = second_site(business)
    transfer = shipped_transfer(business, site, 1)
    with pytest.raises(RuleBroken, match="serial_in_stock"):
        received(business, 1, serials=["S-1"])
    arrived(business, transfer, 1)
    assert bins(business, site=site) == {(None, "S-1", "available"): 1}
    assert_books_agree(database)


def close(business, until, actor=None, reason="month end"):
    with business.work(actor) as work:
        close_period(work, ClosePeriod(entity=business.entity, until=until, reason=reason))


def test_a_back_dated_move_into_a_closed_period_is_refused_and_one_after_it_is_not(database):
    from erpcore.inventory.stock import ChangeStock, receive_stock

    business = a_business(database, items=1, stock=10)
    close(business, date(2026, 3, 1))

    def back_dated(at):
        with business.work(source="import") as work:
            command = ChangeStock(
                site=business.site, item=business.items[0], quantity=Decimal(5), note="late paper", at=at
            )
            receive_stock(work, [command], **SAME)

    before = everything(business)
    with pytest.raises(RuleBroken, match="period_closed"):
        back_dated(MONDAY.replace(month=2, day=28))
    assert everything(business) == before
    # Half past eleven in the evening in UTC is the first of March in Duisburg.
    back_dated(MONDAY.replace(month=2, day=28, hour=23, minute=30))
    assert balance(business) == (15, 0, 0, 0)


def test_a_period_is_closed_for_days_that_are_over_by_who_may_and_with_a_reason(database):
    business = a_business(database, items=1, stock=10)
    before = everything(business)
    for until, actor, reason, code in (
        (day(1), None, "early", "period_not_over"),
        (day(0), None, " ", "reason_required"),
        (day(0), ANNA, "month end", "not_allowed"),
    ):
        with pytest.raises(DomainError, match=code):
            close(business, until, actor, reason)
    assert everything(business) == before


def captured_in(business, quantity, unit=None):
    with business.work() as work:
        line = NewLine(item=business.items[0], quantity=Decimal(quantity), unit=unit)
        (order,) = capture_orders(work, [replace(business.order(), lines=[line])], **SAME)
    return order


def sold_in_twelves(business):
    with business.work() as work:
        add_packs(work, [AddPack(item=business.items[0], code="box", name="box of 12", numerator=12)])
        keep_item(work, KeepItem(item=business.items[0], tracking="none", order_multiple=Decimal(12)))


def test_an_order_in_packs_is_kept_in_the_item_s_own_unit(database):
    business = a_business(database, items=1, stock=100)
    sold_in_twelves(business)
    order = captured_in(business, 3, "box")
    assert [line.quantity for line in order.lines] == [36_000]
    assert order.value_minor == 36_000


def test_a_quantity_below_a_pack_or_between_two_is_refused_and_nothing_is_taken(database):
    business = a_business(database, items=1, stock=100)
    sold_in_twelves(business)
    before = everything(business)
    for quantity, code in ((11, "quantity_below_pack"), (13, "quantity_no_multiple"), ("0.5", "quantity_below_pack")):
        with pytest.raises(RuleBroken) as refusal:
            captured_in(business, quantity)
        assert (refusal.value.code, refusal.value.field) == (code, "lines-0-quantity")
    with pytest.raises(RuleBroken, match="quantity_no_multiple"):
        captured_in(business, "1.5", "box")
    with pytest.raises(RuleBroken, match="pack_not_whole"):
        captured_in(business, "0.1", "box")
    assert everything(business) == before

"""Goods between companies: a sale here and its mirror there, once, whole or not at all; turned back on both sides; and proved."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.composition.uow import reading
from app.queries.controls import compare_controls
from erpcore.inventory.sisters import records
from erpcore.inventory.transfers import ArrivedLine, ReceiveTransfer, receive_transfer
from erpcore.kernel.errors import Conflict, DomainError, NotFound
from erpcore.masterdata.counterparts import KeepCounterpart, keep_counterparts, part_counterparts
from tests.support.controls import assert_books_agree
from tests.support.core import OPEN, RULES, a_business
from tests.support.costing import chosen
from tests.support.sisters import a_rate, a_sister, balances, lose_a_side, sent, sent_back, turned
from tests.support.threads import at_once
from tests.support.trader import fingerprint_of
from tests.support.warehouse import no_names


@pytest.fixture
def business(database):
    return a_business(database)


@pytest.fixture
def sister(business):
    return a_sister(business)


def rows(business, query):
    with reading(business.database) as session:
        return [tuple(row) for row in session.execute(text(query))]


def refused(business, code, act, kind=DomainError):
    before = fingerprint_of(business.database)
    with pytest.raises(kind) as caught:
        act()
    assert caught.value.code == code
    assert fingerprint_of(business.database) == before, "a refusal moves nothing at either company"
    return caught.value


def arrives(business, transfer):
    """All of it, in one go."""
    lines = rows(business, f"SELECT id, quantity FROM stock_transfer_line WHERE transfer_id = {transfer} ORDER BY id")
    arrived = [ArrivedLine(line=line, quantity=Decimal(quantity).scaleb(-3)) for line, quantity in lines]
    with business.work() as work:
        receive_transfer(
            work, ReceiveTransfer(transfer=transfer, lines=arrived), rules=RULES, cells=OPEN, order_names=no_names
        )


def differences(business):
    with reading(business.database, snapshot=True) as session:
        return {row.control for row in compare_controls(session) if row.difference}


def test_a_transfer_is_a_sale_here_and_a_purchase_there_in_the_currency_of_each(business, sister):
    rate = a_rate(business)
    here = balances(business, business.entity)
    done = sent(business, sister, ((0, 10, "6.00"), (1, 2, "7.50")))
    assert done.was_there is False
    assert rows(
        business,
        "SELECT side, currency, amount_minor, agreed_currency, agreed_minor, cost_minor, rate_id FROM sister_document "
        "ORDER BY side DESC",
    ) == [
        ("sale", "EUR", 7_500, "EUR", 7_500, 4_800, rate),
        ("purchase", "CHF", 7_125, "EUR", 7_500, 6_000, rate),
    ]
    now = balances(business, business.entity)
    assert {role: now[role] - here.get(role, 0) for role in now if now[role] != here.get(role, 0)} == {
        "sister_receivable": 7_500, "sister_revenue": -7_500, "sister_cost": 4_800, "inventory": -4_800,
    }  # fmt: skip
    # At standard cost there: 12 × 5.00, and the difference from the transfer price is an adjustment.
    assert balances(business, sister.entity) == {"inventory": 6_000, "adjustment": 1_125, "sister_payable": -7_125}
    assert rows(business, "SELECT item_id, quantity, status FROM stock_bin WHERE status = 'in_transit' ORDER BY item_id") == [
        (sister.items[0], 10_000, "in_transit"), (sister.items[1], 2_000, "in_transit"),
    ]  # fmt: skip
    assert_books_agree(business.database)


def test_the_goods_arrive_in_parts_as_those_of_any_transfer(business, sister):
    a_rate(business)
    done = sent(business, sister)
    ((line,),) = rows(business, "SELECT id FROM stock_transfer_line")
    for part in (4, 6):
        arrived = ReceiveTransfer(transfer=done.transfer, lines=[ArrivedLine(line=line, quantity=Decimal(part))])
        with business.work() as work:
            receive_transfer(work, arrived, rules=RULES, cells=OPEN, order_names=no_names)
        assert_books_agree(business.database)
    assert rows(business, f"SELECT on_hand, blocked FROM stock_balance WHERE item_id = {sister.items[0]}") == [
        (10_000, 0)
    ]
    refused(business, "sister_arrived", lambda: turned(business, done.transfer))


def test_what_is_sent_again_under_its_key_is_sent_once_and_another_under_that_key_is_refused(business, sister):
    a_rate(business)
    first = sent(business, sister)
    before = fingerprint_of(business.database)
    again = sent(business, sister)
    assert (again.transfer, again.number, again.was_there) == (first.transfer, first.number, True)
    assert fingerprint_of(business.database) == before
    refused(business, "sister_key_used", lambda: sent(business, sister, ((0, 11, "6.00"),)), Conflict)
    other = sent(business, sister, key="two")
    assert other.transfer != first.transfer
    assert len(rows(business, "SELECT 1 FROM sister_document")) == 4


def test_a_key_of_goods_that_should_have_arrived_by_now_still_finds_them(business, sister):
    a_rate(business)
    first = sent(business, sister)
    business.clock.set(business.clock.now() + timedelta(days=5))
    assert sent(business, sister) == first._replace(was_there=True)


def test_of_two_who_send_under_one_key_at_once_one_mirrors_and_the_other_finds_it(business, sister):
    a_rate(business)
    found = at_once(*[lambda: sent(business, sister)] * 3)
    assert len({one.transfer for one in found}) == 1, found
    assert sorted(one.was_there for one in found) == [False, True, True]
    assert rows(business, "SELECT side, COUNT(*) FROM sister_document GROUP BY side ORDER BY side") == [
        ("purchase", 1), ("sale", 1),
    ]  # fmt: skip
    assert_books_agree(business.database)


def test_of_two_who_send_other_goods_under_one_key_at_once_only_one_does(business, sister):
    a_rate(business)
    found = at_once(
        lambda: sent(business, sister, ((0, 10, "6.00"),)), lambda: sent(business, sister, ((1, 10, "6.00"),))
    )
    (failed,) = [one for one in found if isinstance(one, Exception)]
    assert failed.code in {"sister_key_used", "sister_sent_meanwhile"}
    assert len(rows(business, "SELECT 1 FROM sister_document")) == 2
    assert len(rows(business, "SELECT 1 FROM stock_transfer")) == 1
    assert_books_agree(business.database)


def test_two_companies_that_send_to_each_other_at_once_wait_and_do_not_block_each_other(business, sister):
    a_rate(business)
    done = sent(business, sister, ((0, 20, "6.00"), (1, 20, "6.00")))
    arrives(business, done.transfer)
    found = at_once(
        lambda: sent(business, sister, ((0, 5, "6.00"), (1, 5, "6.00")), key="there 1"),
        lambda: sent_back(business, sister, ((1, 5, "7.00"), (0, 5, "7.00")), key="back 1"),
        lambda: sent(business, sister, ((1, 5, "6.00"), (0, 5, "6.00")), key="there 2"),
        lambda: sent_back(business, sister, ((0, 5, "7.00"), (1, 5, "7.00")), key="back 2"),
    )
    assert [getattr(one, "was_there", one) for one in found] == [False] * 4
    assert len(rows(business, "SELECT 1 FROM sister_document")) == 10
    assert_books_agree(business.database)


def test_of_two_who_turn_it_back_at_once_while_it_arrives_only_one_thing_happens(business, sister):
    a_rate(business)
    done = sent(business, sister)
    found = at_once(
        lambda: turned(business, done.transfer), lambda: turned(business, done.transfer),
        lambda: arrives(business, done.transfer),
    )  # fmt: skip
    failed = {one.code for one in found if isinstance(one, Exception)}
    assert len([one for one in found if isinstance(one, Exception)]) == 2, found
    assert failed <= {"sister_turned", "sister_arrived", "transfer_too_much", "stock_short"}, failed
    assert_books_agree(business.database)


def test_a_crash_between_the_two_sides_leaves_neither(business, sister, monkeypatch):
    a_rate(business)
    entries = records.post_entries

    def crash(work, posted):
        if posted[0].rule == "sister_purchase":
            raise RuntimeError("power")
        return entries(work, posted)

    before = fingerprint_of(business.database)
    with monkeypatch.context() as patched:
        patched.setattr(records, "post_entries", crash)
        with pytest.raises(RuntimeError, match="power"):
            sent(business, sister)
    assert fingerprint_of(business.database) == before
    sent(business, sister)
    assert_books_agree(business.database)


def test_a_rate_missing_for_the_date_stops_both_sides_and_says_which(business, sister):
    missing = refused(business, "rate_missing", lambda: sent(business, sister))
    assert missing.facts == {"pair": "EUR/CHF", "day": date(2026, 3, 2)}
    a_rate(business, day=date(2026, 3, 2) - timedelta(days=8))
    refused(business, "rate_too_old", lambda: sent(business, sister))
    a_rate(business)
    sent(business, sister)


def test_where_the_sister_keeps_an_average_or_layers_goods_are_worth_the_transfer_price(business, sister):
    a_rate(business)
    chosen(business, "average", site=sister.site)
    sent(business, sister, ((0, 10, "6.00"),))
    assert balances(business, sister.entity) == {"inventory": 5_700, "sister_payable": -5_700}
    sent(business, sister, ((0, 10, "8.00"),), key="two")
    assert balances(business, sister.entity) == {"inventory": 13_300, "sister_payable": -13_300}
    assert_books_agree(business.database)


def test_turned_back_from_an_average_what_is_not_worth_its_price_any_more_is_an_adjustment(business, sister):
    a_rate(business)
    chosen(business, "average", site=sister.site)
    first = sent(business, sister, ((0, 10, "6.00"),))
    sent(business, sister, ((0, 10, "8.00"),), key="two")
    turned(business, first.transfer)
    # Twenty were worth 133.00, so ten leave with 66.50; their purchase was of 57.00.
    assert balances(business, sister.entity) == {"inventory": 6_650, "adjustment": 950, "sister_payable": -7_600}
    assert_books_agree(business.database)


def test_within_one_country_it_would_be_a_taxed_sale_and_is_refused(business):
    sister = a_sister(business, country="Germany")
    a_rate(business)
    refused(business, "sister_taxed", lambda: sent(business, sister))


def test_goods_can_go_for_nothing(business, sister):
    a_rate(business)
    done = sent(business, sister, ((0, 10, "0"),))
    assert balances(business, sister.entity) == {"inventory": 5_000, "adjustment": -5_000}
    turned(business, done.transfer)
    assert balances(business, sister.entity) == {}
    assert_books_agree(business.database)


def test_companies_of_one_currency_need_no_rate(business):
    sister = a_sister(business, currency="EUR")
    sent(business, sister)
    assert rows(business, "SELECT DISTINCT amount_minor, rate_id FROM sister_document") == [(6_000, None)]
    assert_books_agree(business.database)


def test_without_a_transfer_price_goods_go_at_what_they_cost(business):
    sister = a_sister(business, currency="EUR", cost="4.00")
    sent(business, sister, ((0, 10, None),))
    assert balances(business, sister.entity) == {"inventory": 4_000, "sister_payable": -4_000}


def test_bad_input_is_refused_at_both_companies(business, sister):
    a_rate(business)
    for code, act in (
        ("counterpart_missing", lambda: sent(business, sister, ((2, 1, "6.00"),))),
        ("stock_short", lambda: sent(business, sister, ((0, 101, "6.00"),))),
        ("quantity_not_positive_here", lambda: sent(business, sister, ((0, 0, "6.00"),))),
        ("sister_price", lambda: sent(business, sister, ((0, 1, "-1"),))),
        ("sister_lines", lambda: sent(business, sister, ())),
        ("sister_lines", lambda: sent(business, sister, ((0, 1, "6.00"), (0, 2, "6.00")))),
        ("sister_same_company", lambda: sent(business, sister, to_site=business.site)),
        ("sister_key", lambda: sent(business, sister, key=" ")),
        ("arrives_in_past", lambda: sent(business, sister, arrives_on=date(2026, 3, 1))),
    ):
        refused(business, code, act)


def test_turning_it_back_turns_both_sides_once_and_all_accounts_are_as_before(business, sister):
    a_rate(business)
    here, there = balances(business, business.entity), balances(business, sister.entity)
    done = sent(business, sister, ((0, 10, "6.00"), (1, 2, "7.50")))
    refused(business, "reason_required", lambda: turned(business, done.transfer, " "))
    turned(business, done.transfer)
    assert (balances(business, business.entity), balances(business, sister.entity)) == (here, there)
    assert rows(business, "SELECT COUNT(*) FROM sister_document WHERE kind = 'turned_back'") == [(2,)]
    assert rows(business, "SELECT state FROM stock_transfer") == [("settled",)]
    assert_books_agree(business.database)
    refused(business, "sister_turned", lambda: turned(business, done.transfer))


def test_a_mirrored_document_deleted_at_one_side_is_refused_and_nothing_moves(business, sister):
    a_rate(business)
    sent(business, sister)
    before = fingerprint_of(business.database)
    for table in ("sister_document_line", "sister_document"):
        for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET amount_minor = 0"):
            with pytest.raises(DBAPIError, match="history"), business.work() as work:
                work.session.execute(text(statement))
    assert fingerprint_of(business.database) == before
    assert differences(business) == set()


@pytest.mark.parametrize("side", ["sale", "purchase"])
def test_a_mirrored_document_deleted_at_one_side_past_the_program_is_named_and_goes_no_further(business, sister, side):
    a_rate(business)
    done = sent(business, sister)
    lose_a_side(business, side)
    account = {"sale": "sister_receivable", "purchase": "sister_payable"}[side]
    assert differences(business) == {"sister_mirrored", "sister_goods", account}
    refused(business, "sister_side_missing", lambda: turned(business, done.transfer), NotFound)
    # Under its key it is neither found whole nor sent anew.
    refused(business, "sister_side_missing", lambda: sent(business, sister), NotFound)


def test_counterparts_are_kept_in_pairs_of_items_that_are_counted_alike(business, sister):
    def pair(first, second):
        with business.work() as work:
            keep_counterparts(work, [KeepCounterpart(item=first, counterpart=second)])

    before = fingerprint_of(business.database)
    pair(business.items[0], sister.items[0])
    assert fingerprint_of(business.database) == before, "told again it changes nothing"
    refused(business, "counterpart_same_company", lambda: pair(business.items[0], business.items[1]))
    refused(business, "counterpart_taken", lambda: pair(business.items[0], sister.items[2]))
    refused(business, "counterpart_taken", lambda: pair(business.items[2], sister.items[0]))
    with business.work() as work:
        part_counterparts(work, business.items[0], sister.items[0])
    pair(business.items[0], sister.items[2])
    assert len(rows(business, "SELECT 1 FROM item_counterpart")) == 4

"""Stock valued by layers or by its average: consumed in order, exact to the minor unit, and what costs more later never rewrites."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from erpcore.inventory.receiving import ReceivedLine, ReceiveGoods
from erpcore.inventory.stock import ChangeStock, adjust_stock, receive_stock, reverse_adjustment
from erpcore.inventory.transfers import ShipTransfer, TransferLine, ship_transfers
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import Conflict, DomainError, NotAllowed, NotFound
from erpcore.purchasing.receiving import receive_purchased
from tests.db.core.test_returns import authorised, inspected, received
from tests.support.controls import assert_books_agree
from tests.support.core import OPEN, RULES, a_business
from tests.support.costing import bought, chosen, cost_came, layers, posted, worth
from tests.support.queries import all_statements
from tests.support.steps import shipped
from tests.support.story import rows
from tests.support.supply import a_supplier, expected_of, ordered
from tests.support.threads import at_once
from tests.support.trader import fingerprint_of
from tests.support.warehouse import TODAY, second_site

BOTH = {"rules": RULES, "cells": OPEN}
CLERK = Actor(id=71, role="customer_service", permissions=frozenset({"orders:order:capture"}))


def refused(business, code, act, kind=DomainError):
    """The act is refused with that code, and nothing has changed."""
    before = fingerprint_of(business.database)
    with pytest.raises(kind) as error:
        act()
    assert error.value.code == code
    assert fingerprint_of(business.database) == before


def taken(business, quantity, item=0):
    """So many leave by an adjustment."""
    with business.work() as work:
        command = ChangeStock(site=business.site, item=business.items[item], quantity=Decimal(-quantity), note="gone")
        return adjust_stock(work, [command], **BOTH)[0]


def a_layered(database, method="fifo", **changes):
    """A business without stock whose site values by this method."""
    business = a_business(database, **{"stock": 0, **changes})
    chosen(business, method)
    return business


def two_layers(database):
    """Ten at 3.00 and, a day later, ten at 4.50."""
    business = a_layered(database)
    first = bought(business, "3.00", 10)
    business.clock.advance(timedelta(days=1))
    return business, first, bought(business, "4.50", 10)


def test_what_came_first_goes_first_at_what_it_cost(database):
    business, _, _ = two_layers(database)
    assert layers(business) == [(10, 10, 3000), (10, 10, 4500)]
    shipped(business, ((0, 12),))
    assert layers(business) == [(10, 0, 0), (10, 8, 3600)]
    assert posted(business, "cost_of_sales") == 3900
    assert worth(business) == ("fifo", 8, 3600)
    assert_books_agree(database)


def test_an_average_moves_with_what_comes_and_goes(database):
    business = a_layered(database, "average")
    bought(business, "3.00", 10)
    bought(business, "4.50", 10)
    shipped(business, ((0, 12),))
    assert worth(business) == ("average", 8, 3000)
    assert posted(business, "cost_of_sales") == 4500
    assert layers(business) == []
    assert_books_agree(database)


@pytest.mark.parametrize("method", ["fifo", "average"])
def test_a_third_of_a_cent_stays_with_the_last_piece(database, method):
    business = a_layered(database, method)
    receipt = bought(business, "3.33", 3)
    cost_came(business, receipt, "0.01")
    assert worth(business) == (method, 3, 1000)
    gone = [taken(business, 1).value for _ in range(3)]
    assert gone == [-333, -334, -333]
    assert worth(business) == (method, 0, 0)
    assert_books_agree(database)


def test_what_comes_back_is_a_layer_of_its_own_at_what_it_cost_when_it_left(database):
    business, _, _ = two_layers(database)
    order, _ = shipped(business, ((0, 12),))
    back = authorised(business, order)
    received(business, back)
    inspected(business, back, ("4", "restock"))
    assert layers(business) == [(10, 0, 0), (10, 8, 3600), (4, 4, 1300)]
    assert posted(business, "cost_of_sales") == 3900 - 1300
    assert_books_agree(database)


def test_a_late_cost_raises_what_is_here_and_the_rest_is_cost_of_sales_of_that_day(database):
    business, first, _ = two_layers(database)
    shipped(business, ((0, 4),))
    before = rows(business, "SELECT id, value_minor, unit_cost FROM stock_move ORDER BY id")
    business.clock.advance(timedelta(days=30))
    done = cost_came(business, first, "10.00", note="forwarder")
    assert (done.stock, done.sold) == (600, 400)
    assert layers(business) == [(10, 6, 2400), (10, 10, 4500)]
    assert posted(business, "inventory", "late_cost") == 600
    assert posted(business, "cost_of_sales", "late_cost") == 400
    assert posted(business, "received_not_invoiced", "late_cost") == -1000
    assert rows(business, "SELECT id, value_minor, unit_cost FROM stock_move ORDER BY id") == before
    (posted_on,) = rows(business, "SELECT CAST(entry_on AS TEXT) FROM journal_entry WHERE rule = 'late_cost'")
    assert posted_on == (str(TODAY + timedelta(days=31)),)
    assert_books_agree(database)
    taken(business, 6)
    assert layers(business)[0] == (10, 0, 0)
    assert_books_agree(database)


def test_a_late_cost_of_an_average_is_shared_by_what_is_still_here(database):
    business = a_layered(database, "average")
    receipt = bought(business, "3.00", 10)
    taken(business, 4)
    done = cost_came(business, receipt, "10.00")
    assert (done.stock, done.sold) == (600, 400)
    assert worth(business) == ("average", 6, 2400)
    assert_books_agree(database)


def test_at_standard_cost_all_of_a_late_cost_is_cost_of_sales(database):
    business = a_business(database, stock=0)
    done = cost_came(business, bought(business, "3.00", 10), "10.00")
    assert (done.stock, done.sold) == (0, 1000)
    assert worth(business) == ("standard", 10, 4000)
    assert_books_agree(database)


def test_a_dearer_invoice_may_also_be_a_cheaper_one_but_never_below_nothing(database):
    business, first, _ = two_layers(database)
    assert cost_came(business, first, "-5.00", kind="price")[1:] == (-500, 0)
    refused(business, "late_cost_below_zero", lambda: cost_came(business, first, "-25.01", paper="FR 78"))
    assert layers(business) == [(10, 10, 2500), (10, 10, 4500)]
    assert_books_agree(database)


def test_a_late_cost_is_refused_twice_without_amount_finer_than_a_coin_and_to_those_who_may_not(database):
    business, first, _ = two_layers(database)
    cost_came(business, first, "1.00")
    refused(business, "late_cost_twice", lambda: cost_came(business, first, "1.00", paper=" FR 77 "), Conflict)
    for amount in ("0", "1.005", "NaN", "1e10"):
        code = "late_cost_absurd" if amount in ("NaN", "1e10") else "late_cost_amount"
        refused(business, code, lambda amount=amount: cost_came(business, first, amount, paper="FR 78"))
    refused(business, "paper_missing", lambda: cost_came(business, first, "1.00", paper="  "))
    refused(business, "choice_unknown", lambda: cost_came(business, first, "1.00", paper="X", kind="luck"))
    refused(business, "choice_unknown", lambda: cost_came(business, first, "1.00", paper="X", basis="weight"))
    refused(business, "not_allowed", lambda: cost_came(business, first, "1.00", paper="X", actor=CLERK), NotAllowed)
    gone = first._replace(id=4)
    refused(business, "receipt_of_goods_unknown", lambda: cost_came(business, gone, "1.00", paper="X"), NotFound)


def test_two_enter_the_same_freight_at_once_and_one_of_them_is_told(database):
    business, first, _ = two_layers(database)
    found = at_once(*[lambda: cost_came(business, first, "7.00")] * 2)
    codes = [getattr(one, "code", "done") for one in found]
    assert sorted(codes) == ["done", "late_cost_twice"]
    assert layers(business)[0] == (10, 10, 3700)
    assert_books_agree(database)


def test_two_take_the_last_of_a_layer_at_once_and_each_piece_leaves_once(database):
    business, _, _ = two_layers(database)
    found = at_once(*[lambda: taken(business, 7)] * 3)
    values = sorted(getattr(one, "value", 0) for one in found)
    # Seven of the first, then three of it with four of the second; six are too few for the third.
    assert values == [-2700, -2100, 0]
    assert [one.code for one in found if hasattr(one, "code")] == ["stock_short"]
    assert layers(business) == [(10, 0, 0), (10, 6, 2700)]
    assert_books_agree(database)


def test_a_process_that_dies_between_the_layer_and_the_books_leaves_both_as_they_were(database, monkeypatch):
    business, first, _ = two_layers(database)

    def dies(*_):
        raise SystemExit("killed")

    before = fingerprint_of(database)
    for where, act in (
        ("erpcore.inventory.costing.late.post_entries", lambda: cost_came(business, first, "7.00")),
        ("erpcore.inventory.stock.post_entries", lambda: taken(business, 12)),
        ("erpcore.inventory.costing.choosing.post_entries", lambda: chosen(business, "average")),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(where, dies)
            with pytest.raises(SystemExit):
                act()
        assert fingerprint_of(database) == before
    taken(business, 12)
    assert_books_agree(database)


def test_a_method_is_chosen_by_an_act_and_what_is_there_goes_on_at_what_it_is_worth(database):
    business = a_business(database, stock=100)
    chosen(business)
    assert layers(business) == [(100, 100, 40_000)]
    assert posted(business, "inventory", "revaluation") == 0
    bought(business, "6.00", 50)
    chosen(business, "average", reason="one audit later")
    assert worth(business) == ("average", 150, 70_000)
    assert layers(business) == [(100, 0, 0), (50, 0, 0)]
    chosen(business, "standard")
    assert worth(business) == ("standard", 150, 60_000)
    assert posted(business, "inventory", "revaluation") == -10_000
    assert [row[0] for row in rows(business, "SELECT method FROM site_costing ORDER BY id")] == [
        "fifo", "average", "standard",
    ]  # fmt: skip
    assert_books_agree(database)


def test_choosing_what_holds_nothing_or_without_reason_is_refused_and_so_is_a_choice_made_meanwhile(database):
    business = a_business(database)
    refused(business, "costing_same", lambda: chosen(business, "standard"))
    refused(business, "choice_unknown", lambda: chosen(business, "lifo"))
    refused(business, "reason_required", lambda: chosen(business, reason=" "))
    refused(business, "not_allowed", lambda: chosen(business, actor=CLERK), NotAllowed)
    seen = chosen(business, seen=0)
    refused(business, "changed_meanwhile", lambda: chosen(business, "average", seen=0), Conflict)
    chosen(business, "average", seen=seen)
    assert_books_agree(database)


def test_goods_that_leave_while_another_method_is_chosen_leave_by_one_of_them(database):
    business = a_business(database, stock=100)
    at_once(lambda: chosen(business), *[lambda: taken(business, 10)] * 3)
    left = sum(layer[1] for layer in layers(business))
    assert (left, worth(business)) == (70, ("fifo", 70, 28_000))
    assert_books_agree(database)


def test_an_item_that_comes_for_the_first_time_is_valued_by_what_the_site_chose(database):
    business = a_business(database, stock=0, cost=None)
    chosen(business)
    with business.work() as work:
        receive_stock(
            work, [ChangeStock(site=business.site, item=business.items[0], quantity=Decimal(5), note="DN")], **BOTH
        )
    # Nobody knows what it cost: it stays out of the layers, and says so.
    assert worth(business) == ("standard", 5, 0)
    assert_books_agree(database)


def test_goods_that_were_there_before_layers_take_a_late_cost_in_the_layer_they_began_with(database):
    business = a_business(database, stock=0)
    receipt = bought(business, "3.00", 10)
    business.clock.advance(timedelta(days=1))
    chosen(business)
    taken(business, 5)
    done = cost_came(business, receipt, "8.00")
    assert (done.stock, done.sold) == (400, 400)
    assert layers(business) == [(10, 5, 2400)]
    assert_books_agree(database)


def test_a_transfer_carries_what_left_and_a_site_at_standard_cost_posts_the_difference(database):
    business, _, _ = two_layers(database)
    other, third = second_site(business), second_site(business, "KOE")
    chosen(business, "average", site=other)
    for site in (other, third):
        with business.work() as work:
            line = TransferLine(item=business.items[0], quantity=Decimal(6))
            command = ShipTransfer(
                from_site=business.site, to_site=site, arrives_on=TODAY + timedelta(days=9), lines=[line]
            )
            ship_transfers(work, [command], **BOTH)
    assert worth(business, site=other) == ("average", 6, 1800)
    assert worth(business, site=third) == ("standard", 6, 2400)
    # Four at 3.00 and two at 4.50 left for six at the standard cost of 4.00.
    assert posted(business, "adjustment", "transfer_difference") == 2100 - 2400
    assert posted(business, "transfer") == 0
    assert_books_agree(database)


def test_a_mistaken_adjustment_comes_back_at_what_it_took(database):
    business, _, _ = two_layers(database)
    gone = taken(business, 12)
    with business.work() as work:
        back = reverse_adjustment(work, gone.id, "wrong shelf", **BOTH)
    assert back.value == 3900
    assert layers(business) == [(10, 0, 0), (10, 8, 3600), (12, 12, 3900)]
    assert_books_agree(database)


def test_a_late_cost_of_several_goods_is_shared_to_the_last_coin(database):
    business = a_layered(database)
    supplier = a_supplier(business, prices=(("1.00", 0), ("1.00", 1), ("1.00", 2)))
    purchase = ordered(business, supplier, ((0, 1), (1, 1), (2, 1)))
    lines = [
        ReceivedLine(item=business.items[n], quantity=Decimal(1), expected=expected_of(business, purchase, n).id)
        for n in range(3)
    ]
    with business.work() as work:
        receipt = receive_purchased(work, ReceiveGoods(site=business.site, paper="DN", lines=lines), **BOTH)
    done = cost_came(business, receipt, "1.00", basis="quantity")
    assert (done.stock, done.sold) == (100, 0)
    assert [worth(business, item=n)[2] for n in range(3)] == [133, 134, 133]
    assert_books_agree(database)


def test_a_site_at_standard_or_average_cost_asks_the_database_nothing_more(sqlite_database):
    business = a_business(sqlite_database, stock=50)
    figures = {}
    for method in ("standard", "average", "fifo"):
        if method != "standard":
            chosen(business, method)
        with business.work() as work, all_statements(work) as counted:
            command = ChangeStock(site=business.site, item=business.items[0], quantity=Decimal(-1), note="gone")
            adjust_stock(work, [command], **BOTH)
        figures[method] = len(counted)
    assert figures["average"] == figures["standard"]
    assert figures["fifo"] > figures["standard"]

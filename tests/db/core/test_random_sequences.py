"""Whatever people do to orders, stock and money, in whatever order: the books prove themselves after every step."""

from __future__ import annotations

import pytest

from tests.support.trader import Trader
from tests.support.trader_closing import ClosingTrader
from tests.support.trader_rebates import RebateTrader
from tests.support.trader_warehouse import WarehouseTrader
from tests.support.walking import walk

#: What each story must have seen to succeed, and how often at least: a walk that never gets there proves nothing about it.
OFFICE = {
    13: {"taken back": 1, "take_back_for": 1, "take_a_way": 1},
    21: {"split of a supplier": 1, "take_back_for": 1, "take_a_way": 1},
}
FLOOR = {
    17: {"put away": 2, "picked more": 1, "take_goods_in": 2, "taken back": 1},
    13: {"put away": 1, "picked more": 1, "picked all": 1, "take_goods_in": 2, "take_a_shipment_back": 1},
}
REBATES = {7: {"agreed": 3, "sent back": 2, "settled": 2, "ended": 1, "came below a tier": 1}}
CLOSINGS = {
    3: {"accrued": 1, "locked": 1, "opened again": 2, "payout posted": 2, "payout reversed": 1, "recognised": 1},
    9: {"accrued": 1, "locked": 2, "opened again": 1, "payout posted": 2, "payout reversed": 1, "assigned": 1},
}


def assert_seen(people, wanted):
    found = {name: people.succeeded[name] for name in wanted}
    assert all(found[name] >= least for name, least in wanted.items()), found


@pytest.mark.parametrize("seed", sorted(OFFICE))
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_random_sequences_of_moves_keep_the_books_right(fresh_database, kind, seed):
    class Here(Trader):
        make_url = staticmethod(lambda: fresh_database(kind))

    walk(Here, Here, seed=seed, steps=150)
    assert Here.done > 60, "hardly anything was done"
    assert Here.refused > 30, "hardly anything was refused"
    assert_seen(Here, OFFICE[seed])


@pytest.mark.parametrize("seed", sorted(FLOOR))
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_random_sequences_in_a_warehouse_with_places_and_another_site_keep_the_books_right(fresh_database, kind, seed):
    class Here(WarehouseTrader):
        make_url = staticmethod(lambda: fresh_database(kind))

    walk(Here, Here, seed=seed, steps=150)
    assert Here.done > 60, "hardly anything was done"
    assert Here.refused > 30, "hardly anything was refused"
    assert_seen(Here, FLOOR[seed])


@pytest.mark.parametrize("seed", sorted(REBATES))
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_random_sequences_with_rebates_keep_the_books_right(fresh_database, kind, seed):
    class Here(RebateTrader):
        make_url = staticmethod(lambda: fresh_database(kind))

    walk(Here, Here, seed=seed, steps=100)
    assert_seen(Here, REBATES[seed])


@pytest.mark.parametrize("seed", sorted(CLOSINGS))
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_random_sequences_around_the_end_of_months_keep_the_books_right(fresh_database, kind, seed):
    class Here(ClosingTrader):
        make_url = staticmethod(lambda: fresh_database(kind))

    walk(Here, Here, seed=seed, steps=120)
    assert_seen(Here, CLOSINGS[seed])

"""Whatever people do to orders, stock and money, in whatever order: the books prove themselves after every step."""

from __future__ import annotations

import pytest

from tests.support.trader import Trader
from tests.support.trader_warehouse import WarehouseTrader
from tests.support.walking import walk


@pytest.mark.parametrize("seed", [2, 7])
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_random_sequences_of_moves_keep_the_books_right(fresh_database, kind, seed):
    class Here(Trader):
        make_url = staticmethod(lambda: fresh_database(kind))

    walk(Here, Here, seed=seed, steps=150)
    assert Here.done > 60, "hardly anything was done"
    assert Here.refused > 30, "hardly anything was refused"


@pytest.mark.parametrize("seed", [2, 7])
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_random_sequences_in_a_warehouse_with_places_and_another_site_keep_the_books_right(fresh_database, kind, seed):
    class Here(WarehouseTrader):
        make_url = staticmethod(lambda: fresh_database(kind))

    walk(Here, Here, seed=seed, steps=150)
    assert Here.done > 60, "hardly anything was done"
    assert Here.refused > 30, "hardly anything was refused"

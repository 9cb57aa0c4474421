"""Whatever people do to orders, stock and money, in whatever order: the books prove themselves after every step."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.support.trader import Trader
from tests.support.trader_warehouse import WarehouseTrader


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_random_sequences_of_moves_keep_the_books_right(fresh_database, kind):
    class Here(Trader):
        make_url = staticmethod(lambda: fresh_database(kind))

    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=18, stateful_step_count=40, deadline=None, derandomize=True, phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck), print_blob=True,
        ),
    )  # fmt: skip
    assert Here.done > 100, "hardly anything was done"
    assert Here.refused > 60, "hardly anything was refused"


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_random_sequences_in_a_warehouse_with_places_and_another_site_keep_the_books_right(fresh_database, kind):
    class Here(WarehouseTrader):
        make_url = staticmethod(lambda: fresh_database(kind))

    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=8, stateful_step_count=40, deadline=None, derandomize=True, phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck), print_blob=True,
        ),
    )  # fmt: skip
    assert Here.done > 100, "hardly anything was done"
    assert Here.refused > 60, "hardly anything was refused"

"""Whatever people do to orders, stock and money, in whatever order: the books prove themselves after every step."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.support.trader import Trader


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

"""Whatever people do to goods, costs and methods, in whatever order: layers, stock and ledger agree after every step."""

from __future__ import annotations

import pytest

from tests.support.rows import rows as stored
from tests.support.trader_costing import CostingTrader
from tests.support.walking import walk


@pytest.mark.parametrize("seed", [3, 7])
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_random_sequences_where_layers_are_kept_keep_the_books_right(fresh_database, kind, seed):
    class Here(CostingTrader):
        make_url = staticmethod(lambda: fresh_database(kind))
        used = 0

        def end(self) -> None:
            steps = stored(self.database, "SELECT COUNT(*) FROM cost_layer_step WHERE reason = 'went'")
            type(self).used = max(self.used, steps[0][0])
            super().end()

    walk(Here, Here, seed=seed, steps=120)
    seen = {name: Here.succeeded[name] for name in ("add_a_late_cost", "value_otherwise", "take_goods_in")}
    assert all(seen.values()), seen
    assert Here.used, "nothing left a layer"

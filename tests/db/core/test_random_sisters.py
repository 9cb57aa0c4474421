"""Whatever people do to goods between companies, in whatever order: both sides, stock and ledger agree after every step."""

from __future__ import annotations

import pytest

from tests.support.trader_sisters import SisterTrader
from tests.support.walking import walk


@pytest.mark.parametrize("seed", [2, 5])
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_random_sequences_between_companies_keep_the_books_of_both_right(fresh_database, kind, seed):
    class Here(SisterTrader):
        make_url = staticmethod(lambda: fresh_database(kind))

    walk(Here, Here, seed=seed, steps=120)
    seen = {name: Here.succeeded[name] for name in ("sent", "found under its key", "came", "turned back")}
    assert all(seen.values()), seen

"""Whatever people do with receipts, credits and what the bank takes back: the books prove themselves after every step."""

from __future__ import annotations

import pytest

from tests.support.cashier import Cashier
from tests.support.walking import walk

#: What the story must have seen to succeed: a walk that never gets there proves nothing about it.
SEEN = ("receive", "apply", "take_back", "goes_back", "credit", "set_against", "take_credit_back", "give_up")


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_random_sequences_at_the_cash_desk_keep_the_books_right(fresh_database, kind):
    class Here(Cashier):
        make_url = staticmethod(lambda: fresh_database(kind))

    walk(Here, Here, seed=5, steps=90)
    assert Here.done > 20, "hardly anything was done"
    assert Here.refused > 10, "hardly anything was refused"
    assert not [name for name in SEEN if not Here.succeeded[name]], Here.succeeded

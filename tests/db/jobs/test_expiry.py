"""What is past its last day is blocked, as far as it is free, and is promised to nobody."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.jobs.expiry import block_expired_lots
from tests.support.controls import assert_books_agree
from tests.support.core import a_business
from tests.support.operate import open_cells
from tests.support.steps import allocated
from tests.support.warehouse import balance, day, received, tracked


@pytest.fixture
def business(database):
    made = a_business(database, items=1, stock=0)
    open_cells(made)
    tracked(made, "lot")
    received(made, 10, lot="L-1", expires_on=day(5))
    received(made, 7, lot="L-2", expires_on=day(90))
    return made


def test_a_lot_past_its_last_day_is_not_free_and_nothing_else_changes(business):
    assert block_expired_lots(business.database, clock=business.clock) == 0
    assert balance(business)[:3] == (17, 0, 0)
    business.clock.advance(timedelta(days=6))
    assert block_expired_lots(business.database, clock=business.clock) == 1
    assert balance(business)[:3] == (17, 0, 10)
    assert block_expired_lots(business.database, clock=business.clock) == 0
    order = allocated(business, [(0, 9)])
    assert order.lines[0].allocated == 7000
    assert_books_agree(business.database)


def test_what_is_reserved_stays_with_its_orders(business):
    allocated(business, [(0, 12)])
    business.clock.advance(timedelta(days=6))
    assert block_expired_lots(business.database, clock=business.clock) == 1
    assert balance(business)[:3] == (17, 12, 5)
    assert_books_agree(business.database)

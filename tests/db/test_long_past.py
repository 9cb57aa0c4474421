"""The past that benchmarks give a database is one that could have been: its books agree, and trade goes on behind it."""

from __future__ import annotations

from sqlalchemy import text

from app.composition.uow import connect, reading
from benchmarks.history import DAY, ORDERS, go_back, trade_a_day
from tests.support.controls import assert_books_agree
from tests.support.core import a_business
from tests.support.steps import paid


def test_a_day_repeated_into_the_past_agrees_with_itself_and_trade_goes_on_behind_it(database):
    business = a_business(database, items=40, stock=100_000)
    past = trade_a_day(business, [business.customer])
    go_back(database, past, 3)
    assert _counted(database) == (3 * ORDERS, 3 * DAY, 3)
    assert_books_agree(database)
    # Opened anew, as the keys in hand lie in the past now.
    business.database = connect(database.url)
    paid(business, [(0, 1), (1, 2)])
    go_back(business.database, past, 4)
    business.database.dispose()
    assert _counted(database) == (4 * ORDERS + 1, 4 * DAY + 2, 4)
    assert_books_agree(database)


def _counted(database):
    with reading(database) as session:
        orders, days = session.execute(
            text("SELECT COUNT(*), COUNT(DISTINCT CAST(captured_at AS VARCHAR(10))) FROM sales_order")
        ).one()
        lines = session.scalar(text("SELECT COUNT(*) FROM order_line"))
    return orders, lines, days

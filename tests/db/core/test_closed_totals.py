"""Totals that are kept with a close of the books: the trial balance adds up only what was posted since."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select, text

from app.composition.uow import reading
from app.queries.controls import compare_controls
from app.queries.ledger import trial_balance
from erpcore.billing.cash import ReceiveCash, receive_cash
from erpcore.inventory.stock import ChangeStock, receive_stock
from erpcore.kernel.actor import Actor
from erpcore.ledger.models import ClosedCount, ClosedTotal
from erpcore.ledger.periods import ClosePeriod, close_period
from tests.support.core import OPEN, RULES, a_business
from tests.support.queries import queries

ANYBODY = Actor.system("test")
#: The business begins on Monday, 2 March 2026; ten days later there is something to close.
FIRST, LATER = date(2026, 3, 2), timedelta(days=10)


@pytest.fixture
def business(database):
    """Stock of three items worth 400.00 each is opened on the first day; ten days later a customer pays 7.00."""
    business = a_business(database, items=3, stock=100)
    business.clock.set(business.clock.now() + LATER)
    _pay(business, 700)
    return business


def _pay(business, minor):
    with business.work() as work:
        receive_cash(work, [ReceiveCash(entity=business.entity, customer=business.customer, amount_minor=minor)])


def _close(business, until):
    with business.work() as work:
        return close_period(work, ClosePeriod(entity=business.entity, until=until, reason="month end"))


def _balance(business, actor=ANYBODY):
    with reading(business.database) as session:
        found = trial_balance(session, actor, business.entity)
    return {one.code: one.balance_minor for one in found.accounts if one.debit_minor or one.credit_minor}, found.entries


def _kept(business, close):
    with reading(business.database) as session:
        counts = select(ClosedCount.site_id, ClosedCount.covers_until, ClosedCount.entries)
        totals = select(ClosedTotal.site_id, ClosedTotal.debit_minor, ClosedTotal.credit_minor)
        return (
            [tuple(row) for row in session.execute(counts.where(ClosedCount.close_id == close))],
            sorted(tuple(row) for row in session.execute(totals.where(ClosedTotal.close_id == close))),
        )


ALL = {"1000": 700, "1400": 120_000, "2300": -700, "3000": -120_000}


def test_a_close_keeps_what_was_posted_before_and_the_balance_stays_the_same(business):
    assert _balance(business) == (ALL, 4)
    close = _close(business, FIRST + timedelta(days=8))
    counts, totals = _kept(business, close)
    assert counts == [(business.site, FIRST + timedelta(days=8), 3)]
    assert totals == [(business.site, 0, 120_000), (business.site, 120_000, 0)]
    assert _balance(business) == (ALL, 4)


def test_what_is_posted_after_a_close_is_added_to_its_totals(business):
    _close(business, FIRST + timedelta(days=8))
    _pay(business, 300)
    assert _balance(business) == ({**ALL, "1000": 1000, "2300": -1000}, 5)


def test_the_last_day_is_added_up_anew_since_who_began_on_it_may_end_after_the_close(business):
    close = _close(business, FIRST + LATER)
    assert _kept(business, close)[0] == [(business.site, FIRST + LATER - timedelta(days=1), 3)]
    assert _balance(business) == (ALL, 4)


def test_books_that_are_opened_again_have_totals_of_their_own_and_take_what_comes_late(business):
    _close(business, FIRST + timedelta(days=8))
    again = _close(business, FIRST)
    assert _kept(business, again) == ([], [])
    with business.work(source="import") as work:
        late = ChangeStock(
            site=business.site,
            item=business.items[0],
            quantity=Decimal(5),
            note="found",
            at=work.now - timedelta(days=5),
        )
        receive_stock(work, [late], rules=RULES, cells=OPEN)
    assert _balance(business) == ({**ALL, "1400": 122_000, "2100": -2_000}, 5)
    third = _close(business, FIRST + timedelta(days=8))
    assert _kept(business, third)[0] == [(business.site, FIRST + timedelta(days=8), 4)]
    assert _balance(business) == ({**ALL, "1400": 122_000, "2100": -2_000}, 5)


def test_people_of_a_site_get_the_totals_of_that_site_alone(business):
    here = Actor(id=7, role="accountant", permissions=frozenset(), sites=frozenset({business.site}))
    elsewhere = Actor(id=8, role="accountant", permissions=frozenset(), sites=frozenset({business.site + 999}))
    before = _balance(business, here)
    assert before == ({"1400": 120_000, "3000": -120_000}, 3)
    _close(business, FIRST + timedelta(days=8))
    assert _balance(business, here) == before
    assert _balance(business, elsewhere) == ({}, 0)


def test_the_books_prove_the_totals_and_find_one_that_is_wrong(business):
    names = ("closed_totals", "closed_entries")
    close = _close(business, FIRST + timedelta(days=8))
    with reading(business.database, snapshot=True) as session:
        found = compare_controls(session, names)
    assert [(one.left, one.right, one.difference) for one in found] == [(240_000, 240_000, 0), (3, 3, 0)]
    with business.database.write_engine.begin() as connection:
        wrong = "INSERT INTO closed_total (close_id, site_id, account_id, debit_minor, credit_minor) "
        connection.execute(text(f"{wrong} SELECT {close}, 0, MIN(account_id), 5, 0 FROM closed_total"))
        connection.execute(
            text("INSERT INTO closed_count VALUES (:close, 0, :day, 2, 0)"),
            {"close": close, "day": str(FIRST + timedelta(days=8))},
        )
    with reading(business.database, snapshot=True) as session:
        found = compare_controls(session, names)
    assert [one.difference for one in found] == [5, 2]


def test_the_balance_takes_three_statements(business):
    _close(business, FIRST + timedelta(days=8))
    with reading(business.database) as session, queries(business.database) as ran:
        trial_balance(session, ANYBODY, business.entity)
    assert len(ran) == 3

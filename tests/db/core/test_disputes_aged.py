"""What is deducted or disputed stands beside what is due, on every day, and the balance holds it."""

from __future__ import annotations

from datetime import date

from app.composition.uow import reading
from app.queries.listing import Asked
from app.queries.receivables import AGEING, account
from erpcore.kernel.actor import Actor
from tests.support.core import a_business
from tests.support.disputes import objected, paid_short, settled
from tests.support.dunning import later
from tests.support.steps import invoiced


def aged(business, day=None):
    """Not due and overdue together, deducted, and the balance, from the list and from the account."""
    with reading(business.database) as session:
        now, who = business.clock.now(), Actor.system("test")
        (row,) = AGEING.page(session, who, Asked(values={"as_of": day} if day else {}, realm="live"), now).rows
        one = account(session, who, business.customer, day, now).row
    assert one == row
    return sum(row.due_minor), row.deducted_minor, row.balance_minor


def test_what_is_deducted_is_in_no_bucket_and_in_the_balance_today_and_on_past_days(database):
    business = a_business(database)
    _, _, first = invoiced(business)
    _, _, second = invoiced(business, [(1, 5)])
    assert aged(business) == (18_000, 0, 18_000)
    later(business, 5)
    _, deduction = paid_short(business, first, 9_600)
    objected(business, second, 1_000)
    assert aged(business) == (5_000, 3_400, 8_400)
    later(business, 5)
    settled(business, deduction, rebill_minor=2_000)
    assert aged(business) == (7_000, 1_400, 8_400)
    assert aged(business, date(2026, 3, 11)) == (5_000, 3_400, 8_400)
    assert aged(business, date(2026, 3, 3)) == (18_000, 0, 18_000)


def test_an_invoice_that_is_disputed_as_a_whole_still_shows_who_owes_it(database):
    business = a_business(database)
    _, _, invoice = invoiced(business)
    objected(business, invoice, invoice.gross_minor)
    assert aged(business) == (0, 12_000, 12_000)

"""Who owes what on which day: ageing, accounts and statements agree with the ledger on every day there was."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text

from app.composition.uow import reading
from app.queries.customer_statement import statement
from app.queries.listing import Asked
from app.queries.receivables import AGEING, account, bucket_of
from erpcore.billing.cash import ApplyCash, ReceiveCash, apply_cash, receive_cash
from erpcore.billing.credits import CreditInvoice, credit_invoices
from erpcore.billing.debts import PostDebt, post_debts
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.masterdata.services import NewCustomer, NewEntity, add_customers, add_entity
from tests.support.core import MONDAY, OPEN, a_business
from tests.support.steps import invoiced

FINANCE = Actor.system("test")
#: The postings of a receivable, by day, as the ledger has them.
LEDGER = text(
    "SELECT COALESCE(SUM(l.debit_minor - l.credit_minor), 0) FROM journal_line l JOIN journal_entry e ON e.id = l.entry_id "
    "JOIN ledger_account a ON a.id = l.account_id WHERE a.role IN ('receivable', 'on_account') AND e.entry_on <= :day"
)


def pay(business, minor, *, settle=None):
    with business.work() as work:
        (receipt,) = receive_cash(
            work, [ReceiveCash(entity=business.entity, customer=business.customer, amount_minor=minor)]
        )
        if settle is not None:
            apply_cash(work, [ApplyCash(receipt=receipt, invoice=settle[0], amount_minor=settle[1])])
    return receipt


@pytest.fixture
def story(database):
    """60 days: two invoices, one paid in part, one credited in part, money on account, a debt given up."""
    business = a_business(database)
    _, _, first = invoiced(business, [(0, 10)])
    business.clock.set(MONDAY + timedelta(days=20))
    _, _, second = invoiced(business, [(1, 20)])
    business.clock.set(MONDAY + timedelta(days=35))
    pay(business, 5_000, settle=(first.id, 4_000))
    business.clock.set(MONDAY + timedelta(days=40))
    with business.work() as work:
        line = second.lines[0].order_line_id
        credit_invoices(
            work,
            [
                CreditInvoice(
                    invoice=second.id,
                    order_line=line,
                    quantity=Decimal(2),
                    unit_price=Decimal(10),
                    reason="dented",
                    fault="ours",
                )
            ],
        )
    business.clock.set(MONDAY + timedelta(days=45))
    with business.work() as work:
        post_debts(
            work,
            [PostDebt(site=business.site, customer=business.customer, amount=Decimal("-5.00"), reason="small rest")],
            cells=OPEN,
        )
    business.clock.set(MONDAY + timedelta(days=60))
    return business, first, second


def ageing(business, day=None):
    with reading(business.database) as session:
        values = {} if day is None else {"as_of": day}
        return AGEING.page(session, FINANCE, Asked(values=values), business.clock.now())


def test_what_is_due_stands_in_the_bucket_of_its_age_and_what_settles_nothing_beside_it(story):
    business, *_ = story
    found = ageing(business)
    (row,) = found.rows
    # Due on 1 April and 21 April; today is 1 May: thirty days and ten.
    assert row.due_minor == (0, 8_000 + 24_000, 0, 0, 0)
    assert row.credits_minor == -2_400 - 500
    assert row.on_account_minor == -1_000
    assert row.balance_minor == 28_100
    assert {label: minor for label, minor, _ in found.sums}["Balance"] == 28_100
    business.clock.advance(timedelta(days=1))
    assert ageing(business).rows[0].due_minor == (0, 24_000, 8_000, 0, 0)


def test_a_past_day_is_shown_as_it_was(story):
    business, *_ = story
    (row,) = ageing(business, date(2026, 4, 5)).rows
    assert row.due_minor == (24_000, 12_000, 0, 0, 0), "the receipt of 6 April had not come"
    assert (row.credits_minor, row.on_account_minor) == (0, 0)
    (row,) = ageing(business, date(2026, 4, 6)).rows
    assert row.due_minor == (24_000, 8_000, 0, 0, 0)
    assert row.on_account_minor == -1_000
    assert ageing(business, date(2026, 3, 1)).rows == []


def test_on_every_day_the_balance_is_what_the_ledger_says(story):
    business, *_ = story
    for back in range(62):
        day = date(2026, 5, 1) - timedelta(days=back)
        with reading(business.database) as session:
            booked = session.execute(LEDGER, {"day": day}).scalar_one()
            page = account(session, FINANCE, business.customer, day, business.clock.now())
        rows = ageing(business, day).rows
        assert sum(row.balance_minor for row in rows) == booked, day
        assert page.row.balance_minor == booked, day
        assert [row.due_minor for row in rows] in ([page.row.due_minor], []), day
        assert sum(one.open_minor for one in page.items) == booked, day


def test_a_statement_leads_from_the_balance_before_to_the_balance_after(story):
    business, first, second = story
    with reading(business.database) as session:
        page = statement(
            session,
            FINANCE,
            business.customer,
            since=date(2026, 3, 10),
            until=date(2026, 4, 30),
            now=business.clock.now(),
        )
    assert page.opening_minor == 12_000
    assert [(one.kind, one.minor, one.balance_minor) for one in page.movements] == [
        ("invoice", 24_000, 36_000), ("receipt", -5_000, 31_000), ("credit_memo", -2_400, 28_600), ("debt_journal", -500, 28_100),
    ]  # fmt: skip
    assert page.closing_minor == page.account.row.balance_minor == 28_100
    assert page.movements[0].id == second.id
    assert first.id not in {one.id for one in page.movements}


def test_a_statement_of_days_in_disorder_or_to_come_is_refused(story):
    business, *_ = story
    for since, until, code in (
        (date(2026, 4, 2), date(2026, 4, 1), "days_not_in_order"),
        (date(2026, 4, 2), date(2026, 5, 2), "day_not_come"),
        (date(2026, 6, 2), None, "day_not_come"),
        (date(1, 1, 1), None, "day_out_of_range"),
        (None, date(9999, 12, 31), "day_not_come"),
    ):
        with reading(business.database) as session, pytest.raises(RuleBroken, match=code):
            statement(session, FINANCE, business.customer, since=since, until=until, now=business.clock.now())


def test_another_companys_customer_has_no_account_here(story):
    business, *_ = story
    with business.work() as work:
        other = add_entity(
            work,
            NewEntity(code="AT01", name="Donau GmbH", country="Austria", currency="EUR", time_zone="Europe/Vienna"),
        )
        (theirs,) = add_customers(
            work,
            [
                NewCustomer(
                    entity=other.id, code="1", name="Fremd", country="Austria", currency="EUR", credit_limit_minor=None
                )
            ],
        )
    here = Actor(id=1, role="finance", permissions=frozenset(), sites=frozenset({business.site}))
    with reading(business.database) as session:
        with pytest.raises(NotFound, match="customer_unknown"):
            account(session, here, theirs.id, None, business.clock.now())
        assert len(AGEING.page(session, here, Asked(), business.clock.now()).rows) == 1
        nobody = Actor(id=1, role="finance", permissions=frozenset(), sites=frozenset())
        assert AGEING.page(session, nobody, Asked(), business.clock.now()).rows == []


def test_a_day_of_a_company_ends_at_its_own_midnight(database):
    business = a_business(database)
    _, _, invoice = invoiced(business, [(0, 10)])
    # 23:30 in Berlin on 31 March is 21:30 in UTC; an hour later it is April there and March here.
    business.clock.set(MONDAY.replace(day=31, hour=22, minute=30))
    pay(business, 12_000, settle=(invoice.id, 12_000))
    business.clock.advance(timedelta(days=3))
    assert ageing(business, date(2026, 3, 31)).rows[0].balance_minor == 12_000
    assert ageing(business, date(2026, 4, 1)).rows == []


@pytest.mark.parametrize(
    ("days", "bucket"), [(-3, 0), (0, 0), (1, 1), (30, 1), (31, 2), (60, 2), (61, 3), (90, 3), (91, 4), (999, 4)]
)
def test_buckets_end_after_thirty_sixty_and_ninety_days(days, bucket):
    assert bucket_of(days) == bucket

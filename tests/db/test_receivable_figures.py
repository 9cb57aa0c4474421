"""How fast customers pay: four figures held against what the rows of documents and receipts say, added up in another way."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from sqlalchemy import select

from app.composition.calendars import SiteCalendars
from app.composition.uow import reading
from erpcore.billing.cash import ApplyCash, ReceiveCash, apply_cash, receive_cash
from erpcore.billing.credits import CreditInvoice, credit_invoices
from erpcore.billing.models import CreditMemo, Invoice, Receipt, ReceiptApplication
from erpcore.kernel.clock import local_day
from erpcore.masterdata.models import CustomerGroup
from erpcore.masterdata.services import NewCustomer, NewEntity, NewSite, add_customers, add_entity, add_site
from readiness.conformance.drilldown import journeys_behind
from readiness.gates.criteria import Criterion, Evidence, Layer, MeasureFacts, Phase, problems_of
from readiness.gates.specs import measure_facts
from readiness.measures.catalogue import MEASURES
from readiness.measures.queries import Asked, Scope, read_between, read_many, read_measure, read_previous
from readiness.measures.reading import Stale
from readiness.measures.receivables import counted_back
from tests.support.core import MONDAY, a_business
from tests.support.queries import queries
from tests.support.steps import invoiced

KEYS = ("days_sales_outstanding", "average_days_delinquent", "overdue_share", "collection_effectiveness")
DAY = timedelta(days=1)
ZONE = "Europe/Berlin"


def read(business, key, scope=None, **more):
    with reading(business.database) as session:
        return read_measure(
            session, key, scope or Scope(), as_of=business.clock.now(), calendars=SiteCalendars(session), **more
        )


@pytest.fixture
def story(database):
    """Four months: what one customer pays late and in part, what another prepaid, a credit, and sales in three of the months."""
    business = a_business(database, stock=10_000)
    with business.work() as work:
        work.session.add(CustomerGroup(id=work.ids.one(), code="trade", name="Trade"))
        work.session.flush()
        group = work.session.scalar(select(CustomerGroup.id))
        (other,) = add_customers(
            work,
            [NewCustomer(entity=business.entity, code="20", name="Dachdecker", country="Germany", currency="EUR", group=group)],
        )  # fmt: skip
    business.other, business.group, first = other.id, group, []
    for month, quantities in ((0, (10, 35)), (1, (20,)), (3, (7, 40))):
        business.clock.set(MONDAY + timedelta(days=30 * month))
        for quantity in quantities:
            first.append(invoiced(business, [(0, quantity)])[2])
            business.clock.advance(timedelta(days=4))
        if month == 1:
            invoiced(business, [(1, 5)], customer=business.other)
            pay(business, 50_000, customer=business.other)
            pay(business, 9_000, settle=(first[0].id, 8_000))
            with business.work() as work:
                line = first[1].lines[0].order_line_id
                credit_invoices(
                    work,
                    [CreditInvoice(invoice=first[1].id, order_line=line, quantity=Decimal(3), unit_price=Decimal(10),
                                   reason="dented", fault="ours")],
                )  # fmt: skip
    pay(business, 10_000, settle=(first[2].id, 10_000))
    return business


def pay(business, minor, *, settle=None, customer=None):
    with business.work() as work:
        (receipt,) = receive_cash(
            work, [ReceiveCash(entity=business.entity, customer=customer or business.customer, amount_minor=minor)]
        )
        if settle is not None:
            apply_cash(work, [ApplyCash(receipt=receipt, invoice=settle[0], amount_minor=settle[1])])


class Rows:
    """What the rows say, without any of the product's queries."""

    def __init__(self, business, customers=None):
        with reading(business.database) as session:
            self.invoices, self.memos, self.receipts, self.applied = (
                list(session.execute(select(table.__table__)))
                for table in (Invoice, CreditMemo, Receipt, ReceiptApplication)
            )
        if customers:
            self.invoices, self.memos, self.receipts = (
                [one for one in rows if one.customer_id in customers]
                for rows in (self.invoices, self.memos, self.receipts)
            )

    def owed(self, day):
        """Overdue and not due at the end of the day, net."""
        late, young, less = defaultdict(int), defaultdict(int), defaultdict(int)
        paid, used = defaultdict(int), defaultdict(int)
        for one in self.applied:
            if local_day(one.applied_at, ZONE) <= day:
                paid[one.invoice_id] += one.amount_minor
                used[one.receipt_id] += one.amount_minor
        for one in self.invoices:
            if one.invoice_on <= day:
                (late if one.due_on < day else young)[one.customer_id] += one.gross_minor - paid[one.id]
        for one in self.memos:
            if one.credit_on <= day:
                less[one.customer_id] += one.gross_minor
        for one in self.receipts:
            if local_day(one.received_at, ZONE) <= day:
                less[one.customer_id] += one.amount_minor - used[one.id]
        overdue = not_due = 0
        for who in {*late, *young}:
            left = max(0, less[who] - late[who])
            overdue += max(0, late[who] - less[who])
            not_due += max(0, young[who] - left)
        return overdue, not_due

    def sold(self, first, until):
        return sum(one.gross_minor for one in self.invoices if first <= one.invoice_on < until)

    def days(self, minor, today):
        """Day by day from today back, each worth its month's sales evenly."""
        left, days, day = Fraction(minor), Fraction(0), today
        while left > 0:
            first = day.replace(day=1)
            until = min(today + DAY, (first + 32 * DAY).replace(day=1))
            worth = Fraction(self.sold(first, until), (until - first).days)
            if left < worth:
                return days + left / worth
            left, days, day = left - worth, days + 1, day - DAY
        return days


def seconds(days):
    return round(float(days) * 86_400, 3)


def test_on_every_day_they_are_what_the_rows_add_up_to(story):
    business, rows = story, Rows(story)
    assert Rows(story, [business.other]).owed(local_day(business.clock.now(), ZONE)) == (0, 0), "it prepaid"
    end, seen = business.clock.now(), set()
    for ahead in range(0, 80, 9):
        business.clock.set(end + timedelta(days=ahead))
        today = local_day(business.clock.now(), ZONE)
        overdue, not_due = rows.owed(today)
        with reading(business.database) as session:
            asked = [Asked(key=key, scope=Scope()) for key in KEYS]
            every = read_many(session, asked, as_of=business.clock.now(), calendars=SiteCalendars(session))
        found = dict(zip(KEYS, every, strict=True))
        whole = rows.days(overdue + not_due, today)
        assert round(float(found["days_sales_outstanding"].value), 3) == seconds(whole), today
        late = whole - rows.days(not_due, today)
        assert round(float(found["average_days_delinquent"].value), 3) == seconds(late), today
        share = found["overdue_share"]
        assert (share.numerator, share.denominator) == (overdue, overdue + not_due), today
        until = today.replace(day=1)
        since = (until - DAY).replace(day=1)
        opening, closing = rows.owed(since - DAY), rows.owed(until - DAY)
        turned = sum(opening) + rows.sold(since, until)
        index = found["collection_effectiveness"]
        assert (index.numerator, index.denominator) == (turned - sum(closing), turned - closing[1]), today
        assert (index.window.start, index.window.end) == (since, until)
        seen.add((index.value, share.value))
    assert len(seen) == 3, "the story moves"


def test_they_are_told_apart_by_customer_group_and_by_nothing_below_the_company(story):
    business, today = story, local_day(story.clock.now(), ZONE)
    mine = Rows(business, [business.customer]).owed(today)
    whole = read(business, "overdue_share")
    assert whole.denominator == sum(mine), "who prepaid lowers nobody else's debt"
    assert read(business, "overdue_share", Scope(customer_group=business.group)).value is None
    here = read(business, "overdue_share", Scope(sites=frozenset({business.site}), channels=frozenset({4711})))
    assert (here.numerator, here.count) == (whole.numerator, whole.count), "a site's company, whatever the channel"
    assert read(business, "overdue_share", Scope(sites=frozenset({4711}))).value is None
    assert read(business, "overdue_share", Scope(process="returns_to_credit")).value is None
    assert read(business, "overdue_share", Scope(realm="training")).value is None
    grant = read(business, "overdue_share", Scope(grant=1))
    assert (grant.stale, grant.value) == (Stale.SOURCE_MISSING, None)


def test_without_sales_or_debts_without_a_source_and_in_two_currencies_there_is_no_figure(database):
    business = a_business(database)
    for key in KEYS:
        one = read(business, key)
        assert (one.value, one.count, one.nothing_measured) == (None, 0, True), key
    invoiced(business)
    with reading(database) as session:
        for key in KEYS:
            one = read_measure(session, key, Scope(), as_of=business.clock.now())
            assert (one.value, one.stale, one.stale_detail) == (None, Stale.SOURCE_MISSING, "no receivables were asked"), key  # fmt: skip
    assert read(business, "collection_effectiveness").value is None, "nothing came due last month"
    assert read(business, "overdue_share").value == 0
    with business.work() as work:
        swiss = add_entity(
            work, NewEntity(code="CH01", name="Nordhaus AG", country="Switzerland", currency="CHF", time_zone="Europe/Zurich")
        )  # fmt: skip
        add_site(work, NewSite(entity=swiss.id, code="BAS", name="Basel", kind="branch", country="Switzerland", time_zone="Europe/Zurich"))  # fmt: skip
        assert swiss.id
    assert read(business, "overdue_share").value == 0, "a company without debts adds no currency"


def test_a_balance_beyond_all_sales_that_are_known_is_said_to_be_at_least_so_long():
    sales = {date(2026, 3, 1): 3_100, date(2026, 2, 1): 2_800, date(2025, 12, 1): 1_000}
    today = date(2026, 3, 10)
    assert counted_back(0, sales, today) == (0, True)
    assert counted_back(1_550, sales, today) == (5, True), "half of ten days"
    assert counted_back(3_100 + 700, sales, today) == (10 + 7, True)
    assert counted_back(3_100 + 2_800 + 250, sales, today) == (10 + 28 + 31 + Fraction(31, 4), True), (
        "January had days and no sales"
    )
    days, is_whole = counted_back(1_000_000, sales, today)
    assert not is_whole
    assert days == (today - date(2025, 2, 1)).days + 1, "thirteen months back"


def test_behind_them_stand_the_documents_the_largest_first(story):
    business = story
    business.clock.advance(timedelta(days=28))

    def behind(key):
        with reading(business.database) as session:
            return journeys_behind(session, key, Scope(), as_of=business.clock.now(), calendars=SiteCalendars(session))

    rows = {one.id: one for one in Rows(business).invoices}
    every = behind("days_sales_outstanding")
    assert [one.weight for one in every] == sorted((one.weight for one in every), reverse=True)
    assert {one.id for one in every} == {
        key for key, one in rows.items() if one.gross_minor > sum(a.amount_minor for a in Rows(business).applied if a.invoice_id == key)
    }  # fmt: skip
    today = local_day(business.clock.now(), ZONE)
    assert {one.id for one in behind("overdue_share")} == {one.id for one in every if rows[one.id].due_on < today}
    first = behind("overdue_share")[0]
    assert (first.kind, first.unit, first.title, first.site) == ("invoice", "minor", f"Invoice {rows[first.id].number}", business.site)  # fmt: skip
    assert first.flags == (f"{(today - rows[first.id].due_on).days} days overdue",)
    month = today.replace(day=1)
    assert {one.id for one in behind("collection_effectiveness")} <= {
        key for key, one in rows.items() if one.due_on < month
    }


def test_a_month_has_a_month_before_and_no_other_window_is_one(story):
    business = story
    with reading(business.database) as session:
        asked = [Asked(key="collection_effectiveness", scope=Scope())]
        calendars = SiteCalendars(session)
        odd = read_between(
            session, asked[0], start=date(2026, 4, 3), end=date(2026, 5, 1), as_of=business.clock.now(), calendars=calendars
        )  # fmt: skip
        assert (odd.value, odd.stale_detail) == (None, "collection_effectiveness is of whole calendar months")
        april = read_between(
            session, asked[0], start=date(2026, 4, 1), end=date(2026, 5, 1), as_of=business.clock.now(), calendars=calendars
        )  # fmt: skip
        assert april.value is not None
        assert read_previous(session, asked, as_of=business.clock.now(), calendars=calendars)[0].value is None
    week = read(business, "collection_effectiveness", window=7)
    assert (week.value, week.stale) == (None, Stale.SOURCE_MISSING)


def test_all_four_take_two_statements_more_than_what_every_reading_takes(story):
    with reading(story.database) as session:
        calendars, now = SiteCalendars(session), story.clock.now()
        read_many(session, [Asked(key="overdue_share", scope=Scope())], as_of=now, calendars=calendars)
        with queries(story.database) as ran:
            read_many(session, [Asked(key=key, scope=Scope()) for key in KEYS], as_of=now, calendars=calendars)
    assert sum("receivable" in one for one in ran.statements) == 1


def test_a_gate_of_hypercare_does_not_take_the_slow_ones(database):
    del database
    for key, refused in zip(KEYS, (True, True, False, False), strict=True):
        facts = measure_facts(MEASURES[key])
        assert isinstance(facts, MeasureFacts)
        for phase in Phase:
            found = problems_of(
                Criterion(
                    id="K1", measure=key, phase=phase, evidence=Evidence.OWN_REHEARSAL, cells=("a",), pass_mark=Decimal("0.5"),
                    owner="collections owner", layer=Layer.PROCESS,
                ),
                facts, ["a"],
            )  # fmt: skip
            codes = {one.code for one in found}
            assert ("measure_not_in_hypercare" in codes) == (refused and phase is not Phase.ENTRY), (key, phase)
            assert codes <= {"measure_not_in_hypercare"}

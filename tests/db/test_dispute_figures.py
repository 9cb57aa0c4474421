"""How often invoices are disputed and how old open disputes are, each held against dates and amounts written out here."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from app.composition.calendars import SiteCalendars
from app.composition.uow import reading
from app.jobs.consumers import ConsumerRunner
from erpcore.billing.disputes.models import Dispute
from erpcore.billing.disputing import contest
from erpcore.masterdata.models import Customer, CustomerGroup
from readiness.conformance.drilldown import journeys_behind
from readiness.measures.consumer import JourneyConsumer
from readiness.measures.queries import Asked, Scope, read_many, read_measure, read_trend
from readiness.measures.reading import Stale
from tests.support.core import a_business
from tests.support.disputes import objected, paid_short, settled
from tests.support.queries import queries
from tests.support.steps import invoiced

RATE, AGE = "dispute_rate", "dispute_age.p90"
DAY = timedelta(days=1)


@pytest.fixture
def business(database):
    """Five invoices of one day: objected to on the third, deducted on the fifth and contested on the tenth day, deducted and left
    so, objected to on the 31st day, and one that nobody says anything about.
    """
    business = a_business(database, stock=10_000)
    with business.work() as work:
        group = CustomerGroup(id=work.ids.one(), code="trade", name="Trade")
        work.session.add(group)
        work.session.flush()
        work.session.get_one(Customer, business.customer).group_id = group.id
        business.group = group.id
    business.begun = business.clock.now()
    business.invoices = [invoiced(business, [(0, 10 + n)])[2] for n in range(5)]
    first, second, third, fourth, _ = business.invoices
    business.clock.advance(3 * DAY)
    business.price = objected(business, first, 1_000)
    business.clock.advance(2 * DAY)
    _, business.short = paid_short(business, second, 12_000, reason="damaged", note="dented")
    paid_short(business, third, 14_000, reason="freight", note="none was agreed")
    business.clock.advance(5 * DAY)
    with business.work() as work:
        contest(work, business.short, reason="damaged", note="they signed for whole ones")
    business.clock.advance(21 * DAY)
    business.late = objected(business, fourth, 500, reason="tax")
    return business


def read(business, key, scope=None, **more):
    with reading(business.database) as session:
        return read_measure(
            session, key, scope or Scope(), as_of=business.clock.now(), calendars=SiteCalendars(session), **more
        )


def test_an_invoice_disputed_within_thirty_days_counts_once_and_a_deduction_from_when_it_is_contested(business):
    found = read(business, RATE)
    assert (found.numerator, found.denominator, found.value, found.count) == (2, 5, Decimal("0.4"), 5)
    assert found.provisional, "nothing was billed a full window ago"
    assert (found.interval.low, found.interval.high) == (Decimal("0.117620"), Decimal("0.769276")), "Wilson's"
    objected(business, business.invoices[0], 500, reason="tax")
    assert read(business, RATE).numerator == 2, "a second objection makes no second invoice"
    for reason, many in (("price", 1), ("damaged", 1), ("freight", 0), ("tax", 0)):
        part = read(business, RATE, dimension=reason)
        assert (part.numerator, part.denominator) == (many, 5), reason
    settled(business, business.price, rebill_minor=1_000)
    assert read(business, RATE).numerator == 2, "that it was settled does not unsay it"


def test_it_is_of_the_companies_sites_and_groups_in_scope(business):
    assert read(business, RATE, Scope(sites=frozenset({business.site}))).denominator == 5
    assert read(business, RATE, Scope(customer_group=business.group)).numerator == 2
    for elsewhere in (
        Scope(sites=frozenset({4711})), Scope(entities=frozenset({4711})), Scope(channels=frozenset({4711})),
        Scope(customer_group=4711), Scope(realm="training"), Scope(process="returns_to_credit"),
    ):  # fmt: skip
        for key in (RATE, AGE):
            found = read(business, key, elsewhere)
            assert (found.value, found.count) == (None, 0), (key, elsewhere)
    assert read(business, RATE, Scope(grant=1)).stale is Stale.SOURCE_MISSING


def test_the_age_is_that_of_open_disputes_and_nothing_where_all_are_answered(business):
    # Open are that of the third day, that contested on the tenth, and one of today: the longest is at nine tenths.
    assert read(business, AGE).value == 28 * 86_400
    assert read(business, AGE, dimension="damaged").value == 21 * 86_400
    assert read(business, AGE, dimension="freight").value is None, "a deduction that nobody contests is no dispute"
    behind = _behind(business, "dispute_age.p90")
    assert [(one.id, one.weight, one.unit) for one in behind] == [
        (business.invoices[0].id, 28 * 86_400, "seconds"), (business.invoices[1].id, 21 * 86_400, "seconds"),
        (business.invoices[3].id, 0, "seconds"),
    ]  # fmt: skip
    settled(business, business.price, rebill_minor=1_000)
    assert read(business, AGE).value == 21 * 86_400
    for dispute in (business.short, business.late):
        with reading(business.database) as session:
            minor = session.scalar(select(Dispute.open_minor).where(Dispute.id == dispute))
        settled(business, dispute, rebill_minor=minor)
    assert read(business, AGE).value is None, "nothing was billed for a month: there is nothing to judge"
    invoiced(business)
    found = read(business, AGE)
    assert (found.value, found.count) == (0, 1)


def test_days_and_windows_are_those_of_the_posting(business):
    with reading(business.database) as session:
        trend = read_trend(
            session,
            Asked(key=RATE, scope=Scope()),
            days=40,
            as_of=business.clock.now(),
            calendars=SiteCalendars(session),
        )
    assert [(one.value, one.count) for one in trend if one.count] == [(Decimal("0.4"), 5)]
    behind = _behind(business, RATE)
    assert [(one.id, one.weight, one.unit, one.flags) for one in behind] == [
        (business.invoices[1].id, 1_200, "minor", ("damaged",)), (business.invoices[0].id, 1_000, "minor", ("price",)),
    ]  # fmt: skip


def test_both_are_read_in_one_statement_more(business):
    def asked(*keys):
        with reading(business.database) as session, queries(business.database) as ran:
            wanted = [Asked(key=key, scope=Scope()) for key in keys]
            read_many(session, wanted, as_of=business.clock.now(), calendars=SiteCalendars(session))
        return len(ran)

    asked(RATE, AGE)
    assert asked(RATE, AGE) <= asked(AGE) + 1, "one to know since when invoices were posted"


def _behind(business, key):
    with reading(business.database) as session:
        return journeys_behind(session, key, Scope(), as_of=business.clock.now(), calendars=SiteCalendars(session))


def test_a_window_that_is_old_enough_is_final_and_leaves_younger_invoices_out(database):
    business = a_business(database)
    invoiced(business)
    business.clock.advance(20 * DAY)
    _, _, counted = invoiced(business)
    business.clock.advance(29 * DAY)
    objected(business, counted, 1_000)
    _, _, young = invoiced(business)
    objected(business, young, 1_000)
    business.clock.advance(16 * DAY)
    ConsumerRunner(database, JourneyConsumer(), clock=business.clock).run_to_head()
    found = read(business, RATE)
    assert (found.numerator, found.denominator, found.provisional) == (1, 1, False)
    assert [one.id for one in _behind(business, RATE)] == [counted.id]

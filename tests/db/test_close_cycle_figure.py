"""How long the books of a month stay open: working days, held against days counted by hand."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.composition.calendars import SiteCalendars
from app.composition.uow import reading
from app.queries.closings import closing_page
from erpcore.ledger.periods import ClosePeriod, close_period
from erpcore.masterdata.calendars import Calendar, tell_calendar, workdays
from erpcore.masterdata.models import Site
from erpcore.masterdata.services import NewSite, add_site
from readiness.conformance.drilldown import journeys_behind
from readiness.measures.queries import Asked, Scope, read_many, read_measure, read_previous, read_trend
from readiness.measures.reading import Stale
from tests.support.closings import FINANCE, a_closing
from tests.support.core import a_business
from tests.support.queries import queries
from tests.support.steps import invoiced

KEY = "close_cycle_time"
DAY = 86_400
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def business(database):
    """Books that begin in March 2026; it is noon of Thursday, 9 April."""
    business = a_business(database, stock=100)
    invoiced(business)
    at(business, date(2026, 4, 9))
    return business


def at(business, day, hour=12):
    business.clock.set(datetime.combine(day, time(hour), BERLIN))


def read(business, scope=None, **more):
    with reading(business.database) as session:
        return read_measure(
            session, KEY, scope or Scope(), as_of=business.clock.now(), calendars=SiteCalendars(session), **more
        )


def behind(business):
    with reading(business.database) as session:
        found = journeys_behind(session, KEY, Scope(), as_of=business.clock.now(), calendars=SiteCalendars(session))
    return [(one.kind, one.title, one.weight, one.is_open) for one in found]


def closed(business, until, reason="final"):
    with business.work(FINANCE) as work:
        close_period(work, ClosePeriod(entity=business.entity, until=until, reason=reason))


def test_an_open_month_counts_with_its_working_days_so_far_and_a_closed_one_with_those_it_took(business):
    found = read(business)
    # 1, 2, 3, 6, 7, 8 and 9 April; 4 and 5 are a weekend.
    assert (found.value, found.reached, found.count) == (7 * DAY, False, 1)
    assert (found.window.start, found.window.end) == (date(2026, 3, 1), date(2026, 4, 1))
    assert behind(business)[0][2:] == (7 * DAY, True)
    closed(business, date(2026, 4, 1))
    at(business, date(2026, 4, 20))
    found = read(business)
    assert (found.value, found.reached, found.count) == (7 * DAY, True, 1)
    assert behind(business)[0][2:] == (7 * DAY, False)


def test_books_that_were_opened_again_are_closed_by_the_last_close_alone(business):
    closed(business, date(2026, 4, 1))
    closed(business, date(2026, 3, 15), "a bill came late")
    at(business, date(2026, 4, 10))
    assert (read(business).value, read(business).reached) == (8 * DAY, False)
    closed(business, date(2026, 4, 1))
    closed(business, date(2026, 4, 5), "some days more")
    at(business, date(2026, 4, 30))
    assert (read(business).value, read(business).reached) == (8 * DAY, True), "a later close closes nothing anew"


def test_it_counts_days_as_the_close_room_does(business):
    closing = a_closing(business, date(2026, 4, 1))
    at(business, date(2026, 4, 14), 23)
    with reading(business.database) as session:
        page = closing_page(session, FINANCE, closing, business.clock.now())
    assert page.row.days == 10
    assert read(business).value == page.row.days * DAY


def told(business, site, *closed):
    calendar = Calendar(valid_from=date(2026, 1, 1), week=workdays(time(8), time(17)), closed=closed)
    with business.work() as work:
        tell_calendar(work, work.session.get_one(Site, site), calendar, "as the law has it")


def test_days_on_which_all_sites_of_the_company_rest_are_no_working_days(business):
    easter = date(2026, 4, 3), date(2026, 4, 6)
    told(business, business.site, *easter, date(2026, 4, 8))
    # 1, 2, 7 and 9 April: Good Friday, Easter Monday and a day of the site's own do not count.
    assert read(business).value == 4 * DAY
    with business.work() as work:
        facts = NewSite(
            entity=business.entity,
            code="KAS",
            name="Kassel",
            kind="branch",
            country="Germany",
            time_zone="Europe/Berlin",
        )
        other = add_site(work, facts)
    assert read(business).value == 4 * DAY, "a site without a calendar says nothing"
    told(business, other.id, *easter)
    assert read(business).value == 5 * DAY, "on the 8th one of the two works"
    closing = a_closing(business, date(2026, 4, 1))
    with reading(business.database) as session:
        page = closing_page(session, FINANCE, closing, business.clock.now())
    assert page.row.days == 5
    # The third working day of April is the 7th.
    assert next(one.due_on for one in page.tasks if one.name == "The cut-off test is read") == date(2026, 4, 7)


def test_it_is_of_companies_and_whole_months(business):
    assert read(business, Scope(sites=frozenset({business.site}))).value == 7 * DAY
    assert read(business, Scope(entities=frozenset({business.entity}), process="record_to_report")).value == 7 * DAY
    for elsewhere in (
        Scope(sites=frozenset({4711})), Scope(entities=frozenset({4711})), Scope(realm="training"), Scope(process="warehouse"),
    ):  # fmt: skip
        assert (read(business, elsewhere).value, read(business, elsewhere).count) == (None, 0), elsewhere
    assert read(business, Scope(customer_group=1)).stale is Stale.SOURCE_MISSING
    assert read(business, window=7).stale_detail == "close_cycle_time is of whole calendar months"
    with reading(business.database) as session:
        asked, calendars = Asked(key=KEY, scope=Scope()), SiteCalendars(session)
        days = read_trend(session, asked, days=20, as_of=business.clock.now(), calendars=calendars)
        (before,) = read_previous(session, [asked], as_of=business.clock.now(), calendars=calendars)
    assert {one.value for one in days} == {None}
    assert (before.value, before.count) == (None, 0), "the books had not begun in February"


def test_a_month_before_its_end_and_a_company_without_books_have_nothing_to_judge(database):
    business = a_business(database, stock=0)
    assert read(business).value is None
    at(business, date(2026, 3, 31), 23)
    assert read(business).value is None


def test_the_closing_of_the_month_is_behind_it(business):
    closing = a_closing(business, date(2026, 4, 1))
    with reading(business.database) as session:
        (one,) = journeys_behind(session, KEY, Scope(), as_of=business.clock.now(), calendars=SiteCalendars(session))
    assert (one.kind, one.id, one.flags) == ("closing", closing, ("open",))
    assert one.title.endswith(" 2026-03")
    assert one.opened_at == datetime(2026, 4, 1, tzinfo=BERLIN) - timedelta(microseconds=1)


def test_it_is_read_together_with_the_registers(business):
    def asked(*keys):
        with reading(business.database) as session, queries(business.database) as ran:
            wanted = [Asked(key=key, scope=Scope()) for key in keys]
            read_many(session, wanted, as_of=business.clock.now(), calendars=SiteCalendars(session))
        return len(ran)

    assert asked("variant_count", KEY) == asked("variant_count")

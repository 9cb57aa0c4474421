"""Books of several companies in one currency: by which rates, what remains as a difference, and what is refused without a rate."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from sqlalchemy import text

from app.composition.ledger_days import LedgerDayConsumer
from app.composition.uow import reading
from app.jobs.consumers import ConsumerRunner
from app.queries.consolidation import AskedGroup, group_page
from app.queries.places import entities_seen
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import RuleBroken
from erpcore.ledger.statements import TRANSLATION, Period, Report
from erpcore.masterdata.rate_days import day_rates
from erpcore.masterdata.rates import rate_for
from tests.support.companies import FEES, OPENING, REVENUE, a_sister, rates_of_spring, tell, trade_of_spring
from tests.support.core import a_business
from tests.support.queries import queries

ANYBODY = Actor.system("test")
UNTIL = date(2026, 3, 20)
MARCH = Period(since=date(2026, 3, 1), until=UNTIL)


@pytest.fixture
def sister(database):
    """Nordhaus keeps euros (stock worth 1,200.00), Alpen francs: 1,000.00 brought in at 1.00, 100.00 earned at 1.15 on average."""
    business = a_business(database)
    made = a_sister(business)
    rates_of_spring(business)
    trade_of_spring(made)
    return made


def report(sister, kind=Report.BALANCE_SHEET, period=MARCH, currency="EUR", actor=ANYBODY):
    with reading(sister.business.database) as session:
        companies = [one for one in entities_seen(session, actor) if one.realm == "live"]
        asked = AskedGroup(report=kind, companies=companies, currency=currency, period=period)
        return group_page(session, actor, asked)


def figures(page):
    """Code or label of each row with its figures: Alpen, Nordhaus, all."""
    assert [one.name for one in page.asked.companies] == ["Alpen AG", "Nordhaus GmbH"]
    found = {}
    for section in page.statement.sections:
        for row in (*section.rows, section.total):
            found[row.account.code if row.account else row.label] = row.figures
    found |= {row.label: row.figures for row in page.statement.results.values()}
    return {name: row for name, row in found.items() if any(row)}


def keep(sister):
    ConsumerRunner(sister.business.database, LedgerDayConsumer(), clock=sister.business.clock).run_to_head()


@pytest.mark.parametrize("is_kept", [False, True])
def test_a_balance_sheet_takes_the_last_days_rate_and_shows_what_remains(sister, is_kept):
    if is_kept:
        keep(sister)
    page = report(sister)
    assert figures(page) == {
        "1000": (132_000, 0, 132_000), "1400": (0, 120_000, 120_000), "All assets": (132_000, 120_000, 252_000),
        "3000": (100_000, 120_000, 220_000), "Result of this year": (11_500, 0, 11_500),
        TRANSLATION: (20_500, 0, 20_500), "All equity": (132_000, 120_000, 252_000),
        "Liabilities and equity": (132_000, 120_000, 252_000),
    }  # fmt: skip
    assert page.statement.check == (0, 0, 0)
    alpen, nordhaus = page.rates
    assert (alpen.closing.factor, alpen.closing.told_on, alpen.difference) == (
        Decimal("1.2"),
        date(2026, 3, 11),
        20_500,
    )
    assert alpen.averages == [(date(2026, 3, 1), Decimal("1.15"))]
    assert (nordhaus.closing, nordhaus.averages, nordhaus.difference) == (None, [], 0)


@pytest.mark.parametrize("is_kept", [False, True])
def test_a_profit_and_loss_takes_the_average_of_each_month(sister, is_kept):
    sister.post(date(2026, 2, 20), 5_000, REVENUE)
    sister.post(date(2026, 3, 6), -300, FEES)
    if is_kept:
        keep(sister)
    found = figures(report(sister, Report.PROFIT_AND_LOSS))
    assert found["4000"] == (11_500, 0, 11_500)
    assert found["6800"] == (345, 0, 345)
    assert found["Result"] == (11_155, 0, 11_155)
    whole = Period(since=date(2026, 2, 15), until=UNTIL)
    assert figures(report(sister, Report.PROFIT_AND_LOSS, whole))["4000"] == (16_500, 0, 16_500)
    # It needs no rate of the days on which equity was posted, nor of what is held.
    sister.post(date(2026, 1, 20), 500, OPENING)
    assert figures(report(sister, Report.PROFIT_AND_LOSS))["Result"] == (11_155, 0, 11_155)
    sister.post(date(2026, 1, 20), -500, OPENING)
    # What a year came to is in the balance sheet what its profit and loss says.
    year = Period(since=date(2026, 1, 1), until=UNTIL)
    result = figures(report(sister, Report.PROFIT_AND_LOSS, year))["Result"]
    assert figures(report(sister))["Result of this year"] == result == (16_155, 0, 16_155)


def test_a_trial_balance_comes_to_nothing_with_the_difference(sister):
    found = figures(report(sister, Report.TRIAL_BALANCE))
    assert found == {
        "1000": (132_000, 0, 132_000), "1400": (0, 120_000, 120_000), "3000": (-100_000, -120_000, -220_000),
        "4000": (-11_500, 0, -11_500), TRANSLATION: (-20_500, 0, -20_500),
    }  # fmt: skip


def test_a_rate_is_turned_round_where_the_other_company_reports(sister):
    page = report(sister, currency="CHF")
    found = figures(page)
    assert found["1000"] == (110_000, 0, 110_000)
    # 1,200.00 euros of stock, opened on 2 March when a franc was 1.10, are on 20 March at 1.20 worth less.
    assert found["1400"] == (0, 100_000, 100_000)
    assert found["3000"] == (100_000, 109_091, 209_091)
    assert found[TRANSLATION][1] == 100_000 - 109_091
    assert page.statement.check == (0, 0, 0)


def test_what_has_no_figure_needs_no_rate_and_what_has_is_refused_by_company_pair_and_day(sister):
    before = Period(since=date(2026, 1, 1), until=date(2026, 1, 31))
    assert figures(report(sister, period=before)) == {}
    with pytest.raises(RuleBroken) as caught:
        report(sister, period=Period(since=date(2026, 4, 1), until=date(2026, 4, 1)))
    assert caught.value.code == "company_rate_too_old"
    assert caught.value.facts == {
        "company": "Alpen AG", "pair": "CHF/EUR", "day": date(2026, 4, 1), "told": date(2026, 3, 11), "until": date(2026, 3, 31),
    }  # fmt: skip
    sister.post(date(2026, 1, 20), 500, OPENING)
    for kind in (Report.BALANCE_SHEET, Report.TRIAL_BALANCE):
        with pytest.raises(RuleBroken) as caught:
            report(sister, kind)
        assert caught.value.code == "company_rate_missing"
        assert caught.value.facts == {"company": "Alpen AG", "pair": "CHF/EUR", "day": date(2026, 1, 20)}


def test_a_month_with_one_day_that_nobody_told_a_rate_of_has_no_average(sister):
    """1 February is told for 28 days; income on 10 January asks for all days of January."""
    tell(sister.business, date(2026, 1, 2), "0.95", days=92)
    sister.post(date(2026, 1, 10), 700, REVENUE)
    with pytest.raises(RuleBroken) as caught:
        report(sister, Report.PROFIT_AND_LOSS, Period(since=date(2026, 1, 1), until=UNTIL))
    assert (caught.value.code, caught.value.facts["day"]) == ("company_rate_missing", date(2026, 1, 1))
    tell(sister.business, date(2025, 12, 31), "0.95", days=7)
    found = figures(report(sister, Report.PROFIT_AND_LOSS, Period(since=date(2026, 1, 1), until=UNTIL)))
    assert found["4000"] == (11_500 + 665, 0, 12_165)


def test_results_of_an_earlier_year_keep_the_averages_of_their_months(sister):
    next_year = Period(since=date(2027, 1, 1), until=date(2027, 1, 10))
    sister.business.clock.set(sister.business.clock.now().replace(year=2027, month=1, day=12))
    # March ends at 1.20: its average is of all its days, ten of them at 1.10.
    tell(sister.business, date(2027, 1, 1), "0.90", days=31)
    found = figures(report(sister, period=next_year))
    earned = round(10_000 * Fraction(10 * 110 + 21 * 120, 31 * 100))
    assert found["Result of earlier years"] == (earned, 0, earned)
    assert "Result of this year" not in found
    assert found["1000"] == (99_000, 0, 99_000)
    assert found[TRANSLATION] == (99_000 - 100_000 - earned, 0, 99_000 - 100_000 - earned)


def test_a_correction_of_a_rate_is_what_the_next_report_takes(sister):
    tell(sister.business, date(2026, 3, 11), "1.25", days=21)
    assert figures(report(sister))["1000"] == (137_500, 0, 137_500)


def test_books_that_do_not_balance_are_said_whatever_the_difference_takes_up(sister):
    keep(sister)
    with sister.business.database.write_engine.begin() as connection:
        connection.execute(text("UPDATE ledger_month SET debit_minor = debit_minor + 7 WHERE debit_minor = 100000"))
    assert report(sister).statement.check == (7, 0, 7)


def test_accounts_of_other_codes_meet_by_their_role(sister):
    with sister.business.database.write_engine.begin() as connection:
        renamed = text(
            "UPDATE ledger_account SET code = '1010', name = 'Postkonto' WHERE role = 'bank' AND entity_id = :entity"
        )
        connection.execute(renamed, {"entity": sister.entity})
    page = report(sister)
    (row,) = [one for one in page.statement.sections[0].rows if one.account.role == "bank"]
    assert row.figures == (132_000, 0, 132_000)
    with reading(sister.business.database) as session:
        account = session.scalar(text("SELECT id FROM ledger_account WHERE code = '1010'"))
    assert page.places[row.account.id, 0] == account
    assert page.places[row.account.id, 1] != account


def test_people_of_a_site_see_the_books_of_its_company_alone(sister):
    here = Actor(id=7, role="accountant", permissions=frozenset(), sites=frozenset({sister.business.site}))
    with reading(sister.business.database) as session:
        companies = entities_seen(session, here)
        asked = AskedGroup(report=Report.BALANCE_SHEET, companies=companies, currency="EUR", period=MARCH)
        page = group_page(session, here, asked)
    assert [one.name for one in companies] == ["Nordhaus GmbH"]
    assert page.statement.sections[0].total.figures == (120_000, 120_000)


def _held(ask):
    """The rate, or the refusal with its facts."""
    try:
        return ask()
    except RuleBroken as missing:
        return (missing.code, *missing.facts.values())


def test_many_days_read_at_once_are_the_rates_that_each_day_holds(sister):
    tell(sister.business, date(2026, 3, 14), "0.80", pair=("EUR", "CHF"), days=3)
    tell(sister.business, date(2026, 3, 16), "1.21", days=2)
    tell(sister.business, date(2026, 3, 16), "0.81", pair=("EUR", "CHF"), days=2)
    tell(sister.business, date(2026, 3, 16), "1.22", days=2)
    with reading(sister.business.database) as session:
        found = day_rates(session, "live", {"CHF", "EUR"}, "EUR", date(2026, 2, 1), date(2026, 3, 31))
        days = [date.fromordinal(date(2026, 2, 1).toordinal() + place) for place in range(59)]
        each = [_held(lambda day=day: rate_for(session, "live", "CHF", "EUR", day)) for day in days]
    assert [_held(lambda day=day: found["CHF"].on(day)) for day in days] == each
    # The last one told, of the 16th, may be used for two days: from the 18th to the end of March there is none.
    assert sum(isinstance(one, tuple) and one[0] == "rate_too_old" for one in each) == 14
    assert found["EUR"].on(UNTIL) is None
    assert found["EUR"].average(UNTIL, UNTIL) == 1


def test_a_consolidated_report_asks_as_often_for_ten_companies_as_for_two(sister):
    keep(sister)
    for kind in Report:
        with reading(sister.business.database) as session:
            companies = entities_seen(session, ANYBODY)
            for some in (companies[:1], companies):
                asked = AskedGroup(report=kind, companies=some, currency="EUR", period=MARCH)
                with queries(sister.business.database) as ran:
                    group_page(session, ANYBODY, asked)
                assert len(ran) == 5

"""Trial balance, profit and loss and balance sheet: equal to what the raw lines add up to, however they are segmented."""

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from itertools import product

import pytest
from sqlalchemy import text

from app.composition.ledger_days import LedgerDayConsumer
from app.composition.uow import reading
from app.jobs.consumers import ConsumerRunner, replay_parked
from app.queries.controls import compare_controls
from app.queries.statements import AskedReport, By, report_page
from benchmarks.statements import write_past
from erpcore.inventory.adjusting import CountStock, count_stock
from erpcore.kernel.actor import Actor
from erpcore.ledger.statements import Period, Report
from tests.support.controls import assert_books_agree
from tests.support.core import OPEN, RULES, a_business
from tests.support.queries import queries
from tests.support.steps import invoiced, paid

ANYBODY = Actor.system("test")
#: The business begins on Monday, 2 March 2026, with stock worth 1,200.00.
FIRST = date(2026, 3, 2)
MARCH = Period(since=date(2026, 3, 1), until=date(2026, 3, 31))
APRIL = Period(since=date(2026, 4, 1), until=date(2026, 4, 30))


@pytest.fixture
def business(database):
    """March: one order of 10 pieces paid (100.00 + 20.00 tax, cost 40.00). April: one of 5 pieces invoiced (50.00, cost 20.00)."""
    business = a_business(database, items=3, stock=100)
    paid(business, [(0, 10)])
    business.clock.set(business.clock.now() + timedelta(days=35))
    invoiced(business, [(1, 5)])
    return business


def _keep_days(business):
    return ConsumerRunner(business.database, LedgerDayConsumer(), clock=business.clock).run_to_head()


def _report(business, report, period, actor=ANYBODY, **changes):
    with reading(business.database) as session:
        return report_page(session, actor, AskedReport(report=report, entity=business.entity, period=period, **changes))


def _figures(page, column=0):
    """Codes, derived rows and sums with the figure of one column; what is nil is left out."""
    found = {}
    for section in page.statement.sections:
        for row in (*section.rows, section.total):
            found[row.account.code if row.account else row.label] = row.figures[column]
    found |= {row.label: row.figures[column] for row in page.statement.results.values()}
    return {name: value for name, value in found.items() if value}


def _from_raw_lines(business, *, until, since="0001-01-01"):
    """Debits less credits by account code, out of the raw lines alone."""
    with reading(business.database) as session:
        rows = session.execute(
            text(
                "SELECT a.code, a.kind, l.debit_minor, l.credit_minor, e.entry_on FROM journal_line l "
                "JOIN journal_entry e ON e.id = l.entry_id JOIN ledger_account a ON a.id = l.account_id"
            )
        ).all()
    sums, kinds = Counter(), {}
    for code, kind, debit, credit, day in rows:
        kinds[code] = kind
        if since <= str(day) <= until:
            sums[code] += debit - credit
    return sums, kinds


APRILS_RESULT = {"4000": 5_000, "All income": 5_000, "5000": 2_000, "All cost of goods": 2_000, "Gross result": 3_000, "Result": 3_000}  # fmt: skip


def test_the_result_of_a_month_stands_beside_the_month_before(business):
    page = _report(business, Report.PROFIT_AND_LOSS, APRIL)
    assert [column.label for column in page.columns] == ["2026-04-01 – 2026-04-30", "2026-03-01 – 2026-03-31", "Change"]
    assert _figures(page) == APRILS_RESULT
    assert _figures(page, 1)["Result"] == 6_000
    assert _figures(page, 2)["Result"] == -3_000


def test_the_balance_sheet_balances_and_the_result_is_derived(business):
    page = _report(business, Report.BALANCE_SHEET, APRIL)
    assert _figures(page) == {
        "1000": 12_000, "1200": 6_000, "1400": 114_000, "All assets": 132_000, "2200": 3_000, "All liabilities": 3_000,
        "3000": 120_000, "Result of this year": 9_000, "All equity": 129_000, "Liabilities and equity": 132_000,
    }  # fmt: skip
    assert _figures(page, 1)["All assets"] == 128_000
    assert page.statement.check == (0, 0, 0)


def test_the_result_of_an_earlier_year_is_kept_apart(business):
    next_year = Period(since=date(2027, 1, 1), until=date(2027, 1, 31))
    found = _figures(_report(business, Report.BALANCE_SHEET, next_year))
    assert found["Result of earlier years"] == 9_000
    assert "Result of this year" not in found


def test_the_trial_balance_carries_what_was_before_and_its_sides_agree(business):
    page = _report(business, Report.TRIAL_BALANCE, APRIL)
    rows = {row.account.code: row.figures for row in page.statement.sections[0].rows}
    assert rows["1400"] == (116_000, 0, 2_000, 114_000)
    assert rows["1200"] == (0, 6_000, 0, 6_000)
    assert page.statement.check == (0, 0, 0)
    assert page.statement.sections[0].total.figures == (0, 8_000, 8_000, 0)


def test_every_figure_equals_what_the_raw_lines_add_up_to_whether_days_are_kept_or_not(business):
    _same_as_raw_lines(business)
    assert _keep_days(business) == 9
    _same_as_raw_lines(business)


def _same_as_raw_lines(business):
    # Periods of whole months, of parts of one month, of two, and of the next year, when all that was is in months.
    later = Period(since=date(2027, 2, 3), until=date(2027, 2, 9))
    for period in (MARCH, APRIL, Period(since=FIRST, until=date(2026, 4, 6)), Period(since=FIRST, until=FIRST), later):
        balance = _figures(_report(business, Report.BALANCE_SHEET, period))
        sums, kinds = _from_raw_lines(business, until=period.until.isoformat())
        signed = {"asset": 1, "liability": -1, "equity": -1}
        assert {code: value for code, value in balance.items() if code in kinds} == {
            code: signed[kinds[code]] * value for code, value in sums.items() if kinds[code] in signed and value
        }
        assert balance["All assets"] == balance["Liabilities and equity"]
        result = _figures(_report(business, Report.PROFIT_AND_LOSS, period))
        sums, _ = _from_raw_lines(business, since=period.since.isoformat(), until=period.until.isoformat())
        assert result.get("Result", 0) == -sum(sums[code] for code in sums if kinds[code] in ("income", "expense"))


def test_what_is_posted_after_the_cursor_is_added_to_the_days_and_counted_once(business):
    _keep_days(business)
    invoiced(business, [(1, 5)])
    doubled = _report(business, Report.PROFIT_AND_LOSS, APRIL)
    assert _figures(doubled)["Result"] == 6_000
    _keep_days(business)
    assert _keep_days(business) == 0
    assert _figures(_report(business, Report.PROFIT_AND_LOSS, APRIL)) == _figures(doubled)
    assert_books_agree(business.database)


class _Stumbling(LedgerDayConsumer):
    """Cannot take the newest entry."""

    def __init__(self, entry):
        self.entry = entry

    def take(self, work, events, prepared=None):
        if self.entry in {event.subject for event in events}:
            raise ValueError("not this one")
        super().take(work, events, prepared)


def test_an_entry_whose_event_is_parked_is_in_the_reports_all_the_same(business):
    with reading(business.database) as session:
        newest = session.scalar(text("SELECT MAX(id) FROM journal_entry"))
    ConsumerRunner(business.database, _Stumbling(newest), clock=business.clock).run_to_head()
    assert _figures(_report(business, Report.PROFIT_AND_LOSS, APRIL)) == APRILS_RESULT
    assert_books_agree(business.database)
    assert replay_parked(business.database, LedgerDayConsumer(), clock=business.clock) == (1, 0)
    assert _figures(_report(business, Report.PROFIT_AND_LOSS, APRIL)) == APRILS_RESULT
    assert_books_agree(business.database)


def test_sites_and_channels_stand_beside_each_other_and_add_up_to_all(business):
    by_site = _report(business, Report.BALANCE_SHEET, APRIL, by="site")
    assert [column.label for column in by_site.columns] == ["Duisburg", "no site", "All"]
    assert [_figures(by_site, column).get("All assets", 0) for column in range(3)] == [120_000, 12_000, 132_000]
    assert by_site.statement.check == (0, 0, 0)
    by_channel = _report(business, Report.PROFIT_AND_LOSS, APRIL, by="channel")
    assert [column.label for column in by_channel.columns] == ["Wholesale", "All"]
    assert _figures(by_channel, 0) == APRILS_RESULT
    alone = _report(business, Report.PROFIT_AND_LOSS, APRIL, channel=business.channel)
    assert _figures(alone) == APRILS_RESULT
    assert _figures(_report(business, Report.PROFIT_AND_LOSS, APRIL, site=business.site + 999)) == {}


def test_each_column_says_which_days_it_adds_up(business):
    days = [(one.since, one.until) for one in _report(business, Report.TRIAL_BALANCE, APRIL).columns]
    assert days == [(None, MARCH.until), (APRIL.since, APRIL.until), (APRIL.since, APRIL.until), (None, APRIL.until)]
    days = [(one.since, one.until) for one in _report(business, Report.BALANCE_SHEET, APRIL).columns]
    assert days == [(None, APRIL.until), (None, MARCH.until), (None, None)]
    days = [(one.since, one.until) for one in _report(business, Report.PROFIT_AND_LOSS, APRIL).columns]
    assert days == [(APRIL.since, APRIL.until), (MARCH.since, MARCH.until), (None, None)]
    by_site = _report(business, Report.BALANCE_SHEET, APRIL, by="site").columns
    assert {(one.since, one.until) for one in by_site} == {(None, APRIL.until)}


def test_what_has_no_column_of_its_own_stands_in_one_with_the_others(business, monkeypatch):
    monkeypatch.setattr("app.queries.statements.MOST_PARTS", 1)
    page = _report(business, Report.BALANCE_SHEET, APRIL, by="site")
    assert [(one.label, one.site) for one in page.columns] == [
        ("Duisburg", business.site),
        ("1 other", None),
        ("All", None),
    ]
    assert (page.others, page.beyond) == (1, 1)
    assert [_figures(page, column)["All assets"] for column in range(3)] == [120_000, 12_000, 132_000]
    assert page.statement.check == (0, 0, 0)
    others = _report(business, Report.BALANCE_SHEET, APRIL, by="site", start=page.beyond)
    assert [one.label for one in others.columns] == ["no site", "1 other", "All"]
    assert [_figures(others, column)["All assets"] for column in range(3)] == [12_000, 120_000, 132_000]
    assert (others.others, others.beyond) == (1, 0)
    # Beyond the last there is nothing, so the first are shown.
    assert _report(business, Report.BALANCE_SHEET, APRIL, by="site", start=9).columns == page.columns
    page = _report(business, Report.PROFIT_AND_LOSS, APRIL, by="channel")
    assert [one.label for one in page.columns] == ["Wholesale", "All"]


def _raw_of_cells(business, since, until):
    """Debits and credits by account, site and channel before the period and in it, out of the raw lines alone."""
    with reading(business.database) as session:
        rows = session.execute(
            text(
                "SELECT a.code, e.site_id, e.channel_id, l.debit_minor, l.credit_minor, e.entry_on FROM journal_line l "
                "JOIN journal_entry e ON e.id = l.entry_id JOIN ledger_account a ON a.id = l.account_id"
            )
        ).all()
    found = {"opening": Counter(), "debit": Counter(), "credit": Counter()}
    for code, site, channel, debit, credit, day in rows:
        key = (code, site or 0, channel or 0)
        if str(day) < since.isoformat():
            found["opening"][key] += debit - credit
        elif str(day) <= until.isoformat():
            found["debit"][key] += debit
            found["credit"][key] += credit
    return found


KEPT = {"site": lambda key: (key[1], None), "channel": lambda key: (None, key[2]), "cell": lambda key: key[1:]}


@pytest.mark.parametrize("is_kept", [False, True])
def test_segments_of_a_trial_balance_are_what_their_lines_add_up_to_and_together_the_whole(business, is_kept):
    if is_kept:
        _keep_days(business)
        invoiced(business, [(2, 3)])
    for period in (APRIL, Period(since=FIRST, until=date(2026, 4, 6))):
        raw = _raw_of_cells(business, period.since, period.until)
        raw["closing"] = Counter(raw["opening"])
        raw["closing"].update(raw["debit"])
        raw["closing"].subtract(raw["credit"])
        whole = _report(business, Report.TRIAL_BALANCE, period)
        for (by, kept), (place, figure) in product(KEPT.items(), enumerate(("opening", "debit", "credit", "closing"))):
            page = _report(business, Report.TRIAL_BALANCE, period, by=by, figure=figure)
            expected = Counter()
            for key, value in raw[figure].items():
                expected[key[0], *kept(key)] += value
            found = {
                (row.account.code, column.site, column.channel): value
                for row in page.statement.sections[0].rows
                for column, value in zip(page.columns[:-1], row.figures[:-1], strict=True)
            }
            assert {key: value for key, value in found.items() if value} == {
                key: value for key, value in expected.items() if value
            }
            assert page.columns[-1].label == "All"
            for row, all_of_it in zip(page.statement.sections[0].rows, whole.statement.sections[0].rows, strict=True):
                assert sum(row.figures[:-1]) == row.figures[-1] == all_of_it.figures[place]
            assert not any(page.statement.check)


def test_segments_of_every_report_add_up_to_the_whole_report_to_the_cent(business):
    for report, by, period in product(
        (Report.PROFIT_AND_LOSS, Report.BALANCE_SHEET), KEPT, (MARCH, APRIL, Period(since=FIRST, until=APRIL.until))
    ):
        whole, page = _report(business, report, period), _report(business, report, period, by=by)
        assert _figures(page, len(page.columns) - 1) == _figures(whole)
        for section in page.statement.sections:
            for row in (*section.rows, section.total):
                assert sum(row.figures[:-1]) == row.figures[-1]
        for row in page.statement.results.values():
            assert sum(row.figures[:-1]) == row.figures[-1]
        assert not any(page.statement.check)
        # Each segment alone is the same report kept to it.
        for place, column in enumerate(page.columns[:-1]):
            alone = _report(business, report, period, site=column.site, channel=column.channel)
            assert _figures(alone) == _figures(page, place)


def test_what_belongs_to_no_site_or_channel_is_a_segment_of_its_own(business):
    page = _report(business, Report.TRIAL_BALANCE, APRIL, by="cell")
    assert [(one.label, one.site, one.channel) for one in page.columns] == [
        ("Duisburg · Wholesale", business.site, business.channel),
        ("Duisburg · no channel", business.site, 0),
        ("no site · no channel", 0, 0),
        ("All", None, None),
    ]
    rows = {row.account.code: row.figures for row in page.statement.sections[0].rows}
    assert rows["1000"] == (0, 0, 12_000, 12_000)
    assert rows["1400"] == (-6_000, 120_000, 0, 114_000)
    kept = _report(business, Report.TRIAL_BALANCE, APRIL, site=0)
    assert {row.account.code: row.figures[3] for row in kept.statement.sections[0].rows if row.figures[3]} == {
        "1000": 12_000, "2300": -12_000,
    }  # fmt: skip
    # Of income and expenses everything has its site and channel here.
    assert [one.label for one in _report(business, Report.PROFIT_AND_LOSS, APRIL, by="cell").columns] == [
        "Duisburg · Wholesale",
        "All",
    ]


def test_a_line_that_stands_at_the_wrong_site_is_seen_in_both_columns(business):
    _keep_days(business)
    june = Period(since=date(2026, 6, 1), until=date(2026, 6, 30))
    with business.database.write_engine.begin() as connection:
        moved = "UPDATE ledger_month SET site_id = 0 WHERE debit_minor = 4000 AND account_id = "
        connection.execute(text(f"{moved} (SELECT id FROM ledger_account WHERE role = 'cost_of_sales')"))
    page = _report(business, Report.TRIAL_BALANCE, june, by="site")
    assert [one.label for one in page.columns] == ["Duisburg", "no site", "All"]
    assert page.statement.check == (-4_000, 4_000, 0)


def test_people_of_a_site_get_the_figures_of_that_site_alone(business):
    here = Actor(id=7, role="accountant", permissions=frozenset(), sites=frozenset({business.site}))
    elsewhere = Actor(id=8, role="accountant", permissions=frozenset(), sites=frozenset({business.site + 999}))
    _keep_days(business)
    assert _figures(_report(business, Report.BALANCE_SHEET, APRIL, here))["All assets"] == 120_000
    assert _figures(_report(business, Report.BALANCE_SHEET, APRIL, elsewhere)) == {}


def test_a_wrong_day_is_found_by_the_books(business):
    _keep_days(business)
    with business.database.write_engine.begin() as connection:
        connection.execute(text("UPDATE ledger_day SET debit_minor = debit_minor + 3 WHERE credit_minor = 120000"))
    with reading(business.database, snapshot=True) as session:
        (found,) = compare_controls(session, ["ledger_days"])
    assert found.difference == 3
    assert found.first_key.endswith("2026-03-02-debit")


def test_a_wrong_month_is_found_by_the_books_and_read_by_reports_of_later_months(business):
    _keep_days(business)
    june = Period(since=date(2026, 6, 1), until=date(2026, 6, 30))
    assert _figures(_report(business, Report.TRIAL_BALANCE, june), 3)["1400"] == 114_000
    with business.database.write_engine.begin() as connection:
        connection.execute(text("UPDATE ledger_month SET debit_minor = debit_minor + 5 WHERE debit_minor = 120000"))
    with reading(business.database, snapshot=True) as session:
        (found,) = compare_controls(session, ["ledger_months"])
    assert found.difference == 5
    assert found.first_key.endswith("2026-03-debit")
    assert _figures(_report(business, Report.TRIAL_BALANCE, june), 3)["1400"] == 114_005


def test_stock_that_is_lost_stands_in_the_cost_of_goods(business):
    count = CountStock(site=business.site, item=business.items[2], counted=Decimal(90))
    with business.work() as work:
        count_stock(work, [count], rules=RULES, cells=OPEN)
    found = _figures(_report(business, Report.PROFIT_AND_LOSS, APRIL))
    assert found["5200"] == 4_000
    assert found["Gross result"] == found["Result"] == -1_000


def test_a_report_takes_three_statements(business):
    _keep_days(business)
    for report in Report:
        with reading(business.database) as session, queries(business.database) as ran:
            report_page(session, ANYBODY, AskedReport(report=report, entity=business.entity, period=APRIL))
        assert len(ran) == 3
        with reading(business.database) as session, queries(business.database) as ran:
            page = AskedReport(report=report, entity=business.entity, period=APRIL, by=By.CELL)
            report_page(session, ANYBODY, page)
        assert len(ran) == 5


def test_the_past_that_the_benchmark_writes_is_one_that_the_consumer_would_have_kept(database):
    business = a_business(database, items=1)
    write_past(database, business, 1_200)
    with reading(database, snapshot=True) as session:
        found = compare_controls(session, ["ledger_balanced"])
        kept = session.execute(
            text("SELECT COUNT(*), SUM(debit_minor) FROM ledger_day WHERE entry_on < '2026-03-01'")
        ).one()
        covered = "SELECT SUM(l.debit_minor) FROM journal_line l WHERE l.entry_id BETWEEN 1000000000 AND 1000000199"
        assert (kept[0], int(kept[1])) == (1_600, int(session.scalar(text(covered))))
    assert {one.difference for one in found} == {0}
    everything = Period(since=date(2023, 1, 1), until=date(2026, 12, 31))
    page = _report(business, Report.TRIAL_BALANCE, everything)
    sums, _ = _from_raw_lines(business, until="2026-12-31")
    assert {row.account.code: row.figures[3] for row in page.statement.sections[0].rows if row.figures[3]} == {
        code: value for code, value in sums.items() if value
    }

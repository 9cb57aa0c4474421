"""Exchange rates: the last one at or before the day, never one that is too old; corrected with a reason, told once by two at once."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.composition.uow import reading
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import Conflict, NotAllowed, RuleBroken
from erpcore.masterdata import rates
from erpcore.masterdata.rates import NewRate, keep_rates, rate_for
from tests.support.core import a_business
from tests.support.threads import at_once
from tests.support.trader import fingerprint_of

#: The day of the tests, a Monday.
TODAY = date(2026, 3, 2)


@pytest.fixture
def business(database):
    return a_business(database)


def told(business, rate="0.9412", *, realm="live", **changes):
    given = {"currency": "EUR", "against": "CHF", "day": TODAY, "source": "ECB"}
    with business.work(realm=realm) as work:
        (row,) = keep_rates(work, [NewRate(rate=Decimal(rate), **{**given, **changes})])
        return row.id


def held(business, day=TODAY, pair=("EUR", "CHF"), realm="live"):
    with reading(business.database) as session:
        return rate_for(session, realm, *pair, day)


def refused(business, code, act):
    before = fingerprint_of(business.database)
    with pytest.raises(RuleBroken) as caught:
        act()
    assert caught.value.code == code
    assert fingerprint_of(business.database) == before, "a refusal moves nothing"
    return caught.value


def test_the_last_rate_at_or_before_the_day_holds_and_is_turned_round_where_only_the_other_is_told(business):
    friday = told(business, "0.94", day=TODAY - timedelta(days=3))
    assert held(business)[:5] == (friday, "EUR", "CHF", TODAY - timedelta(days=3), TODAY + timedelta(days=3))
    monday = told(business, "0.95")
    assert held(business).id == monday
    assert held(business, TODAY - timedelta(days=1)).id == friday, "a later rate is not known on an earlier day"
    turned = held(business, pair=("CHF", "EUR"))
    assert (turned.id, turned.turned, turned.factor) == (monday, True, Decimal("1.052631579"))
    assert (turned.exchanged(9_500), held(business).exchanged(10_000)) == (10_000, 9_500)


def test_an_amount_is_rounded_once_half_away_from_zero_in_the_coins_of_its_new_currency(business):
    told(business, "0.5")
    assert [held(business).exchanged(minor) for minor in (1, -1, 3, 2, 0)] == [1, -1, 2, 1, 0]
    told(business, "163.255", against="JPY")
    yen = held(business, pair=("EUR", "JPY"))
    assert yen.exchanged(100) == 163, "1.00 EUR in yen, which have no smaller coin"
    assert held(business, pair=("JPY", "EUR")).exchanged(163) == 100


def test_a_rate_missing_for_the_day_is_refused_by_pair_and_day_and_one_that_is_too_old_says_which_is_the_last(business):
    missing = refused(business, "rate_missing", lambda: held(business))
    assert (missing.facts["pair"], missing.facts["day"]) == ("EUR/CHF", TODAY)
    told(business, day=TODAY - timedelta(days=7))
    old = refused(business, "rate_too_old", lambda: held(business))
    assert (old.facts["told"], old.facts["until"]) == (TODAY - timedelta(days=7), TODAY - timedelta(days=1))
    assert held(business, TODAY - timedelta(days=1)).rate == Decimal("0.9412"), "its last day still counts"
    refused(business, "rate_missing", lambda: held(business, TODAY - timedelta(days=8)))
    month = told(business, day=date(2026, 2, 1), against="GBP", holds_days=31)
    assert held(business, pair=("EUR", "GBP")).id == month


def test_what_is_no_rate_is_refused_and_moves_nothing(business):
    for code, rate, changes in (
        ("currency_code", "1", {"currency": "EURO"}), ("currency_code", "1", {"against": "1HF"}),
        ("rate_same_currency", "1", {"against": "eur"}), ("rate_outside", "0", {}), ("rate_outside", "-1", {}),
        ("rate_outside", "1000001", {}), ("rate_outside", "0.9412000001", {}), ("rate_outside", "NaN", {}),
        ("rate_of_earlier_day", "1", {"day": date.min}),
        ("rate_of_later_day", "1", {"day": TODAY + timedelta(days=2)}), ("rate_days", "1", {"holds_days": 0}),
        ("rate_days", "1", {"holds_days": 93}), ("rate_source", "1", {"source": "  "}),
    ):  # fmt: skip
        refused(business, code, lambda rate=rate, changes=changes: told(business, rate, **changes))


def test_another_rate_of_a_day_is_a_correction_with_a_reason_and_the_former_stays(business):
    first = told(business)
    assert told(business) == first, "the same rate told twice is told once"
    again = refused(business, "rate_told", lambda: told(business, "0.9421"))
    assert again.facts["rate"] == "0.9412"
    second = told(business, "0.9421", reason="two digits changed places")
    assert held(business).id == second
    with reading(business.database) as session:
        rows = session.execute(text("SELECT revision, rate, reason FROM exchange_rate ORDER BY revision")).all()
    assert [tuple(row) for row in rows] == [
        (1, 941_200_000, None), (2, 942_100_000, "two digits changed places"),
    ]  # fmt: skip
    for statement in ("UPDATE exchange_rate SET rate = 1", "DELETE FROM exchange_rate"):
        with pytest.raises(DBAPIError, match="history"), business.work() as work:
            work.session.execute(text(statement))


def test_a_rate_far_from_the_one_before_needs_a_reason(business):
    told(business, day=TODAY - timedelta(days=1))
    slipped = refused(business, "rate_jumps", lambda: told(business, "9.412"))
    assert (slipped.facts["before"], slipped.facts["told"]) == ("0.9412", TODAY - timedelta(days=1))
    refused(business, "rate_jumps", lambda: told(business, "2", currency="CHF", against="EUR"))
    told(business, "0.70", reason="the floor was given up")
    assert held(business).rate == Decimal("0.7")


def test_many_rates_are_taken_whole_or_not_at_all(business):
    good = NewRate(currency="EUR", against="CHF", day=TODAY, rate=Decimal("0.94"), source="ECB")
    bad = NewRate(currency="EUR", against="EUR", day=TODAY, rate=Decimal(1), source="ECB")

    def both():
        with business.work() as work:
            keep_rates(work, [good, bad])

    refused(business, "rate_same_currency", both)


def test_a_realm_has_rates_of_its_own(business):
    told(business, realm="rehearsal")
    refused(business, "rate_missing", lambda: held(business))
    assert held(business, realm="rehearsal").rate == Decimal("0.9412")


def test_who_may_not_keep_rates_keeps_none(business):
    before = fingerprint_of(business.database)
    rate = NewRate(currency="EUR", against="CHF", day=TODAY, rate=Decimal("0.94"), source="ECB")
    with pytest.raises(NotAllowed), business.work(actor=Actor(id=7, role="billing")) as work:
        keep_rates(work, [rate])
    assert fingerprint_of(business.database) == before


def test_of_two_who_tell_the_same_day_at_once_the_second_is_told_so(business, monkeypatch):
    first = told(business)
    # The second looked before the first had ended: it saw no rate of that day.
    monkeypatch.setattr(rates, "_told", lambda *_: None)
    before = fingerprint_of(business.database)
    with pytest.raises(Conflict) as clash:
        told(business, "0.9413")
    assert clash.value.code == "rate_told_meanwhile"
    assert fingerprint_of(business.database) == before
    assert held(business).id == first


def test_two_who_tell_the_same_rates_at_once_in_other_orders_tell_them_once(business):
    pairs = ("CHF", "GBP", "NOK", "SEK", "DKK", "PLN")

    def tell(order):
        with business.work() as work:
            rates = [NewRate(currency="EUR", against=one, day=TODAY, rate=Decimal(7), source="ECB") for one in order]
            return [row.against for row in keep_rates(work, rates)]

    found = at_once(lambda: tell(pairs), lambda: tell(pairs[::-1]))
    # Who came second was told so, or found them told already as they are.
    assert {str(pairs), str(pairs[::-1])} >= {str(tuple(one)) for one in found if isinstance(one, list)} != set()
    assert {one.code for one in found if isinstance(one, Exception)} <= {"rate_told_meanwhile"}
    with reading(business.database) as session:
        rows = session.execute(text("SELECT against, revision FROM exchange_rate ORDER BY against")).all()
    assert [tuple(row) for row in rows] == [(one, 1) for one in sorted(pairs)]


def test_a_crash_among_many_rates_leaves_none(business, monkeypatch):
    written, before = [], fingerprint_of(business.database)

    def stop_at_the_second(*args):
        written.append(args)
        if len(written) > 1:
            raise RuntimeError("the power went")

    monkeypatch.setattr(rates, "_last", stop_at_the_second)
    both = [NewRate(currency="EUR", against=one, day=TODAY, rate=Decimal(7), source="ECB") for one in ("CHF", "GBP")]
    with pytest.raises(RuntimeError, match="power"), business.work() as work:
        keep_rates(work, both)
    assert fingerprint_of(business.database) == before

"""Goods that wait to be put away: what came first goes first, and the control point, the exceptions and the bins say the same."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import create_engine, text

from app.composition import schema
from app.composition.cases import AssignCases, Document, assign_cases
from app.composition.measuring import SiteRecords
from app.composition.uow import connect, reading
from app.jobs.consumers import ConsumerRunner
from app.queries.controls import compare_controls
from app.queries.journey_pages import numbers_of
from app.queries.listing import Asked
from app.queries.trouble_control import unowned
from app.queries.troubles import TROUBLES
from app.security.roles import Role, permissions_of
from erpcore.inventory.shifting import PutAway, put_away
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.events import Place
from erpcore.published.stock import StockPutAway, StockPutAway1
from readiness.measures.consumer import JourneyConsumer
from readiness.measures.drilldown import journeys_behind
from readiness.measures.proof import compare_up_to_cursor, compare_with_rebuild
from readiness.measures.queries import Scope, read_measure
from tests.db.core.test_receiving import arrived, shipped_transfer
from tests.support.controls import assert_books_agree
from tests.support.core import OPEN, RULES, a_business
from tests.support.warehouse import ANNA, balance, bins, everything, locations, no_names, received, second_site
from tests.support.web import a_person

H = timedelta(hours=1)
DAY = 24 * H


@pytest.fixture
def business(database):
    made = a_business(database, items=2, stock=0)
    made.dock = locations(made, "DOCK", kind="receiving")[0]
    return made


def stow(business, quantity, *, item=0, site=None, dock=None):
    command = PutAway(
        site=site or business.site, item=business.items[item], quantity=Decimal(quantity), source=dock or business.dock,
        location=None,
    )  # fmt: skip
    with business.work(ANNA) as work:
        put_away(work, [command], rules=RULES, cells=OPEN, order_names=no_names)


def watched(business, site=None):
    """(value, worth, [(number, weight in working hours)]) at the control point, with the projection at the head of the log."""
    ConsumerRunner(business.database, JourneyConsumer(), clock=business.clock).run_to_head()
    scope, now = Scope(sites=frozenset({site or business.site})), business.clock.now()
    with reading(business.database, snapshot=True) as session:
        asked = {"scope": scope, "as_of": now, "calendars": SiteRecords(session), "dimension": "goods receipt"}
        count = read_measure(session, "silent_failures", **asked).value
        worth = read_measure(session, "silent_failures_value", **asked).value
        behind = journeys_behind(session, "silent_failures", **asked)
        numbers = numbers_of(session, [(one.kind, one.id) for one in behind])
        return count, worth, [(numbers[one.kind, one.id], one.kind) for one in behind]


def queued(business):
    """[(number, since)] of the goods that stand among the exceptions, and none of them is nobody's."""
    with reading(business.database) as session:
        assert unowned(session, business.clock.now()) == 0
    return [(row.number, row.since) for row in troubles(business)]


def troubles(business):
    with reading(business.database) as session:
        asked = Asked(values={"subject": "put_away"}, sort="number")
        return sorted(
            TROUBLES.page(session, Actor.system("test"), asked, business.clock.now()).rows, key=lambda row: row.since
        )


def passed(business, while_):
    business.clock.set(business.clock.now() + while_)


def waiting(business):
    """[(number, thousandths that wait)] as the arrivals are kept."""
    with reading(business.database) as session:
        return [
            tuple(row)
            for row in session.execute(
                text(
                    "SELECT number, quantity - put_away FROM stock_arrival WHERE put_away < quantity ORDER BY arrived_at, id"
                )
            )
        ]


def test_what_came_first_is_put_away_first_and_both_watches_see_what_is_left(business):
    first, t0 = received(business, 10), business.clock.now()
    passed(business, 2 * H)
    second, t1 = received(business, 5), business.clock.now()
    assert waiting(business) == [(first.number, 10_000), (second.number, 5_000)]
    stow(business, 4)
    assert waiting(business) == [(first.number, 6_000), (second.number, 5_000)]
    business.clock.set(t0 + 3 * DAY)
    a_person(business.database, Role.WAREHOUSE_SUPERVISOR, clock=business.clock)
    count, worth, behind = watched(business)
    # Six of ten at a standard cost of 4.00, and five.
    assert (count, worth) == (2, Decimal("44.00"))
    assert sorted(behind) == sorted([(first.number, "arrival"), (second.number, "arrival")])
    assert [since for _, since in queued(business)] == [t0, t1]
    assert [number.partition(" of ")[2] for number, _ in queued(business)] == [first.number, second.number]
    stow(business, 7)
    assert waiting(business) == [(second.number, 4_000)]
    assert watched(business) == (1, Decimal("16.00"), [(second.number, "arrival")])
    assert [since for _, since in queued(business)] == [t1]
    stow(business, 4)
    assert watched(business) == (0, Decimal(0), [])
    assert (queued(business), waiting(business)) == ([], [])
    assert_books_agree(business.database)
    with reading(business.database, snapshot=True) as session:
        assert compare_with_rebuild(session).agrees
        (total,) = [one for one in compare_up_to_cursor(session) if one.name == "goods arrived"]
        assert (total.projected, total.counted) == (2, 2)


def test_goods_of_a_transfer_wait_too_each_time_that_some_came(database):
    business = a_business(database, items=1, stock=10)
    site = second_site(business)
    (dock,) = locations(business, "DOCK", kind="receiving", site=site)
    transfer = shipped_transfer(business, site, 6)
    arrived(business, transfer, 2)
    passed(business, DAY)
    arrived(business, transfer, 4, damaged=1)
    assert waiting(business) == [(transfer.number, 2_000), (transfer.number, 3_000)]
    passed(business, 3 * DAY)
    assert watched(business, site)[0] == 2
    stow(business, 3, site=site, dock=dock)
    count, _, behind = watched(business, site)
    assert (count, behind) == (1, [(transfer.number, "arrival")])
    assert waiting(business) == [(transfer.number, 2_000)]
    assert_books_agree(database)


def test_where_goods_are_free_at_once_an_arrival_is_told_and_waits_for_nobody(database):
    business = a_business(database, items=1, stock=0)
    received(business, 10)
    passed(business, 5 * DAY)
    assert watched(business) == (0, Decimal(0), [])
    with reading(database) as session:
        told = session.execute(text("SELECT data FROM event_log WHERE type = 'stock.arrived'")).scalars().all()
        assert len(told) == 1
        assert session.execute(text("SELECT COUNT(*) FROM stock_arrival")).scalar_one() == 0


def test_more_than_waits_is_refused_and_nothing_is_put_away(business):
    received(business, 10)
    before = everything(business), waiting(business)
    for quantity in (11, 0):
        with pytest.raises(RuleBroken):
            stow(business, quantity)
    assert (everything(business), waiting(business)) == before


def test_care_stays_with_the_arrival_and_not_with_the_bin(business):
    lead = a_person(business.database, Role.WAREHOUSE_SUPERVISOR, clock=business.clock)
    actor = Actor(id=lead.id, role=Role.WAREHOUSE_SUPERVISOR, permissions=permissions_of(Role.WAREHOUSE_SUPERVISOR))
    received(business, 3)
    passed(business, 2 * DAY)
    (row,) = troubles(business)
    with business.work(actor) as work:
        taken = AssignCases(documents=[Document(subject="put_away", id=row.id, site=business.site)], person=lead.id)
        assign_cases(work, taken)
    stow(business, 3)
    received(business, 2)
    passed(business, 2 * DAY)
    (again,) = troubles(business)
    assert bins(business)[("DOCK", None, "received")] == 2
    assert (again.id != row.id, again.link_id, again.owner_id, again.is_by_rule) == (True, row.link_id, None, True)


def test_two_who_put_the_same_away_at_once_do_not_put_away_more_than_came(business):
    received(business, 10)

    def one(_):
        try:
            stow(business, 6)
        except RuleBroken as refusal:
            return refusal.code
        return "done"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(one, range(2))) == ["bin_short", "done"]
    assert [rest for _, rest in waiting(business)] == [4_000]
    assert balance(business)[2] == 4
    assert_books_agree(business.database)


def test_an_arrival_that_says_otherwise_than_the_bin_is_found_by_the_proof(business):
    received(business, 10)
    with business.work() as work:
        work.session.execute(text("UPDATE stock_arrival SET put_away = 1000"))
    with reading(business.database, snapshot=True) as session:
        wrong = {row.control: row.difference for row in compare_controls(session) if row.difference}
    assert set(wrong) == {"stock_arrived"}


def test_what_was_put_away_before_arrivals_were_kept_is_read_as_today_and_makes_no_journey(business):
    old = StockPutAway1(item=business.items[0], quantity=4_000)
    assert StockPutAway.upcast(old) == StockPutAway(item=business.items[0], quantity=4_000)
    received(business, 10)
    stow(business, 4)
    with reading(business.database) as session:
        place = session.execute(text("SELECT journey FROM event_log WHERE type = 'stock.put_away'")).scalar_one()
    with business.work() as work:
        where = Place(realm="live", entity=business.entity, site=business.site)
        work.publish(old, where, step="warehouse.put_away", subject=("put_away", 77, 1), journey=77)
    watched(business)
    with reading(business.database, snapshot=True) as session:
        assert session.execute(text("SELECT COUNT(*) FROM parked_event")).scalar_one() == 0
        kinds = session.execute(text("SELECT id, kind, remaining FROM journey WHERE kind = 'arrival'")).all()
        assert [tuple(row) for row in kinds] == [(place, "arrival", 6_000)]
        assert session.execute(text("SELECT COUNT(*) FROM journey WHERE id = 77")).scalar_one() == 0
        assert compare_with_rebuild(session).agrees


def test_what_waits_when_arrivals_come_to_be_kept_is_the_newest_that_came(database_url):
    schema.upgrade(database_url)
    database = connect(database_url)
    business = a_business(database, items=1, stock=0)
    business.dock = locations(business, "DOCK", kind="receiving")[0]
    received(business, 10)
    passed(business, H)
    second = received(business, 5)
    stow(business, 8)
    before = waiting(business)
    database.dispose()
    schema.downgrade(database_url, "0049")
    engine = create_engine(database_url)
    with engine.begin() as connection:
        where = connection.execute(text("SELECT id FROM stock_bin WHERE status = 'received'")).scalar_one()
        connection.execute(
            text(
                "INSERT INTO exception_case (subject, document_id, owner_role, note, changed_at) "
                "VALUES ('put_away', :bin, 'warehouse_supervisor', 'dock two', '2026-03-02 09:00:00.000000')"
            ),
            {"bin": where},
        )
    engine.dispose()
    schema.upgrade(database_url)
    business.database = database = connect(database_url)
    assert waiting(business) == before == [(before[0][0], 2_000), (second.number, 5_000)]
    with reading(database) as session:
        notes = session.execute(
            text(
                "SELECT a.number, c.note FROM exception_case c JOIN stock_arrival a ON a.id = c.document_id ORDER BY a.arrived_at"
            )
        )
        assert [row.note for row in notes] == ["dock two", "dock two"]
    stow(business, 7)
    assert waiting(business) == []
    assert_books_agree(database)
    database.dispose()

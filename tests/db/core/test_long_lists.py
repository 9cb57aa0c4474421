"""Long lists are counted no further than their page needs, and their rows come in the order of an index."""

import pytest
from sqlalchemy import select, text

from app.composition.uow import reading
from app.queries import listing
from app.queries.billing_lists import INVOICES
from app.queries.bounded import MOST_COUNTED, bound_of, of_realm
from app.queries.cash import RECEIPTS
from app.queries.ledger import ENTRIES, rules_used
from app.queries.listing import Asked
from app.queries.orders import ORDERS
from app.queries.shipments import SHIPMENTS
from erpcore.billing.cash import ReceiveCash, receive_cash
from erpcore.billing.services import draft_invoices, post_invoices
from erpcore.fulfilment.services import PickOrder, confirm_shipments, pick_orders
from erpcore.inventory.models import Reservation
from erpcore.kernel.actor import Actor
from erpcore.orders.allocation import allocate_orders
from erpcore.orders.cancelling import CancelLines, cancel_lines
from erpcore.orders.models import SalesOrder
from erpcore.orders.releasing import release_orders
from erpcore.orders.services import capture_orders
from tests.support.core import OPEN, RULES, a_business

ANYBODY = Actor.system("test")


@pytest.fixture
def business(database):
    """Four orders, of which two are shipped and billed and one is cancelled; each is worth 30.00."""
    business = a_business(database, items=2, stock=100)
    with business.work() as work:
        orders = [
            order.id
            for order in capture_orders(work, [business.order([(0, 3)]) for _ in range(4)], rules=RULES, cells=OPEN)
        ]
    with business.work() as work:
        cancel_lines(work, [CancelLines(order=orders[3], reason="not wanted", by_customer=True)])
        release_orders(work, orders[:2], rules=RULES, cells=OPEN)
        allocate_orders(work, orders[:2], rules=RULES, cells=OPEN)
    with business.work() as work:
        shipments = [one.id for one in pick_orders(work, [PickOrder(order=key) for key in orders[:2]], cells=OPEN)]
        confirm_shipments(work, shipments, rules=RULES, cells=OPEN)
    with business.work() as work:
        post_invoices(work, [one.id for one in draft_invoices(work, shipments, cells=OPEN)], cells=OPEN)
        receive_cash(
            work, [ReceiveCash(entity=business.entity, customer=business.customer, amount_minor=700) for _ in range(3)]
        )
    return business


def _page(business, source, **asked):
    with reading(business.database) as session:
        return source.page(session, ANYBODY, Asked(**asked), business.clock.now())


def test_a_list_within_its_bound_has_all_its_numbers_and_sums(business):
    found = _page(business, ORDERS)
    assert (found.total, found.bound, found.is_beyond) == (4, MOST_COUNTED, False)
    assert found.counts["state"] == {"captured": 1, "held": 0, "released": 2, "closed": 0, "cancelled": 1}
    assert found.counts["late"] == {True: 0}
    assert found.sums == [("Value", 12000, "EUR")]
    assert [row.state for row in found.rows] == ["cancelled", "captured", "released", "released"]


def test_a_filter_narrows_what_is_counted_and_summed_but_not_the_other_chips(business):
    found = _page(business, ORDERS, values={"state": "released"})
    assert (found.total, found.sums) == (2, [("Value", 6000, "EUR")])
    assert found.counts["state"]["cancelled"] == 1


def test_beyond_its_bound_a_list_says_only_that_there_is_more(business, monkeypatch):
    monkeypatch.setattr(listing, "bound_of", lambda page, size: 2)
    found = _page(business, ORDERS)
    assert (found.total, found.bound, found.is_beyond, found.sums) == (3, 2, True, [])
    assert found.counts["state"]["captured"] == 1
    assert len(found.rows) == 4, "the rows of the page are all there"


def test_all_rows_are_counted_and_summed_when_that_is_asked_for(business, monkeypatch):
    monkeypatch.setattr(listing, "bound_of", lambda page, size: 2)
    found = _page(business, ORDERS, whole=True)
    assert (found.total, found.bound, found.is_beyond) == (4, None, False)
    assert found.sums == [("Value", 12000, "EUR")]


@pytest.mark.parametrize(("source", "total"), [(INVOICES, 2), (SHIPMENTS, 2), (RECEIPTS, 3), (ENTRIES, 9)])
def test_counted_as_far_as_a_bound_or_whole_the_numbers_are_the_same(business, source, total):
    near, whole = _page(business, source), _page(business, source, whole=True)
    assert near.total == whole.total == total
    assert sorted(near.sums) == sorted(whole.sums)
    assert near.rows == whole.rows
    for name, counts in whole.counts.items():
        assert {word: number for word, number in near.counts[name].items() if number} == {
            word: number for word, number in counts.items() if number
        }


def test_the_pages_of_a_list_reach_as_far_as_one_turns(monkeypatch, business):
    monkeypatch.setattr("app.queries.bounded.MOST_COUNTED", 2)
    first, last = _page(business, ORDERS, size=1), _page(business, ORDERS, size=1, page=4)
    assert (first.total, first.is_beyond) == (3, True)
    assert (last.total, last.is_beyond, [row.state for row in last.rows]) == (4, False, ["released"])
    beyond = _page(business, ORDERS, size=1, page=9)
    assert [row.state for row in beyond.rows] == ["released"], "a page beyond the last is the last"


def test_a_list_is_counted_one_page_further_than_the_one_that_is_asked_for():
    assert bound_of(1, 50) == MOST_COUNTED
    assert bound_of(40, 50) == 2050


def test_a_list_shows_no_rows_of_another_realm(business):
    assert _page(business, ORDERS, realm="rehearsal").total == 0
    with reading(business.database) as session:
        for realm, number in (("live", 4), ("rehearsal", 0)):
            kept = select(SalesOrder.id).where(of_realm(SalesOrder.entity_id, realm))
            assert len(session.execute(kept).all()) == number


def test_the_rules_that_have_posted_are_named_once_each(business):
    with reading(business.database) as session:
        assert rules_used(session) == ["cost_of_sales", "invoice", "opening", "receipt"]


def _plan(session, query):
    said = query.compile(session.connection(), compile_kwargs={"literal_binds": True})
    return " ".join(row[-1] for row in session.execute(text(f"EXPLAIN QUERY PLAN {said}")))


def test_sqlite_finds_open_reservations_by_their_own_index(sqlite_database):
    # It turns the comparison so that the column stands first, and knows a partial index by the very same words only.
    with reading(sqlite_database) as session:
        query = select(Reservation.id).where(
            Reservation.site_id == 1, Reservation.item_id == 2,
            Reservation.consumed + Reservation.freed < Reservation.quantity,
        )  # fmt: skip
        assert "ix_reservation_open" in _plan(session, query)


@pytest.mark.parametrize(
    ("source", "values", "index"),
    [
        (ORDERS, {}, "ix_sales_order_captured"), (SHIPMENTS, {}, "ix_shipment_picked"),
        (RECEIPTS, {}, "ix_receipt_received"), (ENTRIES, {}, "ix_journal_entry_on"),
    ],
)  # fmt: skip
def test_sqlite_reads_the_newest_rows_of_a_long_list_without_sorting_the_others(
    sqlite_database, clock, source, values, index
):
    with reading(sqlite_database) as session:
        query = source.narrowed(ANYBODY, Asked(values=values), clock.now())
        plan = _plan(session, source._sorted(query, Asked()).limit(50))
    assert index in plan
    assert "TEMP B-TREE" not in plan

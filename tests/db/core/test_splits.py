"""A line is split into parts with their own day or address: all adds up, stock stays held, and service is judged as it was ordered."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from app.composition.uow import reading
from app.jobs.consumers import ConsumerRunner
from erpcore.fulfilment.services import PickOrder, confirm_shipments, pick_orders
from erpcore.kernel.errors import RuleBroken
from erpcore.masterdata.services import add_tax_rate
from erpcore.orders.amendment_rules import Amend
from erpcore.orders.amendments import StageAmendment, apply_amendments, stage_amendments
from erpcore.orders.cancelling import CancelLines, cancel_lines
from erpcore.orders.models import ChangeKind
from readiness.measures.catalogue import FILL_RATE_LINES, OTIF_LINES
from readiness.measures.consumer import JourneyConsumer
from readiness.measures.proof import compare_with_rebuild
from tests.db.core.test_ship_to import address
from tests.support import recomputation as plain
from tests.support.controls import assert_books_agree
from tests.support.core import OPEN, RULES, a_business
from tests.support.rows import rows
from tests.support.steps import allocated, captured
from tests.support.threads import at_once
from tests.support.trader import fingerprint_of
from tests.support.warehouse import expected

LATER = date(2026, 3, 20)


def part(line, quantity, **more):
    return Amend(kind=ChangeKind.SPLIT, line=line.id, quantity=Decimal(quantity), **more)


def amend(business, order, *changes, by_customer=False):
    with business.work() as work:
        command = StageAmendment(
            order=order.id, by_customer=by_customer, reason="the site is not ready", changes=changes
        )
        (staged,) = stage_amendments(work, [command], rules=RULES, cells=OPEN)
    with business.work() as work:
        return apply_amendments(work, [staged.id], rules=RULES, cells=OPEN)[0]


def lines(database, *names):
    query = f"SELECT {', '.join(names)} FROM order_line ORDER BY line_no"
    return [
        tuple(str(value) if "_on" in name else value for name, value in zip(names, row, strict=True))
        for row in rows(database, query)
    ]


def leave(business, order, wanted):
    with business.work() as work:
        (shipment,) = pick_orders(work, [PickOrder(order=order.id, lines=wanted)], cells=OPEN)
        confirm_shipments(work, [shipment.id], rules=RULES, cells=OPEN)


def measured(business):
    """The journeys of all that was told so far."""
    ConsumerRunner(business.database, JourneyConsumer(), clock=business.clock).run_to_head()


def test_the_parts_add_up_to_the_line_and_keep_its_dates_price_and_stock(database):
    business = a_business(database, price="3.333")
    order = allocated(business, [(0, 10)])
    before = rows(database, "SELECT released_minor FROM credit_exposure")
    order = amend(
        business, order, part(order.lines[0], 4, day=LATER), part(order.lines[0], 3, day=LATER + timedelta(days=7))
    )
    assert lines(database, "line_no", "quantity", "allocated", "value_minor", "unit_price") == [
        (10, 3000, 3000, 1000, 3_333_000), (20, 4000, 4000, 1333, 3_333_000), (30, 3000, 3000, 1000, 3_333_000),
    ]  # fmt: skip
    assert rows(database, "SELECT SUM(amount), SUM(value_minor) FROM order_line") == [(33_330_000, 3_333)]
    assert order.value_minor == 3_333
    assert lines(database, "requested_on", "first_promised_on", "promised_on", "split_from_id") == [
        ("2026-03-04", "2026-03-04", "2026-03-04", None), ("2026-03-04", "2026-03-04", "2026-03-20", order.lines[0].id),
        ("2026-03-04", "2026-03-04", "2026-03-27", order.lines[0].id),
    ]  # fmt: skip
    assert rows(database, "SELECT released_minor FROM credit_exposure") == before
    assert rows(database, "SELECT reserved FROM stock_balance ORDER BY item_id")[0] == (10_000,)
    assert_books_agree(database)


def test_what_is_not_there_goes_with_the_part_first(database):
    business = a_business(database, items=1, stock=6)
    order = allocated(business, [(0, 10)])
    amend(business, order, part(order.lines[0], 5, day=LATER))
    assert lines(database, "quantity", "allocated") == [(5000, 5000), (5000, 1000)]
    assert rows(database, "SELECT unmet FROM reservation WHERE unmet > 0") == [(4000,)]
    assert_books_agree(database)


def test_our_split_is_judged_as_the_line_that_the_customer_ordered(database):
    business = a_business(database, items=1)
    order = allocated(business, [(0, 10)])
    order = amend(business, order, part(order.lines[0], 4, day=LATER))
    first, second = order.lines
    leave(business, order, {first.id: 6000})
    business.clock.advance(timedelta(days=10))
    leave(business, order, {second.id: 4000})
    measured(business)
    query = "SELECT kind, quantity, shipped, CAST(first_promised AS TEXT) FROM journey_line ORDER BY line"
    assert rows(database, query) == [("stock", 10_000, 10_000, "2026-03-04"), ("part", 0, 0, None)]
    # Six of ten came first and four too late: the one line that was ordered is neither filled nor in time.
    sums = "SELECT SUM(x), SUM(y) FROM measure_bucket WHERE measure_id = :of"
    for measure in (FILL_RATE_LINES, OTIF_LINES):
        assert [tuple(map(int, row)) for row in rows(database, sums, of=measure)] == [(0, 1)]
    with reading(database, snapshot=True) as session:
        assert compare_with_rebuild(session).agrees
    assert_books_agree(database)


def test_the_customers_wish_for_another_day_makes_a_line_with_a_promise_of_its_own(database):
    business = a_business(database, items=1)
    order = allocated(business, [(0, 10)])
    amend(business, order, part(order.lines[0], 4, day=LATER), by_customer=True)
    assert lines(database, "quantity", "requested_on", "first_promised_on") == [
        (6000, "2026-03-04", "2026-03-04"), (4000, "2026-03-20", "2026-03-20"),
    ]  # fmt: skip
    measured(business)
    assert rows(database, "SELECT kind, quantity FROM journey_line ORDER BY line") == [("stock", 6000), ("stock", 4000)]
    assert_books_agree(database)


def test_a_part_that_goes_abroad_has_the_tax_of_there(database):
    business = a_business(database, items=1)
    with business.work() as work:
        add_tax_rate(work, entity=business.entity, country="Austria", rate=Decimal("0.10"), valid_from=date(2020, 1, 1))
    vienna = address(business, country="Austria", city="Wien")
    order = captured(business, [(0, 10)])
    amend(business, order, part(order.lines[0], 4, ship_to=vienna))
    assert lines(database, "quantity", "tax_rate", "ship_to_id")[1] == (4000, 100_000, vienna)
    assert lines(database, "tax_rate")[0] == (200_000,)


def test_what_the_customer_orders_more_of_a_part_later_is_more_of_the_line(database):
    business = a_business(database, items=1)
    order = allocated(business, [(0, 10)])
    order = amend(business, order, part(order.lines[0], 4, day=LATER))
    for line, quantity in zip(order.lines, (7, 6), strict=True):
        change = Amend(kind=ChangeKind.QUANTITY, line=line.id, quantity=Decimal(quantity))
        order = amend(business, order, change, by_customer=True)
    measured(business)
    assert rows(database, "SELECT quantity FROM journey_line WHERE kind = 'stock'") == [(13_000,)]
    assert_books_agree(database)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        (lambda line: [part(line, 10, day=LATER)], "amend_split_too_much"),
        (lambda line: [part(line, 6, day=LATER), part(line, 4, day=LATER)], "amend_split_too_much"),
        (lambda line: [part(line, 0, day=LATER)], "quantity_not_positive"),
        (lambda line: [part(line, "1.5", day=LATER)], "quantity_too_precise"),
        (lambda line: [part(line, 4)], "amend_split_same"),
        (lambda line: [part(line, 4, day=date(1066, 1, 1))], "day_absurd"),
        (lambda line: [part(line, 4, ship_to=7)], "address_unknown"),
        (lambda line: [part(line, 4, day=LATER), Amend(kind=ChangeKind.DROP, line=line.id)], "amend_twice"),
        (
            lambda line: [Amend(kind=ChangeKind.QUANTITY, line=line.id, quantity=Decimal(5)), part(line, 4, day=LATER)],
            "amend_twice",
        ),
    ],
)
def test_a_split_that_cannot_be_is_refused_and_nothing_changes(database, changes, code):
    business = a_business(database, items=1)
    order = allocated(business, [(0, 10)])
    before = fingerprint_of(database)
    command = StageAmendment(order=order.id, by_customer=False, reason="x", changes=changes(order.lines[0]))
    with pytest.raises(RuleBroken, match=code), business.work() as work:
        stage_amendments(work, [command], rules=RULES, cells=OPEN)
    assert fingerprint_of(database) == before


def test_what_is_picked_stays_and_two_who_split_at_once_do_it_once(database):
    business = a_business(database, items=1)
    order = allocated(business, [(0, 10)])
    leave(business, order, {order.lines[0].id: 4000})
    with pytest.raises(RuleBroken, match="amend_split_too_much"):
        amend(business, order, part(order.lines[0], 7, day=LATER))
    with business.work() as work:
        command = StageAmendment(
            order=order.id, by_customer=False, reason="x", changes=[part(order.lines[0], 5, day=LATER)]
        )
        (staged,) = stage_amendments(work, [command], rules=RULES, cells=OPEN)

    def apply():
        with business.work() as work:
            apply_amendments(work, [staged.id], rules=RULES, cells=OPEN)

    results = at_once(apply, apply)
    assert sorted(type(one).__name__ for one in results) == ["IllegalMove", "NoneType"]
    assert lines(database, "quantity", "shipped", "allocated") == [(5000, 4000, 1000), (5000, 0, 5000)]
    assert_books_agree(database)


def test_of_two_who_split_a_line_otherwise_at_once_one_is_told_of_the_other(database):
    business = a_business(database, items=1)
    order = allocated(business, [(0, 10)])

    def split(quantity):
        amend(business, order, part(order.lines[0], quantity, day=LATER))

    def stage(quantity):
        with business.work() as work:
            changes = [part(order.lines[0], quantity, day=LATER)]
            command = StageAmendment(order=order.id, by_customer=False, reason="x", changes=changes)
            stage_amendments(work, [command], rules=RULES, cells=OPEN)

    results = at_once(lambda: stage(3), lambda: stage(4))
    assert sorted(str(one).split()[0] for one in results) == ["None", "amendment_open"]
    before = fingerprint_of(database)
    with pytest.raises(RuleBroken, match="amendment_open"):
        split(5)
    assert fingerprint_of(database) == before
    assert lines(database, "quantity", "allocated") == [(10_000, 10_000)]


@pytest.mark.parametrize(
    "change",
    [
        {"kind": ChangeKind.DROP},
        {"kind": ChangeKind.DATE, "day": LATER},
        {"kind": ChangeKind.ADDRESS, "ship_to": True},
    ],
    ids=["drop", "date", "address"],
)
def test_nothing_is_changed_of_a_line_of_which_nothing_is_open(database, change):
    business = a_business(database, items=2)
    order = allocated(business, [(0, 10), (1, 5)])
    with business.work() as work:
        command = CancelLines(order=order.id, reason="gone", by_customer=False, lines={order.lines[0].id: 10_000})
        cancel_lines(work, [command])
    if "ship_to" in change:
        change = {**change, "ship_to": address(business)}
    before = fingerprint_of(database)
    with pytest.raises(RuleBroken, match="amend_line_done"):
        amend(business, order, Amend(line=order.lines[0].id, **change))
    assert fingerprint_of(database) == before


def test_a_plain_recomputation_from_the_events_comes_to_the_same(database):
    business = a_business(database, items=1)
    order = allocated(business, [(0, 10)])
    order = amend(business, order, part(order.lines[0], 4, day=LATER))
    business.clock.advance(timedelta(days=2))
    leave(business, order, {order.lines[0].id: 6000})
    leave(business, order, {order.lines[1].id: 4000})
    measured(business)
    found = plain.orders(plain.told(database))
    for measure, by_hand, came in ((FILL_RATE_LINES, plain.fill_rate_lines, 0), (OTIF_LINES, plain.otif_lines, 1)):
        assert by_hand(found, date(2026, 1, 1), date(2027, 1, 1)) == (came, 1)
        sums = rows(database, "SELECT SUM(x), SUM(y) FROM measure_bucket WHERE measure_id = :of", of=measure)
        assert [tuple(map(int, row)) for row in sums] == [(came, 1)]


def test_a_part_of_a_line_that_waits_keeps_its_turn_and_its_receipt(database):
    business = a_business(database, items=1, stock=0)
    expected(business, 10, days=10)
    order = captured(business, [(0, 10)])
    business.clock.advance(timedelta(hours=1))
    captured(business, [(0, 5)])
    query = "SELECT unmet, since, receipt_id FROM reservation WHERE unmet > 0 ORDER BY since, order_line_id"
    (first, later) = rows(database, query)
    assert (first[0], later[0], first[2] is None) == (10_000, 5000, False)
    business.clock.advance(timedelta(hours=1))
    amend(business, order, part(order.lines[0], 4, ship_to=address(business)))
    assert rows(database, query) == [(6000, *first[1:]), (4000, *first[1:]), later]
    assert_books_agree(database)


@pytest.mark.parametrize("less", [0, 1], ids=["less of the line", "less of its part"])
@pytest.mark.parametrize("moved", [0, 1], ids=["the line moves", "its part moves"])
def test_what_the_customer_takes_back_of_a_split_line_is_not_worth_anything_to_them(database, less, moved):
    business = a_business(database, items=1)
    order = allocated(business, [(0, 20)])
    order = amend(business, order, part(order.lines[0], 10, day=LATER))
    with business.work() as work:
        lines = {order.lines[less].id: 5000}
        cancel_lines(work, [CancelLines(order=order.id, reason="less", by_customer=True, lines=lines)])
    wish = Amend(kind=ChangeKind.DATE, line=order.lines[moved].id, day=LATER + timedelta(days=7))
    amend(business, order, wish, by_customer=True)
    measured(business)
    query = "SELECT quantity, value FROM journey_line WHERE kind = 'stock'"
    assert rows(database, query) == [(15_000, 15_000)]
    with reading(database, snapshot=True) as session:
        assert compare_with_rebuild(session).agrees


def test_what_the_customer_takes_back_of_a_line_is_not_worth_anything_to_them(database):
    business = a_business(database, items=1)
    order = allocated(business, [(0, 10)])
    line = order.lines[0]
    with business.work() as work:
        cancel_lines(work, [CancelLines(order=order.id, reason="less", by_customer=True, lines={line.id: 5000})])
    amend(business, order, Amend(kind=ChangeKind.DATE, line=line.id, day=LATER), by_customer=True)
    measured(business)
    assert rows(database, "SELECT quantity, value FROM journey_line") == [(5000, 5000)]

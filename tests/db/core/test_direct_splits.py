"""A line that a supplier sends is split with its purchase order, until the supplier has confirmed it; all adds up on both."""

from __future__ import annotations

import pytest

from app.composition.uow import reading
from erpcore.fulfilment.direct import release_with_purchases
from erpcore.fulfilment.direct_split import SUPPLIERS
from erpcore.kernel.errors import RuleBroken
from erpcore.orders.amendments import StageAmendment, apply_amendments, stage_amendments
from erpcore.orders.splitting import NOBODY
from erpcore.purchasing.records import lock_purchases
from readiness.measures.proof import compare_with_rebuild
from tests.db.core.test_drop_ship import captured, confirmed, posted, released, sent
from tests.db.core.test_ship_to import address
from tests.db.core.test_splits import LATER, measured, part
from tests.support.controls import assert_books_agree
from tests.support.core import OPEN, RULES, a_business
from tests.support.rows import rows
from tests.support.supply import a_supplier
from tests.support.threads import at_once
from tests.support.trader import fingerprint_of
from tests.support.warehouse import TODAY

BY_LINE = (
    "SELECT o.line_no, o.quantity, o.value_minor, o.promised_on, p.line_no, p.quantity, p.value_minor, p.requested_on "
)
ON_ORDER = (
    BY_LINE + "FROM order_line o JOIN purchase_order_line p ON p.order_line_id = o.id ORDER BY o.line_no, p.line_no"
)


@pytest.fixture
def business(database):
    made = a_business(database, items=2, price="3.333")
    a_supplier(made, ships_direct=True, prices=(("3.333", 0), ("3.333", 1)))
    return made


def staged(business, order, *changes, by_customer=False, senders=SUPPLIERS):
    with business.work() as work:
        command = StageAmendment(order=order.id, by_customer=by_customer, reason="no room yet", changes=changes)
        return stage_amendments(work, [command], rules=RULES, cells=OPEN, senders=senders)[0].id


def amend(business, order, *changes, **more):
    kept = staged(business, order, *changes, **more)
    with business.work() as work:
        return apply_amendments(work, [kept], rules=RULES, cells=OPEN, senders=SUPPLIERS)[0]


def on_order(business):
    return [tuple(map(str, row)) for row in rows(business.database, ON_ORDER)]


def again(business, purchase):
    with business.work() as work:
        return lock_purchases(work, [purchase.id])[0]


def test_a_part_has_its_own_line_on_the_purchase_order_and_both_add_up_to_what_was_ordered(database, business):
    order, (purchase,) = released(business)
    worth = purchase.value_minor
    amend(business, order, part(order.lines[0], 4, day=LATER))
    day = purchase.lines[0].requested_on
    assert on_order(business) == [
        ("10", "6000", "2000", str(order.lines[0].promised_on), "10", "6000", "2000", str(day)),
        ("20", "4000", "1333", str(LATER), "20", "4000", "1333", str(LATER)),
    ]  # fmt: skip
    assert rows(database, "SELECT SUM(value_minor), SUM(quantity) FROM purchase_order_line") == [(worth, 10_000)]
    told = rows(database, "SELECT type FROM event_log WHERE subject_type = 'purchase' ORDER BY seq")
    assert [one[0] for one in told] == ["purchase.ordered", "purchase.split"]
    after = again(business, purchase)
    assert (after.version, after.state) == (purchase.version + 1, "ordered")
    assert_books_agree(database)


def test_each_part_is_sent_for_itself_and_the_order_is_judged_as_one_line(database, business):
    order, (purchase,) = released(business)
    amend(business, order, part(order.lines[0], 4, day=LATER))
    purchase = again(business, purchase)
    sent(business, purchase, 6)
    confirmed(business, purchase, 30, line=1)
    assert rows(database, "SELECT shipped, CAST(promised_on AS TEXT) FROM order_line ORDER BY line_no") == [
        (6000, str(order.lines[0].promised_on)), (0, "2026-04-01"),
    ]  # fmt: skip
    sent(business, purchase, 4, line=1)
    assert rows(database, "SELECT state FROM purchase_order") == [("received",)]
    assert posted(business, "received_not_invoiced") == purchase.value_minor
    measured(business)
    assert rows(database, "SELECT kind, quantity, shipped FROM journey_line ORDER BY line") == [
        ("drop_ship", 10_000, 10_000), ("part", 0, 0),
    ]  # fmt: skip
    with reading(database, snapshot=True) as session:
        assert compare_with_rebuild(session).agrees
    assert_books_agree(database)


def test_a_part_for_another_address_is_a_shipment_of_its_own(database, business):
    order, (purchase,) = released(business)
    yard = address(business)
    amend(business, order, part(order.lines[0], 4, ship_to=yard))
    assert [row[7] for row in on_order(business)] == [str(purchase.lines[0].requested_on)] * 2
    with business.work() as work:
        purchase = lock_purchases(work, [purchase.id])[0]
    sent(business, purchase, 4, line=1)
    assert rows(database, "SELECT ship_to_id FROM shipment") == [(yard,)]
    assert_books_agree(database)


def test_before_the_release_nothing_is_on_order_and_both_lines_are_ordered_by_it(database, business):
    order = captured(business)
    order = amend(business, order, part(order.lines[0], 4, day=LATER))
    assert on_order(business) == []
    with business.work() as work:
        release_with_purchases(work, [order.id], rules=RULES, cells=OPEN)
    assert [(row[0], row[1], row[5]) for row in on_order(business)] == [("10", "6000", "6000"), ("20", "4000", "4000")]
    assert_books_agree(database)


def test_what_the_supplier_has_confirmed_is_not_split_and_says_so(database, business):
    order, (purchase,) = released(business)
    confirmed(business, purchase, 9, 7)
    before = fingerprint_of(database)
    with pytest.raises(RuleBroken, match="direct_split_confirmed") as refused:
        staged(business, order, part(order.lines[0], 4, day=LATER))
    assert refused.value.field == "changes-0-quantity"
    assert refused.value.facts == {"line": 10, "number": "PO-2026-000001", "confirmed": "7", "most": "3"}
    assert fingerprint_of(database) == before
    # Three of ten were not confirmed: they are nobody's yet, and may come later.
    amend(business, order, part(order.lines[0], 3, day=LATER))
    assert [row[:2] + row[4:6] for row in on_order(business)] == [("10", "7000", "10", "10000")]
    assert_books_agree(database)


def test_what_is_confirmed_between_staging_and_applying_stays_whole(database, business):
    order, (purchase,) = released(business)
    kept = staged(business, order, part(order.lines[0], 4, day=LATER))
    # For the very day that was asked: only the purchase order moves.
    confirmed(business, purchase, (purchase.lines[0].requested_on - TODAY).days)
    before = fingerprint_of(database)
    with pytest.raises(RuleBroken, match="direct_split_confirmed"), business.work() as work:
        apply_amendments(work, [kept], rules=RULES, cells=OPEN, senders=SUPPLIERS)
    assert fingerprint_of(database) == before


def test_the_customers_wish_for_a_part_is_never_promised_before_the_supplier_sends(database, business):
    order, _ = released(business)
    lead = order.lines[0].promised_on
    amend(business, order, part(order.lines[0], 4, day=order.lines[0].requested_on), by_customer=True)
    amend(business, order, part(order.lines[0], 2, day=LATER), by_customer=True)
    found = rows(database, "SELECT quantity, CAST(promised_on AS TEXT) FROM order_line ORDER BY line_no")
    assert found[0] == (4000, str(lead))
    assert found[2] == (2000, str(max(lead, LATER)))
    measured(business)
    with reading(database, snapshot=True) as session:
        assert compare_with_rebuild(session).agrees
    assert_books_agree(database)


def test_a_line_ordered_anew_of_another_supplier_keeps_what_is_its_own(database, business):
    order, _ = released(business, ((0, 10, True), (1, 5, True)))
    changes = [
        part(order.lines[0], 4, day=LATER),
        part(order.lines[1], 2, day=LATER),
        part(order.lines[0], 3, day=LATER),
    ]
    amend(business, order, *changes)
    assert [(row[0], row[1], row[4], row[5]) for row in on_order(business)] == [
        ("10", "3000", "10", "3000"), ("20", "3000", "20", "3000"), ("30", "4000", "30", "4000"),
        ("40", "2000", "40", "2000"), ("50", "3000", "50", "3000"),
    ]  # fmt: skip
    assert_books_agree(database)


def test_two_who_split_at_once_do_it_once(database, business):
    order, _ = released(business)
    kept = staged(business, order, part(order.lines[0], 4, day=LATER))

    def apply():
        with business.work() as work:
            apply_amendments(work, [kept], rules=RULES, cells=OPEN, senders=SUPPLIERS)

    results = at_once(apply, apply)
    assert sorted(type(one).__name__ for one in results) == ["IllegalMove", "NoneType"]
    assert [row[5] for row in on_order(business)] == ["6000", "4000"]
    assert_books_agree(database)


def test_where_nobody_knows_who_sends_it_a_line_stays_whole(database, business):
    order = captured(business)
    before = fingerprint_of(database)
    with pytest.raises(RuleBroken, match="amend_split_goods"):
        staged(business, order, part(order.lines[0], 4, day=LATER), senders=NOBODY)
    assert fingerprint_of(database) == before

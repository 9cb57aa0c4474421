"""Where goods go: addresses that hold for a time, chosen for an order and for a line; what is missing stops the release."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from app.composition.curing import cure_held_orders
from erpcore.fulfilment.services import PickOrder, confirm_shipments, pick_orders
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import Conflict, NotAllowed, RuleBroken
from erpcore.masterdata.addresses import (
    AddressContent,
    add_address,
    change_address,
    check_digit,
    end_address,
    usual_addresses,
)
from erpcore.masterdata.services import NewCustomer, add_customers, add_tax_rate
from erpcore.orders.allocation import allocate_orders
from erpcore.orders.amendment_rules import Amend
from erpcore.orders.amendments import StageAmendment, apply_amendments, stage_amendments
from erpcore.orders.holds import ReleaseHold, release_holds
from erpcore.orders.models import ChangeKind
from erpcore.orders.releasing import release_orders
from erpcore.orders.services import NewLine, capture_orders
from tests.support.controls import assert_books_agree
from tests.support.core import OPEN, RULES, a_business
from tests.support.operate import open_cells
from tests.support.rows import rows
from tests.support.threads import at_once

DAY = date(2026, 3, 2)


def address(business, code="site", *, customer=None, since=date(2026, 1, 1), **content):
    said = {"name": "Baustelle Nord", "street": "Am Ring 1", "city": "Essen", "country": "Germany", **content}
    with business.work() as work:
        return add_address(work, customer or business.customer, AddressContent(code=code, **said), valid_from=since).id


def usual(database):
    return rows(database, "SELECT id FROM customer_address WHERE code = 'main' AND followed_by IS NULL")[0][0]


def taken(business, *lines, source="screen", **more):
    command = replace(business.order(), lines=lines or (NewLine(item=business.items[0], quantity=Decimal(10)),), **more)
    with business.work(source=source) as work:
        (order,) = capture_orders(work, [command], rules=RULES, cells=OPEN)
    return order


def release(business, order):
    with business.work(source="screen") as work:
        (order,) = release_orders(work, [order.id], rules=RULES, cells=OPEN)
    return order


def everything(database):
    tables = ("customer_address", "sales_order", "order_line", "shipment", "order_hold", "transition", "event_log")
    return [rows(database, f"SELECT * FROM {table} ORDER BY 1") for table in tables]


def line(business, position, quantity, **more):
    return NewLine(item=business.items[position], quantity=Decimal(quantity), **more)


def test_an_order_takes_the_usual_address_and_a_line_its_own(database):
    business = a_business(database)
    site = address(business)
    order = taken(business, line(business, 0, 10), line(business, 1, 5, ship_to=site))
    assert (order.ship_to_id, [one.ship_to_id for one in order.lines]) == (usual(database), [None, site])
    assert taken(business, source="import", at=order.captured_at).ship_to_id is None


def test_goods_to_two_addresses_leave_in_two_shipments_and_events_name_none(database):
    business = a_business(database)
    site = address(business)
    order = release(
        business, taken(business, line(business, 0, 10), line(business, 1, 5, ship_to=site), line(business, 2, 1))
    )
    with business.work() as work:
        allocate_orders(work, [order.id], rules=RULES, cells=OPEN)
    with business.work() as work:
        shipments = pick_orders(work, [PickOrder(order=order.id)], cells=OPEN)
        confirm_shipments(work, [one.id for one in shipments], rules=RULES, cells=OPEN)
    first, second, third = (one.id for one in order.lines)
    found = rows(database, "SELECT s.ship_to_id, l.order_line_id FROM shipment s JOIN shipment_line l "
                           "ON l.shipment_id = s.id ORDER BY l.order_line_id")  # fmt: skip
    assert found == [(usual(database), first), (site, second), (usual(database), third)]
    told = " ".join(row[0] for row in rows(database, "SELECT data FROM event_log"))
    assert "Ring" not in told
    assert "Essen" not in told
    assert_books_agree(database)


@pytest.mark.parametrize(
    ("content", "kind", "said"),
    [
        ({"street": ""}, "address", "the address lacks street"),
        ({"street": " ", "city": ""}, "address", "the address lacks street and city"),
        ({"needs_export_check": True}, "export", "goods to this address wait for an export check"),
    ],
)
def test_an_address_that_cannot_be_shipped_to_holds_the_order_at_release(database, content, kind, said):
    business = a_business(database)
    site = address(business, **content)
    order = release(business, taken(business, ship_to=site))
    assert order.state == "held"
    assert rows(database, "SELECT kind, reason FROM order_hold") == [(kind, said)]


def test_without_any_address_the_order_is_held_and_goes_on_once_there_is_one(database):
    business = a_business(database)
    open_cells(business)
    with business.work() as work:
        (other,) = add_customers(
            work, [NewCustomer(entity=business.entity, code="2", name="Neu", country="Germany", currency="EUR")]
        )
    order = release(business, taken(business, customer=other.id))
    assert rows(database, "SELECT kind, reason FROM order_hold") == [("address", "no address to ship to is known")]
    assert cure_held_orders(database, clock=business.clock) == 0
    address(business, customer=other.id)
    assert cure_held_orders(database, clock=business.clock) == 1
    assert rows(database, f"SELECT state FROM sales_order WHERE id = {order.id}") == [("released",)]


def test_open_orders_follow_an_address_that_changed_and_what_has_left_keeps_its_own(database):
    business = a_business(database)
    before = usual(database)
    gone, waits = release(business, taken(business)), release(business, taken(business, line(business, 1, 3)))
    with business.work() as work:
        allocate_orders(work, [gone.id, waits.id], rules=RULES, cells=OPEN)
        pick_orders(work, [PickOrder(order=gone.id)], cells=OPEN)
    content = AddressContent(code="main", name="Bautechnik", street="Neue Str. 2", city="Duisburg", country="Germany",
                             is_default=True)  # fmt: skip
    with business.work() as work:
        after = change_address(work, before, content, valid_from=DAY, seen_version=1).id
    with business.work() as work:
        pick_orders(work, [PickOrder(order=waits.id)], cells=OPEN)
    assert rows(database, "SELECT order_id, ship_to_id FROM shipment ORDER BY id") == [
        (gone.id, before),
        (waits.id, after),
    ]
    assert rows(database, "SELECT COUNT(*) FROM customer_address WHERE is_default AND followed_by IS NULL") == [(1,)]


def test_an_address_changes_today_at_the_latest_and_its_code_is_used_once_however_it_is_typed(database):
    business = a_business(database)
    key = usual(database)
    address(business)
    content = AddressContent(code="main", name="A", street="S", city="C", country="Germany", is_default=True)
    before = everything(database)

    def change(said, since):
        with business.work() as work:
            return change_address(work, key, said, valid_from=since).id

    with pytest.raises(RuleBroken, match="address_validity"):
        change(content, DAY + timedelta(days=1))
    with pytest.raises(Conflict, match="address_code_used"):
        change(replace(content, code=" site "), DAY)
    with pytest.raises(Conflict, match="address_code_used"):
        address(business, " site")
    assert everything(database) == before
    after = change(content, DAY)
    with business.work() as work:
        assert usual_addresses(work, [business.customer], DAY)[business.customer].id == after


def test_two_who_change_one_address_do_not_overwrite_each_other(database):
    business = a_business(database)
    key = usual(database)
    content = AddressContent(code="main", name="A", street="S", city="C", country="Germany", is_default=True)

    def change():
        with business.work() as work:
            return change_address(work, key, content, valid_from=DAY, seen_version=1).id

    done = at_once(change, change)
    assert sorted(type(one).__name__ for one in done) == ["Conflict", "int"]
    assert rows(database, "SELECT COUNT(*) FROM customer_address") == [(2,)]


def test_what_is_no_address_is_refused_and_nothing_else_changes(database):
    business = a_business(database)
    site = address(business)
    with business.work() as work:
        (other,) = add_customers(
            work, [NewCustomer(entity=business.entity, code="2", name="Neu", country="Germany", currency="EUR")]
        )
    foreign = address(business, customer=other.id)
    ended = address(business, "old")
    with business.work() as work:
        end_address(work, ended, on=date(2026, 2, 1))
    good = AddressContent(code="x", name="N", country="Germany")
    before = everything(database)
    cases = [
        (lambda: taken(business, ship_to=foreign), RuleBroken, "address_unknown"),
        (lambda: taken(business, line(business, 0, 1, ship_to=2**50)), RuleBroken, "address_unknown"),
        (lambda: taken(business, ship_to=ended), RuleBroken, "address_ended"),
        (lambda: address(business, "site"), Conflict, "address_code_used"),
        (lambda: address(business, "new", name=" "), RuleBroken, "address_part_missing"),
        (lambda: address(business, "new", gln="4012345000008"), RuleBroken, "gln_wrong"),
        (lambda: address(business, "new", gln="12"), RuleBroken, "gln_wrong"),
        (lambda: address(business, "new", valid_until=date(2025, 1, 1)), RuleBroken, "address_validity"),
    ]

    def end_usual():
        with business.work() as work:
            end_address(work, usual(database), on=DAY)

    def by_picker():
        with business.work(Actor(id=9, role="warehouse_operator", permissions=frozenset())) as work:
            add_address(work, business.customer, good, valid_from=DAY)

    def stale():
        with business.work() as work:
            change_address(work, site, good, valid_from=DAY, seen_version=7)

    cases += [
        (end_usual, RuleBroken, "address_default_needed"), (by_picker, NotAllowed, "not_allowed"),
        (stale, Conflict, "changed_meanwhile"),
    ]  # fmt: skip
    for act, kind, code in cases:
        with pytest.raises(kind, match=code):
            act()
        assert everything(database) == before, code


def test_a_line_is_sent_elsewhere_by_an_amendment_at_the_tax_there_until_it_is_picked(database):
    business = a_business(database)
    abroad = address(business, country="Austria", city="Linz")
    with business.work() as work:
        add_tax_rate(work, entity=business.entity, country="Austria", rate=Decimal("0.10"), valid_from=date(2020, 1, 1))
    order = release(business, taken(business, line(business, 0, 10), line(business, 1, 2)))
    first, second = order.lines

    def amend(ship_to, of):
        change = Amend(kind=ChangeKind.ADDRESS, line=of.id, ship_to=ship_to)
        command = StageAmendment(order=order.id, by_customer=True, reason="called", changes=[change])
        with business.work() as work:
            (staged,) = stage_amendments(work, [command], rules=RULES, cells=OPEN)
        with business.work() as work:
            apply_amendments(work, [staged.id], rules=RULES, cells=OPEN)

    amend(abroad, first)
    found = rows(database, "SELECT ship_to_id, tax_rate FROM order_line ORDER BY line_no")
    assert found == [(abroad, 100_000), (None, 200_000)]
    with business.work() as work:
        allocate_orders(work, [order.id], rules=RULES, cells=OPEN)
        pick_orders(work, [PickOrder(order=order.id, lines={second.id: 1000})], cells=OPEN)
    before = everything(database)
    for ship_to, of, code in (
        (abroad, second, "amend_line_picked"),
        (abroad, first, "amend_same"),
        (2**50, first, "address_unknown"),
    ):
        with pytest.raises(RuleBroken, match=code):
            amend(ship_to, of)
        assert everything(database) == before
    assert_books_agree(database)


def test_the_check_digit_of_a_gln():
    # GS1's worked example: 629104150021 has 3.
    assert check_digit("629104150021") == 3
    assert check_digit("401234500000") == 9


def sent_elsewhere(business, order, line, ship_to):
    change = Amend(kind=ChangeKind.ADDRESS, line=line.id, ship_to=ship_to)
    command = StageAmendment(order=order.id, by_customer=True, reason="called", changes=[change])
    with business.work(source="screen") as work:
        (staged,) = stage_amendments(work, [command], rules=RULES, cells=OPEN)
    with business.work(source="screen") as work:
        (changed,) = apply_amendments(work, [staged.id], rules=RULES, cells=OPEN)
    return changed


def let_go(business):
    (hold,) = rows(business.database, "SELECT id FROM order_hold WHERE released_at IS NULL")[0]
    with business.work(Actor.system("export desk"), source="screen") as work:
        (order,) = release_holds(work, [ReleaseHold(hold=hold, reason="checked")])
    return order


@pytest.mark.parametrize(
    ("content", "kind"), [({"needs_export_check": True}, "export"), ({"street": "", "city": ""}, "address")]
)
def test_a_released_order_sent_elsewhere_is_held_there_as_it_would_have_been_at_release(database, content, kind):
    business = a_business(database)
    doubtful = address(business, **content)
    order = release(business, taken(business, line(business, 0, 10), line(business, 1, 5)))
    assert order.state == "released"
    order = sent_elsewhere(business, order, order.lines[1], doubtful)
    assert order.state == "held"
    assert rows(database, "SELECT kind FROM order_hold WHERE released_at IS NULL") == [(kind,)]
    (foreseen,) = rows(database, "SELECT foreseen FROM order_amendment")
    assert f'"holds":[["{kind}",' in foreseen[0]
    assert_books_agree(database)


def test_an_export_check_that_was_passed_counts_for_the_addresses_that_were_looked_at_alone(database):
    business = a_business(database)
    first, other = (address(business, code, needs_export_check=True) for code in ("lab", "dock"))
    order = release(business, taken(business, line(business, 0, 10), ship_to=first))
    order = release(business, let_go(business))
    assert order.state == "released"
    order = sent_elsewhere(business, order, order.lines[0], other)
    assert order.state == "held"
    order = release(business, let_go(business))
    assert order.state == "released"
    assert sent_elsewhere(business, order, order.lines[0], first).state == "released"
    assert_books_agree(database)


def test_an_order_without_an_address_of_its_own_is_shipped_to_the_usual_one_that_let_it_go(database):
    business = a_business(database)
    with business.work() as work:
        (other,) = add_customers(
            work, [NewCustomer(entity=business.entity, code="2", name="Neu", country="Germany", currency="EUR")]
        )
    order = taken(business, customer=other.id)
    home = address(business, customer=other.id)
    assert (order.ship_to_id, release(business, order).state) == (None, "released")
    with business.work() as work:
        allocate_orders(work, [order.id], rules=RULES, cells=OPEN)
        pick_orders(work, [PickOrder(order=order.id)], cells=OPEN)
    assert rows(database, "SELECT ship_to_id FROM shipment") == [(home,)]

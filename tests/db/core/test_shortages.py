"""A short line: every way that is offered is carried out, kept with the others, and leaves the books right."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import orjson
import pytest

from app.composition.uow import reading
from app.queries.shortages import Rank, short_lines
from erpcore.fulfilment.shortage import Choose, choose, compare, short_line
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import DomainError
from erpcore.masterdata.services import NewCustomer, add_customers, add_tax_rate, ensure_item_group
from erpcore.masterdata.substitutes import KeepSubstitute, drop_substitute, keep_substitutes
from erpcore.orders.allocation import allocate_orders
from erpcore.orders.releasing import release_orders
from erpcore.orders.services import NewLine, capture_orders
from erpcore.orders.substitution import DecideSubstitution, Substitute, decide_substitution, substitute_lines
from erpcore.purchasing.records import lock_purchases
from tests.db.core.test_purchases import refused
from tests.db.core.test_ship_to import address
from tests.db.core.test_sourcing import lane, stocked
from tests.support.controls import assert_books_agree
from tests.support.core import OPEN, RULES, a_business
from tests.support.policies import approve
from tests.support.supply import BUYER, a_supplier, column, confirmed, row
from tests.support.threads import at_once
from tests.support.trader import fingerprint_of
from tests.support.warehouse import balance, day, expected, second_site

DESK = Actor(
    id=401, role="customer_service",
    permissions=frozenset(
        {
            "orders:shortage:choose", "orders:order:allocate", "orders:line:substitute", "purchasing:order:place",
            "orders:substitution:approve",
        }
    ),
)  # fmt: skip
BOSS = Actor(id=402, role="site_lead", permissions=DESK.permissions)


def short(business, quantity=30, rule="never", *, stock=10):
    """A released, allocated order that is short: ``stock`` of it is there."""
    stocked(business, business.site, 0, stock) if stock else None
    if rule != "never":
        approve(business, "substitution_rule", rule)
    with business.work() as work:
        (order,) = capture_orders(work, [business.order([(0, quantity)])], rules=RULES, cells=OPEN)
        release_orders(work, [order.id], rules=RULES, cells=OPEN)
        allocate_orders(work, [order.id], rules=RULES, cells=OPEN)
    return order.lines[0].id


def short_to(business, ship_to):
    line = NewLine(item=business.items[0], quantity=Decimal(5), ship_to=ship_to)
    with business.work() as work:
        (order,) = capture_orders(work, [replace(business.order(), lines=[line])], rules=RULES, cells=OPEN)
        release_orders(work, [order.id], rules=RULES, cells=OPEN)
        allocate_orders(work, [order.id], rules=RULES, cells=OPEN)
    return order


def ways(business, line, rules=RULES, *, actor=DESK):
    with business.work(actor) as work:
        order, found = short_line(work, line)
        return {one.key: one for one in compare(work, rules, OPEN, order, found)}


def take(business, line, option, *, actor=DESK, reason="the customer waits", rules=RULES, **changes):
    with business.work(actor) as work:
        return choose(work, Choose(line=line, option=option, reason=reason, **changes), rules=rules, cells=OPEN)


def stored(business, line):
    return row(business, "SELECT * FROM order_line WHERE id = :k", k=line)


def substitutable(business, *, same_group=True):
    with business.work() as work:
        one, two = (ensure_item_group(work, code, code).id for code in ("pipes", "bends"))
        connection = work.session.connection()
        connection.exec_driver_sql(f"UPDATE item SET group_id = {one} WHERE id = {business.items[0]}")
        connection.exec_driver_sql(
            f"UPDATE item SET group_id = {one if same_group else two} WHERE id = {business.items[1]}"
        )
        keep_substitutes(work, [KeepSubstitute(item=business.items[0], substitute=business.items[1])])
    stocked(business, business.site, 1, 100)


def test_the_ways_are_compared_by_promise_and_margin(database):
    business = a_business(database, items=2, stock=0)
    hamburg = second_site(business)
    stocked(business, hamburg, 0, 50)
    lane(business, business.site, 1, 100)
    lane(business, hamburg, 3, 900)
    supplier = a_supplier(business, prices=(("3.00", 0),))
    found = ways(business, short(business))
    assert list(found) == [f"other_site:{hamburg}", f"purchase:{supplier}", "wait"]
    other, bought, wait = found.values()
    assert other.closed == "begun_here"
    assert (bought.covers, bought.promised_on, bought.margin_minor) == (20_000, day(5), 20 * 700)
    assert (other.promised_on, other.margin_minor, other.extra_minor) == (day(2), 20 * 600 - 800, 800)
    assert wait.promised_on == day(7)


def test_short_lines_are_led_by_the_figure_one_decides_by(database):
    business = a_business(database, items=2, stock=100, limit=9_000_000)
    with business.work() as work:
        command = NewCustomer(
            entity=business.entity, code="KLEIN", name="Kleinbau", country="Germany", currency="EUR", tier=3
        )
        (small,) = add_customers(work, [command])
    lines = []
    for customer, item, quantity in ((business.customer, 0, 130), (small.id, 1, 140)):
        with business.work() as work:
            command = replace(business.order([(item, quantity)]), customer=customer)
            (order,) = capture_orders(work, [command], rules=RULES, cells=OPEN)
            release_orders(work, [order.id], rules=RULES, cells=OPEN)
            allocate_orders(work, [order.id], rules=RULES, cells=OPEN)
        lines.append(order.lines[0].id)
    first, second = lines
    with business.work() as work:
        connection = work.session.connection()
        connection.exec_driver_sql(f"UPDATE item SET standard_cost = 9000000 WHERE id = {business.items[0]}")
        connection.exec_driver_sql(f"UPDATE item SET standard_cost = 1000000 WHERE id = {business.items[1]}")
        connection.exec_driver_sql(f"UPDATE order_line SET promised_on = '2026-03-01' WHERE id = {second}")

    def ranked(rank):
        with reading(database) as session:
            return short_lines(session, DESK, business.clock.now(), rank=rank)

    assert [row.line_id for row in ranked(Rank.TIER)] == [first, second]
    for rank in (Rank.PROMISE, Rank.MARGIN, Rank.CREDIT):
        assert [row.line_id for row in ranked(rank)] == [second, first]
    one, two = ranked(Rank.TIER)
    assert (one.margin_minor, two.margin_minor) == (30 * 100, 40 * 900)
    assert (one.credit_left_minor, two.credit_left_minor) == (9_000_000 - 130 * 1000, None)


def test_what_came_meanwhile_is_given_to_the_line_or_part_of_it(database):
    business = a_business(database, items=1, stock=0)
    line = short(business)
    stocked(business, business.site, 0, 5)
    assert take(business, line, "split").covers == 5000
    assert int(stored(business, line).allocated) == 15_000
    stocked(business, business.site, 0, 40)
    take(business, line, "allocate")
    assert (int(stored(business, line).allocated), balance(business)) == (30_000, (55, 30, 0, 0))
    assert column(business, "SELECT option FROM shortage_choice ORDER BY id") == ["split", "allocate"]
    assert_books_agree(database)


def test_another_site_ships_it_all(database):
    business = a_business(database, items=1, stock=0)
    hamburg = second_site(business)
    stocked(business, hamburg, 0, 50)
    line = short(business, stock=0)
    take(business, line, f"other_site:{hamburg}")
    found = stored(business, line)
    assert (found.site_id, found.source_reason, int(found.allocated)) == (hamburg, "choice", 30_000)
    assert balance(business, site=hamburg) == (50, 30, 0, 0)
    kept = row(business, "SELECT * FROM shortage_choice")
    assert (kept.option, kept.reason, kept.chosen_by) == ("other_site", "the customer waits", DESK.id)
    assert [one["way"] for one in json.loads(kept.facts)["options"]] == ["other_site", "wait"]
    assert_books_agree(database)


def test_what_is_bought_is_expected_and_the_line_promised_from_it(database):
    business = a_business(database, items=1, stock=0)
    supplier = a_supplier(business, lead_days=3)
    line = short(business)
    take(business, line, f"purchase:{supplier}")
    found = stored(business, line)
    assert (found.promise_reason, str(found.promised_on)) == ("receipt", day(3).isoformat())
    assert column(business, "SELECT quantity FROM purchase_order_line") == [20_000]
    assert_books_agree(database)


def test_only_what_nothing_covers_is_bought_once_who_waits_longer_has_taken_theirs(database):
    business = a_business(database, items=1, stock=0)
    supplier = f"purchase:{a_supplier(business, lead_days=3)}"
    first = short(business)
    business.clock.advance(timedelta(hours=1))
    second = short(business, 8, stock=0)
    # Twenty are missing, and eight of somebody who came later; twelve come.
    expected(business, 12, days=6)
    (bought,) = [one for one in ways(business, first).values() if one.key == supplier]
    assert (bought.covers, bought.expected) == (8_000, 12_000)
    (whole,) = [one for one in ways(business, second).values() if one.key == supplier]
    assert (whole.covers, whole.expected) == (8_000, 0)
    take(business, first, supplier)
    assert column(business, "SELECT quantity FROM purchase_order_line") == [8_000]
    assert supplier not in ways(business, first)
    assert_books_agree(database)


def test_where_what_comes_covers_it_all_nothing_is_bought(database):
    business = a_business(database, items=1, stock=0)
    a_supplier(business)
    line = short(business)
    expected(business, 40, days=6)
    assert list(ways(business, line)) == ["wait"]


def test_only_what_is_not_on_order_is_bought_and_by_who_may_buy(database):
    business = a_business(database, items=1, stock=0)
    supplier = f"purchase:{a_supplier(business)}"
    line = short(business)
    clerk = replace(DESK, permissions=DESK.permissions - {"purchasing:order:place"})
    assert ways(business, line, actor=clerk)[supplier].closed == "may_not_buy"
    command = Choose(line=line, option=supplier, reason="the customer waits")
    refused(business, "way_closed", lambda work: choose(work, command, rules=RULES, cells=OPEN), clerk)
    take(business, line, supplier)
    assert list(ways(business, line)) == ["wait"]
    (purchase,) = column(business, "SELECT id FROM purchase_order")
    with business.work(BUYER) as work:
        (bought,) = lock_purchases(work, [purchase])
    confirmed(business, bought, 3, 15)
    assert ways(business, line)[supplier].covers == 5000


def test_a_substitute_of_the_same_group_is_a_line_of_its_own_at_the_agreed_price(database):
    business = a_business(database, items=2, stock=0)
    substitutable(business)
    line = short(business, rule="same_group")
    take(business, line, f"substitute:{business.items[1]}")
    old = stored(business, line)
    new = row(business, "SELECT * FROM order_line WHERE replaces_id = :k", k=line)
    assert (int(old.cancelled), int(new.quantity), int(new.allocated)) == (20_000, 20_000, 20_000)
    assert (new.item_id, new.unit_price, new.price_source) == (business.items[1], old.unit_price, "substitute")
    types = column(business, "SELECT type FROM event_log WHERE subject_type = 'order' ORDER BY seq")
    assert types[-3:] == ["order.substituted", "order.cancelled", "order.allocated"]
    # Thirty at ten were ordered; the substitute comes in the place of twenty.
    assert column(business, "SELECT value_minor FROM sales_order") == [30_000]
    assert_books_agree(database)


def test_a_substitute_goes_where_its_line_goes_and_at_the_tax_of_that_country(database):
    business = a_business(database, items=2, stock=0)
    substitutable(business)
    approve(business, "substitution_rule", "same_group")
    with business.work() as work:
        add_tax_rate(work, entity=business.entity, country="Austria", rate=Decimal("0.10"), valid_from=date(2020, 1, 1))
    vienna = address(business, country="Austria", city="Wien")
    order = short_to(business, vienna)
    take(business, order.lines[0].id, f"substitute:{business.items[1]}")
    assert column(business, "SELECT tax_rate FROM order_line ORDER BY line_no") == [100_000, 100_000]
    assert column(business, "SELECT ship_to_id FROM order_line ORDER BY line_no") == [vienna, vienna]


def test_where_the_rule_asks_for_approval_somebody_else_decides(database):
    business = a_business(database, items=2, stock=0)
    substitutable(business, same_group=False)
    line = short(business, rule="with_approval")
    take(business, line, f"substitute:{business.items[1]}")
    hold = row(business, "SELECT * FROM order_hold")
    assert (hold.kind, column(business, "SELECT state FROM sales_order")) == ("substitution", ["held"])
    decision = DecideSubstitution(hold=hold.id, approve=True, reason="the customer agrees")
    refused(
        business, "hold_own_request", lambda work: decide_substitution(work, decision, rules=RULES, cells=OPEN), DESK
    )
    with business.work(BOSS) as work:
        decide_substitution(work, decision, rules=RULES, cells=OPEN)
    assert column(business, "SELECT state FROM sales_order") == ["captured"]
    # A person has decided: it was not cured.
    assert [bool(one) for one in column(business, "SELECT is_cured FROM order_hold")] == [False]
    facts = "SELECT facts FROM transition WHERE move = 'release_hold'"
    assert [orjson.loads(one).get("cured") for one in column(business, facts)] == [False]
    assert column(business, "SELECT quantity FROM order_line WHERE replaces_id IS NOT NULL") == [20_000]
    refused(business, "hold_ended", lambda work: decide_substitution(work, decision, rules=RULES, cells=OPEN), BOSS)
    assert_books_agree(database)


def test_a_declined_substitution_leaves_the_order_as_it_was_ordered(database):
    business = a_business(database, items=2, stock=0)
    substitutable(business, same_group=False)
    line = short(business, rule="with_approval")
    take(business, line, f"substitute:{business.items[1]}")
    (hold,) = column(business, "SELECT id FROM order_hold")
    with business.work(BOSS) as work:
        decide_substitution(work, DecideSubstitution(hold=hold, approve=False, reason="no"), rules=RULES, cells=OPEN)
    assert column(business, "SELECT COUNT(*) FROM order_line") == [1]
    assert int(stored(business, line).cancelled) == 0
    assert_books_agree(database)


def test_the_standard_sends_nothing_else_and_nothing_that_is_not_kept(database):
    business = a_business(database, items=3, stock=0)
    substitutable(business, same_group=False)
    line = short(business)
    assert not [key for key in ways(business, line) if key.startswith("substitute")]

    never = Substitute(line=line, item=business.items[1], reason="short")
    refused(business, "substitution_never", lambda work: substitute_lines(work, [never], rules=RULES, cells=OPEN), DESK)
    other = short(business, rule="same_group", stock=0)
    command = Substitute(line=other, item=business.items[1], reason="short")
    refused(business, "substitute_group", lambda work: substitute_lines(work, [command], rules=RULES, cells=OPEN), DESK)
    third = Substitute(line=other, item=business.items[2], reason="short")
    refused(business, "substitute_unknown", lambda work: substitute_lines(work, [third], rules=RULES, cells=OPEN), DESK)


def test_a_choice_needs_reason_permission_and_a_way_that_is_still_there(database):
    business = a_business(database, items=1, stock=0)
    line = short(business)
    clerk = Actor(id=9, role="clerk", permissions=frozenset())
    for changes, code in (
        ({"reason": " "}, "reason_required"), ({"option": "allocate"}, "way_gone"), ({"option": "hope"}, "way_gone"),
        ({"actor": clerk}, "not_allowed"), ({"seen_version": 1}, "changed_meanwhile"),
    ):  # fmt: skip
        before = fingerprint_of(database)
        with pytest.raises(DomainError) as error:
            take(business, line, **{"option": "wait", **changes})
        assert error.value.code == code
        assert fingerprint_of(database) == before


def test_two_who_choose_the_last_of_it_get_it_once(database):
    business = a_business(database, items=1, stock=0)
    first, second = short(business, stock=0), short(business, stock=0)
    stocked(business, business.site, 0, 30)
    results = at_once(*([lambda line=line: take(business, line, "allocate") and None for line in (first, second)]))
    assert sorted(type(one).__name__ for one in results) == ["NoneType", "RuleBroken"]
    assert balance(business) == (30, 30, 0, 0)
    assert_books_agree(database)


def test_substitutes_make_sense_or_are_not_kept(database):
    business = a_business(database, items=2, stock=0)
    own = KeepSubstitute(item=business.items[0], substitute=business.items[0])
    refused(business, "substitute_itself", lambda work: keep_substitutes(work, [own]), None)
    absurd = KeepSubstitute(item=business.items[0], substitute=business.items[1], rank=0)
    refused(business, "offer_rank_absurd", lambda work: keep_substitutes(work, [absurd]), None)
    refused(business, "substitute_unknown", lambda work: drop_substitute(work, *business.items), None)
    assert Decimal(1)

"""Lines are shipped by the site that the rule chooses, where its cell is open; what was compared is kept; stock moves there."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from app.composition.uow import reading
from app.queries.supply_of_order import sources_of_order
from erpcore.fulfilment.services import PickOrder, confirm_shipments, pick_orders
from erpcore.inventory.stock import ChangeStock, open_stock
from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.masterdata.commitments import NewCommitment, keep_commitments
from erpcore.masterdata.lanes import KeepLane, drop_lane, keep_lanes
from erpcore.orders.allocation import allocate_orders
from erpcore.orders.releasing import release_orders
from erpcore.orders.services import NewLine, capture_orders
from erpcore.ports import Admission, CellState
from tests.db.core.test_purchases import refused
from tests.db.core.test_ship_to import address
from tests.support.controls import assert_books_agree
from tests.support.core import OPEN, RULES, Cells, a_business
from tests.support.policy import Rules
from tests.support.supply import column, row
from tests.support.warehouse import balance, second_site


def stocked(business, site, item, quantity):
    with business.work() as work:
        change = ChangeStock(site=site, item=business.items[item], quantity=Decimal(quantity), note="opening")
        open_stock(work, [change], rules=RULES, cells=OPEN)


def lane(business, site, days, cost, country="Germany"):
    with business.work() as work:
        return keep_lanes(work, [KeepLane(site=site, country=country, transit_days=days, cost_minor=cost)])[0]


def captured(business, rule, lines=((0, 30),), cells=OPEN):
    with business.work() as work:
        (order,) = capture_orders(work, [business.order(lines)], rules=Rules(sourcing_rule=rule), cells=cells)
    return order


def three_sites(database):
    """Duisburg has 20, Hamburg 90, a third party in Bremen 40 of each item; the third party is nearest, Hamburg cheapest."""
    business = a_business(database, items=2, stock=20)
    hamburg, bremen = second_site(business), second_site(business, "BRE", kind="third_party")
    for item in (0, 1):
        stocked(business, hamburg, item, 90)
        stocked(business, bremen, item, 40)
    lane(business, business.site, 2, 500)
    lane(business, hamburg, 3, 200, "*")
    lane(business, bremen, 1, 900)
    return business, hamburg, bremen


def ships_after(business, site, days):
    with business.work() as work:
        command = NewCommitment(site=site, channel=business.channel, lead_days=days, valid_from=date(2020, 1, 1))
        keep_commitments(work, [command])


def test_the_cheapest_site_that_keeps_the_committed_day_ships_and_what_was_compared_is_told(database):
    """Hamburg costs least but comes a day late; with a day more to go it is in time."""
    business, hamburg, bremen = three_sites(database)
    ships_after(business, hamburg, 3)
    order = captured(business, "commitment", ((0, 15),))
    assert (order.lines[0].site_id, order.lines[0].source_reason) == (business.site, None)
    with reading(database) as session:
        (told,) = sources_of_order(session, order.id)
    assert (told.rule, told.line_no) == ("commitment", 10)
    assert {(one.site_id, one.late_days, one.cost_minor, one.chosen) for one in told.sites} == {
        (business.site, 0, 500, True), (hamburg, 1, 200, False), (bremen, 0, 900, False),
    }  # fmt: skip
    with business.work() as work:
        later = replace(business.order([(0, 15)]), requested_on=order.lines[0].committed_on + timedelta(days=1))
        (second,) = capture_orders(work, [later], rules=Rules(sourcing_rule="commitment"), cells=OPEN)
    assert (second.lines[0].site_id, second.lines[0].source_reason) == (hamburg, "commitment")
    # Nobody but Hamburg has so much: late is better than not at all.
    third = captured(business, "commitment", ((0, 45),))
    assert (third.lines[0].site_id, third.lines[0].source_reason) == (hamburg, "commitment")
    assert_books_agree(database)


@pytest.mark.parametrize(
    ("rule", "where"), [("most_stock", "HAM"), ("nearest", "BRE"), ("cheapest", "HAM"), ("fewest_splits", "HAM")]
)
def test_a_line_is_shipped_by_the_site_that_the_rule_chooses(database, rule, where):
    business, *_ = three_sites(database)
    order = captured(business, rule, ((0, 30), (1, 50)) if rule == "fewest_splits" else ((0, 30),))
    codes = column(
        business, "SELECT s.code FROM order_line l JOIN site s ON s.id = l.site_id WHERE l.order_id = :o", o=order.id
    )
    assert set(codes) == {where}
    assert order.lines[0].source_reason == rule
    assert order.lines[0].promise_reason == ("third_party" if where == "BRE" else "stock")
    kept = row(business, "SELECT * FROM shortage_choice WHERE order_line_id = :l", l=order.lines[0].id)
    assert (kept.option, kept.reason, kept.quantity) == ("sourced", rule, 30_000)
    assert len(json.loads(kept.facts)["sites"]) == 3
    assert column(business, "SELECT COUNT(*) FROM event_log WHERE type = 'order.sourced'") == [1]
    assert_books_agree(database)


def test_the_way_to_the_address_of_the_line_counts_and_not_the_country_of_its_order(database):
    business = a_business(database, items=1, stock=90)
    hamburg = second_site(business)
    stocked(business, hamburg, 0, 90)
    for site, germany, austria in ((business.site, 1, 5), (hamburg, 5, 1)):
        lane(business, site, germany, 100)
        lane(business, site, austria, 100, country="Austria")
    vienna = address(business, country="Austria", city="Wien")
    lines = [NewLine(item=business.items[0], quantity=Decimal(5), ship_to=place) for place in (None, vienna)]
    with business.work() as work:
        command = replace(business.order(), lines=lines)
        (order,) = capture_orders(work, [command], rules=Rules(sourcing_rule="nearest"), cells=OPEN)
    assert [line.site_id for line in order.lines] == [business.site, hamburg]


def test_the_standard_ships_from_the_site_that_sells_and_keeps_nothing(database):
    business, *_ = three_sites(database)
    with business.work() as work:
        (order,) = capture_orders(work, [business.order([(0, 30)])], rules=RULES, cells=OPEN)
    assert (order.lines[0].site_id, order.lines[0].source_reason) == (business.site, None)
    assert column(business, "SELECT COUNT(*) FROM shortage_choice") == [0]


def test_what_nobody_has_whole_stays_with_the_site_that_sells(database):
    business, *_ = three_sites(database)
    order = captured(business, "most_stock", ((0, 95),))
    assert (order.lines[0].site_id, order.lines[0].promise_reason) == (business.site, "lead_time")


def test_two_lines_of_one_item_are_not_promised_the_same_stock(database):
    business, hamburg, bremen = three_sites(database)
    order = captured(business, "most_stock", ((0, 60), (0, 35)))
    assert [line.site_id for line in order.lines] == [hamburg, bremen]


def test_a_site_whose_cell_is_closed_ships_nothing(database):
    business, hamburg, _ = three_sites(database)

    class Some(Cells):
        def admission(self, work, realm, cell):
            state = CellState.CLOSED if cell.site == hamburg else CellState.OPEN
            return Admission(state, 1, {"wave": "W2", "waits_for": "its entry gate"})

    order = captured(business, "most_stock", cells=Some())
    assert column(business, "SELECT s.code FROM site s WHERE s.id = :s", s=order.lines[0].site_id) == ["BRE"]


def test_the_goods_leave_from_the_site_that_was_chosen(database):
    business, hamburg, _ = three_sites(database)
    order = captured(business, "cheapest")
    with business.work() as work:
        release_orders(work, [order.id], rules=RULES, cells=OPEN)
        allocate_orders(work, [order.id], rules=RULES, cells=OPEN)
    with business.work() as work:
        (shipment,) = pick_orders(work, [PickOrder(order=order.id)], cells=OPEN)
        confirm_shipments(work, [shipment.id], rules=RULES, cells=OPEN)
    assert shipment.site_id == hamburg
    assert (balance(business)[0], balance(business, site=hamburg)[0]) == (20, 60)
    assert_books_agree(database)


def test_a_lane_makes_sense_or_is_not_kept(database):
    business = a_business(database)
    works = second_site(business, "WKS", kind="drop_ship")
    good = {"site": business.site, "country": "Germany", "transit_days": 2, "cost_minor": 5}
    for change, code in (
        ({"site": works}, "lane_from_works"), ({"country": " "}, "lane_country"), ({"transit_days": -1}, "lane_days"),
        ({"cost_minor": -5}, "lane_cost"),
    ):  # fmt: skip
        refused(business, code, lambda work, change=change: keep_lanes(work, [KeepLane(**{**good, **change})]), None)
    key = lane(business, business.site, 2, 5)
    assert lane(business, business.site, 4, 6) == key
    with business.work() as work:
        drop_lane(work, key)
    with pytest.raises(NotFound), business.work() as work:
        drop_lane(work, key)
    assert RuleBroken

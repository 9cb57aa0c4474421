"""Stock is short, as distributors know it: from the customer's order to the last invoice, with every figure at the end."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from erpcore.fulfilment.direct import confirm_with_promises
from erpcore.fulfilment.shortage import Choose, choose
from erpcore.kernel.actor import Actor
from erpcore.masterdata.customers import ChangeStanding, Standing, change_standings
from erpcore.masterdata.services import NewCustomer, add_customers
from erpcore.orders.releasing import release_orders
from erpcore.orders.rerun import run_allocation
from erpcore.orders.substitution import DecideSubstitution, decide_substitution
from erpcore.purchasing.services import ConfirmedLine, ConfirmPurchase
from tests.db.core.test_shortages import substitutable
from tests.support.core import OPEN, RULES, a_business
from tests.support.policies import approve
from tests.support.steps import allocated
from tests.support.story import BOTH, allocate, arrive, came, ending, rows, send, told
from tests.support.supply import BUYER, a_supplier, ordered, took_in
from tests.support.warehouse import day

DESK = Actor(
    id=401, role="customer_service",
    permissions=frozenset({"orders:shortage:choose", "orders:line:substitute", "purchasing:order:place", "orders:substitution:approve"}),
)  # fmt: skip
LEAD = Actor(id=402, role="site_lead", permissions=DESK.permissions)


def take(business, line, option):
    """One way of the shortage page, taken by the desk."""
    with business.work(DESK) as work:
        choose(work, Choose(line=line, option=option, reason="he waits for it"), **BOTH)


def test_partial_what_is_there_leaves_at_once_and_the_rest_when_it_comes(database):
    business = a_business(database, items=1, stock=6, limit=100_000)
    order = allocated(business, [(0, 10)])
    arrive(business, send(business, order), days=1)
    came(business, 20)
    business.clock.advance(timedelta(days=3))
    allocate(business, order)
    arrive(business, send(business, order), days=1)
    assert told(business, order) == []
    assert ending(business, order) == {}


def test_supplier_shortfall_the_promise_moves_with_what_the_supplier_says_and_the_rest_is_ordered_elsewhere(database):
    business = a_business(database, items=1, stock=0, limit=100_000)
    first, second = a_supplier(business, "ROHR"), a_supplier(business, "BOGEN", lead_days=9)
    order = allocated(business, [(0, 10)])
    purchase = ordered(business, first, ((0, 10),))
    with business.work(BUYER) as work:
        said = ConfirmedLine(line=purchase.lines[0].id, on=day(4), quantity=Decimal(6))
        confirm_with_promises(work, [ConfirmPurchase(purchase=purchase.id, lines=[said], reference="AB 9")])
    take(business, order.lines[0].id, f"purchase:{second}")
    business.clock.advance(timedelta(days=4))
    took_in(business, purchase, 6, last=True)
    allocate(business, order)
    arrive(business, send(business, order), days=1)
    business.clock.advance(timedelta(days=6))
    came(business, 4)
    allocate(business, order)
    arrive(business, send(business, order), days=1)
    assert told(business, order) == []
    assert ending(business, order) == {}


@pytest.mark.parametrize("rule", ["same_group", "with_approval"])
def test_substitution_another_item_goes_at_the_agreed_price(database, rule):
    business = a_business(database, items=2, stock=6, limit=100_000)
    approve(business, "substitution_rule", rule)
    substitutable(business)
    order = allocated(business, [(0, 10)])
    take(business, order.lines[0].id, f"substitute:{business.items[1]}")
    if rule == "with_approval":
        ((hold,),) = rows(business, "SELECT id FROM order_hold WHERE released_at IS NULL")
        with business.work(LEAD) as work:
            answer = DecideSubstitution(hold=hold, approve=True, reason="he was asked")
            decide_substitution(work, answer, **BOTH)
        with business.work() as work:
            release_orders(work, [order.id], **BOTH)
    allocate(business, order)
    arrive(business, send(business, order), days=1)
    assert told(business, order) == []
    assert ending(business, order) == {}


def two_customers(business):
    """The second one is of the first tier."""
    with business.work() as work:
        (other,) = add_customers(
            work,
            [
                NewCustomer(
                    entity=business.entity, code="20001", name="Großbau", country="Germany", currency="EUR", tier=1
                )
            ],
        )  # fmt: skip
    return other.id


SHARES = {"first_come": (10, 2, 0), "priority": (2, 0, 10), "contract_protection": (4, 0, 8), "fair_share": (5, 3, 4)}


@pytest.mark.parametrize("rule", SHARES)
def test_shortage_each_rule_of_allocation_shares_twelve_among_three_who_want_more(database, rule):
    business = a_business(database, items=1, stock=0)
    key = two_customers(business)
    if rule != "first_come":
        approve(business, "allocation_rule", rule)
    waiting = []
    for customer, quantity in ((business.customer, 10), (business.customer, 6), (key, 10)):
        waiting.append(allocated(business, [(0, quantity)], customer=customer))
        business.clock.advance(timedelta(hours=1))
    came(business, 12)
    with business.work() as work:
        run_allocation(work, business.site, **BOTH)
    print(rule, [rows(business, "SELECT allocated FROM order_line WHERE order_id = :o", o=one.id) for one in waiting])
    assert 0

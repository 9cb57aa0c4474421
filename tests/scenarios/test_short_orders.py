"""Stock is short, as distributors know it: from the customer's order to the last invoice, with every figure at the end."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from erpcore.fulfilment.direct import confirm_with_promises
from erpcore.fulfilment.shortage import Choose, choose
from erpcore.kernel.actor import Actor
from erpcore.masterdata.services import NewCustomer, add_customers
from erpcore.orders.protections import ProtectStock, protect_stock
from erpcore.orders.releasing import release_orders
from erpcore.orders.rerun import run_allocation
from erpcore.orders.substitution import DecideSubstitution, decide_substitution
from erpcore.purchasing.records import lock_purchases
from erpcore.purchasing.services import ConfirmedLine, ConfirmPurchase
from tests.db.core.test_shortages import substitutable
from tests.support.core import a_business
from tests.support.policies import approve
from tests.support.steps import allocated
from tests.support.story import BOTH, allocate, arrive, came, ending, on_its_day, rows, send, stock, told
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
    on_its_day(business)
    arrive(business, send(business, order), days=1)
    came(business, 20)
    business.clock.advance(timedelta(days=3))
    allocate(business, order)
    arrive(business, send(business, order), days=1)
    assert (
        told(business, order)
        == """
        order.captured order.validated order.promised order.released order.allocated order.backordered order.repromised
        shipment.picked shipment.confirmed invoice.triggered ledger.posted shipment.delivered invoice.drafted
        invoice.posted ledger.posted order.allocated shipment.picked shipment.confirmed invoice.triggered ledger.posted
        shipment.delivered invoice.drafted invoice.posted ledger.posted
    """.split()
    )
    assert ending(business, order) == {
        "state": "released",
        "lines": {10: (10, 0, 0, 10, 0)},
        "days": {10: (2, 2, 7, 7)},
        "stock": [(16, 0, 0)],
        "exposure": (12000, 0, 0),
        "ledger": {
            "cost_of_sales": 4000,
            "inventory": 6400,
            "opening": -2400,
            "receivable": 12000,
            "received_not_invoiced": -8000,
            "revenue": -10000,
            "tax": -2000,
        },
        "figures": {
            "filled": (0, 1),
            "on time in full": (0, 1),
            "promise kept": (1, 1),
            "perfect": (0, 1),
            "touchless": (1, 1),
            "exception": (1, 1),
        },
    }


def test_supplier_shortfall_the_rest_is_bought_elsewhere_and_promised_anew(database):
    business = a_business(database, items=1, stock=0, limit=100_000)
    first, second = a_supplier(business, "ROHR"), a_supplier(business, "BOGEN", lead_days=8)
    purchase = ordered(business, first, ((0, 10),))
    order = allocated(business, [(0, 10)])
    with business.work(BUYER) as work:
        said = ConfirmedLine(line=purchase.lines[0].id, on=day(4), quantity=Decimal(6))
        confirm_with_promises(work, [ConfirmPurchase(purchase=purchase.id, lines=[said], reference="AB 9")])
    business.clock.advance(timedelta(days=4))
    took_in(business, purchase, 6, last=True)
    allocate(business, order)
    arrive(business, send(business, order))
    take(business, order.lines[0].id, f"purchase:{second}")
    business.clock.advance(timedelta(days=8))
    with business.work() as work:
        ((again,),) = rows(business, "SELECT id FROM purchase_order WHERE supplier_id = :s", s=second)
        (rest,) = lock_purchases(work, [again])
    took_in(business, rest, 4)
    allocate(business, order)
    arrive(business, send(business, order))
    assert purchases(business) == {"ROHR": ("received", 10, 6, 4), "BOGEN": ("received", 4, 4, 0)}
    assert (
        told(business, order)
        == """
        order.captured order.validated order.promised order.released order.backordered order.repromised order.allocated
        shipment.picked shipment.confirmed invoice.triggered ledger.posted shipment.delivered invoice.drafted
        invoice.posted ledger.posted order.repromised order.allocated shipment.picked shipment.confirmed
        invoice.triggered ledger.posted shipment.delivered invoice.drafted invoice.posted ledger.posted
    """.split()
    )
    assert ending(business, order) == {
        "state": "released",
        "lines": {10: (10, 0, 0, 10, 0)},
        "days": {10: (2, 2, 5, 13)},
        "stock": [(0, 0, 0)],
        "exposure": (12000, 0, 0),
        "ledger": {
            "cost_of_sales": 4000,
            "receivable": 12000,
            "received_not_invoiced": -4000,
            "revenue": -10000,
            "tax": -2000,
        },
        "figures": {
            "filled": (0, 1),
            "on time in full": (0, 1),
            "promise kept": (0, 1),
            "perfect": (0, 1),
            "touchless": (1, 1),
            "exception": (1, 1),
        },
    }


def purchases(business):
    """What was ordered of each supplier: (state, ordered, received, cancelled)."""
    found = rows(
        business,
        "SELECT s.code, p.state, l.quantity, l.received, l.cancelled FROM purchase_order p JOIN supplier s ON s.id = p.supplier_id "
        "JOIN purchase_order_line l ON l.purchase_id = p.id",
    )
    return {code: (state, *(int(value) // 1000 for value in figures)) for code, state, *figures in found}


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
    on_its_day(business)
    arrive(business, send(business, order), days=1)
    held = ["order.held", "order.hold_released"] if rule == "with_approval" else []
    again = ["order.released"] if rule == "with_approval" else []
    assert told(business, order) == [
        "order.captured", "order.validated", "order.promised", "order.released", "order.allocated", "order.backordered",
        "order.repromised", *held, "order.substituted", "order.cancelled", *again, "order.allocated", "shipment.picked",
        "shipment.confirmed", "invoice.triggered", "ledger.posted", "shipment.delivered", "invoice.drafted", "invoice.posted",
        "ledger.posted",
    ]  # fmt: skip
    assert ending(business, order) == {
        "state": "released",
        "lines": {10: (10, 0, 0, 6, 4), 20: (4, 0, 0, 4, 0)},
        "days": {10: (2, 2, 7, 7), 20: (2, 2, 2, 2)},
        "stock": [(0, 0, 0), (102, 0, 0)],
        "exposure": (12000, 0, 0),
        "ledger": {
            "cost_of_sales": 4000,
            "inventory": 40800,
            "opening": -44800,
            "receivable": 12000,
            "revenue": -10000,
            "tax": -2000,
        },
        "figures": {
            "filled": (0, 1),
            "on time in full": (0, 1),
            "promise kept": (0, 1),
            "perfect": (0, 1),
            "touchless": (0, 1),
            "exception": (1, 1),
        },
    }


def a_key_account(business):
    """A customer of the first tier."""
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


#: Who gets what of twelve: who came first with ten, the same customer's six, and the ten of a key account whose contract keeps four.
SHARES = {"first_come": (10, 2, 0), "priority": (2, 0, 10), "contract_protection": (8, 0, 4), "fair_share": (5, 3, 4)}


@pytest.mark.parametrize("rule", SHARES)
def test_shortage_each_rule_of_allocation_shares_twelve_among_three_who_want_more(database, rule):
    business = a_business(database, items=1, stock=0)
    key = a_key_account(business)
    if rule != "first_come":
        approve(business, "allocation_rule", rule)
    with business.work() as work:
        kept = ProtectStock(
            site=business.site,
            item=business.items[0],
            customer=key,
            quantity=Decimal(4),
            contract="C-7",
            valid_from=day(0),
        )
        protect_stock(work, [kept])
    waiting = []
    for customer, quantity in ((business.customer, 10), (business.customer, 6), (key, 10)):
        waiting.append(allocated(business, [(0, quantity)], customer=customer))
        business.clock.advance(timedelta(hours=1))
    came(business, 12)
    with business.work() as work:
        run_allocation(work, business.site, **BOTH)
    assert tuple(lines_of(business, one)[1] for one in waiting) == SHARES[rule]
    assert stock(business, business.site) == [(12, 12, 0)]
    business.clock.advance(timedelta(hours=1))
    first = [one for one, share in zip(waiting, SHARES[rule], strict=True) if share]
    for one in first:
        arrive(business, send(business, one), days=0)
    came(business, 14)
    with business.work() as work:
        run_allocation(work, business.site, **BOTH)
    for one in waiting:
        if lines_of(business, one)[1]:
            arrive(business, send(business, one), days=0)
    assert [lines_of(business, one) for one in waiting] == [(10, 0, 0, 10, 0), (6, 0, 0, 6, 0), (10, 0, 0, 10, 0)]
    assert ending(business, waiting[0]) == {
        "state": "released",
        "lines": {10: (10, 0, 0, 10, 0)},
        "days": {10: (2, 2, 7, 7)},
        "stock": [(0, 0, 0)],
        "exposure": (19200, 0, 0),
        "ledger": {
            "cost_of_sales": 10400,
            "receivable": 31200,
            "received_not_invoiced": -10400,
            "revenue": -26000,
            "tax": -5200,
        },
        "figures": {
            "filled": (FILLED[rule], 3),
            "on time in full": (0, 3),
            "promise kept": (3, 3),
            "perfect": (0, 3),
            "touchless": (3, 3),
            "exception": (3, 3),
        },
    }
    assert rows(
        business, "SELECT SUM(receivable_minor), SUM(shipped_minor), SUM(released_minor) FROM credit_exposure"
    ) == [(26 * 1200, 0, 0)]


#: Lines whose first shipment covered them whole.
FILLED = {"first_come": 2, "priority": 2, "contract_protection": 1, "fair_share": 0}


def lines_of(business, order):
    """(ordered, allocated, picked, shipped, cancelled) of the only line."""
    sql = "SELECT quantity, allocated, picked, shipped, cancelled FROM order_line WHERE order_id = :o"
    return tuple(int(value) // 1000 for value in rows(business, sql, o=order.id)[0])

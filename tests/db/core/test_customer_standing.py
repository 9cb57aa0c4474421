"""How customers stand is changed by authority, with a reason that stays; a raised limit frees what it held."""

from __future__ import annotations

import orjson
import pytest
from sqlalchemy import select

from app.composition.curing import cure_held_orders
from erpcore.kernel.actor import Actor
from erpcore.kernel.audit import AuditEntry
from erpcore.kernel.errors import Conflict, NotAllowed, NotFound, RuleBroken
from erpcore.masterdata.customers import CHANGE, SET_LIMIT, ChangeStanding, Standing, change_standings
from erpcore.masterdata.models import Customer
from erpcore.masterdata.services import NewCustomer, add_customers
from erpcore.orders.models import SalesOrder
from erpcore.orders.releasing import release_orders
from tests.support.core import OPEN, RULES, a_business
from tests.support.operate import open_cells
from tests.support.steps import captured

FINANCE = Actor(id=31, role="finance", permissions=frozenset({SET_LIMIT}))
OWNER = Actor(id=32, role="data_owner", permissions=frozenset({CHANGE}))


@pytest.fixture
def business(database):
    return a_business(database, limit=5_000)


def change(business, by, *, limit=5_000, tier=2, blocked=False, reason="agreed", seen=None, customer=None):
    standing = Standing(limit_minor=limit, tier=tier, is_blocked=blocked)
    with business.work(by) as work:
        change_standings(
            work, [ChangeStanding(customer=customer or business.customer, standing=standing, reason=reason, seen=seen)]
        )


def stored(business):
    with business.work() as work:
        row = work.session.get(Customer, business.customer)
        acts = work.session.scalars(select(AuditEntry.content).where(AuditEntry.kind == "customer.changed")).all()
        return (row.credit_limit_minor, row.tier, row.is_blocked), [orjson.loads(one)["facts"] for one in acts]


def test_a_limit_is_set_with_a_reason_that_the_trail_keeps(business):
    change(business, FINANCE, limit=20_000, reason="insured")
    assert stored(business) == ((20_000, 2, False), [{"limit_minor": [5_000, 20_000], "reason": "insured"}])


def test_a_raised_limit_frees_the_order_that_it_held(business):
    open_cells(business)
    order = captured(business, ((0, 10),))
    with business.work() as work:
        release_orders(work, [order.id], rules=RULES, cells=OPEN)
    with business.work() as work:
        assert work.session.scalar(select(SalesOrder.state).where(SalesOrder.id == order.id)) == "held"
    change(business, FINANCE, limit=None)
    assert cure_held_orders(business.database, clock=business.clock) == 1
    with business.work() as work:
        assert work.session.scalar(select(SalesOrder.state).where(SalesOrder.id == order.id)) == "released"


@pytest.mark.parametrize(
    ("by", "changes", "error"),
    [
        (OWNER, {"limit": 9_000}, NotAllowed),
        (FINANCE, {"tier": 1}, NotAllowed),
        (FINANCE, {"blocked": True}, NotAllowed),
        (FINANCE, {"limit": -1}, RuleBroken),
        (FINANCE, {"limit": 10**18}, RuleBroken),
        (FINANCE, {"limit": 9_000, "reason": "  "}, RuleBroken),
        (OWNER, {"tier": 0}, RuleBroken),
        (OWNER, {"tier": 4}, RuleBroken),
        (OWNER, {}, RuleBroken),
        (OWNER, {"tier": 1, "seen": Standing(limit_minor=1, tier=2, is_blocked=False)}, Conflict),
        (OWNER, {"tier": 1, "customer": 1}, NotFound),
    ],
)
def test_what_may_not_be_changes_nothing_and_leaves_no_act(business, by, changes, error):
    with pytest.raises(error):
        change(business, by, **changes)
    assert stored(business) == ((5_000, 2, False), [])


def test_a_customer_of_a_tier_that_nobody_knows_does_not_come_in(business):
    new = NewCustomer(entity=business.entity, code="X", name="X", country="Germany", currency="EUR", tier=7)
    with pytest.raises(RuleBroken, match="tier_unknown"), business.work() as work:
        add_customers(work, [new])


def test_a_blocked_customer_orders_no_more_and_open_orders_stay(business):
    order = captured(business, ((0, 1),))
    change(business, OWNER, blocked=True)
    with pytest.raises(RuleBroken, match="customer_blocked"):
        captured(business, ((1, 1),))
    with business.work() as work:
        assert work.session.scalar(select(SalesOrder.state).where(SalesOrder.id == order.id)) == "captured"

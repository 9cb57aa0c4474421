"""What order entry shows while an order is typed is what capture then promises: from stock, a receipt, the lead time, by rule."""

from __future__ import annotations

from decimal import Decimal

import pytest

from app.composition.uow import reading
from app.queries.order_entry import AskedLine, quote_order
from erpcore.kernel.actor import Actor
from tests.support.core import OPEN, a_business
from tests.support.policies import approve
from tests.support.queries import queries
from tests.support.steps import allocated, captured
from tests.support.warehouse import expected


def shown(business, lines):
    with reading(business.database) as session:
        found = quote_order(
            session, Actor.system("test"), business.clock.now(), site=business.site, realm="live", channel=business.channel,
            customer=None, lines=[AskedLine(item=business.items[item], quantity=Decimal(much)) for item, much in lines],
            cells=OPEN,
        )  # fmt: skip
    return [(line.reason, line.promised_on.isoformat()) for line in found.lines]


def promised(business, lines):
    return [(line.promise_reason, line.promised_on.isoformat()) for line in captured(business, lines).lines]


@pytest.mark.parametrize(
    ("lines", "expects"),
    [
        ([(0, 10)], [("stock", "2026-03-04")]),
        ([(0, 14)], [("receipt", "2026-03-05")]),
        ([(0, 40)], [("lead_time", "2026-03-09")]),
        # The lines of one order take from one another, in their order.
        ([(0, 8), (0, 8), (1, 3)], [("stock", "2026-03-04"), ("receipt", "2026-03-05"), ("stock", "2026-03-04")]),
    ],
)
def test_what_is_shown_is_what_capture_promises(database, lines, expects):
    business = a_business(database, items=2, stock=10)
    expected(business, 20)
    assert shown(business, lines) == expects
    assert promised(business, lines) == expects


def test_what_others_wait_for_is_not_shown_as_coming(database):
    business = a_business(database, items=1, stock=0)
    expected(business, 20)
    allocated(business, [(0, 18)])
    assert shown(business, [(0, 5)]) == promised(business, [(0, 5)]) == [("lead_time", "2026-03-09")]


def test_a_rule_that_promises_the_committed_day_is_shown_so(database):
    business = a_business(database, items=1, stock=0)
    approve(business, "promise_rule", "commitment")
    assert shown(business, [(0, 5)]) == promised(business, [(0, 5)]) == [("commitment", "2026-03-04")]


def test_more_lines_ask_the_timeline_no_more_often(database):
    business = a_business(database, items=3, stock=0)
    # What a process keeps of a commitment or a revision is read before.
    shown(business, [(0, 5)])
    with queries(database) as one:
        shown(business, [(0, 5)])
    with queries(database) as many:
        shown(business, [(0, 5), (1, 5), (2, 5), (1, 7)])
    assert len(many) == len(one)

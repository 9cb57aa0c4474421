"""What was done on paper comes into the books with its own times, once, and only for when the cell was on paper."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select, text

from app.composition.cells import RegisteredCells
from app.composition.paper import PaperLine, PaperOrder, PaperShipment, enter_order, enter_shipment
from app.composition.uow import reading
from erpcore.kernel.errors import Conflict, NotAllowed, RuleBroken
from erpcore.kernel.events import EventLog
from erpcore.orders.models import OrderLine, SalesOrder
from erpcore.orders.releasing import release_orders
from erpcore.orders.services import capture_orders
from readiness.waves.grants import declare_fallback, end_fallback
from tests.support.controls import assert_books_agree
from tests.support.core import RULES, a_business
from tests.support.operate import open_cells

CELLS = RegisteredCells


@pytest.fixture
def business(database, clock):
    made = a_business(database, at=clock.now())
    made.clock = clock
    open_cells(made)
    return made


@pytest.fixture
def began(business, clock):
    """When the fallback was declared; three hours ago by now. An order released before is under way."""
    with business.work() as work:
        (business.before,) = capture_orders(work, [business.order(lines=[(0, 5)])], rules=RULES, cells=CELLS())
        release_orders(work, [business.before.id], rules=RULES, cells=CELLS())
    with business.work() as work:
        declare_fallback(work, business.site, reason="no power")
    since = clock.now()
    clock.advance(timedelta(hours=3))
    return since


def a_paper(business, began, **given):
    return PaperOrder(
        **{
            "site": business.site, "channel": business.channel, "customer": business.customer, "number": "P-1",
            "taken_at": began + timedelta(minutes=20), "left_at": began + timedelta(minutes=50),
            "delivered_at": began + timedelta(hours=2),
            "lines": [PaperLine(item=business.items[0], quantity=Decimal(12), left=Decimal(10)), PaperLine(item=business.items[1], quantity=Decimal(3))],
            **given,
        }
    )  # fmt: skip


def enter(business, paper, source="back-entry"):
    with business.work(source=source) as work:
        return enter_order(work, paper, rules=RULES, cells=CELLS())


def everything(database):
    """How many rows each table has that a back-entry writes."""
    tables = (
        "sales_order",
        "order_line",
        "shipment",
        "stock_move",
        "event_log",
        "journal_line",
        "transition",
        "reservation",
    )
    with reading(database) as session:
        return {table: session.scalar(text(f"SELECT COUNT(*) FROM {table}")) for table in tables}


def test_an_order_and_what_left_for_it_stand_as_of_the_times_on_the_paper(business, began, database):
    order = enter(business, a_paper(business, began))
    with reading(database) as session:
        row = session.get(SalesOrder, order.id)
        lines = session.scalars(
            select(OrderLine).where(OrderLine.order_id == order.id).order_by(OrderLine.line_no)
        ).all()
        told = session.scalars(select(EventLog).where(EventLog.journey == order.id)).all()
        assert (row.number, row.source, row.captured_at) == ("P-1", "back-entry", began + timedelta(minutes=20))
        assert [(line.shipped, line.delivered) for line in lines] == [(10, 10), (3, 3)]
        when = {one.type: one.occurred_at - began for one in told}
    assert (when["order.released"], when["order.allocated"], when["shipment.confirmed"], when["shipment.delivered"]) == (
        timedelta(minutes=20), timedelta(minutes=50), timedelta(minutes=50), timedelta(hours=2)
    )  # fmt: skip
    assert_books_agree(database)


def test_what_was_under_way_leaves_on_paper(business, began, database):
    with business.work(source="back-entry") as work:
        enter_shipment(
            work,
            PaperShipment(order=business.before.id, left_at=began + timedelta(hours=1)),
            rules=RULES,
            cells=CELLS(),
        )
    with reading(database) as session:
        line = session.scalars(select(OrderLine).where(OrderLine.order_id == business.before.id)).one()
        assert line.shipped == 5


def test_a_paper_is_entered_once(business, began, database):
    enter(business, a_paper(business, began))
    before = everything(database)
    with pytest.raises(Conflict, match="number_in_use"):
        enter(business, a_paper(business, began))
    assert everything(database) == before


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        ({"taken_at": -timedelta(minutes=1)}, "paper_without_fallback", "taken_at"),
        ({"left_at": timedelta(minutes=5)}, "paper_out_of_order", "left_at"),
        ({"delivered_at": timedelta(minutes=40)}, "paper_out_of_order", "delivered_at"),
        ({"delivered_at": timedelta(hours=4)}, "paper_in_future", "delivered_at"),
        ({"left_at": None}, "paper_left_when", "left_at"),
    ],
)
def test_times_that_cannot_be_are_refused_and_nothing_is_kept(business, began, database, given, code, field):
    before = everything(database)
    times = {name: began + value if value is not None else None for name, value in given.items()}
    with pytest.raises(RuleBroken, match=code) as refused:
        enter(business, a_paper(business, began, **times))
    assert refused.value.field == field
    assert everything(database) == before


def test_only_a_back_entry_states_its_times_and_only_of_a_fallback(business, began, database, clock):
    before = everything(database)
    with pytest.raises(NotAllowed, match="time_not_stated"):
        enter(business, a_paper(business, began), source="screen")
    with pytest.raises(RuleBroken, match="paper_more_than_stock"):
        enter(business, a_paper(business, began, lines=[PaperLine(item=business.items[0], quantity=Decimal(900))]))
    with pytest.raises(RuleBroken, match="paper_number"):
        enter(business, a_paper(business, began, number=" "))
    assert everything(database) == before
    with business.work() as work:
        end_fallback(work, business.site, reason="power back")
    ended = clock.now()
    clock.advance(timedelta(hours=2))
    with pytest.raises(RuleBroken, match="paper_without_fallback"):
        enter(business, a_paper(business, began, taken_at=ended + timedelta(hours=1), left_at=None, delivered_at=None,
                                lines=[PaperLine(item=business.items[0], quantity=Decimal(1))]))  # fmt: skip
    late = enter(business, a_paper(business, began))
    assert late.number == "P-1"


def test_goods_that_left_for_a_customer_beyond_credit_wait_for_the_hold(database, clock):
    business = a_business(database, at=clock.now(), limit=1)
    business.clock = clock
    open_cells(business)
    with business.work() as work:
        declare_fallback(work, business.site, reason="no power")
    since = clock.now()
    clock.advance(timedelta(hours=3))
    before = everything(database)
    with pytest.raises(RuleBroken, match="paper_held"):
        enter(business, a_paper(business, since))
    assert everything(database) == before
    lines = [PaperLine(item=business.items[0], quantity=Decimal(12))]
    order = enter(business, a_paper(business, since, left_at=None, delivered_at=None, lines=lines))
    assert order.state == "held"

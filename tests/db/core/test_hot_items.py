"""Many writers on the same few items, with what follows each step: never more is promised than is there, and nobody is refused."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from random import Random

from sqlalchemy import text

from app.composition.scarcity import FOLLOWERS
from app.composition.uow import connect, reading
from erpcore.fulfilment.services import PickOrder, confirm_shipments, pick_orders
from erpcore.inventory.stock import ChangeStock, receive_stock
from erpcore.orders.allocation import allocate_orders
from erpcore.orders.cancelling import CancelLines, cancel_lines
from tests.support.controls import assert_books_agree
from tests.support.core import OPEN, RULES, a_business
from tests.support.operate import open_cells
from tests.support.steps import released

WRITERS, ORDERS, HOT = 4, 3, (0, 1, 2)


def _writer(business, seed, done):
    """Takes orders of all hot items in an order of its own; ships what is covered, cancels what is not, and brings more."""
    random = Random(seed)

    def task():
        for number in range(ORDERS):
            lines = [(item, random.randint(3, 9)) for item in random.sample(HOT, len(HOT))]
            order = released(business, lines)
            with business.work() as work:
                (order,) = allocate_orders(work, [order.id], rules=RULES, cells=OPEN)
            with business.work() as work:
                if any(line.unallocated for line in order.lines):
                    cancel_lines(work, [CancelLines(order=order.id, reason="short", by_customer=False)])
                    done["cancelled"] += 1
                else:
                    (shipment,) = pick_orders(work, [PickOrder(order=order.id)], cells=OPEN)
                    confirm_shipments(work, [shipment.id], rules=RULES, cells=OPEN)
                    done["shipped"] += 1
            if number == 1:
                with business.work() as work:
                    more = [
                        ChangeStock(site=business.site, item=business.items[item], quantity=Decimal(6), note="delivery")
                        for item in reversed(HOT)
                    ]
                    receive_stock(work, more, rules=RULES, cells=OPEN)

    return task


def test_many_writers_on_the_same_few_items_promise_no_more_than_there_is_and_none_is_refused(database):
    business = a_business(replace(database, followers=FOLLOWERS), items=len(HOT), stock=30)
    open_cells(business)
    done = {"shipped": 0, "cancelled": 0}
    with ThreadPoolExecutor(WRITERS) as writers:
        # Nothing is tried again: a deadlock or a lock that others hold for too long would be raised here.
        for future in [writers.submit(_writer(business, seed, done)) for seed in range(WRITERS)]:
            future.result()
    assert done["shipped"] + done["cancelled"] == WRITERS * ORDERS
    # Fewer than were wanted were there, and some were.
    assert done["shipped"] > 0
    assert done["cancelled"] > 0
    query = text(
        "SELECT b.on_hand, b.reserved, (SELECT SUM(quantity - consumed - freed) FROM reservation r WHERE r.item_id = b.item_id),"
        " (SELECT SUM(quantity) FROM stock_move m WHERE m.item_id = b.item_id) FROM stock_balance b"
    )
    with reading(database) as session:
        for on_hand, reserved, held, moved in session.execute(query):
            assert (on_hand, reserved) == (moved, held)
            assert 0 <= reserved <= on_hand
    assert_books_agree(database)


_KILLED = """
import sys, time
from app.composition.uow import connect, unit_of_work
from erpcore.kernel.actor import Actor
from erpcore.orders.allocation import allocate_orders
from tests.support.core import OPEN, RULES
with unit_of_work(connect(sys.argv[1]), actor=Actor.system("test")) as work:
    allocate_orders(work, [int(sys.argv[2])], rules=RULES, cells=OPEN)
    for write in work._before_end.values():
        write(work)
    work.session.flush()
    print("has reserved", flush=True)
    time.sleep(60)
"""


def test_a_worker_killed_while_it_holds_the_stock_leaves_it_to_the_next_one_whole(database):
    business = a_business(database, items=1, stock=10)
    first, second = released(business, [(0, 8)]).id, released(business, [(0, 7)]).id
    process = subprocess.Popen(
        [sys.executable, "-c", _KILLED, database.url, str(first)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout.readline() == "has reserved\n"
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    with reading(database) as session:
        assert session.execute(text("SELECT on_hand, reserved FROM stock_balance")).one() == (10000, 0)
        assert session.scalar(text("SELECT COUNT(*) FROM reservation")) == 0
    # Its locks went with it: the next one need not wait for them, and gets all.
    mine = connect(database.url)
    with replace(business, database=mine).work() as work:
        (order,) = allocate_orders(work, [second], rules=RULES, cells=OPEN)
    mine.dispose()
    assert order.lines[0].allocated == 7000
    assert_books_agree(database)

"""A worker of the demo is killed in the middle of its invoice run: the next one bills the rest, once, and the books prove it."""

from __future__ import annotations

import signal
import subprocess
import sys
from datetime import timedelta
from decimal import Decimal

import pytest

from app.composition.cells import RegisteredCells
from app.composition.policies import RegisterRules
from app.composition.uow import reading, unit_of_work
from app.jobs.billing import bill_due_shipments
from app.queries.controls import compare_controls
from erpcore.fulfilment.services import PickOrder, confirm_shipments, pick_orders
from erpcore.inventory.stock import ChangeStock, receive_stock
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import SetClock
from erpcore.orders.allocation import allocate_orders
from erpcore.orders.releasing import release_orders
from erpcore.orders.services import CaptureOrder, NewLine, capture_orders
from tests.support.demo import UNTIL, rows, site

ORDERS, AT = 6, UNTIL + timedelta(minutes=5)
#: A worker whose power goes after it has written its fourth transaction and before that is committed: it says so, and waits for its end.
WORKER = """
import sys
from datetime import datetime
from app.composition.uow import connect
from app.jobs import billing
from erpcore.kernel.clock import SetClock

posted, post = [], billing.post_invoices

def stops_at_the_fourth(work, ids, *, cells):
    done = post(work, ids, cells=cells)
    posted.append(ids)
    if len(posted) == 4:
        work.session.flush()
        print("in the middle", flush=True)
        sys.stdin.read()
    return done

billing.post_invoices, billing.AT_ONCE = stops_at_the_fourth, 1
billing.bill_due_shipments(connect(sys.argv[1]), clock=SetClock(datetime.fromisoformat(sys.argv[2])))
"""
DUE = "SELECT id FROM shipment WHERE invoice_id IS NULL AND invoice_due_at IS NOT NULL ORDER BY id"


def leave(database, clock):
    """So many orders leave the branch at Cologne, each with a shipment that is due to be billed."""
    here, desk = site(database, "KOL"), Actor.system("test")
    ((entity, channel, customer),) = rows(
        database,
        "SELECT s.entity_id, o.channel_id, o.customer_id FROM sales_order o JOIN site s ON s.id = o.site_id JOIN shipment h "
        "ON h.order_id = o.id AND h.invoice_id IS NOT NULL AND h.bill_with IS NULL WHERE s.id = :site AND o.state = 'closed' ORDER BY o.id DESC LIMIT 1",
        site=here,
    )  # fmt: skip
    ((item,),) = rows(
        database,
        "SELECT l.item_id FROM order_line l JOIN sales_order o ON o.id = l.order_id JOIN item i ON i.id = l.item_id WHERE o.site_id = :site "
        "AND o.customer_id = :customer AND i.entity_id = :entity AND i.kind = 'stock' ORDER BY l.id DESC LIMIT 1",
        site=here, customer=customer, entity=entity,
    )  # fmt: skip
    rules, cells = RegisterRules(), RegisteredCells()
    with unit_of_work(database, actor=desk, clock=clock) as work:
        goods = ChangeStock(site=here, item=item, quantity=Decimal(50), note="for the run")
        receive_stock(work, [goods], rules=rules, cells=cells)
        command = CaptureOrder(
            site=here, channel=channel, customer=customer, lines=[NewLine(item=item, quantity=Decimal(1))]
        )
        keys = [one.id for one in capture_orders(work, [command] * ORDERS, rules=rules, cells=cells)]
        release_orders(work, keys, rules=rules, cells=cells)
        allocate_orders(work, keys, rules=rules, cells=cells)
        shipments = pick_orders(work, [PickOrder(order=key) for key in keys], cells=cells)
        confirm_shipments(work, [one.id for one in shipments], rules=rules, cells=cells)


def billed(database):
    return rows(database, "SELECT COUNT(*) FROM invoice WHERE state = 'posted'")[0][0]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="a system without signals kills in another way")
def test_a_worker_killed_in_the_invoice_run_loses_and_doubles_nothing(copied):
    clock = SetClock(AT)
    leave(copied, clock)
    due = [key for (key,) in rows(copied, DUE)]
    before = billed(copied)
    assert len(due) >= ORDERS
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(copied.url), AT.isoformat()],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert any(line == "in the middle\n" for line in worker.stdout), "it ended before anybody killed it"
        assert billed(copied) == before + 3, "what is not committed is seen by nobody"
    finally:
        worker.kill()
        worker.communicate()
    assert worker.returncode == -signal.SIGKILL
    assert billed(copied) == before + 3
    left = [key for (key,) in rows(copied, DUE)]
    assert set(left) < set(due)
    assert len(left) <= len(due) - 3, "what was committed stays, and what was being billed is due as before"
    assert bill_due_shipments(copied, clock=clock) == len(left)
    assert bill_due_shipments(copied, clock=clock) == 0
    assert rows(copied, DUE) == []
    mine = ", ".join(map(str, due))
    assert rows(copied, f"SELECT COUNT(DISTINCT invoice_id) FROM shipment WHERE id IN ({mine})") == [(len(due),)]
    # Gapless: of each company and year the numbers go on from one to how many there are.
    assert rows(
        copied,
        "SELECT entity_id, SUBSTR(number, 1, 9), COUNT(*), COUNT(DISTINCT number), MIN(CAST(SUBSTR(number, 10) AS INTEGER)), "
        "MAX(CAST(SUBSTR(number, 10) AS INTEGER)) FROM invoice WHERE number LIKE 'INV-2026-%' GROUP BY 1, 2 "
        "HAVING COUNT(*) <> COUNT(DISTINCT number) OR MAX(CAST(SUBSTR(number, 10) AS INTEGER)) <> COUNT(*)",
    ) == []  # fmt: skip
    with reading(copied, snapshot=True) as session:
        assert [row for row in compare_controls(session) if row.difference] == []

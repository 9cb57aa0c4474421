"""An order is refused until the committee has voted, goes through afterwards, and is finished when the wave is taken back."""

from __future__ import annotations

from datetime import date

import pytest

from app.composition import golive
from app.composition.cells import RegisteredCells
from app.composition.due import settle_due
from app.messages import sentence
from erpcore.kernel.errors import RuleBroken
from erpcore.orders.cancelling import CancelLines, cancel_lines
from erpcore.orders.releasing import release_orders
from erpcore.orders.services import capture_orders
from erpcore.ports import Process
from readiness.waves.queries import grants
from tests.support.core import RULES, a_business
from tests.support.rollout import a_rollout, a_spec


@pytest.fixture
def world(database):
    """A business that trades, whose only cell is in a wave that is ready and not voted on."""
    rollout = a_rollout(database, gate=False)
    business = a_business(database)
    business.clock = rollout.clock
    rollout.wave = rollout.plan(
        "W5", ((business.site, business.channel),), date(2026, 3, 24),
        processes=(Process.ORDER_TO_CASH, Process.WAREHOUSE, Process.RECORD_TO_REPORT),
    )  # fmt: skip
    rollout.gate = rollout.freeze(rollout.wave, (a_spec(),))
    rollout.evaluate()
    return rollout, business, RegisteredCells()


def capture(business, cells):
    with business.work() as work:
        (order,) = capture_orders(work, [business.order()], rules=RULES, cells=cells)
        return order


def test_a_live_order_waits_for_the_vote_and_is_finished_after_a_rollback(world):
    rollout, business, cells = world

    with pytest.raises(RuleBroken, match="cell_closed") as refused:
        capture(business, cells)
    assert "wave W5 waits for the go of its committee" in sentence(refused.value)

    decision = rollout.open()
    rollout.all_vote(decision)
    opened = rollout.close(decision).grants
    order = capture(business, cells)

    with rollout.work() as work:
        golive.roll_back(work, rollout.wave, reason="scanners fail")
    with pytest.raises(RuleBroken, match="cell_closed"):
        capture(business, cells)
    with business.work() as work:
        release_orders(work, [order.id], rules=RULES, cells=cells)
    settle_due(rollout.database, clock=rollout.clock)
    assert grant_states(rollout) == {"draining"}

    finish(business, order)
    settle_due(rollout.database, clock=rollout.clock)

    assert grant_states(rollout) == {"closed"}
    assert len(opened) == 3


def grant_states(rollout):
    with rollout.look() as session:
        return {grant.state for grant in grants(session, wave_id=rollout.wave)}


def finish(business, order):
    with business.work() as work:
        cancel_lines(work, [CancelLines(order=order.id, reason="taken back", by_customer=True)])

"""Builders: variants in force with what they cost, orders under them, and the figures that follow from their events."""

from __future__ import annotations

from datetime import timedelta

from app.composition.policies import RegisterRules
from app.composition.subscriptions import CONSUMERS
from app.jobs.consumers import ConsumerRunner
from erpcore.orders.services import capture_orders
from governance.variants.kinds import Kind
from governance.variants.register import Scope
from governance.variants.writing import DraftVariant, request_variant
from tests.support.core import OPEN
from tests.support.policies import ASKS, decide, said


def in_force(business, values=None, *, deviations=(), days=365, kind=Kind.CONTROLLED_VARIATION, scope=None, **content):
    """The id of a variant that holds from now on; at the business's site unless a scope is named."""
    with business.work(ASKS) as work:
        asked = request_variant(
            work,
            DraftVariant(
                kind=kind, values=values or {}, deviations=tuple(deviations), scope=scope or Scope(site=business.site),
                valid_until=None if days is None else work.now + timedelta(days=days), content=said(**content),
            ),
        ).id  # fmt: skip
    decide(business, asked)
    return asked


def ordered(business, many=1, lines=((0, 10),), source="system", **changes):
    """So many orders under the rules of now."""
    with business.work(source=source) as work:
        commands = [business.order(lines, **changes) for _ in range(many)]
        return capture_orders(work, commands, rules=RegisterRules(), cells=OPEN)


def figured(business):
    """Journeys and conformance know every event so far."""
    for consumer in CONSUMERS[:2]:
        ConsumerRunner(business.database, consumer, clock=business.clock).run_to_head()

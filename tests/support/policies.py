"""Builders: a policy point that has another value than the standard, asked for by one person and approved by another."""

from __future__ import annotations

from datetime import timedelta

from erpcore.kernel.actor import Actor
from governance.policies.permissions import PolicyPermission
from governance.policies.register import Scope
from governance.policies.services import DecideValue, RequestValue, decide_value, request_value

ASKS = Actor(id=71, role="process_owner", permissions=frozenset({PolicyPermission.VIEW, PolicyPermission.REQUEST}))
DECIDES = Actor(id=72, role="design_authority", permissions=frozenset({PolicyPermission.VIEW, PolicyPermission.DECIDE}))


def ask_for(business, point, value, *, by=ASKS, days=90, starts=None, **scope):
    """The id of a value that is asked for, from now on unless ``starts`` says otherwise; ``scope`` by dimension."""
    with business.work(by) as work:
        command = RequestValue(
            point=point, value=value, scope=Scope(**(scope or {"site": business.site})), valid_from=starts,
            valid_until=(starts or work.now) + timedelta(days=days), reason="the site ships its own way",
        )  # fmt: skip
        return request_value(work, command).id


def decide(business, value, move="approve", *, by=DECIDES, reason="agreed in the design authority"):
    """The state of the value after somebody else's decision."""
    with business.work(by) as work:
        return decide_value(work, DecideValue(value=value, move=move, reason=reason)).state


def approve(business, point, value, **more):
    """The id of a value that holds from now on: at the business's site unless a scope is named."""
    asked = ask_for(business, point, value, **more)
    decide(business, asked)
    return asked

"""Builders: a policy point that has another value than the standard, asked for by one person and approved by another."""

from __future__ import annotations

from datetime import timedelta

from erpcore.kernel.actor import Actor
from governance.variants.kinds import Rationale
from governance.variants.permissions import VariantPermission
from governance.variants.register import Scope
from governance.variants.services import MoveVariant, SettleVariant, move_variant, settle_variant
from governance.variants.writing import Content, DraftVariant, request_variant

ASKS = Actor(
    id=71,
    role="process_owner",
    permissions=frozenset({VariantPermission.VIEW, VariantPermission.REQUEST, VariantPermission.CONSENT}),
)
DECIDES = Actor(
    id=72, role="design_authority", permissions=frozenset({VariantPermission.VIEW, VariantPermission.DECIDE})
)


def said(**changes):
    """What is said about a variant that can be decided on."""
    return Content(
        **{"reason": "the site ships its own way", "rationale": Rationale.SITE_LIMIT, "support_who": "the branch itself",
           "exit_condition": "the new hall stands", **changes}
    )  # fmt: skip


def ask_for(business, point, value, *, by=ASKS, days=90, starts=None, **scope):
    """The id of a value that is asked for, from now on unless ``starts`` says otherwise; ``scope`` by dimension."""
    with business.work(by) as work:
        command = DraftVariant(
            values={point: value}, scope=Scope(**(scope or {"site": business.site})), valid_from=starts,
            valid_until=(starts or work.now) + timedelta(days=days), content=said(),
        )  # fmt: skip
        return request_variant(work, command).id


def decide(business, value, move="approve", *, by=DECIDES, reason="agreed in the design authority"):
    """The state of the variant after somebody else's decision, or after a move of their own. Who may decide is the business of
    approvals; here it is taken for granted.
    """
    with business.work(by) as work:
        if move in ("approve", "reject"):
            return settle_variant(work, SettleVariant(variant=value, is_agreed=move == "approve", reason=reason)).state
        return move_variant(work, MoveVariant(variant=value, move=move, reason=reason)).state


def approve(business, point, value, **more):
    """The id of a value that holds from now on: at the business's site unless a scope is named."""
    asked = ask_for(business, point, value, **more)
    decide(business, asked)
    return asked

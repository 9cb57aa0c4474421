"""Builders: a policy point that has another value than the standard, asked for by one person and approved by another."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import insert, update

from erpcore.kernel.actor import Actor
from governance.variants.kinds import Rationale
from governance.variants.models import Variant, VariantRegister, VariantValue
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


#: What each of many sites departs in: point, channel and customer group.
_MANY = (
    ("partial_shipment", None, None), ("partial_shipment", 1, None), ("partial_shipment", 2, None),
    ("partial_shipment", None, 1), ("partial_shipment", None, 2), ("partial_shipment", 1, 1),
    ("count_tolerance_permille", None, None), ("price_tolerance_permille", None, None),
    ("price_tolerance_permille", 1, None), ("price_tolerance_permille", None, 1),
)  # fmt: skip


def many_variants(business, sites=500):
    """Ten variants in force at each of so many sites, whose ids count from 0; written as they stand. How many there are."""
    start = business.clock.now()
    with business.work() as work:
        variants, values = [], []
        for number, (site, (point, channel, group)) in enumerate((s, one) for s in range(sites) for one in _MANY):
            key = work.ids.one()
            variants.append({
                "id": key, "code": f"M-{number}", "title": point, "kind": "controlled_variation", "site_id": site,
                "channel_id": channel, "customer_group_id": group, "zone": "UTC", "valid_from": start,
                "valid_until": start + timedelta(days=30), "state": "approved", "version": 3, "owner_id": 1, "reason": "x",
                "requested_by": 1, "requested_at": start, "needs_consent": False, "decided_by": 2, "decided_at": start,
            })  # fmt: skip
            values.append({"variant_id": key, "point": point, "value": "7" if "permille" in point else "false"})
        work.session.execute(insert(Variant), variants)
        work.session.execute(insert(VariantValue), values)
        work.session.execute(update(VariantRegister).values(revision="many"))
    return len(variants)

"""What may be changed of a customer afterwards, by whom: the credit limit, the tier, and whether they may order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from erpcore.kernel.errors import Conflict, NotFound, RuleBroken
from erpcore.kernel.quantity import MOST_WORTH
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.models import TIERS, Customer

CHANGE = "masterdata:record:change"
SET_LIMIT = "credit:limit:set"


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How a customer stands: what is asked for, or what the person saw. ``limit_minor`` ``None``: no limit is checked."""

    limit_minor: int | None
    tier: int
    is_blocked: bool


@dataclass(frozen=True, kw_only=True)
class ChangeStanding:
    """Another standing of a customer, with the reason. ``seen`` is what the person saw when they decided."""

    customer: int
    standing: Standing
    reason: str
    seen: Standing | None = None


def check_tier(tier: int) -> None:
    """Raise ``RuleBroken`` for a tier that nobody knows."""
    if tier not in TIERS:
        raise RuleBroken("tier_unknown", field="tier", tier=tier, may=list(TIERS))


def change_standings(work: UnitOfWork, commands: Sequence[ChangeStanding]) -> list[Customer]:
    """Change how customers stand; each change is an act of power and goes to the audit trail with its reason.

    The limit takes one permission, tier and blocking another. A raised limit frees orders by the job that cures holds, and
    a lowered one stops the next release; orders that are released stay so. Raises ``Conflict`` when somebody changed the
    customer since it was seen, ``RuleBroken`` when nothing would change or the reason is missing.
    """
    keys = sorted({command.customer for command in commands})
    query = select(Customer).where(Customer.id.in_(keys)).order_by(Customer.id).with_for_update(key_share=True)
    rows = {row.id: row for row in work.session.execute(query.execution_options(populate_existing=True)).scalars()}
    for command in commands:
        row = rows.get(command.customer)
        if row is None:
            raise NotFound("customer_unknown", id=command.customer)
        _change(work, row, command)
    work.session.flush()
    work.memo.pop("customers", None)
    return [rows[command.customer] for command in commands]


def _change(work: UnitOfWork, row: Customer, command: ChangeStanding) -> None:
    before, after = standing_of(row), command.standing
    if command.seen is not None and command.seen != before:
        raise Conflict("changed_meanwhile", document=row.code)
    if after == before:
        raise RuleBroken("customer_same", customer=row.code)
    if after.limit_minor != before.limit_minor:
        work.actor.require(SET_LIMIT)
        if after.limit_minor is not None and not 0 <= after.limit_minor < MOST_WORTH * 100:
            raise RuleBroken("credit_limit_absurd", field="limit")
    if (after.tier, after.is_blocked) != (before.tier, before.is_blocked):
        work.actor.require(CHANGE)
        check_tier(after.tier)
    reason = command.reason.strip()
    if not reason:
        raise RuleBroken("reason_required", field="reason", document="customer", move="change")
    row.credit_limit_minor, row.tier, row.is_blocked = after.limit_minor, after.tier, after.is_blocked
    changed = {
        name: [getattr(before, name), getattr(after, name)]
        for name in ("limit_minor", "tier", "is_blocked")
        if getattr(before, name) != getattr(after, name)
    }
    work.audit("customer.changed", "customer", row.id, **changed, reason=reason)


def standing_of(row: Customer) -> Standing:
    """How the customer stands now."""
    return Standing(limit_minor=row.credit_limit_minor, tier=row.tier, is_blocked=row.is_blocked)

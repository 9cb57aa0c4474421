"""What becomes of a variant: agreed by somebody else, looked at again, kept or extended, retired, or ended at once.

What is decided is effective in the next unit of work of every process; documents under way keep the rules they are stamped with.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import NotAllowed, RuleBroken
from erpcore.kernel.history import record_move
from erpcore.kernel.work import UnitOfWork
from governance.variants.checks import check_owner, check_replaces, check_time, check_values, refuse_overlap, values_of
from governance.variants.flow import AGREED, VARIANT_FLOW, VariantState, permission_for
from governance.variants.models import Variant
from governance.variants.permissions import VariantPermission
from governance.variants.records import deviations_of, facts_of_record, lock_variant, tell
from governance.variants.register import lock_register, scope_of, touch
from governance.variants.rules import next_review


@dataclass(frozen=True, kw_only=True)
class MoveVariant:
    """What somebody makes of a variant: take it back, have it looked at again, retire or revoke it. ``until`` is the later end
    that a review is asked for.
    """

    variant: int
    move: str
    reason: str
    until: datetime | None = None
    seen_version: int | None = None


@dataclass(frozen=True, kw_only=True)
class SettleVariant:
    """What those who decide made of it; ``consented_by`` is the process owner who agreed before."""

    variant: int
    is_agreed: bool
    reason: str
    consented_by: int | None = None
    seen_version: int | None = None


#: Moves that a person makes; the others follow from an approval.
FREE_MOVES = ("withdraw", "review", "retire", "revoke")


def move_variant(work: UnitOfWork, command: MoveVariant) -> Variant:
    """Make the move. Raises ``NotAllowed`` for whom it is not, ``RuleBroken`` for a later end that cannot be asked for,
    ``Conflict`` when it changed since it was seen.
    """
    if command.move not in FREE_MOVES:
        raise RuleBroken("choice_unknown", field="move", value=command.move)
    lock_register(work)
    row = lock_variant(work, command.variant)
    work.actor.require(permission_for(command.move, row.kind))
    row = lock_variant(work, command.variant, command.seen_version)
    target = VARIANT_FLOW.target(command.move, row.state, reason=command.reason)
    if command.move == "withdraw" and work.actor.id != row.requested_by:
        raise NotAllowed("variant_of_another", variant=row.code)
    if command.move == "review":
        _review(work, row, command.until)
    elif command.move != "withdraw":
        row.ended_by, row.ended_at, row.end_reason = work.actor.id, work.now, command.reason.strip()
    return _moved(work, row, command.move, target, command.reason)


def settle_variant(work: UnitOfWork, command: SettleVariant) -> Variant:
    """Carry out what was decided: whether the actor may decide was looked at by whoever counts the answers.

    Raises ``NotAllowed`` when who asked decides all the same, ``RuleBroken`` naming the variant of equal rank that an approval
    would stand beside, or what became impossible since it was asked for.
    """
    lock_register(work)
    row = lock_variant(work, command.variant, command.seen_version)
    asked = row.review_by if row.state == VariantState.UNDER_REVIEW else row.requested_by
    if work.actor.id in (asked, row.requested_by):
        raise NotAllowed("own_request", document=f"variant {row.code}")
    verdict = "approve" if command.is_agreed else "reject"
    move = "keep" if row.state == VariantState.UNDER_REVIEW else verdict
    target = VARIANT_FLOW.target(move, row.state, reason=command.reason)
    if move == "keep":
        _keep(work, row, command.is_agreed)
    else:
        row.consented_by, row.consented_at = command.consented_by, work.now if command.consented_by else None
        row.decided_by, row.decided_at, row.decision_reason = work.actor.id, work.now, command.reason.strip()
    if move == "approve":
        _approve(work, row)
    return _moved(work, row, move, target, command.reason)


def _moved(work: UnitOfWork, row: Variant, move: str, target: str, reason: str) -> Variant:
    was, row.state, row.version = row.state, target, row.version + 1
    if was in AGREED or row.state in AGREED:
        touch(work, row.id, *(() if row.supersedes_id is None else (row.supersedes_id,)))
    work.session.flush()
    record_move(work, "variant", row.id, move, was, row.state, reason=reason.strip())
    facts = facts_of_record(row, values_of(work, row.id), deviations_of(work, row.id))
    work.audit(f"variant.{_SAID[move]}", "variant", row.id, **facts, reason=reason.strip())
    tell(work, row, move)
    return row


_SAID = {
    "approve": "approved", "reject": "rejected", "withdraw": "withdrawn", "review": "under_review", "keep": "kept",
    "retire": "retired", "revoke": "revoked",
}  # fmt: skip


def _approve(work: UnitOfWork, row: Variant) -> None:
    """What was asked for may have become impossible since: the point gone or narrower, the time over, the owner gone."""
    if row.needs_consent and row.consented_by is None:
        raise RuleBroken("variant_consent_missing", variant=row.code)
    values = values_of(work, row.id)
    # Decided later than it was to begin, it begins with the decision: documents under way keep their rules.
    starts = max(row.valid_from, work.now)
    check_time(work, row.kind, row.valid_from, row.valid_until)
    check_values(work, row.kind, scope_of(row), values, starts, anew=False)
    check_owner(work, row)
    refuse_overlap(work, row, values, starts=starts, until=row.valid_until)
    row.valid_from = starts
    if row.supersedes_id is not None:
        _supersede(work, row, starts)
    row.next_review_on = next_review(local_day(starts, row.zone), row.review_months)


def _supersede(work: UnitOfWork, row: Variant, starts: datetime) -> None:
    """The one before ends where this one begins."""
    other = lock_variant(work, row.supersedes_id or 0)
    check_replaces(row.kind, other)
    if other.state not in AGREED or (other.valid_until is not None and other.valid_until <= starts):
        return
    was, other.version = other.state, other.version + 1
    if other.valid_from >= starts:
        other.state = VARIANT_FLOW.target("retire", other.state, reason=row.code)
        other.ended_by, other.ended_at, other.end_reason = work.actor.id, work.now, f"superseded by {row.code}"
    else:
        other.valid_until = starts
    record_move(work, "variant", other.id, "supersede", was, other.state, reason=f"superseded by {row.code}")
    work.audit("variant.superseded", "variant", other.id, code=other.code, by=row.id, valid_until=starts)
    tell(work, other, "supersede")


def _review(work: UnitOfWork, row: Variant, until: datetime | None) -> None:
    """It stays in force until its end while it is looked at; a later end waits for the decision."""
    if until is not None:
        if row.valid_until is None or until <= row.valid_until:
            raise RuleBroken("variant_not_later", field="until", until=row.valid_until)
        check_owner(work, row)
        _check_extension(work, row, until)
    row.review_by, row.extend_until = work.actor.id, until


def _check_extension(work: UnitOfWork, row: Variant, until: datetime) -> None:
    ends = row.valid_until or until
    if ends <= work.now:
        raise RuleBroken("variant_expired", field="until", variant=row.code, until=ends)
    check_time(work, row.kind, max(row.valid_from, work.now), until)
    refuse_overlap(work, row, values_of(work, row.id), starts=ends, until=until)


def _keep(work: UnitOfWork, row: Variant, is_agreed: bool) -> None:
    """Agreed: it goes on, until the later end where one was asked for. Not agreed: it ends when it was to end."""
    if is_agreed:
        if row.extend_until is not None:
            check_owner(work, row)
            _check_extension(work, row, row.extend_until)
            row.valid_until = row.extend_until
        row.next_review_on = next_review(local_day(work.now, row.zone), row.review_months)
    row.extend_until = row.review_by = None


def hand_over(
    work: UnitOfWork, variant_id: int, owner: int, *, deputy: int | None, reason: str, seen_version: int | None = None
) -> Variant:
    """Somebody else answers for it from now on; one whose owner left is valid again within its time."""
    work.actor.require(VariantPermission.REQUEST)
    lock_register(work)
    row = lock_variant(work, variant_id, seen_version)
    if not reason.strip():
        raise RuleBroken("reason_required", field="reason", document="variant", move="hand_over")
    if VARIANT_FLOW.finals() & {row.state}:
        raise RuleBroken("variant_over", variant=row.code, state=row.state)
    if deputy is not None and deputy == owner:
        raise RuleBroken("variant_deputy_is_owner", field="deputy")
    before = row.owner_id
    row.owner_id, row.deputy_id, row.owner_left_at, row.version = owner, deputy, None, row.version + 1
    if row.state in AGREED:
        touch(work, row.id)
    work.session.flush()
    record_move(work, "variant", row.id, "hand_over", row.state, row.state, reason=reason.strip())
    work.audit(
        "variant.handed_over", "variant", row.id, before=before, after=owner, deputy=deputy, reason=reason.strip()
    )
    return row


def owner_leaves(work: UnitOfWork, person: int) -> int:
    """Flag every variant that this person answers for, in the unit of work that ends their account; how many there are."""
    lock_register(work)
    rows = work.session.scalars(
        select(Variant)
        .where(Variant.owner_id == person, Variant.owner_left_at.is_(None), Variant.state.not_in(VARIANT_FLOW.finals()))
        .order_by(Variant.id)
        .with_for_update(key_share=True)
    ).all()
    for row in rows:
        row.owner_left_at, row.version = work.now, row.version + 1
        work.audit("variant.owner_left", "variant", row.id, code=row.code, owner=person)
    agreed = [row.id for row in rows if row.state in AGREED]
    if agreed:
        touch(work, *agreed)
    return len(rows)

"""Who answers requests for somebody who is away, from which day until before which?

A delegate may decide what the giver may, and never what either of them asked for. A delegation is not passed on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select

from erpcore.kernel.errors import NotAllowed, NotFound, RuleBroken
from erpcore.kernel.events import Place
from erpcore.kernel.work import UnitOfWork
from governance.approvals.models import ApprovalDelegation
from governance.approvals.permissions import ApprovalPermission
from governance.approvals.ports import Surroundings
from governance.programme.permissions import ProgrammePermission
from governance.published import ApprovalDelegated

#: Who is away for longer gives up the role.
LONGEST = timedelta(days=183)


@dataclass(frozen=True, kw_only=True)
class Delegate:
    """Let ``delegate`` answer for ``giver`` (``None``: for oneself)."""

    delegate: int
    valid_from: datetime
    valid_until: datetime
    reason: str
    giver: int | None = None


def delegate(work: UnitOfWork, command: Delegate, around: Surroundings) -> ApprovalDelegation:
    """Record it. Everybody for oneself; for others, who may assign seats, and never with themselves as delegate.

    Raises ``RuleBroken`` for oneself as delegate, somebody without an open account, a time that is over or too long, or a
    second delegate at the same time.
    """
    work.actor.require(ApprovalPermission.DELEGATE)
    giver = command.giver or work.actor.id
    if giver != work.actor.id and not work.actor.may(ProgrammePermission.SEATS):
        raise NotAllowed("approval_delegation_of_another")
    if giver != work.actor.id and command.delegate == work.actor.id:
        raise NotAllowed("approval_delegate_of_own_making", field="delegate")
    around.lock_person(work.session, giver)
    _check(work, command, giver, around)
    row = ApprovalDelegation(
        id=work.ids.one(), giver_id=giver, delegate_id=command.delegate, valid_from=max(command.valid_from, work.now),
        valid_until=command.valid_until, reason=command.reason.strip(), recorded_by=work.actor.id, recorded_at=work.now,
    )  # fmt: skip
    work.session.add(row)
    work.session.flush()
    work.audit(
        "approval.delegated", "account", giver, delegate=row.delegate_id, valid_from=row.valid_from,
        valid_until=row.valid_until, reason=row.reason,
    )  # fmt: skip
    work.publish(
        ApprovalDelegated(
            giver=giver, delegate=row.delegate_id, valid_from=row.valid_from, valid_until=row.valid_until
        ),
        Place("live", 0), step="governance.delegation", subject=("approval_delegation", row.id, 1), journey=row.id,
    )  # fmt: skip
    return row


def _check(work: UnitOfWork, command: Delegate, giver: int, around: Surroundings) -> None:
    if command.delegate == giver:
        raise RuleBroken("approval_delegate_oneself", field="delegate")
    for person in (giver, command.delegate):
        if not around.is_somebody(work.session, person):
            raise RuleBroken("person_unknown", field="delegate", person=person)
    if command.valid_until <= max(command.valid_from, work.now):
        raise RuleBroken("validity_empty", field="valid_until", since=command.valid_from, until=command.valid_until)
    if command.valid_until - command.valid_from > LONGEST:
        raise RuleBroken("approval_delegation_too_long", field="valid_until", days=LONGEST.days)
    if not command.reason.strip():
        raise RuleBroken("reason_required", field="reason", document="delegation", move="delegate")
    other = work.session.scalar(
        select(ApprovalDelegation.valid_until)
        .where(
            ApprovalDelegation.giver_id == giver, ApprovalDelegation.valid_from < command.valid_until,
            ApprovalDelegation.valid_until > max(command.valid_from, work.now),
        )
        .limit(1)
    )  # fmt: skip
    if other is not None:
        raise RuleBroken("approval_delegated_already", field="valid_from", until=other)


def end_delegation(work: UnitOfWork, delegation_id: int, *, reason: str) -> ApprovalDelegation:
    """End it at once; one that has not begun never does. Who gave it, or who may assign seats."""
    row = work.session.get(
        ApprovalDelegation, delegation_id, with_for_update={"key_share": True}, populate_existing=True
    )  # fmt: skip
    if row is None or row.valid_until <= work.now:
        raise NotFound("delegation_not_found", delegation=delegation_id)
    if row.giver_id != work.actor.id and not work.actor.may(ProgrammePermission.SEATS):
        raise NotAllowed("approval_delegation_of_another")
    if not reason.strip():
        raise RuleBroken("reason_required", field="reason", document="delegation", move="end")
    _end(work, row, reason)
    return row


def end_delegations_of(work: UnitOfWork, person: int, *, reason: str) -> None:
    """Somebody leaves: nobody answers for them any more, and they for nobody."""
    rows = work.session.scalars(
        select(ApprovalDelegation)
        .where(
            or_(ApprovalDelegation.giver_id == person, ApprovalDelegation.delegate_id == person),
            ApprovalDelegation.valid_until > work.now,
        )
        .order_by(ApprovalDelegation.id)
        .with_for_update(key_share=True)
    ).all()  # fmt: skip
    for row in rows:
        _end(work, row, reason)


def _end(work: UnitOfWork, row: ApprovalDelegation, reason: str) -> None:
    if row.valid_from >= work.now:
        work.session.delete(row)
    else:
        row.valid_until = work.now
    work.audit("approval.delegation_ended", "account", row.giver_id, delegate=row.delegate_id, reason=reason.strip())

"""How is a duty given, and how does it end?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from erpcore.kernel.errors import Conflict, NotFound, RuleBroken
from erpcore.kernel.first import add_first
from erpcore.kernel.work import UnitOfWork
from governance.raci.models import RaciDuty
from governance.raci.permissions import RaciPermission
from governance.raci.rules import Duty, HolderKind, SubjectKind

LONGEST_REASON = 1000


@dataclass(frozen=True, kw_only=True)
class GiveDuty:
    """A duty for a subject to a person or a seat; that both are there the caller has looked up."""

    kind: SubjectKind
    subject: str
    duty: Duty
    holder_kind: HolderKind
    holder: int
    reason: str = ""


def give_duties(work: UnitOfWork, commands: Sequence[GiveDuty]) -> list[RaciDuty]:
    """New duties. Raises ``RuleBroken`` for a second who would be accountable, and ``Conflict`` where somebody was quicker."""
    work.actor.require(RaciPermission.ASSIGN)
    out = []
    for command in commands:
        if len(command.reason) > LONGEST_REASON:
            raise RuleBroken("text_too_long", field="reason", longest=LONGEST_REASON)
        for other in _standing(work, command):
            if other.duty == command.duty and (other.holder_kind, other.holder_id) == (
                command.holder_kind, command.holder,
            ):  # fmt: skip
                raise RuleBroken("raci_held", field="holder", duty=command.duty)
            if command.duty is Duty.ACCOUNTABLE and other.duty == Duty.ACCOUNTABLE:
                raise RuleBroken("raci_one_accountable", field="duty")
        row = RaciDuty(
            id=work.ids.one(), subject_kind=command.kind, subject=command.subject, duty=command.duty,
            holder_kind=command.holder_kind, holder_id=command.holder, given_by=work.actor.id, given_at=work.now,
            reason=command.reason.strip(),
        )  # fmt: skip
        add_first(work, row, "raci_just_given")
        _tell(work, "given", row, command.reason)
        out.append(row)
    return out


def _standing(work: UnitOfWork, command: GiveDuty) -> Sequence[RaciDuty]:
    query = select(RaciDuty).where(
        RaciDuty.subject_kind == command.kind, RaciDuty.subject == command.subject, RaciDuty.ended_at.is_(None)
    )
    return work.session.scalars(query).all()


def end_duty(work: UnitOfWork, duty_id: int, *, reason: str) -> RaciDuty:
    """End a duty, with a reason; it stays as history. Raises ``Conflict`` for one that ended already."""
    work.actor.require(RaciPermission.ASSIGN)
    if not reason.strip():
        raise RuleBroken("reason_required", field="reason", document="duty", move="end")
    if len(reason) > LONGEST_REASON:
        raise RuleBroken("text_too_long", field="reason", longest=LONGEST_REASON)
    row = work.session.get(RaciDuty, duty_id, with_for_update={"key_share": True}, populate_existing=True)
    if row is None:
        raise NotFound("raci_not_found", duty=duty_id)
    if row.ended_at is not None:
        raise Conflict("raci_ended")
    row.ended_by, row.ended_at, row.end_reason = work.actor.id, work.now, reason.strip()
    work.session.flush()  # its place is free for another
    _tell(work, "ended", row, reason)
    return row


def _tell(work: UnitOfWork, what: str, row: RaciDuty, reason: str) -> None:
    work.audit(
        f"raci.{what}", "raci_duty", row.id, of=f"{row.subject_kind} {row.subject}", duty=row.duty,
        holder=f"{row.holder_kind} {row.holder_id}", reason=reason.strip() or None,
    )  # fmt: skip

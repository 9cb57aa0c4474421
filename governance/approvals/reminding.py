"""Of which requests are people told again that they wait, before others are asked too? Once for every need, in working hours.

A need that has a time is told of again when a quarter of it is left, at the least one working hour. It changes nothing about who
may decide, so an answer that is being written is none the worse for it.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from erpcore.kernel.history import record_move
from erpcore.kernel.work import UnitOfWork
from governance.approvals.flow import RequestState
from governance.approvals.models import ApprovalNeed, ApprovalRequest
from governance.approvals.records import Case, case_of, lock_request


def due_for_reminding(session: Session, now: datetime) -> list[int]:
    """Requests with a need that nobody was reminded of yet, and whose time for that has come."""
    return list(
        session.scalars(
            select(ApprovalRequest.id)
            .join(ApprovalNeed, ApprovalNeed.request_id == ApprovalRequest.id)
            .where(
                ApprovalRequest.state == RequestState.WAITING, ApprovalNeed.remind_at <= now,
                ApprovalNeed.reminded_at.is_(None), ApprovalNeed.escalated_at.is_(None),
                or_(ApprovalNeed.due_at > now, ApprovalNeed.escalate_to.is_(None)),
            )
            .distinct()
            .order_by(ApprovalRequest.id)
        )
    )  # fmt: skip


def hold_for_reminding(work: UnitOfWork, request_id: int) -> tuple[Case, frozenset[int]]:
    """The request, locked, and the needs to remind people of now: of two that ask at once one finds any.

    A need that is past its time is not among them where it goes on to others, since that is said instead.
    """
    case = case_of(work.session, lock_request(work, request_id))
    lacking = {position for position, _ in case.standing.lacks}
    if case.request.state != RequestState.WAITING:
        return case, frozenset()
    return case, frozenset(
        need.position for need in case.needs if need.position in lacking and _is_due(need, work.now)
    )  # fmt: skip


def _is_due(need: ApprovalNeed, now: datetime) -> bool:
    if need.remind_at is None or need.remind_at > now or need.reminded_at is not None or need.escalated_at is not None:
        return False
    return need.escalate_to is None or (need.due_at is not None and need.due_at > now)


def keep_reminder(work: UnitOfWork, case: Case, needs: Collection[int], *, said: str) -> None:
    """Keep in the request's history that people were reminded, and ``said``: how. Once for each of these needs."""
    for need in case.needs:
        if need.position in needs:
            need.reminded_at = work.now
    state = case.request.state
    record_move(
        work, "approval_request", case.request.id, "remind", state, state, reason=said, facts={"needs": sorted(needs)}
    )

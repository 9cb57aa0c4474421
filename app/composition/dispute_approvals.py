"""Who agrees that a deduction or a disputed amount is given up? The rules of approval, by its amount; never who asked."""

from __future__ import annotations

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from app.composition.approving import settles
from app.composition.cells import RegisteredCells
from app.composition.core_approvals import BY_RULES
from erpcore.billing.dispute_settling import lock_whole, settle_write_off
from erpcore.billing.disputes.models import Dispute, DisputeState
from erpcore.kernel.work import UnitOfWork
from governance.approvals.flow import RequestState
from governance.approvals.models import ApprovalRequest

__all__ = ["BY_RULES", "WRITE_OFF", "overtaken", "write_off_settled"]

WRITE_OFF = "write_off"


def _waits(session: Session, dispute: int) -> int | None:
    """One while it waits: what is asked does not change meanwhile, and who looks after it has nothing to do with that."""
    waits = (Dispute.id == dispute, Dispute.state == DisputeState.WAITING)
    return None if session.scalar(select(Dispute.id).where(*waits)) is None else 1


@settles(
    WRITE_OFF, title="Write-off of a difference", version_of=_waits, page=("disputes.show", "dispute_id"), may_withdraw=False,
    lock=lock_whole, may_be_automatic=False,
)  # fmt: skip
def write_off_settled(work: UnitOfWork, request: ApprovalRequest) -> None:
    """The debt is given up, or the dispute goes on."""
    settle_write_off(
        work, request.subject_id, approved=request.state == RequestState.APPROVED,
        note=request.settle_reason or request.rule_text, cells=RegisteredCells(),
    )  # fmt: skip


def overtaken(session: Session) -> list[int]:
    """Requests about differences that wait for nobody any more, since money or a credit came first. One query."""
    waits = exists().where(Dispute.id == ApprovalRequest.subject_id, Dispute.state == DisputeState.WAITING)
    query = select(ApprovalRequest.id).where(
        ApprovalRequest.kind == WRITE_OFF, ApprovalRequest.state == RequestState.WAITING, ~waits
    )
    return list(session.scalars(query.order_by(ApprovalRequest.id)))

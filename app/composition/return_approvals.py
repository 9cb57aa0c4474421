"""Who agrees that goods come back outside of the policy? The rules of approval, by what they are worth; never who asked."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.composition.approving import settles
from app.composition.core_approvals import BY_RULES
from erpcore.fulfilment.models import ReturnOrder, ReturnState
from erpcore.fulfilment.return_deciding import settle_return
from erpcore.fulfilment.return_records import lock_returns
from erpcore.kernel.work import UnitOfWork
from governance.approvals.flow import RequestState
from governance.approvals.models import ApprovalRequest

__all__ = ["BY_RULES", "RETURN_OUTSIDE", "return_outside_settled"]

RETURN_OUTSIDE = "return_outside"


def _waits(session: Session, key: int) -> int | None:
    query = select(ReturnOrder.version).where(ReturnOrder.id == key, ReturnOrder.state == ReturnState.WAITING)
    found: int | None = session.scalar(query)
    return found


def _lock(work: UnitOfWork, key: int) -> None:
    lock_returns(work, [key])


@settles(
    RETURN_OUTSIDE, title="Return outside of the policy", version_of=_waits, page=("returns.show", "return_id"),
    may_withdraw=False, lock=_lock,
)  # fmt: skip
def return_outside_settled(work: UnitOfWork, request: ApprovalRequest) -> None:
    """The goods may come back, or are declined."""
    settle_return(
        work, request.subject_id, agreed=request.state == RequestState.APPROVED,
        note=request.settle_reason or request.rule_text,
    )  # fmt: skip

"""What of the core do the rules of approval decide? Its ``Authority`` port, answered by requests, and what their outcome does.

Differences in stock above the site's limit: the site's policy says what is proposed, the rules of approval say who agrees.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.composition.approving import Answer, Ask, Facts, answer, ask, settles
from app.composition.cells import RegisteredCells
from app.composition.policies import RegisterRules
from erpcore.inventory.adjusting import decide_adjustment, settle_adjustment
from erpcore.inventory.documents import StockAdjustment
from erpcore.kernel.errors import Conflict, NotAllowed
from erpcore.kernel.work import UnitOfWork
from erpcore.ports import Asked, Authority, CellStates, Matter, ProcessRules
from governance.approvals.flow import RequestState
from governance.approvals.models import ApprovalRequest
from governance.approvals.rules import Materiality

ADJUSTMENT = "stock_adjustment"
_RULES = RegisterRules()


class ByRules(Authority):
    """Asks those whom the rules of approval name; what they approve automatically is settled before this returns."""

    def ask(self, work: UnitOfWork, matter: Matter) -> Asked:
        request = ask(
            work,
            Ask(
                kind=matter.kind, subject_type=matter.document_type, subject_id=matter.document,
                subject_version=matter.version, summary=matter.summary, site=matter.site, entity=matter.entity,
                facts=Facts(
                    amount_minor=matter.amount_minor, currency=matter.currency, margin_permille=matter.margin_permille,
                    tier=matter.tier, materiality=None if matter.materiality is None else Materiality(matter.materiality),
                ),
                excluded=matter.excluded,
            ),
        )  # fmt: skip
        return Asked(request.id, request.state == RequestState.WAITING)


BY_RULES = ByRules()


def _adjustment_version(session: Session, adjustment: int) -> int | None:
    found: int | None = session.scalar(select(StockAdjustment.version).where(StockAdjustment.id == adjustment))
    return found


@settles(
    ADJUSTMENT, title="Difference in stock", version_of=_adjustment_version, page=("inbound.adjustment", "adjustment_id"),
    may_withdraw=False,
)  # fmt: skip
def adjustment_settled(work: UnitOfWork, request: ApprovalRequest) -> None:
    """The book is corrected, or stays as it is."""
    settle_adjustment(
        work, request.subject_id, approved=request.state == RequestState.APPROVED,
        note=request.settle_reason or request.rule_text, rules=_RULES, cells=RegisteredCells(),
    )  # fmt: skip


def waiting_request(session: Session, kind: str, subject_id: int) -> ApprovalRequest | None:
    """The request of a kind that waits for this subject."""
    found: ApprovalRequest | None = session.scalar(
        select(ApprovalRequest).where(
            ApprovalRequest.kind == kind, ApprovalRequest.subject_id == subject_id,
            ApprovalRequest.state == RequestState.WAITING,
        )
    )  # fmt: skip
    return found


def decide_on_adjustment(
    work: UnitOfWork,
    adjustment: int,
    *,
    approved: bool,
    note: str,
    rules: ProcessRules,
    cells: CellStates,
    seen_version: int | None = None,
) -> bool:
    """Decide by the rules of approval; one that was proposed without a request is decided by permission, as it was asked for.

    Returns whether it is decided: the rules may ask for more people.
    """
    request = waiting_request(work.session, ADJUSTMENT, adjustment)
    if request is None:
        decide_adjustment(
            work, adjustment, approved=approved, note=note, rules=rules, cells=cells, seen_version=seen_version
        )
        return True
    if work.actor.id == request.asked_by:
        raise NotAllowed("own_request", document=request.summary)
    if seen_version not in (None, request.subject_version):
        raise Conflict("changed_meanwhile")
    verdict = "approve" if approved else "reject"
    return answer(work, Answer(request=request.id, verdict=verdict, reason=note)).state != RequestState.WAITING

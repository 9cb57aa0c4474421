"""Who lets a held order go? Entered prices are decided by the rules of approval, all other holds by who has the permission."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.composition.approving import Answer, answer, settles
from app.composition.core_approvals import waiting_request
from erpcore.kernel.errors import NotAllowed, RuleBroken
from erpcore.kernel.work import UnitOfWork
from erpcore.orders.holds import ReleaseHold, release_holds
from erpcore.orders.models import HoldKind, OrderHold, OrderState, SalesOrder
from erpcore.orders.pricing import settle_price
from erpcore.orders.records import lock_orders
from governance.approvals.flow import RequestState
from governance.approvals.models import ApprovalRequest

PRICE = "price_override"
#: What its requests are about.
ORDER = "order"


def _hold_version(session: Session, order: int) -> int | None:
    """Of the hold for the prices of an order that it still holds."""
    found: int | None = session.scalar(
        select(OrderHold.version)
        .join(SalesOrder, SalesOrder.id == OrderHold.order_id)
        .where(
            OrderHold.order_id == order, OrderHold.kind == HoldKind.PRICE, OrderHold.released_at.is_(None),
            SalesOrder.state == OrderState.HELD,
        )
    )  # fmt: skip
    return found


def _lock(work: UnitOfWork, order: int) -> None:
    """The order, then its request, here as where the prices of an order are entered."""
    lock_orders(work, [order])


@settles(
    PRICE, title="Price beyond tolerance", version_of=_hold_version, page=("orders.show", "order_id"), may_withdraw=False,
    lock=_lock, may_be_automatic=False,
)  # fmt: skip
def price_settled(work: UnitOfWork, request: ApprovalRequest) -> None:
    """The order goes on at these prices, or waits for others."""
    settle_price(
        work, request.subject_id, approved=request.state == RequestState.APPROVED,
        note=request.settle_reason or request.rule_text,
    )  # fmt: skip


def request_of_hold(session: Session, order: int, kind: str) -> ApprovalRequest | None:
    """The request that waits for a decision about what a hold of this kind holds; only prices have one."""
    return waiting_request(session, PRICE, order) if kind == HoldKind.PRICE else None


def let_go(work: UnitOfWork, commands: Sequence[ReleaseHold]) -> int:
    """End holds; how many have ended: of a price that more people decide on, this person's agreement is kept.

    Raises as ``release_holds`` does; ``NotAllowed`` for whom the rules of approval do not name, ``RuleBroken`` where those who
    decide have said no already.
    """
    wanted = {command.hold: command for command in commands}
    query = select(OrderHold).where(OrderHold.id.in_(sorted(wanted)), OrderHold.kind == HoldKind.PRICE)
    prices = [hold for hold in work.session.scalars(query.order_by(OrderHold.id)) if hold.released_at is None]
    asked = {hold.id: _asked(work, hold) for hold in prices}
    left = [command for command in commands if asked.get(command.hold) is None]
    if left:
        release_holds(work, left)
    return len(left) + sum(_agree(work, hold, wanted[hold.id].reason, asked[hold.id]) for hold in prices)


def _asked(work: UnitOfWork, hold: OrderHold) -> ApprovalRequest | None:
    """The request about the hold as it is; ``None`` for one of the time before prices were asked about."""
    waits = waiting_request(work.session, PRICE, hold.order_id)
    if waits is not None:
        return waits
    last: ApprovalRequest | None = work.session.scalar(
        select(ApprovalRequest)
        .where(
            ApprovalRequest.kind == PRICE, ApprovalRequest.subject_type == ORDER,
            ApprovalRequest.subject_id == hold.order_id, ApprovalRequest.subject_version == hold.version,
            ApprovalRequest.asked_at >= hold.since,
        )
        .order_by(ApprovalRequest.id.desc())
        .limit(1)
    )  # fmt: skip
    return last


def _agree(work: UnitOfWork, hold: OrderHold, reason: str, request: ApprovalRequest | None) -> bool:
    if request is None:
        return False
    if work.actor.id in {request.asked_by, hold.asked_by}:
        order = work.session.get_one(SalesOrder, hold.order_id)
        raise NotAllowed("hold_own_request", kind=hold.kind, document=order.number)
    if request.state == RequestState.REJECTED:
        raise RuleBroken("price_rejected", what=request.summary, why=request.settle_reason)
    return answer(work, Answer(request=request.id, verdict="approve", reason=reason)).state == RequestState.APPROVED


def asked_for_nothing(session: Session) -> list[int]:
    """Requests about the prices of orders that nothing holds for them any more, such as cancelled ones. One query."""
    holds = (
        select(OrderHold.id)
        .join(SalesOrder, SalesOrder.id == OrderHold.order_id)
        .where(
            OrderHold.order_id == ApprovalRequest.subject_id, OrderHold.kind == HoldKind.PRICE,
            OrderHold.released_at.is_(None), SalesOrder.state == OrderState.HELD,
        )
    )  # fmt: skip
    query = select(ApprovalRequest.id).where(
        ApprovalRequest.kind == PRICE, ApprovalRequest.state == RequestState.WAITING, ~holds.exists()
    )
    return list(session.scalars(query.order_by(ApprovalRequest.id)))

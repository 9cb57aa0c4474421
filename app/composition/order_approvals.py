"""What of an order do the rules of approval decide? Entered prices, other items instead, and stock taken back; other holds are
ended by who has the permission.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from app.composition.approving import Answer, answer, settles
from app.composition.cells import RegisteredCells
from app.composition.core_approvals import BY_RULES, waiting_request
from app.composition.policies import RegisterRules
from erpcore.kernel.errors import NotAllowed, RuleBroken
from erpcore.kernel.work import UnitOfWork
from erpcore.orders.allocation_models import TakeBackState, TakeBackWish
from erpcore.orders.cancelling import CancelLines, cancel_lines
from erpcore.orders.documents import Order
from erpcore.orders.holds import ReleaseHold, release_holds
from erpcore.orders.models import HoldKind, OrderHold, OrderState, SalesOrder
from erpcore.orders.pricing import settle_price
from erpcore.orders.records import lock_orders
from erpcore.orders.substitution import DecideSubstitution, decide_substitution, settle_substitution
from erpcore.orders.takeback import decide_take_back, lock_take_back, settle_take_back
from erpcore.ports import CellStates, ProcessRules
from governance.approvals.flow import RequestState
from governance.approvals.models import ApprovalRequest
from governance.approvals.services import outdate

#: Whoever asks about an order asks from here, where what becomes of the answers is known.
__all__ = [
    "BY_RULES", "OF_HOLDS", "ORDER", "PRICE", "SUBSTITUTION", "TAKE_BACK", "asked_for_nothing", "cancel",
    "decide_on_substitution", "decide_on_take_back", "let_go", "request_of_hold",
]  # fmt: skip

PRICE, SUBSTITUTION, TAKE_BACK = "price_override", "substitution", "take_back"
#: What requests about prices and substitutions are about.
ORDER = "order"
#: Kind of hold → kind of request.
OF_HOLDS = {HoldKind.PRICE: PRICE, HoldKind.SUBSTITUTION: SUBSTITUTION}
_RULES = RegisterRules()


def _holding(kind: HoldKind) -> Any:
    """The hold of a kind that still holds an order."""
    return (
        select(OrderHold.version)
        .join(SalesOrder, SalesOrder.id == OrderHold.order_id)
        .where(OrderHold.kind == kind, OrderHold.released_at.is_(None), SalesOrder.state == OrderState.HELD)
    )


def _price_version(session: Session, order: int) -> int | None:
    found: int | None = session.scalar(_holding(HoldKind.PRICE).where(OrderHold.order_id == order))
    return found


def _substitution_version(session: Session, order: int) -> int | None:
    found: int | None = session.scalar(_holding(HoldKind.SUBSTITUTION).where(OrderHold.order_id == order))
    return found


def _wish_version(session: Session, wish: int) -> int | None:
    """A wish never changes; decided on, there is nothing to decide any more."""
    waits = (TakeBackWish.id == wish, TakeBackWish.state == TakeBackState.PROPOSED)
    return None if session.scalar(select(TakeBackWish.id).where(*waits)) is None else 1


def _lock_order(work: UnitOfWork, order: int) -> None:
    """The order, then its request, here as where something of an order is asked for."""
    lock_orders(work, [order])


def _lock_wish(work: UnitOfWork, wish: int) -> None:
    lock_take_back(work, wish)


def _is_agreed(request: ApprovalRequest) -> bool:
    return request.state == RequestState.APPROVED


def _note(request: ApprovalRequest) -> str:
    return request.settle_reason or request.rule_text


@settles(
    PRICE, title="Price beyond tolerance", version_of=_price_version, page=("orders.show", "order_id"), may_withdraw=False,
    lock=_lock_order, may_be_automatic=False,
)  # fmt: skip
def price_settled(work: UnitOfWork, request: ApprovalRequest) -> None:
    """The order goes on at these prices, or waits for others."""
    settle_price(work, request.subject_id, approved=_is_agreed(request), note=_note(request))


@settles(
    SUBSTITUTION, title="Other item instead", version_of=_substitution_version, page=("orders.show", "order_id"),
    may_withdraw=False, lock=_lock_order, may_be_automatic=False,
)  # fmt: skip
def substitution_settled(work: UnitOfWork, request: ApprovalRequest) -> None:
    """The other item is sent, or the order goes on as it was ordered."""
    settle_substitution(
        work,
        request.subject_id,
        approved=_is_agreed(request),
        note=_note(request),
        rules=_RULES,
        cells=RegisteredCells(),
    )


@settles(
    TAKE_BACK, title="Stock taken back", version_of=_wish_version, may_withdraw=False, lock=_lock_wish,
    may_be_automatic=False,
)  # fmt: skip
def take_back_settled(work: UnitOfWork, request: ApprovalRequest) -> None:
    """The stock goes to the other line, or stays."""
    settle_take_back(
        work, request.subject_id, agreed=_is_agreed(request), note=_note(request), rules=_RULES, cells=RegisteredCells()
    )


def decide_on_substitution(
    work: UnitOfWork, command: DecideSubstitution, *, rules: ProcessRules, cells: CellStates
) -> tuple[int, bool]:
    """Decide by the rules of approval; one asked for without a request is decided by permission. The order, and whether others
    are still asked.
    """
    hold = work.session.get(OrderHold, command.hold)
    request = None if hold is None else request_of_hold(work.session, hold.order_id, hold.kind)
    if hold is None or hold.kind != HoldKind.SUBSTITUTION or request is None:
        return decide_substitution(work, command, rules=rules, cells=cells).id, False
    _not_own(work, hold, request)
    verdict = "approve" if command.approve else "reject"
    given = answer(work, Answer(request=request.id, verdict=verdict, reason=command.reason))
    return hold.order_id, given.state == RequestState.WAITING


def decide_on_take_back(
    work: UnitOfWork, wish_id: int, *, agreed: bool, note: str, rules: ProcessRules, cells: CellStates
) -> TakeBackWish:
    """Decide by the rules of approval; a wish without a request is decided by permission. It stays proposed where others are
    still asked.
    """
    request = waiting_request(work.session, TAKE_BACK, wish_id)
    if request is None:
        return decide_take_back(work, wish_id, agreed=agreed, note=note, rules=rules, cells=cells)
    if work.actor.id == request.asked_by:
        raise NotAllowed("own_request", document=request.summary)
    answer(work, Answer(request=request.id, verdict="approve" if agreed else "reject", reason=note))
    return work.session.get_one(TakeBackWish, wish_id)


def request_of_hold(session: Session, order: int, kind: str) -> ApprovalRequest | None:
    """The request that waits for a decision about what a hold of this kind holds; ``None`` for kinds that have none."""
    return waiting_request(session, OF_HOLDS[HoldKind(kind)], order) if kind in OF_HOLDS else None


def let_go(work: UnitOfWork, commands: Sequence[ReleaseHold]) -> int:
    """End holds; how many have ended: of a price that more people decide on, this person's agreement is kept. Ending the hold
    of a substitution declines it.

    Raises as ``release_holds`` does; ``NotAllowed`` for whom the rules of approval do not name, ``RuleBroken`` where those who
    decide have said no already.
    """
    wanted = {command.hold: command for command in commands}
    query = select(OrderHold).where(OrderHold.id.in_(sorted(wanted)), OrderHold.kind.in_(OF_HOLDS))
    found = [hold for hold in work.session.scalars(query.order_by(OrderHold.id)) if hold.released_at is None]
    asked = {hold.id: (hold, request) for hold in found if (request := _asked(work, hold)) is not None}
    left = [command for command in commands if command.hold not in asked]
    if left:
        release_holds(work, left)
    return len(left) + sum(_answered(work, *asked[key], reason=wanted[key].reason) for key in sorted(asked))


def _asked(work: UnitOfWork, hold: OrderHold) -> ApprovalRequest | None:
    """The request about the hold as it is; ``None`` for one of the time before there were requests about its kind."""
    found: ApprovalRequest | None = work.session.scalar(
        select(ApprovalRequest)
        .where(
            ApprovalRequest.kind == OF_HOLDS[HoldKind(hold.kind)], ApprovalRequest.subject_type == ORDER,
            ApprovalRequest.subject_id == hold.order_id, ApprovalRequest.subject_version == hold.version,
            ApprovalRequest.asked_at >= hold.since,
        )
        .order_by(ApprovalRequest.id.desc())
        .limit(1)
    )  # fmt: skip
    return found


def _not_own(work: UnitOfWork, hold: OrderHold, request: ApprovalRequest) -> None:
    if work.actor.id in {request.asked_by, hold.asked_by}:
        order = work.session.get_one(SalesOrder, hold.order_id)
        raise NotAllowed("hold_own_request", kind=hold.kind, document=order.number)


def _answered(work: UnitOfWork, hold: OrderHold, request: ApprovalRequest, *, reason: str) -> bool:
    _not_own(work, hold, request)
    if request.state == RequestState.REJECTED:
        raise RuleBroken("price_rejected", what=request.summary, why=request.settle_reason)
    verdict = "approve" if hold.kind == HoldKind.PRICE else "reject"
    return answer(work, Answer(request=request.id, verdict=verdict, reason=reason)).state != RequestState.WAITING


def cancel(work: UnitOfWork, commands: Sequence[CancelLines]) -> list[Order]:
    """Cancel what is open of orders; what is asked about an order of which nothing is left waits no longer.

    Raises as ``cancel_lines`` does.
    """
    orders = cancel_lines(work, commands)
    gone = [order.id for order in orders if order.state == OrderState.CANCELLED]
    if gone:
        outdate(work, ORDER, gone, reason="the order is cancelled")
    return orders


def asked_for_nothing(session: Session) -> list[int]:
    """Requests about orders that nothing holds for it any more, such as those that were cancelled in a batch. One query."""
    gone = [
        and_(
            ApprovalRequest.kind == kind,
            ~_holding(hold).where(OrderHold.order_id == ApprovalRequest.subject_id).correlate(ApprovalRequest).exists(),
        )
        for hold, kind in OF_HOLDS.items()
    ]
    query = select(ApprovalRequest.id).where(ApprovalRequest.state == RequestState.WAITING, or_(*gone))
    return list(session.scalars(query.order_by(ApprovalRequest.id)))

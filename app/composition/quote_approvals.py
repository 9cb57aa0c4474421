"""What of a quote do the rules of approval decide? The prices entered in it, when it is sent.

A quote and its request are held in this order: the quote, then the request.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.composition.approving import Answer, answer, settles
from app.composition.core_approvals import waiting_request
from erpcore.kernel.work import UnitOfWork
from erpcore.orders.documents import Order
from erpcore.orders.quotes.accepting import AcceptQuote, accept_quotes
from erpcore.orders.quotes.deciding import approve_quotes, check_person, give_back_quotes, settle_quote
from erpcore.orders.quotes.matter import QUOTE_PRICE, content_digest
from erpcore.orders.quotes.models import Quote, QuoteState
from erpcore.orders.quotes.records import Offer, lock_quotes
from erpcore.orders.quotes.services import DeclineQuote, decline_quotes
from erpcore.ports import CellStates, ProcessRules
from governance.approvals.flow import RequestState
from governance.approvals.models import ApprovalRequest
from governance.approvals.services import outdate

QUOTE = "quote"


def _quote_version(session: Session, quote: int) -> int | None:
    """A waiting quote whose content is that of the moment at which it was asked about."""
    found = session.execute(
        select(Quote.version, Quote.asked_digest).where(Quote.id == quote, Quote.state == QuoteState.WAITING)
    ).one_or_none()
    return found.version if found is not None and found.asked_digest == content_digest(session, quote) else None


def _lock_quote(work: UnitOfWork, quote: int) -> None:
    lock_quotes(work, [quote])


@settles(
    QUOTE_PRICE, title="Prices of a quote", version_of=_quote_version, page=("quotes.show", "quote_id"), may_withdraw=False,
    lock=_lock_quote,
)  # fmt: skip
def quote_settled(work: UnitOfWork, request: ApprovalRequest) -> None:
    """The quote is sent at these prices, or is a draft again."""
    settle_quote(
        work, request.subject_id, approved=request.state == RequestState.APPROVED,
        note=request.settle_reason or request.rule_text,
    )  # fmt: skip


def approve(work: UnitOfWork, quote_id: int, *, seen: dict[int, int] | None = None) -> Offer:
    """Agree to a quote's prices by the rules of approval; one without a request is decided by permission. It goes on waiting
    where others are still asked.
    """
    return _decided(work, quote_id, "approve", reason="", seen=seen)


def give_back(work: UnitOfWork, quote_id: int, *, reason: str, seen: dict[int, int] | None = None) -> Offer:
    """Say no to a quote's prices: it is a draft again, with the reason. Whoever asked may take their own back."""
    return _decided(work, quote_id, "reject", reason=reason, seen=seen)


def _decided(work: UnitOfWork, quote_id: int, verdict: str, *, reason: str, seen: dict[int, int] | None) -> Offer:
    (quote,) = lock_quotes(work, [quote_id], seen=seen)
    request = waiting_request(work.session, QUOTE_PRICE, quote_id)
    if request is not None and not (verdict == "reject" and work.actor.id == quote.asked_by):
        check_person(work, quote)
        answer(work, Answer(request=request.id, verdict=verdict, reason=reason))
        return lock_quotes(work, [quote_id])[0]
    if verdict == "approve":
        return approve_quotes(work, [quote_id])[0]
    (back,) = give_back_quotes(work, [quote_id], reason=reason)
    _waits_no_more(work, [quote_id], "whoever asked took it back")
    return back


def decline(work: UnitOfWork, commands: Sequence[DeclineQuote]) -> list[Offer]:
    """End quotes; what is asked about one of them waits no longer. Raises as ``decline_quotes`` does."""
    quotes = decline_quotes(work, commands)
    _waits_no_more(work, [quote.id for quote in quotes], "the quote is declined")
    return quotes


def accept(work: UnitOfWork, commands: Sequence[AcceptQuote], *, rules: ProcessRules, cells: CellStates) -> list[Order]:
    """Make the orders of quotes; what is asked about a revision that they end waits no longer. Raises as ``accept_quotes``."""
    orders = accept_quotes(work, commands, rules=rules, cells=cells)
    ended = select(Quote.id).where(
        Quote.journey_id.in_([order.id for order in orders]), Quote.state == QuoteState.SUPERSEDED
    )
    _waits_no_more(work, list(work.session.scalars(ended)), "another revision has become an order")
    return orders


def _waits_no_more(work: UnitOfWork, quotes: Collection[int], why: str) -> None:
    if quotes:
        outdate(work, QUOTE, quotes, reason=why)


def asked_for_no_quote(session: Session) -> list[int]:
    """Requests about quotes that wait no longer, whoever ended them. One query."""
    query = (
        select(ApprovalRequest.id)
        .join(Quote, Quote.id == ApprovalRequest.subject_id)
        .where(
            ApprovalRequest.kind == QUOTE_PRICE,
            ApprovalRequest.state == RequestState.WAITING,
            Quote.state != QuoteState.WAITING,
        )
        .order_by(ApprovalRequest.id)
    )
    return list(session.scalars(query))


def request_of_quote(session: Session, quote: int) -> ApprovalRequest | None:
    """The last request about the prices of a quote, whatever became of it; ``None`` where nobody was asked."""
    found: ApprovalRequest | None = session.scalar(
        select(ApprovalRequest)
        .where(ApprovalRequest.kind == QUOTE_PRICE, ApprovalRequest.subject_type == QUOTE, ApprovalRequest.subject_id == quote)
        .order_by(ApprovalRequest.id.desc())
        .limit(1)
    )  # fmt: skip
    return found

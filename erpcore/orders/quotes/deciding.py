"""Others decide on the prices entered in a quote: by the permission that policy routes them to, or as the authority has settled it."""

from __future__ import annotations

from collections.abc import Iterable

from erpcore.kernel.errors import NotAllowed
from erpcore.kernel.history import record_move
from erpcore.kernel.work import UnitOfWork
from erpcore.orders.quotes.flow import QUOTE, WRITE
from erpcore.orders.quotes.records import Offer, lock_quotes, save_quotes
from erpcore.orders.quotes.services import issue


def approve_quotes(work: UnitOfWork, ids: Iterable[int], *, seen: dict[int, int] | None = None) -> list[Offer]:
    """Approve the prices entered in waiting quotes, which are sent by that. Never by who entered the prices or asked."""
    quotes = lock_quotes(work, ids, seen=seen)
    for quote in quotes:
        _decides(work, quote, "approve")
        issue(work, quote, "approve")
    save_quotes(work, quotes)
    return quotes


def give_back_quotes(
    work: UnitOfWork, ids: Iterable[int], *, reason: str, seen: dict[int, int] | None = None
) -> list[Offer]:
    """Give waiting quotes back to be written anew, with the reason. Whoever asked may take their own back."""
    quotes = lock_quotes(work, ids, seen=seen)
    for quote in quotes:
        if quote.asked_by != work.actor.id:
            _decides(work, quote, "give_back")
        _return(work, quote, reason)
    save_quotes(work, quotes)
    return quotes


def settle_quote(work: UnitOfWork, quote_id: int, *, approved: bool, note: str) -> Offer:
    """Send a waiting quote at its prices, or give it back with the reason, as those who decide have answered."""
    (quote,) = lock_quotes(work, [quote_id])
    if approved:
        issue(work, quote, "approve", reason=note)
    else:
        _return(work, quote, note)
    save_quotes(work, [quote])
    return quote


def check_person(work: UnitOfWork, quote: Offer) -> None:
    """Raise ``NotAllowed`` where who entered or sent the prices would decide on them."""
    if work.actor.id and work.actor.id in (quote.asked_by, quote.priced_by):
        raise NotAllowed("quote_own_prices", document=quote.number)


def _return(work: UnitOfWork, quote: Offer, reason: str) -> None:
    was, quote.state = quote.state, QUOTE.target("give_back", quote.state, reason=reason)
    quote.asked_by = quote.asked_digest = None
    record_move(work, "quote", quote.id, "give_back", was, quote.state, reason=reason)


def _decides(work: UnitOfWork, quote: Offer, move: str) -> None:
    QUOTE.target(move, quote.state, reason="checked where it is given")
    work.actor.require(quote.permission or WRITE, site=quote.site_id)
    check_person(work, quote)

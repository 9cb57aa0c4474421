"""A quote becomes an order: once, at the prices it holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.history import record_move
from erpcore.kernel.model import QUANTITY_PLACES
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import site_facts
from erpcore.orders.documents import Order
from erpcore.orders.pricing import OVERRIDE, LinePrice
from erpcore.orders.quotes.flow import QUOTE
from erpcore.orders.quotes.models import QuoteState
from erpcore.orders.quotes.records import Offer, Offered, lock_quotes, save_quotes
from erpcore.orders.quotes.services import holds, publish_quote, supersede
from erpcore.orders.services import CAPTURE, CaptureOrder, NewLine, capture_orders
from erpcore.ports import CellStates, ProcessRules
from erpcore.published.quotes import QuoteAccepted, QuoteConverted

#: Where the price of an order line came from, when a quote holds it.
QUOTED = "quote"


@dataclass(frozen=True, kw_only=True)
class AcceptQuote:
    """The customer says yes. ``accepted``: warnings that the person has seen, as when an order is captured."""

    quote: int
    customer_reference: str | None = None
    accepted: Mapping[str, str] = field(default_factory=dict)
    seen_version: int | None = None


def accept_quotes(
    work: UnitOfWork, commands: Sequence[AcceptQuote], *, rules: ProcessRules, cells: CellStates
) -> list[Order]:
    """The orders that come of these quotes, at the prices held, whatever the rules say today; rush as it was offered, with its charge.

    The order gets the key that the quote has kept for it, so there is never a second one. Raises ``RuleBroken`` for a quote
    that is over or accepted already, each with the way out, and whatever capturing the order raises.
    """
    seen = {c.quote: c.seen_version for c in commands if c.seen_version is not None}
    quotes = {quote.id: quote for quote in lock_quotes(work, [c.quote for c in commands], seen=seen)}
    for command in commands:
        _may_be_accepted(work, quotes[command.quote])
    orders = capture_orders(
        work, [_order_of(work, quotes[command.quote], command) for command in commands], rules=rules, cells=cells
    )
    for quote, order in zip((quotes[command.quote] for command in commands), orders, strict=True):
        was, quote.state = quote.state, QUOTE.target("accept", quote.state)
        quote.settled_at = work.now
        record_move(work, "quote", quote.id, "accept", was, quote.state, facts={"order": order.id})
        publish_quote(work, quote, QuoteAccepted(value=quote.value_minor))
        publish_quote(work, quote, QuoteConverted(order=order.id))
        supersede(work, quote, (QuoteState.DRAFT, QuoteState.WAITING))
    save_quotes(work, list(quotes.values()))
    return orders


def _may_be_accepted(work: UnitOfWork, quote: Offer) -> None:
    work.actor.require(CAPTURE, site=quote.site_id)
    if quote.state == QuoteState.ACCEPTED:
        raise RuleBroken("quote_accepted", document=quote.number, order=f"SO-{quote.journey_id}")
    if quote.state == QuoteState.SUPERSEDED:
        raise RuleBroken("quote_superseded", document=quote.number, revision=quote.revision)
    if quote.state == QuoteState.EXPIRED or (quote.state == QuoteState.SENT and not holds(work, quote)):
        raise RuleBroken("quote_over", document=quote.number, until=quote.valid_until)
    QUOTE.target("accept", quote.state)


def _order_of(work: UnitOfWork, quote: Offer, command: AcceptQuote) -> CaptureOrder:
    today = local_day(work.now, site_facts(work, quote.site_id).time_zone)
    return CaptureOrder(
        id=quote.journey_id, site=quote.site_id, channel=quote.channel_id, customer=quote.customer_id,
        currency=quote.currency, ship_country=quote.ship_country,
        customer_reference=command.customer_reference or quote.customer_reference, accepted=command.accepted,
        requested_on=_wish(quote.requested_on, today),
        lines=[
            NewLine(
                item=line.item_id, quantity=Decimal(line.quantity).scaleb(-QUANTITY_PLACES), quoted=_held(line),
                requested_on=_wish(line.requested_on, today), rush=line.is_rush, is_rush_charge=line.is_rush_charge,
            )
            for line in quote.lines
        ],
    )  # fmt: skip


def _wish(day: date | None, today: date) -> date | None:
    """A wish that is past counts as none: the order would be late before it begins."""
    return day if day is not None and day >= today else None


def _held(line: Offered) -> LinePrice:
    source = OVERRIDE if line.price_source == OVERRIDE else QUOTED
    return LinePrice(
        line.unit_price, source, cost=line.unit_cost, rule=line.price_rule_id, list_price=line.list_price,
        resolved=line.resolved_price, floor=line.price_floor, losers=line.price_losers, reason=line.price_reason,
    )  # fmt: skip

"""Writing quotes: what we offer, at the prices that an order would get, and what may be sent without another person.

A draft is written by the very rules that take an order, so a quote and its order agree. Prices entered by hand are routed when
the quote is sent: it waits for somebody else's approval, and the order that comes of it is not held for them again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import zip_longest
from typing import Any

from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import Conflict, RuleBroken
from erpcore.kernel.history import record_move
from erpcore.kernel.model import PRICE_PLACES, QUANTITY_PLACES
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import customers, site_facts
from erpcore.orders.documents import Line, Order
from erpcore.orders.pricing import OVERRIDE, routing_of
from erpcore.orders.quotes.flow import QUOTE, REVISABLE, WRITE
from erpcore.orders.quotes.matter import content_digest, has_entered_prices, matter_of
from erpcore.orders.quotes.models import QuoteState
from erpcore.orders.quotes.records import (
    Offer,
    Offered,
    insert_quotes,
    lock_quotes,
    replace_lines,
    revisions_of,
    save_quotes,
)
from erpcore.orders.services import CaptureOrder, NewLine, draft_order
from erpcore.ports import BY_PERMISSION, Authority, Cell, CellStates, Process, ProcessRules, admit
from erpcore.pricing.rules import PERMISSIONS
from erpcore.published.quotes import (
    QuoteDeclined,
    QuotedLine,
    QuoteExpired,
    QuoteIssued,
    QuoteRequested,
    QuoteRevised,
)

#: A quote holds its prices for at most so long.
MOST_DAYS = 365
_STEP = "order_to_cash.quote"


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What is offered. ``valid_until``: the first day on which the prices no longer hold; ``rush``: all of its goods are."""

    lines: Sequence[NewLine]
    valid_until: date
    customer_reference: str | None = None
    requested_on: date | None = None
    note: str | None = None
    rush: bool = False


@dataclass(frozen=True, kw_only=True)
class NewQuote:
    """A quote for a customer at a site through a channel."""

    site: int
    channel: int
    customer: int
    terms: Terms


@dataclass(frozen=True, kw_only=True)
class ChangeQuote:
    """A draft as it shall be from now on."""

    quote: int
    terms: Terms
    seen_version: int | None = None


@dataclass(frozen=True, kw_only=True)
class DeclineQuote:
    """``by_customer``: they do not want it; otherwise we take it back."""

    quote: int
    reason: str
    by_customer: bool
    seen_version: int | None = None


def enter_quotes(
    work: UnitOfWork, commands: Sequence[NewQuote], *, rules: ProcessRules, cells: CellStates
) -> list[Offer]:
    """Draft quotes at today's prices, in cells that take orders. Raises as capturing an order does."""
    made = []
    for command in commands:
        work.actor.require(WRITE, site=command.site)
        order = draft_order(work, _as_order(command), rules=rules)
        journey, key = work.ids.reserve(2)
        quote = Offer(
            id=key, journey_id=journey, revision=1, number=f"QU-{journey}", entity_id=order.entity_id, site_id=order.site_id,
            channel_id=order.channel_id, customer_id=order.customer_id, customer_reference=None, note=None,
            state=QuoteState.DRAFT, currency=order.currency, ship_country=order.ship_country, requested_on=None,
            valid_from=date.min, valid_until=date.max, value_minor=0, ruleset=order.ruleset, variants=order.variants,
            grant_id=_admit(work, cells, order), source=work.source, entered_at=work.now, priced_by=work.actor.id,
            asked_by=None, asked_digest=None, permission=None, level=None, lost_minor=0, sent_at=None, settled_at=None, version=1,
            lines=[],
        )  # fmt: skip
        _fill(work, quote, command.terms, order, rules)
        made.append(quote)
    insert_quotes(work, made)
    for quote in made:
        record_move(work, "quote", quote.id, "enter", None, quote.state)
        publish_quote(work, quote, QuoteRequested(customer=quote.customer_id, value=quote.value_minor))
    return made


def _as_order(command: NewQuote) -> CaptureOrder:
    terms = command.terms
    return CaptureOrder(
        site=command.site, channel=command.channel, customer=command.customer, lines=terms.lines,
        requested_on=terms.requested_on, rush=terms.rush,
    )  # fmt: skip


def _admit(work: UnitOfWork, cells: CellStates, order: Order) -> int | None:
    site = site_facts(work, order.site_id)
    cell = Cell(site.live_id, order.channel_id, Process.ORDER_TO_CASH, order.customer_group)
    return admit(work, cells, site.entity.realm, cell, begins=True)


def _fill(work: UnitOfWork, quote: Offer, terms: Terms, order: Order, rules: ProcessRules) -> list[Offered]:
    """Give the quote these terms and the lines of the drafted order, whose keys they keep; the caller writes them."""
    today = local_day(work.now, site_facts(work, quote.site_id).time_zone)
    days = (terms.valid_until - today).days
    if not 1 <= days <= MOST_DAYS:
        raise RuleBroken("quote_validity", field="valid_until", most=MOST_DAYS)
    # What a rush costs stands behind the lines that were asked for.
    quote.lines = [_offered(quote, line, asked) for line, asked in zip_longest(order.lines, terms.lines)]
    quote.customer_reference, quote.note, quote.requested_on = terms.customer_reference, terms.note, terms.requested_on
    quote.valid_from, quote.valid_until, quote.value_minor = today, terms.valid_until, order.value_minor
    quote.ruleset, quote.variants, quote.priced_by = order.ruleset, order.variants, work.actor.id
    routing = routing_of(work, rules, order, order.lines)
    quote.level = routing.level if routing else None
    quote.permission = PERMISSIONS[routing.level] if routing else None
    quote.lost_minor = routing.lost_minor if routing else 0
    return quote.lines


def _offered(quote: Offer, line: Line, asked: NewLine | None) -> Offered:
    return Offered(
        id=line.id, quote_id=quote.id, line_no=line.line_no, item_id=line.item_id, kind=line.kind, quantity=line.quantity,
        unit_price=line.unit_price, price_source=line.price_source, amount=line.amount, value_minor=line.value_minor,
        tax_rate=line.tax_rate, requested_on=asked.requested_on if asked else None, promised_on=line.promised_on, promise_reason=line.promise_reason,
        ruleset=line.ruleset, price_rule_id=line.price_rule_id, list_price=line.list_price,
        resolved_price=line.resolved_price, price_floor=line.price_floor, unit_cost=line.unit_cost,
        price_losers=line.price_losers, price_reason=line.price_reason, is_rush=line.is_rush, is_rush_charge=asked is None,
    )  # fmt: skip


def change_quotes(work: UnitOfWork, commands: Sequence[ChangeQuote], *, rules: ProcessRules) -> list[Offer]:
    """Write drafts anew: lines, prices of today, validity, note. A sent quote is revised instead."""
    seen = {c.quote: c.seen_version for c in commands if c.seen_version is not None}
    quotes = {quote.id: quote for quote in lock_quotes(work, [c.quote for c in commands], seen=seen)}
    for command in commands:
        quote = quotes[command.quote]
        work.actor.require(WRITE, site=quote.site_id)
        QUOTE.target("change", quote.state)
        as_new = NewQuote(site=quote.site_id, channel=quote.channel_id, customer=quote.customer_id, terms=command.terms)
        order = draft_order(work, _as_order(as_new), rules=rules)
        replace_lines(work, quote, _fill(work, quote, command.terms, order, rules))
        record_move(work, "quote", quote.id, "change", quote.state, quote.state)
    save_quotes(work, list(quotes.values()))
    return list(quotes.values())


def send_quotes(
    work: UnitOfWork,
    ids: Iterable[int],
    *,
    rules: ProcessRules,
    seen: dict[int, int] | None = None,
    authority: Authority = BY_PERMISSION,
) -> list[Offer]:
    """Send drafts to their customers; those with entered prices as the authority says: at once, or once others have agreed.

    The prices are looked up once more: what the person saw is what is sent. Raises ``Conflict("quote_prices_moved")`` naming
    the first line that would cost something else today.
    """
    quotes = lock_quotes(work, ids, seen=seen)
    for quote in quotes:
        work.actor.require(WRITE, site=quote.site_id)
        QUOTE.target("send", quote.state)
        _price_again(work, quote, rules)
        if has_entered_prices(quote):
            was, quote.state = quote.state, QUOTE.target("ask", quote.state)
            quote.asked_by, quote.asked_digest = work.actor.id, content_digest(work.session, quote.id)
            facts = {"level": quote.level, "lost": quote.lost_minor}
            record_move(work, "quote", quote.id, "ask", was, quote.state, facts=facts)
        else:
            issue(work, quote, "send")
    save_quotes(work, quotes)
    waiting = [quote for quote in quotes if quote.state == QuoteState.WAITING]
    for quote in waiting:
        asked = authority.ask(work, matter_of(work, quote))
        if asked.request is None and not asked.waits:
            issue(work, quote, "approve", reason="within the tolerance of prices")
            save_quotes(work, [quote])
    # What was approved at once has been moved by whoever approved it.
    return lock_quotes(work, [quote.id for quote in quotes]) if waiting else quotes


def _price_again(work: UnitOfWork, quote: Offer, rules: ProcessRules) -> None:
    terms = terms_of(quote)
    as_new = NewQuote(site=quote.site_id, channel=quote.channel_id, customer=quote.customer_id, terms=terms)
    order, priced_by = draft_order(work, _as_order(as_new), rules=rules), quote.priced_by
    for before, new in zip_longest(quote.lines, order.lines):
        # The charge for a rush may have come or gone.
        if before is None or new is None or (before.unit_price, before.amount) != (new.unit_price, new.amount):
            raise Conflict("quote_prices_moved", document=quote.number, line=(before or new).line_no)
    replace_lines(work, quote, _fill(work, quote, terms, order, rules))
    quote.priced_by = priced_by


def terms_of(quote: Offer) -> Terms:
    """What the quote offers, as it would be entered: entered prices stay entered, the others are the rules', as is what a rush costs."""
    return Terms(
        lines=[
            NewLine(
                item=line.item_id, quantity=Decimal(line.quantity).scaleb(-QUANTITY_PLACES), requested_on=line.requested_on,
                unit_price=Decimal(line.unit_price).scaleb(-PRICE_PLACES) if line.price_source == OVERRIDE else None,
                price_reason=line.price_reason, rush=line.is_rush,
            )
            for line in quote.lines
            if not line.is_rush_charge
        ],
        valid_until=quote.valid_until, customer_reference=quote.customer_reference, requested_on=quote.requested_on,
        note=quote.note,
    )  # fmt: skip


def issue(work: UnitOfWork, quote: Offer, move: str, *, reason: str | None = None) -> None:
    """The locked quote binds us from now on; the revision before it no longer does. The caller saves it."""
    was, quote.state = quote.state, QUOTE.target(move, quote.state)
    today = local_day(work.now, site_facts(work, quote.site_id).time_zone)
    if today >= quote.valid_until:
        raise RuleBroken("quote_validity", field="valid_until", most=MOST_DAYS)
    quote.sent_at, quote.valid_from = work.now, today
    supersede(work, quote, (QuoteState.SENT,))
    record_move(work, "quote", quote.id, move, was, quote.state, reason=reason)
    lines = [
        QuotedLine(line=one.id, item=one.item_id, quantity=one.quantity, price=one.unit_price, value=one.value_minor)
        for one in quote.lines
    ]
    issued = QuoteIssued(customer=quote.customer_id, revision=quote.revision, until=quote.valid_until, lines=lines)
    publish_quote(work, quote, issued)


def supersede(work: UnitOfWork, quote: Offer, states: Sequence[str]) -> None:
    """End the other revisions of a locked quote that stand in these states: this one has taken their place."""
    gone = [one for one in revisions_of(work, quote) if one.state in states]
    for one in gone:
        was, one.state = one.state, QUOTE.target("supersede", one.state)
        one.settled_at = work.now
        record_move(work, "quote", one.id, "supersede", was, one.state, facts={"by": quote.id})
    save_quotes(work, gone)


def revise_quotes(
    work: UnitOfWork, ids: Iterable[int], *, rules: ProcessRules, valid_until: date | None = None
) -> list[Offer]:
    """Write another revision of sent, declined or expired quotes, as a draft at today's prices with entered ones kept.

    The revision before it goes on binding us until the new one is sent. Raises ``Conflict`` where one is being written or
    the quote has become an order.
    """
    made = []
    for quote in lock_quotes(work, ids):
        work.actor.require(WRITE, site=quote.site_id)
        if quote.state not in REVISABLE:
            QUOTE.target("accept", quote.state)  # names the state in the refusal
        others = revisions_of(work, quote)
        for one in others:
            if one.state in (QuoteState.DRAFT, QuoteState.WAITING, QuoteState.ACCEPTED):
                raise Conflict("quote_revision_open", document=quote.number, revision=one.revision, state=one.state)
        today = local_day(work.now, site_facts(work, quote.site_id).time_zone)
        until = valid_until or max(quote.valid_until, today + (quote.valid_until - quote.valid_from))
        terms = replace(terms_of(quote), valid_until=until, lines=_still_wished(terms_of(quote).lines, today))
        as_new = NewQuote(site=quote.site_id, channel=quote.channel_id, customer=quote.customer_id, terms=terms)
        order = draft_order(work, _as_order(as_new), rules=rules)
        new = replace(
            quote, id=work.ids.one(), revision=max(one.revision for one in [quote, *others]) + 1, state=QuoteState.DRAFT,
            source=work.source, entered_at=work.now, asked_by=None, asked_digest=None, sent_at=None, settled_at=None, version=1, lines=[],
        )  # fmt: skip
        _fill(work, new, terms, order, rules)
        made.append(new)
        record_move(work, "quote", new.id, "revise", None, new.state, facts={"of": quote.id})
        publish_quote(work, new, QuoteRevised(of=quote.id, revision=new.revision, value=new.value_minor))
    insert_quotes(work, made)
    return made


def _still_wished(lines: Sequence[NewLine], today: date) -> list[NewLine]:
    """The lines without wishes that are past."""
    past = today - timedelta(days=1)
    return [replace(one, requested_on=None) if (one.requested_on or today) <= past else one for one in lines]


def decline_quotes(work: UnitOfWork, commands: Sequence[DeclineQuote]) -> list[Offer]:
    """End quotes that the customer does not want, or that we take back, with the reason."""
    seen = {c.quote: c.seen_version for c in commands if c.seen_version is not None}
    quotes = {quote.id: quote for quote in lock_quotes(work, [c.quote for c in commands], seen=seen)}
    for command in commands:
        quote = quotes[command.quote]
        work.actor.require(WRITE, site=quote.site_id)
        was, quote.state = quote.state, QUOTE.target("decline", quote.state, reason=command.reason)
        quote.settled_at = work.now
        facts = {"by_customer": command.by_customer}
        record_move(work, "quote", quote.id, "decline", was, quote.state, reason=command.reason, facts=facts)
        publish_quote(work, quote, QuoteDeclined(by_customer=command.by_customer, reason=command.reason))
    save_quotes(work, list(quotes.values()))
    return list(quotes.values())


def expire_quotes(work: UnitOfWork, ids: Iterable[int]) -> list[Offer]:
    """Keep that these sent quotes are over; one that still holds, or was answered meanwhile, stays as it is.

    Whether a quote holds is asked of its days, never of this: until the job has come by it is over all the same.
    """
    over = [quote for quote in lock_quotes(work, ids) if quote.state == QuoteState.SENT and not holds(work, quote)]
    for quote in over:
        was, quote.state = quote.state, QUOTE.target("expire", quote.state)
        quote.settled_at = work.now
        record_move(work, "quote", quote.id, "expire", was, quote.state)
        publish_quote(work, quote, QuoteExpired(value=quote.value_minor))
    save_quotes(work, over)
    return over


def holds(work: UnitOfWork, quote: Offer) -> bool:
    """Whether the quote's prices hold now, by the day at its site."""
    return quote.valid_from <= local_day(work.now, site_facts(work, quote.site_id).time_zone) < quote.valid_until


def publish_quote(work: UnitOfWork, quote: Offer, event: Any) -> None:
    """Tell of a quote in the journey of the order that it may become."""
    # Read here, so that a unit of work that only looks at quotes asks for no customer.
    customers(work, {quote.customer_id})
    work.publish(
        event, quote.place(work), step=_STEP, subject=("quote", quote.id, quote.version), journey=quote.journey_id
    )

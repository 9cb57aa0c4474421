"""Quotes for programs: read, write, and every move of a quote, through the services that screens use."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.orm import Session

from app.api.framework import check_version, operation
from app.api.lists import listed
from app.api.v1.numbers import as_amount, fresh, pointing
from app.api.v1.order_models import OrderDetail, ReasonBody
from app.api.v1.orders import detail as order_detail
from app.api.v1.papers import PAPERS, PaperAnswer, paper_answer
from app.api.v1.quote_models import (
    AcceptQuoteBody,
    DeclineBody,
    LosingRule,
    QuoteAnswer,
    QuoteBody,
    QuoteDetail,
    QuotedLineAnswer,
    QuoteQuery,
    TermsBody,
)
from app.api.values import Page
from app.composition.core_approvals import BY_RULES
from app.composition.quote_approvals import accept, approve, decline, give_back, request_of_quote
from app.composition.request import now, reader
from app.composition.trading import cells, rules
from app.queries.order_answer import order_answered
from app.queries.places import realm_of_site
from app.queries.quotes import QUOTES, QuotedItem, QuotePage, QuoteRow, quote_page
from app.reports.papers import quote_paper
from app.security.permissions import Permission
from app.security.require import actor
from erpcore.kernel.actor import Actor
from erpcore.kernel.work import UnitOfWork
from erpcore.orders.quotes.accepting import AcceptQuote
from erpcore.orders.quotes.services import (
    ChangeQuote,
    DeclineQuote,
    NewQuote,
    Terms,
    change_quotes,
    enter_quotes,
    revise_quotes,
    send_quotes,
)
from erpcore.orders.services import NewLine

TAG = "Quotes"
_EXAMPLE = {"prices_until": "2027-01-31", "lines": [{"item": 1004, "quantity": "12"}]}


def _answer(row: QuoteRow) -> QuoteAnswer:
    return QuoteAnswer(
        id=row.id, number=row.number, revision=row.revision, customer_reference=row.reference, customer=row.customer_code,
        customer_id=row.customer_id, site_id=row.site_id, channel=row.channel, realm=row.realm, state=row.state,
        is_over=row.is_over(now()), currency=row.currency, value=as_amount(row.value_minor, row.currency),
        entered_at=row.entered_at, sent_at=row.sent_at, prices_until=row.last_day, version=row.version,
    )  # fmt: skip


def _line(line: QuotedItem, currency: str, who: Actor) -> QuotedLineAnswer:
    costs = who.may(Permission.COST_READ)
    return QuotedLineAnswer(
        line_no=line.line_no, item=line.code, item_id=line.item_id, unit=line.unit, quantity=line.quantity,
        unit_price=line.unit_price, price_source=line.price_source, price_reason=line.price_reason,
        price_rule=line.price_rule_id, list_price=line.list_price, resolved_price=line.resolved_price,
        losing_rules=[LosingRule(rule=rule, kind=kind, unit_price=price) for rule, kind, price in line.losers],
        floor=line.price_floor if costs else None, unit_cost=line.unit_cost if costs else None,
        value=as_amount(line.value_minor, currency), tax_rate=line.tax_rate, requested_on=line.requested_on,
        could_come_on=line.promised_on, reason=line.promise_reason, is_rush=line.is_rush, is_rush_charge=line.is_rush_charge,
    )  # fmt: skip


def _detail(session: Session, page: QuotePage, who: Actor) -> QuoteDetail:
    asked = request_of_quote(session, page.row.id)
    return QuoteDetail(
        **dict(_answer(page.row)), note=page.note, requested_on=page.requested_on, level=page.level,
        approval_request=asked.id if asked else None, approval_state=asked.state if asked else None,
        approval_rule=asked.rule_text if asked else None,
        approval_is_automatic=asked is not None and asked.is_automatic, revisions=[one[0] for one in page.revisions],
        order_id=page.journey_id if page.order_number else None,
        lines=[_line(line, page.row.currency, who) for line in page.lines],
    )  # fmt: skip


def _read(work: UnitOfWork, quote_id: int) -> QuoteDetail:
    session = fresh(work)
    return _detail(session, quote_page(session, work.actor, quote_id), work.actor)


def _seen(work: UnitOfWork, quote_id: int, version: int) -> dict[int, int]:
    """The version for a move; refuses another site's quote, and a version that is no longer the present one."""
    row = quote_page(work.session, work.actor, quote_id).row
    work.realm = row.realm
    check_version(version, row.version)
    return {quote_id: version}


def _terms(body: TermsBody) -> Terms:
    return Terms(
        valid_until=body.prices_until + timedelta(days=1), customer_reference=body.customer_reference or None,
        requested_on=body.requested_on, note=body.note or None, rush=body.rush,
        lines=[
            NewLine(
                item=line.item, quantity=line.quantity, unit_price=line.unit_price, price_reason=line.price_reason,
                requested_on=line.requested_on, rush=line.rush,
            )
            for line in body.lines
        ],
    )  # fmt: skip


@operation("GET", "/quotes", permission=Permission.ORDER_READ, summary="List quotes", tag=TAG, query=QuoteQuery, answer=Page[QuoteAnswer])  # fmt: skip
def list_quotes(query: QuoteQuery) -> Page[QuoteAnswer]:
    return listed(QUOTES, query, _answer)


@operation("GET", "/quotes/{quote_id}", permission=Permission.ORDER_READ, summary="One quote", tag=TAG, answer=QuoteDetail)  # fmt: skip
def show_quote(quote_id: int) -> QuoteDetail:
    return _detail(reader(), quote_page(reader(), actor(), quote_id), actor())


@operation(
    "POST", "/quotes", permission=Permission.QUOTE_WRITE, summary="Write a quote", tag=TAG, body=QuoteBody,
    answer=QuoteDetail, status=201, example={"site": 1001, "channel": 1002, "customer": 1003, **_EXAMPLE},
)  # fmt: skip
def write_quote(work: UnitOfWork, body: QuoteBody) -> QuoteDetail:
    work.realm = realm_of_site(work.session, work.actor, body.site)
    command = NewQuote(site=body.site, channel=body.channel, customer=body.customer, terms=_terms(body))
    with pointing():
        (quote,) = enter_quotes(work, [command], rules=rules(), cells=cells())
    return _read(work, quote.id)


@operation(
    "POST", "/quotes/{quote_id}/change", permission=Permission.QUOTE_WRITE, summary="Change a draft", tag=TAG, body=TermsBody,
    answer=QuoteDetail, versioned=True, example=_EXAMPLE,
)  # fmt: skip
def change_quote(work: UnitOfWork, quote_id: int, version: int, body: TermsBody) -> QuoteDetail:
    _seen(work, quote_id, version)
    with pointing():
        change_quotes(work, [ChangeQuote(quote=quote_id, terms=_terms(body), seen_version=version)], rules=rules())
    return _read(work, quote_id)


@operation(
    "POST", "/quotes/{quote_id}/send", permission=Permission.QUOTE_WRITE,
    summary="Send a quote, or let its entered prices wait for approval", tag=TAG, answer=QuoteDetail, versioned=True,
)  # fmt: skip
def send_quote(work: UnitOfWork, quote_id: int, version: int) -> QuoteDetail:
    send_quotes(work, [quote_id], rules=rules(), seen=_seen(work, quote_id, version), authority=BY_RULES)
    return _read(work, quote_id)


@operation(
    "POST", "/quotes/{quote_id}/approve", permission=Permission.ORDER_READ,
    summary="Approve the prices somebody else entered, and send the quote", tag=TAG, answer=QuoteDetail, versioned=True,
)  # fmt: skip
def approve_quote(work: UnitOfWork, quote_id: int, version: int) -> QuoteDetail:
    approve(work, quote_id, seen=_seen(work, quote_id, version))
    return _read(work, quote_id)


@operation(
    "POST", "/quotes/{quote_id}/give-back", permission=Permission.ORDER_READ, summary="Give a waiting quote back", tag=TAG,
    body=ReasonBody, answer=QuoteDetail, versioned=True, example={"reason": "offer 9.50"},
)  # fmt: skip
def give_back_quote(work: UnitOfWork, quote_id: int, version: int, body: ReasonBody) -> QuoteDetail:
    give_back(work, quote_id, reason=body.reason, seen=_seen(work, quote_id, version))
    return _read(work, quote_id)


@operation(
    "POST", "/quotes/{quote_id}/accept", permission=Permission.ORDER_CAPTURE, summary="Make the order of a quote", tag=TAG,
    body=AcceptQuoteBody, answer=OrderDetail, status=201, versioned=True, example={"customer_reference": "PO-7741"},
)  # fmt: skip
def accept_quote(work: UnitOfWork, quote_id: int, version: int, body: AcceptQuoteBody) -> OrderDetail:
    _seen(work, quote_id, version)
    command = AcceptQuote(
        quote=quote_id, customer_reference=body.customer_reference or None, seen_version=version,
        accepted={one.code: one.reason for one in body.accept},
    )  # fmt: skip
    (order,) = accept(work, [command], rules=rules(), cells=cells())
    return order_detail(order_answered(fresh(work), work.actor, order.id))


@operation(
    "POST", "/quotes/{quote_id}/decline", permission=Permission.QUOTE_WRITE, summary="Decline a quote", tag=TAG,
    body=DeclineBody, answer=QuoteDetail, versioned=True, example={"reason": "too dear", "by_customer": True},
)  # fmt: skip
def decline_quote(work: UnitOfWork, quote_id: int, version: int, body: DeclineBody) -> QuoteDetail:
    _seen(work, quote_id, version)
    command = DeclineQuote(quote=quote_id, reason=body.reason, by_customer=body.by_customer, seen_version=version)
    decline(work, [command])
    return _read(work, quote_id)


@operation(
    "POST", "/quotes/{quote_id}/revise", permission=Permission.QUOTE_WRITE, summary="Write another revision", tag=TAG,
    answer=QuoteDetail, status=201, versioned=True,
)  # fmt: skip
def revise_quote(work: UnitOfWork, quote_id: int, version: int) -> QuoteDetail:
    _seen(work, quote_id, version)
    (made,) = revise_quotes(work, [quote_id], rules=rules())
    return _read(work, made.id)


@operation(
    "GET", "/quotes/{quote_id}/paper", permission=Permission.ORDER_READ, summary="The quote as a PDF", tag=PAPERS,
    answer=PaperAnswer,
)  # fmt: skip
def print_quote(quote_id: int) -> PaperAnswer:
    return paper_answer(quote_paper(quote_page(reader(), actor(), quote_id)))

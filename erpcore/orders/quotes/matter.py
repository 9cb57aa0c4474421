"""What of a quote is asked about: its entered prices with what they give away, and the content that the answer is for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from erpcore.kernel.canonical import fingerprint
from erpcore.kernel.money import from_minor, places, scaled_amount
from erpcore.masterdata.queries import CustomerFacts, customers
from erpcore.orders.pricing import OVERRIDE, WEIGHTS
from erpcore.orders.quotes.models import Quote, QuoteLine
from erpcore.ports import TRIFLE, Matter
from erpcore.pricing.rules import Authority as Level

if TYPE_CHECKING:
    from erpcore.kernel.work import UnitOfWork
    from erpcore.orders.quotes.records import Offer

QUOTE_PRICE = "quote_price"
_PERMILLE = 1000
#: What a customer is told and what it costs us; who decides agrees to these.
_HEAD = ("revision", "customer_id", "currency", "customer_reference", "note", "requested_on", "valid_until")
_LINE = (
    "line_no", "item_id", "quantity", "unit_price", "price_source", "amount", "requested_on", "price_reason", "unit_cost",
    "resolved_price", "is_rush",
)  # fmt: skip


def content_digest(session: Session, quote_id: int) -> str | None:
    """The fingerprint of what a stored quote offers; ``None`` for an unknown one."""
    head = session.execute(
        select(*(Quote.__table__.c[name] for name in _HEAD)).where(Quote.__table__.c.id == quote_id)
    ).one_or_none()
    if head is None:
        return None
    table = QuoteLine.__table__
    lines = session.execute(
        select(*(table.c[name] for name in _LINE)).where(table.c.quote_id == quote_id).order_by(table.c.line_no)
    )
    return fingerprint([[_plain(value) for value in row] for row in (head, *lines)])


def _plain(value: object) -> str | None:
    return None if value is None else str(value)


def has_entered_prices(quote: Offer) -> bool:
    """Whether somebody entered a price of it instead of that of the rules."""
    return any(line.price_source == OVERRIDE for line in quote.lines)


def matter_of(work: UnitOfWork, quote: Offer) -> Matter:
    """The entered prices of a quote as something to approve: a trifle where all stand within the tolerance and above the floor."""
    lost, customer = _lost(quote), _customer(work, quote)
    name = quote.number if quote.revision == 1 else f"{quote.number} / {quote.revision}"
    given = f"{from_minor(lost, quote.currency):,.{places(quote.currency)}f} {quote.currency}"
    return Matter(
        kind=QUOTE_PRICE, document_type="quote", document=quote.id, version=quote.version,
        summary=f"Prices of quote {name} for {customer.code}: {given} less than by the rules", site=quote.site_id,
        entity=quote.entity_id, amount_minor=lost, currency=quote.currency, margin_permille=_margin(quote),
        tier=customer.tier, materiality=TRIFLE if quote.level is None else WEIGHTS[Level(quote.level)],
        excluded=(quote.priced_by,),
    )  # fmt: skip


def _customer(work: UnitOfWork, quote: Offer) -> CustomerFacts:
    return customers(work, {quote.customer_id})[quote.customer_id]


def _lost(quote: Offer) -> int:
    """What the entered prices bring less than those of the rules, in minor units; a higher one loses nothing."""
    return sum(
        max(0, scaled_amount(line.quantity, line.resolved_price, quote.currency) - line.value_minor)
        for line in quote.lines
        if line.price_source == OVERRIDE and line.resolved_price is not None
    )


def _margin(quote: Offer) -> int | None:
    """The share above cost of the whole quote in per mille, rounded down; ``None`` where the cost of goods is unknown."""
    if any(line.unit_cost is None and not line.is_rush_charge for line in quote.lines):
        return None
    worth = sum(line.unit_price * line.quantity for line in quote.lines)
    above = worth - sum((line.unit_cost or 0) * line.quantity for line in quote.lines)
    return above * _PERMILLE // worth if worth else None

"""How does a quote look to programs, and what may they say of one?"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from pydantic import Field

from app.api.lists import REALM, OneOf, only, part_of, which
from app.api.v1.numbers import Key
from app.api.v1.order_models import AcceptBody, ReasonBody
from app.api.values import Amount, Answer, Body, PageQuery, Quantity, Realm, UnitPrice
from app.queries.quotes import STATES


class QuoteAnswer(Answer):
    """One quote of a list. `prices_until`: the last day on which the prices hold, at the site."""

    id: int
    number: str
    revision: int
    customer_reference: str | None
    customer: str
    customer_id: int
    site_id: int
    channel: str
    realm: str
    state: str
    is_over: bool
    currency: str
    value: Amount
    entered_at: datetime
    sent_at: datetime | None
    prices_until: date
    version: int


class LosingRule(Answer):
    """A price rule that fitted too."""

    rule: int
    kind: str
    unit_price: UnitPrice


class QuotedLineAnswer(Answer):
    """One line with where its price came from. Cost and floor are for who may see costs. `is_rush_charge`: what the rush costs, added by
    the rules.
    """

    line_no: int
    item: str
    item_id: int
    unit: str
    quantity: Quantity
    unit_price: UnitPrice
    price_source: str
    price_reason: str | None
    price_rule: int | None
    list_price: UnitPrice | None
    resolved_price: UnitPrice | None
    losing_rules: list[LosingRule]
    floor: UnitPrice | None
    unit_cost: UnitPrice | None
    value: Amount
    tax_rate: UnitPrice | None
    requested_on: date | None
    could_come_on: date
    reason: str
    is_rush: bool
    is_rush_charge: bool


class QuoteDetail(QuoteAnswer):
    """One quote with its lines, its revisions and the order that came of it."""

    note: str | None
    requested_on: date | None
    level: str | None = Field(description="Who approves its entered prices; null: nobody has to")
    approval_request: int | None = Field(description="The last request about its prices; null: nobody was asked")
    approval_state: str | None = Field(description="What became of that request")
    approval_rule: str | None = Field(description="The rules that it stands under, as a sentence")
    approval_is_automatic: bool = Field(description="Whether its prices needed nobody by these rules")
    revisions: list[int] = Field(description="The ids of all revisions, in their order")
    order_id: int | None
    lines: list[QuotedLineAnswer]


class QuoteQuery(PageQuery):
    """Which quotes."""

    realm: Realm | None = REALM
    state: Annotated[str | None, OneOf(STATES)] = None
    ending: bool = only("sent ones that are over within a week, or over already")
    text: str = part_of("the number, the customer's reference, code or name")
    site: Key | None = which("Only quotes of this site.")
    channel: Key | None = which("Only quotes of this channel.")
    customer: Key | None = which("Only quotes to this customer.")


class QuoteLineBody(Body):
    """A line as it is offered; where its goods go is said when the quote is accepted, on the order."""

    item: Key
    quantity: Quantity
    unit_price: UnitPrice | None = None
    price_reason: str | None = Field(None, max_length=200)
    requested_on: date | None = None
    rush: bool = Field(default=False, description="Served before the lead time, where the rules allow it")


class TermsBody(Body):
    """What is offered. `prices_until`: the last day on which the prices hold."""

    prices_until: date
    customer_reference: str | None = Field(None, max_length=120)
    requested_on: date | None = None
    note: str | None = Field(None, max_length=2000)
    rush: bool = Field(
        default=False, description="All goods before their lead time; where the rules charge for it a line is added"
    )
    lines: list[QuoteLineBody] = Field(min_length=1, max_length=2000)


class QuoteBody(TermsBody):
    """A quote to write."""

    site: Key
    channel: Key
    customer: Key


class AcceptQuoteBody(Body):
    """The customer's yes."""

    customer_reference: str | None = Field(None, max_length=120)
    accept: list[AcceptBody] = Field(default_factory=list, max_length=20)


class DeclineBody(ReasonBody):
    """The customer's no, or ours."""

    by_customer: bool

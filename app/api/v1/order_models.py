"""How does an order look to programs, and what may they say of one?"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from app.api.lists import REALM, OneOf, only, part_of, which
from app.api.v1.numbers import Key
from app.api.values import Amount, Answer, Body, PageQuery, Quantity, Realm, UnitPrice
from app.queries.order_steps import STEPS
from app.queries.orders import HOLD_KINDS, STATES


class OrderAnswer(Answer):
    """One order of a list."""

    id: int
    number: str
    customer_reference: str | None
    customer: str
    site: str
    channel: str
    state: str
    delivery_status: str
    billing_status: str
    payment_status: str
    currency: str
    value: Amount
    captured_at: datetime
    due_at: datetime | None
    is_late: bool
    version: int


class LineAnswer(Answer):
    """One line with its four dates and how far it is. `extra`: what left beyond `quantity`, within the tolerance; `split_from_id`: the line
    it was part of.
    """

    id: int
    line_no: int
    item: str
    item_id: int
    unit: str
    kind: str
    quantity: Quantity
    unit_price: UnitPrice
    price_source: str
    value: Amount
    tax_rate: UnitPrice | None
    requested_on: date
    committed_on: date
    first_promised_on: date
    promised_on: date
    promise_reason: str
    allocated: Quantity
    picked: Quantity
    shipped: Quantity
    delivered: Quantity
    invoiced: Quantity
    cancelled: Quantity
    extra: Quantity
    is_rush: bool
    split_from_id: int | None
    returned: Quantity
    ship_to_id: int | None


class ShipmentAnswer(Answer):
    """A shipment of the order."""

    id: int
    number: str
    state: str
    confirmed_at: datetime | None
    delivered_at: datetime | None
    invoice_id: int | None


class HoldAnswer(Answer):
    """What holds the order."""

    id: int
    kind: str
    reason: str
    since: datetime
    due_at: datetime
    permission: str
    level: str | None
    asked_by: int | None


class OrderDetail(Answer):
    """One order with its lines, shipments and holds."""

    id: int
    number: str
    customer_reference: str | None
    customer: str
    customer_id: int
    site_id: int
    channel_id: int
    realm: str
    state: str
    delivery_status: str
    billing_status: str
    payment_status: str
    currency: str
    value: Amount
    ship_country: str
    ship_to_id: int | None
    captured_at: datetime
    ruleset: str
    variants: str
    version: int
    lines: list[LineAnswer]
    shipments: list[ShipmentAnswer]
    holds: list[HoldAnswer]
    invoices: list[int]


class OrderQuery(PageQuery):
    """Which orders."""

    realm: Realm | None = REALM
    state: Annotated[str | None, OneOf(STATES)] = None
    step: Annotated[str | None, OneOf(STEPS)] = which("Only open ones that wait for this step of the work.")
    late: bool = only("open ones with a line past its promise")
    text: str = part_of("the number, the customer's reference, code or name")
    site: Key | None = which("Only orders taken at this site.")
    channel: Key | None = which("Only orders of this channel.")
    customer: Key | None = which("Only orders of this customer.")


class LineBody(Body):
    """A line as asked for. Without `unit_price` the price rules decide; another one needs a reason and the permission.

    `drop_ship`: a supplier sends it straight to the customer.
    """

    item: Key
    quantity: Quantity
    unit_price: UnitPrice | None = None
    price_reason: str | None = Field(None, max_length=200)
    requested_on: date | None = None
    drop_ship: bool = False
    ship_to: Key | None = Field(None, description="An address of the customer's; without it the order's")
    rush: bool = Field(default=False, description="Served before the lead time, where the rules allow it")


class AcceptBody(Body):
    """A warning that was seen, by the `confirm` of the refusal, and why to go on all the same."""

    code: str = Field(min_length=1, max_length=48)
    reason: str = Field(min_length=1, max_length=500)


class OrderBody(Body):
    """An order to capture."""

    site: Key
    channel: Key
    customer: Key
    customer_reference: str | None = Field(None, max_length=120)
    requested_on: date | None = None
    ship_to: Key | None = Field(None, description="An address of the customer's; without it the usual one")
    rush: bool = Field(
        default=False, description="All goods before their lead time; where the rules charge for it a line is added"
    )
    lines: list[LineBody] = Field(min_length=1, max_length=2000)
    accept: list[AcceptBody] = Field(default_factory=list, max_length=20)


class BulkPolicy(StrEnum):
    """All of them or none, or each for itself."""

    ALL_OR_NOTHING = "all_or_nothing"
    PER_ORDER = "per_order"


class BulkBody(Body):
    """Many orders at once."""

    policy: BulkPolicy = BulkPolicy.ALL_OR_NOTHING
    orders: list[OrderBody] = Field(min_length=1, max_length=500)


class BulkResult(Answer):
    """What became of one order of the bulk: its id, or why it was refused."""

    position: int
    order_id: int | None
    number: str | None
    code: str | None = None
    detail: str | None = None
    pointer: str | None = None


class BulkAnswer(Answer):
    """What became of each, in their order."""

    captured: int
    refused: int
    results: list[BulkResult]


class ReasonBody(Body):
    reason: str = Field(min_length=1, max_length=500)


class HoldBody(ReasonBody):
    kind: str = Field("manual", description="One of " + ", ".join(HOLD_KINDS))


class QuantityBody(Body):
    """So much of an order line."""

    line: Key
    quantity: Quantity


class ComparedAnswer(Answer):
    """A site that was looked at. `transit_days`, `cost` null: no lane leads from there; `late_days`: after the committed day."""

    site_id: int
    site: str
    free: Quantity
    transit_days: int | None
    cost: Amount | None
    late_days: int
    chosen: bool


class SourceAnswer(Answer):
    """From where a line was to be shipped by the `rule` of its place, and what was compared."""

    line: int
    line_no: int
    rule: str
    chosen_at: datetime
    sites: list[ComparedAnswer]


class SourceList(Answer):
    """The lines whose site a rule chose; without such a rule there is none, and the site that sells ships."""

    items: list[SourceAnswer]


class ShipBody(Body):
    """What leaves; without `lines` all that is allocated. `short`: so much was allocated and not there; it is open again."""

    lines: list[QuantityBody] | None = None
    short: list[QuantityBody] = Field(default_factory=list, max_length=10_000)
    short_reason: str = Field("", max_length=120, description="Why it came short; needed with `short`.")


class DeliverBody(Body):
    """What arrived damaged."""

    damaged: list[QuantityBody] = Field(default_factory=list)
    damage_reason: str = Field("damaged in transit", min_length=1, max_length=200)


class CancelBody(ReasonBody):
    """What is cancelled; without `lines` all that is open."""

    by_customer: bool
    lines: list[QuantityBody] | None = None

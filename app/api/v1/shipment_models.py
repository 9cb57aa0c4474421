"""How does a shipment look to programs, and what may they say of one?"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

from pydantic import Field

from app.api.lists import OneOf, only, part_of, which
from app.api.v1.numbers import Key
from app.api.values import Amount, Answer, Body, PageQuery, Quantity, Realm
from app.queries.shipments import STATES


class ShipmentLineAnswer(Answer):
    """So much of an order line in the shipment, and in its cartons."""

    line: int
    line_no: int
    item: str
    quantity: Quantity
    packed: Quantity
    damaged: Quantity


class CartonContent(Answer):
    """So much of an item in a carton."""

    line_no: int
    item: str
    quantity: Quantity


class CartonAnswer(Answer):
    """A carton; a void one was unpacked again."""

    id: int
    number: str
    position: int
    kind: str
    state: str
    weight_kg: Quantity | None
    contents: list[CartonContent]


class CarriageAnswer(Answer):
    """How it travels, and what that costs."""

    service_id: int | None
    service: str
    rule: str = Field(description="Why this service; empty when a person chose it.")
    tracking_number: str
    weight_kg: Quantity | None
    freight_estimate: Amount | None
    freight_actual: Amount | None
    premium_reason: str
    collected_on: date | None
    missed_cut_off: bool
    packed_at: datetime | None
    settled_at: datetime | None


class TroubleAnswer(Answer):
    """What the carrier reported."""

    id: int
    kind: str
    reason: str
    expected_on: date | None
    owner_id: int | None
    opened_at: datetime
    due_at: datetime
    resolved_at: datetime | None
    resolution: str


class ShipmentDetail(Answer):
    """Everything about one shipment."""

    id: int
    number: str
    state: str
    order_id: int
    order: str
    site_id: int
    picked_at: datetime
    confirmed_at: datetime | None
    delivered_at: datetime | None
    received_by: str
    carriage: CarriageAnswer
    lines: list[ShipmentLineAnswer]
    cartons: list[CartonAnswer]
    exceptions: list[TroubleAnswer]
    version: int


class ShipmentListed(Answer):
    """One shipment of a list. `trouble`: the kind of the exception that is open; empty without one."""

    id: int
    number: str
    state: str
    site: str
    order_id: int
    order: str
    customer: str
    service: str
    tracking_number: str
    picked_at: datetime
    packed_at: datetime | None
    confirmed_at: datetime | None
    delivered_at: datetime | None
    missed_cut_off: bool
    trouble: str


class ShipmentQuery(PageQuery):
    """Which shipments."""

    realm: Realm = "live"
    state: Annotated[str | None, OneOf(STATES)] = which("`confirmed`: it has left.")
    trouble: bool = only("those with an open exception")
    missed: bool = only("those that were packed after the carrier's cut-off")
    text: str = part_of("the number, the order, the customer or the tracking number")
    site: Key | None = which("Only those from this site.")


class OpenBody(Body):
    """Which kind of carton."""

    carton_type: Key


class PutBody(Body):
    """What was scanned, and how many. `before`: how much of it was packed as you last read it."""

    scanned: str = Field(min_length=1, max_length=120)
    quantity: Quantity = Decimal(1)
    before: Quantity | None = None


class WeightBody(Body):
    """What the scale says, in kilograms."""

    weight_kg: Quantity


class ContentBody(Body):
    """So much of an order line."""

    line: Key
    quantity: Quantity


class PackBody(Body):
    """A whole carton at once; without contents it takes all that is not packed yet."""

    carton_type: Key
    weight_kg: Quantity
    contents: list[ContentBody] | None = Field(None, min_length=1, max_length=1000)


class CarriageBody(Body):
    """How it travels. Without a service the one that the rules give."""

    service: Key | None = None
    tracking_number: str | None = Field(None, max_length=80)
    weight_kg: Quantity | None = None
    premium_reason: str | None = Field(None, max_length=200)


class FreightBody(Body):
    """What the carrier charged, in the company's currency."""

    amount: Amount


class TroubleBody(Body):
    """Delayed, refused or lost, why, until when, and who looks after it."""

    kind: str = Field(max_length=12)
    reason: str = Field(min_length=1, max_length=200)
    expected_on: date | None = None
    owner: Key | None = None


class OwnerBody(Body):
    """Who looks after it."""

    owner: Key | None


class OutcomeBody(Body):
    """What became of it."""

    resolution: str = Field(min_length=1, max_length=400)


class ProofBody(Body):
    """Who took the goods, and what was damaged."""

    received_by: str = Field(min_length=1, max_length=200)
    note: str | None = Field(None, max_length=400)
    damaged: list[ContentBody] = Field(default_factory=list, max_length=1000)
    damage_reason: str = Field("damaged in transit", min_length=1, max_length=120)


class TakeBackBody(Body):
    """Why it does not leave after all."""

    reason: str = Field(min_length=1, max_length=200)


class VoidBody(Body):
    """Why the carton is unpacked."""

    reason: str = Field(min_length=1, max_length=120)

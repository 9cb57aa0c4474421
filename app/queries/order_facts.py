"""What a page about one order shows: the order, its lines, holds, shipments, bills, and its history."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from app.queries.addresses import AddressFact


@dataclass(frozen=True, kw_only=True)
class GrantFact:
    """What lets the order's cell transact: a go of a wave, or a record of what ran before."""

    id: int
    state: str
    source: str
    reason: str | None
    wave: str | None
    wave_name: str | None
    decision: int | None


@dataclass(frozen=True, kw_only=True)
class LineFact:
    """One line. Quantities in the item's unit, ``value_minor`` in the order's currency; ``ruleset`` where it has one of its own."""

    id: int
    line_no: int
    item_id: int
    code: str
    name: str
    unit: str
    kind: str
    quantity: Decimal
    unit_price: Decimal
    price_source: str
    value_minor: int
    tax_rate: Decimal | None
    requested_on: date
    requested_ship_on: date
    committed_on: date
    first_promised_on: date
    promised_on: date
    promised_due_at: datetime
    promise_reason: str
    basis: str
    allocated: Decimal
    picked: Decimal
    shipped: Decimal
    delivered: Decimal
    invoiced: Decimal
    cancelled: Decimal
    extra: Decimal
    is_rush: bool
    split_from_id: int | None
    returned: Decimal
    ruleset: str | None
    ship_to_id: int | None
    available: Decimal | None
    #: What a supplier is still to send straight, by its purchase order: nobody takes that from a shelf.
    with_supplier: Decimal = Decimal(0)

    @property
    def open(self) -> Decimal:
        return self.quantity + self.extra - self.shipped - self.cancelled

    @property
    def has_stock(self) -> bool:
        return self.kind in ("stock", "free")

    @property
    def is_goods(self) -> bool:
        return self.kind not in ("charge", "service")

    @property
    def unallocated(self) -> Decimal:
        return self.open - self.allocated - self.picked

    @property
    def pickable(self) -> Decimal:
        """What a pick may take now."""
        return self.allocated if self.has_stock else max(Decimal(0), self.open - self.picked - self.with_supplier)

    @property
    def cancellable(self) -> Decimal:
        return self.open - self.picked

    @property
    def returnable(self) -> Decimal:
        return self.shipped - self.returned


@dataclass(frozen=True, kw_only=True)
class HoldFact:
    """``permission`` is what ending it takes, but where a request about it waits: ``asked`` says by which rules of approval then,
    and is empty where none holds. ``asked_by``: whose wish it stops, who never ends it.
    """

    id: int
    kind: str
    reason: str
    asked_by: int | None
    permission: str
    level: str | None
    asked: str | None
    facts: dict[str, Any]
    since: datetime
    due_at: datetime
    released_at: datetime | None
    release_reason: str | None
    is_cured: bool


@dataclass(frozen=True, kw_only=True)
class ShipmentFact:
    """One shipment; ``lines`` are (line number, item code, quantity, damaged, unit). ``site`` ships it."""

    id: int
    number: str
    site: str
    state: str
    picked_at: datetime
    confirmed_at: datetime | None
    delivered_at: datetime | None
    invoice_due_at: datetime | None
    invoice_id: int | None
    lines: list[tuple[int, str, Decimal, Decimal, str]]
    line_ids: list[tuple[int, Decimal]]


@dataclass(frozen=True, kw_only=True)
class InvoiceFact:
    id: int
    number: str | None
    state: str
    block_reason: str | None
    posted_at: datetime | None
    due_on: date | None
    gross_minor: int
    open_minor: int | None
    shipment: str


@dataclass(frozen=True, kw_only=True)
class ReturnFact:
    id: int
    number: str
    state: str
    reason: str
    requested_at: datetime
    quantity: Decimal
    is_replaced_here: bool


@dataclass(frozen=True, kw_only=True)
class MemoFact:
    id: int
    number: str | None
    reason: str
    posted_at: datetime
    gross_minor: int


@dataclass(frozen=True, kw_only=True)
class Step:
    """One move of one document, as history keeps it. ``actor`` 0 is a job."""

    document: str
    document_id: int
    move: str
    to_state: str
    at: datetime
    recorded_at: datetime
    actor: int
    role: str
    reason: str | None
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class EventFact:
    seq: int
    type: str
    version: int
    step: str
    subject: str
    occurred_at: datetime
    recorded_at: datetime
    actor: int
    role: str
    source: str


@dataclass(frozen=True, kw_only=True)
class OrderPage:
    """One order with all that belongs to it."""

    id: int
    number: str
    reference: str | None
    state: str
    delivery: str
    billing: str
    payment: str
    currency: str
    ship_country: str
    ship_to_id: int | None
    addresses: dict[int, AddressFact]
    value_minor: int
    captured_at: datetime
    source: str
    version: int
    realm: str
    entity_id: int
    entity: str
    site_id: int
    site_code: str
    site: str
    time_zone: str
    channel_id: int
    channel: str
    customer_id: int
    customer_code: str
    customer: str
    group: str | None
    credit_limit_minor: int | None
    exposure_minor: int
    ruleset: str
    variants: str
    grant: GrantFact | None
    lines: list[LineFact]
    holds: list[HoldFact]
    shipments: list[ShipmentFact]
    invoices: list[InvoiceFact]
    returns: list[ReturnFact]
    memos: list[MemoFact]
    steps: list[Step]
    events: list[EventFact]
    event_count: int

    @property
    def ship_to(self) -> AddressFact | None:
        return self.addresses.get(self.ship_to_id or 0)

    def site_of(self, step: Step) -> str:
        """Where a step was done: at the site that ships, else at the one that sells."""
        sites = {one.id: one.site for one in self.shipments} if step.document == "shipment" else {}
        return sites.get(step.document_id, self.site)

    @property
    def open_holds(self) -> list[HoldFact]:
        return [hold for hold in self.holds if hold.released_at is None]

    @property
    def line_numbers(self) -> dict[int, int]:
        return {line.id: line.line_no for line in self.lines}

    @property
    def open_lines(self) -> int:
        return sum(1 for line in self.lines if line.open > 0)

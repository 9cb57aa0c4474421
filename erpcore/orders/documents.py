"""Orders and their lines as services hold them: the stored values and what follows from them.

Quantities are thousandths of the unit, prices and amounts millionths, values minor units.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from erpcore.kernel.events import Place
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import SiteFacts, site_facts
from erpcore.orders.availability import FUTURE
from erpcore.orders.models import LineKind


def promise_floor(requested: date, committed: date, *, is_rush: bool) -> date:
    """The day before which a line is not promised: committed and wished, of a rush line the wish alone."""
    if not is_rush:
        return max(committed, requested)
    return requested if requested != committed else date.min


@dataclass(slots=True)
class Line:
    """One order line, as stored."""

    id: int
    order_id: int
    line_no: int
    item_id: int
    site_id: int
    kind: str
    quantity: int
    unit_price: int
    price_source: str
    amount: int
    value_minor: int
    tax_rate: int | None
    requested_on: date
    requested_ship_on: date
    committed_on: date
    first_promised_on: date
    promised_on: date
    promised_due_at: datetime
    promise_reason: str
    basis: str
    allocated: int
    picked: int
    shipped: int
    delivered: int
    invoiced: int
    cancelled: int
    returned: int
    early_days: int
    late_days: int
    ruleset: str | None = None
    price_rule_id: int | None = None
    list_price: int | None = None
    resolved_price: int | None = None
    price_floor: int | None = None
    unit_cost: int | None = None
    price_losers: str | None = None
    price_reason: str | None = None
    source_reason: str | None = None
    replaces_id: int | None = None
    backordered_at: datetime | None = None
    ship_to_id: int | None = None
    extra: int = 0
    is_rush: bool = False
    split_from_id: int | None = None

    @property
    def has_stock(self) -> bool:
        return self.kind in (LineKind.STOCK, LineKind.FREE)

    @property
    def is_goods(self) -> bool:
        """Whether there is something to be sent, by us or by a supplier; else it is a charge or a service."""
        return self.kind not in (LineKind.CHARGE, LineKind.SERVICE)

    @property
    def floor(self) -> date:
        """The day before which the line is not promised."""
        return promise_floor(self.requested_on, self.committed_on, is_rush=self.is_rush)

    @property
    def may_wait(self) -> bool:
        """Whether it is promised from what is not there yet, or stayed short when stock was allocated."""
        return self.backordered_at is not None or self.promise_reason in FUTURE

    @property
    def open(self) -> int:
        """What is still to be shipped."""
        return self.quantity + self.extra - self.shipped - self.cancelled

    @property
    def unallocated(self) -> int:
        return self.open - self.allocated - self.picked


@dataclass(slots=True)
class Order:
    """One order with its lines, as stored."""

    id: int
    entity_id: int
    site_id: int
    channel_id: int
    customer_id: int
    number: str
    customer_reference: str | None
    state: str
    delivery_status: str
    billing_status: str
    payment_status: str
    currency: str
    ship_country: str
    value_minor: int
    captured_at: datetime
    ruleset: str
    variants: str
    grant_id: int | None
    source: str
    version: int
    duplicate_key: int | None = None
    ship_to_id: int | None = None
    lines: list[Line] = field(kw_only=True)
    customer_group: int | None = None

    def place(self, work: UnitOfWork) -> Place:
        """The dimensions of this order's events."""
        site: SiteFacts = site_facts(work, self.site_id)
        return Place(
            realm=site.entity.realm, entity=self.entity_id, site=self.site_id, channel=self.channel_id,
            customer_group=self.customer_group, grant=self.grant_id, ruleset=self.ruleset, variants=self.variants,
            currency=self.currency, time_zone=site.time_zone,
        )  # fmt: skip

"""Bodies and answers of suppliers and purchase orders."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from pydantic import Field

from app.api.lists import REALM, OneOf, only, part_of, which
from app.api.v1.numbers import Key
from app.api.values import Amount, Answer, Body, PageQuery, Quantity, Realm, UnitPrice
from app.queries.purchases import STATES


class SupplierAnswer(Answer):
    """Whom we buy from. `lead_days`: from the order to the goods."""

    id: int
    entity_id: int
    code: str
    name: str
    country: str
    lead_days: int
    ships_direct: bool
    is_blocked: bool


class OfferAnswer(Answer):
    """What a supplier asks for an item. `lead_days` null: as the supplier usually does."""

    item_id: int
    item: str
    price: UnitPrice
    lead_days: int | None
    supplier_code: str | None
    rank: int


class SupplierStandingBody(Body):
    """Whether nothing more is ordered there; what is ordered already goes on."""

    is_blocked: bool


class SupplierDetail(SupplierAnswer):
    """One supplier with what it asks."""

    offers: list[OfferAnswer]


class SupplierQuery(Body):
    """Which suppliers, as on their page."""

    realm: Realm = "live"
    entity: Key | None = None
    country: str | None = Field(None, max_length=64, description="Only those of this country.")
    direct: bool = only("those who send straight to customers")
    blocked: bool = only("those from whom nothing is ordered")
    text: str = part_of("the code or name")


class SupplierList(Answer):
    """All suppliers that fit, by name."""

    count: int
    items: list[SupplierAnswer]


class SupplierBody(Body):
    """A new supplier. `site`: the drop-ship site that stands for its works."""

    entity: Key
    code: str = Field(min_length=1, max_length=120)
    name: str = Field(min_length=1, max_length=300)
    country: str = Field(min_length=1, max_length=64)
    lead_days: int = Field(ge=0, le=730)
    ships_direct: bool = False
    site: Key | None = None


class OfferBody(Body):
    """What it asks for an item; given again it replaces what stood there."""

    item: Key
    price: UnitPrice
    lead_days: int | None = Field(None, ge=0, le=730)
    supplier_code: str | None = Field(None, max_length=120)
    rank: int = Field(1, ge=1, le=99)


class PurchaseQuery(PageQuery):
    """Which purchase orders."""

    realm: Realm | None = REALM
    state: Annotated[str | None, OneOf(STATES)] = None
    late: bool = only("those of which something should have come by now")
    text: str = part_of("the number or the supplier, or of an item's code")
    site: Key | None = which("Only those that come to this site.")


class PurchaseAnswer(Answer):
    """One purchase order of a list. `number` comes with the commit; `order_id`: the customer's order it is sent straight for."""

    id: int
    number: str
    state: str
    supplier_id: int
    supplier: str
    site_id: int
    is_direct: bool
    order_id: int | None
    currency: str
    value: Amount
    ordered_at: datetime
    confirmation: str | None
    due_on: date | None
    version: int


class PurchaseLineAnswer(Answer):
    """One line. `expected`: the expected receipt that the warehouse receives against."""

    id: int
    line_no: int
    item_id: int
    item: str
    quantity: Quantity
    received: Quantity
    cancelled: Quantity
    open: Quantity
    unit_price: UnitPrice
    requested_on: date
    first_confirmed_on: date | None
    confirmed_on: date | None
    expected: int | None
    order_line: int | None


class PurchaseDetail(PurchaseAnswer):
    """One purchase order with its lines."""

    lines: list[PurchaseLineAnswer]


class WantedBody(Body):
    """So much of an item. Without `unit_price` what the supplier asks; without `wanted_on` as soon as it delivers."""

    item: Key
    quantity: Quantity
    unit_price: UnitPrice | None = None
    wanted_on: date | None = None
    unit: str | None = Field(None, max_length=12)


class PurchaseBody(Body):
    """What to order from one supplier for one site."""

    site: Key
    supplier: Key
    note: str | None = Field(None, max_length=500)
    lines: list[WantedBody] = Field(min_length=1, max_length=500)


class ConfirmedBody(Body):
    """The supplier's word on a line. Without `quantity` all of it comes; what is less will not."""

    line: Key
    on: date
    quantity: Quantity | None = None


class ConfirmationBody(Body):
    """What a supplier confirms; lines that are not named stay as they were."""

    reference: str | None = Field(None, max_length=120)
    lines: list[ConfirmedBody] = Field(min_length=1, max_length=500)


class EndBody(Body):
    """Why nothing more of it is waited for."""

    reason: str = Field(min_length=1, max_length=500)


class SentLineBody(Body):
    """So much of a line was sent."""

    line: Key
    quantity: Quantity


class RestBody(Body):
    """Whom to ask for what a supplier does not send; without `supplier` the one that usually sends the item."""

    supplier: Key | None = None


class SentBody(Body):
    """What a supplier has sent straight to the customer; without `lines` all that is open."""

    paper: str = Field(min_length=1, max_length=120)
    lines: list[SentLineBody] | None = Field(None, max_length=500)

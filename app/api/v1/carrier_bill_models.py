"""What programs send and get of carriers' bills."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

from pydantic import Field

from app.api.lists import REALM, OneOf, only, part_of, which
from app.api.v1.numbers import Key
from app.api.values import Amount, Answer, Body, PageQuery, Realm
from app.queries.carrier_bills import STATES


class CarrierBillAnswer(Answer):
    """A carrier's bill: `received` waits to be approved, `refused` never moved anything and says why, `reversed` is out of the books
    again. `payable`: what of it is owed, with tax. `open_lines` wait for somebody's word.
    """

    id: int
    number: str
    carrier_id: int
    carrier: str
    site_id: int
    state: str
    fault: str | None
    billed_on: date
    due_on: date | None
    currency: str
    net: Amount
    tax: Amount
    gross: Amount
    payable: Amount
    open_lines: int
    taken_at: datetime
    posted_at: datetime | None
    reversed_at: datetime | None
    version: int


class CarrierBillLineAnswer(Answer):
    """A line as the carrier wrote it, and what it was found to be. `expected` is for its shipment as a whole; `owed` with tax."""

    id: int
    line_no: int
    reference: str | None
    text: str | None
    fault: str | None
    amount: Amount | None
    tax: Amount
    result: str | None
    explanation: str | None
    shipment_id: int | None
    shipment: str | None
    expected: Amount | None
    decision: str | None
    reason: str | None
    owed: Amount


class CarrierBillDetail(CarrierBillAnswer):
    """A carrier's bill with all its lines."""

    expected: Amount
    lines: list[CarrierBillLineAnswer]


class CarrierBillQuery(PageQuery):
    """Which bills."""

    realm: Realm | None = REALM
    state: Annotated[str | None, OneOf(STATES)] = None
    waiting: bool = only("those with a line that waits for somebody's word")
    text: str = part_of("the number, the carrier or the file")
    carrier: Key | None = which("Only of this carrier.")
    shipment: Key | None = which("Only those with a line about this shipment.")
    site: Key | None = which("Only of this site.")


class BillLineBody(Body):
    """A line: what is asked without tax, the tax on it, and the shipment's number or tracking number. Negative: it is given back."""

    shipment: str = Field("", max_length=120)
    amount: Amount
    tax: Amount = Decimal(0)
    text: str = Field("", max_length=500)


class CarrierBillHead(Body):
    """Whose bill it is, what stands on it, and the site that looks after it. `total` is what is asked altogether, with tax."""

    carrier: Key
    site: Key
    number: str = Field(min_length=1, max_length=120)
    billed_on: date
    due_on: date | None = None
    total: Amount
    currency: str = Field("", max_length=3, pattern="^([A-Z]{3})?$")


class CarrierBillBody(CarrierBillHead):
    """A bill with its lines."""

    lines: list[BillLineBody] = Field(min_length=1, max_length=20_000)


class CarrierBillFileQuery(CarrierBillHead):
    """A bill whose lines are in the file: CSV or a workbook with the columns shipment, amount, tax, text."""

    file_name: str = Field(max_length=200)


class BillReasonBody(Body):
    """Why."""

    reason: str = Field(min_length=1, max_length=500)


class BillShipmentBody(Body):
    """The shipment that a line is about; without one the line's own number says it again."""

    shipment: Key | None = None

"""Bodies and answers of the warehouse's operations."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

from pydantic import Field

from app.api.lists import REALM, OneOf, part_of, which
from app.api.v1.numbers import Key
from app.api.values import Amount, Answer, Body, Quantity, Realm
from app.queries.counts import UNFINISHED
from app.queries.warehouse import BinRow, ExpectedRow, bin_rows
from erpcore.inventory.documents import CountState
from erpcore.kernel.work import UnitOfWork


class ExpectedAnswer(Answer):
    """Goods that should come. `open` is what still does."""

    id: int
    site_id: int
    item_id: int
    item: str
    quantity: Quantity
    received: Quantity
    open: Quantity
    expected_on: date
    source: str
    number: str
    supplier: str | None
    transfer: int | None
    version: int


def expected_answer(row: ExpectedRow) -> ExpectedAnswer:
    """An expected receipt as programs see it."""
    return ExpectedAnswer(
        id=row.id, site_id=row.site_id, item_id=row.item_id, item=row.code, quantity=row.quantity, received=row.received,
        open=row.open, expected_on=row.expected_on, source=row.source, number=row.number, supplier=row.supplier,
        transfer=row.transfer, version=row.version,
    )  # fmt: skip


class BinAnswer(Answer):
    """What lies at one place, of one lot, in one status. `location` null: the default place. `expired`: its last day is over, so
    no pick takes it.
    """

    site_id: int
    item_id: int
    item: str
    location_id: int | None
    location: str
    lot_id: int | None
    lot: str | None
    expires_on: date | None
    expired: bool
    status: str
    quantity: Quantity
    since: datetime


class CountTaskAnswer(Answer):
    """A count. What the book says comes only with a decision: counts are blind. `value` is for who decides or may see costs."""

    id: int
    site_id: int
    item_id: int
    item: str
    location: str
    lot: str | None
    state: str
    due_on: date
    version: int
    difference: Quantity | None
    value: Amount | None


class CountQuery(Body):
    """Which counts; those that are not finished unless another state is asked for."""

    realm: Realm | None = REALM
    state: Annotated[str | None, OneOf((UNFINISHED, *CountState))] = None
    text: str = part_of("the place, the item or the lot")
    why: Annotated[str | None, OneOf(("cadence", "asked", "short_pick"))] = which("Only those that came by this.")
    site: Key | None = which("Only those at this site.")


class List(Answer):
    """How many there are."""

    count: int


class ExpectedList(List):
    """What should still come, the next first; at most 200."""

    items: list[ExpectedAnswer]


class BinList(List):
    """What lies in places of its own, what waits longest first; at most 200."""

    items: list[BinAnswer]


class CountList(List):
    """Counts, the oldest first; at most 200."""

    items: list[CountTaskAnswer]


class ProposedAnswer(Answer):
    """An adjustment that waits for somebody else than who asked for it."""

    id: int
    site_id: int
    item: str
    quantity: Quantity
    value: Amount | None
    currency: str
    reason: str
    note: str
    asked_by: int
    version: int


class ProposedList(List):
    """What waits for approval; at most 200."""

    items: list[ProposedAnswer]


class StationAnswer(Answer):
    """One station of a lot: a receipt with its paper, or a shipment with its customer."""

    kind: str
    at: datetime
    quantity: Quantity
    site: str
    document: str
    paper: str | None
    supplier: str | None
    order: int | None
    customer: str | None


class TraceAnswer(Answer):
    """Where a lot came from and where it went."""

    lot: str
    item: str
    expires_on: date | None
    stations: list[StationAnswer]


class Made(Answer):
    """What was made."""

    id: int


class Done(Answer):
    """The state from now on."""

    state: str


class ReceiptAnswer(Answer):
    """A goods receipt. `waits_to_be_put_away`: until then nobody is promised the goods. `set_apart`: some of what came lies in
    quarantine, since its last day is over.
    """

    id: int
    number: str
    discrepancies: list[str]
    waits_to_be_put_away: bool
    set_apart: bool


class TransferAnswer(Answer):
    """A transfer. `settled`: nothing of it is on its way any more. `waits`: somebody else must agree to the loss first.
    `set_apart`: some of what came lies in quarantine, since its last day is over.
    """

    id: int
    number: str
    settled: bool
    waits: bool = False
    set_apart: bool = False


class BinQuery(Body):
    """Which places."""

    site: Key | None = None
    item: Key | None = None
    status: str | None = Field(None, max_length=12)


class ExpectBody(Body):
    """Goods that should come. `unit`: a pack's code, when the quantity is in packs."""

    site: Key
    item: Key
    quantity: Quantity
    expected_on: date
    number: str = Field(min_length=1, max_length=120)
    supplier: str | None = Field(None, max_length=300)
    unit: str | None = Field(None, max_length=12)


class ReceiptLineBody(Body):
    """What came of one item; `damaged` is part of it. `last`: no more of what was expected comes."""

    item: Key
    quantity: Quantity
    expected: Key | None = None
    damaged: Quantity = Decimal(0)
    unit: str | None = Field(None, max_length=12)
    lot: str | None = Field(None, max_length=120)
    expires_on: date | None = None
    serials: list[str] = Field(default_factory=list, max_length=500)
    last: bool = False
    other_item: bool = False
    reason: str | None = Field(None, max_length=200)


class ReceiptBody(Body):
    """One paper of a supplier and what came with it."""

    site: Key
    paper: str = Field(min_length=1, max_length=200)
    supplier: str | None = Field(None, max_length=300)
    lines: list[ReceiptLineBody] = Field(min_length=1, max_length=500)


class PutAwayBody(Body):
    """From where goods were received to where they are picked; `location` null: the default place."""

    site: Key
    item: Key
    quantity: Quantity
    source: Key | None = None
    location: Key | None = None
    lot: Key | None = None


class BinMoveBody(PutAwayBody):
    """From one place of a site to another; lot and status stay. `source` null: from the default place."""

    status: str = Field("available", max_length=12)


class StatusBody(Body):
    """Goods that may (not) be sold from now on: `available`, `quarantine`, `damaged`. `found_lot`: which lot it turned out to be."""

    site: Key
    item: Key
    quantity: Quantity
    source: str = Field(max_length=12)
    target: str = Field(max_length=12)
    reason: str = Field(min_length=1, max_length=200)
    location: Key | None = None
    lot: Key | None = None
    found_lot: Key | None = None


class LocationBody(Body):
    """A place with a label: `storage`, `receiving`, `quarantine`, `dispatch`."""

    site: Key
    code: str = Field(min_length=1, max_length=120)
    kind: str = Field("storage", max_length=12)
    zone: str | None = Field(None, max_length=120)
    walk: int = Field(0, ge=0, le=1_000_000)


class TransferLineBody(Body):
    """So much of an item; without lot and location by the lot rule of the site."""

    item: Key
    quantity: Quantity
    unit: str | None = Field(None, max_length=12)
    lot: Key | None = None
    location: Key | None = None


class TransferBody(Body):
    """Goods that leave one site for another."""

    from_site: Key
    to_site: Key
    arrives_on: date
    lines: list[TransferLineBody] = Field(min_length=1, max_length=500)
    note: str | None = Field(None, max_length=200)


class ArrivedBody(Body):
    """What came of a line; `damaged` is part of it."""

    line: Key
    quantity: Quantity
    damaged: Quantity = Decimal(0)


class ArrivalBody(Body):
    """What came of a transfer."""

    lines: list[ArrivedBody] = Field(min_length=1, max_length=500)
    version: int | None = None


class LostBody(Body):
    """What of a transfer is given up."""

    line: Key
    quantity: Quantity
    reason: str = Field(min_length=1, max_length=200)


class CountPlanBody(Body):
    """One place to count; without item: every place of the site that is due by its cadence."""

    site: Key
    item: Key | None = None
    location: Key | None = None
    lot: Key | None = None


class FoundBody(Body):
    """What was found at a place."""

    found: Quantity
    version: int | None = None


class VerdictBody(Body):
    """Approved or not, and why."""

    approved: bool
    note: str = Field(min_length=1, max_length=200)
    version: int | None = None


class ReasonBody(Body):
    """Why."""

    reason: str = Field(min_length=1, max_length=200)


class PeriodBody(Body):
    """The first day of the company's books that stays open, and why."""

    entity: Key
    until: date
    reason: str = Field(min_length=1, max_length=200)


def bin_answer(row: BinRow, at: datetime) -> BinAnswer:
    """What lies at one place as programs see it."""
    return BinAnswer(
        site_id=row.site_id, item_id=row.item_id, item=row.code, location_id=row.location_id, location=row.location,
        lot_id=row.lot_id, lot=row.lot, expires_on=row.expires_on, expired=row.is_over(at), status=row.status, quantity=row.quantity, since=row.since,
    )  # fmt: skip


def bin_list(work: UnitOfWork, site: int, item: int) -> BinList:
    """Where an item lies at a site now, read anew."""
    work.session.expire_all()
    rows = [bin_answer(row, work.now) for row in bin_rows(work.session, work.actor, site=site, item=item)]
    return BinList(count=len(rows), items=rows)

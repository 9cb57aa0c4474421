"""Which bills of carriers came, what is each line of one about, and what of them is owed?"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from app.queries.listing import SqlList
from app.queries.order_detail import steps_of
from app.queries.order_facts import Step
from erpcore.billing.freight.models import BillState, CarrierBill, CarrierBillLine, LineResult
from erpcore.fulfilment.carriers.models import Carrier
from erpcore.fulfilment.models import Shipment
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotFound
from erpcore.ledger.models import JournalEntry
from erpcore.masterdata.models import Entity, Site

STATES = tuple(one.value for one in BillState)
RESULTS = tuple(one.value for one in LineResult)
#: So many lines of a bill stand on one page.
MOST_LINES = 100
_UNDECIDED = text("carrier_bill_line.decision IS NULL AND carrier_bill_line.result <> 'matched'")


@dataclass(frozen=True, kw_only=True)
class BillRow:
    """A carrier's bill; ``open_lines``: so many of its lines wait for somebody's word."""

    id: int
    number: str
    carrier_id: int
    carrier: str
    entity_id: int
    site_id: int
    site: str
    realm: str
    state: str
    fault: str | None
    billed_on: date
    due_on: date | None
    file_name: str
    currency: str
    net_minor: int
    tax_minor: int
    owed_minor: int
    open_lines: int
    taken_by: int
    taken_at: datetime
    posted_at: datetime | None
    reversed_at: datetime | None
    version: int

    @property
    def gross_minor(self) -> int:
        return self.net_minor + self.tax_minor

    @property
    def payable_minor(self) -> int:
        """What of it is owed: nothing before it is posted, and nothing once it is reversed."""
        return self.owed_minor if self.state == BillState.POSTED else 0


@dataclass(frozen=True, kw_only=True)
class BillLineFact:
    """A line with what it was found to be. ``shipment`` is the number of the one that it is about."""

    id: int
    bill_id: int
    line_no: int
    reference: str | None
    amount_minor: int | None
    tax_minor: int
    text: str | None
    raw: str
    fault: str | None
    result: str | None
    explanation: str | None
    shipment_id: int | None
    shipment: str | None
    expected_minor: int | None
    chosen_id: int | None
    decision: str | None
    reason: str | None
    decided_by: int | None
    decided_at: datetime | None
    owed_minor: int

    @property
    def is_open(self) -> bool:
        """Whether it waits for somebody's word."""
        return self.result not in (None, LineResult.MATCHED) and self.decision is None


@dataclass(frozen=True, kw_only=True)
class BillPage:
    """A bill with the lines of one page, how many have which result, and what was expected for its shipments altogether."""

    row: BillRow
    results: dict[str, int]
    lines: list[BillLineFact]
    count: int
    expected_minor: int
    entries: list[int] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)

    @property
    def pages(self) -> int:
        return max(1, -(-self.count // MOST_LINES))


def _bills() -> Any:
    undecided = (
        select(func.count(CarrierBillLine.id))
        .where(CarrierBillLine.bill_id == CarrierBill.id, _UNDECIDED)
        .correlate(CarrierBill)
        .scalar_subquery()
    )
    return (
        select(CarrierBill, Carrier.name.label("carrier"), Site.name.label("site"), Entity.realm, undecided.label("undecided"))
        .select_from(CarrierBill)
        .join(Carrier, Carrier.id == CarrierBill.carrier_id)
        .join(Site, Site.id == CarrierBill.site_id)
        .join(Entity, Entity.id == CarrierBill.entity_id)
    )  # fmt: skip


def _bill(found: Any) -> BillRow:
    one: CarrierBill = found.CarrierBill
    named = {"carrier", "site", "realm", "open_lines"}
    facts = {name: getattr(one, name) for name in BillRow.__dataclass_fields__.keys() - named}
    waits = one.state == BillState.RECEIVED
    return BillRow(
        **facts,
        carrier=found.carrier,
        site=found.site,
        realm=found.realm,
        open_lines=int(found.undecided) if waits else 0,
    )


#: All bills, the newest first. ``waiting``: those with a line that waits for somebody's word.
BILLS: SqlList[BillRow] = SqlList(
    select=_bills, row=_bill, tie=(CarrierBill.id,), usual="-taken", site=CarrierBill.site_id, realm=Entity.realm,
    by=("state", CarrierBill.state), flags=("waiting",), text=(CarrierBill.number, Carrier.name, CarrierBill.file_name),
    sorts={
        "number": CarrierBill.number, "carrier": Carrier.name, "taken": CarrierBill.taken_at, "billed": CarrierBill.billed_on,
        "net": CarrierBill.net_minor, "owed": CarrierBill.owed_minor,
    },
    wanted={
        "state": lambda value, _: CarrierBill.state == value,
        "carrier": lambda value, _: CarrierBill.carrier_id == value,
        "waiting": lambda _value, _eyes: (CarrierBill.state == BillState.RECEIVED) & (
            select(CarrierBillLine.id).where(CarrierBillLine.bill_id == CarrierBill.id, _UNDECIDED).exists()
        ),
        "shipment": lambda value, _: (
            select(CarrierBillLine.id)
            .where(CarrierBillLine.bill_id == CarrierBill.id, CarrierBillLine.shipment_id == value)
            .exists()
        ),
    },
)  # fmt: skip


def bill_row(session: Session, actor: Actor, bill: int) -> BillRow:
    """One bill; raises ``NotFound`` for an unknown one and another site's."""
    found = BILLS.one(session, actor, bill)
    if found is None:
        raise NotFound("carrier_bill_unknown", id=bill)
    return found


def bill_of(session: Session, actor: Actor, line: int) -> BillRow:
    """The bill of a line; raises ``NotFound`` for an unknown line and another site's."""
    bill = session.scalar(select(CarrierBillLine.bill_id).where(CarrierBillLine.id == line))
    if bill is None:
        raise NotFound("carrier_bill_line_unknown", id=line)
    return bill_row(session, actor, bill)


def bill_line(session: Session, line: int) -> BillLineFact:
    """One line; raises ``NotFound``. Whoever asks has asked for its bill before."""
    found = session.execute(_lines().where(CarrierBillLine.id == line)).one_or_none()
    if found is None:
        raise NotFound("carrier_bill_line_unknown", id=line)
    return _line(found)


def bill_page(session: Session, actor: Actor, bill: int, *, page: int | None = 1, result: str = "") -> BillPage:
    """A bill with the lines of one page, all of them for ``None``, of one result where it is named."""
    row = bill_row(session, actor, bill)
    mine = [CarrierBillLine.bill_id == bill]
    results = Counter[str]()
    counted = select(CarrierBillLine.result, func.count()).where(*mine).group_by(CarrierBillLine.result)
    for found, count in session.execute(counted):
        results[found or ""] = count
    if result in RESULTS:
        mine.append(CarrierBillLine.result == result)
    query = _lines().where(*mine).order_by(CarrierBillLine.line_no)
    if page is not None:
        query = query.limit(MOST_LINES).offset((page - 1) * MOST_LINES)
    return BillPage(
        row=row, results={one: results[one] for one in RESULTS if results[one]}, lines=[_line(one) for one in session.execute(query)],
        count=results[result] if result in RESULTS else sum(results.values()), expected_minor=_expected(session, bill),
        entries=_entries(session, bill), steps=steps_of(session, {"carrier_bill": [bill]}),
    )  # fmt: skip


def shipment_named(session: Session, entity: int, number: str) -> int | None:
    """The id of the company's shipment of this number."""
    return session.scalar(select(Shipment.id).where(Shipment.entity_id == entity, Shipment.number == number))


def _lines() -> Any:
    return select(CarrierBillLine, Shipment.number.label("shipment")).join(
        Shipment, Shipment.id == CarrierBillLine.shipment_id, isouter=True
    )


def _line(found: Any) -> BillLineFact:
    names = BillLineFact.__dataclass_fields__.keys() - {"shipment"}
    return BillLineFact(
        **{name: getattr(found.CarrierBillLine, name) for name in names}, shipment=found.shipment
    )  # fmt: skip


def _expected(session: Session, bill: int) -> int:
    """What was expected for the shipments of a bill, each once."""
    each = (
        select(func.max(CarrierBillLine.expected_minor).label("minor"))
        .where(CarrierBillLine.bill_id == bill, CarrierBillLine.shipment_id.is_not(None))
        .group_by(CarrierBillLine.shipment_id)
        .subquery()
    )
    return int(session.scalar(select(func.coalesce(func.sum(each.c.minor), 0))) or 0)


def _entries(session: Session, bill: int) -> list[int]:
    """The first entries that a bill posted; the ledger has them all."""
    lines = select(CarrierBillLine.id).where(CarrierBillLine.bill_id == bill)
    query = select(JournalEntry.id).where(
        JournalEntry.document_type == "carrier_bill_line", JournalEntry.document_id.in_(lines)
    )
    return list(session.scalars(query.order_by(JournalEntry.id).limit(6)))

"""Where did both sides start, and what came to them meanwhile from elsewhere? Stock, expected receipts and debts, worked out backwards.

What there is now less all that moved since the start is what there was. Of what moved, the goods of the replayed orders are left out:
each side sends those itself. All other movements, receipts and payments come to both sides when they really came.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.composition.replaying.inputs import Inputs
from erpcore.billing.models import Invoice, ReceiptApplication
from erpcore.credit.models import CreditExposure, Receivable
from erpcore.fulfilment.models import Shipment
from erpcore.inventory.balances import Place
from erpcore.inventory.documents import ExpectedReceipt, GoodsReceipt, GoodsReceiptLine
from erpcore.inventory.models import Reservation, StockBalance, StockMove
from erpcore.kernel.rows import chunks, raw_columns


class Moved(NamedTuple):
    """So much came to a place, or left it, for others."""

    at: datetime
    site: int
    item: int
    quantity: int


class Came(NamedTuple):
    """So much of an expected receipt has come."""

    at: datetime
    receipt: int
    quantity: int


class Paid(NamedTuple):
    """A customer paid so much: of a document from before the start, or (``order``) of a replayed order."""

    at: datetime
    customer: int
    document: int
    order: int | None
    amount: int


@dataclass
class Start:
    """What both sides begin with, and what comes to both from elsewhere. ``owed``: [open, shipped, released] by customer."""

    free: dict[Place, int] = field(default_factory=dict)
    expected: list[tuple[datetime, tuple[Any, ...]]] = field(default_factory=list)
    owed: dict[int, list[int]] = field(default_factory=dict)
    receivables: list[tuple[Any, ...]] = field(default_factory=list)
    moved: list[Moved] = field(default_factory=list)
    came: list[Came] = field(default_factory=list)
    paid: list[Paid] = field(default_factory=list)

    def said(self) -> Iterator[Any]:
        """What goes into the hash of the inputs."""
        yield sorted([*place, quantity] for place, quantity in self.free.items())
        yield [[at, list(row)] for at, row in self.expected]
        yield sorted([key, *parts] for key, parts in self.owed.items())
        for one in (self.receivables, self.moved, self.came, self.paid):
            yield [list(row) for row in one]


#: Columns of an expected receipt and of a receivable, in the order in which the rows are kept here.
EXPECTED = tuple(column.name for column in ExpectedReceipt.__table__.columns)
RECEIVABLE = tuple(column.name for column in Receivable.__table__.columns)


def read_start(session: Session, inputs: Inputs, since: datetime, until: datetime) -> Start:
    """Work out how it was at ``since``, and what came from elsewhere until ``until``."""
    start = Start()
    _stock(session, inputs, since, until, start)
    _receipts(session, inputs, since, until, start)
    _debts(session, inputs, since, until, start)
    return start


def _stock(session: Session, inputs: Inputs, since: datetime, until: datetime, start: Start) -> None:
    own = {
        key
        for part in chunks(inputs.ids)
        for key in session.scalars(select(Shipment.id).where(Shipment.order_id.in_(part)))
    }
    sites = sorted(inputs.sites)
    free: dict[Place, int] = defaultdict(int)
    for part in chunks(sorted(inputs.items)):
        rows = session.execute(
            select(*raw_columns(StockBalance, "site_id", "item_id", "on_hand", "reserved", "blocked")).where(
                StockBalance.site_id.in_(sites), StockBalance.item_id.in_(part)
            )
        )
        for row in rows:
            free[row.site_id, row.item_id] += row.on_hand - row.reserved - row.blocked
        moves = select(
            *raw_columns(StockMove, "id", "moved_at", "site_id", "item_id", "quantity", "document_type", "document_id")
        ).where(StockMove.item_id.in_(part), StockMove.site_id.in_(sites), StockMove.moved_at >= since)
        for row in session.execute(moves.order_by(StockMove.moved_at, StockMove.id)):
            free[row.site_id, row.item_id] -= row.quantity
            is_own = row.document_type == "shipment" and row.document_id in own
            if not is_own and row.moved_at < until:
                start.moved.append(Moved(row.moved_at, row.site_id, row.item_id, row.quantity))
    # What is kept for the replayed orders today was free then.
    for part in chunks(sorted(inputs.lines)):
        rows = session.execute(
            select(
                *raw_columns(Reservation, "site_id", "item_id", "quantity", "consumed", "freed")
            ).where(Reservation.order_line_id.in_(part), Reservation.quantity > 0)
        )  # fmt: skip
        for row in rows:
            free[row.site_id, row.item_id] += row.quantity - row.consumed - row.freed
    start.moved.sort()
    start.free = {place: max(0, quantity) for place, quantity in free.items()}


def _receipts(session: Session, inputs: Inputs, since: datetime, until: datetime, start: Start) -> None:
    """Expected receipts as they were known, each with what of it had come by then."""
    received = EXPECTED.index("received")
    later: dict[int, int] = defaultdict(int)
    for part in chunks(sorted(inputs.items)):
        query = (
            select(GoodsReceipt.received_at, *raw_columns(GoodsReceiptLine, "expected_receipt_id", "quantity"))
            .join(GoodsReceiptLine, GoodsReceiptLine.receipt_id == GoodsReceipt.id)
            .where(
                GoodsReceiptLine.item_id.in_(part), GoodsReceiptLine.expected_receipt_id.is_not(None),
                GoodsReceipt.received_at >= since,
            )
        )  # fmt: skip
        for at, receipt, quantity in session.execute(query):
            later[receipt] += quantity
            if at < until:
                start.came.append(Came(at, receipt, quantity))
        rows = session.execute(
            select(*raw_columns(ExpectedReceipt)).where(
                ExpectedReceipt.item_id.in_(part), ExpectedReceipt.site_id.in_(sorted(inputs.sites)),
                ExpectedReceipt.entered_at < until,
            )
        )  # fmt: skip
        for row in rows:
            came = max(0, row.received - later[row.id])
            if row.quantity - came - row.cancelled > 0:
                values = list(row)
                values[received] = came
                start.expected.append((max(row.entered_at, since), tuple(values)))
    start.came.sort()
    start.expected.sort(key=lambda one: (one[0], one[1][0]))


def _debts(session: Session, inputs: Inputs, since: datetime, until: datetime, start: Start) -> None:
    """What the customers owed: documents of before as far as they were open then, and orders of before that are not replayed."""
    buyers = sorted(inputs.customers)
    own = set(inputs.ids)
    for part in chunks(buyers):
        for row in session.execute(
            select(CreditExposure.customer_id, CreditExposure.shipped_minor, CreditExposure.released_minor).where(
                CreditExposure.customer_id.in_(part)
            )
        ):
            mine = inputs.counted.get(row.customer_id, [0, 0])
            start.owed[row.customer_id] = [
                0, max(0, row.shipped_minor - mine[0]), max(0, row.released_minor - mine[1]),
            ]  # fmt: skip
        paid = _payments(session, part, since)
        docs = [row for query in _documents(part, {one.document for one in paid}) for row in session.execute(query)]
        bills = _bills(session, {row.document_id for row in docs} | {one.document for one in paid})
        again: dict[int, int] = defaultdict(int)
        for one in paid:
            posted, order = bills.get(one.document, (None, None))
            if order in own:
                start.paid.append(one._replace(order=order))
            elif posted is not None and posted < since:
                again[one.document] += one.amount
                start.paid.append(one)
        open_minor = RECEIVABLE.index("open_minor")
        for row in {row.document_id: row for row in docs}.values():
            posted, order = bills.get(row.document_id, (since, None))
            if order in own or (row.document_id in bills and (posted is None or posted >= since)):
                continue
            values = list(row)
            values[open_minor] += again[row.document_id]
            if values[open_minor]:
                start.receivables.append(tuple(values))
                start.owed.setdefault(row.customer_id, [0, 0, 0])[0] += values[open_minor]
    start.paid = sorted(one for one in start.paid if one.at < until)
    start.receivables.sort()


def _payments(session: Session, buyers: Sequence[int], since: datetime) -> list[Paid]:
    query = (
        select(
            ReceiptApplication.applied_at,
            Invoice.customer_id,
            ReceiptApplication.invoice_id,
            ReceiptApplication.amount_minor,
        )
        .join(Invoice, Invoice.id == ReceiptApplication.invoice_id)
        .where(Invoice.customer_id.in_(buyers), ReceiptApplication.applied_at >= since)
        .order_by(ReceiptApplication.applied_at, ReceiptApplication.id)
    )
    return [Paid(at, customer, document, None, amount) for at, customer, document, amount in session.execute(query)]


def _documents(buyers: Sequence[int], paid: Iterable[int]) -> Iterator[Any]:
    """What is open of these customers, and what was paid meanwhile."""
    query = select(*raw_columns(Receivable))
    yield query.where(Receivable.customer_id.in_(buyers), Receivable.open_minor != 0)
    for part in chunks(sorted(paid)):
        yield query.where(Receivable.document_id.in_(part))


def _bills(session: Session, documents: Iterable[int]) -> dict[int, tuple[datetime | None, int | None]]:
    found: dict[int, tuple[datetime | None, int | None]] = {}
    for part in chunks(sorted(documents)):
        rows = session.execute(select(Invoice.id, Invoice.posted_at, Invoice.order_id).where(Invoice.id.in_(part)))
        found |= {row.id: (row.posted_at, row.order_id) for row in rows}
    return found

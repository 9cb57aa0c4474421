"""When is a document in trouble, and in which queue? One query for each queue; no document is in two.

An order that a person stopped is blocked; one with a short line is short; past its promise it is late; when nothing of
that is so and yet nobody took the next step for a day, it is stuck.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    String,
    and_,
    case,
    cast,
    exists,
    func,
    literal_column,
    not_,
    null,
    or_,
    select,
    text,
    union_all,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from app.composition.cases import Queue, Subject
from app.queries.bounded import OPEN_ORDER
from app.queries.short import HAS_STOCK, LACKS, has_short_line
from app.security.roles import Role
from erpcore.billing.disputes.models import Dispute, DisputeReason
from erpcore.billing.freight.models import CarrierBill, CarrierBillLine
from erpcore.billing.models import Invoice
from erpcore.billing.settling.models import Payout, PayoutLine, SettlementPartner
from erpcore.fulfilment.carriers.models import Carrier, Trouble
from erpcore.fulfilment.models import ReturnOrder, Shipment
from erpcore.inventory.documents import CountTask, ExpectedReceipt, StockAdjustment, StockArrival
from erpcore.inventory.models import StockBin
from erpcore.kernel.model import UtcDateTime
from erpcore.masterdata.models import Customer, Entity, Item
from erpcore.orders.models import OrderHold, OrderLine, SalesOrder

#: So long nobody needs to have taken the next step of a document.
STUCK = timedelta(days=1)
#: Returns travel, so they may take longer.
STUCK_RETURN = timedelta(days=3)


def _word(value: str) -> Any:
    """A constant of the statement's own: the same expression everywhere, also to PostgreSQL."""
    return literal_column(f"'{value}'", String)


def _nothing(kind: Any) -> Any:
    return cast(null(), kind)


_OPEN_LINE = and_(
    OrderLine.order_id == SalesOrder.id, OrderLine.shipped + OrderLine.cancelled < OrderLine.quantity
)  # fmt: skip
_UNALLOCATED = and_(_OPEN_LINE, HAS_STOCK, LACKS > 0)


def _overdue(now: datetime) -> ColumnElement[bool]:
    return exists().where(_OPEN_LINE, OrderLine.promised_due_at < now).correlate(SalesOrder)


def _due() -> Any:
    return select(func.min(OrderLine.promised_due_at)).where(_OPEN_LINE).correlate(SalesOrder).scalar_subquery()


def _orders(queue: Queue, role: Role, *, since: Any, cause: Any, when: Any) -> Any:
    return (
        select(
            _word(queue).label("queue"), _word(Subject.ORDER).label("subject"), SalesOrder.id.label("id"),
            SalesOrder.id.label("link_id"), SalesOrder.number.label("number"), SalesOrder.site_id.label("site_id"),
            Customer.name.label("customer"), cast(cause, String).label("cause"), since.label("since"), _due().label("due_at"),
            SalesOrder.value_minor.label("value_minor"), SalesOrder.currency.label("currency"), _word(role).label("role"),
            _nothing(BigInteger).label("person"),
        )
        .select_from(SalesOrder)
        .join(Customer, Customer.id == SalesOrder.customer_id, isouter=True)
        .where(OPEN_ORDER, when)
    )  # fmt: skip


def _of(
    queue: Queue, subject: Subject, role: Any, table: Any, *, number: Any, cause: Any, since: Any, link: Any = None,
    customer: Any = None, due: Any = None, value: Any = None, currency: Any = None, person: Any = None,
) -> Any:  # fmt: skip
    return select(
        _word(queue).label("queue"), _word(subject).label("subject"), table.id.label("id"),
        (table.id if link is None else link).label("link_id"), number.label("number"), table.site_id.label("site_id"),
        (_word("") if customer is None else customer).label("customer"), cast(cause, String).label("cause"),
        since.label("since"), (_nothing(UtcDateTime()) if due is None else due).label("due_at"),
        (_nothing(BigInteger) if value is None else value).label("value_minor"),
        (_word("") if currency is None else currency).label("currency"),
        (_word(role) if isinstance(role, Role) else role).label("role"),
        (_nothing(BigInteger) if person is None else person).label("person"),
    ).select_from(table)  # fmt: skip


def blocked(now: datetime) -> list[Any]:
    """Orders that a hold stops, and invoices that may not be posted."""
    del now
    open_hold = and_(OrderHold.order_id == SalesOrder.id, OrderHold.released_at.is_(None))
    since = select(func.min(OrderHold.since)).where(open_hold).correlate(SalesOrder).scalar_subquery()
    kind = select(func.min(OrderHold.kind)).where(open_hold).correlate(SalesOrder).scalar_subquery()
    invoices = _of(
        Queue.BLOCKED, Subject.INVOICE, Role.FINANCE, Invoice, number=SalesOrder.number, cause=Invoice.block_reason,
        since=Invoice.drafted_at, customer=Customer.name, value=Invoice.gross_minor, currency=Invoice.currency,
    )  # fmt: skip
    return [
        _orders(
            Queue.BLOCKED, Role.SITE_LEAD, since=func.coalesce(since, SalesOrder.captured_at, type_=UtcDateTime()),
            cause=func.coalesce(kind, _word("held")), when=SalesOrder.state == "held",
        ),
        invoices.join(SalesOrder, SalesOrder.id == Invoice.order_id)
        .join(Customer, Customer.id == Invoice.customer_id)
        .where(text("invoice.state <> 'posted'"), Invoice.state == "blocked"),
    ]  # fmt: skip


def short(now: datetime) -> list[Any]:
    """Orders with a line that is short."""
    del now
    return [
        _orders(
            Queue.SHORT, Role.SUPER_USER, since=SalesOrder.captured_at, cause=_word("stock does not cover it"),
            when=has_short_line(),
        )
    ]  # fmt: skip


def late(now: datetime) -> list[Any]:
    """Orders past a promise, shipments that the carrier delays, and goods that should have come."""
    delayed, worse = _troubles()
    shipments = _shipments(Queue.LATE, _word("delayed by the carrier"), and_(delayed, not_(worse)))
    expected = _of(
        Queue.LATE, Subject.EXPECTED, Role.WAREHOUSE_SUPERVISOR, ExpectedReceipt, number=Item.code, cause=ExpectedReceipt.source,
        since=_DayStart(ExpectedReceipt.expected_on),
    ).join(Item, Item.id == ExpectedReceipt.item_id)  # fmt: skip
    return [
        _orders(
            Queue.LATE, Role.CUSTOMER_SERVICE, since=_due(), cause=_word("past its promise"),
            when=and_(SalesOrder.state.in_(("captured", "released")), _overdue(now), not_(has_short_line())),
        ),
        shipments,
        expected.where(
            ExpectedReceipt.received + ExpectedReceipt.cancelled < ExpectedReceipt.quantity,
            ExpectedReceipt.expected_on < now.date(),
        ),
        _disputes(Queue.LATE, _DayStart(Dispute.due_on)).where(Dispute.due_on < now.date()),
    ]  # fmt: skip


def stuck(now: datetime) -> list[Any]:
    """Documents and received goods whose next step nobody took for a day, and shipments that came to grief on the way."""
    before = now - STUCK
    _, worse = _troubles()
    waits = or_(
        SalesOrder.state == "captured",
        and_(SalesOrder.state == "released", exists().where(_UNALLOCATED).correlate(SalesOrder)),
    )
    bills = _of(
        Queue.STUCK, Subject.BILL, Role.BILLING, Shipment, number=Shipment.number, cause=_word("not billed"), link=SalesOrder.id,
        since=Shipment.invoice_due_at, customer=Customer.name, value=SalesOrder.value_minor, currency=SalesOrder.currency,
    )  # fmt: skip
    drafts = _of(
        Queue.STUCK, Subject.INVOICE, Role.BILLING, Invoice, number=SalesOrder.number, cause=_word("draft not posted"),
        since=Invoice.drafted_at, customer=Customer.name, value=Invoice.gross_minor, currency=Invoice.currency,
    )  # fmt: skip
    returns = _of(
        Queue.STUCK, Subject.RETURN, Role.SITE_LEAD, ReturnOrder, number=ReturnOrder.number, cause=ReturnOrder.state,
        since=ReturnOrder.requested_at, customer=Customer.name,
    )  # fmt: skip
    received = _of(
        Queue.STUCK, Subject.PUT_AWAY, Role.WAREHOUSE_SUPERVISOR, StockArrival, number=Item.code + " of " + StockArrival.number,
        cause=_word("received, not put away"), since=StockArrival.arrived_at, link=StockBin.id,
    )  # fmt: skip
    return [
        _orders(
            Queue.STUCK, Role.CUSTOMER_SERVICE, since=SalesOrder.captured_at,
            cause=case((SalesOrder.state == "captured", _word("not released")), else_=_word("not allocated")),
            when=and_(waits, SalesOrder.captured_at < before, not_(_overdue(now)), not_(has_short_line())),
        ),
        _shipments(Queue.STUCK, _word("refused or lost on the way"), worse),
        _shipments(
            Queue.STUCK, _word("picked, not shipped"),
            and_(Shipment.state == "picked", Shipment.picked_at < before, not_(or_(*_troubles()))), since=Shipment.picked_at,
        ),
        bills.join(SalesOrder, SalesOrder.id == Shipment.order_id)
        .join(Customer, Customer.id == SalesOrder.customer_id)
        .where(text("shipment.invoice_id IS NULL AND shipment.invoice_due_at IS NOT NULL"), Shipment.invoice_due_at < before),
        drafts.join(SalesOrder, SalesOrder.id == Invoice.order_id)
        .join(Customer, Customer.id == Invoice.customer_id)
        .where(text("invoice.state <> 'posted'"), Invoice.state == "draft", Invoice.drafted_at < before),
        returns.join(Customer, Customer.id == ReturnOrder.customer_id).where(
            ReturnOrder.state.in_(("requested", "waiting", "authorised", "received", "inspected")), ReturnOrder.requested_at < now - STUCK_RETURN
        ),
        received.join(Item, Item.id == StockArrival.item_id)
        .join(
            StockBin,
            and_(
                StockBin.site_id == StockArrival.site_id, StockBin.item_id == StockArrival.item_id,
                StockBin.slot == StockArrival.slot,
            ),
        )
        .where(StockArrival.put_away < StockArrival.quantity, StockArrival.arrived_at < before),
    ]  # fmt: skip


def variance(now: datetime) -> list[Any]:
    """Differences that somebody must decide on: counts, corrections of the book, what customers deduct or object to, and
    what of payouts is not explained, and what carriers bill otherwise than expected.
    """
    # On its last day it is neither late nor still ahead.
    ahead = case((Dispute.due_on > now.date(), _DayStart(Dispute.due_on)), else_=null())
    counts = _of(
        Queue.VARIANCE, Subject.COUNT, Role.SITE_LEAD, CountTask, number=Item.code, cause=_word("count differs from the book"),
        since=func.coalesce(CountTask.recounted_at, CountTask.counted_at, type_=UtcDateTime()),
    )  # fmt: skip
    adjustments = _of(
        Queue.VARIANCE, Subject.ADJUSTMENT, Role.SITE_LEAD, StockAdjustment, number=Item.code, cause=StockAdjustment.reason_code,
        since=StockAdjustment.asked_at, value=func.abs(StockAdjustment.value_minor), currency=Entity.currency,
    )  # fmt: skip
    return [
        counts.join(Item, Item.id == CountTask.item_id).where(CountTask.state == "proposed"),
        adjustments.join(Item, Item.id == StockAdjustment.item_id)
        .join(Entity, Entity.id == StockAdjustment.entity_id)
        .where(StockAdjustment.state == "proposed"),
        _disputes(Queue.VARIANCE, cast(ahead, UtcDateTime())).where(Dispute.due_on >= now.date()),
        _payout_lines(),
        _carrier_lines(),
    ]


def _payout_lines() -> Any:
    """Lines of payouts that nobody has explained, posted or not."""
    return (
        _of(
            Queue.VARIANCE, Subject.PAYOUT_LINE, Role.FINANCE, PayoutLine, number=Payout.reference, cause=PayoutLine.explanation,
            since=PayoutLine.received_at, link=PayoutLine.payout_id, customer=SettlementPartner.name,
            value=func.abs(PayoutLine.open_minor), currency=Payout.currency,
        )
        .join(Payout, Payout.id == PayoutLine.payout_id)
        .join(SettlementPartner, SettlementPartner.id == PayoutLine.partner_id)
        .where(text("settlement_line.open_minor <> 0"))
    )  # fmt: skip


def _carrier_lines() -> Any:
    """Lines of carriers' bills that are not as expected and that nobody has decided on."""
    return (
        _of(
            Queue.VARIANCE, Subject.CARRIER_LINE, Role.FINANCE, CarrierBillLine, number=CarrierBill.number,
            cause=CarrierBillLine.explanation, since=CarrierBillLine.received_at, link=CarrierBillLine.bill_id,
            customer=Carrier.name, value=func.abs(CarrierBillLine.amount_minor), currency=CarrierBill.currency,
        )
        .join(CarrierBill, CarrierBill.id == CarrierBillLine.bill_id)
        .join(Carrier, Carrier.id == CarrierBill.carrier_id)
        .where(
            text("carrier_bill_line.decision IS NULL AND carrier_bill_line.result <> 'matched'"), CarrierBill.state == "received"
        )
    )  # fmt: skip


def _disputes(queue: Queue, due: Any) -> Any:
    """What customers deduct or object to and nobody settled; each has an owner of its own, whatever rules the queue has."""
    return (
        _of(
            queue, Subject.DISPUTE, Dispute.owner_role, Dispute, number=Dispute.number, cause=DisputeReason.title,
            since=Dispute.raised_at, due=due, customer=Customer.name, value=Dispute.open_minor, currency=Dispute.currency,
            person=Dispute.owner_id,
        )
        .join(Customer, Customer.id == Dispute.customer_id)
        .join(DisputeReason, DisputeReason.code == Dispute.reason_code)
        .where(text("dispute.open_minor > 0"))
    )  # fmt: skip


def _troubles() -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Whether a shipment is delayed, and whether it was refused or lost: reports of the carrier that are open."""
    # Asked from the few reports that are open, not from each shipment there ever was.
    reported = select(Trouble.shipment_id).where(text("shipment_trouble.resolved_at IS NULL"))
    return (
        Shipment.id.in_(reported.where(Trouble.kind == "delayed")),
        Shipment.id.in_(reported.where(Trouble.kind != "delayed")),
    )


def _shipments(queue: Queue, cause: Any, when: Any, *, since: Any = None) -> Any:
    mine = and_(Trouble.shipment_id == Shipment.id, Trouble.resolved_at.is_(None))
    opened = select(func.min(Trouble.opened_at)).where(mine).correlate(Shipment).scalar_subquery()
    looked = select(func.min(Trouble.due_at)).where(mine).correlate(Shipment).scalar_subquery()
    return (
        _of(
            queue, Subject.SHIPMENT, Role.WAREHOUSE_SUPERVISOR, Shipment, number=Shipment.number, cause=cause,
            since=opened if since is None else since, due=looked, customer=Customer.name, value=SalesOrder.value_minor,
            currency=SalesOrder.currency,
        )
        .join(SalesOrder, SalesOrder.id == Shipment.order_id, isouter=True)
        .join(Customer, Customer.id == SalesOrder.customer_id, isouter=True)
        .where(when)
    )  # fmt: skip


class _DayStart(FunctionElement[datetime]):
    """The instant at which a day begins in UTC."""

    type = UtcDateTime()
    inherit_cache = True
    name = "day_start"


@compiles(_DayStart)
def _in_sql(element: Any, compiler: Any, **options: Any) -> str:
    return f"CAST({compiler.process(element.clauses, **options)} AS TIMESTAMP WITH TIME ZONE)"


@compiles(_DayStart, "sqlite")
def _in_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    return f"({compiler.process(element.clauses, **options)} || ' 00:00:00.000000')"


def everything(now: datetime) -> Any:
    """All documents in trouble as of now: the columns of the queues as one subquery."""
    queues = (blocked, short, late, stuck, variance)
    return union_all(*(part for parts in queues for part in parts(now))).subquery("trouble")

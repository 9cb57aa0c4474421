"""Which invoices are due, drafted, blocked, posted, and what was given back? The lists of billing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, func, select, text, type_coerce
from sqlalchemy.orm import Session

from app.queries.billing import InvoiceRow, invoice_row, row_columns
from app.queries.listing import Asked, Found, Position, SqlList
from app.queries.worked_out import AskedList
from erpcore.billing.checking import mark_of
from erpcore.billing.models import CreditMemo, Invoice
from erpcore.credit.models import Receivable
from erpcore.fulfilment.models import Shipment
from erpcore.kernel.actor import Actor
from erpcore.kernel.model import UtcDateTime
from erpcore.masterdata.models import Customer, Entity, Site
from erpcore.orders.models import SalesOrder

#: What the board shows, in the order of the work: shipments that left and are not due yet, those that are, then invoices by state.
SHIPPED, BILLED = ("waiting", "due"), ("draft", "blocked", "posted")
LANES = (*SHIPPED, *BILLED)


def _invoices() -> Any:
    return (
        row_columns()
        .select_from(Invoice)
        .join(SalesOrder, SalesOrder.id == Invoice.order_id, isouter=True)
        .join(Customer, Customer.id == Invoice.customer_id, isouter=True)
        .join(Site, Site.id == Invoice.site_id, isouter=True)
        .join(Receivable, Receivable.document_id == Invoice.id, isouter=True)
    )


#: As the partial index of shipments to be billed says it, so that both databases use it.
_TO_BILL = text("shipment.invoice_id IS NULL AND shipment.invoice_due_at IS NOT NULL")
#: As the partial index of what is not posted says it.
_UNPOSTED = text("invoice.state <> 'posted'")
#: As the partial index of what is owed says it.
_OWED = text("receivable.open_minor <> 0")


#: As the partial index of shipments that left and are not due yet says it.
_NOT_DUE = text(
    "shipment.invoice_id IS NULL AND shipment.invoice_due_at IS NULL AND shipment.state <> 'picked' AND shipment.confirmed_at IS NOT NULL"
)


def _shipments(which: Any) -> Any:
    return (
        select(
            Shipment, SalesOrder.number.label("order"), SalesOrder.currency, Customer.name.label("customer"),
            Site.name.label("site"),
        )
        .select_from(Shipment)
        .join(SalesOrder, SalesOrder.id == Shipment.order_id, isouter=True)
        .join(Customer, Customer.id == SalesOrder.customer_id, isouter=True)
        .join(Site, Site.id == Shipment.site_id, isouter=True)
        .where(which)
    )  # fmt: skip


def _due() -> Any:
    return _shipments(_TO_BILL)


def _waiting() -> Any:
    return _shipments(_NOT_DUE)


def _due_row(row: Any) -> InvoiceRow:
    shipment: Shipment = row.Shipment
    is_due = shipment.invoice_due_at is not None
    return InvoiceRow(
        id=shipment.id, number=shipment.number, order_id=shipment.order_id, order=row.order, customer=row.customer,
        site=row.site, state="due" if is_due else "waiting", note=None if is_due else _what_for(shipment),
        at=shipment.invoice_due_at or shipment.bill_after, due_on=None, currency=row.currency, gross_minor=None, open_minor=None,
        version=shipment.version,
    )  # fmt: skip


def _what_for(shipment: Shipment) -> str:
    """What must happen before the invoice of these goods is due."""
    if shipment.bill_after is not None:
        return "billed with its period"
    return "billed with the whole order" if shipment.bill_with is not None else "billed once delivered"


#: When an invoice was posted, where all are: no nulls to be put anywhere, so that the rows come in the order of their index.
_POSTED_AT: Any = type_coerce(Invoice.posted_at, UtcDateTime())
_POSTED_AT.nullable = False

_INVOICES: SqlList[InvoiceRow] = SqlList(
    select=_invoices, row=invoice_row, tie=(Invoice.id,), usual="-at", site=Invoice.site_id, company=Invoice.entity_id,
    by=("lane", Invoice.state), words=BILLED, flags=("overdue",), text=(Invoice.number, SalesOrder.number, Customer.name, Customer.code),
    sums={"Gross": Invoice.gross_minor, "Open": Receivable.open_minor}, currency=Invoice.currency,
    sorts={
        "number": Invoice.number, "customer": Customer.name, "due_on": Invoice.due_on, "gross": Invoice.gross_minor,
        "open": Receivable.open_minor, "at": func.coalesce(Invoice.posted_at, Invoice.drafted_at),
    },
    wanted={
        "lane": lambda value, _: Invoice.state == value,
        "doubt": lambda value, _: and_(_UNPOSTED, Invoice.findings.contains(mark_of(str(value)), autoescape=True)),
        "overdue": lambda _value, eyes: and_(_OWED, Receivable.open_minor > 0, Receivable.due_on < eyes.now.date()),
    },
)  # fmt: skip
_POSTED = replace(_INVOICES, sorts={**_INVOICES.sorts, "at": _POSTED_AT})
_DUE: SqlList[InvoiceRow] = SqlList(
    select=_due, row=_due_row, tie=(Shipment.id,), usual="at", site=Shipment.site_id, company=Shipment.entity_id, is_long=True,
    sorts={"number": Shipment.number, "customer": Customer.name, "at": Shipment.invoice_due_at},
    text=(Shipment.number, SalesOrder.number, Customer.name),
)  # fmt: skip

_WAITING: SqlList[InvoiceRow] = replace(
    _DUE, select=_waiting, sorts={**_DUE.sorts, "at": func.coalesce(Shipment.bill_after, Shipment.confirmed_at)}
)


def _of_due(asked: Asked) -> Asked:
    """What the filters of invoices mean for shipments that have none yet; the longest due first unless asked otherwise."""
    values = {name: value for name, value in asked.values.items() if name not in ("lane", "overdue", "doubt")}
    return replace(asked, values=values, sort="at" if asked.sort == "-at" else asked.sort)


#: The lanes of shipments that have no invoice yet.
_SHIPPED = dict(zip(SHIPPED, (_WAITING, _DUE), strict=True))


def _source(asked: Asked) -> SqlList[InvoiceRow]:
    return _POSTED if asked.values.get("lane") == "posted" else _INVOICES


def _page(session: Session, actor: Actor, asked: Asked, now: datetime) -> Found[InvoiceRow]:
    lane = str(asked.values.get("lane", ""))
    if lane in _SHIPPED:
        found = _SHIPPED[lane].page(session, actor, _of_due(asked), now)
        counts: Mapping[str, Mapping[Any, int]] = _INVOICES.counted(session, actor, asked, now)[0]
    else:
        found = _source(asked).page(session, actor, asked, now)
        counts = found.counts
    shipped = {
        name: found.total if name == lane else source.counted(session, actor, _of_due(asked), now)[1]
        for name, source in _SHIPPED.items()
    }
    return replace(found, counts={**counts, "lane": {**counts.get("lane", {}), **shipped}})


def _every(session: Session, actor: Actor, asked: Asked, now: datetime) -> Iterator[InvoiceRow]:
    lane = str(asked.values.get("lane", ""))
    if lane in _SHIPPED:
        return _SHIPPED[lane].every(session, actor, _of_due(asked), now)
    return _source(asked).every(session, actor, asked, now)


def _behind(
    session: Session, actor: Actor, asked: Asked, now: datetime, after: Position, limit: int
) -> list[InvoiceRow]:
    lane = str(asked.values.get("lane", ""))
    if lane in _SHIPPED:
        return _SHIPPED[lane].after(session, actor, _of_due(asked), now, after=after, limit=limit)
    return _INVOICES.after(session, actor, asked, now, after=after, limit=limit)


#: The board of billing, one lane at a time.
INVOICES: AskedList[InvoiceRow] = AskedList(sorts=_INVOICES.sorts, one_page=_page, all_rows=_every, behind=_behind)


@dataclass(frozen=True, kw_only=True)
class MemoRow:
    """One credit memo of the list."""

    id: int
    number: str
    customer: str
    site: str
    reason: str
    fault: str
    unlinked: str | None
    credit_on: date
    currency: str
    gross_minor: int


def _memos() -> Any:
    return (
        select(CreditMemo, Customer.name.label("customer"), Site.name.label("site"))
        .select_from(CreditMemo)
        .join(Customer, Customer.id == CreditMemo.customer_id)
        .join(Site, Site.id == CreditMemo.site_id)
        .join(Entity, Entity.id == CreditMemo.entity_id)
    )


def _memo_row(row: Any) -> MemoRow:
    memo: CreditMemo = row.CreditMemo
    return MemoRow(
        id=memo.id, number=memo.number or "Credit memo", customer=row.customer, site=row.site, reason=memo.reason,
        fault=memo.fault, unlinked=memo.unlinked, credit_on=memo.credit_on, currency=memo.currency,
        gross_minor=memo.gross_minor,
    )  # fmt: skip


#: Money given back.
MEMOS: SqlList[MemoRow] = SqlList(
    select=_memos, row=_memo_row, tie=(CreditMemo.id,), usual="-credit_on", site=CreditMemo.site_id, realm=Entity.realm,
    text=(CreditMemo.number, Customer.name, Customer.code), by=("fault", CreditMemo.fault),
    sums={"Gross": CreditMemo.gross_minor}, currency=CreditMemo.currency,
    sorts={
        "number": CreditMemo.number, "customer": Customer.name, "credit_on": CreditMemo.credit_on,
        "gross": CreditMemo.gross_minor,
    },
    wanted={"fault": lambda value, _: CreditMemo.fault == value},
)  # fmt: skip

"""What happened to a document, event by event, and under which number do people know it?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.queries.steer import NameTables, name_tables
from app.security.scopes import check_site
from erpcore.billing.models import Invoice, Receipt
from erpcore.fulfilment.models import ReturnOrder
from erpcore.fulfilment.sending_back.models import SupplierReturn
from erpcore.inventory.documents import StockArrival, StockTransfer
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotFound
from erpcore.kernel.events import EventLog
from erpcore.orders.models import SalesOrder
from erpcore.purchasing.models import PurchaseOrder
from readiness.measures.journeys import flag_names
from readiness.measures.models import JourneyLineRow, JourneyRow, WaitRow

#: Where the number of each kind of document is kept, and by which key.
_NUMBERED: dict[str, tuple[Any, Any]] = {
    "order": (SalesOrder.id, SalesOrder.number), "invoice": (Invoice.id, Invoice.number),
    "return": (ReturnOrder.id, ReturnOrder.number), "receipt": (Receipt.id, Receipt.number),
    "transfer": (StockTransfer.id, StockTransfer.number), "arrival": (StockArrival.arrival_id, StockArrival.number),
    "purchase": (PurchaseOrder.id, PurchaseOrder.number), "supplier_return": (SupplierReturn.id, SupplierReturn.number),
}  # fmt: skip


def numbers_of(session: Session, documents: Iterable[tuple[str, int]]) -> dict[tuple[str, int], str]:
    """The numbers of documents by kind and id; those without a number are left out. One query per kind."""
    wanted: dict[str, set[int]] = defaultdict(set)
    for kind, identity in documents:
        if kind in _NUMBERED:
            wanted[kind].add(identity)
    found: dict[tuple[str, int], str] = {}
    for kind, ids in wanted.items():
        key, number = _NUMBERED[kind]
        for row in session.execute(select(key.label("id"), number.label("number")).where(key.in_(sorted(ids)))):
            if row.number:
                found[kind, row.id] = row.number
    return found


@dataclass(frozen=True, kw_only=True)
class Happened:
    """One event of a journey, with who brought it about as role, never as person."""

    seq: int
    type: str
    at: datetime
    step: str
    subject_type: str
    subject: int
    actor: int
    role: str
    source: str
    ruleset: str | None
    data: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class JourneyPage:
    """A root document with its invoices, lines and events, as the projection and the log have them."""

    id: int
    kind: str
    realm: str
    site: int | None
    channel: int | None
    currency: str | None
    value: int
    flags: tuple[str, ...]
    is_open: bool
    milestones: tuple[tuple[str, datetime], ...]
    waits: tuple[tuple[str, datetime, datetime | None, date | None], ...]
    invoices: tuple[tuple[int, str], ...]
    lines: tuple[JourneyLineRow, ...]
    events: tuple[Happened, ...]
    number: str | None
    numbers: dict[tuple[str, int], str]
    names: NameTables


_MILESTONES = (
    ("began", "opened_at"), ("released", "released_at"), ("allocated", "allocated_at"), ("picked", "picked_at"),
    ("shipped", "shipped_at"), ("delivered", "delivered_at"), ("invoiced", "invoiced_at"), ("received", "received_at"),
    ("credited", "credited_at"), ("paid", "paid_at"), ("closed", "closed_at"), ("ended", "ended_at"),
)  # fmt: skip


def journey_page(session: Session, journey_id: int, actor: Actor, *, limit: int = 400) -> JourneyPage:
    """The journey of this root document. Nine queries. Raises ``NotFound``, also for one of a site that is not the person's."""
    family = session.scalars(select(JourneyRow).where(JourneyRow.root_id == journey_id).order_by(JourneyRow.id)).all()
    root = next((one for one in family if one.id == journey_id), None)
    if root is None:
        raise NotFound("not_found")
    check_site(actor, root.site)
    lines = session.scalars(
        select(JourneyLineRow).where(JourneyLineRow.journey_id == journey_id).order_by(JourneyLineRow.line)
    ).all()
    waits = session.scalars(select(WaitRow).where(WaitRow.root_id == journey_id).order_by(WaitRow.since)).all()
    events = session.scalars(
        select(EventLog).where(EventLog.journey == journey_id).order_by(EventLog.seq).limit(limit)
    ).all()
    invoices = [one for one in family if one.kind == "invoice"]
    known = numbers_of(session, [(root.kind, root.id), *(("invoice", one.id) for one in invoices)])
    first = invoices[0] if invoices else None
    return JourneyPage(
        id=root.id, kind=root.kind, realm=root.realm, site=root.site, channel=root.channel, currency=root.currency,
        value=root.value, is_open=root.is_open or any(one.is_open for one in invoices),
        flags=tuple(dict.fromkeys(word for one in family for word in flag_names(one.flags))),
        milestones=_milestones(root, first),
        waits=tuple((one.point, one.since, one.deadline_at, one.due_on) for one in waits),
        invoices=tuple((one.id, known.get(("invoice", one.id), "not posted yet")) for one in invoices),
        lines=tuple(lines), events=tuple(_happened(one) for one in events), number=known.get((root.kind, root.id)),
        numbers=known, names=name_tables(session),
    )  # fmt: skip


def _milestones(root: JourneyRow, invoice: JourneyRow | None) -> tuple[tuple[str, datetime], ...]:
    found = []
    for name, column in _MILESTONES:
        at = getattr(root, column) or (
            getattr(invoice, column) if invoice is not None and column in {"invoiced_at", "paid_at"} else None
        )
        if at is not None:
            found.append((name, at))
    return tuple(sorted(found, key=lambda one: one[1]))


def _happened(row: EventLog) -> Happened:
    data = orjson.loads(row.data) if isinstance(row.data, str | bytes) else row.data
    return Happened(
        seq=row.seq, type=row.type, at=row.occurred_at, step=row.process_step, subject_type=row.subject_type,
        subject=row.subject_id, actor=row.actor, role=row.role, source=row.source, ruleset=row.ruleset, data=data or {},
    )  # fmt: skip


def roots_of(rows: Sequence[Any]) -> list[int]:
    """The root documents of these rows."""
    return list(dict.fromkeys(row.root_id for row in rows))

"""What would this document post? Answered by the services that post, in a unit of work that is taken back: nothing of it is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, String, cast, literal, null, select, union_all
from sqlalchemy.orm import Session

from app.queries.cash_desk import lines_waiting, suggest
from app.queries.journal_lines import WholeEntry, entries_with_lines
from erpcore.billing.bank_lines import AssignLine, Part, assign_lines
from erpcore.billing.bank_models import BankStatementLine, LineState
from erpcore.billing.credits import credit_returns
from erpcore.billing.models import Invoice, InvoiceState
from erpcore.billing.services import post_invoices
from erpcore.billing.settling.models import Payout, PayoutState
from erpcore.billing.settling.posting import post_payout
from erpcore.fulfilment.leaving import send_off
from erpcore.fulfilment.models import ReturnOrder, ReturnState, Shipment, ShipmentState
from erpcore.fulfilment.returned_goods import InspectReturn, inspect_returns
from erpcore.inventory.costing.late import AddLateCost, add_late_costs
from erpcore.inventory.documents import GoodsReceipt
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.kernel.work import UnitOfWork
from erpcore.ledger.journals import move_journal
from erpcore.ledger.models import JournalState, ManualJournal
from erpcore.masterdata.models import Entity
from erpcore.orders.models import SalesOrder
from erpcore.ports.cells import CellStates
from erpcore.ports.rules import ProcessRules

#: So many of the newest documents are offered for each event.
OFFERED = 12
#: Whoever asks may read the books; whether they may ship or bill is another question.
_ASKS = Actor.system("posting trial")


class Event(StrEnum):
    """What would happen."""

    SHIPMENT = "shipment"
    INVOICE = "invoice"
    BANK_ENTRY = "bank_entry"
    RETURN = "return"
    CREDIT_MEMO = "credit_memo"
    LATE_COST = "late_cost"
    PAYOUT = "payout"
    JOURNAL = "journal"


#: What would happen, as a person says it.
WORDS: Mapping[Event, str] = {
    Event.SHIPMENT: "The shipment leaves", Event.INVOICE: "The invoice is posted",
    Event.BANK_ENTRY: "The bank entry is taken as proposed", Event.RETURN: "The return is inspected as requested",
    Event.CREDIT_MEMO: "The return is credited", Event.LATE_COST: "The goods receipt costs more",
    Event.PAYOUT: "The payout is posted", Event.JOURNAL: "The journal by hand is posted",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A document that the event may happen to."""

    event: Event
    id: int
    title: str
    site_id: int | None
    entity_id: int
    company: str
    realm: str
    currency: str


class Means(NamedTuple):
    """What the services that post ask for."""

    rules: ProcessRules
    cells: CellStates
    amount: Decimal | None


def waiting(session: Session, actor: Actor) -> list[Waiting]:
    """The newest documents of each event that this person may see; those of no site only for people who see all. One query."""
    parts = []
    for event in Event:
        query = _documents(event, actor).order_by(_TABLES[event].id.desc()).limit(OFFERED).subquery()
        parts.append(select(query))
    rows = session.execute(union_all(*parts)).all()
    order = {event: place for place, event in enumerate(Event)}
    return sorted((_waiting(row) for row in rows), key=lambda one: (order[one.event], -one.id))


def find_waiting(session: Session, actor: Actor, event: Event, key: int) -> Waiting:
    """One document; raises ``NotFound("trial_document_unknown")`` where the event cannot happen to it, or this person not see it."""
    row = session.execute(_documents(event, actor).where(_TABLES[event].id == key)).one_or_none()
    if row is None:
        raise _unknown(event, key)
    return _waiting(row)


def _unknown(event: Event, key: int) -> NotFound:
    return NotFound("trial_document_unknown", field="document", event=WORDS[event].lower(), id=key)


def would_post(work: UnitOfWork, document: Waiting, means: Means) -> list[WholeEntry]:
    """The entries that the event would post now; none is kept, and neither is anything else of it.

    Raises what the event itself would be refused with.
    """
    # What is proposed for a bank entry is for this person's eyes; the trial itself is nobody's act.
    command = _assignment(work, document) if document.event is Event.BANK_ENTRY else None
    with work.trial() as attempt:
        attempt.actor, attempt.realm = _ASKS, document.realm
        if command is not None:
            assign_lines(attempt, [command])
        else:
            _ACTS[document.event](attempt, document.id, means)
        return entries_with_lines(attempt.session, attempt.reported("entry"))


def _assignment(work: UnitOfWork, document: Waiting) -> AssignLine:
    lines = lines_waiting(work.session, document.entity_id, [document.id], limit=1)
    if not lines:
        # Somebody has assigned it since it was offered.
        raise _unknown(document.event, document.id)
    (found,) = suggest(work.session, work.actor, document.entity_id, lines)
    if found.proposal.customer is None:
        raise RuleBroken("nothing_proposed", field="document", line=document.id)
    parts = [Part(invoice=invoice, amount_minor=minor) for invoice, minor in found.proposal.parts]
    return AssignLine(line=document.id, customer=found.proposal.customer, parts=parts)


def _late_cost(work: UnitOfWork, key: int, means: Means) -> None:
    if means.amount is None:
        raise RuleBroken("trial_amount_missing", field="amount")
    add_late_costs(work, [AddLateCost(receipt=key, paper=f"trial {work.now.isoformat()}", amount=means.amount)])


_ACTS: Mapping[Event, Callable[[UnitOfWork, int, Means], Any]] = {
    Event.SHIPMENT: lambda work, key, means: send_off(work, [key], rules=means.rules, cells=means.cells),
    Event.INVOICE: lambda work, key, means: post_invoices(work, [key], cells=means.cells),
    Event.RETURN: lambda work, key, means: inspect_returns(work, [InspectReturn(id=key)], cells=means.cells),
    Event.CREDIT_MEMO: lambda work, key, means: credit_returns(work, [key], cells=means.cells),
    Event.LATE_COST: _late_cost,
    Event.PAYOUT: lambda work, key, _: post_payout(work, key),
    Event.JOURNAL: lambda work, key, _: move_journal(work, key, "post"),
}
_TABLES: Mapping[Event, Any] = {
    Event.SHIPMENT: Shipment, Event.INVOICE: Invoice, Event.BANK_ENTRY: BankStatementLine, Event.RETURN: ReturnOrder,
    Event.CREDIT_MEMO: ReturnOrder, Event.LATE_COST: GoodsReceipt, Event.PAYOUT: Payout, Event.JOURNAL: ManualJournal,
}  # fmt: skip
#: In which state the event may happen; a goods receipt has none.
_STATES: Mapping[Event, str] = {
    Event.SHIPMENT: ShipmentState.PICKED, Event.INVOICE: InvoiceState.DRAFT, Event.BANK_ENTRY: LineState.OPEN,
    Event.RETURN: ReturnState.RECEIVED, Event.CREDIT_MEMO: ReturnState.INSPECTED, Event.PAYOUT: PayoutState.RECEIVED,
    Event.JOURNAL: JournalState.APPROVED,
}  # fmt: skip


def _documents(event: Event, actor: Actor) -> Any:
    table = _TABLES[event]
    title = {
        Event.INVOICE: SalesOrder.number, Event.PAYOUT: Payout.reference, Event.BANK_ENTRY: BankStatementLine.payer_name,
        Event.JOURNAL: ManualJournal.reason,
    }.get(event) or table.number  # fmt: skip
    site = getattr(table, "site_id", None)
    query = (
        select(
            literal(event.value).label("event"), table.id.label("id"), cast(title, String).label("title"),
            (cast(null(), BigInteger) if site is None else site).label("site_id"), Entity.id.label("entity_id"),
            Entity.code.label("company"), Entity.realm.label("realm"), Entity.currency.label("currency"),
        )
        .select_from(table)
        .join(Entity, Entity.id == table.entity_id)
    )  # fmt: skip
    if event is Event.INVOICE:
        query = query.join(SalesOrder, SalesOrder.id == Invoice.order_id)
    if event in _STATES:
        query = query.where(table.state == _STATES[event])
    if event is Event.BANK_ENTRY:
        query = query.where(BankStatementLine.amount_minor > 0)
    if actor.sites is not None:
        query = query.where(literal(value=False) if site is None else site.in_(sorted(actor.sites)))
    return query


def _waiting(row: Any) -> Waiting:
    return Waiting(
        event=Event(row.event), id=row.id, title=row.title or str(row.id), site_id=row.site_id, entity_id=row.entity_id,
        company=row.company, realm=row.realm, currency=row.currency,
    )  # fmt: skip

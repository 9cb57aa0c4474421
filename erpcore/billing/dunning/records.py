"""What dunning reads and writes: companies, what is overdue, who is not asked, and rows changed on condition."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import and_, func, or_, select, text, union, update
from sqlalchemy.orm import Session

from erpcore.billing.disputes.models import Dispute
from erpcore.billing.disputes.records import held_back
from erpcore.billing.dunning.models import (
    BlockKind,
    DunningBlock,
    DunningNotice,
    DunningRun,
    DunningStand,
    PaymentPromise,
)
from erpcore.billing.dunning.rules import Overdue, PromiseState, promise_state
from erpcore.billing.models import Receipt, ReceiptApplication
from erpcore.credit.models import Receivable
from erpcore.kernel.clock import day_end
from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.kernel.events import Place
from erpcore.kernel.rows import Change, param
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.models import Customer, Site
from erpcore.masterdata.queries import EntityFacts, entity_facts
from erpcore.ports import standard_ruleset


def company(work: UnitOfWork, entity: int) -> EntityFacts:
    """The company; raises ``NotFound`` for one with no site of the actor's, ``RuleBroken`` for another realm's."""
    facts = entity_facts(work, entity)
    if work.actor.sites is not None:
        mine = select(Site.id).where(Site.entity_id == entity, Site.id.in_(sorted(work.actor.sites))).limit(1)
        if work.session.execute(mine).first() is None:
            raise NotFound("not_found")
    if facts.realm != work.realm:
        raise RuleBroken("other_realm", site=facts.code, realm=facts.realm, asked=work.realm)
    return facts


def place_of(facts: EntityFacts, group: int | None) -> Place:
    """Where the events and entries of a company and a customer of that group belong."""
    return Place(
        realm=facts.realm, entity=facts.id, customer_group=group, ruleset=standard_ruleset().hash, currency=facts.currency,
        time_zone=facts.time_zone,
    )  # fmt: skip


def _run() -> Any:
    table = DunningRun.__table__
    columns = ("state", "confirmed_by", "confirmed_at")
    return (
        update(table)
        .where(table.c.id == param("of", table.c.id), table.c.version == param("seen", table.c.version))
        .values({name: param(f"now_{name}", table.c[name]) for name in columns} | {"version": table.c.version + 1})
    )


def _notice() -> Any:
    table = DunningNotice.__table__
    columns = ("state", "level", "letter", "pay_until", "overdue_minor", "fee_minor", "reason", "issued_at")
    return (
        update(table)
        .where(table.c.id == param("of", table.c.id), table.c.state == param("was", table.c.state))
        .values({name: param(f"now_{name}", table.c[name]) for name in columns})
    )


def _stand() -> Any:
    table = DunningStand.__table__
    return (
        update(table)
        .where(table.c.document_id == param("of", table.c.document_id), table.c.level == param("was", table.c.level))
        .values(level=param("now_level", table.c.level), last_on=param("now_last", table.c.last_on))
    )


def _take() -> Any:
    table = Receipt.__table__
    return (
        update(table)
        .where(table.c.id == param("of", table.c.id), table.c.left_minor >= param("least", table.c.left_minor))
        .values(left_minor=table.c.left_minor - param("amount", table.c.left_minor))
    )


def _settle() -> Any:
    table = Receivable.__table__
    return (
        update(table)
        .where(
            table.c.document_id == param("of", table.c.document_id),
            table.c.open_minor >= param("least", table.c.open_minor),
        )
        .values(open_minor=table.c.open_minor - param("amount", table.c.open_minor))
    )


#: Each raises ``Conflict`` where a row is not as it was read any more.
SAVE_RUN, SAVE_NOTICE, SAVE_STAND = Change(_run), Change(_notice), Change(_stand)
TAKE_RECEIPT, SETTLE = Change(_take), Change(_settle)


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnMoney:
    """What a customer has on account and in credits that settle nothing yet."""

    group: int | None
    minor: int


def overdue_invoices(session: Session, entities: Collection[int], today: date) -> list[Overdue]:
    """Invoices of the companies that are past their day, the oldest of each customer first; what of them is deducted or disputed is not
    asked for. One in dispute as a whole keeps its amount, so that it is named among what is left out.
    """
    rows = session.execute(
        select(
            Receivable.document_id, Receivable.customer_id, Receivable.due_on, Receivable.open_minor, DunningStand.level,
            DunningStand.last_on,
        )
        .outerjoin(DunningStand, DunningStand.document_id == Receivable.document_id)
        .where(
            Receivable.entity_id.in_(entities), Receivable.open_minor > 0, Receivable.due_on < today,
            Receivable.document_type == "invoice",
        )
        .order_by(Receivable.customer_id, Receivable.due_on, Receivable.document_id)
    )  # fmt: skip
    found = rows.all()
    disputed = held_back(session, _disputed_overdue(entities, today))
    return [
        Overdue(
            document=row.document_id, customer=row.customer_id, due_on=row.due_on,
            open_minor=row.open_minor - disputed.get(row.document_id, 0) or row.open_minor,
            level=row.level or 0, last_on=row.last_on,
        )
        for row in found
    ]  # fmt: skip


def _disputed_overdue(entities: Collection[int], today: date) -> Any:
    return select(Receivable.document_id).where(
        Receivable.entity_id.in_(entities), Receivable.open_minor > 0, Receivable.due_on < today
    )


def own_money(session: Session, customers: Collection[int]) -> dict[int, OwnMoney]:
    """By customer: their group, and what settles nothing yet. Three queries."""
    found = {
        row.id: [row.group_id, 0]
        for row in session.execute(select(Customer.id, Customer.group_id).where(Customer.id.in_(customers)))
    }
    memos = (
        select(Receivable.customer_id, func.sum(-Receivable.open_minor))
        .where(Receivable.customer_id.in_(customers), Receivable.open_minor < 0)
        .group_by(Receivable.customer_id)
    )
    receipts = (
        select(Receipt.customer_id, func.sum(Receipt.left_minor))
        .where(Receipt.customer_id.in_(customers), Receipt.left_minor > 0)
        .group_by(Receipt.customer_id)
    )
    for query in (memos, receipts):
        for customer, minor in session.execute(query):
            found[customer][1] += int(minor)
    return {key: OwnMoney(group=group, minor=minor) for key, (group, minor) in found.items()}


@dataclass(frozen=True, kw_only=True, slots=True)
class Withheld:
    """Why nobody asks customers, or for single documents, on a day."""

    customers: Mapping[int, str]
    documents: Mapping[int, str]

    def why(self, one: Overdue) -> str | None:
        """The reason that holds for a document; ``None``: it may be asked for."""
        return self.customers.get(one.customer) or self.documents.get(one.document)


def withheld(session: Session, customers: Iterable[int], today: date, zone: str) -> Withheld:
    """What blocks, disputes and open promises hold back today. Four queries."""
    wanted = sorted(set(customers))
    of_customers: dict[int, str] = {}
    of_documents: dict[int, str] = {}

    def note(customer: int, document: int | None, reason: str) -> None:
        if document is None:
            of_customers.setdefault(customer, reason)
        else:
            of_documents.setdefault(document, reason)

    for row in session.execute(
        select(DunningBlock.__table__)
        .where(DunningBlock.customer_id.in_(wanted), DunningBlock.lifted_at.is_(None), DunningBlock.until > today)
        .order_by(DunningBlock.id)
    ):
        said = "in dispute" if row.kind == BlockKind.DISPUTE else f"blocked ({row.kind})"
        note(row.customer_id, row.document_id, f"{said} until {row.until}: {row.reason}")
    for customer, document in session.execute(_disputed_whole(wanted)):
        note(customer, document, "all that is open of it is deducted or disputed")
    for one in promises(session, dict.fromkeys(wanted, zone), today):
        if one.state is PromiseState.OPEN:
            note(one.customer, one.document, f"promised until {one.until} by {one.said_by}")
    return Withheld(customers=of_customers, documents=of_documents)


def _disputed_whole(customers: Sequence[int]) -> Any:
    """Customers and invoices of which nothing is open but what is deducted or disputed."""
    return (
        select(Receivable.customer_id, Receivable.document_id)
        .join(Dispute, Dispute.invoice_id == Receivable.document_id)
        .where(Receivable.customer_id.in_(customers), Dispute.open_minor > 0)
        .group_by(Receivable.customer_id, Receivable.document_id, Receivable.open_minor)
        .having(func.sum(Dispute.open_minor) >= Receivable.open_minor)
    )


def in_dispute(session: Session, documents: Iterable[int], today: date) -> set[int]:
    """Those of the documents that a dispute holds back today: of the document itself or a part of it, or of all that its customer
    owes.
    """
    held = select(DunningBlock.id).where(_blocks_document(today))
    wanted = Receivable.document_id.in_(sorted(set(documents)))
    open_ = select(Dispute.id).where(Dispute.invoice_id == Receivable.document_id, Dispute.open_minor > 0)
    query = select(Receivable.document_id).where(wanted, or_(held.exists(), open_.exists()))
    return set(session.execute(query).scalars())


def held_of(session: Session, entities: Collection[int], today: date) -> set[int]:
    """The documents of the companies that a dispute holds back today, as ``in_dispute`` says it, asked from the few blocks and
    disputes instead of from each document. One query.
    """
    owed = and_(Receivable.entity_id.in_(sorted(entities)), Receivable.open_minor > 0)
    blocked = select(Receivable.document_id).join(DunningBlock, _blocks_document(today)).where(owed)
    open_ = (
        select(Receivable.document_id)
        .join(Dispute, Dispute.invoice_id == Receivable.document_id)
        .where(owed, text("dispute.open_minor > 0"))
    )
    return set(session.execute(union(blocked, open_)).scalars())


def _blocks_document(today: date) -> Any:
    """Whether a block for a dispute is about a receivable, alone or with all that its customer owes."""
    return and_(
        DunningBlock.kind == BlockKind.DISPUTE, DunningBlock.lifted_at.is_(None), DunningBlock.until > today,
        DunningBlock.customer_id == Receivable.customer_id,
        or_(DunningBlock.document_id.is_(None), DunningBlock.document_id == Receivable.document_id),
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Promise:
    """A promise with what has come of it until its day was over; ``document`` ``None``: any money of the customer."""

    id: int
    customer: int
    document: int | None
    amount_minor: int
    came_minor: int
    until: date
    said_by: str
    state: PromiseState


def promises(session: Session, zones: Mapping[int, str], today: date) -> list[Promise]:
    """The promises of customers, each with the zone of their company, the newest first, each kept, broken or open as receipts say.

    Of an invoice counts what was applied to it, else what the customer paid, from the promise until the end of its day. Two queries.
    """
    rows = session.execute(
        select(PaymentPromise.__table__).where(PaymentPromise.customer_id.in_(zones)).order_by(PaymentPromise.id.desc())
    ).all()
    if not rows:
        return []
    since = min(row.taken_at for row in rows)
    paid = session.execute(
        select(Receipt.customer_id, Receipt.received_at, Receipt.amount_minor)
        .where(Receipt.customer_id.in_(zones), Receipt.received_at >= since)
    ).all()  # fmt: skip
    documents = [row.document_id for row in rows if row.document_id is not None]
    applied = session.execute(
        select(ReceiptApplication.invoice_id, ReceiptApplication.applied_at, ReceiptApplication.amount_minor)
        .where(ReceiptApplication.invoice_id.in_(documents), ReceiptApplication.applied_at >= since)
    ).all() if documents else []  # fmt: skip
    found = []
    for row in rows:
        key, source = (row.customer_id, paid) if row.document_id is None else (row.document_id, applied)
        end = day_end(row.promised_on, zones[row.customer_id])
        came = sum(minor for of, at, minor in source if of == key and row.taken_at <= at < end)
        found.append(
            Promise(
                id=row.id, customer=row.customer_id, document=row.document_id, amount_minor=row.amount_minor, came_minor=came,
                until=row.promised_on, said_by=row.said_by,
                state=promise_state(row.amount_minor, came, row.promised_on, today),
            )
        )  # fmt: skip
    return found

"""What is known of customers who owe something overdue: how they paid, what was said, whose they are, what is in dispute."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import date, timedelta
from typing import Any

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.orm import Session

from erpcore.billing.collecting.models import CollectionCase, CollectionContact, CollectionRoute
from erpcore.billing.collecting.scoring import WINDOW_DAYS, Behaviour
from erpcore.billing.disputes.models import Dispute
from erpcore.billing.dunning.records import held_of, in_dispute
from erpcore.billing.dunning.rules import Overdue
from erpcore.billing.models import Receipt, ReceiptApplication
from erpcore.credit.models import Receivable
from erpcore.kernel.clock import local_day
from erpcore.kernel.rows import chunks


def behaviours(
    session: Session, zones: Mapping[int, str], today: date, *, blocked: Collection[int] | None = None
) -> dict[int, list[Behaviour]]:
    """By customer: the invoices that say how they pay: those of the last year, by the day they were due, and whatever is overdue.

    Paid is an invoice that is settled, at least in part by money: on the day on which the last of that money came. One that is
    overdue and not in dispute counts with what is open of it, late until today. ``blocked``: the overdue documents that a dispute holds
    back, where they are known; ``zones``: the zone of each customer's company. Up to two queries for each thousand customers.
    """
    out: dict[int, list[Behaviour]] = defaultdict(list)
    for part in chunks(sorted(zones)):
        rows = session.execute(_invoices(part, today)).all()
        still = [row.document_id for row in rows if row.open_minor]
        withheld = in_dispute(session, still, today) if blocked is None else blocked
        for row in rows:
            minor = row.open_minor - int(row.held_minor)
            if minor > 0 and row.document_id not in withheld:
                days = (today - row.due_on).days
            elif not row.open_minor and row.paid_at is not None and row.came_minor > 0:
                days = max(0, (local_day(row.paid_at, zones[row.customer_id]) - row.due_on).days)
                minor = row.amount_minor
            else:
                continue
            out[row.customer_id].append(
                Behaviour(
                    document=row.document_id, due_on=row.due_on, amount_minor=minor, days_late=days, is_open=bool(row.open_minor)
                )
            )  # fmt: skip
    return out


def _invoices(customers: Collection[int], today: date) -> Any:
    one, cash = Receivable, ReceiptApplication
    since = today - timedelta(days=WINDOW_DAYS)
    wanted = (one.customer_id.in_(customers), one.document_type == "invoice")
    money = (
        select(
            cash.invoice_id, func.sum(cash.amount_minor).label("came"),
            func.max(case((cash.amount_minor > 0, Receipt.received_at))).label("paid_at"),
        )
        .join(Receipt, Receipt.id == cash.receipt_id)
        .join(one, one.document_id == cash.invoice_id)
        .where(*wanted, one.open_minor == 0, one.due_on >= since)
        .group_by(cash.invoice_id)
        .subquery()
    )  # fmt: skip
    return (
        select(
            one.document_id, one.customer_id, one.due_on, one.amount_minor, one.open_minor, money.c.paid_at,
            func.coalesce(money.c.came, 0).label("came_minor"), _held_minor().label("held_minor"),
        )
        .outerjoin(money, money.c.invoice_id == one.document_id)
        .where(*wanted, or_(and_(one.open_minor == 0, one.due_on >= since), and_(one.open_minor > 0, one.due_on < today)))
        .order_by(one.due_on, one.document_id)
    )  # fmt: skip


def disputed_minor(
    session: Session, overdue: Iterable[Overdue], entities: Collection[int], today: date
) -> dict[int, int]:
    """How much of each overdue document is held back by a block for a dispute, besides what is deducted or disputed itself, which is
    not among what is overdue; documents without such a block are left out. ``entities``: whose they are. One query and one for each thousand held back.
    """
    owed = {one.document: one.open_minor for one in overdue}
    blocked = held_of(session, entities, today) & owed.keys()
    whole = {key for part in chunks(sorted(blocked)) for key in wholly_disputed(session, part)}
    return {key: 0 if key in whole else owed[key] for key in sorted(blocked)}


def wholly_disputed(session: Session, documents: Collection[int]) -> set[int]:
    """Those of the documents of which nothing is open but what is deducted or disputed. One query."""
    wanted = (Receivable.document_id.in_(sorted(documents)), Receivable.open_minor <= _held_minor())
    return set(session.scalars(select(Receivable.document_id).where(*wanted, _held_minor() > 0)))


def _held_minor() -> Any:
    """What of a receivable is deducted or disputed now."""
    mine = (Dispute.invoice_id == Receivable.document_id, Dispute.open_minor > 0)
    minor = select(func.sum(Dispute.open_minor)).where(*mine).correlate(Receivable).scalar_subquery()
    return func.coalesce(minor, 0)


def last_contacts(session: Session, customers: Collection[int]) -> dict[int, Any]:
    """The newest contact with each customer. One query for each thousand."""
    table = CollectionContact.__table__
    out: dict[int, Any] = {}
    for part in chunks(sorted(customers)):
        newest = select(func.max(table.c.id)).where(table.c.customer_id.in_(part)).group_by(table.c.customer_id)
        out.update({row.customer_id: row for row in session.execute(select(table).where(table.c.id.in_(newest)))})
    return out


def contacts_of(session: Session, customer: int, limit: int = 50) -> list[Any]:
    """What was said to a customer, the newest first."""
    table = CollectionContact.__table__
    query = select(table).where(table.c.customer_id == customer).order_by(table.c.id.desc()).limit(limit)
    return list(session.execute(query))


def cases_of(session: Session, customers: Collection[int]) -> dict[int, Any]:
    """Whose each customer is by name, and when they are due again."""
    table = CollectionCase.__table__
    return {
        row.customer_id: row
        for part in chunks(sorted(customers))
        for row in session.execute(select(table).where(table.c.customer_id.in_(part)))
    }


def routes_of(session: Session, entities: Collection[int]) -> Mapping[tuple[int, int | None], int]:
    """Whose the customers of a company and group are; the group ``None`` is for all others."""
    table = CollectionRoute.__table__.c
    rows = session.execute(
        select(table.entity_id, table.customer_group_id, table.owner_id).where(table.entity_id.in_(sorted(entities)))
    )
    return {(row.entity_id, row.customer_group_id): row.owner_id for row in rows}

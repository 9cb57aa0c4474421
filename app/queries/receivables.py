"""What does each customer owe on a day, how long is it due, and which documents and receipts is it made of?

Credit memos and receipts that settle nothing yet stand beside what is due, so the balance of all rows is the receivable account
less what stands on account. A day is the company's own, from midnight to midnight.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Date, func, literal, null, select, union_all
from sqlalchemy.orm import Session

from app.queries.listing import Asked, Found, Position, SqlList
from app.queries.places import EntityPick, entities_seen
from app.queries.worked_out import AskedList
from app.security.scopes import within_companies
from erpcore.billing.disputes.models import Dispute
from erpcore.billing.dunning.models import DunningFee
from erpcore.billing.models import CreditMemo, DebtJournal, Invoice, Receipt
from erpcore.billing.queries import by_company, disputed_on, documents_on, on_account_on
from erpcore.credit.models import Receivable
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.masterdata.models import Customer, Entity

#: The last day of each bucket of days overdue but the oldest; what is not overdue comes before them.
BUCKET_ENDS = (30, 60, 90)
#: What the buckets are called, youngest first.
BUCKETS = ("Not due", "1–30 days", "31–60 days", "61–90 days", "Over 90 days")
_DAY = timedelta(days=1)
#: The earliest day that may be asked for: no books of ours are older.
FIRST = date(1990, 1, 1)


@dataclass(frozen=True, kw_only=True)
class AgeingRow:
    """What one customer owes: minor units of the company's currency. ``due_minor`` by ``BUCKETS``, without what is deducted or
    disputed, which is ``deducted_minor``; credits and money on account are negative.
    """

    customer_id: int
    code: str
    customer: str
    entity_id: int
    entity: str
    currency: str
    due_minor: tuple[int, ...]
    deducted_minor: int
    credits_minor: int
    on_account_minor: int

    @property
    def overdue_minor(self) -> int:
        return sum(self.due_minor[1:])

    @property
    def balance_minor(self) -> int:
        return sum(self.due_minor) + self.deducted_minor + self.credits_minor + self.on_account_minor


@dataclass(frozen=True, kw_only=True)
class OpenItem:
    """A document, or a receipt, that is not settled on the day. ``days_over`` counts from the day after it was due;
    ``deducted_minor`` of what is open nobody asks for.
    """

    kind: str
    id: int
    number: str
    on: date
    due_on: date | None
    amount_minor: int
    open_minor: int
    days_over: int
    deducted_minor: int = 0


@dataclass(frozen=True, kw_only=True)
class Account:
    """One customer on one day, with what is open."""

    row: AgeingRow
    realm: str
    as_of: date
    items: list[OpenItem]


def day_asked(day: date | None, entity: EntityPick, now: datetime, *, field: str = "as_of") -> date:
    """The day meant at a company, which is its own today when none is named.

    Raises ``RuleBroken("day_not_come")`` for a day after it and ``RuleBroken("day_out_of_range")`` for one before any books.
    """
    today = local_day(now, entity.time_zone)
    if day is not None and day > today:
        raise RuleBroken("day_not_come", field=field, day=day)
    if day is not None and day < FIRST:
        raise RuleBroken("day_out_of_range", field=field, day=day)
    return day or today


def _aged(entities: Sequence[EntityPick], days: Mapping[int, date], *, is_today: bool) -> Any:
    """One row per customer: the buckets, credits and what is on account."""
    zones = {one.id: one.time_zone for one in entities}
    documents = documents_on(zones, days, is_today=is_today).subquery()
    receipts = on_account_on(zones, days, is_today=is_today).subquery()
    disputed = disputed_on(zones, days, is_today=is_today).subquery()
    held = func.coalesce(disputed.c.minor, 0)
    parts = union_all(
        select(
            documents.c.customer_id, documents.c.entity_id, documents.c.due_on,
            (documents.c.open_minor - held).label("open_minor"), held.label("deducted"),
        ).outerjoin(disputed, disputed.c.invoice_id == documents.c.document_id),
        select(
            receipts.c.customer_id, receipts.c.entity_id, null().cast(Date), receipts.c.open_minor, literal(0, BigInteger)
        ),
    ).subquery()  # fmt: skip
    open_, due, deducted = parts.c.open_minor, parts.c.due_on, parts.c.deducted

    def on(back: int) -> ColumnElement[Any]:
        return by_company(
            parts.c.entity_id, {key: literal(max(day - back * _DAY, FIRST), Date) for key, day in days.items()}
        )

    def summed(*conditions: Any) -> Any:
        return func.coalesce(func.sum(open_).filter(*conditions), 0)

    owed = (due.is_not(None), open_ > 0)
    edges = (0, *BUCKET_ENDS)
    buckets = [summed(*owed, due >= on(0))]
    buckets += [summed(*owed, due < on(young), due >= on(old)) for young, old in pairwise(edges)]
    buckets += [summed(*owed, due < on(edges[-1]))]
    return (
        select(
            parts.c.customer_id, *(one.label(f"b{at}") for at, one in enumerate(buckets)),
            func.sum(deducted).label("deducted"), summed(due.is_not(None), open_ < 0).label("credits"), summed(due.is_(None)).label("on_account"),
        )
        .group_by(parts.c.customer_id)
        .having(func.max(func.abs(open_) + deducted) > 0)
        .subquery("aged")
    )  # fmt: skip


def _row(found: Any) -> AgeingRow:
    return AgeingRow(
        customer_id=found.id, code=found.code, customer=found.name, entity_id=found.entity_id, entity=found.company,
        currency=found.currency, due_minor=tuple(int(found[at]) for at in range(len(BUCKETS))),
        deducted_minor=int(found.deducted), credits_minor=int(found.credits), on_account_minor=int(found.on_account),
    )  # fmt: skip


def _list(entities: Sequence[EntityPick], asked: date | None, now: datetime) -> SqlList[AgeingRow]:
    todays = {one.id: local_day(now, one.time_zone) for one in entities}
    # A day that is not over everywhere yet is today there.
    days = {key: today if asked is None else min(max(asked, FIRST), today) for key, today in todays.items()}
    aged = _aged(entities, days, is_today=days == todays)
    buckets = [aged.c[f"b{at}"] for at in range(len(BUCKETS))]
    overdue = sum(buckets[2:], buckets[1])
    balance = sum(buckets[1:], buckets[0]) + aged.c.deducted + aged.c.credits + aged.c.on_account

    def listed() -> Any:
        return (
            select(
                *buckets, aged.c.deducted, aged.c.credits, aged.c.on_account, Customer.id, Customer.code, Customer.name, Customer.entity_id,
                Entity.name.label("company"), Entity.currency,
            )
            .select_from(aged)
            .join(Customer, Customer.id == aged.c.customer_id)
            .join(Entity, Entity.id == Customer.entity_id)
        )  # fmt: skip

    return SqlList(
        select=listed, row=_row, tie=(Customer.id,), usual="-overdue", realm=Entity.realm, flags=("overdue",),
        scope=lambda query, actor: within_companies(query, actor, Customer.entity_id),
        text=(Customer.code, Customer.name), currency=Entity.currency,
        sums={
            **dict(zip(BUCKETS, buckets, strict=True)), "Deducted": aged.c.deducted, "Credits": aged.c.credits, "On account": aged.c.on_account,
            "Balance": balance,
        },
        sorts={
            "customer": Customer.code, "overdue": overdue, "balance": balance, "oldest": buckets[-1], "not_due": buckets[0],
        },
        wanted={
            "overdue": lambda _value, _eyes: overdue > 0,
            "company": lambda value, _: Customer.entity_id == value,
        },
    )  # fmt: skip


def _of(session: Session, actor: Actor, asked: Asked, now: datetime) -> tuple[SqlList[AgeingRow], Asked] | None:
    entities = [one for one in entities_seen(session, actor) if one.realm == asked.realm]
    values = {name: value for name, value in asked.values.items() if name != "as_of"}
    if not entities:
        return None
    return _list(entities, asked.values.get("as_of"), now), replace(asked, values=values)


def _page(session: Session, actor: Actor, asked: Asked, now: datetime) -> Found[AgeingRow]:
    found = _of(session, actor, asked, now)
    return found[0].page(session, actor, found[1], now) if found else Found(rows=[], total=0)


def _every(session: Session, actor: Actor, asked: Asked, now: datetime) -> Iterator[AgeingRow]:
    found = _of(session, actor, asked, now)
    return found[0].every(session, actor, found[1], now) if found else iter(())


def _behind(
    session: Session, actor: Actor, asked: Asked, now: datetime, after: Position, limit: int
) -> list[AgeingRow]:
    found = _of(session, actor, asked, now)
    return found[0].after(session, actor, found[1], now, after=after, limit=limit) if found else []


#: Who owes what, the most overdue first. ``as_of``: on another day than today.
AGEING: AskedList[AgeingRow] = AskedList(
    sorts=dict.fromkeys(("customer", "overdue", "balance", "oldest", "not_due")),
    one_page=_page,
    all_rows=_every,
    behind=_behind,
)


def company_of(session: Session, actor: Actor, customer: int) -> tuple[Customer, EntityPick]:
    """The customer with their company; raises ``NotFound`` for an unknown one and for another company's."""
    row = session.get(Customer, customer)
    entity = next((one for one in entities_seen(session, actor) if row is not None and one.id == row.entity_id), None)
    if row is None or entity is None:
        raise NotFound("customer_unknown", id=customer)
    return row, entity


def account(session: Session, actor: Actor, customer: int, as_of: date | None, now: datetime) -> Account:
    """What is open of the customer on the day: documents by the day they were due, then receipts."""
    row, entity = company_of(session, actor, customer)
    return account_on(session, row, entity, day_asked(as_of, entity, now), now)


def account_on(session: Session, row: Customer, entity: EntityPick, day: date, now: datetime) -> Account:
    """The account of a customer whose company is known, on a day that has come. Three queries."""
    customer, days, is_today = row.id, {entity.id: day}, day == local_day(now, entity.time_zone)
    zones = {entity.id: entity.time_zone}
    documents = documents_on(zones, days, is_today=is_today).where(Receivable.customer_id == customer).subquery()
    query = (
        select(
            Receivable.document_type, Receivable.document_id, Receivable.due_on, Receivable.amount_minor, documents.c.open_minor,
            func.coalesce(Invoice.number, CreditMemo.number, DebtJournal.number, DunningFee.number).label("number"),
            func.coalesce(Invoice.invoice_on, Receivable.due_on).label("on"),
        )
        .join(documents, documents.c.document_id == Receivable.document_id)
        .outerjoin(Invoice, Invoice.id == Receivable.document_id)
        .outerjoin(CreditMemo, CreditMemo.id == Receivable.document_id)
        .outerjoin(DebtJournal, DebtJournal.id == Receivable.document_id)
        .outerjoin(DunningFee, DunningFee.id == Receivable.document_id)
        .where(documents.c.open_minor != 0)
        .order_by(Receivable.due_on, Receivable.document_id)
    )  # fmt: skip
    held = disputed_on(zones, days, is_today=is_today).where(Dispute.customer_id == customer)
    deducted = {key: int(minor) for key, minor in session.execute(held)}
    items = [
        OpenItem(
            kind=one.document_type, id=one.document_id, number=one.number or "", on=one.on, due_on=one.due_on,
            amount_minor=one.amount_minor, open_minor=one.open_minor,
            days_over=max(0, (day - one.due_on).days) if one.open_minor > 0 else 0,
            deducted_minor=deducted.get(one.document_id, 0),
        )
        for one in session.execute(query)
    ]  # fmt: skip
    receipts = on_account_on(zones, days, is_today=is_today).where(Receipt.customer_id == customer).subquery()
    money = (
        select(Receipt.id, Receipt.number, Receipt.received_at, Receipt.amount_minor, receipts.c.open_minor)
        .join(receipts, receipts.c.id == Receipt.id)
        .order_by(Receipt.received_at, Receipt.id)
    )
    items += [
        OpenItem(
            kind="receipt", id=one.id, number=one.number, on=local_day(one.received_at, entity.time_zone), due_on=None,
            amount_minor=-one.amount_minor, open_minor=one.open_minor, days_over=0,
        )
        for one in session.execute(money)
    ]  # fmt: skip
    return Account(row=_aged_row(row, entity, items), realm=entity.realm, as_of=day, items=items)


def _aged_row(row: Customer, entity: EntityPick, items: Sequence[OpenItem]) -> AgeingRow:
    due = [0] * len(BUCKETS)
    for one in items:
        if one.due_on is not None and one.open_minor > 0:
            due[bucket_of(one.days_over)] += one.open_minor - one.deducted_minor
    return AgeingRow(
        customer_id=row.id, code=row.code, customer=row.name, entity_id=entity.id, entity=entity.name, currency=entity.currency,
        due_minor=tuple(due), deducted_minor=sum(i.deducted_minor for i in items), credits_minor=sum(i.open_minor for i in items if i.due_on is not None and i.open_minor < 0),
        on_account_minor=sum(i.open_minor for i in items if i.due_on is None),
    )  # fmt: skip


def bucket_of(days_over: int) -> int:
    """The place in ``BUCKETS`` of what is so many days overdue."""
    if days_over <= 0:
        return 0
    return 1 + sum(days_over > end for end in BUCKET_ENDS)

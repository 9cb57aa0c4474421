"""What moved a customer's balance from one day to another, from the balance before to the balance after?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.queries.letterheads import Letterhead, letterhead
from app.queries.places import EntityPick
from app.queries.receivables import FIRST, Account, account_on, company_of, day_asked
from erpcore.billing.dunning.models import DunningFee, DunningNotice, FeeSettlement, SettlementKind
from erpcore.billing.models import CreditMemo, DebtJournal, Invoice, InvoiceState, Receipt, ReceiptReturn
from erpcore.credit.models import Receivable
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import day_end, day_start, local_day
from erpcore.kernel.errors import RuleBroken

#: The most movements one statement holds.
MOST_MOVEMENTS = 2_000
_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Movement:
    """A posted document or a receipt; what the customer owes more is positive. ``balance_minor`` is the one after it."""

    kind: str
    id: int
    number: str
    on: date
    due_on: date | None
    note: str
    minor: int
    balance_minor: int


@dataclass(frozen=True, kw_only=True)
class Statement:
    """A customer's account over some days; ``account`` says what is open at the end of the last."""

    since: date
    until: date
    opening_minor: int
    movements: list[Movement]
    account: Account
    head: Letterhead

    @property
    def closing_minor(self) -> int:
        return self.movements[-1].balance_minor if self.movements else self.opening_minor


def usual_since(until: date) -> date:
    """The day a statement begins with when none is named: the first of the month before."""
    return (until.replace(day=1) - _DAY).replace(day=1)


def statement(
    session: Session, actor: Actor, customer: int, *, since: date | None, until: date | None, now: datetime
) -> Statement:
    """The statement of a customer; without days, from the first of last month until today.

    Raises ``RuleBroken`` for days that are not in order or have not come, and for a period of too many movements.
    """
    row, entity = company_of(session, actor, customer)
    last = day_asked(until, entity, now, field="until")
    first = day_asked(since or max(usual_since(last), FIRST), entity, now, field="since")
    if first > last:
        raise RuleBroken("days_not_in_order", field="since", since=first, until=last)
    opening = account_on(session, row, entity, first - _DAY, now).row.balance_minor
    found = _moved(session, customer, entity, first, last)
    if len(found) > MOST_MOVEMENTS:
        raise RuleBroken("statement_too_long", field="since", most=MOST_MOVEMENTS)
    movements, balance = [], opening
    for kind, key, number, on, due_on, note, minor in found:
        balance += minor
        movements.append(
            Movement(
                kind=kind, id=key, number=number, on=on, due_on=due_on, note=note, minor=minor, balance_minor=balance
            )
        )
    return Statement(
        since=first, until=last, opening_minor=opening, movements=movements,
        head=letterhead(session, entity.id, customer, last),
        account=account_on(session, row, entity, last, now),
    )  # fmt: skip


def _moved(session: Session, customer: int, entity: EntityPick, first: date, last: date) -> Sequence[tuple[Any, ...]]:
    begins, ends = day_start(first, entity.time_zone), day_end(last, entity.time_zone)
    invoices = (
        select(Invoice.id, Invoice.number, Invoice.invoice_on, Invoice.due_on, Invoice.gross_minor)
        .where(Invoice.customer_id == customer, Invoice.state == InvoiceState.POSTED)
        .where(Invoice.invoice_on.between(first, last))
    )
    memos = select(
        CreditMemo.id, CreditMemo.number, CreditMemo.credit_on, CreditMemo.reason, CreditMemo.gross_minor
    ).where(CreditMemo.customer_id == customer, CreditMemo.credit_on.between(first, last))
    # Of a debt journal the receivable keeps the day, which is that of its site.
    debts = (
        select(DebtJournal.id, DebtJournal.number, Receivable.due_on, DebtJournal.reason, DebtJournal.amount_minor)
        .join(Receivable, Receivable.document_id == DebtJournal.id)
        .where(Receivable.customer_id == customer, Receivable.due_on.between(first, last))
    )
    receipts = select(Receipt.id, Receipt.number, Receipt.received_at, Receipt.reference, Receipt.amount_minor).where(
        Receipt.customer_id == customer, Receipt.received_at >= begins, Receipt.received_at < ends
    )
    returned = (
        select(Receipt.id, Receipt.number, ReceiptReturn.returned_at, ReceiptReturn.reason, ReceiptReturn.amount_minor)
        .join(Receipt, Receipt.id == ReceiptReturn.receipt_id)
        .where(Receipt.customer_id == customer, ReceiptReturn.returned_at >= begins, ReceiptReturn.returned_at < ends)
    )

    fees = (
        select(DunningFee.id, DunningFee.number, DunningFee.fee_on, DunningFee.amount_minor, DunningNotice.level)
        .join(DunningNotice, DunningNotice.id == DunningFee.notice_id)
        .where(DunningFee.customer_id == customer, DunningFee.fee_on.between(first, last))
    )
    waived = (
        select(
            DunningFee.id, DunningFee.number, FeeSettlement.settled_at, FeeSettlement.reason, FeeSettlement.amount_minor
        )
        .join(DunningFee, DunningFee.id == FeeSettlement.fee_id)
        .where(DunningFee.customer_id == customer, FeeSettlement.kind == SettlementKind.WAIVED)
        .where(FeeSettlement.settled_at >= begins, FeeSettlement.settled_at < ends)
    )

    def read(query: Any) -> Any:
        return session.execute(query.limit(MOST_MOVEMENTS + 1))

    found: list[tuple[Any, ...]] = [("invoice", r[0], r[1] or "", r[2], r[3], "", r[4]) for r in read(invoices)]
    found += [("credit_memo", r[0], r[1] or "", r[2], None, r[3], -r[4]) for r in read(memos)]
    found += [("debt_journal", r[0], r[1], r[2], None, r[3], r[4]) for r in read(debts)]
    found += [
        ("receipt", r[0], r[1], local_day(r[2], entity.time_zone), None, r[3] or "", -r[4]) for r in read(receipts)
    ]
    found += [
        ("receipt_return", r[0], r[1], local_day(r[2], entity.time_zone), None, r[3], r[4]) for r in read(returned)
    ]
    found += [("dunning_fee", r[0], r[1], r[2], r[2], f"level {r[4]}", r[3]) for r in read(fees)]
    found += [
        ("fee_waived", r[0], r[1], local_day(r[2], entity.time_zone), None, r[3] or "", -r[4]) for r in read(waived)
    ]
    return sorted(found, key=lambda one: (one[3], one[1]))

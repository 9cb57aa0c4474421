"""Receipts that somebody types or hands in one by one: what looks recorded already is said, and taken again only with a reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select

from erpcore.billing.bank_models import BankStatementLine
from erpcore.billing.cash import ReceiveCash, receive_cash
from erpcore.billing.cash_records import place_of
from erpcore.billing.models import Receipt
from erpcore.kernel.clock import day_end, day_start, local_day
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.rows import read_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.models import Customer

#: So long what a bank statement brought may be typed again by whoever did not see it.
_BANK_TIME = timedelta(days=7)


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordReceipt:
    """A receipt as somebody writes it down; ``again`` is why it is another one though an equal one is there."""

    receipt: ReceiveCash
    again: str | None = None


def record_receipt(work: UnitOfWork, command: RecordReceipt) -> int:
    """Take the receipt on account; returns its id.

    Raises ``RuleBroken("receipt_recorded")`` while the customer has one of the same day, amount and reference, or one of the same
    amount that came with a statement of the bank within a week, that has not gone back whole, and no reason is given. Two who write the same down at once come one after the other.
    """
    read_rows(work, Customer, ("id",), "id", [command.receipt.customer], lock=True)
    known, why = _recorded(work, command.receipt), (command.again or "").strip()
    if known and not why:
        raise RuleBroken("receipt_recorded", field="again", number=known)
    (key,) = receive_cash(work, [command.receipt])
    if known:
        work.audit("receipt.recorded_again", "receipt", key, before=known, reason=why)
    return key


def _recorded(work: UnitOfWork, receipt: ReceiveCash) -> str | None:
    zone = place_of(work, receipt.entity, None).time_zone or "UTC"
    today = local_day(work.now, zone)
    said = (receipt.reference or "").strip().lower()
    begun = day_start(today, zone)
    equal = (
        select(Receipt.id, Receipt.number, Receipt.received_at, func.lower(func.trim(func.coalesce(Receipt.reference, ""))).label("said"))
        .where(
            Receipt.customer_id == receipt.customer, Receipt.entity_id == receipt.entity,
            Receipt.amount_minor == receipt.amount_minor, Receipt.returned_minor < Receipt.amount_minor,
            Receipt.received_at >= begun - _BANK_TIME, Receipt.received_at < day_end(today, zone),
        )
        .order_by(Receipt.id.desc())
    )  # fmt: skip
    found = work.session.execute(equal).all()
    for row in found:
        if row.received_at >= begun and row.said == said:
            return str(row.number)
    # A person writes another reference than the bank did, and often a day or two later.
    line = BankStatementLine
    came = (
        set(work.session.scalars(select(line.receipt_id).where(line.receipt_id.in_([row.id for row in found]))))
        if found
        else set()
    )
    return next((str(row.number) for row in found if row.id in came), None)

"""What was open of documents and receipts at the end of a day, today or a past one?

Today's is what the rows say; a past day adds back what was applied after it. Days are those of each company.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Date, case, func, literal, select, text, union, union_all

from erpcore.billing.disputes.models import Dispute, DisputeStep
from erpcore.billing.dunning.models import DunningFee, FeeReversal, FeeSettlement
from erpcore.billing.models import CreditApplication, Invoice, Receipt, ReceiptApplication, ReceiptReturn
from erpcore.credit.models import Receivable
from erpcore.kernel.clock import day_end
from erpcore.kernel.model import UtcDateTime

#: As the partial index of what is owed says it.
_OWED = text("receivable.open_minor <> 0")


def by_company(column: Any, values: Mapping[int, Any]) -> ColumnElement[Any]:
    """What holds for each company, by the column that names it."""
    return case(values, value=column)


def documents_on(zones: Mapping[int, str], days: Mapping[int, date], *, is_today: bool) -> Any:
    """Documents with what is open of them on the day: customer, due day, open."""
    if is_today:
        return select(
            Receivable.document_id, Receivable.customer_id, Receivable.entity_id, Receivable.due_on,
            Receivable.open_minor.label("open_minor"),
        ).where(_OWED, Receivable.entity_id.in_(list(zones)))  # fmt: skip
    later = _settled_later(zones, days)
    keys = union(
        select(Receivable.document_id.label("key")).where(_OWED, Receivable.entity_id.in_(list(zones))),
        select(later.c.key),
    ).subquery()
    on = func.coalesce(Invoice.invoice_on, Receivable.due_on)
    return (
        select(
            Receivable.document_id, Receivable.customer_id, Receivable.entity_id, Receivable.due_on,
            (Receivable.open_minor + func.coalesce(later.c.minor, 0)).label("open_minor"),
        )
        .select_from(keys)
        .join(Receivable, Receivable.document_id == keys.c.key)
        .outerjoin(later, later.c.key == Receivable.document_id)
        .outerjoin(Invoice, Invoice.id == Receivable.document_id)
        .where(on <= by_company(Receivable.entity_id, {key: literal(day, Date) for key, day in days.items()}))
    )  # fmt: skip


def disputed_on(zones: Mapping[int, str], days: Mapping[int, date], *, is_today: bool) -> Any:
    """How much of each invoice was deducted or disputed on the day: by ``invoice_id``, ``minor``."""
    if is_today:
        return (
            select(Dispute.invoice_id, func.sum(Dispute.open_minor).label("minor"))
            .where(text("dispute.open_minor > 0"), Dispute.entity_id.in_(list(zones)))
            .group_by(Dispute.invoice_id)
        )
    return (
        select(Dispute.invoice_id, func.sum(DisputeStep.amount_minor).label("minor"))
        .join(DisputeStep, DisputeStep.dispute_id == Dispute.id)
        .where(Dispute.entity_id.in_(list(zones)), DisputeStep.at < by_company(Dispute.entity_id, _ends(zones, days)))
        .group_by(Dispute.invoice_id)
    )


def _ends(zones: Mapping[int, str], days: Mapping[int, date]) -> dict[int, Any]:
    """The moment at which each company's day is over."""
    return {key: literal(day_end(days[key], zone), UtcDateTime()) for key, zone in zones.items()}


def _later(zones: Mapping[int, str], days: Mapping[int, date], *moved: tuple[Any, Any, Any, Any]) -> Any:
    """What was moved after the day, by ``key``. Each: the key, the amount, when, and the company of it."""
    earliest = min(day_end(days[key], zone) for key, zone in zones.items())
    ends = _ends(zones, days)
    parts = [
        select(key.label("key"), minor.label("minor"))
        .join(owner.class_, owner.class_.id == joined)
        # The first condition is what an index can be used for; the last is the day of each company.
        .where(at >= earliest, owner.in_(list(zones)), at >= by_company(owner, ends))
        for key, minor, at, (owner, joined) in moved
    ]
    found = union_all(*parts).subquery()
    return select(found.c.key, func.sum(found.c.minor).label("minor")).group_by(found.c.key).subquery()


def _settled_later(zones: Mapping[int, str], days: Mapping[int, date]) -> Any:
    """What documents were settled by after the day: invoices by money and credits, credits by what they were set against, fees by
    money or because they were waived.
    """
    cash, credit = ReceiptApplication, CreditApplication
    receipt, invoice = (Receipt.entity_id, cash.receipt_id), (Invoice.entity_id, credit.invoice_id)
    return _later(
        zones, days, (cash.invoice_id, cash.amount_minor, cash.applied_at, receipt),
        (credit.invoice_id, credit.amount_minor, credit.applied_at, invoice),
        (credit.credit_id, -credit.amount_minor, credit.applied_at, invoice),
        (FeeSettlement.fee_id, FeeSettlement.amount_minor, FeeSettlement.settled_at, (DunningFee.entity_id, FeeSettlement.fee_id)),
        (FeeReversal.fee_id, -FeeReversal.amount_minor, FeeReversal.reversed_at, (DunningFee.entity_id, FeeReversal.fee_id)),
    )  # fmt: skip


def _used_later(zones: Mapping[int, str], days: Mapping[int, date]) -> Any:
    """What was applied of receipts, or went back to the bank, after the day."""
    cash, back, fee, undone = ReceiptApplication, ReceiptReturn, FeeSettlement, FeeReversal
    return _later(
        zones, days, (cash.receipt_id, cash.amount_minor, cash.applied_at, (Receipt.entity_id, cash.receipt_id)),
        (back.receipt_id, back.amount_minor, back.returned_at, (Receipt.entity_id, back.receipt_id)),
        (fee.receipt_id, fee.amount_minor, fee.settled_at, (Receipt.entity_id, fee.receipt_id)),
        (undone.receipt_id, -undone.amount_minor, undone.reversed_at, (Receipt.entity_id, undone.receipt_id)),
    )  # fmt: skip


def on_account_on(zones: Mapping[int, str], days: Mapping[int, date], *, is_today: bool) -> Any:
    """Receipts with what is not applied of them on the day, negative."""
    if is_today:
        return select(
            Receipt.id, Receipt.customer_id, Receipt.entity_id, (-Receipt.left_minor).label("open_minor")
        ).where(text("receipt.left_minor > 0"), Receipt.entity_id.in_(list(zones)))
    later, ends = _used_later(zones, days), _ends(zones, days)
    left = Receipt.left_minor + func.coalesce(later.c.minor, 0)
    return (
        select(Receipt.id, Receipt.customer_id, Receipt.entity_id, (-left).label("open_minor"))
        .outerjoin(later, later.c.key == Receipt.id)
        .where(left > 0, Receipt.entity_id.in_(list(zones)), Receipt.received_at < by_company(Receipt.entity_id, ends))
    )

"""What a payment leaves open of an invoice is named where the payment is entered, in the same unit of work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.composition.trading import cells, rules
from erpcore.billing.disputing import Deduct, name_deductions
from erpcore.billing.models import ReceiptApplication
from erpcore.kernel.errors import NotFound
from erpcore.kernel.work import UnitOfWork


class Short(NamedTuple):
    """Why so little came; an empty reason is unknown."""

    reason: str
    note: str = ""


def name_rests(work: UnitOfWork, receipt: int, why: Mapping[int, Short]) -> list[int]:
    """Make a deduction of what the receipt left open of each of these invoices; returns their ids."""
    if not why:
        return []
    commands = [
        Deduct(application=application_of(work.session, receipt, invoice), reason=short.reason, note=short.note)
        for invoice, short in sorted(why.items())
    ]
    return name_deductions(work, commands, rules=rules(), cells=cells())


def application_of(session: Session, receipt: int, invoice: int) -> int:
    """The newest payment of an invoice out of a receipt that stands. Raises ``NotFound`` where there is none."""
    mirror = select(ReceiptApplication.reverses_id).where(ReceiptApplication.reverses_id.is_not(None))
    found: int | None = session.scalar(
        select(func.max(ReceiptApplication.id)).where(
            ReceiptApplication.receipt_id == receipt, ReceiptApplication.invoice_id == invoice,
            ReceiptApplication.reverses_id.is_(None), ReceiptApplication.id.not_in(mirror.where(ReceiptApplication.receipt_id == receipt)),
        )
    )  # fmt: skip
    if found is None:
        raise NotFound("application_unknown", id=invoice)
    return found

"""Which posted document of a company has this number?"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from erpcore.billing.models import CreditMemo, Invoice


def document_named(session: Session, entity: int, number: str, *, is_credit: bool) -> int | None:
    """The id of the invoice, or of the credit memo."""
    if is_credit:
        return session.scalar(select(CreditMemo.id).where(CreditMemo.entity_id == entity, CreditMemo.number == number))
    return session.scalar(select(Invoice.id).where(Invoice.entity_id == entity, Invoice.number == number))

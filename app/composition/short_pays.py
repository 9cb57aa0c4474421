"""What a payment leaves open of an invoice is named where the payment is entered, in the same unit of work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from app.composition.trading import cells, rules
from app.queries.disputes import application_of
from erpcore.billing.disputes.services import Deduct, name_deductions
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

"""What is deducted never exceeds what is open: money and credits that settle an invoice settle its differences with it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from erpcore.billing.disputes.flow import DISPUTE
from erpcore.billing.disputes.models import Dispute, DisputeState, StepKind
from erpcore.billing.disputes.records import (
    COLUMNS,
    DisputeRow,
    end_if_settled,
    open_of,
    save_disputes,
    take_step,
    tell_step,
    write_steps,
)
from erpcore.kernel.history import record_move
from erpcore.kernel.rows import read_rows
from erpcore.kernel.work import UnitOfWork


def fit_disputes(work: UnitOfWork, held: Any) -> None:
    """Settle of differences what is beyond the open amount of their invoices now, the newest first: what came paid the rest of the
    invoice before. ``held`` is what settled them, with receivables locked.
    """
    less = [key for key in held.invoices if held.open.get(key, 0) < held.documents[key].open_minor]
    if not less:
        return
    for invoice, rows in open_of(work, less).items():
        beyond = sum(row.open_minor for row in rows) - held.open[invoice]
        order = held.orders[held.invoices[invoice].order_id]
        place, kind = order.place(work), held.by.get(invoice, StepKind.PAID)
        for row in reversed(rows):
            minor = min(beyond, row.open_minor)
            if minor <= 0:
                break
            beyond -= minor
            write_steps(work, [take_step(work, row, kind, minor)])
            tell_step(work, row, kind, minor, place, order.id)
            _overtaken(work, row)
            end_if_settled(work, row, place, order.id)
            save_disputes(work, [row])


def _overtaken(work: UnitOfWork, row: DisputeRow) -> None:
    """Others decide on an amount that is no longer open: they are not asked that any more."""
    if row.open_minor and row.state == DisputeState.WAITING:
        was, row.state, row.asked_minor = row.state, DISPUTE.target("overtake", row.state), None
        record_move(work, DISPUTE.document, row.id, "overtake", was, row.state)


def withdraw_deductions(work: UnitOfWork, held: Any, applications: Iterable[int], reason: str) -> None:
    """End the deductions of payments that are taken back: without the payment nothing is short, the invoice owes all again."""
    rows = [
        DisputeRow(*row) for row in read_rows(work, Dispute, COLUMNS, "application_id", set(applications), lock=True)
    ]
    for row in sorted(rows, key=lambda one: one.id):
        if not row.open_minor:
            continue
        order = held.orders[held.invoices[row.invoice_id].order_id]
        write_steps(work, [take_step(work, row, StepKind.WITHDRAWN, row.open_minor, note=reason)])
        end_if_settled(work, row, order.place(work), order.id, move="withdraw", reason=reason)
        save_disputes(work, [row])

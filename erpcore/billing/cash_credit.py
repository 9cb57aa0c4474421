"""Credit memos, and debts given up, set against the invoices they are meant for: nothing is posted, less is open of both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from erpcore.billing.cash_records import (
    CREDIT_APPLICATION,
    SETTLE,
    Held,
    change_debts,
    hold,
    settled_or_reopened,
)
from erpcore.billing.cash_reversal import Unapply, require_reversible, reversed_before
from erpcore.billing.disputes.models import StepKind
from erpcore.billing.models import CreditApplication
from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.kernel.events import Event
from erpcore.kernel.rows import read_rows, write_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.orders.documents import Order
from erpcore.published.cash import CreditApplied, CreditUnapplied

#: The documents that may be set against an invoice when they are open with a negative amount.
CREDITS = frozenset({"credit_memo", "debt_journal"})


@dataclass(frozen=True, kw_only=True, slots=True)
class ApplyCredit:
    """Settle so much of an invoice out of a credit memo, or of a debt that was given up."""

    credit: int
    invoice: int
    amount_minor: int


def apply_credit(work: UnitOfWork, commands: Sequence[ApplyCredit], *, is_agreed: bool = False) -> list[int]:
    """Set credits against invoices of the same customer; returns the applications' ids.

    The receivable account knows nothing of it: both documents stand on it. ``is_agreed``: by authority, or by a policy. Raises ``RuleBroken`` when more is applied than a
    credit has left or an invoice has open.
    """
    held = hold(work, invoices={c.invoice for c in commands}, credited={c.credit for c in commands})
    ids = work.ids.reserve(len(commands))
    rows: list[tuple[Any, ...]] = []
    for command in commands:
        invoice, credit = held.invoices[command.invoice], held.documents.get(command.credit)
        if not is_agreed:
            work.actor.require("billing:receipt:apply", site=invoice.site_id)
        if credit is None or credit.document_type not in CREDITS:
            raise NotFound("credit_unknown", id=command.credit)
        if credit.customer_id != invoice.customer_id:
            raise RuleBroken("other_customer", document=invoice.number)
        if credit.currency != invoice.currency:
            raise RuleBroken("other_currency", document=invoice.number, currency=invoice.currency)
        amount, owed, left = command.amount_minor, held.open.get(invoice.id, 0), -held.open[credit.document_id]
        if amount <= 0 or amount > left or amount > owed:
            raise RuleBroken("credit_applied_too_much", document=invoice.number, left=left, open=owed)
        event = CreditApplied(
            document_type=credit.document_type, invoice=invoice.id, amount=amount, left=left - amount,
            by_person=not work.actor.is_system,
        )  # fmt: skip
        _set(work, held, credit, invoice.id, amount, event)
        rows.append((next(ids), credit.document_id, invoice.id, amount, work.now, work.actor.id, None, None))
    _write(work, held, rows)
    return [row[0] for row in rows]


def unapply_credit(work: UnitOfWork, commands: Sequence[Unapply]) -> list[int]:
    """Take applications of credits back; returns the ids of the rows that do it.

    Raises ``NotFound`` for an unknown application, ``RuleBroken`` for one that is itself a reversal or was taken back before.
    """
    wanted = {c.application for c in commands}
    found = {row.id: row for row in read_rows(work, CreditApplication, CREDIT_APPLICATION, "id", wanted)}
    for command in commands:
        if command.application not in found:
            raise NotFound("application_unknown", id=command.application)
    held = hold(
        work, invoices={row.invoice_id for row in found.values()}, credited={row.credit_id for row in found.values()}
    )
    taken = reversed_before(work, CreditApplication, found)
    ids = work.ids.reserve(len(commands))
    rows: list[tuple[Any, ...]] = []
    for command in commands:
        row = found[command.application]
        invoice, credit = held.invoices[row.invoice_id], held.documents[row.credit_id]
        work.actor.require("billing:receipt:apply", site=invoice.site_id)
        require_reversible(row, command.reason, taken, str(invoice.number))
        taken.add(row.id)
        reason = command.reason.strip()
        event = CreditUnapplied(
            document_type=credit.document_type, invoice=invoice.id, amount=row.amount_minor,
            left=row.amount_minor - held.open[credit.document_id], reason=reason,
        )  # fmt: skip
        _set(work, held, credit, invoice.id, -row.amount_minor, event)
        key = next(ids)
        rows.append((key, credit.document_id, invoice.id, -row.amount_minor, work.now, work.actor.id, row.id, reason))
    _write(work, held, rows)
    return [row[0] for row in rows]


def _set(work: UnitOfWork, held: Held, credit: Any, invoice_id: int, amount: int, event: Event) -> None:
    """Change what is open of both by so much, and report it on the journey of the invoice's order."""
    invoice = held.invoices[invoice_id]
    order: Order = held.orders[invoice.order_id]
    before = held.open[invoice_id]
    held.open[invoice_id] = before - amount
    held.open[credit.document_id] += amount
    held.by[invoice_id] = StepKind.CREDITED if credit.document_type == "credit_memo" else StepKind.WRITTEN_OFF
    work.publish(
        event, order.place(work), step="order_to_cash.cash", subject=(credit.document_type, credit.document_id, 1),
        journey=order.id,
    )  # fmt: skip
    settled_or_reopened(work, order, invoice, before, held.open[invoice_id])


def _write(work: UnitOfWork, held: Held, rows: Sequence[tuple[Any, ...]]) -> None:
    write_rows(work, CreditApplication.__table__, CREDIT_APPLICATION, rows)
    SETTLE.run(
        work,
        [
            {"of": document, "amount": amount}
            for row in rows
            for document, amount in ((row[2], row[3]), (row[1], -row[3]))
        ],
    )
    change_debts(work, held)

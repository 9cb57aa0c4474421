"""What is told of money and credit after it came: taken off an invoice again, gone back to the bank, set against an invoice."""

from __future__ import annotations

from typing import ClassVar

from erpcore.kernel.events import Event


class CashUnapplied(Event, frozen=True, kw_only=True):
    """So much of a receipt no longer settles the invoice. ``left`` is what of the receipt is on account then."""

    type: ClassVar[str] = "cash.unapplied"
    invoice: int
    amount: int
    left: int
    reason: str


class CashReturned(Event, frozen=True, kw_only=True):
    """The bank took so much of a receipt back; ``fee`` is what it charged for that."""

    type: ClassVar[str] = "cash.returned"
    amount: int
    fee: int
    reason: str


class StatementAccepted(Event, frozen=True, kw_only=True):
    """A statement of a bank adds up and is in the books; ``new`` of its lines were not known from an earlier one."""

    type: ClassVar[str] = "bank_statement.accepted"
    account: int
    lines: int
    new: int
    opening: int
    closing: int


class BankLineAssigned(Event, frozen=True, kw_only=True):
    """An entry of a bank became a receipt, a return of one, or a fee."""

    type: ClassVar[str] = "bank_line.assigned"
    outcome: str
    amount: int
    receipt: int | None


class CreditApplied(Event, frozen=True, kw_only=True):
    """Part of a credit memo, or of a debt given up (``document_type``), settles part of an invoice."""

    type: ClassVar[str] = "credit.applied"
    document_type: str
    invoice: int
    amount: int
    left: int
    by_person: bool


class CreditUnapplied(Event, frozen=True, kw_only=True):
    """So much of a credit no longer settles the invoice."""

    type: ClassVar[str] = "credit.unapplied"
    document_type: str
    invoice: int
    amount: int
    left: int
    reason: str


class InvoiceReopened(Event, frozen=True, kw_only=True):
    """An invoice that was settled has something open again."""

    type: ClassVar[str] = "invoice.reopened"
    open: int

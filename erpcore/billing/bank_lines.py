"""Lines of bank statements become what they are: a customer's receipt, a payment that went back, a fee of the bank."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import update

from erpcore.billing.bank_models import BankStatementLine, LineOutcome, LineState
from erpcore.billing.cash import ApplyCash, ReceiveCash, apply_cash, receive_cash
from erpcore.billing.cash_credit import ApplyCredit, apply_credit
from erpcore.billing.cash_known import Came, SameReceipt, hold_payers, post_same, refuse_typed
from erpcore.billing.cash_records import cash_entry, hold, place_of
from erpcore.billing.cash_reversal import ReturnReceipt, return_receipts
from erpcore.billing.models import Invoice, Receipt
from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.kernel.rows import Change, param, read_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.ledger.models import AccountRole
from erpcore.ledger.services import Side, ensure_account, post_entries
from erpcore.published.cash import BankLineAssigned

_COLUMNS = (
    "id", "entity_id", "state", "amount_minor", "fee_minor", "end_to_end", "text", "statement_id", "payer_account", "booked_on",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """So much of an invoice is settled."""

    invoice: int
    amount_minor: int


@dataclass(frozen=True, kw_only=True, slots=True)
class AssignLine:
    """The money of a line is a customer's and settles these invoices; what is left stands on account. ``credits`` are credit memos
    of the customer that were deducted before paying, each set against an invoice.

    ``fee_minor`` the bank kept besides what the line says itself; ``difference_minor`` was lost (or, negative, won) by the
    currency in which the customer paid. ``explanation`` is why, in a sentence; ``again``, why it is another payment though a receipt
    like it was typed.
    """

    line: int
    customer: int
    parts: Sequence[Part] = ()
    credits: Sequence[ApplyCredit] = ()
    fee_minor: int = 0
    difference_minor: int = 0
    explanation: str = ""
    again: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ReturnByLine:
    """A line takes money of a receipt back; ``fee_minor`` of it is what the bank charged."""

    line: int
    receipt: int
    reason: str
    fee_minor: int = 0


def _assign() -> Any:
    table = BankStatementLine.__table__
    names = ("outcome", "receipt_id", "payout_id", "assigned_by", "assigned_at", "explanation")
    return (
        update(table)
        .where(table.c.id == param("of", table.c.id), table.c.state == LineState.OPEN)
        .values({name: param(f"now_{name}", table.c[name]) for name in names} | {"state": LineState.ASSIGNED})
    )


_ASSIGN = Change(_assign)


def assign_lines(work: UnitOfWork, commands: Sequence[AssignLine]) -> list[int]:
    """Make receipts of lines and settle what they pay; returns the receipts' ids.

    Raises ``RuleBroken("line_settled")`` for a line that is no longer open, ``line_pays_out`` for one that brought nothing, ``line_typed_before``
    for one whose money somebody typed within a week of its day and of which no reason is given why it is another.
    """
    lines = open_lines(work, [c.line for c in commands])
    money = []
    for command, line in zip(commands, lines, strict=True):
        work.actor.require("billing:receipt:take")
        if line.amount_minor <= 0:
            raise RuleBroken("line_pays_out", line=line.id)
        fee = line.fee_minor + command.fee_minor
        money.append(
            ReceiveCash(
                entity=line.entity_id, customer=command.customer, fee_minor=fee, difference_minor=command.difference_minor,
                amount_minor=line.amount_minor + fee + command.difference_minor, reference=(line.end_to_end or line.text or "")[:120] or None,
            )
        )  # fmt: skip
    _refuse_typed(work, commands, lines, money)
    receipts = receive_cash(work, money, source=AccountRole.BANK_CLEARING)
    parts = [
        ApplyCash(receipt=receipt, invoice=part.invoice, amount_minor=part.amount_minor)
        for command, receipt in zip(commands, receipts, strict=True)
        for part in command.parts
    ]
    credits_ = [credit for command in commands for credit in command.credits]
    if credits_:
        _hold_all(work, commands, receipts)
        _require_own(work, commands)
        apply_credit(work, credits_)
    if parts:
        apply_cash(work, parts)
    settle_lines(
        work, lines, LineOutcome.RECEIPT, receipts,
        [command.explanation[:500] or "assigned by hand" for command in commands],
    )  # fmt: skip
    return receipts


def _refuse_typed(
    work: UnitOfWork, commands: Sequence[AssignLine], lines: Sequence[Any], money: Sequence[ReceiveCash]
) -> None:
    hold_payers(work, (c.customer for c in commands))
    for entity in sorted({line.entity_id for line in lines}):
        came = [
            Came(line.id, one.customer, one.amount_minor, line.booked_on)
            for line, one in zip(lines, money, strict=True)
            if line.entity_id == entity
        ]
        refuse_typed(work, entity, came, {c.line: c.again or "" for c in commands})


def recognise_lines(work: UnitOfWork, commands: Sequence[SameReceipt]) -> None:
    """The money of these entries is that of receipts that somebody typed: it is in the bank once, and nothing is taken anew.

    Raises ``RuleBroken("receipt_not_typed")`` for a receipt that has its entry already or that nobody typed, and
    ``"receipt_other_amount"``.
    """
    work.actor.require("billing:receipt:apply")
    lines = open_lines(work, [c.line for c in commands])
    for line in lines:
        if line.amount_minor <= 0:
            raise RuleBroken("line_pays_out", line=line.id)
    receipts = [c.receipt for c in commands]
    post_same(work, lines, receipts)
    settle_lines(work, lines, LineOutcome.TYPED, receipts, ["the receipt that was typed before"] * len(lines))


def _hold_all(work: UnitOfWork, commands: Sequence[AssignLine], receipts: Sequence[int]) -> None:
    """Lock what credits and money change together in the one order that all do."""
    invoices = {one.invoice for c in commands for one in c.parts} | {one.invoice for c in commands for one in c.credits}
    hold(work, invoices=invoices, receipts=receipts, credited={one.credit for c in commands for one in c.credits})


def _require_own(work: UnitOfWork, commands: Sequence[AssignLine]) -> None:
    """Raise ``RuleBroken("other_customer")`` where a line would set another customer's invoices and credits against each other."""
    wanted = {one.invoice: c.customer for c in commands for one in c.credits}
    for row in read_rows(work, Invoice, ("id", "number", "customer_id"), "id", wanted):
        if row.customer_id != wanted[row.id]:
            raise RuleBroken("other_customer", document=row.number)


def return_by_lines(work: UnitOfWork, commands: Sequence[ReturnByLine]) -> list[int]:
    """Book lines that take money back; what it had paid is open again. Returns the ids of the returns.

    Raises ``NotFound`` for a receipt that the company of the line has not taken.
    """
    lines = open_lines(work, [c.line for c in commands])
    taken = read_rows(work, Receipt, ("id", "entity_id"), "id", {c.receipt for c in commands})
    company = {row.id: row.entity_id for row in taken}
    back = []
    for command, line in zip(commands, lines, strict=True):
        amount = -line.amount_minor - command.fee_minor
        if amount <= 0:
            raise RuleBroken("line_pays_in", line=line.id)
        if company.get(command.receipt) != line.entity_id:
            raise NotFound("receipt_unknown", id=command.receipt)
        back.append(
            ReturnReceipt(
                receipt=command.receipt, reason=command.reason, amount_minor=amount, fee_minor=command.fee_minor
            )
        )
    made = return_receipts(work, back, source=AccountRole.BANK_CLEARING)
    settle_lines(work, lines, LineOutcome.RETURN, [c.receipt for c in commands], [c.reason.strip() for c in commands])
    return made


def book_fees(work: UnitOfWork, ids: Sequence[int]) -> None:
    """Book lines that are what the bank charges."""
    lines = open_lines(work, ids)
    entries = []
    for line in lines:
        work.actor.require("billing:receipt:apply")
        if line.amount_minor >= 0:
            raise RuleBroken("line_pays_in", line=line.id)
        place = place_of(work, line.entity_id, None)
        ensure_account(work, line.entity_id, AccountRole.BANK_FEES)
        sides = (Side(AccountRole.BANK_FEES, -line.amount_minor), Side(AccountRole.BANK_CLEARING, line.amount_minor))
        entries.append(
            cash_entry("bank_fee", place, ("bank_line", line.id), work.now, sides, journey=line.statement_id)
        )
    post_entries(work, entries)
    settle_lines(work, lines, LineOutcome.FEE, [None] * len(lines), ["a fee of the bank"] * len(lines))


def open_lines(work: UnitOfWork, ids: Sequence[int]) -> list[Any]:
    """The lines, locked, in the order asked for; each must be open and asked for once."""
    found = {row.id: row for row in read_rows(work, BankStatementLine, _COLUMNS, "id", set(ids), lock=True)}
    for key in ids:
        if key not in found:
            raise NotFound("bank_line_unknown", id=key)
        if found[key].state != LineState.OPEN or list(ids).count(key) > 1:
            raise RuleBroken("line_settled", line=key)
    return [found[key] for key in ids]


def settle_lines(
    work: UnitOfWork, lines: Sequence[Any], outcome: LineOutcome, receipts: Sequence[int | None], why: Sequence[str],
    payouts: Sequence[int | None] = (),
) -> None:  # fmt: skip
    """Keep what open lines became, by whom and why."""
    rows, none = [], [None for _ in lines]
    for line, receipt, said, payout in zip(lines, receipts, why, payouts or none, strict=True):
        rows.append(
            {
                "of": line.id, "now_outcome": outcome, "now_receipt_id": receipt, "now_payout_id": payout,
                "now_assigned_by": work.actor.id, "now_assigned_at": work.now, "now_explanation": said,
            }
        )  # fmt: skip
        place = place_of(work, line.entity_id, None)
        event = BankLineAssigned(outcome=outcome, amount=line.amount_minor, receipt=receipt)
        work.publish(
            event, place, step="order_to_cash.cash", subject=("bank_line", line.id, 1), journey=line.statement_id
        )
    _ASSIGN.run(work, rows)

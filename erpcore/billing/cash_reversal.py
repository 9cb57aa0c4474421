"""Money that was applied to the wrong invoice, or that the bank took back: the invoice is open again, and history stays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import update

from erpcore.billing.cash_records import (
    APPLICATION,
    SETTLE,
    TAKE,
    Held,
    cash_entry,
    change_debts,
    hold,
    place_of,
    settled_or_reopened,
    two_sides,
)
from erpcore.billing.disputes.fitting import withdraw_deductions
from erpcore.billing.dunning.fees import fees_paid_by, reopen_fees
from erpcore.billing.models import Receipt, ReceiptApplication, ReceiptReturn
from erpcore.kernel.errors import Conflict, NotFound, RuleBroken
from erpcore.kernel.rows import Change, param, read_rows, write_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.ledger.models import AccountRole, JournalEntry
from erpcore.ledger.services import Side, ensure_account, post_entries
from erpcore.masterdata.queries import customers
from erpcore.published.cash import CashReturned, CashUnapplied

#: The rule that posts money that goes back, by whence it goes.
_RULES = {
    AccountRole.BANK: "receipt_returned", AccountRole.BANK_CLEARING: "receipt_returned_by_bank",
    AccountRole.PARTNER: "receipt_returned_by_partner",
}  # fmt: skip
_RETURN = ("id", "receipt_id", "amount_minor", "fee_minor", "reason", "returned_at", "actor")


@dataclass(frozen=True, kw_only=True, slots=True)
class Unapply:
    """Take an application back whole: the invoice owes it again, and the money is on account."""

    application: int
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ReturnReceipt:
    """The bank took so much of a receipt back, all of it without an amount, and charged ``fee_minor``."""

    receipt: int
    reason: str
    amount_minor: int | None = None
    fee_minor: int = 0


def _give_back() -> Any:
    table = Receipt.__table__
    return (
        update(table)
        .where(table.c.id == param("of", table.c.id), table.c.left_minor >= param("amount", table.c.left_minor))
        .values(
            left_minor=table.c.left_minor - param("amount", table.c.left_minor),
            returned_minor=table.c.returned_minor + param("amount", table.c.returned_minor),
        )
    )


_GIVE_BACK = Change(_give_back)


def unapply_cash(work: UnitOfWork, commands: Sequence[Unapply]) -> list[int]:
    """Take applications back; returns the ids of the rows that do it. What was settled through a receipt is open again.

    Raises ``NotFound`` for an unknown application, ``RuleBroken`` for one that is itself a reversal or was taken back before.
    """
    wanted = {c.application for c in commands}
    found = {row.id: row for row in read_rows(work, ReceiptApplication, APPLICATION, "id", wanted)}
    for command in commands:
        if command.application not in found:
            raise NotFound("application_unknown", id=command.application)
    held = hold(
        work, invoices={row.invoice_id for row in found.values()}, receipts={row.receipt_id for row in found.values()}
    )
    return _unapply(work, held, [(found[c.application], c.reason) for c in commands])


def _unapply(work: UnitOfWork, held: Held, asked: Sequence[tuple[Any, str]]) -> list[int]:
    """The applications with the reasons, of invoices and receipts that are locked."""
    taken = reversed_before(work, ReceiptApplication, [row.id for row, _ in asked])
    posted = _entries_of(work, [row.id for row, _ in asked])
    ids = work.ids.reserve(len(asked))
    rows, entries = [], []
    for row, reason in asked:
        invoice = held.invoices[row.invoice_id]
        work.actor.require("billing:receipt:apply", site=invoice.site_id)
        require_reversible(row, reason, taken, str(invoice.number))
        taken.add(row.id)
        before = held.open[invoice.id]
        held.open[invoice.id] = before + row.amount_minor
        held.left[row.receipt_id] += row.amount_minor
        held.deltas[invoice.customer_id, invoice.entity_id] += row.amount_minor
        key, order = next(ids), held.orders[invoice.order_id]
        rows.append(
            (key, row.receipt_id, invoice.id, -row.amount_minor, work.now, work.actor.id, row.id, reason.strip())
        )
        place = order.place(work)
        sides = two_sides(row.amount_minor, AccountRole.RECEIVABLE, AccountRole.ON_ACCOUNT, debtor=invoice.customer_id)
        entries.append(
            cash_entry(
                "application_reversed", place, ("application", key), work.now, sides, journey=order.id,
                reverses=posted.get(row.id), text=reason.strip(),
            )
        )  # fmt: skip
        event = CashUnapplied(
            invoice=invoice.id, amount=row.amount_minor, left=held.left[row.receipt_id], reason=reason.strip()
        )
        work.publish(
            event, place, step="order_to_cash.cash", subject=("receipt", row.receipt_id, 1), journey=row.receipt_id,
            refs=[("order", order.id, 1_000_000)],
        )  # fmt: skip
        settled_or_reopened(work, order, invoice, before, held.open[invoice.id])
    write_rows(work, ReceiptApplication.__table__, APPLICATION, rows)
    TAKE.run(work, [{"of": row.receipt_id, "amount": -row.amount_minor} for row, _ in asked])
    SETTLE.run(work, [{"of": row.invoice_id, "amount": -row.amount_minor} for row, _ in asked])
    post_entries(work, entries)
    change_debts(work, held)
    for row, reason in asked:
        withdraw_deductions(work, held, [row.id], f"The payment was taken back: {reason.strip()}")
    return [row[0] for row in rows]


def require_reversible(row: Any, reason: str, taken: set[int], invoice: str) -> None:
    """Raise ``RuleBroken`` unless an application may be taken back: with a reason, once, and only what applies something."""
    if not reason.strip():
        raise RuleBroken("reason_required", field="reason", document=invoice, move="take back")
    if row.reverses_id is not None or row.id in taken:
        raise RuleBroken("application_reversed", document=invoice)


def reversed_before(work: UnitOfWork, table: Any, ids: Iterable[int]) -> set[int]:
    """Which of these applications were taken back. Read after what they settled is locked."""
    return {row.reverses_id for row in read_rows(work, table, ("reverses_id",), "reverses_id", ids)}


def _entries_of(work: UnitOfWork, applications: Iterable[int]) -> dict[int, int]:
    rows = read_rows(
        work, JournalEntry, ("id", "document_id"), "document_id", applications, also=("document_type", "application")
    )
    return {row.document_id: row.id for row in rows}


def return_receipts(
    work: UnitOfWork, commands: Sequence[ReturnReceipt], *, source: AccountRole = AccountRole.BANK
) -> list[int]:
    """Book money that the bank took back; returns the ids of the returns. What it had paid is open again, newest first, as far
    as the receipt has not enough on account.

    Raises ``RuleBroken("returned_too_much")`` beyond what the receipt brought and still holds.
    """
    wanted = {c.receipt for c in commands}
    standing = _standing(work, wanted)
    held = hold(
        work, invoices={row.invoice_id for rows in standing.values() for row in rows if not _is_fee(row)}, receipts=wanted,
        credited={row.fee_id for rows in standing.values() for row in rows if _is_fee(row)},
    )  # fmt: skip
    known = customers(work, {row.customer_id for row in held.receipts.values()})
    rule = _RULES[source]
    rows, entries, undo = [], [], []
    ids = work.ids.reserve(len(commands))
    lacking = dict(held.left)
    # Somebody may have applied or taken back more while these waited for the locks.
    standing = _standing(work, wanted)
    settled = {(row.fee_id if _is_fee(row) else row.invoice_id) for rows_ in standing.values() for row in rows_}
    if not settled <= held.documents.keys():
        raise Conflict("changed_meanwhile")
    for command in commands:
        work.actor.require("billing:receipt:apply")
        receipt = held.receipts.get(command.receipt)
        if receipt is None:
            raise NotFound("receipt_unknown", id=command.receipt)
        if not command.reason.strip():
            raise RuleBroken("reason_required", field="reason", document=receipt.number, move="return")
        whole = lacking[receipt.id] + sum(row.amount_minor for row in standing[receipt.id])
        amount = whole if command.amount_minor is None else command.amount_minor
        if amount <= 0 or amount > whole or command.fee_minor < 0:
            raise RuleBroken("returned_too_much", field="amount", document=receipt.number, left=whole)
        while lacking[receipt.id] < amount:
            row = standing[receipt.id].pop()
            lacking[receipt.id] += row.amount_minor
            undo.append((row, command.reason))
        lacking[receipt.id] -= amount
        key = next(ids)
        rows.append((key, receipt.id, amount, command.fee_minor, command.reason.strip(), work.now, work.actor.id))
        place = place_of(work, receipt.entity_id, known[receipt.customer_id].group_id)
        if command.fee_minor:
            ensure_account(work, receipt.entity_id, AccountRole.BANK_FEES)
        sides = (
            Side(AccountRole.ON_ACCOUNT, amount), Side(AccountRole.BANK_FEES, command.fee_minor),
            Side(source, -amount - command.fee_minor),
        )  # fmt: skip
        entries.append(
            cash_entry(
                rule, place, ("receipt_return", key), work.now, sides, journey=receipt.id, text=command.reason.strip()
            )
        )
        event = CashReturned(amount=amount, fee=command.fee_minor, reason=command.reason.strip())
        work.publish(event, place, step="order_to_cash.cash", subject=("receipt", receipt.id, 1), journey=receipt.id)
    reopen_fees(work, [one for one in undo if _is_fee(one[0])])
    if of_invoices := [one for one in undo if not _is_fee(one[0])]:
        _unapply(work, held, of_invoices)
    write_rows(work, ReceiptReturn.__table__, _RETURN, rows)
    _GIVE_BACK.run(work, [{"of": row[1], "amount": row[2]} for row in rows])
    post_entries(work, entries)
    return [row[0] for row in rows]


def _standing(work: UnitOfWork, receipts: Iterable[int]) -> dict[int, list[Any]]:
    """What each receipt settled, of invoices and of dunning fees, and was not taken back, oldest first."""
    out: dict[int, list[Any]] = {key: [] for key in receipts}
    rows = read_rows(work, ReceiptApplication, APPLICATION, "receipt_id", out)
    gone = {row.reverses_id for row in rows}
    stand = [row for row in rows if row.amount_minor > 0 and row.id not in gone]
    for row in sorted([*stand, *fees_paid_by(work, out)], key=lambda one: one.id):
        out[row.receipt_id].append(row)
    return out


def _is_fee(row: Any) -> bool:
    return hasattr(row, "fee_id")

"""Money that comes in, and which invoices it settles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import update

from erpcore.billing.cash_records import (
    APPLICATION,
    SETTLE,
    TAKE,
    cash_entry,
    change_debts,
    hold,
    place_of,
    settled_or_reopened,
    two_sides,
)
from erpcore.billing.models import Receipt, ReceiptApplication
from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.kernel.history import record_move
from erpcore.kernel.rows import Change, param, read_rows, write_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.ledger.models import AccountRole
from erpcore.ledger.services import Side, ensure_account, post_entries
from erpcore.masterdata.queries import customers
from erpcore.published import CashApplied, CashReceived

_RECEIPT = (
    "id", "entity_id", "customer_id", "number", "reference", "currency", "amount_minor", "left_minor", "returned_minor",
    "fee_minor", "difference_minor", "owner_id", "received_at",
)  # fmt: skip
#: The rule that posts a receipt, by where its money arrives.
_RULES = {
    AccountRole.BANK: "receipt", AccountRole.BANK_CLEARING: "receipt_from_bank", AccountRole.PARTNER: "receipt_from_partner",
}  # fmt: skip
#: In minor units: more than any customer pays at once.
MOST_MINOR = 10**13
#: Fees and differences beyond a tenth of what was paid take the authority to write off.
LOST_SHARE = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceiveCash:
    """A receipt of so many minor units from a customer; of these the bank kept ``fee_minor``, and ``difference_minor`` was lost (or,
    negative, won) by the currency in which it was paid.
    """

    entity: int
    customer: int
    amount_minor: int
    fee_minor: int = 0
    difference_minor: int = 0
    reference: str | None = None
    number: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ApplyCash:
    """Settle so much of an invoice out of a receipt."""

    receipt: int
    invoice: int
    amount_minor: int


def _look_after() -> Any:
    table = Receipt.__table__
    return update(table).where(table.c.id == param("of", table.c.id)).values(owner_id=param("owner", table.c.owner_id))


_LOOK_AFTER = Change(_look_after)


def receive_cash(
    work: UnitOfWork, commands: Sequence[ReceiveCash], *, source: AccountRole = AccountRole.BANK
) -> list[int]:
    """Take receipts on account; returns their ids. They settle nothing until they are applied.

    What a customer paid settles in full what it is applied to, whatever the bank kept of it. ``source`` is the account where the
    money has arrived. Who takes a receipt looks after what is left of it. Fees and differences beyond a tenth of the amount raise
    ``NotAllowed`` for who may not write off.
    """
    known = customers(work, {c.customer for c in commands})
    ids = work.ids.reserve(len(commands))
    rows, entries, given = [], [], []
    rule = _RULES[source]
    for command in commands:
        work.actor.require("billing:receipt:take")
        _check(command)
        if (command.fee_minor + command.difference_minor) * LOST_SHARE > command.amount_minor:
            # So much is not the bank's doing: it is given up, which not everybody may who takes money.
            work.actor.require("billing:debt:write_off")
        if known[command.customer].entity_id != command.entity:
            raise RuleBroken("other_entity", field="customer", customer=known[command.customer].code, site="")
        key = next(ids)
        given.append(key)
        place = place_of(work, command.entity, known[command.customer].group_id)
        owner = None if work.actor.is_system else work.actor.id
        rows.append(
            (
                key, command.entity, command.customer, command.number or f"RC-{key}", command.reference, place.currency,
                command.amount_minor, command.amount_minor, 0, command.fee_minor, command.difference_minor, owner, work.now,
            )
        )  # fmt: skip
        entries.append(cash_entry(rule, place, ("receipt", key), work.now, _sides(work, command, source), journey=key))
        work.publish(
            CashReceived(amount=command.amount_minor), place, step="order_to_cash.cash", subject=("receipt", key, 1),
            journey=key,
        )  # fmt: skip
    write_rows(work, Receipt.__table__, _RECEIPT, rows)
    post_entries(work, entries)
    return given


def _sides(work: UnitOfWork, command: ReceiveCash, source: AccountRole) -> tuple[Side, ...]:
    lost = ((AccountRole.BANK_FEES, command.fee_minor), (AccountRole.CURRENCY_DIFFERENCE, command.difference_minor))
    for role, minor in lost:
        if minor:
            ensure_account(work, command.entity, role)
    arrived = command.amount_minor - command.fee_minor - command.difference_minor
    return (
        Side(source, arrived), *(Side(role, minor) for role, minor in lost), Side(AccountRole.ON_ACCOUNT, -command.amount_minor),
    )  # fmt: skip


def _check(command: ReceiveCash) -> None:
    if command.amount_minor <= 0:
        raise RuleBroken("amount_not_positive", field="amount")
    if command.amount_minor >= MOST_MINOR:
        raise RuleBroken("amount_absurd", field="amount")
    if command.fee_minor < 0 or command.fee_minor + command.difference_minor >= command.amount_minor:
        raise RuleBroken("fee_not_within", field="fee")


def apply_cash(work: UnitOfWork, commands: Sequence[ApplyCash]) -> list[int]:
    """Settle invoices out of receipts of the same customer; returns the applications' ids. An order that is shipped, billed and
    paid closes.

    Raises ``RuleBroken`` when more is applied than a receipt has left or an invoice has open.
    """
    held = hold(work, invoices={c.invoice for c in commands}, receipts={c.receipt for c in commands})
    ids = work.ids.reserve(len(commands))
    rows, entries = [], []
    for command in commands:
        invoice = held.invoices[command.invoice]
        work.actor.require("billing:receipt:apply", site=invoice.site_id)
        receipt = held.receipts.get(command.receipt)
        if receipt is None:
            raise NotFound("receipt_unknown", id=command.receipt)
        if receipt.customer_id != invoice.customer_id:
            raise RuleBroken("other_customer", document=invoice.number)
        if receipt.currency != invoice.currency:
            raise RuleBroken("other_currency", document=invoice.number, currency=invoice.currency)
        amount, owed = command.amount_minor, held.open.get(invoice.id, 0)
        if amount <= 0 or amount > held.left[receipt.id] or amount > owed:
            raise RuleBroken("applied_too_much", document=invoice.number, left=held.left[receipt.id], open=owed)
        held.left[receipt.id] -= amount
        held.open[invoice.id] = owed - amount
        key = next(ids)
        rows.append((key, receipt.id, invoice.id, amount, work.now, work.actor.id, None, None))
        order = held.orders[invoice.order_id]
        place = order.place(work)
        sides = two_sides(amount, AccountRole.ON_ACCOUNT, AccountRole.RECEIVABLE, debtor=invoice.customer_id)
        entries.append(cash_entry("application", place, ("application", key), work.now, sides, journey=order.id))
        held.deltas[invoice.customer_id, invoice.entity_id] -= amount
        event = CashApplied(
            invoice=invoice.id, amount=amount, left=held.left[receipt.id], by_person=not work.actor.is_system
        )
        work.publish(
            event, place, step="order_to_cash.cash", subject=("receipt", receipt.id, 1), journey=receipt.id,
            refs=[("order", order.id, 1_000_000)],
        )  # fmt: skip
        settled_or_reopened(work, order, invoice, owed, held.open[invoice.id])
    write_rows(work, ReceiptApplication.__table__, APPLICATION, rows)
    TAKE.run(work, [{"of": c.receipt, "amount": c.amount_minor} for c in commands])
    SETTLE.run(work, [{"of": c.invoice, "amount": c.amount_minor} for c in commands])
    post_entries(work, entries)
    change_debts(work, held)
    return [row[0] for row in rows]


def look_after(work: UnitOfWork, receipts: Sequence[int], person: int) -> None:
    """Let somebody look after what is left of these receipts; who did before is kept."""
    work.actor.require("billing:receipt:apply")
    rows = read_rows(work, Receipt, ("id", "owner_id"), "id", set(receipts), lock=True)
    if len(rows) != len(set(receipts)):
        raise NotFound("receipt_unknown", id=min(set(receipts) - {row.id for row in rows}))
    for row in rows:
        record_move(
            work, "receipt", row.id, "hand_over", None, "owned", facts={"before": row.owner_id, "owner": person}
        )
    _LOOK_AFTER.run(work, [{"of": row.id, "owner": person} for row in rows])

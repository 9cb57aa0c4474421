"""Money that comes in, and which invoices it settles."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import update

from erpcore.billing.models import Invoice, Receipt, ReceiptApplication
from erpcore.billing.records import lock_invoices, orders_of_invoices
from erpcore.credit.models import Receivable
from erpcore.credit.services import Part, change_exposures
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.kernel.events import Place
from erpcore.kernel.rows import Change, param, read_rows, write_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.ledger.models import AccountRole
from erpcore.ledger.services import Entry, Side, post_entries
from erpcore.masterdata.queries import customers, entity_facts
from erpcore.orders.cancelling import close_if_done
from erpcore.orders.documents import Order
from erpcore.orders.models import Progress
from erpcore.orders.records import lock_orders, save_orders
from erpcore.ports import standard_ruleset
from erpcore.published import CashApplied, CashReceived, InvoiceSettled

_RECEIPT = (
    "id", "entity_id", "customer_id", "number", "reference", "currency", "amount_minor", "left_minor", "received_at",
)  # fmt: skip
#: In minor units: more than any customer pays at once.
_MOST_MINOR = 10**13
_APPLICATION = ("id", "receipt_id", "invoice_id", "amount_minor", "applied_at", "actor")


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceiveCash:
    """A receipt of so many minor units from a customer."""

    entity: int
    customer: int
    amount_minor: int
    reference: str | None = None
    number: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ApplyCash:
    """Settle so much of an invoice out of a receipt."""

    receipt: int
    invoice: int
    amount_minor: int


def _take() -> Any:
    table = Receipt.__table__
    return (
        update(table)
        .where(table.c.id == param("of", table.c.id), table.c.left_minor >= param("least", table.c.left_minor))
        .values(left_minor=table.c.left_minor - param("amount", table.c.left_minor))
    )


def _settle() -> Any:
    table = Receivable.__table__
    return (
        update(table)
        .where(
            table.c.document_id == param("of", table.c.document_id),
            table.c.open_minor >= param("least", table.c.open_minor),
        )
        .values(open_minor=table.c.open_minor - param("amount", table.c.open_minor))
    )


_TAKE = Change(_take)
_SETTLE = Change(_settle)


def receive_cash(work: UnitOfWork, commands: Sequence[ReceiveCash]) -> list[int]:
    """Take receipts on account; returns their ids. They settle nothing until they are applied."""
    known = customers(work, {c.customer for c in commands})
    ids = work.ids.reserve(len(commands))
    rows, entries, given = [], [], []
    for command in commands:
        work.actor.require("billing:receipt:take")
        if command.amount_minor <= 0:
            raise RuleBroken("amount_not_positive", field="amount")
        if command.amount_minor >= _MOST_MINOR:
            raise RuleBroken("amount_absurd", field="amount")
        if known[command.customer].entity_id != command.entity:
            raise RuleBroken("other_entity", field="customer", customer=known[command.customer].code, site="")
        key = next(ids)
        given.append(key)
        place = _place(work, command.entity, known[command.customer].group_id)
        rows.append(
            (
                key, command.entity, command.customer, command.number or f"RC-{key}", command.reference, place.currency,
                command.amount_minor, command.amount_minor, work.now,
            )
        )  # fmt: skip
        entries.append(
            _entry("receipt", place, "receipt", key, work.now, command.amount_minor, AccountRole.BANK, AccountRole.ON_ACCOUNT,
                   None, key)
        )  # fmt: skip
        work.publish(
            CashReceived(amount=command.amount_minor), place, step="order_to_cash.cash", subject=("receipt", key, 1),
            journey=key,
        )  # fmt: skip
    write_rows(work, Receipt.__table__, _RECEIPT, rows)
    post_entries(work, entries)
    return given


def _place(work: UnitOfWork, entity: int, group: int | None) -> Place:
    row = entity_facts(work, entity)
    if row.realm != work.realm:
        raise RuleBroken("other_realm", site=row.code, realm=row.realm, asked=work.realm)
    return Place(
        realm=row.realm, entity=entity, customer_group=group, ruleset=standard_ruleset().hash, currency=row.currency,
        time_zone=row.time_zone,
    )  # fmt: skip


def _entry(
    rule: str,
    place: Place,
    document_type: str,
    document: int,
    when: datetime,
    amount: int,
    debit: AccountRole,
    credit: AccountRole,
    party: int | None,
    journey: int,
) -> Entry:
    return Entry(
        rule=rule, place=place, document_type=document_type, document_id=document, journey=journey,
        entry_on=local_day(when, place.time_zone), posted_at=when, currency=place.currency or "",
        sides=(Side(debit, amount), Side(credit, -amount, party)),
    )  # fmt: skip


def apply_cash(work: UnitOfWork, commands: Sequence[ApplyCash]) -> None:
    """Settle invoices out of receipts of the same customer; an order that is shipped, billed and paid closes.

    Raises ``RuleBroken`` when more is applied than a receipt has left or an invoice has open.
    """
    orders = {o.id: o for o in lock_orders(work, orders_of_invoices(work, {c.invoice for c in commands}))}
    invoices = {i.id: i for i in lock_invoices(work, {c.invoice for c in commands})}
    receipts = _locked(
        work, Receipt, "id", {c.receipt for c in commands}, ("id", "customer_id", "entity_id", "left_minor")
    )
    opened = _locked(
        work, Receivable, "document_id", set(invoices), ("document_id", "customer_id", "amount_minor", "open_minor")
    )
    left = {key: row.left_minor for key, row in receipts.items()}
    owed = {key: row.open_minor for key, row in opened.items()}
    ids = work.ids.reserve(len(commands))
    rows, entries = [], []
    deltas: dict[tuple[int, int], int] = defaultdict(int)
    for command in commands:
        invoice = invoices[command.invoice]
        work.actor.require("billing:receipt:apply", site=invoice.site_id)
        receipt = receipts.get(command.receipt)
        if receipt is None:
            raise NotFound("receipt_unknown", id=command.receipt)
        if receipt.customer_id != invoice.customer_id:
            raise RuleBroken("other_customer", document=invoice.number)
        amount = command.amount_minor
        if amount <= 0 or amount > left[receipt.id] or amount > owed.get(invoice.id, 0):
            raise RuleBroken(
                "applied_too_much", document=invoice.number, left=left[receipt.id], open=owed.get(invoice.id, 0)
            )
        left[receipt.id] -= amount
        owed[invoice.id] -= amount
        key = next(ids)
        rows.append((key, receipt.id, invoice.id, amount, work.now, work.actor.id))
        order = orders[invoice.order_id]
        place = order.place(work)
        entries.append(
            _entry("application", place, "application", key, work.now, amount, AccountRole.ON_ACCOUNT,
                   AccountRole.RECEIVABLE, invoice.customer_id, order.id)
        )  # fmt: skip
        deltas[invoice.customer_id, invoice.entity_id] -= amount
        event = CashApplied(
            invoice=invoice.id, amount=amount, left=left[receipt.id], by_person=not work.actor.is_system
        )
        work.publish(
            event, place, step="order_to_cash.cash", subject=("receipt", receipt.id, 1), journey=receipt.id,
            refs=[("order", order.id, 1_000_000)],
        )  # fmt: skip
        if not owed[invoice.id]:
            work.publish(
                InvoiceSettled(), place, step="order_to_cash.cash", subject=("invoice", invoice.id, invoice.version),
                journey=order.id,
            )  # fmt: skip
    write_rows(work, ReceiptApplication.__table__, _APPLICATION, rows)
    _TAKE.run(work, [{"of": c.receipt, "least": c.amount_minor, "amount": c.amount_minor} for c in commands])
    _SETTLE.run(work, [{"of": c.invoice, "least": c.amount_minor, "amount": c.amount_minor} for c in commands])
    post_entries(work, entries)
    change_exposures(work, deltas, Part.RECEIVABLE)
    _mark_paid(work, list(orders.values()))


def _locked(work: UnitOfWork, table: Any, key: str, ids: set[int], names: tuple[str, ...]) -> dict[int, Any]:
    return {row[0]: row for row in read_rows(work, table, names, key, ids, lock=True)}


def _mark_paid(work: UnitOfWork, orders: Sequence[Order]) -> None:
    """Derive the payment status of orders from what is open of their invoices, and close those that are done."""
    invoices = read_rows(work, Invoice, ("id", "order_id"), "order_id", [order.id for order in orders])
    order_of = {row.id: row.order_id for row in invoices}
    sums: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    for row in read_rows(work, Receivable, ("document_id", "amount_minor", "open_minor"), "document_id", order_of):
        sums[order_of[row.document_id]][0] += row.amount_minor
        sums[order_of[row.document_id]][1] += row.open_minor
    for order in orders:
        amount, still = sums[order.id]
        paid_all = still == 0 and order.billing_status == Progress.DONE
        order.payment_status = Progress.DONE if paid_all else Progress.PARTIAL if still < amount else Progress.NONE
    save_orders(work, orders)
    for order in orders:
        close_if_done(work, order)

"""What is locked before money or credit settles anything, and the conditional changes that follow.

Orders first, then invoices, receipts and receivables, each in the order of their ids: two people who settle the same invoice
wait for each other instead of blocking each other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import update

from erpcore.billing.disputes.fitting import fit_disputes
from erpcore.billing.disputes.models import StepKind
from erpcore.billing.models import Receipt
from erpcore.billing.records import InvoiceRow, invoices_of_orders, lock_invoices, orders_of_invoices, shares_of
from erpcore.credit.models import Receivable
from erpcore.credit.services import Part, change_exposures
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.events import Place
from erpcore.kernel.rows import Change, param, read_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.ledger.models import AccountRole
from erpcore.ledger.services import Entry, Side
from erpcore.masterdata.queries import entity_facts
from erpcore.orders.cancelling import close_if_done
from erpcore.orders.documents import Order
from erpcore.orders.models import Progress
from erpcore.orders.records import lines_by_id, lock_orders, save_orders
from erpcore.ports import standard_ruleset
from erpcore.published import InvoiceSettled
from erpcore.published.cash import InvoiceReopened

_RECEIPT = ("id", "entity_id", "customer_id", "number", "currency", "amount_minor", "left_minor")
_RECEIVABLE = ("document_id", "document_type", "entity_id", "customer_id", "currency", "amount_minor", "open_minor")
APPLICATION = ("id", "receipt_id", "invoice_id", "amount_minor", "applied_at", "actor", "reverses_id", "reason")
CREDIT_APPLICATION = ("id", "credit_id", "invoice_id", "amount_minor", "applied_at", "actor", "reverses_id", "reason")


def _take() -> Any:
    table = Receipt.__table__
    return (
        update(table)
        .where(table.c.id == param("of", table.c.id), table.c.left_minor >= param("amount", table.c.left_minor))
        .values(left_minor=table.c.left_minor - param("amount", table.c.left_minor))
    )


def _settle() -> Any:
    table = Receivable.__table__
    return (
        update(table)
        .where(table.c.document_id == param("of", table.c.document_id))
        .values(open_minor=table.c.open_minor - param("amount", table.c.open_minor))
    )


#: Take so much of what a receipt has left, or, negative, give it back.
TAKE = Change(_take)
#: Settle so much of a document; of a credit, and of an invoice that is reopened, the amount is negative. The table's own check
#: keeps what is open between nothing and the amount of the document.
SETTLE = Change(_settle)


@dataclass(slots=True)
class Held:
    """What is locked: ``left`` of receipts and ``open`` of documents are kept up to date while commands are gone through. ``by``: what
    settled an invoice, where it was not money.
    """

    orders: dict[int, Order]
    invoices: dict[int, InvoiceRow]
    receipts: dict[int, Any]
    documents: dict[int, Any]
    left: dict[int, int] = field(default_factory=dict)
    open: dict[int, int] = field(default_factory=dict)
    deltas: dict[tuple[int, int], int] = field(default_factory=lambda: defaultdict(int))
    by: dict[int, StepKind] = field(default_factory=dict)


def hold(
    work: UnitOfWork, *, invoices: Iterable[int], receipts: Iterable[int] = (), credited: Iterable[int] = ()
) -> Held:
    """Lock what money or credit is about to change. An unknown receipt or credit is left out."""
    wanted = set(invoices)
    orders = {one.id: one for one in lock_orders(work, orders_of_invoices(work, wanted))}
    rows = {one.id: one for one in lock_invoices(work, wanted)}
    money = _locked(work, Receipt, "id", set(receipts), _RECEIPT)
    documents = _locked(work, Receivable, "document_id", wanted | set(credited), _RECEIVABLE)
    return Held(
        orders=orders, invoices=rows, receipts=money, documents=documents,
        left={key: row.left_minor for key, row in money.items()},
        open={key: row.open_minor for key, row in documents.items()},
    )  # fmt: skip


def _locked(work: UnitOfWork, table: Any, key: str, ids: set[int], names: tuple[str, ...]) -> dict[int, Any]:
    return {row[0]: row for row in read_rows(work, table, names, key, ids, lock=True)}


def place_of(work: UnitOfWork, entity: int, group: int | None) -> Place:
    """Where money of a company is; raises ``RuleBroken`` for a company of another realm."""
    row = entity_facts(work, entity)
    if row.realm != work.realm:
        raise RuleBroken("other_realm", site=row.code, realm=row.realm, asked=work.realm)
    return Place(
        realm=row.realm, entity=entity, customer_group=group, ruleset=standard_ruleset().hash, currency=row.currency,
        time_zone=row.time_zone,
    )  # fmt: skip


def cash_entry(
    rule: str,
    place: Place,
    document: tuple[str, int],
    when: datetime,
    sides: Sequence[Side],
    *,
    journey: int,
    reverses: int | None = None,
    text: str | None = None,
    on: date | None = None,
) -> Entry:
    """A posting about money, on the day that it is at the place unless another is named."""
    return Entry(
        rule=rule, place=place, document_type=document[0], document_id=document[1], journey=journey,
        entry_on=on or local_day(when, place.time_zone), posted_at=when, currency=place.currency or "", sides=sides,
        reverses=reverses, text=text,
    )  # fmt: skip


def two_sides(amount: int, debit: AccountRole, credit: AccountRole, *, debtor: int | None = None) -> tuple[Side, ...]:
    """So much from one account to another; ``debtor`` stands with the receivable."""

    def side(role: AccountRole, signed: int) -> Side:
        return Side(role, signed, debtor if role == AccountRole.RECEIVABLE else None)

    return (side(debit, amount), side(credit, -amount))


def settled_or_reopened(work: UnitOfWork, order: Order, invoice: InvoiceRow, before: int, after: int) -> None:
    """Report an invoice that has nothing open any more, or has something open again."""
    if before and not after:
        event: InvoiceSettled | InvoiceReopened = InvoiceSettled()
    elif after and not before:
        event = InvoiceReopened(open=after)
    else:
        return
    work.publish(
        event, order.place(work), step="order_to_cash.cash", subject=("invoice", invoice.id, invoice.version),
        journey=order.id, refs=shares_of(invoice, lines_by_id(work.memo["orders"].values())) if invoice.bill_with else (),
    )  # fmt: skip


def change_debts(work: UnitOfWork, held: Held) -> None:
    """Hand on what customers owe less or more, settle differences with it, and derive the payment status of the orders."""
    fit_disputes(work, held)
    change_exposures(work, held.deltas, Part.RECEIVABLE)
    _mark_paid(work, list(held.orders.values()))


def _mark_paid(work: UnitOfWork, orders: Sequence[Order]) -> None:
    """Derive the payment status of orders from what is open of their invoices, and close those that are done.

    An order that is closed stays closed when a payment goes back: nothing is left to do for it but to collect.
    """
    billed = invoices_of_orders(work, orders)
    wanted = {key for found in billed.values() for key in found}
    rows = read_rows(work, Receivable, ("document_id", "amount_minor", "open_minor"), "document_id", wanted)
    owed = {row.document_id: (row.amount_minor, row.open_minor) for row in rows}
    for order in orders:
        parts = [owed[key] for key in billed[order.id] if key in owed]
        amount, still = sum(part[0] for part in parts), sum(part[1] for part in parts)
        paid_all = still == 0 and order.billing_status == Progress.DONE
        order.payment_status = Progress.DONE if paid_all else Progress.PARTIAL if still < amount else Progress.NONE
    save_orders(work, orders)
    for order in orders:
        close_if_done(work, order)

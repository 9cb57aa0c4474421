"""Invoices as services hold them: rows read once, locked until the unit of work ends, written back by conditional updates."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from operator import attrgetter
from typing import Any

from sqlalchemy import update

from erpcore.billing.models import Invoice, InvoiceLine
from erpcore.kernel.errors import NotFound
from erpcore.kernel.rows import Change, param, read_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.orders.documents import Line, Order
from erpcore.orders.models import OrderLine


@dataclass(slots=True)
class InvoiceRow:
    """An invoice as stored, with its lines."""

    id: int
    entity_id: int
    site_id: int
    customer_id: int
    order_id: int
    shipment_id: int
    number: str | None
    state: str
    block_reason: str | None
    drafted_at: datetime
    posted_at: datetime | None
    invoice_on: date | None
    due_on: date | None
    currency: str
    net_minor: int
    tax_minor: int
    gross_minor: int
    exact: int
    is_price_right: bool
    is_quantity_right: bool
    is_tax_determined: bool
    version: int
    bill_with: str | None = None
    findings: str | None = None
    lines: list[InvoiceLineRow] = field(kw_only=True)


@dataclass(slots=True)
class InvoiceLineRow:
    """A line of an invoice as stored."""

    invoice_id: int
    order_line_id: int
    item_id: int
    kind: str
    quantity: int
    unit_price: int
    amount: int
    net_minor: int
    tax_rate: int | None
    tax_rule_id: int | None = None
    tax_exemption_id: int | None = None


COLUMNS = tuple(f.name for f in fields(InvoiceRow) if f.name != "lines")


LINE_COLUMNS = tuple(f.name for f in fields(InvoiceLineRow))


invoice_values = attrgetter(*COLUMNS)


line_values = attrgetter(*LINE_COLUMNS)


RECEIVABLE = (
    "document_id",
    "document_type",
    "entity_id",
    "customer_id",
    "currency",
    "amount_minor",
    "open_minor",
    "due_on",
)


_SAVED = (
    "number", "state", "block_reason", "posted_at", "invoice_on", "due_on", "net_minor", "tax_minor", "gross_minor", "exact",
    "is_price_right", "is_quantity_right", "is_tax_determined", "findings",
)  # fmt: skip


_saved_values = attrgetter(*_SAVED)


def _save() -> Any:
    table = Invoice.__table__
    return (
        update(table)
        .where(table.c.id == param("of", table.c.id), table.c.version == param("was", table.c.version))
        .values(version=table.c.version + 1, **{name: param(f"new_{name}", table.c[name]) for name in _SAVED})
    )


def _save_line() -> Any:
    table = InvoiceLine.__table__
    return (
        update(table)
        .where(
            table.c.invoice_id == param("invoice", table.c.invoice_id),
            table.c.order_line_id == param("line", table.c.order_line_id),
        )
        .values(
            unit_price=param("new_price", table.c.unit_price),
            amount=param("new_amount", table.c.amount),
            net_minor=param("new_net", table.c.net_minor),
        )
    )


def _save_tax() -> Any:
    table = InvoiceLine.__table__
    names = ("tax_rate", "tax_rule_id", "tax_exemption_id")
    return (
        update(table)
        .where(
            table.c.invoice_id == param("invoice", table.c.invoice_id),
            table.c.order_line_id == param("line", table.c.order_line_id),
        )
        .values(**{name: param(f"new_{name}", table.c[name]) for name in names})
    )


SAVE = Change(_save)


SAVE_TAX = Change(_save_tax)


SAVE_LINE = Change(_save_line)


def save_invoices(work: UnitOfWork, invoices: Sequence[InvoiceRow]) -> None:
    """Write back changed invoices, each one version on. They must be locked."""
    rows = []
    for invoice in invoices:
        row: dict[str, Any] = dict(zip((f"new_{n}" for n in _SAVED), _saved_values(invoice), strict=True))
        rows.append({**row, "of": invoice.id, "was": invoice.version})
    SAVE.run(work, rows)
    for invoice in invoices:
        invoice.version += 1


def lock_invoices(work: UnitOfWork, ids: Iterable[int]) -> list[InvoiceRow]:
    """Invoices with their lines, locked, in the order of their ids. Their orders must be locked first."""
    held: dict[int, InvoiceRow] = work.memo.setdefault("invoices", {})
    wanted = sorted(set(ids))
    unread = [key for key in wanted if key not in held]
    if unread:
        for row in read_rows(work, Invoice, COLUMNS, "id", unread, lock=True):
            held[row.id] = InvoiceRow(*row, lines=[])
        for row in read_rows(work, InvoiceLine, LINE_COLUMNS, "invoice_id", unread):
            held[row.invoice_id].lines.append(InvoiceLineRow(*row))
    for key in wanted:
        found = held.get(key)
        if found is None or (work.actor.sites is not None and found.site_id not in work.actor.sites):
            raise NotFound("invoice_unknown", id=key)
    return [held[key] for key in wanted]


def orders_of_invoices(work: UnitOfWork, ids: Iterable[int]) -> list[int]:
    """Order ids of invoices, all of those that bill several, read without a lock so that orders can be locked first."""
    held: dict[int, InvoiceRow] = work.memo.get("invoices", {})
    wanted = set(ids)
    heads: list[Any] = [held[key] for key in wanted if key in held]
    unread = [key for key in wanted if key not in held]
    if unread:
        heads += read_rows(work, Invoice, ("id", "order_id", "bill_with"), "id", unread)
    found = {row.order_id for row in heads}
    several = [row.id for row in heads if row.bill_with is not None]
    if several:
        lines = {row.order_line_id for row in read_rows(work, InvoiceLine, ("order_line_id",), "invoice_id", several)}
        found |= {row.order_id for row in read_rows(work, OrderLine, ("order_id",), "id", lines)}
    return sorted(found)


def invoices_of_orders(work: UnitOfWork, orders: Iterable[Order]) -> dict[int, set[int]]:
    """Ids of the invoices on which something of each order stands. The orders must be held with their lines."""
    order_of = {line.id: order.id for order in orders for line in order.lines}
    found: dict[int, set[int]] = defaultdict(set)
    for row in read_rows(work, InvoiceLine, ("invoice_id", "order_line_id"), "order_line_id", order_of):
        found[order_of[row.order_line_id]].add(row.invoice_id)
    return found


def shares_of(invoice: InvoiceRow, by_line: Mapping[int, Line]) -> list[tuple[str, int, int]]:
    """The orders that an invoice bills, each with its part of the net in millionths; none where it bills one alone."""
    if invoice.bill_with is None:
        return []
    parts: dict[int, int] = defaultdict(int)
    for line in invoice.lines:
        parts[by_line[line.order_line_id].order_id] += line.net_minor
    return [("order", key, part * 1_000_000 // (invoice.net_minor or 1)) for key, part in sorted(parts.items())]

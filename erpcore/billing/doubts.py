"""What do the rules of ``checking`` say of invoices? Reads what they ask, and writes the findings down."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import select

from erpcore.billing.checking import LATEST, Finding, InvoiceFacts, LineFacts, doubts_of, read, stored, summary
from erpcore.billing.models import Invoice, InvoiceLine, InvoiceState
from erpcore.billing.records import InvoiceRow
from erpcore.fulfilment.records import ShipmentRow
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.history import Transition
from erpcore.kernel.rows import all_rows, read_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.addresses import missing_on_bills, usual_addresses
from erpcore.masterdata.queries import customers, site_facts
from erpcore.orders.documents import Line, Order
from erpcore.orders.models import SalesOrder
from erpcore.ports import ProcessRules

#: Orders with the same reference of the customer are compared as far back; invoices of one order as close together.
_SAME_REFERENCE, _SAME_ORDER = timedelta(days=90), timedelta(days=1)
#: Net amounts of the latest invoices of a customer, those in one currency.
_BEFORE = (
    "SELECT net_minor FROM (SELECT net_minor, currency FROM invoice WHERE customer_id = ? AND state = 'posted' "
    "ORDER BY id DESC LIMIT ?) latest WHERE currency = ?"
)


class Judge:
    """Judges the invoices of a batch: what it needs of addresses, history and likenesses is read for all of them at once."""

    def __init__(
        self, work: UnitOfWork, invoices: Sequence[InvoiceRow], orders: Mapping[int, Order], rules: ProcessRules
    ) -> None:
        self._orders, self._rules, self._work = orders, rules, work
        buyers = {one.customer_id for one in invoices}
        self._buyers = customers(work, buyers)
        day = local_day(work.now, site_facts(work, invoices[0].site_id).time_zone) if invoices else work.now.date()
        self._addresses = usual_addresses(work, buyers, day)
        self._alike = _alike(work, invoices, orders)

    def judge(
        self, invoice: InvoiceRow, by_line: Mapping[int, Line], shipments: Sequence[ShipmentRow], no_tax: str
    ) -> list[Finding]:
        """What is doubtful about an invoice of these shipments."""
        shipped: dict[int, int] = defaultdict(int)
        for one in shipments:
            for line, quantity in one.lines:
                shipped[line] += quantity
        address = self._addresses.get(invoice.customer_id)
        missing: Sequence[str] | None = None if address is None else missing_on_bills(address)
        limit = self._rules.stored(self._work, self._orders[invoice.order_id].ruleset)["invoice_unusual_permille"]
        lines = [
            LineFacts(
                line_no=by_line[one.order_line_id].line_no, price=one.unit_price, order_price=by_line[one.order_line_id].unit_price,
                quantity=one.quantity, shipped=shipped[one.order_line_id],
            )
            for one in invoice.lines
        ]  # fmt: skip
        invoice.is_quantity_right = all(one.quantity == one.shipped for one in lines)
        found = doubts_of(
            InvoiceFacts(
                currency=invoice.currency, net_minor=invoice.net_minor, lines=lines, no_tax=no_tax,
                missing=() if self._buyers[invoice.customer_id].is_unknown else missing, twin=self._twin(invoice),
                history=self._history(invoice) if limit else (), limit_permille=limit,
            )
        )  # fmt: skip
        self._remember(invoice)
        return found

    def _remember(self, invoice: InvoiceRow) -> None:
        """Those behind it in the same batch are compared with it too."""
        order = self._orders[invoice.order_id]
        one = _Alike(
            invoice.id, invoice.number, invoice.order_id, invoice.drafted_at, _goods(invoice), order.number,
            order.customer_reference,
        )  # fmt: skip
        self._alike[invoice.customer_id, invoice.gross_minor].append(one)

    def _twin(self, invoice: InvoiceRow) -> str:
        """The invoice that bills the same goods of the same order, or of one with the same reference of the customer."""
        goods = _goods(invoice)
        reference = self._orders[invoice.order_id].customer_reference
        for row in self._alike.get((invoice.customer_id, invoice.gross_minor), ()):
            same = row.order_id == invoice.order_id and abs(row.drafted_at - invoice.drafted_at) <= _SAME_ORDER
            twice = bool(reference) and row.order_id != invoice.order_id and row.customer_reference == reference
            if row.id != invoice.id and (same or twice) and row.goods == goods:
                return str(row.number or f"another draft of order {row.order_number}")
        return ""

    def _history(self, invoice: InvoiceRow) -> Sequence[int]:
        known: dict[tuple[int, str], list[int]] = self._work.memo.setdefault("billed before", {})
        key = (invoice.customer_id, invoice.currency)
        if key not in known:
            known[key] = [
                net for (net,) in all_rows(self._work, _BEFORE, invoice.customer_id, LATEST, invoice.currency)
            ]
        return known[key]


class _Alike(NamedTuple):
    """An invoice that may bill the same as another."""

    id: int
    number: str | None
    order_id: int
    drafted_at: datetime
    goods: list[tuple[int, int]]
    order_number: str
    customer_reference: str | None


def _goods(invoice: InvoiceRow) -> list[tuple[int, int]]:
    return sorted((one.item_id, one.quantity) for one in invoice.lines)


def _alike(
    work: UnitOfWork, invoices: Sequence[InvoiceRow], orders: Mapping[int, Order]
) -> dict[tuple[int, int], list[_Alike]]:
    """Invoices of the same orders, or of orders with the same reference, by customer and gross amount."""
    keys = {one.order_id for one in invoices}
    references = {orders[key].customer_reference for key in keys} - {None, ""}
    if references:
        since = min(orders[key].captured_at for key in keys) - _SAME_REFERENCE
        keys |= set(
            work.session.scalars(
                select(SalesOrder.id).where(
                    SalesOrder.customer_id.in_({one.customer_id for one in invoices}), SalesOrder.captured_at >= since,
                    SalesOrder.customer_reference.in_(references),
                )
            )
        )  # fmt: skip
    found: dict[tuple[int, int], list[_Alike]] = defaultdict(list)
    names = ("id", "number", "order_id", "customer_id", "gross_minor", "drafted_at")
    asked = {(one.customer_id, one.gross_minor) for one in invoices}
    rows = [
        row for row in read_rows(work, Invoice, names, "order_id", keys) if (row.customer_id, row.gross_minor) in asked
    ]
    goods: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for line in read_rows(
        work, InvoiceLine, ("invoice_id", "item_id", "quantity"), "invoice_id", {row.id for row in rows}
    ):
        goods[line.invoice_id].append((line.item_id, line.quantity))
    named = {
        row.id: row for row in read_rows(work, SalesOrder, ("id", "number", "customer_reference"), "id", {r.order_id for r in rows})
    }  # fmt: skip
    for row in rows:
        order = named[row.order_id]
        one = _Alike(
            row.id,
            row.number,
            row.order_id,
            row.drafted_at,
            sorted(goods[row.id]),
            order.number,
            order.customer_reference,
        )
        found[row.customer_id, row.gross_minor].append(one)
    return found


def write_down(invoice: InvoiceRow, findings: Sequence[Finding]) -> None:
    """Keep the findings with the invoice; the caller makes the move."""
    invoice.findings = stored(findings)
    invoice.block_reason = summary(findings) or None


def prices_of(invoice: InvoiceRow, by_line: Mapping[int, Line]) -> list[Finding]:
    """The findings of an invoice whose prices were changed: those about prices anew, the others as they were."""
    lines = [
        LineFacts(
            line_no=by_line[one.order_line_id].line_no, price=one.unit_price, order_price=by_line[one.order_line_id].unit_price,
            quantity=one.quantity, shipped=one.quantity,
        )
        for one in invoice.lines
    ]  # fmt: skip
    fresh = doubts_of(InvoiceFacts(currency=invoice.currency, net_minor=invoice.net_minor, lines=lines))
    kept = (
        [one for one in read(invoice.findings) if one.code != "price"] if invoice.state == InvoiceState.BLOCKED else []
    )
    return [*kept, *fresh]


def require_another(work: UnitOfWork, invoices: Sequence[InvoiceRow], orders: Mapping[int, Order]) -> None:
    """Raise ``RuleBroken("invoice_own_price")`` for who set a price that is doubtful: somebody else releases it."""
    priced = {one.id: one for one in invoices if any(found.code == "price" for found in read(one.findings))}
    rows = read_rows(
        work, Transition, ("document_id", "move", "actor"), "document_id", priced, also=("document_type", "invoice")
    )
    for row in rows:
        if row.move in ("amend", "mend") and row.actor == work.actor.id:
            raise RuleBroken("invoice_own_price", document=orders[priced[row.document_id].order_id].number)

"""Invoices: drafted from shipments without typing, checked, blocked or posted; and afterwards immutable."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from erpcore.billing.checking import Finding, read
from erpcore.billing.doubts import Judge, prices_of, require_another, write_down
from erpcore.billing.flow import INVOICE
from erpcore.billing.models import Invoice, InvoiceLine, InvoiceState
from erpcore.billing.rebates.accruing import accrue_invoices
from erpcore.billing.records import (
    COLUMNS,
    LINE_COLUMNS,
    RECEIVABLE,
    SAVE_LINE,
    SAVE_TAX,
    InvoiceLineRow,
    InvoiceRow,
    invoice_values,
    line_values,
    lock_invoices,
    orders_of_invoices,
    save_invoices,
    shares_of,
)
from erpcore.billing.taxing import (
    is_taxed,
    name_tax,
    named_tax,
    stamp_taxes,
    taxes_of,
    under_one_tax,
    why_undetermined,
)
from erpcore.credit.models import Receivable
from erpcore.credit.services import Part, change_exposures
from erpcore.fulfilment.records import ShipmentRow, billed_together, lock_shipments, save_shipments
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.kernel.history import record_move
from erpcore.kernel.model import PRICE_PLACES, scaled_int
from erpcore.kernel.money import exact_amount, places, scaled_amount, share_of
from erpcore.kernel.rows import write_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.ledger.models import AccountRole
from erpcore.ledger.services import Entry, Side, post_entries
from erpcore.masterdata.queries import customers
from erpcore.masterdata.tax import Tax
from erpcore.orders.documents import Line, Order
from erpcore.orders.models import LineKind
from erpcore.orders.moving import admit_order
from erpcore.orders.records import lines_by_id, lock_orders, save_orders
from erpcore.orders.rules import value_of
from erpcore.ports import CellStates, ProcessRules
from erpcore.published import InvoiceBlocked, InvoiceDrafted, InvoicePosted, InvoiceUnblocked

POST = "billing:invoice:post"

#: Another order that a document belongs to, with its part in millionths.
Ref = tuple[str, int, int]


@dataclass(frozen=True, kw_only=True)
class AmendInvoice:
    """Change the price of a line of an invoice that is not posted yet, with a reason."""

    invoice: int
    order_line: int
    unit_price: Decimal
    reason: str


def draft_invoices(
    work: UnitOfWork, shipment_ids: Iterable[int], *, cells: CellStates, rules: ProcessRules | None = None,
    at: Mapping[int, datetime] | None = None,
) -> list[InvoiceRow]:  # fmt: skip
    """An invoice per shipment whose trigger has passed, from order prices and shipped quantities; one for all that are billed
    together, also for those of them that are not named, and as many as there are taxes on parts of one line.

    Doubtful ones are blocked with all that the rules of ``checking`` find. Without ``rules`` they were issued elsewhere, and nothing
    but their tax is looked at. Raises ``RuleBroken`` for a shipment that
    is not due or has its invoice already.
    """
    asked = set(shipment_ids)
    wanted, of_orders = billed_together(work, asked)
    orders = {order.id: order for order in lock_orders(work, of_orders)}
    shipments = lock_shipments(work, wanted)
    by_line = lines_by_id(orders.values())
    parts: dict[Any, list[ShipmentRow]] = defaultdict(list)
    for shipment in shipments:
        order = orders[shipment.order_id]
        work.actor.require("billing:invoice:draft", site=order.site_id)
        if shipment.invoice_due_at is None or shipment.invoice_id is not None:
            if shipment.id not in asked:
                continue
            problem = "invoice_not_due" if shipment.invoice_due_at is None else "invoice_exists"
            raise RuleBroken(problem, document=shipment.number)
        admit_order(work, cells, order)
        parts[shipment.bill_with or shipment.id].append(shipment)
    found = taxes_of(work, orders, by_line, [shipment for part in parts.values() for shipment in part])
    groups = [group for part in parts.values() for group in under_one_tax(part, found)]
    ids = work.ids.reserve(len(groups))
    invoices = []
    for part, of_lines in groups:
        first = part[0]
        invoice = _draft(orders[first.order_id], part, by_line, of_lines, next(ids), (at or {}).get(first.id, work.now))
        for shipment in part:
            shipment.invoice_id = invoice.id
        invoices.append(invoice)
    _judge(work, invoices, groups, orders, by_line, rules)
    write_rows(work, Invoice.__table__, COLUMNS, [invoice_values(i) for i in invoices])
    write_rows(
        work,
        InvoiceLine.__table__,
        LINE_COLUMNS,
        [line_values(line) for i in invoices for line in i.lines],
    )
    billed = [shipment for part, _ in groups for shipment in part]
    save_shipments(work, billed)
    work.memo.setdefault("invoices", {}).update((i.id, i) for i in invoices)
    for invoice, (part, _) in zip(invoices, groups, strict=True):
        order = orders[invoice.order_id]
        record_move(work, "invoice", invoice.id, "draft", None, InvoiceState.DRAFT, at=invoice.drafted_at)
        several = [one.id for one in part] if len(part) > 1 else []
        drafted = InvoiceDrafted(shipment=invoice.shipment_id, net=invoice.net_minor, shipments=several)
        refs = shares_of(invoice, by_line)
        publish_invoice(work, order, invoice, drafted, invoice.drafted_at, refs)
        if invoice.state == InvoiceState.BLOCKED:
            record_move(
                work, "invoice", invoice.id, "block", InvoiceState.DRAFT, invoice.state, at=invoice.drafted_at,
                reason=invoice.block_reason,
            )  # fmt: skip
            blocked = InvoiceBlocked(reason=invoice.block_reason or "")
            publish_invoice(work, order, invoice, blocked, invoice.drafted_at, refs)
    return invoices


def _judge(
    work: UnitOfWork,
    invoices: Sequence[InvoiceRow],
    groups: Sequence[tuple[list[ShipmentRow], dict[int, Tax]]],
    orders: Mapping[int, Order],
    by_line: Mapping[int, Line],
    rules: ProcessRules | None,
) -> None:
    """Block what is doubtful."""
    judge = Judge(work, invoices, orders, rules) if rules is not None and invoices else None
    for invoice, (part, of_lines) in zip(invoices, groups, strict=True):
        no_tax = why_undetermined(invoice, of_lines)
        if judge is not None:
            findings = judge.judge(invoice, by_line, part, no_tax)
        else:
            findings = [Finding("tax", {"why": no_tax})] if no_tax else []
        if findings:
            write_down(invoice, findings)
            invoice.state = INVOICE.target("block", invoice.state, reason=invoice.block_reason)


def _draft(
    order: Order,
    shipments: Sequence[ShipmentRow],
    by_line: Mapping[int, Line],
    found: Mapping[int, Tax],
    key: int,
    at: datetime,
) -> InvoiceRow:
    invoice = InvoiceRow(
        id=key, entity_id=order.entity_id, site_id=order.site_id, customer_id=order.customer_id, order_id=order.id,
        shipment_id=shipments[0].id, number=None, state=InvoiceState.DRAFT, block_reason=None, drafted_at=at, posted_at=None,
        invoice_on=None, due_on=None, currency=order.currency, net_minor=0, tax_minor=0, gross_minor=0, exact=0,
        is_price_right=True, is_quantity_right=True, is_tax_determined=True, version=1,
        bill_with=shipments[0].bill_with if len(shipments) > 1 else None, lines=[],
    )  # fmt: skip
    quantities: dict[int, int] = defaultdict(int)
    for shipment in shipments:
        for line_id, quantity in shipment.lines:
            quantities[line_id] += quantity
    for line_id, quantity in quantities.items():
        line = by_line[line_id]
        whole = quantity == line.quantity
        invoice.lines.append(
            InvoiceLineRow(
                invoice_id=key, order_line_id=line_id, item_id=line.item_id, kind=line.kind, quantity=quantity,
                unit_price=line.unit_price, amount=line.amount if whole else exact_amount(quantity, line.unit_price),
                net_minor=value_of(line, quantity, order.currency), tax_rate=None,
            )
        )  # fmt: skip
    stamp_taxes(invoice, found)
    total(invoice)
    return invoice


def total(invoice: InvoiceRow) -> None:
    """Net, tax and gross from the lines: tax per rate on the sum of its lines, rounded once (the rule named ``ROUNDING``)."""
    by_rate: dict[int, int] = defaultdict(int)
    for line in invoice.lines:
        by_rate[line.tax_rate or 0] += line.net_minor
    invoice.net_minor = sum(by_rate.values())
    invoice.tax_minor = sum(share_of(net, rate) for rate, net in by_rate.items())
    invoice.gross_minor = invoice.net_minor + invoice.tax_minor
    invoice.exact = sum(line.amount for line in invoice.lines)


def amend_invoices(work: UnitOfWork, commands: Sequence[AmendInvoice]) -> list[InvoiceRow]:
    """Charge another price on an unposted invoice. Other than the order's, it waits until somebody else releases it, and says so
    at posting; back at the order's, nothing about its prices is doubtful.
    """
    orders = {o.id: o for o in lock_orders(work, orders_of_invoices(work, [c.invoice for c in commands]))}
    by_line = lines_by_id(orders.values())
    invoices = {i.id: i for i in lock_invoices(work, [c.invoice for c in commands])}
    changed = []
    for command in commands:
        invoice = invoices[command.invoice]
        work.actor.require("billing:invoice:amend", site=invoice.site_id)
        was = invoice.state
        move = "mend" if was == InvoiceState.BLOCKED else "amend"
        target = INVOICE.target(move, was, reason=command.reason)
        line = next((part for part in invoice.lines if part.order_line_id == command.order_line), None)
        if line is None:
            raise NotFound("line_unknown", line=command.order_line)
        line.unit_price = scaled_int(command.unit_price, PRICE_PLACES)
        line.amount = exact_amount(line.quantity, line.unit_price)
        line.net_minor = scaled_amount(line.quantity, line.unit_price, invoice.currency)
        invoice.is_price_right = all(p.unit_price == by_line[p.order_line_id].unit_price for p in invoice.lines)
        total(invoice)
        facts = {"line": command.order_line, "unit_price": line.unit_price}
        record_move(work, "invoice", invoice.id, move, was, target, reason=command.reason, facts=facts)
        findings = prices_of(invoice, by_line)
        invoice.state = target
        write_down(invoice, findings)
        order, refs = orders[invoice.order_id], shares_of(invoice, by_line)
        if findings:
            invoice.state = INVOICE.target("block", target, reason=invoice.block_reason)
            record_move(work, "invoice", invoice.id, "block", target, invoice.state, reason=invoice.block_reason)
            publish_invoice(work, order, invoice, InvoiceBlocked(reason=invoice.block_reason or ""), work.now, refs)
        elif was == InvoiceState.BLOCKED:
            publish_invoice(work, order, invoice, InvoiceUnblocked(reason=command.reason), work.now, refs)
        changed.append(
            {
                "invoice": invoice.id, "line": line.order_line_id, "new_price": line.unit_price,
                "new_amount": line.amount, "new_net": line.net_minor,
            }
        )  # fmt: skip
    SAVE_LINE.run(work, changed)
    save_invoices(work, list(invoices.values()))
    return list(invoices.values())


def unblock_invoices(
    work: UnitOfWork, ids: Iterable[int], reason: str, *, tax_rule: int | None = None
) -> list[InvoiceRow]:
    """Clear blocked invoices for posting by authority; what was doubtful stays recorded. Who set a doubtful price may not.

    Lines whose tax is unknown bear that of ``tax_rule`` then. Raises ``RuleBroken("invoice_untaxed")`` where none is named.
    """
    wanted = list(ids)
    orders = {o.id: o for o in lock_orders(work, orders_of_invoices(work, wanted))}
    invoices = lock_invoices(work, wanted)
    require_another(work, invoices, orders)
    taxed: list[dict[str, int | None]] = []
    for invoice in invoices:
        work.actor.require("billing:invoice:unblock", site=invoice.site_id)
        was = invoice.state
        invoice.state = INVOICE.target("unblock", was, reason=reason)
        facts: dict[str, Any] = {"released": [one.code for one in read(invoice.findings)]}
        if not is_taxed(invoice):
            if tax_rule is None:
                raise RuleBroken("invoice_untaxed", field="tax_rule", document=orders[invoice.order_id].number)
            taxed += name_tax(invoice, named_tax(work, invoice.entity_id, tax_rule))
            total(invoice)
            facts["tax_rule"] = tax_rule
        record_move(work, "invoice", invoice.id, "unblock", was, invoice.state, reason=reason, facts=facts)
        refs = shares_of(invoice, lines_by_id(orders.values()))
        publish_invoice(work, orders[invoice.order_id], invoice, InvoiceUnblocked(reason=reason), work.now, refs)
    SAVE_TAX.run(work, taxed)
    save_invoices(work, invoices)
    return invoices


def post_invoices(
    work: UnitOfWork,
    ids: Iterable[int],
    *,
    cells: CellStates,
    at: Mapping[int, datetime] | None = None,
    numbers: Mapping[int, str] | None = None,
) -> list[InvoiceRow]:
    """Post drafts: books, receivable and exposure change together; the legal number comes at the commit.

    ``numbers`` are those of invoices that were issued elsewhere and are imported; they keep them, with the tax they had. Raises
    ``RuleBroken("invoice_untaxed")`` for another one whose tax is unknown.
    """
    wanted = list(ids)
    orders = {o.id: o for o in lock_orders(work, orders_of_invoices(work, wanted))}
    invoices = lock_invoices(work, wanted)
    by_line = lines_by_id(orders.values())
    known = customers(work, {i.customer_id for i in invoices})
    entries, receivables, changed = [], [], []
    deltas: dict[tuple[int, int], int] = defaultdict(int)
    for invoice in invoices:
        order = orders[invoice.order_id]
        work.actor.require(POST, site=invoice.site_id)
        admit_order(work, cells, order)
        when = (at or {}).get(invoice.id, work.now)
        place = order.place(work)
        was = invoice.state
        invoice.state = INVOICE.target("post", was)
        if invoice.id not in (numbers or {}) and not is_taxed(invoice):
            raise RuleBroken("invoice_untaxed", document=order.number)
        invoice.posted_at, invoice.invoice_on = when, local_day(when, place.time_zone)
        invoice.due_on = invoice.invoice_on + timedelta(days=known[invoice.customer_id].payment_days)
        invoice.number = (numbers or {}).get(invoice.id)
        record_move(work, "invoice", invoice.id, "post", was, invoice.state, at=when)
        deltas[invoice.customer_id, invoice.entity_id] += invoice.gross_minor
        for part in invoice.lines:
            line = by_line[part.order_line_id]
            line.invoiced += part.quantity
            changed.append(line)
        entries.append(_entry(order, invoice, place, when))
        receivables.append(
            (
                invoice.id, "invoice", invoice.entity_id, invoice.customer_id, invoice.currency, invoice.gross_minor,
                invoice.gross_minor, invoice.due_on,
            )
        )  # fmt: skip
        _report_post(work, order, invoice, when, shares_of(invoice, by_line))
        if invoice.number is None:
            year = invoice.invoice_on.year
            work.number_later(
                Invoice.__table__,
                invoice.id, entity=invoice.entity_id, journal="sales", year=year, prefix=f"INV-{year}-",
            )  # fmt: skip
    save_invoices(work, invoices)
    write_rows(work, Receivable.__table__, RECEIVABLE, receivables)
    post_entries(work, [*entries, *accrue_invoices(work, [(i, orders[i.order_id].place(work)) for i in invoices])])
    change_exposures(work, deltas, Part.RECEIVABLE)
    save_orders(work, list(orders.values()), changed)
    return invoices


def _entry(order: Order, invoice: InvoiceRow, place: Any, when: datetime) -> Entry:
    charges = sum(line.net_minor for line in invoice.lines if line.kind in (LineKind.CHARGE, LineKind.SERVICE))
    posted = scaled_posted(invoice.net_minor, invoice.currency)
    return Entry(
        rule="invoice", place=place, document_type="invoice", document_id=invoice.id, journey=order.id,
        entry_on=invoice.invoice_on or when.date(), posted_at=when, currency=invoice.currency,
        sides=(
            Side(AccountRole.RECEIVABLE, invoice.gross_minor, invoice.customer_id),
            Side(AccountRole.REVENUE, charges - invoice.net_minor),
            Side(AccountRole.CHARGES, -charges),
            Side(AccountRole.TAX, -invoice.tax_minor),
        ),
        rounding=invoice.exact - posted,
    )  # fmt: skip


def scaled_posted(minor: int, currency: str) -> int:
    """Minor units as millionths of the currency."""
    return int(minor * 10 ** (PRICE_PLACES - places(currency)))


def _report_post(work: UnitOfWork, order: Order, invoice: InvoiceRow, when: datetime, refs: Sequence[Ref]) -> None:
    event = InvoicePosted(
        net=invoice.net_minor, tax=invoice.tax_minor, gross=invoice.gross_minor, price_right=invoice.is_price_right,
        quantity_right=invoice.is_quantity_right, tax_determined=invoice.is_tax_determined, shipment=invoice.shipment_id,
    )  # fmt: skip
    publish_invoice(work, order, invoice, event, when, refs)


def publish_invoice(
    work: UnitOfWork, order: Order, invoice: InvoiceRow, event: Any, at: datetime, refs: Sequence[Ref] = ()
) -> None:
    """Report what became of an invoice, on the journey of its (first) order. Before the invoice is saved."""
    work.publish(
        event, order.place(work), step="order_to_cash.invoice", subject=("invoice", invoice.id, invoice.version + 1),
        journey=order.id, at=at, refs=refs,
    )  # fmt: skip

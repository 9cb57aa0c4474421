"""A blocked invoice is looked at again, once what was missing is there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from erpcore.billing.checking import summary
from erpcore.billing.doubts import Judge, write_down
from erpcore.billing.flow import INVOICE
from erpcore.billing.records import SAVE_TAX, InvoiceRow, lock_invoices, orders_of_invoices, save_invoices, shares_of
from erpcore.billing.services import publish_invoice, total
from erpcore.billing.taxing import Resolved, stamp_taxes, taxes_of, why_undetermined
from erpcore.fulfilment.records import ShipmentRow, billed_together, lock_shipments
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.history import record_move
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.tax import Tax
from erpcore.orders.records import lines_by_id, lock_orders
from erpcore.ports import ProcessRules
from erpcore.published import InvoiceUnblocked

_MENDED = "what was missing is there"


def recheck_invoices(work: UnitOfWork, ids: Iterable[int], *, rules: ProcessRules) -> list[InvoiceRow]:
    """Look at blocked invoices anew, their tax too; they may be posted then, and nothing about them is doubtful.

    Raises ``RuleBroken("tax_undetermined")`` for one whose tax is still unknown, ``RuleBroken("invoice_doubtful")`` for one that
    is doubtful otherwise; nothing changes then.
    """
    wanted = list(ids)
    orders = {o.id: o for o in lock_orders(work, orders_of_invoices(work, wanted))}
    by_line = lines_by_id(orders.values())
    invoices = lock_invoices(work, wanted)
    together, _ = billed_together(work, [invoice.shipment_id for invoice in invoices])
    shipments: dict[int, list[ShipmentRow]] = {invoice.id: [] for invoice in invoices}
    for one in lock_shipments(work, together):
        if one.invoice_id in shipments:
            shipments[one.invoice_id].append(one)
    found = taxes_of(work, orders, by_line, [one for part in shipments.values() for one in part])
    changed = []
    for invoice in invoices:
        work.actor.require("billing:invoice:draft", site=invoice.site_id)
        was, order = invoice.state, orders[invoice.order_id]
        target = INVOICE.target("recheck", was)
        of_lines = _one_each(invoice, shipments[invoice.id], found)
        stamp_taxes(invoice, of_lines)
        total(invoice)
        no_tax = why_undetermined(invoice, of_lines)
        findings = Judge(work, [invoice], orders, rules).judge(invoice, by_line, shipments[invoice.id], no_tax)
        if no_tax:
            raise RuleBroken("tax_undetermined", document=order.number, why=no_tax)
        if findings:
            raise RuleBroken(
                "invoice_doubtful", document=order.number, why=summary(findings), way=findings[0].way_out.rstrip(".")
            )
        write_down(invoice, findings)
        invoice.state = target
        record_move(work, "invoice", invoice.id, "recheck", was, invoice.state, reason=_MENDED)
        event, refs = InvoiceUnblocked(reason=_MENDED), shares_of(invoice, by_line)
        publish_invoice(work, order, invoice, event, work.now, refs)
        changed += [
            {
                "invoice": invoice.id, "line": line.order_line_id, "new_tax_rate": line.tax_rate,
                "new_tax_rule_id": line.tax_rule_id, "new_tax_exemption_id": line.tax_exemption_id,
            }
            for line in invoice.lines
        ]  # fmt: skip
    SAVE_TAX.run(work, changed)
    save_invoices(work, invoices)
    return invoices


def _one_each(
    invoice: InvoiceRow, shipments: Iterable[ShipmentRow], found: Mapping[tuple[int, int], Resolved]
) -> dict[int, Tax]:
    """The tax of each line: as resolved now; as stamped where rules that came later would tax its parts differently."""
    stamped = {one.order_line_id: one for one in invoice.lines}
    out: dict[int, Tax] = {}
    for one in shipments:
        for line, _ in one.lines:
            tax, own = found[one.id, line].tax, stamped[line]
            if out.setdefault(line, tax) != tax and own.tax_rate is not None:
                out[line] = Tax(own.tax_rate, own.tax_rule_id, own.tax_exemption_id)
    return out

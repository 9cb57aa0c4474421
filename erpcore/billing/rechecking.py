"""A blocked invoice is looked at again, once what was missing is there."""

from __future__ import annotations

from collections.abc import Iterable

from erpcore.billing.flow import INVOICE
from erpcore.billing.records import SAVE_TAX, InvoiceRow, lock_invoices, orders_of_invoices, save_invoices, shares_of
from erpcore.billing.services import publish_invoice, total
from erpcore.billing.taxing import stamp_taxes, taxes_of, why_undetermined
from erpcore.fulfilment.records import billed_together, lock_shipments
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.history import record_move
from erpcore.kernel.work import UnitOfWork
from erpcore.orders.records import lines_by_id, lock_orders
from erpcore.published import InvoiceUnblocked

_MENDED = "what was missing is there"


def recheck_invoices(work: UnitOfWork, ids: Iterable[int]) -> list[InvoiceRow]:
    """Resolve the tax of blocked invoices anew; they may be posted then, and nothing about them is doubtful.

    Raises ``RuleBroken("tax_undetermined")`` for one whose tax is still unknown; nothing changes then.
    """
    orders = {o.id: o for o in lock_orders(work, orders_of_invoices(work, list(ids)))}
    by_line = lines_by_id(orders.values())
    invoices = lock_invoices(work, ids)
    together, _ = billed_together(work, [invoice.shipment_id for invoice in invoices])
    shipments = [one for one in lock_shipments(work, together) if one.invoice_id in {i.id for i in invoices}]
    found = taxes_of(work, orders, by_line, shipments)
    changed = []
    for invoice in invoices:
        work.actor.require("billing:invoice:draft", site=invoice.site_id)
        was = invoice.state
        target = INVOICE.target("recheck", was)
        stamp_taxes(invoice, found)
        if not invoice.is_tax_determined:
            raise RuleBroken(
                "tax_undetermined", document=orders[invoice.order_id].number, why=why_undetermined(invoice, found)
            )
        total(invoice)
        invoice.state, invoice.block_reason = target, None
        record_move(work, "invoice", invoice.id, "recheck", was, invoice.state, reason=_MENDED)
        event, refs = InvoiceUnblocked(reason=_MENDED), shares_of(invoice, by_line)
        publish_invoice(work, orders[invoice.order_id], invoice, event, work.now, refs)
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

"""Which tax does a credit memo give back? What is left of the tax of its invoices: all credits of one together never give more."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from erpcore.billing.credited import credited_before
from erpcore.billing.models import Invoice, InvoiceLine
from erpcore.billing.restocking import Credited
from erpcore.kernel.money import share_of
from erpcore.kernel.rows import read_rows
from erpcore.kernel.work import UnitOfWork


def taxes_of(work: UnitOfWork, memos: Sequence[Sequence[Credited]]) -> list[int]:
    """The tax of each memo by its lines, one after the other: per rate on the sum of its lines, rounded once.

    Of an invoice that was credited before, and of one of several, it is what the rate gives on all that is credited of it by
    now, less what it gave before: three credits of a third make the tax of the whole, whatever each left out by rounding. The
    orders are locked; the invoices are from here on, since a collective one has several orders. A file of the past says itself
    what was credited, and is rounded by itself.
    """
    invoices = {line.invoice for lines in memos for line in lines if line.invoice is not None}
    past = work.source == "import"
    before = defaultdict[tuple[int, int], int](int) if past or not invoices else _before(work, invoices)
    out = []
    for lines in memos:
        whole: dict[int, int] = defaultdict(int)
        parts: dict[tuple[int, int], int] = defaultdict(int)
        for line in lines:
            rate = line.tax_rate or 0
            whole[rate] += line.net
            if line.invoice is not None and not past:
                parts[line.invoice, rate] += line.net
        tax = sum(share_of(net, rate) for rate, net in whole.items())
        # What it would be rounded by itself, instead of as the rest of its invoices.
        alone: dict[int, int] = defaultdict(int)
        for (invoice, rate), net in parts.items():
            given = before[invoice, rate]
            tax += share_of(given + net, rate) - share_of(given, rate)
            before[invoice, rate] = given + net
            alone[rate] += net
        out.append(tax - sum(share_of(net, rate) for rate, net in alone.items()))
    return out


def _before(work: UnitOfWork, invoices: set[int]) -> dict[tuple[int, int], int]:
    """The net that was credited of these invoices, by invoice and rate. Three queries."""
    read_rows(work, Invoice, ("id",), "id", invoices, lock=True)
    names = ("invoice_id", "order_line_id", "tax_rate")
    lines = read_rows(work, InvoiceLine, names, "invoice_id", invoices)
    _, net = credited_before(work, {line.order_line_id for line in lines})
    out: dict[tuple[int, int], int] = defaultdict(int)
    for line in lines:
        out[line.invoice_id, line.tax_rate or 0] += net[line.invoice_id, line.order_line_id]
    return out

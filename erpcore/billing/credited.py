"""Which invoice lines does a returned quantity stand on, and what of them may still be credited?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from erpcore.billing.models import CreditMemo, CreditMemoLine, Invoice, InvoiceLine, InvoiceState
from erpcore.kernel.rows import read_rows
from erpcore.kernel.work import UnitOfWork


@dataclass(slots=True)
class Billed:
    """What a posted invoice charged for an order line, with what of it was not credited yet."""

    invoice: int
    order_line: int
    unit_price: int
    left: int
    net_left: int
    tax_rate: int | None
    tax_rule: int | None
    tax_exemption: int | None

    def take(self, quantity: int) -> tuple[int, int]:
        """So much of it as there is: the quantity and its share of the net that is left. All of it takes all."""
        part = min(quantity, self.left)
        # Half up, like every amount; what a price was lowered by comes off every unit alike.
        net = self.net_left if part == self.left else (2 * self.net_left * part + self.left) // (2 * self.left)
        self.left -= part
        self.net_left -= net
        return part, net


def billed_lines(work: UnitOfWork, order_lines: Iterable[int]) -> dict[int, list[Billed]]:
    """Per order line what its posted invoices charged, the latest first. The orders are locked before, so two credits queue."""
    names = (
        "invoice_id", "order_line_id", "unit_price", "quantity", "net_minor", "tax_rate", "tax_rule_id", "tax_exemption_id",
    )  # fmt: skip
    wanted = set(order_lines)
    rows = read_rows(work, InvoiceLine, names, "order_line_id", wanted)
    states = {
        row.id: row.state for row in read_rows(work, Invoice, ("id", "state"), "id", {r.invoice_id for r in rows})
    }
    quantity, net = credited_before(work, wanted)
    out: dict[int, list[Billed]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: -row.invoice_id):
        if states[row.invoice_id] != InvoiceState.POSTED:
            continue
        key = (row.invoice_id, row.order_line_id)
        out[row.order_line_id].append(
            Billed(
                row.invoice_id, row.order_line_id, row.unit_price, max(0, row.quantity - quantity[key]),
                max(0, row.net_minor - net[key]), row.tax_rate, row.tax_rule_id, row.tax_exemption_id,
            )
        )  # fmt: skip
    return out


def credited_before(
    work: UnitOfWork, order_lines: Iterable[int]
) -> tuple[dict[tuple[int, int], int], dict[tuple[int, int], int]]:
    """Per (invoice, order line) the quantity that came back and was credited, and the net credited for any reason."""
    names = ("credit_memo_id", "order_line_id", "invoice_id", "quantity", "net_minor")
    rows = read_rows(work, CreditMemoLine, names, "order_line_id", set(order_lines))
    memos = {
        row.id: row
        for row in read_rows(
            work, CreditMemo, ("id", "invoice_id", "return_id"), "id", {r.credit_memo_id for r in rows}
        )
    }
    quantity: dict[tuple[int, int], int] = defaultdict(int)
    net: dict[tuple[int, int], int] = defaultdict(int)
    for row in rows:
        memo = memos[row.credit_memo_id]
        invoice = row.invoice_id or memo.invoice_id
        if invoice is None:
            continue
        net[invoice, row.order_line_id] += row.net_minor
        if memo.return_id is not None:
            quantity[invoice, row.order_line_id] += row.quantity
    return quantity, net

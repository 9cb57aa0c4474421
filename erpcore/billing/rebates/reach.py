"""What was billed, and credited since, that falls under an agreement: before it was there, or in the year before it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from erpcore.billing.models import CreditMemo, CreditMemoLine, Invoice, InvoiceLine, InvoiceState
from erpcore.billing.rebates.accruing import GOODS, Counted
from erpcore.billing.rebates.records import AgreementRow
from erpcore.billing.rebates.rules import Terms
from erpcore.kernel.rows import raw
from erpcore.masterdata.models import Customer, Item


def _lines(row: AgreementRow, begins_on: date, until: date, *columns: Any) -> Any:
    """Lines of goods that posted invoices of ``[begins_on, until)`` bill to whom the agreement is for."""
    query = (
        select(*columns)
        .select_from(Invoice)
        .join(InvoiceLine, InvoiceLine.invoice_id == Invoice.id)
        .where(
            Invoice.entity_id == row.entity_id, Invoice.state == InvoiceState.POSTED, Invoice.currency == row.currency,
            Invoice.invoice_on >= begins_on, Invoice.invoice_on < until, InvoiceLine.kind.in_(sorted(GOODS)),
            InvoiceLine.net_minor > 0,
        )
    )  # fmt: skip
    if row.customer_id is not None:
        query = query.where(Invoice.customer_id == row.customer_id)
    else:
        query = query.join(Customer, Customer.id == Invoice.customer_id).where(
            Customer.group_id == row.customer_group_id
        )
    if row.item_id is not None:
        query = query.where(InvoiceLine.item_id == row.item_id)
    if row.item_group_id is not None:
        query = query.join(Item, Item.id == InvoiceLine.item_id).where(Item.group_id == row.item_group_id)
    return query


def _credits(sold: Any) -> Any:
    """What was credited of these lines, the quantity only where goods came back; ``sold`` has invoice and order line."""
    return (
        select(CreditMemoLine, CreditMemo.return_id, CreditMemo.customer_id, sold.c.invoice_id.label("of_invoice"))
        .join(CreditMemo, CreditMemo.id == CreditMemoLine.credit_memo_id)
        .join(
            sold,
            (sold.c.order_line_id == CreditMemoLine.order_line_id)
            & (sold.c.invoice_id == func.coalesce(CreditMemoLine.invoice_id, CreditMemo.invoice_id)),
        )
        .where(CreditMemoLine.is_charge.is_(False))
        .order_by(CreditMemo.id, CreditMemoLine.line_no)
    )


def counted_before(session: Session, row: AgreementRow, begins_on: date, until: date) -> list[Counted]:
    """Every line of these days as it counts, and what was credited of it at any time since, in the order in which it was posted."""
    sold = _lines(
        row, begins_on, until,
        Invoice.id.label("invoice_id"), Invoice.customer_id, InvoiceLine.order_line_id, InvoiceLine.item_id,
        InvoiceLine.net_minor, raw(InvoiceLine.__table__.c.quantity),
    )  # fmt: skip
    out = [
        Counted(
            "invoice", one.invoice_id, one.order_line_id, one.invoice_id, one.order_line_id, one.item_id, one.customer_id,
            one.net_minor, one.quantity,
        )
        for one in session.execute(sold.order_by(Invoice.id, InvoiceLine.order_line_id))
    ]  # fmt: skip
    lines = _lines(row, begins_on, until, Invoice.id.label("invoice_id"), InvoiceLine.order_line_id).subquery()
    for memo, returned, customer, invoice in session.execute(_credits(lines)):
        thousandths = int(memo.quantity.scaleb(3)) if returned is not None else 0
        out.append(
            Counted(
                "credit_memo", memo.credit_memo_id, memo.line_no, invoice, memo.order_line_id, memo.item_id, customer,
                -memo.net_minor, -thousandths,
            )
        )  # fmt: skip
    return out


def bought(session: Session, row: AgreementRow, begins_on: date, until: date) -> int:
    """What was bought in these days as tiers measure it: minor units, or thousandths."""
    lines: Sequence[Counted] = counted_before(session, row, begins_on, until)
    terms: Terms = row.terms
    return max(0, sum(line.net if terms.basis == "net" else line.quantity for line in lines))


def year_before(day: date) -> date:
    """The same day a year before; the 29th of February becomes the 28th."""
    return day.replace(year=day.year - 1, day=28) if (day.month, day.day) == (2, 29) else day.replace(year=day.year - 1)

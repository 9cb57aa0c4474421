"""How do the lists of billing look: invoices by lane, credit memos, receipts?"""

from __future__ import annotations

from flask import url_for

from app.composition.request import now
from app.queries.billing import InvoiceRow
from app.queries.billing_lists import INVOICES, LANES, MEMOS, MemoRow
from app.queries.cash import RECEIPTS, ReceiptRow
from app.security.permissions import Permission
from app.web.billing.views import blueprint
from app.web.context import ago
from app.web.figures import amount, counted, heading, on
from app.web.lists.listing import (
    Cell,
    Empty,
    Listing,
    choice,
    column,
    flag,
    money,
    site_filter,
    text_filter,
)
from app.web.lists.page import list_page
from erpcore.billing.checking import DOUBTS

_LANES = {"waiting": "Not due yet", "due": "Due to bill", "draft": "Draft", "blocked": "Doubtful", "posted": "Posted"}


def _number(row: InvoiceRow) -> Cell:
    if row.state == "waiting":
        until = f", ends {on(row.at.date())}" if row.at is not None else ""
        return Cell(row.number, sub=f"{row.note}{until}", href=url_for("orders.show", order_id=row.order_id))
    if row.state == "due":
        return Cell(row.number, sub=f"due for {ago(row.at)}", href=url_for("orders.show", order_id=row.order_id))
    return Cell(heading(row.number), sub=row.note or "", href=url_for("billing.show", invoice_id=row.id))


def _due_on(row: InvoiceRow) -> Cell:
    today = now().date()
    if not row.open_minor or row.due_on is None or row.due_on >= today:
        return Cell(on(row.due_on))
    return Cell(on(row.due_on), sub=f"{counted((today - row.due_on).days, 'day')} over", sub_kind="fail")


INVOICE_LIST = list_page(
    blueprint,
    Listing(
        name="invoices", endpoint="billing.show_all", path="/invoices", permission=Permission.INVOICE_READ, title="Billing",
        lead="What has left and waits for its order, its period or its delivery, shipments due to be billed, drafts, what is doubtful, and what is posted", unit="documents", source=INVOICES,
        sort="-at", usual={"lane": "posted"}, template="billing/list.html",
        empty=Empty(title="Nothing here", text="No document fits: nothing waits here, or a filter hides it.", sign="file"),
        filters=(
            choice("lane", LANES, said=_LANES),
            choice("doubt", DOUBTS, label="Doubt"),
            flag("overdue", "Overdue"), text_filter("Number, order or customer"), site_filter(),
        ),
        columns=(
            column("number", "Document", cell=_number),
            column("state", "State", cell=lambda row: _LANES[row.state]),
            column("order", "Order", cell=lambda row: Cell(row.order, href=url_for("orders.show", order_id=row.order_id))),
            column("customer", "Customer"),
            column("site", "Site"),
            column("at", "Posted, drafted or due"),
            column("due_on", "Due", cell=_due_on),
            money("gross", "Gross", "gross_minor"),
            column("open", "Open", lambda row: money("open", "", "open_minor").value(row), num=True,
                   cell=lambda row: amount(row.open_minor, row.currency)),
            column("currency", "Currency", file_only=True),
        ),
    ),
)  # fmt: skip


def _reason(row: MemoRow) -> Cell:
    unlinked = f" · unlinked: {row.unlinked}" if row.unlinked else ""
    return Cell(heading(row.reason), sub=f"fault: {row.fault}{unlinked}")


MEMO_LIST = list_page(
    blueprint,
    Listing(
        name="credit-memos", endpoint="billing.show_memos", path="/credit-memos", permission=Permission.INVOICE_READ,
        title="Credit memos", lead="Money given back: posted at once, numbered without gaps, never changed",
        unit="credit memos", source=MEMOS, sort="-credit_on", template="billing/memos.html",
        empty=Empty(
            title="No credit memo", sign="file",
            text="A received return is credited on its page; part of an invoice on the invoice’s.",
        ),
        filters=(choice("fault", ("ours", "customer", "carrier"), hide_empty=True), text_filter("Number or customer"), site_filter()),
        columns=(
            column("number", "Credit memo", cell=lambda row: Cell(row.number, href=url_for("billing.show_memo", memo_id=row.id))),
            column("customer", "Customer"),
            column("site", "Site"),
            column("reason", "Reason", cell=_reason),
            column("fault", "Fault", file_only=True),
            column("unlinked", "Unlinked", file_only=True),
            column("credit_on", "On"),
            money("gross", "Gross", "gross_minor"),
            column("currency", "Currency", file_only=True),
        ),
    ),
)  # fmt: skip


def _receipt(row: ReceiptRow) -> Cell:
    return Cell(row.number, sub=row.reference or "", href=url_for("billing.show_receipt", receipt_id=row.id))


RECEIPT_LIST = list_page(
    blueprint,
    Listing(
        name="receipts", endpoint="billing.show_receipts", path="/receipts", permission=Permission.INVOICE_READ,
        title="Receipts", lead="Money that came in, and what of it is not applied to an invoice yet", unit="receipts",
        source=RECEIPTS, sort="-received", template="billing/receipts.html",
        empty=Empty(title="No receipt", text="Record what came in, then apply it to the invoices it pays.", sign="file"),
        filters=(flag("unapplied", "Not applied"), text_filter("Number, reference or customer")),
        columns=(
            column("number", "Receipt", cell=_receipt),
            column("reference", "Reference", file_only=True),
            column("customer", "Customer", cell=lambda row: Cell(row.customer, sub=row.customer_code)),
            column("customer_code", "Customer code", file_only=True),
            column("entity", "Company"),
            column("received", "Came in", "received_at"),
            money("amount", "Amount", "amount_minor"),
            money("left", "Not applied", "left_minor"),
            column("currency", "Currency", file_only=True),
        ),
    ),
)  # fmt: skip

"""How do the lists of rebate agreements and of what lines accrued look?"""

from __future__ import annotations

from datetime import timedelta

from flask import url_for

from app.queries.rebate_accruals import ACCRUALS, AccrualRow
from app.queries.rebates import REBATES, STATES, RebateRow
from app.security.permissions import Permission
from app.web.figures import amount, heading, on, quantity
from app.web.lists.listing import Cell, Empty, Listing, choice, column, flag, key_filter, money, text_filter
from app.web.lists.page import list_page
from app.web.rebates.views import blueprint
from erpcore.kernel.money import from_minor

LOOKS = {"draft": "none", "agreed": "pass", "ended": "wait", "settled": "none", "withdrawn": "none"}
_DAY = timedelta(days=1)


def _days(row: RebateRow) -> Cell:
    return Cell(on(row.valid_until - _DAY), sub=f"from {on(row.valid_from)}")


def _document(row: AccrualRow) -> Cell:
    if row.document_type == "credit_memo":
        return Cell(row.document, sub="credit memo", href=url_for("billing.show_memo", memo_id=row.document_id))
    return Cell(row.document, sub="invoice", href=url_for("billing.show", invoice_id=row.document_id))


REBATE_LIST = list_page(
    blueprint,
    Listing(
        name="rebates", endpoint="rebates.show_all", path="/rebates", permission=Permission.INVOICE_READ, title="Rebates",
        lead="What customers get back on what they buy: agreed by two, accrued with every invoice, settled by credit memo",
        unit="agreements", source=REBATES, sort="-until", template="rebates/list.html",
        empty=Empty(title="No agreement", text="Nobody gets anything back, or a filter hides it.", sign="file"),
        filters=(
            choice("state", STATES), flag("open", "Something open"), text_filter("Number, name or customer"),
            key_filter("customer", "Customer", lambda value: f"customer {value}"),
        ),
        columns=(
            column("number", "Agreement", cell=lambda row: Cell(row.name, sub=row.number, href=url_for("rebates.show", rebate_id=row.id))),
            column("name", "Name", file_only=True),
            column("whose", "For", cell=lambda row: Cell(row.whose, sub=f"on {row.what}")),
            column("what", "On", file_only=True),
            column("site", "Site", file_only=True),
            column("from", "From", "valid_from", file_only=True),
            column("until", "Last day", lambda row: row.valid_until - _DAY, cell=_days),
            column("state", "State", cell=lambda row: Cell(heading(row.state), kind=LOOKS[row.state])),
            column("level", "Tier", cell=lambda row: Cell(str(row.level) if row.level else "–", muted=not row.level), num=True),
            money("accrued", "Accrued", "accrued_minor"),
            money("open", "Open", "open_minor"),
            column("currency", "Currency", file_only=True),
        ),
    ),
)  # fmt: skip

ACCRUAL_LIST = list_page(
    blueprint,
    Listing(
        name="rebate-accruals", endpoint="rebates.show_accruals", path="/rebates/accruals", permission=Permission.INVOICE_READ,
        title="Rebates accrued", lead="What every line of an invoice earned, what credits took back, and what a tier trued up",
        unit="lines", source=ACCRUALS, sort="-posted", template="rebates/accruals.html",
        empty=Empty(title="Nothing is accrued", text="No line falls under an agreement, or a filter hides it.", sign="file"),
        filters=(
            choice("document", ("invoice", "credit_memo")), flag("adjusted", "Crossed a tier"),
            text_filter("Agreement, customer, item or document"),
            key_filter("agreement", "Agreement", lambda value: f"agreement RB-{value}"),
            key_filter("invoice", "Invoice", lambda value: f"invoice {value}"),
        ),
        columns=(
            column("document_number", "Document", "document", cell=_document),
            column("kind", "Kind", "document_type", file_only=True),
            column("agreement", "Agreement", cell=lambda row: Cell(row.name, sub=row.agreement, href=url_for("rebates.show", rebate_id=row.agreement_id))),
            column("name", "Name", file_only=True),
            column("customer", "Customer"),
            column("item", "Item", cell=lambda row: Cell(row.item_code, sub=row.item)),
            column("item_code", "Item code", file_only=True),
            column("posted", "Posted", "posted_on"),
            column("quantity", "Quantity", cell=lambda row: Cell(quantity(row.quantity)), num=True),
            money("net", "Counts", "net_minor"),
            money("amount", "For itself", "amount_minor"),
            column("adjusted", "Trued up", lambda row: from_minor(row.adjusted_minor, row.currency), num=True,
                   cell=lambda row: Cell(amount(row.adjusted_minor, row.currency) if row.adjusted_minor else "–", muted=not row.adjusted_minor)),
            column("level", "Tier", num=True),
            column("currency", "Currency", file_only=True),
        ),
    ),
)  # fmt: skip

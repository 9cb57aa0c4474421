"""Receivables: who owes what and how long, one customer's account, and the statement that is sent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from flask import render_template, request, url_for

from app.composition.request import now, reader
from app.messages import sentence
from app.queries.customer_statement import statement, usual_since
from app.queries.disputes import disputes_of
from app.queries.listing import Asked
from app.queries.places import entities_seen
from app.queries.receivables import AGEING, BUCKETS, AgeingRow, OpenItem, account
from app.reports.accounts import statement_paper
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.billing.views import blueprint
from app.web.figures import amount
from app.web.lists.listing import Cell, Column, Empty, Listing, column, day_filter, flag, money, pick, text_filter
from app.web.lists.page import list_page
from app.web.papers import paper_file
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.money import from_minor

KINDS = {
    "invoice": "Invoice",
    "credit_memo": "Credit memo",
    "debt_journal": "Debt journal",
    "dunning_fee": "Dunning fee",
    "fee_waived": "Fee waived",
    "receipt": "Receipt",
    "receipt_return": "Payment returned",
}


def _customer(row: AgeingRow) -> Cell:
    asked = request.args.get("as_of") or None
    return Cell(
        row.customer, sub=row.code, href=url_for("billing.show_account", customer_id=row.customer_id, as_of=asked)
    )


def _part(key: str, label: str, minor: Callable[[AgeingRow], int]) -> Column:
    """A part of the balance, whose currency the balance says; nothing is a dash."""

    def cell(row: AgeingRow) -> Cell:
        return Cell(amount(minor(row), row.currency) if minor(row) else "–", muted=not minor(row))

    return column(key, label, lambda row: from_minor(minor(row), row.currency), num=True, cell=cell)


def _bucket(at: int) -> Column:
    return _part(f"bucket_{at}", BUCKETS[at], lambda row: row.due_minor[at])


def _companies(asked: Asked) -> list[tuple[int, str]]:
    return [(one.id, one.name) for one in entities_seen(reader(), actor()) if one.realm == asked.realm]


AGEING_LIST = list_page(
    blueprint,
    Listing(
        name="receivables", endpoint="billing.show_receivables", path="/receivables", permission=Permission.INVOICE_READ,
        title="Receivables", lead="What each customer owes, by how long it is overdue; credits and money on account beside it",
        unit="customers", source=AGEING, sort="-overdue", template="billing/receivables.html",
        empty=Empty(title="Nobody owes anything", text="Nothing is open on this day, or a filter hides it.", sign="file"),
        filters=(
            flag("overdue", "Overdue"), day_filter("as_of", "As of"), text_filter("Customer or code"),
            pick("company", "Company", _companies),
        ),
        columns=(
            column("customer", "Customer", cell=_customer),
            column("code", "Customer code", file_only=True),
            column("entity", "Company", file_only=True),
            *(_bucket(at) for at in range(len(BUCKETS))),
            _part("deducted", "Deducted", lambda row: row.deducted_minor),
            _part("credits", "Credits", lambda row: row.credits_minor),
            _part("on_account", "On account", lambda row: row.on_account_minor),
            money("balance", "Balance", "balance_minor"),
            column("currency", "Currency", file_only=True),
        ),
    ),
)  # fmt: skip


def _day(name: str) -> date | None:
    """The day that the address names; nonsense counts as none."""
    try:
        return date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return None


@blueprint.get("/receivables/<int:customer_id>")
@require(Permission.INVOICE_READ)
def show_account(customer_id: int) -> str:
    try:
        page, refused = account(reader(), actor(), customer_id, _day("as_of"), now()), ""
    except RuleBroken as broken:
        page, refused = account(reader(), actor(), customer_id, None, now()), sentence(broken)
    return render_template(
        "billing/account.html", page=page, row=page.row, realm=page.realm, buckets=list(zip(BUCKETS, page.row.due_minor, strict=True)),
        kinds=KINDS, leads=_leads, disputes=disputes_of(reader(), actor(), customer=customer_id), refused=refused, since=usual_since(page.as_of),
    )  # fmt: skip


def _leads(one: OpenItem) -> str:
    """Where a document or receipt is looked at; empty for one without a page of its own."""
    if one.kind == "invoice":
        return url_for("billing.show", invoice_id=one.id)
    if one.kind == "credit_memo":
        return url_for("billing.show_memo", memo_id=one.id)
    return url_for("billing.show_receipt", receipt_id=one.id) if one.kind in ("receipt", "receipt_return") else ""


@blueprint.get("/receivables/<int:customer_id>/statement.pdf")
@require(Permission.INVOICE_READ)
def print_statement(customer_id: int) -> Any:
    return paper_file(
        lambda: statement_paper(
            statement(reader(), actor(), customer_id, since=_day("since"), until=_day("until"), now=now()), now()
        ),
        back=url_for("billing.show_account", customer_id=customer_id),
    )

"""One invoice, and its moves: draft, unblock, amend, post, credit."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, url_for

from app.composition.request import now, reader
from app.composition.trading import cells, rules
from app.queries.billing import InvoicePage, invoice_page
from app.queries.disputes import disputes_of
from app.queries.order_detail import shipment_place
from app.queries.rebate_accruals import accruals_of
from app.queries.taxes import rules_of_company
from app.queries.troubles import named_troubles
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import area, closed, lacking
from app.web.billing.forms import AmendForm, CreditForm, UntaxedForm
from app.web.exceptions.presenters import owner_of
from app.web.forms import choices
from app.web.navigation import Entry, Group, navigation_entry
from app.web.orders.forms import ReasonForm
from app.web.orders.views import order_html
from app.web.steps import form_step, take_step
from erpcore.billing.credits import CreditInvoice, credit_invoices
from erpcore.billing.flow import INVOICE
from erpcore.billing.rechecking import recheck_invoices
from erpcore.billing.services import AmendInvoice, amend_invoices, draft_invoices, post_invoices, unblock_invoices
from erpcore.billing.taxing import ROUNDING
from erpcore.kernel.errors import NotFound

blueprint = area("billing")
navigation_entry(
    Entry(label="Billing", endpoint="billing.show_all", permission=Permission.INVOICE_READ, group=Group.MONEY, order=40)
)


@blueprint.get("/invoices/<int:invoice_id>")
@require(Permission.INVOICE_READ)
def show(invoice_id: int) -> str:
    return _html(invoice_id)


def _html(invoice_id: int, refused: str = "") -> str:
    page = invoice_page(reader(), actor(), invoice_id)
    disputes = disputes_of(reader(), actor(), invoice=invoice_id)
    doubtful = [("invoice", invoice_id)] if page.state == "blocked" else []
    trouble = next(iter(named_troubles(reader(), actor(), doubtful, now())), None)
    return render_template(
        "billing/show.html",
        page=page,
        moves=_moves(page, sum(one.open_minor for one in disputes)),
        refused=refused,
        realm=page.realm,
        today=now().date(),
        rounding=ROUNDING,
        disputes=disputes,
        rebates=accruals_of(reader(), actor(), invoice_id) if page.state == "posted" else [],
        owner=None if trouble is None else owner_of(trouble),
    )


def _moves(page: InvoicePage, disputed: int) -> list[dict[str, Any]]:
    """The moves of the flow's table, and crediting or objecting to what is posted; ``disputed`` of it is so already."""
    out: list[dict[str, Any]] = []
    steps = (("recheck", "Check again", "action"), ("unblock", "Release…", "href"), ("post", "Post", "action"))
    for name, label, where in steps:
        leads = INVOICE.leads(name, page.state)
        if page.state == "posted" or (name != "post" and not leads):
            continue
        shut = closed(INVOICE, name, page.state, actor())
        shut = shut if leads else f"{shut}: {page.block_reason}"
        out.append(
            _move(
                label, INVOICE.moves[name].permission, shut, **{where: url_for(f"billing.{name}", invoice_id=page.id)}
            )
        )
    if page.state == "posted":
        out.append(
            _move("Credit part of it…", Permission.CREDIT_POST, "", href=url_for("billing.credit", invoice_id=page.id))
        )
    if page.state == "posted" and (page.open_minor or 0) > disputed:
        address = url_for("disputes.open_one", invoice_id=page.id)
        out.append(_move("The customer objects…", Permission.DISPUTE_WORK, "", href=address))
    if page.open_minor:
        address = url_for("billing.take_receipt", customer=page.customer_id, entity=page.entity_id)
        out.append(_move("Record a receipt…", Permission.RECEIPT_TAKE, "", href=address))
    first = next((move for move in out if move["permitted"]), None)
    if first is not None:
        first["primary"] = True
    return out


def _move(label: str, permission: str, shut: str, **where: str) -> dict[str, Any]:
    if not shut and not actor().may(permission):
        shut = lacking(permission)
    return {"label": label, "permitted": not shut, "reason": f"{shut}." if shut else "", **where}


@blueprint.post("/shipments/<int:shipment_id>/invoice")
@require(Permission.INVOICE_DRAFT)
def draft(shipment_id: int) -> Any:
    order_id, realm = shipment_place(reader(), actor(), shipment_id)
    return take_step(
        lambda work: draft_invoices(work, [shipment_id], cells=cells(), rules=rules()), realm=realm, done="The invoice is drafted.",
        to=url_for("orders.show", order_id=order_id), again=lambda why: order_html(order_id, why),
    )  # fmt: skip


@blueprint.post("/invoices/<int:invoice_id>/post")
@require(Permission.INVOICE_POST)
def post(invoice_id: int) -> Any:
    return take_step(
        lambda work: post_invoices(work, [invoice_id], cells=cells()),
        realm=invoice_page(reader(), actor(), invoice_id).realm, done="The invoice is posted and has its number.",
        to=url_for("billing.show", invoice_id=invoice_id), again=lambda why: _html(invoice_id, why),
    )  # fmt: skip


@blueprint.post("/invoices/<int:invoice_id>/recheck")
@require(Permission.INVOICE_DRAFT)
def recheck(invoice_id: int) -> Any:
    return take_step(
        lambda work: recheck_invoices(work, [invoice_id], rules=rules()), realm=invoice_page(reader(), actor(), invoice_id).realm,
        done="Nothing is doubtful any more; the invoice may be posted.", to=url_for("billing.show", invoice_id=invoice_id),
        again=lambda why: _html(invoice_id, why),
    )  # fmt: skip


@blueprint.route("/invoices/<int:invoice_id>/unblock", methods=["GET", "POST"])
@require(Permission.INVOICE_UNBLOCK)
def unblock(invoice_id: int) -> Any:
    page = invoice_page(reader(), actor(), invoice_id)
    form: Any = ReasonForm()
    if any(line.tax_rate is None for line in page.lines):
        form = UntaxedForm()
        form.tax_rule.choices = choices(rules_of_company(reader(), actor(), page.entity_id))
    if form.validate_on_submit():
        with form_step(form, realm=page.realm) as work:
            named = form.tax_rule.data if isinstance(form, UntaxedForm) else None
            unblock_invoices(work, [invoice_id], str(form.reason.data), tax_rule=named)
        if form.accepted:
            return _back(page, "The invoice may be posted. What was doubtful stays recorded.")
    return _form(page, form, title="Release", label="Release the invoice", note=f"Doubtful: {page.block_reason}")


@blueprint.route("/invoices/<int:invoice_id>/lines/<int:line_id>", methods=["GET", "POST"])
@require(Permission.INVOICE_AMEND)
def amend(invoice_id: int, line_id: int) -> Any:
    page, form = invoice_page(reader(), actor(), invoice_id), AmendForm()
    line = next((one for one in page.lines if one.order_line == line_id), None)
    if line is None:
        raise NotFound("line_unknown", line=line_id)
    if not form.is_submitted():
        form.unit_price.data = line.unit_price
    if form.validate_on_submit():
        command = AmendInvoice(
            invoice=invoice_id, order_line=line_id, unit_price=form.unit_price.data, reason=str(form.reason.data)
        )
        with form_step(form, realm=page.realm) as work:
            amend_invoices(work, [command])
        if form.accepted:
            charged, ordered = form.unit_price.data, line.order_price
            return _back(
                page,
                "The price is changed."
                if charged == ordered
                else "The price is changed. Somebody else releases the invoice now.",
            )
    return _form(page, form, title="Amend", label="Charge this price", note=f"{line.code} {line.name}")


@blueprint.route("/invoices/<int:invoice_id>/credit", methods=["GET", "POST"])
@require(Permission.CREDIT_POST)
def credit(invoice_id: int) -> Any:
    page, form = invoice_page(reader(), actor(), invoice_id), CreditForm()
    form.line.choices = choices((line.order_line, f"{line.line_no} {line.code} {line.name}") for line in page.lines)
    if form.validate_on_submit():
        command = CreditInvoice(
            invoice=invoice_id, order_line=form.line.data, quantity=form.quantity.data, unit_price=form.unit_price.data,
            reason=str(form.reason.data), fault=str(form.fault.data),
        )  # fmt: skip
        with form_step(form, realm=page.realm) as work:
            (memo,) = credit_invoices(work, [command])
        if form.accepted:
            flash("The credit memo is posted.", "success")
            return redirect(url_for("billing.show_memo", memo_id=memo))
    return _form(page, form, title="Credit", label="Post the credit memo", note="Posted at once; it is never changed.")


def _form(page: InvoicePage, form: Any, **words: str) -> Any:
    return render_template("billing/form.html", page=page, form=form, realm=page.realm, **words), form.status


def _back(page: InvoicePage, said: str) -> Any:
    flash(said, "success")
    return redirect(url_for("billing.show", invoice_id=page.id))

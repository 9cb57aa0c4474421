"""One credit memo: what of it is still open, and the invoices it is set against."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, url_for

from app.composition.request import reader
from app.queries.billing import MemoPage, memo_page
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.billing.cash import amounts_of
from app.web.billing.forms import apply_form
from app.web.billing.views import blueprint
from app.web.figures import amount
from app.web.orders.forms import ReasonForm
from app.web.steps import form_step
from erpcore.billing.cash_credit import ApplyCredit, apply_credit, unapply_credit
from erpcore.billing.cash_reversal import Unapply
from erpcore.billing.taxing import ROUNDING, ROUNDING_OF_CREDITS
from erpcore.kernel.errors import NotFound


@blueprint.get("/credit-memos/<int:memo_id>")
@require(Permission.INVOICE_READ)
def show_memo(memo_id: int) -> Any:
    page = memo_page(reader(), actor(), memo_id)
    return _html(page, _form_of(page)), 200


@blueprint.post("/credit-memos/<int:memo_id>/apply")
@require(Permission.RECEIPT_APPLY)
def apply_memo(memo_id: int) -> Any:
    page = memo_page(reader(), actor(), memo_id)
    form = _form_of(page)
    if form.validate_on_submit():
        with form_step(form, realm=page.realm) as work:
            form.once(work, lambda: apply_credit(work, _applications(page, form))[0])
        if form.accepted:
            flash("The credit memo is applied.", "success")
            return redirect(url_for("billing.show_memo", memo_id=memo_id))
    return _html(page, form), form.status


def _applications(page: MemoPage, form: Any) -> list[ApplyCredit]:
    return [
        ApplyCredit(credit=page.id, invoice=invoice, amount_minor=minor)
        for invoice, minor in amounts_of(form, page.open_invoices, page.currency)
    ]


@blueprint.route("/credit-memos/<int:memo_id>/applications/<int:application_id>/reverse", methods=["GET", "POST"])
@require(Permission.RECEIPT_APPLY)
def unapply_memo(memo_id: int, application_id: int) -> Any:
    page, form = memo_page(reader(), actor(), memo_id), ReasonForm()
    one = next((one for one in page.applied if one.id == application_id), None)
    if one is None:
        raise NotFound("application_unknown", id=application_id)
    if form.validate_on_submit():
        with form_step(form, realm=page.realm) as work:
            unapply_credit(work, [Unapply(application=application_id, reason=str(form.reason.data))])
        if form.accepted:
            flash("It is taken back. The invoice and the credit memo are open again.", "success")
            return redirect(url_for("billing.show_memo", memo_id=memo_id))
    name = page.number or "Credit memo"
    trail = [
        ("Billing", url_for("billing.show_all")), ("Credit memos", url_for("billing.show_memos")),
        (name, url_for("billing.show_memo", memo_id=memo_id)),
    ]  # fmt: skip
    html = render_template(
        "billing/small_form.html", form=form, trail=trail, of=f"{name} · {page.customer}", unit=page.currency,
        realm=page.realm, title="Take back", label="Take it back",
        note=f"{amount(one.amount_minor, page.currency)} {page.currency} of invoice {one.invoice}",
    )  # fmt: skip
    return html, form.status


def _form_of(page: MemoPage) -> Any:
    return apply_form(page.open_invoices if page.left_minor > 0 else [], page.left_minor, page.currency)


def _html(page: MemoPage, form: Any) -> str:
    fields = [field for field in form if field.name.startswith("invoice_")]
    return render_template(
        "billing/memo.html", page=page, form=form, fields=fields, realm=page.realm, rounding=f"{ROUNDING} {ROUNDING_OF_CREDITS}"
    )  # fmt: skip

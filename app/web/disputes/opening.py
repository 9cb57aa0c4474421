"""Where differences begin on screens: a payment that was short, an objection to an invoice, and whose each reason is."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, url_for

from app.composition.cases import person_named
from app.composition.request import change, reader
from app.composition.trading import cells, rules
from app.queries.billing import invoice_page
from app.queries.cash import receipt_page
from app.queries.disputes import lines_of, reasons
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.billing.forms import minor_of
from app.web.disputes.forms import DeductForm, ObjectForm, RouteForm, line_choices, owners, reason_choices
from app.web.disputes.views import blueprint
from app.web.forms import choices
from app.web.steps import form_step
from erpcore.billing.disputing import Deduct, Object, name_deductions, open_disputes, route_reason
from erpcore.kernel.errors import NotFound


@blueprint.route("/receipts/<int:receipt_id>/applications/<int:application_id>/deduct", methods=["GET", "POST"])
@require(Permission.RECEIPT_APPLY)
def deduct(receipt_id: int, application_id: int) -> Any:
    page, form = receipt_page(reader(), actor(), receipt_id), DeductForm()
    one = next((one for one in page.applied if one.id == application_id), None)
    if one is None:
        raise NotFound("application_unknown", id=application_id)
    form.reason.choices = reason_choices(reasons(reader()))
    if form.validate_on_submit():
        made = 0
        with form_step(form, realm=page.row.realm) as work:
            command = Deduct(
                application=application_id, reason=str(form.reason.data or ""), note=form.note.data or "",
                amount_minor=minor_of(form.amount.data, page.row.currency, "amount") if form.amount.data else None,
            )  # fmt: skip
            made = form.once(work, lambda: name_deductions(work, [command], rules=rules(), cells=cells())[0])
        if form.accepted:
            flash("The difference has a reason and an owner.", "success")
            return redirect(url_for("disputes.show", dispute_id=made))
    trail = [
        ("Billing", url_for("billing.show_all")), ("Receipts", url_for("billing.show_receipts")),
        (page.row.number, url_for("billing.show_receipt", receipt_id=receipt_id)),
    ]  # fmt: skip
    return _form(
        form, trail, page.row.realm, title="Why it is short", label="Name the difference", unit=page.row.currency,
        of=f"{page.row.number} · {one.invoice}", note="What the payment left open stays owed, but nobody asks for it.",
    )  # fmt: skip


@blueprint.route("/invoices/<int:invoice_id>/dispute", methods=["GET", "POST"])
@require(Permission.DISPUTE_WORK)
def open_one(invoice_id: int) -> Any:
    page, form = invoice_page(reader(), actor(), invoice_id), ObjectForm()
    form.reason.choices = reason_choices(reasons(reader()))
    form.line.choices = line_choices(lines_of(reader(), invoice_id))
    if form.validate_on_submit():
        made = 0
        with form_step(form, realm=page.realm) as work:
            command = Object(
                invoice=invoice_id, amount_minor=minor_of(form.amount.data, page.currency, "amount"),
                reason=str(form.reason.data or ""), note=str(form.note.data), evidence=form.evidence.data or "",
                order_line=form.line.data or None,
            )  # fmt: skip
            made = form.once(work, lambda: open_disputes(work, [command])[0])
        if form.accepted:
            flash("The dispute is open.", "success")
            return redirect(url_for("disputes.show", dispute_id=made))
    name = page.number or "Invoice draft"
    trail = [("Billing", url_for("billing.show_all")), (name, url_for("billing.show", invoice_id=invoice_id))]
    return _form(
        form, trail, page.realm, title="The customer objects", label="Open the dispute", unit=page.currency,
        of=f"{name} · {page.customer}", note="Nobody asks for the amount until it is settled.",
    )  # fmt: skip


def _form(form: Any, trail: list[tuple[str, str]], realm: str, **words: str) -> Any:
    return render_template("billing/small_form.html", form=form, trail=trail, realm=realm, **words), form.status


@blueprint.route("/disputes/reasons", methods=["GET", "POST"])
@require(Permission.INVOICE_READ)
def show_reasons() -> Any:
    """Every reason with whose it is; posted, one is routed anew or added."""
    form = RouteForm()
    form.role.choices = choices(owners())
    if form.is_submitted():
        actor().require(Permission.DISPUTE_ROUTE)
    if form.validate_on_submit():
        owner = person_named(reader(), form.person.data) if form.person.data else None
        if form.person.data and owner is None:
            form.person.errors, form.status = ["Nobody signs in by this name."], 422
        else:
            with form.refusals(), change() as work:
                route_reason(
                    work, str(form.code.data), title=str(form.title.data), role=str(form.role.data), owner=owner,
                    due_days=int(form.due_days.data or 0), fault=str(form.fault.data),
                )  # fmt: skip
            if form.accepted:
                flash("The reason is routed. What is open keeps its owner.", "success")
                return redirect(url_for("disputes.show_reasons"))
    return render_template("disputes/reasons.html", form=form, reasons=reasons(reader())), form.status

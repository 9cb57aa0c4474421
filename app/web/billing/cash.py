"""Receipts: what came in, and which invoices it settles."""

from __future__ import annotations

import secrets
from typing import Any

from flask import flash, redirect, render_template, url_for

from app.composition.request import reader
from app.queries.cash import ReceiptPage, receipt_page
from app.queries.order_entry import customer_by_id, find_customers
from app.queries.places import EntityPick, entities_seen
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import asked_key
from app.web.billing.forms import ReceiptForm, apply_form, minor_of
from app.web.billing.views import blueprint
from app.web.forms import choices
from app.web.steps import form_step
from erpcore.billing.cash import ApplyCash, ReceiveCash, apply_cash, receive_cash
from erpcore.kernel import requests
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.work import UnitOfWork


@blueprint.route("/receipts/new", methods=["GET", "POST"])
@require(Permission.RECEIPT_TAKE)
def take_receipt() -> Any:
    form, entities = ReceiptForm(), entities_seen(reader(), actor())
    form.entity.choices = choices((entity.id, entity.label) for entity in entities)
    if not form.is_submitted():
        form.request_key.data = secrets.token_urlsafe(18)
        form.entity.data = asked_key("entity") or (entities[0].id if entities else None)
        known = customer_by_id(reader(), form.entity.data, asked_key("customer"))
        form.customer.data = known.code if known else ""
    if form.validate_on_submit():
        entity = next(one for one in entities if one.id == form.entity.data)
        with form_step(form, realm=entity.realm) as work:
            receipt = _take(work, form, entity)
        if form.accepted:
            flash("The receipt is on account. Apply it to invoices.", "success")
            return redirect(url_for("billing.show_receipt", receipt_id=receipt))
    return render_template("billing/receipt_new.html", form=form, realm="live"), form.status


def _take(work: UnitOfWork, form: ReceiptForm, entity: EntityPick) -> int:
    """Take the receipt once, however often the form comes; returns its id."""
    found = find_customers(reader(), entity.id, form.customer.data or "")
    if not found:
        raise RuleBroken("customer_unheard", field="customer")
    if len(found) > 1:
        raise RuleBroken("customer_unclear", field="customer", count=len(found))
    amount = minor_of(form.amount.data, entity.currency, "amount")
    command = ReceiveCash(
        entity=entity.id, customer=found[0].id, amount_minor=amount, reference=form.reference.data or None
    )
    before = requests.claim(work, f"receipt-form:{form.request_key.data}", repr(command))
    if before is not None:
        return int(before)
    (receipt,) = receive_cash(work, [command])
    requests.settle(work, f"receipt-form:{form.request_key.data}", receipt)
    return receipt


@blueprint.route("/receipts/<int:receipt_id>", methods=["GET"])
@require(Permission.INVOICE_READ)
def show_receipt(receipt_id: int) -> Any:
    page = receipt_page(reader(), actor(), receipt_id)
    return _html(page, _form_of(page)), 200


@blueprint.post("/receipts/<int:receipt_id>/apply")
@require(Permission.RECEIPT_APPLY)
def apply_receipt(receipt_id: int) -> Any:
    page = receipt_page(reader(), actor(), receipt_id)
    form = _form_of(page)
    if form.validate_on_submit():
        with form_step(form, realm=page.row.realm) as work:
            apply_cash(work, _applications(page, form))
        if form.accepted:
            flash("The receipt is applied.", "success")
            return redirect(url_for("billing.show_receipt", receipt_id=receipt_id))
    return _html(page, form), form.status


def _applications(page: ReceiptPage, form: Any) -> list[ApplyCash]:
    commands = [
        ApplyCash(
            receipt=page.row.id, invoice=invoice.id,
            amount_minor=minor_of(form[f"invoice_{invoice.id}"].data, page.row.currency, f"invoice_{invoice.id}"),
        )
        for invoice in page.open_invoices
        if form[f"invoice_{invoice.id}"].data
    ]  # fmt: skip
    if not commands:
        raise RuleBroken("nothing_entered")
    return commands


def _form_of(page: ReceiptPage) -> Any:
    return apply_form(page.open_invoices if page.row.left_minor else [], page.row.left_minor, page.row.currency)


def _html(page: ReceiptPage, form: Any) -> str:
    fields = [field for field in form if field.name.startswith("invoice_")]
    return render_template(
        "billing/receipt.html", page=page, row=page.row, form=form, fields=fields, realm=page.row.realm
    )

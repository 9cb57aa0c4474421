"""Receipts: what came in, and which invoices it settles."""

from __future__ import annotations

import secrets
from typing import Any

from flask import flash, redirect, render_template, url_for

from app.composition.request import reader
from app.composition.short_pays import name_rests
from app.queries.cash import OpenInvoice, ReceiptPage, ReceiptRow, receipt_page, receipt_row
from app.queries.disputes import disputes_of, reasons
from app.queries.order_entry import customer_by_id, find_customers
from app.queries.places import EntityPick, entities_seen
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import asked_key
from app.web.billing.forms import ReceiptForm, ReturnForm, apply_form, minor_of, shorts_of
from app.web.billing.views import blueprint
from app.web.figures import amount
from app.web.forms import choices
from app.web.orders.forms import ReasonForm
from app.web.steps import form_step, take_step
from erpcore.billing.cash import ApplyCash, ReceiveCash, apply_cash, look_after
from erpcore.billing.cash_reversal import ReturnReceipt, Unapply, return_receipts, unapply_cash
from erpcore.billing.cash_typed import RecordReceipt, record_receipt
from erpcore.kernel import requests
from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.kernel.money import from_minor
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
    paid = minor_of(form.amount.data, entity.currency, "amount")
    fee = minor_of(form.fee.data, entity.currency, "fee") if form.fee.data else 0
    command = ReceiveCash(
        entity=entity.id, customer=found[0].id, amount_minor=paid, fee_minor=fee, reference=form.reference.data or None
    )
    again = RecordReceipt(receipt=command, again=form.again.data or None)
    before = requests.claim(work, f"receipt-form:{form.request_key.data}", repr(again))
    if before is not None:
        return int(before)
    receipt = record_receipt(work, again)
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
            form.once(work, lambda: _apply(work, page, form))
        if form.accepted:
            flash("The receipt is applied.", "success")
            return redirect(url_for("billing.show_receipt", receipt_id=receipt_id))
    return _html(page, form), form.status


def _apply(work: UnitOfWork, page: ReceiptPage, form: Any) -> int:
    (first, *_) = apply_cash(work, _applications(page, form))
    name_rests(work, page.row.id, shorts_of(form, page.open_invoices))
    return first


def _applications(page: ReceiptPage, form: Any) -> list[ApplyCash]:
    return [
        ApplyCash(receipt=page.row.id, invoice=invoice, amount_minor=minor)
        for invoice, minor in amounts_of(form, page.open_invoices, page.row.currency)
    ]


@blueprint.route("/receipts/<int:receipt_id>/applications/<int:application_id>/reverse", methods=["GET", "POST"])
@require(Permission.RECEIPT_APPLY)
def unapply_receipt(receipt_id: int, application_id: int) -> Any:
    page = receipt_page(reader(), actor(), receipt_id)
    one = next((one for one in page.applied if one.id == application_id), None)
    if one is None:
        raise NotFound("application_unknown", id=application_id)
    form = ReasonForm()
    if form.validate_on_submit():
        with form_step(form, realm=page.row.realm) as work:
            unapply_cash(work, [Unapply(application=application_id, reason=str(form.reason.data))])
        if form.accepted:
            flash("It is taken back. The invoice is open again, and the money on account.", "success")
            return redirect(url_for("billing.show_receipt", receipt_id=receipt_id))
    said = f"{amount(one.amount_minor, page.row.currency)} {page.row.currency} of invoice {one.invoice}"
    return _small_form(page, form, title="Take back", label="Take it back", note=said), form.status


@blueprint.route("/receipts/<int:receipt_id>/return", methods=["GET", "POST"])
@require(Permission.RECEIPT_APPLY)
def return_receipt(receipt_id: int) -> Any:
    page, form = receipt_page(reader(), actor(), receipt_id), ReturnForm()
    row = page.row
    if not form.is_submitted():
        form.amount.data = from_minor(row.amount_minor - row.returned_minor, row.currency)
    if form.validate_on_submit():
        with form_step(form, realm=row.realm) as work:
            form.once(work, lambda: return_receipts(work, [_returned(row, form)])[0])
        if form.accepted:
            flash("The money has gone back. What it had paid is open again.", "success")
            return redirect(url_for("billing.show_receipt", receipt_id=receipt_id))
    note = "What is on account goes back first; then the newest of what it paid is open again."
    return _small_form(page, form, title="Returned by the bank", label="Book the return", note=note), form.status


def _returned(row: ReceiptRow, form: ReturnForm) -> ReturnReceipt:
    return ReturnReceipt(
        receipt=row.id, reason=str(form.reason.data), amount_minor=minor_of(form.amount.data, row.currency, "amount"),
        fee_minor=minor_of(form.fee.data, row.currency, "fee") if form.fee.data else 0,
    )  # fmt: skip


@blueprint.post("/receipts/<int:receipt_id>/take-over")
@require(Permission.RECEIPT_APPLY)
def take_over_receipt(receipt_id: int) -> Any:
    row = receipt_row(reader(), actor(), receipt_id)
    return take_step(
        lambda work: look_after(work, [receipt_id], actor().id), realm=row.realm, done="You look after this receipt now.",
        to=url_for("billing.show_receipt", receipt_id=receipt_id), again=lambda why: _refused(receipt_id, why),
    )  # fmt: skip


def _refused(receipt_id: int, why: str) -> str:
    page = receipt_page(reader(), actor(), receipt_id)
    return _html(page, _form_of(page), why)


def amounts_of(form: Any, invoices: list[OpenInvoice], currency: str) -> list[tuple[int, int]]:
    """The invoices for which something was entered, each with its minor units; raises ``RuleBroken`` when there is none."""
    typed = [
        (invoice.id, minor_of(form[f"invoice_{invoice.id}"].data, currency, f"invoice_{invoice.id}"))
        for invoice in invoices
        if form[f"invoice_{invoice.id}"].data
    ]
    if not typed:
        raise RuleBroken("nothing_entered")
    return typed


def _form_of(page: ReceiptPage) -> Any:
    invoices = page.open_invoices if page.row.left_minor else []
    return apply_form(invoices, page.row.left_minor, page.row.currency, reasons(reader()) if invoices else ())


def _small_form(page: ReceiptPage, form: Any, **words: str) -> str:
    trail = [
        ("Billing", url_for("billing.show_all")), ("Receipts", url_for("billing.show_receipts")),
        (page.row.number, url_for("billing.show_receipt", receipt_id=page.row.id)),
    ]  # fmt: skip
    return render_template(
        "billing/small_form.html", form=form, trail=trail, of=f"{page.row.number} · {page.row.customer}",
        unit=page.row.currency, realm=page.row.realm, **words,
    )  # fmt: skip


def _html(page: ReceiptPage, form: Any, refused: str = "") -> str:
    fields = [field for field in form if field.name.startswith("invoice_")]
    row = page.row
    owner = "You" if row.owner_id == actor().id else row.owner or "Nobody yet: the cash desk"
    return render_template(
        "billing/receipt.html", page=page, row=row, form=form, fields=fields, owner=owner, refused=refused, realm=row.realm,
        mine=row.owner_id == actor().id, disputes=disputes_of(reader(), actor(), receipt=row.id),
    )  # fmt: skip

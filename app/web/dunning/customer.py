"""What holds a customer back from being asked, and what they were asked for: promises, blocks, notices and fees."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import flash, redirect, render_template, url_for

from app.composition.request import now, reader
from app.queries.dunning_customer import CustomerDunning, customer_dunning
from app.reports.dunning import KINDS
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.billing.forms import minor_of
from app.web.dunning.forms import BlockForm, FeeForm, PromiseForm, WhyForm
from app.web.dunning.views import blueprint
from app.web.figures import amount
from app.web.forms import choices
from app.web.steps import form_step
from erpcore.billing.dunning.fees import SettleFee, settle_fees
from erpcore.billing.dunning.holding import SetBlock, TakePromise, lift_block, set_block, take_promise
from erpcore.kernel.errors import NotFound


@blueprint.get("/dunning/customers/<int:customer_id>")
@require(Permission.INVOICE_READ)
def show_customer(customer_id: int) -> str:
    page = customer_dunning(reader(), actor(), customer_id, now())
    return render_template("dunning/customer.html", page=page, kinds=KINDS, realm=page.realm)


def _documents(page: CustomerDunning, every: str) -> Any:
    return choices([(0, every), *((one.document, f"{one.number} · {amount(one.open_minor, page.currency)} {page.currency}") for one in page.open_invoices)])  # fmt: skip


def _done(customer: int, said: str) -> Any:
    flash(said, "success")
    return redirect(url_for("dunning.show_customer", customer_id=customer))


def _form(page: CustomerDunning, form: Any, title: str, label: str) -> Any:
    fields = [field for field in form if field.name not in {"csrf_token", "request_key", "version"}]
    back = url_for("dunning.show_customer", customer_id=page.customer_id)
    return render_template(
        "dunning/form.html", page=page, form=form, fields=fields, title=title, label=label, back=back, realm=page.realm
    ), form.status


@blueprint.route("/dunning/customers/<int:customer_id>/promise", methods=["GET", "POST"])
@require(Permission.COLLECTION_WORK)
def promise(customer_id: int) -> Any:
    page, form = customer_dunning(reader(), actor(), customer_id, now()), PromiseForm()
    form.document.choices = _documents(page, "Any money of theirs")
    if form.validate_on_submit():
        with form_step(form, realm=page.realm) as work:
            command = TakePromise(
                customer=customer_id, amount_minor=minor_of(form.amount.data, page.currency, "amount"), until=form.until.data or date.min,
                said_by=str(form.said_by.data), note=form.note.data or None, document=form.document.data or None,
            )  # fmt: skip
            form.once(work, lambda: take_promise(work, command))
        if form.accepted:
            return _done(customer_id, "The promise is kept here. What comes decides about it.")
    return _form(page, form, "Promise to pay", "Keep the promise")


@blueprint.route("/dunning/customers/<int:customer_id>/block", methods=["GET", "POST"])
@require(Permission.COLLECTION_WORK)
def block(customer_id: int) -> Any:
    page, form = customer_dunning(reader(), actor(), customer_id, now()), BlockForm()
    form.document.choices = _documents(page, "All that they owe")
    if form.validate_on_submit():
        with form_step(form, realm=page.realm) as work:
            command = SetBlock(
                customer=customer_id, kind=str(form.kind.data), reason=str(form.reason.data), until=form.until.data or date.min,
                owner=actor().id, document=form.document.data or None,
            )  # fmt: skip
            form.once(work, lambda: set_block(work, command))
        if form.accepted:
            return _done(customer_id, "Nobody asks for it until then. You look after it.")
    return _form(page, form, "Block dunning", "Block it")


@blueprint.route("/dunning/customers/<int:customer_id>/blocks/<int:block_id>/lift", methods=["GET", "POST"])
@require(Permission.COLLECTION_WORK)
def lift(customer_id: int, block_id: int) -> Any:
    page, form = customer_dunning(reader(), actor(), customer_id, now()), WhyForm()
    if form.validate_on_submit():
        with form_step(form, realm=page.realm) as work:
            lift_block(work, block_id, str(form.reason.data))
        if form.accepted:
            return _done(customer_id, "The block is lifted.")
    return _form(page, form, "Lift the block", "Lift it")


@blueprint.route("/dunning/customers/<int:customer_id>/fees/<int:fee_id>", methods=["GET", "POST"])
@require(Permission.RECEIPT_APPLY)
def fee(customer_id: int, fee_id: int) -> Any:
    page, form = customer_dunning(reader(), actor(), customer_id, now()), FeeForm()
    known = next((one for one in page.fees if one.id == fee_id), None)
    if known is None:
        raise NotFound("dunning_fee_unknown", id=fee_id)
    form.receipt.choices = choices([(0, "Nothing: it is waived"), *((key, f"{number} · {amount(left, page.currency)} {page.currency}") for key, number, left in page.receipts)])  # fmt: skip
    if form.validate_on_submit():
        with form_step(form, realm=page.realm) as work:
            command = SettleFee(
                fee=fee_id, amount_minor=minor_of(form.amount.data, page.currency, "amount"), receipt=form.receipt.data or None,
                reason=form.reason.data or None,
            )  # fmt: skip
            form.once(work, lambda: settle_fees(work, [command])[0])
        if form.accepted:
            return _done(customer_id, "The fee is settled by so much.")
    return _form(page, form, f"Settle {known.number}", "Settle it")

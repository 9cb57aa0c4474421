"""One company: its address, how it was told over time, its tax numbers, the account that invoices name, and the forms that enter them."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import flash, redirect, render_template, url_for

from app.composition.request import now, reader
from app.queries.addresses import customer_addressed
from app.queries.bank_statements import accounts_of
from app.queries.companies import CompanyPage, company_page
from app.queries.taxes import company_of_customer
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import area
from app.web.companies.forms import AddressForm, InvoiceAccountForm, NumberForm
from app.web.forms import choices
from app.web.steps import form_step
from erpcore.billing.paying import TellInvoiceAccount, tell_invoice_account
from erpcore.kernel.clock import local_day
from erpcore.masterdata.company_address import TellAddress, tell_address
from erpcore.masterdata.tax_keeping import NewTaxNumber, keep_tax_number

blueprint = area("companies")


def _today(page: CompanyPage) -> date:
    return local_day(now(), page.company.time_zone)


@blueprint.get("/companies/<int:entity_id>")
@require(Permission.MASTERDATA_READ)
def show(entity_id: int) -> str:
    page = company_page(reader(), actor(), entity_id)
    today = _today(page)
    return render_template(
        "companies/show.html", page=page, company=page.company, realm=page.company.realm, today=today, holding=page.holding(today), named=page.named(today)
    )  # fmt: skip


@blueprint.route("/companies/<int:entity_id>/address", methods=["GET", "POST"])
@require(Permission.TAX_KEEP)
def change_address(entity_id: int) -> Any:
    page, form = company_page(reader(), actor(), entity_id), AddressForm()
    if not form.is_submitted():
        form.begin(page, _today(page))
    if form.validate_on_submit():
        command = TellAddress(
            entity=entity_id, address=form.address(), valid_from=form.valid_from.data or date.min, reason=str(form.reason.data),
            seen=int(form.seen.data or 0) if str(form.seen.data).isdecimal() else -1,
        )  # fmt: skip
        with form_step(form, realm=page.company.realm) as work:
            tell_address(work, command)
        if form.accepted:
            return _back(entity_id, "The address is kept. Documents of earlier days keep the one that held then.")
    note = "Documents name the address that held on their day. What was entered before stays on record."
    return _form(form, page, "Change the address" if page.addresses else "Enter the address", "Keep the address", note)


@blueprint.route("/companies/<int:entity_id>/invoice-account", methods=["GET", "POST"])
@require(Permission.BANK_ACCOUNT)
def name_account(entity_id: int) -> Any:
    page, form = company_page(reader(), actor(), entity_id), InvoiceAccountForm()
    accounts = accounts_of(reader(), [entity_id])
    if not accounts:
        flash("Add the account first, then say that invoices name it.", "info")
        return redirect(url_for("billing.add_account", entity=entity_id))
    form.account.choices = choices((one.id, f"{one.number} · {one.name} · {one.currency}") for one in accounts)
    if not form.is_submitted():
        form.seen.data, form.valid_from.data = str(len(page.accounts)), _today(page)
    if form.validate_on_submit():
        command = TellInvoiceAccount(
            entity=entity_id, account=form.account.data, valid_from=form.valid_from.data or date.min, bic=str(form.bic.data or ""),
            reason=str(form.reason.data), seen=int(form.seen.data or 0) if str(form.seen.data).isdecimal() else -1,
        )  # fmt: skip
        with form_step(form, realm=page.company.realm) as work:
            tell_invoice_account(work, command)
        if form.accepted:
            return _back(entity_id, "Kept. Invoices of earlier days keep the account that they named.")
    note = (
        "Invoices and e-invoices in the account’s currency ask for payment to it, with their number as the reference."
    )
    return _form(form, page, "Which account invoices name", "Name the account", note)


@blueprint.route("/companies/<int:entity_id>/tax-numbers/new", methods=["GET", "POST"])
@require(Permission.TAX_KEEP)
def add_number(entity_id: int) -> Any:
    page, form = company_page(reader(), actor(), entity_id), NumberForm()
    if not form.is_submitted():
        form.country.data, form.valid_from.data = page.country, _today(page)
    if form.validate_on_submit():
        with form_step(form, realm=page.company.realm) as work:
            form.once(work, lambda: keep_tax_number(work, _number(form, entity_id, None)).id)
        if form.accepted:
            return _back(entity_id, "The tax number is kept.")
    note = "A VAT number stands on invoices and in e-invoices; tax rules may ask for it."
    return _form(form, page, "New tax number", "Keep the number", note)


@blueprint.route("/customers/<int:customer_id>/tax-numbers/new", methods=["GET", "POST"])
@require(Permission.TAX_KEEP)
def add_number_of_customer(customer_id: int) -> Any:
    customer, form = customer_addressed(reader(), actor(), customer_id), NumberForm()
    if not form.is_submitted():
        form.country.data, form.valid_from.data = customer.country, local_day(now(), customer.time_zone)
    if form.validate_on_submit():
        entity = company_of_customer(reader(), customer_id)
        with form_step(form, realm=customer.realm) as work:
            form.once(work, lambda: keep_tax_number(work, _number(form, entity, customer_id)).id)
        if form.accepted:
            flash("The tax number is kept.", "success")
            return redirect(url_for("addresses.show_all", customer_id=customer_id))
    trail = [
        ("Customers", url_for("customers.show_all")),
        (f"Addresses of {customer.code}", url_for("addresses.show_all", customer_id=customer_id)),
    ]
    note = "Sales across a border without tax ask for it, and the e-invoice names it."
    return _small(form, trail, f"{customer.code} · {customer.name}", customer.realm, "New tax number", "Keep the number", note)  # fmt: skip


def _number(form: NumberForm, entity: int, customer: int | None) -> NewTaxNumber:
    return NewTaxNumber(
        entity=entity, customer=customer, country=str(form.country.data).strip(), number=str(form.number.data),
        valid_from=form.valid_from.data or date.min, valid_until=form.valid_until.data,
    )  # fmt: skip


def _back(entity_id: int, said: str) -> Any:
    flash(said, "success")
    return redirect(url_for("companies.show", entity_id=entity_id))


def _form(form: Any, page: CompanyPage, title: str, label: str, note: str) -> Any:
    trail = [
        ("Tax rules", url_for("taxes.show_all")),
        (page.company.name, url_for("companies.show", entity_id=page.company.id)),
    ]
    return _small(form, trail, page.company.name, page.company.realm, title, label, note)


def _small(form: Any, trail: list[tuple[str, str]], of: str, realm: str, title: str, label: str, note: str) -> Any:
    page = render_template(
        "billing/small_form.html", form=form, trail=trail, of=of, unit="", realm=realm, title=title, label=label, note=note
    )  # fmt: skip
    return page, form.status

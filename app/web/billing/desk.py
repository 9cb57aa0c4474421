"""The cash desk: entries of bank statements that wait, what is proposed for each, and the statements they came with."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import orjson
from flask import flash, redirect, render_template, request, url_for

from app.composition.request import reader
from app.composition.short_pays import name_rests
from app.importers.bankfiles.accepting import accept_chosen, accept_sure, credits_of
from app.importers.bankfiles.reading import digest_of, read_bank_file
from app.importers.bankfiles.table import DAYS, Mapping
from app.queries.bank_statements import accounts_of, statement_page, statements_of
from app.queries.cash_desk import LinePage, desk, entity_here, line_page
from app.queries.disputes import reasons
from app.queries.order_entry import find_customers
from app.queries.places import EntityPick, entities_seen
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import asked_key, asked_page, key_of
from app.web.billing.cash import amounts_of
from app.web.billing.desk_forms import BankAccountForm, MappingForm, StatementForm, SureForm, assign_form, return_form
from app.web.billing.forms import minor_of, shorts_of
from app.web.billing.views import blueprint
from app.web.exports import csv_file
from app.web.forms import choices
from app.web.navigation import Entry, Group, navigation_entry
from app.web.steps import form_step, take_step
from erpcore.billing.bank import (
    BankAccountFacts,
    Taken,
    add_bank_account,
    map_bank_account,
    name_payer,
    take_statements,
    worst_of,
)
from erpcore.billing.bank_lines import (
    AssignLine,
    Part,
    ReturnByLine,
    assign_lines,
    book_fees,
    recognise_lines,
    return_by_lines,
)
from erpcore.billing.cash_credit import ApplyCredit
from erpcore.billing.cash_known import SameReceipt, Typed
from erpcore.billing.cash_matching import SURE
from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.kernel.money import from_minor
from erpcore.kernel.work import UnitOfWork

navigation_entry(
    Entry(
        label="Cash desk", endpoint="billing.show_desk", permission=Permission.RECEIPT_TAKE, group=Group.MONEY, order=42
    )
)


@blueprint.get("/cash")
@require(Permission.RECEIPT_TAKE)
def show_desk() -> str:
    if not entities_seen(reader(), actor()):
        return render_template("billing/no_desk.html")
    return _desk(SureForm(percent=SURE))


def _desk(form: SureForm, refused: str = "") -> str:
    entity = entity_here(reader(), actor(), asked_key("entity"))
    page = asked_page()
    found = desk(reader(), actor(), entity, page)
    return render_template(
        "billing/desk.html", desk=found, form=form, refused=refused, page=page, entities=entities_seen(reader(), actor()),
        statements=statements_of(reader(), entity.id), sure=SURE, realm=entity.realm,
    )  # fmt: skip


@blueprint.post("/cash/accept")
@require(Permission.RECEIPT_APPLY)
def accept_proposals() -> Any:
    """The entries that were chosen; each form field ``shown`` is an entry and the token of what was proposed for it."""
    entity = entity_here(reader(), actor(), asked_key("entity"))
    shown = dict(part.split(":", 1) for part in request.form.getlist("shown") if part.count(":") == 1)
    tokens = {int(key): token for key, token in shown.items() if key.isdecimal() and len(key) < 16}
    chosen = {int(key) for key in request.form.getlist("line") if key.isdecimal() and len(key) < 16}
    return take_step(
        lambda work: accept_chosen(work, entity.id, tokens, chosen), realm=entity.realm,
        done=f"{len(chosen)} accepted: the receipts are taken and applied.", to=url_for("billing.show_desk", entity=entity.id),
        again=lambda why: _desk(SureForm(formdata=None, percent=SURE), why),
    )  # fmt: skip


@blueprint.post("/cash/accept-sure")
@require(Permission.RECEIPT_APPLY)
def accept_all_sure() -> Any:
    entity, form = entity_here(reader(), actor(), asked_key("entity")), SureForm()
    if form.validate_on_submit():
        taken: list[int] = []
        with form_step(form, realm=entity.realm) as work:
            taken = accept_sure(work, entity.id, int(form.percent.data or 0))
        if form.accepted:
            flash(f"{len(taken)} entries accepted at {form.percent.data} % or more.", "success")
            return redirect(url_for("billing.show_desk", entity=entity.id))
    return _desk(form), form.status


@blueprint.route("/cash/lines/<int:line_id>", methods=["GET", "POST"])
@require(Permission.RECEIPT_APPLY)
def work_on_line(line_id: int) -> Any:
    """An entry that brought money: whose it is, and what it pays."""
    page = line_page(reader(), actor(), line_id, asked_key("customer"))
    form = assign_form(page, reasons(reader()))
    if not form.is_submitted() and page.customer is not None:
        form.customer.data = page.customer.code
    if form.validate_on_submit():
        with form_step(form, realm=page.entity.realm) as work:
            form.once(work, lambda: _assign(work, page, form))
        if form.accepted:
            flash("The entry is assigned.", "success")
            return redirect(url_for("billing.show_desk", entity=page.entity.id))
    return _line(page, form, typed=_typed(page, form)), form.status


def _typed(page: LinePage, form: Any) -> Typed | None:
    """The receipt that the entry may be: of the customer whom the form names, once that was refused for it."""
    if not form.again.errors:
        return page.typed
    found = find_customers(reader(), page.entity.id, form.customer.data or "")
    return line_page(reader(), actor(), page.suggestion.line.id, found[0].id).typed if len(found) == 1 else page.typed


@blueprint.post("/cash/lines/<int:line_id>/same-receipt")
@require(Permission.RECEIPT_APPLY)
def recognise_line(line_id: int) -> Any:
    """The money of the entry is that of the receipt that the form names."""
    page = line_page(reader(), actor(), line_id, asked_key("customer"))
    command = SameReceipt(line=line_id, receipt=key_of(request.form.get("receipt", "")))
    return take_step(
        lambda work: recognise_lines(work, [command]), realm=page.entity.realm,
        done="The entry is that receipt: its money is in the books once.", to=url_for("billing.show_desk", entity=page.entity.id),
        again=lambda why: _line(page, assign_form(page, reasons(reader())), why, typed=page.typed),
    )  # fmt: skip


def _assign(work: UnitOfWork, page: LinePage, form: Any) -> int:
    line, currency = page.suggestion.line, page.suggestion.line.currency
    found = find_customers(reader(), page.entity.id, form.customer.data or "")
    if not found:
        raise RuleBroken("customer_unheard", field="customer")
    if len(found) > 1:
        raise RuleBroken("customer_unclear", field="customer", count=len(found))
    mine = page.customer is not None and page.customer.id == found[0].id
    parts = []
    if mine and any(form[f"invoice_{one.id}"].data for one in page.open_invoices):
        parts = [Part(invoice=key, amount_minor=minor) for key, minor in amounts_of(form, page.open_invoices, currency)]
    command = AssignLine(
        line=line.id, customer=found[0].id, parts=parts, credits=_deducted(page, form) if mine else [],
        fee_minor=minor_of(form.fee.data, currency, "fee") if form.fee.data else 0,
        difference_minor=minor_of(form.difference.data, currency, "difference") if form.difference.data else 0,
        again=form.again.data or None,
    )  # fmt: skip
    (receipt,) = assign_lines(work, [command])
    if parts:
        name_rests(work, receipt, shorts_of(form, page.open_invoices))
    if form.remember.data and line.payer_account:
        name_payer(work, page.entity.id, line.payer_account, found[0].id)
    return receipt


def _deducted(page: LinePage, form: Any) -> list[ApplyCredit]:
    """The credit memos of the proposal, where they are to be set against its invoices."""
    return credits_of(page.suggestion.proposal) if "credits" in form and form.credits.data else []


def _line(page: LinePage, form: Any, refused: str = "", *, typed: Typed | None = None) -> str:
    fields = [field for field in form if field.name.startswith("invoice_")]
    return render_template(
        "billing/desk_line.html", page=page, line=page.suggestion.line, form=form, fields=fields, refused=refused, typed=typed,
        realm=page.entity.realm,
    )  # fmt: skip


@blueprint.route("/cash/lines/<int:line_id>/return", methods=["GET", "POST"])
@require(Permission.RECEIPT_APPLY)
def return_by_line(line_id: int) -> Any:
    """An entry that took the money of a receipt back."""
    page = line_page(reader(), actor(), line_id, None)
    words = request.args.get("q", "").strip()[:120]
    form = return_form(reader(), page, words)
    if form.validate_on_submit():
        command = ReturnByLine(
            line=line_id, receipt=int(form.receipt.data or 0), reason=str(form.reason.data),
            fee_minor=minor_of(form.fee.data, page.suggestion.line.currency, "fee") if form.fee.data else 0,
        )  # fmt: skip
        with form_step(form, realm=page.entity.realm) as work:
            return_by_lines(work, [command])
        if form.accepted:
            flash("The payment has gone back. What it had paid is open again.", "success")
            return redirect(url_for("billing.show_desk", entity=page.entity.id))
    return _small(
        page.entity,
        form,
        title="A payment went back",
        label="Book the return",
        note=page.suggestion.line.text,
        search=words,
    ), form.status


@blueprint.post("/cash/lines/<int:line_id>/fee")
@require(Permission.RECEIPT_APPLY)
def book_fee(line_id: int) -> Any:
    page = line_page(reader(), actor(), line_id, None)
    return take_step(
        lambda work: book_fees(work, [line_id]), realm=page.entity.realm, done="The fee is booked.",
        to=url_for("billing.show_desk", entity=page.entity.id), again=lambda why: _line(page, assign_form(page, reasons(reader())), why),
    )  # fmt: skip


@blueprint.route("/cash/statements/new", methods=["GET", "POST"])
@require(Permission.BANK_IMPORT)
def take_statement() -> Any:
    entity, form = entity_here(reader(), actor(), asked_key("entity")), StatementForm()
    accounts = accounts_of(reader(), [entity.id])
    form.account.choices = choices((one.id, f"{one.number} {one.name}") for one in accounts)
    if form.validate_on_submit():
        taken = []
        with form_step(form, realm=entity.realm) as work:
            taken = _take(work, form, next(one for one in accounts if one.id == form.account.data))
        if form.accepted:
            said = worst_of(taken)
            flash(became(taken), "warning" if said.fault else "success")
            return redirect(url_for("billing.show_statement_of_bank", statement_id=said.id))
    return render_template(
        "billing/statement_new.html", form=form, entity=entity, accounts=accounts, realm=entity.realm
    ), form.status


def became(taken: list[Taken]) -> str:
    """What is said of the statements of a file: nothing moved, all did, or some."""
    good = [one for one in taken if not one.fault]
    new, known = sum(one.new for one in good), sum(one.repeated for one in good)
    accepted = f"Accepted: {new} new {'entry' if new == 1 else 'entries'}, {known} known from before."
    if moved := sum(one.moved for one in good):
        accepted += f" The books of the day are closed for {moved} of them: posted on the first open day."
    if len(good) == len(taken):
        return accepted
    fault = worst_of(taken).fault
    if not good:
        return f"Refused, and nothing moved: {fault}."
    return f"{len(taken) - len(good)} of {len(taken)} statements refused: {fault}. {accepted}"


def _take(work: UnitOfWork, form: StatementForm, row: Any) -> list[Taken]:
    content, mapping = form.file.data.read(), None if row.mapping is None else Mapping(**orjson.loads(row.mapping))
    facts = BankAccountFacts(row.id, row.entity_id, row.number, row.name, row.currency, row.mapping, row.version)
    sums = [
        None if field.data is None else minor_of(field.data, row.currency, field.name)
        for field in (form.opening, form.closing)
    ]
    found = read_bank_file(content, facts, mapping, opening_minor=sums[0], closing_minor=sums[1])
    return take_statements(work, row.id, found, file_name=str(form.file.data.filename), digest=digest_of(content))


@blueprint.get("/cash/statements/<int:statement_id>")
@require(Permission.RECEIPT_TAKE)
def show_statement_of_bank(statement_id: int) -> str:
    at = asked_page()
    page = statement_page(reader(), actor(), statement_id, at)
    return render_template("billing/statement.html", page=page, row=page.statement, at=at, realm=page.entity.realm)


@blueprint.get("/cash/statements/<int:statement_id>.csv")
@require(Permission.RECEIPT_TAKE)
def export_statement_of_bank(statement_id: int) -> Any:
    """All lines of the statement, however many."""
    page = statement_page(reader(), actor(), statement_id, None)
    heads = (
        "line",
        "state",
        "booked_on",
        "posted_on",
        "amount",
        "currency",
        "payer",
        "account",
        "reference",
        "text",
        "outcome",
        "fault",
    )
    rows = (
        (
            one.line_no, one.state, one.booked_on, page.posted_on.get(one.id, one.booked_on if one.state in ("open", "assigned") else None),
            None if one.amount_minor is None else from_minor(one.amount_minor, page.account.currency), page.account.currency,
            one.payer_name, one.payer_account, one.bank_ref, one.text, one.outcome, one.fault,
        )
        for one in page.lines
    )  # fmt: skip
    return csv_file(f"statement-{page.statement.reference}", heads, rows)


@blueprint.route("/cash/accounts/new", methods=["GET", "POST"])
@require(Permission.BANK_ACCOUNT)
def add_account() -> Any:
    form, entities = BankAccountForm(), entities_seen(reader(), actor())
    form.entity.choices = choices((one.id, one.label) for one in entities)
    if not form.is_submitted():
        form.entity.data = asked_key("entity") or (entities[0].id if entities else None)
    if form.validate_on_submit():
        entity = next(one for one in entities if one.id == form.entity.data)
        with form_step(form, realm=entity.realm) as work:
            form.once(
                work,
                lambda: add_bank_account(work, entity.id, number=form.number.data or "", name=form.name.data or ""),
            )
        if form.accepted:
            flash("The account is there. Its statements may be handed in.", "success")
            return redirect(url_for("billing.take_statement", entity=entity.id))
    first = entity_here(reader(), actor(), None)
    return _small(
        first,
        form,
        title="A bank account",
        label="Add the account",
        note="Statements are taken for an account that is known.",
    ), form.status


@blueprint.route("/cash/accounts/<int:account_id>/mapping", methods=["GET", "POST"])
@require(Permission.BANK_ACCOUNT)
def map_account(account_id: int) -> Any:
    seen = {one.id: one for one in entities_seen(reader(), actor())}
    row = next((one for one in accounts_of(reader(), seen) if one.id == account_id), None)
    if row is None:
        raise NotFound("bank_account_unknown", id=account_id)
    form = MappingForm(data=orjson.loads(row.mapping) if row.mapping else None)
    form.day_form.choices = choices((one, one) for one in DAYS)
    if form.validate_on_submit():
        mapping = form.mapping()
        with form_step(form, realm=seen[row.entity_id].realm) as work:
            mapping.check()
            map_bank_account(work, account_id, orjson.dumps(asdict(mapping), option=orjson.OPT_SORT_KEYS).decode())
        if form.accepted:
            flash("Tables of this account are read so from now on.", "success")
            return redirect(url_for("billing.take_statement", entity=row.entity_id))
    note = "The headings of the columns, as the bank writes them. Those for name, account and reference may be empty."
    return _small(
        seen[row.entity_id], form, title=f"How tables of {row.name} are read", label="Read them so", note=note
    ), form.status


def _small(entity: EntityPick, form: Any, **words: Any) -> str:
    trail = [("Billing", url_for("billing.show_all")), ("Cash desk", url_for("billing.show_desk", entity=entity.id))]
    return render_template(
        "billing/small_form.html",
        form=form,
        trail=trail,
        of=entity.label,
        unit=entity.currency,
        realm=entity.realm,
        **words,
    )

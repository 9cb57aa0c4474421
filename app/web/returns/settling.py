"""By what does the claim on a supplier end? Its credit notes, a difference that somebody answers for, and taking one back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import flash, redirect, render_template, url_for
from wtforms import DateField, HiddenField, StringField
from wtforms.validators import DataRequired, InputRequired, Length

from app.composition.request import now, reader
from app.queries.sending_back import SupplierReturnPage, supplier_return_page
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.fields import ExactField
from app.web.figures import heading, money
from app.web.forms import Form
from app.web.once import KeyedForm
from app.web.returns.views import blueprint
from app.web.steps import form_step
from erpcore.fulfilment.sending_back.settling import (
    AcceptDifference,
    TakeBackSettlement,
    TakeCredit,
    accept_difference,
    take_back_settlement,
    take_credit,
)
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import NotFound
from erpcore.kernel.work import UnitOfWork


class CreditForm(KeyedForm):
    """The supplier's credit note as it stands on its paper."""

    paper = StringField(
        "Number of the credit note", [DataRequired("Enter the number of the credit note"), Length(max=120)]
    )
    paper_on = DateField("Its day", [InputRequired("Enter the day of the credit note")])
    amount = ExactField("Amount without tax", [InputRequired("Enter what it credits without tax")], places=3)


class DifferenceForm(Form):
    """Why nobody asks for the rest; ``seen``: what was open when the page was shown."""

    reason = StringField("Reason", [DataRequired("Say why"), Length(max=500)])
    seen = HiddenField()


class TakeBackForm(Form):
    """Why an entry is taken back."""

    reason = StringField("Reason", [DataRequired("Say why"), Length(max=500)])


@blueprint.route("/supplier-returns/<int:document_id>/credit", methods=["GET", "POST"])
@require(Permission.SUPPLIER_CREDIT_TAKE)
def enter_supplier_credit(document_id: int) -> Any:
    page, form = supplier_return_page(reader(), actor(), document_id), CreditForm()
    row = page.row
    if not form.is_submitted():
        form.paper_on.data = local_day(now(), row.time_zone)

    def act(work: UnitOfWork) -> None:
        paper_on: Any = form.paper_on.data
        command = TakeCredit(document=row.id, paper=str(form.paper.data), amount=form.amount.data, paper_on=paper_on)
        form.once(work, lambda: take_credit(work, command).id)

    note = f"{money(row.open_minor, row.currency)} are open with {row.supplier}. What it credits more or less stays open until somebody accepts it."
    return _step(page, form, act, title="Enter a credit note", note=note, done="The credit note is entered.")


@blueprint.route("/supplier-returns/<int:document_id>/difference", methods=["GET", "POST"])
@require(Permission.DIFFERENCE_ACCEPT)
def accept_supplier_difference(document_id: int) -> Any:
    page, form = supplier_return_page(reader(), actor(), document_id), DifferenceForm()
    row = page.row
    if not form.is_submitted():
        form.seen.data = str(row.open_minor)

    def act(work: UnitOfWork) -> None:
        seen = str(form.seen.data or "")
        opened = int(seen) if seen.removeprefix("-").isdecimal() else row.open_minor
        # Where something else is open now, the page says it again, and what it says is what is agreed to next.
        form.seen.data = str(row.open_minor)
        accept_difference(work, AcceptDifference(document=row.id, reason=str(form.reason.data), seen=opened))

    open_now = money(abs(row.open_minor), row.currency)
    said = (
        f"{open_now} are given up"
        if row.open_minor >= 0
        else f"{open_now} were credited beyond what was expected and are kept"
    )
    note = (
        f"{said}: an adjustment of stock of today. Who sent the goods or entered their credit note does not accept it."
    )
    return _step(page, form, act, title="Accept the difference", note=note, done="The difference is accepted.")


@blueprint.route("/supplier-returns/<int:document_id>/settlements/<int:entry_id>/take-back", methods=["GET", "POST"])
@require(Permission.SUPPLIER_CREDIT_TAKE)
def take_supplier_settlement_back(document_id: int, entry_id: int) -> Any:
    page, form = supplier_return_page(reader(), actor(), document_id), TakeBackForm()
    entry = next((one for one in page.settled if one.id == entry_id), None)
    if entry is None:
        raise NotFound("settlement_unknown", document=page.row.number)

    def act(work: UnitOfWork) -> None:
        command = TakeBackSettlement(document=document_id, entry=entry_id, reason=str(form.reason.data))
        take_back_settlement(work, command)

    what = f"Credit note {entry.paper}" if entry.paper else heading(entry.kind)
    note = f"{what} of {money(entry.amount_minor, page.row.currency)} stays to be read, and what it posted is turned."
    return _step(
        page, form, act, title="Take back", note=note, done="It is taken back, and the claim is as open as before it."
    )


def _step(
    page: SupplierReturnPage, form: Any, act: Callable[[UnitOfWork], None], *, title: str, note: str, done: str
) -> Any:
    """A form of the document, and what it does."""
    row, here = page.row, url_for("returns.show_one_sent_back", document_id=page.row.id)
    if form.validate_on_submit():
        with form_step(form, realm=row.realm) as work:
            act(work)
        if form.accepted:
            flash(done, "success")
            return redirect(here)
    html = render_template(
        "billing/small_form.html", form=form, trail=[("Sent back to suppliers", url_for("returns.show_sent_back")), (row.number, here)],
        of=f"{row.number} · {row.supplier}", unit=row.currency, realm=row.realm, title=title, label=title, note=note,
    )  # fmt: skip
    return html, form.status

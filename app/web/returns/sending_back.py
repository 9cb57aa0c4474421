"""Goods that go back to their supplier: what waits, sending it, and the document with its paper."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, url_for
from wtforms import SelectField, StringField
from wtforms.validators import Length

from app.composition.request import reader
from app.composition.trading import cells, rules
from app.queries.companies import address_at
from app.queries.places import sites_seen
from app.queries.sending_back import SUPPLIER_RETURNS, WaitingLine, supplier_return_page, waiting_lines, waiting_sites
from app.reports.sending_back import supplier_return_paper
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import asked_key
from app.web.fields import ChecksField
from app.web.figures import quantity
from app.web.forms import choices
from app.web.lists.listing import Cell, Empty, Listing, column, flag, key_filter, money, site_filter, text_filter
from app.web.lists.page import list_page
from app.web.once import KeyedForm
from app.web.papers import paper_file
from app.web.returns.views import blueprint
from app.web.steps import form_step
from erpcore.fulfilment.sending_back.services import SendBack, send_back
from erpcore.kernel.work import UnitOfWork


class SendBackForm(KeyedForm):
    """Which goods leave, and to whom."""

    supplier = SelectField("Supplier", coerce=int)
    lines = ChecksField("What leaves", coerce=int)
    note = StringField("Note", [Length(max=500)], description="It stands on the paper")


SUPPLIER_RETURN_LIST = list_page(
    blueprint,
    Listing(
        name="supplier-returns", endpoint="returns.show_sent_back", path="/supplier-returns", permission=Permission.PURCHASE_READ,
        title="Sent back to suppliers", lead="Returned goods that left for their supplier, and what it owes for them",
        unit="documents", source=SUPPLIER_RETURNS, sort="-sent", template="returns/sent_back.html",
        empty=Empty(
            title="Nothing was sent back", text="Goods are set apart for their supplier when a return is inspected; then they leave from here.",
            sign="again",
        ),
        filters=(
            flag("open", "Open"), text_filter("Number or supplier"), site_filter(), key_filter("supplier", "Supplier", lambda value: f"supplier {value}"),
        ),
        columns=(
            column("number", "Document", cell=lambda row: Cell(row.number, href=url_for("returns.show_one_sent_back", document_id=row.id))),
            column("supplier", "Supplier"),
            column("site", "Site"),
            column("sent", "Sent", "sent_at"),
            money("value", "Worth in stock", "value_minor"),
            money("expected", "Expected", "expected_minor"),
            money("open", "Open", "open_minor"),
            column("currency", "Currency", file_only=True),
        ),
    ),
)  # fmt: skip


@blueprint.get("/supplier-returns/<int:document_id>")
@require(Permission.PURCHASE_READ)
def show_one_sent_back(document_id: int) -> str:
    page = supplier_return_page(reader(), actor(), document_id)
    return render_template("returns/one_sent_back.html", page=page, row=page.row, realm=page.row.realm)


@blueprint.get("/supplier-returns/<int:document_id>/paper.pdf")
@require(Permission.PURCHASE_READ)
def print_sent_back(document_id: int) -> Any:
    page = supplier_return_page(reader(), actor(), document_id)
    home = address_at(reader(), page.row.entity_id, page.row.sent_at)
    return paper_file(
        lambda: supplier_return_paper(page, home), back=url_for("returns.show_one_sent_back", document_id=document_id)
    )


@blueprint.route("/supplier-returns/new", methods=["GET", "POST"])
@require(Permission.GOODS_SEND_BACK)
def send_to_supplier() -> Any:
    """What waits at one site, the one of the oldest goods unless the address names another."""
    waiting = waiting_sites(reader(), actor())
    key = asked_key("site") or next(iter(waiting), None)
    site = next((one for one in sites_seen(reader(), actor()) if one.id == key), None)
    here = [] if site is None else waiting_lines(reader(), actor(), site.id)
    form = SendBackForm()
    form.lines.choices = choices((one.id, _said(one)) for one in here)
    form.supplier.choices = choices(dict(seller for one in here for seller in one.suppliers).items())
    if site is not None and form.validate_on_submit():
        made = 0
        with form_step(form, realm=site.realm) as work:
            made = form.once(work, lambda: _send(work, form, site.id))
        if form.accepted:
            flash("The goods have left. Lay the paper into the parcel.", "success")
            return redirect(url_for("returns.show_one_sent_back", document_id=made))
    others = [(one, name) for one, name in waiting.items() if site is None or one != site.id]
    page = render_template(
        "returns/send_back.html", form=form, here=here, site=site, others=others, realm=site.realm if site else "live"
    )
    return page, form.status


def _said(line: WaitingLine) -> str:
    sellers = ", ".join(one.name for one in line.suppliers) or "no supplier sells it"
    return f"{line.code} {line.name} · {quantity(line.quantity, line.unit)} · {line.return_number} · {sellers}"


def _send(work: UnitOfWork, form: Any, site: int) -> int:
    command = SendBack(site=site, supplier=form.supplier.data, lines=form.lines.data or [], note=form.note.data or None)
    return send_back(work, command, rules=rules(), cells=cells()).id

"""One item on one page, and receiving, adjusting, counting."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, url_for
from wtforms import BooleanField, SelectField, StringField
from wtforms.validators import DataRequired, InputRequired, Length

from app.composition.core_approvals import BY_RULES
from app.composition.request import reader
from app.composition.trading import cells, rules
from app.queries.scarcity import waiters
from app.queries.stock import StockPlace, stock_move, stock_page, stock_place
from app.queries.warehouse import bin_rows, expected_rows
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import area, asked_key
from app.web.fields import QuantityField
from app.web.forms import Form, choices
from app.web.items.presenters import item_address, move_address
from app.web.navigation import Entry, Group, navigation_entry
from app.web.once import KeyedForm
from app.web.steps import form_step
from erpcore.inventory.adjusting import BY_HAND, Adjust, AdjustmentReason, CountStock, count_stock
from erpcore.inventory.adjusting import adjust as adjust_book
from erpcore.inventory.stock import (
    ChangeStock,
    receive_stock,
    reverse_adjustment,
)
from erpcore.kernel.work import UnitOfWork

blueprint = area("stock")
navigation_entry(
    Entry(label="Stock", endpoint="stock.show_all", permission=Permission.STOCK_READ, group=Group.WAREHOUSE, order=20)
)


class ChangeForm(KeyedForm):
    """So much more, or less, and why."""

    quantity = QuantityField("Quantity", [InputRequired("Enter how many")])
    note = StringField("Reason", [DataRequired("Say why"), Length(max=200)])


class AdjustForm(ChangeForm):
    """So much more, or less, by a reason that others can count."""

    quantity = QuantityField("Quantity", [InputRequired("Enter how many")], render_kw={"data-signed": ""})
    reason = SelectField(
        "Kind",
        validate_choice=False,
        default=AdjustmentReason.OTHER,
        choices=choices((one.value, one.value.replace("_", " ")) for one in BY_HAND),
    )


class CountForm(KeyedForm):
    """What was found, without looking at the book."""

    quantity = QuantityField("Found", [InputRequired("Enter what was found, 0 when there is nothing")])
    planned = BooleanField("It was planned", default=True)


@blueprint.get("/stock/<int:site_id>/<int:item_id>")
@require(Permission.STOCK_READ)
def show(site_id: int, item_id: int) -> str:
    page = stock_page(reader(), actor(), site_id, item_id, before=asked_key("before"))
    places = bin_rows(reader(), actor(), site=site_id, item=item_id)
    coming = expected_rows(reader(), actor(), site=site_id, item=item_id)
    return render_template(
        "stock/show.html", page=page, here=page.place, row=page.place.row, realm=page.place.realm, places=places, coming=coming,
        move_address=move_address, item_address=item_address, waiters=waiters(reader(), item_id, [site_id]),
    )  # fmt: skip


def _form(page: StockPlace, form: Form, *, title: str, label: str, hint: str) -> Any:
    if "quantity" in form:
        form.quantity.counted_in(page.places)
    html = render_template(
        "stock/change.html", page=page, row=page.row, form=form, title=title, label=label, hint=hint, realm=page.realm
    )
    return html, form.status


def _back(page: StockPlace, said: str) -> Any:
    flash(said, "success")
    return redirect(url_for("stock.show", site_id=page.row.site_id, item_id=page.row.item_id))


def _change(form: Any, page: StockPlace) -> ChangeStock:
    return ChangeStock(
        site=page.row.site_id, item=page.row.item_id, quantity=form.quantity.data, note=str(form.note.data)
    )


@blueprint.route("/stock/<int:site_id>/<int:item_id>/receive", methods=["GET", "POST"])
@require(Permission.STOCK_RECEIVE)
def receive(site_id: int, item_id: int) -> Any:
    page, form = stock_place(reader(), actor(), site_id, item_id), ChangeForm()
    form.note.label.text = "From whom, with which paper"
    if form.validate_on_submit():
        if form.quantity.data <= 0:
            form.quantity.errors, form.status = ["Enter how many came; less is an adjustment."], 422
        else:
            with form_step(form, realm=page.realm) as work:
                form.once(work, lambda: receive_stock(work, [_change(form, page)], rules=rules(), cells=cells())[0].id)
        if form.accepted:
            return _back(page, "The goods are in stock.")
    return _form(
        page, form, title="Receive", label="Receive the goods", hint="Put away from a supplier, not invoiced yet"
    )


@blueprint.route("/stock/<int:site_id>/<int:item_id>/adjust", methods=["GET", "POST"])
@require(Permission.STOCK_ADJUST)
def adjust(site_id: int, item_id: int) -> Any:
    page, form = stock_place(reader(), actor(), site_id, item_id), AdjustForm()
    if form.validate_on_submit():
        command = Adjust(
            site=page.row.site_id, item=page.row.item_id, quantity=form.quantity.data, reason=str(form.reason.data or AdjustmentReason.OTHER),
            note=str(form.note.data),
        )  # fmt: skip
        with form_step(form, realm=page.realm) as work:
            waits = form.once(
                work,
                lambda: int(adjust_book(work, [command], rules=rules(), cells=cells(), authority=BY_RULES)[0].waits),
            )
        if form.accepted:
            said = "It is worth more than this site's limit: somebody else approves it first."
            return _back(page, said if waits else "The book is corrected.")
    return _form(
        page, form, title="Adjust", label="Adjust the stock", hint="How many more, with a minus how many fewer"
    )


#: What a count came to, kept with its form so that sending it again says the same.
_RIGHT, _CORRECTED, _WAITS = 0, 1, 2


def _count(work: UnitOfWork, command: CountStock) -> int:
    (difference,) = count_stock(work, [command], rules=rules(), cells=cells(), authority=BY_RULES)
    if difference.adjustment is not None:
        return _WAITS
    return _CORRECTED if difference.quantity else _RIGHT


@blueprint.route("/stock/<int:site_id>/<int:item_id>/count", methods=["GET", "POST"])
@require(Permission.STOCK_COUNT)
def count(site_id: int, item_id: int) -> Any:
    page, form = stock_place(reader(), actor(), site_id, item_id), CountForm()
    if form.validate_on_submit():
        found = form.quantity.data
        if found < 0:
            form.quantity.errors, form.status = ["Nothing below zero can be found."], 422
        else:
            command = CountStock(site=site_id, item=item_id, counted=found, planned=bool(form.planned.data))
            with form_step(form, realm=page.realm) as work:
                found_so = form.once(work, lambda: _count(work, command))
        if form.accepted:
            if found_so == _WAITS:
                return _back(page, "The difference is worth more than this site's limit: somebody else decides on it.")
            said = "The book was adjusted to what was found." if found_so == _CORRECTED else "The book was right."
            return _back(page, said)
    return _form(
        page, form, title="Count", label="Record the count", hint="What lies there; the book is not shown here"
    )


class UndoForm(Form):
    """Taking a mistaken adjustment back."""

    reason = StringField("Reason", [DataRequired("Say why"), Length(max=200)])


@blueprint.route("/stock/<int:site_id>/<int:item_id>/moves/<int:move_id>/reverse", methods=["GET", "POST"])
@require(Permission.STOCK_ADJUST)
def reverse(site_id: int, item_id: int, move_id: int) -> Any:
    page, form = stock_place(reader(), actor(), site_id, item_id), UndoForm()
    stock_move(reader(), site_id, item_id, move_id)
    if form.validate_on_submit():
        with form_step(form, realm=page.realm) as work:
            reverse_adjustment(work, move_id, str(form.reason.data), rules=rules(), cells=cells())
        if form.accepted:
            return _back(page, "The adjustment is taken back by its counter-move.")
    return _form(page, form, title="Take an adjustment back", label="Take it back", hint="")

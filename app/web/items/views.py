"""One item on one page, its packs, its tracking, and what is expected of it."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request

from app.composition.request import now, reader
from app.composition.trading import cells, rules
from app.queries.items import ItemPage, find_item, item_page
from app.queries.scarcity import waiters
from app.queries.warehouse import expected_rows
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import area, asked_key
from app.web.chosen import usual_realm
from app.web.items.forms import ExpectedForm, KeepForm, PackForm
from app.web.items.presenters import item_address, move_address
from app.web.navigation import Entry, Group, navigation_entry
from app.web.steps import form_step
from erpcore.inventory.places import KeepItem, keep_item
from erpcore.inventory.receiving import ChangeExpected, change_expected
from erpcore.kernel.errors import NotFound
from erpcore.masterdata.units import AddPack, add_packs

blueprint = area("items")
navigation_entry(
    Entry(label="Items", endpoint="items.show_all", permission=Permission.STOCK_READ, group=Group.WAREHOUSE, order=19)
)


@blueprint.get("/stock/items/<path:code>")
@require(Permission.STOCK_READ)
def show(code: str) -> str:
    wanted = request.args.get("realm", "") or usual_realm()
    key = find_item(reader(), actor(), code, realm=wanted, company=asked_key("company"))
    page = item_page(reader(), actor(), key)
    return render_template(
        "items/show.html", page=page, realm=page.realm, at=now(), move_address=move_address, item_address=item_address,
        waiters=waiters(reader(), key, [row.site_id for row in page.sites]),
    )  # fmt: skip


def _page(item_id: int) -> ItemPage:
    return item_page(reader(), actor(), item_id)


def _form(form: Any, page: ItemPage, *, title: str, label: str, note: str = "", optional: tuple[str, ...] = ()) -> Any:
    html = render_template(
        "items/form.html", form=form, page=page, title=title, label=label, note=note, optional=optional, realm=page.realm,
        back=item_address(page.code, page.entity_id),
    )  # fmt: skip
    return html, form.status


def _back(page: ItemPage, said: str) -> Any:
    flash(said, "success")
    return redirect(item_address(page.code, page.entity_id))


@blueprint.route("/stock/item/<int:item_id>/packs/new", methods=["GET", "POST"])
@require(Permission.MASTERDATA_CHANGE)
def new_pack(item_id: int) -> Any:
    page, form = _page(item_id), PackForm()
    if form.validate_on_submit():
        command = AddPack(
            item=item_id, code=str(form.code.data), name=str(form.name.data), numerator=form.numerator.data or 0,
            denominator=form.denominator.data or 0, barcode=form.barcode.data or None,
        )  # fmt: skip
        with form_step(form, realm=page.realm) as work:
            add_packs(work, [command])
        if form.accepted:
            return _back(page, f"{page.code} comes in {form.name.data} too.")
    note = f"A pack is counted in {page.unit}, exactly: nothing is ever rounded."
    return _form(form, page, title="New pack", label="Add the pack", note=note, optional=("barcode",))


@blueprint.route("/stock/item/<int:item_id>/keeping", methods=["GET", "POST"])
@require(Permission.MASTERDATA_CHANGE)
def keeping(item_id: int) -> Any:
    page, form = _page(item_id), KeepForm()
    if not form.is_submitted():
        form.tracking.data, form.order_multiple.data = page.tracking, page.order_multiple
    if form.validate_on_submit():
        command = KeepItem(item=item_id, tracking=str(form.tracking.data), order_multiple=form.order_multiple.data)
        with form_step(form, realm=page.realm) as work:
            keep_item(work, command)
        if form.accepted:
            return _back(page, f"{page.code} is kept as you said.")
    note = "Tracking changes only while none of it is in stock: nobody could say of which lot it is."
    return _form(form, page, title="How it is kept", label="Save", note=note, optional=("order_multiple",))


@blueprint.route("/stock/expected/<int:expected_id>", methods=["GET", "POST"])
@require(Permission.RECEIPT_EXPECT)
def change_coming(expected_id: int) -> Any:
    rows = expected_rows(reader(), actor(), only=expected_id)
    if not rows:
        raise NotFound("expected_unknown", id=expected_id)
    row, page, form = rows[0], _page(rows[0].item_id), ExpectedForm()
    if not form.is_submitted():
        form.expected_on.data, form.cancelled.data, form.version.data = row.expected_on, row.cancelled, str(row.version)
    if form.validate_on_submit():
        seen = str(form.version.data or "")
        command = ChangeExpected(
            expected=expected_id, expected_on=form.expected_on.data, cancelled=form.cancelled.data,
            seen_version=int(seen) if seen.isdecimal() else row.version,
        )  # fmt: skip
        with form_step(form, realm=page.realm) as work:
            change_expected(work, [command], rules=rules(), cells=cells())
        if form.accepted:
            return _back(page, f"What comes with {row.number} is changed.")
    note = f"{row.number} for {row.site}: {row.quantity.normalize():f} {row.unit} expected, {row.received.normalize():f} received."
    return _form(form, page, title=f"Change {row.number}", label="Save what comes", note=note)

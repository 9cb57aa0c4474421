"""What lies at one place, of one lot, in one status: its status changes, it moves, and the book is corrected there."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, url_for

from app.composition.core_approvals import BY_RULES
from app.composition.order_names import order_names
from app.composition.request import reader
from app.composition.trading import cells, rules
from app.queries.items import item_page
from app.queries.stock import stock_place
from app.queries.warehouse import AVAILABLE, BY_HAND, BinRow, bin_rows, location_named, lot_named
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.forms import choices
from app.web.steps import form_step
from app.web.warehouse.forms import CorrectForm, MoveForm, StatusForm
from app.web.warehouse.views import blueprint, form_page
from erpcore.inventory.adjusting import Adjust, adjust
from erpcore.inventory.shifting import ChangeStatus, MoveBin, change_status, move_bins
from erpcore.kernel.errors import NotFound


def _bin(bin_id: int) -> BinRow:
    rows = bin_rows(reader(), actor(), only=bin_id)
    if not rows:
        raise NotFound("not_found")
    return rows[0]


def _back(row: BinRow) -> str:
    if row.location_id is not None:
        return url_for("warehouse.location", location_id=row.location_id)
    return url_for("stock.show", site_id=row.site_id, item_id=row.item_id)


def _page(form: Any, row: BinRow, *, title: str, label: str, note: str = "", optional: tuple[str, ...] = ()) -> Any:
    where = f"{row.location}, {row.site}" + (f", lot {row.lot}" if row.lot else "")
    lies = f"{row.quantity.normalize():f} {row.unit} of {row.code} lie at {where}: {row.status.replace('_', ' ')}."
    return form_page(
        form, title=f"{title}: {row.code}", label=label, back=_back(row), trail=[(row.location, _back(row))], realm=row.realm,
        note=f"{lies} {note}".strip(), optional=optional, units={"quantity": row.unit},
    )  # fmt: skip


def _status_form(form: Any, source: str) -> None:
    form.target.choices = choices((one, one) for one in BY_HAND if one != source)


@blueprint.route("/warehouse/bins/<int:bin_id>/status", methods=["GET", "POST"])
@require(Permission.STOCK_STATUS)
def bin_status(bin_id: int) -> Any:
    row, form = _bin(bin_id), StatusForm()
    _status_form(form, row.status)
    is_unknown = row.lot_id is None and item_page(reader(), actor(), row.item_id).tracking != "none"
    if not is_unknown:
        del form.found_lot
    if not form.is_submitted():
        form.quantity.data = row.quantity
    if form.validate_on_submit():
        with form_step(form, realm=row.realm) as work:
            lot = lot_named(work.session, row.item_id, str(form.found_lot.data or "")) if is_unknown else None
            command = ChangeStatus(
                site=row.site_id, item=row.item_id, quantity=form.quantity.data, source=row.status,
                target=str(form.target.data), note=str(form.reason.data), location=row.location_id, lot=row.lot_id,
                found_lot=lot,
            )  # fmt: skip
            form.once(work, lambda: _change(work, command))
        if form.accepted:
            flash(f"{row.code} is {form.target.data} from now on.", "success")
            return redirect(_back(row))
    return _page(form, row, title="Change the status", label="Change the status", optional=("found_lot",))


def _change(work: Any, command: ChangeStatus) -> int:
    change_status(work, [command], rules=rules(), cells=cells(), order_names=order_names)
    return command.item


@blueprint.route("/stock/<int:site_id>/<int:item_id>/status", methods=["GET", "POST"])
@require(Permission.STOCK_STATUS)
def default_status(site_id: int, item_id: int) -> Any:
    """What lies at the default place and is available is blocked from sale."""
    page, form = stock_place(reader(), actor(), site_id, item_id), StatusForm()
    _status_form(form, AVAILABLE)
    del form.found_lot
    if form.validate_on_submit():
        command = ChangeStatus(
            site=site_id, item=item_id, quantity=form.quantity.data, source=AVAILABLE,
            target=str(form.target.data), note=str(form.reason.data),
        )  # fmt: skip
        with form_step(form, realm=page.realm) as work:
            form.once(work, lambda: _change(work, command))
        if form.accepted:
            flash(f"{page.row.code} is {form.target.data} from now on.", "success")
            return redirect(url_for("stock.show", site_id=site_id, item_id=item_id))
    back = url_for("stock.show", site_id=site_id, item_id=item_id)
    return form_page(
        form, title=f"Change the status: {page.row.code}", label="Change the status", back=back, realm=page.realm,
        trail=[("Stock", url_for("stock.show_all")), (page.row.code, back)], units={"quantity": page.row.unit},
        note=f"Of what lies at the default place of {page.row.site}. Nothing is blocked under a promise: take that back first.",
    )  # fmt: skip


@blueprint.route("/warehouse/bins/<int:bin_id>/move", methods=["GET", "POST"])
@require(Permission.STOCK_PUT_AWAY)
def bin_move(bin_id: int) -> Any:
    row, form = _bin(bin_id), MoveForm()
    if not form.is_submitted():
        form.quantity.data = row.quantity
    if form.validate_on_submit():
        with form_step(form, realm=row.realm) as work:
            where = location_named(work.session, row.site_id, str(form.location.data or ""))
            command = MoveBin(
                site=row.site_id, item=row.item_id, quantity=form.quantity.data, source=row.location_id, location=where,
                lot=row.lot_id, status=row.status,
            )  # fmt: skip

            def make() -> int:
                move_bins(work, [command], rules=rules(), cells=cells(), order_names=order_names)
                return bin_id

            form.once(work, make)
        if form.accepted:
            flash(f"{row.code} lies at {form.location.data or 'the default place'}.", "success")
            return redirect(_back(row))
    return _page(form, row, title="Move", label="Move the goods", optional=("location",))


@blueprint.route("/warehouse/bins/<int:bin_id>/adjust", methods=["GET", "POST"])
@require(Permission.STOCK_ADJUST)
def bin_adjust(bin_id: int) -> Any:
    row, form = _bin(bin_id), CorrectForm()
    if form.validate_on_submit():
        command = Adjust(
            site=row.site_id, item=row.item_id, quantity=form.quantity.data, reason=str(form.reason.data),
            note=str(form.note.data), location=row.location_id, lot=row.lot_id, status=row.status,
        )  # fmt: skip
        waits = False
        with form_step(form, realm=row.realm) as work:

            def make() -> int:
                nonlocal waits
                (done,) = adjust(work, [command], rules=rules(), cells=cells(), authority=BY_RULES)
                waits = done.waits
                return done.id

            form.once(work, make)
        if form.accepted:
            said = "It is worth more than this site's limit: somebody else approves it first."
            flash(said if waits else "The book is corrected.", "success")
            return redirect(_back(row))
    return _page(form, row, title="Adjust", label="Adjust the stock")

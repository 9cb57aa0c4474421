"""Receiving against what is expected, putting away, counting blind, and deciding on what others counted or asked for."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from flask import flash, redirect, render_template, request, url_for

from app.composition.core_approvals import ADJUSTMENT, decide_on_adjustment, waiting_request
from app.composition.order_names import order_names
from app.composition.request import reader
from app.composition.trading import cells, rules
from app.queries.counts import CountRow, count_rows, tells_worth
from app.queries.goods_receipts import waiting_at
from app.queries.warehouse import (
    AdjustmentRow,
    ExpectedRow,
    bin_rows,
    expected_rows,
    location_named,
    proposed_adjustments,
)
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import area
from app.web.inbound.forms import FoundForm, PutAwayForm, ReceiveForm, VerdictForm
from app.web.navigation import Entry, Group, navigation_entry
from app.web.steps import form_step, take_step
from erpcore.inventory.counting import decide_count, record_count, start_count
from erpcore.inventory.receiving import ReceivedLine, ReceiveGoods
from erpcore.inventory.shifting import PutAway, put_away
from erpcore.inventory.transfers import ArrivedLine, ReceiveTransfer, receive_transfer
from erpcore.kernel.errors import NotFound
from erpcore.kernel.work import UnitOfWork
from erpcore.purchasing.receiving import receive_purchased

_APART = "Its last day is over: it lies in quarantine and is promised to nobody."
blueprint = area("inbound")
navigation_entry(
    Entry(label="Receive", endpoint="inbound.receive_list", permission=Permission.STOCK_RECEIVE, group=Group.WAREHOUSE, order=22)
)  # fmt: skip


def _scanned() -> str:
    return request.args.get("scan", "").strip()[:120]


def _list(tab: str, rows: list[dict[str, Any]], *, hint: str, nothing: str) -> Any:
    """A list to work off: scanned to one row, that row's next step opens at once."""
    text = _scanned()
    if text and len(rows) == 1:
        return redirect(rows[0]["href"])
    return render_template("inbound/list.html", tab=tab, rows=rows, scan=text, hint=hint, nothing=nothing)


@blueprint.get("/receive")
@require(Permission.STOCK_RECEIVE)
def receive_list() -> Any:
    rows = [
        {
            "title": row.code, "sub": f"{row.name} · {row.site}", "figure": row.open, "unit": row.unit, "on": row.expected_on,
            "note": f"{row.number} · {row.supplier}" if row.supplier else row.number,
            "href": url_for("inbound.receive", expected_id=row.id),
        }
        for row in expected_rows(reader(), actor(), text=_scanned())
    ]  # fmt: skip
    return _list("receive", rows, hint="Order number or item", nothing="Nothing is expected here.")


def _one_expected(expected_id: int) -> ExpectedRow:
    rows = expected_rows(reader(), actor(), only=expected_id)
    if not rows:
        raise NotFound("expected_unknown", id=expected_id)
    return rows[0]


@blueprint.route("/receive/<int:expected_id>", methods=["GET", "POST"])
@require(Permission.STOCK_RECEIVE)
def receive(expected_id: int) -> Any:
    row, form = _one_expected(expected_id), ReceiveForm()
    _fit(form, row)
    if form.validate_on_submit():
        apart: list[bool] = []
        with form_step(form, realm=row.realm) as work:
            form.once(work, lambda: _receive(work, row, form, apart))
        if form.accepted:
            if any(apart):
                flash(f"{row.code} is received. {_APART}", "warning")
            else:
                flash(f"{row.code} is received.", "success")
            return redirect(url_for("inbound.receive_list"))
    page = render_template("inbound/receive.html", row=row, form=form, realm=row.realm)
    return page, form.status


def _fit(form: ReceiveForm, row: ExpectedRow) -> None:
    """Only the fields that this item and paper need."""
    for typed in (form.quantity, form.damaged):
        typed.counted_in(row.places)
    if row.transfer is not None:
        del form.paper, form.last
    if row.tracking != "lot" or row.transfer is not None:
        del form.lot
    if row.tracking != "serial" or row.transfer is not None:
        del form.serials
    if row.tracking == "none" or row.transfer is not None:
        del form.expires_on


def _receive(work: UnitOfWork, row: ExpectedRow, form: Any, apart: list[bool]) -> int:
    damaged = form.damaged.data or Decimal(0)
    if row.transfer is not None:
        line = ArrivedLine(line=row.line or 0, quantity=form.quantity.data, damaged=damaged)
        command = ReceiveTransfer(transfer=row.transfer, lines=[line])
        arrived = receive_transfer(work, command, rules=rules(), cells=cells(), order_names=order_names)
        apart.append(arrived.set_apart)
        return row.transfer
    expires: date | None = form.expires_on.data if "expires_on" in form else None
    came = ReceivedLine(
        item=row.item_id, quantity=form.quantity.data, expected=row.id, damaged=damaged, expires_on=expires,
        lot=str(form.lot.data or "") if "lot" in form else None,
        serials=str(form.serials.data or "").split() if "serials" in form else (), last=bool(form.last.data),
    )  # fmt: skip
    goods = ReceiveGoods(site=row.site_id, paper=str(form.paper.data), lines=[came])
    received = receive_purchased(work, goods, rules=rules(), cells=cells())
    apart.append(received.set_apart)
    return received.id


@blueprint.get("/put-away")
@require(Permission.STOCK_PUT_AWAY)
def put_away_list() -> Any:
    rows = [
        {
            "title": row.code, "sub": f"{row.name} · {row.site}", "figure": row.quantity, "unit": row.unit, "on": None,
            "note": f"at {row.location}" + (f" · lot {row.lot}" if row.lot else ""),
            "href": url_for("inbound.put_goods_away", bin_id=row.id),
        }
        for row in bin_rows(reader(), actor(), status="received", text=_scanned())
    ]  # fmt: skip
    return _list("put-away", rows, hint="Item, lot or location", nothing="Nothing waits to be put away.")


@blueprint.route("/put-away/<int:bin_id>", methods=["GET", "POST"])
@require(Permission.STOCK_PUT_AWAY)
def put_goods_away(bin_id: int) -> Any:
    rows = bin_rows(reader(), actor(), status="received", only=bin_id)
    if not rows:
        raise NotFound("not_found")
    row, form = rows[0], PutAwayForm()
    form.quantity.counted_in(row.places)
    if request.method == "GET":
        form.quantity.data = row.quantity
    if form.validate_on_submit():
        apart = False
        with form_step(form, realm=row.realm) as work:
            where = location_named(work.session, row.site_id, str(form.location.data or ""))
            command = PutAway(
                site=row.site_id, item=row.item_id, quantity=form.quantity.data, source=row.location_id, location=where,
                lot=row.lot_id,
            )  # fmt: skip

            def make() -> int:
                nonlocal apart
                apart = put_away(work, [command], rules=rules(), cells=cells(), order_names=order_names)
                return bin_id

            form.once(work, make)
        if form.accepted:
            if apart:
                flash(f"{row.code} is put away. {_APART}", "warning")
            else:
                flash(f"{row.code} is put away and free.", "success")
            return redirect(url_for("inbound.put_away_list"))
    html = render_template(
        "inbound/put_away.html", row=row, form=form, realm=row.realm, waiting=waiting_at(reader(), bin_id)
    )
    return html, form.status


@blueprint.get("/counts")
@require(Permission.STOCK_COUNT)
def count_list() -> Any:
    rows = [
        {
            "title": row.location, "sub": f"{row.code} · {row.name} · {row.site}", "figure": None, "unit": "", "on": row.due_on,
            "note": row.state.replace("_", " ") + (f" · lot {row.lot}" if row.lot else ""),
            "href": url_for("inbound.count", task_id=row.id),
        }
        for row in count_rows(reader(), actor(), text=_scanned())
    ]  # fmt: skip
    return _list("counts", rows, hint="Location, item or lot", nothing="Nothing is to be counted.")


def _task(task_id: int) -> CountRow:
    rows = count_rows(reader(), actor(), only=task_id)
    if not rows:
        raise NotFound("count_unknown", id=task_id)
    return rows[0]


def _count_page(
    row: CountRow, *, found: FoundForm | None = None, verdict: VerdictForm | None = None, refused: str = ""
) -> str:
    form = found or FoundForm(formdata=None)
    form.found.counted_in(row.places)
    return render_template(
        "inbound/count.html", row=row, form=form, verdict=verdict or VerdictForm(formdata=None),
        refused=refused, realm=row.realm, me=actor().id, is_told_worth=tells_worth(actor()),
    )  # fmt: skip


@blueprint.route("/counts/<int:task_id>", methods=["GET", "POST"])
@require(Permission.STOCK_COUNT)
def count(task_id: int) -> Any:
    row, form = _task(task_id), FoundForm()
    if form.validate_on_submit():
        with form_step(form, realm=row.realm) as work:
            done = record_count(work, task_id, form.found.data, rules=rules(), cells=cells())
        if form.accepted:
            said = {
                "done": "Counted.",
                "recount": "Somebody else counts it again.",
                "proposed": "Somebody else decides.",
            }
            flash(said[done.state], "success")
            return redirect(url_for("inbound.count_list"))
    return _count_page(row, found=form), form.status


@blueprint.post("/counts/<int:task_id>/start")
@require(Permission.STOCK_COUNT)
def start(task_id: int) -> Any:
    row = _task(task_id)
    return take_step(
        lambda work: start_count(work, task_id, rules=rules(), cells=cells()), realm=row.realm, done="Count what lies there.",
        to=url_for("inbound.count", task_id=task_id), again=lambda why: _count_page(row, refused=why),
    )  # fmt: skip


@blueprint.post("/counts/<int:task_id>/decide")
@require(Permission.COUNT_APPROVE)
def decide(task_id: int) -> Any:
    row, form = _task(task_id), VerdictForm()
    approved = request.form.get("approved") == "yes"
    if form.validate_on_submit():
        with form_step(form, realm=row.realm) as work:
            decide_count(work, task_id, approved=approved, note=str(form.note.data), rules=rules(), cells=cells())
        if form.accepted:
            flash("The difference is booked." if approved else "It is counted once more.", "success")
            return redirect(url_for("inbound.count_list"))
    return _count_page(row, verdict=form), form.status


def _adjustment(adjustment_id: int) -> AdjustmentRow:
    rows = proposed_adjustments(reader(), actor(), only=adjustment_id)
    if not rows:
        raise NotFound("adjustment_unknown", id=adjustment_id)
    return rows[0]


@blueprint.get("/adjustments")
@require(Permission.ADJUSTMENT_APPROVE)
def adjustment_list() -> Any:
    rows = [
        {
            "title": row.code, "sub": f"{row.name} · {row.site}", "figure": row.quantity, "unit": row.unit, "on": None,
            "note": f"{row.reason.replace('_', ' ')}: {row.note}",
            "href": url_for("inbound.adjustment", adjustment_id=row.id),
        }
        for row in proposed_adjustments(reader(), actor())
    ]  # fmt: skip
    return _list("adjustments", rows, hint="", nothing="No adjustment waits for approval.")


@blueprint.route("/adjustments/<int:adjustment_id>", methods=["GET", "POST"])
@require(Permission.ADJUSTMENT_APPROVE)
def adjustment(adjustment_id: int) -> Any:
    row, form = _adjustment(adjustment_id), VerdictForm()
    approved = request.form.get("approved") == "yes"
    if form.validate_on_submit():
        done = False
        with form_step(form, realm=row.realm) as work:
            done = decide_on_adjustment(
                work, adjustment_id, approved=approved, note=str(form.note.data), rules=rules(), cells=cells()
            )
        if form.accepted:
            said = "The book is corrected." if approved else "It is rejected; the book stays."
            flash(said if done else "Your approval is kept; the rules ask for more people.", "success")
            return redirect(url_for("inbound.adjustment_list"))
    return render_template(
        "inbound/adjustment.html", row=row, form=form, realm=row.realm, me=actor().id,
        asked=waiting_request(reader(), ADJUSTMENT, adjustment_id),
    ), form.status  # fmt: skip

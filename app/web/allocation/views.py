"""The allocation workbench: what is short, who wants it, what each rule would do, and taking stock back."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for

from app.composition.order_approvals import BY_RULES, decide_on_take_back
from app.composition.request import change, now, reader
from app.composition.trading import cells, rules
from app.messages import sentence
from app.queries.allocation_preview import Preview, preview
from app.queries.claimants import PROTECTIONS, held_lines, open_wishes
from app.queries.listing import Asked
from app.queries.places import realm_of_site
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.allocation.forms import DecideForm, SimulateForm, TakeBackForm
from app.web.allocation.presenters import RULES, WHY
from app.web.areas import area, closed
from app.web.errors import status_of
from app.web.figures import quantity
from app.web.forms import choices
from app.web.navigation import Entry, Group, navigation_entry
from app.web.orders.presenters import AGREED
from app.web.steps import form_step
from erpcore.kernel.errors import DomainError, NotFound, RuleBroken
from erpcore.orders.flow import TAKE_BACK
from erpcore.orders.runs import SimulateRun, simulate_run
from erpcore.orders.takeback import TakeBack, take_back

blueprint = area("allocation")
navigation_entry(
    Entry(label="Allocation", endpoint="allocation.show_short", permission=Permission.ORDER_READ, group=Group.WAREHOUSE, order=14)
)  # fmt: skip


def _look(site_id: int, item_id: int) -> Preview:
    return preview(reader(), actor(), now(), site_id, item_id, rules=rules(), cells=cells())


@blueprint.get("/allocation/<int:site_id>/<int:item_id>")
@require(Permission.ORDER_READ)
def show_item(site_id: int, item_id: int) -> str:
    """The claims on one item with what each rule would give them now."""
    page = _look(site_id, item_id)
    at_place = Asked(values={"site": site_id, "item": item_id}, realm=page.realm)
    kept = list(PROTECTIONS.every(reader(), actor(), at_place, now()))
    return render_template(
        "allocation/item.html", page=page, realm=page.realm, rules=RULES, why=WHY, form=SimulateForm(), kept=kept,
        held=held_lines(reader(), actor(), site_id, item_id), today=now().date(),
    )  # fmt: skip


def _key(text: Any) -> int | None:
    typed = str(text or "")
    return int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 19 else None


@blueprint.post("/allocation/runs")
@require(Permission.ALLOCATION_SIMULATE)
def simulate() -> Any:
    """Simulate a run for a site or one item of it, and show it."""
    form = SimulateForm()
    site, item = _key(form.site.data) or 0, _key(form.item.data)
    realm = realm_of_site(reader(), actor(), site)
    if not form.validate_on_submit():
        flash("The page was too old. Try again.", "warning")
        return redirect(url_for("allocation.show_short"))
    try:
        with change(realm=realm) as work:
            run = form.once(
                work, lambda: simulate_run(work, SimulateRun(site=site, item=item), rules=rules(), cells=cells()).id
            )
    except RuleBroken as refusal:
        flash(sentence(refusal), "warning")
        back = url_for("allocation.show_item", site_id=site, item_id=item) if item else url_for("allocation.show_short")
        return redirect(back)
    flash("The run is simulated. Nothing is allocated until it is committed.", "success")
    return redirect(url_for("allocation.show_run", run_id=run))


@blueprint.route("/allocation/<int:site_id>/<int:item_id>/take-back", methods=["GET", "POST"])
@require(Permission.ALLOCATION_TAKE_BACK)
def take(site_id: int, item_id: int) -> Any:
    """Take allocated stock from one line for another that ranks better."""
    page, form = _look(site_id, item_id), TakeBackForm()
    held = held_lines(reader(), actor(), site_id, item_id)
    form.from_line.choices = choices(
        (str(one.line_id), f"{one.number}/{one.line_no} · {one.customer} holds {quantity(one.allocated, page.unit)}") for one in held
    )  # fmt: skip
    form.to_line.choices = choices(
        (str(one.line_id), f"{one.order}/{one.line_no} · {one.customer} waits for {quantity(one.wanted, page.unit)}")
        for one in page.rows
    )
    if request.method == "GET":
        form.from_line.data, form.to_line.data = request.args.get("from"), request.args.get("to")
    if form.validate_on_submit():
        mine = {str(one.line_id) for one in held}, {str(one.line_id) for one in page.rows}
        if form.from_line.data not in mine[0] or form.to_line.data not in mine[1]:
            form.form_errors, form.status = ["Choose a line that holds stock and one that waits for it."], 422
        else:
            command = TakeBack(
                line=int(form.from_line.data or 0), to=int(form.to_line.data or 0), quantity=int(form.quantity.data.scaleb(3)),
                reason=str(form.reason.data),
            )  # fmt: skip
            wish = 0
            with form_step(form, realm=page.realm) as work:
                wish = form.once(
                    work,
                    lambda: take_back(work, [command], rules=rules(), cells=cells(), authority=BY_RULES)[0].wish or 0,
                )
            if form.accepted:
                said = "A second person has to agree first: your wish waits on the list of short items."
                flash(said if wish else "The stock is taken back, and who lost it is promised anew.", "success")
                return redirect(url_for("allocation.show_item", site_id=site_id, item_id=item_id))
    html = render_template("allocation/take_back.html", page=page, form=form, realm=page.realm, held=held)
    return html, form.status


_DECIDED = {True: "The stock is taken back.", False: "The wish is rejected."}


@blueprint.route("/allocation/take-backs/<int:wish_id>", methods=["GET", "POST"])
@require(Permission.TAKE_BACK_APPROVE)
def decide(wish_id: int) -> Any:
    """Agree to what somebody else wants to take back, or reject it."""
    rows = open_wishes(reader(), actor(), only=wish_id)
    if not rows:
        raise NotFound("take_back_unknown", wish=wish_id)
    row, form = rows[0], DecideForm()
    shut = closed(TAKE_BACK, "agree", "proposed", actor()) or (
        "you asked for it, so somebody else decides" if row.asked_by == actor().id else ""
    )
    if form.validate_on_submit():
        agreed = request.form.get("press") == "agree"
        try:
            with change(realm=row.realm) as work:
                state = decide_on_take_back(
                    work, wish_id, agreed=agreed, note=str(form.note.data or ""), rules=rules(), cells=cells()
                ).state
        except DomainError as refusal:
            form.form_errors, form.status = [sentence(refusal)], status_of(refusal)
        else:
            flash(AGREED if state == "proposed" else _DECIDED[agreed], "success")
            return redirect(url_for("allocation.show_short"))
    return render_template("allocation/wish.html", wish=row, form=form, realm=row.realm, shut=shut), form.status

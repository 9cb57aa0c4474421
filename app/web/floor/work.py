"""What a picker holds in the hand: my tasks, and one task line by line. One big next step; the scanner is a keyboard."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for

from app.composition.request import change, now, reader
from app.composition.trading import cells, rules
from app.messages import sentence
from app.queries.floor import TaskPage, my_tasks, task_page, waiting_by_kind
from app.queries.order_rules import spare_of_line
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.errors import status_of
from app.web.floor.forms import LocationForm, PickForm, PutBackForm, ShortForm
from app.web.floor.views import blueprint, chosen_site, floor_sites
from app.web.steps import form_step, take_step
from erpcore.fulfilment.floor.picking import ConfirmPick, confirm_pick, finish_pick, put_back, start_task
from erpcore.fulfilment.floor.tasks import give_back, next_task
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.quantity import parse_quantity

#: What somebody may ask the queue for; other kinds have screens of their own.
TAKES = ("pick", "pack")


@blueprint.get("/floor")
@require(Permission.TASK_WORK)
def mine() -> Any:
    return _mine()


def _mine(refused: str = "") -> str:
    sites = floor_sites()
    site = chosen_site(sites)
    if site is None:
        return render_template("floor/nowhere.html")
    return render_template(
        "floor/mine.html", site=site, sites=sites, tasks=my_tasks(reader(), actor(), site.id, now()), refused=refused,
        waiting=waiting_by_kind(reader(), actor(), site.id, now()), at=now(), realm=site.realm, takes=TAKES,
    )  # fmt: skip


@blueprint.post("/floor/next")
@require(Permission.TASK_WORK)
def take() -> Any:
    """The most urgent task of a kind; begun at once, since whoever presses stands ready."""
    site = next((one for one in floor_sites() if one.id == request.form.get("site", type=int)), None)
    kind = request.form.get("kind", "")
    if site is None or kind not in TAKES:
        raise RuleBroken("choice_unknown", field="kind", value=kind[:12])
    with change(realm=site.realm) as work:
        found = next_task(work, site.id, kinds=[kind], device=device())
    if found is None:
        flash(f"Nothing to {kind} at {site.name} now.", "none")
        return redirect(url_for("floor.mine", site=site.id))
    return redirect(url_for("floor.task", task_id=found.id))


def device() -> str:
    """The kind of device that asks, as its browser says: enough for a supervisor to know which one lies about."""
    agent = request.user_agent.string
    known = (
        ("Zebra", "Zebra"),
        ("Honeywell", "Honeywell"),
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
    )
    return next((name for mark, name in known if mark in agent), "browser")


@blueprint.get("/floor/tasks/<int:task_id>")
@require(Permission.TASK_READ)
def task(task_id: int) -> Any:
    return _show(task_page(reader(), actor(), task_id, now()))


def _show(page: TaskPage, form: Any = None, refused: str = "", status: int = 200) -> Any:
    """The screen that a task needs next: take it, go to the shelf, take the goods, finish."""
    card = page.card
    if card.kind == "pack" and card.document_id and not refused and card.owner_id == actor().id:
        return redirect(url_for("shipments.pack", shipment_id=card.document_id))
    holds = card.owner_id == actor().id and card.state == "started"
    line = page.next_line
    at = request.values.get("scanned_location") or request.args.get("at", "")
    if form is None and holds and line is not None:
        form = LocationForm() if line.location and at.casefold() != line.location.casefold() else pick_form(page)
        if isinstance(form, PickForm):
            form.scanned_location.data = at
    if isinstance(form, PickForm) and line is not None:
        form.quantity.counted_in(line.places)
    html = render_template(
        "floor/task.html", page=page, card=card, line=line, form=form, holds=holds, refused=refused, at=now(),
        realm=page.realm, is_location=isinstance(form, LocationForm), is_mine=card.owner_id == actor().id,
        spare=spare_of_line(reader(), line.order_line) if line is not None and isinstance(form, PickForm) else 0,
    )  # fmt: skip
    return html, status


def pick_form(page: TaskPage) -> PickForm:
    """The form of the next line: all that is left of it, unless the picker says otherwise."""
    form, line = PickForm(), page.next_line
    if line is not None and not form.is_submitted():
        form.quantity.data, form.before.data = line.left, f"{line.picked:f}"
    return form


@blueprint.post("/floor/tasks/<int:task_id>/start")
@require(Permission.TASK_WORK)
def start(task_id: int) -> Any:
    page = task_page(reader(), actor(), task_id, now())
    to = url_for("floor.task", task_id=task_id)
    if page.card.kind == "pack" and page.card.document_id:
        to = url_for("shipments.pack", shipment_id=page.card.document_id)
    try:
        with change(realm=page.realm) as work:
            start_task(work, task_id, device=device())
    except RuleBroken as refusal:
        return _show(task_page(reader(), actor(), task_id, now()), refused=sentence(refusal), status=status_of(refusal))
    return redirect(to)


@blueprint.post("/floor/tasks/<int:task_id>/location")
@require(Permission.TASK_WORK)
def location(task_id: int) -> Any:
    """The shelf's label was scanned; another one is said to be another one, and nothing is kept."""
    page, form = task_page(reader(), actor(), task_id, now()), LocationForm()
    line, scanned = page.next_line, (form.scanned.data or "").strip()
    if line is None:
        return redirect(url_for("floor.task", task_id=task_id))
    if form.validate_on_submit():
        if scanned.casefold() in ("", line.location.casefold()):
            return redirect(url_for("floor.task", task_id=task_id, at=line.location))
        form.refuse(RuleBroken("scan_wrong_location", field="scanned", scanned=scanned[:60], expected=line.location))
    return _show(page, form, status=form.status)


@blueprint.post("/floor/tasks/<int:task_id>/lines/<int:line_no>")
@require(Permission.SHIPMENT_PICK)
def confirm(task_id: int, line_no: int) -> Any:
    page, form = task_page(reader(), actor(), task_id, now()), PickForm()
    if form.validate_on_submit():
        command = ConfirmPick(
            task=task_id, line=line_no, quantity=_thousandths(form.quantity.data), scanned=form.scanned.data or None,
            scanned_location=form.scanned_location.data or None, before=_before(form.before.data),
        )  # fmt: skip
        with form_step(form, realm=page.realm) as work:
            form.once(work, lambda: confirm_pick(work, command, rules=rules()).line_no)
        if form.accepted:
            return _onward(task_id)
    return _show(task_page(reader(), actor(), task_id, now()), form, status=form.status)


def _onward(task_id: int) -> Any:
    """The next line; the same shelf need not be scanned again."""
    line = task_page(reader(), actor(), task_id, now()).next_line
    there = request.form.get("scanned_location", "")
    same = line is not None and line.location and there.casefold() == line.location.casefold()
    return redirect(url_for("floor.task", task_id=task_id, at=there if same else None))


def _thousandths(quantity: Any) -> int:
    return int(quantity.scaleb(3))


def _before(text: str | None) -> int | None:
    """The thousandths that the page showed; what was tampered with shows nothing."""
    try:
        return _thousandths(parse_quantity(text or ""))
    except RuleBroken:
        return None


@blueprint.route("/floor/tasks/<int:task_id>/lines/<int:line_no>/short", methods=["GET", "POST"])
@require(Permission.SHIPMENT_PICK)
def short(task_id: int, line_no: int) -> Any:
    page, form = task_page(reader(), actor(), task_id, now()), ShortForm()
    line = next((one for one in page.lines if one.line_no == line_no), None)
    if line is None:
        raise RuleBroken("task_line_unknown", line=line_no)
    for typed in (form.quantity, form.damaged):
        typed.counted_in(line.places)
    if not form.is_submitted():
        form.before.data = f"{line.picked:f}"
    if form.validate_on_submit():
        command = ConfirmPick(
            task=task_id, line=line_no, quantity=_thousandths(form.quantity.data),
            damaged=_thousandths(form.damaged.data) if form.damaged.data else 0, short_reason=form.reason.data,
            before=_before(form.before.data),
        )  # fmt: skip
        with form_step(form, realm=page.realm) as work:
            form.once(work, lambda: confirm_pick(work, command).line_no)
        if form.accepted:
            return redirect(url_for("floor.task", task_id=task_id))
    html = render_template("floor/short.html", page=page, line=line, form=form, realm=page.realm)
    return html, form.status


@blueprint.route("/floor/tasks/<int:task_id>/lines/<int:line_no>/put-back", methods=["GET", "POST"])
@require(Permission.SHIPMENT_PICK)
def back(task_id: int, line_no: int) -> Any:
    page, form = task_page(reader(), actor(), task_id, now()), PutBackForm()
    line = next((one for one in page.lines if one.line_no == line_no), None)
    if line is None:
        raise RuleBroken("task_line_unknown", line=line_no)
    form.quantity.counted_in(line.places)
    if not form.is_submitted():
        form.quantity.data = line.extra or line.picked
    if form.validate_on_submit():
        with form_step(form, realm=page.realm) as work:
            form.once(work, lambda: put_back(work, task_id, line_no, quantity=_thousandths(form.quantity.data)).line_no)
        if form.accepted:
            return redirect(url_for("floor.task", task_id=task_id))
    html = render_template("floor/put_back.html", page=page, line=line, form=form, realm=page.realm)
    return html, form.status


@blueprint.post("/floor/tasks/<int:task_id>/finish")
@require(Permission.SHIPMENT_PICK)
def finish(task_id: int) -> Any:
    page = task_page(reader(), actor(), task_id, now())
    return take_step(
        lambda work: finish_pick(work, task_id, rules=rules(), cells=cells()), realm=page.realm,
        done="The round is finished. Bring the totes to packing.", to=url_for("floor.mine", site=page.card.site_id),
        again=lambda why: _show(task_page(reader(), actor(), task_id, now()), refused=why)[0],
    )  # fmt: skip


@blueprint.post("/floor/tasks/<int:task_id>/give-back")
@require(Permission.TASK_WORK)
def leave(task_id: int) -> Any:
    page = task_page(reader(), actor(), task_id, now())
    return take_step(
        lambda work: give_back(work, task_id), realm=page.realm,
        done="The task is back on the queue, with what you did of it.", to=url_for("floor.mine", site=page.card.site_id),
        again=lambda why: _show(task_page(reader(), actor(), task_id, now()), refused=why)[0],
    )  # fmt: skip

"""The close room: which periods are being closed, what is to be done, what keeps the books open, and the locks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from flask import flash, redirect, render_template, url_for

from app.composition.request import now, reader
from app.queries.closing_checks import ACCEPTABLE, find
from app.queries.closings import (
    ClosingPage,
    TaskRow,
    closing_of_finding,
    closing_of_task,
    closing_page,
    closings_of,
    locks_of,
)
from app.queries.places import EntityPick, entities_seen
from app.queries.processes import people_here
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import asked_key, closed
from app.web.forms import Form, choices
from app.web.ledger.closing_forms import AddTaskForm, AssignForm, DoneForm, LockForm, ReasonForm, StartForm
from app.web.ledger.periods import entity_asked
from app.web.ledger.views import blueprint
from app.web.steps import form_step, seen_version, take_step
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import NotFound
from erpcore.kernel.work import UnitOfWork
from erpcore.ledger.closing import findings, services
from erpcore.ledger.closing.flow import CLOSING
from erpcore.ledger.closing.tasks import AddTask, DoTask, add_task, assign_task, do_task, undo_task
from erpcore.ledger.kinds import JournalKind, Strength
from erpcore.ledger.periods import LockJournal


@blueprint.get("/ledger/closings")
@require(Permission.LEDGER_READ)
def show_closings() -> str:
    entity = entity_asked(asked_key("entity"))
    return render_template(
        "ledger/closings.html", entity=entity, entities=entities_seen(reader(), actor()),
        rows=closings_of(reader(), entity, now()) if entity else [], locks=locks_of(reader(), entity.id) if entity else [],
        realm=entity.realm if entity else "live",
    )  # fmt: skip


def _company(key: int | None) -> EntityPick:
    entity = entity_asked(key)
    if entity is None:
        raise NotFound("not_found")
    return entity


def _asked(form: Form, *, title: str, lead: str, button: str, back: str, trail: tuple[str, str], realm: str) -> Any:
    """A page with one form of this room."""
    html = render_template(
        "ledger/closing_form.html",
        form=form,
        title=title,
        lead=lead,
        button=button,
        back=back,
        trail=trail,
        realm=realm,
    )
    return html, form.status


def _page(closing: int) -> ClosingPage:
    return closing_page(reader(), actor(), closing, now())


def _room(closing: int) -> str:
    return url_for("ledger.show_closing", closing_id=closing)


def _of_closing(
    form: Form, page: ClosingPage, act: Callable[[UnitOfWork], Any], *, title: str, button: str, done: str, lead: str = ""
) -> Any:  # fmt: skip
    """A form that changes a closing and leads back to its room."""
    if form.validate_on_submit():
        with form_step(form, realm=page.entity.realm) as work:
            act(work)
        if form.accepted:
            flash(done, "success")
            return redirect(_room(page.row.id))
    return _asked(
        form, title=title, lead=lead or f"{page.entity.label}, closing CL-{page.row.id}", button=button, back=_room(page.row.id),
        trail=(f"CL-{page.row.id}", _room(page.row.id)), realm=page.entity.realm,
    )  # fmt: skip


@blueprint.route("/ledger/closings/new", methods=["GET", "POST"])
@require(Permission.PERIOD_CLOSE)
def start_closing() -> Any:
    entity, form, made = _company(asked_key("entity")), StartForm(), 0
    if not form.is_submitted():
        form.until.data = local_day(now(), entity.time_zone).replace(day=1)
    if form.validate_on_submit():
        with form_step(form, realm=entity.realm) as work:
            made = services.start_closing(work, entity.id, form.until.data or date.min)
        if form.accepted:
            flash("Begun. Give each task an owner; the checks look every ten minutes.", "success")
            return redirect(_room(made))
    back = url_for("ledger.show_closings", entity=entity.id)
    return _asked(
        form, title=f"Close a period of {entity.label}", lead="Nothing is locked before every task is done and every check agrees",
        button="Begin to close", back=back, trail=("Close room", back), realm=entity.realm,
    )  # fmt: skip


@blueprint.get("/ledger/closings/<int:closing_id>")
@require(Permission.LEDGER_READ)
def show_closing(closing_id: int) -> str:
    return _shown(closing_id)


def _shown(closing_id: int, refusal: str = "") -> str:
    page = _page(closing_id)
    return render_template(
        "ledger/closing.html", page=page, row=page.row, moves=_moves(page), refusal=refusal, realm=page.entity.realm,
        may_close=actor().may(Permission.PERIOD_CLOSE),
    )  # fmt: skip


def _moves(page: ClosingPage) -> list[dict[str, Any]]:
    """The moves that are ahead; one that is not open says why."""
    row, who = page.row, actor()
    here: dict[str, Any] = {"closing_id": row.id}
    ways = (
        ("soft_lock", "Lock softly", {"action": url_for("ledger.lock_softly", **here), "name": "version", "value": row.version}),
        ("lock", "Lock the books…", {"href": url_for("ledger.lock_closing", **here), "primary": True}),
        ("reopen", "Open again…", {"href": url_for("ledger.reopen_closing", **here)}),
    )  # fmt: skip
    out = []
    for move, label, where in ways:
        if not CLOSING.leads(move, row.state):
            continue
        shut = closed(CLOSING, move, row.state, who)
        out.append({"label": label, "permitted": not shut, "reason": f"{shut}." if shut else "", **where})
    return out


@blueprint.post("/ledger/closings/<int:closing_id>/look")
@require(Permission.PERIOD_CLOSE)
def look(closing_id: int) -> Any:
    """Let the checks look at once."""
    page = _page(closing_id)
    return take_step(
        lambda work: services.look(work, closing_id, find), realm=page.entity.realm, done="The checks have looked.",
        to=_room(closing_id), again=lambda refusal: _shown(closing_id, refusal),
    )  # fmt: skip


@blueprint.post("/ledger/closings/<int:closing_id>/soft-lock")
@require(Permission.PERIOD_CLOSE)
def lock_softly(closing_id: int) -> Any:
    page, seen = _page(closing_id), seen_version()
    return take_step(
        lambda work: services.soft_lock(work, closing_id, seen_version=seen), realm=page.entity.realm,
        done="Only Finance posts on these days now.", to=_room(closing_id), again=lambda refusal: _shown(closing_id, refusal),
    )  # fmt: skip


def _seen(form: ReasonForm, page: ClosingPage) -> int | None:
    """The version that the form showed."""
    if not form.is_submitted():
        form.version.data = str(page.row.version)
    return seen_version()


@blueprint.route("/ledger/closings/<int:closing_id>/lock", methods=["GET", "POST"])
@require(Permission.PERIOD_CLOSE)
def lock_closing(closing_id: int) -> Any:
    page, form = _page(closing_id), ReasonForm()
    seen = _seen(form, page)
    return _of_closing(
        form, page,
        lambda work: services.lock_books(work, closing_id, find, reason=str(form.reason.data), seen_version=seen),
        title=f"Lock the books of {page.entity.label}", button="Lock the books", done="The books are locked: nobody posts on these days.",
        lead="The checks look once more; what does not agree keeps the books open",
    )  # fmt: skip


@blueprint.route("/ledger/closings/<int:closing_id>/reopen", methods=["GET", "POST"])
@require(Permission.PERIOD_CLOSE)
def reopen_closing(closing_id: int) -> Any:
    page, form = _page(closing_id), ReasonForm()
    seen = _seen(form, page)
    return _of_closing(
        form, page, lambda work: services.reopen(work, closing_id, reason=str(form.reason.data), seen_version=seen),
        title=f"Open the books of {page.entity.label} again", button="Open again", done="These days are open again.",
    )  # fmt: skip


def _owners(form: Any) -> None:
    form.owner.choices = choices([(0, "Nobody yet"), *people_here(reader())])


@blueprint.route("/ledger/closings/<int:closing_id>/tasks/new", methods=["GET", "POST"])
@require(Permission.PERIOD_CLOSE)
def add_closing_task(closing_id: int) -> Any:
    page, form = _page(closing_id), AddTaskForm()
    _owners(form)
    if not form.is_submitted():
        form.due.data = page.row.until

    def act(work: UnitOfWork) -> None:
        add_task(
            work,
            AddTask(
                closing=closing_id,
                name=str(form.name.data),
                due_on=form.due.data or date.min,
                owner=form.owner.data or None,
            ),
        )

    return _of_closing(form, page, act, title="One more task", button="Add the task", done="The task is on the list.")


def _task(task: int) -> tuple[ClosingPage, TaskRow]:
    page = _page(closing_of_task(reader(), task))
    return page, next(one for one in page.tasks if one.id == task)


@blueprint.route("/ledger/closing-tasks/<int:task_id>/owner", methods=["GET", "POST"])
@require(Permission.PERIOD_CLOSE)
def assign_closing_task(task_id: int) -> Any:
    (page, task), form = _task(task_id), AssignForm()
    _owners(form)
    if not form.is_submitted():
        form.owner.data, form.due.data = task.owner_id or 0, task.due_on
    return _of_closing(
        form, page,
        lambda work: assign_task(work, task_id, owner=form.owner.data or None, due_on=form.due.data or date.min),
        title=task.name, button="Hand it over", done="Handed over.",
    )  # fmt: skip


@blueprint.route("/ledger/closing-tasks/<int:task_id>/done", methods=["GET", "POST"])
@require(Permission.LEDGER_READ)
def finish_closing_task(task_id: int) -> Any:
    """The service refuses who neither owns it nor closes periods."""
    (page, task), form = _task(task_id), DoneForm()

    def act(work: UnitOfWork) -> None:
        do_task(work, DoTask(task=task_id, evidence=form.evidence.data or "", journal=form.journal.data))

    return _of_closing(form, page, act, title=task.name, button="It is done", done="Done.")


@blueprint.route("/ledger/closing-tasks/<int:task_id>/undo", methods=["GET", "POST"])
@require(Permission.LEDGER_READ)
def undo_closing_task(task_id: int) -> Any:
    (page, task), form = _task(task_id), ReasonForm()
    return _of_closing(
        form, page, lambda work: undo_task(work, task_id, reason=str(form.reason.data)), title=f"Take back: {task.name}",
        button="It is not done", done="The task is open again.",
    )  # fmt: skip


@blueprint.route("/ledger/closing-findings/<int:finding_id>/accept", methods=["GET", "POST"])
@require(Permission.PERIOD_CLOSE)
def accept_finding(finding_id: int) -> Any:
    page, form = _page(closing_of_finding(reader(), finding_id)), ReasonForm()
    found = next((one.found for one in page.checks if one.finding_id == finding_id), "")
    return _of_closing(
        form, page, lambda work: findings.accept_finding(work, finding_id, reason=str(form.reason.data), acceptable=ACCEPTABLE), title="Take it as it is",
        button="Take it as it is", done="Taken as it is, as long as nothing else is found.", lead=found,
    )  # fmt: skip


@blueprint.route("/ledger/closings/locks/<int:entity_id>", methods=["GET", "POST"])
@require(Permission.PERIOD_CLOSE)
def lock_journal(entity_id: int) -> Any:
    entity, form = _company(entity_id), LockForm()
    if not form.is_submitted():
        form.until.data = local_day(now(), entity.time_zone).replace(day=1)
    back = url_for("ledger.show_closings", entity=entity.id)
    if form.validate_on_submit():
        command = LockJournal(
            entity=entity.id, journal=JournalKind(str(form.journal.data)), strength=Strength(str(form.strength.data)),
            until=form.until.data or date.min, reason=str(form.reason.data),
        )  # fmt: skip
        with form_step(form, realm=entity.realm) as work:
            services.lock_one(work, command, find)
        if form.accepted:
            flash("The lock holds.", "success")
            return redirect(back)
    return _asked(
        form, title=f"Lock a journal of {entity.label}", lead="A hard lock asks the checks of its journal first", button="Lock it",
        back=back, trail=("Close room", back), realm=entity.realm,
    )  # fmt: skip

"""What may be done with one entry: judging it, moving it on, and what is done about it."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, request, url_for

from app.composition.request import change, now, reader
from app.composition.risk_desk import add_action, move_entry
from app.queries.processes import people_here
from app.queries.risks import EntryPage, entry_page
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.forms import choices
from app.web.risks.forms import ActionForm, AssessForm, MoveForm, SettleForm
from app.web.risks.views import blueprint, entry_html, today
from app.web.steps import seen_version, take_step
from governance.risks.actions import AddAction, SettleAction, settle_action
from governance.risks.services import AssessEntry, MoveEntry, assess_entry

_DONE = {
    "trigger": "It is triggered; the next body hears of it when its time is over.", "stand_down": "It is back within its threshold.",
    "close": "It is closed.", "reopen": "It is open again.",
}  # fmt: skip


def _page(entry_id: int) -> EntryPage:
    return entry_page(reader(), actor(), entry_id, today(), now())


@blueprint.post("/risks/<int:entry_id>/review")
@require(Permission.RISK_WORK)
def review(entry_id: int) -> Any:
    """Judge it anew; its next review is a cadence away."""
    page = _page(entry_id)
    form = AssessForm()
    if page.row.probability is None:
        del form.probability
    if form.validate_on_submit():
        command = AssessEntry(
            entry=entry_id, impact=form.impact.data, today=today(), note=str(form.note.data or ""), seen_version=seen_version(),
            probability=form.probability.data if form.probability else None,
        )  # fmt: skip
        with form.refusals(), change() as work:
            assess_entry(work, command)
        if form.accepted:
            flash("It is reviewed.", "success")
            return redirect(url_for("risks.show", entry_id=entry_id))
    return entry_html(page, assessing=form)


@blueprint.post("/risks/<int:entry_id>/move")
@require(Permission.RISK_WORK)
def move(entry_id: int) -> Any:
    """Trigger it, stand it down, close it or open it again."""
    page = _page(entry_id)
    form = MoveForm()
    if form.validate_on_submit():
        command = MoveEntry(
            entry=entry_id, move=request.form.get("move", "")[:20], reason=str(form.why.data), today=today(),
            seen_version=seen_version(),
        )  # fmt: skip
        with form.refusals(), change() as work:
            move_entry(work, command)
        if form.accepted:
            flash(_DONE[command.move], "success")
            return redirect(url_for("risks.show", entry_id=entry_id))
    return entry_html(page, moving=form)


@blueprint.post("/risks/<int:entry_id>/actions")
@require(Permission.RISK_WORK)
def act(entry_id: int) -> Any:
    """Write down what is done about it, by whom and until when."""
    page = _page(entry_id)
    form = ActionForm()
    form.action_owner.choices = choices(people_here(reader()))
    if form.validate_on_submit() and form.action_due.data:
        command = AddAction(
            entry=entry_id, title=str(form.action.data), owner=form.action_owner.data, due_on=form.action_due.data, today=today()
        )  # fmt: skip
        with form.refusals(), change() as work:
            form.once(work, lambda: add_action(work, command).id)
        if form.accepted:
            flash("It is written down.", "success")
            return redirect(url_for("risks.show", entry_id=entry_id))
    return entry_html(page, acting=form)


@blueprint.post("/risks/<int:entry_id>/actions/<int:action_id>")
@require(Permission.RISK_WORK)
def settle(entry_id: int, action_id: int) -> Any:
    """Say that an action is done, or that nobody needs it any more."""
    form = SettleForm()
    command = SettleAction(
        entry=entry_id, action=action_id, move=request.form.get("move", "")[:20], note=str(form.note.data or "")
    )

    def again(why: str) -> Any:
        moving = MoveForm(formdata=None)
        moving.form_errors.append(why)
        return entry_html(_page(entry_id), moving=moving)[0]

    return take_step(
        lambda work: settle_action(work, command), realm="live", done="The action is settled.",
        to=url_for("risks.show", entry_id=entry_id), again=again,
    )  # fmt: skip

"""The duties of one process, data domain or wave: who has them, giving one, and ending one."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from wtforms import SelectField, TextAreaField
from wtforms.validators import InputRequired, Length

from app.composition.raci_desk import give
from app.composition.request import change, reader
from app.queries.processes import people, people_here
from app.queries.raci import KIND_WORDS, SubjectRow, past_duties, raci_row, seat_choices
from app.security.permissions import Permission
from app.security.require import require
from app.web.areas import area
from app.web.figures import heading
from app.web.forms import Form, choices
from app.web.navigation import Entry, Group, navigation_entry
from app.web.once import KeyedForm
from erpcore.kernel.errors import NotFound
from governance.raci.rules import Duty, HolderKind, SubjectKind
from governance.raci.services import LONGEST_REASON, GiveDuty, end_duty

blueprint = area("raci")
navigation_entry(
    Entry(label="Who answers", endpoint="raci.show_all", permission=Permission.RACI_VIEW, group=Group.STEER, order=43)
)  # fmt: skip
DUTY_HINTS = {
    Duty.RESPONSIBLE: "does the work", Duty.ACCOUNTABLE: "answers for it, and is one alone", Duty.CONSULTED: "is asked before",
    Duty.INFORMED: "is told afterwards",
}  # fmt: skip


class GiveForm(KeyedForm):
    """A duty to a person or a seat."""

    duty = SelectField("Duty", choices=choices((one.value, f"{heading(one.value)}: {DUTY_HINTS[one]}") for one in Duty))
    holder = SelectField("Who", description="A seat stands for whoever sits on it.")
    why = TextAreaField("Reason", [Length(max=LONGEST_REASON)])
    called = {"reason": "why"}  # noqa: RUF012 - as the base declares it


class EndForm(Form):
    """Ending a duty."""

    reason = TextAreaField("Reason", [InputRequired("Say why"), Length(max=LONGEST_REASON)])


def _row(kind: str, subject: str) -> SubjectRow:
    if kind not in set(SubjectKind):
        raise NotFound("not_found")
    return raci_row(reader(), kind, subject)


@blueprint.get("/raci/<kind>/<subject>")
@require(Permission.RACI_VIEW)
def show(kind: str, subject: str) -> Any:
    """Who has which duty; nothing is changed here."""
    return _html(_row(kind, subject), GiveForm(formdata=None), EndForm(formdata=None))


@blueprint.post("/raci/<kind>/<subject>/give")
@require(Permission.RACI_ASSIGN)
def give_one(kind: str, subject: str) -> Any:
    """Give a duty."""
    row = _row(kind, subject)
    form = GiveForm()
    _offer(form)
    if form.validate_on_submit():
        holder_kind, _, holder = str(form.holder.data).partition(":")
        command = GiveDuty(
            kind=row.kind, subject=subject, duty=Duty(form.duty.data), holder_kind=HolderKind(holder_kind), holder=int(holder),
            reason=str(form.why.data or ""),
        )  # fmt: skip
        with form.refusals(), change() as work:
            form.once(work, lambda: give(work, [command])[0].id)
        if form.accepted:
            flash("The duty is given.", "success")
            return redirect(url_for("raci.show", kind=kind, subject=subject))
    return _html(row, form, EndForm(formdata=None))


@blueprint.post("/raci/<kind>/<subject>/end")
@require(Permission.RACI_ASSIGN)
def end_one(kind: str, subject: str) -> Any:
    """End a duty, with a reason."""
    row = _row(kind, subject)
    form = EndForm()
    if form.validate_on_submit():
        chosen = request.form.get("duty", default=0, type=int)
        if chosen not in {one.id for one in row.duties}:
            raise NotFound("raci_not_found", duty=chosen)
        with form.refusals(), change() as work:
            end_duty(work, chosen, reason=str(form.reason.data))
        if form.accepted:
            flash("The duty is ended.", "success")
            return redirect(url_for("raci.show", kind=kind, subject=subject))
    return _html(row, GiveForm(formdata=None), form)


def _offer(form: GiveForm) -> None:
    seats = [(f"seat:{key}", f"Seat · {name}") for key, name in seat_choices(reader())]
    form.holder.choices = choices([*((f"person:{key}", name) for key, name in people_here(reader())), *seats])


def _html(row: SubjectRow, form: GiveForm, ending: EndForm) -> Any:
    _offer(form)
    past = past_duties(reader(), row.kind, row.subject)
    names = people(
        reader(),
        [*(one.ended_by for one in past), *(one.holder_id for one in past if one.holder_kind == HolderKind.PERSON)],
    )
    return render_template(
        "raci/show.html", row=row, form=form, ending=ending, duties=list(Duty), hints=DUTY_HINTS, kind=KIND_WORDS[row.kind],
        past=past, names=names, seats=dict(seat_choices(reader())) if past else {},
    ), max(form.status, ending.status)  # fmt: skip

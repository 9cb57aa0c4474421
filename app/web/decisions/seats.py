"""Who decides: a programme and its cells, a body's rule, its seats and delegates, each changed with its reason."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, url_for

from app.composition import programme_office as office
from app.composition.request import change, now, reader
from app.queries.decision_pages import CommitteePage, committee_page
from app.queries.planning import CellDesk, cell_desk
from app.queries.steer import people_picks
from app.security.permissions import Permission
from app.security.require import require
from app.web.decisions.seat_forms import (
    VACANT,
    BodyForm,
    CellsForm,
    EndForm,
    ProgrammeForm,
    RuleForm,
    SeatForm,
    pair,
    share_choices,
)
from app.web.decisions.views import WORDS, blueprint
from app.web.forms import Form, choices
from app.web.steering_words import speech
from erpcore.kernel.errors import NotFound
from governance.programme.kinds import BodyKind
from governance.programme.queries import DelegationView, SeatView
from governance.programme.seats import AddSeat, ChangeSeat, change_seat, end_delegation, end_seat
from governance.programme.services import (
    CreateBody,
    CreateProgramme,
    NewSeat,
    SetRule,
    set_rule,
)


def _to(body_id: int) -> str:
    return url_for("decisions.committee", body_id=body_id)


def _holders(form: Any) -> None:
    form.person.choices = choices([(VACANT, "Nobody yet"), *people_picks(reader())])


def _cells(form: Any) -> tuple[tuple[int, int], ...]:
    ticked = [str(value).split(":") for value in form.cells.data or ()]
    return tuple((int(site), int(channel)) for site, channel in ticked)


def _desk(form: Any, programme_id: int | None = None) -> CellDesk:
    desk = cell_desk(reader(), programme_id)
    form.cells.choices = choices((cell.value, cell.value) for cell in desk.cells())
    return desk


@blueprint.route("/programmes/new", methods=["GET", "POST"])
@require(Permission.PROGRAMME_MANAGE)
def begin_programme() -> Any:
    form = ProgrammeForm()
    desk = _desk(form)
    if form.validate_on_submit() and form.starts_on.data:
        command = CreateProgramme(
            code=str(form.code.data), name=str(form.name.data), purpose=str(form.purpose.data), starts_on=form.starts_on.data,
            ends_on=form.ends_on.data, cells=_cells(form),
        )  # fmt: skip
        made = 0
        with form.refusals(), change() as work:
            made = form.once(work, lambda: office.create_programme(work, command).id)
        if form.accepted:
            flash("The programme has begun. Set up the bodies that decide in it.", "success")
            return redirect(url_for("programme.show_one", programme_id=made))
    return render_template("decisions/programme_new.html", form=form, desk=desk), form.status


@blueprint.route("/programmes/<int:programme_id>/cells", methods=["GET", "POST"])
@require(Permission.PROGRAMME_MANAGE)
def bring_cells(programme_id: int) -> Any:
    form = CellsForm()
    desk = _desk(form, programme_id)
    if form.validate_on_submit():
        with form.refusals(), change() as work:
            office.add_cells(work, programme_id, _cells(form))
        if form.accepted:
            flash("The cells are in the programme; a wave takes them live.", "success")
            return redirect(url_for("programme.show_one", programme_id=programme_id))
    return render_template("decisions/cells.html", form=form, desk=desk), form.status


@blueprint.route("/programmes/<int:programme_id>/committees/new", methods=["GET", "POST"])
@require(Permission.PROGRAMME_MANAGE)
def set_up_body(programme_id: int) -> Any:
    desk, form = cell_desk(reader(), programme_id), BodyForm()
    _holders(form)
    if form.validate_on_submit():
        seat = NewSeat(function=str(form.function.data), person=form.person.data or None, chair=True)
        command = CreateBody(
            programme_id=programme_id, code=str(form.code.data), name=str(form.name.data), kind=BodyKind(form.kind.data),
            mandate=str(form.mandate.data), quorum=pair(form.quorum.data), majority=pair(form.majority.data), seats=(seat,),
        )  # fmt: skip
        made = 0
        with form.refusals(), change() as work:
            made = form.once(work, lambda: office.create_body(work, command).id)
        if form.accepted:
            flash("The body is set up. Add its other seats.", "success")
            return redirect(_to(made))
    return render_template("decisions/body_new.html", form=form, programme=desk.programme), form.status


@blueprint.route("/committees/<int:body_id>/rule", methods=["GET", "POST"])
@require(Permission.PROGRAMME_MANAGE)
def change_rule(body_id: int) -> Any:
    page, form = committee_page(reader(), body_id, now()), RuleForm()
    body = page.body
    form.quorum.choices, form.majority.choices = share_choices(body.quorum), share_choices(body.majority)
    if form.validate_on_submit():
        command = SetRule(
            body_id=body_id, name=str(form.name.data), mandate=str(form.mandate.data), quorum=pair(form.quorum.data),
            majority=pair(form.majority.data), reason=str(form.reason.data),
        )  # fmt: skip
        with form.refusals(), change() as work:
            set_rule(work, command)
        if form.accepted:
            flash("The rule has changed. Votes that are open keep the one they were opened with.", "success")
            return redirect(_to(body_id))
    elif not form.is_submitted():
        form.name.data, form.mandate.data = body.name, body.mandate
        form.quorum.data, form.majority.data = "/".join(map(str, body.quorum)), "/".join(map(str, body.majority))
    return render_template("decisions/rule.html", form=form, body=body), form.status


@blueprint.route("/committees/<int:body_id>/seats/new", methods=["GET", "POST"])
@require(Permission.SEAT_ASSIGN)
def new_seat(body_id: int) -> Any:
    page, form = committee_page(reader(), body_id, now()), SeatForm()
    _holders(form)
    if form.validate_on_submit():
        command = AddSeat(
            body_id=body_id, function=str(form.function.data), person=form.person.data or None, chair=bool(form.chair.data),
            mandatory=bool(form.mandatory.data), veto=bool(form.veto.data), reason=str(form.reason.data),
        )  # fmt: skip
        with form.refusals(), change() as work:
            form.once(work, lambda: office.add_seat(work, command).id)
        if form.accepted:
            flash("The seat is added; it votes from the next vote on.", "success")
            return redirect(_to(body_id))
    return _seat_page(page, form, None)


@blueprint.route("/committees/<int:body_id>/seats/<int:seat_id>", methods=["GET", "POST"])
@require(Permission.SEAT_ASSIGN)
def seat(body_id: int, seat_id: int) -> Any:
    """Who holds it and what it weighs, in one step and one unit of work."""
    page, form = committee_page(reader(), body_id, now()), SeatForm()
    shown = _seat(page, seat_id)
    _holders(form)
    if form.validate_on_submit():
        person, reason = form.person.data or None, str(form.reason.data)
        command = ChangeSeat(
            seat_id=seat_id, function=str(form.function.data), chair=bool(form.chair.data), mandatory=bool(form.mandatory.data),
            veto=bool(form.veto.data), reason=reason,
        )  # fmt: skip
        with form.refusals(), change() as work:
            change_seat(work, command)
            if person != shown.person:
                office.assign_seat(work, seat_id, person, reason=reason)
        if form.accepted:
            flash("The seat is changed. Votes that are open keep the seats they were opened with.", "success")
            return redirect(_to(body_id))
    elif not form.is_submitted():
        form.function.data, form.person.data = shown.function, shown.person or VACANT
        form.chair.data, form.mandatory.data, form.veto.data = shown.is_chair, shown.is_mandatory, shown.has_veto
    return _seat_page(page, form, shown)


def _seat(page: CommitteePage, seat_id: int) -> SeatView:
    found = next((one for one in page.body.seats if one.id == seat_id), None)
    if found is None:
        raise NotFound("seat_not_found", seat=seat_id)
    return found


def _seat_page(page: CommitteePage, form: SeatForm, shown: SeatView | None) -> Any:
    return render_template(
        "decisions/seat.html", form=form, body=page.body, seat=shown, speech=speech(page.names), **WORDS
    ), form.status


@blueprint.route("/committees/<int:body_id>/seats/<int:seat_id>/end", methods=["GET", "POST"])
@require(Permission.SEAT_ASSIGN)
def abolish_seat(body_id: int, seat_id: int) -> Any:
    page, form = committee_page(reader(), body_id, now()), EndForm()
    shown = _seat(page, seat_id)
    if form.validate_on_submit():
        with form.refusals(), change() as work:
            end_seat(work, seat_id, reason=str(form.reason.data))
        if form.accepted:
            flash(f"The seat {shown.function} is abolished.", "success")
            return redirect(_to(body_id))
    return _end_page(page, form, f"Abolish the seat {shown.function}", "It has no vote in any vote opened from now on.")


@blueprint.route("/committees/<int:body_id>/delegations/<int:delegation_id>/end", methods=["GET", "POST"])
@require(Permission.PROGRAMME_VIEW)
def stop_delegation(body_id: int, delegation_id: int) -> Any:
    """The seat's holder ends it, or who gives out seats does; the service asks which of them it is."""
    page, form = committee_page(reader(), body_id, now()), EndForm()
    shown: DelegationView | None = next((one for one in page.delegations if one.id == delegation_id), None)
    if shown is None:
        raise NotFound("delegation_not_found", delegation=delegation_id)
    if form.validate_on_submit():
        with form.refusals(), change() as work:
            end_delegation(work, delegation_id, reason=str(form.reason.data))
        if form.accepted:
            flash("The delegation has ended.", "success")
            return redirect(_to(body_id))
    name = speech(page.names).person(shown.delegate)
    return _end_page(
        page, form, f"End the delegation to {name}", "Votes that are open keep the delegates they were opened with."
    )


def _end_page(page: CommitteePage, form: Form, title: str, lead: str) -> Any:
    return render_template("decisions/end.html", form=form, body=page.body, title=title, lead=lead), form.status

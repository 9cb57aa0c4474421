"""The roadmap with its phases, and what closes each of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from flask import flash, redirect, render_template, url_for

from app.composition import stage_gates
from app.composition.request import change, now, reader
from app.queries.roadmap import RoadmapPage, phase_page, roadmap_page
from app.queries.steer import people_picks
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import area
from app.web.forms import Form, choices
from app.web.measures.presenters import count_text, figure_choices, figure_title
from app.web.navigation import Entry, Group, navigation_entry
from app.web.roadmap.forms import (
    STATED,
    AskForm,
    CriterionForm,
    DaysForm,
    LayOutForm,
    ReasonForm,
    StateForm,
)
from app.web.signed_in import visitor
from app.web.steering_words import short_day, short_moment
from app.web.steps import seen_version
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import NotFound
from erpcore.kernel.work import UnitOfWork
from governance.programme.queries import programmes
from governance.roadmap import phases
from governance.roadmap.kinds import TITLES, PhaseCode, PhaseState
from governance.roadmap.queries import CriterionView
from readiness.gates.wording import figure as figure_text
from readiness.measures.catalogue import find_figure
from readiness.measures.reading import Unit, from_shown

blueprint = area("roadmap")
navigation_entry(
    Entry(label="Roadmap", endpoint="roadmap.first", permission=Permission.PROGRAMME_VIEW, group=Group.STEER, order=12)
)


def mark_text(figure: str | None, value: Decimal | None) -> str:
    """A mark or a value of a figure with its unit; a dash where there is none."""
    if figure is None or value is None:
        return "–"
    return figure_text(value, find_figure(figure).measure.unit)


WORDS: dict[str, Any] = {
    "short_day": short_day, "short_moment": short_moment, "TITLES": TITLES, "mark_text": mark_text, "figure_title": lambda key: figure_title(find_figure(key)),
    "count_text": count_text,
}  # fmt: skip


def in_base(figure: str, typed: Any) -> Decimal:
    """What was typed in the figure's shown unit, in base units."""
    return from_shown(Decimal(typed), Unit(find_figure(figure).measure.unit))


def zone_here() -> str:
    """The time zone of whoever looks: which day is today depends on it."""
    person = visitor()
    return person.time_zone if person else "UTC"


@blueprint.get("/roadmap")
@require(Permission.PROGRAMME_VIEW)
def first() -> Any:
    """The roadmap of the first programme there is."""
    known = programmes(reader())
    if not known:
        return render_template("programme/none.html")
    return redirect(url_for("roadmap.show", programme_id=known[0].id))


@blueprint.get("/programmes/<int:programme_id>/roadmap")
@require(Permission.PROGRAMME_VIEW)
def show(programme_id: int) -> str:
    page = roadmap_page(reader(), programme_id, now())
    today = local_day(now(), zone_here())
    return render_template(
        "roadmap/show.html", page=page, today=today, steps=_steps(page), late=_late(page, today),
        may_manage=actor().may(Permission.PROGRAMME_MANAGE), **WORDS,
    )  # fmt: skip


def _steps(page: RoadmapPage) -> list[dict[str, str]]:
    states = {PhaseState.CLOSED: "done", PhaseState.CURRENT: "current", PhaseState.AHEAD: "ahead"}
    return [{"label": one.title, "state": states[one.state]} for one in page.phases]


def _late(page: RoadmapPage, today: date) -> int:
    """Days by which the current phase is past its end."""
    return max(0, (today - page.current.ends_on).days) if page.current else 0


@blueprint.route("/programmes/<int:programme_id>/roadmap/new", methods=["GET", "POST"])
@require(Permission.PROGRAMME_MANAGE)
def lay_out(programme_id: int) -> Any:
    page, form = roadmap_page(reader(), programme_id, now()), LayOutForm()
    if form.validate_on_submit():
        with form.refusals(), change() as work:
            command = phases.LayOut(programme_id=programme_id, days=form.days())
            form.once(work, lambda: phases.lay_out(work, command)[0].id)
        if form.accepted:
            flash("The roadmap is laid out; its first phase is current.", "success")
            return redirect(url_for("roadmap.show", programme_id=programme_id))
    return render_template("roadmap/lay_out.html", page=page, form=form, phases=list(PhaseCode), **WORDS), form.status


@blueprint.get("/roadmap/phases/<int:phase_id>")
@require(Permission.PROGRAMME_VIEW)
def show_phase(phase_id: int) -> Any:
    return _phase_html(phase_id, AskForm(formdata=None))


def _phase_html(phase_id: int, form: AskForm) -> Any:
    page = phase_page(reader(), phase_id, now())
    form.version.data = str(page.phase.version)
    mine = {one.id for one in page.phase.criteria if one.owner == actor().id and one.figure is None}
    lacking = [line.criterion.title for line in page.lines if line.word != "pass"]
    html = render_template(
        "roadmap/phase.html", page=page, phase=page.phase, form=form, mine=mine, lacking=lacking,
        waits=page.request is not None and page.request.state == "waiting",
        may_manage=actor().may(Permission.PROGRAMME_MANAGE), may_read_requests=actor().may(Permission.APPROVAL_VIEW), **WORDS,
    )  # fmt: skip
    return html, form.status


@blueprint.post("/roadmap/phases/<int:phase_id>/ask")
@require(Permission.PROGRAMME_MANAGE)
def ask(phase_id: int) -> Any:
    """Refused, with what is missing, as long as a criterion is not proven."""
    form = AskForm()
    if form.validate_on_submit():
        with form.refusals(), change() as work:
            stage_gates.ask_the_body(work, phase_id, seen_version=seen_version())
        if form.accepted:
            flash("The body is asked. Its yes closes the phase and releases its money.", "success")
            return redirect(url_for("roadmap.show_phase", phase_id=phase_id))
    return _phase_html(phase_id, form)


@blueprint.route("/roadmap/phases/<int:phase_id>/days", methods=["GET", "POST"])
@require(Permission.PROGRAMME_MANAGE)
def reschedule(phase_id: int) -> Any:
    """Other days for a phase that is not closed."""
    page, form = phase_page(reader(), phase_id, now()), DaysForm()
    if form.validate_on_submit() and form.starts_on.data and form.ends_on.data:
        command = phases.Reschedule(
            phase_id=phase_id, starts_on=form.starts_on.data, ends_on=form.ends_on.data, reason=str(form.reason.data),
            seen_version=seen_version(),
        )  # fmt: skip
        with form.refusals(), change() as work:
            stage_gates.reschedule(work, command)
        if form.accepted:
            flash("The phase has its new days.", "success")
            return redirect(url_for("roadmap.show_phase", phase_id=phase_id))
    elif not form.is_submitted():
        form.starts_on.data, form.ends_on.data = page.phase.starts_on, page.phase.ends_on
    form.version.data = form.version.data or str(page.phase.version)
    return of_phase(
        page,
        form,
        f"Days of “{page.phase.title}”",
        "A phase ends after it begins; phases keep their order",
        "Set the days",
    )


@blueprint.route("/roadmap/phases/<int:phase_id>/criteria/new", methods=["GET", "POST"])
@require(Permission.PROGRAMME_MANAGE)
def add_criterion(phase_id: int) -> Any:
    page, form = phase_page(reader(), phase_id, now()), CriterionForm()
    form.owner.choices = choices(people_picks(reader()))
    form.figure.choices = choices([(STATED, "What its owner states"), *figure_choices()])
    if form.validate_on_submit():
        figure = str(form.figure.data) or None
        has_mark = figure is not None and form.pass_mark.data is not None
        command = phases.AddCriterion(
            phase_id=phase_id, code=str(form.code.data), title=str(form.title.data), owner=form.owner.data, figure=figure,
            realm=str(form.realm.data) if figure else None,
            pass_mark=in_base(figure or "", form.pass_mark.data) if has_mark else None,
        )  # fmt: skip
        with form.refusals(), change() as work:
            form.once(work, lambda: stage_gates.add_criterion(work, command).id)
        if form.accepted:
            flash("The criterion stands between the phase and its end.", "success")
            return redirect(url_for("roadmap.show_phase", phase_id=phase_id))
    return of_phase(
        page, form, f"Criterion of “{page.phase.title}”", "What must hold before the phase closes", "Add it"
    )


@blueprint.route("/roadmap/phases/<int:phase_id>/criteria/<int:criterion_id>/state", methods=["GET", "POST"])
@require(Permission.PROGRAMME_VIEW)
def state(phase_id: int, criterion_id: int) -> Any:
    """Only the criterion's owner states it; the service asks."""
    page, form = phase_page(reader(), phase_id, now()), StateForm()
    shown = _criterion(page, criterion_id)
    if form.validate_on_submit():
        command = phases.State(
            criterion_id=criterion_id, holds=form.holds.data == "yes", statement=str(form.statement.data)
        )
        with form.refusals(), change() as work:
            stage_gates.state(work, command)
        if form.accepted:
            flash("Your statement is kept.", "success")
            return redirect(url_for("roadmap.show_phase", phase_id=phase_id))
    return of_phase(page, form, shown.title, f"Criterion of “{page.phase.title}”", "State it")


@blueprint.route("/roadmap/phases/<int:phase_id>/criteria/<int:criterion_id>/remove", methods=["GET", "POST"])
@require(Permission.PROGRAMME_MANAGE)
def remove_criterion(phase_id: int, criterion_id: int) -> Any:
    """It no longer stands in the way; who asked before asks again."""
    page = phase_page(reader(), phase_id, now())
    shown = _criterion(page, criterion_id)
    lead = f"Criterion of “{page.phase.title}”"
    return with_reason(
        lambda work, reason: stage_gates.remove_criterion(work, criterion_id, reason=reason),
        done="The criterion no longer stands in the way.", to=url_for("roadmap.show_phase", phase_id=phase_id),
        again=lambda form: of_phase(page, form, f"Remove “{shown.title}”", lead, "Remove it"),
    )  # fmt: skip


def with_reason(
    act: Callable[[UnitOfWork, str], Any], *, done: str, to: str, again: Callable[[ReasonForm], Any]
) -> Any:
    """Take something away with the reason that was typed and go ``to`` where it stood; ``again`` makes the page with the form."""
    form = ReasonForm()
    if form.validate_on_submit():
        with form.refusals(), change() as work:
            act(work, str(form.reason.data))
        if form.accepted:
            flash(done, "success")
            return redirect(to)
    return again(form)


def _criterion(page: Any, criterion_id: int) -> CriterionView:
    shown: CriterionView | None = next((one for one in page.phase.criteria if one.id == criterion_id), None)
    if shown is None:
        raise NotFound("stage_criterion_not_found", criterion=criterion_id)
    return shown


def of_phase(page: Any, form: Form, title: str, lead: str, label: str) -> Any:
    """A form about a phase."""
    return form_html(page.programme, form, title, lead, label, url_for("roadmap.show_phase", phase_id=page.phase.id))


def form_html(programme: Any, form: Form, title: str, lead: str, label: str, cancel: str) -> Any:
    """The page with one form, as it was typed."""
    return render_template(
        "roadmap/form.html", programme=programme, form=form, title=title, lead_text=lead, label=label, cancel=cancel
    ), form.status  # fmt: skip

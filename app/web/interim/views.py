"""The interim state of a wave: links without a master and overdue interfaces first, then all that is said."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, url_for

from app.composition.interim_desk import NewInterface, change_interface, map_link, put_interface
from app.composition.request import change, now, reader
from app.queries.interim import InterimPage, interim_of
from app.queries.steer import people_picks
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import area
from app.web.forms import Form, choices
from app.web.interim.forms import DIRECTIONS, MASTERS, NOBODY, ChangeForm, EndForm, InterfaceForm, MapForm
from app.web.steering_words import short_day, short_moment
from app.web.steps import seen_version
from erpcore.kernel.errors import NotFound
from governance.interim.kinds import Direction, LinkKind, Master
from governance.interim.queries import InterfaceView, Open, SlotView
from governance.interim.services import ChangeInterface, MapLink, end_interface

blueprint = area("interim")
OPEN_WORDS = {
    Open.NO_MASTER: "nobody masters it",
    Open.OVERDUE: "an interface is past its end",
    Open.NO_OWNER: "nobody looks after an interface",
}
WORDS: dict[str, Any] = {
    "MASTERS": MASTERS, "DIRECTIONS": DIRECTIONS, "OPEN_WORDS": OPEN_WORDS, "short_day": short_day, "short_moment": short_moment,
}  # fmt: skip


@blueprint.get("/waves/<int:wave_id>/interim")
@require(Permission.WAVE_VIEW)
def show(wave_id: int) -> str:
    page = interim_of(reader(), wave_id, now())
    return render_template(
        "interim/show.html", page=page, wave=page.wave, state=page.state, may_manage=actor().may(Permission.PROGRAMME_MANAGE),
        groups=_groups(page), **WORDS,
    )  # fmt: skip


def _groups(page: InterimPage) -> list[tuple[SlotView, list[SlotView], list[SlotView]]]:
    """Each process with the steps of which something is said or missing, and those that it says for."""
    groups = []
    for whole in page.state.processes:
        steps = [one for one in page.state.steps if one.code.startswith(f"{whole.code}.")]
        groups.append((whole, [one for one in steps if not one.inherited], [one for one in steps if one.inherited]))
    return groups


@blueprint.route("/waves/<int:wave_id>/interim/<kind>/<code>", methods=["GET", "POST"])
@require(Permission.PROGRAMME_MANAGE)
def say(wave_id: int, kind: str, code: str) -> Any:
    """Who masters a process, a step of it, or data."""
    page, form = interim_of(reader(), wave_id, now()), MapForm()
    slot = _slot(page, kind, code)
    if form.validate_on_submit():
        command = MapLink(
            wave_id=wave_id, kind=slot.kind, code=slot.code, master=Master(form.master.data), rule=str(form.rule.data or ""),
            evidence=str(form.evidence.data or ""), seen_version=seen_version() or None,
        )  # fmt: skip
        with form.refusals(), change() as work:
            map_link(work, command)
        if form.accepted:
            flash(f"{slot.title}: it is kept.", "success")
            return redirect(url_for("interim.show", wave_id=wave_id))
    elif not form.is_submitted() and slot.master is not None:
        form.master.data, form.rule.data, form.evidence.data = slot.master.value, slot.rule, slot.evidence
    form.version.data = form.version.data or str(slot.version or "")
    return _html(page, form, slot.title, "Who masters it until the old systems are off", "Keep it")


@blueprint.route("/waves/<int:wave_id>/interim/links/<int:link_id>/interfaces/new", methods=["GET", "POST"])
@require(Permission.PROGRAMME_MANAGE)
def add_interface(wave_id: int, link_id: int) -> Any:
    page, form = interim_of(reader(), wave_id, now()), InterfaceForm()
    every = (*page.state.processes, *page.state.steps, *page.state.data)
    slot = next((one for one in every if one.id == link_id), None)
    if slot is None:
        raise NotFound("interim_link_not_found", link=link_id)
    _offer(form)
    if form.validate_on_submit() and form.ends_on.data:
        asked = NewInterface(
            link_id=link_id, name=str(form.name.data), direction=Direction(form.direction.data), frequency=str(form.frequency.data),
            owner=form.owner.data or None, ends_on=form.ends_on.data, when_it_stops=str(form.when_it_stops.data),
        )  # fmt: skip
        with form.refusals(), change() as work:
            form.once(work, lambda: put_interface(work, asked).id)
        if form.accepted:
            flash("The interface is kept, with its last day.", "success")
            return redirect(url_for("interim.show", wave_id=wave_id))
    return _html(
        page,
        form,
        f"Interface for {slot.title}",
        "It lives until its last day; past it, the wave shows it as open",
        "Add it",
    )


@blueprint.route("/waves/<int:wave_id>/interim/interfaces/<int:interface_id>", methods=["GET", "POST"])
@require(Permission.PROGRAMME_MANAGE)
def alter(wave_id: int, interface_id: int) -> Any:
    """Somebody else looks after it, or it ends on another day."""
    page, form = interim_of(reader(), wave_id, now()), ChangeForm()
    shown = _interface(page, interface_id)
    _offer(form)
    if form.validate_on_submit() and form.ends_on.data:
        command = ChangeInterface(
            interface_id=interface_id, owner=form.owner.data or None, ends_on=form.ends_on.data, reason=str(form.reason.data),
            seen_version=seen_version(),
        )  # fmt: skip
        with form.refusals(), change() as work:
            change_interface(work, command)
        if form.accepted:
            flash("The interface is changed.", "success")
            return redirect(url_for("interim.show", wave_id=wave_id))
    elif not form.is_submitted():
        form.owner.data, form.ends_on.data = shown.owner or NOBODY, shown.ends_on
    form.version.data = form.version.data or str(shown.version)
    return _html(page, form, shown.name, "Who looks after it, and until when", "Change it")


@blueprint.route("/waves/<int:wave_id>/interim/interfaces/<int:interface_id>/end", methods=["GET", "POST"])
@require(Permission.PROGRAMME_MANAGE)
def end(wave_id: int, interface_id: int) -> Any:
    page, form = interim_of(reader(), wave_id, now()), EndForm()
    shown = _interface(page, interface_id)
    if form.validate_on_submit():
        with form.refusals(), change() as work:
            end_interface(work, interface_id, reason=str(form.reason.data), seen_version=seen_version())
        if form.accepted:
            flash(f"{shown.name} has ended.", "success")
            return redirect(url_for("interim.show", wave_id=wave_id))
    form.version.data = form.version.data or str(shown.version)
    return _html(page, form, f"End {shown.name}", shown.when_it_stops, "It has ended")


def _offer(form: Any) -> None:
    form.owner.choices = choices([(NOBODY, "Nobody yet"), *people_picks(reader())])


def _slot(page: InterimPage, kind: str, code: str) -> SlotView:
    known = page.state.data if kind == LinkKind.DATUM else (*page.state.processes, *page.state.steps)
    found = next((one for one in known if one.kind == kind and one.code == code), None)
    if found is None:
        raise NotFound("not_found")
    return found


def _interface(page: InterimPage, interface_id: int) -> InterfaceView:
    found = next((one for one in page.state.interfaces if one.id == interface_id), None)
    if found is None:
        raise NotFound("interim_interface_not_found", interface=interface_id)
    return found


def _html(page: InterimPage, form: Form, title: str, lead: str, label: str) -> Any:
    return render_template(
        "interim/form.html", wave=page.wave, form=form, title=title, lead_text=lead, label=label
    ), form.status  # fmt: skip

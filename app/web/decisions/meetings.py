"""The calendar of a body: when it meets, once or in a series, and what is moved, ended or called off."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from flask import flash, redirect, render_template, url_for

from app.composition.request import change, now, reader
from app.queries.decision_pages import committee_page
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.decisions.forms import instant
from app.web.decisions.meeting_forms import (
    CancelForm,
    ChangeSeriesForm,
    EndSeriesForm,
    MeetingForm,
    MoveForm,
    SeriesForm,
    rhythm_text,
)
from app.web.decisions.views import WORDS, blueprint
from app.web.forms import Form
from app.web.signed_in import own_zone
from app.web.steps import seen_version
from erpcore.kernel.clock import local_day, out_of_time
from erpcore.kernel.errors import NotFound
from governance.programme import meetings as services
from governance.programme.calendar import MeetingView, calendar, find_meeting, find_series, series_of_body
from governance.programme.meetings import Which
from governance.programme.queries import BodyView, body

#: So far ahead the page lists meetings.
_AHEAD = timedelta(days=120)


def meeting_key(meeting: MeetingView) -> str:
    """A meeting in an address: ``m12`` by its own id, ``s5-2026-03-20`` by its series and day."""
    if meeting.series_id is None or meeting.series_on is None:
        return f"m{meeting.id}"
    return f"s{meeting.series_id}-{meeting.series_on.isoformat()}"


def _which(key: str) -> Which:
    kind, rest = key[:1], key[1:]
    number, _, day = rest.partition("-")
    if not (number.isascii() and number.isdecimal() and len(number) < 19):
        raise NotFound("meeting_not_found")
    if kind == "m" and not day:
        return Which(meeting_id=int(number))
    try:
        series_on = date.fromisoformat(day)
    except ValueError:
        raise NotFound("meeting_not_found") from None
    if out_of_time(series_on):
        raise NotFound("meeting_not_found")
    return Which(series_id=int(number), series_on=series_on)


def _to(body_id: int) -> str:
    return url_for("decisions.meetings", body_id=body_id)


@blueprint.get("/committees/<int:body_id>/meetings")
@require(Permission.PROGRAMME_VIEW)
def meetings(body_id: int) -> str:
    session, at = reader(), now()
    found = calendar(session, since=at, until=at + _AHEAD, bodies={body_id})
    return render_template(
        "decisions/meetings.html", body=body(session, body_id, at), meetings=found, series=series_of_body(session, body_id),
        may_manage=actor().may(Permission.PROGRAMME_MANAGE), key=meeting_key, rhythm_text=rhythm_text,
        today=local_day(at, own_zone()), **WORDS,
    )  # fmt: skip


@blueprint.route("/committees/<int:body_id>/meetings/new", methods=["GET", "POST"])
@require(Permission.PROGRAMME_MANAGE)
def call_meeting(body_id: int) -> Any:
    page, form = committee_page(reader(), body_id, now()), MeetingForm()
    if form.validate_on_submit():
        starts, ends = instant(form.starts_at.data), instant(form.ends_at.data)
        with form.refusals(), change() as work:
            command = services.ScheduleMeeting(
                body_id=body_id, title=str(form.title.data), starts_at=starts or work.now, ends_at=ends or work.now,
                agenda=str(form.agenda.data or ""), place=str(form.place.data or ""),
            )  # fmt: skip
            form.once(work, lambda: services.schedule_meeting(work, command).id)
        if form.accepted:
            flash("The meeting is in the calendar.", "success")
            return redirect(_to(body_id))
    return render_template("decisions/meeting.html", form=form, body=page.body), form.status


@blueprint.route("/committees/<int:body_id>/series/new", methods=["GET", "POST"])
@require(Permission.PROGRAMME_MANAGE)
def begin_series(body_id: int) -> Any:
    shown, form = body(reader(), body_id, now()), SeriesForm()
    if form.validate_on_submit():
        with form.refusals(), change() as work:
            form.once(work, lambda: services.begin_series(work, form.command(body_id)).id)
        if form.accepted:
            flash("The meetings are in the calendar.", "success")
            return redirect(_to(body_id))
    elif not form.is_submitted():
        form.title.data, form.time_zone.data = shown.name, own_zone()
    return _series_page(shown, form, "Meet in a series"), form.status


@blueprint.route("/committees/<int:body_id>/series/<int:series_id>/change", methods=["GET", "POST"])
@require(Permission.PROGRAMME_MANAGE)
def change_series(body_id: int, series_id: int) -> Any:
    """From the day typed in "From" on it meets as typed; until the day before, as it did."""
    shown, form = body(reader(), body_id, now()), ChangeSeriesForm()
    series = find_series(reader(), series_id, body_id)
    if form.validate_on_submit():
        new = form.command(body_id)
        old = services.EndSeries(
            series_id=series_id, last_on=new.first_on - timedelta(days=1), reason=str(form.reason.data),
            seen_sequence=seen_version(),
        )  # fmt: skip
        with form.refusals(), change() as work:
            form.once(work, lambda: services.change_series(work, old, new).id)
        if form.accepted:
            flash("The series has changed from that day on; calendars call off what was planned after it.", "success")
            return redirect(_to(body_id))
    elif not form.is_submitted():
        form.fill(series)
    return _series_page(shown, form, f"Change “{series.title}”"), form.status


def _series_page(shown: BodyView, form: SeriesForm, title: str) -> str:
    return render_template("decisions/series.html", form=form, body=shown, title=title)


@blueprint.route("/committees/<int:body_id>/series/<int:series_id>/end", methods=["GET", "POST"])
@require(Permission.PROGRAMME_MANAGE)
def end_series(body_id: int, series_id: int) -> Any:
    shown, form = body(reader(), body_id, now()), EndSeriesForm()
    series = find_series(reader(), series_id, body_id)
    if form.validate_on_submit() and form.last_on.data is not None:
        command = services.EndSeries(
            series_id=series_id, last_on=form.last_on.data, reason=str(form.reason.data), seen_sequence=seen_version()
        )
        with form.refusals(), change() as work:
            services.end_series(work, command)
        if form.accepted:
            flash("The series ends; meetings after that day are called off.", "success")
            return redirect(_to(body_id))
    elif not form.is_submitted():
        form.version.data = str(series.sequence)
    lead = f"{rhythm_text(series)}. Meetings after the day you choose are called off, those before stay."
    return _ask(shown, form, f"End “{series.title}”", lead, "End the series"), form.status


@blueprint.route("/committees/<int:body_id>/meetings/<string:key>/move", methods=["GET", "POST"])
@require(Permission.PROGRAMME_MANAGE)
def move_meeting(body_id: int, key: str) -> Any:
    shown, form = body(reader(), body_id, now()), MoveForm()
    meeting = find_meeting(reader(), _which(key), body_id)
    if form.validate_on_submit():
        starts, ends = instant(form.starts_at.data), instant(form.ends_at.data)
        with form.refusals(), change() as work:
            services.move_meeting(
                work,
                services.MoveMeeting(
                    which=meeting.which, starts_at=starts or work.now, ends_at=ends or work.now, reason=str(form.reason.data),
                    seen_sequence=seen_version(),
                ),
            )  # fmt: skip
        if form.accepted:
            flash("The meeting is moved; calendars learn of it when they read again.", "success")
            return redirect(_to(body_id))
    elif not form.is_submitted():
        form.fill(meeting, own_zone())
    lead = "Only this meeting moves; times where you are." if meeting.series_id else "Times where you are."
    return _ask(shown, form, f"Move “{meeting.title}”", lead, "Move the meeting"), form.status


@blueprint.route("/committees/<int:body_id>/meetings/<string:key>/cancel", methods=["GET", "POST"])
@require(Permission.PROGRAMME_MANAGE)
def cancel_meeting(body_id: int, key: str) -> Any:
    shown, form = body(reader(), body_id, now()), CancelForm()
    meeting = find_meeting(reader(), _which(key), body_id)
    if form.validate_on_submit():
        command = services.CancelMeeting(
            which=meeting.which, reason=str(form.reason.data), seen_sequence=seen_version()
        )
        with form.refusals(), change() as work:
            services.cancel_meeting(work, command)
        if form.accepted:
            flash("The meeting is called off; calendars learn of it when they read again.", "success")
            return redirect(_to(body_id))
    elif not form.is_submitted():
        form.version.data = str(meeting.sequence)
    when = WORDS["short_moment"](meeting.starts_at)
    lead = f"{when}. Only this meeting is called off." if meeting.series_id else f"{when}."
    return _ask(shown, form, f"Call off “{meeting.title}”", lead, "Call the meeting off"), form.status


def _ask(shown: BodyView, form: Form, title: str, lead: str, label: str) -> str:
    return render_template("decisions/meeting_step.html", form=form, body=shown, title=title, lead=lead, label=label)

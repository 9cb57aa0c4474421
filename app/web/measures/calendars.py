"""The calendars of a site: when people work there, and the next one from a day on, with its reason."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, time, timedelta
from typing import Any

from flask import flash, redirect, render_template, url_for
from wtforms import DateField, HiddenField, StringField, TextAreaField, TimeField
from wtforms.validators import DataRequired, InputRequired, Length, Optional, StopValidation, ValidationError

from app.composition.request import now, reader
from app.queries.places import sites_seen
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import asked_key
from app.web.chosen import scope
from app.web.figures import on
from app.web.forms import Form
from app.web.measures.views import blueprint
from app.web.steps import form_step
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import NotFound
from erpcore.masterdata.calendars import (
    DAYS,
    Calendar,
    CalendarView,
    Hours,
    SetCalendar,
    calendar_on,
    calendars_of,
    set_calendars,
)


class CalendarForm(Form):
    """A week with hours, and single closed days."""

    seen = HiddenField()
    valid_from = DateField("Holds from", [InputRequired("Enter a day")])
    closed = TextAreaField("Closed days", [Length(max=4_000)], description="One day a line, as 2026-12-25")
    reason = StringField("Reason", [DataRequired("Say why"), Length(max=200)])

    def validate_closed(self, field: Any) -> None:
        """Each line is a day."""
        _days(field.data)

    def week(self) -> list[Hours | None]:
        """The hours of each day; a day without both is one of rest."""
        both = [(self[f"opens_{day}"].data, self[f"closes_{day}"].data) for day in range(len(DAYS))]
        return [None if opens is None or closes is None else (opens, closes) for opens, closes in both]


def _half_day(form: Any, field: Any) -> None:
    """An empty closing belongs to an empty opening."""
    if "".join(field.raw_data or ()).strip():
        return
    field.errors = []
    if form[field.name.replace("closes", "opens")].data is not None:
        raise StopValidation("Enter when it closes, or leave both empty for a day of rest")
    raise StopValidation


def _days(said: str | None) -> list[date]:
    found = []
    for line in (said or "").split():
        try:
            found.append(date.fromisoformat(line))
        except ValueError:
            raise ValidationError(f"{line[:20]} is no day; write it as 2026-12-25") from None
    return found


def _form(known: CalendarView | None, seen: int, tomorrow: date) -> Any:
    """The form with the hours that hold now."""
    week: Sequence[Hours | None] = known.week if known else (*[(time(8), time(17))] * 5, None, None)
    fields: dict[str, Any] = {}
    for number, (name, hours) in enumerate(zip(DAYS, week, strict=True)):
        fields[f"opens_{number}"] = TimeField(f"{name} opens", [Optional()], default=hours and hours[0])
        fields[f"closes_{number}"] = TimeField(f"{name} closes", [_half_day], default=hours and hours[1])
    return type("WeekForm", (CalendarForm,), fields)(
        data={
            "seen": str(seen), "valid_from": tomorrow,
            "closed": "\n".join(day.isoformat() for day in known.closed if day >= tomorrow) if known else "",
        }
    )  # fmt: skip


def _live() -> list[Any]:
    return [site for site in sites_seen(reader(), actor()) if site.realm == "live"]


@blueprint.get("/measures/calendars")
@require(Permission.MEASURE_VIEW)
def show_calendars() -> str:
    sites = _live()
    here = scope().site
    asked = asked_key("site") or (here.live_id if here else None)
    chosen = next((site for site in sites if site.id == asked), None)
    if asked_key("site") is not None and chosen is None:
        raise NotFound("not_found")
    chosen = chosen or (sites[0] if sites else None)
    told = calendars_of(reader(), [chosen.id]) if chosen else []
    today = local_day(now(), chosen.time_zone) if chosen else None
    return render_template(
        "measures/calendars.html", sites=sites, chosen=chosen, told=told, days=DAYS,
        holding=calendar_on(told, today) if today else None,
    )  # fmt: skip


@blueprint.route("/measures/calendars/<int:site_id>", methods=["GET", "POST"])
@require(Permission.MASTERDATA_CHANGE, site="site_id")
def set_calendar(site_id: int) -> Any:
    site = next((one for one in _live() if one.id == site_id), None)
    if site is None:
        raise NotFound("not_found")
    told = calendars_of(reader(), [site_id])
    today = local_day(now(), site.time_zone)
    form = _form(calendar_on(told, today), len(told), today + timedelta(days=1))
    if form.validate_on_submit():
        calendar = Calendar(valid_from=form.valid_from.data, week=form.week(), closed=_days(form.closed.data))
        seen = int(form.seen.data) if str(form.seen.data).isdecimal() else 0
        with form_step(form, realm="live") as work:
            set_calendars(work, [SetCalendar(site=site_id, calendar=calendar, reason=str(form.reason.data), seen=seen)])
        if form.accepted:
            flash(f"The calendar is told and holds from {on(calendar.valid_from)} on.", "success")
            return redirect(url_for("measures.show_calendars", site=site_id))
    return render_template("measures/calendar.html", site=site, form=form, days=DAYS, first=not told), form.status

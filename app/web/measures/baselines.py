"""What figures read before the programme, who answers for them, and what one figure costs another."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from flask import flash, redirect, render_template, url_for
from wtforms import BooleanField, DateField, IntegerField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from app.composition import baselines as services
from app.composition.request import change, now, reader
from app.queries.baselines import baseline_desk, owner_desk, trade_off_page
from app.queries.measures_pages import Place, places
from app.queries.steer import people_picks
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.fields import ExactField
from app.web.forms import Form, choices
from app.web.measures import show_baselines as show_as
from app.web.measures.views import WORDS, asked, blueprint
from app.web.once import KeyedForm
from erpcore.kernel.errors import NotFound
from readiness.measures.baselines import NameOwner, TypeBaseline, history
from readiness.measures.catalogue import MEASURES, find_figure
from readiness.measures.reading import Unit, from_shown

_ALL = 0
_REALMS = {"legacy": "Legacy: events of the replaced system", "live": "Live", "rehearsal": "Rehearsal"}


class _BaselineForm(KeyedForm):
    site = SelectField("For", coerce=int)
    period_from = DateField("From", [InputRequired("Choose the first day")])
    period_until = DateField("Until before", [InputRequired("Choose the day after the last")])
    method = TextAreaField(
        "Method", [InputRequired("Say how it was measured"), Length(max=2000)],
        description="What was counted, and what was left out.",
    )  # fmt: skip

    def place(self, sites: list[Place]) -> None:
        """All sites together, or one of those that the person sees."""
        whole = [] if actor().sites is not None else [(_ALL, "All sites together")]
        self.site.choices = choices([*whole, *((site.id, site.name) for site in sites)])


class TakeForm(_BaselineForm):
    """A figure computed over a period of a realm."""

    realm = SelectField("Read from", choices=choices(_REALMS.items()))


class TypeForm(_BaselineForm):
    """A figure from elsewhere, with its source."""

    value = ExactField("Value", [InputRequired("Enter what it read")], places=4)
    count = IntegerField("Documents behind it", [Optional(), NumberRange(0, 10**15)])
    completeness = IntegerField(
        "Complete to, %", [InputRequired("Say how complete it is"), NumberRange(0, 100)],
        description="How much of the period's business the figure covers.",
    )  # fmt: skip
    source = StringField(
        "Source", [InputRequired("Name the source"), Length(max=500)], description="Report, extract or study, with its date."
    )  # fmt: skip
    is_comparable = BooleanField("Made by the same formula", description="Only then may a relative mark stand on it.")
    why_not = StringField(
        "What differs", [Optional(), Length(max=500)], description="Where it was made in another way."
    )


class OwnerForm(Form):
    """Who answers for a measure."""

    person = SelectField("Answers for it", coerce=int)
    reason = StringField("Reason", [InputRequired("Say why"), Length(max=500)])


@blueprint.get("/measures/baselines")
@require(Permission.MEASURE_VIEW)
def show_baselines() -> str:
    desk = baseline_desk(reader(), actor())
    return render_template("measures/baselines.html", desk=desk, show_as=show_as, **WORDS)


@blueprint.get("/measures/<key>/baseline")
@require(Permission.MEASURE_VIEW)
def show_baseline(key: str) -> str:
    figure = find_figure(key)
    sites, _ = places(reader(), actor(), "live")
    known = {site.id: site.name for site in sites}
    records = [one for one in history(reader(), key) if one.site is None or one.site in known]
    return render_template(
        "measures/baseline.html", figure=figure, title=show_as.figure_title(figure), records=records, known=known, show_as=show_as,
        **WORDS,
    )  # fmt: skip


@blueprint.route("/measures/<key>/baseline/take", methods=["GET", "POST"])
@require(Permission.BASELINE_RECORD)
def take_baseline(key: str) -> Any:
    """Computed by the measure's own formula: nothing is typed but the period."""
    figure, form = find_figure(key), TakeForm()
    form.place(places(reader(), actor(), "live")[0])
    if form.validate_on_submit():
        command = services.TakeBaseline(
            figure=key, realm=str(form.realm.data), site=form.site.data or None, period_from=_day(form.period_from),
            period_until=_day(form.period_until), method=str(form.method.data),
        )  # fmt: skip
        with form.refusals(), change() as work:
            form.once(work, lambda: services.take_baseline(work, command).id)
        if form.accepted:
            flash("The baseline is taken; it stands beside every reading from now on.", "success")
            return redirect(url_for("measures.show_baseline", key=key))
    return _form_page(
        form, figure, "Take a baseline", "Computed from the events of that time, by the formula of every later reading"
    )


@blueprint.route("/measures/<key>/baseline/type", methods=["GET", "POST"])
@require(Permission.BASELINE_RECORD)
def type_baseline(key: str) -> Any:
    """In the unit that the figure is shown in."""
    figure, form = find_figure(key), TypeForm()
    form.place(places(reader(), actor(), "live")[0])
    if form.validate_on_submit():
        command = TypeBaseline(
            figure=key, site=form.site.data or None, value=from_shown(Decimal(form.value.data), Unit(figure.measure.unit)),
            period_from=_day(form.period_from), period_until=_day(form.period_until),
            completeness=Decimal(form.completeness.data or 0) / 100, method=str(form.method.data), source=str(form.source.data),
            is_comparable=bool(form.is_comparable.data), why_not=str(form.why_not.data or ""), count=form.count.data,
        )  # fmt: skip
        with form.refusals(), change() as work:
            form.once(work, lambda: services.record_typed(work, command).id)
        if form.accepted:
            flash("The baseline is kept; it stands beside every reading from now on.", "success")
            return redirect(url_for("measures.show_baseline", key=key))
    return _form_page(form, figure, "Enter a baseline", "A figure from elsewhere, with its source; it is kept for good")


def _day(field: Any) -> date:
    found: date = field.data
    return found


def _form_page(form: _BaselineForm, figure: Any, title: str, lead: str) -> Any:
    unit = "" if figure.measure.unit in {Unit.COUNT, Unit.RATIO, Unit.MONEY} else figure.measure.unit.value
    return render_template(
        "measures/baseline_form.html", form=form, figure=figure, title=title, lead_text=lead, unit=unit,
        name=show_as.figure_title(figure),
    ), form.status  # fmt: skip


@blueprint.get("/measures/owners")
@require(Permission.MEASURE_VIEW)
def show_owners() -> str:
    return render_template("measures/owners.html", rows=owner_desk(reader()))


@blueprint.route("/measures/owners/<measure>", methods=["GET", "POST"])
@require(Permission.MEASURE_OWNER_NAME)
def name_owner(measure: str) -> Any:
    found = MEASURES.get(measure)
    if found is None:
        raise NotFound("measure_unknown", measure=measure)
    form = OwnerForm()
    form.person.choices = choices([(_ALL, "Nobody"), *people_picks(reader())])
    if form.validate_on_submit():
        with form.refusals(), change() as work:
            services.say_who_answers(
                work, NameOwner(measure=measure, person=form.person.data or None, reason=str(form.reason.data))
            )
        if form.accepted:
            flash(f"It is kept who answers for {found.title}.", "success")
            return redirect(url_for("measures.show_owners"))
    return render_template("measures/owner.html", form=form, measure=found), form.status


@blueprint.get("/measures/trade-offs")
@require(Permission.MEASURE_VIEW)
def trade_offs() -> str:
    """Fill, promise, speed and margin beside each other: what helps one may cost another."""
    wanted = asked()
    page = trade_off_page(reader(), wanted, actor(), now())
    return render_template(
        "measures/trade_offs.html", page=page, wanted=wanted, charts=show_as.trade_charts(page, wanted), show_as=show_as, at=now(), **WORDS
    )  # fmt: skip

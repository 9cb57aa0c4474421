"""The forms of a wave."""

from __future__ import annotations

from wtforms import DateField, HiddenField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from app.web.forms import Form


class StepForm(Form):
    """A step that is kept with its reason."""

    version = HiddenField()
    reason = TextAreaField(
        "Reason", [InputRequired("Say why"), Length(max=2000)], description="Stands in the history of the wave."
    )


class DatesForm(Form):
    """Other dates for a wave that is not live yet."""

    version = HiddenField()
    go_live_on = DateField("Go-live", [InputRequired("Choose the day")])
    hypercare_until = DateField(
        "Support until", [InputRequired("Choose the day")], description="The first day without close support."
    )
    reason = TextAreaField("Reason", [InputRequired("Say why the dates move"), Length(max=2000)])
    blackout_reason = StringField(
        "Reason for going live in a blackout", [Optional(), Length(max=500)],
        description="Only where the new day lies in one.",
    )  # fmt: skip

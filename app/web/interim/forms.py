"""The forms of the interim state."""

from __future__ import annotations

from wtforms import DateField, HiddenField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length

from app.web.forms import Form, choices
from app.web.once import KeyedForm
from governance.interim.kinds import Direction, Master

MASTERS = {
    Master.LEGACY: "The old system", Master.OURS: "The core", Master.BOTH: "Both, by a rule",
}  # fmt: skip
DIRECTIONS = {
    Direction.TO_US: "From the old system to the core", Direction.TO_LEGACY: "From the core to the old system",
    Direction.BOTH_WAYS: "Both ways",
}  # fmt: skip
NOBODY = 0


class MapForm(Form):
    """Who masters it."""

    master = RadioField(
        "Mastered by", [InputRequired("Choose one")], choices=choices((key.value, text) for key, text in MASTERS.items())
    )  # fmt: skip
    rule = TextAreaField("Rule", [Length(max=2000)], description="Where both may write: whose word counts when.")
    evidence = TextAreaField(
        "Evidence", [Length(max=2000)], description="Where this was agreed or tried: minutes, test, rehearsal."
    )
    version = HiddenField()


class InterfaceForm(KeyedForm):
    """A temporary interface."""

    name = StringField("Name", [InputRequired("Name it"), Length(max=200)])
    direction = SelectField("Carries", choices=choices((key.value, text) for key, text in DIRECTIONS.items()))
    frequency = StringField("How often", [InputRequired("Say how often"), Length(max=120)])
    owner = SelectField("Looks after it", coerce=int)
    ends_on = DateField("Last day", [InputRequired("Choose the day")])
    when_it_stops = TextAreaField("What follows when it stops", [InputRequired("Say what follows"), Length(max=2000)])


class ChangeForm(Form):
    """Another owner, or another last day."""

    owner = SelectField("Looks after it", coerce=int)
    ends_on = DateField("Last day", [InputRequired("Choose the day")])
    reason = StringField("Reason", [InputRequired("Say why"), Length(max=1000)])
    version = HiddenField()


class EndForm(Form):
    """It carries nothing any more."""

    reason = StringField("Reason", [InputRequired("Say why"), Length(max=1000)])
    version = HiddenField()

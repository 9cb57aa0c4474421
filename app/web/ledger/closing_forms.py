"""The forms of the close room: begin, a task, its owner, its evidence, a finding taken as it is, a lock."""

from __future__ import annotations

from wtforms import DateField, HiddenField, IntegerField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from app.web.areas import MOST_KEY
from app.web.figures import heading
from app.web.forms import Form, choices
from erpcore.ledger.kinds import JournalKind, Strength

_REASON = [DataRequired("Say why"), Length(max=300)]


class StartForm(Form):
    until = DateField(
        "Close the days before", [InputRequired("Enter a day")], description="The first day after the period"
    )


class ReasonForm(Form):
    reason = StringField("Reason", _REASON)
    version = HiddenField()


class AddTaskForm(Form):
    called = {"due_on": "due"}  # noqa: RUF012  # what the base class reads
    name = StringField("What has to be done", [DataRequired("Say what has to be done"), Length(max=200)])
    due = DateField("Until", [InputRequired("Enter a day")])
    owner = SelectField("Owner", coerce=int)


class AssignForm(Form):
    called = {"due_on": "due"}  # noqa: RUF012  # what the base class reads
    owner = SelectField("Owner", coerce=int)
    due = DateField("Until", [InputRequired("Enter a day")])


class DoneForm(Form):
    evidence = TextAreaField(
        "Evidence", [Length(max=2000)], description="On what it rests: a report, a list, who looked at what"
    )
    journal = IntegerField(
        "Journal by hand",
        [Optional(), NumberRange(1, MOST_KEY - 1)],
        description="Its number, where one was written for it",
    )


class LockForm(Form):
    journal = SelectField("Journal", choices=choices((one.value, heading(one.value)) for one in JournalKind))
    strength = SelectField(
        "Lock",
        choices=choices(
            [(Strength.SOFT.value, "Soft: only Finance posts"), (Strength.HARD.value, "Hard: nobody posts")]
        ),
    )
    until = DateField(
        "Locked before",
        [InputRequired("Enter a day")],
        description="The first day that stays open; an earlier one gives days free",
    )
    reason = StringField("Reason", _REASON)

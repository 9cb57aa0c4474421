"""The forms of design questions: asking one, deciding it, withdrawing it or opening it again, and another day."""

from __future__ import annotations

from wtforms import DateField, HiddenField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length

from app.web.fields import ChecksField
from app.web.forms import Form, choices
from app.web.once import KeyedForm
from erpcore.kernel.errors import RuleBroken
from erpcore.ports import POLICY_POINTS
from governance.processes.content import lines
from governance.questions.services import LONGEST_TEXT, LONGEST_TITLE, Option


class AskForm(KeyedForm):
    """A new question."""

    title = StringField("Title", [InputRequired("Give it a title"), Length(max=LONGEST_TITLE)])
    question = TextAreaField(
        "Question", [InputRequired("Say what is asked"), Length(max=LONGEST_TEXT)],
        description="So that somebody who was not there can decide it.",
    )  # fmt: skip
    process_code = SelectField("Process")
    options = TextAreaField(
        "Options", [InputRequired("Name the options"), Length(max=LONGEST_TEXT)],
        description="One on each line, two at least: what is done, a colon, what follows from it.",
    )  # fmt: skip
    impact = TextAreaField(
        "Impact", [Length(max=LONGEST_TEXT)], description="What waits for the answer, and what a late one costs."
    )
    decider = SelectField("Who decides", coerce=int)
    due_on = DateField("Until", [InputRequired("Choose the last day")])
    site = SelectField("Site", coerce=int, default=0)
    channel = SelectField("Channel", coerce=int, default=0)
    steps = TextAreaField(
        "Steps it bears on", [Length(max=LONGEST_TEXT)], description="One on each line, as order_to_cash.release."
    )
    points = ChecksField(
        "Policy points", choices=choices((point.name, point.title) for point in POLICY_POINTS.values())
    )

    def read_options(self) -> tuple[Option, ...]:
        """The options as typed; raises ``RuleBroken`` for a line without a colon."""
        out = []
        for line in lines(self.options.data or ""):
            title, colon, follows = line.partition(":")
            if not colon:
                raise RuleBroken("option_incomplete", field="options")
            out.append(Option(title=title.strip(), consequences=follows.strip()))
        return tuple(out)


class DecideForm(Form):
    """The option that is chosen, and why."""

    version = HiddenField()
    option = RadioField("Decision", [InputRequired("Choose an option")], coerce=int)
    reason = TextAreaField("Reason", [InputRequired("Say why"), Length(max=LONGEST_TEXT)])


class MoveForm(Form):
    """Withdrawing, or opening again."""

    version = HiddenField()
    why = TextAreaField("Reason", [InputRequired("Say why"), Length(max=LONGEST_TEXT)])
    called = {"reason": "why"}  # noqa: RUF012 - as the base declares it


class PutOffForm(Form):
    """Another day."""

    due_on = DateField("Until", [InputRequired("Choose the last day")])
    reason = TextAreaField("Reason", [InputRequired("Say why"), Length(max=LONGEST_TEXT)])

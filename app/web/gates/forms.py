"""The forms of a gate: asking for a waiver, deciding on one, and stating what no figure shows."""

from __future__ import annotations

from datetime import date, datetime

from wtforms import DateField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from app.web.forms import Form, choices
from app.web.once import KeyedForm
from app.web.signed_in import visitor
from erpcore.kernel.clock import day_end


class WaiverForm(KeyedForm):
    """Passing over a criterion for a time."""

    rationale = TextAreaField("Why it may be passed over", [InputRequired("Say why"), Length(max=4000)])
    mitigation = TextAreaField(
        "What is done meanwhile", [InputRequired("Say what is done meanwhile"), Length(max=4000)]
    )
    owner = SelectField("Who does it", coerce=int)
    until = DateField("Until", [InputRequired("Choose the last day")], description="The last day; it lapses by itself.")


class DecideForm(Form):
    """Granting or refusing a waiver in the name of a body one sits on."""

    answer = RadioField(
        "Answer",
        [InputRequired("Choose one")],
        choices=choices([("grant", "Grant the waiver"), ("refuse", "Refuse it")]),
    )
    body = SelectField("In the name of")
    reason = TextAreaField("Reason", [Optional(), Length(max=4000)], description="Needed to refuse.")


class EndForm(Form):
    """Ending a waiver early, or taking a request back."""

    body = SelectField("In the name of")
    reason = TextAreaField("Reason", [InputRequired("Say why"), Length(max=4000)])


class AttestForm(KeyedForm):
    """A statement in place of a figure."""

    holds = RadioField(
        "It is", [InputRequired("Choose one")], choices=choices([("yes", "Met"), ("no", "Not met")])
    )  # fmt: skip
    statement = TextAreaField("Statement", [InputRequired("Write what you attest"), Length(max=4000)])
    document = StringField(
        "Document", [Optional(), Length(max=200)], description="Number or title of the paper behind it."
    )
    until = DateField("Valid until", [Optional()], description="Empty: it does not lapse.")


def end_of(day: date) -> datetime:
    """The end of a day where the person is."""
    person = visitor()
    return day_end(day, person.time_zone if person else "UTC")

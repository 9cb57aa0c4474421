"""The forms of a decision: putting a question, voting, recusing, conditions, and what a person does with a go."""

from __future__ import annotations

from datetime import UTC, datetime

from wtforms import (
    DateField,
    DateTimeLocalField,
    HiddenField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from app.web.forms import Form
from app.web.once import KeyedForm
from app.web.signed_in import own_zone
from erpcore.kernel.clock import zone


class QuestionForm(KeyedForm):
    """A question about a wave to a body."""

    body = SelectField("Who decides", coerce=int)
    title = StringField("Title", [InputRequired("Give it a title"), Length(max=200)])
    question = TextAreaField(
        "Question", [InputRequired("Enter the question as it would be read out"), Length(max=4000)],
        description="As the committee would read it out, to be answered with go or no-go.",
    )  # fmt: skip
    closes_at = DateTimeLocalField(
        "The vote closes", [InputRequired("Choose when the vote closes")], format="%Y-%m-%dT%H:%M"
    )
    effective_at = DateTimeLocalField(
        "A go takes effect", [Optional()], format="%Y-%m-%dT%H:%M", description="Empty: at once, when the vote is closed.",
    )  # fmt: skip


class VoteForm(KeyedForm):
    """One seat's vote. ``terms`` is what the person has seen."""

    seat = HiddenField()
    terms = HiddenField()
    choice = RadioField("Your vote", [InputRequired("Choose one")])
    postpone_to = DateField("Postpone to", [Optional()])
    waivers = SelectMultipleField(
        "A go over these waivers names them",
        coerce=int,
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )
    reason = TextAreaField(
        "Reason", [Length(max=4000)], description="Required for all but a plain go; stands in the log."
    )


class RecuseForm(Form):
    """Taking a seat out of this decision."""

    reason = TextAreaField("Why you take no part", [InputRequired("Say why"), Length(max=2000)])


class ConditionForm(KeyedForm):
    """What a conditional go asks of somebody."""

    text = StringField("What", [InputRequired("Say what has to be done"), Length(max=2000)])
    check = StringField("How one sees that it is met", [InputRequired("Say how one sees it"), Length(max=2000)])
    owner = SelectField("Who", coerce=int)
    due_on = DateField("Until", [InputRequired("Choose the last day")])


class SettleForm(Form):
    """Saying that a condition is met."""

    evidence = TextAreaField("How one sees it", [InputRequired("Say how one sees it"), Length(max=4000)])


class ReasonForm(Form):
    """Something that is only done with a reason."""

    reason = TextAreaField("Reason", [InputRequired("Say why"), Length(max=4000)])


class DelegateForm(KeyedForm):
    """Letting somebody else act for a seat for a while."""

    delegate = SelectField("Delegate", coerce=int)
    valid_from = DateField("From", [InputRequired("Choose the first day")])
    valid_until = DateField("Until", [InputRequired("Choose the last day")])
    reason = StringField("Reason", [InputRequired("Say why"), Length(max=2000)])


def instant(local: datetime | None) -> datetime | None:
    """What a person typed where they are, as an instant."""
    if local is None:
        return None
    return local.replace(tzinfo=zone(own_zone())).astimezone(UTC)

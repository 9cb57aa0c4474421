"""The forms of shortages: which way, which substitute, and the answer to one that was asked for."""

from __future__ import annotations

from wtforms import HiddenField, IntegerField, RadioField, StringField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange

from app.web.forms import Form, choices


class WayForm(Form):
    option = RadioField("What to do", [InputRequired("Choose one")], validate_choice=False)
    reason = StringField("Reason", [DataRequired("Say why this one"), Length(max=500)])
    version = HiddenField()


class SubstituteForm(Form):
    item = StringField("Item", [DataRequired("Enter the item's code"), Length(max=120)])
    substitute = StringField("May be sent instead", [DataRequired("Enter the item's code"), Length(max=120)])
    rank = IntegerField(
        "Rank", [InputRequired("Enter a number"), NumberRange(1, 99)], default=1, description="1 is offered first"
    )


class AnswerForm(Form):
    verdict = RadioField(
        "Answer",
        [InputRequired("Choose one")],
        choices=choices([("approve", "Send it instead"), ("decline", "Leave the order as it is")]),
    )
    reason = StringField("Reason", [DataRequired("Say why"), Length(max=500)])

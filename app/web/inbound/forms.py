"""What people type or scan when goods come, are put away and counted."""

from __future__ import annotations

from wtforms import BooleanField, DateField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, Optional

from app.web.fields import QuantityField
from app.web.forms import Form
from app.web.once import KeyedForm


class ReceiveForm(KeyedForm):
    """What came of what was expected."""

    quantity = QuantityField("Came", [InputRequired("Enter how many came")])
    damaged = QuantityField("Of these damaged", [Optional()])
    paper = StringField("Delivery note", [DataRequired("Enter the number of the delivery note"), Length(max=200)])
    lot = StringField("Lot", [Length(max=120)])
    expires_on = DateField("Last day", [Optional()])
    serials = TextAreaField("Serial numbers, one a line", [Length(max=20_000)])
    last = BooleanField("Nothing more of it comes")


class PutAwayForm(KeyedForm):
    """To where the goods were brought."""

    location = StringField("Scan the location", [Length(max=120)])
    quantity = QuantityField("How many", [InputRequired("Enter how many")])


class FoundForm(Form):
    """What lies there."""

    found = QuantityField("Found", [InputRequired("Enter what was found, 0 when there is nothing")])


class VerdictForm(Form):
    """Why the difference is booked or counted once more."""

    note = StringField("Reason", [DataRequired("Say why"), Length(max=200)])

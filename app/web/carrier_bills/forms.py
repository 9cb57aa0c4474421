"""The forms of carriers' bills: a bill with its file or its lines, which shipment a line is about, and why."""

from __future__ import annotations

from flask_wtf.file import FileField
from wtforms import DateField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, Optional

from app.web.fields import ExactField
from app.web.forms import Form


class BillForm(Form):
    """A bill as the carrier sent it."""

    carrier = SelectField("Carrier", coerce=int)
    site = SelectField("Site that looks after it", coerce=int)
    number = StringField("Number of the bill", [DataRequired("Enter the number that stands on it"), Length(max=120)])
    billed_on = DateField("Date of the bill", [InputRequired("Enter the day that stands on it")])
    due_on = DateField("Payable until", [Optional()])
    total = ExactField(
        "Total with tax", [InputRequired("Enter what is asked altogether")], places=4,
        description="As it stands on the bill; the lines have to make it.",
    )  # fmt: skip
    file = FileField(
        "File of its lines", description="CSV or a workbook with the columns shipment, amount, tax and text."
    )
    lines = TextAreaField(
        "Or its lines", [Optional(), Length(max=100_000)], render_kw={"rows": 5},
        description="One a line: tracking number or shipment; amount without tax; tax; text. The last two may be left out.",
    )  # fmt: skip


class ShipmentForm(Form):
    """Which shipment of ours a line is about."""

    number = StringField(
        "Its number", [Length(max=120)], description="Left empty, the line’s own number says it again."
    )


class WhyForm(Form):
    """Something that needs a reason."""

    reason = StringField("Reason", [DataRequired("Say why"), Length(max=500)])

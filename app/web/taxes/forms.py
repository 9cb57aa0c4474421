"""The forms of tax rules: a new one from a day on, and the day on which one ends."""

from __future__ import annotations

from wtforms import BooleanField, DateField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from app.web.fields import ExactField
from app.web.forms import Form, choices
from app.web.once import KeyedForm

#: The kinds of EN 16931, as people call them.
CATEGORIES = {
    "S": "Standard or reduced rate", "Z": "Zero rate", "E": "Exempt", "AE": "Reverse charge", "K": "Intra-Community supply",
    "G": "Export", "O": "Outside the scope",
}  # fmt: skip


class RuleForm(KeyedForm):
    """A rule; an empty country or class stands for every one."""

    entity = SelectField("Company", coerce=int)
    code = StringField(
        "Code", [DataRequired("Give it a code"), Length(max=24)], description="As the invoice shows it, e.g. DE-19"
    )
    country = StringField(
        "To country", [DataRequired("Enter the country of destination, or * for every one"), Length(max=64)]
    )
    ship_from = StringField("From country", [Length(max=64)], description="Empty: from every one")
    customer_tax_class = StringField("Tax class of the customer", [Length(max=24)], description="Empty: every class")
    item_tax_class = StringField("Tax class of the item", [Length(max=24)], description="Empty: every class")
    category = SelectField("Kind", choices=choices(CATEGORIES.items()))
    percent = ExactField(
        "Rate in percent", [InputRequired("Enter the rate"), NumberRange(0, 99, "Enter a rate from 0 to 99")], places=4
    )
    sentence = TextAreaField(
        "Sentence on the invoice", [Length(max=500)], description="Needed where no tax is charged but at the zero rate"
    )
    registration = StringField(
        "Only where we are registered in", [Length(max=64)], description="Empty: wherever we are"
    )
    needs_number = BooleanField("Only for customers with a tax number at the destination")
    valid_from = DateField("Holds from", [InputRequired("Enter its first day")])
    valid_until = DateField("Ends on", [Optional()], description="The first day on which it holds no more; empty: open")


class EndForm(Form):
    """The day on which a rule ends."""

    until = DateField(
        "Ends on", [InputRequired("Enter the day")], description="The first day on which it holds no more"
    )

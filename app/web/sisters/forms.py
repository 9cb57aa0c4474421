"""The forms of goods between companies."""

from __future__ import annotations

from typing import ClassVar

from wtforms import DateField, HiddenField, SelectField, StringField
from wtforms.validators import DataRequired, InputRequired, Length, Optional

from app.web.fields import PriceField, QuantityField
from app.web.forms import Form
from app.web.once import KeyedForm


class SendForm(KeyedForm):
    """An item for a site of another company."""

    called: ClassVar = {"lines-0-item": "item", "lines-0-quantity": "quantity", "lines-0-price": "price"}

    to_site = SelectField("To", coerce=int)
    arrives_on = DateField("Arrives on", [InputRequired("Say when it arrives")])
    item = StringField("Item", [DataRequired("Enter the item's code"), Length(max=120)])
    quantity = QuantityField("Quantity", [InputRequired("Enter how many")])
    price = PriceField(
        "Transfer price of a unit", [Optional()], description="In the currency of the company that sends; empty: at its standard cost"
    )  # fmt: skip
    note = StringField("Note", [Length(max=200)])


class TurnForm(Form):
    """Why both sides are turned back."""

    reason = StringField("Reason", [DataRequired("Say why"), Length(max=200)])
    seen = HiddenField()


class CounterpartForm(Form):
    """The code of the same goods at another company."""

    called: ClassVar = {"item": "code", "counterpart": "code"}

    entity = SelectField("Company", coerce=int)
    code = StringField("Its item", [DataRequired("Enter the item's code there"), Length(max=120)])

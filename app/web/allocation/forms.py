"""Forms of scarce stock."""

from __future__ import annotations

from wtforms import DateField, HiddenField, SelectField, StringField
from wtforms.validators import DataRequired, InputRequired, Length, Optional

from app.web.fields import QuantityField
from app.web.forms import Form
from app.web.once import KeyedForm


class SimulateForm(KeyedForm):
    """Look at a site, or one item of it."""

    site = HiddenField()
    item = HiddenField()


class AsideForm(Form):
    """Why a run is put aside. The field has a name of its own, since it stands on a page with another form."""

    why = StringField("Reason", [DataRequired("Say why"), Length(max=500)])


class MoveForm(Form):
    """Another rank for a line of a run, and why."""

    line = SelectField("Line", validate_choice=False, coerce=str)
    rank = StringField("Rank", [InputRequired("Enter 1 for the first"), Length(max=6)])
    reason = StringField("Reason", [DataRequired("Say why"), Length(max=500)])


class TakeBackForm(KeyedForm):
    """From whom, for whom, how much, and why."""

    from_line = SelectField("Take from", validate_choice=False, coerce=str)
    to_line = SelectField("Give to", validate_choice=False, coerce=str)
    quantity = QuantityField("Quantity", [InputRequired("Enter how much")])
    reason = StringField("Reason", [DataRequired("Say why"), Length(max=500)])
    called = {"line": "from_line", "to": "to_line"}  # noqa: RUF012  # as in the base class


class DecideForm(Form):
    """Agree or not."""

    note = StringField("Note", [Length(max=500)])


class ProtectForm(KeyedForm):
    """So much of an item is kept for a customer by contract."""

    site = SelectField("Site", validate_choice=False, coerce=str)
    item = StringField("Item", [DataRequired("Enter the item's code"), Length(max=60)])
    customer = StringField("Customer", [DataRequired("Enter the customer's code"), Length(max=60)])
    quantity = QuantityField("Quantity", [InputRequired("Enter how much")])
    contract = StringField("Contract", [DataRequired("Name the contract"), Length(max=120)])
    valid_from = DateField("From", [InputRequired("Enter the first day")])
    valid_until = DateField("Until before", [Optional()])


class PromiseForm(Form):
    """Another promise for the chosen lines: a day, or what comes decides."""

    day = DateField("Promised day", [Optional()])
    reason = StringField("Reason", [DataRequired("Say why"), Length(max=500)])

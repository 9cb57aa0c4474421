"""The forms of shipments: what a packer scans, with whom it travels, what the carrier reports."""

from __future__ import annotations

from wtforms import DateField, HiddenField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, Optional

from app.web.fields import PriceField, QuantityField
from app.web.floor.forms import SCAN
from app.web.forms import Form, choices
from app.web.once import KeyedForm


class OpenForm(KeyedForm):
    """Which kind of carton is next."""

    carton_type = SelectField("Carton", coerce=int)


class PutForm(KeyedForm):
    """What was scanned goes into the open carton. ``before``: how much of all was packed when the page was made."""

    scanned = StringField(
        "Scan the item", [DataRequired("Scan the item, or type its code"), Length(max=120)], render_kw=SCAN
    )
    quantity = QuantityField("Quantity", [InputRequired("Enter how many")])
    before = HiddenField(validators=[Length(max=20)])


class CloseForm(Form):
    """What the scale says."""

    weight_kg = QuantityField("Weight", [InputRequired("Weigh the carton")])


class AllForm(KeyedForm):
    """Everything that is left into one carton, weighed."""

    carton_type = SelectField("Carton", coerce=int)
    weight_kg = QuantityField("Weight", [InputRequired("Weigh the carton")])


class ShipForm(Form):
    """With whom it leaves."""

    tracking_number = StringField("Scan the tracking number", [Length(max=80)], render_kw=SCAN)
    service = SelectField("Service", coerce=int)
    weight_kg = QuantityField("Weight", [Optional()], description="Needed for the freight where nothing was packed")
    premium_reason = StringField("Why a dearer service", [Length(max=200)])


class TroubleForm(Form):
    """What the carrier reports, and who looks after it."""

    kind = SelectField(
        "What happened", choices=choices([("delayed", "Delayed"), ("refused", "Refused"), ("lost", "Lost")])
    )
    reason = StringField("Reason", [DataRequired("Say what the carrier says"), Length(max=200)])
    expected_on = DateField("Expected on", [Optional()])
    owner = StringField(
        "Who looks after it",
        [Length(max=120)],
        description="The sign-in name of a colleague who works here; empty: yourself",
    )


class OutcomeForm(Form):
    """What became of it."""

    resolution = TextAreaField("Outcome", [DataRequired("Say what became of it"), Length(max=400)])


class FreightForm(Form):
    """What the carrier charged."""

    amount = PriceField("Freight charged", [InputRequired("Enter what the carrier charged")])


class ProofForm(Form):
    """Who took the goods."""

    received_by = StringField("Received by", [DataRequired("Say who took the goods"), Length(max=200)])
    note = StringField("Note", [Length(max=400)])


class TakeBackForm(Form):
    """Why a shipment does not leave after all."""

    reason = StringField("Reason", [DataRequired("Say why it does not leave"), Length(max=200)])


class VoidForm(Form):
    """Why a carton is unpacked."""

    reason = StringField("Reason", [DataRequired("Say why"), Length(max=120)])

"""The forms of carriers: who drives, what they offer, when they collect, who goes with what."""

from __future__ import annotations

from typing import Any

from wtforms import BooleanField, DateField, IntegerField, SelectField, StringField, TimeField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from app.web.fields import PriceField, QuantityField
from app.web.forms import Form, choices

_CODE = [DataRequired("Enter a code"), Length(max=24)]
_NAME = [DataRequired("Enter a name"), Length(max=120)]


class CarrierForm(Form):
    entity = SelectField("Company", coerce=int)
    code = StringField("Code", _CODE)
    name = StringField("Name", _NAME)
    tracking_address = StringField(
        "Tracking address",
        [Length(max=300)],
        description="The carrier's own page, with {number} where the tracking number goes",
    )


class ServiceForm(Form):
    code = StringField("Code", _CODE)
    name = StringField("Name", _NAME)
    transit_days = IntegerField("Transit days", [InputRequired("Enter a number"), NumberRange(0, 99)], default=2)
    base_charge = PriceField("Charge per shipment", [InputRequired("Enter an amount")], default=0)
    per_kg = PriceField("Charge per kilogram", [InputRequired("Enter an amount")], default=0)
    most_kg = QuantityField("Carries at most, kg", [Optional()], description="Empty: any weight")
    label_format = SelectField("Label", choices=choices([("100x150", "100 × 150 mm"), ("a6", "A6"), ("a4", "A4")]))
    is_premium = BooleanField("Premium: taken by hand it needs a reason")


class RuleForm(Form):
    service = SelectField("Service", coerce=int)
    site = SelectField("From", coerce=int)
    channel = SelectField("Channel", coerce=int)
    country = StringField("To country", [Length(max=64)], description="As orders write it; empty: all")
    most_kg = QuantityField("Up to, kg", [Optional()], description="Empty: any weight")
    valid_from = DateField("Valid from", [InputRequired("Enter a day")])
    valid_until = DateField("Valid until", [Optional()])
    reason = StringField("Reason", [DataRequired("Say why"), Length(max=200)])


class EndForm(Form):
    until = DateField(
        "Holds until", [InputRequired("Enter a day")], description="The first day on which it does not hold"
    )


class CartonTypeForm(Form):
    entity = SelectField("Company", coerce=int)
    code = StringField("Code", _CODE)
    name = StringField("Name", _NAME)
    length_mm = IntegerField("Length, mm", [InputRequired("Enter a number"), NumberRange(1, 20_000)])
    width_mm = IntegerField("Width, mm", [InputRequired("Enter a number"), NumberRange(1, 20_000)])
    height_mm = IntegerField("Height, mm", [InputRequired("Enter a number"), NumberRange(1, 20_000)])
    tare_kg = QuantityField("Weighs empty, kg", [InputRequired("Enter a weight")])
    most_kg = QuantityField("Carries at most, kg", [Optional()])


def cut_off_form(weekdays: tuple[str, ...], known: dict[int, Any]) -> Any:
    """A time for each weekday; empty: no collection."""
    fields = {
        f"day_{number}": TimeField(name, [Optional()], default=known.get(number))
        for number, name in enumerate(weekdays)
    }
    return type("CutOffForm", (Form,), fields)()

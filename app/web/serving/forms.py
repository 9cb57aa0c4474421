"""The forms of service commitments, lanes and charges."""

from __future__ import annotations

from wtforms import BooleanField, DateField, IntegerField, SelectField, StringField, TimeField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from app.queries.charges import LEAVES
from app.queries.serving import DAYS
from app.web.fields import ChecksField, QuantityField
from app.web.forms import Form, choices

_DAYS = [InputRequired("Enter a number"), NumberRange(0, 365)]


class CommitmentForm(Form):
    site = SelectField("Site", coerce=int)
    channel = SelectField("Channel", coerce=int)
    group = SelectField("Customers", coerce=int)
    basis = SelectField(
        "The committed day is", choices=choices([("ship", "the day it leaves"), ("delivery", "the day it arrives")])
    )
    lead_days = IntegerField(
        "Lead time", _DAYS, default=2, description="Working days from the order to the day it leaves"
    )
    cut_off = TimeField("Cut-off", [Optional()], description="Orders after it count from the next working day")
    transit_days = IntegerField("On the way", _DAYS, default=0)
    early_days = IntegerField("Early is fine by", _DAYS, default=0)
    late_days = IntegerField("Late is fine by", _DAYS, default=0)
    weekdays = ChecksField(
        "Only on these days", coerce=int, choices=choices((1 << number, name) for number, name in enumerate(DAYS))
    )
    fill_target = QuantityField(
        "Fill target, %", [Optional()], places=1, description="The share of what is ordered to be met in time"
    )
    valid_from = DateField("Holds from", [InputRequired("Enter a day")])
    valid_until = DateField(
        "Until", [Optional()], description="The first day on which it does not hold; empty: until further notice"
    )


class LaneForm(Form):
    site = SelectField("From", coerce=int)
    country = StringField(
        "To country",
        [DataRequired("Enter a country"), Length(max=64)],
        description="As orders write it; * is every country",
    )
    transit_days = IntegerField("On the way", _DAYS, default=1)
    cost = QuantityField("Cost of a line", [InputRequired("Enter an amount")], places=2)


class ChargeForm(Form):
    entity = SelectField("Company", coerce=int)
    code = StringField("Code", [DataRequired("Enter a code"), Length(max=40)], description="As it is typed on an order")
    name = StringField("Name", [DataRequired("Enter a name"), Length(max=200)])
    kind = SelectField(
        "What it is",
        choices=choices([("charge", "a charge: freight, handling"), ("service", "a service: installation")]),
    )
    leaves = SelectField("Leaves, and is invoiced", choices=choices((str(key), said) for key, said in LEAVES.items()))
    is_rush = BooleanField("A rush costs this", description="Where the rules charge for a rush; one for each company")


class EndForm(Form):
    until = DateField(
        "Holds until", [InputRequired("Enter a day")], description="The first day on which it does not hold"
    )

"""The forms of suppliers: who they are, what they ask."""

from __future__ import annotations

from wtforms import BooleanField, IntegerField, SelectField, StringField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from app.web.fields import PriceField
from app.web.forms import Form


class SupplierForm(Form):
    entity = SelectField("Company", coerce=int)
    code = StringField("Code", [DataRequired("Enter a code"), Length(max=120)])
    name = StringField("Name", [DataRequired("Enter a name"), Length(max=300)])
    country = StringField("Country", [DataRequired("Enter a country"), Length(max=64)])
    lead_days = IntegerField(
        "Days to deliver", [InputRequired("Enter a number"), NumberRange(0, 730)], default=7,
        description="From the order to the goods, where an item says nothing else",
    )  # fmt: skip
    ships_direct = BooleanField("Sends goods straight to our customers")
    site = SelectField("Its works", coerce=int, description="The drop-ship site that stands for it, where there is one")


class OfferForm(Form):
    item = StringField("Item", [DataRequired("Enter the item's code"), Length(max=120)])
    price = PriceField("Price per unit", [InputRequired("Enter what it asks")])
    lead_days = IntegerField(
        "Days to deliver", [Optional(), NumberRange(0, 730)], description="Empty: as the supplier usually does"
    )
    supplier_code = StringField("Its own code", [Length(max=120)])
    rank = IntegerField(
        "Rank", [InputRequired("Enter a number"), NumberRange(1, 99)], default=1, description="1 is asked first"
    )

"""What people enter about an item, and about what is expected of it."""

from __future__ import annotations

from wtforms import DateField, HiddenField, IntegerField, SelectField, StringField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from app.web.fields import QuantityField
from app.web.forms import Form, choices
from erpcore.masterdata.units import MOST_PER_PACK

_KEPT = (("none", "by quantity"), ("lot", "by lot"), ("serial", "by serial number"))


class PackForm(Form):
    """A pack: so many of the item's own units."""

    code = StringField(
        "Code", [DataRequired("Enter a code"), Length(max=12)], description="As orders write it: box, pal"
    )
    name = StringField("Name", [DataRequired("Enter a name"), Length(max=120)])
    numerator = IntegerField(
        "Holds", [InputRequired("Enter how many"), NumberRange(1, MOST_PER_PACK, "Enter 1 to %(max)s")]
    )
    denominator = IntegerField(
        "Packs that hold so many together", [InputRequired("Enter how many"), NumberRange(1, MOST_PER_PACK, "Enter 1 to %(max)s")],
        default=1, description="1 unless a pack holds no whole number: 3 packs with 10 m together are 10 and 3",
    )  # fmt: skip
    barcode = StringField("Barcode on the pack", [Length(max=120)])


class KeepForm(Form):
    """How closely the warehouse knows the item, and how customers buy it."""

    tracking = SelectField("Tracked", choices=choices(_KEPT), validate_choice=False)
    order_multiple = QuantityField(
        "Sold in multiples of", [Optional()], description="Empty: any quantity that its unit allows"
    )


class ExpectedForm(Form):
    """Another day, or less to come."""

    version = HiddenField()
    expected_on = DateField("Comes on", [InputRequired("Enter a day")])
    cancelled = QuantityField(
        "Of it will not come", [InputRequired("Enter how many, 0 for none")],
        description="What is received already cannot be taken off",
    )  # fmt: skip

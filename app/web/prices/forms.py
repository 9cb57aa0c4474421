"""The forms of prices: one price, its end, a list, and the decision on a list."""

from __future__ import annotations

from typing import ClassVar

from flask_wtf.file import FileField, FileRequired
from wtforms import DateField, HiddenField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, Optional

from app.importers.pricelists import COLUMNS, ENDINGS, MOST_BYTES
from app.queries.prices import KINDS
from app.web.forms import Form, choices
from app.web.once import KeyedForm

_MEANS = {
    "contract": "Contract: signed with the customer or group", "customer": "Customer: offered to one customer",
    "promotion": "Promotion: for a time", "group": "Customer group", "channel": "Channel",
    "break": "Quantity break", "list": "List: what everybody pays",
}  # fmt: skip
_NUMBER = {"inputmode": "decimal", "autocomplete": "off"}


class PriceForm(KeyedForm):
    """A price in the columns of a list."""

    called: ClassVar = {"discount": "discount_percent", "file": "item"}
    entity = SelectField("Company", coerce=int)
    kind = SelectField("Kind", choices=choices((kind, _MEANS[kind]) for kind in KINDS), default="list")
    item = StringField("Item code", [Length(max=120)], description="Or an item group, for a discount.")
    item_group = SelectField("Item group", validate_choice=True)
    customer = StringField("Customer code", [Length(max=120)])
    customer_group = SelectField("Customer group")
    channel = SelectField("Channel")
    minimum_quantity = StringField("From quantity", [Length(max=30)], render_kw=_NUMBER)
    unit_price = StringField("Unit price", [Length(max=30)], render_kw=_NUMBER)
    discount_percent = StringField(
        "Or discount in %",
        [Length(max=30)],
        description="Of the list price that holds for the line.",
        render_kw=_NUMBER,
    )
    valid_from = DateField("First day", [InputRequired("Choose the first day")])
    valid_until = DateField("Until", [Optional()], description="The first day on which it no longer holds.")
    reference = StringField("Reference", [Length(max=120)], description="The contract, the offer, the campaign.")

    def row(self, currency: str) -> dict[str, str]:
        """As a row of a list."""
        typed = {name: str(self[name].data or "") for name in COLUMNS if name in self}
        return {**typed, "currency": currency}


class EndForm(Form):
    """The first day on which a rule no longer holds."""

    on = DateField(
        "Ends on", [InputRequired("Choose the day")], description="The first day on which it no longer holds."
    )


class ListForm(Form):
    """A file of prices."""

    entity = SelectField("Company", coerce=int)
    file = FileField(
        "File", [FileRequired("Choose a file")],
        description=f"CSV or a workbook (.xlsx) in the columns of the export, up to {MOST_BYTES // 1_000_000} MB.",
        render_kw={"accept": ",".join(ENDINGS)},
    )  # fmt: skip


class SettleForm(Form):
    """What becomes of a list. ``seen`` is the digest of the preview that stands on the page."""

    seen = HiddenField()
    reason = TextAreaField("Reason", [Length(max=500)], description="It stays with the list.")


class CheckForm(Form):
    """For whom, what, how much, when. Sent by GET, so it has no token."""

    class Meta(Form.Meta):
        """A question changes nothing."""

        csrf = False

    entity = SelectField("Company", coerce=int)
    item = StringField("Item code", [DataRequired("Enter the code of an item"), Length(max=120)])
    customer = StringField("Customer code", [Length(max=120)], description="Empty: anybody.")
    channel = SelectField("Channel", coerce=int, default=0)
    quantity = StringField("Quantity", [Length(max=30)], default="1", render_kw=_NUMBER)
    on = DateField("Day", [Optional()])

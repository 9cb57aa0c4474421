"""What people enter about where a customer's goods go."""

from __future__ import annotations

from datetime import date
from typing import Any

from wtforms import BooleanField, DateField, HiddenField, StringField
from wtforms.validators import DataRequired, InputRequired, Length, Optional

from app.queries.addresses import AddressFact
from app.web.forms import Form
from app.web.once import KeyedForm
from erpcore.masterdata.addresses import AddressContent


class AddressForm(KeyedForm):
    """One address. Street and city may come later; goods wait until they are there."""

    version = HiddenField()
    code = StringField(
        "Code", [DataRequired("Enter a code"), Length(max=40)], description="As orders name it: main, site 2"
    )
    name = StringField("Name at the door", [DataRequired("Enter the name"), Length(max=200)])
    street = StringField("Street and number", [Length(max=120)])
    postal_code = StringField("Postal code", [Length(max=16)])
    city = StringField("City", [Length(max=80)])
    region = StringField("Region", [Length(max=64)])
    country = StringField("Country", [DataRequired("Enter the country"), Length(max=64)])
    gln = StringField("GLN", [Length(max=13)], description="13 digits, where the customer has one")
    valid_from = DateField("Holds from", [InputRequired("Enter a day")])
    valid_until = DateField("Holds until", [Optional()], description="The first day on which it does not hold any more")
    is_default = BooleanField("The usual one", description="Orders take it unless another is chosen")
    needs_export_check = BooleanField("Goods there wait for an export check")

    def begin(self, address: AddressFact | None, today: date) -> None:
        """The fields as the address is; ``None``: a new one."""
        self.valid_from.data = today
        if address is None:
            return
        for name in ("code", "name", "street", "postal_code", "city", "region", "country", "gln", "is_default",
                     "needs_export_check", "valid_until"):  # fmt: skip
            self[name].data = getattr(address, name)
        self.version.data = str(address.version)

    def address(self) -> AddressContent:
        typed: dict[str, Any] = {
            name: self[name].data or ""
            for name in ("code", "name", "street", "postal_code", "city", "region", "country", "gln")
        }
        return AddressContent(
            **typed, is_default=bool(self.is_default.data), needs_export_check=bool(self.needs_export_check.data),
            valid_until=self.valid_until.data,
        )  # fmt: skip


class EndForm(Form):
    """The day from which nothing goes there."""

    version = HiddenField()
    on = DateField("From this day on nothing goes there", [InputRequired("Enter a day")])

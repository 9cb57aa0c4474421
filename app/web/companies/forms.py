"""What people enter about a company: its next address, and a tax number of it or of one of its customers."""

from __future__ import annotations

from datetime import date

from wtforms import DateField, HiddenField, SelectField, StringField
from wtforms.validators import DataRequired, InputRequired, Length, Optional

from app.queries.companies import CompanyPage
from app.web.forms import Form, choices
from app.web.once import KeyedForm
from erpcore.masterdata.company_address import CompanyAddress
from erpcore.masterdata.countries import country_code, country_names


class AddressForm(Form):
    """The address that a company has from a day on."""

    seen = HiddenField()
    name = StringField("Name by law", [DataRequired("Enter the name"), Length(max=200)])
    street = StringField("Street and number", [DataRequired("Enter the street"), Length(max=120)])
    postal_code = StringField("Postal code", [DataRequired("Enter the postal code"), Length(max=16)])
    city = StringField("City", [DataRequired("Enter the city"), Length(max=80)])
    region = StringField("Region", [Length(max=64)])
    country = SelectField("Country", choices=lambda: choices(country_names().items()))
    register_number = StringField(
        "Number in the register of companies",
        [Length(max=64)],
        description="With the court or office, e.g. HRB 4711 Duisburg",
    )
    valid_from = DateField(
        "Holds from", [InputRequired("Enter a day")], description="Documents of that day and later ones name it"
    )
    reason = StringField("Reason", [DataRequired("Say why"), Length(max=200)])

    def begin(self, page: CompanyPage, today: date) -> None:
        """The fields as the address is now; those of the company where there is none yet."""
        now = page.addresses[-1] if page.addresses else None
        self.seen.data, self.valid_from.data = str(len(page.addresses)), today
        if now is None:
            self.name.data, self.country.data = page.company.name, country_code(page.country)
            return
        for name in ("name", "street", "postal_code", "city", "region", "country", "register_number"):
            self[name].data = getattr(now, name)

    def address(self) -> CompanyAddress:
        """What was entered."""
        typed = {name: str(self[name].data or "") for name in CompanyAddress.__dataclass_fields__}
        return CompanyAddress(**typed)


class InvoiceAccountForm(Form):
    """The account that invoices name from a day on."""

    seen = HiddenField()
    account = SelectField("Account", [InputRequired("Choose an account")], coerce=int)
    bic = StringField("BIC", [Length(max=14)], description="Only banks abroad ask for it")
    valid_from = DateField(
        "Named from", [InputRequired("Enter a day")], description="Invoices of that day and later ones name it"
    )
    reason = StringField("Reason", [DataRequired("Say why"), Length(max=200)])


class NumberForm(KeyedForm):
    """A tax number from a day on."""

    country = StringField(
        "Country", [DataRequired("Enter the country"), Length(max=64)], description="As tax rules name it, e.g. Germany"
    )
    number = StringField(
        "Tax number", [DataRequired("Enter the number"), Length(min=2, max=32)],
        description="A VAT number with the letters of its country, e.g. DE811907980",
    )  # fmt: skip
    valid_from = DateField("Holds from", [InputRequired("Enter its first day")])
    valid_until = DateField("Ends on", [Optional()], description="The first day on which it holds no more; empty: open")

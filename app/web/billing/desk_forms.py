"""The forms of the cash desk: what an entry pays, which receipt went back, a bank's file and how its tables are read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask_wtf.file import FileField, FileRequired
from sqlalchemy.orm import Session
from wtforms import BooleanField, IntegerField, SelectField, StringField
from wtforms.validators import DataRequired, InputRequired, Length, Optional

from app.importers.bankfiles.table import Mapping
from app.queries.cash_desk import LinePage, receipts_to_return
from app.web.billing.forms import short_field
from app.web.fields import ExactField
from app.web.figures import amount
from app.web.forms import Form, choices
from app.web.once import KeyedForm
from erpcore.kernel.money import from_minor, places


class SureForm(Form):
    """Accept what is sure enough."""

    percent = IntegerField("At this confidence or more", [InputRequired("Enter a percentage")])


class StatementForm(Form):
    """A file of a bank."""

    account = SelectField("Account", coerce=int)
    file = FileField(
        "File",
        [FileRequired("Choose the file")],
        description="camt.053, MT940, or a table (CSV) by the account’s mapping.",
    )
    opening = ExactField("Opening balance", [Optional()], description="For a table only, which has no balances.")
    closing = ExactField("Closing balance", [Optional()], description="For a table only.")


class BankAccountForm(KeyedForm):
    """An account of a company at a bank."""

    entity = SelectField("Company", coerce=int)
    number = StringField("IBAN or number", [DataRequired("Enter the number as statements name it"), Length(max=64)])
    name = StringField("Name", [DataRequired("Enter what it is called"), Length(max=120)])


class MappingForm(Form):
    """How the tables of a bank are read."""

    delimiter = SelectField(
        "Between columns", choices=choices([(";", "Semicolon"), (",", "Comma"), ("\t", "Tab"), ("|", "Bar")])
    )
    decimal = SelectField("Decimal mark", choices=choices([(",", "Comma"), (".", "Point")]))
    day_form = SelectField("Days are written")
    day = StringField("Column of the day", [DataRequired("Enter its heading"), Length(max=60)])
    amount = StringField("Column of the amount", [DataRequired("Enter its heading"), Length(max=60)])
    text = StringField("Column of the text", [DataRequired("Enter its heading"), Length(max=60)])
    name = StringField("Column of the payer’s name", [Length(max=60)])
    payer = StringField("Column of the payer’s account", [Length(max=60)])
    reference = StringField("Column of the reference", [Length(max=60)])

    def mapping(self) -> Mapping:
        """What was entered."""
        names = ("delimiter", "decimal", "day_form", "day", "amount", "text", "name", "payer", "reference")
        return Mapping(**{name: str(self[name].data or "") for name in names})


def assign_form(page: LinePage, reasons: Sequence[Any]) -> Any:
    """An amount for each open invoice of the customer, filled as proposed, and what the bank kept or the currency cost."""
    currency = page.suggestion.line.currency
    given = {invoice: minor for invoice, _, minor in page.suggestion.parts}
    fields: dict[str, Any] = {
        "customer": StringField("Customer", [DataRequired("Enter the customer by code or name"), Length(max=200)]),
        "fee": ExactField("Kept by the bank besides", [Optional()], description="A fee that the customer paid as well."),
        "difference": ExactField("Lost by the currency", [Optional()], description="What the payment would have been at our rate; negative when it is a gain."),
        "again": StringField(
            "Why it is another payment", [Length(max=300)], description="Only when its money looks typed before."
        ),
        "remember": BooleanField("This customer pays from this account"),
    }  # fmt: skip
    if page.suggestion.credits:
        said = ", ".join(
            f"{amount(one.minor, currency)} of {one.number} against {one.invoice_number}"
            for one in page.suggestion.credits
        )
        fields["credits"] = BooleanField(
            "Set the credit memos against them that were deducted", default=True, description=said
        )
    for invoice in page.open_invoices:
        part = given.get(invoice.id)
        fields[f"invoice_{invoice.id}"] = ExactField(
            invoice.number, places=places(currency), description=f"{amount(invoice.open_minor, currency)} {currency} open",
            default=from_minor(part, currency) if part else None,
        )  # fmt: skip
        fields[f"short_{invoice.id}"] = short_field(invoice, reasons)
    return type("AssignForm", (KeyedForm,), fields)()


def return_form(session: Session, page: LinePage, words: str = "") -> Any:
    """Which receipt went back: those that could have and in which the words stand, the likeliest first."""
    line = page.suggestion.line
    found, there_are_more = receipts_to_return(session, line, words)
    fields = {
        "receipt": SelectField(
            "Which receipt", coerce=int,
            choices=choices(
                (one.id, f"{one.number} · {one.customer} · {amount(one.amount_minor, line.currency)} {line.currency}")
                for one in found
            ),
            description="There are more: look for the number, the reference or the customer above." if there_are_more else "",
        ),
        "fee": ExactField("Of this a fee of the bank", [Optional()]),
        "reason": StringField("Reason", [DataRequired("Say why, as the bank does"), Length(max=500)], default=line.text[:200]),
    }  # fmt: skip
    return type("ReturnByLineForm", (Form,), fields)()

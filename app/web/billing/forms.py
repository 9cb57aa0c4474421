"""The forms of billing: corrections with their reason, money that came in and what it settles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wtforms import HiddenField, SelectField, StringField
from wtforms.validators import DataRequired, InputRequired, Length, Optional

from app.composition.short_pays import Short
from app.queries.cash import OpenInvoice
from app.web.fields import ExactField, PriceField, QuantityField
from app.web.figures import amount
from app.web.forms import Form, choices
from app.web.once import KeyedForm
from app.web.orders.forms import ReasonForm
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.money import from_minor, places, to_minor

_FAULTS = (("undecided", "Undecided"), ("ours", "Ours"), ("customer", "The customer's"))


class AmendForm(Form):
    """Another price on a line of a draft."""

    unit_price = PriceField("Price that is charged", [InputRequired("Enter the price")])
    reason = StringField("Reason", [DataRequired("Say why it differs from the order"), Length(max=500)])


class UntaxedForm(ReasonForm):
    """Why an invoice is released though no rule determines its tax, and the rule that somebody names instead."""

    tax_rule = SelectField("Tax rule that its lines bear", coerce=int)


class CreditForm(Form):
    """Part of a posted invoice given back without goods."""

    line = SelectField("Line", coerce=int)
    quantity = QuantityField("For how many", [InputRequired("Enter how many")])
    unit_price = PriceField("So much less each", [InputRequired("Enter by how much the price was too high")])
    reason = StringField("Reason", [DataRequired("Say why"), Length(max=48)])
    fault = SelectField("Whose fault", choices=choices(_FAULTS))


class ReceiptForm(Form):
    """Money that came in from a customer."""

    entity = SelectField("Company", coerce=int)
    customer = StringField("Customer", [DataRequired("Enter the customer by code or name"), Length(max=200)])
    amount = ExactField("Amount paid", [InputRequired("Enter what the customer paid")])
    fee = ExactField("Of this the bank kept", [Optional()], description="A fee taken before the money arrived.")
    reference = StringField("Their reference", [Length(max=120)])
    again = StringField("Why it is another one", [Length(max=300)], description="Only when it looks recorded already.")
    request_key = HiddenField(validators=[InputRequired("The form lost its key; open it again"), Length(max=64)])


class ReturnForm(KeyedForm):
    """Money that the bank took back."""

    amount = ExactField("Amount", [InputRequired("Enter what went back")])
    fee = ExactField("Fee of the bank", [Optional()])
    reason = StringField("Reason", [DataRequired("Say why, as the bank does"), Length(max=500)])


def short_field(invoice: OpenInvoice, reasons: Sequence[Any]) -> SelectField:
    """Whether what is left of an invoice stays open, or why the customer does not mean to pay it."""
    told = sorted(reasons, key=lambda one: (one.code == "unknown", one.title))
    said = [("", "stays open"), *((one.code, f"is deducted: {one.title}") for one in told)]
    return SelectField(f"The rest of {invoice.number}", choices=choices(said), default="")


def apply_form(invoices: list[OpenInvoice], left: int, currency: str, reasons: Sequence[Any] = ()) -> Any:
    """An amount for each open invoice, filled from the oldest until the receipt, or the credit, is used up; with ``reasons`` also
    what the rest of it is.
    """
    fields: dict[str, Any] = {}
    for invoice in invoices:
        part = min(left, invoice.open_minor)
        left -= part
        fields[f"invoice_{invoice.id}"] = ExactField(
            invoice.number, places=places(currency), description=f"{amount(invoice.open_minor, currency)} {currency} open",
            default=from_minor(part, currency) if part else None,
        )  # fmt: skip
        if reasons:
            fields[f"short_{invoice.id}"] = short_field(invoice, reasons)
    return type("ApplyForm", (KeyedForm,), fields)()


def shorts_of(form: Any, invoices: list[OpenInvoice]) -> dict[int, Short]:
    """Why the rest of which invoices is not paid, of those for which something was entered."""
    return {
        one.id: Short(str(form[f"short_{one.id}"].data))
        for one in invoices
        if form[f"invoice_{one.id}"].data and form[f"short_{one.id}"].data
    }


def minor_of(value: Any, currency: str, field: str) -> int:
    """An amount as minor units; raises ``RuleBroken`` at its field when the currency has no such small coin."""
    exponent = value.normalize().as_tuple().exponent
    if isinstance(exponent, int) and -exponent > places(currency):
        raise RuleBroken("quantity_too_precise", field=field, value=str(value))
    return to_minor(value, currency)

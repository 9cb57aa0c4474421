"""The forms of purchase orders: what to order, what the supplier confirms."""

from __future__ import annotations

from typing import Any

from wtforms import DateField, FieldList, FormField, HiddenField, SelectField, StringField
from wtforms.validators import DataRequired, Length, Optional

from app.queries.purchases import PurchaseLineFact
from app.web.fields import PriceField, QuantityField
from app.web.forms import Form
from app.web.linesheet import MOST_ROWS, LineSheet, SheetRow
from app.web.once import KeyedForm


class PurchaseRowForm(SheetRow):
    unit_price = PriceField("Price", [Optional()])
    wanted_on = DateField("Needed on", [Optional()])


class PurchaseForm(LineSheet):
    """A purchase order as it is typed."""

    supplier = SelectField("Supplier", coerce=int)
    site = SelectField("For", coerce=int, description="Where the goods are needed")
    note = StringField("Note", [Length(max=500)])
    lines = FieldList(FormField(PurchaseRowForm), min_entries=1, max_entries=MOST_ROWS)


class ConfirmForm(Form):
    """What the supplier says of the order as a whole; its lines are added by ``confirm_form``."""

    reference = StringField("Number of its confirmation", [Length(max=120)])
    version = HiddenField()


def confirm_form(lines: list[PurchaseLineFact]) -> Any:
    """A day and a quantity for each line that is still open; as it stands until something else is typed."""
    fields: dict[str, Any] = {}
    for line in lines:
        still = line.quantity - line.cancelled
        fields[f"on_{line.id}"] = DateField(
            f"Comes on, line {line.line_no}", [Optional()], default=line.due_on, description=f"{line.code} {line.name}"
        )
        fields[f"quantity_{line.id}"] = QuantityField(
            f"Quantity, line {line.line_no}", [Optional()], default=still, description="Less than ordered: the rest will not come"
        )  # fmt: skip
    return type("ConfirmLinesForm", (ConfirmForm,), fields)()


class RestForm(KeyedForm):
    """Whom to ask for what a supplier does not send; 0: the usual one."""

    supplier = SelectField("Ask", coerce=int)
    version = HiddenField()


class SentForm(Form):
    """What a supplier has sent straight to the customer; its lines are added by ``sent_form``."""

    paper = StringField("Its delivery note", [DataRequired("Enter the number of the delivery note"), Length(max=120)])
    version = HiddenField()


def sent_form(lines: list[PurchaseLineFact]) -> Any:
    """How many of each line that is still open."""
    fields: dict[str, Any] = {
        f"line_{line.id}": QuantityField(f"Sent, line {line.line_no}", [Optional()], default=line.open)
        for line in lines
    }
    return type("SentLinesForm", (SentForm,), fields)()

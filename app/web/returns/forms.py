"""What is typed when goods come back: what came, and what becomes of each piece."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session
from wtforms import FieldList, FormField, SelectField, StringField
from wtforms.validators import DataRequired, Length, Optional

from app.composition.trading import disposition_named
from app.queries.order_entry import find_customers
from app.queries.returns import ReturnLineFact
from app.web.fields import PriceField, QuantityField
from app.web.figures import quantity
from app.web.forms import Form
from app.web.linesheet import MOST_ROWS, LineSheet, SheetRow
from app.web.orders.forms import GOODS, ReturnForm
from erpcore.fulfilment.returned_goods import Finding
from erpcore.kernel.errors import DomainError


class ScanForm(Form):
    """The number on a return label."""

    number = StringField(
        "Number of the return", [DataRequired("Scan or type the number"), Length(max=120)],
        render_kw={"autocomplete": "off", "autocapitalize": "characters", "autofocus": True},
    )  # fmt: skip


class ReturnRowForm(SheetRow):
    unit_price = PriceField("Price", [Optional()])


class WithoutOrderForm(LineSheet):
    """What a customer gives back who names no order."""

    site = SelectField("Comes back to", coerce=int)
    channel = SelectField("Sold through", coerce=int)
    customer = StringField("Customer", [DataRequired("Enter the customer by code or name"), Length(max=120)])
    reason, fault, condition, disposition = (
        ReturnForm.reason,
        ReturnForm.fault,
        ReturnForm.condition,
        ReturnForm.disposition,
    )
    lines = FieldList(FormField(ReturnRowForm), min_entries=1, max_entries=MOST_ROWS)

    def find_customer(self, session: Session, entity: int | None) -> int | None:
        """The customer whose code or name was typed; where it is not one, that is said at the field."""
        text = (self.customer.data or "").strip()
        if entity is None or not text:
            return None
        fitting = find_customers(session, entity, text)
        if len(fitting) == 1:
            return fitting[0].id
        many = ", ".join(f"{one.code} {one.name}" for one in fitting[:4])
        said = (
            f"Several customers fit: {many}. Enter the code of one." if many else "No customer has this code or name."
        )
        self.customer.errors = [*self.customer.errors, said]
        return None

    def refuse(self, error: DomainError) -> None:
        """A refusal that names an item is shown at the line of that item; one of a price at the first without any."""
        named = [
            number
            for number, row in enumerate(self.sent)
            if (row.form.item.data or "").strip().lower() == str(error.facts.get("item", "")).lower()
            and not (error.code == "return_price_missing" and row.form.unit_price.data is not None)
        ]
        if named and error.field in ("item", "quantity", "unit_price"):
            error.field = f"lines-{named[0]}-{error.field}"
        super().refuse(error)


class ReceiveForm(Form):
    """What came of a return."""

    other = StringField(
        "Another item came", [Length(max=120)], description="Its code. Left empty when only what was to come is there"
    )
    other_quantity = QuantityField("How much of it", [Optional()])


class ExchangeForm(Form):
    """What the customer gets instead."""

    other = StringField(
        "Another item instead", [Length(max=120)], description="Its code, where it is not the same again"
    )
    other_quantity = QuantityField("How much of it", [Optional()])


class InspectForm(Form):
    """What becomes of what came."""

    note = StringField("What was seen", [Length(max=500)])


def receive_form(lines: Sequence[ReturnLineFact]) -> Any:
    """The form with a quantity for each line; it starts with all that is to come."""
    fields = {
        f"line_{line.id}": QuantityField(
            f"{line.code}", [Optional()], default=line.quantity,
            description=f"{line.name}; {quantity(line.quantity, line.unit)} to come. Enter 0 where nothing came",
        )
        for line in lines
    }  # fmt: skip
    return type("ReceiveForm", (ReceiveForm,), fields)()


def replaceable(lines: Sequence[ReturnLineFact]) -> list[ReturnLineFact]:
    """Goods that the customer asked to give back, each item once."""
    return list({line.item_id: line for line in lines if line.asked and line.kind == "stock"}.values())


def exchange_form(lines: Sequence[ReturnLineFact]) -> Any:
    """The form with a quantity for each item that comes back; it starts with as much of it again."""
    asked: dict[int, Decimal] = {}
    for line in lines:
        asked[line.item_id] = asked.get(line.item_id, Decimal(0)) + line.asked
    fields = {
        f"line_{line.id}": QuantityField(
            f"{line.code}", [Optional()], default=asked[line.item_id],
            description=f"{line.name}; {quantity(asked[line.item_id], line.unit)} come back. Enter 0 for none of it",
        )
        for line in replaceable(lines)
    }  # fmt: skip
    return type("ExchangeForm", (ExchangeForm,), fields)()


def came_of(form: Form) -> dict[int, Decimal]:
    """What came by line id, of the lines where something was said."""
    return {
        int(field.name.removeprefix("line_")): field.data
        for field in form
        if field.name.startswith("line_") and field.data is not None
    }


def inspect_form(lines: Sequence[ReturnLineFact]) -> Any:
    """The form with a quantity for each line and each thing that may become of it; it starts with what the request said."""
    fields = {
        f"line_{line.id}_{word}": QuantityField(
            label, [Optional()], default=line.quantity if line.disposition == word else None, render_kw={"inputmode": "decimal"}
        )
        for line in lines
        if line.quantity and line.kind == "stock"
        for word, label in GOODS
    }  # fmt: skip
    return type("InspectForm", (InspectForm,), fields)()


def parts_of(form: Any, lines: Sequence[ReturnLineFact]) -> Iterator[tuple[ReturnLineFact, list[Any]]]:
    """Each line that came with its fields."""
    for line in lines:
        fields = [form[f"line_{line.id}_{word}"] for word, _ in GOODS if f"line_{line.id}_{word}" in form]
        if fields:
            yield line, fields


def findings_of(form: Any, lines: Sequence[ReturnLineFact]) -> list[Finding]:
    """What was found, of every line that something is said of."""
    return [
        Finding(line=line.id, quantity=field.data, disposition=disposition_named(field.name.rpartition("_")[2]))
        for line, fields in parts_of(form, lines)
        for field in fields
        if field.data
    ]

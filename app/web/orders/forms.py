"""The forms of orders: entering one, and the moves that need more than a press."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from wtforms import BooleanField, DateField, FieldList, FormField, HiddenField, SelectField, StringField
from wtforms import Form as Plain
from wtforms.validators import DataRequired, InputRequired, Length, Optional

from app.messages import sentence
from app.queries.addresses import AddressFact
from app.queries.order_facts import LineFact
from app.queries.orders import HOLD_KINDS
from app.web.errors import status_of
from app.web.fields import PriceField, QuantityField
from app.web.figures import heading, quantity
from app.web.forms import Form, choices, cleaned
from erpcore.kernel.errors import DomainError

#: Lines that one form holds; longer orders come through the API or an import.
MOST_LINES = 300


class LineForm(Plain):
    """One line as typed; everything but item and quantity is left to the rules."""

    item = StringField("Item", [Length(max=200)], filters=[cleaned])
    quantity = QuantityField("Quantity", [Optional()])
    unit_price = PriceField("Other price", [Optional()])
    price_reason = StringField(
        "Why another price", [Length(max=200)], filters=[cleaned], description="Needed with another price."
    )
    requested_on = DateField("Wanted on", [Optional()])
    ship_to = SelectField("Ship to", choices=choices([("", "As the order")]), validate_choice=False)
    rush = BooleanField("Rush", description="Before the usual lead time")

    @property
    def is_empty(self) -> bool:
        return not any((field.raw_data or [""])[0].strip() or field.data for field in self)


class LinesForm(Form):
    """A form with lines, each a row of its own."""

    def refuse(self, error: DomainError) -> None:
        """A refusal names a line by its place among those that were sent; it is shown at that line's field."""
        part = (error.field or "").split("-")
        if len(part) == 3 and part[0] == "lines" and part[1].isdecimal():
            row = self.sent[int(part[1])] if int(part[1]) < len(self.sent) else None
            field = getattr(row.form, part[2], None) if row is not None else None
            if field is not None:
                self.status = status_of(error)
                field.errors = [*field.errors, sentence(error)]
                return
        super().refuse(error)

    #: The rows that went to the service, in their order.
    sent: Sequence[Any] = ()

    def leaves(self) -> Iterator[Any]:
        """Every field that takes something typed, those of the lines one by one."""
        for field in self:
            if field.name == "lines":
                for row in field:
                    for part in row.form:
                        if ", line " not in part.label.text:
                            part.label.text = f"{part.label.text}, line {row_number(field, row)}"
                        yield part
            else:
                yield field


class OrderForm(LinesForm):
    """An order as it is typed."""

    site = SelectField("Ships from", coerce=int)
    channel = SelectField("Channel", coerce=int)
    customer = StringField("Customer", [DataRequired("Enter the customer by code or name"), Length(max=200)])
    customer_reference = StringField("Customer reference", [Length(max=120)])
    ship_to = SelectField("Ship to", choices=choices([("", "The usual address")]), validate_choice=False)
    requested_on = DateField("Wanted on", [Optional()], description="Empty: as early as we commit to")
    rush = BooleanField(
        "Rush", description="All goods before the usual lead time; the rules may refuse it, or add a charge"
    )
    request_key = HiddenField(validators=[InputRequired("The form lost its key; open it again"), Length(max=64)])
    lines = FieldList(FormField(LineForm), min_entries=1, max_entries=MOST_LINES)

    def offer_addresses(self, addresses: Sequence[AddressFact]) -> None:
        """Let order and lines go to one of these; the first is the usual one."""
        pairs = [(str(one.id), one.label) for one in addresses]
        usual = "No address is known yet" if not addresses else f"The usual: {addresses[0].label}"
        self.ship_to.choices = choices([("", usual), *pairs])
        for row in self.lines:
            row.form.ship_to.choices = choices([("", "As the order"), *pairs])


def chosen_address(field: Any) -> int | None:
    """The address chosen in a field; ``None``: the usual one. What is no id is an address that nobody has."""
    text = str(field.data or "")
    if not text:
        return None
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0


def row_number(rows: Any, row: Any) -> int:
    """The number people see beside a row."""
    return 10 * (list(rows).index(row) + 1)


class Summary:
    """All that is wrong with an order form, line by line, as the error summary reads it."""

    def __init__(self, form: LinesForm) -> None:
        self.form_errors = form.form_errors
        self._fields = [field for field in form.leaves() if field.errors]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._fields)


class HoldForm(Form):
    """Stopping an order."""

    kind = SelectField("What is doubtful", choices=choices((kind, heading(kind)) for kind in HOLD_KINDS))
    reason = StringField("Reason", [DataRequired("Say why it stops"), Length(max=500)])
    version = HiddenField()


class ReasonForm(Form):
    """A move that is only made with a reason."""

    reason = StringField("Reason", [DataRequired("Say why"), Length(max=500)])
    version = HiddenField()


class CancelForm(Form):
    """Taking back what is still open."""

    by_customer = BooleanField("The customer asked for it", description="Otherwise it counts as our miss")
    reason = StringField("Reason", [DataRequired("Say why"), Length(max=500)])
    version = HiddenField()


class PickForm(Form):
    """What was taken from the shelf."""

    short_reason = StringField("Why less was there", [Length(max=200)], description="Only when a line came short")


class DeliverForm(Form):
    """Proof of delivery."""

    damage_reason = StringField("What happened to it", [Length(max=200)], description="Only when something is damaged")


#: What may become of returned goods, in words.
GOODS = (
    ("restock", "Back into stock"), ("quarantine", "Set apart"), ("supplier", "Back to the supplier"), ("scrap", "Scrapped"),
)  # fmt: skip


#: In which condition goods come back, in words.
CONDITIONS = (
    ("unstated", "Not stated"), ("sealed", "Sealed"), ("opened", "Opened, not used"), ("used", "Used"), ("damaged", "Damaged"),
)  # fmt: skip


class ReturnForm(Form):
    """What a customer gives back."""

    reason = SelectField(
        "Reason",
        choices=choices((word, heading(word)) for word in ("damaged", "wrong item", "too much", "late", "not wanted", "other")),
    )  # fmt: skip
    fault = SelectField(
        "Whose fault", choices=choices((("undecided", "Undecided"), ("ours", "Ours"), ("customer", "The customer's")))
    )
    condition = SelectField("Condition", choices=choices(CONDITIONS))
    disposition = SelectField("Goods", choices=choices(GOODS))


def with_quantities(
    base: type[Form],
    lines: Sequence[LineFact],
    most: str,
    *,
    filled: bool,
    more: Mapping[int, Decimal] | None = None,
    staying: Container[int] = (),
) -> Any:
    """The form with a quantity for each line that has any of ``most``; ``filled`` starts with all of it.

    ``more``: how much beyond it the rules tolerate, by line; ``staying``: lines that start empty all the same.
    """
    fields: dict[str, Any] = {}
    for line in lines:
        left: Decimal = getattr(line, most)
        beyond = (more or {}).get(line.id) or Decimal(0)
        tolerated = f", {quantity(left + beyond)} within the tolerance" if beyond else ""
        if left > 0:
            fields[f"line_{line.id}"] = QuantityField(
                f"{line.code}", [Optional()], default=left if filled and line.id not in staying else None,
                description=f"{line.name}; at most {quantity(left, line.unit)}{tolerated}",
            )  # fmt: skip
    return type(base.__name__, (base,), fields)()


def quantities_of(form: Form) -> dict[int, int]:
    """Thousandths per line id, of the lines where something was entered."""
    out = {}
    for field in form:
        if field.name.startswith("line_") and field.data is not None:
            out[int(field.name.removeprefix("line_"))] = int(field.data.scaleb(3))
    return out


def line_fields(form: Form) -> list[Any]:
    """The quantity fields, in the order of the lines."""
    return [field for field in form if field.name.startswith("line_")]

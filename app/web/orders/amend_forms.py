"""The form of changes to an order: each open line as it stands, and rows for what is to be added.

What a field held when the page was made is kept in it, so that only what somebody typed counts as a change, also when the
order has moved since.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import orjson
from wtforms import BooleanField, DateField, FieldList, FormField, HiddenField, RadioField, SelectField, StringField
from wtforms import Form as Plain
from wtforms.validators import DataRequired, InputRequired, Length, Optional

from app.composition.amending import change_of
from app.messages import sentence
from app.queries.addresses import AddressFact
from app.queries.order_facts import LineFact, OrderPage
from app.web.errors import status_of
from app.web.fields import QuantityField
from app.web.figures import on, quantity
from app.web.forms import choices
from app.web.once import KeyedForm
from app.web.orders.forms import chosen_address
from erpcore.kernel.errors import DomainError
from erpcore.orders.amendment_rules import Amend, Refused

#: Lines that one page changes; longer orders are changed through the API.
MOST_LINES = 200
#: Rows of added lines that one page takes, and of parts.
MOST_ROWS = 50


class AddedForm(Plain):
    """A line to be added."""

    item = StringField("Item", [Length(max=200)], filters=[lambda text: text.strip() if text else text])
    quantity = QuantityField("Quantity", [Optional()])
    day = DateField("Wanted on", [Optional()])

    @property
    def is_empty(self) -> bool:
        return not any((field.raw_data or [""])[0].strip() or field.data for field in self)


class PartForm(Plain):
    """A part of a line that becomes one of its own."""

    line = SelectField("Line", choices=choices([("", "–")]), validate_choice=False)
    quantity = QuantityField("Quantity", [Optional()])
    day = DateField("New day", [Optional()])
    ship_to = SelectField("Ship to", choices=choices([("", "As it is")]), validate_choice=False)

    @property
    def is_empty(self) -> bool:
        return not any((field.raw_data or [""])[0].strip() or field.data for field in self)


class AmendForm(KeyedForm):
    """Whose wish the changes are, why, and what shall stand."""

    by_customer = RadioField(
        "Whose change is it", [InputRequired("Say whose change it is")],
        choices=choices((("customer", "The customer's"), ("ours", "Ours"))),
    )  # fmt: skip
    reason = StringField("Reason", [DataRequired("Say why"), Length(max=500)])
    added = FieldList(FormField(AddedForm), min_entries=1, max_entries=MOST_ROWS)
    parts = FieldList(FormField(PartForm), min_entries=1, max_entries=MOST_ROWS)
    version = HiddenField()
    #: What the fields held, by line id.
    was = HiddenField()
    replaces = HiddenField()

    lines: Sequence[LineFact] = ()
    #: The fields that each change sent came from, by what the service calls them.
    sent: Sequence[dict[str, Any]] = ()

    places: Sequence[tuple[str, str]] = ()

    def offer(self) -> None:
        """Let parts be of these lines and go to these addresses."""
        lines = [
            (str(one.id), f"{one.line_no} · {one.code}") for one in self.lines if one.is_goods and one.open > one.picked
        ]
        for row in self.parts:
            row.form.line.choices = choices([("", "–"), *lines])
            row.form.ship_to.choices = choices([("", "As it is"), *self.places])

    def fields_of(self, line: LineFact) -> dict[str, Any]:
        return {name: self[f"{name}_{line.id}"] for name in ("quantity", "day", "ship_to", "drop")}

    def show(self, order: OrderPage) -> None:
        """Remember what the order is now; what nobody has typed shows it."""
        held = self._held()
        for line in self.lines:
            field, now = self[f"quantity_{line.id}"], line.quantity - line.cancelled
            if field.data is None and field.errors:
                continue
            if not self.is_submitted() or field.data == held.get(line.id):
                field.data, field.raw_data = now, None
        self.version.data = str(order.version)
        self.was.data = orjson.dumps({str(one.id): str(one.quantity - one.cancelled) for one in self.lines}).decode()

    def _held(self) -> dict[int, Decimal]:
        try:
            return {int(key): Decimal(value) for key, value in orjson.loads(self.was.data or "{}").items()}
        except (ValueError, ArithmeticError, AttributeError, TypeError):
            return {}

    def held(self, line: LineFact) -> Decimal | None:
        """What the line's quantity was when the page was made."""
        return self._held().get(line.id)

    def changes(self, items: dict[str, int]) -> list[Amend]:
        """What was typed, as changes; ``items`` are ids by what was typed for them."""
        held, out = self._held(), []
        self.sent = sent = []
        for line in self.lines:
            fields = self.fields_of(line)
            if fields["drop"].data:
                out.append(change_of("drop", line=line.id))
                sent.append({"line": fields["drop"]})
                continue
            wanted = fields["quantity"].data
            if wanted is not None and wanted != held.get(line.id, line.quantity - line.cancelled):
                out.append(change_of("quantity", line=line.id, quantity=wanted))
                sent.append(fields)
            if fields["day"].data is not None:
                out.append(change_of("date", line=line.id, day=fields["day"].data))
                sent.append(fields)
            if (there := chosen_address(fields["ship_to"])) is not None:
                out.append(change_of("address", line=line.id, ship_to=there))
                sent.append(fields)
        for row in self.added:
            form = row.form
            if not form.is_empty:
                key = items[(form.item.data or "").lower()]
                out.append(change_of("add", item=key, quantity=form.quantity.data, day=form.day.data))
                sent.append({"item": form.item, "quantity": form.quantity, "day": form.day, "requested_on": form.day})
        for piece in self.parts:
            part = piece.form
            if not part.is_empty:
                out.append(
                    change_of(
                        "split", line=chosen_address(part.line), quantity=part.quantity.data, day=part.day.data,
                        ship_to=chosen_address(part.ship_to),
                    )
                )  # fmt: skip
                sent.append({"line": part.line, "quantity": part.quantity, "day": part.day, "ship_to": part.ship_to})
        return out

    def refuse(self, error: DomainError) -> None:
        """Each change that cannot be is told at the field that it was typed into."""
        told = error.every if isinstance(error, Refused) else (error,)
        for one in told:
            part = (one.field or "").split("-")
            place = int(part[1]) if len(part) == 3 and part[0] == "changes" and part[1].isdecimal() else -1
            fields = self.sent[place] if 0 <= place < len(self.sent) else {}
            field = fields.get(part[2], next(iter(fields.values()), None)) if fields else None
            if field is None:
                super().refuse(one)
            else:
                self.status = status_of(one)
                field.errors = [*field.errors, sentence(one)]

    def leaves(self) -> Iterator[Any]:
        """Every field that takes something typed, those of the added rows one by one."""
        for field in self:
            if field.name in ("added", "parts"):
                for row in field:
                    yield from row.form
            else:
                yield field


class AmendSummary:
    """All that is wrong with the form, as the error summary reads it."""

    def __init__(self, form: AmendForm) -> None:
        self.form_errors = form.form_errors
        self._fields = [field for field in form.leaves() if field.errors]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._fields)


def amend_form(order: OrderPage, addresses: Sequence[AddressFact]) -> AmendForm:
    """The form for this order's lines that are not gone, which may go to any of these addresses."""
    places = [(str(one.id), one.label) for one in addresses]
    fields: dict[str, Any] = {}
    lines = [line for line in order.lines if line.quantity > line.cancelled][:MOST_LINES]
    for line in lines:
        gone = line.shipped + line.picked
        fields[f"quantity_{line.id}"] = QuantityField(
            f"Quantity, line {line.line_no}", [Optional()],
            description=f"{quantity(gone)} gone or picked" if gone else "",
        )  # fmt: skip
        fields[f"day_{line.id}"] = DateField(
            f"New day, line {line.line_no}", [Optional()],
            description=f"wanted {on(line.requested_on)}, promised {on(line.promised_on)}",
        )  # fmt: skip
        fields[f"ship_to_{line.id}"] = SelectField(
            f"Ship to, line {line.line_no}", choices=choices([("", "As it is"), *places]), validate_choice=False
        )
        fields[f"drop_{line.id}"] = BooleanField(f"Drop line {line.line_no}")
    form: AmendForm = type("AmendForm", (AmendForm,), fields)()
    form.lines, form.places = lines, places
    form.offer()
    return form

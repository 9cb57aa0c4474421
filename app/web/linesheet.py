"""How is a paper with lines typed? Rows of item and quantity, one more at a press, refusals at the row they are about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from flask import request
from sqlalchemy.orm import Session
from wtforms import Form as Plain
from wtforms import StringField
from wtforms.validators import Length, Optional

from app.messages import sentence
from app.queries.order_entry import find_items, items_with_codes
from app.web.errors import status_of
from app.web.fields import QuantityField
from app.web.once import KeyedForm
from erpcore.kernel.errors import DomainError

#: Rows that one form holds; longer papers come through the API.
MOST_ROWS = 100


class SheetRow(Plain):
    """One line as typed; a sheet may add fields of its own."""

    item = StringField("Item", [Length(max=200)], filters=[lambda text: text.strip() if text else text])
    quantity = QuantityField("Quantity", [Optional()])

    @property
    def is_empty(self) -> bool:
        return not any((field.raw_data or [""])[0].strip() or field.data for field in self)


class LineSheet(KeyedForm):
    """A form with a field list ``lines`` of rows."""

    #: The rows that went to the service, in their order, and the items they name.
    sent: Sequence[Any] = ()
    found: dict[str, int]

    def press(self) -> str:
        """What was pressed: ``enter`` sends the sheet, anything else changes its rows."""
        return request.form.get("press", "enter") if request.method == "POST" else ""

    def change_rows(self) -> None:
        """One row more, or one less; a sheet that is full says so."""
        rows: Any = self["lines"]
        what, _, name = self.press().partition(":")
        if what == "drop" and len(rows) > 1:
            rows.entries[:] = [row for row in rows.entries if row.name != name]
        if what == "add" and not rows.entries[-1].form.is_empty:
            if len(rows) < rows.max_entries:
                rows.append_entry()
            else:
                self.form_errors.append(f"A sheet holds {rows.max_entries} lines; enter the rest in another.")

    def look_up(self, session: Session, entity: int | None) -> None:
        """Find the items that the rows name; a text that finds one item becomes its code."""
        self.found = {}
        if entity is None:
            return
        rows: Any = self["lines"]
        self.found = items_with_codes(session, entity, [row.form.item.data or "" for row in rows])
        for row in rows:
            text = (row.form.item.data or "").strip()
            if text and self.item_of(row) is None:
                fitting = find_items(session, entity, text)
                if len(fitting) == 1:
                    row.form.item.data = fitting[0].code
                    self.found[fitting[0].code.lower()] = fitting[0].id
                elif fitting:
                    codes = ", ".join(f"{one.code} {one.name}" for one in fitting[:4])
                    row.form.item.errors = [
                        *row.form.item.errors,
                        f"Several items fit: {codes}. Enter the code of one.",
                    ]

    def item_of(self, row: Any) -> int | None:
        """The item that a row names."""
        return self.found.get((row.form.item.data or "").strip().lower())

    def is_complete(self) -> bool:
        """Whether the sheet can go to the core; what is missing is said at its field."""
        rows: Any = self["lines"]
        self.validate_on_submit()
        self.sent = [row for row in rows if not row.form.is_empty]
        for row in self.sent:
            if self.item_of(row) is None and not row.form.item.errors:
                said = "No item has this code or name." if row.form.item.data else "Enter an item by code or name."
                row.form.item.errors = [*row.form.item.errors, said]
            if row.form.quantity.data is None and not row.form.quantity.errors:
                row.form.quantity.errors = ["Enter how many."]
        if not self.sent:
            rows.entries[0].form.item.errors = ["Enter an item by code or name."]
        complete = not any(leaf.errors for leaf in self.leaves()) and not self.form_errors
        self.status = 200 if complete else 422
        return complete

    def refuse(self, error: DomainError) -> None:
        """A refusal names a line by its place among those that were sent; it is shown at that line's field."""
        part = (error.field or "").split("-")
        if len(part) == 3 and part[0] == "lines" and part[1].isdecimal() and int(part[1]) < len(self.sent):
            field = getattr(self.sent[int(part[1])].form, part[2], None)
            if field is not None:
                self.status = status_of(error)
                field.errors = [*field.errors, sentence(error)]
                return
        super().refuse(error)

    def leaves(self) -> Iterator[Any]:
        """Every field that takes something typed, those of the rows one by one."""
        for field in self:
            if field.name != "lines":
                yield field
                continue
            for number, row in enumerate(field, 1):
                for part in row.form:
                    if ", line " not in part.label.text:
                        part.label.text = f"{part.label.text}, line {number * 10}"
                    yield part


class Wrong:
    """All that is wrong with a sheet, row by row, as the error summary reads it."""

    def __init__(self, form: LineSheet) -> None:
        self.form_errors = form.form_errors
        self._fields = [field for field in form.leaves() if field.errors]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._fields)

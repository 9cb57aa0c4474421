"""What people enter about places, what lies there, transfers and counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from wtforms import DateField, HiddenField, IntegerField, SelectField, StringField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from app.web.fields import QuantityField
from app.web.forms import Form, choices
from app.web.once import KeyedForm
from erpcore.inventory.adjusting import BY_HAND, AdjustmentReason
from erpcore.inventory.count_plan import STANDARD_CADENCE

_CODE = [DataRequired("Enter a code"), Length(max=120)]
_WHY = [DataRequired("Say why"), Length(max=200)]
#: Lines that the form of a transfer has; more goes on another transfer or by a program.
TRANSFER_LINES = 8


class LocationForm(Form):
    """A place with a label."""

    code = StringField("Code", _CODE, description="As its label says it: A-01-3")
    kind = SelectField("Kind", validate_choice=False)
    zone = StringField("Zone", [Length(max=120)], description="Its code; a zone that the site has not yet is made")
    walk = IntegerField(
        "Place on the way", [InputRequired("Enter a number"), NumberRange(0, 1_000_000)], default=0,
        description="Pickers go from the lowest to the highest",
    )  # fmt: skip


class ZoneForm(Form):
    """A part of a site."""

    code = StringField("Code", _CODE)
    name = StringField("Name", [DataRequired("Enter a name"), Length(max=120)])


class WhyForm(Form):
    """A step that is kept with its reason."""

    reason = StringField("Reason", _WHY)


class StatusForm(KeyedForm):
    """From one status to another."""

    called: ClassVar[Mapping[str, str]] = {"note": "reason", "lot": "found_lot"}
    quantity = QuantityField("How many", [InputRequired("Enter how many")])
    target = SelectField("From now on", validate_choice=False)
    found_lot = StringField("It is lot", [Length(max=120)], description="As it stands on the goods")
    reason = StringField("Reason", _WHY)


class MoveForm(KeyedForm):
    """To another place of the site."""

    quantity = QuantityField("How many", [InputRequired("Enter how many")])
    location = StringField("To location", [Length(max=120)], description="Empty: the default place")


class CorrectForm(KeyedForm):
    """So much more or less than the book says at one place."""

    quantity = QuantityField("Quantity", [InputRequired("Enter how many")], description="With a minus: so many fewer")
    reason = SelectField(
        "Kind", validate_choice=False, default=AdjustmentReason.OTHER,
        choices=choices((one.value, one.value.replace("_", " ")) for one in BY_HAND),
    )  # fmt: skip
    note = StringField("Reason", _WHY)


class CountAskedForm(Form):
    """A place that somebody wants counted."""

    item = StringField("Item", [DataRequired("Enter the code of an item"), Length(max=120)])
    location = StringField("Location", [Length(max=120)], description="Empty: the default place")
    lot = StringField("Lot or serial number", [Length(max=120)])


class LostForm(KeyedForm):
    """What of a line will not come any more."""

    quantity = QuantityField("Lost", [InputRequired("Enter how many")])
    reason = StringField("Reason", _WHY)


class _Rows(KeyedForm):
    """A form with rows, whose fields are named by the key of their row."""

    rows: tuple[int, ...] = ()

    def cells(self, *names: str) -> list[tuple[int, tuple[Any, ...]]]:
        """Each row with its fields of these names."""
        return [(row, tuple(self[f"{name}_{row}"] for name in names)) for row in self.rows]


def transfer_form() -> Any:
    """A transfer with some lines; empty ones are passed over."""
    fields: dict[str, Any] = {
        "to_site": SelectField("To", coerce=int),
        "arrives_on": DateField("Arrives on", [InputRequired("Enter a day")]),
        "note": StringField("Note", [Length(max=200)]),
        "rows": tuple(range(TRANSFER_LINES)),
    }
    for row in range(TRANSFER_LINES):
        fields[f"item_{row}"] = StringField(f"Item of line {row + 1}", [Length(max=120)])
        fields[f"quantity_{row}"] = QuantityField(f"Quantity of line {row + 1}", [Optional()])
        fields[f"unit_{row}"] = StringField(f"Pack of line {row + 1}", [Length(max=12)])
    return type("TransferForm", (_Rows,), fields)()


def arrival_form(lines: list[tuple[int, str]]) -> Any:
    """What came of each line that is still on its way."""
    fields: dict[str, Any] = {"version": HiddenField(), "rows": tuple(key for key, _ in lines)}
    for key, name in lines:
        fields[f"quantity_{key}"] = QuantityField(f"Came of {name}", [Optional()])
        fields[f"damaged_{key}"] = QuantityField(f"Damaged of {name}", [Optional()])
    return type("ArrivalForm", (_Rows,), fields)()


def cadence_form(known: dict[str, int]) -> Any:
    """Days between two counts for each class."""
    fields: dict[str, Any] = {
        f"days_{'none' if abc == '-' else abc}": IntegerField(
            "Items of no class" if abc == "-" else f"Class {abc}",
            [InputRequired("Enter a number"), NumberRange(1, 1000, "Enter 1 to 1000 days")], default=known[abc],
        )
        for abc in STANDARD_CADENCE
    }  # fmt: skip
    return type("CadenceForm", (Form,), fields)()

"""The forms of policy values: another value for a scope and a time, and the decision on it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from wtforms import DateField, HiddenField, RadioField, SelectField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from app.queries.policies import Picks
from app.web.fields import ExactField
from app.web.forms import Form, choices
from app.web.once import KeyedForm
from erpcore.ports import PolicyPoint
from erpcore.ports.points import Unit
from governance.variants.register import Scope

#: What people write for a unit of the core's: a percentage has ten per mille, an amount a hundred of its smallest coins.
_STEPS = {Unit.PERMILLE: 10, Unit.MINOR: 100, Unit.DAYS: 1}
_PLACES = {Unit.PERMILLE: 1, Unit.MINOR: 2, Unit.DAYS: 0}
UNITS = {Unit.PERMILLE: "%", Unit.MINOR: "in the currency", Unit.DAYS: "days"}
_HINTS = {
    "item_group": "Only lines with items of this group.", "customer_group": "Only orders of these customers.",
    "channel": "Only orders that come in this way.", "site": "Only documents of this site.",
    "entity": "All sites of this company.",
}  # fmt: skip
LABELS = {
    "item_group": "Item group", "customer_group": "Customer group", "channel": "Channel", "site": "Site", "entity": "Company",
}  # fmt: skip


class AskForm(KeyedForm):
    """Another value than the standard. ``ask_form`` gives it the fields of its point."""

    from_on = DateField("First day", [Optional()], description="Empty: from the moment it is approved.")
    until_on = DateField(
        "Until", [InputRequired("Choose the day on which the standard holds again")],
        description="The first day on which the standard holds again; three years at most.",
    )  # fmt: skip
    reason = TextAreaField(
        "Reason", [InputRequired("Say why"), Length(max=2000)],
        description="Whoever decides reads it, and so does whoever asks later why an order ran this way.",
    )  # fmt: skip
    called = {"valid_from": "from_on", "valid_until": "until_on"}  # noqa: RUF012 - as the base declares it

    point: PolicyPoint

    def wanted(self) -> Any:
        """The value in the core's unit; ``None`` where nothing that can be read was entered."""
        field = self._fields["value"]
        if self.point.choices:
            known = {_word(choice): choice for choice in self.point.choices}
            return known.get(str(field.data))
        if not isinstance(field.data, Decimal):
            return None
        return int(field.data * _STEPS[self.point.unit or Unit.DAYS])

    def scope(self) -> Scope:
        """What it is limited to; a dimension that the point does not have is not named."""
        named = {name: getattr(self, name).data or None for name in self.point.dimensions}
        return Scope(**named)


def _word(choice: Any) -> str:
    return ("yes" if choice else "no") if isinstance(choice, bool) else str(choice)


def _value_field(point: PolicyPoint) -> Any:
    if point.choices:
        return RadioField(
            "Value", [InputRequired("Choose one")],
            choices=choices(
                (_word(choice), f"{point.shown(choice).capitalize()}: {(point.means or {}).get(choice, '')}")
                for choice in point.choices
                if choice != point.standard
            ),
        )  # fmt: skip
    unit = point.unit or Unit.DAYS
    return ExactField(
        "Value", [InputRequired("Enter a number")], places=_PLACES[unit],
        description=f"From {point.range}; the standard is {point.shown(point.standard)}.",
    )  # fmt: skip


def _scope_field(name: str) -> SelectField:
    return SelectField(LABELS[name], [Optional()], coerce=int, default=0, description=_HINTS[name])


def ask_form(point: PolicyPoint, picks: Picks) -> Any:
    """A form with the value as this point has it, and a choice for each dimension by which it may differ."""
    fields = {name: _scope_field(name) for name in point.dimensions}
    made: Any = type("AskFormOfPoint", (AskForm,), {"value": _value_field(point), **fields})
    form = made()
    form.point = point
    for name in point.dimensions:
        form[name].choices = choices([(0, "any"), *picks.of(name)])
    return form


class DecideForm(Form):
    """What becomes of a value, and why."""

    version = HiddenField()
    reason = TextAreaField(
        "Reason", [InputRequired("Say why"), Length(max=2000)], description="It stays with the value."
    )

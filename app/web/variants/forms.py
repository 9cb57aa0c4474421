"""The forms of the register: asking for a variant, and what may be done with one."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from wtforms import DateField, HiddenField, IntegerField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from app.queries.policies import Picks
from app.web.fields import ExactField
from app.web.figures import heading
from app.web.forms import Form, choices
from app.web.once import KeyedForm
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.money import from_minor, places, to_minor
from erpcore.ports import PolicyPoint
from erpcore.ports.points import DIMENSIONS, Unit
from governance.variants.kinds import Kind, Rationale
from governance.variants.register import Scope
from governance.variants.writing import Content

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
RATIONALES = {
    Rationale.REGULATORY: "a law or an authority asks for it", Rationale.CUSTOMER_VALUE: "customers pay for it",
    Rationale.DIFFERENTIATION: "it sets us apart", Rationale.SITE_LIMIT: "the place cannot do otherwise yet",
    Rationale.TRANSITION: "until something that is agreed is there",
}  # fmt: skip
KINDS = {
    Kind.CONTROLLED_VARIATION: "Controlled variation: this place works its own way; the design authority decides",
    Kind.STRATEGIC_EXCEPTION: "Strategic exception: the business wants it whatever the standard; the steering committee decides",
    Kind.STANDARD_CHANGE: "New standard: for everybody from a day on; the process council decides",
}  # fmt: skip
_TEXTS = (
    "title", "step", "reason", "evidence", "benefit", "support_who", "support_hours", "support_vendor", "controls", "trainings",
    "tests", "exit_condition",
)  # fmt: skip


class AskForm(KeyedForm):
    """A variant of one policy point, or for deviations done by hand. ``ask_form`` gives it the fields of its point."""

    version = HiddenField()
    kind = RadioField("Kind", [InputRequired("Choose one")], default=Kind.CONTROLLED_VARIATION)
    from_on = DateField("First day", [Optional()], description="Empty: from the moment it is approved.")
    until_on = DateField(
        "Until", [Optional()], description="The first day on which the standard holds again; three years at most.",
    )  # fmt: skip
    title = StringField("Title", [Length(max=200)], description="Empty: what it changes.")
    step = StringField(
        "Step of the process",
        [Length(max=80)],
        description="As in the process register, such as order_to_cash.release.",
    )
    owner = SelectField("Owner", [Optional()], coerce=int, default=0, description="Who answers for it.")
    deputy = SelectField("Deputy", [Optional()], coerce=int, default=0)
    rationale = SelectField("Rationale", [Optional()], default="")
    reason = TextAreaField(
        "Reason", [InputRequired("Say why"), Length(max=2000)],
        description="Whoever decides reads it, and so does whoever asks later why an order ran this way.",
    )  # fmt: skip
    evidence = TextAreaField("Evidence", [Length(max=2000)], description="The law, the contract, the figures.")
    benefit = TextAreaField("Benefit", [Length(max=2000)], description="What it brings, and for whom.")
    cost = ExactField("Cost of keeping it, per month", [Optional()], places=3)
    support_who = StringField("Supported by", [Length(max=200)], description="Who helps when it does not work.")
    support_hours = StringField("Hours", [Length(max=200)])
    support_vendor = StringField("Vendor", [Length(max=200)])
    controls = TextAreaField(
        "Compensating controls", [Length(max=2000)], description="What is checked instead of what the standard checks."
    )
    trainings = TextAreaField("Training it touches", [Length(max=2000)])
    tests = TextAreaField("Tests it touches", [Length(max=2000)])
    review_months = IntegerField(
        "Looked at every … months", [Optional(), NumberRange(1, 36, "1 to 36 months")], default=6
    )
    exit_condition = TextAreaField(
        "Ends when", [Length(max=2000)], description="What must be there for the standard to hold again."
    )
    supersedes = SelectField("Takes the place of", [Optional()], coerce=int, default=0)
    called = {  # noqa: RUF012 - as the base declares it
        "valid_from": "from_on", "valid_until": "until_on", "rationale_category": "rationale", "point": "value",
    }  # fmt: skip

    point: PolicyPoint | None = None
    dimensions: tuple[str, ...] = DIMENSIONS

    def wanted(self) -> Any:
        """The value in the core's unit; ``None`` where nothing that can be read was entered."""
        if self.point is None:
            return None
        field = self._fields["value"]
        if self.point.choices:
            known = {_word(choice): choice for choice in self.point.choices}
            return known.get(str(field.data))
        if not isinstance(field.data, Decimal):
            return None
        return int(field.data * _STEPS[self.point.unit or Unit.DAYS])

    def scope(self) -> Scope:
        """What it is limited to; a dimension that the point does not have is not named."""
        if self.kind.data == Kind.STANDARD_CHANGE:
            return Scope()
        return Scope(**{name: getattr(self, name).data or None for name in self.dimensions})

    def said(self, currency: str) -> Content:
        """What is said about it; what it costs is in this currency. Raises ``RuleBroken`` for less than its smallest coin."""
        texts: dict[str, Any] = {name: str(getattr(self, name).data or "") for name in _TEXTS}
        cost = self.cost.data if isinstance(self.cost.data, Decimal) else None
        minor = None if cost is None else to_minor(cost, currency)
        if minor is not None and from_minor(minor, currency) != cost:
            raise RuleBroken("variant_cost_places", field="cost", currency=currency, places=places(currency))
        return Content(
            **{**texts, "step": texts["step"] or None}, owner=self.owner.data or None, deputy=self.deputy.data or None,
            rationale=Rationale(self.rationale.data) if self.rationale.data else None,
            cost_minor=minor, cost_currency=None if minor is None else currency, review_months=self.review_months.data,
        )  # fmt: skip


def in_form(point: PolicyPoint, value: Any) -> Any:
    """A value of the core as its field holds it."""
    return _word(value) if point.choices else Decimal(value) / _STEPS[point.unit or Unit.DAYS]


def _word(choice: Any) -> str:
    return ("yes" if choice else "no") if isinstance(choice, bool) else str(choice)


def _value_field(point: PolicyPoint, standard: Any) -> Any:
    if point.choices:
        return RadioField(
            "Value", [InputRequired("Choose one")],
            choices=choices(
                (_word(choice), f"{point.shown(choice).capitalize()}: {(point.means or {}).get(choice, '')}".rstrip(": "))
                for choice in point.choices
                if choice != standard
            ),
        )  # fmt: skip
    unit = point.unit or Unit.DAYS
    return ExactField(
        "Value", [InputRequired("Enter a number")], places=_PLACES[unit],
        description=f"From {point.range}; the standard is {point.shown(standard)}.",
    )  # fmt: skip


def _scope_field(name: str) -> SelectField:
    return SelectField(LABELS[name], [Optional()], coerce=int, default=0, description=_HINTS[name])


def ask_form(
    point: PolicyPoint | None,
    standard: Any,
    picks: Picks,
    people: list[tuple[int, str]],
    older: list[tuple[int, str]],
    kinds: list[Kind],
    given: dict[str, Any],
) -> AskForm:
    """A form with the value as this point has it, and a choice for each dimension by which it may differ; ``given`` is what the
    address already says. Without a point it is for what people do by hand.
    """
    dimensions = point.dimensions if point is not None else DIMENSIONS
    fields: dict[str, Any] = {name: _scope_field(name) for name in dimensions}
    if point is not None:
        fields["value"] = _value_field(point, standard)
    else:
        fields["deviations"] = StringField(
            "Deviations", [InputRequired("Name at least one"), Length(max=300)],
            description="Names as on the page of conformance, with commas between them.",
        )  # fmt: skip
    made: Any = type("AskFormOfPoint", (AskForm,), fields)
    form: AskForm = made(data=given)
    form.point, form.dimensions = point, dimensions
    for name in dimensions:
        getattr(form, name).choices = choices([(0, "any"), *picks.of(name)])
    form.kind.choices = choices((one, KINDS[one]) for one in kinds)
    form.owner.choices = choices([(0, "I do"), *people])
    form.deputy.choices = choices([(0, "nobody"), *people])
    form.rationale.choices = choices(
        [("", "choose"), *((one, f"{heading(one)}: {RATIONALES[one]}") for one in Rationale)]
    )
    form.supersedes.choices = choices([(0, "none"), *older])
    return form


class MoveForm(Form):
    """What becomes of a variant, and why; a later end where a review is asked for, and who else answers for it."""

    version = HiddenField()
    reason = TextAreaField(
        "Reason", [InputRequired("Say why"), Length(max=2000)], description="It stays with the variant."
    )
    until_on = DateField(
        "Extend until", [Optional()], description="Empty: the review only asks whether it stays as it is."
    )
    owner = SelectField("Owner", [Optional()], coerce=int, default=0)
    deputy = SelectField("Deputy", [Optional()], coerce=int, default=0)
    called = {"until": "until_on", "valid_until": "until_on"}  # noqa: RUF012 - as the base declares it


class OrdersForm(Form):
    """Put orders under way under the rules of now."""

    version = HiddenField()
    reason = TextAreaField(
        "Reason", [InputRequired("Say why"), Length(max=2000)], description="It stays with every order."
    )

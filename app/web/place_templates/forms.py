"""The forms of templates: what one says, section by section, and what is asked for when a place is made from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wtforms import DateField, HiddenField, SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from app.web.forms import Form, choices
from app.web.once import KeyedForm
from governance.templates.content import (
    FACTS,
    SECTIONS,
    Column,
    Content,
    PlaceKind,
    Row,
    lines_of,
    rows_of,
)

#: As long as a section may be typed.
_LONGEST = 200_000
NONE = 0


class TakeForm(KeyedForm):
    """A template of a place as it stands."""

    place = SelectField("Taken from")
    code = StringField("Code", [InputRequired("Give it a code"), Length(max=40)])
    name = StringField("Name", [InputRequired("Name it"), Length(max=200)])
    why = TextAreaField("What it is for", [Length(max=1000)])


class RetireForm(Form):
    """Nothing is made from it any more."""

    reason = StringField("Reason", [InputRequired("Say why"), Length(max=1000)])


def _fact(column: Column) -> Any:
    if column.choices:
        return SelectField(
            column.title, choices=choices((one, one.replace("_", " ").capitalize()) for one in column.choices)
        )
    needed = [InputRequired(f"Enter it: {column.title.lower()}")] if column.is_needed else [Optional()]
    return StringField(column.title, [*needed, Length(max=column.longest)])


def content_form(kind: PlaceKind, *, is_new: bool) -> Any:
    """The form of all that a template of this kind says."""
    fields: dict[str, Any] = {"name": StringField("Name", [InputRequired("Name it"), Length(max=200)])}
    if is_new:
        fields["code"] = StringField("Code", [InputRequired("Give it a code"), Length(max=40)])
    else:
        fields["reason"] = StringField("Reason for the change", [InputRequired("Say why"), Length(max=1000)])
        fields["version"] = HiddenField()
    # A fact may be called as a field of the form is.
    fields |= {f"fact_{one.name}": _fact(one) for one in FACTS[kind]}
    for section in SECTIONS[kind]:
        cells = "; ".join(one.title for one in section.columns)
        fields[section.name] = TextAreaField(
            section.title, [Length(max=_LONGEST)], description=f"{cells}. As in: {section.example}"
        )
    fields["called"] = {one.name: f"fact_{one.name}" for one in FACTS[kind]}
    return type("ContentForm", (KeyedForm,), fields)()


def facts_in(form: Any, kind: PlaceKind) -> dict[str, str]:
    """The facts as they were typed."""
    return {one.name: str(form[f"fact_{one.name}"].data or "") for one in FACTS[kind]}


def rows_in(form: Any, kind: PlaceKind) -> Mapping[str, list[Row]]:
    """The rows as they were typed. Raises ``RuleBroken`` for a line with too many cells."""
    return {one.name: rows_of(one, str(form[one.name].data or "")) for one in SECTIONS[kind]}


def fill(form: Any, content: Content, name: str) -> None:
    """Put what a template says into its form."""
    form.name.data = name
    for one in FACTS[content.kind]:
        form[f"fact_{one.name}"].data = content.facts.get(one.name, "")
    for section in SECTIONS[content.kind]:
        form[section.name].data = lines_of(section, content.of(section.name))


class _Ticks(SelectMultipleField):
    """Boxes to tick."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


def apply_form(kind: PlaceKind) -> Any:
    """The form of what is asked for besides the template. ``seen``: the digest of the plan that is shown."""
    fields: dict[str, Any] = {
        "code": StringField("Code", [InputRequired("Give it a code"), Length(max=40)]),
        "name": StringField("Name", [InputRequired("Name it"), Length(max=200)]),
    }
    if kind is PlaceKind.SITE:
        fields["entity"] = SelectField("Company", coerce=int)
    fields |= {f"fact_{one.name}": _fact(one) for one in FACTS[kind]}
    if kind is PlaceKind.SITE:
        fields["channels"] = _Ticks("Channels that it offers", coerce=int)
    if kind is PlaceKind.CHANNEL:
        fields["sites"] = _Ticks("Sites that offer it", coerce=int)
    if kind is not PlaceKind.ENTITY:
        fields["programme"] = SelectField(
            "Programme", coerce=int, description="It gets the cells, closed until their go."
        )
    if kind is PlaceKind.SITE:
        fields["wave"] = SelectField("Wave that it joins", coerce=int)
    fields |= {
        "starts_on": DateField("First day", [Optional()], description="Of calendar, promises and rates; empty: today."),
        "owner": SelectField("Answers for its policy values", coerce=int),
        "until_on": DateField("Last day of its policy values", [Optional()], description="Only where the template proposes some."),
        "reason": TextAreaField("Reason", [Length(max=1000)]),
        "seen": HiddenField(validators=[Length(max=64)]),
        "called": {one.name: f"fact_{one.name}" for one in FACTS[kind]},
    }  # fmt: skip
    return type("ApplyForm", (KeyedForm,), fields)()

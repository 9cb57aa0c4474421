"""The forms of a programme and of a body: its cells, its rule and its seats."""

from __future__ import annotations

from typing import Any, Final

from wtforms import BooleanField, DateField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional, Regexp

from app.web.fields import ChecksField
from app.web.forms import Form, choices
from app.web.once import KeyedForm
from app.web.steering_words import share
from governance.programme.kinds import BodyKind

VACANT: Final = 0
#: Shares as people say them; a body may have another one from the API, which is then offered too.
_SHARES: Final = ((1, 2), (3, 5), (2, 3), (3, 4), (1, 1))
KINDS: Final[dict[str, str]] = {
    BodyKind.STEERING: "Steering committee: decides, and waives key criteria", BodyKind.PMO: "Programme office",
    BodyKind.DESIGN_AUTHORITY: "Design authority", BodyKind.PROCESS_COUNCIL: "Process council", BodyKind.DATA_COUNCIL: "Data council",
    BodyKind.CHANGE_ENABLEMENT: "Change and enablement", BodyKind.DEPLOYMENT: "Deployment",
}  # fmt: skip
_CODE: Final = Regexp(r"[A-Za-z0-9][A-Za-z0-9_-]*\Z", message="Letters, digits, - and _ only")


def share_choices(*more: tuple[int, int]) -> list[Any]:
    """Shares to choose from, least first."""
    known = sorted({*_SHARES, *more}, key=lambda one: one[0] / one[1])
    return choices((f"{part}/{whole}", share((part, whole)).capitalize()) for part, whole in known)


def pair(value: Any) -> tuple[int, int]:
    """A chosen share as the services take it."""
    part, _, whole = str(value).partition("/")
    return int(part), int(whole)


class ProgrammeForm(KeyedForm):
    """A rollout with its cells."""

    code = StringField(
        "Code", [InputRequired("Give it a code"), Length(max=20), _CODE], description="Short; it stands on every paper."
    )
    name = StringField("Name", [InputRequired("Give it a name"), Length(max=200)])
    purpose = TextAreaField("What it is for", [InputRequired("Say what it is for"), Length(max=2000)])
    starts_on = DateField("Begins", [InputRequired("Choose the day")])
    ends_on = DateField("Ends", [Optional()])
    cells = ChecksField("Cells")


class CellsForm(Form):
    """Further cells of a programme."""

    cells = ChecksField("Cells", [InputRequired("Tick at least one cell")])


class BodyForm(KeyedForm):
    """A new body with the first of its seats."""

    name = StringField("Name", [InputRequired("Give it a name"), Length(max=200)])
    code = StringField(
        "Code",
        [InputRequired("Give it a code"), Length(max=60), _CODE],
        description="Gates name it by this: steering, pmo.",
    )
    kind = SelectField("What it is", choices=choices(KINDS.items()))
    mandate = TextAreaField("Mandate", [InputRequired("Say what it decides"), Length(max=2000)])
    quorum = SelectField(
        "Quorum",
        choices=share_choices(),
        default="2/3",
        description="So many of the seats that are not recused must be there.",
    )
    majority = SelectField(
        "Majority",
        choices=share_choices(),
        default="2/3",
        description="So many of the votes cast, and always more than half.",
    )
    function = StringField("First seat", [InputRequired("Name the function"), Length(max=80)], default="Chair")
    person = SelectField("Held by", coerce=int)


class RuleForm(Form):
    """What a body is for and how it decides."""

    name = StringField("Name", [InputRequired("Give it a name"), Length(max=200)])
    mandate = TextAreaField("Mandate", [InputRequired("Say what it decides"), Length(max=2000)])
    quorum = SelectField("Quorum", description="So many of the seats that are not recused must be there.")
    majority = SelectField("Majority", description="So many of the votes cast, and always more than half.")
    reason = StringField("Reason", [InputRequired("Say why the rule changes"), Length(max=2000)])


class SeatForm(KeyedForm):
    """A seat: what it stands for, who holds it, what it weighs."""

    function = StringField(
        "Function", [InputRequired("Name the function"), Length(max=80)], description="Finance, Warehouse, Sales."
    )
    person = SelectField("Held by", coerce=int)
    chair = BooleanField("Chair")
    mandatory = BooleanField("Must be there", description="Without it there is no quorum.")
    veto = BooleanField("Veto", description="Its no-go stops a go.")
    reason = StringField(
        "Reason", [InputRequired("Say why"), Length(max=2000)], description="Stands in the audit trail."
    )


class EndForm(Form):
    """Abolishing a seat, or ending a delegation."""

    reason = StringField("Reason", [InputRequired("Say why"), Length(max=2000)])

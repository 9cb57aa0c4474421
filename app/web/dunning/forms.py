"""The forms of dunning: whose run, why not, the procedure, blocks, promises and what becomes of a fee."""

from __future__ import annotations

from typing import Any

from wtforms import DateField, HiddenField, IntegerField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from app.reports.dunning import KINDS
from app.web.fields import ExactField
from app.web.forms import Form, choices
from app.web.once import KeyedForm
from erpcore.billing.dunning.rules import Level

#: A typed procedure has so many levels at most; programs may send more.
ROWS = 3
_BLOCKS = (("dispute", "Dispute"), ("agreement", "Agreement"), ("insolvency", "Insolvency"), ("other", "Other"))


class ProposeForm(Form):
    """For which company."""

    entity = SelectField("Company", coerce=int)


class WhyForm(Form):
    """A reason that stays in the history."""

    reason = StringField("Reason", [DataRequired("Say why"), Length(max=300)])
    version = HiddenField()


class ProcedureForm(KeyedForm):
    """A procedure as it is typed; ``level_1_days`` and so on are its steps."""

    entity = SelectField("Company", coerce=int)
    group = SelectField("Customers", coerce=int, description="A group’s own procedure goes before the one for all")
    name = StringField("Name", [DataRequired("Give it a name"), Length(max=200)])
    valid_from = DateField("Holds from", [InputRequired("Enter a day")])
    interval_days = IntegerField(
        "Days between two notices", [InputRequired("Enter how many"), NumberRange(1, 3650)], default=7
    )
    min_total = ExactField("Least overdue that is asked for", [Optional()], places=4)


def procedure_form() -> type[ProcedureForm]:
    """The form with the fields of each level."""
    fields: dict[str, Any] = {}
    for number in range(1, ROWS + 1):
        needed = [InputRequired("Enter how many days")] if number == 1 else [Optional()]
        fields[f"level_{number}_days"] = IntegerField(f"Level {number}: days overdue", [*needed, NumberRange(1, 3650)])
        fields[f"level_{number}_min"] = ExactField(f"Level {number}: least open amount", [Optional()], places=4)
        fields[f"level_{number}_fee"] = ExactField(f"Level {number}: fee", [Optional()], places=4)
        fields[f"level_{number}_respite"] = IntegerField(
            f"Level {number}: days to pay", [Optional(), NumberRange(0, 3650)], default=10
        )
        fields[f"level_{number}_letter"] = SelectField(f"Level {number}: letter", choices=choices(KINDS.items()))
        fields[f"level_{number}_note"] = StringField(f"Level {number}: paragraph of its own", [Length(max=500)])
    return type("TypedProcedureForm", (ProcedureForm,), fields)


def typed_levels(form: Any, minor: Any) -> list[Level]:
    """The levels whose days were entered; ``minor`` turns an amount at a field into minor units."""
    out: list[Level] = []
    for number in range(1, ROWS + 1):
        if form[f"level_{number}_days"].data is None:
            continue
        out.append(
            Level(
                level=len(out) + 1, days_overdue=form[f"level_{number}_days"].data, min_minor=minor(f"level_{number}_min"),
                fee_minor=minor(f"level_{number}_fee"), letter=form[f"level_{number}_letter"].data,
                respite_days=form[f"level_{number}_respite"].data or 0, note=form[f"level_{number}_note"].data or None,
            )
        )  # fmt: skip
    return out


class BlockForm(KeyedForm):
    """Nobody asks for a while."""

    document = SelectField("What", coerce=int)
    kind = SelectField("Why", choices=choices(_BLOCKS))
    reason = StringField("In words", [DataRequired("Say why"), Length(max=300)])
    until = DateField("Asked again from", [InputRequired("Enter a day")])


class PromiseForm(KeyedForm):
    """What the customer promised."""

    document = SelectField("What", coerce=int)
    amount = ExactField("Amount", [InputRequired("Enter how much")], places=4)
    until = DateField("Comes until", [InputRequired("Enter a day")])
    said_by = StringField("Said by", [DataRequired("Say who promised it"), Length(max=200)])
    note = TextAreaField("Note", [Length(max=1000)])


class FeeForm(KeyedForm):
    """A fee out of a receipt, or given up."""

    receipt = SelectField("Settled by", coerce=int)
    amount = ExactField("Amount", [InputRequired("Enter how much")], places=4)
    reason = StringField("Reason", [Length(max=300)], description="Needed to waive it")

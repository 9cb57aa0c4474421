"""The forms of the roadmap and of the business case."""

from __future__ import annotations

from datetime import date
from typing import Any

from wtforms import DateField, HiddenField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional, Regexp

from app.web.fields import ExactField
from app.web.forms import Form, choices
from app.web.once import KeyedForm
from erpcore.kernel.money import places, to_minor
from governance.roadmap.kinds import TITLES, MoneyKind, PhaseCode

_CODE = Regexp(r"[A-Za-z0-9][A-Za-z0-9_-]*\Z", message="Letters, digits, - and _ only")
_CURRENCY = Regexp(r"[A-Z]{3}\Z", message="Three capital letters, as in EUR")
STATED = ""
_REALMS = (("live", "Live"), ("rehearsal", "Rehearsal"), ("legacy", "Legacy"))
KINDS = {MoneyKind.BUDGET: "Budget", MoneyKind.SPEND: "Spend", MoneyKind.FORECAST: "Forecast of the whole"}


class _MoneyForm(KeyedForm):
    """An amount with its currency; what has more places than the currency has is refused at its field."""

    currency = StringField("Currency", [InputRequired("Enter the currency"), _CURRENCY], default="EUR")

    def minor(self, field: Any) -> int | None:
        """What was typed, in minor units; ``None``, with the reason at the field, where the currency has no such coin."""
        currency = str(self.currency.data)
        if field.data != round(field.data, places(currency)):
            field.errors = [*field.errors, f"{currency} has {places(currency)} decimal places."]
            self.status = 422
            return None
        return to_minor(field.data, currency)


class LayOutForm(KeyedForm):
    """The days of the six phases."""

    def days(self) -> tuple[tuple[date, date], ...]:
        """From and until of each, in order."""
        return tuple((self[f"{code}_from"].data, self[f"{code}_until"].data) for code in PhaseCode)


for _phase in PhaseCode:
    setattr(LayOutForm, f"{_phase}_from", DateField(f"{TITLES[_phase]}: from", [InputRequired("Choose the first day")]))
    setattr(LayOutForm, f"{_phase}_until", DateField("until", [InputRequired("Choose the last day")]))


class DaysForm(Form):
    """Other days for a phase."""

    starts_on = DateField("From", [InputRequired("Choose the first day")])
    ends_on = DateField("Until", [InputRequired("Choose the last day")])
    reason = StringField("Reason", [InputRequired("Say why"), Length(max=1000)])
    version = HiddenField()


class CriterionForm(KeyedForm):
    """What must hold before the phase closes."""

    title = StringField("What must hold", [InputRequired("Say what must hold"), Length(max=200)])
    code = StringField("Code", [InputRequired("Give it a code"), Length(max=40), _CODE])
    owner = SelectField("Answers for it", coerce=int)
    figure = SelectField("Proven by")
    realm = SelectField("Read from", choices=choices(_REALMS), description="Of a figure alone.")
    pass_mark = ExactField(
        "Mark", [Optional()], places=4, description="In the figure's shown unit: 95 of per cent, 24 hours."
    )


class StateForm(Form):
    """What the owner of a criterion states."""

    holds = RadioField(
        "It", choices=choices([("yes", "holds"), ("no", "does not hold")]), validators=[InputRequired("Choose one")]
    )
    statement = TextAreaField("Because", [InputRequired("Say what shows it"), Length(max=2000)])


class ReasonForm(Form):
    """Why something goes."""

    reason = StringField("Reason", [InputRequired("Say why"), Length(max=1000)])


class AskForm(Form):
    """The phase as it was seen when the body is asked."""

    version = HiddenField()


class TrancheForm(_MoneyForm):
    """Money that a stage gate releases."""

    phase = SelectField("Released by the gate of", coerce=int)
    title = StringField("What for", [InputRequired("Say what for"), Length(max=200)])
    code = StringField("Code", [InputRequired("Give it a code"), Length(max=40), _CODE])
    amount = ExactField("Amount", [InputRequired("Enter the amount")])


class MoneyForm(_MoneyForm):
    """A line of the business case."""

    kind = SelectField("What", choices=choices((key.value, text) for key, text in KINDS.items()))
    wave = SelectField("For", coerce=int)
    amount = ExactField("Amount", [InputRequired("Enter the amount")], description="Less than nothing corrects a line.")
    on = DateField("On", [InputRequired("Choose the day")])
    note = StringField("Note", [InputRequired("Say what it is"), Length(max=500)])


class BenefitForm(_MoneyForm):
    """What the programme is to bring."""

    title = StringField("Benefit", [InputRequired("Name it"), Length(max=200)])
    code = StringField("Code", [InputRequired("Give it a code"), Length(max=40), _CODE])
    figure = SelectField("Proven by")
    target = ExactField(
        "Target", [InputRequired("Enter the target")], places=4, description="In the figure's shown unit."
    )
    proof_on = DateField("Proven on", [InputRequired("Choose the day")])
    worth = ExactField("Worth a year", [InputRequired("Enter what it is worth")])
    owner = SelectField("Answers for it", coerce=int)

"""The forms of deductions and disputes: why it is, whose it is, and what becomes of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wtforms import DateField, HiddenField, IntegerField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from app.queries.disputes import LineFact
from app.security.permissions import Permission
from app.security.roles import ROLES
from app.web.fields import ExactField, PriceField, QuantityField
from app.web.figures import quantity
from app.web.forms import Form, choices
from app.web.once import KeyedForm

_NOTE = [DataRequired("Say it in a few words"), Length(max=2000)]
_FAULTS = (("undecided", "Undecided"), ("ours", "Ours"), ("customer", "The customer's"))
#: Nobody in particular, or no line of the invoice.
NONE = 0


def owners() -> list[tuple[str, str]]:
    """The roles that may look after differences."""
    return [(role.value, duty.title) for role, duty in ROLES.items() if Permission.DISPUTE_WORK in duty.permissions]


def reason_choices(reasons: Sequence[Any]) -> list[Any]:
    """The reasons by name, the unknown one last."""
    told = sorted(reasons, key=lambda one: (one.code == "unknown", one.title))
    return choices((one.code, one.title) for one in told)


def line_choices(lines: Sequence[LineFact]) -> list[Any]:
    """The lines of the invoice, and none in particular."""
    said = [(one.order_line, f"{one.code} {one.name} · {quantity(one.quantity)} billed") for one in lines]
    return choices([(NONE, "No line in particular"), *said])


class DeductForm(KeyedForm):
    """What a payment left open."""

    reason = SelectField("Reason", validate_choice=False)
    amount = ExactField("Amount", [Optional()], description="Empty: all that is open and not named yet.")
    note = StringField("What the customer says", [Length(max=2000)])


class ObjectForm(KeyedForm):
    """What a customer objects to."""

    reason = SelectField("Reason", validate_choice=False)
    line = SelectField("Line", coerce=int, validate_choice=False)
    amount = ExactField("Amount in dispute", [InputRequired("Enter how much")])
    note = TextAreaField("What the customer says", _NOTE)
    evidence = TextAreaField(
        "Evidence", [Length(max=2000)], description="Where it is found: a letter, a photo, a signed note."
    )


class ContestForm(Form):
    """Why a deduction is disputed."""

    reason = SelectField("Reason", validate_choice=False)
    line = SelectField("Line", coerce=int, validate_choice=False)
    note = TextAreaField("What the customer says", _NOTE)
    evidence = TextAreaField(
        "Evidence", [Length(max=2000)], description="Where it is found: a letter, a photo, a signed note."
    )
    version = HiddenField()


class SettleForm(KeyedForm):
    """What becomes of it, in up to three parts; what none names stays open."""

    line = SelectField("Credit on line", coerce=int, validate_choice=False)
    quantity = QuantityField("For how many", [Optional()])
    unit_price = PriceField(
        "At this price each",
        [Optional()],
        description="Empty: the price of the invoice. Less: by so much it was too high.",
    )
    rebill = ExactField(
        "The customer has to pay", [Optional()], description="Nobody disputes it any more; it is asked for again."
    )
    write_off = ExactField(
        "Write off", [Optional()], description="Somebody else agrees to it, by amount; within tolerance at once."
    )
    reason = StringField("Why", [DataRequired("Say what was found"), Length(max=500)])
    version = HiddenField()


class HandForm(Form):
    """Who looks after it, and until when."""

    role = SelectField("Role", validate_choice=False)
    person = StringField(
        "Person", [Length(max=120)], description="The sign-in name of a colleague; empty: whoever has the role."
    )
    due_on = DateField("Until", [Optional()], description="Empty: the day stays.")
    reason = StringField("Note", [Length(max=500)])

    def offer(self, *, keeps: bool) -> None:
        """Fill the roles; ``keeps``: it may stay with the role that has it."""
        self.role.choices = choices([*([("", "As it is")] if keeps else []), *owners()])


class CommentForm(Form):
    """What was said or found."""

    text = TextAreaField("Comment", _NOTE)


class RouteForm(Form):
    """Whose the differences of a reason are."""

    code = StringField(
        "Code", [DataRequired("Enter a code"), Length(max=32)], description="Of a reason that is there, or a new one."
    )
    title = StringField("Name", [DataRequired("Enter what it is called"), Length(max=120)])
    role = SelectField("Owner", validate_choice=False)
    person = StringField("Person", [Length(max=120)], description="A sign-in name, where one person has them all.")
    due_days = IntegerField(
        "Days to find out", [InputRequired("Enter the days"), NumberRange(1, 365, "Between 1 and 365 days")]
    )
    fault = SelectField("Fault on credit memos", choices=choices(_FAULTS))

"""The forms of approvals: an answer, a rule's next version, a decision on it, who answers for me."""

from __future__ import annotations

from decimal import Decimal

from wtforms import (
    BooleanField,
    DateField,
    HiddenField,
    IntegerField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from app.composition.approval_words import group_of
from app.security.permissions import Permission
from app.security.roles import ROLES
from app.web.fields import ExactField
from app.web.forms import Form, choices
from app.web.once import KeyedForm
from erpcore.kernel.money import places, to_minor
from governance.approvals.offices import BODY, MAY, ROLE
from governance.approvals.rulebook import HIGHEST_TIER, LONGEST_TIMEOUT, LOWEST_TIER
from governance.approvals.rules import WEIGHTS_OF_RULES, Condition, Materiality
from governance.approvals.services import MOST_PEOPLE
from governance.programme.kinds import BodyKind

#: What people who decide with one permission may do; others would name everybody or nobody.
DECIDING = tuple(
    each for each in Permission if ":approve" in each.value or each.value.endswith(":authorise") or each.value == "orders:hold:settle"
)  # fmt: skip


class AnswerForm(Form):
    """Yes or no. The key makes the second press of a thumb harmless."""

    version = HiddenField()
    request_key = HiddenField(validators=[Length(max=100)])
    reason = TextAreaField("Reason", [Length(max=2000)], description="Needed for a no; it stays with the request.")


class ReasonForm(Form):
    """Why."""

    version = HiddenField()
    reason = TextAreaField("Reason", [InputRequired("Say why"), Length(max=2000)])


class RuleForm(KeyedForm):
    """A rule as it is to be from its approval on."""

    seen = HiddenField()
    code = StringField(
        "Name",
        [InputRequired("Name the rule"), Length(max=32)],
        description="Short and lasting: large-amounts, key-accounts.",
    )
    amount_from = ExactField("From an amount of", [Optional()], places=3, description="Empty: whatever the amount.")
    currency = StringField("Currency", [Optional(), Length(3, 3, "Three letters, such as EUR")], default="EUR")
    margin_below = ExactField(
        "With a margin below, in %", [Optional()], places=1, description="Empty: whatever the margin."
    )
    tier = IntegerField("For customers of tier", [Optional(), NumberRange(LOWEST_TIER, HIGHEST_TIER)])
    materiality = SelectField(
        "Of materiality",
        choices=choices([("", "any"), *((each.value, f"{each.value} or higher") for each in WEIGHTS_OF_RULES)]),
    )
    is_automatic = BooleanField("Nobody is asked: approve automatically")
    capacity = SelectField("Who decides", [Optional()])
    people = IntegerField(
        "How many different people", [Optional(), NumberRange(1, MOST_PEOPLE)],
        description="Empty: one person, or a body's quorum.",
    )  # fmt: skip
    timeout_hours = IntegerField(
        "Within working hours",
        [Optional(), NumberRange(1, LONGEST_TIMEOUT)],
        description="Empty: it waits without a limit.",
    )
    escalate_to = SelectField("Afterwards also", [Optional()])
    reason = TextAreaField(
        "Reason", [InputRequired("Say why"), Length(max=2000)], description="Whoever decides on the rule reads it."
    )

    def offer(self) -> None:
        """Fill the choices of people."""
        groups = capacities()
        self.capacity.choices = choices([("", "–"), *groups])
        self.escalate_to.choices = choices([("", "nobody else"), *groups])

    def condition(self) -> Condition:
        """What the rule is for."""
        currency = str(self.currency.data or "").upper()
        amount: Decimal | None = self.amount_from.data
        margin: Decimal | None = self.margin_below.data
        return Condition(
            amount_from_minor=None if amount is None else to_minor(amount, currency),
            currency=None if amount is None else currency,
            margin_below_permille=None if margin is None else int(margin * 10), tier=self.tier.data,
            materiality=Materiality(self.materiality.data) if self.materiality.data else None,
        )  # fmt: skip

    def people_wanted(self) -> int | None:
        """How many; a body without a number decides with its quorum."""
        is_body = str(self.capacity.data).startswith(f"{BODY}:")
        found: int | None = self.people.data
        return found if found is not None or is_body else 1


def capacities() -> list[tuple[str, str]]:
    """Who may be named in a rule: roles, bodies, and what somebody may do."""
    roles = [(f"{ROLE}:{role.value}", duty.title) for role, duty in ROLES.items()]
    bodies = [(f"{BODY}:{kind.value}", group_of(f"{BODY}:{kind.value}").capitalize()) for kind in BodyKind]
    may = [(f"{MAY}:{each.value}", group_of(f"{MAY}:{each.value}").capitalize()) for each in DECIDING]
    return [*roles, *bodies, *may]


def amount_shown(minor: int, currency: str) -> Decimal:
    """Minor units as the form has them."""
    return Decimal(minor).scaleb(-places(currency))


class DecideForm(Form):
    """What becomes of a proposed version of a rule."""

    version = HiddenField()
    verdict = RadioField(
        "Decision", [InputRequired("Choose one")], choices=choices([("approve", "Approve"), ("decline", "Decline")])
    )
    reason = TextAreaField("Reason", [InputRequired("Say why"), Length(max=2000)])


class DelegateForm(Form):
    """Who answers for me."""

    delegate = StringField(
        "Sign-in name", [InputRequired("Name a colleague"), Length(max=120)],
        description="Of a colleague. They may decide what you may, and never what either of you asked for.",
    )  # fmt: skip
    from_on = DateField("First day", [InputRequired("Choose the first day")])
    until_on = DateField("Last day", [InputRequired("Choose the last day")])
    reason = StringField("Reason", [InputRequired("Say why"), Length(max=500)])

    called = {"valid_from": "from_on", "valid_until": "until_on"}  # noqa: RUF012 - as the base declares it

"""The forms of people, roles and tokens."""

from __future__ import annotations

from wtforms import DateField, IntegerField, PasswordField, SelectField, SelectMultipleField, StringField
from wtforms.validators import InputRequired, Length, NumberRange, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from app.identity.passwords import LEAST_LENGTH
from app.security.permissions import Permission
from app.security.roles import ROLES
from app.web.forms import Form, choices

ALL_SITES = 0
_ROLES = choices((role.value, duty.title) for role, duty in ROLES.items())


class PersonForm(Form):
    """A new account. The first password is told to the person, who must choose another."""

    name = StringField("Name", [InputRequired("Enter the person's name"), Length(max=200)])
    sign_in = StringField(
        "Sign-in name",
        [InputRequired("Enter a sign-in name"), Length(max=120)],
        description="An e-mail address is a good one.",
    )
    email = StringField("E-mail", [Optional(), Length(max=200)])
    time_zone = StringField(
        "Time zone", [InputRequired("Enter a time zone")], default="UTC", description="As Europe/Berlin."
    )
    password = PasswordField(
        "First password",
        [Optional()],
        description=f"At least {LEAST_LENGTH} characters; must be changed at the first sign-in. Empty: acts through tokens only.",
    )


class RoleForm(Form):
    """A role to give."""

    role = SelectField("Role", choices=_ROLES)
    site = SelectField("Where", coerce=int)
    until = DateField("Until", [Optional()], description="The last day is the day before; empty: open.")
    reason = StringField("Reason", [InputRequired("Say why this person has the role"), Length(max=500)])


class ReasonForm(Form):
    """Something that is only done with a reason."""

    reason = StringField("Reason", [InputRequired("Say why"), Length(max=500)])


class FirstPasswordForm(Form):
    """A password chosen by somebody else."""

    password = PasswordField("First password", [InputRequired("Enter a password")])


class TokenForm(Form):
    """A token to make; its permissions are those of the role that the program needs."""

    name = StringField("What it is for", [InputRequired("Say what uses it"), Length(max=200)])
    role = SelectField("Acts in the role")
    permissions = SelectMultipleField(
        "May", choices=choices((permission.value, permission.sentence.capitalize()) for permission in Permission),
        widget=ListWidget(prefix_label=False), option_widget=CheckboxInput(),
    )  # fmt: skip
    site = SelectField("Where", coerce=int)
    days = IntegerField("Lives for", [InputRequired("Say for how many days"), NumberRange(1, 366)], default=90)

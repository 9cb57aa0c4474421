"""The forms of customers: another credit limit, another tier, blocked or not."""

from __future__ import annotations

from typing import ClassVar

from wtforms import BooleanField, HiddenField, SelectField, StringField
from wtforms.validators import DataRequired, Length, Optional

from app.web.fields import ExactField
from app.web.forms import Form, choices

TIER_NAMES = {1: "Key account", 2: "Usual", 3: "Small"}


class LimitForm(Form):
    """Up to what a customer may owe."""

    limit = ExactField("Credit limit", [Optional()], places=2, description="Empty: no limit is checked")
    reason = StringField("Reason", [DataRequired("Say why"), Length(max=500)])
    seen = HiddenField(validators=[Length(max=60)])


class StandingForm(Form):
    """How much a customer weighs, and whether they may order."""

    tier = SelectField("Tier", coerce=int, choices=choices(TIER_NAMES.items()))
    is_blocked = BooleanField("Blocked", description="A blocked customer cannot order; what is captured is held for it")
    reason = StringField("Reason", [DataRequired("Say why"), Length(max=500)])
    seen = HiddenField(validators=[Length(max=60)])
    called: ClassVar = {"blocked": "is_blocked"}

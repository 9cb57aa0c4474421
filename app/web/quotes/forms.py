"""The forms of quotes: writing one, and what customers and approvers answer."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

from wtforms import BooleanField, DateField, HiddenField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length

from app.web.forms import Form
from app.web.orders.forms import OrderForm


class QuoteForm(OrderForm):
    """A quote as it is typed. ``last_day`` is the last day on which its prices hold, as customers read it."""

    last_day = DateField("Prices hold until", [InputRequired("Say until which day the prices hold")])
    note = TextAreaField("Note to the customer", [Length(max=2000)], render_kw={"rows": 2})
    version = HiddenField()
    called: ClassVar = {"valid_until": "last_day"}


class AcceptForm(Form):
    """The customer says yes."""

    customer_reference = StringField("Customer reference", [Length(max=120)], description="Their order number")
    version = HiddenField()
    request_key = HiddenField(validators=[Length(max=64)])


class DeclineForm(Form):
    """The customer says no, or we take it back."""

    by_customer = BooleanField("The customer does not want it", description="Otherwise we take it back")
    reason = StringField("Reason", [DataRequired("Say why"), Length(max=500)])
    version = HiddenField()


class GiveBackForm(Form):
    """Prices that are not approved."""

    reason = StringField("What should change", [DataRequired("Say what should change"), Length(max=500)])
    version = HiddenField()


def usual_last_day(today: date) -> date:
    """A month from today: what a form begins with."""
    month = today.month % 12 + 1
    year = today.year + (today.month == 12)
    for day in (today.day, 30, 29, 28):
        try:
            return date(year, month, day)
        except ValueError:
            continue
    return today

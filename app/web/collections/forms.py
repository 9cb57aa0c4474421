"""The forms of collecting: a contact, the day of the next one, whose customers are."""

from __future__ import annotations

from wtforms import DateField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length, Optional

from app.web.forms import Form, choices
from app.web.once import KeyedForm

BANDS = {
    "very_late": "Pays very late", "late": "Pays late", "often_late": "Often late", "punctual": "Punctual",
    "unknown": "Not enough history",
}  # fmt: skip
KINDS = {"call": "Call", "mail": "Mail", "letter": "Letter", "visit": "Visit"}


class ContactForm(KeyedForm):
    """Somebody was spoken to."""

    kind = SelectField("How", choices=choices(KINDS.items()))
    spoke_with = StringField("With whom", [DataRequired("Say with whom"), Length(max=200)])
    said = TextAreaField("What was said", [DataRequired("Say what was said"), Length(max=2000)])
    follow_up = DateField("Follow up on", [Optional()], description="Without a day the rules say what is next.")


class FollowUpForm(Form):
    """When the customer is due again."""

    day = DateField("Follow up on", [Optional()], description="Empty: whenever the rules say so.")


class GiveForm(Form):
    """Whose the chosen customers are; 0 is whoever the routes say."""

    owner = SelectField("Give the chosen customers to", coerce=int)


class RouteForm(Form):
    """Whose customers of a company and group are; 0 is nobody."""

    entity = SelectField("Company", coerce=int)
    group = SelectField("Customers", coerce=int)
    owner = SelectField("Are looked after by", coerce=int)

"""The forms of the floor: what a scanner types, and what a supervisor decides."""

from __future__ import annotations

from wtforms import HiddenField, IntegerField, SelectField, StringField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from app.web.fields import QuantityField
from app.web.forms import Form, choices
from app.web.once import KeyedForm

#: What a scanner needs of a field: no keyboard that corrects, no capitals, and the focus.
SCAN = {
    "data-scan": True, "autofocus": True, "autocomplete": "off", "autocapitalize": "none", "spellcheck": "false",
    "enterkeyhint": "done",
}  # fmt: skip


class LocationForm(Form):
    """The label on the shelf, before anything is taken from it."""

    scanned = StringField("Scan the location", [Length(max=120)], render_kw=SCAN)


class PickForm(KeyedForm):
    """What was taken of the line that is next. ``before``: how much was picked when the page was made."""

    scanned = StringField("Scan the item", [Length(max=120)], render_kw=SCAN)
    quantity = QuantityField("Quantity", [InputRequired("Enter how many you took")])
    scanned_location = HiddenField(validators=[Length(max=120)])
    before = HiddenField(validators=[Length(max=20)])


class ShortForm(KeyedForm):
    """What was not there, or not good; the rest of the line is closed with the reason."""

    quantity = QuantityField("Good ones taken", [InputRequired("Enter how many you took, 0 when there were none")])
    damaged = QuantityField("Damaged ones found", [Optional()])
    reason = SelectField(
        "Why the rest is short",
        choices=choices(
            [
                (word, word[0].upper() + word[1:])
                for word in (
                    "not found",
                    "shelf empty",
                    "fewer than the book says",
                    "all damaged",
                    "blocked by a count",
                )
            ]
        ),
    )
    before = HiddenField(validators=[Length(max=20)])


class PutBackForm(KeyedForm):
    """So much of a line lies on its shelf again."""

    quantity = QuantityField("How many", [InputRequired("Enter how many you put back")])


class PlanForm(KeyedForm):
    """What to pick together."""

    method = SelectField(
        "How", choices=choices([("order", "One order a round"), ("batch", "Several orders a round, each in its tote"), ("zone", "One round per zone")]),
    )  # fmt: skip
    service = SelectField("For the collection of", coerce=int, description="Only orders that the carrier rules give it")
    zone = StringField("Zone", [Length(max=24)], description="Empty: all zones")
    capacity = IntegerField("Lines at most", [InputRequired("Enter a number"), NumberRange(1, 5000)], default=200)
    totes = IntegerField("Totes on a trolley", [InputRequired("Enter a number"), NumberRange(1, 40)], default=8)


class WhyForm(Form):
    """Why it is done."""

    reason = StringField("Reason", [DataRequired("Say why"), Length(max=120)])


class PriorityForm(Form):
    """Before or after its turn."""

    priority = IntegerField("Priority, 1 goes first", [InputRequired("Enter from 1 to 9"), NumberRange(1, 9)])
    reason = StringField("Reason", [DataRequired("Say why"), Length(max=200)])


class AssignForm(Form):
    """Whose task it is."""

    person = SelectField("For", coerce=int)


class UrgentForm(KeyedForm):
    """Orders to be picked at once, outside any pick wave."""

    orders = StringField(
        "Order numbers",
        [DataRequired("Enter at least one order number"), Length(max=400)],
        description="Separated by commas",
    )

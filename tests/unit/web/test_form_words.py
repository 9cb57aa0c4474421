"""Whatever nonsense is typed, a form says what to do; the library's own sentences never reach a page."""

from __future__ import annotations

import pytest
from flask import Flask
from wtforms import (
    DateField,
    DateTimeLocalField,
    IntegerField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TimeField,
)
from wtforms.validators import DataRequired, Length, NumberRange, Optional

from app.web.fields import QuantityField
from app.web.forms import Form, choices


class Everything(Form):
    """A field of every kind that the product uses."""

    day = DateField("Day", [Optional()])
    moment = DateTimeLocalField("Moment", [Optional()], format="%Y-%m-%dT%H:%M")
    time = TimeField("Time", [Optional()])
    count = IntegerField("Count", [NumberRange(1, 40)])
    least = IntegerField("Least", [NumberRange(min=1)])
    hours = QuantityField("Hours", [NumberRange(0, 99)])
    amount = QuantityField("Amount")
    one = SelectField("One", coerce=int, choices=choices([(1, "first")]))
    radio = RadioField("Radio", choices=choices([("a", "A")]))
    several = SelectMultipleField("Several", choices=choices([("a", "A")]))
    numbers = SelectMultipleField("Numbers", coerce=int, choices=choices([(1, "first")]))
    name = StringField("Name", [DataRequired(), Length(max=20)])


@pytest.fixture
def said():
    app = Flask("forms")
    app.config.update(SECRET_KEY="k", WTF_CSRF_ENABLED=False)

    def say(**typed):
        with app.test_request_context("/", method="POST", data=typed):
            form = Everything()
            assert not form.validate()
            return form.errors

    return say


NONSENSE = (
    "", "-5", "1" + "0" * 30, "31.02.2026", "2026-02-31", "abc", "x" * 5000, "😀", "½", "sNaN", "Infinity", "0001-01-01",
    "9999-12-31", "0001-01-01T00:00", "25:61",
)  # fmt: skip


@pytest.mark.parametrize("typed", NONSENSE, ids=[one[:12] or "empty" for one in NONSENSE])
@pytest.mark.parametrize("field", [name for name in vars(Everything) if not name.startswith("_")])
def test_no_sentence_of_the_library_is_left(said, field, typed):
    for message in said(**{"name": "ok", "count": "0", field: typed}).get(field, ()):
        assert not message.startswith(("Not a valid", "Number must", "Invalid", "Field ", "This field", "'")), message


def test_each_says_what_to_do(said):
    found = said(
        day="2026-02-31", moment="yesterday", time="25:61", count="99", least="0", hours="much", one="x", radio="z", several="z",
        numbers="z", name="x" * 30,
    )  # fmt: skip
    assert found == {
        "day": ["Enter a day that there is, as 2027-01-15"],
        "moment": ["Enter a day and a time that there are, as 2027-01-15 14:00"],
        "time": ["Enter a time of the day, as 14:00"],
        "count": ["Enter a number from 1 to 40"],
        "least": ["Enter 1 or more"],
        "hours": ["“much” is not a number. Enter digits, with a point before the decimals."],
        "one": ["Choose one from the list"],
        "radio": ["Choose one from the list"],
        "several": ["Choose from what is offered"],
        "numbers": ["Choose from what is offered"],
        "name": ["At most 20 characters fit; shorten it"],
    }


@pytest.mark.parametrize(
    ("field", "typed"), [("day", "0001-01-01"), ("day", "9999-12-31"), ("moment", "1899-12-31T23:59")]
)
def test_a_year_that_no_calendar_of_business_has_is_refused_at_its_field(said, field, typed):
    assert said(name="ok", **{field: typed})[field] == ["Enter a year from 1900 to 2999"]

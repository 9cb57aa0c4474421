"""What is entered for texts to customers, words for people, and addresses?"""

from __future__ import annotations

from wtforms import BooleanField, EmailField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length

from app.composition.letter_texts import LANGUAGES
from app.web.forms import Form, choices


class TextForm(Form):
    """A text to customers; ``order`` is a number to look at it with."""

    subject = StringField("Subject", [DataRequired("Enter the subject"), Length(max=200)])
    body = TextAreaField("Text", [DataRequired("Write what the customer should read"), Length(max=8_000)])
    order = StringField("Order to look at it with", [Length(max=40)])


class ScriptForm(Form):
    """What people say in a situation."""

    body = TextAreaField("Words", [DataRequired("Write what to say"), Length(max=2_000)])


class ContactForm(Form):
    """How a customer is written to."""

    email = EmailField("E-mail address", [DataRequired("Enter the address"), Length(max=200)])
    language = SelectField(
        "Language", validate_choice=False, choices=choices([("", "That of the country"), *LANGUAGES.items()])
    )
    wants_none = BooleanField("The customer wants no letters")

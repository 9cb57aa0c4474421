"""What does a form say where something typed cannot be read? What to do, not what the library found."""

from __future__ import annotations

from erpcore.kernel.clock import FIRST_YEAR, LAST_YEAR

#: What the library of forms says → what we say. The test of this module fails for a sentence that is missing here.
WORDS = {
    "Invalid Choice: could not coerce.": "Choose one from the list",
    "Not a valid choice.": "Choose one from the list",
    "Invalid choice(s): one or more data inputs could not be coerced.": "Choose from what is offered",
    "Not a valid date value.": "Enter a day that there is, as 2027-01-15",
    "Not a valid datetime value.": "Enter a day and a time that there are, as 2027-01-15 14:00",
    "Not a valid time value.": "Enter a time of the day, as 14:00",
    "Not a valid integer value.": "Enter a whole number",
    "Not a valid decimal value.": "Enter a number, with a point before the decimals",
    "Number must be at least %(min)s.": "Enter %(min)s or more",
    "Number must be at most %(max)s.": "Enter %(max)s or less",
    "Number must be between %(min)s and %(max)s.": "Enter a number from %(min)s to %(max)s",
    "This field is required.": "Fill this in",
    "Invalid input.": "This does not have the form that is asked for; see the hint",
    "Invalid email address.": "Enter an e-mail address, as name@company.example",
}
#: The same for sentences with a plural, by the plural.
COUNTED = {
    "'%(value)s' are not valid choices for this field.": "Choose from what is offered",
    "Field cannot be longer than %(max)d characters.": "At most %(max)d characters fit; shorten it",
    "Field must be at least %(min)d characters long.": "Enter %(min)d characters or more",
}

#: What a day says that no calendar of business has.
OUT_OF_TIME = f"Enter a year from {FIRST_YEAR} to {LAST_YEAR}"


class FormWords:
    """The translations that a form asks for."""

    def gettext(self, said: str) -> str:
        """Our sentence for the library's."""
        return WORDS.get(said, said)

    def ngettext(self, singular: str, plural: str, number: int) -> str:
        """Our sentence for the library's, which is counted."""
        return COUNTED.get(plural, singular if number == 1 else plural)

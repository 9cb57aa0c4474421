"""What may be done with several documents in trouble at once, and what does each of it need?"""

from __future__ import annotations

from enum import StrEnum

from wtforms import DateField, SelectField, StringField
from wtforms.validators import Length, Optional, ValidationError

from app.composition.cases import QUEUE_WORDS, Queue
from app.security.roles import ROLES
from app.web.forms import Form, choices


class Todo(StrEnum):
    """The moves of the queue, in the order in which they are offered."""

    TAKE = "take"
    TO_ROLE = "to_role"
    TO_PERSON = "to_person"
    BY_RULE = "by_rule"
    NOTE = "note"
    SNOOZE = "snooze"
    WAKE = "wake"
    RELEASE = "release"
    ALLOCATE = "allocate"


WORDS = {
    Todo.TAKE: "Take them", Todo.TO_ROLE: "Give them to a role", Todo.TO_PERSON: "Give them to a person",
    Todo.BY_RULE: "Back to the owner by rule", Todo.NOTE: "Note something", Todo.SNOOZE: "Leave them alone until",
    Todo.WAKE: "Look at them again", Todo.RELEASE: "End their holds", Todo.ALLOCATE: "Allocate stock to them",
}  # fmt: skip


class BulkForm(Form):
    """One move for all chosen documents."""

    todo = SelectField("What to do", validate_choice=False)
    role = SelectField("Role", validate_choice=False)
    person = StringField(
        "Person", [Length(max=120)], description="The sign-in name of a colleague who works at the site"
    )
    until = DateField("Until", [Optional()])
    reason = StringField("Note or reason", [Length(max=500)])

    def offer(self, open_: list[Todo]) -> None:
        """Fill the choices with what this person may do."""
        self.todo.choices = choices((one.value, WORDS[one]) for one in open_)
        self.role.choices = choices([("", "–"), *((role.value, duty.title) for role, duty in ROLES.items())])


class RuleForm(Form):
    """Which role owns what comes into a queue, where."""

    site = SelectField("Site", coerce=int, validate_choice=False)
    queue = SelectField("Queue", validate_choice=False, choices=choices((one.value, QUEUE_WORDS[one]) for one in Queue))
    role = SelectField("Owner", validate_choice=False)

    def validate_site(self, field: SelectField) -> None:
        """One of those that were offered; so are the other two."""
        if str(field.data) not in {str(one[0]) for one in field.iter_choices()}:
            raise ValidationError("Choose one of the list")

    validate_queue = validate_role = validate_site

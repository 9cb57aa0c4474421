"""What does somebody say when keeping a view: its name, with whom it is shared, whether the list opens with it?"""

from __future__ import annotations

from typing import Any

from wtforms import BooleanField, SelectField, StringField
from wtforms.validators import DataRequired, Length

from app.composition.saved_views import LONGEST_NAME
from app.security.roles import ROLES
from app.web.forms import Form, choices

#: The sharing choices beside the roles.
OWN, EVERYBODY = "", "everybody"


class ViewForm(Form):
    """A view's name, sharing and use."""

    name = StringField("Name", [DataRequired("Give it a name"), Length(max=LONGEST_NAME)])
    role = SelectField("Shared with", validate_choice=False)
    site = SelectField("At the site", coerce=int, validate_choice=False, default=0)
    is_default = BooleanField("The list opens with it, for me")

    def offer(self, sites: list[tuple[int, str]], *, may_share: bool) -> None:
        """Fill the choices; who may not share keeps it to oneself."""
        roles = [(role.value, duty.title) for role, duty in ROLES.items()] if may_share else []
        everybody = [(EVERYBODY, "Everybody who may see the list")] if may_share else []
        self.role.choices = choices([(OWN, "Nobody, it is mine"), *everybody, *roles])
        self.site.choices = choices([(0, "All sites"), *(sites if may_share else [])])

    @property
    def shared(self) -> dict[str, Any]:
        """The sharing as the service takes it."""
        role = str(self.role.data or OWN)
        return {
            "share": role != OWN, "role": None if role in (OWN, EVERYBODY) else role, "site": self.site.data or None,
        }  # fmt: skip


class OpenForm(Form):
    """Whether the list opens with somebody else's view."""

    is_default = BooleanField("The list opens with it, for me")

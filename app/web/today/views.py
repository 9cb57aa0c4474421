"""What waits for me, and how are my sites and waves?"""

from __future__ import annotations

from flask import Blueprint, render_template

from app.composition.request import now, reader
from app.security.permissions import Permission
from app.security.require import require
from app.web.chosen import viewer
from app.web.navigation import Entry, Group, navigation_entry
from app.web.today.slots import everything_waiting, panels

blueprint = Blueprint("today", __name__)

navigation_entry(Entry(label="Today", endpoint="today.show", permission=Permission.TODAY, group=Group.TODAY, order=0))


@blueprint.get("/")
@require(Permission.TODAY)
def show() -> str:
    session, who, at = reader(), viewer(), now()
    return render_template(
        "today/show.html", waiting=everything_waiting(session, who, at), panels=panels(session, who, at), at=at
    )

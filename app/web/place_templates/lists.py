"""How does the list of templates look?"""

from __future__ import annotations

from flask import url_for

from app.queries.place_templates import PLACE_TEMPLATES
from app.security.permissions import Permission
from app.web.lists.listing import Cell, Empty, Listing, choice, column, flag, text_filter
from app.web.lists.page import list_page
from app.web.place_templates.views import KINDS, blueprint
from app.web.steering_words import short_moment
from governance.templates.content import PlaceKind
from governance.templates.queries import TemplateView


def _name(row: TemplateView) -> Cell:
    return Cell(row.name, sub=row.code, href=url_for("place_templates.show", template_id=row.id))


PLACE_TEMPLATE_LIST = list_page(
    blueprint,
    Listing(
        name="place_templates", endpoint="place_templates.show_all", path="/templates", permission=Permission.TEMPLATE_VIEW,
        title="Templates", template="place_templates/list.html",
        lead="What a new site, company or channel begins with: calendar, places, promises, people, policy values to propose",
        unit="templates", source=PLACE_TEMPLATES, realms=False,
        empty=Empty(title="No template", text="Take one from a place that works well, or write one down.", sign="list"),
        filters=(choice("kind", tuple(PlaceKind)), flag("retired", "Retired"), text_filter("Name or code")),
        columns=(
            column("name", "Template", cell=_name),
            column("code", "Code", file_only=True),
            column("kind", "Makes", lambda row: KINDS[row.kind]),
            column("number", "Version", num=True),
            column("made_at", "Written", cell=lambda row: Cell(short_moment(row.made_at))),
            column("uses", "Made from it", num=True),
            column("state", "State", lambda row: "retired" if row.is_retired else "in use", cell=lambda row: Cell("retired", kind="none") if row.is_retired else Cell("in use", kind="pass")),
        ),
    ),
)  # fmt: skip

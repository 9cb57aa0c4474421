"""Walk what touches what: a search for where to begin, and one thing with all around it."""

from __future__ import annotations

from flask import render_template, request

from app.composition.request import now, reader
from app.queries.impact.consequences import consequences
from app.queries.impact.kinds import Ref, read_ref
from app.queries.impact.walk import LEAST_LETTERS, LONGEST_TRAIL, read_kind, search, walk
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import area
from app.web.impact import presenters as show_as
from app.web.impact.addresses import record_address, walk_address
from app.web.navigation import Entry, Group, navigation_entry
from app.web.variants.tabs import register_tabs

blueprint = area("impact")
navigation_entry(
    Entry(label="Impact", endpoint="impact.show_all", permission=Permission.PROCESS_VIEW, group=Group.STEER, order=46)
)  # fmt: skip
_TAB = "impact.show_all"


@blueprint.get("/impact")
@require(Permission.PROCESS_VIEW)
def show_all() -> str:
    """Where a walk may begin: things by name or code."""
    text = request.args.get("q", "").strip()[:80]
    found = search(reader(), actor(), text, now())
    hits = [
        {
            "title": kind.many,
            "rows": [{"label": name.label, "sub": name.sub, "href": walk_address(ref)} for ref, name in things.items()],
        }
        for kind, things in found.items()
    ]
    return render_template(
        "impact/search.html", text=text, hits=hits, count=sum(len(one["rows"]) for one in hits), least=LEAST_LETTERS,
        tabs=register_tabs(_TAB),
    )  # fmt: skip


def _trail() -> list[Ref]:
    """The way by which one came, as the address says; what is no thing is left out."""
    asked = [read_ref(text) for text in request.args.getlist("via")[-LONGEST_TRAIL:]]
    return [one for one in asked if one is not None]


@blueprint.get("/impact/<what>/<thing>")
@require(Permission.PROCESS_VIEW)
def show(what: str, thing: str) -> str:
    """One thing: what it touches and what touches it, two steps far, and what follows if it changes."""
    found = walk(reader(), actor(), read_kind(what), thing, now(), trail=_trail())
    name = found.name(found.centre)
    sides = [
        {
            "id": ident, "title": title, "none": none,
            "levels": [
                {"distance": level.distance, "groups": show_as.groups(found, level, outward=outward), "total": level.total, "level": level}
                for level in levels[:2]
            ],
        }
        for ident, title, none, outward, levels in (
            ("touches", "What this touches", "Nothing is recorded that a change of this would touch.", True, found.touches),
            ("touched-by", "What touches this", "Nothing is recorded whose change would touch this.", False, found.touched_by),
        )
    ]  # fmt: skip
    return render_template(
        "impact/show.html", walk=found, kind=found.centre.kind, name=name, sides=sides, picture=show_as.picture(found),
        sums=show_as.sums(found, consequences(reader(), actor(), found, now())), crumbs=show_as.crumbs(found),
        record=record_address(found.centre, name), at=now(),
    )  # fmt: skip

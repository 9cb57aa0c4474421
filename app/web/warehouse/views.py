"""Zones and locations of a site: one place with what lies there, adding, blocking, opening."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, url_for

from app.composition.request import now, reader
from app.queries.floor import floor_place
from app.queries.locations import KINDS, LocationRow, one_location
from app.queries.places import SitePick, sites_seen
from app.queries.warehouse import bin_rows
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import area, asked_key
from app.web.chosen import asked_realm, viewer
from app.web.forms import choices
from app.web.items.presenters import item_address
from app.web.navigation import Entry, Group, navigation_entry
from app.web.steps import form_step
from app.web.warehouse.forms import LocationForm, WhyForm, ZoneForm
from erpcore.inventory.places import AddLocation, add_locations, add_zone, block_location

blueprint = area("warehouse")
navigation_entry(
    Entry(label="Warehouse", endpoint="warehouse.locations", permission=Permission.STOCK_READ, group=Group.WAREHOUSE, order=21)
)  # fmt: skip


def warehouse_sites() -> list[SitePick]:
    """The sites with goods that this person sees."""
    return [site for site in sites_seen(reader(), viewer(asked_key("site"))) if site.kind != "drop_ship"]


def chosen_site(sites: list[SitePick]) -> SitePick | None:
    """The site that the address asks for, the first one otherwise."""
    wanted = asked_key("site")
    return next((site for site in sites if site.id == wanted), sites[0] if sites else None)


def where() -> dict[str, Any]:
    """For a list of several sites: ``places`` to choose among, and ``at_site``, the one that the address or the top bar
    chooses, or the only one; ``None`` while the list is of several.
    """
    sites, wanted = warehouse_sites(), asked_key("site")
    places = [site for site in sites if site.realm == asked_realm()]
    if wanted is None:
        return {"places": places, "at_site": places[0] if len(places) == 1 else None}
    return {"places": places, "at_site": next((site for site in sites if site.id == wanted), None)}


def nowhere() -> str:
    """What is shown to who sees no site with goods."""
    return render_template("floor/nowhere.html")


def form_page(form: Any, *, title: str, label: str, back: str, trail: list[tuple[str, str]], **more: Any) -> Any:
    """The page of a small form: ``note``, ``optional`` fields, ``units`` by field, ``realm``."""
    html = render_template("warehouse/form.html", form=form, title=title, label=label, back=back, trail=trail, **more)
    return html, form.status


@blueprint.get("/warehouse/locations/<int:location_id>")
@require(Permission.STOCK_READ)
def location(location_id: int) -> str:
    row = one_location(reader(), actor(), location_id)
    return render_template(
        "warehouse/location.html", row=row, bins=bin_rows(reader(), actor(), location=location_id), realm=row.realm,
        at=now(),        item_address=item_address,
    )  # fmt: skip


def _back(site: int, said: str) -> Any:
    flash(said, "success")
    return redirect(url_for("warehouse.locations", site=site))


@blueprint.route("/warehouse/<int:site_id>/locations/new", methods=["GET", "POST"])
@require(Permission.LOCATION_CHANGE)
def new_location(site_id: int) -> Any:
    name, realm, _ = floor_place(reader(), actor(), site_id)
    form = LocationForm()
    form.kind.choices = choices((kind, kind) for kind in KINDS)
    if form.validate_on_submit():
        command = AddLocation(
            site=site_id, code=str(form.code.data), kind=str(form.kind.data), zone=form.zone.data or None,
            walk=form.walk.data or 0,
        )  # fmt: skip
        with form_step(form, realm=realm) as work:
            add_locations(work, [command])
        if form.accepted:
            return _back(site_id, f"{name} has the location {form.code.data}.")
    back = url_for("warehouse.locations", site=site_id)
    return form_page(
        form, title=f"New location at {name}", label="Add the location", back=back, trail=[("Locations", back)],
        optional=("zone",), realm=realm,
        note="With a receiving location, goods wait there to be put away and are not promised until then.",
    )  # fmt: skip


@blueprint.route("/warehouse/<int:site_id>/zones/new", methods=["GET", "POST"])
@require(Permission.LOCATION_CHANGE)
def new_zone(site_id: int) -> Any:
    name, realm, _ = floor_place(reader(), actor(), site_id)
    form = ZoneForm()
    if form.validate_on_submit():
        with form_step(form, realm=realm) as work:
            add_zone(work, site_id, str(form.code.data), str(form.name.data))
        if form.accepted:
            return _back(site_id, f"{name} has the zone {form.name.data}.")
    back = url_for("warehouse.locations", site=site_id)
    return form_page(
        form, title=f"New zone at {name}", label="Add the zone", back=back, trail=[("Locations", back)], realm=realm
    )


@blueprint.route("/warehouse/locations/<int:location_id>/block", methods=["GET", "POST"])
@require(Permission.LOCATION_CHANGE)
def block(location_id: int) -> Any:
    return _switch(one_location(reader(), actor(), location_id), blocked=True)


@blueprint.route("/warehouse/locations/<int:location_id>/open", methods=["GET", "POST"])
@require(Permission.LOCATION_CHANGE)
def unblock(location_id: int) -> Any:
    return _switch(one_location(reader(), actor(), location_id), blocked=False)


def _switch(row: LocationRow, *, blocked: bool) -> Any:
    form, here = WhyForm(), url_for("warehouse.location", location_id=row.id)
    if form.validate_on_submit():
        with form_step(form, realm=row.realm) as work:
            block_location(work, row.id, blocked=blocked, reason=str(form.reason.data))
        if form.accepted:
            said = "Nothing is picked from" if blocked else "Goods are picked again from"
            flash(f"{said} {row.code}.", "success")
            return redirect(here)
    word = "Block" if blocked else "Open"
    note = "Nothing is picked from it while it is blocked. What lies there stays in the book, and promised."
    return form_page(
        form, title=f"{word} {row.code}", label=f"{word} the location", back=here, realm=row.realm, note=note if blocked else "",
        trail=[("Locations", url_for("warehouse.locations", site=row.site_id)), (row.code, here)],
    )  # fmt: skip

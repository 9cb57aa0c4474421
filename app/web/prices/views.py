"""The rules that give prices: one rule, a new one, and the end of one."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import flash, g, redirect, render_template, request, url_for

from app.composition.request import change, now, reader
from app.composition.trading import rules
from app.importers.pricechanges import Saved, save_row
from app.queries.places import EntityPick, all_channels, entities_seen, sites_seen
from app.queries.prices import beside, code_choices, price_row
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import area
from app.web.chosen import viewer
from app.web.forms import choices
from app.web.navigation import Entry, Group, navigation_entry
from app.web.prices.forms import EndForm, PriceForm
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import NotFound
from erpcore.kernel.work import UnitOfWork
from erpcore.pricing.services import EndPrice, end_prices

blueprint = area("prices")
navigation_entry(
    Entry(label="Prices", endpoint="prices.show_all", permission=Permission.MASTERDATA_READ, group=Group.MONEY, order=40)
)  # fmt: skip


def entities() -> list[EntityPick]:
    """Companies whose prices may be changed: those of the chosen sites first, then live ones, none of the past."""
    seen = [one for one in entities_seen(reader(), actor()) if one.realm in ("live", "rehearsal")]
    chosen = viewer().sites
    mine = {site.entity_id for site in sites_seen(reader(), actor()) if chosen is not None and site.id in chosen}
    return sorted(seen, key=lambda one: one.id not in mine) if mine else seen


def today(company: int | None = None) -> date:
    """The day it is where this company is; without one, where the first of ``entities`` is."""
    if "price_zones" not in g:
        g.price_zones = {one.id: one.time_zone for one in entities()}
    zones: dict[int, str] = g.price_zones
    return local_day(now(), zones.get(company or 0) or next(iter(zones.values()), "UTC"))


def _price_form() -> PriceForm:
    form = PriceForm()
    form.entity.choices = choices((one.id, one.label) for one in entities())
    for name in ("item_group", "customer_group", "channel"):
        form[name].choices = choices([("", "any"), *code_choices(reader(), name)])
    return form


@blueprint.route("/prices/new", methods=["GET", "POST"])
@require(Permission.PRICE_CHANGE)
def add() -> Any:
    """A price that holds from its first day; one that gives away too much waits for somebody else."""
    form, seen = _price_form(), entities()
    chosen = next((one for one in seen if one.id == form.entity.data), seen[0] if seen else None)
    if form.validate_on_submit() and chosen is not None:
        saved: Saved | None = None
        try:
            with form.refusals(), change(realm=chosen.realm) as work:
                saved = _saved(work, form, chosen)
        except NotFound as missing:  # a code that nothing has
            form.refuse(missing)
            form.status = 422
        if form.accepted and saved is not None:
            if saved.waits is not None:
                flash("It waits for somebody else to look at it.", "success")
                return redirect(url_for("prices.show_list", list_id=saved.waits))
            flash(f"The price is saved. {saved.said}".strip(), "success")
            return redirect(url_for("prices.show", rule_id=saved.rule))
    elif not form.is_submitted():
        form.valid_from.data = today(chosen.id if chosen else None)
        form.item.data = request.args.get("item", "")[:120]
    return render_template("prices/new.html", form=form, chosen=chosen, entities=seen), form.status


def _saved(work: UnitOfWork, form: PriceForm, chosen: EntityPick) -> Saved:
    found: dict[str, Saved] = {}

    def make() -> int:
        found["it"] = save_row(
            work, chosen.id, form.row(chosen.currency), rules=rules(), accepted=form.accepted_warnings
        )
        return -(found["it"].waits or 0) or (found["it"].rule or 0)

    made = form.once(work, make)
    return found.get("it") or (Saved(waits=-made) if made < 0 else Saved(rule=made))


@blueprint.get("/prices/<int:rule_id>")
@require(Permission.MASTERDATA_READ)
def show(rule_id: int) -> str:
    row = price_row(reader(), actor(), rule_id)
    day = today(row.entity_id)
    return render_template(
        "prices/show.html", row=row, beside=beside(reader(), row, day), today=day, standing=row.standing(day)
    )


@blueprint.route("/prices/<int:rule_id>/end", methods=["GET", "POST"])
@require(Permission.PRICE_CHANGE)
def end(rule_id: int) -> Any:
    row, form = price_row(reader(), actor(), rule_id), EndForm()
    if form.validate_on_submit() and form.on.data:
        with form.refusals(), change() as work:
            end_prices(work, [EndPrice(rule=rule_id, on=form.on.data)])
        if form.accepted:
            flash("The rule ends. Lines that were priced by it keep their price.", "success")
            return redirect(url_for("prices.show", rule_id=rule_id))
    return render_template("prices/end.html", row=row, form=form), form.status


def channel_names() -> list[tuple[int, str]]:
    """The channels of a select."""
    return [(0, "any"), *((one.id, one.name) for one in all_channels(reader()))]

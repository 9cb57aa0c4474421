"""Carriers on one page: services with cut-offs by site, the rules that choose among them, and the carton types."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, url_for

from app.composition.request import now, reader
from app.queries.carriers import WEEKDAYS, all_carriers, all_rules, carton_types
from app.queries.floor import floor_place
from app.queries.places import all_channels, entities_seen, sites_seen
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import area
from app.web.carriers.forms import CarrierForm, CartonTypeForm, EndForm, RuleForm, ServiceForm, cut_off_form
from app.web.forms import choices
from app.web.navigation import Entry, Group, navigation_entry
from app.web.steps import form_step, take_step
from erpcore.fulfilment.carriers.services import (
    NewCarrier,
    NewCarrierRule,
    NewService,
    add_carrier,
    add_rule,
    add_service,
    end_rule,
    set_active,
    set_cut_offs,
)
from erpcore.fulfilment.packing.services import NewCartonType, add_carton_type
from erpcore.kernel.errors import NotFound

blueprint = area("carriers")
navigation_entry(
    Entry(
        label="Carriers", endpoint="carriers.show", permission=Permission.SHIPMENT_READ, group=Group.WAREHOUSE, order=17
    )
)


@blueprint.get("/carriers")
@require(Permission.SHIPMENT_READ)
def show() -> str:
    return _show()


def _show(refused: str = "") -> str:
    found = all_carriers(reader(), actor())
    entities = [one.id for one in entities_seen(reader(), actor()) if one.realm == "live"]
    sites = [site for site in sites_seen(reader(), actor(), realms=("live",)) if site.kind != "drop_ship"]
    return render_template(
        "carriers/show.html", carriers=found, rules=all_rules(reader(), entities), sites=sites, weekdays=WEEKDAYS,
        types=carton_types(reader(), entities), today=now().date(), refused=refused, realm="live",
    )  # fmt: skip


def _form(form: Any, *, title: str, label: str, note: str = "", optional: tuple[str, ...] = ()) -> Any:
    html = render_template(
        "carriers/form.html", form=form, title=title, label=label, note=note, optional=optional, realm="live"
    )
    return html, form.status


def _done(said: str) -> Any:
    flash(said, "success")
    return redirect(url_for("carriers.show"))


def _companies(form: Any) -> None:
    form.entity.choices = choices((one.id, one.name) for one in entities_seen(reader(), actor()) if one.realm == "live")


@blueprint.route("/carriers/new", methods=["GET", "POST"])
@require(Permission.CARRIER_CHANGE)
def new_carrier() -> Any:
    form = CarrierForm()
    _companies(form)
    if form.validate_on_submit():
        command = NewCarrier(
            entity=form.entity.data, code=str(form.code.data), name=str(form.name.data),
            tracking_address=form.tracking_address.data or None,
        )  # fmt: skip
        with form_step(form, realm="live") as work:
            add_carrier(work, command)
        if form.accepted:
            return _done(f"{form.name.data} is a carrier. Add what it offers.")
    return _form(form, title="New carrier", label="Add the carrier", optional=("tracking_address",))


def _service(service_id: int) -> Any:
    found = next(
        (one for carrier in all_carriers(reader(), actor()) for one in carrier.services if one.id == service_id), None
    )
    if found is None:
        raise NotFound("carrier_service_unknown", service=service_id)
    return found


@blueprint.route("/carriers/<int:carrier_id>/services/new", methods=["GET", "POST"])
@require(Permission.CARRIER_CHANGE)
def new_service(carrier_id: int) -> Any:
    carrier = next((one for one in all_carriers(reader(), actor()) if one.id == carrier_id), None)
    if carrier is None:
        raise NotFound("carrier_unknown", carrier=carrier_id)
    form = ServiceForm()
    if form.validate_on_submit():
        command = NewService(
            carrier=carrier_id, code=str(form.code.data), name=str(form.name.data), transit_days=form.transit_days.data or 0,
            label_format=str(form.label_format.data), is_premium=bool(form.is_premium.data),
            base_charge=form.base_charge.data, per_kg=form.per_kg.data, most_kg=form.most_kg.data,
        )  # fmt: skip
        with form_step(form, realm="live") as work:
            add_service(work, command)
        if form.accepted:
            return _done(f"{carrier.name} offers {form.name.data}. Say when it collects.")
    return _form(form, title=f"New service of {carrier.name}", label="Add the service", optional=("most_kg",))


@blueprint.route("/carriers/services/<int:service_id>/cut-offs/<int:site_id>", methods=["GET", "POST"])
@require(Permission.CARRIER_CHANGE)
def cut_offs(service_id: int, site_id: int) -> Any:
    service = _service(service_id)
    name, realm, _ = floor_place(reader(), actor(), site_id)
    form = cut_off_form(WEEKDAYS, service.cut_offs.get(site_id, {}))
    if form.validate_on_submit():
        given = {number: form[f"day_{number}"].data for number in range(len(WEEKDAYS)) if form[f"day_{number}"].data}
        with form_step(form, realm=realm) as work:
            set_cut_offs(work, service_id, site_id, given)
        if form.accepted:
            return _done(f"{service.title} collects at {name} as you said.")
    return _form(
        form, title=f"{service.title} at {name}", label="Save the cut-offs", note="In the site's time. Empty: no collection on that day.",
        optional=tuple(f"day_{number}" for number in range(len(WEEKDAYS))),
    )  # fmt: skip


@blueprint.post("/carriers/services/<int:service_id>/<move>")
@require(Permission.CARRIER_CHANGE)
def switch(service_id: int, move: str) -> Any:
    service = _service(service_id)
    if move not in ("use", "rest"):
        raise NotFound("not_found")
    return take_step(
        lambda work: set_active(work, service_id, is_active=move == "use"), realm="live",
        done=f"{service.title} is {'used again' if move == 'use' else 'no longer used'}.", to=url_for("carriers.show"),
        again=_show,
    )  # fmt: skip


@blueprint.route("/carriers/rules/new", methods=["GET", "POST"])
@require(Permission.CARRIER_CHANGE)
def new_rule() -> Any:
    form = RuleForm()
    services = [one for carrier in all_carriers(reader(), actor()) for one in carrier.services if one.is_active]
    form.service.choices = choices((one.id, one.title) for one in services)
    sites = sites_seen(reader(), actor(), realms=("live",))
    form.site.choices = choices([(0, "every site"), *((one.id, one.name) for one in sites)])
    form.channel.choices = choices([(0, "every channel"), *((one.id, one.name) for one in all_channels(reader()))])
    if not form.is_submitted():
        form.valid_from.data = now().date()
    if form.validate_on_submit():
        command = NewCarrierRule(
            service=form.service.data, reason=str(form.reason.data), valid_from=form.valid_from.data or now().date(),
            valid_until=form.valid_until.data, site=form.site.data or None, channel=form.channel.data or None,
            country=form.country.data or None, most_kg=form.most_kg.data,
        )  # fmt: skip
        with form_step(form, realm="live") as work:
            add_rule(work, command)
        if form.accepted:
            return _done("The rule holds. The rule that names most wins.")
    return _form(form, title="New carrier rule", label="Add the rule", optional=("country", "most_kg", "valid_until"))


@blueprint.route("/carriers/rules/<int:rule_id>/end", methods=["GET", "POST"])
@require(Permission.CARRIER_CHANGE)
def stop_rule(rule_id: int) -> Any:
    seen = [one.id for one in entities_seen(reader(), actor())]
    rule = next((one for one in all_rules(reader(), seen) if one.id == rule_id), None)
    if rule is None:
        raise NotFound("carrier_rule_unknown", rule=rule_id)
    form = EndForm()
    if not form.is_submitted():
        form.until.data = now().date()
    if form.validate_on_submit():
        with form_step(form, realm="live") as work:
            end_rule(work, rule_id, form.until.data or now().date())
        if form.accepted:
            return _done("The rule has its end.")
    return _form(form, title=f"End the rule for {rule.service}", label="End the rule", note=rule.reason)


@blueprint.route("/carriers/carton-types/new", methods=["GET", "POST"])
@require(Permission.CARRIER_CHANGE)
def new_carton_type() -> Any:
    form = CartonTypeForm()
    _companies(form)
    if form.validate_on_submit():
        command = NewCartonType(
            entity=form.entity.data, code=str(form.code.data), name=str(form.name.data), length_mm=form.length_mm.data or 0,
            width_mm=form.width_mm.data or 0, height_mm=form.height_mm.data or 0, tare_kg=form.tare_kg.data,
            most_kg=form.most_kg.data,
        )  # fmt: skip
        with form_step(form, realm="live") as work:
            add_carton_type(work, command)
        if form.accepted:
            return _done(f"{form.name.data} can be packed.")
    return _form(form, title="New carton type", label="Add the carton type", optional=("most_kg",))

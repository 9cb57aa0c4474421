"""Service commitments, lanes and charges: what sites promise, what serving a country takes, and what is sold besides goods."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from flask import flash, redirect, render_template, url_for

from app.composition.request import now, reader
from app.queries.charges import one_charge
from app.queries.places import SitePick, all_channels, all_groups, entities_seen, sites_seen
from app.queries.serving import one_commitment
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import area, asked_key
from app.web.forms import choices
from app.web.navigation import Entry, Group, navigation_entry
from app.web.serving.forms import ChargeForm, CommitmentForm, EndForm, LaneForm
from app.web.steps import form_step
from erpcore.kernel.money import to_minor
from erpcore.masterdata.charges import DeclareCharge, declare_charges
from erpcore.masterdata.commitments import NewCommitment, end_commitment, keep_commitments
from erpcore.masterdata.lanes import KeepLane, keep_lanes

blueprint = area("serving")
navigation_entry(
    Entry(
        label="Service commitments", endpoint="serving.show", permission=Permission.MASTERDATA_READ, group=Group.OPERATE, order=12
    )
)  # fmt: skip
navigation_entry(
    Entry(label="Sourcing lanes", endpoint="serving.show_lanes", permission=Permission.MASTERDATA_READ, group=Group.WAREHOUSE, order=13)
)  # fmt: skip
navigation_entry(
    Entry(label="Charges and services", endpoint="serving.show_charges", permission=Permission.MASTERDATA_READ, group=Group.OPERATE, order=13)
)  # fmt: skip


def _sites() -> dict[int, SitePick]:
    return {site.id: site for site in sites_seen(reader(), actor(), realms=("live", "rehearsal"))}


@blueprint.route("/service-commitments/new", methods=["GET", "POST"])
@require(Permission.MASTERDATA_CHANGE)
def create() -> Any:
    form, sites = CommitmentForm(), _sites()
    form.site.choices = choices((one.id, one.label) for one in sites.values())
    form.channel.choices = choices((one.id, one.name) for one in all_channels(reader()))
    form.group.choices = choices([(0, "all without one of their group"), *all_groups(reader())])
    if not form.is_submitted():
        form.valid_from.data = now().date()
    if form.validate_on_submit():
        target = form.fill_target.data
        command = NewCommitment(
            site=form.site.data, channel=form.channel.data, group=form.group.data or None, basis=str(form.basis.data),
            lead_days=form.lead_days.data or 0, transit_days=form.transit_days.data or 0, cut_off=form.cut_off.data,
            early_days=form.early_days.data or 0, late_days=form.late_days.data or 0,
            weekdays=sum(form.weekdays.data or ()) or None,
            fill_target_permille=None if target is None else int(target * 10),
            valid_from=form.valid_from.data or now().date(), valid_until=form.valid_until.data,
        )  # fmt: skip
        with form_step(form, realm=sites[form.site.data].realm) as work:
            keep_commitments(work, [command])
        if form.accepted:
            flash("The commitment holds for orders from that day on.", "success")
            return redirect(url_for("serving.show"))
    return render_template("serving/commitment.html", form=form, realm="live"), form.status


@blueprint.route("/service-commitments/<int:commitment_id>/end", methods=["GET", "POST"])
@require(Permission.MASTERDATA_CHANGE)
def end(commitment_id: int) -> Any:
    row, form = one_commitment(reader(), actor(), commitment_id, now()), EndForm()
    if not form.is_submitted():
        form.until.data = now().date()
    if form.validate_on_submit():
        with form_step(form, realm=row.realm) as work:
            end_commitment(work, commitment_id, form.until.data or now().date())
        if form.accepted:
            flash("The commitment has its end; what was committed stays.", "success")
            return redirect(url_for("serving.show"))
    return render_template("serving/end.html", row=row, form=form, realm=row.realm), form.status


@blueprint.route("/sourcing-lanes/new", methods=["GET", "POST"])
@require(Permission.MASTERDATA_CHANGE)
def keep_lane() -> Any:
    form, sites = LaneForm(), {key: site for key, site in _sites().items() if site.kind != "drop_ship"}
    form.site.choices = choices((one.id, one.label) for one in sites.values())
    if form.validate_on_submit():
        site = sites[form.site.data]
        command = KeepLane(
            site=site.id, country=str(form.country.data), transit_days=form.transit_days.data or 0,
            cost_minor=to_minor(form.cost.data or Decimal(0), site.currency),
        )  # fmt: skip
        with form_step(form, realm=site.realm) as work:
            keep_lanes(work, [command])
        if form.accepted:
            flash("Orders from now on are compared with it.", "success")
            return redirect(url_for("serving.show_lanes"))
    return render_template("serving/lane.html", form=form, realm="live"), form.status


@blueprint.route("/charges/new", methods=["GET", "POST"])
@require(Permission.MASTERDATA_CHANGE)
def keep_charge() -> Any:
    """A new charge, or with ``item`` in the address the terms of one that is there."""
    form = ChargeForm()
    entities = {one.id: one for one in entities_seen(reader(), actor())}
    form.entity.choices = choices((one.id, one.label) for one in entities.values())
    known = one_charge(reader(), actor(), asked_key("item"))
    if known is not None and not form.is_submitted():
        form.entity.data, form.code.data, form.name.data = known.entity_id, known.code, known.name
        form.kind.data, form.leaves.data, form.is_rush.data = known.kind, known.leaves, known.is_rush
    if form.validate_on_submit():
        command = DeclareCharge(
            entity=form.entity.data, code=str(form.code.data), name=str(form.name.data), kind=str(form.kind.data),
            leaves=str(form.leaves.data), is_rush=bool(form.is_rush.data),
        )  # fmt: skip
        with form_step(form, realm=entities[form.entity.data].realm) as work:
            declare_charges(work, [command])
        if form.accepted:
            flash("It can be ordered like any item, once it has a price.", "success")
            return redirect(url_for("serving.show_charges"))
    return render_template("serving/charge.html", form=form, realm="live"), form.status

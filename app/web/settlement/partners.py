"""Who sells for us: added, changed, and how their files are read."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, url_for

from app.composition.request import reader
from app.importers.payoutfiles import keep_mapping, mapping_of
from app.queries.places import all_channels, sites_seen
from app.queries.settlement import PartnerRow, partner_row
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.forms import choices
from app.web.settlement.forms import NewPartnerForm, PartnerForm, PayoutMappingForm
from app.web.settlement.views import blueprint
from app.web.steps import form_step
from erpcore.billing.settling.taking import add_partner, change_partner


@blueprint.route("/settlement-partners/new", methods=["GET", "POST"])
@require(Permission.PARTNER_KEEP)
def add() -> Any:
    """A partner, its channel, and what was agreed."""
    form, sites = NewPartnerForm(), sites_seen(reader(), actor())
    form.site.choices = choices((one.id, one.label) for one in sites)
    form.channel.choices = choices((one.id, one.name) for one in all_channels(reader()))
    if form.validate_on_submit():
        site = next(one for one in sites if one.id == form.site.data)
        made = 0
        with form_step(form, realm=site.realm) as work:
            made = form.once(
                work,
                lambda: add_partner(
                    work, site.id, int(form.channel.data), code=form.code.data or "", content=form.partner()
                ),
            )
        if form.accepted:
            flash("The partner is there. Say how its files are read.", "success")
            return redirect(url_for("settlement.map_files", partner_id=made))
    return _form(
        None,
        form,
        title="A partner",
        label="Add the partner",
        note="Who sells for us and pays out what customers paid.",
    ), form.status


@blueprint.route("/settlement-partners/<int:partner_id>", methods=["GET", "POST"])
@require(Permission.PARTNER_KEEP)
def change(partner_id: int) -> Any:
    """Its name and the agreed fee."""
    row = partner_row(reader(), actor(), partner_id)
    form = PartnerForm(data={"name": row.name, "fee": row.fee_rate * 100})
    if form.validate_on_submit():
        with form_step(form, realm=row.realm) as work:
            change_partner(work, partner_id, form.partner(), seen_version=row.version)
        if form.accepted:
            flash("What was agreed holds for payouts that are matched from now on.", "success")
            return redirect(url_for("settlement.show_partners"))
    return _form(
        row, form, title="What was agreed", label="Keep it", note="Payouts that are posted stay as they are."
    ), form.status


@blueprint.route("/settlement-partners/<int:partner_id>/mapping", methods=["GET", "POST"])
@require(Permission.PARTNER_KEEP)
def map_files(partner_id: int) -> Any:
    """How the partner's files are read."""
    row, form = partner_row(reader(), actor(), partner_id), PayoutMappingForm()
    kept = mapping_of(row.mapping)
    if not form.is_submitted() and kept is not None:
        form.fill(kept)
    if form.validate_on_submit():
        with form_step(form, realm=row.realm) as work:
            keep_mapping(work, partner_id, form.mapping())
        if form.accepted:
            flash("Files of this partner are read so from now on.", "success")
            return redirect(url_for("settlement.hand_in", partner=partner_id))
    note = "The headings of the columns, as the partner writes them. Those for tax, currency and text may be empty."
    return _form(row, form, title=f"How files of {row.name} are read", label="Read them so", note=note), form.status


def _form(row: PartnerRow | None, form: Any, **words: Any) -> str:
    trail = [("Partner payouts", url_for("settlement.show_payouts")), ("Partners", url_for("settlement.show_partners"))]
    return render_template(
        "billing/small_form.html", form=form, trail=trail, of=row.name if row else "Partners", unit="",
        realm=row.realm if row else "live", **words,
    )  # fmt: skip

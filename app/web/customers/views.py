"""One customer on one page, and how they stand changed by authority."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from flask import flash, redirect, render_template, request, url_for

from app.composition.request import now, reader
from app.queries.collections import score_on
from app.queries.customers import CustomerRow, customer_page, customer_row, find_customer
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import area, asked_key
from app.web.chosen import usual_realm
from app.web.collections.forms import BANDS
from app.web.customers.forms import TIER_NAMES, LimitForm, StandingForm
from app.web.navigation import Entry, Group, navigation_entry
from app.web.steps import form_step
from erpcore.credit.services import relieve
from erpcore.kernel.money import from_minor, to_minor
from erpcore.masterdata.customers import ChangeStanding, Standing, change_standings

blueprint = area("customers")
navigation_entry(
    Entry(
        label="Customers", endpoint="customers.show_all", permission=Permission.ORDER_READ, group=Group.OPERATE, order=8
    )
)


def page_of(row: CustomerRow) -> str:
    """The address of a customer's page, whatever the realm."""
    return url_for("customers.show", code=row.code, company=row.company_id)


@blueprint.get("/customers/<path:code>")
@require(Permission.ORDER_READ)
def show(code: str) -> str:
    wanted = request.args.get("realm", "") or usual_realm()
    key = find_customer(reader(), actor(), code, realm=wanted, company=asked_key("company"))
    page = customer_page(reader(), actor(), key, now())
    score = score_on(reader(), page.row.time_zone, key, now()) if actor().may(Permission.INVOICE_READ) else None
    return render_template(
        "customers/show.html", page=page, row=page.row, realm=page.row.realm, tiers=TIER_NAMES, score=score, bands=BANDS
    )


def _said(standing: Standing) -> str:
    return f"{standing.limit_minor}/{standing.tier}/{int(standing.is_blocked)}"


def _seen(text: str) -> Standing | None:
    """What the form showed; ``None`` for what cannot be read, which then compares with nothing."""
    limit, _, rest = text.partition("/")
    tier, _, blocked = rest.partition("/")
    if not (tier.isdecimal() and blocked in ("0", "1")):
        return None
    return Standing(limit_minor=int(limit) if limit.isdecimal() else None, tier=int(tier), is_blocked=blocked == "1")


def _change(row: CustomerRow, form: Any, after: Standing, done: str) -> Any:
    """Change the standing; the customer's page when it was done, ``None`` when the form must be shown again."""
    command = ChangeStanding(
        customer=row.id, standing=after, reason=str(form.reason.data), seen=_seen(str(form.seen.data or ""))
    )
    with form_step(form, realm=row.realm) as work:
        change_standings(work, [command])
        relieve(work, row.id)
    if not form.accepted:
        return None
    flash(done, "success")
    return redirect(page_of(row))


def _form_page(row: CustomerRow, form: Any, *, title: str, label: str, note: str) -> Any:
    if not form.is_submitted():
        form.seen.data = _said(row.standing)
    return render_template(
        "customers/form.html",
        row=row,
        form=form,
        realm=row.realm,
        title=title,
        label=label,
        note=note,
        back=page_of(row),
    ), form.status


@blueprint.route("/customer/<int:customer_id>/limit", methods=["GET", "POST"])
@require(Permission.CREDIT_LIMIT)
def limit(customer_id: int) -> Any:
    row, form = customer_row(reader(), actor(), customer_id), LimitForm()
    if not form.is_submitted():
        form.limit.data = None if row.limit_minor is None else from_minor(row.limit_minor, row.currency)
    if form.validate_on_submit():
        wanted: Decimal | None = form.limit.data
        after = replace(row.standing, limit_minor=None if wanted is None else to_minor(wanted, row.currency))
        made = _change(row, form, after, "The limit holds from now on. Orders that it frees go on.")
        if made is not None:
            return made
    note = "A raised limit frees held orders by itself; a lowered one stops the next release, never what is released."
    return _form_page(row, form, title="Credit limit", label="Set the limit", note=note)


@blueprint.route("/customer/<int:customer_id>/standing", methods=["GET", "POST"])
@require(Permission.MASTERDATA_CHANGE)
def standing(customer_id: int) -> Any:
    row, form = customer_row(reader(), actor(), customer_id), StandingForm()
    if not form.is_submitted():
        form.tier.data, form.is_blocked.data = row.tier, row.is_blocked
    if form.validate_on_submit():
        after = replace(row.standing, tier=form.tier.data, is_blocked=bool(form.is_blocked.data))
        made = _change(row, form, after, f"{row.code} stands as you said.")
        if made is not None:
            return made
    note = "The tier weighs in scarce stock and in who approves prices. Orders that are open stay as they are until their next step."
    return _form_page(row, form, title="Tier and blocking", label="Save", note=note)

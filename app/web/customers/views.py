"""The list of customers and its files, one customer on one page, and how they stand changed by authority."""

from __future__ import annotations

from dataclasses import asdict, replace
from decimal import Decimal
from typing import Any

from flask import flash, redirect, render_template, request, url_for

from app.composition.request import now, reader
from app.queries.customers import (
    CustomerFilter,
    CustomerRow,
    customer_page,
    customer_row,
    every_customer,
    find_customer,
    list_customers,
)
from app.queries.places import all_groups, sites_seen
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import area, asked_key, asked_page
from app.web.chosen import asked_realm, said_realm, usual_realm, viewer
from app.web.customers.forms import TIER_NAMES, LimitForm, StandingForm
from app.web.exports import csv_file, xlsx_file
from app.web.navigation import Entry, Group, navigation_entry
from app.web.steps import form_step
from erpcore.kernel.money import from_minor, to_minor
from erpcore.masterdata.customers import ChangeStanding, Standing, change_standings

blueprint = area("customers")
navigation_entry(
    Entry(
        label="Customers", endpoint="customers.show_all", permission=Permission.ORDER_READ, group=Group.OPERATE, order=8
    )
)
_DEFAULTS = CustomerFilter()
_HEAD = (
    "Customer", "Name", "Country", "Group", "Company", "Tier", "Blocked", "Pays within (days)", "Receivable",
    "Shipped, not invoiced", "Released, not shipped", "Exposure", "Limit", "Left", "Currency",
)  # fmt: skip


def asked() -> CustomerFilter:
    """The filter that the address holds; what makes no sense counts as not asked."""
    args = request.args
    tier = args.get("tier", "")
    return CustomerFilter(
        realm=asked_realm(), text=args.get("text", "").strip()[:120], group=asked_key("group"),
        tier=int(tier) if tier in {str(one) for one in TIER_NAMES} else None, over=args.get("over") == "1",
        blocked=args.get("blocked") == "1", sort=args.get("sort", "customer")[:20], page=asked_page(),
    )  # fmt: skip


def address(wanted: CustomerFilter, endpoint: str = "customers.show_all", **changes: Any) -> str:
    """The list's address with these changes; another filter starts at the first page."""
    wished = asdict(replace(wanted, **{"page": 1, **changes}))
    values: dict[str, Any] = {
        name: int(value) if isinstance(value, bool) else value
        for name, value in wished.items()
        if name != "realm" and value != getattr(_DEFAULTS, name)
    }
    return url_for(endpoint, **values, **said_realm(wished["realm"]))


def _page_of(row: CustomerRow) -> str:
    return url_for("customers.show", code=row.code, company=row.company_id)


@blueprint.get("/customers")
@require(Permission.ORDER_READ)
def show_all() -> str:
    wanted = asked()
    realms = sorted({site.realm for site in sites_seen(reader(), actor())} - {"live"})
    return render_template(
        "customers/list.html", asked=wanted, found=list_customers(reader(), viewer(), wanted), address=address,
        realms=realms, realm=wanted.realm, groups=all_groups(reader()), tiers=TIER_NAMES, page_of=_page_of,
    )  # fmt: skip


@blueprint.get("/customers.csv")
@require(Permission.ORDER_READ)
def as_csv() -> Any:
    return csv_file("customers", _HEAD, _file_rows())


@blueprint.get("/customers.xlsx")
@require(Permission.ORDER_READ)
def as_xlsx() -> Any:
    return xlsx_file("customers", _HEAD, _file_rows())


def _file_rows() -> Any:
    for row in every_customer(reader(), viewer(), asked()):
        money = [
            None if minor is None else from_minor(minor, row.currency)
            for minor in (
                row.receivable_minor, row.shipped_minor, row.released_minor, row.exposure_minor, row.limit_minor, row.left_minor,
            )
        ]  # fmt: skip
        yield (
            row.code, row.name, row.country, row.group or "", row.company, row.tier, row.is_blocked, row.payment_days, *money,
            row.currency,
        )  # fmt: skip


@blueprint.get("/customers/<path:code>")
@require(Permission.ORDER_READ)
def show(code: str) -> str:
    wanted = request.args.get("realm", "") or usual_realm()
    key = find_customer(reader(), actor(), code, realm=wanted, company=asked_key("company"))
    page = customer_page(reader(), actor(), key, now())
    return render_template("customers/show.html", page=page, row=page.row, realm=page.row.realm, tiers=TIER_NAMES)


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
    if not form.accepted:
        return None
    flash(done, "success")
    return redirect(_page_of(row))


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
        back=_page_of(row),
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
        made = _change(row, form, after, "The limit holds from now on. Orders it frees go on within minutes.")
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

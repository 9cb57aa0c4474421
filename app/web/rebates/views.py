"""One rebate agreement: its tiers and how far it has come, writing and changing a draft, and its next steps."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from flask import flash, redirect, render_template, url_for

from app.composition.request import now, reader
from app.queries.places import SitePick, all_groups, sites_seen
from app.queries.rebates import (
    RebatePage,
    codes_of,
    customer_named,
    item_groups,
    item_named,
    rebate_page,
)
from app.reports.rebates import rebate_statement
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import area, closed
from app.web.billing.forms import minor_of
from app.web.forms import Form
from app.web.linesheet import Wrong
from app.web.navigation import Entry, Group, navigation_entry
from app.web.papers import paper_file
from app.web.rebates.forms import RebateForm, SettleForm, StepForm
from app.web.steps import form_step
from erpcore.billing.rebate_settling import SettleRebate, settle_rebate
from erpcore.billing.rebates.agreements import (
    WriteRebate,
    agree_rebate,
    change_rebate,
    end_rebate,
    withdraw_rebate,
    write_rebate,
)
from erpcore.billing.rebates.flow import REBATE
from erpcore.kernel.money import from_minor
from erpcore.kernel.work import UnitOfWork

blueprint = area("rebates")
navigation_entry(
    Entry(label="Rebates", endpoint="rebates.show_all", permission=Permission.INVOICE_READ, group=Group.MONEY, order=44)
)
_DAY = timedelta(days=1)


def _sites() -> list[SitePick]:
    return [one for one in sites_seen(reader(), actor()) if one.realm == "live"]


@blueprint.route("/rebates/new", methods=["GET", "POST"])
@require(Permission.REBATE_WRITE)
def new() -> Any:
    """A draft; nothing counts before somebody else agrees."""
    form = RebateForm()
    if not form.is_submitted():
        first = now().date().replace(month=1, day=1)
        form.valid_from.data, form.last_on.data = first, first.replace(month=12, day=31)
    return _sheet(form, None)


@blueprint.route("/rebates/<int:rebate_id>/edit", methods=["GET", "POST"])
@require(Permission.REBATE_WRITE)
def edit(rebate_id: int) -> Any:
    page, form = rebate_page(reader(), actor(), rebate_id), RebateForm()
    if not form.is_submitted():
        form.fill(page, *codes_of(reader(), page.row), page.row.valid_until - _DAY)
    return _sheet(form, page)


def _sheet(form: RebateForm, page: RebatePage | None) -> Any:
    press, sites = form.press(), _sites()
    if press and press != "enter":
        form.change_rows()
    form.offer([(one.id, one.name) for one in sites], all_groups(reader()), item_groups(reader()))
    if press == "enter" and form.is_complete():
        site = next((one for one in sites if one.id == form.site.data), None)
        command = _typed(form, site) if site else None
        if site is None:
            form.site.errors, form.status = ["Choose one of the list."], 422
        made = page.row.id if page else 0
        if command is not None and form.status == 200 and site is not None:
            with form_step(form, realm=site.realm) as work:
                made = _keep(work, form, command, page)
        if form.accepted:
            flash("The agreement is kept. Nothing counts before somebody else agrees to it.", "success")
            return redirect(url_for("rebates.show", rebate_id=made))
    html = render_template("rebates/sheet.html", form=form, wrong=Wrong(form), page=page, realm="live")
    return html, form.status


def _typed(form: RebateForm, site: SitePick) -> WriteRebate:
    """What was typed; a code that nothing has is said at its field."""
    found: dict[str, int | None] = {"customer": None, "item": None}
    for name, find in (("customer", customer_named), ("item", item_named)):
        code = (form[name].data or "").strip()
        if code:
            found[name] = find(reader(), site.entity_id, code)
            if found[name] is None:
                form[name].errors = [*form[name].errors, f"{site.entity_code} has no {name} with this code."]
                form.status = 422
    return WriteRebate(
        site=site.id, name=str(form.name.data), customer=found["customer"], customer_group=form.group.data or None,
        item=found["item"], item_group=form.item_group.data or None, valid_from=form.valid_from.data or date.min,
        valid_until=(form.last_on.data or date.min) + _DAY, basis=str(form.basis.data), base=form.base.data or Decimal(0),
        base_from_books=bool(form.base_from_books.data), adds_up=bool(form.adds_up.data), tiers=form.tiers(),
    )  # fmt: skip


def _keep(work: UnitOfWork, form: RebateForm, command: WriteRebate, page: RebatePage | None) -> int:
    if page is None:
        return form.once(work, lambda: write_rebate(work, command))
    change_rebate(work, page.row.id, command, seen_version=_seen(form, page))
    return page.row.id


def _seen(form: Form, page: RebatePage) -> int:
    """The version that the form showed."""
    text = str(form["version"].data or "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else page.row.version


@blueprint.get("/rebates/<int:rebate_id>")
@require(Permission.INVOICE_READ)
def show(rebate_id: int) -> str:
    page = rebate_page(reader(), actor(), rebate_id)
    return render_template(
        "rebates/show.html", page=page, row=page.row, moves=_moves(page), last_on=page.row.valid_until - _DAY,
        realm=page.row.realm,
    )  # fmt: skip


def _moves(page: RebatePage) -> list[dict[str, Any]]:
    """The moves that are ahead; one that is not open says why."""
    row, who, out = page.row, actor(), []
    steps = (
        ("agree", "Agree…", "agree"), ("settle", "Settle…", "settle"), ("pay_part", "Pay part of it…", "settle"),
        ("end", "End…", "end"), ("change", "Change…", "edit"), ("withdraw", "Withdraw…", "withdraw"),
    )  # fmt: skip
    for move, label, view in steps:
        if not REBATE.leads(move, row.state):
            continue
        shut = closed(REBATE, move, row.state, who)
        if not shut and move == "agree" and who.id in page.writers:
            shut = "you wrote or changed it, so somebody else agrees to it"
        if not shut and move == "pay_part" and row.open_minor <= 0:
            shut = "nothing is accrued and not settled"
        out.append(
            {
                "label": label, "permitted": not shut, "reason": f"{shut[:1].upper()}{shut[1:]}." if shut else "",
                "href": url_for(f"rebates.{view}", rebate_id=row.id),
                "primary": not shut and move in ("agree", "settle"),
            }
        )  # fmt: skip
    return out


def _small_form(page: RebatePage, form: Form, *, title: str, label: str, note: str) -> Any:
    here = url_for("rebates.show", rebate_id=page.row.id)
    trail = [("Rebates", url_for("rebates.show_all")), (page.row.number, here)]
    html = render_template(
        "billing/small_form.html", form=form, trail=trail, of=f"{page.row.number} · {page.row.name}", unit=page.row.currency,
        realm=page.row.realm, title=title, label=label, note=note,
    )  # fmt: skip
    return html, form.status


def _back(page: RebatePage, said: str) -> Any:
    flash(said, "success")
    return redirect(url_for("rebates.show", rebate_id=page.row.id))


def _step(rebate_id: int, act: Callable[[UnitOfWork, str, int], None], done: str, **words: str) -> Any:
    """A step that takes a note: the form, or what it led to."""
    page = rebate_page(reader(), actor(), rebate_id)
    form = StepForm(version=page.row.version)
    if form.validate_on_submit():
        with form_step(form, realm=page.row.realm) as work:
            act(work, form.reason.data or "", _seen(form, page))
        if form.accepted:
            return _back(page, done)
    return _small_form(page, form, **words)


@blueprint.route("/rebates/<int:rebate_id>/agree", methods=["GET", "POST"])
@require(Permission.REBATE_AGREE)
def agree(rebate_id: int) -> Any:
    return _step(
        rebate_id, lambda work, note, seen: agree_rebate(work, rebate_id, note=note, seen_version=seen),
        "Agreed. What is billed in its days is accrued from now on, and what was billed before it as well.",
        title="Agree", label="Agree to it",
        note="It counts from its first day: what was billed in its days before is accrued at once.",
    )  # fmt: skip


@blueprint.route("/rebates/<int:rebate_id>/withdraw", methods=["GET", "POST"])
@require(Permission.REBATE_WRITE)
def withdraw(rebate_id: int) -> Any:
    return _step(
        rebate_id, lambda work, why, seen: withdraw_rebate(work, rebate_id, reason=why, seen_version=seen),
        "The draft is withdrawn.", title="Withdraw", label="Withdraw the draft", note="Nobody will agree to it. Say why.",
    )  # fmt: skip


@blueprint.route("/rebates/<int:rebate_id>/end", methods=["GET", "POST"])
@require(Permission.REBATE_AGREE)
def end(rebate_id: int) -> Any:
    return _step(
        rebate_id, lambda work, why, seen: end_rebate(work, rebate_id, reason=why, seen_version=seen),
        "The agreement has ended; what is accrued can be settled for good.", title="End", label="End it",
        note="Nothing new counts from tomorrow on. Before its last day it takes a reason.",
    )  # fmt: skip


@blueprint.route("/rebates/<int:rebate_id>/settle", methods=["GET", "POST"])
@require(Permission.REBATE_SETTLE)
def settle(rebate_id: int) -> Any:
    """Paid in part while it runs, for good once it has ended."""
    page = rebate_page(reader(), actor(), rebate_id)
    row = page.row
    form = SettleForm(version=row.version)
    if not form.is_submitted():
        form.paid.data = from_minor(max(0, row.open_minor), row.currency)
    if form.validate_on_submit():
        with form_step(form, realm=row.realm) as work:
            command = SettleRebate(
                agreement=rebate_id, paid_minor=minor_of(form.paid.data, row.currency, "paid"),
                claimed_minor=minor_of(form.claimed.data, row.currency, "claimed") if form.claimed.data is not None else None,
                reason=form.reason.data or "", seen_version=_seen(form, page),
            )  # fmt: skip
            form.once(work, lambda: settle_rebate(work, command))
        if form.accepted:
            return _back(page, "Settled: the credit memo is posted.")
    final = row.state == "ended"
    note = (
        "A credit memo gives it back at the tax of what was bought, and the accrual is closed: what is left of it is no expense."
        if final
        else "A credit memo gives so much of what is accrued back; the agreement goes on."
    )
    return _small_form(
        page, form, title="Settle" if final else "Pay part of it", label="Post the credit memo", note=note
    )


@blueprint.get("/rebates/<int:rebate_id>/statement.pdf")
@require(Permission.INVOICE_READ)
def print_statement(rebate_id: int) -> Any:
    return paper_file(
        lambda: rebate_statement(rebate_page(reader(), actor(), rebate_id), now()),
        back=url_for("rebates.show", rebate_id=rebate_id),
    )

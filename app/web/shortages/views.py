"""Short lines: the ways compared on one page, the choice; and what may be sent instead of what."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, url_for

from app.composition.order_approvals import BY_RULES, decide_on_substitution
from app.composition.request import now, reader
from app.composition.trading import cells, rules
from app.queries.order_entry import items_with_codes
from app.queries.places import entities_seen
from app.queries.shortages import shortage_page
from app.queries.substitutes import asked_substitution
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import area
from app.web.figures import PROMISES
from app.web.forms import choices
from app.web.navigation import Entry, Group, navigation_entry
from app.web.orders.presenters import AGREED
from app.web.shortages.forms import AnswerForm, SubstituteForm, WayForm
from app.web.steps import form_step
from erpcore.fulfilment.shortage import Choose, choose
from erpcore.kernel.errors import RuleBroken
from erpcore.masterdata.substitutes import KeepSubstitute, keep_substitutes
from erpcore.orders.substitution import DecideSubstitution

blueprint = area("shortages")
navigation_entry(
    Entry(
        label="Shortages",
        endpoint="shortages.show_all",
        permission=Permission.ORDER_READ,
        group=Group.WAREHOUSE,
        order=11,
    )
)
navigation_entry(
    Entry(label="Substitutes", endpoint="shortages.substitutes", permission=Permission.MASTERDATA_READ, group=Group.WAREHOUSE, order=14)
)  # fmt: skip


@blueprint.route("/shortages/<int:line_id>", methods=["GET", "POST"])
@require(Permission.ORDER_READ)
def show(line_id: int) -> Any:
    page = shortage_page(reader(), actor(), now(), line_id, rules=rules(), cells=cells())
    form = WayForm()
    form.option.choices = choices((one.key, one.title) for one in page.ways if not one.closed)
    if not form.is_submitted():
        form.version.data = str(page.version)
    if form.validate_on_submit():
        text = str(form.version.data or "")
        command = Choose(
            line=line_id, option=str(form.option.data), reason=str(form.reason.data),
            seen_version=int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None,
        )  # fmt: skip
        with form_step(form, realm=page.realm) as work:
            choose(work, command, rules=rules(), cells=cells(), authority=BY_RULES)
        if form.accepted:
            flash("It is done, and kept with the reason.", "success")
            return redirect(url_for("shortages.show", line_id=line_id))
        # What stands there now, not what stood there when the page was opened.
        page = shortage_page(reader(), actor(), now(), line_id, rules=rules(), cells=cells())
        form.option.choices = choices((one.key, one.title) for one in page.ways if not one.closed)
    html = render_template(
        "shortages/show.html",
        page=page,
        form=form,
        realm=page.realm,
        promises=PROMISES,
        may_see_cost=actor().may(Permission.COST_READ),
    )
    return html, form.status


@blueprint.route("/substitutes/new", methods=["GET", "POST"])
@require(Permission.MASTERDATA_CHANGE)
def keep_substitute() -> Any:
    form = SubstituteForm()
    if form.validate_on_submit():
        found: dict[str, int] = {}
        realm = "live"
        typed = [str(form.item.data), str(form.substitute.data)]
        for entity in entities_seen(reader(), actor()):
            there = items_with_codes(reader(), entity.id, typed)
            if len(there) > len(found):
                found, realm = there, entity.realm
        with form_step(form, realm=realm) as work:
            for field, code in zip(("item", "substitute"), typed, strict=True):
                if code.lower() not in found:
                    raise RuleBroken("item_code_unknown", field=field, code=code)
            one, other = (found[code.lower()] for code in typed)
            keep_substitutes(work, [KeepSubstitute(item=one, substitute=other, rank=form.rank.data or 1)])
        if form.accepted:
            flash("It is offered where a rule lets it.", "success")
            return redirect(url_for("shortages.substitutes"))
    return render_template("shortages/substitute.html", form=form, realm="live"), form.status


@blueprint.route("/substitutions/<int:hold_id>", methods=["GET", "POST"])
@require(Permission.SUBSTITUTION_APPROVE)
def answer(hold_id: int) -> Any:
    found, form = asked_substitution(reader(), actor(), hold_id), AnswerForm()
    if form.validate_on_submit():
        command = DecideSubstitution(
            hold=hold_id, approve=form.verdict.data == "approve", reason=str(form.reason.data)
        )  # fmt: skip
        waits = False
        with form_step(form, realm=found.realm) as work:
            _, waits = decide_on_substitution(work, command, rules=rules(), cells=cells())
        if form.accepted:
            flash(AGREED if waits else "The answer is given; the order may be released again.", "success")
            return redirect(url_for("orders.show", order_id=found.order_id))
    closed = "" if found.is_open else "It has been answered already."
    if found.asked_by == actor().id:
        closed = "You asked for it, so a colleague decides."
    return render_template("shortages/answer.html", one=found, form=form, closed=closed, realm=found.realm), form.status

"""What is done with one variant: decided on, reviewed, handed over, ended, and orders under way put under it."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for

from app.composition.approving import Answer, answer
from app.composition.request import change, now, reader
from app.composition.variants import ask_again, hand_over, may_answer, move, move_orders, submit
from app.queries.register_health import proposal_for
from app.queries.variant_runs import movable_orders
from app.queries.variants import VariantPage, people_to_choose, variant_page
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.conformance.presenters import step_words
from app.web.forms import choices
from app.web.steps import seen_version
from app.web.variants.forms import MoveForm, OrdersForm
from app.web.variants.tabs import register_tabs
from app.web.variants.views import blueprint
from erpcore.kernel.errors import Conflict
from erpcore.kernel.work import UnitOfWork
from governance.variants.flow import AGREED, VARIANT_FLOW, VariantState, permission_for
from governance.variants.services import MoveVariant
from governance.variants.validity import Standing

#: Moves as buttons say them, and as they read when done.
_SAID = {
    "approve": ("Approve", "Your approval is kept."), "reject": ("Reject", "It is rejected."),
    "submit": ("Ask for it", "It is asked for. Others decide."),
    "again": ("Put to decision again", "It is put to those who decide."),
    "withdraw": ("Withdraw", "It is withdrawn."), "review": ("Have it reviewed", "It is put to those who decide."),
    "retire": ("Retire", "It is retired: the standard holds again from now on."),
    "revoke": ("Revoke at once", "The standard holds again from now on."),
    "hand_over": ("Hand over", "Somebody else answers for it."),
}  # fmt: skip


def _reaches(page: VariantPage) -> bool:
    sites = actor().sites
    return sites is None or page.row.site_id in sites


#: In these states somebody is to decide.
_ASKING = (VariantState.SUBMITTED, VariantState.UNDER_REVIEW)


def _is_asked(page: VariantPage) -> bool:
    """Whether a request about the variant as it is now waits."""
    request = page.request
    return request is not None and request.state == "waiting" and request.subject_version == page.row.version


def _open_moves(page: VariantPage) -> list[str]:
    """What this person may do with it now, the one that most come for first."""
    row, who = page.row, actor()
    waits = page.request is not None and page.request.state == "waiting"
    is_own = row.requested_by == who.id
    out: list[str] = []
    if waits and may_answer(reader(), who, page.request, now()):
        out += ["approve", "reject"]
    for name in ("submit", "withdraw"):
        if is_own and VARIANT_FLOW.why_not(name, row.state, who) is None:
            out.append(name)
    if not _is_asked(page) and row.state in _ASKING and is_own:
        out.append("again")
    if _reaches(page):
        out += [
            name
            for name in ("review", "retire", "revoke")
            if VARIANT_FLOW.leads(name, row.state) and who.may(permission_for(name, row.kind))
            and row.standing is not Standing.EXPIRED
        ]  # fmt: skip
        if row.state not in VARIANT_FLOW.finals() and who.may(Permission.VARIANT_REQUEST):
            out.append("hand_over")
    return out


def _waits_for(page: VariantPage) -> str:
    """Who is asked, where it waits and not for this person; or that nobody is, and how it goes on."""
    if page.row.state not in _ASKING:
        return ""
    if page.request is None or not _is_asked(page):
        return "Nobody is asked about it as it is now. Whoever asked for it puts it to decision again, or withdraws it."
    return page.request.rule_text or "No rule says who may decide, so nobody may."


def _do(work: UnitOfWork, page: VariantPage, name: str, form: MoveForm) -> None:
    reason, seen = str(form.reason.data), seen_version()
    key = page.row.id
    if name in ("approve", "reject") and page.request is not None:
        if page.request.state == "waiting" and seen not in (None, page.row.version):
            raise Conflict("changed_meanwhile", document=f"variant {page.row.code}")
        answer(work, Answer(request=page.request.id, verdict=name, reason=reason))
    elif name == "submit":
        submit(work, key, seen_version=seen)
    elif name == "again":
        ask_again(work, key, seen_version=seen)
    elif name == "hand_over":
        hand_over(work, key, form.owner.data, deputy=form.deputy.data or None, reason=reason, seen_version=seen)
    else:
        until = form.until_on.data if name == "review" else None
        move(work, MoveVariant(variant=key, move=name, reason=reason, seen_version=seen), until_on=until)


@blueprint.route("/register/variants/<int:variant_id>", methods=["GET", "POST"])
@require(Permission.VARIANT_VIEW)
def show_one(variant_id: int) -> Any:
    """One variant: what it changes, where, until when, who answers and why; what ran under it; its history; what may be done."""
    page = variant_page(reader(), actor(), variant_id, now())
    name = request.form.get("move", "")
    form = MoveForm(owner=page.row.owner_id, deputy=page.record.deputy_id or 0)
    people = people_to_choose(reader())
    # Whoever has left is still shown as the owner that they were.
    known = {key for key, _ in people}
    form.owner.choices = choices(
        [*([] if page.row.owner_id in known else [(page.row.owner_id, page.row.owner)]), *people]
    )
    form.deputy.choices = choices([(0, "nobody"), *people])
    if request.method == "POST" and name in _SAID and form.validate_on_submit():
        with form.refusals(), change() as work:
            _do(work, page, name, form)
        if form.accepted:
            flash(_SAID[name][1], "success")
            return redirect(url_for("variants.show_one", variant_id=variant_id))
        page = variant_page(reader(), actor(), variant_id, now())
    elif request.method == "GET" and request.args.get("propose") == "retire":
        form.reason.data = proposal_for(reader(), actor(), variant_id, now())
    form.version.data = str(page.row.version)
    return render_template(
        "register/show.html", page=page, row=page.row, record=page.record, form=form, said_words=_SAID, step_words=step_words,
        moves=_open_moves(page), waits_for=_waits_for(page), tabs=register_tabs("variants.show_all"),
        may_move_orders=page.row.standing is Standing.EFFECTIVE and bool(page.row.values)
        and actor().may(Permission.ORDER_ANEW) and _reaches(page), at=now(),
    ), form.status  # fmt: skip


@blueprint.route("/register/variants/<int:variant_id>/orders", methods=["GET", "POST"])
@require(Permission.ORDER_ANEW)
def orders(variant_id: int) -> Any:
    """Choose orders under way that shall run by the rules of now: nothing moves them by itself."""
    page = variant_page(reader(), actor(), variant_id, now())
    found = movable_orders(reader(), page.record) if page.row.state in AGREED else []
    form = OrdersForm()
    chosen = {int(key) for key in request.form.getlist("order") if key.isascii() and key.isdecimal() and len(key) < 19}
    if form.validate_on_submit():
        if not chosen & {one.id for one in found}:
            form.form_errors.append("Choose at least one order.")
            form.status = 422
        else:
            with form.refusals(), change() as work:
                done = move_orders(
                    work, variant_id, sorted(chosen & {one.id for one in found}), reason=str(form.reason.data)
                )
            if form.accepted:
                flash(f"{done} {'order runs' if done == 1 else 'orders run'} by the rules of now.", "success")
                return redirect(url_for("variants.show_one", variant_id=variant_id))
    form.version.data = str(page.row.version)
    return render_template(
        "register/orders.html", page=page, row=page.row, orders=found, form=form, chosen=chosen
    ), form.status  # fmt: skip

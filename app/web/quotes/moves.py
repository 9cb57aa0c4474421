"""Moving a quote on: send, approve or give back its prices, accept, decline, revise."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from flask import flash, redirect, render_template, url_for

from app.composition.core_approvals import BY_RULES
from app.composition.quote_approvals import accept as accept_by_rules
from app.composition.quote_approvals import approve as approve_by_rules
from app.composition.quote_approvals import decline as decline_by_rules
from app.composition.quote_approvals import give_back as give_back_by_rules
from app.composition.quote_approvals import request_of_quote
from app.composition.request import reader
from app.composition.trading import cells, rules
from app.queries.quotes import QuotePage, quote_page
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.orders.presenters import deciders
from app.web.quotes.forms import AcceptForm, DeclineForm, GiveBackForm
from app.web.quotes.views import blueprint, quote_html
from app.web.steps import form_step, seen_version, take_step
from erpcore.kernel import requests
from erpcore.kernel.errors import Conflict, RuleBroken
from erpcore.kernel.work import UnitOfWork
from erpcore.orders.quotes.accepting import AcceptQuote
from erpcore.orders.quotes.services import DeclineQuote, revise_quotes, send_quotes


def _quote(quote_id: int) -> QuotePage:
    return quote_page(reader(), actor(), quote_id)


def _seen(quote_id: int) -> dict[int, int] | None:
    version = seen_version()
    return None if version is None else {quote_id: version}


def _step(quote_id: int, move: Any, done: str | Callable[[], str]) -> Any:
    return take_step(
        move, realm=_quote(quote_id).row.realm, done=done, to=url_for("quotes.show", quote_id=quote_id),
        again=lambda why: quote_html(quote_id, why),
    )  # fmt: skip


def _form_page(template: str, page: QuotePage, form: Any, **more: Any) -> Any:
    if not form.is_submitted():
        form.version.data = page.row.version
    return render_template(template, quote=page, row=page.row, form=form, realm=page.row.realm, **more), form.status


def _back(quote_id: int, said: str) -> Any:
    flash(said, "success")
    return redirect(url_for("quotes.show", quote_id=quote_id))


def _said(quote_id: int) -> str:
    """Whether the quote is on its way, and by whose word."""
    if _quote(quote_id).row.state == "waiting":
        return "The quote waits: others are asked about its prices."
    asked = request_of_quote(reader(), quote_id)
    if asked is None or asked.state != "approved":
        return "The quote is sent."
    return f"The quote is sent: {'its prices needed nobody' if asked.is_automatic else 'the prices are approved'}."


@blueprint.post("/quotes/<int:quote_id>/send")
@require(Permission.QUOTE_WRITE)
def send(quote_id: int) -> Any:
    seen = _seen(quote_id)
    return _step(
        quote_id,
        lambda work: send_quotes(work, [quote_id], rules=rules(), seen=seen, authority=BY_RULES),
        lambda: _said(quote_id),
    )


@blueprint.post("/quotes/<int:quote_id>/approve")
@require(Permission.ORDER_READ)
def approve(quote_id: int) -> Any:
    seen = _seen(quote_id)
    return _step(
        quote_id,
        lambda work: approve_by_rules(work, quote_id, seen=seen),
        lambda: _said(quote_id),
    )


@blueprint.route("/quotes/<int:quote_id>/give-back", methods=["GET", "POST"])
@require(Permission.ORDER_READ)
def give_back(quote_id: int) -> Any:
    page, form = _quote(quote_id), GiveBackForm()
    if form.validate_on_submit():
        with form_step(form, realm=page.row.realm) as work:
            give_back_by_rules(work, quote_id, reason=str(form.reason.data), seen=_seen(quote_id))
        if form.accepted:
            return _back(quote_id, "The quote is a draft again.")
    return _form_page("quotes/give_back.html", page, form)


@blueprint.post("/quotes/<int:quote_id>/revise")
@require(Permission.QUOTE_WRITE)
def revise(quote_id: int) -> Any:
    made: list[int] = []

    def move(work: UnitOfWork) -> None:
        made.extend(quote.id for quote in revise_quotes(work, [quote_id], rules=rules()))

    answer = _step(quote_id, move, "The revision has the prices of today. Change it, then send it.")
    return redirect(url_for("quotes.show", quote_id=made[0])) if made else answer


@blueprint.route("/quotes/<int:quote_id>/accept", methods=["GET", "POST"])
@require(Permission.ORDER_CAPTURE)
def accept(quote_id: int) -> Any:
    page, form = _quote(quote_id), AcceptForm()
    if not form.is_submitted():
        form.customer_reference.data = page.row.reference or ""
        form.request_key.data = secrets.token_urlsafe(18)
    if form.validate_on_submit():
        command = AcceptQuote(
            quote=quote_id, customer_reference=form.customer_reference.data or None, accepted=form.accepted_warnings,
            seen_version=seen_version(),
        )  # fmt: skip
        order = 0
        with form_step(form, realm=page.row.realm) as work:
            order = _once(work, str(form.request_key.data), command)
        if form.accepted:
            flash("The quote has become this order, at the prices it held.", "success")
            return redirect(url_for("orders.show", order_id=order))
    return _form_page("quotes/accept.html", page, form)


def _once(work: UnitOfWork, key: str, command: AcceptQuote) -> int:
    """Accept, unless this very form accepted before: then its order is the answer."""
    try:
        before = requests.claim(work, f"quote-form:{key}", repr(command))
    except Conflict as conflict:
        raise RuleBroken("form_used") from conflict
    if before is not None:
        return int(before)
    (order,) = accept_by_rules(work, [command], rules=rules(), cells=cells())
    requests.settle(work, f"quote-form:{key}", order.id)
    return order.id


@blueprint.route("/quotes/<int:quote_id>/decline", methods=["GET", "POST"])
@require(Permission.QUOTE_WRITE)
def decline(quote_id: int) -> Any:
    page, form = _quote(quote_id), DeclineForm()
    if form.validate_on_submit():
        command = DeclineQuote(
            quote=quote_id,
            reason=str(form.reason.data),
            by_customer=bool(form.by_customer.data),
            seen_version=seen_version(),
        )
        with form_step(form, realm=page.row.realm) as work:
            decline_by_rules(work, [command])
        if form.accepted:
            return _back(quote_id, "The quote is declined.")
    return _form_page("quotes/decline.html", page, form, deciders=deciders)

"""Returns: one on a page, and its moves."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from flask import flash, redirect, render_template, request, url_for

from app.composition.request import now, reader
from app.composition.return_approvals import BY_RULES
from app.composition.trading import cells, disposition_named, rules
from app.queries.companies import address_at
from app.queries.items import item_of_code
from app.queries.returns import ReturnPage, ReturnPlace, return_of_number, return_page
from app.reports.papers import return_label
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import area, closed
from app.web.navigation import Entry, Group, navigation_entry
from app.web.orders.forms import ReasonForm
from app.web.papers import paper_file
from app.web.returns.forms import (
    ScanForm,
    came_of,
    exchange_form,
    findings_of,
    inspect_form,
    parts_of,
    receive_form,
    replaceable,
)
from app.web.steps import form_step, take_step
from erpcore.billing.credits import credit_returns
from erpcore.fulfilment.flow import RETURN
from erpcore.fulfilment.return_deciding import authorise_returns, decline_returns, give_up_returns
from erpcore.fulfilment.return_exchange import OrderReplacement, order_replacement
from erpcore.fulfilment.returned_goods import InspectReturn, ReceiveReturn, inspect_returns, receive_returns
from erpcore.fulfilment.returns import ReturnedLine
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.work import UnitOfWork

blueprint = area("returns")
navigation_entry(
    Entry(label="Returns", endpoint="returns.show_all", permission=Permission.RETURN_READ, group=Group.MONEY, order=30)
)
_LABELS = {
    "authorise": "Authorise",
    "outside": "Authorise outside of the policy…",
    "decline": "Decline…",
    "receive": "Receive…",
    "give_up": "Nothing came…",
    "inspect": "Inspect…",
    "credit": "Post the credit memo",
}


@blueprint.get("/returns/<int:return_id>")
@require(Permission.RETURN_READ)
def show(return_id: int) -> str:
    return _html(return_id)


def _html(return_id: int, refused: str = "") -> str:
    found = return_page(reader(), actor(), return_id)
    return render_template(
        "returns/show.html", page=found, row=found.row, moves=_moves(found), refused=refused, realm=found.row.realm
    )


def _moves(found: ReturnPage) -> list[dict[str, Any]]:
    """Every move of the flow's table that is still ahead; one that is not open says why."""
    out: list[dict[str, Any]] = []
    for move in RETURN.moves.values():
        state = found.row.state
        shut = closed(RETURN, move.name, state, actor())
        if move.name not in _LABELS or state in RETURN.finals():
            continue
        if move.name in ("authorise", "decline", "give_up") and not RETURN.leads(move.name, state):
            continue
        is_outside = move.name == "authorise" and found.is_outside
        if is_outside and found.judgement and found.judgement.exception == "never":
            shut = shut or "the policy lets nobody authorise it"
        has_form = move.reason_required or is_outside or move.name in ("receive", "inspect")
        where = "href" if has_form else "action"
        address = url_for(f"returns.{move.name}", return_id=found.row.id)
        out.append(
            {
                "label": _LABELS["outside" if is_outside else move.name], "permitted": not shut, "reason": f"{shut}." if shut else "", where: address,
                "primary": not shut and not move.reason_required, "danger": move.name in ("decline", "give_up"),
            }
        )  # fmt: skip
    return out


def _step(return_id: int, move: Any, done: str) -> Any:
    return take_step(
        move, realm=return_page(reader(), actor(), return_id).row.realm, done=done,
        to=url_for("returns.show", return_id=return_id), again=lambda why: _html(return_id, why),
    )  # fmt: skip


@blueprint.route("/returns/<int:return_id>/authorise", methods=["GET", "POST"])
@require(Permission.RETURN_AUTHORISE)
def authorise(return_id: int) -> Any:
    """One press within the policy; outside of it for a reason, and others agree."""
    found = return_page(reader(), actor(), return_id)
    if not found.is_outside:
        if request.method == "GET":
            return redirect(url_for("returns.show", return_id=return_id))
        return _step(return_id, lambda work: authorise_returns(work, [return_id]), "The goods may come back.")
    form, done = ReasonForm(), "The goods may come back."
    if form.validate_on_submit():
        with form_step(form, realm=found.row.realm) as work:
            (row,) = authorise_returns(work, [return_id], authority=BY_RULES, reason=str(form.reason.data))
            if row.state == "waiting":
                done = "Whoever the rules of approval name is asked. The return waits for them."
        if form.accepted:
            return _done(return_id, done)
    return render_template(
        "returns/authorise.html", row=found.row, form=form, against=found.against, realm=found.row.realm
    ), form.status


@blueprint.route("/returns/<int:return_id>/decline", methods=["GET", "POST"])
@require(Permission.RETURN_AUTHORISE)
def decline(return_id: int) -> Any:
    return _end(return_id, decline_returns, "Decline", "The return is declined.")


@blueprint.route("/returns/<int:return_id>/give-up", methods=["GET", "POST"])
@require(Permission.RETURN_RECEIVE)
def give_up(return_id: int) -> Any:
    return _end(return_id, give_up_returns, "Close", "Nothing came; the return is closed.")


def _end(return_id: int, move: Callable[[UnitOfWork, list[int], str], Any], verb: str, done: str) -> Any:
    """End the return without a credit, for a reason."""
    found, form = return_page(reader(), actor(), return_id), ReasonForm()
    if form.validate_on_submit():
        with form_step(form, realm=found.row.realm) as work:
            move(work, [return_id], str(form.reason.data))
        if form.accepted:
            return _done(return_id, done)
    return render_template("returns/end.html", row=found.row, form=form, verb=verb, realm=found.row.realm), form.status


def _done(return_id: int, what: str) -> Any:
    flash(what, "success")
    return redirect(url_for("returns.show", return_id=return_id))


@blueprint.route("/returns/<int:return_id>/receive", methods=["GET", "POST"])
@require(Permission.RETURN_RECEIVE)
def receive(return_id: int) -> Any:
    found = return_page(reader(), actor(), return_id)
    form = receive_form(found.lines)
    if form.validate_on_submit():
        with form_step(form, realm=found.row.realm) as work:
            command = ReceiveReturn(id=return_id, came=came_of(form), others=_other(form, found))
            receive_returns(work, [command], cells=cells())
        if form.accepted:
            return _done(return_id, "The goods are here. Look at them next.")
    lines = [field for field in form if field.name.startswith("line_")]
    html = render_template("returns/receive.html", row=found.row, form=form, lines=lines, realm=found.row.realm)
    return html, form.status


def _other(form: Any, found: ReturnPage) -> list[ReturnedLine]:
    """The other item that came, if one did: kept apart until it was looked at."""
    code = str(form.other.data or "")
    if not code and not form.other_quantity.data:
        return []
    if not code or not form.other_quantity.data:
        raise RuleBroken("return_other_incomplete", field="other_quantity" if code else "other")
    item = item_of_code(reader(), found.row.entity_id, code, field="other")
    return [ReturnedLine(item=item, quantity=form.other_quantity.data, disposition=disposition_named("quarantine"))]


@blueprint.route("/returns/<int:return_id>/inspect", methods=["GET", "POST"])
@require(Permission.RETURN_RECEIVE)
def inspect(return_id: int) -> Any:
    found = return_page(reader(), actor(), return_id)
    form = inspect_form(found.lines)
    if form.validate_on_submit():
        with form_step(form, realm=found.row.realm) as work:
            command = InspectReturn(
                id=return_id, findings=findings_of(form, found.lines), note=str(form.note.data or "") or None
            )
            inspect_returns(work, [command], cells=cells())
        if form.accepted:
            return _done(return_id, "Looked at: what is kept is in stock, the credit can be posted.")
    parts = list(parts_of(form, found.lines))
    html = render_template("returns/inspect.html", row=found.row, form=form, parts=parts, realm=found.row.realm)
    return html, form.status


@blueprint.get("/returns/<int:return_id>/label.pdf")
@require(Permission.RETURN_READ)
def print_label(return_id: int) -> Any:
    page = return_page(reader(), actor(), return_id)
    home = address_at(reader(), page.row.entity_id, now())
    return paper_file(lambda: return_label(page, home), back=url_for("returns.show", return_id=return_id))


@blueprint.route("/returns/scan", methods=["GET", "POST"])
@require(Permission.RETURN_READ)
def scan() -> Any:
    """The number on the label leads to what is next with the return: a scanner types it and presses enter."""
    form = ScanForm()
    if form.validate_on_submit():
        found = None
        with form.refusals():
            found = return_of_number(reader(), actor(), str(form.number.data))
        if found is not None:
            return redirect(_next_of(found))
    return render_template("returns/scan.html", form=form), form.status


def _next_of(found: ReturnPlace) -> str:
    """Where the work on a return goes on for who holds it in the hand."""
    move = {"authorised": "receive", "received": "inspect"}.get(found.state)
    if move is not None and actor().may(Permission.RETURN_RECEIVE):
        return url_for(f"returns.{move}", return_id=found.id)
    return url_for("returns.show", return_id=found.id)


@blueprint.route("/returns/<int:return_id>/exchange", methods=["GET", "POST"])
@require(Permission.ORDER_CAPTURE)
def exchange(return_id: int) -> Any:
    """What the customer gets instead: the same again unless another quantity, or another item, is entered."""
    found = return_page(reader(), actor(), return_id)
    form = exchange_form(found.lines)
    if form.validate_on_submit():
        made = None
        with form_step(form, realm=found.row.realm) as work:
            wanted = {line.item_id: form[f"line_{line.id}"].data or Decimal(0) for line in replaceable(found.lines)}
            for other in _other(form, found):
                wanted[other.item] = wanted.get(other.item, Decimal(0)) + other.quantity
            command = OrderReplacement(id=return_id, wanted=wanted, accepted=form.accepted_warnings)
            made = order_replacement(work, command, rules=rules(), cells=cells())
        if form.accepted and made is not None:
            flash(f"Order {made.number} replaces what comes back.", "success")
            return redirect(url_for("orders.show", order_id=made.id))
    lines = [field for field in form if field.name.startswith("line_")]
    html = render_template("returns/exchange.html", row=found.row, form=form, lines=lines, realm=found.row.realm)
    return html, form.status


@blueprint.post("/returns/<int:return_id>/credit")
@require(Permission.CREDIT_POST)
def credit(return_id: int) -> Any:
    return _step(return_id, lambda work: credit_returns(work, [return_id], cells=cells()), "The credit memo is posted.")

"""Returns: one on a page, and its moves."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, url_for

from app.composition.request import reader
from app.composition.trading import cells
from app.queries.returns import ReturnPage, return_page
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import area, closed
from app.web.navigation import Entry, Group, navigation_entry
from app.web.orders.forms import ReasonForm
from app.web.steps import form_step, take_step
from erpcore.billing.credits import credit_returns
from erpcore.fulfilment.flow import RETURN
from erpcore.fulfilment.returns import authorise_returns, decline_returns, receive_returns

blueprint = area("returns")
navigation_entry(
    Entry(label="Returns", endpoint="returns.show_all", permission=Permission.RETURN_READ, group=Group.MONEY, order=30)
)
_LABELS = {
    "authorise": "Authorise",
    "decline": "Decline…",
    "receive": "Receive the goods",
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
        if state in RETURN.finals() or (move.name in ("authorise", "decline") and not RETURN.leads(move.name, state)):
            continue
        where = "href" if move.reason_required else "action"
        address = url_for(f"returns.{move.name}", return_id=found.row.id)
        out.append(
            {
                "label": _LABELS[move.name], "permitted": not shut, "reason": f"{shut}." if shut else "", where: address,
                "primary": not shut and not move.reason_required, "danger": move.name == "decline",
            }
        )  # fmt: skip
    return out


def _step(return_id: int, move: Any, done: str) -> Any:
    return take_step(
        move, realm=return_page(reader(), actor(), return_id).row.realm, done=done,
        to=url_for("returns.show", return_id=return_id), again=lambda why: _html(return_id, why),
    )  # fmt: skip


@blueprint.post("/returns/<int:return_id>/authorise")
@require(Permission.RETURN_AUTHORISE)
def authorise(return_id: int) -> Any:
    return _step(return_id, lambda work: authorise_returns(work, [return_id]), "The goods may come back.")


@blueprint.route("/returns/<int:return_id>/decline", methods=["GET", "POST"])
@require(Permission.RETURN_AUTHORISE)
def decline(return_id: int) -> Any:
    found, form = return_page(reader(), actor(), return_id), ReasonForm()
    if form.validate_on_submit():
        with form_step(form, realm=found.row.realm) as work:
            decline_returns(work, [return_id], str(form.reason.data))
        if form.accepted:
            flash("The return is declined.", "success")
            return redirect(url_for("returns.show", return_id=return_id))
    return render_template("returns/decline.html", row=found.row, form=form, realm=found.row.realm), form.status


@blueprint.post("/returns/<int:return_id>/receive")
@require(Permission.RETURN_RECEIVE)
def receive(return_id: int) -> Any:
    return _step(return_id, lambda work: receive_returns(work, [return_id], cells=cells()), "The goods are back.")


@blueprint.post("/returns/<int:return_id>/credit")
@require(Permission.CREDIT_POST)
def credit(return_id: int) -> Any:
    return _step(return_id, lambda work: credit_returns(work, [return_id], cells=cells()), "The credit memo is posted.")

"""Lists of prices: handed in, looked at row by row, applied once, or put to somebody else first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from flask import flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session

from app.composition.request import change, now, reader
from app.composition.trading import looking, rules
from app.importers.priceapprovals import (
    asked_by_rules,
    asks_nobody,
    plan_now,
    request_of_list,
    said,
    settle,
    weigh_list,
)
from app.importers.pricechanges import Effect, effect, hand_in, rows_with
from app.importers.pricelists import COLUMNS, read_list
from app.importers.priceweights import PriceWeight
from app.messages import MESSAGES, sentence
from app.queries.approvals import approval_page
from app.queries.listing import PAGE
from app.queries.prices import ListRow, list_steps, lists_to_decide, price_list
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.approvals.views import shut
from app.web.areas import asked_page, closed
from app.web.exports import csv_file, xlsx_file
from app.web.forms import choices
from app.web.prices.forms import ListForm, SettleForm
from app.web.prices.views import blueprint, entities
from app.web.today.slots import Waiting, waits_for_me
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import RuleBroken
from erpcore.pricing.flow import PRICE_LIST_FLOW
from erpcore.pricing.lists import ListPlan, SettleList

MOVES = (
    ("apply", "Apply the list", "The prices hold; the rules of approval ask nobody about them."),
    ("ask", "Ask for approval", "Others decide; the list holds once they agree."),
    ("approve", "Approve", "The prices hold once all who are asked agree; the list says whether they do."), ("decline", "Refuse", "It is refused; no price has changed."),
    ("withdraw", "Withdraw", "It is withdrawn."),
)  # fmt: skip


@waits_for_me(Permission.PRICE_RULE_APPROVE)
def lists_waiting(session: Session, who: Actor, _: datetime) -> Iterable[Waiting]:
    """Lists of prices of the time before they were asked about by the rules of approval; those stand among the requests."""
    for one in lists_to_decide(session, who, by_permission=True):
        yield Waiting(
            title=f"Prices: {one.file_name}", why=f"{one.entity} · {one.rows} row{'s' if one.rows > 1 else ''}",
            detail="beyond the tolerance or below the floor", url=url_for("prices.show_list", list_id=one.id), move="Decide",
        )  # fmt: skip


def in_price(millionths: int | None) -> Decimal | None:
    """Millionths as a price."""
    return None if millionths is None else Decimal(millionths).scaleb(-6)


def in_percent(permille: int) -> Decimal:
    """Per mille as a percentage."""
    return Decimal(permille) / 10


def _only() -> Effect | None:
    """The effect that the address narrows the rows to."""
    text = request.args.get("only", "")
    return Effect(text) if text in set(Effect) else None


@blueprint.route("/prices/lists/new", methods=["GET", "POST"])
@require(Permission.PRICE_CHANGE)
def hand_list_in() -> Any:
    form, seen = ListForm(), entities()
    form.entity.choices = choices((one.id, one.label) for one in seen)
    if form.validate_on_submit():
        kept = 0
        with form.refusals():
            read = read_list(str(form.file.data.filename), form.file.data.stream)
            with change() as work:
                kept = hand_in(work, int(form.entity.data), read)
        if form.accepted:
            return redirect(url_for("prices.show_list", list_id=kept))
    return render_template("prices/hand_in.html", form=form, columns=COLUMNS), form.status


def _plan(row: ListRow) -> ListPlan | None:
    """What the list would change now; ``None`` once it holds."""
    if row.applied_at is not None:
        return None
    return plan_now(looking(reader(), actor=actor(), now=now(), realm="live"), row.id, rules=rules())


class Judged(NamedTuple):
    """What the rules of approval say of a list: what it touches, whether they ask nobody, the rules in words, and why they do not
    ask this person now (empty: they do; ``None``: the permission decides).
    """

    weight: PriceWeight
    is_free: bool
    said: str
    shut: str | None


def _judged(row: ListRow, plan: ListPlan) -> Judged:
    work = looking(reader(), actor=actor(), now=now(), realm="live")
    weight = weigh_list(work, row, plan)
    asked = asked_by_rules(reader(), weight.facts)
    request = request_of_list(reader(), row.id) if row.state == "asked" else None
    why = None
    if request is not None and request.state == "waiting":
        why = shut(approval_page(reader(), actor(), request.id, now()))
    return Judged(weight, asks_nobody(asked), said(asked), why)


def _moves(row: ListRow, plan: ListPlan | None, judged: Judged | None, who: Actor) -> list[dict[str, Any]]:
    """The moves of the flow's table; one that is not open says why."""
    out: list[dict[str, Any]] = []
    if plan is None or judged is None:
        return out
    for name, label, _ in MOVES:
        is_own = who.id == row.asked_by
        if row.state not in PRICE_LIST_FLOW.moves[name].sources or (name == "withdraw" and not is_own):
            continue
        if (name == "apply") != judged.is_free and name in ("apply", "ask"):
            continue
        why = _why_not(row, name, judged, who)
        if not why and name != "withdraw" and not plan.changes_something and name != "decline":
            why = "it changes nothing"
        out.append({"name": name, "label": label, "why": why})
    return out


def _why_not(row: ListRow, name: str, judged: Judged, who: Actor) -> str:
    if name not in ("approve", "decline"):
        return closed(PRICE_LIST_FLOW, name, row.state, who)
    if who.id in (row.asked_by, row.uploaded_by):
        return "you asked for it, so somebody else decides"
    if judged.shut is None:
        return closed(PRICE_LIST_FLOW, name, row.state, who)
    return f"{judged.shut[:1].lower()}{judged.shut[1:]}".removesuffix(".")


def _html(list_id: int, form: SettleForm) -> Any:
    row = price_list(reader(), actor(), list_id)
    plan = _plan(row)
    judged = None if plan is None else _judged(row, plan)
    only = _only()
    counts = Counter(effect(one) for one in plan.rows) if plan else Counter[Effect]()
    if plan:
        counts[Effect.SECOND] = plan.beyond
        form.seen.data = plan.digest
    chips = [
        {"label": "Needs a second person" if one is Effect.SECOND else one.capitalize(), "on": only == one, "count": counts[one],
         "href": url_for("prices.show_list", list_id=list_id, only=None if only == one else one)}
        for one in Effect
        if counts[one] or only == one
    ]  # fmt: skip
    shown = rows_with(plan.rows, only) if plan else []
    page = min(asked_page(), max(1, -(-len(shown) // PAGE)))
    return render_template(
        "prices/list_show.html", row=row, plan=plan, form=form, moves=_moves(row, plan, judged, actor()), chips=chips,
        judged=judged, asked=request_of_list(reader(), list_id),
        rows=shown[(page - 1) * PAGE : page * PAGE], page=page, pages=max(1, -(-len(shown) // PAGE)), total=len(shown),
        to=lambda number: url_for("prices.show_list", list_id=list_id, only=only or None, page=number), effect=effect,
        steps=list_steps(reader(), list_id), sentence=sentence, said=_said, zip_cells=_cells,
        in_price=in_price, in_percent=in_percent,
    ), form.status  # fmt: skip


def _said(rejected: dict[str, Any]) -> str:
    """Why a row of an applied list was rejected, from what was kept of it."""
    error = RuleBroken(rejected["code"], **rejected["facts"]) if rejected["code"] in MESSAGES else None
    return sentence(error) if error else rejected["code"].replace("_", " ")


def _cells(cells: tuple[str, ...]) -> list[tuple[str, str]]:
    """The cells of a row by their columns; of one that could not be read there is only why."""
    padded = cells if len(cells) == len(COLUMNS) else ("",) * len(COLUMNS)
    return list(zip(COLUMNS, padded, strict=True))


@blueprint.route("/prices/lists/<int:list_id>", methods=["GET", "POST"])
@require(Permission.MASTERDATA_READ)
def show_list(list_id: int) -> Any:
    """What the list would change; posted, it is applied, asked for or decided on."""
    form = SettleForm()
    price_list(reader(), actor(), list_id)
    move = request.form.get("move", "")
    done = {name: said for name, _, said in MOVES}
    if form.validate_on_submit() and move in done:
        command = SettleList(list=list_id, move=move, reason=str(form.reason.data or ""), seen=str(form.seen.data))
        with form.refusals(), change() as work:
            settle(work, command, rules=rules())
        if form.accepted:
            flash(done[move], "success")
            return redirect(url_for("prices.show_list", list_id=list_id))
    return _html(list_id, form)


_HEAD = ("Row", "What becomes of it", "Before", "After", "Change in %", "Second person", "Why not", *COLUMNS)


def _file_rows(list_id: int) -> Any:
    # A file begins before its rows are read: a list that is not there is refused now.
    price_list(reader(), actor(), list_id)
    return _listed_rows(list_id)


def _listed_rows(list_id: int) -> Any:
    row = price_list(reader(), actor(), list_id)
    plan = _plan(row)
    if plan is None:
        for one in row.rejected:
            yield (one["row"], "rejected", None, None, None, "", _said(dict(one)), *one["cells"])
        return
    for found in rows_with(plan.rows, _only()):
        change_permille = found.lowering.change_permille if found.lowering else None
        before, after = (found.lowering.before, found.lowering.after) if found.lowering else (None, None)
        yield (
            found.row.number, effect(found), in_price(before), in_price(after),
            None if change_permille is None else in_percent(change_permille), "yes" if found.is_beyond else "",
            sentence(found.why) if found.why else "", *found.row.cells,
        )  # fmt: skip


@blueprint.get("/prices/lists/<int:list_id>/rows.csv")
@require(Permission.MASTERDATA_READ)
def rows_csv(list_id: int) -> Any:
    return csv_file(f"price-list-{list_id}", _HEAD, _file_rows(list_id))


@blueprint.get("/prices/lists/<int:list_id>/rows.xlsx")
@require(Permission.MASTERDATA_READ)
def rows_xlsx(list_id: int) -> Any:
    return xlsx_file(f"price-list-{list_id}", _HEAD, _file_rows(list_id))

"""Runs of allocation: one with its explanation, committing, rejecting and ranking by hand."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for

from app.composition.request import change, reader
from app.composition.trading import cells, rules
from app.messages import sentence
from app.queries.allocation import RunPage, every_run_line, run_page
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.allocation import presenters
from app.web.allocation.forms import AsideForm, MoveForm
from app.web.allocation.presenters import RULES, WHY, closed_to_commit
from app.web.allocation.views import blueprint
from app.web.areas import closed
from app.web.errors import status_of
from app.web.exports import csv_file, xlsx_file
from app.web.forms import choices
from app.web.steps import form_step, seen_version, take_step
from erpcore.kernel.errors import DomainError
from erpcore.orders.flow import ALLOCATION_RUN
from erpcore.orders.runs import MoveLine, commit_run, move_line, reject_run

_LINES = (
    "Item", "Rank", "Order", "Line", "Customer", "Waits since", "Channel priority", "Tier", "Wanted", "Gets", "Why",
    "First come", "Priority", "Contracts", "Fair share",
)  # fmt: skip


def _html(page: RunPage, *, form: Any = None, refusal: str = "", why_not: AsideForm | None = None) -> str:
    run, who = page.run, actor()
    rejecting = why_not or AsideForm(formdata=None)
    moving = form or _move_form(page)
    return render_template(
        "allocation/run.html", page=page, run=run, realm=run.realm, rules=RULES, why=WHY, triggers=presenters.TRIGGERS,
        form=moving, rejecting=rejecting, refusal=refusal, lines=_number_of_lines(page),
        shut_commit=closed(ALLOCATION_RUN, "commit", run.state, who) or closed_to_commit(run, who, ""),
        shut_move=closed(ALLOCATION_RUN, "commit", run.state, who) if not who.may(Permission.ALLOCATION_OVERRIDE) else "",
        mine=run.simulated_by == who.id,
    )  # fmt: skip


def _number_of_lines(page: RunPage) -> int:
    return sum(len(lines) for lines in page.lines.values())


def _move_form(page: RunPage) -> MoveForm:
    form = MoveForm() if request.method == "POST" else MoveForm(formdata=None)
    codes = {place.item_id: place.code for place in page.places}
    form.line.choices = choices(
        (str(row.line_id), f"{codes[row.item_id]} · rank {row.rank} · {row.order}/{row.line_no} {row.customer}")
        for rows in page.lines.values()
        for row in rows
    )
    return form


def _page(run_id: int) -> RunPage:
    return run_page(reader(), actor(), run_id)


@blueprint.get("/allocation/runs/<int:run_id>")
@require(Permission.ORDER_READ)
def show_run(run_id: int) -> str:
    return _html(_page(run_id))


@blueprint.get("/allocation/runs/<int:run_id>.csv")
@require(Permission.ORDER_READ)
def run_as_csv(run_id: int) -> Any:
    return csv_file(f"allocation-run-{run_id}", _LINES, _line_rows(run_id))


@blueprint.get("/allocation/runs/<int:run_id>.xlsx")
@require(Permission.ORDER_READ)
def run_as_xlsx(run_id: int) -> Any:
    return xlsx_file(f"allocation-run-{run_id}", _LINES, _line_rows(run_id))


def _line_rows(run_id: int) -> Any:
    # A file begins before its rows are read: a run that is not there is refused now.
    codes = {place.item_id: place.code for place in _page(run_id).places}

    def rows() -> Any:
        for row in every_run_line(reader(), run_id):
            yield (
                codes[row.item_id], row.rank, row.order, row.line_no, row.customer, row.since, row.priority, row.tier,
                row.wanted, row.got, WHY[row.why], row.by_first_come, row.by_priority, row.by_contract, row.by_fair_share,
            )  # fmt: skip

    return rows()


@blueprint.post("/allocation/runs/<int:run_id>/commit")
@require(Permission.ALLOCATION_COMMIT)
def commit(run_id: int) -> Any:
    page, seen = _page(run_id), seen_version()
    return take_step(
        lambda work: commit_run(work, run_id, rules=rules(), cells=cells(), seen_version=seen), realm=page.run.realm,
        done="The run is committed: the winners have their stock.", to=url_for("allocation.show_run", run_id=run_id),
        again=lambda said: _html(_page(run_id), refusal=said),
    )  # fmt: skip


@blueprint.post("/allocation/runs/<int:run_id>/reject")
@require(Permission.ALLOCATION_COMMIT)
def reject(run_id: int) -> Any:
    page, form = _page(run_id), AsideForm()
    if form.validate_on_submit():
        try:
            with change(realm=page.run.realm) as work:
                reject_run(work, run_id, str(form.why.data))
        except DomainError as refusal:
            return _html(_page(run_id), refusal=sentence(refusal)), status_of(refusal)
        flash("The run is put aside.", "success")
        return redirect(url_for("allocation.show_run", run_id=run_id))
    return _html(page, form=_unsent(page), why_not=form), 422


def _unsent(page: RunPage) -> MoveForm:
    form = MoveForm(formdata=None)
    form.line.choices = _move_form(page).line.choices
    return form


@blueprint.post("/allocation/runs/<int:run_id>/ranks")
@require(Permission.ALLOCATION_OVERRIDE)
def move(run_id: int) -> Any:
    """Rank a line by hand; the run is worked out anew and then waits for another person."""
    page = _page(run_id)
    form = _move_form(page)
    if form.validate_on_submit():
        line, rank = str(form.line.data or ""), str(form.rank.data)
        if not rank.isdecimal() or not line.isdecimal():
            form.rank.errors, form.status = ["Enter 1 for the first, 2 for the next, and so on."], 422
        else:
            command = MoveLine(
                run=run_id, line=int(line), rank=int(rank), reason=str(form.reason.data), seen_version=seen_version()
            )
            with form_step(form, realm=page.run.realm) as work:
                move_line(work, command, rules=rules(), cells=cells())
            if form.accepted:
                flash("The ranking is changed. Somebody else commits the run now.", "success")
                return redirect(url_for("allocation.show_run", run_id=run_id))
    return _html(_page(run_id), form=form), form.status

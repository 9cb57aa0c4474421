"""Dunning runs: the list, what one proposes, and its moves; each notice with its letter."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for

from app.composition.request import installation, reader
from app.jobs.dunning import issue_confirmed
from app.queries.dunning import RUNS as RUN_SOURCE
from app.queries.dunning import NoticePage, RunPage, RunRow, notice_page, run_page
from app.queries.listing import Asked
from app.queries.places import entities_seen
from app.reports.dunning import KINDS, notice_paper
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import area, closed
from app.web.dunning.forms import ProposeForm, WhyForm
from app.web.figures import heading, on
from app.web.forms import choices
from app.web.lists.listing import Cell, Empty, Listing, choice, column, money, pick
from app.web.lists.page import list_page
from app.web.navigation import Entry, Group, navigation_entry
from app.web.papers import paper_file
from app.web.steps import form_step, take_step
from erpcore.billing.dunning.flow import NOTICE, RUN
from erpcore.billing.dunning.runs import cancel_run, confirm_run, drop_notice, propose_run

blueprint = area("dunning")
navigation_entry(
    Entry(label="Dunning", endpoint="dunning.show_all", permission=Permission.INVOICE_READ, group=Group.MONEY, order=30)
)


def _companies(asked: Asked) -> list[tuple[int, str]]:
    return [(one.id, one.name) for one in entities_seen(reader(), actor()) if one.realm == asked.realm]


def _day(row: RunRow) -> Cell:
    return Cell(on(row.run_on), sub=row.entity, href=url_for("dunning.show_run", run_id=row.id))


RUN_LIST = list_page(
    blueprint,
    Listing(
        name="dunning-runs", endpoint="dunning.show_all", path="/dunning", permission=Permission.INVOICE_READ, title="Dunning",
        lead="Proposed by one person, confirmed by another, and issued once", unit="runs", source=RUN_SOURCE, sort="-day",
        template="dunning/list.html",
        empty=Empty(title="No run yet", text="Nobody has proposed whom to ask, or a filter hides it.", sign="file"),
        filters=(choice("state", tuple(RUN.states)), pick("company", "Company", _companies)),
        columns=(
            column("day", "Day", "run_on", cell=_day, page_only=True),
            column("entity", "Company", file_only=True),
            column("run_on", "Day", file_only=True),
            column("state", "State", cell=lambda row: heading(row.state)),
            column("notices", "Customers", num=True),
            column("issued", "Issued", num=True),
            money("overdue", "Asked for", "overdue_minor"),
            money("fee", "Fees", "fee_minor"),
            column("currency", "Currency", file_only=True),
        ),
    ),
)  # fmt: skip


@blueprint.route("/dunning/propose", methods=["GET", "POST"])
@require(Permission.DUNNING_PROPOSE)
def propose() -> Any:
    form, entities = ProposeForm(), entities_seen(reader(), actor())
    form.entity.choices = choices((one.id, one.label) for one in entities)
    if form.validate_on_submit():
        entity = next(one for one in entities if one.id == form.entity.data)
        made = None
        with form_step(form, realm=entity.realm) as work:
            made = propose_run(work, entity.id)
        if form.accepted and made is not None:
            flash("Proposed. Nothing is sent or posted before somebody else confirms it.", "success")
            return redirect(url_for("dunning.show_run", run_id=made.run))
    return render_template("dunning/propose.html", form=form, realm="live"), form.status


@blueprint.get("/dunning/<int:run_id>")
@require(Permission.INVOICE_READ)
def show_run(run_id: int) -> str:
    return _shown(run_id)


def _shown(run_id: int, refusal: str = "") -> str:
    page = run_page(reader(), actor(), run_id)
    return render_template(
        "dunning/run.html", page=page, row=page.row, moves=_moves(page), refusal=refusal, realm=page.row.realm, kinds=KINDS,
        may_drop=page.row.state == RUN.initial and actor().may(Permission.DUNNING_PROPOSE),
    )  # fmt: skip


def _moves(page: RunPage) -> list[dict[str, Any]]:
    row, who, out = page.row, actor(), []
    here: dict[str, Any] = {"run_id": row.id}
    for move, label in (("confirm", "Confirm and issue"), ("cancel", "Cancel…")):
        if not RUN.leads(move, row.state):
            continue
        shut = closed(RUN, move, row.state, who)
        if not shut and move == "confirm" and row.proposed_by == who.id:
            shut = "you proposed it, so somebody else confirms it"
        where = {"href": url_for("dunning.cancel", **here)} if move == "cancel" else {"action": url_for("dunning.confirm", **here, version=row.version), "name": "move", "value": move}  # fmt: skip
        out.append({"label": label, "permitted": not shut, "reason": f"{shut}." if shut else "", "primary": not shut and move == "confirm", **where})  # fmt: skip
    return out


@blueprint.post("/dunning/<int:run_id>/confirm")
@require(Permission.DUNNING_CONFIRM)
def confirm(run_id: int) -> Any:
    """Confirm the run, and issue its notices at once; what is left by a failure the job issues."""
    page = run_page(reader(), actor(), run_id)
    seen = request.args.get("version", type=int)
    answer = take_step(
        lambda work: confirm_run(work, run_id, seen_version=seen), realm=page.row.realm, done="Confirmed: its notices are issued.",
        to=url_for("dunning.show_run", run_id=run_id), again=lambda refusal: _shown(run_id, refusal),
    )  # fmt: skip
    if not isinstance(answer, tuple):
        issue_confirmed(installation().database, clock=installation().clock, run=run_id)
    return answer


@blueprint.route("/dunning/<int:run_id>/cancel", methods=["GET", "POST"])
@require(Permission.DUNNING_PROPOSE)
def cancel(run_id: int) -> Any:
    page, form = run_page(reader(), actor(), run_id), WhyForm()
    if form.validate_on_submit():
        with form_step(form, realm=page.row.realm) as work:
            cancel_run(work, run_id, str(form.reason.data))
        if form.accepted:
            flash("Cancelled. Another run may be proposed for the day.", "success")
            return redirect(url_for("dunning.show_run", run_id=run_id))
    return _why(form, page.row.realm, "Cancel the run", url_for("dunning.show_run", run_id=run_id))


@blueprint.route("/dunning/notices/<int:notice_id>/drop", methods=["GET", "POST"])
@require(Permission.DUNNING_PROPOSE)
def drop(notice_id: int) -> Any:
    page, form = notice_page(reader(), actor(), notice_id), WhyForm()
    back = url_for("dunning.show_run", run_id=page.run_id)
    if form.validate_on_submit():
        with form_step(form, realm=page.realm) as work:
            drop_notice(work, notice_id, str(form.reason.data))
        if form.accepted:
            flash(f"{page.row.customer} is not asked in this run.", "success")
            return redirect(back)
    return _why(form, page.realm, f"Leave {page.row.customer} out", back)


def _why(form: WhyForm, realm: str, title: str, back: str) -> Any:
    return render_template("dunning/why.html", form=form, realm=realm, title=title, back=back), form.status


@blueprint.get("/dunning/notices/<int:notice_id>")
@require(Permission.INVOICE_READ)
def show_notice(notice_id: int) -> str:
    page = notice_page(reader(), actor(), notice_id)
    return render_template(
        "dunning/notice.html", page=page, row=page.row, kinds=KINDS, realm=page.realm, standing=_standing(page),
        is_issued=page.row.state == NOTICE.moves["issue"].target,
    )  # fmt: skip


def _standing(page: NoticePage) -> str:
    """What became of the letter, in words."""
    row = page.row
    if page.sent_at is not None:
        return f"sent to {row.to_address}"
    said = {"waiting": f"waits to be sent to {row.to_address}", "parked": "parked: the mail server refused it", "skipped": "on paper: no address for letters"}  # fmt: skip
    return said.get(row.letter_state, "not written yet")


@blueprint.get("/dunning/notices/<int:notice_id>/letter.pdf")
@require(Permission.INVOICE_READ)
def print_notice(notice_id: int) -> Any:
    page = notice_page(reader(), actor(), notice_id)
    return paper_file(lambda: notice_paper(page), back=url_for("dunning.show_notice", notice_id=notice_id))

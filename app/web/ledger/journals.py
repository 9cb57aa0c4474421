"""Journals by hand: the list, one of them, writing and changing it, deciding on it, posting and reversing it."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import flash, redirect, render_template, request, url_for

from app.composition.request import now, reader
from app.queries.journals import JOURNALS, JournalPage, JournalRow, accounts_by_hand, journal_page
from app.queries.places import EntityPick, all_channels, entities_seen, sites_seen
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import asked_key, closed
from app.web.figures import heading
from app.web.ledger.journal_forms import AccountForm, DecideForm, JournalForm, ReverseForm
from app.web.ledger.lists import companies
from app.web.ledger.views import blueprint
from app.web.linesheet import Wrong
from app.web.lists.listing import Cell, Empty, Listing, choice, column, money, pick, text_filter
from app.web.lists.page import list_page
from app.web.steps import form_step, seen_version, take_step
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import NotFound
from erpcore.kernel.work import UnitOfWork
from erpcore.ledger.chart import add_account
from erpcore.ledger.flow import JOURNAL
from erpcore.ledger.journals import WriteJournal, change_journal, move_journal, reverse_journal, write_journal


def _number(row: JournalRow) -> Cell:
    return Cell(f"MJ-{row.id}", sub=row.reason, href=url_for("ledger.show_journal", journal_id=row.id))


JOURNAL_LIST = list_page(
    blueprint,
    Listing(
        name="journals", endpoint="ledger.show_journals", path="/ledger/journals", permission=Permission.LEDGER_READ,
        title="Journals by hand", lead="Written by one person, approved by another, posted once, and only ever reversed",
        unit="journals", source=JOURNALS, sort="-day", template="ledger/journals.html",
        empty=Empty(title="No journal fits", text="Nothing was written by hand, or a filter hides it.", sign="file"),
        filters=(choice("state", tuple(JOURNAL.states)), text_filter("Words of the reason"), pick("entity", "Company", companies)),
        columns=(
            column("id", "Journal", cell=_number),
            column("reason", "Reason", file_only=True),
            column("day", "Day", "entry_on"),
            column("state", "State", cell=lambda row: heading(row.state)),
            column("entity", "Company"),
            column("site", "Site"),
            column("channel", "Channel"),
            money("amount", "Amount", "amount_minor"),
            column("currency", "Currency", file_only=True),
        ),
    ),
)  # fmt: skip


def _entity(key: int | None) -> EntityPick:
    found = entities_seen(reader(), actor())
    one = next((one for one in found if key in (None, one.id)), None)
    if one is None:
        raise NotFound("not_found")
    return one


def _offer(form: JournalForm, entity: EntityPick) -> None:
    sites = [(one.id, one.name) for one in sites_seen(reader(), actor()) if one.entity_id == entity.id]
    form.offer(accounts_by_hand(reader(), entity.id), sites, [(one.id, one.name) for one in all_channels(reader())])


def _typed(form: JournalForm, entity: EntityPick) -> WriteJournal:
    return WriteJournal(
        entity=entity.id, entry_on=form.entry_on.data or date.min, reason=str(form.reason.data), site=form.site.data or None,
        channel=form.channel.data or None, evidence=form.evidence.data or None, lines=form.typed_lines(entity.currency),
    )  # fmt: skip


@blueprint.route("/ledger/journals/new", methods=["GET", "POST"])
@require(Permission.LEDGER_POST)
def new_journal() -> Any:
    entity, form = _entity(asked_key("entity")), JournalForm()
    if not form.is_submitted():
        form.entry_on.data = local_day(now(), entity.time_zone)
    return _sheet(form, entity, None)


@blueprint.route("/ledger/journals/<int:journal_id>/edit", methods=["GET", "POST"])
@require(Permission.LEDGER_POST)
def edit_journal(journal_id: int) -> Any:
    page, form = journal_page(reader(), actor(), journal_id), JournalForm()
    if not form.is_submitted():
        form.fill(page)
    return _sheet(form, _entity(page.row.entity_id), page)


def _sheet(form: JournalForm, entity: EntityPick, page: JournalPage | None) -> Any:
    press = form.press()
    if press and press != "enter":
        form.change_rows()
    _offer(form, entity)
    if press == "enter" and form.is_complete():
        command = _typed(form, entity)
        made = page.row.id if page else 0
        if form.status == 200:
            with form_step(form, realm=entity.realm) as work:
                made = _keep(work, form, command, page)
        if form.accepted:
            flash("The journal is kept. Nothing is posted before somebody else approves it.", "success")
            return redirect(url_for("ledger.show_journal", journal_id=made))
    html = render_template(
        "ledger/journal_sheet.html", form=form, wrong=Wrong(form), entity=entity, entities=entities_seen(reader(), actor()),
        page=page, realm=entity.realm,
    )  # fmt: skip
    return html, form.status


def _keep(work: UnitOfWork, form: JournalForm, command: WriteJournal, page: JournalPage | None) -> int:
    if page is None:
        return form.once(work, lambda: write_journal(work, command))
    change_journal(work, page.row.id, command, seen_version=_version(form))
    return page.row.id


def _version(form: Any) -> int | None:
    text = str(form.version.data or "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


@blueprint.get("/ledger/journals/<int:journal_id>")
@require(Permission.LEDGER_READ)
def show_journal(journal_id: int) -> str:
    return _shown(journal_id)


def _shown(journal_id: int, refusal: str = "") -> str:
    page = journal_page(reader(), actor(), journal_id)
    return render_template(
        "ledger/journal.html", page=page, row=page.row, moves=_moves(page), refusal=refusal, realm=page.row.realm
    )


def _moves(page: JournalPage) -> list[dict[str, Any]]:
    """The moves that are ahead; one that is not open says why."""
    row, who, out = page.row, actor(), []
    here: dict[str, Any] = {"journal_id": row.id}
    ways: tuple[tuple[str, str, str], ...] = (
        ("submit", "Submit", ""), ("approve", "Decide…", "ledger.decide_journal"), ("post", "Post", ""),
        ("rework", "Rework", ""), ("reverse", "Reverse…", "ledger.reverse"),
    )  # fmt: skip
    for move, label, view in ways:
        if not JOURNAL.leads(move, row.state) or (move == "rework" and row.reverses_id):
            continue
        shut = closed(JOURNAL, move, row.state, who)
        if not shut and move == "approve" and who.id in page.writers:
            shut = "you wrote or changed it, so somebody else decides"
        if not shut and move == "reverse" and page.reversed_by:
            shut = f"journal MJ-{page.reversed_by} reverses it"
        where = {"href": url_for(view, **here)} if view else {"action": url_for("ledger.move", **here, version=row.version), "name": "move", "value": move}  # fmt: skip
        out.append({"label": label, "permitted": not shut, "reason": f"{shut}." if shut else "", "primary": not shut and move != "reverse", **where})  # fmt: skip
    if row.state == JOURNAL.initial and not row.reverses_id and who.may(Permission.LEDGER_POST):
        out.append(
            {"label": "Change…", "permitted": True, "reason": "", "href": url_for("ledger.edit_journal", **here)}
        )
    return out


@blueprint.post("/ledger/journals/<int:journal_id>/move")
@require(Permission.LEDGER_POST)
def move(journal_id: int) -> Any:
    """Submit, rework or post; what is decided has a page of its own."""
    page, wanted = journal_page(reader(), actor(), journal_id), request.form.get("move", "")
    done = {
        "submit": "Submitted: somebody else decides on it.",
        "rework": "A draft again.",
        "post": "It is in the books.",
    }
    if wanted not in done:
        raise NotFound("not_found")
    seen = request.args.get("version", type=int) or seen_version()
    return take_step(
        lambda work: move_journal(work, journal_id, wanted, seen_version=seen), realm=page.row.realm, done=done[wanted],
        to=url_for("ledger.show_journal", journal_id=journal_id), again=lambda refusal: _shown(journal_id, refusal),
    )  # fmt: skip


@blueprint.route("/ledger/journals/<int:journal_id>/decide", methods=["GET", "POST"])
@require(Permission.JOURNAL_APPROVE)
def decide_journal(journal_id: int) -> Any:
    page, form = journal_page(reader(), actor(), journal_id), DecideForm()
    if not form.is_submitted():
        form.version.data = str(page.row.version)
    if form.validate_on_submit():
        with form_step(form, realm=page.row.realm) as work:
            move_journal(
                work, journal_id, str(form.verdict.data), note=form.note.data or None, seen_version=_version(form)
            )
        if form.accepted:
            flash("Approved; it can be posted now." if form.verdict.data == "approve" else "Rejected.", "success")
            return redirect(url_for("ledger.show_journal", journal_id=journal_id))
    return render_template(
        "ledger/journal_decide.html", page=page, row=page.row, form=form, realm=page.row.realm
    ), form.status


@blueprint.route("/ledger/journals/<int:journal_id>/reverse", methods=["GET", "POST"])
@require(Permission.LEDGER_POST)
def reverse(journal_id: int) -> Any:
    page, form = journal_page(reader(), actor(), journal_id), ReverseForm()
    if not form.is_submitted():
        form.version.data = str(page.row.version)
        form.entry_on.data = local_day(now(), _entity(page.row.entity_id).time_zone)
    if form.validate_on_submit():
        made = 0
        with form_step(form, realm=page.row.realm) as work:
            made = reverse_journal(
                work,
                journal_id,
                entry_on=form.entry_on.data or date.min,
                reason=str(form.reason.data),
                seen_version=_version(form),
            )
        if form.accepted:
            flash("Its mirror image is submitted: somebody else decides on it.", "success")
            return redirect(url_for("ledger.show_journal", journal_id=made))
    return render_template("ledger/journal_reverse.html", row=page.row, form=form, realm=page.row.realm), form.status


@blueprint.route("/ledger/accounts/new", methods=["GET", "POST"])
@require(Permission.LEDGER_POST)
def new_account() -> Any:
    entity, form = _entity(asked_key("entity")), AccountForm()
    if form.validate_on_submit():
        with form_step(form, realm=entity.realm) as work:
            add_account(work, entity.id, code=str(form.code.data), name=str(form.name.data), kind=str(form.kind.data))
        if form.accepted:
            flash(f"Account {form.code.data} is in the chart; journals by hand may use it.", "success")
            return redirect(url_for("ledger.new_journal", entity=entity.id))
    return render_template("ledger/account.html", form=form, entity=entity, realm=entity.realm), form.status

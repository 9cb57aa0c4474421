"""The board of deductions and disputes with hand-overs for several at once, one of them, and its next steps."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for

from app.composition.cases import person_named
from app.composition.dispute_approvals import BY_RULES
from app.composition.request import change, now, reader
from app.composition.trading import cells, rules
from app.messages import sentence
from app.queries.disputes import RAISED, WAITING, DisputePage, DisputeRow, dispute_page, dispute_row, reasons
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import area, closed, lacking
from app.web.billing.forms import minor_of
from app.web.disputes.forms import NONE, CommentForm, ContestForm, HandForm, SettleForm, line_choices, reason_choices
from app.web.forms import Form
from app.web.lists.listing import LISTINGS
from app.web.lists.page import list_html
from app.web.navigation import Entry, Group, navigation_entry
from app.web.steps import form_step
from erpcore.billing.dispute_settling import CreditLine, Settle, settle_dispute
from erpcore.billing.disputes.flow import DISPUTE
from erpcore.billing.disputing import Hand, contest, hand_over, say
from erpcore.kernel.errors import DomainError
from erpcore.kernel.work import UnitOfWork

blueprint = area("disputes")
navigation_entry(
    Entry(
        label="Disputes", endpoint="disputes.show_all", permission=Permission.INVOICE_READ, group=Group.MONEY, order=43
    )
)
#: As many are handed over at once as a page shows.
_MOST = 200
_ENDPOINTS = {"settle": "settle", "contest": "contest_it", "hand_over": "hand_it_over"}


@blueprint.route("/disputes", methods=["GET", "POST"])
@require(Permission.INVOICE_READ)
def show_all() -> Any:
    """The board; posted, the chosen ones are handed over, each in a transaction of its own."""
    form = HandForm()
    form.offer(keeps=True)
    if not form.is_submitted():
        return _board(form)
    actor().require(Permission.DISPUTE_WORK)
    chosen = [
        int(key) for key in request.form.getlist("dispute") if key.isascii() and key.isdecimal() and len(key) < 19
    ]
    if not chosen:
        form.form_errors.append("Choose at least one of the list.")
    if not (form.role.data or form.person.data or form.due_on.data):
        form.form_errors.append("Say who looks after them from now on, or until when.")
    if form.form_errors:
        form.status = 422
        return _board(form)
    person = _person(form) if form.validate() else None
    if form.errors:
        form.status = 422
        return _board(form)
    done, refused = 0, []
    for key in chosen[:_MOST]:
        try:
            row = dispute_row(reader(), actor(), key)
            with change(realm=row.realm) as work:
                hand_over(work, [_hand(row.id, form, person)])
        except DomainError as refusal:
            refused.append(f"{key}: {sentence(refusal)}")
        else:
            done += 1
    if refused:
        form.status = 422
        return _board(form, [f"{done} of {len(chosen)} handed over.", *refused])
    flash(f"{done} handed over.", "success")
    return redirect(request.full_path)


def _board(form: HandForm, refused: list[str] | None = None) -> Any:
    html = list_html(
        LISTINGS["disputes"], form=form, refused=refused or [], chosen=set(request.form.getlist("dispute")),
        here=request.full_path,
    )  # fmt: skip
    return html if isinstance(html, Response) else (html, form.status)


def _person(form: Any) -> int | None:
    """Who was named; an unknown sign-in name is told at its field."""
    if not form.person.data:
        return None
    found = person_named(reader(), str(form.person.data))
    if found is None:
        form.person.errors = ["Nobody signs in by this name."]
    return found


def _hand(dispute: int, form: HandForm, person: int | None) -> Hand:
    return Hand(
        dispute=dispute,
        owner=person,
        role=form.role.data or None,
        due_on=form.due_on.data,
        reason=str(form.reason.data or ""),
    )


@blueprint.route("/disputes/<int:dispute_id>", methods=["GET", "POST"])
@require(Permission.INVOICE_READ)
def show(dispute_id: int) -> Any:
    """One with what it is made of, its history and its next steps; posted, a comment is added."""
    page, form = dispute_page(reader(), actor(), dispute_id), CommentForm()
    if form.is_submitted():
        actor().require(Permission.DISPUTE_WORK)
    if form.validate_on_submit():
        with form_step(form, realm=page.row.realm) as work:
            say(work, dispute_id, str(form.text.data))
        if form.accepted:
            flash("The comment is kept.", "success")
            return redirect(url_for("disputes.show", dispute_id=dispute_id))
    line = next((one for one in page.lines if one.order_line == page.row.order_line_id), None)
    html = render_template(
        "disputes/show.html", page=page, row=page.row, line=line, form=form, moves=_moves(page), realm=page.row.realm,
        at=now(), today=now().date(),
    )  # fmt: skip
    return html, form.status


def _moves(page: DisputePage) -> list[dict[str, Any]]:
    """Every step that is still ahead; one that is not open says why."""
    row, out = page.row, []
    if not row.open_minor:
        return []
    waits = row.state == WAITING
    steps = [
        ("settle", "Settle…", "ask_write_off"),
        ("contest", "It is disputed…", "contest"),
        ("hand_over", "Hand over…", ""),
    ]
    for name, label, move in steps:
        if name == "contest" and row.state != RAISED:
            continue
        if move:
            shut = "others decide on its write-off first" if waits else closed(DISPUTE, move, row.state, actor())
        else:
            shut = "" if actor().may(Permission.DISPUTE_WORK) else lacking(Permission.DISPUTE_WORK)
        out.append(
            {
                "label": label, "permitted": not shut, "reason": f"{shut[:1].upper()}{shut[1:]}." if shut else "",
                "href": url_for(f"disputes.{_ENDPOINTS[name]}", dispute_id=row.id), "primary": name == "settle" and not shut,
            }
        )  # fmt: skip
    return out


def small_form(row: DisputeRow, form: Any, *, title: str, label: str, note: str) -> Any:
    """A step of one difference as a page of its own."""
    here = url_for("disputes.show", dispute_id=row.id)
    trail = [("Disputes", url_for("disputes.show_all")), (row.number, here)]
    html = render_template(
        "billing/small_form.html", form=form, trail=trail, of=f"{row.number} · {row.customer}", unit=row.currency,
        realm=row.realm, title=title, label=label, note=note,
    )  # fmt: skip
    return html, form.status


def _back(row: DisputeRow, said: str) -> Any:
    flash(said, "success")
    return redirect(url_for("disputes.show", dispute_id=row.id))


def _seen(form: Form, row: DisputeRow) -> int:
    """The version that the form showed."""
    text = str(form["version"].data or "")
    return int(text) if text.isdecimal() and len(text) < 10 else row.version


@blueprint.route("/disputes/<int:dispute_id>/contest", methods=["GET", "POST"])
@require(Permission.DISPUTE_WORK)
def contest_it(dispute_id: int) -> Any:
    page = dispute_page(reader(), actor(), dispute_id)
    row = page.row
    form = ContestForm(reason=row.reason_code, note=row.note, evidence=row.evidence, version=row.version)
    form.reason.choices, form.line.choices = reason_choices(reasons(reader())), line_choices(page.lines)
    if form.validate_on_submit():
        with form_step(form, realm=row.realm) as work:
            contest(
                work, dispute_id, reason=str(form.reason.data), note=str(form.note.data), evidence=form.evidence.data or "",
                order_line=form.line.data or None, seen_version=_seen(form, row),
            )  # fmt: skip
        if form.accepted:
            return _back(row, "It is in dispute.")
    return small_form(
        row, form, title="It is disputed", label="Open the dispute",
        note="It goes to whoever the reason is routed to. Nobody asks for the amount until it is settled.",
    )  # fmt: skip


@blueprint.route("/disputes/<int:dispute_id>/hand-over", methods=["GET", "POST"])
@require(Permission.DISPUTE_WORK)
def hand_it_over(dispute_id: int) -> Any:
    row, form = dispute_row(reader(), actor(), dispute_id), HandForm()
    form.offer(keeps=True)
    if form.validate_on_submit():
        person = _person(form)
        if form.errors:
            form.status = 422
        else:
            with form_step(form, realm=row.realm) as work:
                hand_over(work, [_hand(dispute_id, form, person)])
            if form.accepted:
                return _back(row, "It is handed over.")
    return small_form(row, form, title="Hand over", label="Hand it over", note=f"Now with {row.owner}.")


@blueprint.route("/disputes/<int:dispute_id>/settle", methods=["GET", "POST"])
@require(Permission.DISPUTE_WORK)
def settle(dispute_id: int) -> Any:
    page = dispute_page(reader(), actor(), dispute_id)
    row = page.row
    form = SettleForm(line=row.order_line_id or NONE, version=row.version)
    form.line.choices = line_choices(page.lines)
    if form.validate_on_submit():
        waits = False
        with form_step(form, realm=row.realm) as work:
            command = _settled(form, row)
            form.once(work, lambda: int(_settle(work, command)))
            waits = bool(command.write_off_minor)
        if form.accepted:
            after = dispute_row(reader(), actor(), dispute_id)
            waits = waits and after.state == WAITING
            return _back(row, "The write-off waits for others to agree." if waits else "It is settled as you said.")
    return small_form(
        row, form, title="Settle", label="Settle it",
        note="Say what was found, in one part or several; together at most what is open. What no part names stays open.",
    )  # fmt: skip


def _settle(work: UnitOfWork, command: Settle) -> bool:
    return settle_dispute(work, command, rules=rules(), cells=cells(), authority=BY_RULES)


def _settled(form: SettleForm, row: DisputeRow) -> Settle:
    credit = []
    if form.quantity.data or form.unit_price.data:
        credit = [
            CreditLine(
                order_line=int(form.line.data or NONE),
                quantity=form.quantity.data or Decimal(0),
                unit_price=form.unit_price.data,
            )
        ]
    rebill, given_up = (
        minor_of(field.data, row.currency, field.name) if field.data else 0 for field in (form.rebill, form.write_off)
    )
    return Settle(
        dispute=row.id, credit=credit, rebill_minor=rebill, write_off_minor=given_up, reason=str(form.reason.data),
        seen_version=_seen(form, row),
    )  # fmt: skip

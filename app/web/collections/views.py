"""The worklist of collectors, who each customer is given to, one customer with what was said, and the routes."""

from __future__ import annotations

from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for

from app.composition.request import change, now, reader
from app.messages import sentence
from app.queries.collections import (
    COLLECTIONS,
    SCORE_BANDS,
    CollectionPage,
    CollectionRow,
    collection_page,
    routes_shown,
)
from app.queries.listing import Asked
from app.queries.places import entities_seen
from app.queries.processes import people_here
from app.queries.receivables import BUCKETS
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import area
from app.web.collections.forms import BANDS, KINDS, ContactForm, FollowUpForm, GiveForm, RouteForm
from app.web.context import ago
from app.web.figures import amount, counted, on
from app.web.forms import choices
from app.web.lists.address import asked
from app.web.lists.listing import Cell, Column, Empty, Listing, choice, column, flag, money, pick, text_filter
from app.web.lists.page import found_for, list_html, list_page
from app.web.navigation import Entry, Group, navigation_entry
from app.web.steps import form_step
from erpcore.billing.collecting.rules import Action
from erpcore.billing.collecting.services import (
    NoteContact,
    give_customers,
    note_contact,
    route_customers,
    set_follow_up,
)
from erpcore.billing.dunning.rules import PromiseState
from erpcore.kernel.errors import DomainError
from erpcore.kernel.money import from_minor

blueprint = area("collections")
navigation_entry(
    Entry(label="Collections", endpoint="collections.show_all", permission=Permission.INVOICE_READ, group=Group.MONEY, order=29)
)  # fmt: skip

ACTIONS = {
    Action.BROKEN_PROMISE: "Promise broken: call", Action.HAND_OVER: "Hand over", Action.FOLLOW_UP: "Follow up",
    Action.CALL: "Call", Action.LETTER: "Send letter", Action.DISPUTE: "Settle dispute", Action.WAIT: "Wait",
}  # fmt: skip
_LOUD = {Action.BROKEN_PROMISE: "fail", Action.HAND_OVER: "fail", Action.FOLLOW_UP: "warn"}


def _companies(asked: Asked) -> list[tuple[int, str]]:
    return [(one.id, one.name) for one in entities_seen(reader(), actor()) if one.realm == asked.realm]


def _customer(row: CollectionRow) -> Cell:
    address = url_for("collections.show", customer_id=row.customer_id)
    return Cell(row.customer, sub=f"{row.code} · {row.entity}", href=address)


def _step(row: CollectionRow) -> Cell:
    return Cell(ACTIONS[row.step.action], sub=row.step.reason, kind=_LOUD.get(row.step.action, ""))


def _overdue(row: CollectionRow) -> Cell:
    ages = [
        f"{label.removesuffix(' days')}: {amount(minor, row.currency)}"
        for label, minor in zip(BUCKETS[1:], row.due_minor[1:], strict=True)
        if minor
    ]
    # All of one age is said by the oldest.
    said = ages if len(ages) > 1 else []
    said += [f"oldest {counted(row.oldest_days, 'day')}"] if row.oldest_days else []
    said += [f"{amount(row.disputed_minor, row.currency)} in dispute"] if row.disputed_minor else []
    said += [f"{amount(row.own_minor, row.currency)} of theirs to apply"] if row.own_minor else []
    return Cell(f"{amount(row.overdue_minor, row.currency)} {row.currency}", sub=" · ".join(said))


def _bucket(at: int) -> Column:
    return column(f"overdue_{at}", BUCKETS[at], lambda row: from_minor(row.due_minor[at], row.currency), file_only=True)


def _promises(row: CollectionRow) -> Cell:
    said = [f"{row.kept} kept"] if row.kept else []
    said += [f"{row.broken} broken"] if row.broken else []
    one = row.promise
    if one is None:
        return Cell(", ".join(said) or "–", muted=not said)
    what = "until" if one.state is PromiseState.OPEN else "broken on"
    kind = "fail" if one.state is PromiseState.BROKEN else ""
    return Cell(f"{amount(one.amount_minor, row.currency)} {what} {on(one.until)}", sub=", ".join(said), kind=kind)


def _contact(row: CollectionRow) -> Cell:
    parts = [row.contact_with] if row.contact_at and row.contact_with else []
    parts += [f"follow up {on(row.follow_up_on)}"] if row.follow_up_on else []
    parts += [f"asked at level {row.level}" if row.level else "not asked in writing"]
    parts += ["blocked"] if row.held else []
    said = "never" if row.contact_at is None else ago(row.contact_at)
    return Cell(said, sub=" · ".join(parts), sub_kind="warn" if row.held else "", muted=row.contact_at is None)


def _credit(row: CollectionRow) -> Cell:
    used = row.used_percent
    if used is None:
        return Cell("no limit", muted=True)
    return Cell(f"{used} %", sub=f"of {amount(row.limit_minor, row.currency)}", kind="fail" if used > 100 else "")


def _score(row: CollectionRow) -> Cell:
    score = row.score
    if score.points is None:
        return Cell("–", sub=f"not enough history ({counted(score.sample, 'invoice')})", muted=True)
    return Cell(str(score.points), sub=f"{BANDS[score.band].lower()}, {counted(score.sample, 'invoice')}")


def _owner(row: CollectionRow) -> Cell:
    if row.owner_id is None:
        return Cell("Nobody", kind="warn")
    return Cell("You" if row.owner_id == actor().id else row.owner, sub="by route" if row.is_routed else "")


COLLECTION_LIST = list_page(
    blueprint,
    Listing(
        name="collections", endpoint="collections.show_all", path="/collections", permission=Permission.INVOICE_READ,
        title="Collections", unit="customers", source=COLLECTIONS, sort="priority", template="collections/list.html",
        lead="Who owes something overdue and what is next: first by the step, then by what is left to collect, which counts up to double for who pays late",
        empty=Empty(title="Nobody to collect from", text="Nothing is overdue, or a filter hides it.", sign="file"),
        filters=(
            choice("action", tuple(Action), said=ACTIONS, label="Next step", hide_empty=True), flag("today", "To do today"),
            flag("mine", "Mine"), flag("nobody", "Nobody’s"), text_filter("Customer or code"),
            pick("company", "Company", _companies), pick("owner", "Looked after by", lambda _asked: people_here(reader())),
            pick("score", "Pays", lambda _asked: [(one, BANDS[one]) for one in SCORE_BANDS]),
        ),
        columns=(
            column("customer", "Customer", cell=_customer),
            column("code", "Customer code", file_only=True),
            column("entity", "Company", file_only=True),
            column("priority", "Next step", lambda row: ACTIONS[row.step.action], cell=_step),
            column("why", "Why", lambda row: row.step.reason, file_only=True),
            column("overdue", "Overdue", lambda row: from_minor(row.overdue_minor, row.currency), num=True, cell=_overdue),
            *(_bucket(at) for at in range(1, len(BUCKETS))),
            money("collect", "To collect", "collect_minor"),
            column("currency", "Currency", file_only=True),
            column("promises", "Promises", lambda row: row.promise.until if row.promise else None, cell=_promises),
            column("contact", "Last contact", "contact_at", cell=_contact),
            column("follow_up", "Follow up on", "follow_up_on", file_only=True),
            column("level", "Level", file_only=True),
            column("used", "Credit used", "used_percent", num=True, cell=_credit),
            column("score", "Late score", lambda row: row.score.points, cell=_score),
            column("owner", "Looked after by", cell=_owner),
        ),
    ),
    own_view=True,
)  # fmt: skip


def _html(form: GiveForm, refused: str = "") -> Any:
    form.owner.choices = choices([(actor().id, "Me"), (0, "Whoever the routes say"), *people_here(reader())])
    html = list_html(
        COLLECTION_LIST,
        form=form,
        refused=refused,
        chosen=set(request.form.getlist("customer")),
        here=request.full_path,
    )
    return html if isinstance(html, Response) else (html, form.status)


@blueprint.route("/collections", methods=["GET", "POST"])
@require(Permission.INVOICE_READ)
def show_all() -> Any:
    """The worklist; posted, the chosen customers are given to somebody, those of each realm together."""
    form = GiveForm()
    if not form.is_submitted():
        return _html(form)
    actor().require(Permission.COLLECTION_WORK)
    form.owner.choices = choices([(actor().id, "Me"), (0, "Nobody"), *people_here(reader())])
    wanted = {int(text) for text in request.form.getlist("customer") if text.isascii() and text.isdecimal()}
    rows = [row for row in found_for(COLLECTION_LIST, asked(COLLECTION_LIST)).rows if row.customer_id in wanted]
    if not form.validate_on_submit() or not rows:
        form.status = 422
        if not rows:
            form.form_errors.append("Choose at least one customer in the list.")
        return _html(form)
    try:
        with change(realm=rows[0].realm) as work:
            give_customers(work, [row.customer_id for row in rows], form.owner.data or None)
    except DomainError as refusal:
        form.status = 422
        return _html(form, sentence(refusal))
    flash(f"{counted(len(rows), 'customer')} given. What was before is kept.", "success")
    return redirect(request.full_path)


@blueprint.get("/collections/<int:customer_id>")
@require(Permission.INVOICE_READ)
def show(customer_id: int) -> Any:
    return _page(collection_page(reader(), actor(), customer_id, now()), ContactForm())


def _page(page: CollectionPage, form: ContactForm) -> Any:
    return render_template(
        "collections/show.html", page=page, row=page.row, form=form, kinds=KINDS, actions=ACTIONS, bands=BANDS, buckets=BUCKETS,
        loud=_LOUD, realm=page.realm, me=actor().id,
    ), form.status  # fmt: skip


@blueprint.post("/collections/<int:customer_id>/contacts")
@require(Permission.COLLECTION_WORK)
def contact(customer_id: int) -> Any:
    page, form = collection_page(reader(), actor(), customer_id, now()), ContactForm()
    if form.validate_on_submit():
        command = NoteContact(
            customer=customer_id, kind=str(form.kind.data), spoke_with=str(form.spoke_with.data), said=str(form.said.data),
            follow_up=form.follow_up.data,
        )  # fmt: skip
        with form_step(form, realm=page.realm) as work:
            form.once(work, lambda: note_contact(work, command))
        if form.accepted:
            flash("It is noted.", "success")
            return redirect(url_for("collections.show", customer_id=customer_id))
    return _page(page, form)


@blueprint.route("/collections/<int:customer_id>/follow-up", methods=["GET", "POST"])
@require(Permission.COLLECTION_WORK)
def follow_up(customer_id: int) -> Any:
    page, form = collection_page(reader(), actor(), customer_id, now()), FollowUpForm()
    if not form.is_submitted():
        form.day.data = page.follow_up_on
    if form.validate_on_submit():
        with form_step(form, realm=page.realm) as work:
            set_follow_up(work, customer_id, form.day.data)
        if form.accepted:
            flash("They are due again on that day." if form.day.data else "The rules say when they are due.", "success")
            return redirect(url_for("collections.show", customer_id=customer_id))
    trail = [
        ("Collections", url_for("collections.show_all")),
        (page.code, url_for("collections.show", customer_id=customer_id)),
    ]
    return render_template(
        "billing/small_form.html", form=form, trail=trail, of=page.customer, unit="", realm=page.realm, title="Next contact",
        label="Set the day", note="Until then they wait, unless a promise is broken.",
    ), form.status  # fmt: skip


@blueprint.post("/collections/<int:customer_id>/take")
@require(Permission.COLLECTION_WORK)
def take(customer_id: int) -> Any:
    page, form = collection_page(reader(), actor(), customer_id, now()), GiveForm()
    with form_step(form, realm=page.realm) as work:
        give_customers(work, [customer_id], actor().id)
    flash("You look after this customer now.", "success")
    return redirect(url_for("collections.show", customer_id=customer_id))


@blueprint.route("/collections/routes", methods=["GET", "POST"])
@require(Permission.INVOICE_READ)
def routes() -> Any:
    """Whose customers are by company and group, and the form that says so."""
    entities, form = entities_seen(reader(), actor()), RouteForm()
    page = routes_shown(reader(), actor())
    form.entity.choices = choices((one.id, one.label) for one in entities)
    form.group.choices = choices([(0, "All without a route of their own"), *page.groups])
    form.owner.choices = choices([(0, "Nobody"), *people_here(reader())])
    if form.is_submitted():
        actor().require(Permission.DUNNING_SET_UP)
    if form.validate_on_submit():
        entity = next(one for one in entities if one.id == form.entity.data)
        with form_step(form, realm=entity.realm) as work:
            route_customers(work, entity.id, form.group.data or None, form.owner.data or None)
        if form.accepted:
            flash("Their customers follow it from now on.", "success")
            return redirect(url_for("collections.routes"))
    return render_template("collections/routes.html", page=page, form=form, realm="live"), form.status

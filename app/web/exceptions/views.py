"""The exception queues with moves for several documents at once, one document's history of care, and who owns which queue."""

from __future__ import annotations

from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for

from app.composition.cases import Queue, history_of, rules_of, set_rule
from app.composition.letters import words_for
from app.composition.request import change, now, reader
from app.queries.order_words import situations_of
from app.queries.places import sites_seen
from app.queries.troubles import TroubleRow, named_troubles
from app.security.permissions import Permission
from app.security.require import actor, require
from app.security.roles import ROLES
from app.web.areas import area
from app.web.exceptions.forms import BulkForm, RuleForm, Todo
from app.web.exceptions.moves import make_move, offered
from app.web.exceptions.presenters import owner_of, page_of, step_of
from app.web.forms import choices
from app.web.lists.listing import LISTINGS
from app.web.lists.page import list_html
from app.web.navigation import Entry, Group, navigation_entry
from erpcore.kernel.errors import NotFound

blueprint = area("exceptions")
navigation_entry(
    Entry(
        label="Exceptions", endpoint="exceptions.show_all", permission=Permission.EXCEPTION_READ, group=Group.OPERATE, order=11
    )
)  # fmt: skip
#: As many documents are moved at once as a page shows.
_MOST = 200


def _form() -> BulkForm:
    form = BulkForm()
    form.offer(offered(actor()))
    return form


def _html(form: BulkForm, refused: list[str] | None = None) -> Any:
    html = list_html(
        LISTINGS["exceptions"], form=form, refused=refused or [], chosen=set(request.form.getlist("document")),
        here=request.full_path, Todo=Todo,
    )  # fmt: skip
    return html if isinstance(html, Response) else (html, form.status)


@blueprint.route("/exceptions", methods=["GET", "POST"])
@require(Permission.EXCEPTION_READ)
def show_all() -> Any:
    """The queues; posted, one move for every chosen document, each in a transaction of its own."""
    form = _form()
    if not form.is_submitted():
        return _html(form)
    actor().require(Permission.EXCEPTION_WORK)
    rows = named_troubles(reader(), actor(), _chosen()[:_MOST], now())
    if not rows:
        form.form_errors.append("Choose at least one document in the list that is in trouble still.")
        form.status = 422
        return _html(form)
    if not form.validate_on_submit():
        return _html(form)
    done, refused = make_move(form, rows)
    if refused or form.errors:
        form.status = 422
        return _html(form, [f"{done} of {len(rows)} documents: done.", *refused] if refused else None)
    flash(f"{done} document{'s' if done != 1 else ''}: done.", "success")
    return redirect(request.full_path)


def _chosen() -> list[tuple[str, int]]:
    found = []
    for text in request.form.getlist("document"):
        subject, _, key = text.partition(":")
        if key.isascii() and key.isdecimal() and len(key) < 19:
            found.append((subject, int(key)))
    return found


@blueprint.route("/exceptions/<subject>/<int:document_id>", methods=["GET", "POST"])
@require(Permission.EXCEPTION_READ)
def show(subject: str, document_id: int) -> Any:
    """One document: why it is here, whose it is, what was done about it."""
    row = _one(subject, document_id)
    form = _form()
    refused: list[str] = []
    if form.is_submitted():
        actor().require(Permission.EXCEPTION_WORK)
    if form.validate_on_submit():
        _, refused = make_move(form, [row])
        if not refused and not form.errors:
            flash("Done.", "success")
            still = named_troubles(reader(), actor(), [(subject, document_id)], now())
            return redirect(request.path if still else url_for("exceptions.show_all"))
        form.status = 422
    html = render_template(
        "exceptions/show.html", row=row, form=form, refused=refused, realm=row.realm, at=now(),
        entries=history_of(reader(), subject, document_id), user_id=actor().id, page_address=page_of(row), step=step_of(row),
        owner=owner_of(row), words=words_for(reader(), situations_of(row)),
    )  # fmt: skip
    return html, form.status


def _one(subject: str, document_id: int) -> TroubleRow:
    found = named_troubles(reader(), actor(), [(subject, document_id)], now())
    if not found:
        raise NotFound("not_in_trouble", subject=subject, document=document_id)
    return found[0]


@blueprint.route("/exceptions/owners", methods=["GET", "POST"])
@require(Permission.EXCEPTION_READ)
def owners() -> Any:
    """Which role owns which queue where, and changing it."""
    form = RuleForm()
    sites = sites_seen(reader(), actor(), realms=("live",))
    everywhere = [] if actor().sites is not None else [(0, "Wherever no site says otherwise")]
    form.site.choices = choices([*everywhere, *((site.id, site.name) for site in sites)])
    form.role.choices = choices((role.value, duty.title) for role, duty in _roles())
    if form.is_submitted():
        actor().require(Permission.EXCEPTION_ASSIGN)
    if form.validate_on_submit():
        with form.refusals(), change() as work:
            queue, site = Queue(str(form.queue.data)), form.site.data or None
            set_rule(work, site=site, queue=queue, role=str(form.role.data), version=_seen_rule(queue, site))
        if form.accepted:
            flash("The owner is set.", "success")
            return redirect(url_for("exceptions.owners"))
    rules = rules_of(reader(), actor())
    html = render_template(
        "exceptions/owners.html", form=form, rules=rules, names={site.id: site.name for site in sites},
        seen=request.form.getlist("seen") or ["", *(f"{_named(one.queue, one.site_id)}{one.version}" for one in rules)],
    )  # fmt: skip
    return html, form.status


def _named(queue: str, site: int | None) -> str:
    return f"{queue}:{site or 0}:"


def _seen_rule(queue: Queue, site: int | None) -> int | None:
    """The version of the rule that the form showed, 0 where it showed none; ``None`` from who saw no form."""
    seen = request.form.getlist("seen")
    if not seen:
        return None
    name = _named(queue, site)
    return next(
        (int(one.removeprefix(name)) for one in seen if one.startswith(name) and one[len(name) :].isdecimal()), 0
    )


def _roles() -> list[tuple[Any, Any]]:
    return [(role, duty) for role, duty in ROLES.items() if Permission.EXCEPTION_WORK in duty.permissions]

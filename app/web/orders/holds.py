"""What is held, how long already, and for whom to decide: the ageing queue of holds, with release of several at once."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for

from app.composition.request import change, now, reader
from app.messages import sentence
from app.queries.holds import KINDS, HoldFilter, HoldRow, list_holds
from app.queries.orders import PAGE
from app.queries.places import sites_seen
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import asked_key, asked_page
from app.web.figures import heading
from app.web.navigation import Entry, Group, navigation_entry
from app.web.orders.forms import ReasonForm
from app.web.orders.presenters import closed_to_me, deciders
from app.web.orders.views import blueprint
from erpcore.kernel.errors import DomainError
from erpcore.orders.holds import ReleaseHold, release_holds

navigation_entry(
    Entry(label="Holds", endpoint="orders.show_holds", permission=Permission.ORDER_READ, group=Group.OPERATE, order=12)
)


def _asked() -> HoldFilter:
    args = request.args
    kind, realm = args.get("kind", ""), args.get("realm", "live")
    return HoldFilter(
        kind=kind if kind in KINDS else "", site=asked_key("site"), overdue=args.get("overdue") == "1",
        mine=args.get("mine") == "1", realm="rehearsal" if realm == "rehearsal" else "live", page=asked_page(),
    )  # fmt: skip


def _address(asked: HoldFilter, **changes: Any) -> str:
    values = {
        "kind": asked.kind or None, "site": asked.site, "overdue": 1 if asked.overdue else None,
        "mine": 1 if asked.mine else None, "realm": None if asked.realm == "live" else asked.realm, **changes,
    }  # fmt: skip
    return url_for("orders.show_holds", **{name: value for name, value in values.items() if value is not None})


def _html(form: ReasonForm, refused: list[str] | None = None) -> Any:
    asked, session = _asked(), reader()
    found = list_holds(session, actor(), asked, now())
    chips = [
        {
            "label": heading(kind), "on": asked.kind == kind, "count": found.by_kind.get(kind, 0),
            "href": _address(asked, kind=None if asked.kind == kind else kind),
        }
        for kind in KINDS
        if found.by_kind.get(kind) or asked.kind == kind
    ]  # fmt: skip
    chips += [
        {"label": "Past their time", "on": asked.overdue, "count": found.overdue,
         "href": _address(asked, overdue=None if asked.overdue else 1)},
        {"label": "Mine to decide", "on": asked.mine, "href": _address(asked, mine=None if asked.mine else 1)},
    ]  # fmt: skip
    sites = [site for site in sites_seen(session, actor()) if site.realm == asked.realm]
    return render_template(
        "orders/holds.html", asked=asked, found=found, chips=chips, sites=sites, at=now(), form=form, realm=asked.realm,
        address=lambda page: _address(asked, page=page), pages=max(1, -(-found.total // PAGE)), refused=refused or [],
        closed=lambda row: closed_to_me(row.closed_to(actor()), row.permission), deciders=deciders,
        here=_address(asked), chosen=set(request.form.getlist("hold")),
    ), form.status  # fmt: skip


@blueprint.route("/holds", methods=["GET", "POST"])
@require(Permission.ORDER_READ)
def show_holds() -> Any:
    """The queue; posted, the chosen holds end with one reason, each in a transaction of its own."""
    form = ReasonForm()
    if not form.is_submitted():
        return _html(form)
    actor().require(Permission.HOLD_RELEASE)
    wanted = {int(text) for text in request.form.getlist("hold") if text.isascii() and text.isdecimal()}
    rows = [row for row in list_holds(reader(), actor(), _asked(), now()).rows if row.id in wanted]
    if not form.validate_on_submit() or not rows:
        form.status = 422
        if not rows:
            form.form_errors.append("Choose at least one hold in the list.")
        return _html(form)
    ended = 0
    refused: list[str] = []
    for row in rows:
        why = _end(row, str(form.reason.data))
        if why:
            refused.append(f"{row.order}: {why}")
        else:
            ended += 1
    if refused:
        form.status = 422
        return _html(form, [f"{ended} of {len(rows)} holds have ended.", *refused])
    flash(f"{ended} hold{'s have' if ended > 1 else ' has'} ended. Their orders can be released.", "success")
    return redirect(_address(_asked()))


def _end(row: HoldRow, reason: str) -> str:
    """End one hold; returns why not, or nothing."""
    try:
        with change(realm=row.realm) as work:
            release_holds(work, [ReleaseHold(hold=row.id, reason=reason)])
    except DomainError as refusal:
        return sentence(refusal)
    return ""

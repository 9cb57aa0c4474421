"""How does the list of requests for approval look?"""

from __future__ import annotations

from typing import Any

from flask import url_for

from app.composition.approving import OUTCOMES
from app.composition.request import now, reader
from app.queries.approvals import APPROVALS, STATES, ApprovalRow, cycle_time
from app.security.permissions import Permission
from app.web.approvals.views import blueprint
from app.web.context import ago, moment
from app.web.figures import heading
from app.web.lists.listing import Cell, Empty, Listing, choice, column, flag, pick, site_filter, text_filter
from app.web.lists.page import list_page

_LOOKS = {"approved": "pass", "rejected": "fail", "waiting": "wait", "withdrawn": "none", "outdated": "none"}


def _state(row: ApprovalRow) -> Cell:
    sub = (
        "automatically"
        if row.is_automatic
        else "gone on to others too"
        if row.escalated_at and row.state == "waiting"
        else ""
    )
    return Cell(heading(row.state), sub=sub, kind=_LOOKS[row.state])


def _due(row: ApprovalRow) -> Cell:
    if row.state != "waiting":
        return Cell(moment(row.settled_at) if row.settled_at else "–", sub="settled")
    return Cell(moment(row.due_at), sub="time-out") if row.due_at else Cell("no time-out", muted=True)


def _also() -> dict[str, Any]:
    return {"cycle": cycle_time(reader(), now())}


APPROVAL_LIST = list_page(
    blueprint,
    Listing(
        name="approvals", endpoint="approvals.show_all", path="/approvals", permission=Permission.APPROVAL_VIEW,
        title="Approvals", lead="What others are asked to agree to, by which rule, and what became of it", unit="requests",
        source=APPROVALS, sort="-asked", template="approvals/list.html", also=_also,
        empty=Empty(
            title="No request fits", sign="pass",
            text="Whatever a rule gives to other people to decide stands here, from the moment it is asked for.",
        ),
        filters=(
            flag("waits", "Waits for me"), flag("mine", "I asked for"), flag("decided", "I answered"),
            flag("escalated", "Gone on to others"), choice("state", STATES, hide_empty=True), text_filter("What it is about"),
            pick("kind", "Kind", lambda _: sorted((kind, one.title) for kind, one in OUTCOMES.items())), site_filter(),
        ),
        columns=(
            column("summary", "What", cell=lambda row: Cell(row.summary, sub=row.title, href=url_for("approvals.show", request_id=row.id))),
            column("kind", "Kind", "title", file_only=True),
            column("state", "State", cell=_state),
            column("rule", "Rule", "rule_text", cell=lambda row: Cell(row.rule_text or "no rule: nobody may", muted=not row.rule_text)),
            column("site", "Site"),
            column("asked", "Asked", "asked_at", cell=lambda row: Cell(ago(row.asked_at), sub=moment(row.asked_at))),
            column("due", "Until", "due_at", cell=_due),
            column("settled", "Settled", "settled_at", file_only=True),
            column("automatic", "Automatic", "is_automatic", file_only=True),
            column("reason", "Reason", "settle_reason", file_only=True),
        ),
    ),
)  # fmt: skip

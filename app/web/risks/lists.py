"""How does the list of the RAID register look?"""

from __future__ import annotations

from typing import Any

from flask import url_for

from app.composition.request import reader
from app.queries.risks import RISKS, STANDS, EntryRow, as_of, risk_map
from app.security.permissions import Permission
from app.security.require import actor
from app.web.context import day
from app.web.figures import counted, heading
from app.web.lists.listing import Cell, Empty, Listing, choice, column, flag, key_filter, pick, site_filter, text_filter
from app.web.lists.page import list_page
from app.web.risks.views import blueprint, today
from governance.processes.queries import processes
from governance.risks.flow import EntryKind, EntryState, Layer
from governance.risks.rules import IMPACTS, PROBABILITIES
from readiness.waves.queries import waves

LOOKS = {"open": "wait", "triggered": "fail", "closed": "pass", "turned": "none"}
BANDS = {"low": "pass", "medium": "warn", "high": "fail"}


def _due(row: EntryRow) -> Cell:
    seen = as_of(row, today())
    if seen.is_overdue:
        return Cell(day(row.due_on), sub="late", kind="fail")
    review = f"review {day(row.next_review_on)}" if seen.stands else ""
    return Cell(day(row.due_on), sub=f"{review} is due" if seen.is_review_due else review, muted=not seen.stands)


def _state(row: EntryRow) -> Cell:
    sub = f"gone on to {row.level} {'body' if row.level == 1 else 'bodies'}" if row.level else ""
    if not sub and row.actions:
        sub = counted(row.actions, "action") + " open"
    return Cell(heading(row.state), sub=sub, kind=LOOKS[row.state])


def _score(row: EntryRow) -> Cell:
    if row.score is None or row.band is None:
        return Cell(f"impact {row.impact}", sub=IMPACTS[row.impact])
    return Cell(str(row.score), sub=f"{row.probability} × {row.impact}", kind=BANDS[row.band])


def _states(_asked: Any) -> list[tuple[str, str]]:
    return [(STANDS, "Open or triggered"), *((one.value, heading(one.value)) for one in EntryState)]


def _also() -> dict[str, Any]:
    return {
        "cells": risk_map(reader(), actor()),
        "bands": BANDS,
        "probabilities": PROBABILITIES,
        "impacts": IMPACTS,
        "kinds": list(EntryKind),
    }


RISK_LIST = list_page(
    blueprint,
    Listing(
        name="risks", endpoint="risks.show_all", path="/risks", permission=Permission.RISK_VIEW, title="Risks and issues",
        lead="What may go wrong, is taken for granted, has gone wrong or is waited for: who answers for it, until when, and who hears of it next",
        unit="entries", source=RISKS, sort="due", realms=False, template="risks/list.html", also=_also, usual={"state": STANDS},
        empty=Empty(title="No entry fits", text="A risk names its cause, event and effect; an assumption has a day on which it is checked.", sign="list"),
        filters=(
            choice("kind", tuple(EntryKind)), flag("overdue", "Late"), flag("triggered", "Triggered"), flag("escalated", "Gone on to others"),
            flag("mine", "Mine"), flag("review", "Review due"), text_filter("Anywhere in the entry"), pick("state", "State", _states),
            pick("layer", "Layer", lambda _asked: [(one.value, heading(one.value)) for one in Layer]),
            pick("wave", "Wave", lambda _asked: [(one.id, one.code) for one in waves(reader())]), site_filter(),
            pick("process", "Process", lambda _asked: [(one.code, one.name) for one in processes(reader())]),
            key_filter("probability", "Probability", lambda value: PROBABILITIES.get(value, str(value))),
            key_filter("impact", "Impact", lambda value: IMPACTS.get(value, str(value))),
        ),
        columns=(
            column("code", "Entry", cell=lambda row: Cell(row.code, sub=heading(row.kind))),
            column("title", "What", cell=lambda row: Cell(row.title, sub=row.statement[:140], href=url_for("risks.show", entry_id=row.id))),
            column("kind", "Kind", file_only=True), column("cause", "Cause", file_only=True),
            column("statement", "Event", file_only=True), column("effect", "Effect", file_only=True),
            column("needed_by", "Needed by", file_only=True), column("needed_from", "Needed from", file_only=True),
            column("score", "Score", cell=_score),
            column("probability", "Probability", file_only=True), column("impact", "Impact", file_only=True),
            column("threshold", "Triggered when", "limit_words", cell=lambda row: Cell(row.limit_words or "by hand", muted=not row.limit_words)),
            column("state", "State", cell=_state),
            column("layer", "Layer", file_only=True), column("response", "Response", file_only=True),
            column("plan", "What is done", file_only=True),
            column("owner", "Owner", cell=lambda row: Cell(row.owner, sub="has left" if row.owner_left else "")),
            column("body", "Goes on to", file_only=True),
            column("where", "Touches", cell=lambda row: Cell(row.where)),
            column("due", "Until", "due_on", cell=_due),
            column("review", "Next review", "next_review_on", file_only=True),
            column("actions", "Open actions", file_only=True),
            column("raised", "Raised", "raised_at", file_only=True),
        ),
    ),
)  # fmt: skip

"""How do the exception queues look: one list, a queue at a time or all?"""

from __future__ import annotations

from flask import url_for

from app.composition.cases import QUEUE_WORDS, Queue, Subject
from app.composition.request import now
from app.queries.troubles import TROUBLES, TroubleRow
from app.security.permissions import Permission
from app.security.roles import ROLES
from app.web.context import ago, moment
from app.web.exceptions.presenters import owner_of, page_of, step_of
from app.web.exceptions.views import blueprint
from app.web.figures import amount, heading, on
from app.web.lists.listing import (
    Cell,
    Empty,
    Listing,
    choice,
    column,
    flag,
    pick,
    site_filter,
    text_filter,
)
from app.web.lists.page import list_page
from erpcore.kernel.clock import local_day
from erpcore.kernel.money import from_minor

_PRIORITIES = {1: "large and late", 2: "late", 3: "large", 4: "–"}
_WAKE = [("now", "To do"), ("snoozed", "Left alone")]


def _number(row: TroubleRow) -> Cell:
    return Cell(row.number, sub=row.customer or heading(row.subject), href=page_of(row))


def _queue(row: TroubleRow) -> Cell:
    return Cell(QUEUE_WORDS[Queue(row.queue)], sub=row.cause.replace("_", " "))


def _since(row: TroubleRow) -> Cell:
    return Cell(ago(row.since), sub=moment(row.since))


def _due(row: TroubleRow) -> Cell:
    if row.due_at is None:
        return Cell("–", muted=True)
    shown = on(local_day(row.due_at, row.time_zone))
    return Cell(shown, sub="passed", sub_kind="fail") if row.due_at < now() else Cell(shown)


def _owner(row: TroubleRow) -> Cell:
    sub = "by rule" if row.is_by_rule else row.note
    return Cell(owner_of(row), sub=sub)


def _step(row: TroubleRow) -> Cell:
    asleep = row.snoozed_until is not None and row.snoozed_until > now()
    return Cell(
        step_of(row), href=url_for("exceptions.show", subject=row.subject, document_id=row.id),
        sub=f"left alone until {moment(row.snoozed_until)}" if asleep else "",
    )  # fmt: skip


def _value(row: TroubleRow) -> Cell:
    return Cell(amount(row.value_minor, row.currency) if row.currency else "–", sub=row.currency)


EXCEPTION_LIST = list_page(
    blueprint,
    Listing(
        name="exceptions", endpoint="exceptions.show_all", path="/exceptions", permission=Permission.EXCEPTION_READ,
        title="Exceptions", lead="Documents that do not go on by themselves: each in one queue, each somebody’s",
        unit="documents", source=TROUBLES, sort="priority", usual={"wake": "now"}, template="exceptions/list.html",
        empty=Empty(
            title="Nothing is in trouble", sign="pass",
            text="A document comes here by itself when it is stopped, short, late, left lying, or differs from the book.",
        ),
        filters=(
            choice("queue", tuple(Queue), said=QUEUE_WORDS),
            flag("mine", "Mine"), flag("past", "Past the promise"),
            text_filter("Document, customer or cause"), site_filter(),
            pick("subject", "Document", lambda _: [(one.value, heading(one.value)) for one in Subject]),
            pick("role", "Owner", lambda _: [(role.value, duty.title) for role, duty in ROLES.items()]),
            pick("wake", "Show", lambda _: _WAKE),
        ),
        columns=(
            column("number", "Document", cell=_number),
            column("subject", "Kind", file_only=True),
            column("customer", "Customer", file_only=True),
            column("queue", "Queue", lambda row: QUEUE_WORDS[Queue(row.queue)], cell=_queue),
            column("cause", "Cause", file_only=True),
            column("site", "Site"),
            column("since", "Since", cell=_since),
            column("due", "Promised", "due_at", cell=_due),
            column("owner", "Owner", owner_of, cell=_owner),
            column("note", "Last note", file_only=True),
            column("next", "Next step", step_of, cell=_step),
            column("snoozed", "Left alone until (UTC)", "snoozed_until", file_only=True),
            column("priority", "Priority", cell=lambda row: Cell(_PRIORITIES[row.priority], kind={1: "fail", 2: "warn"}.get(row.priority, ""))),
            column(
                "value", "Value", cell=_value, num=True,
                value=lambda row: None if row.value_minor is None or not row.currency else from_minor(row.value_minor, row.currency),
            ),
            column("currency", "Currency", file_only=True),
        ),
    ),
    own_view=True,
)  # fmt: skip

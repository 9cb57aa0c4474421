"""Exceptions for programs: the queues, and one move for several documents, each for itself."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from app.api.framework import operation
from app.api.lists import listed, only, part_of, which
from app.api.v1.numbers import Key, as_amount, fresh, pointing
from app.api.values import Amount, Answer, Body, Page, PageQuery, Realm
from app.composition.cases import (
    LONGEST_SNOOZE,
    AssignCases,
    Document,
    ExceptionRule,
    NoteCases,
    Queue,
    SnoozeCases,
    Subject,
    assign_cases,
    history_of,
    note_cases,
    rules_of,
    set_rule,
    snooze_cases,
)
from app.composition.letters import words_for
from app.composition.request import now, reader
from app.queries.order_words import situations_of
from app.queries.places import sites_seen
from app.queries.troubles import TROUBLES, TroubleRow, named_troubles
from app.security.permissions import Permission
from app.security.require import actor
from app.security.roles import Role
from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.kernel.work import UnitOfWork

TAG = "Orders"


class InTrouble(Answer):
    """One document in trouble. `id` is the document's, of its kind `subject`; `owner` is a person, without one the role's."""

    queue: Queue
    subject: Subject
    id: int
    number: str
    cause: str
    site_id: int
    customer: str
    since: datetime
    due_at: datetime | None
    value: Amount | None
    currency: str | None
    owner: int | None
    owner_role: str
    is_by_rule: bool
    left_alone_until: datetime | None
    priority: int


class ExceptionQuery(PageQuery):
    """Which documents."""

    realm: Realm = "live"
    queue: Queue | None = None
    mine: bool = only("those whose owner is the caller, in person or by role")
    past: bool = only("those past their promise")
    text: str = part_of("the document, the customer or the cause")
    site: Key | None = which("Only those at this site.")
    subject: Subject | None = None
    role: Role | None = which("Only those that this role, or somebody in it, answers for.")
    wake: Literal["now", "snoozed"] | None = which(
        "`now`: without those that are left alone for a while; `snoozed`: only these."
    )


class Named(Body):
    """A document."""

    subject: Subject
    id: Key


class ExceptionMoveBody(Body):
    """One move for all of them, or for none: `take`, `assign` to `person` or `role` (neither: by rule), `note`, `snooze`, `wake`."""

    documents: list[Named] = Field(min_length=1, max_length=200)
    move: Literal["take", "assign", "note", "snooze", "wake"]
    person: Key | None = None
    role: str | None = Field(None, max_length=32)
    until: datetime | None = None
    text: str = Field("", max_length=500)


class OwnerAnswer(Answer):
    """Which role owns what comes into a queue, where nobody was named. `site` null: wherever no site says otherwise."""

    queue: Queue
    site: int | None
    role: str
    version: int


class OwnerList(Answer):
    """The rules of the sites that the caller sees, and those for everywhere."""

    count: int
    items: list[OwnerAnswer]


class OwnerBody(Body):
    """The owner of a queue. `version` is the one that was read, 0 where there was no rule; null: whatever there is now."""

    queue: Queue
    site: Key | None = None
    role: Role
    version: int | None = Field(None, ge=0)


class Care(Answer):
    """What was done about a document: by somebody in `by_role`, for `owner_role` or a person in it."""

    act: str
    at: datetime
    by_role: str
    owner_role: str | None
    is_to_person: bool
    until: datetime | None
    text: str | None


class SaidWords(Answer):
    """What to say to the customer."""

    situation: str
    body: str


class TroubleDetail(InTrouble):
    """One document in trouble, what was done about it, the newest first, and what to say."""

    history: list[Care]
    words: list[SaidWords]


class Moved(Answer):
    """How many documents were moved."""

    moved: int


def _answer(row: TroubleRow) -> InTrouble:
    return InTrouble(
        queue=Queue(row.queue), subject=Subject(row.subject), id=row.id, number=row.number, cause=row.cause, site_id=row.site_id,
        customer=row.customer, since=row.since, due_at=row.due_at,
        value=None if row.value_minor is None or not row.currency else as_amount(row.value_minor, row.currency),
        currency=row.currency or None, owner=row.owner_id if row.owner_id == actor().id else None, owner_role=row.owner_role,
        is_by_rule=row.is_by_rule, left_alone_until=row.snoozed_until, priority=row.priority,
    )  # fmt: skip


@operation(
    "GET", "/exceptions", permission=Permission.EXCEPTION_READ, summary="List documents in trouble", tag=TAG, answer=Page[InTrouble],
    query=ExceptionQuery,
)  # fmt: skip
def list_exceptions(query: ExceptionQuery) -> Page[InTrouble]:
    """Every open document that does not go on by itself, each in exactly one queue, by kind and id. `owner` is told to the owner alone."""
    return listed(TROUBLES, query, _answer, key=lambda row: (row.subject, row.id))


@operation(
    "GET", "/exceptions/{subject}/{document_id}", permission=Permission.EXCEPTION_READ, summary="One document in trouble", tag=TAG,
    answer=TroubleDetail, texts=frozenset({"subject"}),
)  # fmt: skip
def show_exception(subject: str, document_id: int) -> TroubleDetail:
    found = named_troubles(reader(), actor(), [(subject, document_id)], now())
    if not found:
        raise NotFound("not_in_trouble", subject=subject, document=document_id)
    history = [
        Care(
            act=one.act, at=one.at, by_role=one.role, owner_role=one.owner_role, is_to_person=one.owner_id is not None,
            until=one.until, text=one.text,
        )
        for one in history_of(reader(), subject, document_id)
    ]  # fmt: skip
    words = [SaidWords(situation=one, body=body) for one, body in words_for(reader(), situations_of(found[0]))]
    return TroubleDetail(**dict(_answer(found[0])), history=history, words=words)


@operation("GET", "/exception-owners", permission=Permission.EXCEPTION_READ, summary="Who owns which queue", tag=TAG, answer=OwnerList)  # fmt: skip
def list_queue_owners() -> OwnerList:
    found = [_owner(one) for one in rules_of(reader(), actor())]
    return OwnerList(count=len(found), items=found)


def _owner(rule: ExceptionRule) -> OwnerAnswer:
    return OwnerAnswer(queue=Queue(rule.queue), site=rule.site_id, role=rule.owner_role, version=rule.version)


@operation(
    "POST", "/exception-owners", permission=Permission.EXCEPTION_ASSIGN, summary="Set the owner of a queue", tag=TAG, body=OwnerBody,
    answer=OwnerAnswer, example={"queue": "short", "site": 1001, "role": "super_user", "version": 0},
)  # fmt: skip
def set_queue_owner(work: UnitOfWork, body: OwnerBody) -> OwnerAnswer:
    if body.site is not None and body.site not in {one.id for one in sites_seen(reader(), actor(), realms=("live",))}:
        raise NotFound("site_unknown", field="site", site=body.site)
    with pointing():
        set_rule(work, site=body.site, queue=body.queue, role=body.role, version=body.version)
    return next(
        _owner(one) for one in rules_of(fresh(work), work.actor) if (one.queue, one.site_id) == (body.queue, body.site)
    )


@operation(
    "POST", "/exceptions/moves", permission=Permission.EXCEPTION_WORK, summary="Move documents in trouble", tag=TAG, answer=Moved,
    body=ExceptionMoveBody,
    example={"documents": [{"subject": "order", "id": 1042}], "move": "take", "text": "I call the customer"},
)  # fmt: skip
def move_exceptions(work: UnitOfWork, body: ExceptionMoveBody) -> Moved:
    """All of them are moved or none. A document that is not in trouble (any more), or another site's, is not found."""
    keys = {(one.subject.value, one.id) for one in body.documents}
    rows = named_troubles(reader(), actor(), keys, now())
    if len(rows) != len(keys):
        raise NotFound("not_in_trouble", subject="", document=0)
    documents = [Document(subject=row.subject, id=row.id, site=row.site_id) for row in rows]
    if body.move == "take":
        assign_cases(work, AssignCases(documents=documents, person=work.actor.id, note=body.text))
    elif body.move == "assign":
        assign_cases(work, AssignCases(documents=documents, person=body.person, role=body.role, note=body.text))
    elif body.move == "note":
        note_cases(work, NoteCases(documents=documents, text=body.text))
    else:
        if body.move == "snooze" and body.until is None:
            raise RuleBroken("case_snooze_until", field="until", days=LONGEST_SNOOZE.days)
        until = body.until if body.move == "snooze" else None
        snooze_cases(work, SnoozeCases(documents=documents, until=until, reason=body.text))
    return Moved(moved=len(rows))

"""Which open documents are in trouble, in which queue, since when, and whose are they? The list over all queues."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    and_,
    case,
    func,
    not_,
    or_,
    select,
)
from sqlalchemy.orm import Session, aliased

from app.composition.cases import ExceptionCase, ExceptionRule, Queue, Subject
from app.queries.listing import Asked, Eyes, SqlList
from app.queries.trouble_queues import everything
from app.queries.worked_out import AskedList
from app.security.scopes import within_sites
from erpcore.kernel.actor import Actor
from erpcore.kernel.model import UtcDateTime
from erpcore.masterdata.models import Entity, Site

QUEUES = tuple(queue.value for queue in Queue)
#: Minor units from which a document counts as a large one.
LARGE = 500_000


@dataclass(frozen=True, kw_only=True)
class TroubleRow:
    """One document in trouble. ``due_at``: when it was promised; ``owner_id``: the person whose it is, in ``owner_role``; without
    one it is whoever has the role at the site. ``is_by_rule``: nobody chose the owner. ``link_id``: the page that shows it.
    """

    queue: str
    subject: str
    id: int
    link_id: int
    number: str
    site_id: int
    site: str
    time_zone: str
    realm: str
    customer: str
    cause: str
    since: datetime
    due_at: datetime | None
    value_minor: int | None
    currency: str
    owner_id: int | None
    owner_role: str
    is_by_rule: bool
    snoozed_until: datetime | None
    note: str
    priority: int


def troubles(now: datetime) -> SqlList[TroubleRow]:
    """The list of documents in trouble as of now, with their owners."""
    found = everything(now).c
    here, anywhere = aliased(ExceptionRule), aliased(ExceptionRule)
    # A rehearsal's site follows the rules of the live one that it stands for.
    live_site = func.coalesce(Site.twin_id, Site.id)
    # A difference with a customer has its owner itself.
    owned = found.subject == Subject.DISPUTE.value
    by_queue = func.coalesce(ExceptionCase.owner_role, here.owner_role, anywhere.owner_role, found.role)
    role = case((owned, found.role), else_=by_queue)
    person = case((owned, found.person), else_=ExceptionCase.owner_id)
    by_rule = case((owned, found.person.is_(None)), else_=ExceptionCase.owner_role.is_(None))
    is_past = and_(found.due_at.is_not(None), found.due_at < now)
    is_large = func.coalesce(found.value_minor, 0) >= LARGE
    priority = case((and_(is_past, is_large), 1), (is_past, 2), (is_large, 3), else_=4)

    def rows() -> Any:
        return (
            select(
                found.queue, found.subject, found.id, found.link_id, found.number, found.site_id, found.customer, found.cause,
                found.since, found.due_at, found.value_minor, found.currency, Site.name.label("site"), Site.time_zone, Entity.realm,
                person.label("owner_id"), role.label("owner_role"), by_rule.label("is_by_rule"),
                ExceptionCase.snoozed_until, ExceptionCase.note, priority.label("priority"),
            )
            .select_from(found.queue.table)
            .join(Site, Site.id == found.site_id)
            .join(Entity, Entity.id == Site.entity_id)
            .join(
                ExceptionCase, and_(ExceptionCase.subject == found.subject, ExceptionCase.document_id == found.id), isouter=True
            )
            .join(here, and_(here.queue == found.queue, here.site_id == live_site), isouter=True)
            .join(anywhere, and_(anywhere.queue == found.queue, anywhere.site_id.is_(None)), isouter=True)
        )  # fmt: skip

    def mine(_value: Any, eyes: Eyes) -> ColumnElement[bool]:
        by_role = and_(person.is_(None), role == eyes.actor.role)
        return or_(person == eyes.actor.id, by_role)

    asleep = and_(ExceptionCase.snoozed_until.is_not(None), ExceptionCase.snoozed_until > now)
    return SqlList(
        select=rows, row=_row, tie=(found.subject, found.id), key=(found.subject, found.id), usual="priority", site=found.site_id, realm=Entity.realm,
        by=("queue", found.queue), flags=("mine", "past"), text=(found.number, found.customer, found.cause),
        sorts={
            "number": found.number, "queue": found.queue, "since": found.since, "due": found.due_at,
            "value": found.value_minor, "site": Site.name, "priority": priority,
        },
        wanted={
            "queue": lambda value, _: found.queue == value,
            "subject": lambda value, _: found.subject == value,
            "mine": mine,
            "past": lambda _value, _: is_past,
            "wake": lambda value, _: asleep if value == "snoozed" else not_(asleep),
            "role": lambda value, _: role == value,
        },
    )  # fmt: skip


def _row(row: Any) -> TroubleRow:
    names = (
        "queue", "subject", "id", "link_id", "number", "site_id", "site", "time_zone", "realm", "customer", "since", "due_at", "owner_id",
        "owner_role", "snoozed_until", "priority",
    )  # fmt: skip
    return TroubleRow(
        cause=row.cause or "", currency=row.currency or "", note=row.note or "", is_by_rule=bool(row.is_by_rule),
        value_minor=None if row.value_minor is None else int(row.value_minor), **{name: getattr(row, name) for name in names},
    )  # fmt: skip


#: The exception queues as one list; the queue is a filter of it.
TROUBLES: AskedList[TroubleRow] = AskedList(
    sorts=dict.fromkeys(("number", "queue", "since", "due", "value", "site", "priority")),
    one_page=lambda session, actor, asked, now: troubles(now).page(session, actor, asked, now),
    all_rows=lambda session, actor, asked, now: troubles(now).every(session, actor, asked, now),
    behind=lambda session, actor, asked, now, after, limit: troubles(now).after(
        session, actor, asked, now, after=after, limit=limit
    ),
    kinds=(str, int),
)


@dataclass(frozen=True, kw_only=True)
class QueueSum:
    """What stands in one queue: how many, how many of them are the person's, and since when the oldest."""

    queue: str
    count: int
    mine: int
    oldest: datetime


def queue_sums(session: Session, actor: Actor, now: datetime) -> list[QueueSum]:
    """The queues of the live sites that the person sees, without what is left alone. One query."""
    listed = troubles(now)
    asked = Asked(values={"wake": "now"})
    mine = listed.wanted["mine"](True, Eyes(actor, now))  # noqa: FBT003  the value of a flag
    queue, since = listed.sorts["queue"], listed.sorts["since"]
    query = listed.narrowed(actor, asked, now).with_only_columns(
        queue, func.count().label("number"), func.count().filter(mine).label("mine"),
        func.min(since, type_=UtcDateTime()).label("oldest"), maintain_column_froms=True,
    ).group_by(queue)  # fmt: skip
    rows = {row.queue: row for row in session.execute(query)}
    return [
        QueueSum(queue=name, count=rows[name].number, mine=rows[name].mine, oldest=rows[name].oldest)
        for name in QUEUES
        if name in rows
    ]


def named_troubles(session: Session, actor: Actor, keys: Iterable[tuple[str, int]], now: datetime) -> list[TroubleRow]:
    """Those of these documents that the person sees and that are in trouble still, in every realm."""
    wanted = sorted(set(keys))
    if not wanted:
        return []
    query = troubles(now).select()
    columns = query.selected_columns
    query = query.where(or_(*(and_(columns.subject == subject, columns.id == key) for subject, key in wanted)))
    return [_row(row) for row in session.execute(within_sites(query, actor, columns.site_id))]

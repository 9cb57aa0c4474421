"""Which requests for approval are there, what does one say, and which of them wait for this person?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from app.composition.approving import AROUND, OUTCOMES
from app.identity.queries import names_of
from app.queries.listing import Asked, Found, Position, SqlList
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotFound
from erpcore.kernel.history import Transition
from erpcore.masterdata.models import Entity, Site
from governance.approvals.flow import RequestState
from governance.approvals.models import ApprovalAnswer, ApprovalRequest
from governance.approvals.offices import Offices
from governance.approvals.queries import may_approve, waiting_for, ways_of
from governance.approvals.records import Case, cases_of
from governance.approvals.rules import Facts, Outcome

STATES = tuple(state.value for state in RequestState)


def kind_title(kind: str) -> str:
    """What requests of a kind are about, as people say it."""
    return OUTCOMES[kind].title if kind in OUTCOMES else kind.replace("_", " ").capitalize()


@dataclass(frozen=True, kw_only=True)
class ApprovalRow:
    """One request as lists show it."""

    id: int
    kind: str
    title: str
    summary: str
    state: str
    is_automatic: bool
    rule_text: str
    realm: str
    site_id: int | None
    site: str | None
    asked_by: int
    asked_at: datetime
    due_at: datetime | None
    escalated_at: datetime | None
    settled_at: datetime | None
    settle_reason: str | None
    version: int


def _requests() -> Any:
    return (
        select(ApprovalRequest, Site.name.label("site"))
        .select_from(ApprovalRequest)
        .outerjoin(Site, Site.id == ApprovalRequest.site_id)
    )


def _row(row: Any) -> ApprovalRow:
    one: ApprovalRequest = row.ApprovalRequest
    names = (
        "id", "kind", "summary", "state", "is_automatic", "rule_text", "realm", "site_id", "asked_by", "asked_at", "due_at",
        "escalated_at", "settled_at", "settle_reason", "version",
    )  # fmt: skip
    return ApprovalRow(title=kind_title(one.kind), site=row.site, **{name: getattr(one, name) for name in names})


_SORTS: Mapping[str, Any] = {
    "asked": ApprovalRequest.asked_at, "due": ApprovalRequest.due_at, "settled": ApprovalRequest.settled_at,
    "kind": ApprovalRequest.kind, "state": ApprovalRequest.state, "site": Site.name,
}  # fmt: skip


def _list(ids: list[int]) -> SqlList[ApprovalRow]:
    """The list for somebody for whom these wait. They are seen whatever their site, as what one asked or answered is."""

    def seen(query: Any, actor: Actor) -> Any:
        if actor.sites is None:
            return query
        answered = exists().where(ApprovalAnswer.request_id == ApprovalRequest.id, ApprovalAnswer.person_id == actor.id)
        return query.where(
            or_(
                ApprovalRequest.site_id.in_(sorted(actor.sites)), ApprovalRequest.asked_by == actor.id,
                ApprovalRequest.id.in_(ids), answered,
            )
        )  # fmt: skip

    return SqlList(
        select=_requests, row=_row, tie=(ApprovalRequest.id,), usual="-asked", sorts=_SORTS, scope=seen,
        realm=ApprovalRequest.realm, by=("state", ApprovalRequest.state), flags=("waits", "mine", "decided", "escalated"),
        text=(ApprovalRequest.summary,),
        wanted={
            "state": lambda value, _: ApprovalRequest.state == value,
            "kind": lambda value, _: ApprovalRequest.kind == value,
            "site": lambda value, _: ApprovalRequest.site_id == value,
            "waits": lambda _value, _eyes: ApprovalRequest.id.in_(ids),
            "mine": lambda _value, eyes: ApprovalRequest.asked_by == eyes.actor.id,
            "decided": lambda _value, eyes: exists().where(
                ApprovalAnswer.request_id == ApprovalRequest.id, ApprovalAnswer.person_id == eyes.actor.id
            ),
            "escalated": lambda _value, _eyes: ApprovalRequest.escalated_at.is_not(None),
            "subject": lambda value, _: ApprovalRequest.subject_id == value,
        },
    )  # fmt: skip


class ApprovalList:
    """The list of requests; what waits for a person is worked out before, since who acts for whom decides it."""

    sorts = _SORTS
    kinds: tuple[type, ...] = (int,)

    def page(self, session: Session, actor: Actor, asked: Asked, now: datetime) -> Found[ApprovalRow]:
        return self._for(session, actor, now).page(session, actor, asked, now)

    def every(self, session: Session, actor: Actor, asked: Asked, now: datetime) -> Iterator[ApprovalRow]:
        return self._for(session, actor, now).every(session, actor, asked, now)

    def after(
        self, session: Session, actor: Actor, asked: Asked, now: datetime, *, after: Position, limit: int
    ) -> list[ApprovalRow]:
        """Rows by their id, those after ``after``."""
        return self._for(session, actor, now).after(session, actor, asked, now, after=after, limit=limit)

    @staticmethod
    def _for(session: Session, actor: Actor, now: datetime) -> SqlList[ApprovalRow]:
        return _list([case.request.id for case in waiting_for(session, actor, AROUND, now)])


APPROVALS = ApprovalList()


#: The cycle time speaks of so many days, and of at most so many requests.
_DAYS, _MOST = 14, 5_000


@dataclass(frozen=True, kw_only=True)
class CycleTime:
    """How long people take to decide: of ``count`` requests asked in the last days, ``still`` wait, with their age so far.

    The times in hours within which half, and nine of ten, were decided; ``None`` where so many are not decided yet.
    """

    count: int
    still: int
    days: int
    half: float | None
    most: float | None


def cycle_time(session: Session, now: datetime) -> CycleTime:
    """Of live requests that asked somebody and were decided or wait. One query."""
    rows = session.execute(
        select(ApprovalRequest.asked_at, ApprovalRequest.settled_at, ApprovalRequest.state)
        .where(
            ApprovalRequest.realm == "live", ApprovalRequest.is_automatic.is_(False),
            ApprovalRequest.asked_at >= now - timedelta(days=_DAYS),
            ApprovalRequest.state.in_((RequestState.WAITING, RequestState.APPROVED, RequestState.REJECTED)),
        )
        .order_by(ApprovalRequest.asked_at.desc())
        .limit(_MOST)
    ).all()  # fmt: skip
    ages = sorted(
        (((row.settled_at or now) - row.asked_at).total_seconds() / 3600, row.settled_at is None) for row in rows
    )
    return CycleTime(
        count=len(ages),
        still=sum(waits for _, waits in ages),
        days=_DAYS,
        half=_within(ages, 50),
        most=_within(ages, 90),
    )


def _within(ages: list[tuple[float, bool]], percent: int) -> float | None:
    """The nearest-rank percentile; ``None`` where one that still waits is as young, for it may take longer than that."""
    if not ages:
        return None
    rank = -(-len(ages) * percent // 100)
    hours, _ = ages[rank - 1]
    return None if any(waits for _, waits in ages[:rank]) else hours


@dataclass(frozen=True, kw_only=True)
class NeedFact:
    """A need with how many agree; ``capacities`` are those that count by now."""

    position: int
    capacities: tuple[str, ...]
    people: int
    agreed: int
    remind_at: datetime | None
    reminded_at: datetime | None
    due_at: datetime | None
    escalated_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class AnswerFact:
    """An act of office: it stays named. ``for_name``: for whom, where not for oneself."""

    person: int
    name: str
    for_name: str
    capacity: str
    verdict: str
    reason: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class StepFact:
    """What happened to a request."""

    move: str
    actor: int
    role: str
    at: datetime
    reason: str | None


@dataclass(frozen=True, kw_only=True)
class ApprovalPage:
    """One request with everything it shows. ``may``: whether an answer of this person counts; ``for_name``: then for whom."""

    row: ApprovalRow
    facts: Facts
    needs: tuple[NeedFact, ...]
    answers: tuple[AnswerFact, ...]
    steps: tuple[StepFact, ...]
    outcome: str
    lacking: int
    may: bool
    for_name: str
    capacity: str
    is_asker: bool
    is_excluded: bool
    is_tied: bool
    has_answered: bool
    is_outdated: bool
    subject_id: int
    subject_version: int
    entity: str | None


def approval_page(session: Session, actor: Actor, request_id: int, now: datetime) -> ApprovalPage:
    """One request. Raises ``NotFound`` for one that this person neither sees, asked, answered, nor may answer."""
    found = session.execute(_requests().where(ApprovalRequest.id == request_id)).one_or_none()
    if found is None:
        raise NotFound("approval_unknown", request=request_id)
    row = _row(found)
    (case,) = cases_of(session, [found.ApprovalRequest])
    offices = Offices(session, AROUND, now)
    ways = ways_of(case, actor, offices)
    _check_seen(case, actor, ways=bool(ways), request_id=request_id)
    return _page(session, actor, case, row, offices, now)


def _check_seen(case: Case, actor: Actor, *, ways: bool, request_id: int) -> None:
    involved = {case.request.asked_by, *(each.person_id for each in case.answers)}
    if actor.sites is None or case.request.site_id in actor.sites or actor.id in involved or ways:
        return
    raise NotFound("approval_unknown", request=request_id)


def _page(
    session: Session, actor: Actor, case: Case, row: ApprovalRow, offices: Offices, now: datetime
) -> ApprovalPage:
    request, may = case.request, may_approve(case, actor, offices)
    ways = ways_of(case, actor, offices)
    people = {person for each in case.answers for person in (each.person_id, each.on_behalf_of)}
    names = names_of(session, people | {way.on_behalf_of for way in ways[:1]})
    left = dict(case.standing.lacks)
    waits = request.state == RequestState.WAITING
    version = OUTCOMES[request.kind].version_of(session, request.subject_id) if request.kind in OUTCOMES else None
    entity = None if request.entity_id is None else session.get(Entity, request.entity_id)
    out = offices.kept_out(case.place) if waits else frozenset()
    return ApprovalPage(
        row=row, facts=case.facts, outcome=case.standing.outcome if waits else Outcome(_ENDED.get(request.state, "open")),
        needs=tuple(
            NeedFact(
                position=need.position, capacities=asked.capacities, people=need.people,
                agreed=need.people - left.get(need.position, 0), remind_at=need.remind_at, reminded_at=need.reminded_at, due_at=need.due_at, escalated_at=need.escalated_at,
            )
            for need, asked in zip(case.needs, case.asked, strict=True)
        ),
        answers=tuple(
            AnswerFact(
                person=each.person_id, name=names.get(each.person_id, "somebody who left"),
                for_name="" if each.on_behalf_of == each.person_id else names.get(each.on_behalf_of, "somebody who left"),
                capacity=each.capacity, verdict=each.verdict, reason=each.reason, at=each.at,
            )
            for each in case.answers
        ),
        steps=_steps(session, request.id), lacking=case.standing.lacking, may=may,
        for_name=names.get(ways[0].on_behalf_of, "") if may and ways[0].on_behalf_of != actor.id else "",
        capacity=ways[0].capacity if may else "", is_asker=request.asked_by == actor.id,
        is_excluded=actor.id in case.excluded, is_tied=actor.id in out,
        has_answered=any(actor.id in (each.person_id, each.on_behalf_of) for each in case.answers),
        is_outdated=waits and version != request.subject_version, subject_id=request.subject_id,
        subject_version=request.subject_version, entity=entity.name if entity else None,
    )  # fmt: skip


_ENDED = {"approved": "approved", "rejected": "rejected"}


def _steps(session: Session, request_id: int) -> tuple[StepFact, ...]:
    rows = session.scalars(
        select(Transition)
        .where(Transition.document_type == "approval_request", Transition.document_id == request_id)
        .order_by(Transition.at, Transition.id)
    )
    return tuple(
        StepFact(move=each.move, actor=each.actor, role=each.role, at=each.at, reason=each.reason) for each in rows
    )

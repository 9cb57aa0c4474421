"""The RAID register for programs: entries listed, shown, raised, changed, judged, moved on, turned into others, and what is done about them."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import Field

from app.api.framework import operation
from app.api.lists import OneOf, listed, only, part_of, which
from app.api.v1.numbers import Key
from app.api.values import Answer, Body, Page, PageQuery
from app.composition.request import now, reader
from app.composition.risk_desk import add_action, move_entry, put_entry, turn_entry, write_entry
from app.queries.risks import RISKS, STANDS, EntryPage, EntryRow, as_of, entry_page, entry_row
from app.security.permissions import Permission
from app.security.require import actor
from erpcore.kernel.work import UnitOfWork
from governance.risks.actions import AddAction, SettleAction, settle_action
from governance.risks.content import (
    LONGEST_PARTY,
    LONGEST_TEXT,
    LONGEST_TITLE,
    USUAL_HOURS,
    USUAL_REVIEW,
    Said,
    Watched,
)
from governance.risks.flow import ActionState, EntryKind, EntryState, Layer, LinkKind, Response, Side
from governance.risks.services import AssessEntry, ChangeEntry, MoveEntry, RaiseEntry, TurnEntry, assess_entry

TAG = "RAID register"
_Text = Field("", max_length=LONGEST_TEXT)


class EntryAnswer(Answer):
    """An entry. `figure_limit` stands in base units: a share between 0 and 1, a time in seconds. `level` says how many bodies have
    heard of it, `escalated_to` the last of them.
    """

    id: int
    version: int
    code: str
    kind: EntryKind
    title: str
    cause: str
    statement: str
    effect: str
    needed_by: str
    needed_from: str
    layer: Layer
    probability: int | None
    impact: int
    score: int | None
    response: Response | None
    plan: str
    score_limit: int | None
    figure: str | None
    side: Side | None
    figure_limit: Decimal | None
    owner_id: int
    body_id: int
    due_on: date
    is_overdue: bool
    review_days: int
    next_review_on: date
    escalation_hours: int
    wave_id: int | None
    site_id: int | None
    process: str | None
    state: EntryState
    raised_by: int
    raised_at: datetime
    triggered_at: datetime | None
    closed_at: datetime | None
    escalates_at: datetime | None
    level: int
    escalated_to: int | None
    turned_from: int | None
    turned_into: int | None
    actions: int


class ActionAnswer(Answer):
    """Something to be done about an entry."""

    id: int
    title: str
    owner_id: int
    due_on: date
    state: ActionState
    note: str


class AssessmentAnswer(Answer):
    """How an entry was judged at one time."""

    probability: int | None
    impact: int
    note: str
    by: int
    at: datetime


class OneEntryAnswer(EntryAnswer):
    """An entry with its links, actions and reviews. `is_beyond` says whether its figure is beyond the limit now; `null`: without a
    figure, or nothing was measured that can be believed.
    """

    steps: list[str]
    points: list[str]
    open_and_settled: list[ActionAnswer]
    reviews: list[AssessmentAnswer]
    is_beyond: bool | None


class EntryQuery(PageQuery):
    """Which entries."""

    kind: EntryKind | None = None
    overdue: bool = only("those that stand and are past their day")
    triggered: bool = only("those that came to pass")
    escalated: bool = only("those that have gone on to a body")
    mine: bool = only("those that the caller answers for, alone or in a body")
    review: bool = only("those that stand and whose review is due")
    text: str = part_of("the code, the title or what is said")
    state: Annotated[str | None, OneOf((STANDS, *EntryState))] = which("`standing`: open or triggered.")
    layer: Layer | None = None
    wave: Key | None = which("Only those of this wave.")
    site: Key | None = which("Only those that touch this site.")
    process: str | None = Field(None, max_length=40, description="Only those of the process with this code.")
    owner: Key | None = which("Only those that this person answers for.")
    probability: Key | None = which("From 1, rare, to 5, almost certain.")
    impact: Key | None = which("From 1, slight, to 5, grave.")


class WatchedBody(Body):
    """A figure of the catalogue that triggers the entry beyond its limit, in base units."""

    figure: str = Field(max_length=80)
    side: Side
    limit: str = Field(pattern=r"^-?(0|[1-9]\d{0,8})(\.\d{1,6})?$")


class SaidBody(Body):
    """What an entry says."""

    title: str = Field(min_length=1, max_length=LONGEST_TITLE)
    statement: str = Field(min_length=1, max_length=LONGEST_TEXT)
    effect: str = Field(min_length=1, max_length=LONGEST_TEXT)
    cause: str = _Text
    needed_by: str = Field("", max_length=LONGEST_PARTY)
    needed_from: str = Field("", max_length=LONGEST_PARTY)
    layer: Layer = Layer.PROCESS
    probability: int | None = Field(None, ge=1, le=5)
    impact: int = Field(ge=1, le=5)
    response: Response | None = None
    plan: str = _Text
    score_limit: int | None = Field(None, ge=1, le=25)
    watched: WatchedBody | None = None
    owner: Key
    body: Key
    due_on: date
    review_days: int = Field(USUAL_REVIEW, ge=1, le=366)
    escalation_hours: int = Field(USUAL_HOURS, ge=1, le=200)
    wave: Key | None = None
    site: Key | None = None
    process: str | None = Field(None, max_length=40)
    steps: list[str] = Field([], max_length=20)
    points: list[str] = Field([], max_length=40)

    def said(self) -> Said:
        """As the services take it."""
        own = {"watched", "steps", "points"}
        plain = {name: getattr(self, name) for name in SaidBody.model_fields if name not in own}
        watched = None
        if self.watched is not None:
            watched = Watched(figure=self.watched.figure, side=self.watched.side, limit=Decimal(self.watched.limit))
        links = [(LinkKind.STEP, one) for one in self.steps] + [(LinkKind.POINT, one) for one in self.points]
        return Said(**plain, watched=watched, links=links)


class RaiseBody(SaidBody):
    """A new entry."""

    kind: EntryKind


class ChangeBody(SaidBody):
    """All of an entry anew, and why; how it is judged stays."""

    reason: str = Field(min_length=1, max_length=LONGEST_TEXT)


class TurnBody(SaidBody):
    """The entry that this one becomes."""

    into: EntryKind
    reason: str = Field(min_length=1, max_length=LONGEST_TEXT)


class ReviewBody(Body):
    """How likely and how grave it is now."""

    probability: int | None = Field(None, ge=1, le=5)
    impact: int = Field(ge=1, le=5)
    note: str = _Text


class RiskMoveBody(Body):
    """`trigger`, `stand_down`, `close` or `reopen`, and why."""

    move: str = Field(max_length=20)
    reason: str = Field(min_length=1, max_length=LONGEST_TEXT)


class ActionBody(Body):
    """Something to be done."""

    title: str = Field(min_length=1, max_length=LONGEST_TITLE)
    owner: Key
    due_on: date


class SettleBody(Body):
    """`finish` or `drop`; dropping needs a note."""

    move: str = Field(max_length=20)
    note: str = _Text


def _head(row: EntryRow) -> dict[str, Any]:
    return {name: getattr(row, name) for name in EntryAnswer.model_fields}


def _one(page: EntryPage) -> OneEntryAnswer:
    return OneEntryAnswer(
        **_head(page.row), steps=[code for code, _ in page.steps], points=list(page.points),
        open_and_settled=[ActionAnswer.model_validate(one) for one in page.actions],
        reviews=[AssessmentAnswer.model_validate(one) for one in page.assessments],
        is_beyond=page.watch.is_beyond if page.watch else None,
    )  # fmt: skip


def _today(at: datetime) -> date:
    """Programs have no day of their own: theirs is UTC's."""
    return at.date()


def _again(work: UnitOfWork, entry_id: int) -> OneEntryAnswer:
    work.session.flush()
    work.session.expire_all()
    return _one(entry_page(work.session, work.actor, entry_id, _today(work.now), work.now))


def _seen(work: UnitOfWork, entry_id: int) -> None:
    """Raise ``NotFound`` for an entry that this person may not see."""
    entry_row(work.session, work.actor, entry_id, _today(work.now))


_EXAMPLE = {
    "title": "The carrier cannot take the volume", "cause": "It lost a depot.", "statement": "Parcels stay behind.",
    "effect": "On time in full falls.", "probability": 3, "impact": 4, "owner": 12, "body": 7, "due_on": "2027-01-15",
    "watched": {"figure": "otif_lines", "side": "below", "limit": "0.9"},
}  # fmt: skip


@operation("GET", "/risks", permission=Permission.RISK_VIEW, summary="Entries of the RAID register", tag=TAG, query=EntryQuery, answer=Page[EntryAnswer])  # fmt: skip
def list_risks(query: EntryQuery) -> Page[EntryAnswer]:
    return listed(RISKS, query, lambda row: EntryAnswer.model_validate(as_of(row, _today(now()))))


@operation("GET", "/risks/{entry_id}", permission=Permission.RISK_VIEW, summary="An entry of the RAID register", tag=TAG, answer=OneEntryAnswer)  # fmt: skip
def show_risk(entry_id: int) -> OneEntryAnswer:
    return _one(entry_page(reader(), actor(), entry_id, _today(now()), now()))


@operation(
    "POST", "/risks", permission=Permission.RISK_RAISE, summary="Raise an entry", tag=TAG, body=RaiseBody, answer=OneEntryAnswer,
    status=201, example={"kind": "risk", **_EXAMPLE},
)  # fmt: skip
def raise_risk(work: UnitOfWork, body: RaiseBody) -> OneEntryAnswer:
    return _again(work, put_entry(work, RaiseEntry(kind=body.kind, said=body.said(), today=_today(work.now))).id)


@operation(
    "PUT", "/risks/{entry_id}", permission=Permission.RISK_WORK, summary="Change an entry", tag=TAG, body=ChangeBody,
    answer=OneEntryAnswer, versioned=True, example={"reason": "the carrier has a date", **_EXAMPLE},
)  # fmt: skip
def change_risk(work: UnitOfWork, entry_id: int, version: int, body: ChangeBody) -> OneEntryAnswer:
    _seen(work, entry_id)
    command = ChangeEntry(
        entry=entry_id, said=body.said(), today=_today(work.now), reason=body.reason, seen_version=version
    )
    write_entry(work, command)
    return _again(work, entry_id)


@operation(
    "POST", "/risks/{entry_id}/reviews", permission=Permission.RISK_WORK, summary="Judge an entry anew", tag=TAG, body=ReviewBody,
    answer=OneEntryAnswer, versioned=True, example={"probability": 2, "impact": 4, "note": "A second depot opened."},
)  # fmt: skip
def review_risk(work: UnitOfWork, entry_id: int, version: int, body: ReviewBody) -> OneEntryAnswer:
    command = AssessEntry(
        entry=entry_id, probability=body.probability, impact=body.impact, note=body.note, today=_today(work.now),
        seen_version=version,
    )  # fmt: skip
    assess_entry(work, command)
    return _again(work, entry_id)


@operation(
    "POST", "/risks/{entry_id}/moves", permission=Permission.RISK_WORK, summary="Move an entry on", tag=TAG, body=RiskMoveBody,
    answer=OneEntryAnswer, versioned=True, example={"move": "close", "reason": "the carrier delivers again"},
)  # fmt: skip
def move_risk(work: UnitOfWork, entry_id: int, version: int, body: RiskMoveBody) -> OneEntryAnswer:
    _seen(work, entry_id)
    move_entry(
        work,
        MoveEntry(
            entry=entry_id, move=body.move, reason=body.reason, today=_today(work.now), seen_version=version
        ),
    )  # fmt: skip
    return _again(work, entry_id)


@operation(
    "POST", "/risks/{entry_id}/turns", permission=Permission.RISK_WORK, summary="Let an entry become another one", tag=TAG,
    body=TurnBody, answer=OneEntryAnswer, versioned=True, status=201, example={"into": "risk", "reason": "it proved wrong", **_EXAMPLE},
)  # fmt: skip
def turn_risk(work: UnitOfWork, entry_id: int, version: int, body: TurnBody) -> OneEntryAnswer:
    command = TurnEntry(
        entry=entry_id,
        into=body.into,
        said=body.said(),
        reason=body.reason,
        today=_today(work.now),
        seen_version=version,
    )
    return _again(work, turn_entry(work, command).id)


@operation(
    "POST", "/risks/{entry_id}/actions", permission=Permission.RISK_WORK, summary="Write down what is done about an entry",
    tag=TAG, body=ActionBody, answer=OneEntryAnswer, status=201,
    example={"title": "Ask the other carrier", "owner": 12, "due_on": "2027-01-08"},
)  # fmt: skip
def add_risk_action(work: UnitOfWork, entry_id: int, body: ActionBody) -> OneEntryAnswer:
    add_action(
        work,
        AddAction(entry=entry_id, title=body.title, owner=body.owner, due_on=body.due_on, today=_today(work.now)),
    )
    return _again(work, entry_id)


@operation(
    "POST", "/risks/{entry_id}/actions/{action_id}/settle", permission=Permission.RISK_WORK, summary="Finish or drop an action",
    tag=TAG, body=SettleBody, answer=OneEntryAnswer, example={"move": "finish", "note": "They take a third."},
)  # fmt: skip
def settle_risk_action(work: UnitOfWork, entry_id: int, action_id: int, body: SettleBody) -> OneEntryAnswer:
    settle_action(work, SettleAction(entry=entry_id, action=action_id, move=body.move, note=body.note))
    return _again(work, entry_id)

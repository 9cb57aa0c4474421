"""Approvals for programs: requests and answers, the rules behind them, and who answers for whom."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from app.api.framework import operation
from app.api.lists import OneOf, listed, only, part_of, which
from app.api.v1.numbers import Key
from app.api.values import Answer, Body, Page, PageQuery
from app.composition import approving
from app.composition.approval_words import rule_sentence
from app.composition.approving import OUTCOMES
from app.composition.request import now, reader
from app.queries.approvals import APPROVALS, ApprovalPage, approval_page
from app.security.permissions import Permission
from app.security.require import actor
from erpcore.kernel.work import UnitOfWork
from governance.approvals.delegations import Delegate, delegate, end_delegation
from governance.approvals.flow import RequestState
from governance.approvals.queries import RuleVersion, StandIn, delegations_of, rules_now
from governance.approvals.records import rule_of
from governance.approvals.rulebook import ProposeRule
from governance.approvals.rules import Condition, Materiality

TAG = "Approvals"


class RequestAnswer(Answer):
    """A request. `rule_text` is the rule as it was when asked; empty: no rule held, so nobody may decide."""

    id: int
    kind: str
    title: str
    summary: str
    state: str
    is_automatic: bool
    rule_text: str
    realm: str
    site_id: int | None
    asked_by: int
    asked_at: datetime
    due_at: datetime | None
    escalated_at: datetime | None
    settled_at: datetime | None
    settle_reason: str | None
    version: int


class NeedAnswer(Answer):
    """So many different people in one of these capacities, and how many of them agree. `remind_at`: when people are told again."""

    capacities: list[str]
    people: int
    agreed: int
    remind_at: datetime | None
    reminded_at: datetime | None
    due_at: datetime | None
    escalated_at: datetime | None


class GivenAnswer(Answer):
    """An answer: by whom, in which capacity, and why."""

    person: int
    capacity: str
    verdict: str
    reason: str
    at: datetime


class RequestMoveAnswer(Answer):
    """What happened to the request, by whom and why: asked for, reminded of, escalated, settled."""

    move: str
    actor: int
    role: str
    at: datetime
    reason: str | None


class OneRequestAnswer(RequestAnswer):
    """A request with its needs and answers. `may_answer`: whether an approval of the caller is still lacking."""

    needs: list[NeedAnswer]
    answers: list[GivenAnswer]
    history: list[RequestMoveAnswer]
    lacking: int
    may_answer: bool
    is_outdated: bool


class RequestQuery(PageQuery):
    """Which requests."""

    state: RequestState | None = None
    kind: Annotated[str | None, OneOf(lambda: sorted(OUTCOMES))] = which("Only those about this.")
    text: str = part_of("the summary")
    site: Key | None = which("Only those about this site.")
    waits: bool = only("those that the caller may approve now")
    mine: bool = only("those that the caller asked for")
    decided: bool = only("those that the caller answered")
    escalated: bool = only("those that have gone on to others")
    realm: Literal["live", "rehearsal", "training"] = "live"


class AnswerBody(Body):
    """Yes or no. A no needs its reason."""

    verdict: Literal["approve", "reject"]
    reason: str = Field("", max_length=2000)


class ReasonBody(Body):
    """Why."""

    reason: str = Field(min_length=1, max_length=2000)


class RuleAnswer(Answer):
    """One version of a rule. `people` null with a body: its quorum."""

    id: int
    kind: str
    code: str
    version: int
    state: str
    sentence: str
    amount_from_minor: int | None
    currency: str | None
    margin_below_permille: int | None
    tier: int | None
    materiality: str | None
    is_automatic: bool
    capacity: str | None
    people: int | None
    timeout_hours: int | None
    escalate_to: str | None
    ends_rule: bool
    reason: str
    proposed_by: int
    proposed_at: datetime
    decided_by: int | None
    decided_at: datetime | None


class RulesAnswer(Answer):
    """Every rule that holds, and every version that waits for a decision."""

    items: list[RuleAnswer]


class RuleBody(Body):
    """A rule's next version, or its first. `capacity`: `role:…`, `may:…` (a permission), `body:…` or `person:…`."""

    kind: str = Field(max_length=48)
    code: str = Field(min_length=1, max_length=32)
    amount_from_minor: int | None = Field(None, ge=0, le=10**15)
    currency: str | None = Field(None, pattern="^[A-Z]{3}$")
    margin_below_permille: int | None = Field(None, ge=-1000, le=1000)
    tier: int | None = Field(None, ge=1, le=9)
    materiality: Materiality | None = None
    is_automatic: bool = False
    capacity: str | None = Field(None, max_length=64)
    people: int | None = Field(None, ge=1, le=50)
    timeout_hours: int | None = Field(None, ge=1, le=2000)
    escalate_to: str | None = Field(None, max_length=64)
    ends: bool = False
    reason: str = Field(min_length=1, max_length=2000)


class RuleDecisionBody(Body):
    """What becomes of a proposed version, and why."""

    move: Literal["approve", "decline", "withdraw"]
    reason: str = Field(min_length=1, max_length=2000)


class DelegationAnswer(Answer):
    """Who answers for whom, from when until before when."""

    id: int
    giver_id: int
    delegate_id: int
    valid_from: datetime
    valid_until: datetime
    reason: str


class DelegationsAnswer(Answer):
    """The caller's delegations in both directions, now and later."""

    items: list[DelegationAnswer]


class DelegationBody(Body):
    """Who answers for the caller; `giver`: for somebody else, by whoever assigns seats."""

    delegate: Key
    giver: Key | None = None
    valid_from: datetime
    valid_until: datetime
    reason: str = Field(min_length=1, max_length=500)


class EndBody(Body):
    """Why it ends."""

    reason: str = Field(min_length=1, max_length=500)


def _one(found: ApprovalPage) -> OneRequestAnswer:
    head = {name: getattr(found.row, name) for name in RequestAnswer.model_fields}
    return OneRequestAnswer(
        **head, lacking=found.lacking, may_answer=found.may, is_outdated=found.is_outdated,
        needs=[NeedAnswer(**{name: getattr(each, name) for name in NeedAnswer.model_fields}) for each in found.needs],
        history=[RequestMoveAnswer(**{name: getattr(each, name) for name in RequestMoveAnswer.model_fields}) for each in found.steps],
        answers=[GivenAnswer.model_validate(each) for each in found.answers],
    )  # fmt: skip


@operation(
    "GET", "/approvals", permission=Permission.APPROVAL_VIEW, summary="List requests for approval", tag=TAG, query=RequestQuery,
    answer=Page[RequestAnswer],
)  # fmt: skip
def list_approvals(query: RequestQuery) -> Page[RequestAnswer]:
    return listed(APPROVALS, query, RequestAnswer.model_validate)


@operation(
    "GET", "/approvals/{request_id}", permission=Permission.APPROVAL_VIEW, summary="One request for approval", tag=TAG,
    answer=OneRequestAnswer,
)  # fmt: skip
def show_approval(request_id: int) -> OneRequestAnswer:
    return _one(approval_page(reader(), actor(), request_id, now()))


@operation(
    "POST", "/approvals/{request_id}/answer", permission=Permission.APPROVAL_ANSWER, summary="Approve or reject", tag=TAG,
    body=AnswerBody, answer=OneRequestAnswer, versioned=True, example={"verdict": "approve", "reason": "seen at the shelf"},
)  # fmt: skip
def answer_approval(work: UnitOfWork, request_id: int, version: int, body: AnswerBody) -> OneRequestAnswer:
    found = approval_page(work.session, work.actor, request_id, work.now)
    work.realm = found.row.realm
    approving.answer(
        work,
        approving.Answer(request=request_id, verdict=body.verdict, reason=body.reason, seen_version=version),
    )  # fmt: skip
    return _again(work, request_id)


@operation(
    "POST", "/approvals/{request_id}/withdraw", permission=Permission.APPROVAL_VIEW, summary="Take one's own request back",
    tag=TAG, body=ReasonBody, answer=OneRequestAnswer, example={"reason": "not needed any more"},
)  # fmt: skip
def withdraw_approval(work: UnitOfWork, request_id: int, body: ReasonBody) -> OneRequestAnswer:
    work.realm = approval_page(work.session, work.actor, request_id, work.now).row.realm
    approving.withdraw(work, request_id, reason=body.reason)
    return _again(work, request_id)


def _again(work: UnitOfWork, request_id: int) -> OneRequestAnswer:
    work.session.flush()
    return _one(approval_page(work.session, work.actor, request_id, work.now))


def _rule(row: RuleVersion) -> RuleAnswer:
    fields = {name: getattr(row, name) for name in RuleAnswer.model_fields if name != "sentence"}
    return RuleAnswer(sentence=rule_sentence(rule_of(row)), **fields)


@operation(
    "GET", "/approval-rules", permission=Permission.APPROVAL_VIEW, summary="The rules of approval", tag=TAG, answer=RulesAnswer
)  # fmt: skip
def list_approval_rules() -> RulesAnswer:
    return RulesAnswer(items=[_rule(row) for row in rules_now(reader())])


@operation(
    "POST", "/approval-rules", permission=Permission.APPROVAL_RULE_PROPOSE, summary="Propose a version of a rule", tag=TAG,
    body=RuleBody, answer=RuleAnswer, status=201,
    example={
        "kind": "stock_adjustment", "code": "large", "amount_from_minor": 500000, "currency": "EUR", "capacity": "role:finance",
        "people": 2, "timeout_hours": 16, "escalate_to": "role:sponsor", "reason": "two of Finance see large differences",
    },
)  # fmt: skip
def propose_approval_rule(work: UnitOfWork, body: RuleBody) -> RuleAnswer:
    parts = ("amount_from_minor", "currency", "margin_below_permille", "tier", "materiality")
    rest = {name: value for name, value in dict(body).items() if name not in parts}
    condition = Condition(**{name: getattr(body, name) for name in parts})
    return _rule(approving.propose_rule(work, ProposeRule(condition=condition, **rest)))


@operation(
    "POST", "/approval-rules/{rule_id}/decide", permission=Permission.APPROVAL_VIEW, summary="Decide on a version of a rule",
    tag=TAG, body=RuleDecisionBody, answer=RuleAnswer, example={"move": "approve", "reason": "agreed"},
)  # fmt: skip
def decide_approval_rule(work: UnitOfWork, rule_id: int, body: RuleDecisionBody) -> RuleAnswer:
    return _rule(approving.decide_rule(work, rule_id, body.move, reason=body.reason))


def _delegation(row: StandIn) -> DelegationAnswer:
    return DelegationAnswer(**{name: getattr(row, name) for name in DelegationAnswer.model_fields})


@operation(
    "GET", "/approval-delegations", permission=Permission.APPROVAL_DELEGATE, summary="Who answers for whom", tag=TAG,
    answer=DelegationsAnswer,
)  # fmt: skip
def list_approval_delegations() -> DelegationsAnswer:
    return DelegationsAnswer(items=[_delegation(row) for row in delegations_of(reader(), actor().id, now())])


@operation(
    "POST", "/approval-delegations", permission=Permission.APPROVAL_DELEGATE, summary="Name a delegate", tag=TAG,
    body=DelegationBody, answer=DelegationAnswer, status=201,
    example={
        "delegate": 1001, "valid_from": "2027-03-01T00:00:00Z", "valid_until": "2027-03-15T00:00:00Z", "reason": "on leave",
    },
)  # fmt: skip
def name_approval_delegate(work: UnitOfWork, body: DelegationBody) -> DelegationAnswer:
    return _delegation(delegate(work, Delegate(**dict(body)), approving.AROUND))


@operation(
    "POST", "/approval-delegations/{delegation_id}/end", permission=Permission.APPROVAL_DELEGATE, summary="End a delegation",
    tag=TAG, body=EndBody, answer=None, example={"reason": "back again"},
)  # fmt: skip
def end_approval_delegation(work: UnitOfWork, delegation_id: int, body: EndBody) -> None:
    end_delegation(work, delegation_id, reason=body.reason)

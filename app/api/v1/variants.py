"""The register for programs: variants listed, shown, asked for, written anew, decided on, handed over and ended."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import Field

from app.api.framework import check_version, operation
from app.api.lists import OneOf, listed, only, part_of, which
from app.api.v1.numbers import Key
from app.api.v1.policies import ScopeAnswer, ScopeBody, Value
from app.api.values import Answer, Body, Page, PageQuery
from app.composition.approving import Answer as ApprovalAnswer
from app.composition.approving import answer as answer_request
from app.composition.request import now, reader
from app.composition.variants import (
    AskForVariant,
    ask_again,
    hand_over,
    move,
    move_orders,
    rewrite_variant,
    submit,
    write_variant,
)
from app.queries.variants import VARIANTS, VariantPage, VariantRow, variant_page
from app.security.permissions import Permission
from app.security.require import actor
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.work import UnitOfWork
from erpcore.ports import POLICY_POINTS
from governance.variants.flow import VariantState
from governance.variants.kinds import Kind, Rationale
from governance.variants.register import Scope
from governance.variants.services import FREE_MOVES, MoveVariant
from governance.variants.writing import Content

TAG = "Variants"
_Text = Field("", max_length=2000)
_Short = Field("", max_length=200)


class ValueOfPoint(Answer):
    """The value of a policy point under a variant, beside the standard of now; `standard` is null for a point that is no more."""

    point: str
    value: Value
    standard: Value | None


class VariantAnswer(Answer):
    """A variant. `standing` is `draft`, `submitted`, `over`, `later`, `effective`, `expired`, `ownerless`, `unfit`, `rejected`,
    `withdrawn`, `retired` or `revoked`; only an `effective` one changes anything. `cost_minor` is per month.
    """

    id: int
    code: str
    title: str
    kind: Kind
    step: str | None
    values: list[ValueOfPoint]
    deviations: list[str]
    scope: ScopeAnswer
    where: str
    time_zone: str
    valid_from: datetime
    valid_until: datetime | None
    state: VariantState
    standing: str
    owner: int
    owner_left_at: datetime | None
    rationale: Rationale | None
    cost_minor: int | None
    cost_currency: str | None
    next_review_on: date | None
    is_review_due: bool
    requested_by: int
    requested_at: datetime
    version: int


class VariantDetail(VariantAnswer):
    """A variant whole. `approval` is the request that it waits for or last asked for; `orders` how many orders ran under it, of
    which the last at `last_ran_at`.
    """

    deputy: int | None
    reason: str
    evidence: str
    benefit: str
    support_who: str
    support_hours: str
    support_vendor: str
    controls: str
    trainings: str
    tests: str
    review_months: int | None
    exit_condition: str
    supersedes: int | None
    superseded_by: list[int]
    extend_until: datetime | None
    consented_by: int | None
    decided_by: int | None
    decided_at: datetime | None
    decision_reason: str | None
    ended_by: int | None
    ended_at: datetime | None
    end_reason: str | None
    approval: int | None
    orders: int
    last_ran_at: datetime | None


class VariantQuery(PageQuery):
    """Which variants."""

    state: VariantState | None = None
    kind: Kind | None = None
    effective: bool | None = Field(None, description="Only those in force now.")
    ending: bool = only("those that end within a month")
    review: bool = only("those in force whose review is due")
    expired: bool = only("agreed ones that are past their end")
    left: bool = only("agreed ones whose owner has left")
    text: str = part_of("the code, the title or the owner's name")
    point: Annotated[str | None, OneOf(tuple(POLICY_POINTS))] = which("Only those that set this policy point.")
    deviation: str | None = Field(None, max_length=64, description="Only those that allow this to be done by hand.")
    process: str | None = Field(None, max_length=80, description="Only those of this process, or of this step of one.")
    site: Key | None = which("Only those that name this site.")
    channel: Key | None = which("Only those that name this channel.")
    owner: Key | None = which("Only those that this person answers for.")
    reaches: Key | None = which("Only those under which a document of this site may run.")


class VariantBody(Body):
    """A variant to be. `values` by policy point, or `deviations` that people make by hand. Days are those of the site named, else
    of the company, else UTC; without `from_on` it begins with its approval. A `standard_change` has one value, no scope and no end.
    """

    kind: Kind = Kind.CONTROLLED_VARIATION
    title: str = _Short
    values: dict[str, Value] = Field(default_factory=dict, max_length=20)
    deviations: list[str] = Field(default_factory=list, max_length=20)
    scope: ScopeBody = ScopeBody()
    from_on: date | None = None
    until_on: date | None = Field(None, description="The first day on which the standard holds again.")
    step: str | None = Field(None, max_length=80)
    owner: Key | None = Field(None, description="Who answers for it; null: whoever asks.")
    deputy: Key | None = None
    rationale: Rationale | None = None
    reason: str = Field(min_length=1, max_length=2000)
    evidence: str = _Text
    benefit: str = _Text
    cost_minor: int | None = Field(None, ge=0, le=10**12)
    cost_currency: str | None = Field(None, min_length=3, max_length=3)
    support_who: str = _Short
    support_hours: str = _Short
    support_vendor: str = _Short
    controls: str = _Text
    trainings: str = _Text
    tests: str = _Text
    review_months: int | None = Field(None, ge=1, le=36)
    exit_condition: str = _Text
    supersedes: Key | None = None
    is_draft: bool = Field(default=False, description="Only written down, to be asked for later")


class MoveBody(Body):
    """What becomes of a variant, and why. `until_on` is the later end that a review is asked for."""

    move: str = Field(description="One of approve, reject, submit, ask_again, " + ", ".join(FREE_MOVES))
    reason: str = Field(min_length=1, max_length=2000)
    until_on: date | None = None


class OwnerBody(Body):
    """Who answers for it from now on."""

    owner: Key
    deputy: Key | None = None
    reason: str = Field(min_length=1, max_length=2000)


class OrdersBody(Body):
    """Orders under way that shall run by the rules of now."""

    orders: list[Key] = Field(min_length=1, max_length=200)
    reason: str = Field(min_length=1, max_length=2000)


class OrdersAnswer(Answer):
    """How many orders have other rules than before."""

    changed: int


_SAME = (
    "id", "code", "title", "kind", "step", "where", "valid_from", "valid_until", "state", "owner_left_at", "rationale",
    "cost_minor", "cost_currency", "next_review_on", "is_review_due", "requested_by", "requested_at", "version",
)  # fmt: skip
_RECORD = (
    "reason", "evidence", "benefit", "support_who", "support_hours", "support_vendor", "controls", "trainings", "tests",
    "review_months", "exit_condition", "extend_until", "consented_by", "decided_by", "decided_at", "decision_reason", "ended_by",
    "ended_at", "end_reason",
)  # fmt: skip


def _facts(row: VariantRow) -> dict[str, Any]:
    return {
        **{name: getattr(row, name) for name in _SAME}, "time_zone": row.zone, "owner": row.owner_id, "standing": row.standing.value,
        "scope": ScopeAnswer(**{part.dimension: part.id for part in row.scope}), "deviations": list(row.deviations),
        "values": [ValueOfPoint(point=one.name, value=one.value, standard=one.standard) for one in row.values],
    }  # fmt: skip


def _detail(page: VariantPage) -> VariantDetail:
    record = page.record
    return VariantDetail(
        **_facts(page.row), **{name: getattr(record, name) for name in _RECORD}, deputy=record.deputy_id,
        supersedes=record.supersedes_id, superseded_by=[one.id for one in page.superseded_by], approval=record.approval_id,
        orders=page.ran.orders, last_ran_at=page.ran.last_at,
    )  # fmt: skip


def _shown(work: UnitOfWork, variant_id: int) -> VariantDetail:
    work.session.flush()
    work.session.expire_all()
    return _detail(variant_page(work.session, work.actor, variant_id, work.now))


def _command(body: VariantBody) -> AskForVariant:
    said = {
        name: getattr(body, name)
        for name in Content.__dataclass_fields__
    }  # fmt: skip
    return AskForVariant(
        kind=body.kind, scope=Scope(**body.scope.model_dump()), values=body.values, deviations=tuple(body.deviations),
        from_on=body.from_on, until_on=body.until_on, content=Content(**said), supersedes=body.supersedes,
        is_draft=body.is_draft,
    )  # fmt: skip


@operation(
    "GET", "/variants", permission=Permission.VARIANT_VIEW, summary="List variants", tag=TAG, query=VariantQuery,
    answer=Page[VariantAnswer],
)  # fmt: skip
def list_variants(query: VariantQuery) -> Page[VariantAnswer]:
    return listed(VARIANTS, query, lambda row: VariantAnswer(**_facts(row)))


@operation(
    "GET", "/variants/{variant_id}", permission=Permission.VARIANT_VIEW, summary="One variant", tag=TAG, answer=VariantDetail
)  # fmt: skip
def show_variant(variant_id: int) -> VariantDetail:
    return _detail(variant_page(reader(), actor(), variant_id, now()))


_EXAMPLE = {
    "values": {"partial_shipment": False}, "scope": {"site": 1001}, "until_on": "2027-06-30", "rationale": "site_limit",
    "reason": "the branch has no room for what is left over", "support_who": "branch office", "review_months": 6,
    "exit_condition": "the new hall stands",
}  # fmt: skip


@operation(
    "POST", "/variants", permission=Permission.VARIANT_REQUEST, summary="Ask for a variant", tag=TAG, body=VariantBody,
    answer=VariantDetail, status=201, example=_EXAMPLE,
)  # fmt: skip
def ask_for_variant(work: UnitOfWork, body: VariantBody) -> VariantDetail:
    return _shown(work, write_variant(work, _command(body)).id)


@operation(
    "POST", "/variants/{variant_id}/write", permission=Permission.VARIANT_REQUEST, summary="Write a draft anew", tag=TAG,
    body=VariantBody, answer=VariantDetail, versioned=True, example={**_EXAMPLE, "is_draft": True},
)  # fmt: skip
def write_draft(work: UnitOfWork, variant_id: int, version: int, body: VariantBody) -> VariantDetail:
    variant_page(work.session, work.actor, variant_id, work.now)
    rewrite_variant(work, variant_id, _command(body), seen_version=version)
    return _shown(work, variant_id)


@operation(
    "POST", "/variants/{variant_id}/move", permission=Permission.VARIANT_VIEW, summary="Decide on a variant, review or end it",
    tag=TAG, body=MoveBody, answer=VariantDetail, versioned=True,
    example={"move": "approve", "reason": "agreed in the design authority"},
)  # fmt: skip
def move_variant(work: UnitOfWork, variant_id: int, version: int, body: MoveBody) -> VariantDetail:
    page = variant_page(work.session, work.actor, variant_id, work.now)
    if body.move in ("approve", "reject"):
        if page.request is None:
            raise RuleBroken("variant_not_asked", variant=page.row.code)
        check_version(version, page.row.version)
        answer_request(work, ApprovalAnswer(request=page.request.id, verdict=body.move, reason=body.reason))
    elif body.move == "submit":
        submit(work, variant_id, seen_version=version)
    elif body.move == "ask_again":
        ask_again(work, variant_id, seen_version=version)
    else:
        command = MoveVariant(variant=variant_id, move=body.move, reason=body.reason, seen_version=version)
        move(work, command, until_on=body.until_on)
    return _shown(work, variant_id)


@operation(
    "POST", "/variants/{variant_id}/owner", permission=Permission.VARIANT_REQUEST, summary="Hand a variant over", tag=TAG,
    body=OwnerBody, answer=VariantDetail, versioned=True, example={"owner": 1007, "reason": "she leads the branch now"},
)  # fmt: skip
def hand_variant_over(work: UnitOfWork, variant_id: int, version: int, body: OwnerBody) -> VariantDetail:
    variant_page(work.session, work.actor, variant_id, work.now)
    hand_over(work, variant_id, body.owner, deputy=body.deputy, reason=body.reason, seen_version=version)
    return _shown(work, variant_id)


@operation(
    "POST", "/variants/{variant_id}/orders", permission=Permission.ORDER_ANEW, summary="Put orders under way under the rules of now",
    tag=TAG, body=OrdersBody, answer=OrdersAnswer, example={"orders": [1201, 1207], "reason": "the branch asked for it"},
)  # fmt: skip
def put_orders_under(work: UnitOfWork, variant_id: int, body: OrdersBody) -> OrdersAnswer:
    variant_page(work.session, work.actor, variant_id, work.now)
    return OrdersAnswer(changed=move_orders(work, variant_id, body.orders, reason=body.reason))

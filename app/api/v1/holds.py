"""Holds for programs: the ageing queue, and ending several at once, each for itself."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from app.api.framework import operation
from app.api.lists import OneOf, listed, only, part_of, which
from app.api.v1.numbers import Key, as_amount
from app.api.values import Amount, Answer, Body, Page, PageQuery, Realm
from app.composition.order_approvals import let_go
from app.composition.request import now
from app.messages import sentence
from app.queries.holds import HOLDS, KINDS, HoldRow, holds_by_id
from app.security.permissions import Permission
from app.security.require import actor
from erpcore.kernel.errors import Conflict, NotAllowed, NotFound, RuleBroken
from erpcore.kernel.work import UnitOfWork
from erpcore.orders.holds import ReleaseHold

TAG = "Orders"


class QueuedHold(Answer):
    """One open hold. `permission` is what ending it takes; `may_release`: whether the caller may, who never may if they asked."""

    id: int
    kind: str
    reason: str
    since: datetime
    due_at: datetime
    is_overdue: bool
    order_id: int
    order: str
    customer: str
    site_id: int
    value: Amount
    currency: str
    permission: str
    level: str | None
    asked_by: int | None
    may_release: bool


class HoldQuery(PageQuery):
    """Which holds."""

    realm: Realm = "live"
    kind: Annotated[str | None, OneOf(KINDS)] = None
    overdue: bool = only("those past the time by which somebody should have looked")
    mine: bool = only("those that the caller may end")
    text: str = part_of("the order, the customer or the reason")
    site: Key | None = which("Only holds of orders taken at this site.")


class EndHoldsBody(Body):
    """Holds to end, with one reason for all of them."""

    holds: list[Key] = Field(min_length=1, max_length=200)
    reason: str = Field(min_length=1, max_length=500)


class EndedHold(Answer):
    """What became of one hold. Neither ended nor refused: the agreement is kept, and more people decide."""

    hold: int
    ended: bool
    code: str | None = None
    detail: str | None = None


class EndedHolds(Answer):
    """What became of each, in their order."""

    ended: int
    results: list[EndedHold]


def _answer(row: HoldRow) -> QueuedHold:
    return QueuedHold(
        value=as_amount(row.value_minor, row.currency), is_overdue=row.due_at < now(), may_release=not row.closed_to(actor()),
        **{
            name: getattr(row, name)
            for name in QueuedHold.model_fields
            if name not in ("value", "is_overdue", "may_release")
        },
    )  # fmt: skip


@operation("GET", "/holds", permission=Permission.ORDER_READ, summary="List open holds", tag=TAG, query=HoldQuery, answer=Page[QueuedHold])  # fmt: skip
def list_open_holds(query: HoldQuery) -> Page[QueuedHold]:
    return listed(HOLDS, query, _answer)


@operation(
    "POST", "/holds/release", permission=Permission.HOLD_RELEASE, summary="End several holds", tag=TAG, body=EndHoldsBody,
    answer=EndedHolds, example={"holds": [1006, 1007], "reason": "paid by bank transfer"},
)  # fmt: skip
def end_holds(work: UnitOfWork, body: EndHoldsBody) -> EndedHolds:
    """Each for itself: one that is refused is named and leaves the others alone."""
    known = holds_by_id(work.session, work.actor, body.holds)
    results = []
    for key in dict.fromkeys(body.holds):
        work.realm = known.get(key, work.realm)
        try:
            # A refusal comes before anything of its order is written, so the others need no savepoint.
            ended = let_go(work, [ReleaseHold(hold=key, reason=body.reason)])
        except (RuleBroken, NotFound, NotAllowed, Conflict) as refusal:
            results.append(EndedHold(hold=key, ended=False, code=refusal.code, detail=sentence(refusal)))
        else:
            results.append(EndedHold(hold=key, ended=bool(ended)))
    return EndedHolds(ended=sum(one.ended for one in results), results=results)

"""Backorders for programs: who waits, promising anew, cancelling what nobody waits for any more."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter

from app.api.framework import operation
from app.api.lists import listed
from app.api.v1.allocation_models import (
    ActedLine,
    ActedLines,
    BackorderAnswer,
    BackorderQuery,
    CancelBackordersBody,
    RepromiseBody,
)
from app.api.v1.numbers import as_amount
from app.api.values import Page
from app.composition.request import now
from app.messages import sentence
from app.queries.backorders import BACKORDERS, BackorderRow, backorders_by_line
from app.security.permissions import Permission
from erpcore.kernel.errors import DomainError, NotAllowed, NotFound, RuleBroken
from erpcore.kernel.work import UnitOfWork
from erpcore.orders.backorders import Repromise, cancel_waiting, repromise_lines

TAG = "Allocation"


def _answer(row: BackorderRow) -> BackorderAnswer:
    own = ("item", "age_days", "promise_reason", "is_late", "value")
    return BackorderAnswer(
        item=row.code, age_days=row.age_days(now()), promise_reason=row.reason, is_late=row.is_late(now()),
        value=as_amount(row.value_minor, row.currency),
        **{name: getattr(row, name) for name in BackorderAnswer.model_fields if name not in own},
    )  # fmt: skip


@operation("GET", "/backorders", permission=Permission.ORDER_READ, summary="List backorders", tag=TAG, query=BackorderQuery, answer=Page[BackorderAnswer])  # fmt: skip
def list_all_backorders(query: BackorderQuery) -> Page[BackorderAnswer]:
    """By line id; `priority`, `tier` and `since` rank them."""
    return listed(BACKORDERS, query, _answer, key=attrgetter("line_id"))


def _each(work: UnitOfWork, lines: list[int], act: Callable[[BackorderRow], object]) -> ActedLines:
    """Each for itself: one that is refused is named and leaves the others alone."""
    known = backorders_by_line(work.session, work.actor, lines)
    results = {}
    # Orders are locked one after the other, so everybody goes through them in the same order.
    for key in sorted(set(lines), key=lambda line: (known[line].order_id if line in known else 0, line)):
        row = known.get(key)
        if row is None:
            refusal: DomainError = NotFound("line_unknown", line=key)
            results[key] = ActedLine(line=key, done=False, code=refusal.code, detail=sentence(refusal))
            continue
        work.realm = row.realm
        try:
            # A refusal comes before anything of its order is written, so the others need no savepoint.
            act(row)
        except (RuleBroken, NotFound, NotAllowed) as error:
            results[key] = ActedLine(line=key, done=False, code=error.code, detail=sentence(error))
        else:
            results[key] = ActedLine(line=key, done=True)
    said = [results[key] for key in dict.fromkeys(lines)]
    return ActedLines(done=sum(one.done for one in said), results=said)


@operation(
    "POST", "/backorders/promises", permission=Permission.BACKORDER_PROMISE, summary="Promise backorders anew", tag=TAG,
    body=RepromiseBody, answer=ActedLines, example={"lines": [1031], "reason": "the supplier wrote", "day": "2026-12-14"},
)  # fmt: skip
def promise_backorders(work: UnitOfWork, body: RepromiseBody) -> ActedLines:
    return _each(
        work,
        body.lines,
        lambda row: repromise_lines(work, [Repromise(line=row.line_id, reason=body.reason, day=body.day)]),
    )


@operation(
    "POST", "/backorders/cancellations", permission=Permission.ORDER_CANCEL, summary="Cancel what lines wait for", tag=TAG,
    body=CancelBackordersBody, answer=ActedLines, example={"lines": [1031], "reason": "discontinued"},
)  # fmt: skip
def cancel_backorders(work: UnitOfWork, body: CancelBackordersBody) -> ActedLines:
    return _each(work, body.lines, lambda row: cancel_waiting(work, [row.line_id], body.reason))

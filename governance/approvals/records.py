"""Requests read from their rows into the forms that the rules take, and what is told and kept when they move."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from erpcore.kernel.canonical import canonical_json
from erpcore.kernel.errors import NotFound
from erpcore.kernel.events import Event
from erpcore.kernel.events import Place as Where
from erpcore.kernel.work import UnitOfWork
from governance.approvals.flow import RuleState
from governance.approvals.models import ApprovalAnswer, ApprovalExcluded, ApprovalNeed, ApprovalRequest, ApprovalRule
from governance.approvals.offices import Place
from governance.approvals.rules import Asked, Condition, Facts, Given, Materiality, Need, Rule, Standing, standing


@dataclass(frozen=True, kw_only=True)
class Case:
    """A request with everything that says what it is worth and who may answer it."""

    request: ApprovalRequest
    needs: tuple[ApprovalNeed, ...]
    answers: tuple[ApprovalAnswer, ...]
    excluded: frozenset[int]

    @property
    def asked(self) -> tuple[Asked, ...]:
        """The needs as the rules take them, with the capacities that count by now."""
        return tuple(
            Asked(position=need.position, people=need.people, capacities=_capacities(need)) for need in self.needs
        )

    @property
    def given(self) -> tuple[Given, ...]:
        """The answers as the rules take them, in their order."""
        return tuple(
            Given(
                person=each.person_id, on_behalf_of=each.on_behalf_of, need=each.need,
                approves=each.verdict == "approve",
            )
            for each in self.answers
        )  # fmt: skip

    @property
    def standing(self) -> Standing:
        """What the answers say."""
        return standing(self.asked, self.given)

    @property
    def place(self) -> Place:
        """What of it decides who may answer."""
        return Place(site=self.request.site_id, asked_at=self.request.asked_at, excluded=self.excluded)

    @property
    def facts(self) -> Facts:
        """What the rules looked at."""
        return read_facts(self.request.facts)

    @property
    def route(self) -> tuple[Need, ...]:
        """Whose agreement who asked wants beside the rules."""
        return tuple(Need(**each) for each in orjson.loads(self.request.facts).get(_ROUTE, ()))


def _capacities(need: ApprovalNeed) -> tuple[str, ...]:
    if need.escalated_at is None or need.escalate_to is None:
        return (need.capacity,)
    return (need.capacity, need.escalate_to)


#: Where the route stands beside the facts; a request without one keeps the facts alone.
_ROUTE = "route"


def facts_text(facts: Facts, route: Sequence[Need] = ()) -> str:
    """The facts, with the route of who asked, as they are kept: what is not known is left out."""
    kept: dict[str, Any] = {name: value for name in Facts.__slots__ if (value := getattr(facts, name)) is not None}
    if route:
        kept[_ROUTE] = [{name: getattr(need, name) for name in Need.__slots__} for need in route]
    return canonical_json(kept).decode()


def read_facts(text: str) -> Facts:
    """The facts as kept."""
    known: dict[str, Any] = orjson.loads(text)
    known.pop(_ROUTE, None)
    weight = known.pop("materiality", None)
    return Facts(**known, materiality=None if weight is None else Materiality(weight))


def rule_of(row: ApprovalRule) -> Rule:
    """A stored version as the rules take it."""
    return Rule(
        id=row.id, code=row.code, condition=condition_of(row), is_automatic=row.is_automatic, capacity=row.capacity or "",
        people=row.people, timeout_hours=row.timeout_hours, escalate_to=row.escalate_to,
    )  # fmt: skip


def condition_of(row: ApprovalRule) -> Condition:
    """What a stored version is for."""
    return Condition(
        amount_from_minor=row.amount_from_minor, currency=row.currency, margin_below_permille=row.margin_below_permille,
        tier=row.tier, materiality=None if row.materiality is None else Materiality(row.materiality),
    )  # fmt: skip


def rules_in_force(session: Session, kind: str) -> list[Rule]:
    """The rules of a kind that hold now, by code. One query."""
    rows = session.scalars(
        select(ApprovalRule)
        .where(ApprovalRule.kind == kind, ApprovalRule.state == RuleState.IN_FORCE)
        .order_by(ApprovalRule.code)
    )
    return [rule_of(row) for row in rows]


def lock_request(work: UnitOfWork, request_id: int) -> ApprovalRequest:
    """The request, locked, so that answers come one after the other. Raises ``NotFound``."""
    found = work.session.get(
        ApprovalRequest, request_id, with_for_update={"key_share": True}, populate_existing=True
    )  # fmt: skip
    if found is None:
        raise NotFound("approval_unknown", request=request_id)
    return found


def case_of(session: Session, request: ApprovalRequest) -> Case:
    """One request with what belongs to it. Three queries."""
    return cases_of(session, [request])[0]


def cases_of(session: Session, requests: Iterable[ApprovalRequest]) -> list[Case]:
    """Requests with what belongs to them, in the order given. Three queries, however many there are."""
    found = list(requests)
    ids = [each.id for each in found]
    needs = _by_request(session, ApprovalNeed, ids, ApprovalNeed.position)
    answers = _by_request(session, ApprovalAnswer, ids, ApprovalAnswer.id)
    excluded = _by_request(session, ApprovalExcluded, ids, ApprovalExcluded.person_id)
    return [
        Case(
            request=each, needs=tuple(needs.get(each.id, ())), answers=tuple(answers.get(each.id, ())),
            excluded=frozenset(row.person_id for row in excluded.get(each.id, ())),
        )
        for each in found
    ]  # fmt: skip


def _by_request(session: Session, table: Any, ids: Collection[int], order: Any) -> dict[int, list[Any]]:
    out: dict[int, list[Any]] = {}
    query = select(table).where(table.request_id.in_(ids)).order_by(table.request_id, order)
    for row in session.scalars(query.execution_options(populate_existing=True)):
        out.setdefault(row.request_id, []).append(row)
    return out


def publish(work: UnitOfWork, request: ApprovalRequest, event: Event) -> None:
    """Report what happened to a request; it is its own root document."""
    where = Where(request.realm, request.entity_id or 0, request.site_id)
    work.publish(
        event, where, step=f"governance.{request.kind}", subject=("approval_request", request.id, request.version),
        journey=request.id,
    )  # fmt: skip

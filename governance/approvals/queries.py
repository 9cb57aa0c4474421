"""What waits for somebody's answer, and how may each request be answered?"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotFound
from governance.approvals.flow import RequestState, RuleState
from governance.approvals.models import (
    ApprovalAnswer,
    ApprovalDelegation,
    ApprovalExcluded,
    ApprovalNeed,
    ApprovalRequest,
    ApprovalRule,
)
from governance.approvals.offices import BODY, MAY, PERSON, ROLE, Offices, Way
from governance.approvals.ports import Surroundings
from governance.approvals.records import Case
from governance.approvals.rules import Outcome

#: What readers of rules and delegations get: the records, as they stand.
RuleVersion = ApprovalRule
StandIn = ApprovalDelegation
#: So many needs are looked at, those of the requests due first; more wait for nobody at once.
_MOST_ROWS = 1_000


def waiting_for(session: Session, actor: Actor, around: Surroundings, now: datetime) -> list[Case]:
    """The requests that this person may approve now, the first due first. Two queries where nothing waits in a capacity that
    might be theirs, three to six otherwise.
    """
    offices = Offices(session, around, now)
    query = (
        select(ApprovalRequest, ApprovalNeed, ApprovalExcluded.person_id)
        .join(ApprovalNeed, ApprovalNeed.request_id == ApprovalRequest.id)
        .outerjoin(ApprovalExcluded, ApprovalExcluded.request_id == ApprovalRequest.id)
        .where(ApprovalRequest.state == RequestState.WAITING)
        .order_by(ApprovalRequest.due_at.is_(None), ApprovalRequest.due_at, ApprovalRequest.id, ApprovalNeed.position)
        .limit(_MOST_ROWS)
    )
    if not offices.acts_for(actor.id):
        query = query.where(ApprovalRequest.id.in_(_asking(actor)))
    found: dict[int, ApprovalRequest] = {}
    needs: dict[int, dict[int, ApprovalNeed]] = {}
    excluded: dict[int, set[int]] = {}
    for request, need, person in session.execute(query):
        found[request.id] = request
        needs.setdefault(request.id, {})[need.position] = need
        excluded.setdefault(request.id, set()).update({person} - {None})
    if not found:
        return []
    answers: dict[int, list[ApprovalAnswer]] = {}
    given = select(ApprovalAnswer).where(ApprovalAnswer.request_id.in_(found)).order_by(ApprovalAnswer.id)
    for answer in session.scalars(given):
        answers.setdefault(answer.request_id, []).append(answer)
    cases = [
        Case(
            request=each, needs=tuple(needs[key].values()), answers=tuple(answers.get(key, ())),
            excluded=frozenset(excluded[key]),
        )
        for key, each in found.items()
    ]  # fmt: skip
    return [case for case in cases if may_approve(case, actor, offices)]


def _asking(actor: Actor) -> Any:
    """The requests that ask in a capacity which might be this person's; of bodies any."""
    own = [f"{ROLE}:{actor.role}", f"{PERSON}:{actor.id}", *(f"{MAY}:{each}" for each in sorted(actor.permissions))]

    def might_be(column: Any) -> Any:
        return or_(column.in_(own), column.startswith(f"{BODY}:"))

    escalated = ApprovalNeed.escalated_at.is_not(None) & might_be(ApprovalNeed.escalate_to)
    return select(ApprovalNeed.request_id).where(or_(might_be(ApprovalNeed.capacity), escalated))


def ways_of(case: Case, actor: Actor, offices: Offices) -> list[Way]:
    """In which ways this person may answer the request, the best first; empty once it is settled."""
    if case.request.state != RequestState.WAITING:
        return []
    lacking = {position for position, _ in case.standing.lacks}
    return offices.ways(actor, case.place, case.asked, case.given, lacking=lacking)


def may_approve(case: Case, actor: Actor, offices: Offices) -> bool:
    """Whether an approval of this person is still lacking."""
    lacking = {position for position, _ in case.standing.lacks}
    ways = ways_of(case, actor, offices)
    return case.standing.outcome is Outcome.OPEN and bool(ways) and ways[0].need in lacking


def rules_now(session: Session) -> list[ApprovalRule]:
    """Every rule that holds and every version that waits for a decision, by kind and code."""
    return list(
        session.scalars(
            select(ApprovalRule)
            .where(ApprovalRule.state.in_((RuleState.IN_FORCE, RuleState.PROPOSED)))
            .order_by(ApprovalRule.kind, ApprovalRule.code, ApprovalRule.version)
        )
    )


def versions_of(session: Session, kind: str, code: str) -> list[ApprovalRule]:
    """All versions of a rule, the newest first."""
    return list(
        session.scalars(
            select(ApprovalRule)
            .where(ApprovalRule.kind == kind, ApprovalRule.code == code)
            .order_by(ApprovalRule.version.desc())
        )
    )


def rules_to_decide(session: Session, person: int) -> list[ApprovalRule]:
    """Versions of rules that somebody else proposed."""
    return list(
        session.scalars(
            select(ApprovalRule)
            .where(ApprovalRule.state == RuleState.PROPOSED, ApprovalRule.proposed_by != person)
            .order_by(ApprovalRule.proposed_at)
        )
    )


def delegations_of(session: Session, person: int, now: datetime) -> list[ApprovalDelegation]:
    """Who answers for somebody and for whom they answer, now or later, in order of time."""
    return list(
        session.scalars(
            select(ApprovalDelegation)
            .where(
                ApprovalDelegation.valid_until > now,
                or_(ApprovalDelegation.giver_id == person, ApprovalDelegation.delegate_id == person),
            )
            .order_by(ApprovalDelegation.valid_from, ApprovalDelegation.id)
        )
    )


def past_due(session: Session, now: datetime) -> list[int]:
    """Requests with a need whose time is over and that has not gone on to others yet."""
    return list(
        session.scalars(
            select(ApprovalRequest.id)
            .join(ApprovalNeed, ApprovalNeed.request_id == ApprovalRequest.id)
            .where(
                ApprovalRequest.state == RequestState.WAITING, ApprovalRequest.due_at <= now, ApprovalNeed.due_at <= now,
                ApprovalNeed.escalated_at.is_(None), ApprovalNeed.escalate_to.is_not(None),
            )
            .distinct()
            .order_by(ApprovalRequest.id)
        )
    )  # fmt: skip


def rule_named(session: Session, rule_id: int) -> ApprovalRule:
    """One version of a rule. Raises ``NotFound``."""
    found = session.get(ApprovalRule, rule_id)
    if found is None:
        raise NotFound("approval_rule_unknown", rule=rule_id)
    return found

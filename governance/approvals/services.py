"""Asking for approval, answering, and what ends a request without an answer.

Callers are the composition (``app/composition/approving.py``), which hands in the surroundings and tells the subject when its
request is settled, in the same unit of work.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from erpcore.kernel.errors import Conflict, NotAllowed, NotFound, RuleBroken
from erpcore.kernel.first import add_first
from erpcore.kernel.history import record_move
from erpcore.kernel.requests import claim, settle
from erpcore.kernel.work import UnitOfWork
from governance.approvals.flow import REQUEST_FLOW, RequestState
from governance.approvals.models import ApprovalAnswer, ApprovalExcluded, ApprovalGround, ApprovalNeed, ApprovalRequest
from governance.approvals.offices import BODY, Offices, Way
from governance.approvals.permissions import ApprovalPermission
from governance.approvals.ports import Surroundings
from governance.approvals.records import Case, case_of, facts_text, lock_request, publish, rules_in_force
from governance.approvals.rules import NO_FACTS, Facts, Need, Outcome, Rule, needs_of, remind_after, rules_for
from governance.published import ApprovalDecided, ApprovalEscalated, ApprovalLapsed, ApprovalRequested

#: No request asks for more different people in one capacity.
MOST_PEOPLE = 50
VERDICTS = ("approve", "reject")


@dataclass(frozen=True, kw_only=True)
class Ask:
    """What others are to agree to. ``excluded``: people beside the one who asks who may not decide (the author of the
    standard, the owner of what is asked for). ``route``: whose agreement is needed beside what the rules ask for.
    """

    kind: str
    subject_type: str
    subject_id: int
    subject_version: int
    summary: str
    facts: Facts = NO_FACTS
    site: int | None = None
    entity: int | None = None
    excluded: Sequence[int] = ()
    route: Sequence[Need] = ()


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Yes or no to a request as it was seen. ``key`` makes a second arrival harmless."""

    request: int
    verdict: str
    reason: str = ""
    seen_version: int | None = None
    key: str | None = None


def ask(work: UnitOfWork, command: Ask, around: Surroundings) -> ApprovalRequest:
    """Put a request under the rules as they are now; they are frozen with it.

    Where all rules that hold ask for nobody it is approved at once and says so. Where no rule holds it waits and nobody may
    decide. A request that waits for the same subject is outdated by this one.
    """
    if not command.summary.strip():
        raise RuleBroken("approval_summary_missing", field="summary")
    _outdate_waiting(work, command)
    rules = rules_for(rules_in_force(work.session, command.kind), command.facts)
    needs = needs_of(rules, command.route) if rules else ()
    request = ApprovalRequest(
        id=work.ids.one(), kind=command.kind, subject_type=command.subject_type, subject_id=command.subject_id,
        subject_version=command.subject_version, summary=command.summary.strip(), facts=facts_text(command.facts, command.route),
        rule_text=_sentences(rules, command.route, around), realm=work.realm, site_id=command.site, entity_id=command.entity,
        asked_by=work.actor.id, asked_at=work.now, is_automatic=False, state=REQUEST_FLOW.initial, version=1,
    )  # fmt: skip
    add_first(work, request, "approval_asked_already", subject=command.subject_id)
    for person in sorted({*command.excluded, work.actor.id} - {0}):
        work.session.add(ApprovalExcluded(request_id=request.id, person_id=person))
    _add_grounds(work, request, rules)
    _add_needs(work, request, needs, {*command.excluded, work.actor.id}, around)
    record_move(work, "approval_request", request.id, "ask", None, request.state)
    work.audit(
        "approval.requested", "approval_request", request.id, **_kept(request), rules=[rule.id for rule in rules]
    )
    publish(
        work, request,
        ApprovalRequested(kind=request.kind, of=command.subject_type, subject=command.subject_id, due_at=request.due_at),
    )  # fmt: skip
    if rules and not needs:
        request.is_automatic = True
        _settle(work, request, RequestState.APPROVED, request.rule_text)
    return request


def _outdate_waiting(work: UnitOfWork, command: Ask) -> None:
    found = work.session.scalars(
        select(ApprovalRequest.id).where(
            ApprovalRequest.kind == command.kind, ApprovalRequest.subject_type == command.subject_type,
            ApprovalRequest.subject_id == command.subject_id, ApprovalRequest.state == RequestState.WAITING,
        )
    ).all()  # fmt: skip
    for request_id in found:
        request = lock_request(work, request_id)
        if request.state == RequestState.WAITING:
            _lapse(work, request, "outdate", "asked for anew")
    work.session.flush()  # one request of a kind waits for a subject


def _sentences(rules: Sequence[Rule], route: Sequence[Need], around: Surroundings) -> str:
    said = [around.rule_sentence(rule) for rule in rules] + [around.need_sentence(need) for need in route]
    return " ".join(said)


def _add_grounds(work: UnitOfWork, request: ApprovalRequest, rules: Sequence[Rule]) -> None:
    work.session.add_all(ApprovalGround(request_id=request.id, rule_id=rule.id) for rule in rules)


def _add_needs(
    work: UnitOfWork, request: ApprovalRequest, needs: Sequence[Need], excluded: set[int], around: Surroundings
) -> None:
    hours = {need.timeout_hours for need in needs if need.timeout_hours is not None}
    site, entity = request.site_id, request.entity_id
    marks = hours | {remind_after(each) for each in hours}
    at = around.due(work.session, site, entity, work.now, marks - {0}) if hours else {}
    offices = Offices(work.session, around, work.now)
    for position, need in enumerate(needs, start=1):
        kind, _, name = need.capacity.partition(":")
        people = offices.quorum(name, site, excluded) if need.people is None and kind == BODY else need.people or 1
        work.session.add(
            ApprovalNeed(
                request_id=request.id, position=position, capacity=need.capacity, people=people,
                timeout_hours=need.timeout_hours, escalate_to=need.escalate_to,
                remind_at=None if need.timeout_hours is None else at.get(remind_after(need.timeout_hours)),
                due_at=None if need.timeout_hours is None else at[need.timeout_hours],
            )
        )  # fmt: skip
    request.due_at = min((at[each] for each in hours), default=None)
    work.session.flush()  # who answers in the same unit of work reads them


def answer(work: UnitOfWork, command: Answer, around: Surroundings) -> ApprovalRequest:
    """Agree to a request or not. Settled at the last agreement that it needs, and at the first no.

    Acting twice is harmless: the second time finds the first. Raises ``NotAllowed`` for who asked and everybody tied to
    them by a delegation, and for whom no rule names; ``Conflict`` when it is settled, answered otherwise, changed since it
    was seen, or its subject moved on; ``RuleBroken`` where no rule says who may decide.
    """
    work.actor.require(ApprovalPermission.ANSWER)
    content = [command.request, command.verdict, command.reason]
    if command.key is not None and claim(work, command.key, content) is not None:
        return work.session.get_one(ApprovalRequest, command.request)
    request = _answered(work, command, around)
    if command.key is not None:
        settle(work, command.key, request.id)
    return request


def _answered(work: UnitOfWork, command: Answer, around: Surroundings) -> ApprovalRequest:
    if command.verdict not in VERDICTS:
        raise RuleBroken("choice_unknown", field="verdict", value=command.verdict)
    request = lock_request(work, command.request)
    case = case_of(work.session, request)
    mine = next((each for each in case.answers if each.person_id == work.actor.id), None)
    if mine is not None and mine.verdict == command.verdict:
        return request
    offices = Offices(work.session, around, work.now)
    way = _way(work, case, offices, command.verdict, answered=mine is not None)
    if request.state != RequestState.WAITING:
        raise Conflict("approval_settled", what=request.summary, state=request.state)
    if command.seen_version is not None and command.seen_version != request.version:
        raise Conflict("changed_meanwhile", document=request.summary)
    if around.subject_version(work.session, request.kind, request.subject_id) != request.subject_version:
        raise Conflict("approval_outdated", what=request.summary)
    reason = command.reason.strip()
    REQUEST_FLOW.target(command.verdict, request.state, reason=reason)
    given = ApprovalAnswer(
        id=work.ids.one(), request_id=request.id, person_id=work.actor.id, on_behalf_of=way.on_behalf_of,
        capacity=way.capacity, need=way.need, verdict=command.verdict, reason=reason, seen_version=request.version,
        at=work.now,
    )  # fmt: skip
    work.session.add(given)
    work.session.flush()  # its history refers to it
    work.audit(
        f"approval.{command.verdict}", "approval_request", request.id, **_kept(request), on_behalf_of=way.on_behalf_of,
        capacity=way.capacity, reason=reason,
    )  # fmt: skip
    outcome = case_of(work.session, request).standing.outcome
    if outcome in {Outcome.APPROVED, Outcome.REJECTED}:
        _settle(work, request, RequestState(outcome.value), reason)
    return request


def _way(work: UnitOfWork, case: Case, offices: Offices, verdict: str, *, answered: bool) -> Way:
    """How the person at work may answer. Raises with the reason why they may not."""
    request = case.request
    lacking = {position for position, _ in case.standing.lacks}
    if answered:
        raise Conflict("approval_answered", what=request.summary)
    out = offices.kept_out(case.place)
    ways = offices.ways(work.actor, case.place, case.asked, case.given, lacking=lacking)
    if not ways:
        work.actor.require(ApprovalPermission.VIEW, site=request.site_id)
        if work.actor.id in case.excluded:
            raise NotAllowed("approval_own", what=request.summary)
        if work.actor.id in out:
            raise NotAllowed("approval_tied", what=request.summary)
        if any(each.on_behalf_of == work.actor.id for each in case.answers):
            raise Conflict("approval_answered_for_you", what=request.summary)
        if not case.needs:
            raise RuleBroken("approval_nobody", what=request.summary)
        raise NotAllowed("approval_not_yours", what=request.summary, rule=request.rule_text)
    if verdict == "approve" and request.state == RequestState.WAITING and ways[0].need not in lacking:
        raise RuleBroken("approval_enough_of_you", what=request.summary, rule=request.rule_text)
    return ways[0]


def withdraw(work: UnitOfWork, request_id: int, *, reason: str) -> ApprovalRequest:
    """Take a request back. Only who asked may."""
    request = lock_request(work, request_id)
    if request.asked_by != work.actor.id:
        work.actor.require(ApprovalPermission.VIEW, site=request.site_id)
        raise NotAllowed("approval_of_another", what=request.summary)
    _lapse(work, request, "withdraw", reason.strip())
    return request


def outdate(work: UnitOfWork, subject_type: str, subject_ids: Iterable[int], *, reason: str) -> list[ApprovalRequest]:
    """Say that these subjects moved on: what waits for them cannot be approved any more."""
    found = work.session.scalars(
        select(ApprovalRequest.id)
        .where(
            ApprovalRequest.subject_type == subject_type, ApprovalRequest.subject_id.in_(sorted(subject_ids)),
            ApprovalRequest.state == RequestState.WAITING,
        )
        .order_by(ApprovalRequest.id)
    ).all()  # fmt: skip
    done = []
    for request_id in found:
        request = lock_request(work, request_id)
        if request.state == RequestState.WAITING:
            _lapse(work, request, "outdate", reason)
            done.append(request)
    return done


def outdate_moved_on(work: UnitOfWork, request_id: int, around: Surroundings) -> bool:
    """Say that the subject of a request moved on, where it did without saying so itself."""
    request = lock_request(work, request_id)
    version = around.subject_version(work.session, request.kind, request.subject_id)
    if request.state != RequestState.WAITING or version == request.subject_version:
        return False
    _lapse(work, request, "outdate", "what it was about is over, or changed")
    return True


def route_anew(work: UnitOfWork, request_id: int, around: Surroundings) -> ApprovalRequest:
    """Put a request for which no rule held under the rules as they are now, with the route that was asked for; one that has its
    rules keeps them. The subject is told where it is settled so, and one that moved on outdates its request.
    """
    asked = require_request(work, request_id)
    around.lock_subject(work, asked.kind, asked.subject_id)
    request = lock_request(work, request_id)
    case = case_of(work.session, request)
    if request.state != RequestState.WAITING or case.needs:
        return request
    rules = rules_for(rules_in_force(work.session, request.kind), case.facts)
    if not rules:
        return request
    if around.subject_version(work.session, request.kind, request.subject_id) != request.subject_version:
        _lapse(work, request, "outdate", "changed since it was asked for")
        return request
    needs = needs_of(rules, case.route)
    request.rule_text, request.version = _sentences(rules, case.route, around), request.version + 1
    _add_grounds(work, request, rules)
    _add_needs(work, request, needs, set(case.excluded), around)
    work.audit("approval.routed", "approval_request", request.id, **_kept(request), rules=[rule.id for rule in rules])
    if not needs:
        request.is_automatic = True
        _settle(work, request, RequestState.APPROVED, request.rule_text)
        around.settled(work, request)
    return request


def escalate(work: UnitOfWork, request_id: int) -> bool:
    """Let those to whom its rules escalate decide too, once its time is over. False where nothing is due (any more)."""
    request = lock_request(work, request_id)
    case = case_of(work.session, request)
    lacking = {position for position, _ in case.standing.lacks}
    due = [
        need
        for need in case.needs
        if need.position in lacking and need.due_at is not None and need.due_at <= work.now and need.escalated_at is None
        and need.escalate_to is not None
    ]  # fmt: skip
    if request.state != RequestState.WAITING or not due:
        return False
    for need in due:
        need.escalated_at = work.now
        publish(work, request, ApprovalEscalated(kind=request.kind, to=str(need.escalate_to)))
    request.escalated_at, request.version = work.now, request.version + 1
    to = [need.escalate_to for need in due]
    record_move(work, "approval_request", request.id, "escalate", request.state, request.state, facts={"to": to})
    work.audit("approval.escalated", "approval_request", request.id, **_kept(request), to=to)
    return True


def _settle(work: UnitOfWork, request: ApprovalRequest, state: RequestState, reason: str) -> None:
    was, request.state = request.state, state
    request.settled_by, request.settled_at, request.settle_reason = work.actor.id, work.now, reason
    request.version += 1
    work.session.flush()
    move = "approve" if state is RequestState.APPROVED else "reject"
    record_move(
        work, "approval_request", request.id, move, was, state, reason=reason or None,
        facts={"automatic": True} if request.is_automatic else None,
    )  # fmt: skip
    work.audit(
        f"approval.{state}",
        "approval_request",
        request.id,
        **_kept(request),
        automatic=request.is_automatic,
        reason=reason,
    )
    publish(
        work, request,
        ApprovalDecided(kind=request.kind, verdict=state.value, automatic=request.is_automatic, subject=request.subject_id),
    )  # fmt: skip


def _lapse(work: UnitOfWork, request: ApprovalRequest, move: str, reason: str) -> None:
    was = request.state
    request.state = REQUEST_FLOW.target(move, was, reason=reason)
    request.settled_by, request.settled_at, request.settle_reason = work.actor.id, work.now, reason
    request.version += 1
    work.session.flush()
    record_move(work, "approval_request", request.id, move, was, request.state, reason=reason)
    work.audit(f"approval.{request.state}", "approval_request", request.id, **_kept(request), reason=reason)
    publish(work, request, ApprovalLapsed(kind=request.kind, reason=request.state))


def _kept(request: ApprovalRequest) -> dict[str, Any]:
    """What the trail keeps of a request with everything that happens to it."""
    return {
        "of": request.kind, "subject": [request.subject_type, request.subject_id, request.subject_version],
        "rule": request.rule_text,
    }  # fmt: skip


def require_request(work: UnitOfWork, request_id: int) -> ApprovalRequest:
    """A request, unlocked. Raises ``NotFound``."""
    found = work.session.get(ApprovalRequest, request_id)
    if found is None:
        raise NotFound("approval_unknown", request=request_id)
    return found

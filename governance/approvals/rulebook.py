"""How does a rule of approval change? A new version with a reason, proposed by one person and decided by another.

Requests that wait keep the rules they were asked under; those for which no rule held are put under the new one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from erpcore.kernel.errors import Conflict, NotAllowed, NotFound, RuleBroken
from erpcore.kernel.first import add_first
from erpcore.kernel.history import record_move
from erpcore.kernel.work import UnitOfWork
from governance.approvals.flow import RULE_FLOW, RequestState, RuleState
from governance.approvals.models import ApprovalNeed, ApprovalRequest, ApprovalRule
from governance.approvals.offices import BODY, is_capacity
from governance.approvals.permissions import ApprovalPermission
from governance.approvals.ports import Surroundings
from governance.approvals.records import condition_of, rule_of
from governance.approvals.rules import IN_EVERY_CASE, WEIGHTS_OF_RULES, Condition, implies
from governance.approvals.services import MOST_PEOPLE, route_anew

LONGEST_CODE = 32
#: A year of working hours; whoever waits longer was forgotten.
LONGEST_TIMEOUT = 2_000
LOWEST_TIER, HIGHEST_TIER = 1, 9


@dataclass(frozen=True, kw_only=True)
class ProposeRule:
    """The next version of the rule ``code`` of a kind, or its first. ``ends``: from then on there is no such rule.

    ``people`` ``None`` with a body: its quorum. ``seen_version``: the last version that the person saw, 0 for none.
    """

    kind: str
    code: str
    reason: str
    condition: Condition = IN_EVERY_CASE
    is_automatic: bool = False
    capacity: str | None = None
    people: int | None = None
    timeout_hours: int | None = None
    escalate_to: str | None = None
    ends: bool = False
    seen_version: int | None = None


def propose_rule(work: UnitOfWork, command: ProposeRule, around: Surroundings) -> ApprovalRule:
    """Propose it; what holds goes on to hold until somebody else has decided.

    Raises ``RuleBroken`` for what no rule can say, ``Conflict`` while another version waits or the rule changed meanwhile.
    """
    work.actor.require(ApprovalPermission.RULE_PROPOSE)
    code = command.code.strip().lower()
    if not command.reason.strip():
        raise RuleBroken("reason_required", field="reason", document="approval rule", move="propose")
    if not code or len(code) > LONGEST_CODE or not code.replace("_", "").replace("-", "").isalnum():
        raise RuleBroken("approval_rule_code", field="code", longest=LONGEST_CODE)
    last = work.session.scalar(
        select(func.max(ApprovalRule.version)).where(ApprovalRule.kind == command.kind, ApprovalRule.code == code)
    )
    if command.seen_version is not None and command.seen_version != (last or 0):
        raise Conflict("changed_meanwhile", document=f"approval rule {code}")
    if command.ends:
        row = _ending(work, command, code)
    else:
        _check(work, command, around)
        _check_only(work, command.kind, code, command.condition)
        row = _version(command, code)
    row.id, row.version, row.state, row.reason = (
        work.ids.one(),
        (last or 0) + 1,
        RULE_FLOW.initial,
        command.reason.strip(),
    )
    row.proposed_by, row.proposed_at = work.actor.id, work.now
    add_first(work, row, "approval_rule_waits", field="code", rule=code)
    record_move(work, "approval_rule", row.id, "propose", None, row.state, reason=row.reason)
    work.audit("approval_rule.proposed", "approval_rule", row.id, **_facts(row))
    return row


def _version(command: ProposeRule, code: str) -> ApprovalRule:
    wanted = command.condition
    return ApprovalRule(
        kind=command.kind, code=code, amount_from_minor=wanted.amount_from_minor, currency=wanted.currency,
        margin_below_permille=wanted.margin_below_permille, tier=wanted.tier, materiality=wanted.materiality,
        is_automatic=command.is_automatic, capacity=None if command.is_automatic else command.capacity,
        people=None if command.is_automatic else command.people,
        timeout_hours=None if command.is_automatic else command.timeout_hours,
        escalate_to=None if command.is_automatic else command.escalate_to, ends_rule=False,
    )  # fmt: skip


def _ending(work: UnitOfWork, command: ProposeRule, code: str) -> ApprovalRule:
    now = _in_force(work, command.kind, code)
    if now is None:
        raise NotFound("approval_rule_unknown", rule=code)
    return ApprovalRule(
        kind=now.kind, code=now.code, amount_from_minor=now.amount_from_minor, currency=now.currency,
        margin_below_permille=now.margin_below_permille, tier=now.tier, materiality=now.materiality,
        is_automatic=now.is_automatic, capacity=now.capacity, people=now.people, timeout_hours=now.timeout_hours,
        escalate_to=now.escalate_to, ends_rule=True,
    )  # fmt: skip


def _in_force(work: UnitOfWork, kind: str, code: str) -> ApprovalRule | None:
    found: ApprovalRule | None = work.session.scalar(
        select(ApprovalRule)
        .where(ApprovalRule.kind == kind, ApprovalRule.code == code, ApprovalRule.state == RuleState.IN_FORCE)
        .with_for_update(key_share=True)
    )
    return found


def _check(work: UnitOfWork, command: ProposeRule, around: Surroundings) -> None:
    _check_condition(command.condition)
    if not command.is_automatic:
        _check_people(work, command, around)


def _check_condition(wanted: Condition) -> None:
    if wanted.amount_from_minor is not None and (wanted.amount_from_minor < 0 or not wanted.currency):
        raise RuleBroken("approval_rule_amount", field="amount_from")
    if wanted.margin_below_permille is not None and not -1000 <= wanted.margin_below_permille <= 1000:
        raise RuleBroken("approval_rule_margin", field="margin_below")
    if wanted.tier is not None and not LOWEST_TIER <= wanted.tier <= HIGHEST_TIER:
        raise RuleBroken("approval_rule_tier", field="tier", lowest=LOWEST_TIER, highest=HIGHEST_TIER)
    if wanted.materiality is not None and wanted.materiality not in WEIGHTS_OF_RULES:
        raise RuleBroken("choice_unknown", field="materiality", value=wanted.materiality)


def _check_people(work: UnitOfWork, command: ProposeRule, around: Surroundings) -> None:
    if not command.capacity or not is_capacity(work.session, around, command.capacity):
        raise RuleBroken("approval_rule_capacity", field="capacity", capacity=command.capacity or "–")
    if command.people is None and not command.capacity.startswith(f"{BODY}:"):
        raise RuleBroken("approval_rule_people", field="people", most=MOST_PEOPLE)
    if command.people is not None and not 1 <= command.people <= MOST_PEOPLE:
        raise RuleBroken("approval_rule_people", field="people", most=MOST_PEOPLE)
    if command.timeout_hours is not None and not 1 <= command.timeout_hours <= LONGEST_TIMEOUT:
        raise RuleBroken("approval_rule_timeout", field="timeout_hours", most=LONGEST_TIMEOUT)
    if command.escalate_to:
        if command.timeout_hours is None:
            raise RuleBroken("approval_rule_escalates_never", field="timeout_hours")
        if command.escalate_to == command.capacity or not is_capacity(work.session, around, command.escalate_to):
            raise RuleBroken("approval_rule_capacity", field="escalate_to", capacity=command.escalate_to)


def _check_only(work: UnitOfWork, kind: str, code: str, wanted: Condition) -> None:
    """Two rules for the very same case would both be to be met, which nobody who reads one of them expects."""
    others = work.session.scalars(
        select(ApprovalRule).where(
            ApprovalRule.kind == kind, ApprovalRule.code != code, ApprovalRule.state == RuleState.IN_FORCE
        )
    )
    for other in others:
        condition = condition_of(other)
        if implies(condition, wanted) and implies(wanted, condition):
            raise RuleBroken("approval_rule_same", field="code", rule=other.code)


def decide_rule(
    work: UnitOfWork, rule_id: int, move: str, *, reason: str, around: Surroundings, seen_version: int | None = None
) -> ApprovalRule:
    """Approve, decline or withdraw a proposed version. An approved one replaces the one that held, or ends the rule.

    Raises ``NotAllowed`` when who proposed it decides, or somebody else withdraws it; ``RuleBroken`` when another rule has come
    to hold for the very same case.
    """
    if move not in {"approve", "decline", "withdraw"}:
        raise RuleBroken("choice_unknown", field="move", value=move)
    row = work.session.get(ApprovalRule, rule_id)
    if row is None:
        raise NotFound("approval_rule_unknown", rule=rule_id)
    _lock_rules(work, row.kind)
    work.session.refresh(row)
    if seen_version is not None and seen_version != row.version:
        raise Conflict("changed_meanwhile", document=f"approval rule {row.code}")
    work.actor.require(RULE_FLOW.moves[move].permission)
    if (move == "withdraw") != (work.actor.id == row.proposed_by):
        code = "approval_rule_of_another" if move == "withdraw" else "own_request"
        raise NotAllowed(code, document=f"approval rule {row.code}")
    step = "end" if move == "approve" and row.ends_rule else move
    target = RULE_FLOW.target(step, row.state, reason=reason)
    if move == "approve":
        if not row.ends_rule:
            _check_only(work, row.kind, row.code, condition_of(row))
        _make_room(work, row)
    was, row.state = row.state, target
    if move != "withdraw":
        row.decided_by, row.decided_at, row.decision_reason = work.actor.id, work.now, reason.strip()
    work.session.flush()
    record_move(work, "approval_rule", row.id, step, was, row.state, reason=reason.strip())
    work.audit(f"approval_rule.{row.state}", "approval_rule", row.id, **_facts(row), decision=reason.strip())
    if row.state == RuleState.IN_FORCE:
        _route_waiting(work, row.kind, around)
    return row


def _lock_rules(work: UnitOfWork, kind: str) -> None:
    """All that hold or wait of a kind, in one order: which cases they are for is looked at by one who decides at a time."""
    work.session.scalars(
        select(ApprovalRule)
        .where(ApprovalRule.kind == kind, ApprovalRule.state.in_((RuleState.IN_FORCE, RuleState.PROPOSED)))
        .order_by(ApprovalRule.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).all()


def _make_room(work: UnitOfWork, row: ApprovalRule) -> None:
    """What held until now is replaced, before the new version holds: one of a rule does at a time."""
    held = _in_force(work, row.kind, row.code)
    if held is not None:
        held.state = RULE_FLOW.target("replace", held.state)
        work.session.flush()
        record_move(work, "approval_rule", held.id, "replace", RuleState.IN_FORCE, held.state)


def _route_waiting(work: UnitOfWork, kind: str, around: Surroundings) -> None:
    """Requests of the kind that nobody could decide are put under its rules."""
    stuck = work.session.scalars(
        select(ApprovalRequest.id)
        .outerjoin(ApprovalNeed, ApprovalNeed.request_id == ApprovalRequest.id)
        .where(
            ApprovalRequest.kind == kind, ApprovalRequest.state == RequestState.WAITING, ApprovalNeed.request_id.is_(None)
        )
        .order_by(ApprovalRequest.id)
    ).all()  # fmt: skip
    for request_id in stuck:
        route_anew(work, request_id, around)


def _facts(row: ApprovalRule) -> dict[str, Any]:
    rule = rule_of(row)
    return {
        "of": row.kind, "code": row.code, "version": row.version, "amount_from": row.amount_from_minor,
        "currency": row.currency, "margin_below": row.margin_below_permille, "tier": row.tier,
        "materiality": row.materiality, "automatic": rule.is_automatic, "capacity": row.capacity, "people": row.people,
        "timeout_hours": row.timeout_hours, "escalate_to": row.escalate_to, "ends": row.ends_rule, "reason": row.reason,
    }  # fmt: skip

"""How a policy point gets another value than the standard: asked for with a reason, decided by somebody else, ended early.

The value is effective in the next unit of work of every process; documents under way keep the rules they are stamped with.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import select

from erpcore.kernel.canonical import canonical_json
from erpcore.kernel.errors import Conflict, NotAllowed, NotFound, RuleBroken
from erpcore.kernel.history import record_move
from erpcore.kernel.work import UnitOfWork
from erpcore.ports import POLICY_POINTS, Freedom, PolicyPoint
from erpcore.ports.points import DIMENSIONS
from governance.policies.flow import VALUE_FLOW, ValueState
from governance.policies.models import PolicyValue
from governance.policies.permissions import PolicyPermission
from governance.policies.register import Scope, lock_register, scope_of, touch

#: A departure is looked at again after so long at the latest.
LONGEST = timedelta(days=3 * 366)


@dataclass(frozen=True, kw_only=True)
class RequestValue:
    """Another value than the standard, for whom, from when until before when, and why. ``valid_from`` ``None``: from now on."""

    point: str
    value: Any
    scope: Scope
    valid_until: datetime
    reason: str
    valid_from: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class DecideValue:
    """What somebody else makes of a request, or of an approved value. ``move`` is one of the flow's."""

    value: int
    move: str
    reason: str
    seen_version: int | None = None


def point_named(name: str) -> PolicyPoint:
    """The point of the catalogue; raises ``NotFound`` for one that the core does not have (any more)."""
    if name not in POLICY_POINTS:
        raise NotFound("policy_point_unknown", field="point", point=name)
    return POLICY_POINTS[name]


def request_value(work: UnitOfWork, command: RequestValue) -> PolicyValue:
    """Ask for a value. Raises ``RuleBroken`` for a locked point, a value outside its range, a scope that its freedom does not
    allow, a time that is over or without end, or a value that would stand beside an approved one of equal rank.
    """
    work.actor.require(PolicyPermission.REQUEST)
    point = point_named(command.point)
    starts = command.valid_from or work.now
    _check(work, point, command, starts)
    row = PolicyValue(
        id=work.ids.one(), point=point.name, value=canonical_json(command.value).decode(),
        entity_id=command.scope.entity, site_id=command.scope.site, channel_id=command.scope.channel,
        customer_group_id=command.scope.customer_group, item_group_id=command.scope.item_group, valid_from=starts,
        valid_until=command.valid_until, state=VALUE_FLOW.initial, version=1, reason=command.reason.strip(),
        requested_by=work.actor.id, requested_at=work.now,
    )  # fmt: skip
    _refuse_overlap(work, row)
    work.session.add(row)
    work.session.flush()  # the history refers to it
    record_move(work, "policy_value", row.id, "request", None, row.state, reason=row.reason)
    work.audit("policy_value.requested", "policy_value", row.id, **_facts(row), reason=row.reason)
    return row


def _check(work: UnitOfWork, point: PolicyPoint, command: RequestValue, starts: datetime) -> None:
    if point.freedom == Freedom.LOCKED:
        raise RuleBroken("policy_point_locked", field="point", point=point.title, sentence=point.sentence)
    point.check(command.value)
    if command.value == point.standard:
        raise RuleBroken("policy_value_is_standard", field="value", point=point.title, value=point.shown(command.value))
    if command.scope == Scope():
        raise RuleBroken("policy_scope_empty", field="entity", point=point.title)
    for name, part in zip(DIMENSIONS, command.scope, strict=True):
        if part is not None and name not in point.dimensions:
            raise RuleBroken(
                "policy_scope_too_wide", field=name, point=point.title, dimension=name.replace("_", " "),
                may=[one.replace("_", " ") for one in point.dimensions],
            )  # fmt: skip
    if not command.reason.strip():
        raise RuleBroken("reason_required", field="reason", document="policy value", move="request")
    if command.valid_until <= max(starts, work.now):
        raise RuleBroken("policy_value_over", field="valid_until", until=command.valid_until)
    if command.valid_until - starts > LONGEST:
        raise RuleBroken("policy_value_too_long", field="valid_until", days=LONGEST.days)


def decide_value(work: UnitOfWork, command: DecideValue) -> PolicyValue:
    """Approve, decline, withdraw or revoke.

    Raises ``NotAllowed`` when who asked decides, ``RuleBroken`` naming the value of equal rank that an approval would stand
    beside, ``Conflict`` when it changed since it was seen.
    """
    if command.move not in VALUE_FLOW.moves:
        raise RuleBroken("choice_unknown", field="move", value=command.move)
    move = VALUE_FLOW.moves[command.move]
    lock_register(work)
    row = work.session.get(PolicyValue, command.value, with_for_update={"key_share": True})
    if row is None:
        raise NotFound("policy_value_unknown", value=command.value)
    work.actor.require(move.permission)
    if command.seen_version is not None and command.seen_version != row.version:
        raise Conflict("changed_meanwhile", document=f"policy value {row.id}")
    target = VALUE_FLOW.target(move.name, row.state, reason=command.reason)
    _check_person(work, row, move.name)
    if move.name == "approve":
        _check_approval(work, row)
    was, row.state, row.version = row.state, target, row.version + 1
    reason = command.reason.strip()
    if move.name == "revoke":
        row.revoked_by, row.revoked_at, row.revoke_reason = work.actor.id, work.now, reason
    elif move.name != "withdraw":
        row.decided_by, row.decided_at, row.decision_reason = work.actor.id, work.now, reason
    if ValueState.APPROVED in (was, row.state):
        touch(work)
    work.session.flush()
    record_move(work, "policy_value", row.id, move.name, was, row.state, reason=reason)
    work.audit(f"policy_value.{row.state}", "policy_value", row.id, **_facts(row), reason=reason)
    return row


def _check_person(work: UnitOfWork, row: PolicyValue, move: str) -> None:
    if move == "withdraw":
        if work.actor.id != row.requested_by:
            raise NotAllowed("policy_value_of_another", value=row.id)
    elif move != "revoke" and work.actor.id == row.requested_by:
        raise NotAllowed("own_request", document=f"policy value {row.id}")


def _check_approval(work: UnitOfWork, row: PolicyValue) -> None:
    """What was asked for may have become impossible since: the point gone or narrower, the time over."""
    point = point_named(row.point)
    point.check(orjson.loads(row.value))
    if row.valid_until <= work.now:
        raise RuleBroken("policy_value_over", field="valid_until", until=row.valid_until)
    # Decided later than it was to begin, it begins with the decision: documents under way keep their rules.
    row.valid_from = max(row.valid_from, work.now)
    _refuse_overlap(work, row)


def _refuse_overlap(work: UnitOfWork, row: PolicyValue) -> None:
    """Equal rank means that the same dimensions are named, so scopes of equal rank meet only when they are the same."""
    others = work.session.execute(
        select(PolicyValue).where(
            PolicyValue.point == row.point, PolicyValue.state == ValueState.APPROVED, PolicyValue.id != row.id,
            PolicyValue.valid_from < row.valid_until, PolicyValue.valid_until > row.valid_from,
        )
    ).scalars()  # fmt: skip
    for other in others:
        if scope_of(other) == scope_of(row):
            raise RuleBroken(
                "policy_value_overlaps", field="valid_from", other=other.id, value=_shown(other), since=other.valid_from,
                until=other.valid_until,
            )  # fmt: skip


def _shown(row: PolicyValue) -> str:
    return point_named(row.point).shown(orjson.loads(row.value))


def _facts(row: PolicyValue) -> dict[str, Any]:
    scope = {name: part for name, part in zip(DIMENSIONS, scope_of(row), strict=True) if part is not None}
    return {
        "point": row.point,
        "value": orjson.loads(row.value),
        "scope": scope,
        "valid_from": row.valid_from,
        "valid_until": row.valid_until,
    }

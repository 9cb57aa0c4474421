"""What it takes to change a gate: criterion by criterion, its days and marks, and to withdraw it or ask its question again.

Before the freeze who defines gates changes them freely. Afterwards it takes a reason and the body that froze the gate, and every
change is shown as such.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select

from erpcore.kernel.canonical import canonical_json, plain
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.kernel.work import UnitOfWork
from readiness.gates.criteria import FIELD_OF
from readiness.gates.flow import GateState, move_gate
from readiness.gates.models import CriterionChange, Gate, GateCriterion
from readiness.gates.permissions import GatePermission
from readiness.gates.ports import Authority
from readiness.gates.services import add_row, check_marks, criteria_problems, lock_gate, require_body, set_days, tell
from readiness.gates.specs import CriterionSpec, columns, facts_of
from readiness.published import GateCriteriaChanged


@dataclass(frozen=True, kw_only=True)
class AmendGate:
    """Another day to decide, other marks of the score or another body that waives, for a gate in draft."""

    gate_id: int
    decides_on: date
    pass_mark: Decimal
    warn_mark: Decimal
    waiver_body: str
    seen_version: int | None = None


def amend_gate(work: UnitOfWork, command: AmendGate) -> Gate:
    """Change what a draft says of itself. Raises ``RuleBroken`` once it is frozen: then its day moves by ``date_gate``."""
    work.actor.require(GatePermission.DRAFT)
    gate = lock_gate(work, command.gate_id, command.seen_version)
    if gate.state != GateState.DRAFT:
        raise RuleBroken("gate_not_draft", gate=gate.id, state=gate.state)
    check_marks(command.pass_mark, command.warn_mark)
    if command.decides_on < local_day(work.now, gate.time_zone):
        raise RuleBroken("decides_in_the_past", field="decides_on", day=command.decides_on)
    if not command.waiver_body.strip():
        raise RuleBroken("waiver_body_missing", field="waiver_body", wave=gate.wave_id)
    gate.decides_on, gate.pass_mark, gate.warn_mark = command.decides_on, command.pass_mark, command.warn_mark
    gate.waiver_body = command.waiver_body
    gate.version += 1
    work.audit(
        "gate.amended", "gate", gate.id, decides_on=gate.decides_on, pass_mark=gate.pass_mark, warn_mark=gate.warn_mark,
        waiver_body=gate.waiver_body,
    )  # fmt: skip
    return gate


def put_criterion(
    work: UnitOfWork, gate_id: int, spec: CriterionSpec, *, reason: str | None = None, authority: Authority,
    seen_version: int | None = None, is_new: bool = False,
) -> GateCriterion:  # fmt: skip
    """Add a criterion, or change the one of the same code; ``is_new``: a code that stands there already is refused.

    What could prove nothing is refused with the field that is wrong, also before the freeze. After the freeze it takes a reason
    and the body that froze the gate, counts as a new version of the criteria, and outdates decisions that stand on the gate.
    """
    work.actor.require(GatePermission.DRAFT)
    gate = lock_gate(work, gate_id, seen_version)
    body = _require_change(work, gate, reason, authority)
    row = work.session.scalar(
        select(GateCriterion).where(GateCriterion.gate_id == gate.id, GateCriterion.code == spec.code)
    )
    before = None if row is None or row.removed_in is not None else facts_of(row)
    if is_new and before is not None:
        raise RuleBroken("criterion_there", field="code", criterion=spec.code)
    if row is None:
        last = work.session.scalar(select(func.max(GateCriterion.position)).where(GateCriterion.gate_id == gate.id))
        row = add_row(work, gate, (last or 0) + 1, spec)
    else:
        for name, value in columns(spec).items():
            setattr(row, name, value)
        row.removed_in = None
    problems = criteria_problems(work.session, gate, [row])
    if problems:
        problem = problems[0]
        raise RuleBroken(
            "criterion_refused",
            field=FIELD_OF.get(problem.code),
            criterion=spec.title or spec.code,
            problem=problem.code,
        )
    _changed(work, gate, row.code, "changed" if before else "added", before, facts_of(row), body, reason)
    return row


def remove_criterion(
    work: UnitOfWork, gate_id: int, code: str, *, reason: str | None = None, authority: Authority,
    seen_version: int | None = None,
) -> None:  # fmt: skip
    """Take a criterion out; after the freeze under the same rules as a change."""
    work.actor.require(GatePermission.DRAFT)
    gate = lock_gate(work, gate_id, seen_version)
    body = _require_change(work, gate, reason, authority)
    row = work.session.scalar(
        select(GateCriterion).where(
            GateCriterion.gate_id == gate.id, GateCriterion.code == code, GateCriterion.removed_in.is_(None)
        )
    )
    if row is None:
        raise NotFound("criterion_not_found", gate=gate.id, criterion=code)
    before = facts_of(row)
    row.removed_in = gate.criteria_version + 1
    _changed(work, gate, code, "removed", before, None, body, reason)


def _require_change(work: UnitOfWork, gate: Gate, reason: str | None, authority: Authority) -> str | None:
    if gate.state == GateState.CLOSED:
        raise RuleBroken("gate_closed", gate=gate.id)
    if gate.state == GateState.DRAFT:
        return None
    if not (reason or "").strip():
        raise RuleBroken("reason_required", field="reason", document="gate", move="change")
    return require_body(work, gate, (gate.frozen_by_body or gate.waiver_body,), authority)


def _changed(
    work: UnitOfWork, gate: Gate, code: str | None, change: str, before: dict[str, Any] | None,
    after: dict[str, Any] | None, body: str | None, reason: str | None,
) -> None:  # fmt: skip
    after_freeze = gate.state == GateState.FROZEN
    gate.version += 1
    gate.criteria_version += 1
    work.session.add(
        CriterionChange(
            id=work.ids.one(), gate_id=gate.id, criteria_version=gate.criteria_version, criterion=code, change=change,
            before=None if before is None else canonical_json(before).decode(),
            after=None if after is None else canonical_json(after).decode(), is_after_freeze=after_freeze, body=body,
            reason=reason, changed_by=work.actor.id, at=work.now,
        )
    )  # fmt: skip
    if after_freeze:
        tell(
            work, gate,
            GateCriteriaChanged(
                wave=gate.wave_id, criteria_version=gate.criteria_version, criterion=code or "", change=change
            ),
        )  # fmt: skip
    work.audit(
        "criterion." + change, "gate", gate.id, criterion=code, before=plain(before), after=plain(after), body=body,
        reason=reason, after_freeze=after_freeze,
    )  # fmt: skip


def date_gate(
    work: UnitOfWork,
    gate_id: int,
    decides_on: date,
    *,
    reason: str,
    authority: Authority,
    fixed_dates: Sequence[date] = (),
) -> Gate:
    """Decide a frozen gate on another day; how long a pass must hold follows from it, and it shows as a change."""
    work.actor.require(GatePermission.FREEZE)
    gate = lock_gate(work, gate_id)
    if gate.state != GateState.FROZEN or gate.opened_on is None:
        raise RuleBroken("gate_not_frozen", gate=gate.id, state=gate.state)
    body = _require_change(work, gate, reason, authority)
    before = {"decides_on": gate.decides_on, "hold": gate.hold_needed}
    opened = local_day(work.now, gate.time_zone) if fixed_dates else gate.opened_on
    set_days(work, gate, decides_on, fixed_dates, opened_on=opened)
    _changed(work, gate, None, "dated", before, {"decides_on": decides_on, "hold": gate.hold_needed}, body, reason)
    return gate


def withdraw_gate(
    work: UnitOfWork, gate_id: int, *, reason: str, authority: Authority, seen_version: int | None = None
) -> Gate:
    """Take a gate back before its question is decided: it is evaluated no more until it is taken up again.

    Once frozen only a person of the body that froze it does so, and always with a reason. Whoever calls this has asked whether a
    vote stands on it.
    """
    work.actor.require(GatePermission.FREEZE)
    gate = lock_gate(work, gate_id, seen_version)
    body = None
    if gate.state == GateState.FROZEN:
        body = require_body(work, gate, (gate.frozen_by_body or gate.waiver_body,), authority)
    move_gate(work, gate, "close", reason=reason)
    work.audit("gate.withdrawn", "gate", gate.id, reason=reason, body=body)
    return gate


def reopen_gate(
    work: UnitOfWork, gate_id: int, *, decides_on: date, reason: str, seen_version: int | None = None
) -> Gate:
    """Ask the question again, after a rollback or a withdrawal: the gate is a draft once more, and its counts begin anew at the
    freeze.
    """
    work.actor.require(GatePermission.FREEZE)
    gate = lock_gate(work, gate_id, seen_version)
    if decides_on < local_day(work.now, gate.time_zone):
        raise RuleBroken("decides_in_the_past", field="decides_on", day=decides_on)
    move_gate(work, gate, "reopen", reason=reason)
    gate.decides_on = decides_on
    work.audit("gate.reopened", "gate", gate.id, reason=reason)
    return gate

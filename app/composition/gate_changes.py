"""How is a gate defined and changed where decisions, people and bodies look on? What stands on it is outdated in the same unit of
work, and whoever a criterion names exists.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.composition.golive import Seats, lock_standing_on, outdate_standing_on
from app.composition.planning import require_person
from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.models import CustomerGroup
from governance.decisions.flow import DecisionState
from governance.programme.models import Body
from readiness.gates import changing
from readiness.gates.models import Gate, GateCriterion
from readiness.gates.permissions import GatePermission
from readiness.gates.services import CreateGate, create_gate, standing_criteria
from readiness.gates.specs import CriterionSpec, spec_of
from readiness.waves.flow import WaveState
from readiness.waves.models import Wave


def define_gate(work: UnitOfWork, command: CreateGate) -> Gate:
    """A gate in draft whose ordinary waivers are given by a body of the wave's programme."""
    work.actor.require(GatePermission.DRAFT)
    for spec in command.criteria:
        _check_people(work, spec)
    gate = create_gate(work, command)
    _check_body(work, gate.wave_id, gate.waiver_body)
    return gate


def amend_gate(work: UnitOfWork, command: changing.AmendGate) -> Gate:
    """Change what a draft says of itself."""
    gate = changing.amend_gate(work, command)
    _check_body(work, gate.wave_id, command.waiver_body)
    return gate


def _check_body(work: UnitOfWork, wave_id: int, code: str) -> None:
    wave = work.session.get(Wave, wave_id)
    if wave is None:
        raise NotFound("wave_not_found", wave=wave_id)
    known = work.session.scalar(select(Body.id).where(Body.programme_id == wave.programme_id, Body.code == code))
    if known is None:
        raise RuleBroken("body_unknown", field="waiver_body", body=code)


def _check_people(work: UnitOfWork, spec: CriterionSpec) -> None:
    if spec.owner_id is not None:
        require_person(work, spec.owner_id, field="owner_id")
    if spec.customer_group is not None and work.session.get(CustomerGroup, spec.customer_group) is None:
        raise RuleBroken("customer_group_unknown", field="customer_group", group=spec.customer_group)


def template_specs(session: Session, gate_id: int) -> tuple[CriterionSpec, ...]:
    """The criteria of a gate as a template keeps them: the cells they refer to and the people who own them are this wave's."""
    return tuple(replace(spec_of(row), cells=(), owner_id=None) for row in standing_criteria(session, gate_id))


def put_criterion(
    work: UnitOfWork, gate_id: int, spec: CriterionSpec, *, reason: str | None = None, seen_version: int | None = None,
    is_new: bool = False,
) -> GateCriterion:  # fmt: skip
    """Add or change a criterion; decisions that stand on the gate become outdated in the same unit of work."""
    work.actor.require(GatePermission.DRAFT)
    _check_people(work, spec)
    lock_standing_on(work, gate_id)
    row = changing.put_criterion(
        work, gate_id, spec, reason=reason, authority=Seats(), seen_version=seen_version, is_new=is_new
    )
    outdate_standing_on(work, gate_id)
    return row


def remove_criterion(
    work: UnitOfWork, gate_id: int, code: str, *, reason: str | None = None, seen_version: int | None = None
) -> None:
    """Take a criterion out; decisions that stand on the gate become outdated in the same unit of work."""
    lock_standing_on(work, gate_id)
    changing.remove_criterion(work, gate_id, code, reason=reason, authority=Seats(), seen_version=seen_version)
    outdate_standing_on(work, gate_id)


def date_gate(
    work: UnitOfWork, gate_id: int, decides_on: date, *, reason: str, fixed_dates: Sequence[date] = ()
) -> Gate:
    """Decide a gate on another day; decisions that stand on it become outdated in the same unit of work."""
    lock_standing_on(work, gate_id)
    gate = changing.date_gate(work, gate_id, decides_on, reason=reason, authority=Seats(), fixed_dates=fixed_dates)
    outdate_standing_on(work, gate_id)
    return gate


def withdraw_gate(work: UnitOfWork, gate_id: int, *, reason: str, seen_version: int | None = None) -> Gate:
    """Take a gate back. Raises ``RuleBroken`` while a vote stands on it, or a go that has not taken effect yet."""
    for decision in lock_standing_on(work, gate_id):
        wave = work.session.get_one(Wave, decision.wave_id)
        if decision.state == DecisionState.OPEN or wave.state == WaveState.APPROVED:
            raise RuleBroken("gate_under_vote", gate=gate_id, decision=decision.id)
    return changing.withdraw_gate(work, gate_id, reason=reason, authority=Seats(), seen_version=seen_version)

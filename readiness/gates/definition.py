"""What does a gate ask as it is being written: its criteria with what forbids freezing each, its changes, and the templates there are?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import orjson
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from erpcore.kernel.errors import NotFound
from readiness.gates import peeking
from readiness.gates.criteria import Phase
from readiness.gates.flow import GateState
from readiness.gates.models import CriterionChange, Gate, GateTemplate
from readiness.gates.services import earlier_cells, own_cells, problems_among, standing_criteria
from readiness.gates.specs import Cells, CriterionSpec, facts_of, spec_of
from readiness.waves.models import Wave


@dataclass(frozen=True, kw_only=True)
class DefinedCriterion:
    """A criterion as it stands. ``problems`` are the codes of what forbids freezing it; none: it can be frozen."""

    facts: Mapping[str, Any]
    spec: CriterionSpec
    problems: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ChangeView:
    """A change of a gate's criteria; ``criterion`` ``None``: of its dates."""

    version: int
    criterion: str | None
    change: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    is_after_freeze: bool
    body: str | None
    reason: str | None
    by: int
    at: datetime


@dataclass(frozen=True, kw_only=True)
class GateDefinition:
    """Everything that defining a gate shows. ``changes`` come newest first."""

    id: int
    wave_id: int
    wave_code: str
    wave_name: str
    programme_id: int
    phase: Phase
    state: GateState
    version: int
    criteria_version: int
    template: str | None
    decides_on: date
    pass_mark: Decimal
    warn_mark: Decimal
    waiver_body: str
    frozen_at: datetime | None
    frozen_by: int | None
    frozen_by_body: str | None
    opened_on: date | None
    hold_needed: int | None
    fixed_dates: tuple[date, ...]
    time_zone: str
    criteria: tuple[DefinedCriterion, ...]
    changes: tuple[ChangeView, ...]
    own: Cells
    earlier: Cells

    def criterion(self, code: str) -> CriterionSpec:
        """A criterion as it was written, to be changed. Raises ``NotFound``."""
        found = next((one.spec for one in self.criteria if one.spec.code == code), None)
        if found is None:
            raise NotFound("criterion_not_found", gate=self.id, criterion=code)
        return found


@dataclass(frozen=True, kw_only=True)
class TemplateView:
    """The latest version of a template."""

    code: str
    version: int
    name: str
    phase: Phase
    pass_mark: Decimal
    warn_mark: Decimal
    waiver_body: str
    criteria: tuple[Mapping[str, Any], ...]
    saved_by: int
    saved_at: datetime


def definition(session: Session, gate_id: int) -> GateDefinition:
    """One gate. Five queries. Raises ``NotFound``."""
    both = session.execute(
        select(Gate, Wave).join(Wave, Wave.id == Gate.wave_id).where(Gate.id == gate_id)
    ).one_or_none()
    if both is None:
        raise NotFound("gate_not_found", gate=gate_id)
    gate, wave = both
    rows = standing_criteria(session, gate_id)
    own, earlier = own_cells(session, wave.id), reference_cells(session, wave.id)
    found: dict[str, list[str]] = {}
    for problem in problems_among(gate, rows, own, set(earlier)):
        found.setdefault(problem.criterion, []).append(problem.code)
    changes = session.scalars(
        select(CriterionChange)
        .where(CriterionChange.gate_id == gate_id)
        .order_by(CriterionChange.criteria_version.desc(), CriterionChange.id.desc())
    )
    return GateDefinition(
        id=gate.id, wave_id=wave.id, wave_code=wave.code, wave_name=wave.name, programme_id=wave.programme_id,
        phase=Phase(gate.phase), state=GateState(gate.state), version=gate.version, criteria_version=gate.criteria_version,
        template=gate.template, decides_on=gate.decides_on, pass_mark=gate.pass_mark, warn_mark=gate.warn_mark,
        waiver_body=gate.waiver_body, frozen_at=gate.frozen_at, frozen_by=gate.frozen_by, frozen_by_body=gate.frozen_by_body,
        opened_on=gate.opened_on, hold_needed=gate.hold_needed,
        fixed_dates=tuple(date.fromisoformat(day) for day in orjson.loads(gate.fixed_dates)), time_zone=gate.time_zone,
        criteria=tuple(
            DefinedCriterion(facts=facts_of(row), spec=spec_of(row), problems=tuple(found.get(row.code, ()))) for row in rows
        ),
        changes=tuple(_change(row) for row in changes), own=own, earlier=earlier,
    )  # fmt: skip


def _change(row: CriterionChange) -> ChangeView:
    return ChangeView(
        version=row.criteria_version, criterion=row.criterion, change=row.change,
        before=orjson.loads(row.before) if row.before else None, after=orjson.loads(row.after) if row.after else None,
        is_after_freeze=row.is_after_freeze, body=row.body, reason=row.reason, by=row.changed_by, at=row.at,
    )  # fmt: skip


def reference_cells(session: Session, wave_id: int) -> Cells:
    """The cells that a criterion of this wave may refer to: those of waves that go live earlier. One query."""
    return tuple(sorted(earlier_cells(session, wave_id)))


def templates(session: Session) -> list[TemplateView]:
    """The latest version of every template, by phase and code. One query."""
    last = select(GateTemplate.code, func.max(GateTemplate.version).label("version")).group_by(GateTemplate.code)
    newest = last.subquery()
    rows = session.scalars(
        select(GateTemplate)
        .join(newest, (newest.c.code == GateTemplate.code) & (newest.c.version == GateTemplate.version))
        .order_by(GateTemplate.code)
    )
    order = list(Phase)
    found = [
        TemplateView(
            code=row.code, version=row.version, name=row.name, phase=Phase(row.phase), pass_mark=row.pass_mark,
            warn_mark=row.warn_mark, waiver_body=row.waiver_body, criteria=tuple(orjson.loads(row.criteria)),
            saved_by=row.saved_by, saved_at=row.saved_at,
        )
        for row in rows
    ]  # fmt: skip
    return sorted(found, key=lambda one: (order.index(one.phase), one.code))


def held_for(today: date, decides_on: date) -> int | None:
    """For how many counted evaluations a pass has to hold, were the gate frozen today; ``None``: it needs fixed dates."""
    if decides_on < today:
        return None
    try:
        return peeking.hold_rule(today, decides_on).needed
    except ValueError:
        return None

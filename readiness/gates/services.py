"""How a gate gets its criteria and how these are fixed; what it takes to change them is next door."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from erpcore.kernel.canonical import canonical_json
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import Conflict, NotAllowed, NotFound, RuleBroken
from erpcore.kernel.events import Event
from erpcore.kernel.work import UnitOfWork
from readiness.gates import peeking
from readiness.gates.criteria import Evidence, Phase, Problem, problems_of
from readiness.gates.flow import GateState, move_gate
from readiness.gates.models import Gate, GateCriterion, GateTemplate
from readiness.gates.permissions import GatePermission
from readiness.gates.ports import Authority
from readiness.gates.rules import PASS_MARK, WARN_MARK
from readiness.gates.specs import (
    Cells,
    CriterionSpec,
    columns,
    criterion_of,
    facts_of,
    measure_facts,
    spec_json,
    specs_from,
)
from readiness.measures.catalogue import MEASURES
from readiness.published import GateFrozen
from readiness.waves.models import Wave, WaveScope
from readiness.waves.services import NOWHERE


@dataclass(frozen=True, kw_only=True)
class SaveTemplate:
    """Criteria to start gates from. ``waiver_body`` is the body that waives ordinary criteria."""

    code: str
    name: str
    phase: Phase
    waiver_body: str
    criteria: tuple[CriterionSpec, ...]
    pass_mark: Decimal = PASS_MARK
    warn_mark: Decimal = WARN_MARK


@dataclass(frozen=True, kw_only=True)
class CreateGate:
    """A gate of a wave from a template, or from criteria. ``reference`` are the cells that its reference criteria read."""

    wave_id: int
    phase: Phase
    decides_on: date
    template: str | None = None
    criteria: tuple[CriterionSpec, ...] = ()
    reference: Cells = ()
    waiver_body: str | None = None
    pass_mark: Decimal | None = None
    warn_mark: Decimal | None = None


def save_template(work: UnitOfWork, command: SaveTemplate) -> GateTemplate:
    """Keep a template, as the next version of its code. Gates made from earlier versions stay as they are; one that says the
    same as the newest version is that version.
    """
    work.actor.require(GatePermission.DRAFT)
    check_marks(command.pass_mark, command.warn_mark)
    newest = (
        select(GateTemplate).where(GateTemplate.code == command.code).order_by(GateTemplate.version.desc()).limit(1)
    )
    last = work.session.scalar(newest)
    for spec in command.criteria:
        columns(spec)  # refuses measures that the catalogue does not have
    content = {
        "name": command.name, "phase": command.phase, "pass_mark": command.pass_mark, "warn_mark": command.warn_mark,
        "waiver_body": command.waiver_body, "criteria": spec_json(command.criteria),
    }  # fmt: skip
    if last is not None and all(getattr(last, name) == value for name, value in content.items()):
        return last
    template = GateTemplate(
        id=work.ids.one(), code=command.code, version=last.version + 1 if last else 1, saved_by=work.actor.id,
        saved_at=work.now, **content,
    )  # fmt: skip
    work.session.add(template)
    work.audit("template.saved", "gate_template", template.id, code=command.code, version=template.version)
    return template


def check_marks(pass_mark: Decimal, warn_mark: Decimal) -> None:
    """Raise ``RuleBroken`` unless 0 < warn mark ≤ pass mark ≤ 1."""
    if not 0 < warn_mark <= pass_mark <= 1:
        raise RuleBroken("gate_marks_invalid", field="pass_mark", pass_mark=pass_mark, warn_mark=warn_mark)


def create_gate(work: UnitOfWork, command: CreateGate) -> Gate:
    """A gate in draft. Raises ``RuleBroken`` for a second gate of the phase or an unknown template."""
    work.actor.require(GatePermission.DRAFT)
    wave = work.session.get(Wave, command.wave_id)
    if wave is None:
        raise NotFound("wave_not_found", wave=command.wave_id)
    if work.session.scalar(select(Gate.id).where(Gate.wave_id == wave.id, Gate.phase == command.phase)) is not None:
        raise RuleBroken("gate_exists", wave=wave.code, phase=command.phase)
    specs, pass_mark, warn_mark, body, label = (
        command.criteria,
        command.pass_mark,
        command.warn_mark,
        command.waiver_body,
        None,
    )
    if command.template is not None:
        template = work.session.scalar(
            select(GateTemplate)
            .where(GateTemplate.code == command.template)
            .order_by(GateTemplate.version.desc())
            .limit(1)
        )
        if template is None or template.phase != command.phase:
            raise RuleBroken("template_unknown", field="template", template=command.template, phase=command.phase)
        specs = (*specs_from(template.criteria), *command.criteria)
        pass_mark, warn_mark = pass_mark or template.pass_mark, warn_mark or template.warn_mark
        body, label = body or template.waiver_body, f"{template.code} {template.version}"
    if command.decides_on < local_day(work.now, wave.time_zone):
        raise RuleBroken("decides_in_the_past", field="decides_on", day=command.decides_on)
    if not body:
        raise RuleBroken("waiver_body_missing", field="waiver_body", wave=wave.code)
    check_marks(pass_mark or PASS_MARK, warn_mark or WARN_MARK)
    gate = Gate(
        id=work.ids.one(), wave_id=wave.id, phase=command.phase, state=GateState.DRAFT, version=1, template=label,
        time_zone=wave.time_zone, pass_mark=pass_mark or PASS_MARK, warn_mark=warn_mark or WARN_MARK, waiver_body=body,
        criteria_version=1, decides_on=command.decides_on, fixed_dates="[]",
    )  # fmt: skip
    work.session.add(gate)
    work.session.flush()  # its criteria name it
    doubled = sorted({spec.code for spec in specs if sum(each.code == spec.code for each in specs) > 1})
    if doubled:
        raise RuleBroken("criterion_twice", criteria=doubled)
    for position, spec in enumerate(specs, start=1):
        named = spec.evidence is Evidence.REFERENCE and not spec.cells
        add_row(work, gate, position, spec if not named else _with_cells(spec, command.reference))
    return gate


def _with_cells(spec: CriterionSpec, cells: Cells) -> CriterionSpec:
    return replace(spec, cells=cells)


def add_row(work: UnitOfWork, gate: Gate, position: int, spec: CriterionSpec) -> GateCriterion:
    """A criterion of this gate from its specification. Raises ``RuleBroken`` for one that could not be kept."""
    row = GateCriterion(id=work.ids.one(), gate_id=gate.id, code=spec.code, position=position, **columns(spec))
    work.session.add(row)
    return row


def lock_gate(work: UnitOfWork, gate_id: int, seen_version: int | None = None) -> Gate:
    """The gate, locked for change. Raises ``NotFound``, and ``Conflict`` when it is not the version that was seen."""
    gate = work.session.get(Gate, gate_id, with_for_update={"key_share": True}, populate_existing=True)
    if gate is None:
        raise NotFound("gate_not_found", gate=gate_id)
    if seen_version is not None and gate.version != seen_version:
        raise Conflict("changed_meanwhile", gate=gate_id, seen=seen_version, now=gate.version)
    return gate


def own_cells(session: Session, wave_id: int) -> Cells:
    """The wave's cells as (live site, channel), in order."""
    rows = session.execute(
        select(WaveScope.site_id, WaveScope.channel_id).where(WaveScope.wave_id == wave_id).distinct()
    )
    return tuple(sorted((row.site_id, row.channel_id) for row in rows))


def standing_criteria(session: Session, gate_id: int) -> list[GateCriterion]:
    """The gate's criteria as they stand, in order."""
    return list(
        session.scalars(
            select(GateCriterion)
            .where(GateCriterion.gate_id == gate_id, GateCriterion.removed_in.is_(None))
            .order_by(GateCriterion.position, GateCriterion.id)
        )
    )


def criteria_problems(session: Session, gate: Gate, rows: Sequence[GateCriterion]) -> tuple[Problem, ...]:
    """Everything that forbids freezing these criteria, by criterion; () where nothing does."""
    return problems_among(gate, rows, own_cells(session, gate.wave_id), earlier_cells(session, gate.wave_id))


def problems_among(
    gate: Gate, rows: Sequence[GateCriterion], own: Cells, earlier: AbstractSet[tuple[int, int]]
) -> tuple[Problem, ...]:
    """The same, where the wave's own cells and those of earlier waves have been read already."""
    words = {
        word
        for row in rows
        if row.evidence != Evidence.REFERENCE
        for word in criterion_of(row, Phase(gate.phase), own).cells
    }
    found: list[Problem] = []
    for row in rows:
        criterion = criterion_of(row, Phase(gate.phase), own)
        reference = row.evidence == Evidence.REFERENCE
        found += problems_of(criterion, measure_facts(MEASURES.get(row.measure or "")), () if reference else words)
        cells = {(site, channel) for site, channel in orjson.loads(row.cells)}
        if reference and cells & set(own):
            found.append(Problem(row.code, "reference_is_own_cell"))
        elif reference and not cells <= earlier:
            found.append(Problem(row.code, "reference_not_of_earlier_wave"))
        elif not reference and not cells <= set(own):
            found.append(Problem(row.code, "cell_of_another_wave"))
    return tuple(found)


def earlier_cells(session: Session, wave_id: int) -> set[tuple[int, int]]:
    """The cells of waves that go live before this one."""
    here = select(Wave.go_live_on).where(Wave.id == wave_id).scalar_subquery()
    rows = session.execute(
        select(WaveScope.site_id, WaveScope.channel_id)
        .join(Wave, Wave.id == WaveScope.wave_id)
        .where(Wave.go_live_on < here, Wave.id != wave_id)
        .distinct()
    )
    return {(row.site_id, row.channel_id) for row in rows}


def freeze_gate(
    work: UnitOfWork, gate_id: int, *, body: str, authority: Authority, fixed_dates: Sequence[date] = (),
    seen_version: int | None = None,
) -> Gate:  # fmt: skip
    """Fix the criteria, in the name of a body the person sits on. From now on the gate is evaluated, and a pass must hold.

    Raises ``RuleBroken`` naming every problem of every criterion, or when the gate is open too long for daily looks and
    no dates are fixed.
    """
    work.actor.require(GatePermission.FREEZE)
    gate = lock_gate(work, gate_id, seen_version)
    require_body(work, gate, (body,), authority)
    rows = standing_criteria(work.session, gate.id)
    if not rows or not sum(row.weight for row in rows):
        raise RuleBroken("gate_without_criteria", gate=gate.id)
    problems = criteria_problems(work.session, gate, rows)
    if problems:
        raise RuleBroken("gate_criteria_refused", problems=[(each.criterion, each.code) for each in problems])
    set_days(work, gate, gate.decides_on, fixed_dates, opened_on=local_day(work.now, gate.time_zone))
    gate.frozen_at, gate.frozen_by, gate.frozen_by_body = work.now, work.actor.id, body
    move_gate(work, gate, "freeze")
    tell(
        work,
        gate,
        GateFrozen(wave=gate.wave_id, phase=gate.phase, criteria_version=gate.criteria_version, criteria=len(rows)),
    )
    work.audit(
        "gate.frozen", "gate", gate.id, wave=gate.wave_id, phase=gate.phase, body=body, version_of_criteria=gate.criteria_version,
        pass_mark=gate.pass_mark, warn_mark=gate.warn_mark, criteria=[facts_of(row) for row in rows],
    )  # fmt: skip
    return gate


def set_days(work: UnitOfWork, gate: Gate, decides_on: date, fixed: Sequence[date], *, opened_on: date) -> None:
    """When the gate opens and decides, and how long a pass must hold therefore. Raises ``RuleBroken`` for a span without a rule."""
    try:
        rule = peeking.hold_rule(opened_on, decides_on, fixed)
    except ValueError as why:
        raise RuleBroken(
            "gate_days_invalid", field="decides_on", opened_on=opened_on, decides_on=decides_on, why=str(why)
        ) from None
    gate.opened_on, gate.decides_on = opened_on, decides_on
    gate.fixed_dates = canonical_json(list(rule.dates)).decode()
    gate.hold_needed = rule.needed
    gate.hold_level = Decimal(repr(rule.level)).quantize(Decimal("0.000001"))


def require_body(work: UnitOfWork, gate: Gate, bodies: Sequence[str], authority: Authority) -> str:
    """The first of these bodies that the person sits on; the steering committee always stands for any."""
    wave = work.session.get_one(Wave, gate.wave_id)
    sits = authority.bodies(work.session, work.actor.id, wave.programme_id, work.now)
    for body in bodies:
        if body in sits:
            return body
    for body, is_steering in sits.items():
        if is_steering:
            return body
    raise NotAllowed("not_of_the_body", gate=gate.id, bodies=list(bodies))


def close_gate(work: UnitOfWork, gate_id: int, *, reason: str) -> Gate:
    """Evaluate the gate no more: its question has been decided. A consequence, so whoever decided may do it."""
    gate = lock_gate(work, gate_id)
    move_gate(work, gate, "close", reason=reason)
    work.audit("gate.closed", "gate", gate.id, reason=reason)
    return gate


def tell(work: UnitOfWork, gate: Gate, event: Event) -> None:
    """Report what happened to a gate; its root document is the wave."""
    work.publish(event, NOWHERE, step="readiness.gate", subject=("gate", gate.id, gate.version), journey=gate.wave_id)

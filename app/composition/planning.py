"""May this plan be kept? What a wave names beyond its own tables: cells of the programme, people, customer groups, gates.

The waves know cells, owners and groups by id alone; here each of them is looked up where it lives before the plan is kept.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import select

from app.identity.models import Account
from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.models import CustomerGroup
from governance.programme.models import Programme, ProgrammeCell
from readiness.gates.flow import GateState
from readiness.gates.models import Gate
from readiness.waves import grants, services
from readiness.waves.models import Grant, Wave
from readiness.waves.permissions import WavePermission
from readiness.waves.queries import wave as wave_view


def plan_wave(work: UnitOfWork, command: services.PlanWave) -> Wave:
    """A wave of the programme's own cells. Raises ``NotFound`` for a programme, ``RuleBroken`` for cells, people or groups that
    do not exist, and whatever the rules of waves refuse.
    """
    work.actor.require(WavePermission.PLAN)
    require_zone(command.time_zone)
    _check_scope(work, command.programme_id, command.cells, command.customer_groups)
    require_person(work, command.owner, field="owner")
    return services.plan_wave(work, command)


def replan_wave(work: UnitOfWork, command: services.ReplanWave) -> Wave:
    """Change a plan; what a frozen gate reads stays as it is until the gate is withdrawn."""
    work.actor.require(WavePermission.PLAN)
    wave = services.lock_wave(work, command.wave_id)
    _check_scope(work, wave.programme_id, command.cells, command.customer_groups)
    require_person(work, command.owner, field="owner")
    if set(command.cells) != set(wave_view(work.session, wave.id).cells):
        phase = work.session.scalar(
            select(Gate.phase).where(Gate.wave_id == wave.id, Gate.state == GateState.FROZEN).order_by(Gate.id).limit(1)
        )
        if phase is not None:
            raise RuleBroken("wave_scope_frozen", field="cells", wave=wave.code, phase=phase.replace("_", "-"))
    return services.replan_wave(work, command)


def black_out(work: UnitOfWork, command: services.BlackOut) -> int:
    """Days without go-live in a programme there is; the window's id."""
    _require_programme(work, command.programme_id)
    return services.black_out(work, command).id


def record_already_live(work: UnitOfWork, programme_id: int, command: grants.RecordAlreadyLive) -> list[Grant]:
    """Cells of the programme that were live before it."""
    work.actor.require(WavePermission.ALREADY_LIVE)
    groups = None if command.customer_group is None else (command.customer_group,)
    _check_scope(work, programme_id, command.cells, groups)
    return grants.record_already_live(work, command)


def _require_programme(work: UnitOfWork, programme_id: int) -> None:
    if work.session.get(Programme, programme_id) is None:
        raise NotFound("programme_not_found", programme=programme_id)


def _check_scope(
    work: UnitOfWork, programme_id: int, cells: Sequence[tuple[int, int]], groups: Collection[int] | None
) -> None:
    _require_programme(work, programme_id)
    rows = work.session.execute(
        select(ProgrammeCell.site_id, ProgrammeCell.channel_id).where(ProgrammeCell.programme_id == programme_id)
    )
    strange = set(cells) - {(row.site_id, row.channel_id) for row in rows}
    if strange:
        raise RuleBroken("cell_outside_programme", field="cells", count=len(strange))
    known = set(work.session.scalars(select(CustomerGroup.id).where(CustomerGroup.id.in_(sorted(groups or ())))))
    for group in sorted(set(groups or ()) - known):
        raise RuleBroken("customer_group_unknown", field="customer_groups", group=group)


def require_person(work: UnitOfWork, person: int, *, field: str) -> None:
    """Raise ``RuleBroken`` for an account that does not exist or is closed: nobody would ever answer for it."""
    account = work.session.get(Account, person)
    if account is None or account.closed_at is not None:
        raise RuleBroken("person_unknown", field=field, person=person)


def require_zone(name: str) -> None:
    """Raise ``RuleBroken`` for what is no time zone."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise RuleBroken("time_zone_unknown", field="time_zone", time_zone=name) from None

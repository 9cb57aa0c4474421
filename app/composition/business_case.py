"""How do benefits and money enter the business case? Figures, people and waves are looked up where they are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from app.composition.planning import require_person
from app.composition.stage_gates import require_direction
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.work import UnitOfWork
from governance.programme.permissions import ProgrammePermission
from governance.roadmap import funding
from governance.roadmap.kinds import MoneyKind
from governance.roadmap.models import Benefit, MoneyLine
from readiness.waves.models import Wave


@dataclass(frozen=True, kw_only=True)
class Booking:
    """A line of the business case as a person or a program records it, in minor units of its currency."""

    programme_id: int
    wave_id: int | None
    kind: MoneyKind
    amount_minor: int
    currency: str
    on: date
    note: str
    time_zone: str = "UTC"


def record_money(work: UnitOfWork, bookings: Sequence[Booking]) -> list[MoneyLine]:
    """Lines of the business case. Raises ``RuleBroken`` for a wave of another programme, or spend on a day to come."""
    work.actor.require(ProgrammePermission.MANAGE)
    for one in bookings:
        wave = None if one.wave_id is None else work.session.get(Wave, one.wave_id)
        if one.wave_id is not None and (wave is None or wave.programme_id != one.programme_id):
            raise RuleBroken("business_wave", field="wave")
    return funding.record_money(
        work,
        [
            funding.RecordMoney(
                programme_id=one.programme_id, wave_id=one.wave_id, kind=one.kind, amount_minor=one.amount_minor,
                currency=one.currency, on=one.on, note=one.note, today=local_day(work.now, one.time_zone),
            )
            for one in bookings
        ],
    )  # fmt: skip


def plan_benefit(work: UnitOfWork, command: funding.PlanBenefit) -> Benefit:
    """A benefit on a figure of the catalogue, answered for by somebody with an open account.

    Raises ``RuleBroken`` for a figure of which neither more nor less is better: it cannot prove anything.
    """
    work.actor.require(ProgrammePermission.MANAGE)
    require_person(work, command.owner, field="owner")
    require_direction(command.figure)
    return funding.plan_benefit(work, command)

"""How is the interim state of a wave said? Waves, processes, steps and people are looked up where they are kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from app.composition.planning import require_person
from app.identity.models import Account
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.kernel.work import UnitOfWork
from erpcore.ports import Process
from governance.interim import services
from governance.interim.kinds import Direction, LinkKind, domains_of, process_title
from governance.interim.models import InterimInterface, InterimLink
from governance.interim.queries import wave_of_interface, wave_of_link
from governance.processes.queries import counting_steps
from governance.programme.permissions import ProgrammePermission
from readiness.waves.models import Wave, WaveScope


@dataclass(frozen=True, kw_only=True)
class NewInterface:
    """A temporary interface as a person or a program asks for it."""

    link_id: int
    name: str
    direction: Direction
    frequency: str
    owner: int | None
    ends_on: date
    when_it_stops: str


def processes_of(session: Session, wave_id: int) -> dict[str, str]:
    """The processes that a wave brings live, with their names, in order. One query."""
    found = set(session.scalars(select(WaveScope.process).where(WaveScope.wave_id == wave_id).distinct()))
    return {one.value: process_title(one.value) for one in Process if one in found}


def require_wave(session: Session, wave_id: int) -> Wave:
    """The wave. Raises ``NotFound``."""
    wave = session.get(Wave, wave_id)
    if wave is None:
        raise NotFound("wave_not_found", wave=wave_id)
    return wave


def owner_gone() -> ColumnElement[bool]:
    """Whether the account of who looks after an interface is closed, as a part of a query."""
    closed = select(Account.id).where(Account.id == InterimInterface.owner_id, Account.closed_at.is_not(None))
    return closed.correlate(InterimInterface).exists()


def map_link(work: UnitOfWork, command: services.MapLink) -> InterimLink:
    """Say who masters what. Raises ``RuleBroken`` for what is no process, step or data domain in the wave's scope."""
    work.actor.require(ProgrammePermission.MANAGE)
    wave = require_wave(work.session, command.wave_id)
    processes = processes_of(work.session, wave.id)
    if command.kind is LinkKind.DATUM:
        known = {one.value for one in domains_of(list(processes))}
    else:
        known = {*processes, *counting_steps(work.session, list(processes))}
    if command.code not in known:
        raise RuleBroken("interim_out_of_scope", field="code", code=command.code[:100], wave=wave.code)
    return services.map_link(work, command)


def put_interface(work: UnitOfWork, asked: NewInterface) -> InterimInterface:
    """Add a temporary interface; its days are those of the wave."""
    work.actor.require(ProgrammePermission.MANAGE)
    wave = require_wave(work.session, wave_of_link(work.session, asked.link_id))
    if asked.owner is not None:
        require_person(work, asked.owner, field="owner")
    return services.put_interface(
        work,
        services.PutInterface(
            link_id=asked.link_id, name=asked.name, direction=asked.direction, frequency=asked.frequency, owner=asked.owner,
            ends_on=asked.ends_on, when_it_stops=asked.when_it_stops, today=local_day(work.now, wave.time_zone),
        ),
    )  # fmt: skip


def change_interface(work: UnitOfWork, command: services.ChangeInterface) -> InterimInterface:
    """Hand it over, or give it another end."""
    work.actor.require(ProgrammePermission.MANAGE)
    wave_of_interface(work.session, command.interface_id)
    if command.owner is not None:
        require_person(work, command.owner, field="owner")
    return services.change_interface(work, command)

"""May this person sit there, is this cell one of ours? What the programme names beyond its own tables is looked up before it is kept."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.composition.planning import require_person
from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.models import Channel, Entity, Realm, Site
from governance.programme import seats, services
from governance.programme.models import Body, Delegation, Programme, Seat
from governance.programme.permissions import ProgrammePermission

__all__ = ["Session", "add_cells", "add_seat", "assign_seat", "create_body", "create_programme", "delegate_seat"]


def create_programme(work: UnitOfWork, command: services.CreateProgramme) -> Programme:
    """A programme over live sites and channels that exist."""
    work.actor.require(ProgrammePermission.MANAGE)
    _check_cells(work, command.cells)
    return services.create_programme(work, command)


def add_cells(work: UnitOfWork, programme_id: int, cells: tuple[tuple[int, int], ...]) -> None:
    """Bring live sites and channels that exist into a programme."""
    work.actor.require(ProgrammePermission.MANAGE)
    _check_cells(work, cells)
    services.add_cells(work, programme_id, cells)


def _check_cells(work: UnitOfWork, cells: tuple[tuple[int, int], ...]) -> None:
    sites = set(
        work.session.scalars(
            select(Site.id)
            .join(Entity, Entity.id == Site.entity_id)
            .where(Entity.realm == Realm.LIVE, Site.id.in_(sorted({site for site, _ in cells})))
        )
    )
    channels = set(
        work.session.scalars(select(Channel.id).where(Channel.id.in_(sorted({channel for _, channel in cells}))))
    )
    for site, channel in sorted(set(cells)):
        if site not in sites:
            raise RuleBroken("site_not_live", field="cells", site=site)
        if channel not in channels:
            raise RuleBroken("channel_unknown", field="cells", channel=channel)


def create_body(work: UnitOfWork, command: services.CreateBody) -> Body:
    """A body whose seats are held by people with open accounts, each by one."""
    work.actor.require(ProgrammePermission.MANAGE)
    if work.session.get(Programme, command.programme_id) is None:
        raise NotFound("programme_not_found", programme=command.programme_id)
    for seat in command.seats:
        if seat.person is not None:
            require_person(work, seat.person, field="person")
    return services.create_body(work, command)


def add_seat(work: UnitOfWork, command: seats.AddSeat) -> Seat:
    """A further seat, held by somebody with an open account."""
    work.actor.require(ProgrammePermission.SEATS)
    if command.person is not None:
        require_person(work, command.person, field="person")
    return seats.add_seat(work, command)


def assign_seat(work: UnitOfWork, seat_id: int, person: int | None, *, reason: str) -> Seat:
    """Put somebody with an open account on a seat, or leave it vacant."""
    work.actor.require(ProgrammePermission.SEATS)
    if person is not None:
        require_person(work, person, field="person")
    return seats.assign_seat(work, seat_id, person, reason=reason)


def delegate_seat(work: UnitOfWork, command: seats.DelegateSeat) -> Delegation:
    """Let somebody with an open account stand in for a seat."""
    require_person(work, command.delegate, field="delegate")
    return seats.delegate_seat(work, command)

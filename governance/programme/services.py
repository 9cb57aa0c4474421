"""How a programme gets its cells, bodies, seats and meetings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select

from erpcore.kernel.errors import NotAllowed, NotFound, RuleBroken
from erpcore.kernel.work import UnitOfWork
from governance.programme.models import Body, BodyKind, Delegation, Meeting, Programme, ProgrammeCell, Seat
from governance.programme.permissions import ProgrammePermission


@dataclass(frozen=True, kw_only=True)
class CreateProgramme:
    """A new programme with its cells as (live site, channel)."""

    code: str
    name: str
    purpose: str
    starts_on: date
    ends_on: date | None = None
    cells: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, kw_only=True)
class NewSeat:
    """A seat of a new body."""

    function: str
    person: int | None = None
    chair: bool = False
    mandatory: bool = False
    veto: bool = False


@dataclass(frozen=True, kw_only=True)
class CreateBody:
    """A governance body; quorum and majority as (numerator, denominator)."""

    programme_id: int
    code: str
    name: str
    kind: BodyKind
    mandate: str
    seats: tuple[NewSeat, ...]
    quorum: tuple[int, int] = (2, 3)
    majority: tuple[int, int] = (2, 3)


@dataclass(frozen=True, kw_only=True)
class DelegateSeat:
    """Let somebody else act for a seat for a while."""

    seat_id: int
    delegate: int
    valid_from: datetime
    valid_until: datetime
    reason: str


@dataclass(frozen=True, kw_only=True)
class ScheduleMeeting:
    """When a body meets, and what for."""

    body_id: int
    title: str
    starts_at: datetime
    ends_at: datetime
    agenda: str = ""


def create_programme(work: UnitOfWork, command: CreateProgramme) -> Programme:
    """A programme and its cells. Raises ``RuleBroken`` for a code that is taken or an end before the start."""
    work.actor.require(ProgrammePermission.MANAGE)
    if work.session.scalar(select(Programme.id).where(Programme.code == command.code)) is not None:
        raise RuleBroken("code_taken", field="code", code=command.code)
    if command.ends_on is not None and command.ends_on <= command.starts_on:
        raise RuleBroken("end_before_start", field="ends_on", starts_on=command.starts_on, ends_on=command.ends_on)
    programme = Programme(
        id=work.ids.one(), code=command.code, name=command.name, purpose=command.purpose,
        starts_on=command.starts_on, ends_on=command.ends_on,
    )  # fmt: skip
    work.session.add(programme)
    # Rows of other tables name it; without relationships the order of inserts is ours to say.
    work.session.flush()
    add_cells(work, programme.id, command.cells)
    work.audit("programme.created", "programme", programme.id, code=command.code, name=command.name)
    return programme


def add_cells(work: UnitOfWork, programme_id: int, cells: tuple[tuple[int, int], ...]) -> None:
    """Bring further cells, (live site, channel), into the programme; those it has already are left alone."""
    work.actor.require(ProgrammePermission.MANAGE)
    if work.session.get(Programme, programme_id) is None:
        raise NotFound("programme_not_found", programme=programme_id)
    known = {
        (row.site_id, row.channel_id)
        for row in work.session.execute(
            select(ProgrammeCell.site_id, ProgrammeCell.channel_id).where(ProgrammeCell.programme_id == programme_id)
        )
    }
    for site, channel in sorted(set(cells) - known):
        work.session.add(ProgrammeCell(id=work.ids.one(), programme_id=programme_id, site_id=site, channel_id=channel))


def create_body(work: UnitOfWork, command: CreateBody) -> Body:
    """A governance body with its seats. Raises ``RuleBroken`` for shares outside 0 to 1 or a body without seats."""
    work.actor.require(ProgrammePermission.MANAGE)
    for name, (part, whole) in (("quorum", command.quorum), ("majority", command.majority)):
        if not 0 < part <= whole:
            raise RuleBroken("share_invalid", field=name, part=part, whole=whole)
    if not command.seats:
        raise RuleBroken("body_without_seats", field="seats", body=command.name)
    body = Body(
        id=work.ids.one(), programme_id=command.programme_id, code=command.code, name=command.name, kind=command.kind,
        mandate=command.mandate, quorum_seats=command.quorum[0], quorum_of=command.quorum[1],
        majority_votes=command.majority[0], majority_of=command.majority[1],
    )  # fmt: skip
    work.session.add(body)
    work.session.flush()  # the seats name it
    for position, seat in enumerate(command.seats, start=1):
        work.session.add(
            Seat(
                id=work.ids.one(), body_id=body.id, position=position, function=seat.function, person_id=seat.person,
                is_chair=seat.chair, is_mandatory=seat.mandatory, has_veto=seat.veto,
            )
        )  # fmt: skip
    work.audit(
        "body.created", "body", body.id, code=command.code, purpose=command.kind, quorum=list(command.quorum),
        majority=list(command.majority), seats=[[seat.function, seat.person] for seat in command.seats],
    )  # fmt: skip
    return body


def assign_seat(work: UnitOfWork, seat_id: int, person: int | None, *, reason: str) -> Seat:
    """Put a person on a seat, or leave it vacant. Votes that are open keep the seats they were opened with."""
    work.actor.require(ProgrammePermission.SEATS)
    seat = work.session.get(Seat, seat_id, with_for_update={"key_share": True})
    if seat is None or seat.ended_at is not None:
        raise NotFound("seat_not_found", seat=seat_id)
    if not reason.strip():
        raise RuleBroken("reason_required", field="reason", document="seat", move="assign")
    work.audit(
        "seat.assigned", "seat", seat.id, function=seat.function, before=seat.person_id, after=person, reason=reason
    )
    seat.person_id = person
    return seat


def delegate_seat(work: UnitOfWork, command: DelegateSeat) -> Delegation:
    """Record who stands in for a seat. The holder does it, or who may assign seats; never for oneself."""
    seat = work.session.get(Seat, command.seat_id)
    if seat is None or seat.ended_at is not None:
        raise NotFound("seat_not_found", seat=command.seat_id)
    if seat.person_id != work.actor.id and not work.actor.may(ProgrammePermission.SEATS):
        raise NotAllowed("not_your_seat", seat=command.seat_id)
    if command.delegate == seat.person_id:
        raise RuleBroken("delegate_is_holder", field="delegate", seat=command.seat_id)
    if command.valid_until <= max(command.valid_from, work.now):
        raise RuleBroken("validity_empty", field="valid_until", until=command.valid_until)
    delegation = Delegation(
        id=work.ids.one(), seat_id=seat.id, delegate_id=command.delegate, valid_from=command.valid_from,
        valid_until=command.valid_until, reason=command.reason, recorded_by=work.actor.id,
    )  # fmt: skip
    work.session.add(delegation)
    work.audit(
        "seat.delegated", "seat", seat.id, delegate=command.delegate, valid_from=command.valid_from,
        valid_until=command.valid_until, reason=command.reason,
    )  # fmt: skip
    return delegation


def schedule_meeting(work: UnitOfWork, command: ScheduleMeeting) -> Meeting:
    """Put a meeting of a body into the calendar."""
    work.actor.require(ProgrammePermission.MANAGE)
    if work.session.get(Body, command.body_id) is None:
        raise NotFound("body_not_found", body=command.body_id)
    if command.ends_at <= command.starts_at:
        raise RuleBroken("end_before_start", field="ends_at", starts_at=command.starts_at, ends_at=command.ends_at)
    meeting = Meeting(
        id=work.ids.one(), body_id=command.body_id, title=command.title, starts_at=command.starts_at,
        ends_at=command.ends_at, agenda=command.agenda,
    )  # fmt: skip
    work.session.add(meeting)
    return meeting

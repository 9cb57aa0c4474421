"""How a programme gets its cells, and its bodies with their rule; who sits on them, and when they meet, is next door."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.kernel.work import UnitOfWork
from governance.programme.kinds import BodyKind
from governance.programme.models import Body, Programme, ProgrammeCell, Seat
from governance.programme.permissions import ProgrammePermission
from governance.programme.seats import LONGEST_FUNCTION, lock_body


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
class SetRule:
    """What a body is for and how it decides; quorum and majority as (numerator, denominator)."""

    body_id: int
    name: str
    mandate: str
    quorum: tuple[int, int]
    majority: tuple[int, int]
    reason: str


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
    further = sorted(set(cells) - known)
    for site, channel in further:
        work.session.add(ProgrammeCell(id=work.ids.one(), programme_id=programme_id, site_id=site, channel_id=channel))
    if further:
        work.audit("programme.cells_added", "programme", programme_id, cells=further)


def create_body(work: UnitOfWork, command: CreateBody) -> Body:
    """A governance body with its seats. Raises ``RuleBroken`` for shares outside 0 to 1 or a body without seats."""
    work.actor.require(ProgrammePermission.MANAGE)
    _check_shares(quorum=command.quorum, majority=command.majority)
    if not command.seats:
        raise RuleBroken("body_without_seats", field="seats", body=command.name)
    known = select(Body.id).where(Body.programme_id == command.programme_id, Body.code == command.code)
    if work.session.scalar(known) is not None:
        raise RuleBroken("code_taken", field="code", code=command.code)
    _check_seats(command)
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


def _check_seats(command: CreateBody) -> None:
    held = [seat.person for seat in command.seats if seat.person is not None]
    for seat in command.seats:
        if not seat.function.strip():
            raise RuleBroken("function_missing", field="function", longest=LONGEST_FUNCTION)
        if seat.person is not None and held.count(seat.person) > 1:
            raise RuleBroken("seat_held_already", field="person", function=seat.function)
    chairs = [seat.function for seat in command.seats if seat.chair]
    if len(chairs) > 1:
        raise RuleBroken("chair_taken", field="chair", body=command.name, function=chairs[0])


def set_rule(work: UnitOfWork, command: SetRule) -> Body:
    """Change a body's name, mandate, quorum or majority. Votes that are open keep the rule they were opened with."""
    work.actor.require(ProgrammePermission.MANAGE)
    body = lock_body(work, command.body_id)
    _check_shares(quorum=command.quorum, majority=command.majority)
    if not command.name.strip():
        raise RuleBroken("name_missing", field="name")
    if not command.reason.strip():
        raise RuleBroken("reason_required", field="reason", document="body", move="set rule")
    before = [body.name, body.mandate, body.quorum_seats, body.quorum_of, body.majority_votes, body.majority_of]
    body.name, body.mandate = command.name.strip(), command.mandate
    body.quorum_seats, body.quorum_of = command.quorum
    body.majority_votes, body.majority_of = command.majority
    work.audit(
        "body.rule_set", "body", body.id, before=before, reason=command.reason,
        after=[body.name, body.mandate, body.quorum_seats, body.quorum_of, body.majority_votes, body.majority_of],
    )  # fmt: skip
    return body


def _check_shares(**shares: tuple[int, int]) -> None:
    for name, (part, whole) in shares.items():
        if not 0 < part <= whole:
            raise RuleBroken("share_invalid", field=name, part=part, whole=whole)

"""Who sits on a body: seats are added, held, changed and ended, and somebody stands in for a while.

Votes that are open keep the seats they were opened with; what changes here counts from the next vote on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from erpcore.kernel.errors import NotAllowed, NotFound, RuleBroken
from erpcore.kernel.work import UnitOfWork
from governance.programme.models import Body, Delegation, Seat
from governance.programme.permissions import ProgrammePermission

LONGEST_FUNCTION = 80


@dataclass(frozen=True, kw_only=True)
class AddSeat:
    """A further seat of a body; ``person`` ``None``: vacant."""

    body_id: int
    function: str
    person: int | None = None
    chair: bool = False
    mandatory: bool = False
    veto: bool = False
    reason: str


@dataclass(frozen=True, kw_only=True)
class ChangeSeat:
    """What a seat stands for and weighs: without a mandatory one there is no quorum, a veto's no-go stops a go."""

    seat_id: int
    function: str
    chair: bool = False
    mandatory: bool = False
    veto: bool = False
    reason: str


@dataclass(frozen=True, kw_only=True)
class DelegateSeat:
    """Let somebody else act for a seat for a while."""

    seat_id: int
    delegate: int
    valid_from: datetime
    valid_until: datetime
    reason: str


def add_seat(work: UnitOfWork, command: AddSeat) -> Seat:
    """A seat at the end of the body's list. Raises ``RuleBroken`` for a second chair, or a person who has a seat there already."""
    work.actor.require(ProgrammePermission.SEATS)
    body = lock_body(work, command.body_id)
    _check(work, body, None, command)
    if command.person is not None:
        _one_seat_each(work, body.id, command.person)
    last = work.session.scalar(select(func.max(Seat.position)).where(Seat.body_id == body.id))
    seat = Seat(
        id=work.ids.one(), body_id=body.id, position=(last or 0) + 1, function=command.function.strip(),
        person_id=command.person, is_chair=command.chair, is_mandatory=command.mandatory, has_veto=command.veto,
    )  # fmt: skip
    work.session.add(seat)
    work.audit(
        "seat.added", "seat", seat.id, body=body.code, function=seat.function, person=command.person, chair=command.chair,
        mandatory=command.mandatory, veto=command.veto, reason=command.reason,
    )  # fmt: skip
    return seat


def assign_seat(work: UnitOfWork, seat_id: int, person: int | None, *, reason: str) -> Seat:
    """Put a person on a seat, or leave it vacant. Votes that are open keep the seats they were opened with."""
    work.actor.require(ProgrammePermission.SEATS)
    seat = _locked(work, seat_id)
    _reason(reason, "assign")
    if person is not None and person != seat.person_id:
        _one_seat_each(work, seat.body_id, person)
    work.audit(
        "seat.assigned", "seat", seat.id, function=seat.function, before=seat.person_id, after=person, reason=reason
    )
    seat.person_id = person
    return seat


def change_seat(work: UnitOfWork, command: ChangeSeat) -> Seat:
    """Change what a seat stands for and weighs. Raises ``RuleBroken`` for a second chair."""
    work.actor.require(ProgrammePermission.SEATS)
    seat = _locked(work, command.seat_id)
    body = work.session.get_one(Body, seat.body_id)
    _check(work, body, seat, command)
    before = [seat.function, seat.is_chair, seat.is_mandatory, seat.has_veto]
    seat.function, seat.is_chair = command.function.strip(), command.chair
    seat.is_mandatory, seat.has_veto = command.mandatory, command.veto
    work.audit(
        "seat.changed", "seat", seat.id, body=body.code, before=before,
        after=[seat.function, seat.is_chair, seat.is_mandatory, seat.has_veto], reason=command.reason,
    )  # fmt: skip
    return seat


def end_seat(work: UnitOfWork, seat_id: int, *, reason: str) -> Seat:
    """Abolish a seat: it has no vote in any vote opened from now on. Raises ``RuleBroken`` for the body's last one."""
    work.actor.require(ProgrammePermission.SEATS)
    seat = _locked(work, seat_id)
    _reason(reason, "end")
    body = work.session.get_one(Body, seat.body_id)
    left = work.session.scalar(select(func.count()).where(Seat.body_id == body.id, Seat.ended_at.is_(None)))
    if left == 1:
        raise RuleBroken("body_without_seats", field="seats", body=body.name)
    seat.ended_at = work.now
    work.audit(
        "seat.ended", "seat", seat.id, body=body.code, function=seat.function, person=seat.person_id, reason=reason
    )
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
        raise RuleBroken("validity_empty", field="valid_until", since=command.valid_from, until=command.valid_until)
    _reason(command.reason, "delegate")
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


def end_delegation(work: UnitOfWork, delegation_id: int, *, reason: str) -> int:
    """Let nobody stand in any more, at once; one that has not begun never does. Returns the seat. Who named it, or could, ends it."""
    delegation = work.session.get(
        Delegation, delegation_id, with_for_update={"key_share": True}, populate_existing=True
    )
    if delegation is None or delegation.valid_until <= work.now:
        raise NotFound("delegation_not_found", delegation=delegation_id)
    seat = work.session.get_one(Seat, delegation.seat_id)
    if seat.person_id != work.actor.id and not work.actor.may(ProgrammePermission.SEATS):
        raise NotAllowed("not_your_seat", seat=seat.id)
    _reason(reason, "end")
    if delegation.valid_from >= work.now:
        work.session.delete(delegation)
    else:
        delegation.valid_until = work.now
    work.audit("seat.delegation_ended", "seat", seat.id, delegate=delegation.delegate_id, reason=reason)
    return seat.id


def lock_body(work: UnitOfWork, body_id: int) -> Body:
    """The body, locked, so that its seats change one after the other. Raises ``NotFound``."""
    body = work.session.get(Body, body_id, with_for_update={"key_share": True}, populate_existing=True)
    if body is None:
        raise NotFound("body_not_found", body=body_id)
    return body


def _locked(work: UnitOfWork, seat_id: int) -> Seat:
    found = work.session.get(Seat, seat_id)
    if found is None or found.ended_at is not None:
        raise NotFound("seat_not_found", seat=seat_id)
    lock_body(work, found.body_id)
    seat = work.session.get_one(Seat, seat_id, with_for_update={"key_share": True}, populate_existing=True)
    if seat.ended_at is not None:
        raise NotFound("seat_not_found", seat=seat_id)
    return seat


def _check(work: UnitOfWork, body: Body, seat: Seat | None, command: AddSeat | ChangeSeat) -> None:
    if not command.function.strip() or len(command.function.strip()) > LONGEST_FUNCTION:
        raise RuleBroken("function_missing", field="function", longest=LONGEST_FUNCTION)
    _reason(command.reason, "change")
    if command.chair:
        query = select(Seat.function).where(Seat.body_id == body.id, Seat.is_chair, Seat.ended_at.is_(None))
        if seat is not None:
            query = query.where(Seat.id != seat.id)
        other = work.session.scalar(query)
        if other is not None:
            raise RuleBroken("chair_taken", field="chair", body=body.name, function=other)


def _one_seat_each(work: UnitOfWork, body_id: int, person: int) -> None:
    held = work.session.scalar(
        select(Seat.function).where(Seat.body_id == body_id, Seat.person_id == person, Seat.ended_at.is_(None))
    )
    if held is not None:
        raise RuleBroken("seat_held_already", field="person", function=held)


def _reason(reason: str, move: str) -> None:
    if not reason.strip():
        raise RuleBroken("reason_required", field="reason", document="seat", move=move)

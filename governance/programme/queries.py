"""What is the programme, who decides in it, and on which bodies does a person sit?"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from erpcore.kernel.errors import NotFound
from governance.programme.kinds import BodyKind
from governance.programme.models import Body, Delegation, Programme, ProgrammeCell, Seat


@dataclass(frozen=True, kw_only=True)
class ProgrammeView:
    """A programme with its cells as (live site, channel)."""

    id: int
    code: str
    name: str
    purpose: str
    starts_on: date
    ends_on: date | None
    cells: tuple[tuple[int, int], ...]


@dataclass(frozen=True, kw_only=True)
class SeatView:
    """A seat with its holder and whoever may act for it now."""

    id: int
    body_id: int
    position: int
    function: str
    person: int | None
    delegate: int | None
    is_chair: bool
    is_mandatory: bool
    has_veto: bool


@dataclass(frozen=True, kw_only=True)
class BodyView:
    """A body with its rule and seats, in order."""

    id: int
    programme_id: int
    code: str
    name: str
    kind: BodyKind
    mandate: str
    quorum: tuple[int, int]
    majority: tuple[int, int]
    seats: tuple[SeatView, ...]


@dataclass(frozen=True, kw_only=True)
class DelegationView:
    """Somebody who stands in for a seat, now or later."""

    id: int
    seat_id: int
    function: str
    delegate: int
    valid_from: datetime
    valid_until: datetime
    reason: str


def programmes(session: Session) -> list[ProgrammeView]:
    """All programmes by code. Two queries."""
    cells = defaultdict(list)
    for row in session.execute(
        select(ProgrammeCell.programme_id, ProgrammeCell.site_id, ProgrammeCell.channel_id).order_by(
            ProgrammeCell.site_id, ProgrammeCell.channel_id
        )
    ):
        cells[row.programme_id].append((row.site_id, row.channel_id))
    return [
        ProgrammeView(
            id=each.id, code=each.code, name=each.name, purpose=each.purpose, starts_on=each.starts_on,
            ends_on=each.ends_on, cells=tuple(cells[each.id]),
        )
        for each in session.scalars(select(Programme).order_by(Programme.code))
    ]  # fmt: skip


def bodies(
    session: Session, now: datetime, *, programme_id: int | None = None, body_id: int | None = None
) -> list[BodyView]:
    """Bodies with seats and the delegates of ``now``. Two queries."""
    query = select(Body).order_by(Body.programme_id, Body.code)
    if programme_id is not None:
        query = query.where(Body.programme_id == programme_id)
    if body_id is not None:
        query = query.where(Body.id == body_id)
    found = session.scalars(query).all()
    seats = defaultdict(list)
    for seat in _seats(session, [body.id for body in found], now):
        seats[seat.body_id].append(seat)
    return [
        BodyView(
            id=body.id, programme_id=body.programme_id, code=body.code, name=body.name, kind=BodyKind(body.kind),
            mandate=body.mandate, quorum=(body.quorum_seats, body.quorum_of),
            majority=(body.majority_votes, body.majority_of), seats=tuple(seats[body.id]),
        )
        for body in found
    ]  # fmt: skip


def body(session: Session, body_id: int, now: datetime) -> BodyView:
    """One body. Raises ``NotFound``."""
    found = bodies(session, now, body_id=body_id)
    if not found:
        raise NotFound("body_not_found", body=body_id)
    return found[0]


def _seats(session: Session, body_ids: list[int], now: datetime) -> list[SeatView]:
    valid = (Delegation.seat_id == Seat.id) & (Delegation.valid_from <= now) & (Delegation.valid_until > now)
    rows = session.execute(
        select(Seat, Delegation.delegate_id)
        .outerjoin(Delegation, valid)
        .where(Seat.body_id.in_(body_ids), Seat.ended_at.is_(None))
        .order_by(Seat.body_id, Seat.position, Delegation.id)
    ).all()
    by_seat: dict[int, SeatView] = {}
    for seat, delegate in rows:  # the delegation recorded last stands
        by_seat[seat.id] = SeatView(
            id=seat.id, body_id=seat.body_id, position=seat.position, function=seat.function, person=seat.person_id,
            delegate=delegate, is_chair=seat.is_chair, is_mandatory=seat.is_mandatory, has_veto=seat.has_veto,
        )  # fmt: skip
    return list(by_seat.values())


def delegations(session: Session, body_id: int, now: datetime) -> list[DelegationView]:
    """Who stands in for a seat of the body, now or later, in order of time. One query."""
    rows = session.execute(
        select(Delegation, Seat.function)
        .join(Seat, Seat.id == Delegation.seat_id)
        .where(Seat.body_id == body_id, Seat.ended_at.is_(None), Delegation.valid_until > now)
        .order_by(Delegation.valid_from, Delegation.id)
    )
    return [
        DelegationView(
            id=row.id, seat_id=row.seat_id, function=function, delegate=row.delegate_id, valid_from=row.valid_from,
            valid_until=row.valid_until, reason=row.reason,
        )
        for row, function in rows
    ]  # fmt: skip


def body_of_seat(session: Session, seat_id: int) -> int:
    """The body that a seat belongs to. Raises ``NotFound``."""
    found = session.scalar(select(Seat.body_id).where(Seat.id == seat_id))
    if found is None:
        raise NotFound("seat_not_found", seat=seat_id)
    return found


def bodies_of_person(session: Session, person: int, programme_id: int, now: datetime) -> dict[str, BodyKind]:
    """The programme's bodies, by code, in which the person holds a seat or stands in for one at ``now``."""
    valid = (Delegation.seat_id == Seat.id) & (Delegation.valid_from <= now) & (Delegation.valid_until > now)
    rows = session.execute(
        select(Body.code, Body.kind)
        .join(Seat, Seat.body_id == Body.id)
        .outerjoin(Delegation, valid)
        .where(
            Body.programme_id == programme_id,
            Seat.ended_at.is_(None),
            (Seat.person_id == person) | (Delegation.delegate_id == person),
        )
        .distinct()
    )
    return {row.code: BodyKind(row.kind) for row in rows}


def bodies_met_by(session: Session, person: int, now: datetime) -> dict[int, str]:
    """The bodies, by id with their name, in which the person holds a seat or stands in for one at ``now``. One query."""
    valid = (Delegation.seat_id == Seat.id) & (Delegation.valid_from <= now) & (Delegation.valid_until > now)
    rows = session.execute(
        select(Body.id, Body.name)
        .join(Seat, Seat.body_id == Body.id)
        .outerjoin(Delegation, valid)
        .where(Seat.ended_at.is_(None), (Seat.person_id == person) | (Delegation.delegate_id == person))
        .distinct()
    )
    return {row.id: row.name for row in rows}

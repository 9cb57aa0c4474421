"""The programme and who decides in it: cells, bodies with their rule, seats and delegates."""

from __future__ import annotations

from datetime import datetime

from app.api.framework import operation
from app.api.v1.body_models import (
    AddSeatBody,
    BodiesAnswer,
    BodyAnswer,
    BodyBody,
    CellAnswer,
    CellsBody,
    ChangeSeatBody,
    DelegationAnswer,
    DelegationBody,
    HolderBody,
    ProgrammeAnswer,
    ProgrammeBody,
    ProgrammesAnswer,
    ReasonBody,
    RuleBody,
    SeatAnswer,
    ShareAnswer,
)
from app.api.v1.meetings import meeting_answer
from app.composition import programme_office as office
from app.composition.request import now, reader
from app.security.permissions import Permission
from erpcore.kernel.work import UnitOfWork
from governance.programme import calendar, queries, seats, services


def _programme(one: queries.ProgrammeView) -> ProgrammeAnswer:
    return ProgrammeAnswer(
        id=one.id, code=one.code, name=one.name, purpose=one.purpose, starts_on=one.starts_on, ends_on=one.ends_on,
        cells=[CellAnswer(site=site, channel=channel) for site, channel in one.cells],
    )  # fmt: skip


def _body(session: office.Session, body_id: int, at: datetime) -> BodyAnswer:
    one = queries.body(session, body_id, at)
    return BodyAnswer(
        id=one.id, programme=one.programme_id, code=one.code, name=one.name, kind=one.kind.value, mandate=one.mandate,
        quorum=ShareAnswer(part=one.quorum[0], whole=one.quorum[1]),
        majority=ShareAnswer(part=one.majority[0], whole=one.majority[1]),
        seats=[
            SeatAnswer(
                id=seat.id, function=seat.function, person=seat.person, delegate=seat.delegate, is_chair=seat.is_chair,
                is_mandatory=seat.is_mandatory, has_veto=seat.has_veto,
            )
            for seat in one.seats
        ],
        delegations=[
            DelegationAnswer(
                id=each.id, seat=each.seat_id, delegate=each.delegate, valid_from=each.valid_from, valid_until=each.valid_until,
                reason=each.reason,
            )
            for each in queries.delegations(session, body_id, at)
        ],
        meetings=[
            meeting_answer(each) for each in calendar.meetings(session, since=at, body_id=body_id)
        ],
    )  # fmt: skip


def _read_back(work: UnitOfWork, body_id: int) -> BodyAnswer:
    work.session.flush()  # the answer is read back with queries
    return _body(work.session, body_id, work.now)


@operation(
    "GET", "/programmes", permission=Permission.PROGRAMME_VIEW, summary="List the programmes", tag="Programme", answer=ProgrammesAnswer
)  # fmt: skip
def list_programmes() -> ProgrammesAnswer:
    return ProgrammesAnswer(items=[_programme(one) for one in queries.programmes(reader())])


@operation(
    "POST", "/programmes", permission=Permission.PROGRAMME_MANAGE, summary="Begin a programme", tag="Programme",
    body=ProgrammeBody, answer=ProgrammeAnswer, status=201,
    example={"code": "ONE", "name": "One core", "purpose": "One ERP for all sites.", "starts_on": "2026-10-01",
             "cells": [{"site": 3, "channel": 1}]},
)  # fmt: skip
def begin_a_programme(work: UnitOfWork, body: ProgrammeBody) -> ProgrammeAnswer:
    command = services.CreateProgramme(
        code=body.code, name=body.name, purpose=body.purpose, starts_on=body.starts_on, ends_on=body.ends_on,
        cells=tuple((one.site, one.channel) for one in body.cells),
    )  # fmt: skip
    made = office.create_programme(work, command).id
    work.session.flush()  # the answer is read back with a query
    return _programme(next(one for one in queries.programmes(work.session) if one.id == made))


@operation(
    "POST", "/programmes/{programme_id}/cells", permission=Permission.PROGRAMME_MANAGE, summary="Bring cells into a programme",
    tag="Programme", body=CellsBody, answer=ProgrammeAnswer, example={"cells": [{"site": 3, "channel": 1}]},
)  # fmt: skip
def bring_cells_in(work: UnitOfWork, programme_id: int, body: CellsBody) -> ProgrammeAnswer:
    office.add_cells(work, programme_id, tuple((one.site, one.channel) for one in body.cells))
    work.session.flush()  # the answer is read back with a query
    return _programme(next(one for one in queries.programmes(work.session) if one.id == programme_id))


@operation(
    "GET", "/programmes/{programme_id}/bodies", permission=Permission.PROGRAMME_VIEW, summary="Who decides in a programme",
    tag="Programme", answer=BodiesAnswer,
)  # fmt: skip
def list_bodies(programme_id: int) -> BodiesAnswer:
    found = queries.bodies(reader(), now(), programme_id=programme_id)
    return BodiesAnswer(items=[_body(reader(), one.id, now()) for one in found])


@operation(
    "POST", "/programmes/{programme_id}/bodies", permission=Permission.PROGRAMME_MANAGE, summary="Set up a decision body",
    tag="Programme", body=BodyBody, answer=BodyAnswer, status=201,
    example={"code": "steering", "name": "Steering committee", "kind": "steering", "mandate": "Decides on every go-live.",
             "quorum": {"part": 2, "whole": 3}, "majority": {"part": 2, "whole": 3},
             "seats": [{"function": "Chair", "person": 7, "chair": True}, {"function": "Finance", "mandatory": True}]},
)  # fmt: skip
def set_up_a_body(work: UnitOfWork, programme_id: int, body: BodyBody) -> BodyAnswer:
    command = services.CreateBody(
        programme_id=programme_id, code=body.code, name=body.name, kind=body.kind, mandate=body.mandate,
        quorum=body.quorum.pair(), majority=body.majority.pair(),
        seats=tuple(services.NewSeat(**dict(one)) for one in body.seats),
    )  # fmt: skip
    return _read_back(work, office.create_body(work, command).id)


@operation(
    "GET", "/bodies/{body_id}", permission=Permission.PROGRAMME_VIEW, summary="One decision body", tag="Programme", answer=BodyAnswer
)  # fmt: skip
def show_body(body_id: int) -> BodyAnswer:
    return _body(reader(), body_id, now())


@operation(
    "POST", "/bodies/{body_id}/rule", permission=Permission.PROGRAMME_MANAGE, summary="Change how a body decides", tag="Programme",
    body=RuleBody, answer=BodyAnswer,
    example={"name": "Steering committee", "mandate": "Decides on every go-live.", "quorum": {"part": 1, "whole": 2},
             "majority": {"part": 2, "whole": 3}, "reason": "decided by the board"},
)  # fmt: skip
def change_the_rule(work: UnitOfWork, body_id: int, body: RuleBody) -> BodyAnswer:
    command = services.SetRule(
        body_id=body_id, name=body.name, mandate=body.mandate, quorum=body.quorum.pair(), majority=body.majority.pair(),
        reason=body.reason,
    )  # fmt: skip
    services.set_rule(work, command)
    return _read_back(work, body_id)


@operation(
    "POST", "/bodies/{body_id}/seats", permission=Permission.SEAT_ASSIGN, summary="Add a seat", tag="Programme",
    body=AddSeatBody, answer=BodyAnswer, status=201,
    example={"function": "Sales", "person": 9, "reason": "sales decides with us"},
)  # fmt: skip
def add_a_seat(work: UnitOfWork, body_id: int, body: AddSeatBody) -> BodyAnswer:
    office.add_seat(work, seats.AddSeat(body_id=body_id, **dict(body)))
    return _read_back(work, body_id)


@operation(
    "POST", "/seats/{seat_id}/holder", permission=Permission.SEAT_ASSIGN, summary="Put somebody on a seat", tag="Programme",
    body=HolderBody, answer=BodyAnswer, example={"person": 9, "reason": "takes over from Martin Albers"},
)  # fmt: skip
def put_on_a_seat(work: UnitOfWork, seat_id: int, body: HolderBody) -> BodyAnswer:
    return _read_back(work, office.assign_seat(work, seat_id, body.person, reason=body.reason).body_id)


@operation(
    "POST", "/seats/{seat_id}/change", permission=Permission.SEAT_ASSIGN, summary="Change what a seat weighs", tag="Programme",
    body=ChangeSeatBody, answer=BodyAnswer, example={"function": "Finance", "mandatory": True, "reason": "no go without finance"},
)  # fmt: skip
def change_a_seat(work: UnitOfWork, seat_id: int, body: ChangeSeatBody) -> BodyAnswer:
    return _read_back(work, seats.change_seat(work, seats.ChangeSeat(seat_id=seat_id, **dict(body))).body_id)


@operation(
    "POST", "/seats/{seat_id}/end", permission=Permission.SEAT_ASSIGN, summary="Abolish a seat", tag="Programme", body=ReasonBody,
    answer=BodyAnswer, example={"reason": "the function is gone"},
)  # fmt: skip
def end_a_seat(work: UnitOfWork, seat_id: int, body: ReasonBody) -> BodyAnswer:
    return _read_back(work, seats.end_seat(work, seat_id, reason=body.reason).body_id)


@operation(
    "POST", "/seats/{seat_id}/delegations", permission=Permission.PROGRAMME_VIEW, summary="Name who stands in for a seat",
    tag="Programme", body=DelegationBody, answer=BodyAnswer, status=201,
    example={"delegate": 11, "valid_from": "2027-01-20T00:00:00Z", "valid_until": "2027-02-03T00:00:00Z", "reason": "on leave"},
)  # fmt: skip
def name_a_delegate(work: UnitOfWork, seat_id: int, body: DelegationBody) -> BodyAnswer:
    """The seat's holder does it, or who assigns seats; the service asks which of them it is."""
    office.delegate_seat(work, seats.DelegateSeat(seat_id=seat_id, **dict(body)))
    return _read_back(work, queries.body_of_seat(work.session, seat_id))


@operation(
    "POST", "/delegations/{delegation_id}/end", permission=Permission.PROGRAMME_VIEW, summary="End a delegation", tag="Programme",
    body=ReasonBody, answer=BodyAnswer, example={"reason": "back from leave"},
)  # fmt: skip
def end_a_delegation(work: UnitOfWork, delegation_id: int, body: ReasonBody) -> BodyAnswer:
    """The seat's holder does it, or who assigns seats; the service asks which of them it is."""
    seat = seats.end_delegation(work, delegation_id, reason=body.reason)
    return _read_back(work, queries.body_of_seat(work.session, seat))

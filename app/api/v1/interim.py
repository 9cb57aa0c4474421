"""The interim state of a wave, as programs see and change it."""

from __future__ import annotations

from datetime import date

from pydantic import Field

from app.api.framework import operation
from app.api.v1.numbers import Key
from app.api.values import Answer, Body
from app.composition.interim_desk import NewInterface, change_interface, map_link, put_interface
from app.composition.request import now, reader
from app.queries.interim import InterimPage, interim_of
from app.security.permissions import Permission
from erpcore.kernel.work import UnitOfWork
from governance.interim import queries, services
from governance.interim.kinds import Direction, LinkKind, Master

TAG = "Waves"


class InterfaceAnswer(Answer):
    """A temporary interface that still carries; `opens` says why it is open: overdue, no_owner."""

    id: int
    link: int
    name: str
    direction: Direction
    frequency: str
    owner: int | None
    ends_on: date
    when_it_stops: str
    version: int
    opens: list[str]


class SlotAnswer(Answer):
    """A process, a step of it or a data domain; without `link` nothing was said of exactly this."""

    kind: LinkKind
    code: str
    title: str
    link: int | None
    version: int | None
    master: Master | None
    inherited: bool
    rule: str
    evidence: str
    opens: list[str]


class InterimAnswer(Answer):
    """Who masters what in a wave. `open`: how many of `slots` have no master, or an interface that is overdue or nobody's."""

    open: int
    slots: int
    processes: list[SlotAnswer]
    steps: list[SlotAnswer]
    data: list[SlotAnswer]
    interfaces: list[InterfaceAnswer]


class MapBody(Body):
    """Who masters it. `seen_version`: of what was said before, null for nothing."""

    kind: LinkKind
    code: str = Field(min_length=1, max_length=100)
    master: Master
    rule: str = Field("", max_length=2000)
    evidence: str = Field("", max_length=2000)
    seen_version: int | None = Field(None, ge=1, le=10**9)


class InterfaceBody(Body):
    """A temporary interface."""

    name: str = Field(min_length=1, max_length=200)
    direction: Direction
    frequency: str = Field(min_length=1, max_length=120)
    owner: Key | None = None
    ends_on: date
    when_it_stops: str = Field(min_length=1, max_length=2000)


class ChangeBody(Body):
    """Another owner or another last day."""

    owner: Key | None
    ends_on: date
    reason: str = Field(min_length=1, max_length=1000)
    seen_version: int | None = Field(None, ge=1, le=10**9)


class EndBody(Body):
    """Why it carries nothing any more."""

    reason: str = Field(min_length=1, max_length=1000)
    seen_version: int | None = Field(None, ge=1, le=10**9)


def _slot(one: queries.SlotView) -> SlotAnswer:
    return SlotAnswer(
        kind=one.kind, code=one.code, title=one.title, link=one.id, version=one.version, master=one.master,
        inherited=one.inherited, rule=one.rule, evidence=one.evidence, opens=[why.value for why in one.opens],
    )  # fmt: skip


def _answer(page: InterimPage) -> InterimAnswer:
    state = page.state
    return InterimAnswer(
        open=len(state.open), slots=state.slots, processes=[_slot(one) for one in state.processes],
        steps=[_slot(one) for one in state.steps], data=[_slot(one) for one in state.data],
        interfaces=[
            InterfaceAnswer(
                id=one.id, link=one.link_id, name=one.name, direction=one.direction, frequency=one.frequency, owner=one.owner,
                ends_on=one.ends_on, when_it_stops=one.when_it_stops, version=one.version, opens=[why.value for why in one.opens],
            )
            for one in state.interfaces
        ],
    )  # fmt: skip


def _again(work: UnitOfWork, wave_id: int) -> InterimAnswer:
    work.session.flush()  # the answer is read back with queries
    return _answer(interim_of(work.session, wave_id, work.now))


@operation(
    "GET", "/waves/{wave_id}/interim", permission=Permission.WAVE_VIEW, summary="The interim state of a wave", tag=TAG,
    answer=InterimAnswer,
)  # fmt: skip
def show_interim(wave_id: int) -> InterimAnswer:
    return _answer(interim_of(reader(), wave_id, now()))


@operation(
    "POST", "/waves/{wave_id}/interim", permission=Permission.PROGRAMME_MANAGE, summary="Say who masters what in a wave", tag=TAG,
    body=MapBody, answer=InterimAnswer,
    example={"kind": "datum", "code": "stock", "master": "both", "rule": "The core for sites that are live, else the old system."},
)  # fmt: skip
def map_interim(work: UnitOfWork, wave_id: int, body: MapBody) -> InterimAnswer:
    map_link(work, services.MapLink(wave_id=wave_id, **dict(body)))
    return _again(work, wave_id)


@operation(
    "POST", "/interim-links/{link_id}/interfaces", permission=Permission.PROGRAMME_MANAGE, summary="Add a temporary interface",
    tag=TAG, body=InterfaceBody, answer=InterimAnswer, status=201,
    example={"name": "Stock each night", "direction": "to_legacy", "frequency": "each night", "owner": 7, "ends_on": "2027-03-31",
             "when_it_stops": "The old warehouse system is switched off."},
)  # fmt: skip
def add_interim_interface(work: UnitOfWork, link_id: int, body: InterfaceBody) -> InterimAnswer:
    put_interface(work, NewInterface(link_id=link_id, **dict(body)))
    return _again(work, queries.wave_of_link(work.session, link_id))


@operation(
    "POST", "/interim-interfaces/{interface_id}/change", permission=Permission.PROGRAMME_MANAGE,
    summary="Hand a temporary interface over, or give it another end", tag=TAG, body=ChangeBody, answer=InterimAnswer,
    example={"owner": 7, "ends_on": "2027-04-30", "reason": "The last site moves a month later."},
)  # fmt: skip
def change_interim_interface(work: UnitOfWork, interface_id: int, body: ChangeBody) -> InterimAnswer:
    change_interface(work, services.ChangeInterface(interface_id=interface_id, **dict(body)))
    return _again(work, queries.wave_of_interface(work.session, interface_id))


@operation(
    "POST", "/interim-interfaces/{interface_id}/end", permission=Permission.PROGRAMME_MANAGE, summary="End a temporary interface",
    tag=TAG, body=EndBody, answer=InterimAnswer, example={"reason": "The old system is off."},
)  # fmt: skip
def end_interim_interface(work: UnitOfWork, interface_id: int, body: EndBody) -> InterimAnswer:
    services.end_interface(work, interface_id, reason=body.reason, seen_version=body.seen_version)
    return _again(work, queries.wave_of_interface(work.session, interface_id))

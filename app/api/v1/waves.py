"""Waves, what they have opened, and the steps that need no decision."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import Field

from app.api.framework import operation
from app.api.values import Answer, Body
from app.composition import golive
from app.composition.request import reader
from app.security.permissions import Permission
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.work import UnitOfWork
from readiness.waves import queries
from readiness.waves.flow import WAVE_FLOW
from readiness.waves.services import BY_PERSON, DateWave, date_wave, step_wave


class CellAnswer(Answer):
    """A live site and a channel, by id."""

    site: int
    channel: int


class DependencyAnswer(Answer):
    """Another wave that this one waits for."""

    wave: int
    why: str


class WaveAnswer(Answer):
    """A wave as it stands."""

    id: int
    programme: int
    code: str
    name: str
    state: str
    version: int
    go_live_on: date
    hypercare_until: date
    live_at: datetime | None
    closed_at: datetime | None
    time_zone: str
    cells: list[CellAnswer]
    processes: list[str]
    customer_groups: list[int] | None = Field(description="null: all.")
    depends_on: list[DependencyAnswer]
    in_blackout: list[str] = Field(description="Names of the blackouts that the go-live lies in.")
    grants: dict[str, int] = Field(description="How many grants the wave has opened, by state.")


class WavesAnswer(Answer):
    """All waves in the order they go live."""

    items: list[WaveAnswer]


class GrantAnswer(Answer):
    """A grant under which a cell transacts live."""

    id: int
    wave: int | None
    decision: int | None
    site: int
    channel: int
    process: str
    customer_group: int | None
    state: str
    source: str
    reason: str | None
    opens_at: datetime
    drain_started_at: datetime | None
    closed_at: datetime | None


class GrantsAnswer(Answer):
    """The grants of a wave."""

    items: list[GrantAnswer]


class StepBody(Body):
    """A step: prepare, rehearse, end_rehearsal, start_hypercare or cancel."""

    move: str = Field(min_length=1, max_length=48)
    reason: str | None = Field(None, max_length=2000)


class DatesBody(Body):
    """Other dates for a wave that is not live yet."""

    go_live_on: date
    hypercare_until: date
    reason: str = Field(min_length=1, max_length=2000)
    blackout_reason: str | None = Field(None, max_length=500)


class RollBackBody(Body):
    """Why a live wave is taken back."""

    reason: str = Field(min_length=1, max_length=2000)


def _wave(found: queries.WaveView) -> WaveAnswer:
    return WaveAnswer(
        id=found.id, programme=found.programme_id, code=found.code, name=found.name, state=found.state.value,
        version=found.version, go_live_on=found.go_live_on, hypercare_until=found.hypercare_until, live_at=found.live_at,
        closed_at=found.closed_at, time_zone=found.time_zone,
        cells=[CellAnswer(site=site, channel=channel) for site, channel in found.cells], processes=list(found.processes),
        customer_groups=None if found.customer_groups is None else list(found.customer_groups),
        depends_on=[DependencyAnswer(wave=wave, why=why) for wave, why in found.depends_on],
        in_blackout=list(found.in_blackout), grants=dict(found.grants),
    )  # fmt: skip


@operation("GET", "/waves", permission=Permission.WAVE_VIEW, summary="List the waves", tag="Waves", answer=WavesAnswer)
def list_waves() -> WavesAnswer:
    return WavesAnswer(items=[_wave(one) for one in queries.waves(reader())])


@operation(
    "GET", "/waves/{wave_id}", permission=Permission.WAVE_VIEW, summary="One wave", tag="Waves", answer=WaveAnswer
)
def show_wave(wave_id: int) -> WaveAnswer:
    return _wave(queries.wave(reader(), wave_id))


@operation(
    "GET", "/waves/{wave_id}/grants", permission=Permission.WAVE_VIEW, summary="What a wave has opened", tag="Waves",
    answer=GrantsAnswer,
)  # fmt: skip
def list_grants(wave_id: int) -> GrantsAnswer:
    queries.wave(reader(), wave_id)
    return GrantsAnswer(
        items=[
            GrantAnswer(
                id=one.id, wave=one.wave_id, decision=one.decision_id, site=one.site, channel=one.channel, process=one.process,
                customer_group=one.customer_group, state=one.state.value, source=one.source, reason=one.reason,
                opens_at=one.opens_at, drain_started_at=one.drain_started_at, closed_at=one.closed_at,
            )
            for one in queries.grants(reader(), wave_id=wave_id)
        ]
    )  # fmt: skip


@operation(
    "POST", "/waves/{wave_id}/steps", permission=Permission.WAVE_VIEW, summary="Take a step that needs no decision", tag="Waves",
    body=StepBody, answer=WaveAnswer, versioned=True, example={"move": "rehearse"},
)  # fmt: skip
def take_wave_step(work: UnitOfWork, wave_id: int, body: StepBody, version: int) -> WaveAnswer:
    if body.move not in WAVE_FLOW.moves or body.move not in BY_PERSON:
        raise RuleBroken("wave_step_needs_decision", field="move", move=body.move)
    step_wave(work, wave_id, body.move, reason=body.reason, seen_version=version)
    work.session.flush()  # the answer is read back with a query
    return _wave(queries.wave(work.session, wave_id))


@operation(
    "POST", "/waves/{wave_id}/dates", permission=Permission.WAVE_PLAN, summary="Move the dates of a wave", tag="Waves",
    body=DatesBody, answer=WaveAnswer, versioned=True,
    example={"go_live_on": "2027-02-01", "hypercare_until": "2027-03-01", "reason": "the carrier needs a week more"},
)  # fmt: skip
def move_dates(work: UnitOfWork, wave_id: int, body: DatesBody, version: int) -> WaveAnswer:
    date_wave(work, DateWave(wave_id=wave_id, seen_version=version, **body.model_dump()))
    work.session.flush()  # the answer is read back with a query
    return _wave(queries.wave(work.session, wave_id))


@operation(
    "POST", "/waves/{wave_id}/roll-back", permission=Permission.WAVE_ROLL_BACK, summary="Take a live wave back", tag="Waves",
    body=RollBackBody, answer=WaveAnswer, example={"reason": "stock differs from the shelf"},
)  # fmt: skip
def roll_wave_back(work: UnitOfWork, wave_id: int, body: RollBackBody) -> WaveAnswer:
    golive.roll_back(work, wave_id, reason=body.reason)
    work.session.flush()  # the answer is read back with a query
    return _wave(queries.wave(work.session, wave_id))

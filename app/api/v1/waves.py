"""Waves: planned, dated, moved by the steps that need no decision; what they have opened, and days without go-live."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Literal

from pydantic import AwareDatetime, Field

from app.api.framework import operation
from app.api.values import Answer, Body
from app.composition import golive, planning
from app.composition.request import reader
from app.security.permissions import Permission
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.work import UnitOfWork
from erpcore.ports import Process
from readiness.waves import grants, queries
from readiness.waves.flow import WAVE_FLOW
from readiness.waves.services import (
    BY_PERSON,
    BlackOut,
    DateWave,
    PlanWave,
    ReplanWave,
    date_wave,
    lift_blackout,
    step_wave,
)

#: The largest key there is.
MOST = 2**63 - 1
_SCOPE_EXAMPLE = {
    "name": "Pratteln and Kassel", "owner": 7, "cells": [{"site": 3, "channel": 1}], "processes": ["order_to_cash", "warehouse"],
    "customer_groups": None, "depends_on": [{"wave": 12, "why": "the same carrier is set up there first"}],
}  # fmt: skip


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


class CellBody(Body):
    """A live site and a channel of the programme, by id."""

    site: int = Field(ge=1, le=MOST)
    channel: int = Field(ge=1, le=MOST)


class DependencyBody(Body):
    """Another wave that this one waits for, and why."""

    wave: int = Field(ge=1, le=MOST)
    why: str = Field(min_length=1, max_length=500)


class ScopeBody(Body):
    """What goes live together, for whom, and after which waves."""

    name: str = Field(min_length=1, max_length=200)
    owner: int = Field(ge=1, le=MOST, description="Account of the person who answers for the wave.")
    cells: list[CellBody] = Field(min_length=1, max_length=1000)
    processes: list[Process] = Field(min_length=1, max_length=10)
    customer_groups: list[int] | None = Field(None, max_length=200, description="null: all.")
    depends_on: list[DependencyBody] = Field(default_factory=list, max_length=100)

    def scope(self) -> dict[str, object]:
        """As the services take it."""
        return {
            "name": self.name, "owner": self.owner, "cells": tuple((one.site, one.channel) for one in self.cells),
            "processes": tuple(self.processes),
            "customer_groups": None if self.customer_groups is None else tuple(self.customer_groups),
            "depends_on": tuple((one.wave, one.why) for one in self.depends_on),
        }  # fmt: skip


class PlanBody(ScopeBody):
    """A new wave."""

    programme: int = Field(ge=1, le=MOST)
    code: str = Field(min_length=1, max_length=20)
    time_zone: str = Field(min_length=1, max_length=48, description="Its days are those of this zone: Europe/Berlin.")
    go_live_on: date
    hypercare_until: date
    blackout_reason: str | None = Field(
        None, max_length=500, description="Needed where the go-live lies in a blackout."
    )


class ReplanBody(ScopeBody):
    """Another plan for a wave that is not rehearsed yet; its dates stand."""

    reason: str = Field(min_length=1, max_length=2000)


class BlackoutAnswer(Answer):
    """Days on which nothing goes live without a reason; ``ends_on`` is the first day after."""

    id: int
    name: str
    starts_on: date
    ends_on: date
    wave: int | None = Field(description="null: for all waves.")


class BlackoutsAnswer(Answer):
    """Blackout windows in order of time."""

    items: list[BlackoutAnswer]


class BlackoutBody(Body):
    """Days on which nothing goes live; ``ends_on`` is the first day after."""

    name: str = Field(min_length=1, max_length=200)
    starts_on: date
    ends_on: date
    wave: int | None = Field(None, ge=1, le=MOST, description="null: for all waves.")


class ReasonBody(Body):
    """Something that is only done with a reason."""

    reason: str = Field(min_length=1, max_length=2000)


class FallbackBody(Body):
    """A site, or one channel of it, begins or ends working on paper."""

    move: Literal["declare", "end"]
    channel: int | None = Field(None, ge=1, le=MOST, description="null: all channels of the site.")
    reason: str = Field(min_length=1, max_length=2000)


class AlreadyLiveBody(Body):
    """What ran before the programme: cells with processes, since when, and why no go was needed."""

    cells: list[CellBody] = Field(min_length=1, max_length=1000)
    processes: list[Process] = Field(min_length=1, max_length=10)
    customer_group: int | None = Field(None, ge=1, le=MOST, description="null: all customers.")
    opens_at: AwareDatetime | None = Field(None, description="null: now.")
    reason: str = Field(min_length=1, max_length=2000)


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
    return _grants(queries.grants(reader(), wave_id=wave_id))


def _grants(found: Sequence[queries.GrantView]) -> GrantsAnswer:
    return GrantsAnswer(
        items=[
            GrantAnswer(
                id=one.id, wave=one.wave_id, decision=one.decision_id, site=one.site, channel=one.channel, process=one.process,
                customer_group=one.customer_group, state=one.state.value, source=one.source, reason=one.reason,
                opens_at=one.opens_at, drain_started_at=one.drain_started_at, closed_at=one.closed_at,
            )
            for one in found
        ]
    )  # fmt: skip


@operation(
    "POST", "/waves", permission=Permission.WAVE_PLAN, summary="Plan a wave", tag="Waves", body=PlanBody, answer=WaveAnswer,
    status=201,
    example={"programme": 1, "code": "W2", "time_zone": "Europe/Berlin", "go_live_on": "2027-02-01",
             "hypercare_until": "2027-03-01", **_SCOPE_EXAMPLE},
)  # fmt: skip
def plan_a_wave(work: UnitOfWork, body: PlanBody) -> WaveAnswer:
    command = PlanWave(
        programme_id=body.programme, code=body.code, time_zone=body.time_zone, go_live_on=body.go_live_on,
        hypercare_until=body.hypercare_until, blackout_reason=body.blackout_reason, **body.scope(),  # type: ignore[arg-type]  # pydantic has checked each
    )  # fmt: skip
    return _read_back(work, planning.plan_wave(work, command).id)


@operation(
    "POST", "/waves/{wave_id}/plan", permission=Permission.WAVE_PLAN, summary="Change what a wave takes live", tag="Waves",
    body=ReplanBody, answer=WaveAnswer, versioned=True,
    example={**_SCOPE_EXAMPLE, "reason": "Kassel needs its own wave"},
)  # fmt: skip
def change_the_plan(work: UnitOfWork, wave_id: int, body: ReplanBody, version: int) -> WaveAnswer:
    command = ReplanWave(wave_id=wave_id, reason=body.reason, seen_version=version, **body.scope())  # type: ignore[arg-type]  # pydantic has checked each
    return _read_back(work, planning.replan_wave(work, command).id)


@operation(
    "GET", "/programmes/{programme_id}/blackouts", permission=Permission.WAVE_VIEW, summary="Days without go-live", tag="Waves",
    answer=BlackoutsAnswer,
)  # fmt: skip
def list_blackouts(programme_id: int) -> BlackoutsAnswer:
    return BlackoutsAnswer(
        items=[
            BlackoutAnswer(id=one.id, name=one.name, starts_on=one.starts_on, ends_on=one.ends_on, wave=one.wave_id)
            for one in queries.blackouts(reader(), programme_id)
        ]
    )


@operation(
    "POST", "/programmes/{programme_id}/blackouts", permission=Permission.WAVE_PLAN, summary="Name days without go-live",
    tag="Waves", body=BlackoutBody, answer=BlackoutAnswer, status=201,
    example={"name": "Stocktaking", "starts_on": "2026-12-28", "ends_on": "2027-01-04", "wave": None},
)  # fmt: skip
def name_a_blackout(work: UnitOfWork, programme_id: int, body: BlackoutBody) -> BlackoutAnswer:
    command = BlackOut(
        programme_id=programme_id, name=body.name, starts_on=body.starts_on, ends_on=body.ends_on, wave_id=body.wave
    )
    made = planning.black_out(work, command)
    return BlackoutAnswer(id=made, name=body.name, starts_on=body.starts_on, ends_on=body.ends_on, wave=body.wave)


@operation(
    "POST", "/blackouts/{window_id}/lift", permission=Permission.WAVE_PLAN, summary="Take a blackout out of the calendar",
    tag="Waves", body=ReasonBody, answer=None, example={"reason": "stocktaking moved to January"},
)  # fmt: skip
def lift_a_blackout(work: UnitOfWork, window_id: int, body: ReasonBody) -> None:
    lift_blackout(work, window_id, reason=body.reason)


def _read_back(work: UnitOfWork, wave_id: int) -> WaveAnswer:
    work.session.flush()  # the answer is read back with a query
    return _wave(queries.wave(work.session, wave_id))


@operation(
    "POST", "/waves/{wave_id}/steps", permission=Permission.WAVE_VIEW, summary="Take a step that needs no decision", tag="Waves",
    body=StepBody, answer=WaveAnswer, versioned=True, example={"move": "rehearse"},
)  # fmt: skip
def take_wave_step(work: UnitOfWork, wave_id: int, body: StepBody, version: int) -> WaveAnswer:
    if body.move not in WAVE_FLOW.moves or body.move not in BY_PERSON:
        raise RuleBroken("wave_step_needs_decision", field="move", move=body.move)
    step_wave(work, wave_id, body.move, reason=body.reason, seen_version=version)
    return _read_back(work, wave_id)


@operation(
    "POST", "/waves/{wave_id}/dates", permission=Permission.WAVE_PLAN, summary="Move the dates of a wave", tag="Waves",
    body=DatesBody, answer=WaveAnswer, versioned=True,
    example={"go_live_on": "2027-02-01", "hypercare_until": "2027-03-01", "reason": "the carrier needs a week more"},
)  # fmt: skip
def move_dates(work: UnitOfWork, wave_id: int, body: DatesBody, version: int) -> WaveAnswer:
    date_wave(work, DateWave(wave_id=wave_id, seen_version=version, **body.model_dump()))
    return _read_back(work, wave_id)


@operation(
    "POST", "/waves/{wave_id}/roll-back", permission=Permission.WAVE_ROLL_BACK, summary="Take a live wave back", tag="Waves",
    body=ReasonBody, answer=WaveAnswer, example={"reason": "stock differs from the shelf"},
)  # fmt: skip
def roll_wave_back(work: UnitOfWork, wave_id: int, body: ReasonBody) -> WaveAnswer:
    golive.roll_back(work, wave_id, reason=body.reason)
    return _read_back(work, wave_id)


@operation(
    "GET", "/sites/{site_id}/grants", permission=Permission.WAVE_VIEW, summary="What a site admits live", tag="Waves",
    answer=GrantsAnswer,
)  # fmt: skip
def list_site_grants(site_id: int) -> GrantsAnswer:
    return _grants(queries.grants(reader(), site=site_id, only_effective=True))


@operation(
    "POST", "/sites/{site_id}/fallback", permission=Permission.GRANT_FALLBACK, summary="Work on paper, or in the core again",
    tag="Waves", body=FallbackBody, answer=GrantsAnswer, example={"move": "declare", "channel": None, "reason": "no network since 9"},
)  # fmt: skip
def move_fallback(work: UnitOfWork, site_id: int, body: FallbackBody) -> GrantsAnswer:
    """On paper the site's cells admit back-entries only, until it works in the core again."""
    move = grants.declare_fallback if body.move == "declare" else grants.end_fallback
    move(work, site_id, reason=body.reason, channel=body.channel)
    work.session.flush()  # the answer is read back with a query
    return _grants(queries.grants(work.session, site=site_id, only_effective=True))


@operation(
    "POST", "/programmes/{programme_id}/already-live", permission=Permission.GRANT_ALREADY_LIVE,
    summary="Record what ran before the programme", tag="Waves", body=AlreadyLiveBody, answer=GrantsAnswer, status=201,
    example={"cells": [{"site": 3, "channel": 1}], "processes": ["order_to_cash"], "reason": "ran on the release before"},
)  # fmt: skip
def record_what_ran(work: UnitOfWork, programme_id: int, body: AlreadyLiveBody) -> GrantsAnswer:
    command = grants.RecordAlreadyLive(
        cells=tuple((one.site, one.channel) for one in body.cells), processes=tuple(body.processes), reason=body.reason,
        customer_group=body.customer_group, opens_at=body.opens_at,
    )  # fmt: skip
    made = {one.id for one in planning.record_already_live(work, programme_id, command)}
    work.session.flush()  # the answer is read back with a query
    return _grants([one for one in queries.grants(work.session) if one.id in made])

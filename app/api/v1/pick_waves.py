"""Pick waves for programs: planned, released, interrupted, resumed, cancelled."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from app.api.framework import check_version, operation
from app.api.v1.floor import TAG, WhyBody
from app.api.v1.numbers import Key, fresh, pointing
from app.api.values import Answer, Body, Realm
from app.composition.request import reader
from app.composition.trading import cells, rules
from app.queries.pick_waves import WaveCard, list_waves, wave_page
from app.queries.places import realm_of_site
from app.security.permissions import Permission
from app.security.require import actor
from erpcore.fulfilment.floor.waves import (
    PlanPickWave,
    cancel_pick_wave,
    interrupt_pick_wave,
    pick_method,
    plan_pick_wave,
    release_pick_wave,
    resume_pick_wave,
)
from erpcore.kernel.work import UnitOfWork


class WaveAnswer(Answer):
    """A pick wave and how far it is."""

    id: int
    number: str
    state: str
    site_id: int
    method: str
    service: str
    zone: str | None
    cut_off_at: datetime | None
    capacity: int
    planned_at: datetime
    released_at: datetime | None
    completed_at: datetime | None
    interrupt_reason: str
    tasks: int
    tasks_done: int
    lines: int
    version: int


class WaveList(Answer):
    """Pick waves under way."""

    items: list[WaveAnswer]


class WaveQuery(Body):
    """Of which site."""

    site: Key | None = None
    realm: Realm = "live"


class PlanBody(Body):
    """What to pick together. Without `orders` the earliest promises that fit are taken."""

    site: Key
    method: str = Field("order", max_length=8, description="order, batch or zone")
    service: Key | None = None
    zone: str | None = Field(None, max_length=24)
    capacity: int = Field(200, ge=1, le=5000, description="Lines at most.")
    totes: int = Field(8, ge=1, le=40)
    orders: list[Key] | None = Field(None, min_length=1, max_length=2000)


@operation(
    "GET", "/pick-waves", permission=Permission.TASK_READ, summary="List pick waves under way", tag=TAG, query=WaveQuery,
    answer=WaveList,
)  # fmt: skip
def list_pick_waves(query: WaveQuery) -> WaveList:
    found = list_waves(reader(), actor(), site=query.site, realm=query.realm)
    return WaveList(items=[WaveAnswer.model_validate(one) for one in found])


@operation(
    "GET", "/pick-waves/{wave_id}", permission=Permission.TASK_READ, summary="One pick wave", tag=TAG, answer=WaveAnswer
)
def show_pick_wave(wave_id: int) -> WaveAnswer:
    return WaveAnswer.model_validate(wave_page(reader(), actor(), wave_id))


def _wave(work: UnitOfWork, wave: int) -> WaveAnswer:
    return WaveAnswer.model_validate(wave_page(fresh(work), work.actor, wave))


def _seen_wave(work: UnitOfWork, wave: int, version: int) -> WaveCard:
    card = wave_page(work.session, work.actor, wave)
    work.realm = card.realm
    check_version(version, card.version)
    return card


@operation(
    "POST", "/pick-waves", permission=Permission.PICK_WAVE_PLAN, summary="Plan a pick wave", tag=TAG, body=PlanBody,
    answer=WaveAnswer, status=201, example={"site": 1001, "method": "batch", "capacity": 100},
)  # fmt: skip
def plan_wave(work: UnitOfWork, body: PlanBody) -> WaveAnswer:
    work.realm = realm_of_site(work.session, work.actor, body.site)
    command = PlanPickWave(
        site=body.site, method=pick_method(body.method), service=body.service, zone=body.zone, capacity=body.capacity,
        totes=body.totes, orders=body.orders,
    )  # fmt: skip
    with pointing():
        wave, _ = plan_pick_wave(work, command, rules=rules(), cells=cells())
    return _wave(work, wave.id)


@operation(
    "POST", "/pick-waves/{wave_id}/release", permission=Permission.PICK_WAVE_PLAN, summary="Release a pick wave",
    tag=TAG, answer=WaveAnswer, versioned=True,
)  # fmt: skip
def release_wave(work: UnitOfWork, wave_id: int, version: int) -> WaveAnswer:
    _seen_wave(work, wave_id, version)
    release_pick_wave(work, wave_id)
    return _wave(work, wave_id)


@operation(
    "POST", "/pick-waves/{wave_id}/interrupt", permission=Permission.PICK_WAVE_PLAN, summary="Interrupt a pick wave", tag=TAG,
    body=WhyBody, answer=WaveAnswer, versioned=True, example={"reason": "ambulance order"},
)  # fmt: skip
def interrupt_wave(work: UnitOfWork, wave_id: int, version: int, body: WhyBody) -> WaveAnswer:
    _seen_wave(work, wave_id, version)
    interrupt_pick_wave(work, wave_id, body.reason)
    return _wave(work, wave_id)


@operation(
    "POST", "/pick-waves/{wave_id}/resume", permission=Permission.PICK_WAVE_PLAN, summary="Resume a pick wave", tag=TAG,
    answer=WaveAnswer, versioned=True,
)  # fmt: skip
def resume_wave(work: UnitOfWork, wave_id: int, version: int) -> WaveAnswer:
    _seen_wave(work, wave_id, version)
    resume_pick_wave(work, wave_id)
    return _wave(work, wave_id)


@operation(
    "POST", "/pick-waves/{wave_id}/cancel", permission=Permission.PICK_WAVE_PLAN, summary="Cancel a pick wave", tag=TAG,
    body=WhyBody, answer=WaveAnswer, versioned=True, example={"reason": "truck broke down"},
)  # fmt: skip
def cancel_wave(work: UnitOfWork, wave_id: int, version: int, body: WhyBody) -> WaveAnswer:
    _seen_wave(work, wave_id, version)
    cancel_pick_wave(work, wave_id, body.reason)
    return _wave(work, wave_id)

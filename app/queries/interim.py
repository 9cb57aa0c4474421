"""What does the page of a wave's interim state show, and how many of its links are open?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from app.composition.interim_desk import owner_gone, processes_of, require_wave
from app.identity.queries import names_of
from erpcore.kernel.clock import local_day
from governance.interim.kinds import process_title
from governance.interim.queries import InterimState, SlotView, interim_state
from governance.processes.queries import counting_steps
from readiness.waves.models import Wave
from readiness.waves.queries import WaveView


@dataclass(frozen=True, kw_only=True)
class InterimPage:
    """The interim state of a wave on its day, with the names of who looks after its interfaces."""

    wave: Wave
    today: date
    state: InterimState
    processes: dict[str, str]
    names: dict[int, str]


def interim_of(session: Session, wave_id: int, now: datetime) -> InterimPage:
    """The interim state of a wave. Raises ``NotFound``. Six queries."""
    wave = require_wave(session, wave_id)
    processes = processes_of(session, wave_id)
    today = local_day(now, wave.time_zone)
    state = interim_state(
        session, wave_id, processes=processes, steps=counting_steps(session, list(processes)), today=today,
        gone=owner_gone(),
    )  # fmt: skip
    owners = {one.owner for one in state.interfaces if one.owner is not None}
    return InterimPage(
        wave=wave, today=today, state=state, processes=processes, names=names_of(session, sorted(owners))
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class InterimBrief:
    """How the interim state of a wave stands, for the page of the wave."""

    slots: int
    open: tuple[SlotView, ...]
    interfaces: int
    next_end: date | None


def interim_brief(session: Session, wave: WaveView, now: datetime) -> InterimBrief:
    """The interim state in brief. Two queries."""
    processes = {one: process_title(one) for one in wave.processes}
    state = interim_state(
        session, wave.id, processes=processes, steps=counting_steps(session, list(processes)),
        today=local_day(now, wave.time_zone), gone=owner_gone(),
    )  # fmt: skip
    carrying = state.interfaces
    return InterimBrief(
        slots=state.slots, open=tuple(state.open), interfaces=len(carrying),
        next_end=carrying[0].ends_on if carrying else None,
    )  # fmt: skip

"""What readiness tells: the typed content of its business events. Ids only; a new shape is a new version."""

from __future__ import annotations

from datetime import date, datetime
from typing import ClassVar

from erpcore.kernel.events import Event


class WavePlanned(Event, frozen=True, kw_only=True):
    """A wave exists; ``cells`` are (live site, channel)."""

    type: ClassVar[str] = "wave.planned"
    programme: int
    cells: list[tuple[int, int]]
    processes: list[str]
    go_live_on: date
    hypercare_until: date


class WaveDated(Event, frozen=True, kw_only=True):
    """A wave has another date."""

    type: ClassVar[str] = "wave.dated"
    go_live_before: date
    go_live_on: date
    hypercare_until: date
    reason: str


class WaveReplanned(Event, frozen=True, kw_only=True):
    """A wave takes something else live; ``customer_groups`` ``None``: all of them."""

    type: ClassVar[str] = "wave.replanned"
    cells: list[tuple[int, int]]
    processes: list[str]
    customer_groups: list[int] | None
    reason: str


class WaveMoved(Event, frozen=True, kw_only=True):
    """A wave took a step: preparing, in rehearsal, approved, live, hypercare, rolled back, cancelled."""

    type: ClassVar[str] = "wave.moved"
    move: str
    state: str
    reason: str | None = None


class WaveClosed(Event, frozen=True, kw_only=True):
    """A finished wave; its grants stay open."""

    type: ClassVar[str] = "wave.closed"
    decision: int


class GrantOpened(Event, frozen=True, kw_only=True):
    """A cell may transact live from ``opens_at`` on, under a decision or as already live (``decision`` is ``None``)."""

    type: ClassVar[str] = "grant.opened"
    process: str
    opens_at: datetime
    decision: int | None = None
    reason: str | None = None


class GrantDrainStarted(Event, frozen=True, kw_only=True):
    """Nothing new enters the cell; what is under way is finished."""

    type: ClassVar[str] = "grant.drain_started"
    process: str
    reason: str


class GrantDrained(Event, frozen=True, kw_only=True):
    """Nothing is under way any more, and the cell is closed."""

    type: ClassVar[str] = "grant.drained"
    process: str


class GrantClosed(Event, frozen=True, kw_only=True):
    """A grant that had not opened yet was taken back."""

    type: ClassVar[str] = "grant.closed"
    process: str
    reason: str


class FallbackDeclared(Event, frozen=True, kw_only=True):
    """The cell works on paper; the core takes back-entries only."""

    type: ClassVar[str] = "fallback.declared"
    process: str
    reason: str


class FallbackEnded(Event, frozen=True, kw_only=True):
    """The cell works in the core again."""

    type: ClassVar[str] = "fallback.ended"
    process: str
    reason: str


class GateFrozen(Event, frozen=True, kw_only=True):
    """A gate's criteria are fixed; changes from now on are shown as such."""

    type: ClassVar[str] = "gate.frozen"
    wave: int
    phase: str
    criteria_version: int
    criteria: int


class GateCriteriaChanged(Event, frozen=True, kw_only=True):
    """A criterion was added, changed or removed after the freeze."""

    type: ClassVar[str] = "gate.criteria_changed"
    wave: int
    criteria_version: int
    criterion: str
    change: str


class GateEvaluated(Event, frozen=True, kw_only=True):
    """A snapshot of the gate was kept. ``read_to`` is the event sequence its figures go up to."""

    type: ClassVar[str] = "gate.evaluated"
    wave: int
    snapshot: int
    sha256: str
    word: str
    score: int
    read_to: int


class WaiverRequested(Event, frozen=True, kw_only=True):
    """Somebody asks to pass over a criterion for a time."""

    type: ClassVar[str] = "waiver.requested"
    wave: int
    gate: int
    criterion: str
    until: datetime


class WaiverGranted(Event, frozen=True, kw_only=True):
    """A body lets a criterion be passed over for a time."""

    type: ClassVar[str] = "waiver.granted"
    wave: int
    gate: int
    criterion: str
    body: str
    until: datetime


class WaiverRefused(Event, frozen=True, kw_only=True):
    """A body does not let a criterion be passed over."""

    type: ClassVar[str] = "waiver.refused"
    wave: int
    gate: int
    criterion: str
    reason: str


class WaiverLapsed(Event, frozen=True, kw_only=True):
    """A waiver is over: its time is up, or it was taken back."""

    type: ClassVar[str] = "waiver.lapsed"
    wave: int
    gate: int
    criterion: str
    reason: str

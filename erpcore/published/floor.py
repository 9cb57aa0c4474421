"""What the warehouse floor tells: packing, carriers, tasks and pick waves."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from erpcore.kernel.events import Event


class ShipmentPacked(Event, frozen=True, kw_only=True):
    """All of the shipment lies in closed cartons; ``weight`` in thousandths of a kilogram."""

    type: ClassVar[str] = "shipment.packed"
    cartons: int
    weight: int


class ShipmentRefused(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "shipment.refused"
    reason: str


class ShipmentLost(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "shipment.lost"
    reason: str


class ShipmentFreightSettled(Event, frozen=True, kw_only=True):
    """What the carrier charged, in minor units; ``premium``: why a dearer service than the rule's was taken."""

    type: ClassVar[str] = "shipment.freight_settled"
    service: int
    actual: int
    estimate: int | None = None
    premium: str | None = None


class TaskCreated(Event, frozen=True, kw_only=True):
    """``kind`` is pick, pack, put_away, count or move."""

    type: ClassVar[str] = "task.created"
    kind: str
    lines: int
    priority: int
    due: datetime


class TaskStarted(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "task.started"
    kind: str


class TaskFinished(Event, frozen=True, kw_only=True):
    """``short``: lines of which something was not there."""

    type: ClassVar[str] = "task.finished"
    kind: str
    lines: int
    short: int = 0


class TaskReprioritised(Event, frozen=True, kw_only=True):
    """Moved up or down by hand; the lower number goes first."""

    type: ClassVar[str] = "task.reprioritised"
    old: int
    new: int
    reason: str


class PickWavePlanned(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "pick_wave.planned"
    tasks: int
    lines: int


class PickWaveReleased(Event, frozen=True, kw_only=True):
    """``late``: after the cut-off it was planned for."""

    type: ClassVar[str] = "pick_wave.released"
    late: bool = False


class PickWaveInterrupted(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "pick_wave.interrupted"
    reason: str


class PickWaveResumed(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "pick_wave.resumed"


class PickWaveCompleted(Event, frozen=True, kw_only=True):
    """``late``: after the cut-off it was planned for."""

    type: ClassVar[str] = "pick_wave.completed"
    late: bool = False

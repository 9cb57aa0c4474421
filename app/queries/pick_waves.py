"""Where do the pick waves stand, and which collection must each of them make?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import case, func, or_, select
from sqlalchemy.orm import Session

from app.security.scopes import within_sites
from erpcore.fulfilment.carriers.models import Carrier, CarrierService
from erpcore.fulfilment.floor.models import PickWave, TaskKind, TaskLine, TaskState, WarehouseTask
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import NotFound
from erpcore.masterdata.models import Entity, Site


@dataclass(frozen=True, kw_only=True)
class WaveCard:
    """A pick wave with how far it is."""

    id: int
    number: str
    state: str
    site_id: int
    site: str
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
    realm: str
    time_zone: str

    def is_late(self, now: datetime) -> bool:
        end = self.completed_at or now
        return self.cut_off_at is not None and end > self.cut_off_at and self.state != "cancelled"


def _wave_rows(session: Session, query: Any) -> list[WaveCard]:
    rows = session.execute(query).all()
    keys = [row.PickWave.id for row in rows]
    done = case((WarehouseTask.state.in_((TaskState.DONE, TaskState.CANCELLED)), 1), else_=0)
    tasks = session.execute(
        select(WarehouseTask.wave_id, func.count(), func.sum(done))
        .where(WarehouseTask.wave_id.in_(keys), WarehouseTask.kind == TaskKind.PICK)
        .group_by(WarehouseTask.wave_id)
    )
    counted = {row[0]: (row[1], int(row[2] or 0)) for row in tasks}
    lines = session.execute(
        select(WarehouseTask.wave_id, func.count())
        .join(TaskLine, TaskLine.task_id == WarehouseTask.id)
        .where(WarehouseTask.wave_id.in_(keys))
        .group_by(WarehouseTask.wave_id)
    )
    line_count = {row[0]: row[1] for row in lines}
    return [
        WaveCard(
            id=row.PickWave.id, number=row.PickWave.number, state=row.PickWave.state, site_id=row.PickWave.site_id,
            site=row.site, method=row.PickWave.method, service=f"{row.carrier} {row.service}" if row.service else "",
            zone=row.PickWave.zone, cut_off_at=row.PickWave.cut_off_at, capacity=row.PickWave.capacity,
            planned_at=row.PickWave.planned_at, released_at=row.PickWave.released_at,
            completed_at=row.PickWave.completed_at, interrupt_reason=row.PickWave.interrupt_reason or "",
            tasks=counted.get(row.PickWave.id, (0, 0))[0], tasks_done=counted.get(row.PickWave.id, (0, 0))[1],
            lines=line_count.get(row.PickWave.id, 0), version=row.PickWave.version, realm=row.realm,
            time_zone=row.time_zone,
        )
        for row in rows
    ]  # fmt: skip


def _waves() -> Any:
    return (
        select(
            PickWave, Site.name.label("site"), Site.time_zone, Entity.realm, CarrierService.name.label("service"),
            Carrier.name.label("carrier"),
        )
        .join(Site, Site.id == PickWave.site_id)
        .join(Entity, Entity.id == PickWave.entity_id)
        .join(CarrierService, CarrierService.id == PickWave.service_id, isouter=True)
        .join(Carrier, Carrier.id == CarrierService.carrier_id, isouter=True)
    )  # fmt: skip


def list_waves(
    session: Session, actor: Actor, *, site: int | None = None, realm: str = "live", since: datetime | None = None
) -> list[WaveCard]:
    """Pick waves under way, and those that ended since; the newest first."""
    query = within_sites(_waves().where(Entity.realm == realm), actor, PickWave.site_id)
    if site is not None:
        query = query.where(PickWave.site_id == site)
    under_way = PickWave.state.in_(("planned", "released", "interrupted"))
    query = query.where(under_way if since is None else or_(under_way, PickWave.planned_at >= since))
    return _wave_rows(session, query.order_by(PickWave.id.desc()).limit(100))


def wave_page(session: Session, actor: Actor, wave_id: int) -> WaveCard:
    """One pick wave; raises ``NotFound`` for an unknown one and for another site's."""
    found = _wave_rows(session, _waves().where(PickWave.id == wave_id))
    if not found or (actor.sites is not None and found[0].site_id not in actor.sites):
        raise NotFound("pick_wave_unknown", wave=wave_id)
    return found[0]

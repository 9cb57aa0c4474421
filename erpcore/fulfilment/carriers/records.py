"""The carriage of shipments as services hold it: rows read once, locked until the unit of work ends, changed on condition."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from operator import attrgetter
from typing import Any

from sqlalchemy import update

from erpcore.fulfilment.carriers.models import Carriage
from erpcore.fulfilment.records import ShipmentRow
from erpcore.kernel.rows import Change, param, read_rows, write_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import site_facts


@dataclass(slots=True)
class CarriageRow:
    """A carriage as stored; ``version`` 0: not written yet."""

    shipment_id: int
    currency: str
    service_id: int | None = None
    rule_id: int | None = None
    tracking_number: str | None = None
    weight_kg: int | None = None
    freight_estimate_minor: int | None = None
    freight_actual_minor: int | None = None
    premium_reason: str | None = None
    collected_on: date | None = None
    missed_cut_off: bool = False
    packed_at: datetime | None = None
    settled_at: datetime | None = None
    version: int = 0


COLUMNS = tuple(f.name for f in fields(CarriageRow))
_CHANGED = tuple(name for name in COLUMNS if name not in ("shipment_id", "currency", "version"))
_values = attrgetter(*COLUMNS)


def _save() -> Any:
    table = Carriage.__table__
    return (
        update(table)
        .where(
            table.c.shipment_id == param("of", table.c.shipment_id), table.c.version == param("was", table.c.version)
        )
        .values(version=table.c.version + 1, **{name: param(f"new_{name}", table.c[name]) for name in _CHANGED})
    )


SAVE = Change(_save)


def lock_carriages(work: UnitOfWork, shipments: Iterable[ShipmentRow]) -> dict[int, CarriageRow]:
    """The carriage of each shipment; an empty one, not written yet, where it has none. The shipments must be locked."""
    held: dict[int, CarriageRow] = work.memo.setdefault("carriages", {})
    wanted = {one.id: one for one in shipments}
    unread = [key for key in wanted if key not in held]
    for row in read_rows(work, Carriage, COLUMNS, "shipment_id", unread, lock=True):
        held[row.shipment_id] = CarriageRow(*row)
    for key in unread:
        if key not in held:
            held[key] = CarriageRow(key, site_facts(work, wanted[key].site_id).entity.currency)
    return {key: held[key] for key in wanted}


def save_carriages(work: UnitOfWork, rows: Sequence[CarriageRow]) -> None:
    """Write what is new and change what is there, each one version on."""
    new = [row for row in rows if row.version == 0]
    old = [row for row in rows if row.version > 0]
    SAVE.run(
        work,
        [
            {"of": row.shipment_id, "was": row.version, **{f"new_{name}": getattr(row, name) for name in _CHANGED}}
            for row in old
        ],
    )
    for row in rows:
        row.version += 1
    write_rows(work, Carriage.__table__, COLUMNS, [_values(row) for row in new])

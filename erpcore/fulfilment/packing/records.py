"""Cartons as services hold them: rows read once, locked with their shipment until the unit of work ends."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from operator import attrgetter
from typing import Any

from sqlalchemy import update

from erpcore.fulfilment.packing.models import Carton, CartonLine
from erpcore.kernel.errors import NotFound
from erpcore.kernel.rows import Change, param, read_rows, write_rows
from erpcore.kernel.work import UnitOfWork


@dataclass(slots=True)
class CartonRow:
    """A carton as stored; weight in thousandths of a kilogram, ``contents`` thousandths by order line."""

    id: int
    shipment_id: int
    position: int
    number: str
    carton_type_id: int
    state: str
    weight_kg: int | None
    opened_at: datetime
    closed_at: datetime | None
    version: int
    contents: dict[int, int] = field(default_factory=dict)


COLUMNS = tuple(f.name for f in fields(CartonRow) if f.name != "contents")
_values = attrgetter(*COLUMNS)
_CHANGED = ("state", "weight_kg", "closed_at")


def _save() -> Any:
    table = Carton.__table__
    return (
        update(table)
        .where(table.c.id == param("of", table.c.id), table.c.version == param("was", table.c.version))
        .values(version=table.c.version + 1, **{name: param(f"new_{name}", table.c[name]) for name in _CHANGED})
    )


def _fill() -> Any:
    table = CartonLine.__table__
    return (
        update(table)
        .where(
            table.c.carton_id == param("carton", table.c.carton_id),
            table.c.order_line_id == param("line", table.c.order_line_id),
        )
        .values(quantity=param("new_quantity", table.c.quantity))
    )


SAVE, FILL = Change(_save), Change(_fill)


def cartons_of(work: UnitOfWork, shipments: Iterable[int]) -> dict[int, list[CartonRow]]:
    """The cartons of shipments, by position. The shipments must be locked: that lock is their cartons' lock."""
    held: dict[int, list[CartonRow]] = work.memo.setdefault("cartons", {})
    wanted = sorted(set(shipments))
    unread = [key for key in wanted if key not in held]
    for key in unread:
        held[key] = []
    by_id: dict[int, CartonRow] = {}
    for row in read_rows(work, Carton, COLUMNS, "shipment_id", unread):
        by_id[row.id] = CartonRow(*row)
        held[row.shipment_id].append(by_id[row.id])
    for row in read_rows(work, CartonLine, ("carton_id", "order_line_id", "quantity"), "carton_id", by_id):
        by_id[row.carton_id].contents[row.order_line_id] = row.quantity
    for key in unread:
        held[key].sort(key=lambda one: one.position)
    return {key: held[key] for key in wanted}


def shipment_of(work: UnitOfWork, carton: int) -> int:
    """The shipment a carton belongs to; raises ``NotFound`` for an unknown carton."""
    rows = read_rows(work, Carton, ("shipment_id",), "id", [carton])
    if not rows:
        raise NotFound("carton_unknown", carton=carton)
    return int(rows[0].shipment_id)


def insert_carton(work: UnitOfWork, carton: CartonRow) -> None:
    """Write a new, empty carton."""
    write_rows(work, Carton.__table__, COLUMNS, [_values(carton)])
    cartons_of(work, [carton.shipment_id])[carton.shipment_id].append(carton)


def save_cartons(work: UnitOfWork, cartons: Sequence[CartonRow]) -> None:
    """Write back changed cartons, each one version on."""
    SAVE.run(
        work,
        [{"of": c.id, "was": c.version, **{f"new_{name}": getattr(c, name) for name in _CHANGED}} for c in cartons],
    )
    for carton in cartons:
        carton.version += 1


def put_contents(work: UnitOfWork, carton: CartonRow, more: dict[int, int]) -> None:
    """Add thousandths of order lines to what lies in a carton."""
    known = {line: quantity for line, quantity in more.items() if line in carton.contents}
    FILL.run(
        work,
        [
            {"carton": carton.id, "line": line, "new_quantity": carton.contents[line] + quantity}
            for line, quantity in known.items()
        ],
    )
    fresh = [(carton.id, line, quantity) for line, quantity in more.items() if line not in known]
    write_rows(work, CartonLine.__table__, ("carton_id", "order_line_id", "quantity"), fresh)
    for line, quantity in more.items():
        carton.contents[line] = carton.contents.get(line, 0) + quantity

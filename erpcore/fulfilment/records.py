"""Shipments as services hold them: rows read once, locked until the unit of work ends, written back by conditional updates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from operator import attrgetter
from typing import Any

from sqlalchemy import update

from erpcore.fulfilment.models import Shipment, ShipmentLine, ShipmentState
from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.kernel.rows import Change, param, read_rows, write_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.orders.documents import Order
from erpcore.orders.models import LineKind
from erpcore.purchasing.records import on_order


@dataclass(slots=True)
class ShipmentRow:
    """A shipment as stored, with (order line, thousandths) of its lines."""

    id: int
    entity_id: int
    site_id: int
    order_id: int
    number: str
    state: str
    picked_at: datetime
    confirmed_at: datetime | None
    delivered_at: datetime | None
    invoice_due_at: datetime | None
    invoice_id: int | None
    version: int
    ship_to_id: int | None = None
    bill_with: str | None = None
    bill_after: datetime | None = None
    lines: list[tuple[int, int]] = field(kw_only=True)


SHIPMENT_COLUMNS = tuple(f.name for f in fields(ShipmentRow) if f.name != "lines")


shipment_values = attrgetter(*SHIPMENT_COLUMNS)


SHIPMENT_LINE_COLUMNS = (
    "shipment_id", "order_line_id", "quantity", "damaged", "freight", "freight_note", "weight_kg", "weight_note", "insurance",
)  # fmt: skip


def _save() -> Any:
    table = Shipment.__table__
    names = ("state", "confirmed_at", "delivered_at", "invoice_due_at", "invoice_id", "bill_with", "bill_after")
    return (
        update(table)
        .where(table.c.id == param("of", table.c.id), table.c.version == param("was", table.c.version))
        .values(version=table.c.version + 1, **{name: param(f"new_{name}", table.c[name]) for name in names})
    )


def _damage() -> Any:
    table = ShipmentLine.__table__
    return (
        update(table)
        .where(
            table.c.shipment_id == param("shipment", table.c.shipment_id),
            table.c.order_line_id == param("line", table.c.order_line_id),
        )
        .values(damaged=param("new_damaged", table.c.damaged))
    )


def _more() -> Any:
    table = ShipmentLine.__table__
    return (
        update(table)
        .where(
            table.c.shipment_id == param("shipment", table.c.shipment_id),
            table.c.order_line_id == param("line", table.c.order_line_id),
        )
        .values(quantity=table.c.quantity + param("more", table.c.quantity))
    )


SAVE = Change(_save)


MORE = Change(_more)


DAMAGE = Change(_damage)


def save_shipments(work: UnitOfWork, shipments: Sequence[ShipmentRow]) -> None:
    """Write back changed shipments, each one version on."""
    SAVE.run(
        work,
        [
            {
                "of": s.id, "was": s.version, "new_state": s.state, "new_confirmed_at": s.confirmed_at,
                "new_delivered_at": s.delivered_at, "new_invoice_due_at": s.invoice_due_at, "new_invoice_id": s.invoice_id,
                "new_bill_with": s.bill_with, "new_bill_after": s.bill_after,
            }
            for s in shipments
        ],
    )  # fmt: skip
    for shipment in shipments:
        shipment.version += 1


def lock_shipments(work: UnitOfWork, ids: Iterable[int]) -> list[ShipmentRow]:
    """Shipments with their lines, locked, in the order of their ids. Their orders must be locked first."""
    held: dict[int, ShipmentRow] = work.memo.setdefault("shipments", {})
    wanted = sorted(set(ids))
    unread = [key for key in wanted if key not in held]
    if unread:
        for row in read_rows(work, Shipment, SHIPMENT_COLUMNS, "id", unread, lock=True):
            held[row.id] = ShipmentRow(*row, lines=[])
        names = ("shipment_id", "order_line_id", "quantity")
        for row in read_rows(work, ShipmentLine, names, "shipment_id", unread):
            held[row.shipment_id].lines.append((row.order_line_id, row.quantity))
    for key in wanted:
        if key not in held:
            raise NotFound("shipment_unknown", shipment=key)
    return [held[key] for key in wanted]


def require_picked(shipment: ShipmentRow) -> None:
    """Raise ``RuleBroken("shipment_gone")`` for what has left, ``"shipment_taken_back"`` for what will not."""
    if shipment.state == ShipmentState.PICKED:
        return
    code = "shipment_taken_back" if shipment.state == ShipmentState.TAKEN_BACK else "shipment_gone"
    raise RuleBroken(code, document=shipment.number)


def join_shipment(
    work: UnitOfWork, order: int, there: tuple[int, int | None], shipment_id: int, taken: Mapping[int, int]
) -> ShipmentRow:
    """Add goods to a shipment of the same order, site and address that is still being picked; the caller saves it.

    Raises ``RuleBroken("shipment_not_joined")`` for any other.
    """
    (shipment,) = lock_shipments(work, [shipment_id])
    same = (shipment.order_id, shipment.site_id, shipment.ship_to_id) == (order, *there)
    if not same or shipment.state != ShipmentState.PICKED:
        raise RuleBroken("shipment_not_joined", document=shipment.number)
    have = dict(shipment.lines)
    MORE.run(work, [{"shipment": shipment.id, "line": key, "more": q} for key, q in taken.items() if key in have])
    nothing = (0, None, None, None, None, None)
    rows = [(shipment.id, key, quantity, *nothing) for key, quantity in taken.items() if key not in have]
    write_rows(work, ShipmentLine.__table__, SHIPMENT_LINE_COLUMNS, rows)
    shipment.lines = [*{**have, **{key: have.get(key, 0) + quantity for key, quantity in taken.items()}}.items()]
    return shipment


def orders_of(work: UnitOfWork, shipments: Iterable[int]) -> list[int]:
    """Order ids of shipments, read without a lock so that orders can be locked before their shipments."""
    held: dict[int, ShipmentRow] = work.memo.get("shipments", {})
    wanted = set(shipments)
    found = {held[key].order_id for key in wanted if key in held}
    unread = [key for key in wanted if key not in held]
    if unread:
        rows = read_rows(work, Shipment, ("order_id",), "id", unread)
        found |= {row.order_id for row in rows}
    return sorted(found)


def billed_together(work: UnitOfWork, shipments: Iterable[int]) -> tuple[set[int], list[int]]:
    """These shipments and what goes on one invoice with them, and the ids of their orders, all read without a lock."""
    held: dict[int, ShipmentRow] = work.memo.get("shipments", {})
    wanted = set(shipments)
    names = ("id", "order_id", "bill_with")
    heads: list[Any] = [held[key] for key in wanted if key in held]
    heads += read_rows(work, Shipment, names, "id", wanted - held.keys())
    together = {row.bill_with for row in heads} - {None}
    if together:
        heads += read_rows(work, Shipment, names, "bill_with", together)
    return wanted | {row.id for row in heads}, sorted({row.order_id for row in heads})


def sent_by_suppliers(work: UnitOfWork, orders: Iterable[Order]) -> dict[int, int]:
    """What suppliers are still to send straight, by line: nobody takes that from a shelf."""
    lines = [line.id for order in orders for line in order.lines if line.kind == LineKind.DROP_SHIP]
    return on_order(work, lines) if lines and not work.is_stated else {}

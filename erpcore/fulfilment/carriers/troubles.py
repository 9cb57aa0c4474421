"""What carriers report and charge: a shipment delayed, refused or lost has an owner until it is settled; freight is settled once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from operator import attrgetter
from typing import Any

from sqlalchemy import update

from erpcore.fulfilment.carriers.models import DeliveryProof, Trouble, TroubleKind
from erpcore.fulfilment.carriers.records import CarriageRow, lock_carriages, save_carriages
from erpcore.fulfilment.models import ShipmentState
from erpcore.fulfilment.records import ShipmentRow, lock_shipments, orders_of
from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.kernel.history import record_move
from erpcore.kernel.rows import Change, param, read_rows, write_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.orders.documents import Order
from erpcore.orders.records import lock_orders
from erpcore.published import ShipmentDelayed
from erpcore.published.floor import ShipmentFreightSettled, ShipmentLost, ShipmentRefused

TRACK = "warehouse:shipment:track"
#: Somebody must have looked at it by then.
LOOKED_AT_WITHIN = {
    TroubleKind.DELAYED: timedelta(hours=24),
    TroubleKind.REFUSED: timedelta(hours=8),
    TroubleKind.LOST: timedelta(hours=4),
}
_EVENT: dict[str, Any] = {
    TroubleKind.DELAYED: ShipmentDelayed,
    TroubleKind.REFUSED: ShipmentRefused,
    TroubleKind.LOST: ShipmentLost,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """What a carrier reports of a shipment; ``owner`` looks after it, ``expected_on`` is the new day."""

    shipment: int
    kind: TroubleKind
    reason: str
    expected_on: date | None = None
    owner: int | None = None


@dataclass(slots=True)
class TroubleRow:
    """A report as stored."""

    id: int
    shipment_id: int
    site_id: int
    kind: str
    reason: str
    expected_on: date | None
    owner_id: int | None
    opened_at: datetime
    opened_by: int
    due_at: datetime
    resolved_at: datetime | None
    resolved_by: int | None
    resolution: str | None
    version: int


COLUMNS = tuple(f.name for f in fields(TroubleRow))
_values = attrgetter(*COLUMNS)
_CHANGED = ("owner_id", "due_at", "resolved_at", "resolved_by", "resolution")


def _save() -> Any:
    table = Trouble.__table__
    return (
        update(table)
        .where(table.c.id == param("of", table.c.id), table.c.version == param("was", table.c.version))
        .values(version=table.c.version + 1, **{name: param(f"new_{name}", table.c[name]) for name in _CHANGED})
    )


SAVE = Change(_save)


def report_trouble(work: UnitOfWork, reports: Sequence[Report], *, by_rule: bool = False) -> list[TroubleRow]:
    """Open an exception for each report; the order's journey shows it from now on.

    ``by_rule``: the step itself noticed it. Raises ``RuleBroken("shipment_not_left")`` for one that is still here, and
    ``"shipment_delivered"`` for one that has arrived.
    """
    keys = [report.shipment for report in reports]
    orders = {order.id: order for order in lock_orders(work, orders_of(work, keys))}
    shipments = {one.id: one for one in lock_shipments(work, keys)}
    ids, rows = work.ids.reserve(len(reports)), []
    for report in reports:
        shipment = shipments[report.shipment]
        if not by_rule:
            work.actor.require(TRACK, site=shipment.site_id)
        if not report.reason.strip():
            raise RuleBroken("reason_required", field="reason", document="shipment", move=f"report as {report.kind}")
        if shipment.state != ShipmentState.CONFIRMED:
            code = "shipment_not_left" if shipment.confirmed_at is None else "shipment_delivered"
            raise RuleBroken(code, document=shipment.number)
        row = TroubleRow(
            id=next(ids), shipment_id=shipment.id, site_id=shipment.site_id, kind=report.kind, reason=report.reason,
            expected_on=report.expected_on, owner_id=report.owner, opened_at=work.now, opened_by=work.actor.id,
            due_at=work.now + LOOKED_AT_WITHIN[report.kind], resolved_at=None, resolved_by=None, resolution=None, version=1,
        )  # fmt: skip
        rows.append(row)
        tell_shipment(work, orders[shipment.order_id], shipment, _EVENT[report.kind](reason=report.reason))
        record_move(
            work, "shipment", shipment.id, f"report_{report.kind}", shipment.state, shipment.state, reason=report.reason
        )
    write_rows(work, Trouble.__table__, COLUMNS, [_values(row) for row in rows])
    return rows


def take_trouble(work: UnitOfWork, trouble: int, owner: int | None) -> TroubleRow:
    """Give an exception to somebody to look after."""
    row = _lock(work, trouble)
    row.owner_id = owner
    SAVE.run(work, [_params(row)])
    record_move(work, "shipment_trouble", row.id, "assign", row.kind, row.kind, facts={"owner": owner})
    return row


def resolve_trouble(work: UnitOfWork, trouble: int, resolution: str) -> TroubleRow:
    """What became of it, in words; the exception leaves the queue."""
    row = _lock(work, trouble)
    if not resolution.strip():
        raise RuleBroken("reason_required", field="resolution", document="exception", move="resolve")
    row.resolved_at, row.resolved_by, row.resolution = work.now, work.actor.id, resolution
    SAVE.run(work, [_params(row)])
    record_move(work, "shipment_trouble", row.id, "resolve", row.kind, "resolved", reason=resolution)
    return row


def settle_freight(work: UnitOfWork, shipment_id: int, actual_minor: int) -> CarriageRow:
    """What the carrier charged for a shipment that has left, once; the difference to the estimate is what measures read."""
    (order,) = lock_orders(work, orders_of(work, [shipment_id]))
    (shipment,) = lock_shipments(work, [shipment_id])
    work.actor.require(TRACK, site=shipment.site_id)
    carriage = lock_carriages(work, [shipment])[shipment_id]
    if shipment.confirmed_at is None:
        raise RuleBroken("shipment_not_left", document=shipment.number)
    if carriage.service_id is None:
        raise RuleBroken("no_carrier", document=shipment.number)
    if carriage.settled_at is not None:
        raise RuleBroken("freight_settled", document=shipment.number)
    if not 0 <= actual_minor < 10**12:
        raise RuleBroken("amount_absurd", field="freight_actual")
    carriage.freight_actual_minor, carriage.settled_at = actual_minor, work.now
    save_carriages(work, [carriage])
    record_move(
        work, "shipment", shipment.id, "settle_freight", shipment.state, shipment.state, facts={"actual": actual_minor}
    )
    event = ShipmentFreightSettled(
        service=carriage.service_id, actual=actual_minor, estimate=carriage.freight_estimate_minor,
        premium=carriage.premium_reason,
    )  # fmt: skip
    tell_shipment(work, order, shipment, event)
    return carriage


def keep_proof(work: UnitOfWork, shipment_id: int, received_by: str, note: str | None = None) -> None:
    """Who took the goods, kept apart from the shipment so that the name can be erased."""
    if not received_by.strip():
        raise RuleBroken("proof_unnamed", field="received_by")
    write_rows(
        work, DeliveryProof.__table__, ("shipment_id", "received_by", "note", "recorded_at"),
        [(shipment_id, received_by.strip(), (note or "").strip() or None, work.now)],
    )  # fmt: skip


def _lock(work: UnitOfWork, trouble: int) -> TroubleRow:
    rows = read_rows(work, Trouble, COLUMNS, "id", [trouble], lock=True)
    if not rows:
        raise NotFound("trouble_unknown", trouble=trouble)
    row = TroubleRow(*rows[0])
    work.actor.require(TRACK, site=row.site_id)
    if row.resolved_at is not None:
        raise RuleBroken("trouble_ended", trouble=trouble)
    return row


def _params(row: TroubleRow) -> dict[str, Any]:
    return {"of": row.id, "was": row.version, **{f"new_{name}": getattr(row, name) for name in _CHANGED}}


def tell_shipment(work: UnitOfWork, order: Order, shipment: ShipmentRow, event: Any) -> None:
    """Tell of a shipment on its way, in the journey of its order."""
    work.publish(
        event, order.place(work), step="order_to_cash.deliver", subject=("shipment", shipment.id, shipment.version),
        journey=order.id,
    )  # fmt: skip

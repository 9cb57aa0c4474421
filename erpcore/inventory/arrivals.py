"""Which goods wait where they were received, since when and out of which arrival? What came first is put away first.

Rows are kept under the lock of the place's balance, like its bins.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import select, update

from erpcore.inventory.bins import Slot, bin_short
from erpcore.inventory.documents import StockArrival
from erpcore.inventory.models import StockStatus
from erpcore.kernel.events import Place
from erpcore.kernel.money import scaled_amount
from erpcore.kernel.rows import Change, param, raw_columns, write_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import items
from erpcore.published.stock import StockArrived, StockPutAway

_ARRIVAL = (
    "id", "arrival_id", "document_type", "document_id", "number", "entity_id", "site_id", "item_id", "slot", "quantity",
    "put_away", "value_minor", "arrived_at",
)  # fmt: skip


class Paper(NamedTuple):
    """What goods came with. ``arrival`` is the document that stands at the control point until they are put away."""

    arrival: int
    document_type: str
    document_id: int
    number: str


def _put_away() -> Any:
    table = StockArrival.__table__
    return (
        update(table)
        .where(table.c.id == param("of", table.c.id))
        .values(put_away=table.c.put_away + param("more", table.c.put_away))
    )


_PUT_AWAY = Change(_put_away)


def keep_arrival(work: UnitOfWork, place: Place, paper: Paper, came: Sequence[tuple[Slot, int]]) -> None:
    """Goods came, and what of them waits to be put away waits from now on; an arrival of which nothing waits is told too."""
    waiting: dict[Slot, int] = {}
    for slot, quantity in came:
        if slot.status == StockStatus.RECEIVED:
            waiting[slot] = waiting.get(slot, 0) + quantity
    known = items(work, {slot.item for slot in waiting})
    currency = place.currency or ""
    worth: dict[Slot, int | None] = {}
    for slot, quantity in waiting.items():
        cost = known[slot.item].standard_cost
        worth[slot] = None if cost is None else scaled_amount(quantity, cost, currency)
    ids = work.ids.reserve(len(waiting))
    write_rows(
        work, StockArrival.__table__, _ARRIVAL,
        [
            (
                next(ids), *paper, place.entity, slot.site, slot.item, slot.text, quantity, 0, worth[slot], work.now,
            )
            for slot, quantity in waiting.items()
        ],
    )  # fmt: skip
    valued = [value for value in worth.values() if value is not None]
    work.publish(
        StockArrived(
            document_type=paper.document_type, document=paper.document_id, quantity=sum(waiting.values()),
            lines=len({(slot.item, slot.lot) for slot, _ in came}), value=sum(valued) if valued else None,
        ),
        place, step="warehouse.receive", subject=(paper.document_type, paper.document_id, 1), journey=paper.arrival,
    )  # fmt: skip


def take_arrivals(work: UnitOfWork, place: Place, key: int, slot: Slot, quantity: int) -> None:
    """So much of a locked slot is put away: of what came first. Says for each arrival what was put away of it.

    ``key`` is the put-away. Raises ``RuleBroken("bin_short")`` when less waits.
    """
    rows = work.session.execute(
        select(*raw_columns(StockArrival, "id", "arrival_id", "quantity", "put_away", "value_minor"))
        .where(
            StockArrival.site_id == slot.site, StockArrival.item_id == slot.item, StockArrival.slot == slot.text,
            StockArrival.put_away < StockArrival.quantity,
        )
        .order_by(StockArrival.arrived_at, StockArrival.id)
    ).all()  # fmt: skip
    changes, left = [], quantity
    for number, row in enumerate(rows, 1):
        part = min(left, row.quantity - row.put_away)
        changes.append({"of": row.id, "more": part})
        work.publish(
            StockPutAway(item=slot.item, quantity=part, arrival=row.arrival_id, value=_share(row, part)), place,
            step="warehouse.put_away", subject=("put_away", key, number), journey=row.arrival_id,
        )  # fmt: skip
        left -= part
        if not left:
            break
    if left:
        raise bin_short(work, slot)
    _PUT_AWAY.run(work, changes)


def _share(row: Any, part: int) -> int | None:
    """What this part is worth, so that the parts add up to the whole."""
    if row.value_minor is None:
        return None
    before, after = (row.value_minor * done // row.quantity for done in (row.put_away, row.put_away + part))
    return int(after - before)

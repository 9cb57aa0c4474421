"""What is free at a place, what comes there, and who waits for it? Read for promising; nothing here is locked.

Waiting rows of reservations carry the unmet part of a line: they keep its place in the queue for what comes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import select, update

from erpcore.inventory.balances import Place
from erpcore.inventory.documents import ExpectedReceipt, ReceiptSource
from erpcore.inventory.models import Reservation, StockBalance
from erpcore.kernel.rows import Change, all_rows, chunks, param, raw_columns, read_rows, write_rows
from erpcore.kernel.work import UnitOfWork


class Coming(NamedTuple):
    """So much that is expected at a place; ``in_transit``: on its way from another site of ours."""

    receipt: int
    day: date
    quantity: int
    in_transit: bool


#: A receipt that says: as it was.
UNCHANGED = 0


class Waiting(NamedTuple):
    """A line that waits for what is not there: how much, since when, promised for which day from which receipt."""

    line: int
    entity: int
    site: int
    item: int
    unmet: int
    since: datetime
    promised_on: date
    receipt: int | None = None


def _by_site(places: Iterable[Place]) -> list[tuple[int, list[int]]]:
    wanted: dict[int, set[int]] = defaultdict(set)
    for site, item in places:
        wanted[site].add(item)
    return [(site, sorted(items)) for site, items in sorted(wanted.items())]


def free_at(work: UnitOfWork, places: Iterable[Place]) -> dict[Place, int]:
    """What could be promised now at each place; locked figures are used where the unit of work has them."""
    held: dict[Place, list[int]] = work.memo.get("balances", {})
    asked = set(places)
    free = {place: held[place][0] - held[place][1] - held[place][2] for place in asked if place in held}
    for site, items in _by_site(asked - free.keys()):
        names = ("item_id", "on_hand", "reserved", "blocked")
        for row in read_rows(work, StockBalance, names, "item_id", items, also=("site_id", site)):
            free[site, row.item_id] = row.on_hand - row.reserved - row.blocked
    return free


def coming_to(work: UnitOfWork, places: Iterable[Place]) -> dict[Place, list[Coming]]:
    """Open expected receipts by place, transfers on their way among them."""
    found: dict[Place, list[Coming]] = defaultdict(list)
    left = ExpectedReceipt.quantity - ExpectedReceipt.received - ExpectedReceipt.cancelled
    for site, items in _by_site(places):
        for part in chunks(items):
            query = select(
                *raw_columns(
                    ExpectedReceipt, "id", "item_id", "expected_on", "quantity", "received", "cancelled", "source"
                )
            ).where(ExpectedReceipt.site_id == site, ExpectedReceipt.item_id.in_(part), left > 0)
            for row in work.session.execute(query):
                quantity = row.quantity - row.received - row.cancelled
                in_transit = row.source == ReceiptSource.TRANSFER
                found[site, row.item_id].append(Coming(row.id, row.expected_on, quantity, in_transit))
    return found


_WAITED = "SELECT item_id, SUM(unmet) FROM reservation WHERE unmet > 0 AND site_id = ? AND item_id IN ({marks}) GROUP BY item_id"


def waited_for(work: UnitOfWork, places: Iterable[Place]) -> dict[Place, int]:
    """How much lines wait for at each place, where any do. One cheap question, since mostly the answer is nothing."""
    found: dict[Place, int] = {}
    for site, items in _by_site(places):
        for part in chunks(items):
            # Padded to a power of two, so that the driver keeps few statements.
            padded = [*part, *([part[-1]] * ((1 << (len(part) - 1).bit_length()) - len(part)))]
            marks = ", ".join("?" * len(padded))
            rows = all_rows(work, _WAITED.format(marks=marks), site, *padded)
            found |= {(site, int(item)): int(unmet) for item, unmet in rows}
    return found


def waiting_at(work: UnitOfWork, places: Iterable[Place]) -> list[Waiting]:
    """The lines that wait at these places, in the order in which they began to."""
    found: list[Waiting] = []
    names = ("order_line_id", "entity_id", "site_id", "item_id", "unmet", "since", "promised_on", "receipt_id")
    for site, items in _by_site(places):
        for part in chunks(items):
            query = select(*raw_columns(Reservation, *names)).where(
                Reservation.site_id == site, Reservation.item_id.in_(part), Reservation.unmet > 0
            )
            found += [Waiting(*row) for row in work.session.execute(query)]
    return sorted(found, key=lambda each: (each.since, each.line))


_ROW = (
    "id", "entity_id", "order_line_id", "site_id", "item_id", "quantity", "consumed", "freed", "reserved_at", "unmet",
    "since", "promised_on", "receipt_id",
)  # fmt: skip
_KEPT = ("site_id", "item_id", "unmet", "since", "promised_on", "receipt_id")


def _keep() -> Any:
    table = Reservation.__table__
    return (
        update(table)
        .where(table.c.id == param("of", table.c.id))
        .values(**{name: param(f"new_{name}", table.c[name]) for name in _KEPT})
    )


_KEEP = Change(_keep)


def keep_waiting(work: UnitOfWork, waits: Sequence[Waiting]) -> None:
    """Write what lines wait for now, one row each; ``unmet`` 0 ends the waiting. A line that waits on keeps its place."""
    names = ("order_line_id", "id", "unmet", "since", "receipt_id")
    rows = read_rows(work, Reservation, names, "order_line_id", [w.line for w in waits], also=("quantity", 0))
    known = {row.order_line_id: row for row in rows}
    changed: list[dict[str, Any]] = []
    fresh: list[tuple[Any, ...]] = []
    for wait in waits:
        row = known.get(wait.line)
        if row is not None:
            since = row.since if row.unmet else wait.since
            receipt = row.receipt_id if wait.receipt == UNCHANGED else wait.receipt
            values = (wait.site, wait.item, wait.unmet, since, wait.promised_on, receipt)
            changed.append({"of": row.id} | {f"new_{name}": value for name, value in zip(_KEPT, values, strict=True)})
        elif wait.unmet:
            fresh.append(
                (
                    work.ids.one(), wait.entity, wait.line, wait.site, wait.item, 0, 0, 0, work.now, wait.unmet,
                    wait.since, wait.promised_on, wait.receipt or None,
                )
            )  # fmt: skip
    _KEEP.run(work, changed)
    write_rows(work, Reservation.__table__, _ROW, fresh)

"""Purchase orders as services hold them: locked until the unit of work ends, written back by conditional updates.

Quantities are thousandths of the unit, prices millionths, values minor units.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from typing import Any

from sqlalchemy import update

from erpcore.inventory.documents import ExpectedReceipt
from erpcore.kernel.errors import Conflict, NotFound
from erpcore.kernel.rows import Change, param, read_rows, write_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.purchasing.models import PurchaseOrder, PurchaseOrderLine


@dataclass(slots=True)
class PurchaseLineRow:
    """One line, as stored."""

    id: int
    purchase_id: int
    line_no: int
    item_id: int
    quantity: int
    unit_price: int
    value_minor: int
    requested_on: date
    first_confirmed_on: date | None
    confirmed_on: date | None
    received: int
    cancelled: int
    order_line_id: int | None

    @property
    def open(self) -> int:
        """What should still come."""
        return max(0, self.quantity - self.received - self.cancelled)

    @property
    def due_on(self) -> date:
        """The day it is waited for: as confirmed, else as asked for."""
        return self.confirmed_on or self.requested_on


@dataclass(slots=True)
class Purchase:
    """One purchase order with its lines, as stored."""

    id: int
    entity_id: int
    site_id: int
    supplier_id: int
    number: str | None
    state: str
    is_direct: bool
    order_id: int | None
    currency: str
    value_minor: int
    ordered_at: datetime
    ordered_by: int
    confirmed_at: datetime | None
    confirmation: str | None
    ended_at: datetime | None
    ruleset: str
    note: str | None
    version: int
    lines: list[PurchaseLineRow] = field(default_factory=list)


HEAD = tuple(f.name for f in fields(Purchase) if f.name != "lines")
LINE = tuple(f.name for f in fields(PurchaseLineRow))


def _save_head() -> Any:
    table = PurchaseOrder.__table__
    names = ("state", "confirmed_at", "confirmation", "ended_at")
    return (
        update(table)
        .where(table.c.id == param("of", table.c.id), table.c.version == param("was", table.c.version))
        .values(version=table.c.version + 1, **{name: param(f"new_{name}", table.c[name]) for name in names})
    )


def _save_line() -> Any:
    table = PurchaseOrderLine.__table__
    names = ("first_confirmed_on", "confirmed_on", "received", "cancelled")
    return (
        update(table)
        .where(table.c.id == param("of", table.c.id))
        .values(**{name: param(f"new_{name}", table.c[name]) for name in names})
    )


def _save_expected() -> Any:
    table = ExpectedReceipt.__table__
    return (
        update(table)
        .where(table.c.line_id == param("of", table.c.line_id), table.c.document_id == param("paper", table.c.document_id))
        .values(
            cancelled=param("now_cancelled", table.c.cancelled), expected_on=param("on", table.c.expected_on),
            version=table.c.version + 1,
        )
    )  # fmt: skip


_SAVE_HEAD, _SAVE_LINE, _SAVE_EXPECTED = Change(_save_head), Change(_save_line), Change(_save_expected)


def insert_purchases(work: UnitOfWork, purchases: Sequence[Purchase]) -> None:
    """Write new purchase orders and keep them in hand."""
    heads = [tuple(getattr(one, name) for name in HEAD) for one in purchases]
    lines = [tuple(getattr(line, name) for name in LINE) for one in purchases for line in one.lines]
    write_rows(work, PurchaseOrder.__table__, HEAD, heads)
    write_rows(work, PurchaseOrderLine.__table__, LINE, lines)
    _held(work).update((one.id, one) for one in purchases)


def _held(work: UnitOfWork) -> dict[int, Purchase]:
    held: dict[int, Purchase] = work.memo.setdefault("purchases", {})
    return held


def lock_purchases(
    work: UnitOfWork, ids: Iterable[int], *, seen: dict[int, int | None] | None = None, everywhere: bool = False
) -> list[Purchase]:
    """The purchase orders, locked, in the order of their ids; ``seen`` are the versions that the person saw.

    Raises ``NotFound`` for an unknown one or another site's, ``Conflict`` when it changed since. ``everywhere``: whose it is follows
    from a document that the person may change, wherever the supplier's works are.
    """
    held, wanted = _held(work), sorted(set(ids))
    unread = [key for key in wanted if key not in held]
    if unread:
        for row in read_rows(work, PurchaseOrder, HEAD, "id", unread, lock=True):
            held[row.id] = Purchase(*row)
        for row in sorted(read_rows(work, PurchaseOrderLine, LINE, "purchase_id", unread), key=lambda row: row.line_no):
            held[row.purchase_id].lines.append(PurchaseLineRow(*row))
    sites = None if everywhere else work.actor.sites
    for key in wanted:
        if key not in held or (sites is not None and held[key].site_id not in sites):
            raise NotFound("purchase_unknown", id=key)
        asked = (seen or {}).get(key)
        if asked is not None and asked != held[key].version:
            raise Conflict("changed_meanwhile", document=held[key].number)
    return [held[key] for key in wanted]


def on_order(work: UnitOfWork, order_lines: Iterable[int]) -> dict[int, int]:
    """How much suppliers are still to send for each of these customers' lines, where they are; closed orders send nothing."""
    found: dict[int, int] = {}
    names = ("order_line_id", "quantity", "received", "cancelled")
    for row in read_rows(work, PurchaseOrderLine, names, "order_line_id", order_lines):
        left = max(0, row.quantity - row.received - row.cancelled)
        if left:
            found[row.order_line_id] = found.get(row.order_line_id, 0) + left
    return found


def serving(work: UnitOfWork, order_lines: Iterable[int]) -> dict[int, list[PurchaseLineRow]]:
    """The lines of purchase orders that serve each of these customers' lines and of which something is open, by id; read, not locked."""
    found: dict[int, list[PurchaseLineRow]] = {}
    for row in sorted(read_rows(work, PurchaseOrderLine, LINE, "order_line_id", order_lines), key=lambda row: row.id):
        line = PurchaseLineRow(*row)
        if line.open and line.order_line_id is not None:
            found.setdefault(line.order_line_id, []).append(line)
    return found


def last_due(work: UnitOfWork, order_lines: Iterable[int]) -> dict[int, date]:
    """The day on which the last of what suppliers are still to send for each of these customers' lines is waited for."""
    found: dict[int, date] = {}
    for row in read_rows(work, PurchaseOrderLine, LINE, "order_line_id", order_lines):
        line = PurchaseLineRow(*row)
        if line.open and line.order_line_id is not None:
            found[line.order_line_id] = max(line.due_on, found.get(line.order_line_id, line.due_on))
    return found


#: What a split changes of the line that it is of.
_SPLIT = ("quantity", "value_minor", "order_line_id", "requested_on")


def _save_split() -> Any:
    table = PurchaseOrderLine.__table__
    return (
        update(table)
        .where(table.c.id == param("of", table.c.id))
        .values(**{name: param(f"new_{name}", table.c[name]) for name in _SPLIT})
    )


_SAVE_SPLIT = Change(_save_split)


def save_split(work: UnitOfWork, changed: Sequence[PurchaseLineRow], new: Sequence[PurchaseLineRow]) -> None:
    """Write lines of which parts were split off, and the parts."""
    rows = [{"of": line.id, **{f"new_{name}": getattr(line, name) for name in _SPLIT}} for line in changed]
    _SAVE_SPLIT.run(work, rows)
    write_rows(work, PurchaseOrderLine.__table__, LINE, [tuple(getattr(line, name) for name in LINE) for line in new])


def save_purchases(
    work: UnitOfWork, purchases: Sequence[Purchase], lines: Sequence[PurchaseLineRow], *, expected: bool = True
) -> None:
    """Write what changed; with ``expected`` also what should come to the site, of those whose goods come there."""
    _SAVE_HEAD.run(
        work,
        [
            {
                "of": one.id, "was": one.version, "new_state": one.state, "new_confirmed_at": one.confirmed_at,
                "new_confirmation": one.confirmation, "new_ended_at": one.ended_at,
            }
            for one in purchases
        ],
    )  # fmt: skip
    for one in purchases:
        one.version += 1
    _SAVE_LINE.run(
        work,
        [
            {
                "of": line.id, "new_first_confirmed_on": line.first_confirmed_on, "new_confirmed_on": line.confirmed_on,
                "new_received": line.received, "new_cancelled": line.cancelled,
            }
            for line in lines
        ],
    )  # fmt: skip
    direct = {one.id for one in purchases if one.is_direct}
    if expected:
        rows = [line for line in lines if line.purchase_id not in direct]
        _SAVE_EXPECTED.run(
            work,
            [
                {"of": line.id, "paper": line.purchase_id, "now_cancelled": line.cancelled, "on": line.due_on}
                for line in rows
            ],
        )

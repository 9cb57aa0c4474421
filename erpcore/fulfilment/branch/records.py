"""Transfer orders as services hold them: locked until the unit of work ends, written back by conditional updates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from typing import Any

from sqlalchemy import update

from erpcore.fulfilment.branch.models import TransferOrder, TransferOrderLine
from erpcore.kernel.errors import Conflict, NotFound
from erpcore.kernel.rows import Change, param, read_rows, write_rows
from erpcore.kernel.work import UnitOfWork


@dataclass(slots=True)
class AskedLine:
    """One line, as stored, in thousandths."""

    id: int
    order_id: int
    line_no: int
    item_id: int
    quantity: int
    reserved: int
    shipped: int
    cancelled: int

    @property
    def open(self) -> int:
        """What is still to be shipped."""
        return self.quantity - self.shipped - self.cancelled


@dataclass(slots=True)
class Asked:
    """One transfer order with its lines, as stored."""

    id: int
    entity_id: int
    from_site_id: int
    site_id: int
    number: str
    state: str
    wanted_on: date
    promised_on: date
    promise_reason: str
    requested_at: datetime
    requested_by: int
    decided_at: datetime | None
    decided_by: int | None
    note: str | None
    version: int
    lines: list[AskedLine] = field(default_factory=list)


HEAD = tuple(f.name for f in fields(Asked) if f.name != "lines")
LINE = tuple(f.name for f in fields(AskedLine))


def _save_head() -> Any:
    table = TransferOrder.__table__
    names = ("state", "promised_on", "promise_reason", "decided_at", "decided_by")
    return (
        update(table)
        .where(table.c.id == param("of", table.c.id), table.c.version == param("was", table.c.version))
        .values(version=table.c.version + 1, **{name: param(f"new_{name}", table.c[name]) for name in names})
    )


def _save_line() -> Any:
    table = TransferOrderLine.__table__
    names = ("reserved", "shipped", "cancelled")
    return (
        update(table)
        .where(table.c.id == param("of", table.c.id))
        .values(**{name: param(f"new_{name}", table.c[name]) for name in names})
    )


_SAVE_HEAD, _SAVE_LINE = Change(_save_head), Change(_save_line)


def insert_asked(work: UnitOfWork, orders: Sequence[Asked]) -> None:
    """Write new transfer orders."""
    write_rows(work, TransferOrder.__table__, HEAD, [tuple(getattr(one, name) for name in HEAD) for one in orders])
    rows = [tuple(getattr(line, name) for name in LINE) for one in orders for line in one.lines]
    write_rows(work, TransferOrderLine.__table__, LINE, rows)


def lock_asked(work: UnitOfWork, ids: Iterable[int], *, seen: dict[int, int | None] | None = None) -> list[Asked]:
    """The transfer orders, locked, in the order of their ids; seen by the site that asks and by the one that sends.

    Raises ``NotFound`` for an unknown one or one between other sites, ``Conflict`` when it changed since it was seen.
    """
    wanted = sorted(set(ids))
    held = {row.id: Asked(*row) for row in read_rows(work, TransferOrder, HEAD, "id", wanted, lock=True)}
    for row in sorted(read_rows(work, TransferOrderLine, LINE, "order_id", wanted), key=lambda row: row.line_no):
        held[row.order_id].lines.append(AskedLine(*row))
    sites = work.actor.sites
    for key in wanted:
        if key not in held or (sites is not None and not {held[key].site_id, held[key].from_site_id} & sites):
            raise NotFound("transfer_order_unknown", id=key)
        asked = (seen or {}).get(key)
        if asked is not None and asked != held[key].version:
            raise Conflict("changed_meanwhile", document=held[key].number)
    return [held[key] for key in wanted]


def save_asked(work: UnitOfWork, orders: Sequence[Asked]) -> None:
    """Write what changed."""
    _SAVE_HEAD.run(
        work,
        [
            {
                "of": one.id, "was": one.version, "new_state": one.state, "new_promised_on": one.promised_on,
                "new_promise_reason": one.promise_reason, "new_decided_at": one.decided_at, "new_decided_by": one.decided_by,
            }
            for one in orders
        ],
    )  # fmt: skip
    _SAVE_LINE.run(
        work,
        [
            {"of": line.id, "new_reserved": line.reserved, "new_shipped": line.shipped, "new_cancelled": line.cancelled}
            for one in orders
            for line in one.lines
        ],
    )
    for one in orders:
        one.version += 1

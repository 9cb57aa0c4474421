"""Transfers as services hold them: locked with their lines, and written back with what is expected of them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import update

from erpcore.inventory.documents import ExpectedReceipt, StockTransfer, StockTransferLine, TransferState
from erpcore.inventory.flow import TRANSFER
from erpcore.kernel.errors import NotFound
from erpcore.kernel.history import record_move
from erpcore.kernel.rows import Change, param, read_rows
from erpcore.kernel.work import UnitOfWork

TRANSFER_COLUMNS = (
    "id", "entity_id", "from_site_id", "site_id", "number", "state", "shipped_at", "arrives_on", "settled_at", "order_id", "note",
    "version",
)  # fmt: skip
LINE_COLUMNS = ("id", "transfer_id", "item_id", "lot_id", "quantity", "received", "lost")


def _change_line() -> Any:
    table = StockTransferLine.__table__
    return (
        update(table)
        .where(table.c.id == param("of", table.c.id))
        .values(
            received=table.c.received + param("d_received", table.c.received),
            lost=table.c.lost + param("d_lost", table.c.lost),
        )
    )


def _change_transfer() -> Any:
    table = StockTransfer.__table__
    return (
        update(table)
        .where(table.c.id == param("of", table.c.id), table.c.version == param("seen", table.c.version))
        .values(
            state=param("now_state", table.c.state), settled_at=param("now_settled", table.c.settled_at),
            version=table.c.version + 1,
        )
    )  # fmt: skip


def _change_expected() -> Any:
    table = ExpectedReceipt.__table__
    return (
        update(table)
        .where(table.c.line_id == param("of", table.c.line_id), table.c.document_id == param("paper", table.c.document_id))
        .values(
            received=table.c.received + param("d_received", table.c.received),
            cancelled=table.c.cancelled + param("d_cancelled", table.c.cancelled), version=table.c.version + 1,
        )
    )  # fmt: skip


_CHANGE_LINE, _CHANGE_TRANSFER, _CHANGE_EXPECTED = (
    Change(_change_line),
    Change(_change_transfer),
    Change(_change_expected),
)


def lock_transfer(work: UnitOfWork, transfer: int) -> tuple[Any, dict[int, Any]]:
    """A transfer with its lines by id, locked; raises ``NotFound`` for an unknown one."""
    rows = read_rows(work, StockTransfer, TRANSFER_COLUMNS, "id", [transfer], lock=True)
    if not rows:
        raise NotFound("transfer_unknown", id=transfer)
    lines = read_rows(work, StockTransferLine, LINE_COLUMNS, "transfer_id", [transfer])
    return rows[0], {line.id: line for line in lines}


def settle_transfer(
    work: UnitOfWork, head: Any, lines: dict[int, Any], changes: list[dict[str, Any]], move: str, reason: str | None
) -> bool:
    """Write what came or was lost of each line; returns whether nothing of the transfer is on its way any more."""
    settled = all(line.received + line.lost == line.quantity for line in lines.values())
    state = TRANSFER.target("settle", head.state) if settled else head.state
    _CHANGE_LINE.run(work, changes)
    _CHANGE_EXPECTED.run(
        work,
        [{"of": c["of"], "paper": head.id, "d_received": c["d_received"], "d_cancelled": c["d_lost"]} for c in changes],
    )
    _CHANGE_TRANSFER.run(
        work,
        [{"of": head.id, "seen": head.version, "now_state": state, "now_settled": work.now if settled else None}],
    )
    record_move(work, "transfer", head.id, move, TransferState.SHIPPED, state, reason=reason)
    return settled

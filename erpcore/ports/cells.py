"""May this cell transact? What a grant opens, what a cell admits, and the question itself."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.work import UnitOfWork


class Process(StrEnum):
    """The value streams that a grant opens. A process step is named ``process.step``."""

    ORDER_TO_CASH = "order_to_cash"
    RETURNS_TO_CREDIT = "returns_to_credit"
    WAREHOUSE = "warehouse"
    RECORD_TO_REPORT = "record_to_report"


class CellState(StrEnum):
    """What a cell admits: nothing · practice · everything · what is under way · back-entry only."""

    CLOSED = "closed"
    IN_REHEARSAL = "in_rehearsal"
    OPEN = "open"
    DRAINING = "draining"
    IN_FALLBACK = "in_fallback"


class Admission(NamedTuple):
    """The answer for one cell, process and customer group. ``facts`` say which wave waits for what when it is closed."""

    state: CellState
    grant: int | None
    facts: Mapping[str, Any]


class Cell(NamedTuple):
    """Where a transaction happens: the *live* site and channel, the process, and the customer's group."""

    site: int
    channel: int | None
    process: str
    customer_group: int | None = None


class CellStates(Protocol):
    """Is this cell closed, open, draining or in fallback, now and in this realm?"""

    def admission(self, work: UnitOfWork, realm: str, cell: Cell) -> Admission: ...


def admit(work: UnitOfWork, cells: CellStates, realm: str, cell: Cell, *, begins: bool) -> int | None:
    """The grant that lets this cell transact now; ``begins`` says that something new starts here.

    Raises ``RuleBroken("cell_closed")`` with the facts of which wave waits for what; an open cell admits all, a draining one
    what is under way, one in fallback back-entries only.
    """
    memo: dict[tuple[str, Cell], Admission] = work.memo.setdefault("admissions", {})
    answer = memo.get((realm, cell))
    if answer is None:
        answer = memo[realm, cell] = cells.admission(work, realm, cell)
    allowed = (
        answer.state == CellState.OPEN
        or (answer.state == CellState.IN_REHEARSAL and realm != "live")
        or (answer.state == CellState.DRAINING and not begins)
        or (answer.state == CellState.IN_FALLBACK and work.source == "back-entry")
    )
    if not allowed:
        raise RuleBroken("cell_closed", state=answer.state, process=cell.process, **answer.facts)
    return answer.grant

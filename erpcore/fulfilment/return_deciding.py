"""May the goods come back? By the policy of the return, by who authorises, or outside of the policy by others' word."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from erpcore.fulfilment.flow import RETURN
from erpcore.fulfilment.return_policy import Judgement, judged
from erpcore.fulfilment.return_records import ReturnRow, lock_returns, save_returns
from erpcore.fulfilment.return_sales import count_returned
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.history import record_move
from erpcore.kernel.work import UnitOfWork
from erpcore.ports import BY_PERMISSION, Authority, Matter
from erpcore.published import ReturnAuthorised, ReturnDeclined

OUTSIDE = "returns:return:authorise_outside"


def authorise_returns(
    work: UnitOfWork,
    ids: Iterable[int],
    *,
    authority: Authority = BY_PERMISSION,
    reason: str | None = None,
    at: Mapping[int, datetime] | None = None,
) -> list[ReturnRow]:
    """Allow the goods to come back. Outside of the policy that takes a reason, and who may or whom the policy names agrees: until
    then the return waits.

    Raises ``RuleBroken("return_outside_policy")`` without a reason, ``return_outside_never`` where the policy lets nobody.
    """
    rows = lock_returns(work, ids)
    outside = {row.id: found for row in rows if (found := judged(row.judged)) is not None and found.against}
    asked = []
    for row in rows:
        move, why = "authorise", reason
        if (found := outside.get(row.id)) is not None:
            RETURN.target(move, row.state)
            move, why = _outside(work, row, found, reason), (reason or "").strip()
        if move == "ask":
            asked.append(row)
        _move(work, row, move, why, at)
    save_returns(work, rows)
    for row in asked:
        authority.ask(work, _matter(row, outside[row.id]))
    return rows


def _outside(work: UnitOfWork, row: ReturnRow, found: Judgement, reason: str | None) -> str:
    """The move by which a return outside of its policy goes on."""
    why = "; ".join(found.words())
    if found.exception == "never":
        raise RuleBroken("return_outside_never", document=row.number, why=why)
    if not (reason or "").strip():
        raise RuleBroken("return_outside_policy", field="reason", document=row.number, why=why)
    if found.exception == "second_person":
        return "ask"
    work.actor.require(OUTSIDE, site=row.site_id)
    return "authorise"


def _matter(row: ReturnRow, found: Judgement) -> Matter:
    return Matter(
        kind="return_outside", document_type="return", document=row.id, version=row.version,
        summary=f"Return {row.number} outside of the policy: {'; '.join(found.words())}", site=row.site_id,
        entity=row.entity_id, amount_minor=row.value, currency=row.currency,
    )  # fmt: skip


def settle_return(work: UnitOfWork, key: int, *, agreed: bool, note: str) -> ReturnRow:
    """Do what was answered about a return outside of its policy: whether the person at work may was looked at by whoever took the
    answer.
    """
    (row,) = rows = lock_returns(work, [key])
    _move(work, row, "agree" if agreed else "refuse", note.strip() or None, None, is_settled=True)
    save_returns(work, rows)
    if not agreed:
        _free(work, rows)
    work.audit("return_outside_decided", "return", row.id, agreed=agreed)
    return row


def authorise_by_policy(work: UnitOfWork, rows: Iterable[ReturnRow]) -> None:
    """Those whose policy needs nobody's word may come back at once."""
    free = [row for row in rows if (found := judged(row.judged)) is not None and found.needs_nobody]
    for row in free:
        _move(work, row, "authorise", "by the policy", None, is_settled=True)
    save_returns(work, free)


def decline_returns(work: UnitOfWork, ids: Iterable[int], reason: str) -> list[ReturnRow]:
    """Refuse the goods, with a reason; what was counted as returned is free again."""
    return _end(work, ids, "decline", reason)


def give_up_returns(work: UnitOfWork, ids: Iterable[int], reason: str) -> list[ReturnRow]:
    """Nothing came of what was authorised: the return ends without a credit, and the customer may give the goods back anew."""
    return _end(work, ids, "give_up", reason)


def _end(work: UnitOfWork, ids: Iterable[int], move: str, reason: str) -> list[ReturnRow]:
    rows = lock_returns(work, ids)
    for row in rows:
        _move(work, row, move, reason, None)
    save_returns(work, rows)
    _free(work, rows)
    return rows


def _free(work: UnitOfWork, rows: Iterable[ReturnRow]) -> None:
    """What was counted as coming back is free again."""
    given_back: dict[int, int] = defaultdict(int)
    for part in (part for row in rows for part in row.lines):
        if part.order_line_id:
            given_back[part.order_line_id] -= part.quantity
    count_returned(work, given_back)


def _move(
    work: UnitOfWork,
    row: ReturnRow,
    move: str,
    reason: str | None,
    at: Mapping[int, datetime] | None,
    *,
    is_settled: bool = False,
) -> None:
    step = RETURN.moves[move]
    if not is_settled:
        work.actor.require(step.permission, site=row.site_id)
    was, when = row.state, (at or {}).get(row.id, work.now)
    row.state = RETURN.target(move, was, reason=reason)
    record_move(work, "return", row.id, move, was, row.state, at=when, reason=reason)
    if step.event is None:
        return
    event: Any = ReturnAuthorised() if step.event == "return.authorised" else ReturnDeclined(reason=reason or "")
    work.publish(
        event, row.place(work), step=f"returns_to_credit.{'receive' if move == 'give_up' else 'authorise'}",
        subject=("return", row.id, row.version + 1), journey=row.id, at=when,
    )  # fmt: skip

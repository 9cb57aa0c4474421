"""Disputes as services hold them: rows locked after the receivables they are part of, changed by steps that are kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from operator import attrgetter
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from erpcore.billing.disputes.flow import DISPUTE
from erpcore.billing.disputes.models import Dispute, DisputeKind, DisputeReason, DisputeStep, StepKind
from erpcore.kernel.errors import Conflict, NotFound, RuleBroken
from erpcore.kernel.events import Event, Place
from erpcore.kernel.history import record_move
from erpcore.kernel.rows import Change, param, read_rows, write_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.published.disputes import (
    DeductionJudged,
    DeductionRecovered,
    DeductionWrittenOff,
    DisputeResolved,
)


@dataclass(slots=True)
class DisputeRow:
    """A deduction or an objection as stored."""

    id: int
    number: str
    kind: str
    state: str
    entity_id: int
    site_id: int
    customer_id: int
    invoice_id: int
    order_line_id: int | None
    application_id: int | None
    reason_code: str
    note: str | None
    evidence: str | None
    currency: str
    amount_minor: int
    open_minor: int
    asked_minor: int | None
    owner_role: str
    owner_id: int | None
    due_on: date
    raised_by: int
    raised_at: datetime
    settled_at: datetime | None
    version: int


COLUMNS = tuple(f.name for f in fields(DisputeRow))
dispute_values = attrgetter(*COLUMNS)
_STEP = ("id", "dispute_id", "kind", "amount_minor", "document_id", "note", "at", "actor")
_REASON = ("code", "title", "owner_role", "owner_id", "due_days", "fault")
_SAVED = ("state", "order_line_id", "reason_code", "note", "evidence", "open_minor", "asked_minor", "owner_role", "owner_id",
          "due_on", "settled_at")  # fmt: skip
#: What an unnamed difference is called, until somebody knows better.
UNKNOWN = "unknown"
_REMOVED_BY_CHOICE = (StepKind.CREDITED, StepKind.REBILLED)


def _save() -> Any:
    table = Dispute.__table__
    return (
        update(table)
        .where(table.c.id == param("of", table.c.id), table.c.version == param("was", table.c.version))
        .values(version=table.c.version + 1, **{name: param(f"new_{name}", table.c[name]) for name in _SAVED})
    )


_SAVE = Change(_save)


def save_disputes(work: UnitOfWork, rows: Sequence[DisputeRow]) -> None:
    """Write back changed disputes, each one version on. They must be locked."""
    _SAVE.run(
        work,
        [{"of": row.id, "was": row.version, **{f"new_{name}": getattr(row, name) for name in _SAVED}} for row in rows],
    )
    for row in rows:
        row.version += 1


def open_of(work: UnitOfWork, invoices: Iterable[int]) -> dict[int, list[DisputeRow]]:
    """What is not settled of each invoice, oldest first, locked. The invoices' receivables must be locked."""
    found: dict[int, list[DisputeRow]] = defaultdict(list)
    for row in read_rows(work, Dispute, COLUMNS, "invoice_id", sorted(set(invoices)), lock=True):
        if row.open_minor > 0:
            found[row.invoice_id].append(DisputeRow(*row))
    for rows in found.values():
        rows.sort(key=lambda one: one.id)
    return found


def invoice_of(work: UnitOfWork, dispute: int) -> int:
    """The invoice of a dispute, read without a lock so that the invoice can be locked first. Raises ``NotFound``."""
    rows = read_rows(work, Dispute, ("id", "invoice_id", "site_id"), "id", [dispute])
    if not rows or (work.actor.sites is not None and rows[0].site_id not in work.actor.sites):
        raise NotFound("dispute_unknown", id=dispute)
    found: int = rows[0].invoice_id
    return found


def lock_dispute(work: UnitOfWork, dispute: int, seen_version: int | None = None) -> DisputeRow:
    """The dispute, locked. Raises ``NotFound``, ``Conflict`` when it changed since it was seen."""
    rows = read_rows(work, Dispute, COLUMNS, "id", [dispute], lock=True)
    if not rows or (work.actor.sites is not None and rows[0].site_id not in work.actor.sites):
        raise NotFound("dispute_unknown", id=dispute)
    row = DisputeRow(*rows[0])
    if seen_version not in (None, row.version):
        raise Conflict("changed_meanwhile")
    return row


def reason_named(work: UnitOfWork, code: str) -> Any:
    """The reason with its routing; an empty code is ``unknown``. Raises ``RuleBroken`` for a code that nobody has set up."""
    code = code.strip() or UNKNOWN
    rows = read_rows(work, DisputeReason, _REASON, "code", [code])
    if not rows:
        raise RuleBroken("dispute_reason_unknown", field="reason", value=code)
    return rows[0]


def due_day(today: date, reason: Any) -> date:
    """Until when whoever owns a difference of this reason has said what it is."""
    return today + timedelta(days=reason.due_days)


def take_step(
    work: UnitOfWork, row: DisputeRow, kind: StepKind, minor: int, *, document: int | None = None, note: str | None = None
) -> tuple[Any, ...]:  # fmt: skip
    """Take so much off what is open of a locked dispute; returns the row of the step, to be written with ``write_steps``."""
    row.open_minor -= minor
    return (work.ids.one(), row.id, kind, -minor, document, note, work.now, work.actor.id)


def write_steps(work: UnitOfWork, rows: Sequence[tuple[Any, ...]]) -> None:
    """Keep steps of disputes that are written."""
    write_rows(work, DisputeStep.__table__, _STEP, rows)


def end_if_settled(
    work: UnitOfWork, row: DisputeRow, place: Place, journey: int, *, move: str = "settle", reason: str | None = None
) -> None:
    """End a dispute of which nothing is open any more and tell what became of it; its steps must be written."""
    if row.open_minor:
        return
    was, row.state = row.state, DISPUTE.target(move, row.state, reason=reason)
    row.settled_at, row.asked_minor = work.now, None
    record_move(work, DISPUTE.document, row.id, move, was, row.state, reason=reason)
    sums: dict[str, int] = defaultdict(int)
    for step in read_rows(work, DisputeStep, ("kind", "amount_minor"), "dispute_id", [row.id]):
        sums[step.kind] -= step.amount_minor
    event = DisputeResolved(
        invoice=row.invoice_id, credited=sums[StepKind.CREDITED], paid=sums[StepKind.PAID], rebilled=sums[StepKind.REBILLED],
        written_off=sums[StepKind.WRITTEN_OFF] + sums[StepKind.ROUNDED], withdrawn=sums[StepKind.WITHDRAWN],
    )  # fmt: skip
    tell(work, row, event, place, journey)


def tell(work: UnitOfWork, row: DisputeRow, event: Event, place: Place, journey: int) -> None:
    """Publish a fact about a dispute on the journey of the order that its invoice bills."""
    work.publish(
        event, place, step="order_to_cash.cash", subject=(DISPUTE.document, row.id, row.version), journey=journey,
        refs=[("invoice", row.invoice_id, 1_000_000)],
    )  # fmt: skip


def tell_step(work: UnitOfWork, row: DisputeRow, kind: StepKind, minor: int, place: Place, journey: int) -> None:
    """Publish what a step did to a deduction; of an objection its end says it all."""
    if row.kind != DisputeKind.DEDUCTION:
        return
    event: Event
    if kind in _REMOVED_BY_CHOICE:
        event = DeductionJudged(invoice=row.invoice_id, amount=minor, is_valid=kind is StepKind.CREDITED)
    elif kind is StepKind.PAID:
        event = DeductionRecovered(invoice=row.invoice_id, amount=minor)
    elif kind in (StepKind.WRITTEN_OFF, StepKind.ROUNDED):
        event = DeductionWrittenOff(invoice=row.invoice_id, amount=minor, within_tolerance=kind is StepKind.ROUNDED)
    else:
        return
    tell(work, row, event, place, journey)


def held_back(session: Session, invoices: Any) -> dict[int, int]:
    """How much of each of these invoices is deducted or disputed now, where something is; ``invoices`` are ids or a select."""
    rows = session.execute(
        select(Dispute.invoice_id, func.sum(Dispute.open_minor))
        .where(Dispute.open_minor > 0, Dispute.invoice_id.in_(invoices))
        .group_by(Dispute.invoice_id)
    )
    return {key: int(minor) for key, minor in rows}

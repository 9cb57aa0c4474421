"""Naming what a customer paid short, objecting to an invoice, and who looks after it until when."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from erpcore.billing.cash_records import Held, hold
from erpcore.billing.dispute_settling import write_off_small
from erpcore.billing.disputes.flow import DEDUCT, DISPUTE, ROUTE, WORK
from erpcore.billing.disputes.models import Dispute, DisputeKind, DisputeReason, DisputeState, StepKind
from erpcore.billing.disputes.records import (
    COLUMNS,
    DisputeRow,
    dispute_values,
    due_day,
    invoice_of,
    lock_dispute,
    open_of,
    reason_named,
    save_disputes,
    tell,
    write_steps,
)
from erpcore.billing.models import ReceiptApplication
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.kernel.history import record_move
from erpcore.kernel.money import from_minor
from erpcore.kernel.rows import read_rows, write_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import site_facts
from erpcore.ports import CellStates, ProcessRules
from erpcore.published.disputes import DeductionRaised, DisputeOpened


@dataclass(frozen=True, kw_only=True, slots=True)
class Deduct:
    """So much that a payment left open of an invoice, and why; without an amount all of it that nobody has named yet.

    Without a reason it is unknown, and somebody is to find out.
    """

    application: int
    reason: str = ""
    note: str = ""
    amount_minor: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Object:
    """A customer objects to so much of an invoice, of one line where that is known."""

    invoice: int
    amount_minor: int
    reason: str
    note: str
    evidence: str = ""
    order_line: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Hand:
    """Who looks after it from now on: a person, or whoever has the role; and until when, as before without a day."""

    dispute: int
    owner: int | None = None
    role: str | None = None
    due_on: date | None = None
    reason: str = ""
    seen_version: int | None = None


def name_deductions(
    work: UnitOfWork, commands: Sequence[Deduct], *, rules: ProcessRules, cells: CellStates
) -> list[int]:
    """Make deductions of what payments left open of their invoices; returns their ids. The receivable stays open.

    One within the tolerance of the order's policy is written off at once, and says so. Raises ``RuleBroken`` for a payment that
    was taken back and beyond what is open and not named yet.
    """
    wanted = {c.application for c in commands}
    names = ("id", "receipt_id", "invoice_id", "amount_minor", "reverses_id")
    found = {row.id: row for row in read_rows(work, ReceiptApplication, names, "id", wanted)}
    for key in sorted(wanted - set(found)):
        raise NotFound("application_unknown", id=key)
    held = hold(work, invoices={row.invoice_id for row in found.values()})
    gone = {
        row.reverses_id for row in read_rows(work, ReceiptApplication, ("reverses_id",), "reverses_id", sorted(wanted))
    }
    made = []
    free = _unnamed(work, held)
    for command in commands:
        row = found[command.application]
        invoice = held.invoices[row.invoice_id]
        work.actor.require(DEDUCT, site=invoice.site_id)
        if row.reverses_id is not None or row.id in gone:
            raise RuleBroken("application_reversed", document=invoice.number)
        minor = free[invoice.id] if command.amount_minor is None else command.amount_minor
        _within(minor, free, invoice)
        made.append(_add(work, held, invoice, DisputeKind.DEDUCTION, minor, command, application=row.id))
    _write(work, held, made)
    for one in made:
        write_off_small(work, held, one, rules=rules, cells=cells)
    return [one.id for one in made]


def open_disputes(work: UnitOfWork, commands: Sequence[Object]) -> list[int]:
    """Write down what customers object to; returns the ids. Nobody asks for that amount until it is settled.

    Raises ``RuleBroken`` beyond what is open of the invoice and not disputed yet, and for a line that is not on it.
    """
    held = hold(work, invoices={c.invoice for c in commands})
    free, made = _unnamed(work, held), []
    for command in commands:
        invoice = held.invoices[command.invoice]
        work.actor.require(WORK, site=invoice.site_id)
        if invoice.number is None:
            raise RuleBroken("invoice_not_posted", document=str(invoice.id))
        if not command.note.strip():
            raise RuleBroken("reason_required", field="note", document="dispute", move="open")
        _line_on(invoice, command.order_line)
        _within(command.amount_minor, free, invoice)
        made.append(_add(work, held, invoice, DisputeKind.OBJECTION, command.amount_minor, command))
    _write(work, held, made)
    return [one.id for one in made]


def contest(
    work: UnitOfWork, dispute: int, *, reason: str, note: str, evidence: str = "", order_line: int | None = None,
    seen_version: int | None = None,
) -> None:  # fmt: skip
    """Make a dispute of a deduction: why it is said to be, what speaks for it, and of which line. It goes to whom that reason is
    routed; ``reason`` is a code.
    """
    held, row = _held(work, dispute, seen_version)
    work.actor.require(WORK, site=row.site_id)
    was, row.state = row.state, DISPUTE.target("contest", row.state, reason=note)
    _line_on(held.invoices[row.invoice_id], order_line)
    why = reason_named(work, reason or row.reason_code)
    if why.code != row.reason_code:
        row.reason_code, row.owner_role, row.owner_id = why.code, why.owner_role, why.owner_id
        row.due_on = due_day(_today(work, row.site_id), why)
    row.order_line_id, row.note, row.evidence = order_line, note.strip(), evidence.strip() or row.evidence
    record_move(work, DISPUTE.document, row.id, "contest", was, row.state, reason=row.note)
    order = held.orders[held.invoices[row.invoice_id].order_id]
    event = DisputeOpened(
        invoice=row.invoice_id, customer=row.customer_id, amount=row.open_minor, reason=row.reason_code,
        from_deduction=True,
    )  # fmt: skip
    tell(work, row, event, order.place(work), order.id)
    save_disputes(work, [row])


def hand_over(work: UnitOfWork, commands: Sequence[Hand]) -> None:
    """Give disputes to others, or another day; who looked after them before is kept. Somebody always does."""
    rows = []
    for command in sorted(commands, key=lambda one: one.dispute):
        row = lock_dispute(work, command.dispute, command.seen_version)
        work.actor.require(WORK, site=row.site_id)
        if not row.open_minor:
            raise RuleBroken("dispute_over", document=row.number)
        before = {"owner": row.owner_id, "role": row.owner_role, "due_on": row.due_on.isoformat()}
        if command.owner is not None or command.role:
            row.owner_id, row.owner_role = command.owner, command.role or row.owner_role
        if command.due_on is not None:
            if command.due_on < _today(work, row.site_id):
                raise RuleBroken("dispute_due_past", field="due_on", day=command.due_on)
            row.due_on = command.due_on
        facts = {"owner": row.owner_id, "role": row.owner_role, "due_on": row.due_on.isoformat(), "before": before}
        record_move(
            work, DISPUTE.document, row.id, "hand_over", row.state, row.state, reason=command.reason.strip() or None, facts=facts
        )  # fmt: skip
        rows.append(row)
    save_disputes(work, rows)


def say(work: UnitOfWork, dispute: int, text: str, *, evidence: str = "") -> None:
    """Add what was said or found to the history of a dispute, also after it is over."""
    row = lock_dispute(work, dispute)
    work.actor.require(WORK, site=row.site_id)
    if not text.strip():
        raise RuleBroken("reason_required", field="text", document="dispute", move="comment")
    record_move(work, DISPUTE.document, row.id, "comment", row.state, row.state, reason=text.strip())
    if evidence.strip():
        row.evidence = evidence.strip()
        save_disputes(work, [row])


def route_reason(
    work: UnitOfWork, code: str, *, title: str, role: str, owner: int | None, due_days: int, fault: str
) -> None:
    """Say whose differences of a reason are and within how many days; a code that is not there yet is added.

    What is open keeps its owner: people were told.
    """
    work.actor.require(ROUTE)
    code = code.strip().lower()
    if not code or len(code) > 32 or not code.replace("_", "").isalnum() or not code.isascii():
        raise RuleBroken("dispute_reason_code", field="code")
    if not 1 <= due_days <= 365:
        raise RuleBroken("dispute_due_days", field="due_days")
    if fault not in ("ours", "customer", "undecided"):
        raise RuleBroken("choice_unknown", field="fault", value=fault)
    row = work.session.get(DisputeReason, code, with_for_update={"key_share": True})
    if row is None:
        row = DisputeReason(code=code)
        work.session.add(row)
    row.title, row.owner_role, row.owner_id, row.due_days, row.fault = title.strip(), role, owner, due_days, fault
    work.audit("dispute_reason.routed", "dispute_reason", None, code=code, role=role, owner=owner, due_days=due_days)


def _held(work: UnitOfWork, dispute: int, seen_version: int | None) -> tuple[Held, DisputeRow]:
    held = hold(work, invoices=[invoice_of(work, dispute)])
    return held, lock_dispute(work, dispute, seen_version)


def _today(work: UnitOfWork, site: int) -> date:
    return local_day(work.now, site_facts(work, site).time_zone)


def _unnamed(work: UnitOfWork, held: Held) -> dict[int, int]:
    """What of each invoice is open and no part of a deduction or dispute yet."""
    named = open_of(work, held.invoices)
    return {key: held.open.get(key, 0) - sum(row.open_minor for row in named.get(key, ())) for key in held.invoices}


def _within(minor: int, free: dict[int, int], invoice: Any) -> None:
    if minor <= 0 or minor > free[invoice.id]:
        left = from_minor(free[invoice.id], invoice.currency)
        raise RuleBroken(
            "disputed_too_much", field="amount", document=invoice.number, free=left, currency=invoice.currency
        )
    free[invoice.id] -= minor


def _line_on(invoice: Any, order_line: int | None) -> None:
    if order_line is not None and order_line not in {one.order_line_id for one in invoice.lines}:
        raise RuleBroken("dispute_line_elsewhere", field="order_line", document=invoice.number)


def _add(
    work: UnitOfWork, held: Held, invoice: Any, kind: DisputeKind, minor: int, command: Any, application: int | None = None
) -> DisputeRow:  # fmt: skip
    why, key = reason_named(work, command.reason), work.ids.one()
    return DisputeRow(
        id=key, number=f"{'DE' if kind is DisputeKind.DEDUCTION else 'DP'}-{key}", kind=kind,
        state=DisputeState.RAISED if kind is DisputeKind.DEDUCTION else DisputeState.DISPUTED, entity_id=invoice.entity_id,
        site_id=invoice.site_id, customer_id=invoice.customer_id, invoice_id=invoice.id,
        order_line_id=getattr(command, "order_line", None), application_id=application, reason_code=why.code,
        note=command.note.strip() or None, evidence=getattr(command, "evidence", "").strip() or None, currency=invoice.currency,
        amount_minor=minor, open_minor=minor, asked_minor=None, owner_role=why.owner_role, owner_id=why.owner_id,
        due_on=due_day(_today(work, invoice.site_id), why), raised_by=work.actor.id, raised_at=work.now, settled_at=None,
        version=1,
    )  # fmt: skip


def _write(work: UnitOfWork, held: Held, rows: Iterable[DisputeRow]) -> None:
    made = list(rows)
    write_rows(work, Dispute.__table__, COLUMNS, [dispute_values(row) for row in made])
    write_steps(
        work,
        [(work.ids.one(), row.id, StepKind.RAISED, row.amount_minor, None, row.note, work.now, work.actor.id) for row in made],
    )  # fmt: skip
    for row in made:
        order = held.orders[held.invoices[row.invoice_id].order_id]
        record_move(work, DISPUTE.document, row.id, "raise", None, row.state, reason=row.note)
        event: DeductionRaised | DisputeOpened
        if row.application_id is not None:
            event = DeductionRaised(
                invoice=row.invoice_id, customer=row.customer_id, application=row.application_id, amount=row.amount_minor,
                reason=row.reason_code,
            )  # fmt: skip
        else:
            event = DisputeOpened(
                invoice=row.invoice_id, customer=row.customer_id, amount=row.amount_minor, reason=row.reason_code,
                from_deduction=False,
            )  # fmt: skip
        tell(work, row, event, order.place(work), order.id)

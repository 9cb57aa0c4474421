"""What becomes of a difference: credited at the price and tax of the invoice, asked for again, or given up by authority."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import func, select

from erpcore.billing.cash_credit import ApplyCredit, apply_credit
from erpcore.billing.cash_records import Held, hold
from erpcore.billing.credits import CreditInvoice, credit_invoices
from erpcore.billing.debts import PostDebt, post_debts
from erpcore.billing.disputes.flow import DISPUTE, WORK
from erpcore.billing.disputes.models import Dispute, DisputeStep, StepKind
from erpcore.billing.disputes.records import (
    DisputeRow,
    end_if_settled,
    invoice_of,
    lock_dispute,
    reason_named,
    save_disputes,
    take_step,
    tell_step,
    write_steps,
)
from erpcore.credit.models import Receivable
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.history import record_move
from erpcore.kernel.model import PRICE_PLACES
from erpcore.kernel.money import from_minor
from erpcore.kernel.rows import read_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.ports import Authority, CellStates, Matter, ProcessRules


@dataclass(frozen=True, kw_only=True, slots=True)
class CreditLine:
    """The customer is right about so many units of a line: credited at the invoice's price, or by so much less of it each."""

    order_line: int
    quantity: Decimal
    unit_price: Decimal | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Settle:
    """What becomes of a dispute, in one or several parts: credited, to be paid by the customer after all, given up. What no part
    names stays open.
    """

    dispute: int
    credit: Sequence[CreditLine] = ()
    rebill_minor: int = 0
    write_off_minor: int = 0
    reason: str = ""
    seen_version: int | None = None


def settle_dispute(
    work: UnitOfWork, command: Settle, *, rules: ProcessRules, cells: CellStates, authority: Authority
) -> bool:
    """Settle a difference, or part of it; returns whether a write-off waits for others to agree.

    Raises ``RuleBroken`` beyond what of it is open, and while others decide; ``IllegalMove`` for one that is over.
    """
    held = hold(work, invoices=[invoice_of(work, command.dispute)])
    row = lock_dispute(work, command.dispute, command.seen_version)
    work.actor.require(WORK, site=row.site_id)
    DISPUTE.target("ask_write_off", row.state, reason=command.reason)
    if not (command.credit or command.rebill_minor or command.write_off_minor):
        raise RuleBroken("dispute_nothing_said", document=row.number)
    if min(command.rebill_minor, command.write_off_minor) < 0:
        raise RuleBroken("amount_not_positive", field="rebill" if command.rebill_minor < 0 else "write_off")
    note = command.reason.strip()
    _credit(work, held, row, command.credit, note)
    if command.rebill_minor:
        _require_open(row, command.rebill_minor, "rebill")
        _take(work, held, row, StepKind.REBILLED, command.rebill_minor, note=note)
    if not command.write_off_minor:
        return False
    _require_open(row, command.write_off_minor, "write_off")
    if command.write_off_minor <= _tolerance(work, held, row, rules) - _rounded(work, row.invoice_id):
        _give_up(work, held, row, command.write_off_minor, StepKind.ROUNDED, note, cells)
        return False
    return _ask(work, row, command.write_off_minor, note, authority)


def write_off_small(work: UnitOfWork, held: Held, row: DisputeRow, *, rules: ProcessRules, cells: CellStates) -> None:
    """Give a deduction up that is within the tolerance of its order's policy; the step says that nobody was asked."""
    limit = _tolerance(work, held, row, rules)
    if row.open_minor <= limit - _rounded(work, row.invoice_id):
        note = f"Within the tolerance of {from_minor(limit, row.currency)} {row.currency} for short payments."
        _give_up(work, held, row, row.open_minor, StepKind.ROUNDED, note, cells)


def lock_whole(work: UnitOfWork, dispute: int) -> None:
    """Lock the dispute after all that settling it changes, as everybody does who settles one."""
    hold(work, invoices=[invoice_of(work, dispute)])
    lock_dispute(work, dispute)


def settle_write_off(work: UnitOfWork, dispute: int, *, approved: bool, note: str, cells: CellStates) -> None:
    """Give up what the authority has agreed to, or go on with the dispute. Raises ``RuleBroken`` where nothing waits any more."""
    held = hold(work, invoices=[invoice_of(work, dispute)])
    row = lock_dispute(work, dispute)
    move = "agree_write_off" if approved else "refuse_write_off"
    was, minor = row.state, row.asked_minor or 0
    row.state, row.asked_minor = DISPUTE.target(move, was, reason=note), None
    record_move(work, DISPUTE.document, row.id, move, was, row.state, reason=note or None, facts={"minor": minor})
    if approved:
        _give_up(work, held, row, minor, StepKind.WRITTEN_OFF, note, cells)
    else:
        save_disputes(work, [row])


def _tolerance(work: UnitOfWork, held: Held, row: DisputeRow, rules: ProcessRules) -> int:
    order = held.orders[held.invoices[row.invoice_id].order_id]
    return int(rules.stored(work, order.ruleset)["short_pay_tolerance_minor"])


def _rounded(work: UnitOfWork, invoice: int) -> int:
    """What was given up of an invoice within the tolerance: there is one for all its parts, or any amount would go in small ones."""
    minor = work.session.scalar(
        select(func.sum(-DisputeStep.amount_minor))
        .join(Dispute, Dispute.id == DisputeStep.dispute_id)
        .where(Dispute.invoice_id == invoice, DisputeStep.kind == StepKind.ROUNDED)
    )
    return int(minor or 0)


def _require_open(row: DisputeRow, minor: int, field: str) -> None:
    if minor > row.open_minor:
        left = from_minor(row.open_minor, row.currency)
        raise RuleBroken("settled_too_much", field=field, document=row.number, open=left, currency=row.currency)


def _take(
    work: UnitOfWork, held: Held, row: DisputeRow, kind: StepKind, minor: int, *, note: str, document: int | None = None
) -> None:  # fmt: skip
    """Take so much off and keep it; the last part ends the dispute."""
    write_steps(work, [take_step(work, row, kind, minor, document=document, note=note or None)])
    order = held.orders[held.invoices[row.invoice_id].order_id]
    place = order.place(work)
    tell_step(work, row, kind, minor, place, order.id)
    end_if_settled(work, row, place, order.id)
    save_disputes(work, [row])


def _credit(work: UnitOfWork, held: Held, row: DisputeRow, lines: Sequence[CreditLine], note: str) -> None:
    """Post a credit memo for each line and set it against the invoice; together they are at most what is open."""
    invoice = held.invoices[row.invoice_id]
    prices = {one.order_line_id: Decimal(one.unit_price).scaleb(-PRICE_PLACES) for one in invoice.lines}
    why = reason_named(work, row.reason_code)
    for line in lines:
        if line.order_line not in prices:
            raise RuleBroken("dispute_line_elsewhere", field="order_line", document=invoice.number)
        (memo,) = credit_invoices(
            work,
            [
                CreditInvoice(
                    invoice=invoice.id, order_line=line.order_line, quantity=line.quantity,
                    unit_price=prices[line.order_line] if line.unit_price is None else line.unit_price,
                    reason=why.title[:48], fault=why.fault,
                )
            ],
        )  # fmt: skip
        (posted,) = read_rows(work, Receivable, ("document_id", "open_minor"), "document_id", [memo])
        _require_open(row, -posted.open_minor, "credit")
        _apply(work, row, memo, -posted.open_minor, StepKind.CREDITED, note, held)


def _give_up(
    work: UnitOfWork, held: Held, row: DisputeRow, minor: int, kind: StepKind, note: str, cells: CellStates
) -> None:
    """Post the debt as given up and set it against the invoice, so that less of that is open."""
    command = PostDebt(
        site=row.site_id,
        customer=row.customer_id,
        amount=-from_minor(minor, row.currency),
        reason=note or row.number,
        channel=held.orders[held.invoices[row.invoice_id].order_id].channel_id,
    )
    (debt,) = post_debts(work, [command], cells=cells, is_agreed=True)
    _apply(work, row, debt, minor, kind, note, held)


def _apply(work: UnitOfWork, row: DisputeRow, document: int, minor: int, kind: StepKind, note: str, held: Held) -> None:
    # What is deducted goes down first: it then fits what is open, and no other difference of the invoice is taken for settled.
    _take(work, held, row, kind, minor, note=note, document=document)
    apply_credit(work, [ApplyCredit(credit=document, invoice=row.invoice_id, amount_minor=minor)], is_agreed=True)


def _ask(work: UnitOfWork, row: DisputeRow, minor: int, note: str, authority: Authority) -> bool:
    was, row.state = row.state, DISPUTE.target("ask_write_off", row.state, reason=note)
    row.asked_minor = minor
    record_move(work, DISPUTE.document, row.id, "ask_write_off", was, row.state, reason=note, facts={"minor": minor})
    save_disputes(work, [row])
    matter = Matter(
        kind="write_off", document_type=DISPUTE.document, document=row.id, version=1,
        summary=f"Write off {from_minor(minor, row.currency)} {row.currency} of {row.number}: {note}"[:300], site=row.site_id,
        entity=row.entity_id, amount_minor=minor, currency=row.currency, excluded=(row.raised_by,),
    )  # fmt: skip
    return authority.ask(work, matter).waits

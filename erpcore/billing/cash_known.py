"""Entries of the bank whose money somebody wrote down before: found, said, and cleared against the receipt that was typed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, NamedTuple

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from erpcore.billing.bank_models import BankStatementLine, LineOutcome
from erpcore.billing.cash_records import cash_entry, place_of
from erpcore.billing.models import Receipt
from erpcore.kernel.clock import day_end, day_start
from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.kernel.rows import chunks, read_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.ledger.models import AccountRole, JournalEntry, JournalLine
from erpcore.ledger.services import Side, ensure_account, post_entries
from erpcore.masterdata.models import Customer, Entity

#: So long before or after the bank booked money somebody may have written it down.
NEAR = timedelta(days=7)


@dataclass(frozen=True, kw_only=True, slots=True)
class SameReceipt:
    """The money of an entry is that of a receipt that somebody typed."""

    line: int
    receipt: int


class Came(NamedTuple):
    """What an entry would be as a receipt: so much of this customer, booked on this day."""

    line: int
    customer: int
    amount_minor: int
    booked_on: date


class Typed(NamedTuple):
    """A receipt that no entry of the bank has, with the account of the bank that it posted to and what arrived there."""

    id: int
    number: str
    customer: int
    amount_minor: int
    account: int
    arrived_minor: int


def typed_receipts(session: Session, entity: int, came: Iterable[Came]) -> dict[int, Typed]:
    """By line the receipt that it probably is: typed for the same customer and amount within a week, the oldest first, not gone
    back whole, and known to no entry of the bank yet. Two queries for each thousand customers.
    """
    wanted = list(came)
    if not wanted:
        return {}
    zone = session.scalar(select(Entity.time_zone).where(Entity.id == entity)) or "UTC"
    first, last = min(one.booked_on for one in wanted), max(one.booked_on for one in wanted)
    found: dict[tuple[int, int], list[tuple[Any, Typed]]] = {}
    for part in chunks(sorted({one.customer for one in wanted})):
        query = _typed(entity).where(
            Receipt.customer_id.in_(part), Receipt.amount_minor.in_({one.amount_minor for one in wanted}),
            Receipt.received_at >= day_start(first - NEAR, zone), Receipt.received_at < day_end(last + NEAR, zone),
        )  # fmt: skip
        for row in session.execute(query):
            typed = Typed(*row[:6])
            found.setdefault((typed.customer, typed.amount_minor), []).append((row.received_at, typed))
    out = {}
    for one in wanted:
        begins, ends = day_start(one.booked_on - NEAR, zone), day_end(one.booked_on + NEAR, zone)
        for at, typed in found.get((one.customer, one.amount_minor), ()):
            if begins <= at < ends:
                out[one.line] = typed
                break
    return out


def _typed(entity: int) -> Any:
    """Receipts that posted to an account of the bank themselves, and that no entry of it is yet."""
    line, entry, side = BankStatementLine, JournalEntry, JournalLine
    known = select(line.id).where(
        line.receipt_id == Receipt.id, line.outcome.in_((LineOutcome.RECEIPT.value, LineOutcome.TYPED.value))
    )
    arrived = Receipt.amount_minor - Receipt.fee_minor - Receipt.difference_minor
    return (
        select(Receipt.id, Receipt.number, Receipt.customer_id, Receipt.amount_minor, side.account_id, arrived, Receipt.received_at)
        .join(
            entry, and_(entry.document_type == "receipt", entry.document_id == Receipt.id, entry.rule == "receipt")
        )
        # The first side of that rule is what arrived.
        .join(side, and_(side.entry_id == entry.id, side.line_no == 1))
        .where(Receipt.entity_id == entity, Receipt.returned_minor < Receipt.amount_minor, ~known.exists())
        .order_by(Receipt.id)
    )  # fmt: skip


def hold_payers(work: UnitOfWork, customers: Iterable[int]) -> None:
    """Of whoever types the money of these customers and whoever assigns it one comes after the other."""
    read_rows(work, Customer, ("id",), "id", sorted(set(customers)), lock=True)


def refuse_typed(work: UnitOfWork, entity: int, came: Sequence[Came], again: dict[int, str]) -> None:
    """Raise ``RuleBroken("line_typed_before")`` for an entry whose money was typed before and of which nobody says why it is another
    one; such a reason is kept in the audit trail.
    """
    for line, typed in sorted(typed_receipts(work.session, entity, came).items()):
        why = again.get(line, "").strip()
        if not why:
            raise RuleBroken("line_typed_before", field="again", line=line, number=typed.number, receipt=typed.id)
        work.audit("bank_line.is_another", "bank_line", line, before=typed.number, reason=why)


def same_sides(work: UnitOfWork, line: Any, receipt: int) -> tuple[Side, ...]:
    """What takes an entry off the account of what is not assigned, and off that of the bank what the receipt put there.

    Raises ``NotFound`` for a receipt of another company, ``RuleBroken("receipt_not_typed")`` for one that came from the bank or a
    partner, or that an entry is already, ``"receipt_other_amount"`` where another amount arrived.
    """
    held = {row.id: row for row in read_rows(work, Receipt, ("id", "entity_id", "number"), "id", [receipt], lock=True)}
    if receipt not in held or held[receipt].entity_id != line.entity_id:
        raise NotFound("receipt_unknown", id=receipt)
    row = work.session.execute(_typed(line.entity_id).where(Receipt.id == receipt)).one_or_none()
    if row is None:
        raise RuleBroken("receipt_not_typed", field="receipt", number=held[receipt].number)
    typed = Typed(*row[:6])
    # The bank may say of a fee that whoever typed the receipt did not know of.
    fee = typed.arrived_minor - line.amount_minor
    if fee not in {0, line.fee_minor}:
        raise RuleBroken("receipt_other_amount", field="receipt", number=typed.number)
    if fee:
        ensure_account(work, line.entity_id, AccountRole.BANK_FEES)
    return (
        Side(AccountRole.BANK_CLEARING, line.amount_minor), Side(AccountRole.BANK_FEES, fee),
        Side(AccountRole.BANK, -typed.arrived_minor, account=typed.account),
    )  # fmt: skip


def post_same(work: UnitOfWork, lines: Sequence[Any], receipts: Sequence[int]) -> None:
    """Post for each entry what makes it and its receipt one."""
    for receipt in receipts:
        if receipts.count(receipt) > 1:
            raise RuleBroken("receipt_not_typed", field="receipt", number=f"RC-{receipt}")
    entries = []
    for line, receipt in zip(lines, receipts, strict=True):
        place = place_of(work, line.entity_id, None)
        sides = same_sides(work, line, receipt)
        entries.append(
            cash_entry("receipt_known", place, ("bank_line", line.id), work.now, sides, journey=line.statement_id)
        )
    post_entries(work, entries)

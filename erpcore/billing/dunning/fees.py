"""Fees of dunning: posted once with their notice, owed like an invoice, paid out of a receipt or waived by authority."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from erpcore.billing.dunning.models import DunningFee, FeeReversal, FeeSettlement, SettlementKind
from erpcore.billing.dunning.records import SETTLE, TAKE_RECEIPT, company, place_of
from erpcore.billing.models import Receipt
from erpcore.billing.records import RECEIVABLE
from erpcore.credit.models import Receivable
from erpcore.credit.services import Part, change_exposures
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.kernel.events import Place
from erpcore.kernel.rows import read_rows, write_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.ledger.models import AccountRole
from erpcore.ledger.services import Entry, Side, post_entries
from erpcore.masterdata.queries import customers

APPLY, WAIVE = "billing:receipt:apply", "billing:debt:write_off"
_FEE = ("id", "notice_id", "entity_id", "customer_id", "number", "fee_on", "currency", "amount_minor", "posted_at")
_SETTLEMENT = ("id", "fee_id", "kind", "receipt_id", "amount_minor", "reason", "settled_at", "actor")

_REVERSAL = ("id", "settlement_id", "fee_id", "receipt_id", "amount_minor", "reason", "reversed_at", "actor")


@dataclass(frozen=True, kw_only=True)
class SettleFee:
    """So much of a fee out of a receipt of the same customer; without a receipt it is waived, with a reason."""

    fee: int
    amount_minor: int
    receipt: int | None = None
    reason: str | None = None


def charge_fee(work: UnitOfWork, place: Place, *, notice: int, customer: int, minor: int, on: date) -> int:
    """Post the fee of a notice: books, receivable and exposure change together. Returns its id, 0 where it costs nothing."""
    if not minor:
        return 0
    key, currency = work.ids.one(), place.currency or ""
    write_rows(
        work, DunningFee.__table__, _FEE,
        [(key, notice, place.entity, customer, f"DF-{key}", on, currency, minor, work.now)],
    )  # fmt: skip
    write_rows(
        work, Receivable.__table__, RECEIVABLE,
        [(key, "dunning_fee", place.entity, customer, currency, minor, minor, on)],
    )  # fmt: skip
    post_entries(
        work,
        [
            Entry(
                rule="dunning_fee", place=place, document_type="dunning_fee", document_id=key, journey=notice, entry_on=on,
                posted_at=work.now, currency=currency,
                sides=(Side(AccountRole.RECEIVABLE, minor, customer), Side(AccountRole.CHARGES, -minor)),
            )
        ],
    )  # fmt: skip
    change_exposures(work, {(customer, place.entity): minor}, Part.RECEIVABLE)
    return key


def settle_fees(work: UnitOfWork, commands: Sequence[SettleFee]) -> list[int]:
    """Settle fees out of receipts, or waive them; returns the settlements' ids.

    Raises ``RuleBroken`` beyond what a fee has open or a receipt has left, for another customer's receipt and a waiver without a reason.
    """
    fees = {one.id: one for one in read_rows(work, DunningFee, _FEE, "id", {c.fee for c in commands})}
    receipts = {
        one.id: one
        for one in read_rows(
            work,
            Receipt,
            ("id", "customer_id", "left_minor"),
            "id",
            {c.receipt for c in commands if c.receipt},
            lock=True,
        )
    }
    owed = {
        one.document_id: one.open_minor
        for one in read_rows(work, Receivable, ("document_id", "open_minor"), "document_id", fees, lock=True)
    }
    left = {key: one.left_minor for key, one in receipts.items()}
    rows, entries, taken, settled = [], [], [], []
    deltas: dict[tuple[int, int], int] = defaultdict(int)
    groups = {key: one.group_id for key, one in customers(work, {one.customer_id for one in fees.values()}).items()}
    ids = work.ids.reserve(len(commands))
    for command in commands:
        fee = fees.get(command.fee)
        if fee is None:
            raise NotFound("dunning_fee_unknown", id=command.fee)
        facts, key, minor = company(work, fee.entity_id), next(ids), command.amount_minor
        kind = SettlementKind.WAIVED if command.receipt is None else SettlementKind.PAID
        _check(work, command, fee, owed[fee.id], receipts.get(command.receipt or 0), left.get(command.receipt or 0, 0))
        owed[fee.id] -= minor
        settled.append({"of": fee.id, "least": minor, "amount": minor})
        if command.receipt is not None:
            left[command.receipt] -= minor
            taken.append({"of": command.receipt, "least": minor, "amount": minor})
        rows.append((key, fee.id, kind, command.receipt, minor, command.reason, work.now, work.actor.id))
        place = place_of(facts, groups[fee.customer_id])
        against = AccountRole.ON_ACCOUNT if command.receipt is not None else AccountRole.CHARGES
        entries.append(
            Entry(
                rule=f"fee_{kind}", place=place, document_type="fee_settlement", document_id=key, journey=fee.notice_id,
                entry_on=local_day(work.now, facts.time_zone), posted_at=work.now, currency=fee.currency, text=command.reason,
                sides=(Side(against, minor), Side(AccountRole.RECEIVABLE, -minor, fee.customer_id)),
            )
        )  # fmt: skip
        deltas[fee.customer_id, fee.entity_id] -= minor
        if kind is SettlementKind.WAIVED:
            work.audit("dunning_fee.waived", "dunning_fee", fee.id, amount=minor, reason=command.reason)
    write_rows(work, FeeSettlement.__table__, _SETTLEMENT, rows)
    TAKE_RECEIPT.run(work, taken)
    SETTLE.run(work, settled)
    post_entries(work, entries)
    change_exposures(work, deltas, Part.RECEIVABLE)
    return [row[0] for row in rows]


def fees_paid_by(work: UnitOfWork, receipts: Iterable[int]) -> list[Any]:
    """What these receipts paid of fees and was not taken back, oldest first."""
    wanted = set(receipts)
    rows = read_rows(work, FeeSettlement, _SETTLEMENT, "receipt_id", wanted)
    gone = {row.settlement_id for row in read_rows(work, FeeReversal, _REVERSAL, "receipt_id", wanted)}
    return sorted((row for row in rows if row.id not in gone), key=lambda row: row.id)


def reopen_fees(work: UnitOfWork, asked: Sequence[tuple[Any, str]]) -> None:
    """Take payments of fees back, each with its reason: the fee is open again, and the money on account. The receipts and the
    receivables of the fees are locked.
    """
    if not asked:
        return
    fees = {one.id: one for one in read_rows(work, DunningFee, _FEE, "id", {row.fee_id for row, _ in asked})}
    groups = {key: one.group_id for key, one in customers(work, {one.customer_id for one in fees.values()}).items()}
    ids, rows, entries = work.ids.reserve(len(asked)), [], []
    deltas: dict[tuple[int, int], int] = defaultdict(int)
    for row, reason in asked:
        work.actor.require(APPLY)
        fee, key, minor = fees[row.fee_id], next(ids), row.amount_minor
        facts = company(work, fee.entity_id)
        rows.append((key, row.id, fee.id, row.receipt_id, minor, reason.strip(), work.now, work.actor.id))
        entries.append(
            Entry(
                rule="fee_reopened", place=place_of(facts, groups[fee.customer_id]), document_type="fee_settlement", document_id=key,
                journey=fee.notice_id, entry_on=local_day(work.now, facts.time_zone), posted_at=work.now, currency=fee.currency,
                text=reason.strip(),
                sides=(Side(AccountRole.RECEIVABLE, minor, fee.customer_id), Side(AccountRole.ON_ACCOUNT, -minor)),
            )
        )  # fmt: skip
        deltas[fee.customer_id, fee.entity_id] += minor
        work.audit("dunning_fee.reopened", "dunning_fee", fee.id, amount=minor, reason=reason.strip())
    write_rows(work, FeeReversal.__table__, _REVERSAL, rows)
    TAKE_RECEIPT.run(work, [{"of": row.receipt_id, "least": 0, "amount": -row.amount_minor} for row, _ in asked])
    SETTLE.run(work, [{"of": row.fee_id, "least": 0, "amount": -row.amount_minor} for row, _ in asked])
    post_entries(work, entries)
    change_exposures(work, deltas, Part.RECEIVABLE)


def _check(work: UnitOfWork, command: SettleFee, fee: object, owed: int, receipt: object, left: int) -> None:
    number, customer = getattr(fee, "number", ""), getattr(fee, "customer_id", 0)
    if command.receipt is None:
        work.actor.require(WAIVE)
        if not (command.reason or "").strip():
            raise RuleBroken("reason_required", field="reason", document="dunning_fee", move="waive")
    else:
        work.actor.require(APPLY)
        if receipt is None:
            raise NotFound("receipt_unknown", id=command.receipt)
        if getattr(receipt, "customer_id", 0) != customer:
            raise RuleBroken("other_customer", document=number)
    if not 0 < command.amount_minor <= min(owed, left if command.receipt is not None else owed):
        raise RuleBroken(
            "applied_too_much", document=number, left=left if command.receipt is not None else owed, open=owed
        )

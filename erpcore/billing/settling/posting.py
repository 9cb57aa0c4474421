"""A payout comes into the books: what was sold pays its invoices, what was refunded uses its credit memos, and the partner owes the rest.

All of it in one unit of work: receipts from the partner settle invoices as every receipt does, one entry holds fees, reserves, taxes
and what is not explained, and the partner's account then stands at what it pays.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from erpcore.billing.cash import ApplyCash, ReceiveCash, apply_cash, receive_cash
from erpcore.billing.cash_credit import ApplyCredit, apply_credit, unapply_credit
from erpcore.billing.cash_records import APPLICATION, cash_entry, hold
from erpcore.billing.cash_reversal import ReturnReceipt, Unapply, return_receipts, unapply_cash
from erpcore.billing.models import CreditApplication, Receipt, ReceiptApplication
from erpcore.billing.settling.flow import PAYOUT
from erpcore.billing.settling.matching import verdicts_of
from erpcore.billing.settling.models import PayoutDeed, PayoutLineKind, PayoutPosting
from erpcore.billing.settling.records import (
    PartnerFacts,
    is_kept,
    lines_of,
    lock_payout,
    parts_of,
    save_payout,
    told,
)
from erpcore.billing.settling.refunds import Standing, plan_refunds
from erpcore.billing.settling.rules import Part
from erpcore.kernel.errors import Conflict, RuleBroken
from erpcore.kernel.history import record_move
from erpcore.kernel.rows import read_rows, write_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.ledger.models import AccountRole, JournalEntry
from erpcore.ledger.services import Side, ensure_account, post_entries
from erpcore.published.settlement import SettlementPosted, SettlementReversed

ROLES = (
    AccountRole.PARTNER, AccountRole.PARTNER_RESERVE, AccountRole.PARTNER_FEES, AccountRole.PARTNER_FEE_TAX,
    AccountRole.PARTNER_TAX, AccountRole.PARTNER_DIFFERENCE,
)  # fmt: skip
_POSTING = ("id", "payout_id", "reverses_id", "reason", "posted_at", "actor")
_DEED = ("id", "posting_id", "receipt_id", "credit_application_id", "amount_minor")
_STEP = "channel_settlement.fees"


def post_payout(work: UnitOfWork, payout: int, *, seen_version: int | None = None) -> int:
    """Post a payout that waits; returns the id of the posting.

    Raises ``IllegalMove`` for one that is posted or refused, ``Conflict("payout_changed")`` when our documents have changed since
    its lines were matched: match again, and look.
    """
    partner, row = lock_payout(work, payout, seen_version)
    work.actor.require("billing:payout:post", site=row.site_id)
    state = PAYOUT.target("post", row.state)
    lines = lines_of(work, payout)
    parts = {line.id: parts_of(line.parts) for line in lines}
    _lock_documents(work, [part for found in parts.values() for part in found])
    fresh = verdicts_of(work, partner, told(lines))
    if not all(is_kept(line, found) for line, found in zip(lines, fresh, strict=True)):
        raise Conflict("payout_changed", document=row.reference)
    for role in ROLES:
        ensure_account(work, partner.entity_id, role)
    key = work.ids.one()
    write_rows(work, PayoutPosting.__table__, _POSTING, [(key, payout, None, None, work.now, work.actor.id)])
    sold = [part for line in lines if line.kind == PayoutLineKind.SALE for part in parts[line.id]]
    deeds = _pay_invoices(work, partner, row, sold)
    refunded = [part for line in lines if line.kind == PayoutLineKind.REFUND for part in parts[line.id]]
    deeds += _give_back(work, row.reference, refunded)
    ids = work.ids.reserve(len(deeds))
    write_rows(work, PayoutDeed.__table__, _DEED, [(next(ids), key, *deed) for deed in deeds])
    place = partner.place(work)
    entry = cash_entry(
        "payout", place, ("payout_posting", key), work.now, sides_of(lines, row.transfer_minor, sold, refunded), journey=payout,
        text=row.reference,
    )  # fmt: skip
    post_entries(work, [entry])
    save_payout(work, row, state=state, posting_id=key, posted_at=work.now)
    record_move(work, PAYOUT.document, payout, "post", row.state, state)
    event = SettlementPosted(
        partner=partner.id, gross=row.gross_minor, transfer=row.transfer_minor,
        unexplained=sum(abs(line.unexplained_minor) for line in lines),
    )  # fmt: skip
    work.publish(event, place, step=_STEP, subject=("payout", payout, row.version + 1), journey=payout)
    return key


def reverse_payout(work: UnitOfWork, payout: int, *, reason: str, seen_version: int | None = None) -> int:
    """Take a posted payout out of the books; it waits as before, and may be matched and posted again. Returns the reversal's id.

    Raises ``RuleBroken("payout_paid")`` once the bank has brought its money, ``"payout_explained"`` once a difference was settled.
    """
    partner, row = lock_payout(work, payout, seen_version)
    work.actor.require("billing:payout:post", site=row.site_id)
    state = PAYOUT.target("reverse", row.state, reason=reason)
    if row.paid_minor:
        raise RuleBroken("payout_paid", document=row.reference)
    if any(line.open_minor != line.unexplained_minor for line in lines_of(work, payout)):
        raise RuleBroken("payout_explained", document=row.reference)
    why = f"Payout {row.reference} reversed: {reason.strip()}"[:500]
    deeds = read_rows(work, PayoutDeed, _DEED, "posting_id", [row.posting_id])
    _take_back(work, partner, row.reference, sorted(deeds, key=lambda deed: deed.id), why)
    (posted,) = read_rows(
        work, JournalEntry, ("id",), "document_id", [row.posting_id], also=("document_type", "payout_posting")
    ) or [None]
    key = work.ids.one()
    write_rows(
        work,
        PayoutPosting.__table__,
        _POSTING,
        [(key, payout, row.posting_id, reason.strip(), work.now, work.actor.id)],
    )
    lines = lines_of(work, payout)
    parts = {
        kind: [part for line in lines if line.kind == kind for part in parts_of(line.parts)] for kind in PayoutLineKind
    }
    sides = sides_of(lines, row.transfer_minor, parts[PayoutLineKind.SALE], parts[PayoutLineKind.REFUND])
    place = partner.place(work)
    entry = cash_entry(
        "payout_reversed", place, ("payout_posting", key), work.now, [side._replace(amount=-side.amount) for side in sides],
        journey=payout, reverses=posted and posted.id, text=reason.strip(),
    )  # fmt: skip
    post_entries(work, [entry])
    save_payout(work, row, state=state, posting_id=None, posted_at=None)
    record_move(work, PAYOUT.document, payout, "reverse", row.state, state, reason=reason.strip())
    work.publish(
        SettlementReversed(partner=partner.id, reason=reason.strip()), place, step=_STEP,
        subject=("payout", payout, row.version + 1), journey=payout,
    )  # fmt: skip
    return key


def sides_of(lines: Sequence[Any], transfer: int, sold: Sequence[Part], refunded: Sequence[Part]) -> list[Side]:
    """What the entry of a payout holds besides the money of its customers; the partner's account takes what makes it balance."""
    sums: dict[AccountRole, int] = defaultdict(int)
    for line in lines:
        if line.kind in _SOLD:
            sums[AccountRole.PARTNER_DIFFERENCE] -= line.unexplained_minor
            continue
        known = -(line.amount_minor - line.unexplained_minor)
        sums[AccountRole.PARTNER_DIFFERENCE] -= line.unexplained_minor
        if line.kind == PayoutLineKind.FEE:
            # The tax of what is not agreed stays with it.
            tax = -line.tax_minor * known // -line.amount_minor if line.tax_minor else 0
            sums[AccountRole.PARTNER_FEES] += known - tax
            sums[AccountRole.PARTNER_FEE_TAX] += tax
        else:
            sums[_ACCOUNTS[line.kind]] += known
    from_customers = sum(part.minor for part in sold) - sum(part.minor for part in refunded)
    sums[AccountRole.PARTNER] = transfer - from_customers
    return [Side(role, sums[role]) for role in ROLES if sums[role]]


#: What is the customers', and what is not money of a payout but the money itself.
_SOLD = (PayoutLineKind.SALE, PayoutLineKind.REFUND, PayoutLineKind.TRANSFER)
_ACCOUNTS = {
    PayoutLineKind.RESERVE_HELD: AccountRole.PARTNER_RESERVE, PayoutLineKind.RESERVE_RELEASED: AccountRole.PARTNER_RESERVE,
    PayoutLineKind.TAX_WITHHELD: AccountRole.PARTNER_TAX, PayoutLineKind.TAX_COLLECTED: AccountRole.PARTNER_TAX,
    PayoutLineKind.ADJUSTMENT: AccountRole.PARTNER_FEES,
}  # fmt: skip


def _lock_documents(work: UnitOfWork, parts: Sequence[Part]) -> list[Any]:
    """Everything that will change, locked at once and in the house's order; returns what receipts have settled of it."""
    wanted = {part.invoice for part in parts}
    rows = read_rows(
        work, ReceiptApplication, APPLICATION, "invoice_id", {part.invoice for part in parts if part.credit}
    )
    hold(
        work, invoices=wanted, receipts={row.receipt_id for row in rows},
        credited={part.credit for part in parts if part.credit is not None},
    )  # fmt: skip
    return rows


def _pay_invoices(
    work: UnitOfWork, partner: PartnerFacts, row: Any, parts: Sequence[Part]
) -> list[tuple[int, int | None, int]]:
    """A receipt for each customer of what the partner sold, applied to the invoices."""
    held = hold(work, invoices={part.invoice for part in parts})
    by_customer: dict[int, list[Part]] = defaultdict(list)
    for part in parts:
        by_customer[held.invoices[part.invoice].customer_id].append(part)
    money = [
        ReceiveCash(
            entity=partner.entity_id, customer=customer, amount_minor=sum(part.minor for part in mine),
            reference=f"{partner.name} {row.reference}"[:120],
        )
        for customer, mine in sorted(by_customer.items())
    ]  # fmt: skip
    if not money:
        return []
    receipts = receive_cash(work, money, source=AccountRole.PARTNER)
    of = dict(zip(sorted(by_customer), receipts, strict=True))
    applied: dict[tuple[int, int], int] = defaultdict(int)
    for customer, mine in sorted(by_customer.items()):
        for part in mine:
            applied[of[customer], part.invoice] += part.minor
    apply_cash(
        work, [ApplyCash(receipt=key, invoice=invoice, amount_minor=minor) for (key, invoice), minor in applied.items()]
    )
    return [(key, None, one.amount_minor) for key, one in zip(receipts, money, strict=True)]


def _give_back(work: UnitOfWork, reference: str, parts: Sequence[Part]) -> list[tuple[int, int | None, int]]:
    """The partner gave customers money back that it had paid us: it goes out of the receipts, and the credit memos take its place."""
    if not parts:
        return []
    plan = plan_refunds(parts, _standing(work, {part.invoice for part in parts}))
    why = f"Refunded by the partner: payout {reference}"[:500]
    unapply_cash(work, [Unapply(application=key, reason=why) for key in plan.unapplied])
    return_receipts(
        work,
        [ReturnReceipt(receipt=key, reason=why, amount_minor=minor) for key, minor in sorted(plan.returned.items())],
        source=AccountRole.PARTNER,
    )
    used = apply_credit(
        work,
        [ApplyCredit(credit=one.credit, invoice=one.invoice, amount_minor=one.minor) for one in plan.credited],
    )
    if plan.applied:
        apply_cash(
            work,
            [
                ApplyCash(receipt=key, invoice=invoice, amount_minor=minor)
                for (key, invoice), minor in plan.applied.items()
            ],
        )
    return [(one.receipt, key, one.minor) for one, key in zip(plan.credited, used, strict=True)]


def _standing(work: UnitOfWork, invoices: Iterable[int]) -> list[Standing]:
    """What receipts settle of these invoices and was not taken back, the newest first."""
    rows = read_rows(work, ReceiptApplication, APPLICATION, "invoice_id", invoices)
    gone = {row.reverses_id for row in rows}
    stand = [row for row in rows if row.amount_minor > 0 and row.id not in gone]
    return [
        Standing(row.id, row.receipt_id, row.invoice_id, row.amount_minor)
        for row in sorted(stand, key=lambda one: -one.id)
    ]


def _take_back(work: UnitOfWork, partner: PartnerFacts, reference: str, deeds: Sequence[Any], why: str) -> None:
    """Undo what a posting did with receipts and credit memos: credits are free again, and the money is as it was before."""
    mine = {deed.receipt_id for deed in deeds if deed.credit_application_id is None}
    refunds = [deed for deed in deeds if deed.credit_application_id is not None]
    if refunds:
        unapply_credit(work, [Unapply(application=deed.credit_application_id, reason=why) for deed in refunds])
    # What an earlier payout had brought comes back; what this one brought goes anyway.
    older = [deed for deed in refunds if deed.receipt_id not in mine]
    if older:
        receipts = {
            row.id: row
            for row in read_rows(work, Receipt, ("id", "customer_id"), "id", {one.receipt_id for one in older})
        }
        invoices = {
            row.id: row.invoice_id
            for row in read_rows(
                work, CreditApplication, ("id", "invoice_id"), "id", {one.credit_application_id for one in older}
            )
        }
        taken = receive_cash(
            work,
            [
                ReceiveCash(
                    entity=partner.entity_id, customer=receipts[deed.receipt_id].customer_id, amount_minor=deed.amount_minor,
                    reference=f"{partner.name} {reference}"[:120],
                )
                for deed in older
            ],
            source=AccountRole.PARTNER,
        )  # fmt: skip
        apply_cash(
            work,
            [
                ApplyCash(receipt=key, invoice=invoices[deed.credit_application_id], amount_minor=deed.amount_minor)
                for key, deed in zip(taken, older, strict=True)
            ],
        )
    there = read_rows(work, Receipt, ("id", "amount_minor", "returned_minor"), "id", mine, lock=True)
    whole = [ReturnReceipt(receipt=row.id, reason=why) for row in there if row.returned_minor < row.amount_minor]
    if whole:
        return_receipts(work, whole, source=AccountRole.PARTNER)

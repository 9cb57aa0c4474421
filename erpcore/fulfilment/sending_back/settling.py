"""How does what a supplier owes for goods sent back end: by its credit notes, and by a difference that somebody answers for?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from erpcore.fulfilment.sending_back.models import ClaimKind, SupplierClaimEntry, SupplierReturn
from erpcore.inventory.costing.choosing import books_of
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import Conflict, NotFound, RuleBroken
from erpcore.kernel.money import from_minor, to_minor
from erpcore.kernel.rows import read_rows, write_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.ledger.models import AccountRole
from erpcore.ledger.services import Entry, Side, ensure_account, post_entries
from erpcore.masterdata.queries import site_facts
from erpcore.published.stock import SupplierClaimSettled

TAKE = "purchasing:credit:take"
ACCEPT = "purchasing:difference:accept"
#: Above this an amount is a slip of the finger.
_MOST = Decimal(10**10)
_HEAD = ("id", "entity_id", "site_id", "number", "currency", "expected_minor", "sent_by")
_ENTRY = (
    "id", "entity_id", "site_id", "supplier_return_id", "kind", "paper", "paper_on", "reason", "amount_minor", "reverses_id",
    "settled_by", "settled_at",
)  # fmt: skip
_ACCOUNT = {ClaimKind.CREDIT: AccountRole.SUPPLIER_CREDITS, ClaimKind.DIFFERENCE: AccountRole.ADJUSTMENT}
_RULE = {ClaimKind.CREDIT: "supplier_credit", ClaimKind.DIFFERENCE: "supplier_difference"}
_MAY = {ClaimKind.CREDIT: TAKE, ClaimKind.DIFFERENCE: ACCEPT}


@dataclass(frozen=True, kw_only=True, slots=True)
class TakeCredit:
    """The supplier credits goods of a supplier return (``document``) with this paper, net of tax, in the company's currency."""

    document: int
    paper: str
    amount: Decimal
    paper_on: date


@dataclass(frozen=True, kw_only=True, slots=True)
class AcceptDifference:
    """What is still open of a supplier return, or was credited beyond it, is not asked for any more. ``seen``: what was open, in minor
    units, when this was decided.
    """

    document: int
    reason: str
    seen: int


@dataclass(frozen=True, kw_only=True, slots=True)
class TakeBackSettlement:
    """A credit note was entered by mistake, or a difference accepted too early."""

    document: int
    entry: int
    reason: str


class Settled(NamedTuple):
    """What was written, and what the supplier owes after it, in minor units; below zero: it credited more than was expected."""

    id: int
    left: int


class _Claim(NamedTuple):
    """A supplier return, locked, with all that settled it by now."""

    head: Any
    entries: Sequence[Any]

    @property
    def left(self) -> int:
        expected: int = self.head.expected_minor
        return expected - sum(int(one.amount_minor) for one in self.entries)

    def stands(self, entry: Any) -> bool:
        """Whether the entry was not taken back, and takes none back itself."""
        return entry.reverses_id is None and all(one.reverses_id != entry.id for one in self.entries)


def take_credit(work: UnitOfWork, command: TakeCredit) -> Settled:
    """Enter a credit note: the claim falls by it, be it all, a part, or more than was expected. What is left stays open.

    Raises ``Conflict("supplier_credit_twice")`` for a paper that is entered for these goods already.
    """
    claim = _locked(work, command.document, TAKE)
    site = site_facts(work, claim.head.site_id)
    paper = command.paper.strip()
    if not paper:
        raise RuleBroken("supplier_credit_paper", field="paper")
    if command.paper_on > (today := local_day(work.now, site.time_zone)):
        raise RuleBroken("supplier_credit_in_future", field="paper_on", day=command.paper_on, today=today)
    currency = claim.head.currency
    if not command.amount.is_finite() or not 0 < command.amount < _MOST:
        raise RuleBroken("supplier_credit_amount", field="amount", currency=currency)
    amount = to_minor(command.amount, currency)
    if from_minor(amount, currency) != command.amount:
        raise RuleBroken("supplier_credit_amount", field="amount", currency=currency)
    if any(claim.stands(one) and (one.paper or "").lower() == paper.lower() for one in claim.entries):
        raise Conflict("supplier_credit_twice", field="paper", paper=paper, document=claim.head.number)
    return _settle(work, claim, ClaimKind.CREDIT, amount, paper=paper, paper_on=command.paper_on)


def accept_difference(work: UnitOfWork, command: AcceptDifference) -> Settled:
    """Give up what is open of a claim, or keep what was credited beyond it: an adjustment of stock of today.

    Raises ``RuleBroken`` without a reason, where nothing is open, and for who sent the goods or entered a credit note of them;
    ``Conflict`` where something else is open than was seen.
    """
    claim = _locked(work, command.document, ACCEPT)
    number = claim.head.number
    if not command.reason.strip():
        raise RuleBroken("reason_required", field="reason", document="supplier return", move="accept the difference")
    if not claim.left:
        raise RuleBroken("claim_settled", document=number)
    if claim.left != command.seen:
        raise Conflict("claim_changed", document=number)
    if work.actor.id in {
        claim.head.sent_by,
        *(one.settled_by for one in claim.entries if one.kind == ClaimKind.CREDIT),
    }:
        raise RuleBroken("difference_own", document=number)
    return _settle(work, claim, ClaimKind.DIFFERENCE, claim.left, reason=command.reason.strip())


def take_back_settlement(work: UnitOfWork, command: TakeBackSettlement) -> Settled:
    """Take a credit note or a difference back: the claim is as open as before it. It stays to be read, and what it posted is turned."""
    claim = _locked(work, command.document, None)
    entry = next((one for one in claim.entries if one.id == command.entry), None)
    if entry is None:
        raise NotFound("settlement_unknown", document=claim.head.number)
    work.actor.require(_MAY[ClaimKind(entry.kind)], site=claim.head.site_id)
    if not command.reason.strip():
        raise RuleBroken("reason_required", field="reason", document="supplier return", move="take back")
    if not claim.stands(entry):
        raise RuleBroken("settlement_gone", document=claim.head.number)
    return _settle(
        work, claim, ClaimKind(entry.kind), -entry.amount_minor, reason=command.reason.strip(), reverses=entry.id
    )


def _locked(work: UnitOfWork, document: int, permission: str | None) -> _Claim:
    """The claim, which nobody else settles meanwhile; raises ``NotFound`` for another site's."""
    found = read_rows(work, SupplierReturn, _HEAD, "id", [document], lock=True)
    if not found or (work.actor.sites is not None and found[0].site_id not in work.actor.sites):
        raise NotFound("supplier_return_unknown", id=document)
    if permission is not None:
        work.actor.require(permission, site=found[0].site_id)
    names = ("id", "kind", "paper", "amount_minor", "reverses_id", "settled_by")
    entries = read_rows(work, SupplierClaimEntry, names, "supplier_return_id", [document])
    return _Claim(found[0], sorted(entries, key=lambda one: one.id))


def _settle(
    work: UnitOfWork, claim: _Claim, kind: ClaimKind, amount: int, *, paper: str | None = None, paper_on: date | None = None,
    reason: str | None = None, reverses: int | None = None,
) -> Settled:  # fmt: skip
    """Write it down, say it and post it."""
    head, key = claim.head, work.ids.one()
    place = books_of(work, site_facts(work, head.site_id))
    for role in (AccountRole.SUPPLIER_CLAIMS, _ACCOUNT[kind]):
        ensure_account(work, head.entity_id, role)
    row = (
        key, head.entity_id, head.site_id, head.id, kind, paper, paper_on, reason, amount, reverses, work.actor.id, work.now,
    )  # fmt: skip
    write_rows(work, SupplierClaimEntry.__table__, _ENTRY, [row])
    left = claim.left - amount
    work.publish(
        SupplierClaimSettled(supplier_return=head.id, kind=kind, amount=amount, left=left), place, step="record_to_report.post",
        subject=("supplier_claim", key, 1), journey=head.id,
    )  # fmt: skip
    entry = Entry(
        rule=_RULE[kind], place=place, document_type="supplier_claim", document_id=key, journey=head.id,
        entry_on=local_day(work.now, place.time_zone), posted_at=work.now, currency=head.currency,
        sides=(Side(_ACCOUNT[kind], amount), Side(AccountRole.SUPPLIER_CLAIMS, -amount)), text=reason or paper,
    )  # fmt: skip
    post_entries(work, [entry])
    work.audit(
        "supplier_claim.settled",
        "supplier_return",
        head.id,
        of=kind,
        amount=amount,
        paper=paper,
        reason=reason,
        takes_back=reverses,
    )
    return Settled(key, left)

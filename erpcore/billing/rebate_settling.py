"""Giving rebates back: part of what is accrued while an agreement runs, and all of it for good when it has ended.

The credit memos stand on what was bought: a line per item, at its tax, shared by what each customer's goods counted for.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import func, select

from erpcore.billing.credits import CreditRebate, credit_rebates
from erpcore.billing.models import InvoiceLine
from erpcore.billing.rebates.agreements import place_of
from erpcore.billing.rebates.flow import AGREE, REBATE
from erpcore.billing.rebates.models import RebateAccrual, RebateCredit, RebateSettlement, RebateState
from erpcore.billing.rebates.records import (
    AgreementRow,
    lock_agreement,
    lock_standings,
    save_agreements,
    save_standings,
)
from erpcore.billing.restocking import Credited
from erpcore.billing.services import scaled_posted
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.events import Place
from erpcore.kernel.history import record_move
from erpcore.kernel.money import Money, from_minor
from erpcore.kernel.rows import raw, write_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.ledger.models import AccountRole
from erpcore.ledger.services import Entry, Side, post_entries
from erpcore.published.rebates import RebateClaimed, RebateSettled

_SETTLEMENT = (
    "id", "agreement_id", "is_final", "claimed_minor", "accrued_minor", "paid_minor", "difference_minor", "reason", "settled_at",
    "actor",
)  # fmt: skip
_CREDIT = ("credit_memo_id", "settlement_id", "customer_id", "net_minor")


@dataclass(frozen=True, kw_only=True, slots=True)
class SettleRebate:
    """Give ``paid_minor`` net back, all that is accrued without it. ``claimed_minor``: what the customer asked for."""

    agreement: int
    paid_minor: int | None = None
    claimed_minor: int | None = None
    reason: str = ""
    seen_version: int | None = None


class _Part(NamedTuple):
    """What a customer's goods of an item at one tax counted for."""

    customer: int
    item: int
    tax_rate: int | None
    tax_rule: int | None
    tax_exemption: int | None
    weight: int


def settle_rebate(work: UnitOfWork, command: SettleRebate) -> int:
    """Settle an agreement, or pay part of one that runs, by a credit memo for each customer; returns the settlement's id.

    One that has ended is settled for good: what is left of the accrual goes back, what is paid above it is expense, and takes a
    reason and the authority to agree. Raises ``RuleBroken``; ``IllegalMove`` for one that is settled.
    """
    row = lock_agreement(work, command.agreement, command.seen_version)
    move = "pay_part" if row.state == RebateState.AGREED else "settle"
    work.actor.require(REBATE.moves[move].permission, site=row.site_id)
    state = REBATE.target(move, row.state)
    (stand,) = lock_standings(work, [row.id]).values()
    was = stand.open_minor
    paid = max(0, was) if command.paid_minor is None else command.paid_minor
    final, key = move == "settle", work.ids.one()
    _check(work, row, command, was, paid, final=final)
    place, reason = place_of(work, row), command.reason.strip()
    difference = paid - was if final else 0
    memos = _credit(work, row, place, paid)
    stand.settled_minor += paid
    stand.difference_minor += difference
    save_standings(work, [stand])
    write_rows(
        work, RebateSettlement.__table__, _SETTLEMENT,
        [(key, row.id, final, command.claimed_minor, was, paid, difference, reason or None, work.now, work.actor.id)],
    )  # fmt: skip
    write_rows(work, RebateCredit.__table__, _CREDIT, [(memo, key, customer, net) for memo, customer, net in memos])
    _close(work, row, place, key, difference)
    record_move(work, "rebate", row.id, move, row.state, state, reason=reason or None, facts={"minor": paid})
    row.state = state
    save_agreements(work, [row])
    work.audit("rebate_settled", "rebate", row.id, paid=paid, accrued=was, difference=difference)
    _report(work, row, place, command, was=was, paid=paid, difference=difference, final=final)
    return key


def _check(work: UnitOfWork, row: AgreementRow, command: SettleRebate, was: int, paid: int, *, final: bool) -> None:
    if min(paid, command.claimed_minor or 0) < 0:
        raise RuleBroken("amount_not_positive", field="paid" if paid < 0 else "claimed")
    if not final and not 0 < paid <= was:
        facts = {"document": row.number, "open": from_minor(max(0, was), row.currency), "currency": row.currency}
        raise RuleBroken("rebate_part_too_much", field="paid", **facts)
    if final and paid != was and not command.reason.strip():
        raise RuleBroken("rebate_difference", field="reason", document=row.number)
    if paid > max(0, was):
        work.actor.require(AGREE, site=row.site_id)


def _credit(work: UnitOfWork, row: AgreementRow, place: Place, paid: int) -> list[tuple[int, int, int]]:
    """Post the memos; returns each with its customer and net."""
    parts = _parts(work, row) if paid else []
    if paid and not parts:
        raise RuleBroken("rebate_nothing_bought", field="paid", document=row.number)
    shares = Money(paid, row.currency).split([one.weight for one in parts]) if parts else []
    lines: dict[int, list[Credited]] = defaultdict(list)
    for part, share in zip(parts, shares, strict=True):
        if share.minor:
            amount = scaled_posted(share.minor, row.currency)
            lines[part.customer].append(
                Credited(
                    part.item, None, is_charge=False, quantity=1000, unit_price=amount, amount=amount, net=share.minor,
                    tax_rate=part.tax_rate, tax_rule=part.tax_rule, tax_exemption=part.tax_exemption,
                )
            )  # fmt: skip
    reason = f"Rebate {row.number}"[:48]
    commands = [
        CreditRebate(agreement=row.id, place=place, customer=customer, reason=reason, lines=lines[customer])
        for customer in sorted(lines)
    ]
    nets = [sum(line.net for line in one.lines) for one in commands]
    memos = credit_rebates(work, commands)
    return [(memo, one.customer, net) for memo, one, net in zip(memos, commands, nets, strict=True)]


def _parts(work: UnitOfWork, row: AgreementRow) -> list[_Part]:
    """What still counts, by customer, item and tax; by quantity where each unit earns an amount."""
    by_unit = any(tier.per_unit is not None for tier in row.tiers)
    counts = func.sum(raw(RebateAccrual.__table__.c.quantity) if by_unit else RebateAccrual.net_minor)
    tax = InvoiceLine.__table__.c
    columns = (
        RebateAccrual.customer_id, RebateAccrual.item_id, raw(tax.tax_rate), tax.tax_rule_id, tax.tax_exemption_id,
    )  # fmt: skip
    query = (
        select(*columns, counts)
        .select_from(RebateAccrual)
        .join(
            InvoiceLine,
            (InvoiceLine.invoice_id == RebateAccrual.invoice_id)
            & (InvoiceLine.order_line_id == RebateAccrual.order_line_id),
        )
        .where(RebateAccrual.agreement_id == row.id)
        .group_by(RebateAccrual.customer_id, RebateAccrual.item_id, tax.tax_rate, tax.tax_rule_id, tax.tax_exemption_id)
        .order_by(RebateAccrual.customer_id, RebateAccrual.item_id, tax.tax_rule_id, tax.tax_rate, tax.tax_exemption_id)
    )  # fmt: skip
    return [_Part._make((*one[:-1], int(one[-1]))) for one in map(tuple, work.session.execute(query)) if one[-1] > 0]


def _close(work: UnitOfWork, row: AgreementRow, place: Place, settlement: int, difference: int) -> None:
    post_entries(
        work,
        [
            Entry(
                rule="rebate_difference", place=place, document_type="rebate_settlement", document_id=settlement,
                journey=row.id, entry_on=local_day(work.now, place.time_zone), posted_at=work.now, currency=row.currency,
                sides=(Side(AccountRole.REBATES, difference), Side(AccountRole.REBATES_ACCRUED, -difference)),
            )
        ],
    )  # fmt: skip


def _report(
    work: UnitOfWork,
    row: AgreementRow,
    place: Place,
    command: SettleRebate,
    *,
    was: int,
    paid: int,
    difference: int,
    final: bool,
) -> None:
    said: list[RebateClaimed | RebateSettled] = []
    if command.claimed_minor is not None:
        said.append(RebateClaimed(amount=command.claimed_minor, accrued=was))
    said.append(RebateSettled(paid=paid, accrued=was, difference=difference, is_final=final))
    for event in said:
        work.publish(
            event, place, step="order_to_cash.invoice", subject=("rebate", row.id, row.version), journey=row.id
        )

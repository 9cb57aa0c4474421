"""What of a posted payout no document explains is settled by people: accepted with authority, or set against what makes it good."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from erpcore.billing.cash_records import cash_entry
from erpcore.billing.settling.flow import POST
from erpcore.billing.settling.models import DifferenceOutcome, Explanation, Payout, PayoutLine, PayoutState
from erpcore.billing.settling.records import PartnerFacts, lines_by_key, lock_partner, save_open
from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.kernel.rows import write_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.ledger.models import AccountRole
from erpcore.ledger.services import Side, ensure_account, post_entries
from erpcore.published.settlement import SettlementExplained

_EXPLANATION = ("id", "line_id", "amount_minor", "outcome", "other_line_id", "reason", "explained_at", "actor")
_STEP = "channel_settlement.claim"


def accept_difference(work: UnitOfWork, line: int, *, reason: str) -> int:
    """Accept what is unexplained of a line: it becomes a fee of the partner, or less of one. Returns the id of what says so.

    Takes the authority to write off. Raises ``RuleBroken("nothing_unexplained")`` for a line that is explained.
    """
    partner, rows = _open_lines(work, [line], reason)
    row = rows[line]
    work.actor.require("billing:debt:write_off", site=row.site_id)
    for role in (AccountRole.PARTNER_FEES, AccountRole.PARTNER_DIFFERENCE):
        ensure_account(work, partner.entity_id, role)
    (key,) = _keep(work, partner, [(row, row.open_minor, None)], DifferenceOutcome.ACCEPTED, reason)
    sides = (
        Side(AccountRole.PARTNER_FEES, -row.open_minor), Side(AccountRole.PARTNER_DIFFERENCE, row.open_minor),
    )  # fmt: skip
    entry = cash_entry(
        "payout_accepted", partner.place(work), ("payout_explanation", key), work.now, sides, journey=row.payout_id,
        text=reason.strip(),
    )  # fmt: skip
    post_entries(work, [entry])
    return key


def offset_differences(work: UnitOfWork, line: int, other: int, *, reason: str) -> list[int]:
    """Set two lines of one partner against each other, as far as the smaller goes: what one took wrongly the other brings back.

    Raises ``RuleBroken("offset_not_opposite")`` for lines of the same sign, ``"offset_other_partner"`` for another partner's.
    """
    partner, rows = _open_lines(work, [line, other], reason)
    first, second = rows[line], rows[other] if other in rows else rows[line]
    work.actor.require(POST, site=first.site_id)
    if line == other or (first.open_minor > 0) == (second.open_minor > 0):
        raise RuleBroken("offset_not_opposite", field="other")
    minor = min(abs(first.open_minor), abs(second.open_minor))
    signed = minor if first.open_minor > 0 else -minor
    return _keep(
        work, partner, [(first, signed, second.id), (second, -signed, first.id)], DifferenceOutcome.OFFSET, reason
    )


def _open_lines(work: UnitOfWork, ids: Sequence[int], reason: str) -> tuple[PartnerFacts, dict[int, Any]]:
    """The lines, locked behind their partner; each of a posted payout and with something unexplained."""
    found = {
        row.id: row
        for row in work.session.execute(
            select(PayoutLine.id, PayoutLine.partner_id, Payout.state, Payout.reference)
            .join(Payout, Payout.id == PayoutLine.payout_id)
            .where(PayoutLine.id.in_(list(ids)))
        )
    }
    for key in ids:
        if key not in found:
            raise NotFound("payout_line_unknown", id=key)
    if len({row.partner_id for row in found.values()}) > 1:
        raise RuleBroken("offset_other_partner", field="other")
    partner = lock_partner(work, found[ids[0]].partner_id)
    rows = lines_by_key(work, ids)
    states = dict(
        work.session.execute(
            select(Payout.id, Payout.state).where(Payout.id.in_({row.payout_id for row in rows.values()}))
        ).all()
    )
    for key in ids:
        if states[rows[key].payout_id] != PayoutState.POSTED:
            raise RuleBroken("payout_not_posted", document=found[key].reference)
        if not rows[key].open_minor:
            raise RuleBroken("nothing_unexplained", line=rows[key].line_no, document=found[key].reference)
    if not reason.strip():
        raise RuleBroken("reason_required", field="reason", document="payout", move="explain")
    return partner, rows


def _keep(
    work: UnitOfWork, partner: PartnerFacts, parts: Sequence[tuple[Any, int, int | None]], outcome: DifferenceOutcome,
    reason: str,
) -> list[int]:  # fmt: skip
    ids, place = list(work.ids.reserve(len(parts))), partner.place(work)
    write_rows(
        work, Explanation.__table__, _EXPLANATION,
        [
            (key, row.id, minor, outcome, other, reason.strip(), work.now, work.actor.id)
            for key, (row, minor, other) in zip(ids, parts, strict=True)
        ],
    )  # fmt: skip
    save_open(work, {row.id: (row.open_minor - minor, outcome) for row, minor, _ in parts})
    for row, minor, _ in parts:
        event = SettlementExplained(
            partner=partner.id, payout=row.payout_id, outcome=outcome, amount=minor, left=row.open_minor - minor
        )
        work.publish(event, place, step=_STEP, subject=("payout_line", row.id, 1), journey=row.payout_id)
    return ids

"""The money of a payout comes to the bank: entries of statements are set against what the partner said that it pays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from erpcore.billing.bank_lines import open_lines, settle_lines
from erpcore.billing.bank_models import LineOutcome
from erpcore.billing.cash_records import cash_entry
from erpcore.billing.settling.models import PayoutState
from erpcore.billing.settling.records import lock_payout, save_payout
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.history import record_move
from erpcore.kernel.work import UnitOfWork
from erpcore.ledger.models import AccountRole
from erpcore.ledger.services import Side, post_entries


@dataclass(frozen=True, kw_only=True, slots=True)
class PayoutByLine:
    """An entry of the bank is the money of a payout, or a part of it."""

    line: int
    payout: int
    explanation: str = ""


def receive_transfers(work: UnitOfWork, commands: Sequence[PayoutByLine]) -> None:
    """Set entries of the bank against payouts; what is missing of one stays owed by the partner.

    Raises ``RuleBroken("payout_not_posted")``, ``"payout_money_too_much"`` beyond what is owed of it or in the other direction, and
    ``"line_settled"`` for an entry that is no longer open.
    """
    lines = open_lines(work, [c.line for c in commands])
    entries = []
    for command, line in zip(commands, lines, strict=True):
        work.actor.require("billing:receipt:apply")
        partner, row = lock_payout(work, command.payout)
        if row.entity_id != line.entity_id:
            raise RuleBroken("other_entity", field="payout", customer=row.reference, site="")
        if row.state != PayoutState.POSTED:
            raise RuleBroken("payout_not_posted", document=row.reference)
        owed = row.transfer_minor - row.paid_minor
        if not 0 < abs(line.amount_minor) <= abs(owed) or (line.amount_minor > 0) != (owed > 0):
            raise RuleBroken("payout_money_too_much", document=row.reference, left=owed, came=line.amount_minor)
        sides = (Side(AccountRole.BANK_CLEARING, line.amount_minor), Side(AccountRole.PARTNER, -line.amount_minor))
        entries.append(
            cash_entry(
                "payout_paid", partner.place(work), ("bank_line", line.id), work.now, sides, journey=row.id, text=row.reference
            )
        )  # fmt: skip
        save_payout(work, row, paid_minor=row.paid_minor + line.amount_minor)
        record_move(
            work, "payout", row.id, "pay", row.state, row.state,
            facts={"bank_line": line.id, "amount_minor": line.amount_minor, "left_minor": owed - line.amount_minor},
        )  # fmt: skip
    post_entries(work, entries)
    settle_lines(
        work, lines, LineOutcome.PAYOUT, [None] * len(lines),
        [command.explanation[:500] or "the money of a payout" for command in commands], [command.payout for command in commands],
    )  # fmt: skip

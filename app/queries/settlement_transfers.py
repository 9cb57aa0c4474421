"""Which entries of the bank that wait may be the money of a payout, how sure is that, and why?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import func, or_, select, text
from sqlalchemy.orm import Session

from app.queries.settlement import PayoutRow
from erpcore.billing.bank_models import BankStatementLine

#: So many entries of the bank are offered for a payout.
MOST_TRANSFERS = 8


@dataclass(frozen=True, kw_only=True)
class TransferOffer:
    """An entry of the bank that may be the money of a payout, how sure that is, and why."""

    line: int
    booked_on: date
    amount_minor: int
    text: str
    confidence: int
    why: str


def transfer_offers(session: Session, row: PayoutRow) -> list[TransferOffer]:
    """Entries of the bank that wait and may be the money of a posted payout, the surest first."""
    owed = row.owed_minor
    if not owed:
        return []
    line = BankStatementLine
    said = [line.text.icontains(word, autoescape=True) for word in (row.reference, row.partner)]
    said += [line.payer_name.icontains(row.partner, autoescape=True), line.end_to_end == row.reference]
    within = line.amount_minor.between(1, owed) if owed > 0 else line.amount_minor.between(owed, -1)
    query: Any = (
        select(line.id, line.booked_on, line.amount_minor, line.text, line.payer_name, line.end_to_end)
        .where(
            text("bank_line.state = 'open'"), line.entity_id == row.entity_id, within,
            or_(line.amount_minor == owed, *said),
        )
        .order_by(func.abs(line.amount_minor - owed), line.id)
        .limit(MOST_TRANSFERS)
    )  # fmt: skip
    offers = [_offer(row, owed, *found) for found in session.execute(query)]
    return sorted(offers, key=lambda one: (-one.confidence, one.line))


def _offer(
    row: PayoutRow,
    owed: int,
    line: int,
    booked_on: date,
    minor: int,
    words: str | None,
    payer: str | None,
    end: str | None,
) -> TransferOffer:
    told = " ".join(part for part in (payer, words, end) if part)
    names = row.reference.lower() in told.lower() or row.partner.lower() in told.lower()
    confidence, why = {
        (True, True): (98, f"It names {row.partner} and is exactly what is owed."),
        (True, False): (60, f"It names {row.partner} and is a part of what is owed."),
        (False, True): (55, "It is exactly what is owed; nothing else speaks for it."),
    }[names, minor == owed]
    return TransferOffer(
        line=line, booked_on=booked_on, amount_minor=minor, text=told[:200], confidence=confidence, why=why
    )
